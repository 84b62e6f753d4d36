#!/bin/bash
# Messages and exit statuses of preflight on captures and on the /proc of one, never on this machine.
#   test/program/cli_preflight.sh PODPID MAKE_CAPTURE VALIDATE
set -u
podpid=$1 make_capture=$2 validate=$3
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
demo=$here/fixtures/captures/demo
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE NO_COLOR NODE_NAME
export HOST_PROC=$demo/proc
failed=0

complain() {
	printf 'FAILED: %s\n' "$*"
	sed 's/^/  /' "$folder/out" "$folder/err" | head -20
	failed=1
}

# run STATUS PATTERN ARG...: the pattern is in what it says, on either side.
run() {
	local status=$1 pattern=$2 got
	shift 2
	"$podpid" preflight "$@" >"$folder/out" 2>"$folder/err" </dev/null
	got=$?
	[ "$got" = "$status" ] || complain "preflight $*: status $got, not $status"
	[ -z "$pattern" ] || grep -q -e "$pattern" "$folder/out" "$folder/err" || complain "preflight $*: no \"$pattern\""
}

# valid: standard output is a document of the preflight with all checks.
valid() {
	"$validate" "$here/../resolver/schema/podpid.preflight.v1.json" <"$folder/out" || complain "not as its schema says"
}

for scenario in dead mismatch strays inferred wrong-socket misconfigured-driver failed-status empty-node; do
	"$make_capture" "$here/scenarios/$scenario.txt" "$folder/$scenario" || failed=1
done

# What is seen decides the status; every format tells the same.
run 0 'pass  targets.present   2 target containers' --replay "$demo" -p web
run 0 '"result": "pass"' --replay "$demo" -p web -o json
valid
run 0 '^podpid_preflight_check{check="targets.present",result="pass"} 1$' --replay "$demo" -p web -o prom
run 0 '' --replay "$demo" -p web -o short
[ ! -s "$folder/out" ] || complain "short says something though all is well"
run 1 '^fail targets.present: 0 of 2 target containers are as they must be$' --replay "$folder/dead" -p web -o short
grep -q '^  hint: ' "$folder/out" || complain "short gives no hint for what fails"
run 1 '"result": "fail"' --replay "$folder/dead" -p web -o json
valid
run 0 '^warn pids.verified: ' --replay "$folder/dead" -o short
grep -q 'hint: ' "$folder/out" && complain "short gives a hint for a warning"
run 1 '^fail pids.verified: ' --replay "$folder/dead" -o short --strict
run 0 '^warn pids.verified: ' --replay "$folder/dead" -o short --strict --ignore pids.verified
run 1 '^fail pids.verified: ' --replay "$folder/mismatch" -o short
run 1 '^fail pids.strays: ' --replay "$folder/strays" -o short
run 1 '^fail pods.listed: ' --replay "$folder/wrong-socket" -o short
run 0 '^warn host.cgroup: kubelet and runtime disagree' --replay "$folder/misconfigured-driver" -o short
run 0 '^warn pods.listed: there is no pod' --replay "$folder/empty-node" -o short
run 1 '^fail targets.present: ' --replay "$folder/inferred" -p '*' -o short
run 1 'ready pods, expected at least 1' --replay "$demo" -p none
run 1 'fail  targets.present   1 target is missing$' --replay "$demo" -p none
run 0 'pass  targets.present   1 target container$' --replay "$demo" -n prod -p 'db-*'

# What cannot be looked at still has all its checks.
run 3 '"id": "handoff.written"' -r "unix://$folder/none.sock" -o json
valid
run 3 'runtime.endpoint' -r "unix://$folder/none.sock" -o short
run 3 'host.proc' --proc "$folder" -r "unix://$folder/none.sock" -o short

# Files that are wrong: one line with the place.
printf 'apiVersion: podpid/v1\nkind: PreflightPolicy\nwait: soon\n' >"$folder/bad.yaml"
run 2 'bad.yaml:3:7: expected a duration for wait' -f "$folder/bad.yaml" --replay "$demo"
[ ! -s "$folder/out" ] || complain "something on standard output"
run 2 'nowhere.yaml: cannot be read' -f "$folder/nowhere.yaml" --replay "$demo"

# The policy's levels, and the command line's over them.
printf 'apiVersion: podpid/v1\nkind: PreflightPolicy\nchecks: {pids.verified: fail}\n' >"$folder/fail.yaml"
printf 'apiVersion: podpid/v1\nkind: PreflightPolicy\nchecks: {pids.verified: ignore}\n' >"$folder/ignore.yaml"
run 1 '^fail pids.verified: ' -f "$folder/fail.yaml" --replay "$folder/dead" -o short
run 0 'skip  pids.verified     ignored by the policy: ' -f "$folder/ignore.yaml" --replay "$folder/dead" --strict
run 2 'expected the same pids.verified as in ' -f "$folder/fail.yaml" -f "$folder/ignore.yaml" --replay "$demo"

# A manifest of which no pod is left is not passed over, and --strict fails it.
cat >"$folder/pod.yaml" <<-'MANIFEST'
	apiVersion: v1
	kind: Pod
	metadata: {name: web, namespace: prod}
	spec: {nodeName: node-x, containers: [{name: app}]}
	status: {phase: Running}
MANIFEST
sed 's/Running/Succeeded/' "$folder/pod.yaml" >"$folder/finished.yaml"
printf '{"apiVersion": "v1", "kind": "List", "items": []}' >"$folder/none.json"
run 0 '^warn targets.present: no target is left: 1 pod of other nodes, 0 finished skipped$' \
	--replay "$demo" -f "$folder/pod.yaml" --node-name node-y -o short
run 0 'hint: .*NODE_NAME' --replay "$demo" -f "$folder/pod.yaml" --node-name node-y
run 0 '^warn targets.present: .*: 0 pods of other nodes, 1 finished skipped$' \
	--replay "$demo" -f "$folder/finished.yaml" --node-name node-x -o short
run 0 '^warn targets.present: .*: the manifest holds no pod$' --replay "$demo" -f "$folder/none.json" -o short
run 1 '^fail targets.present: no target is left' --replay "$demo" -f "$folder/pod.yaml" --node-name node-y \
	-o short --strict --ignore targets.present
run 1 'not started' --replay "$demo" -f "$folder/pod.yaml" --node-name node-x -o short
run 0 'pass  targets.present   .*; skipped: 1 pod of other nodes, 0 finished$' \
	--replay "$demo" -f "$folder/pod.yaml" --node-name node-y -p web
run 0 'skip  targets.present   no target was given$' --replay "$demo"

# Misuse.
run 2 'at least one target.*other nodes' -f "$folder/pod.yaml" --node-name node-y --handoff "$folder/pids.json"
run 2 'at least one target.*other nodes' -f "$folder/pod.yaml" --node-name node-y -- true
run 2 'at least one target' --handoff "$folder/pids.json"
run 2 'at least one target' -- true
run 2 'nothing of a capture can be handed over' --replay "$demo" -p web --handoff "$folder/pids.json"
run 2 'nothing of a capture can be handed over' --replay "$demo" -p web -- true
run 2 'is not procfs of podpid' --proc "$demo/proc" -p web -- true
run 2 'stands after --' --replay "$demo" true
run 2 'unexpected argument true' --replay "$demo" true -- false
run 2 'unexpected argument true' --replay "$demo" -n -- true
run 2 'no COMMAND after --' --replay "$demo" --
run 1 '^fail targets.present: ' --replay "$demo" -o short -n --
run 2 'unknown check' --replay "$demo" --ignore runtime.redy
run 2 '--wait' --replay "$demo" --wait soon
run 2 'with a COMMAND only' --replay "$demo" --require-pidfd
[ ! -e "$folder/pids.json" ] || complain "a file was written"
run 0 'COMMAND takes' --help

exit $failed
