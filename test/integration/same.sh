#!/usr/bin/env bash
# The same pods on containerd 1.6 (both versions of CRI), containerd 1.7 and dockerd give the same document,
# except for ids, times, PIDs and the runtime's own data; every running container is verified.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# The part of a document that must be the same.
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
	make_container "$pod" left sh -c 'exit 3' >/dev/null
	id=$(make_container "$pod" killed sleep 1000001)
	sandbox kill "$id"
	make container --name never --create-only "$pod" >/dev/null
	pod=$(make_pod ended)
	id=$(make_container "$pod" main sleep 1000001)
	sandbox kill "$id"
	end_pod "$pod"
}

# end_pod SANDBOX: stop a pod and do not remove it.
end_pod() {
	if [ -S "$NODE/docker.sock" ]; then
		sandbox client stop -t 0 "$1" >/dev/null
	else
		eventually 20 make stop-pod "$1"
	fi
}

# check WHAT: compare the document of this node with that of the first one.
check() {
	ended() {
		look -a
		[ "$(jq '[.pods[].containers[] | select(.verdict == "exited")] | length' "$DOC")" = 3 ]
	}
	eventually 10 ended || fail "$1: not three exited containers"
	wrong=$(jq -c '.pods[].containers[] | select(.state == "running" and .verdict != "verified") | [.name, .verdict, .evidence]' "$DOC")
	[ -z "$wrong" ] || fail "$1: not verified: $wrong"
	[ "$(jq '[.pods[].containers[]] | length' "$DOC")" = 20 ] || fail "$1: not 20 containers"
	jq -r '.runtime | "\(.name) \(.version) \(.api)"' "$DOC"
	essence >"$SCRATCH/essence"
	[ -e "$SCRATCH/first" ] || cp "$SCRATCH/essence" "$SCRATCH/first"
	diff "$SCRATCH/first" "$SCRATCH/essence" || fail "the first one and $1 differ"
}

for node in '--release bookworm' '--release trixie' '--runtime docker'; do
	# shellcheck disable=SC2086 # two words
	own_node $node --pods 6 --containers 2 --processes 3
	make_pods
	check "$node"
	if [ "$node" = '--release bookworm' ]; then
		[ "$(jq -r .runtime.api "$DOC")" = cri/v1 ] || fail "$node: $(jq -c .runtime "$DOC")"
		(
			export LD_PRELOAD=$PODPID_BUILD/test/integration/libold_cri.so ASAN_OPTIONS=verify_asan_link_order=0
			podpid list -a -o json
		) >"$SCRATCH/old" || fail "v1alpha2: exit status $?"
		[ "$(jq -r .runtime.api "$SCRATCH/old")" = cri/v1alpha2 ] || fail "v1alpha2: $(jq -c .runtime "$SCRATCH/old")"
		# Both documents are of one node at one time: PIDs, ids and times are the same, too.
		for f in "$DOC" "$SCRATCH/old"; do
			jq -S 'del(.taken_at, .took_ms, .runtime.api, .strays, .foreign)' "$f" >"$f.same"
		done
		diff "$DOC.same" "$SCRATCH/old.same" || fail "v1 and v1alpha2 differ"
	fi
	sandbox down
	unset 'LOCAL_NODES[-1]'
done
