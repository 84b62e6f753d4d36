#!/usr/bin/env bash
# strace 6.1 (Debian 12): with -ff -o FILE, where do the calls of a program go that a second thread has started by exec?
#
# Guess: on in FILE.TID of that thread, which is the one that called execve and lives on in the new program.
#
# Seen: in the file of the process's first thread, FILE.PID, after the old program's lines. There "superseded by execve
# in pid TID" and "<... execve resumed>" tell of it, without the new program's path. The execve with the path is the
# last line of FILE.TID, which ends with "<pid changed to PID ...>". So what was started stands in one file and what it
# did in another.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install strace=6.1-0.1 libunwind8=1.6.2-3
perl -Mthreads -e 1 || cannot "needs perl with threads"
[ "$(uname -m)" = x86_64 ] || cannot "knows the number of a system call on x86_64 only"
# System call 186 is gettid.
cat >"$DIR/exec.pl" <<'P'
use threads;
$| = 1;
threads->create(sub {
	print "$$ ", syscall(186), "\n";
	select undef, undef, undef, 0.3;
	exec "/bin/echo", "new program";
});
sleep 60;
P
strace -ff -o "$DIR/trace" -e trace=execve,write perl "$DIR/exec.pl" >"$DIR/out" 2>"$DIR/err" ||
	cannot "strace: $(tail -n 1 "$DIR/err")"
read -r pid tid <"$DIR/out"
grep -q 'new program' "$DIR/out" || cannot "the second thread did not exec"
for number in "$pid" "$tid"; do
	echo "== file of $([ "$number" = "$pid" ] && echo first || echo second) thread, $number"
	cut -c1-100 "$DIR/trace.$number"
done
grep -q 'write(1, "new program' "$DIR/trace.$pid" || changed "the new program's write is not in the first thread's file"
! grep -q 'execve("/bin/echo"' "$DIR/trace.$pid" || changed "its execve is in the first thread's file"
! grep -q 'write(1, "new program' "$DIR/trace.$tid" || changed "the new program's write is in the second thread's file"
grep -q "execve(\"/bin/echo\".*<pid changed to $pid" "$DIR/trace.$tid" ||
	changed "the second thread's file does not end with the execve"
