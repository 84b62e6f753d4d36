#!/usr/bin/env bash
# A privileged container with the host's cgroups and PIDs makes cgroups that are named after a victim
# container and moves its processes there. podpid never takes one of them for the victim's, and the
# victim's main process stays verified.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

CGROUPS=/sys/fs/cgroup
victim_pod=$(make_pod victim)
victim=$(make_container "$victim_pod" app sh -c 'sleep 1000002 & wait')
attacker_pod=$(make_pod attacker --privileged --host-pid)
attacker=$(make container --name app --privileged --mount $CGROUPS:/host "$attacker_pod" sleep 1000003)
main=$(task_pid "$victim")
own=$(sed -n 's/^[0-9]*:memory://p; s/^0:://p' "/proc/$main/cgroup" | head -n 1)
theirs=$(sed -n 's/^[0-9]*:memory://p; s/^0:://p' "/proc/$(task_pid "$attacker")/cgroup" | head -n 1)
processes=$(look -p victim && container "$victim" '[.processes[].pid] | @csv')
made=()

# Runs in the attacker's container: move a process into the cgroup $1 of the hierarchies $2 ("": all).
# shellcheck disable=SC2016 # for the shell in the container
move='
	sleep 1000004 >/dev/null 2>&1 & p=$!
	for h in /host /host/*; do
		[ -e "$h/cgroup.procs" ] || continue
		case " $2 " in "  " | *" ${h##*/} "*) ;; *) continue ;; esac
		d=$h rest=$1
		while [ -n "$rest" ]; do
			rest=${rest#/} c=${rest%%/*} rest=${rest#"$c"}
			[ -d "$d/$c" ] || mkdir "$d/$c"
			for f in cpuset.cpus cpuset.mems; do
				[ ! -e "$d/$c/$f" ] || [ -n "$(cat "$d/$c/$f")" ] || cat "$d/$f" >"$d/$c/$f"
			done
			d=$d/$c
		done
		echo $p >"$d/cgroup.procs" || exit 1
	done
	echo $p'

# unharmed PID WHAT: no report gives the process to the victim, and the victim is as before.
unharmed() {
	local pid=$1 what=$2 whose

	look -p victim
	[ "$(container "$victim" '"\(.verdict) \(.pid)"')" = "verified $main" ] ||
		fail "$what: the victim is now $(container "$victim" '{verdict, pid, evidence}')"
	[ "$(container "$victim" '[.processes[].pid] | @csv')" = "$processes" ] ||
		fail "$what: the victim's processes are now $(container "$victim" '[.processes[].pid]')"
	whose=$(podpid whois -o json "$pid" | jq -r .container_id)
	[ "$whose" != "$victim" ] ||
		fail "$what: whois says that PID $pid is the victim's: $(cat "/proc/$pid/cgroup")"
	whose=$("$PODPID_BUILD/test/integration/probe" "$ENDPOINT" "$pid")
	[ "$whose" != "$victim" ] || fail "$what: the probe says that PID $pid is the victim's"
	[ "$(podpid pid "$victim")" = "$main" ] || fail "$what: pid says $(podpid pid "$victim")"
}

# attack WHAT CGROUP [HIERARCHIES]
attack() {
	local what=$1 pid

	pid=$(sandbox exec "$attacker" sh -c "$move" sh "$2" "${3:-}") || fail "$what: could not be tried"
	made+=("$2")
	unharmed "$pid" "$what"
	kill -KILL "$pid"
	echo "$what: unharmed"
}

# shellcheck disable=SC2317 # called by the trap
sweep() {
	local path h

	for path in ${made[@]+"${made[@]}"}; do
		[ "$path" != "$own" ] || continue
		for h in "$CGROUPS" "$CGROUPS"/*; do
			(cd "$h" && rmdir -p "./${path#/}") 2>/dev/null || true
		done
	done
	finish
}
trap sweep EXIT

attack "a bare id" "/$victim"
attack "a scope's name" "/system.slice/cri-containerd-$victim.scope"
attack "another pod's" "/kubepods/pod99999999-9999-9999-9999-999999999999/$victim"
attack "a pod's path below its own cgroup" "$theirs$own"
attack "its name below its own cgroup" "$theirs/$victim"
attack "a monitor's name" "$(dirname "$own")/crio-conmon-$victim.scope"
attack "the name of a removed cgroup" "$own (deleted)"
attack "its name and a carriage return" "$own"$'\r'
attack "its pod and name at another place" "/elsewhere$own"
attack "its name as a scope in its pod" "$(dirname "$own")/cri-containerd-$victim.scope"
attack "below another engine's container" "/docker/$(printf 'd%.0s' {1..64})/$victim"
attack "in a user's session" "/user.slice/user-1000.slice/user@1000.service/docker-$victim.scope"
if [ -d $CGROUPS/memory ]; then
	attack "one hierarchy in the victim's own cgroup" "$own" memory
	attack "two hierarchies in the victim's own cgroup" "$own" "memory pids"
fi

# A process older than the victim's, in all of the victim's own cgroups, is a member now and may be taken
# for the first process. The victim is not verified then, but no wrong PID is printed.
pid=$(sandbox exec "$attacker" sh -c "$move" sh / '')
victim=$(make_container "$victim_pod" late sh -c 'sleep 1000002 & wait')
main=$(task_pid "$victim")
for h in "$CGROUPS" "$CGROUPS"/*; do
	own=$(dirname "$own")/$victim
	[ ! -e "$h$own/cgroup.procs" ] || echo "$pid" >"$h$own/cgroup.procs"
done
look -p victim
case $(container "$victim" '"\(.verdict) \(.pid)"') in
"verified $main" | "mismatch null") echo "an older process: $(container "$victim" .verdict)" ;;
*) fail "an older process: $(container "$victim" '{verdict, pid, evidence}')" ;;
esac
kill -KILL "$pid"
look -p victim
[ "$(container "$victim" .pid)" = "$main" ] || fail "it does not recover: $(container "$victim" .evidence)"

remove_pod "$attacker_pod"
remove_pod "$victim_pod"
