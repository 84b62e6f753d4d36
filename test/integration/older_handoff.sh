#!/bin/bash
# What becomes of an older handoff file: a target is missing, only another check fails, podpid did not
# write it. A handoff needs the /proc of podpid's own PID namespace; a look at it needs no runtime.
#   test/integration/alone.sh test/integration/older_handoff.sh PODPID
set -u
podpid=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC NODE_NAME
failed=0

complain() {
	printf 'FAILED: %s\n' "$*"
	sed 's/^/  /' "$folder/out" "$folder/err" | head -20
	failed=1
}

# run STATUS PATTERN ARG...: the pattern is on standard output or standard error.
run() {
	local status=$1 pattern=$2 got
	shift 2
	"$podpid" preflight "$@" >"$folder/out" 2>"$folder/err" </dev/null
	got=$?
	[ "$got" = "$status" ] || complain "preflight $*: status $got, not $status"
	grep -q -e "$pattern" "$folder/out" "$folder/err" || complain "preflight $*: no \"$pattern\""
}

file=$folder/before.json
echo '{"schema": "podpid/v1", "pods": []}' >"$file"
run 1 'handoff.written.*before.json: not written: .*; the file from before is removed$' --no-runtime -p none --handoff "$file"
[ ! -e "$file" ] || complain "the file is still there"
run 1 'handoff.written.*; none is there from before$' --no-runtime -p none --handoff "$file"
echo '{"schema": "podpid/v1", "pods": []}' >"$file"
run 3 'handoff.written.*; the file from before stays$' -r "unix://$folder/none.sock" -p none --handoff "$file"
[ -e "$file" ] || complain "the file was removed"

# A file that podpid did not write is not removed.
echo 'precious' >"$file"
run 1 'handoff.written.*before.json: not written: .*; what is there is not a podpid document and stays$' \
	--no-runtime -p none --handoff "$file"
[ "$(cat "$file")" = precious ] || complain "a file that podpid did not write is gone"
exit $failed
