#!/bin/bash
# The watch as a program, with a scripted runtime: what it prints, what it tells the service manager, how
# it ends and what it leaves behind. A handoff file needs the /proc of podpid's own PID namespace.
#   test/integration/alone.sh test/integration/cli_watch.sh PODPID FAKE_CRI VALIDATE NOTIFIED WITHOUT
set -u
podpid=$1 fake_cri=$2 validate=$3 notified=$4 without=$5
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
folder=$(mktemp -d)
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC NOTIFY_SOCKET WATCHDOG_USEC
failed=0 watch='' server='' listener=''
endpoint=unix://$folder/cri.sock

# shellcheck disable=SC2317 # called by the trap
finish() {
	local pid

	for pid in $watch $server $listener; do
		kill -KILL "$pid" 2>/dev/null
	done
	rm -rf "$folder"
}
trap finish EXIT

complain() {
	printf 'FAILED: %s\n' "$*"
	sed 's/^/  /' "$folder/out" "$folder/err" | cut -c 1-300 | head -20
	failed=1
}

# eventually COMMAND...: within ten seconds.
eventually() {
	local end=$((SECONDS + 10))

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

serve() {
	"$fake_cri" "$folder/cri.sock" "$here/fixtures/runtimes/containerd-1.6.20/script.json" >/dev/null &
	server=$!
	eventually test -S "$folder/cri.sock" || complain 'the scripted runtime does not listen'
}

start() {
	: >"$folder/out"
	: >"$folder/err"
	"$podpid" watch -r "$endpoint" "$@" >"$folder/out" 2>"$folder/err" </dev/null &
	watch=$!
}

# ends STATUS: the watch, by itself or by a signal.
ends() {
	local got

	wait "$watch"
	got=$?
	watch=''
	[ "$got" = "$1" ] || complain "status $got, not $1"
}

# usage PATTERN ARG...
usage() {
	local pattern=$1 got
	shift
	timeout 10 "$podpid" watch "$@" >"$folder/out" 2>"$folder/err"
	got=$?
	[ $got = 2 ] || complain "watch $*: status $got, not 2"
	grep -q -e "$pattern" "$folder/err" || complain "watch $*: no \"$pattern\""
}

usage 'takes no argument' x
usage 'at least one target' -r "$endpoint" --handoff "$folder/pids.json"
usage 'a capture does not change' --replay "$here/fixtures/captures/demo"
usage 'a capture' --replay "$here/fixtures/captures/demo" -p '*' --handoff "$folder/pids.json"

# The first look fails: 3, and nothing is left.
timeout 10 "$podpid" watch -r "$endpoint" -p '*' --handoff "$folder/pids.json" >"$folder/out" 2>"$folder/err"
[ $? = 3 ] || complain 'no runtime: not 3'
[ ! -e "$folder/pids.json" ] || complain 'no look, but a file'
[ ! -s "$folder/out" ] || complain 'no look, but output'

# Events, the handoff file, messages to the service manager; then SIGTERM, which removes the file.
serve
"$notified" "$folder/notify" >"$folder/notified" &
listener=$!
eventually test -S "$folder/notify"
export NOTIFY_SOCKET=$folder/notify WATCHDOG_USEC=200000
start -p '*' -o jsonl --handoff "$folder/pids.json"
eventually grep -q '"event": "snapshot"' "$folder/out" || complain 'no snapshot'
eventually test -s "$folder/pids.json" || complain 'no handoff file'
"$validate" "$here/../resolver/schema/podpid.v1.json" <"$folder/pids.json" || complain 'handoff: not of its schema'
grep -q '"complete": false' "$folder/pids.json" || complain 'handoff: containers of another machine are complete'
eventually grep -q 'READY=1' "$folder/notified" || complain 'no READY'
eventually grep -q 'WATCHDOG=1' "$folder/notified" || complain 'no WATCHDOG'
grep -q 'STATUS=0 of [0-9]* running containers verified' "$folder/notified" || complain 'no STATUS'
kill -KILL "$server"
wait "$server" 2>/dev/null
rm "$folder/cri.sock"
kill -HUP "$watch"
eventually grep -q '"event": "runtime", "stale": true' "$folder/out" || complain 'no event when the runtime goes away'
serve
eventually grep -q '"event": "runtime", "stale": false' "$folder/out" || complain 'no event when the runtime is back'
"$validate" --lines "$here/../resolver/schema/podpid.event.v1.json" <"$folder/out" || complain 'events: not of their schema'
kill -TERM "$watch"
ends 143
eventually grep -q 'STOPPING=1' "$folder/notified" || complain 'no STOPPING'
[ ! -e "$folder/pids.json" ] || complain 'the handoff file outlives the watch'
unset NOTIFY_SOCKET WATCHDOG_USEC

start -p '*' --handoff "$folder/pids.json" --keep
eventually test -s "$folder/pids.json" || complain 'no handoff file'
eventually grep -q ' snapshot ' "$folder/out" || complain 'no lines'
kill -INT "$watch"
kill -TERM "$watch"
wait "$watch"
watch=''
[ -s "$folder/pids.json" ] || complain '--keep does not keep the file'
rm -f "$folder/pids.json"

# A file that podpid did not write: the watch ends, says so once, and leaves it, also at the end.
for keep in '' --keep; do
	echo precious >"$folder/pids.json"
	# shellcheck disable=SC2086 # nothing, or an option
	timeout 10 "$podpid" watch -r "$endpoint" -p '*' --handoff "$folder/pids.json" $keep >"$folder/out" 2>"$folder/err"
	[ $? = 1 ] || complain 'a foreign file: not 1'
	[ "$(grep -c 'pids.json: the file there is not a podpid document' "$folder/err")" = 1 ] || complain 'a foreign file: not said once'
	[ "$(cat "$folder/pids.json")" = precious ] || complain 'a foreign file is gone'
done
rm "$folder/pids.json"

# A lost source is reported once, however often podpid looks, and is among the warnings that it writes;
# with -q it is only there.
for quiet in '' -q; do
	: >"$folder/out"
	# shellcheck disable=SC2086 # nothing, or an option
	"$without" inotify "$podpid" watch -r "$endpoint" $quiet -p '*' -o jsonl --handoff "$folder/pids.json" \
		>"$folder/out" 2>"$folder/err" </dev/null &
	watch=$!
	eventually grep -q '"event": "snapshot".*max_user_instances' "$folder/out" || complain 'the snapshot does not say what is lost'
	grep -q max_user_instances "$folder/pids.json" || complain 'the file does not say what is lost'
	for ((i = 0; i < 3; i++)); do
		kill -HUP "$watch"
		sleep 0.1
	done
	kill -TERM "$watch"
	ends 143
	[ "$(grep -c 'warning: inotify cannot be had.* every 30 s; raise fs.inotify.max_user_instances' "$folder/err")" = \
		"$([ "$quiet" ] && echo 0 || echo 1)" ] || complain "the lost source is not reported ${quiet:+quietly}${quiet:-once}"
done

# The reader goes away while there is nothing to print: the file is removed, and SIGPIPE ends the watch.
mkfifo "$folder/pipe"
: >"$folder/err"
"$podpid" watch -r "$endpoint" -p '*' -o jsonl --handoff "$folder/pids.json" >"$folder/pipe" 2>"$folder/err" &
watch=$!
head -n 1 "$folder/pipe" >"$folder/out"
gone() {
	! kill -0 "$watch" 2>/dev/null
}
eventually gone || complain 'the reader is gone, and the watch goes on'
gone || kill -KILL "$watch"
ends 141
[ ! -e "$folder/pids.json" ] || complain 'the reader is gone, and the handoff file stays'

# The reader does not read: the signal ends the watch all the same, and the file is removed.
rm -f "$folder/pids.json"
exec 9<>"$folder/pipe"
head -c 65536 /dev/zero >&9
"$podpid" watch -r "$endpoint" -p '*' -o jsonl --handoff "$folder/pids.json" >"$folder/pipe" 2>"$folder/err" 9>&- &
watch=$!
eventually test -s "$folder/pids.json" || complain 'no handoff file'
sleep 0.2 # until it waits for the reader
kill -TERM "$watch"
eventually gone || complain 'SIGTERM does not end it while nobody reads'
gone || kill -KILL "$watch"
ends 143
[ ! -e "$folder/pids.json" ] || complain 'the watch has ended, and the handoff file stays'
exec 9>&-
kill -KILL "$server"
wait "$server" 2>/dev/null
server=''

exit $failed
