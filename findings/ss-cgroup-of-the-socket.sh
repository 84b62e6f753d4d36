#!/usr/bin/env bash
# ss 6.1.0 of iproute2 (Debian 12): whose cgroup does "ss --cgroup" print beside the process?
#
# Guess: the cgroup in which the process that holds the socket is now.
#
# Seen: the cgroup in which the socket was made. It stays on the line, next to the PID, when the process has moved to
# another cgroup; and when the first cgroup has been removed, "unreachable:" and a number stand there, though the
# process is well and in a cgroup that exists. So PID and cgroup of one line may belong to two containers.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install iproute2=6.1.0-3
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$v2" ] || cannot "needs a mounted cgroup v2"
name=finding.$$
pid=
# shellcheck disable=SC2317 # called by the trap
end() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	wait
	rmdir "$v2/$name.a" "$v2/$name.b" 2>/dev/null || true
	cleanup
}
trap end EXIT
mkdir "$v2/$name.a" "$v2/$name.b" || cannot "makes no cgroup"
cat >"$DIR/listen.pl" <<'P'
use Socket;
socket(S, PF_INET, SOCK_STREAM, 0) and bind(S, sockaddr_in(0, INADDR_LOOPBACK)) and listen(S, 1) or die "$!";
$| = 1;
print +(sockaddr_in(getsockname(S)))[0], "\n";
sleep 60;
P
(
	echo "$BASHPID" >"$v2/$name.a/cgroup.procs"
	exec perl "$DIR/listen.pl"
) >"$DIR/port" &
pid=$!
for _ in $(seq 100); do
	[ ! -s "$DIR/port" ] || break
	sleep 0.1
done

# shown: the cgroup in the socket's line, without the number after "unreachable:", and the process's own.
shown() {
	ss -Hlntp --cgroup "sport = :$(cat "$DIR/port")" 2>/dev/null |
		sed "s/.*pid=$pid,.*cgroup:\([^ :]*\).*/\1/" | tr '\n' ' '
	sed -n 's/^0:://p' "/proc/$pid/cgroup"
}
first=$(shown)
echo "$pid" >"$v2/$name.b/cgroup.procs"
moved=$(shown)
rmdir "$v2/$name.a"
removed=$(shown)
printf '%-28s ss: %s\n' "made in a:" "${first/ / process: }" "moved to b:" "${moved/ / process: }" \
	"moved to b, a removed:" "${removed/ / process: }"
[ "$first" = "/$name.a /$name.a" ] || cannot "ss does not print the cgroup"
[ "$moved" = "/$name.a /$name.b" ] || changed "expected a of ss, b of the process"
[ "$removed" = "unreachable /$name.b" ] || changed "expected unreachable of ss, b of the process"
