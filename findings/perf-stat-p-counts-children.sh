#!/usr/bin/env bash
# perf 6.1 (Debian 12): whose events does "perf stat -p PID" count?
#
# Guess: those of the process PID with all its threads, and of no other process.
#
# Seen: children that PID makes after perf has attached are counted too, and their events are added to the parent's
# number; children that were there before are not. Of two like workers, the one that was started again counts
# and the other does not, and nothing in the output tells that more than one process is in the number.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install linux-perf=6.1.192-2 libtraceevent1=1:1.7.1-1
perf version >/dev/null 2>&1 || cannot "perf does not start: a library is missing"
[ "$(uname -m)" = x86_64 ] || cannot "knows the number of a system call on x86_64 only"
# shellcheck disable=SC2317 # called by the trap
end() {
	touch "$DIR/go"
	wait
	cleanup
}
trap end EXIT
# with_tracefs COMMAND...: run it where tracefs is mounted, in a mount namespace of its own if need be.
with_tracefs() {
	# shellcheck disable=SC2016 # expanded by sh
	unshare --mount sh -c 'mountpoint -q "$0" || mount -t tracefs tracefs "$0" && exec "$@"' /sys/kernel/tracing "$@"
}
# System call 39 is getpid. The parent calls it 10 times, the child from before 100 times, the new child 1000 times.
cat >"$DIR/parent.pl" <<'P'
my $old = fork;
if (!$old) {
	select undef, undef, undef, 0.1 until -e $ARGV[0];
	syscall 39 for 1 .. 100;
	exit;
}
select undef, undef, undef, 0.1 until -e $ARGV[0];
syscall 39 for 1 .. 10;
my $new = fork;
if (!$new) {
	syscall 39 for 1 .. 1000;
	exit;
}
waitpid $_, 0 for $old, $new;
P
perl "$DIR/parent.pl" "$DIR/go" &
pid=$!
sleep 0.3
# The shell command runs once the counters are set up; it ends when the parent has ended.
# shellcheck disable=SC2016 # expanded by sh
with_tracefs perf stat -x, -o "$DIR/out" -e syscalls:sys_enter_getpid -p "$pid" -- \
	sh -c 'touch "$1"; while [ -d "/proc/$2" ] && ! grep -q "^State:.Z" "/proc/$2/status"; do sleep 0.1; done' \
	sh "$DIR/go" "$pid" || cannot "perf stat: $(tail -n 1 "$DIR/out")"
count=$(sed -n 's/,.*getpid.*//p' "$DIR/out")
echo "getpid: 10 by the process, 100 by its child from before, 1000 by a child made later; perf stat -p counts $count"
[ "$count" = 1010 ] || changed "expected 10 + 1000"
