#!/usr/bin/env bash
# The same pods on containerd 1.6 and 1.7 and on dockerd give the same document, but for ids, times,
# PIDs and what the runtime says of itself; every container is verified.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# What has to be the same.
essence() {
	jq '[.pods[] | {namespace, name, state, attempt,
		sandbox: .sandbox.verdict,
		containers: [.containers[] | {name, attempt, image, state, verdict, exit_code, inferred_pid,
			roots: (.evidence.roots | length), roles: ([.processes[].role] | sort)}] | sort_by(.name)}]
		| sort_by(.namespace, .name)' "$DOC"
}

make_pods() {
	local pod id

	pod=$(make_pod shared --shared-pid)
	make_container "$pod" one sh -c 'sleep 1000001 & wait' >/dev/null
	id=$(make_container "$pod" two sleep 1000001)
	sandbox exec --detach "$id" sleep 2000001
	pod=$(make_pod host --host-pid)
	id=$(make_container "$pod" one sh -c 'sleep 1000001 & wait')
	sandbox exec --detach "$id" sleep 2000001
	id=$(make_container "$pod" paused sleep 1000001)
	sandbox pause "$id"
}

first=
for node in '--release bookworm' '--release trixie' '--runtime docker'; do
	# shellcheck disable=SC2086 # two words
	own_node $node --pods 6 --containers 2 --processes 3
	make_pods
	look
	wrong=$(jq -c '.pods[].containers[] | select(.verdict != "verified") | [.name, .verdict, .evidence]' "$DOC")
	[ -z "$wrong" ] || fail "$node: not verified: $wrong"
	[ "$(jq '[.pods[].containers[]] | length' "$DOC")" = 16 ] || fail "$node: not 16 containers"
	jq -r '.runtime | "\(.name) \(.version) \(.api)"' "$DOC"
	essence >"$SCRATCH/essence"
	if [ -z "$first" ]; then
		first=$node
		cp "$SCRATCH/essence" "$SCRATCH/first"
	fi
	diff "$SCRATCH/first" "$SCRATCH/essence" || fail "$first and $node differ"
	sandbox down
	unset 'LOCAL_NODES[-1]'
done
