#!/usr/bin/env bash
# pidstat 12.6.1 of sysstat (Debian 12): whose CPU time does "pidstat -p" print for the ID of a thread?
#
# Guess: the thread's own; or nothing, since "ps -p" and "lsof -p" do not take it for a process.
#
# Seen: a line in which the ID stands as a PID, with the CPU time of the whole process: a thread that does nothing seems
# as busy as the one that works. (/proc/TID, which is not listed but can be opened, tells of the process.) So an ID in
# such a line need not be that of a process, and the sum over the lines may count a process more than once.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install sysstat=12.6.1-1
perl -Mthreads -e 1 || cannot "needs perl with threads"
[ "$(uname -m)" = x86_64 ] || cannot "knows the number of a system call on x86_64 only"
pid=
# shellcheck disable=SC2317 # called by the trap
end() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	wait
	cleanup
}
trap end EXIT
# System call 186 is gettid. The second thread sleeps, the first one works.
cat >"$DIR/two.pl" <<'P'
use threads;
$| = 1;
threads->create(sub {
	print syscall(186), "\n";
	sleep 60;
});
for (1 .. 600) {
	my $sum = 0;
	$sum += $_ for 1 .. 200000;
	select undef, undef, undef, 0.05;
}
P
perl "$DIR/two.pl" >"$DIR/tid" &
pid=$!
sleep 1.5
tid=$(cat "$DIR/tid")
LC_ALL=C pidstat -p "$pid,$tid" 2 1 >"$DIR/asked"
LC_ALL=C pidstat -t -p "$pid" 2 1 >"$DIR/threads"
# The columns of -p: Average: UID PID, then five of CPU use, the last of which is %CPU. Of -t: UID TGID TID and these.
process=$(awk -v id="$pid" '$1 == "Average:" && $3 == id { print $8 }' "$DIR/asked")
asked=$(awk -v id="$tid" '$1 == "Average:" && $3 == id { print $8 }' "$DIR/asked")
own=$(awk -v id="$tid" '$1 == "Average:" && $4 == id { print $9 }' "$DIR/threads")
echo "%CPU of process $pid: $process; of its idle thread $tid by pidstat -t: $own; by pidstat -p $tid: $asked"
[ "$own" = 0.00 ] || cannot "the second thread is not idle"
[ "${process%.*}" -gt 0 ] || cannot "the first thread does not get to work"
[ -n "$asked" ] || changed "expected a line for the thread's ID"
# The two are read one after the other, so they may be a tick apart.
awk -v a="$asked" -v p="$process" 'BEGIN { exit !(a > p / 2) }' ||
	changed "expected the whole process's CPU time for the thread's ID"
