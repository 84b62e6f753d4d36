#!/usr/bin/env bash
# A Docker node of dockershim's making: 200 containers listed in one go, each verified, with the PID
# that docker inspect gives; plain containers beside them; the daemon killed in the middle of a look.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
own_node --runtime docker --pods 50 --containers 4 --processes 2

sandbox client run -d --name plain --net host docker.io/library/busybox:latest sleep 1000000 >/dev/null
look
sandbox client ps -q --no-trunc | xargs "$TOP/hack/sandbox" client --dir "$NODE" inspect \
	--format '{{.Id}} {{.State.Pid}}' | sort >"$SCRATCH/theirs"
jq -r '(.pods[] | select(.sandbox_id) | "\(.sandbox_id) \(.sandbox.pid)"),
	(.pods[].containers[] | "\(.id) \(.pid)")' "$DOC" | sort >"$SCRATCH/ours"
diff "$SCRATCH/theirs" "$SCRATCH/ours" || fail "podpid and docker inspect differ"
wrong=$(jq -c '.pods[].containers[] | select(.verdict != "verified")' "$DOC")
[ -z "$wrong" ] || fail "not verified: $wrong"
[ "$(jq '[.pods[] | select(.name)] | length' "$DOC")" = 50 ] || fail "not 50 pods"
[ "$(jq '[.pods[] | select(.name == null).containers[]] | length' "$DOC")" = 1 ] ||
	fail "the plain container is not in a group without a pod"
[ "$(jq -r .runtime.api "$DOC")" = docker ] || fail "api: $(jq -c .runtime "$DOC")"
id=$(awk '$1 == "prod/web/app" { print $2 }' "$NODE/pods/names")
[ "$(podpid pid "docker://$id")" = "$(podpid pid prod/web/app)" ] || fail "pid by id and by name differ"

# exec'd, paused, killed.
sandbox exec --detach prod/web/app sleep 2000001
sandbox pause prod/db/app
sandbox kill prod/cache/app
look -a
[ "$(container "$id" '"\(.verdict) \([.processes[].role] | sort | join(" "))"')" = "verified child exec main" ] ||
	fail "exec: $(container "$id" .)"
for expected in "prod/db/app verified" "prod/cache/app exited"; do
	other=$(awk -v n="${expected% *}" '$1 == n { print $2 }' "$NODE/pods/names")
	[ "$(container "$other" .verdict)" = "${expected#* }" ] || fail "$expected: $(container "$other" .)"
done

# A look at any moment is whole, or it is none.
(sleep 0.3 && sandbox stop -KILL) &
end=$((SECONDS + 30))
while :; do
	status=0
	podpid list -o json >"$DOC" 2>"$SCRATCH/err" || status=$?
	[ $status -ne 3 ] || break
	[ $status -eq 0 ] || fail "exit status $status: $(cat "$SCRATCH/err")"
	consistent "$DOC"
	[ $SECONDS -lt $end ] || fail "dockerd is killed, and podpid does not see it"
done
[ ! -s "$DOC" ] || fail "half a document: $(head -c 200 "$DOC")"
wait
