#!/usr/bin/env bash
# The main process is killed: no wrong PID is printed; the verdict is dead or changed while the runtime
# still says RUNNING, and exited soon after. A paused container is verified as any other.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

pod=$(make_pod kill)
for n in 1 2 3 4 5 6 7 8 9 10; do
	id=$(make_container "$pod" "app$n" sh -c 'sleep 1000001 & wait')
	pid=$(task_pid "$id")
	look -p kill
	[ "$(container "$id" .pid)" = "$pid" ] || fail "before the kill: $(container "$id" .pid), not $pid"

	kill -KILL "$pid"
	end=$((SECONDS + 10))
	while :; do
		look -a -p kill
		[ "$(container "$id" .pid)" = null ] || fail "a killed process is published: $(container "$id" .)"
		verdict=$(container "$id" .verdict)
		case $verdict in
		exited) break ;;
		dead | changed | zombie) ;;
		*) fail "after the kill: $verdict: $(container "$id" .evidence.reason)" ;;
		esac
		[ $SECONDS -lt $end ] || fail "still $verdict after 10 seconds"
	done
done

id=$(make_container "$pod" paused sh -c 'sleep 1000001 & wait')
pid=$(task_pid "$id")
sandbox pause "$id"
look -p kill
[ "$(container "$id" '"\(.verdict) \(.pid)"')" = "verified $pid" ] ||
	fail "paused: $(container "$id" .)"
sandbox resume "$id"

# A container that was created and never started has no process.
id=$(make container --name created --create-only "$pod")
look -a -p kill
[ "$(container "$id" .verdict)" = created ] || fail "created: $(container "$id" .)"
look -p kill
[ -z "$(container "$id" .verdict)" ] || fail "list shows a created container without --all"
remove_pod "$pod"
