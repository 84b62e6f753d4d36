#!/usr/bin/env bash
# runc 1.1.5 (Debian 12): the first thread of a container's init ends, its other threads go on. What is the state?
#
# Guess: "running", with the PID of init, since the process is there until its last thread ends.
#
# Seen: "stopped", PID 0. The kernel shows such a process as a zombie, and runc takes a zombie for ended. "runc delete"
# then forgets the container and exits with status 0, though it could not remove the cgroup; the process runs on in it,
# and no runtime knows of it any more.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install runc=1.1.5+ds1-1+deb12u1
command -v python3 >/dev/null || cannot "needs python3"
perl -Mthreads -e 1 || cannot "needs perl with threads"
[ "$(uname -m)" = x86_64 ] || cannot "knows the number of a system call on x86_64 only"
cgroup=finding.$$
init=
# shellcheck disable=SC2317 # called by the trap
end() {
	runc --root "$DIR/state" delete -f a 2>/dev/null || true
	[ -z "$init" ] || kill -9 "$init" 2>/dev/null || true
	sleep 0.3
	find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
	cleanup
}
trap end EXIT
mkdir -p "$DIR"/bundle/rootfs/{proc,usr,lib,lib64}
# System call 60 is exit: it ends the calling thread alone.
cat >"$DIR/bundle/rootfs/init.pl" <<'P'
use threads;
threads->create(sub { sleep 60 });
select undef, undef, undef, 0.3;
syscall 60, 0;
P
cd "$DIR/bundle"
runc spec
python3 - "$cgroup" <<'P'
import json, sys
c = json.load(open("config.json"))
c["process"].update(args=["/usr/bin/perl", "/init.pl"], terminal=False)
c["process"].pop("rlimits", None)
c["process"].pop("apparmorProfile", None)
c["mounts"] = [m for m in c["mounts"] if m["destination"] == "/proc"]
c["mounts"] += [dict(destination=d, source=d, type="bind", options=["bind", "ro"]) for d in ("/usr", "/lib", "/lib64")]
c["linux"].update(cgroupsPath="/" + sys.argv[1], resources={})
json.dump(c, open("config.json", "w"))
P

# state: what runc says of the container, as "STATUS PID".
state() {
	runc --root "$DIR/state" state a |
		python3 -c 'import json, sys; c = json.load(sys.stdin); print(c["status"], c["pid"])'
}
runc --root "$DIR/state" run -d --pid-file "$DIR/pid" a </dev/null >/dev/null 2>"$DIR/err" ||
	cannot "runc run: $(tail -n 1 "$DIR/err")"
init=$(cat "$DIR/pid")
before=$(state)
for _ in $(seq 100); do
	! grep -q '^State:.Z' "/proc/$init/status" || break
	sleep 0.1
done
after=$(state)
thread=$(find "/proc/$init/task" -mindepth 1 -maxdepth 1 ! -name "$init" -printf '%f\n')
echo "init is PID $init; runc state: first \"$before\", then \"$after\""
[ "$before" = "running $init" ] || changed "the container did not run at first"
[ "$after" = "stopped 0" ] || changed "expected stopped, PID 0"
runc --root "$DIR/state" delete a 2>"$DIR/err" || changed "runc delete fails"
runc --root "$DIR/state" state a >/dev/null 2>&1 && changed "runc still knows the container"
cgroup_now=$(sed -n "s|^[0-9]*:pids:||p; s|^0::||p" "/proc/$init/task/$thread/cgroup" | grep -m 1 "/$cgroup" || true)
echo "runc delete: exit status 0; thread $thread of PID $init, in cgroup $cgroup_now:" \
	"$(grep ^State "/proc/$init/task/$thread/status" | xargs)"
grep -q '^State:.S' "/proc/$init/task/$thread/status" || changed "the thread does not run on"
[ -n "$cgroup_now" ] || changed "the thread is no longer in the container's cgroup"
