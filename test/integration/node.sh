#!/usr/bin/env bash
# Unusual nodes: another PID namespace, hidepid, a cgroup namespace, a /proc of another namespace, missing
# rights. A warning reports each, in the document and on stderr, and no PID is wrong.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

unset HOST_PROC
HERE_CGROUPS=()

# shellcheck disable=SC2317 # called by the trap
cleanup() {
	local dir

	finish
	for dir in ${HERE_CGROUPS[@]+"${HERE_CGROUPS[@]}"}; do
		rmdir "$dir/deeper" "$dir" 2>/dev/null || true
	done
}
trap cleanup EXIT

some_pods() {
	local pod

	own_node --pods 2 --containers 2 --processes 2
	pod=$(make_pod shared --shared-pid)
	make_container "$pod" app sh -c 'sleep 1000001 & wait' >/dev/null
	pod=$(make_pod host --host-pid)
	make_container "$pod" app sh -c 'sleep 1000001 & wait' >/dev/null
	chmod 666 "$NODE/containerd.sock"
	chmod 755 "$SCRATCH" "$NODE"
	cp "$PODPID" "$SCRATCH/podpid"
	tasks >"$SCRATCH/theirs"
}

# sees NAME VERIFIED WARNING COMMAND...: podpid, started by the command, reports that many verified
# containers (all, none, any) and the warning, and each PID is the runtime's.
sees() {
	local name=$1 verified=$2 warning=$3 status=0 n
	shift 3

	"$@" "$SCRATCH/podpid" list -o json --timeout 5s -r "$ENDPOINT" ${PROC:+--proc "$PROC"} >"$DOC" 2>"$SCRATCH/err" || status=$?
	grep -qiE -- "$warning" "$SCRATCH/err" || fail "$name: stderr has no '$warning': $(cat "$SCRATCH/err")"
	if [ $status -eq 3 ]; then
		[ ! -s "$DOC" ] || fail "$name: half a document"
		[ "$verified" != all ] || fail "$name: $(cat "$SCRATCH/err")"
		printf '%s: %s\n' "$name" "$(tail -n 1 "$SCRATCH/err")"
		return 0
	fi
	[ $status -lt 3 ] || fail "$name: exit status $status: $(cat "$SCRATCH/err")"
	consistent "$DOC"
	jq -e --arg w "$warning" '[.warnings[] | select(test($w; "i"))] != []' "$DOC" >/dev/null ||
		fail "$name: no warning in the document: $(jq -c .warnings "$DOC")"
	jq -r '.pods[] | (select(.sandbox.pid) | "\(.sandbox_id) \(.sandbox.pid)"),
		(.containers[] | select(.pid) | "\(.id) \(.pid)")' "$DOC" | sort >"$SCRATCH/ours"
	n=$(comm -23 "$SCRATCH/ours" "$SCRATCH/theirs")
	[ -z "$n" ] || fail "$name: wrong PIDs: $n"
	n=$(jq '[.pods[].containers[] | select(.verdict == "verified")] | length' "$DOC")
	printf '%s: %s verified; %s\n' "$name" "$n" "$(jq -c '[.pods[].containers[].verdict] | unique' "$DOC")"
	case $verified in
	all) [ "$n" = 6 ] || fail "$name: not all verified: $(jq -c '.pods[].containers[] | [.name, .verdict, .evidence]' "$DOC")" ;;
	none) [ "$n" = 0 ] || fail "$name: verified what cannot be seen" ;;
	esac
}

as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

if [ "${1:-}" = inside ]; then
	# Node and runtime in one PID namespace that is not the initial one: the PIDs are those of its /proc.
	some_pods
	sees 'own PID namespace, runtime too' all 'PID namespace' env
	for hidepid in 1 2; do
		mount -o "remount,hidepid=$hidepid" /proc
		sees "hidepid=$hidepid, nobody" none "hidepid=$hidepid" "${as_nobody[@]}"
		! jq -e '[.pods[].containers[].verdict] | index("dead")' "$DOC" >/dev/null 2>&1 ||
			fail "hidepid=$hidepid: what is hidden is called dead"
		sees "hidepid=$hidepid, CAP_SYS_PTRACE" all 'PID namespace' env
	done
	exit
fi

some_pods
sees 'without CAP_SYS_PTRACE' all 'CAP_SYS_PTRACE' setpriv --bounding-set -sys_ptrace
sees 'not root' all 'root' "${as_nobody[@]}"

# podpid in a cgroup namespace whose root is one level below the root, and one deeper: paths begin with /..
while read -r dir; do
	mkdir -p "$dir/podpid-test.$$/deeper" 2>/dev/null || continue
	HERE_CGROUPS+=("$dir/podpid-test.$$")
done < <(cgroup_roots)
in_cgroup() {
	# shellcheck disable=SC2016 # for the inner shell
	local below=$1 script='
		below=$1 && shift
		for dir; do
			[ "$dir" != -- ] || break
			echo $$ >"$dir/$below/cgroup.procs" || true
		done
		while [ "$1" != -- ]; do shift; done
		shift
		exec unshare --cgroup "$@"'
	shift
	sh -c "$script" sh "$below" "${HERE_CGROUPS[@]}" -- "$@" 2> >(grep -v 'write error' >&2)
}
sees 'own cgroup namespace' all 'cgroup namespace' in_cgroup .
jq -e '[.pods[].containers[].cgroup_path | select(startswith("/..") | not)] == []' "$DOC" >/dev/null ||
	fail "paths are not relative: $(jq -c '[.pods[].containers[].cgroup_path]' "$DOC")"
sees 'own cgroup namespace, deeper' all 'cgroup namespace' in_cgroup deeper
sees 'own cgroup namespace at the root' all 'cgroup namespace' unshare --cgroup

# The node's /proc, read from a child PID namespace: its PIDs, and a warning that says so.
sees "the node's /proc from a child PID namespace" all 'another PID namespace' unshare --pid --fork
# shellcheck disable=SC2016 # for the inner shell
bound='mkdir -p "$1/host-proc" && mount --rbind /proc "$1/host-proc" && shift && mount -t proc proc /proc && exec "$@"'
PROC=$SCRATCH/host-proc sees '--proc' all 'another PID namespace' \
	unshare --pid --fork --mount sh -c "$bound" sh "$SCRATCH"
HOST_PROC=$SCRATCH/host-proc sees HOST_PROC all 'another PID namespace' \
	unshare --pid --fork --mount sh -c "$bound" sh "$SCRATCH"

# Another PID namespace with its own /proc: the runtime's PIDs mean nothing there.
own_pidns=(unshare --pid --fork --mount-proc)
sees 'own PID namespace' none 'PID namespace' "${own_pidns[@]}"
# shellcheck disable=SC2016 # for the inner shell
fork='i=0; while [ $i -lt 400 ]; do sleep 30 & i=$((i + 1)); done; "$@"; status=$?; kill $(jobs -p); exit $status'
sees 'own PID namespace, numbers that fit' none 'PID namespace' "${own_pidns[@]}" sh -c "$fork" sh
status=0
"${own_pidns[@]}" "$SCRATCH/podpid" preflight -p '*' --handoff "$SCRATCH/handoff" -r "$ENDPOINT" >"$SCRATCH/out" 2>&1 || status=$?
[ $status -ne 0 ] || fail "a handoff from another PID namespace"
[ ! -e "$SCRATCH/handoff" ] || fail "a handoff file from another PID namespace"
grep -q 'host.pidns' "$SCRATCH/out" || grep -qi 'PID namespace' "$SCRATCH/out" || fail "preflight: $(cat "$SCRATCH/out")"

# podpid in a pod, with the node's /proc or the pod's.
inside=
while read -r _ pid; do # a pod that has the host's PID namespace is not one to be inside of
	[ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink /proc/self/ns/pid)" ] || inside=$pid
done <"$SCRATCH/theirs"
[ -n "$inside" ] || fail 'no pod has a PID namespace of its own'
in_pod=(nsenter --target "$inside" --pid --cgroup --ipc --uts --net)
sees "in a pod, the node's /proc" all 'another PID namespace' "${in_pod[@]}"
# shellcheck disable=SC2016 # for the inner shell
sees 'in a pod, its own /proc' none 'PID namespace' "${in_pod[@]}" \
	unshare --mount sh -c 'mount -t proc proc /proc && exec "$@"' sh

unshare --pid --fork --mount-proc "$0" inside
