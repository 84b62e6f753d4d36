#!/bin/bash
# A capture at each limit of open files from 5 on: it is either whole, the same as without a limit, or
# podpid exits 3, prints one line that says why, and leaves no folder behind.
#   test/program/few_descriptors.sh PODPID FAKE-CRI
set -u
podpid=$1 fake_cri=$2
demo=$(dirname "$(readlink -f "$0")")/../fixtures/captures/demo
folder=$(mktemp -d)
failed=0
command -v jq >/dev/null || {
	echo "skipped: jq is missing"
	exit 77
}
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC
export LC_ALL=C.UTF-8

# The runtime of the demo capture, for the fake one.
jq -f "${0%/*}/capture_script.jq" "$demo/runtime.json" >"$folder/script.json" || exit 1
# A few processes are enough: two containers and their sandboxes.
mkdir "$folder/proc" && cp -r "$demo"/proc/{stat,1,6568,6637,7011,7058} "$folder/proc/" || exit 1
# A process whose leader has exited while a thread of it lives: its files lie deepest.
mkdir -p "$folder/proc/90000/task/90001"
numbers='1 90000 90000 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 2 0 5000 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0'
echo "90000 (leader) Z $numbers" >"$folder/proc/90000/stat"
echo "90001 (thread) S $numbers" >"$folder/proc/90000/task/90001/stat"
echo '0::/system.slice/x.service' | tee "$folder/proc/90000/cgroup" >"$folder/proc/90000/task/90001/cgroup"
printf 'Name:\tleader\nState:\tZ (zombie)\nTgid:\t90000\nPid:\t90000\nPPid:\t1\nNSpid:\t90000\nThreads:\t2\n' >"$folder/proc/90000/status"

mkfifo "$folder/ready"
"$fake_cri" "$folder/cri.sock" "$folder/script.json" >"$folder/ready" &
server=$!
trap 'kill $server; wait $server 2>/dev/null; rm -rf "$folder"' EXIT
read -r _ <"$folder/ready" || exit 1

complain() {
	printf 'FAILED: %s: %s\n' "$what" "$*"
	failed=1
}

# each_limit LAST ARG...: a look with these arguments at each limit from 5 to LAST, or until some in a row were
# enough. It starts few programs, for it makes many rounds.
each_limit() {
	local last=$1 status n wholes=0 in_a_row=0 failures=0 lines
	shift
	what="podpid capture $*"
	rm -rf "$folder/whole" "$folder"/some.*
	"$podpid" capture --proc "$folder/proc" "$@" "$folder/whole" || {
		complain "fails without a limit"
		return
	}
	[ -e "$folder/whole/proc/90000/task/90001/cgroup" ] || complain "the thread is missing"
	for ((n = 5; n <= last; n++)); do
		what="ulimit -n $n; podpid capture $*"
		# Redirected first: the shell needs descriptors for that itself.
		(exec 2>"$folder/err"; ulimit -n "$n" && exec "$podpid" capture --proc "$folder/proc" "$@" "$folder/some.$n")
		status=$?
		if [ $status = 0 ]; then
			wholes=$((wholes + 1))
			# Only the times of the looks differ.
			diff -r -I '"taken_at"' "$folder/whole" "$folder/some.$n" || complain "not the whole capture"
			[ $((++in_a_row)) -lt 8 ] || break
			continue
		fi
		failures=$((failures + 1)) in_a_row=0
		[ $status = 3 ] || complain "exit status $status"
		mapfile -t lines <"$folder/err"
		[ ${#lines[@]} = 1 ] || [[ ${#lines[@]} = 2 && ${lines[1]} = *hint:* ]] || complain "not one line: ${lines[*]}"
		[ ! -e "$folder/some.$n" ] || complain "a folder is left behind"
	done
	[ $failures -gt 5 ] || complain "only $failures limits are too low"
	[ $wholes -gt 0 ] || complain "no limit up to $last is enough"
}

each_limit 100 -r "unix://$folder/cri.sock"
each_limit 25 --no-runtime
exit $failed
