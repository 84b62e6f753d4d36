# Remove all processes, mounts, cgroups and files of a sandbox, also if its runtime does not answer any more.
# Sourced by hack/sandbox.
# shellcheck shell=bash

# Print each cgroup folder of the sandbox's pods, in each hierarchy.
pod_cgroups() {
	local root parent

	[ -e "$1/pods/cgroups" ] || return 0
	while read -r root; do
		while read -r parent; do
			[ ! -d "$root$parent" ] || printf '%s\n' "$root$parent"
		done < <(sort -u "$1/pods/cgroups")
	done < <(cgroup_roots)
}

# Print every process in the given cgroups or below them.
processes_in() {
	[ $# -eq 0 ] || find "$@" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}

# Print daemons, shims and their helpers: programs of runtimes with the folder on their command line. In a chroot
# the kernel shows paths of another mount namespace from outside of the chroot, with more in front. That grep
# finds nothing, or that a process exits while it reads, is no failure.
daemon_processes() {
	local file

	{ grep -lsF -- "$1/" /proc/[0-9]*/cmdline || true; } | while read -r file; do
		case $(readlink "${file%cmdline}exe" 2>/dev/null) in
		*"$1"/* | */containerd* | */dockerd* | */podman* | */conmon* | */*runc* | */docker-*)
			file=${file#/proc/}
			printf '%s\n' "${file%/cmdline}"
			;;
		esac
	done
}

# note_containers DIR: note the cgroups of containers that tests made outside of pods. Only their shims know
# these, and the shims end with the daemons.
note_containers() {
	local pid child path

	daemon_processes "$1" | while read -r pid; do
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/containerd-shim*) ;;
		*) continue ;;
		esac
		cat /proc/"$pid"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r child; do
			[ -n "$child" ] || continue
			path=$(sed -n 's/^[0-9]*:memory://p; s/^0:://p' "/proc/$child/cgroup" 2>/dev/null | head -n 1)
			[[ ! ${path##*/} =~ ^[0-9a-f]{64}$ ]] || printf '%s\n' "$path"
		done
	done >>"$1/pods/cgroups"
}

kill_all() {
	local dir=$1 tries=100 pids cgroups

	while [ $tries -gt 0 ]; do
		mapfile -t cgroups < <(pod_cgroups "$dir")
		mapfile -t pids < <({
			daemon_processes "$dir"
			processes_in ${cgroups[@]+"${cgroups[@]}"}
		} | sort -un)
		[ ${#pids[@]} -gt 0 ] || return 0
		kill -KILL "${pids[@]}" 2>/dev/null || true
		thaw ${cgroups[@]+"${cgroups[@]}"}
		sleep 0.05
		tries=$((tries - 1))
	done
	say "these processes do not go away: ${pids[*]}"
	return 1
}

# Thaw frozen cgroups: a frozen process does not die.
thaw() {
	local file

	[ $# -gt 0 ] || return 0
	find "$@" -name freezer.state -o -name cgroup.freeze 2>/dev/null | while read -r file; do
		case $file in
		*/freezer.state) echo THAWED >"$file" ;;
		*) echo 0 >"$file" ;;
		esac 2>/dev/null
	done || true
}

# Remove the pods' cgroups, and those above them if they are empty and no kubelet uses them.
remove_cgroups() {
	local cgroups left above

	mapfile -t cgroups < <(pod_cgroups "$1")
	[ ${#cgroups[@]} -gt 0 ] || return 0
	find "${cgroups[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
	mapfile -t left < <(pod_cgroups "$1")
	if [ ${#left[@]} -gt 0 ]; then
		say "these cgroups cannot be removed: ${left[*]}"
		return 1
	fi
	! grep -qsx kubelet /proc/[0-9]*/comm || return 0
	while read -r above; do
		while rmdir "$above" 2>/dev/null; do
			above=${above%/*}
		done
	done < <(printf '%s\n' "${cgroups[@]%/*}" | sort -u)
}

# Unmount what is mounted below the folder in this mount namespace (there should be nothing).
remove_mounts() {
	local mount

	while read -r mount; do
		umount -l "$mount" 2>/dev/null || true
	done < <(awk -v d="$1/" 'index($5, d) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
}
