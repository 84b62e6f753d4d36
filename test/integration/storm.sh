#!/usr/bin/env bash
# Containers are killed while podpid pid runs for them as fast as possible. A container has one main process in
# its life, so each PID that is printed must be that one's, and a podpid that was started after the kill must
# print none. TRIES in the environment is the number of runs, 300 by default.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

wanted=${TRIES:-300} tried=0 printed=0 after=0
pod=$(make_pod storm)
while [ $tried -lt "$wanted" ]; do
	ids=()
	for n in 1 2 3 4 5 6 7 8; do
		ids+=("$(make_container "$pod" "app$n" sh -c 'sleep 1000005 & wait')")
	done
	tasks >"$SCRATCH/tasks"
	for id in "${ids[@]}"; do
		pid=$(awk -v id="$id" '$1 == id { print $2 }' "$SCRATCH/tasks")
		rm -f "$SCRATCH/killed"
		{
			sleep "0.$(printf %03d $((RANDOM % 800)))"
			kill -KILL "$pid"
			touch "$SCRATCH/killed"
		} &
		while :; do
			was_killed=no
			[ ! -e "$SCRATCH/killed" ] || was_killed=yes
			out=$(podpid pid "$id" 2>/dev/null) || true
			tried=$((tried + 1))
			[ -z "$out" ] || printed=$((printed + 1))
			[ -z "$out" ] || [ "$out" = "$pid" ] || fail "$id: '$out', not $pid"
			[ -z "$out" ] || [ $was_killed = no ] || fail "$id: $pid was dead when it was asked for"
			[ $was_killed = no ] || after=$((after + 1))
			[ $was_killed = no ] || break
		done
		wait $!
	done
	echo "$tried tries, $printed PIDs, $after tries after a kill"
	make stop-pod "$pod"
	make rm-pod "$pod"
	pod=$(make_pod storm)
done
remove_pod "$pod"
if [ $printed -eq 0 ] || [ $after -eq 0 ]; then
	fail "$printed PIDs, $after tries after a kill: nothing was tried"
fi
echo "$tried tries, $printed PIDs, all right; $after tries after the kill, none"
