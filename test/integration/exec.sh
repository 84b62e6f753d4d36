#!/usr/bin/env bash
# An exec'd process or an orphan never becomes the main process, in any kind of pod.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

# The main process forks its last child when /go appears, so that some exec'd processes are older and some
# younger than a child.
script='sleep 1000001 & while [ ! -e /go ]; do sleep 0.1; done; sleep 1000002 & wait'

for kind in private shared host; do
	options=()
	[ $kind = private ] || options=("--$kind-pid")
	pod=$(make_pod "exec-$kind" ${options[@]+"${options[@]}"})
	id=$(make_container "$pod" app sh -c "$script")
	main=$(task_pid "$id")

	for n in 1 2 3; do
		sandbox exec --detach "$id" sleep "200000$n"
	done
	# A shell that exits and leaves a child: an orphan.
	sandbox exec "$id" sh -c 'sleep 2000009 & exit 0'
	sandbox exec "$id" touch /go
	sandbox exec --detach "$id" sh -c 'sleep 2000004 & sleep 2000005'

	grown() {
		look -p "exec-$kind"
		[ "$(container "$id" '[.processes[].comm] | map(select(. == "sleep")) | length')" -ge 8 ]
	}
	eventually 10 grown || fail "$kind: not all processes are listed: $(container "$id" .processes)"
	[ "$(container "$id" .verdict)" = verified ] ||
		fail "$kind: $(container "$id" '"\(.verdict): \(.evidence.reason)"')"
	[ "$(container "$id" .pid)" = "$main" ] ||
		fail "$kind: the main process is $main, not $(container "$id" .pid)"

	# The processes are told apart by their arguments.
	for n in 1 2 3; do
		pid=$(container "$id" '.processes[].pid' | while read -r p; do
			tr '\0' ' ' <"/proc/$p/cmdline" | grep -q "^sleep 200000$n" && echo "$p"
		done || true)
		role=$(container "$id" ".processes[] | select(.pid == ${pid:-0}) | .role")
		[ "$role" = exec ] || fail "$kind: exec'd process $pid has role '$role'"
	done
	orphan=$(container "$id" '.processes[].pid' | while read -r p; do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -q '^sleep 2000009' && echo "$p"
	done || true)
	role=$(container "$id" ".processes[] | select(.pid == ${orphan:-0}) | .role")
	case $kind:$role in
	# If the container's own PID 1 adopts an orphan, it is a child as any other.
	private:child | shared:orphan | host:orphan) ;;
	*) fail "$kind: the orphan $orphan has role '$role'" ;;
	esac
	[ "$(container "$id" '[.processes[] | select(.role == "main")] | length')" = 1 ] ||
		fail "$kind: not one main process"
	[ "$(podpid pid "test/exec-$kind/app")" = "$main" ] || fail "$kind: podpid pid differs"
	remove_pod "$pod"
done
