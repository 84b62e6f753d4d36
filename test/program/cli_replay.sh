#!/bin/bash
# Captures through the program: written, read back by every verb, refused if they are broken. The /proc
# that is recorded is that of the demo capture, never this machine's.
#   test/program/cli_replay.sh PODPID
set -u
podpid=$1
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
demo=$here/fixtures/captures/demo
folder=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$folder"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE NO_COLOR
export HOST_PROC=$folder/proc
cp -r "$demo/proc" "$HOST_PROC"
printf 'PATH=/secret\0' >"$HOST_PROC/6637/environ"
failed=0

# run STATUS PATTERN-OF-STDERR ARG...
run() {
	local status=$1 pattern=$2 got
	shift 2
	"$podpid" "$@" >"$folder/out" 2>"$folder/err" </dev/null
	got=$?
	[ "$got" = "$status" ] && { [ -z "$pattern" ] || grep -q -e "$pattern" "$folder/err"; } && return
	printf 'FAILED: podpid %s: status %s, not %s, or standard error has no "%s":\n' "$*" "$got" "$status" "$pattern"
	sed 's/^/  /' "$folder/err" | head -5
	failed=1
}

# One capture, one report, but for how long it took.
for i in 1 2; do
	"$podpid" list -a -o json --replay "$demo" | grep -v '"took_ms"' >"$folder/$i"
done
cmp "$folder/1" "$folder/2" || failed=1
[ "$(wc -l <"$folder/1")" -gt 100 ] || { echo "FAILED: no report on $demo"; failed=1; }

# A broken one: every verb names the file.
broken=$folder/broken
cp -r "$demo" "$broken"
echo '{' >"$broken/runtime.json"
for verb in "list" "pid prod/web" "whois 1" "preflight -p web"; do
	# shellcheck disable=SC2086
	run 2 "broken/runtime.json:" $verb --replay "$broken"
	[ ! -s "$folder/out" ] || { echo "FAILED: $verb: something on standard output"; failed=1; }
	# shellcheck disable=SC2086
	run 2 "nowhere" $verb --replay "$folder/nowhere"
done

# Written without a runtime and read back; not over an older one; not of a capture.
mine=$folder/mine
run 0 '' capture --no-runtime "$mine"
[ "$(stat -c %a "$mine" "$mine/proc" "$mine/runtime.json" | tr '\n' ' ')" = "700 700 600 " ] ||
	{ echo "FAILED: modes of a capture"; failed=1; }
[ -d "$mine/proc/6637" ] || { echo "FAILED: process 6637 is not in the capture"; failed=1; }
! grep -rql PATH= "$mine" || { echo "FAILED: an environment in a capture"; failed=1; }
run 0 '' list -a --replay "$mine"
grep -q 'ae0381e30198 *6637? inferred' "$folder/out" || { echo "FAILED: list of it: $(cat "$folder/out")"; failed=1; }
run 0 '' whois 6637 --replay "$mine"
run 1 'not empty' capture --no-runtime "$mine"
run 2 '--replay' capture --replay "$demo" "$folder/again"

# A file that may grow no larger: a write that failed, not a death in the middle of it.
said=$(
	ulimit -f 0
	"$podpid" capture --no-runtime "$folder/small" 2>&1
	echo "status $?"
)
case $said in
*'File too large'*'status 1') ;;
*) echo "FAILED: a file limit: $said" && failed=1 ;;
esac
[ ! -e "$folder/small" ] || { echo 'FAILED: half a capture is left'; failed=1; }

# Strays are the whole node's.
"$podpid" list -o prom --replay "$demo" | grep -q '^podpid_strays ' || { echo 'FAILED: no strays'; failed=1; }
! "$podpid" list -n prod -o prom --replay "$demo" | grep podpid_strays || failed=1

# A /proc that was never mounted.
mkdir "$folder/empty"
run 3 'shows no process' list --no-runtime --proc "$folder/empty"

# Why a write failed.
"$podpid" list -o json --replay "$demo" 2>"$folder/err" >/dev/full && failed=1
grep -q 'No space left' "$folder/err" || { echo 'FAILED: no reason'; cat "$folder/err"; failed=1; }

# Labels without values answer no selector.
sed 's/\("app": \)"[^"]*"/\1null/' "$demo/runtime.json" >"$folder/runtime.json"
cp -r "$demo" "$folder/unlabelled"
mv "$folder/runtime.json" "$folder/unlabelled/runtime.json"
run 2 '--with-labels' list -l app=web --replay "$folder/unlabelled"
run 2 '--with-labels' preflight -l app=web --replay "$folder/unlabelled"
run 0 '' list -l app=web --replay "$demo"

# conmon's name for a container of containerd's is somebody's choice; of CRI-O's it may be conmon.
cp -r "$demo" "$folder/conmon"
id=$("$podpid" whois -o json 6637 --replay "$demo" | grep -oE '"container_id": *"[0-9a-f]{64}"' | grep -oE '[0-9a-f]{64}')
echo "0::/crio-conmon-$id.scope" >"$folder/conmon/proc/540/cgroup"
run 0 '' whois -o json 540 --replay "$folder/conmon"
! grep -q "$id" "$folder/out" || { echo "FAILED: a forged conmon: $(cat "$folder/out")"; failed=1; }
sed 's/"name": *"containerd"/"name": "cri-o"/' "$demo/runtime.json" >"$folder/conmon/runtime.json"
run 0 '' whois -o json 540 --replay "$folder/conmon"
grep -q "helper.*$id" "$folder/out" || { echo "FAILED: conmon: $(cat "$folder/out")"; failed=1; }

exit $failed
