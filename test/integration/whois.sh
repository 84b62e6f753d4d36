#!/usr/bin/env bash
# One podpid whois for every process of the machine: the 300 processes of 50 pods, exec'd, orphaned and nested
# ones included, get the container that the runtime's own client gives; no other process gets one.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

pod=$(make_pod whois)
id=$(make_container "$pod" app sh -c 'sleep 1000001 & sleep 1000002 & wait')
sandbox exec --detach "$id" sleep 1000003
sandbox exec "$id" sh -c 'sleep 1000004 & exit 0'

# A nested container: a child cgroup with a process, made by this script.
look -p whois
inner=$(printf 'd%.0s' {1..64})
nested=$(container "$id" '[.processes[] | select(.role == "child")][0].pid')
hierarchy=
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/pids; do
	[ -e "$hierarchy$(container "$id" .cgroup_path)/cgroup.procs" ] && break
done
below=$hierarchy$(container "$id" .cgroup_path)/docker
mkdir -p "$below/$inner"
echo "$nested" >"$below/$inner/cgroup.procs"

# Print "PID ID" of every process of a task, except those in child cgroups, which the client does not list.
truth() {
	local task

	tasks | while read -r task _; do
		sandbox client task ps "$task" | awk -v id="$task" 'NR > 1 { print $1, id }'
	done
	echo "$nested $id"
}
truth | sort -u >"$SCRATCH/truth"
[ "$(wc -l <"$SCRATCH/truth")" -ge 350 ] || fail "too few processes: $(wc -l <"$SCRATCH/truth")"

# All PIDs of the machine, with words that are no PID and the id of a thread among them.
thread=$({ find /proc/[0-9]*/task -maxdepth 1 -mindepth 1 2>/dev/null || true; } | # they come and go
	awk -F/ '$3 != $5 && !n++ { print $5 }')
{
	(cd /proc && printf '%s\n' [1-9]*) # find would fail over those that end meanwhile
	echo "$thread garbage 4194304"
} >"$SCRATCH/asked"
start=$(date +%s%N)
status=0
podpid whois -o json - <"$SCRATCH/asked" >"$SCRATCH/answers" 2>"$SCRATCH/err" || status=$?
echo "$(wc -l <"$SCRATCH/answers") answers in $((($(date +%s%N) - start) / 1000000)) ms"
[ $status = 1 ] || fail "status $status with garbage in the input"
grep -q "'garbage' is no PID" "$SCRATCH/err" || fail 'garbage is not said'
[ "$(jq -c 'select(.pid == 4194304) | .found' "$SCRATCH/answers")" = false ] || fail 'a PID beyond all is found'
[ "$(jq -c "select(.pid == $thread) | .found" "$SCRATCH/answers")" = true ] || fail "thread $thread is not found"

# Sandboxes are tasks, too. Processes that have exited meanwhile get no answer.
jq -r 'select(.found and .container_id != null and .role != "helper") | "\(.pid) \(.container_id)"' \
	"$SCRATCH/answers" | sort -u >"$SCRATCH/told"
comm -23 "$SCRATCH/truth" "$SCRATCH/told" >"$SCRATCH/missed"
[ ! -s "$SCRATCH/missed" ] || fail "not told: $(head -5 "$SCRATCH/missed")"
cut -d ' ' -f 2 "$SCRATCH/truth" | sort -u >"$SCRATCH/ids"
grep -F -f "$SCRATCH/ids" "$SCRATCH/told" | comm -13 "$SCRATCH/truth" - >"$SCRATCH/more"
[ ! -s "$SCRATCH/more" ] || fail "told, but not so: $(head -5 "$SCRATCH/more")"

# role PID: print the role in the answer for that PID.
role() {
	jq -r "select(.pid == $1) | .role" "$SCRATCH/answers"
}
main=$(task_pid "$id")
[ "$(role "$main")" = main ] || fail "the main process is $(role "$main")"
[ "$(role "$(task_pid "$pod")")" = sandbox ] || fail "the sandbox is $(role "$(task_pid "$pod")")"
[ "$(role "$nested")" = child ] || fail "the nested one is $(role "$nested")"
[ "$(role 1)" = host ] || [ "$(role 1)" = helper ] || fail "PID 1 is $(role 1)"
[ "$(jq -c "select(.pid == $nested) | .chain" "$SCRATCH/answers")" = "[\"$inner\"]" ] || fail 'no chain'
[ "$(jq -sc '[.[] | select(.container_id == "'"$id"'") | .role] | sort | unique' "$SCRATCH/answers")" = \
	'["child","exec","main"]' ] || fail 'roles'

# Inside, the main process is 1.
podpid whois --ns "$main" -o json 1 >"$SCRATCH/inside"
[ "$(jq -r '"\(.role) \(.container_id)"' "$SCRATCH/inside")" = "main $id" ] || fail "--ns: $(cat "$SCRATCH/inside")"

echo "$nested" >"${below%/docker}/cgroup.procs"
rmdir "$below/$inner" "$below"
remove_pod "$pod"
