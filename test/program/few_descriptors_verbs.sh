#!/bin/bash
# Each verb that looks at a node, at each limit of open files from 8 on: it either prints what it prints
# without a limit, with the same exit status, or it exits 2 or 3 and one line says why. capture is in
# few_descriptors.sh.
#   test/program/few_descriptors_verbs.sh PODPID FAKE-CRI [live]
# live: with the /proc of this PID namespace, in place of a folder of files; the containers are processes of
# this script.
set -u
podpid=$1 fake_cri=$2 live=${3:-}
demo=$(dirname "$(readlink -f "$0")")/../fixtures/captures/demo
folder=$(mktemp -d)
failed=0
mains=()
command -v jq >/dev/null || {
	echo "skipped: jq is missing"
	exit 77
}
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC NOTIFY_SOCKET WATCHDOG_USEC
export LC_ALL=C.UTF-8

jq -f "${0%/*}/capture_script.jq" "$demo/runtime.json" >"$folder/script.json" || exit 1
pids=(6637 7058)
proc=$folder/proc
if [ -n "$live" ]; then
	proc=/proc
	for pid in "${pids[@]}"; do
		sleep 600 &
		mains+=($!)
		sed -i "s/\\<$pid\\>/$!/g" "$folder/script.json"
	done
	pids=("${mains[@]}")
else
	mkdir "$proc" && cp -r "$demo"/proc/{stat,1,6568,6637,7011,7058} "$proc/" || exit 1
fi

mkfifo "$folder/ready"
"$fake_cri" "$folder/cri.sock" "$folder/script.json" >"$folder/ready" &
server=$!
trap 'kill $server "${mains[@]}"; wait 2>/dev/null; rm -rf "$folder"' EXIT
read -r _ <"$folder/ready" || exit 1

complain() {
	printf 'FAILED: %s: %s\n' "$what" "$*"
	failed=1
}

# Standard output without the times, which differ between two looks at the same node.
timeless() {
	sed -E -e '/"(taken_at|took_ms)"/d' -e 's/^[0-9:.]+ //' "$1"
}

# limited N ARG...: podpid with that limit of descriptors. Standard output and error go to $folder/out.N and
# err.N: opened first, for that takes descriptors.
limited() {
	local n=$1 verb=$2
	shift 2
	(exec >"$folder/out.$n" 2>"$folder/err.$n" </dev/null
		[ "$n" = none ] || ulimit -n "$n"
		if [ "$verb" = watch ]; then
			exec timeout -s TERM 4 "$podpid" watch --proc "$proc" -r "unix://$folder/cri.sock" "$@"
		fi
		exec "$podpid" "$verb" --proc "$proc" -r "unix://$folder/cri.sock" "$@")
}

# judge N STATUS: 0: the answer is that without a limit; 1: the verb failed.
judge() {
	local n=$1 status=$2 lines

	if [ "$status" = "$whole" ] && diff <(timeless "$folder/out.none") <(timeless "$folder/out.$n") >"$folder/diff"; then
		return 0
	fi
	[ "$status" = 2 ] || [ "$status" = 3 ] || complain "exit status $status, and not the whole answer: $(head -5 "$folder/diff")"
	mapfile -t lines < <(grep -v 'hint:' "$folder/err.$n")
	# A preflight says it in its report.
	[ ${#lines[@]} = 1 ] || grep -qE 'Too many open files' "$folder/out.$n" || complain "not one line: ${lines[*]}"
	grep -qE 'Too many open files|descriptor|shared librar|shared object' "$folder/err.$n" "$folder/out.$n" ||
		complain "no word of descriptors: ${lines[*]}"
	return 1
}

# each_limit ARG...: one verb, until four limits in a row have been enough.
each_limit() {
	local n status in_a_row=0 failures=0

	what="podpid $*"
	limited none "$@"
	whole=$?
	[ -s "$folder/out.none" ] || complain "no answer without a limit: $(cat "$folder/err.none")"
	for ((n = 8; n <= 60 && in_a_row < 4; n++)); do
		what="ulimit -n $n; podpid $*"
		limited "$n" "$@"
		status=$?
		if judge "$n" "$status"; then
			in_a_row=$((in_a_row + 1))
		else
			in_a_row=0 failures=$((failures + 1))
		fi
	done
	[ $failures -gt 2 ] || complain "only $failures limits are too low"
	[ $in_a_row -gt 0 ] || complain "no limit up to 60 is enough"
}

# The same for a verb that does not end: all limits at once.
all_limits() {
	local n failures=0 wholes=0
	local -A started

	what="podpid $*"
	limited none "$@"
	whole=$?
	[ -s "$folder/out.none" ] || complain "no answer without a limit: $(cat "$folder/err.none")"
	for ((n = 8; n <= 40; n += 2)); do
		limited "$n" "$@" &
		started[$n]=$!
	done
	for n in "${!started[@]}"; do
		what="ulimit -n $n; podpid $*"
		wait "${started[$n]}"
		if judge "$n" $?; then
			wholes=$((wholes + 1))
		else
			failures=$((failures + 1))
		fi
	done
	[ $failures -gt 1 ] || complain "only $failures limits are too low"
	[ $wholes -gt 1 ] || complain "no limit up to 40 is enough"
}

each_limit list -a -o json
each_limit pid --partial prod/web/app prod/db-0
each_limit whois -o json "${pids[@]}"
each_limit preflight -o json
all_limits watch
exit $failed
