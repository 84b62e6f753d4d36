#!/bin/bash
# The program with runtimes that Debian does not package: a server sends replies that were recorded on them, and
# a folder stands in for the /proc of that time.
#   test/program/recorded.sh PODPID FAKE-CRI MAKE-CAPTURE VALIDATE
set -u
podpid=$1 fake_cri=$2 make_capture=$3 validate=$4
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
folder=$(mktemp -d)
server=
failed=0
command -v jq >/dev/null || {
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || { echo "FAILED: jq is missing"; exit 1; }
	echo "skipped: jq is missing"
	exit 77
}
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC

stop() {
	[ -z "$server" ] || kill "$server"
	[ -z "$server" ] || wait "$server" 2>/dev/null
	server=
}
trap 'stop; rm -rf "$folder" "$folder.d"' EXIT

complain() {
	printf 'FAILED: %s: %s\n' "$name" "$*"
	failed=1
}

# node NAME RUNTIME SCENARIO: look at that node; standard input adds lines to the scenario.
node() {
	name=$1
	stop
	rm -rf "${folder:?}"/*
	cat "$here/scenarios/$3.txt" - >"$folder/scenario.txt"
	"$make_capture" "$folder/scenario.txt" "$folder/capture" || exit 1
	mkfifo "$folder/ready"
	"$fake_cri" "$folder/cri.sock" "${script:-$here/fixtures/runtimes/$2/script.json}" >"$folder/ready" &
	server=$!
	read -r _ <"$folder/ready"
	"$podpid" list -a -o json --proc "$folder/capture/proc" -r "unix://$folder/cri.sock" \
		>"$folder/doc" 2>"$folder/err" || complain "exit status $?: $(cat "$folder/err")"
	"$validate" "$here/../resolver/schema/podpid.v1.json" <"$folder/doc" || complain "not as its schema says"
}

# is FILTER EXPECTED
is() {
	local got

	got=$(jq -rc "$1" "$folder/doc")
	[ "$got" = "$2" ] || complain "$1"$'\n'"  gives    $got"$'\n'"  expected $2"
}

# verdicts EXPECTED: those of all containers and sandboxes.
verdicts() {
	is '[.pods[] | .name + ":" + .sandbox.verdict, (.containers[] | .name + ":" + .verdict)] | sort | join(" ")' "$1"
}

# of NAME FILTER EXPECTED: one container.
of() {
	is ".pods[].containers[] | select(.name == \"$1\") | $2" "$3"
}

# warns PART: a warning with that text is in the document and on standard error.
warns() {
	is "[.warnings[] | select(contains(\"$1\"))] | length > 0" true
	grep -qF -- "$1" "$folder/err" || complain "standard error has no '$1': $(cat "$folder/err")"
}

# CRI-O reports the old PID of an exited container, and the PID of runc init for a created one; two pods have no
# infra container. Here the old PID belongs to another process now, and a killed container left a child.
a2=cb90ab5c3dfeeecfad18748006fdaf3fac18a2313b6db1a6d3e9f0d46455bef3
node CRI-O crio-1.37 recorded-crio <<-EOT
	proc 19960 1 90000 sshd sid=19960
	proc 24000 1 19961 sleep cg=/kubepods/besteffort/pode9b80e93-d64f-45e5-b5de-57e449b49d84/crio-$a2 sid=19960
EOT
verdicts 'facts-a1:verified facts-a2:exited facts-a3:exited facts-a4:verified facts-a5:created facts-a:absent facts-b1:verified facts-b:verified facts-h1:verified facts-h:absent'
is '.runtime | [.name, .api]' '["cri-o","cri/v1"]'
of facts-a1 '[.pid, ([.processes[] | select(.role == "exec") | .pid] | sort)]' '[19901,[3657,20489]]'
of facts-a2 '[.pid, .evidence.reported_pid, (.processes[] | .pid)]' '[null,19960,24000]'
of facts-a5 '[.pid, .evidence.reported_pid]' '[null,20128]'
of facts-a5 '[.processes[] | .role] | index("main")' null
warns "$(printf '%.12s' $a2)"
is '[.strays[].pids[]] | index(24000)' null
# Containers that the recorded lists leave out run in the pods' cgroups: they are strays.
is '[.strays[].pids[]] | sort' '[20267,20390]'

# cri-dockerd gives no PID for sandboxes and no cgroup paths; ContainerStatus of a sandbox's id gives the PID.
node cri-dockerd cri-dockerd-0.3.4 recorded-cri-dockerd </dev/null
verdicts 'facts-a1:verified facts-a2:verified facts-a3:exited facts-a4:verified facts-a5:created facts-a:verified facts-b1:verified facts-b:verified facts-h1:verified facts-h:verified'
is '[.pods[].sandbox.pid] | sort' '[21099,21401,21564]'
is '.runtime | [.name, .api]' '["docker","cri/v1"]'
of facts-a1 .pid 21155

# Without that reply the process of a sandbox with its own PID namespace can be inferred.
cp -r "$here/fixtures/runtimes/cri-dockerd-0.3.4" "$folder.d"
jq 'del(.replies.ContainerStatus)' "$here/fixtures/runtimes/cri-dockerd-0.3.4/script.json" >"$folder.d/script.json"
script=$folder.d/script.json node 'cri-dockerd without' - recorded-cri-dockerd </dev/null
is '[.pods[] | .name + ":" + .sandbox.verdict] | sort' '["facts-a:inferred","facts-b:unproven","facts-h:unproven"]'
is '[.pods[].sandbox.pid]' '[null,null,null]'
is '[.pods[].containers[] | select(.state == "running") | .verdict] | unique' '["verified"]'

# containerd 2 speaks CRI v1 only.
node 'containerd 2' containerd-2.1.9 recorded-containerd2 </dev/null
is '[.pods[].sandbox.verdict] | unique' '["verified"]'
is '[.pods[].containers[] | select(.state == "running") | .verdict] | unique' '["verified"]'
exit $failed
