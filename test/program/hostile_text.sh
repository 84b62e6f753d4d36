#!/bin/bash
# A hostile runtime whose names, labels, images and messages hold escape sequences, newlines, invalid UTF-8, or are
# 256 KiB long. Each row stays one line, JSON stays valid, and no control byte reaches the terminal.
#   test/program/hostile_text.sh PODPID FAKE-CRI MAKE-CAPTURE VALIDATE
set -u
podpid=$1 fake_cri=$2 make_capture=$3 validate=$4
folder=$(mktemp -d)
schema=$(dirname "$(readlink -f "$0")")/../../resolver/schema/podpid.v1.json
proc=$folder/node/proc
failed=0
command -v jq >/dev/null || {
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || { echo "FAILED: jq is missing"; exit 1; }
	echo "skipped: jq is missing"
	exit 77
}
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC
export LC_ALL=C.UTF-8

# U+E0FF is the byte 0xff.
# shellcheck disable=SC2016 # jq's own
jq -n '
	("m" * 262144) as $long
	| ["\u001b[2J\u001b]0;owned\u0007", "two\nlines\nprod web app", "tab\tand\rreturn", "\ue0ff\ue0fe broken \ue0c3",
		"csi \u009b31m", "bidi \u202e txt.exe", "\"quote\" \\ {", "", $long, "a/b/c", "podpid_pods 5\n# EOF"] as $texts
	| def hex($n; $i): "0123456789abcdef" as $d | ($d[$n:$n+1] * 62) + $d[($i / 16 | floor):($i / 16 | floor) + 1] + $d[$i % 16:$i % 16 + 1];
	[range($texts | length)] as $all
	| {
		api: ["v1"],
		replies: {
			Version: {runtime_name: "evil\u001b[1m\nruntime\ue0ff", runtime_version: $texts[0]},
			Status: {status: {conditions: [{type: "RuntimeReady", status: false, reason: $texts[0], message: "two\nlines\ue0ff"}]}},
			ListPodSandbox: {items: [$all[] | {id: hex(1; .), state: 0, created_at: 1000000000000000,
				metadata: {name: $texts[.], namespace: $texts[.], uid: $texts[.]}, labels: {($texts[.]): $texts[.]}, runtime_handler: $texts[.]}]},
			ListContainers: {containers: [$all[] | {id: hex(2; .), pod_sandbox_id: hex(1; .), state: 1, created_at: 1000000000000000,
				metadata: {name: $texts[.]}, image: {image: $texts[.]}, labels: {($texts[.]): $texts[.]}}]},
			PodSandboxStatus: ([$all[] | {key: hex(1; .), value: {status: {id: hex(1; .), state: 0}, info: {info: "{\"pid\": 2147483647}"}}}] | from_entries),
			ContainerStatus: ([$all[] | {key: hex(2; .), value: {status: {id: hex(2; .), state: 1, metadata: {name: $texts[.]}, image: {image: $texts[.]}},
				info: {info: ({pid: 2147483000, runtimeType: $texts[.], runtimeSpec: {linux: {cgroupsPath: $texts[.]}}} | tostring)}}}] | from_entries)
		},
		faults: ([$all[:3][] | {key: ("ContainerStatus " + hex(2; .)), value: {code: 13, message: $texts[.]}}] | from_entries)
	}' >"$folder/script.json" || exit 1
rows=11
printf 'node cgroups=v2\n' >"$folder/node.txt"
"$make_capture" "$folder/node.txt" "$folder/node" || exit 1

mkfifo "$folder/ready"
"$fake_cri" "$folder/cri.sock" "$folder/script.json" >"$folder/ready" &
server=$!
trap 'kill $server; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
read -r _ <"$folder/ready" || exit 1

complain() {
	printf 'FAILED: %s: %s\n' "$what" "$*"
	failed=1
}

# run STATUS VERB ARG...: podpid ends with that status and prints only printable text and newlines.
run() {
	local expected=$1 status=0
	shift
	what="podpid $*"
	timeout 60 "$podpid" "$@" --proc "$proc" -r "unix://$folder/cri.sock" >"$folder/out" 2>"$folder/err" </dev/null || status=$?
	[ $status = "$expected" ] || complain "exit status $status, not $expected: $(head -c 300 "$folder/err" | cat -v)"
	clean "$folder/out"
	clean "$folder/err"
}

# clean FILE: valid UTF-8 without control characters (C0 and C1) except newline and tab.
clean() {
	[ "$(LC_ALL=C tr -d '\n\t\040-\176\200-\377' <"$1" | wc -c)" = 0 ] || complain "a control character"
	! LC_ALL=C grep -aq $'\xc2[\x80-\x9f]' "$1" || complain "a C1 control character"
	iconv -f UTF-8 -t UTF-8 "$1" >/dev/null 2>&1 || complain "not UTF-8"
}

lines() {
	[ "$(wc -l <"$folder/out")" = "$1" ] || complain "$(wc -l <"$folder/out") lines, not $1"
}

run 1 list
lines $((rows + 1))
run 1 list -o wide
lines $((rows + 1))
run 1 list -o tree
run 1 list -v
run 1 list -o json
"$validate" "$schema" <"$folder/out" || complain "not as its schema says"
jq -e --argjson n $rows '.schema == "podpid/v1" and ([.pods[].containers[]] | length) == $n
	and ([.pods[].containers[] | select(.pid)] == []) and .complete == false' "$folder/out" >/dev/null || complain "not the document that was expected"
# Text that JSON can represent is not changed.
jq -e '[.pods[].name] | index("two\nlines\nprod web app") and index("bidi \u202e txt.exe")' "$folder/out" >/dev/null || complain "names were changed"
run 1 list -o jsonl
lines $rows
[ "$(jq -s length "$folder/out")" = $rows ] || complain "not $rows objects"
run 1 list -o yaml
run 1 list -o prom
! LC_ALL=C grep -vaE '^(# (HELP|TYPE) podpid_[a-z_]+ .*|podpid_[a-z_]+(\{([a-z_]+="([^"\\]|\\[\\n"])*",?)*\})? -?[0-9.e+-]+)$' "$folder/out" |
	cut -c 1-200 | grep . || complain "not the text format of metrics"
run 1 list -o pid
lines 0
run 1 pid 'prod/web/app'
lines 0
run 3 preflight
run 3 preflight -o short
run 3 preflight -o json
jq -e '.schema == "podpid.preflight/v1"' "$folder/out" >/dev/null || complain "no preflight document"
run 3 preflight -o prom

# watch ARG...: run podpid watch until it prints something.
watch() {
	local pid
	what="podpid watch $*"

	timeout 60 "$podpid" watch "$@" --proc "$proc" -r "unix://$folder/cri.sock" >"$folder/out" 2>"$folder/err" &
	pid=$!
	for _ in $(seq 600); do
		[ ! -s "$folder/out" ] || break
		sleep 0.05
	done
	sleep 0.2
	kill $pid
	wait $pid
	[ -s "$folder/out" ] || complain "nothing is shown"
	clean "$folder/out"
	clean "$folder/err"
}

watch
watch -o jsonl
head -n 1 "$folder/out" | jq -e '.event == "snapshot"' >/dev/null || complain "no snapshot"
exit $failed
