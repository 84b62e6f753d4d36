#!/usr/bin/env bash
# runc 1.1.5 (Debian 12): may two containers be given the same cgroupsPath, and whose processes does "runc ps" list?
#
# Guess: the second one is refused, since a container's cgroup is its own; and "runc ps A" lists what was started in A.
#
# Seen: the second one starts, with a warning that is the only trace. From then on "runc ps" of either container lists
# the processes of both: it prints whatever is in the cgroup. Deleting the first one leaves the cgroup, with an error on
# stderr and exit status 0. What a cgroup holds is not proof of whose process it is, where the runtime lets two share it.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install runc=1.1.5+ds1-1+deb12u1 busybox-static=1:1.35.0-4+deb12u1+b1
command -v python3 >/dev/null || cannot "needs python3"
cgroup=finding.$$
# shellcheck disable=SC2317 # called by the trap
end() {
	runc --root "$DIR/state" delete -f a 2>/dev/null || true
	runc --root "$DIR/state" delete -f b 2>/dev/null || true
	find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null || true
	cleanup
}
trap end EXIT
mkdir -p "$DIR/bundle/rootfs/bin" "$DIR/bundle/rootfs/proc"
cp "$DIR/root/bin/busybox" "$DIR/bundle/rootfs/bin/sleep"
cd "$DIR/bundle"
runc spec
python3 - "$cgroup" <<'P'
import json, sys
c = json.load(open("config.json"))
c["process"].update(args=["/bin/sleep", "60"], terminal=False)
c["process"].pop("rlimits", None)
c["process"].pop("apparmorProfile", None)
c["mounts"] = [m for m in c["mounts"] if m["destination"] == "/proc"]
c["linux"].update(cgroupsPath="/" + sys.argv[1], resources={})
json.dump(c, open("config.json", "w"))
P

run() {
	runc --root "$DIR/state" run -d "$1" </dev/null >/dev/null 2>"$DIR/$1.err" || cannot "runc run: $(tail -n 1 "$DIR/$1.err")"
}
run a
run b
echo "warning of the second: $(grep -o 'cgroup is not empty: [0-9]* process' "$DIR/b.err" || true)"
a=$(runc --root "$DIR/state" state a | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
b=$(runc --root "$DIR/state" state b | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
listed=$(runc --root "$DIR/state" ps -f json a)
echo "a is PID $a, b is PID $b; runc ps a lists $listed"
grep -q 'cgroup is not empty' "$DIR/b.err" || changed "no warning about the cgroup"
case $listed in
*"$b"*) ;;
*) changed "runc ps a does not list b's process" ;;
esac
runc --root "$DIR/state" kill a KILL
for _ in $(seq 50); do
	[ "$(runc --root "$DIR/state" list -f json | grep -o '"id":"a"[^}]*"status":"[a-z]*"' | sed 's/.*:"//; s/"//')" != stopped ] || break
	sleep 0.1
done
runc --root "$DIR/state" delete a 2>"$DIR/delete.err" || changed "runc delete a fails"
grep -q 'Failed to remove cgroup' "$DIR/delete.err" || changed "runc delete a says nothing of the cgroup"
echo "runc delete a: exit status 0, and $(grep -c 'Failed to remove cgroup' "$DIR/delete.err") lines that the cgroup could not be removed"
