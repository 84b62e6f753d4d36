#!/usr/bin/env bash
# hack/sandbox leaves no process, mount, cgroup or file behind, even if the daemon was killed, a container is
# frozen, or `up` was interrupted.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

# List the processes, mounts, cgroups and files of the sandbox in $1.
traces() {
	{
		printf '%s\n' "$1" >"$SCRATCH/pattern" # not on a command line, where it would be found
		grep -lsFf "$SCRATCH/pattern" /proc/[0-9]*/cmdline || true
		grep -Ff "$SCRATCH/pattern" /proc/self/mountinfo || true
		if [ -e "$SCRATCH/cgroups" ]; then
			while read -r root; do
				while read -r cgroup; do
					ls -d "$root$cgroup" 2>/dev/null || true
				done <"$SCRATCH/cgroups"
			done < <(cgroup_roots)
		fi
		ls -d "$1" 2>/dev/null || true
	} | sort
}

gone() {
	[ -z "$(traces "$1")" ]
}

# On a busy machine ctr may close its pipes before it has read them to the end: try again.
execs() {
	[ "$(sandbox exec prod/web/app echo hello)" = hello ]
}

# named TRACES: add the command lines of those traces that are processes.
named() {
	local trace

	for trace in $1; do
		case $trace in
		/proc/*/cmdline) tr '\0' ' ' <"$trace" 2>/dev/null || true ;;
		esac
	done
}

runtimes=(containerd docker)
! have_podman || runtimes+=(podman)
for runtime in "${runtimes[@]}"; do
	dir=$SCRATCH/$runtime
	own_node --runtime "$runtime" --pods 2 --containers 2 --processes 2
	dir=$NODE
	cp "$dir/pods/cgroups" "$SCRATCH/cgroups"
	read -r root < <(cgroup_roots)
	mapfile -t pids < <(while read -r cgroup; do
		find "$root$cgroup" -name cgroup.procs -exec cat {} +
	done <"$SCRATCH/cgroups")
	if [ "$runtime" = docker ]; then # by hand, in no pod
		id=$(sandbox client run -d --net host docker.io/library/busybox:latest sleep 1000000 2>/dev/null)
		pids+=("$(sandbox client inspect --format '{{.State.Pid}}' "$id")")
		echo "/docker/$id" >>"$SCRATCH/cgroups"
	fi
	[ ${#pids[@]} -ge 10 ] || fail "$runtime: only ${#pids[@]} processes are in the pods' cgroups"
	[ -n "$(sandbox status)" ] || fail "$runtime: status says nothing"
	eventually 10 execs || fail "$runtime: exec"
	sandbox pause prod/web/app
	sandbox kill prod/db/app
	sandbox stop -KILL
	"$TOP/hack/sandbox" down --dir "$dir"
	for pid in "${pids[@]}"; do
		[ ! -e "/proc/$pid/exe" ] || ! readlink "/proc/$pid/exe" >/dev/null || fail "$runtime: process $pid is left"
	done
	eventually 5 gone "$dir" || true # who was killed may still be on its way out
	left=$(traces "$dir")
	[ -z "$left" ] || fail "$runtime: left behind: $left $(named "$left")"
done

# `up` is interrupted.
rm -f "$SCRATCH/cgroups"
setsid "$TOP/hack/sandbox" up --dir "$SCRATCH/broken" --pods 40 >/dev/null 2>&1 &
pid=$!
eventually 20 test -s "$SCRATCH/broken/pods/cgroups" || fail "up makes no pods"
cp "$SCRATCH/broken/pods/cgroups" "$SCRATCH/cgroups"
kill -TERM $pid
wait $pid && fail "up was broken off and says 0"
left=$(traces "$SCRATCH/broken")
[ -z "$left" ] || fail "broken off: left behind: $left"
LOCAL_NODES=()
