#!/usr/bin/env bash
# containerd 1.6.20 and its ctr (Debian 12): which PID has a task that has ended?
#
# Guess: 0, as in "runc state" and "docker inspect", or the task is gone from the list.
#
# Seen: "ctr task ls" goes on to print the PID that init had, beside STOPPED, until somebody deletes the task. Another
# process may have got the number by then. So the PID column means nothing where the status is STOPPED.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install containerd=1.6.20~ds1-1+deb12u3 runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1
cgroup=finding.$$
daemon=
# containerd gets a /run of its own, where ctr, too, has to be.
ctr() {
	nsenter --mount --target "$daemon" timeout 30 ctr --address "$DIR/sock" "$@"
}
# shellcheck disable=SC2317 # called by the trap
end() {
	if [ -n "$daemon" ]; then
		ctr task delete --force a >/dev/null 2>&1 || true
		ctr container delete a >/dev/null 2>&1 || true
		kill "$daemon" || true
	fi
	wait
	find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
	cleanup
}
trap end EXIT
mkdir -p "$DIR/rootfs/bin"
cp "$DIR/root/bin/busybox" "$DIR/rootfs/bin/sleep"
cat >"$DIR/config.toml" <<C
version = 2
root = "$DIR/lib"
state = "$DIR/run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
address = "$DIR/sock"
C
# shellcheck disable=SC2016 # expanded by sh
unshare --mount sh -c 'mount -t tmpfs tmpfs /run && exec containerd --config "$0"' "$DIR/config.toml" >"$DIR/log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
	! ctr version >/dev/null 2>&1 || break
	sleep 0.2
done

# task: what ctr says of the task, as "STATUS PID".
task() {
	ctr task ls | awk '$1 == "a" { print $3, $2 }'
}
ctr run --detach --cgroup "/$cgroup" --rootfs "$DIR/rootfs" a /bin/sleep 60 2>"$DIR/err" ||
	cannot "ctr run: $(tail -n 1 "$DIR/err")"
before=$(task)
pid=${before#RUNNING }
[ -d "/proc/$pid" ] || cannot "the task does not run"
ctr task kill --signal KILL a
for _ in $(seq 100); do
	after=$(task)
	[ "${after% *}" != STOPPED ] || [ -d "/proc/$pid" ] || break
	sleep 0.1
done
[ ! -d "/proc/$pid" ] || cannot "the process does not end"
echo "ctr task ls: first \"$before\", then \"$after\"; /proc/$pid is gone"
[ "$after" = "STOPPED $pid" ] || changed "expected STOPPED and the old PID"
