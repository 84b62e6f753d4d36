#!/usr/bin/env bash
# bpftrace 0.17.0 (Debian 12): does "-p PID" keep a tracepoint's events to that process?
#
# Guess: yes, as -p of strace or perf: the program sees the events of PID alone.
#
# Seen: no. A tracepoint fires for every process, as if -p were not given: -p chooses the process for probes that are
# set in a program (uprobe, usdt) and ends bpftrace when PID ends. Without a test of the built-in variable pid,
# whatever is counted is the whole machine's.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install bpftrace=0.17.0-1 libbpf1=1:1.1.2-0+deb12u1 libbpfcc=0.26.0+ds-1 libclang1-14=1:14.0.6-12 libllvm14=1:14.0.6-12
bpftrace --version >/dev/null 2>&1 || cannot "bpftrace does not start: a library is missing"
[ "$(uname -m)" = x86_64 ] || cannot "knows the number of a system call on x86_64 only"
# with_debugfs COMMAND...: run it where debugfs is mounted, in a mount namespace of its own if need be.
with_debugfs() {
	# shellcheck disable=SC2016 # expanded by sh
	unshare --mount sh -c 'mountpoint -q "$0" || mount -t debugfs debugfs "$0" && exec "$@"' /sys/kernel/debug "$@"
}
# System call 102 is getuid. The process that is given to -p never calls it; another one does, 5 times a second.
sleep 60 &
given=$!
perl -e 'for (1 .. 150) { syscall 102; select undef, undef, undef, 0.2 }' &
other=$!
# shellcheck disable=SC2317 # called by the trap
end() {
	kill "$given" "$other" 2>/dev/null || true
	wait
	cleanup
}
trap end EXIT
with_debugfs timeout 60 bpftrace -q -p "$given" -e "
	BEGIN { @given = 0; @other = 0; }
	tracepoint:syscalls:sys_enter_getuid /pid == $given/ { @given++; }
	tracepoint:syscalls:sys_enter_getuid /pid == $other/ { @other++; }
	interval:s:3 { exit(); }" >"$DIR/out" 2>"$DIR/err" || cannot "bpftrace: $(tail -n 1 "$DIR/err")"
of_given=$(sed -n 's/^@given: //p' "$DIR/out")
of_other=$(sed -n 's/^@other: //p' "$DIR/out")
echo "events of the process given with -p: $of_given; of another process: $of_other"
[ "$of_given" = 0 ] || cannot "sleep called getuid"
[ "${of_other:-0}" -gt 0 ] || changed "expected events of the other process"
