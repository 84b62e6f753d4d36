#!/usr/bin/env bash
# unshare of util-linux 2.38.1 (Debian 12): what does SIGTERM do to "unshare --fork --pid COMMAND"?
#
# Guess: it ends unshare, and the command may stay behind, or it is passed on to the command and both end.
#
# Seen: neither. While the command runs, unshare does not react to SIGTERM or SIGINT and passes nothing on: "kill PID"
# of the process that was started succeeds, and both run on. SIGKILL ends unshare, but the command, a child with
# another PID, stays behind unless --kill-child was given. A supervisor that sends SIGTERM to its child ends nothing.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install util-linux=2.38.1-5+deb12u3
pid=
child=
# shellcheck disable=SC2317 # called by the trap
end() {
	[ -z "$child" ] || kill -9 "$child" 2>/dev/null || true
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
	wait
	cleanup
}
trap end EXIT

# start OPTION...: unshare with these, and sleep as its command; sets pid and child.
start() {
	# A shell's background commands ignore SIGINT: undone by env.
	env --default-signal=INT unshare --fork --pid "$@" sleep 60 &
	pid=$!
	child=
	for _ in $(seq 100); do
		child=$(pgrep -P "$pid" -x sleep || true)
		[ -z "$child" ] || return 0
		sleep 0.05
	done
	cannot "unshare starts nothing"
}

# alive: which of the two processes run half a second later.
alive() {
	sleep 0.5
	for process in "unshare $pid" "command $child"; do
		! grep -qs '^State:.[SRD]' "/proc/${process#* }/status" || echo "${process% *}"
	done | xargs
}
start
kill -TERM "$pid"
term=$(alive)
kill -INT "$pid"
int=$(alive)
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
killed=$(alive)
kill -9 "$child"
start --kill-child
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
with_option=$(alive)
printf '%-34s %s\n' "after SIGTERM to unshare, alive:" "$term" "after SIGINT:" "$int" "after SIGKILL:" "$killed" \
	"after SIGKILL, with --kill-child:" "$with_option"
[ "$term" = "unshare command" ] || changed "expected both alive after SIGTERM"
[ "$int" = "unshare command" ] || changed "expected both alive after SIGINT"
[ "$killed" = command ] || changed "expected the command alone alive after SIGKILL"
[ -z "$with_option" ] || changed "expected none alive after SIGKILL with --kill-child"
