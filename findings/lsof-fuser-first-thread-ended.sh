#!/usr/bin/env bash
# lsof 4.95.0 and fuser 23.6 of psmisc (Debian 12): a process's first thread has ended, another one has a file open.
# Who uses the file?
#
# Guess: the process, by its PID: the threads share one table of open files, and it is there until the last one ends.
#
# Seen: nobody, by either tool, exit status 1; and ps calls the process <defunct>, as if only its parent's wait were
# missing. The tools read /proc/PID/fd, which is empty once the first thread has ended. The file is in
# /proc/PID/task/TID/fd of the thread that runs on, and lsof finds it there if it is asked for threads (-K).
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install lsof=4.95.0-1 psmisc=23.6-1 procps=2:4.0.2-3 libproc2-0=2:4.0.2-3
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
# System call 60 is exit: it ends the calling thread alone, here the first one. 186 is gettid.
cat >"$DIR/first.pl" <<'P'
use threads;
$| = 1;
open F, ">", $ARGV[0] or die "$!";
threads->create(sub {
	print syscall(186), "\n";
	sleep 60;
});
select undef, undef, undef, 3;
syscall 60, 0;
P
perl "$DIR/first.pl" "$DIR/file" >"$DIR/tid" &
pid=$!

# users: what lsof, then what fuser prints for the file.
users() {
	echo "lsof: $(lsof -t "$DIR/file" 2>/dev/null | xargs) fuser: $(fuser "$DIR/file" 2>/dev/null | xargs)"
}
for _ in $(seq 100); do
	[ ! -s "$DIR/tid" ] || break
	sleep 0.05
done
before=$(users)
for _ in $(seq 100); do
	! grep -q '^State:.Z' "/proc/$pid/status" || break
	sleep 0.1
done
after=$(users)
tid=$(cat "$DIR/tid")
threads=$(lsof -w -K -a -p "$pid" "$DIR/file" | awk 'NR > 1 { print $3 }' | xargs)
echo "two threads:          $before"
echo "the first has ended:  $after  lsof -K: thread $threads  ps: $(ps -o stat=,nlwp=,args= -p "$pid" | xargs)"
[ "$before" = "lsof: $pid fuser: $pid" ] || cannot "the file has other users"
[ "$after" = "lsof:  fuser: " ] || changed "expected no user"
[ "$threads" = "$tid" ] || changed "expected thread $tid of lsof -K"
case $(ps -o args= -p "$pid") in
*defunct*) ;;
*) changed "ps does not call the process defunct" ;;
esac
