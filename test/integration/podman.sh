#!/usr/bin/env bash
# Podman's pods, through its Docker-compatible service: each container is verified, with the PID that podman
# inspect gives, and in no pod of a kubelet; exec'd processes, a paused and a killed container; the service
# is killed.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
have_podman || {
	echo "skipped: podman is not installed"
	exit $SKIP
}
own_node --runtime podman --pods 5 --containers 2 --processes 2

# A container outside of all pods, in the machine's PID namespace.
sandbox client run -d --pull never --name plain --pid host --cgroup-parent "$(head -n 1 "$NODE/pods/cgroups")" \
	docker.io/library/busybox:latest sleep 1000000 >/dev/null

# held_against_inspect: compare the running containers of the last look, infra containers too, with podman
# inspect. Podman's ps shows paused ones only with --all.
held_against_inspect() {
	sandbox client ps -aq --no-trunc | xargs "$TOP/hack/sandbox" client --dir "$NODE" inspect \
		--format '{{.Id}} {{.State.Pid}}' | grep -v ' 0$' | sort >"$SCRATCH/theirs"
	jq -r '.pods[].containers[] | select(.pid) | "\(.id) \(.pid)"' "$DOC" | sort >"$SCRATCH/ours"
	diff "$SCRATCH/theirs" "$SCRATCH/ours" || fail "podpid and podman inspect differ"
}

look
held_against_inspect
[ "$(wc -l <"$SCRATCH/ours")" = 16 ] || fail "not 5 pods' infra containers, 10 containers and a plain one: $(cat "$SCRATCH/ours")"
wrong=$(jq -c '.pods[].containers[] | select(.verdict != "verified")' "$DOC")
[ -z "$wrong" ] || fail "not verified: $wrong"
[ "$(jq -c '[.pods[] | select(.name).name]' "$DOC")" = '[]' ] || fail "a pod of podman's is taken for a kubelet's"
[ "$(jq -r '.runtime | "\(.name) \(.api)"' "$DOC")" = "podman docker" ] || fail "runtime: $(jq -c .runtime "$DOC")"
wrong=$(jq -c '.pods[].containers[] | select(.name | startswith("prod-")) | select([.processes[].role] | sort != ["child", "main"])' "$DOC")
[ -z "$wrong" ] || fail "processes: $wrong"

sandbox exec --detach prod/web/app sleep 2000001 >/dev/null
sandbox pause prod/db/app
sandbox kill prod/cache/app
look -a
held_against_inspect
for expected in "prod/web/app verified child exec main" "prod/db/app verified child main" "prod/cache/app exited "; do
	id=$(awk -v n="${expected%% *}" '$1 == n { print $2 }' "$NODE/pods/names")
	[ "$(container "$id" '"\(.verdict) \([.processes[].role] | sort | join(" "))"')" = "${expected#* }" ] ||
		fail "$expected: $(container "$id" .)"
done
sandbox resume prod/db/app

# The main process is gone, and the runtime has not reported that yet.
id=$(awk '$1 == "staging/web/app" { print $2 }' "$NODE/pods/names")
look
kill -KILL "$(container "$id" .pid)"
look -a
[ "$(container "$id" .pid)" = null ] || fail "the PID of a dead process: $(container "$id" .)"

whole_or_none -KILL
