#!/usr/bin/env bash
# hack/systemd/podpid-textfile: the file is replaced whole, also if the preflight fails, and promtool
# accepts it. Skipped without promtool.
#   test/program/test_textfile.sh PODPID
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TEXTFILE=$HERE/../hack/systemd/podpid-textfile
PODPID=$1
export PODPID
export HOST_PROC=$HERE/fixtures/captures/demo/proc # never this machine's

dir=$(mktemp -d /tmp/podpid-test.XXXXXX)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

# There is no runtime: status 3 is a result.
"$TEXTFILE" "$dir" -r "unix://$dir/none.sock" -p '*' || fail "a failing preflight ends the script with a failure"
[ "$(ls -A "$dir")" = podpid.prom ] || fail "left behind: $(ls -A "$dir")"
[ "$(stat -c %a "$dir/podpid.prom")" = 644 ] || fail "mode"
grep -qx 'podpid_preflight_check{check="runtime.endpoint",result="fail"} 1' "$dir/podpid.prom" || fail "no failed check"
grep -qx 'podpid_preflight_exit_status 3' "$dir/podpid.prom" || fail "no exit status"

# Misuse leaves the old file.
before=$(cat "$dir/podpid.prom")
! "$TEXTFILE" "$dir" --no-such-option 2>/dev/null || fail "misuse is accepted"
[ "$(cat "$dir/podpid.prom")" = "$before" ] || fail "the old file is gone"
[ "$(ls -A "$dir")" = podpid.prom ] || fail "left behind: $(ls -A "$dir")"

command -v promtool >/dev/null || {
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || { echo "FAILED: promtool is missing"; exit 1; }
	echo "skipped: promtool is missing (package prometheus)"
	exit 77
}
promtool check metrics <"$dir/podpid.prom" || fail "promtool check metrics"
# Of a node that could be looked at, too.
"$TEXTFILE" "$dir" --no-runtime || fail "without a runtime"
grep -q '^podpid_containers{verdict="verified"} ' "$dir/podpid.prom" || fail "no containers by verdict"
promtool check metrics <"$dir/podpid.prom" || fail "promtool check metrics"
