#!/usr/bin/env bash
# A Docker Engine with pods as dockershim makes them: 200 containers in one list, each verified, with the
# PID that docker inspect gives; plain containers beside them; the daemon is killed during a look.
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

# Exec'd processes, a paused container, a killed main process.
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

# An image may carry the kubelet's labels: its container belongs to no pod, and there is a warning. The
# same with the id of a real sandbox in the labels.
victim=$(jq -r '.pods[] | select(.namespace == "prod" and .name == "web") | .sandbox_id' "$DOC")
forged() {
	sandbox client import --change 'CMD ["/bin/sleep", "1000000"]' \
		--change "LABEL io.kubernetes.pod.namespace=prod io.kubernetes.pod.name=web io.kubernetes.pod.uid=$2 io.kubernetes.container.name=app io.kubernetes.docker.type=$3 io.kubernetes.sandbox.id=$4" \
		"$SCRATCH/image.tar" "forged:$1" >/dev/null
	sandbox client run -d --name "k8s_app_web_prod_$2_$1" --net host "forged:$1" 2> >(grep -v "IPv4 forwarding" >&2)
}
plain=$(sandbox client create docker.io/library/busybox:latest sh)
sandbox client export "$plain" >"$SCRATCH/image.tar"
sandbox client rm "$plain" >/dev/null
one=$(forged 1 00000000-0000-0000-0000-000000000000 container ffff)
two=$(forged 2 "$(jq -r --arg s "$victim" '.pods[] | select(.sandbox_id == $s) | .uid' "$DOC")" container "$victim")
three=$(forged 3 00000000-0000-0000-0000-000000000000 podsandbox '')
look
for forgery in "$one" "$two" "$three"; do
	[ "$(jq -c --arg id "$forgery" '[.pods[] | select([.containers[].id] | index($id)) | .name]' "$DOC")" = '[null]' ] ||
		fail "the labels of an image are believed: $(container "$forgery" .)"
	[ "$(container "$forgery" .verdict)" = verified ] || fail "$(container "$forgery" .)"
	[ "$(jq --arg id "${forgery:0:12}" '[.warnings[] | select(contains($id))] | length' "$DOC")" -ge 1 ] ||
		fail "no warning of $forgery: $(jq -c .warnings "$DOC")"
done
[ "$(podpid pid prod/web/app)" = "$(container "$id" .pid)" ] || fail "prod/web/app is somebody else now"

# libcurl is loaded to speak to an engine, and only then.
# maps ENDPOINT: the memory map of a podpid that has looked at that endpoint.
maps() {
	local pid

	rm -f "$SCRATCH/events"
	"$PODPID" watch -o jsonl -r "$1" >"$SCRATCH/events" 2>/dev/null &
	pid=$!
	eventually 10 test -s "$SCRATCH/events" || fail "watch -r $1 says nothing"
	cat "/proc/$pid/maps"
	kill $pid
	wait $pid || true
}
maps "$ENDPOINT" >"$SCRATCH/maps"
grep -q libcurl "$SCRATCH/maps" || fail "Docker without libcurl"
maps "unix://$NODE/containerd.sock" >"$SCRATCH/maps"
grep -q libnghttp2 "$SCRATCH/maps" || fail "CRI without libnghttp2"
! grep -q libcurl "$SCRATCH/maps" || fail "CRI with libcurl"

# A daemon whose default cgroup parent is another one, which its API does not report.
moved=$SCRATCH/daemon.json
jq --arg place "/podpid-docker-$$" '. + {"cgroup-parent": $place}' "$NODE/daemon.json" >"$moved"
cp "$moved" "$NODE/daemon.json"
echo "/podpid-docker-$$" >>"$NODE/pods/cgroups"
sandbox stop
sandbox start
one=$(sandbox client run -d --net host docker.io/library/busybox:latest sleep 1000000 2>/dev/null)
grep -q ":/podpid-docker-$$/$one" "/proc/$(sandbox client inspect --format '{{.State.Pid}}' "$one")/cgroup" ||
	fail "--cgroup-parent of dockerd has no effect"
look
for plain in "$one" "$two"; do
	[ "$(container "$plain" .verdict)" = verified ] || fail "not in its cgroup: $(container "$plain" .)"
done

# A watch reports each restart of the daemon: it asks for the event stream again after each.
"$PODPID" watch -q -o jsonl -r "$ENDPOINT" >"$SCRATCH/watched" &
watch=$!
# told STALE COUNT: the watch has printed so many runtime events with that value of stale.
told() {
	[ "$(jq -s "[.[] | select(.event == \"runtime\" and .stale == $1)] | length" "$SCRATCH/watched")" = "$2" ]
}
eventually 10 test -s "$SCRATCH/watched" || fail 'no snapshot'
for restart in 1 2; do
	sleep 3 # whatever followed the last look is over
	sandbox stop -KILL
	eventually 5 told true $restart || fail "end $restart of the daemon is not told"
	sandbox start
	eventually 20 told false $restart || fail "return $restart of the daemon is not told"
done
kill $watch
wait $watch || true

# A stopped daemon: no answer within --timeout.
kill -STOP "$(cat "$NODE/dockerd.pid")"
status=0
podpid list -o json --timeout 1s >"$DOC" 2>"$SCRATCH/err" || status=$?
kill -CONT "$(cat "$NODE/dockerd.pid")"
[ $status -eq 3 ] || fail "dockerd stands still: exit status $status"
[ ! -s "$DOC" ] || fail "half a document: $(head -c 200 "$DOC")"

whole_or_none -KILL
