#!/usr/bin/env bash
# bubblewrap 0.8.0 (Debian 12): which process is the "child-pid" of --info-fd?
#
# Guess: the command that was asked for. Its PID is what a supervisor wants to signal or to attribute.
#
# Seen: with --unshare-pid it is bubblewrap's own reaper, PID 1 of the new namespace; the command is its child,
# PID 2. A signal sent to child-pid, or the name of that process in /proc, is not the command's. Only with --as-pid-1
# is child-pid the command (once it has been started: before that it is still named bwrap).
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install bubblewrap=0.8.0-2+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1
mkdir -p "$DIR/box/bin" "$DIR/box/proc"
cp "$DIR/root/bin/busybox" "$DIR/box/bin/sleep"

# child_of OPTION...: start sleep so; print what /proc calls child-pid, and its PID in the innermost namespace.
child_of() {
	local pid _

	bwrap --ro-bind "$DIR/box" / --proc /proc --unshare-pid "$@" --info-fd 9 /bin/sleep 60 9>"$DIR/info" &
	for _ in $(seq 100); do
		pid=$(sed -n 's/.*"child-pid": *\([0-9]*\).*/\1/p' "$DIR/info")
		[ -z "$pid" ] || [ "$(pgrep -P "$pid" -c sleep; cat "/proc/$pid/comm")" = $'0\nbwrap' ] || break
		sleep 0.05
	done
	cat "/proc/$pid/comm"
	awk '/^NSpid:/ { print $NF }' "/proc/$pid/status"
	kill -9 "$pid"
	wait
}

plain=$(child_of | xargs)
alone=$(child_of --as-pid-1 | xargs)
echo "child-pid with --unshare-pid:            $plain"
echo "child-pid with --unshare-pid --as-pid-1: $alone"
[ "$plain" = "bwrap 1" ] || changed "expected bwrap, PID 1, of --unshare-pid"
[ "$alone" = "sleep 1" ] || changed "expected sleep, PID 1, of --as-pid-1"
