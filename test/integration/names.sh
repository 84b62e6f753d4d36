#!/usr/bin/env bash
# podpid pid finds containers by name and by id; if it cannot, stdout stays empty.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

id=$(awk '$1 == "prod/web/app" { print $2 }' "$NODE/pods/names")
pid=$(task_pid "$id")

# gives EXPECTED ARG...: podpid pid ARG... prints that and exits with 0.
gives() {
	local expected=$1 out
	shift
	out=$(podpid pid "$@") || fail "pid $*: exit status $?"
	[ "$out" = "$expected" ] || fail "pid $*: '$out', not '$expected'"
}

# refuses WORD ARG...: exit 1, nothing on stdout, a reason with WORD on stderr.
refuses() {
	local word=$1 status=0
	shift
	podpid pid "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
	[ $status -eq 1 ] || fail "pid $*: exit status $status: $(cat "$SCRATCH/err")"
	[ ! -s "$SCRATCH/out" ] || fail "pid $*: on stdout: $(cat "$SCRATCH/out")"
	grep -qi -- "$word" "$SCRATCH/err" || fail "pid $*: no word of '$word': $(cat "$SCRATCH/err")"
}

gives "$pid" prod/web/app
gives "$pid" "$id"
gives "$pid" "${id:0:16}"
gives "$pid" "containerd://$id"
gives "$pid" "containerd://${id:0:16}"
sidecar=$(task_pid "$(awk '$1 == "prod/web/sidecar" { print $2 }' "$NODE/pods/names")")
gives "$pid
$sidecar" prod/web
gives "$sidecar
$pid" prod/web/sidecar prod/web/app

refuses nosuch prod/nosuch/app
refuses nosuch prod/web/nosuch
refuses nosuch prod/web/app prod/nosuch/app
refuses 'ffffffffffff' ffffffffffff0000

one=$(make_pod twin)
two=$(make_pod twin)
make_container "$one" app >/dev/null
make_container "$two" app >/dev/null
refuses ambiguous test/twin/app
refuses ambiguous test/twin
refuses ambiguous test/twin/app prod/web/app
remove_pod "$one"
podpid pid test/twin/app >/dev/null || fail "one twin is left: no longer ambiguous"
created=$(make container --name never --create-only "$two")
refuses created "$created"
refuses never test/twin/never
remove_pod "$two"

# With --partial it prints those that it finds.
out=$(podpid pid --partial prod/web/app ffffffffffff0000 2>/dev/null) && fail "--partial: exit status 0"
grep -q "	$pid\$" <<<"$out" || fail "--partial: $out"
