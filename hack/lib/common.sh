# Functions of the scripts in hack/. Sourced, never run.
# shellcheck shell=bash

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$@"
	exit 1
}

# Print the build folder that has the test tools: PODPID_BUILD, else the newest build in the tree.
find_build() {
	local top=$1 found

	if [ -n "${PODPID_BUILD:-}" ]; then
		[ -x "$PODPID_BUILD/test/podmaker/podmaker" ] || return 1
		printf '%s\n' "$PODPID_BUILD"
		return
	fi
	# shellcheck disable=SC2012 # our own names, no odd characters
	found=$(ls -t "$top"/build/*/test/podmaker/podmaker 2>/dev/null | head -n 1)
	[ -n "$found" ] || return 1
	printf '%s\n' "${found%/test/podmaker/podmaker}"
}

# has_capability NAME: whether the kernel says that this shell has the capability.
has_capability() {
	local key value bit

	case $1 in
	CAP_SYS_ADMIN) bit=21 ;;
	CAP_SYS_RESOURCE) bit=24 ;;
	esac
	while read -r key value; do
		if [ "$key" = CapEff: ]; then
			(((0x$value >> bit) & 1))
			return
		fi
	done </proc/self/status
	return 1
}

# Print in one line why no container can run here; nothing if one can.
why_no_container() {
	if [ "$(id -u)" != 0 ]; then
		echo "not root"
	elif ! has_capability CAP_SYS_ADMIN; then
		echo "no CAP_SYS_ADMIN (an unprivileged container)"
	elif ! grep -qE ' - cgroup2? ' /proc/self/mountinfo; then
		echo "no cgroup filesystem is mounted"
	elif ! cgroups_writable; then
		echo "the cgroup filesystem is read-only"
	fi
}

cgroups_writable() {
	local dir

	read -r dir < <(cgroup_roots)
	mkdir "$dir/podpid-try.$$" 2>/dev/null && rmdir "$dir/podpid-try.$$"
}

# The root folder of each cgroup hierarchy, v1 and v2.
cgroup_roots() {
	local _ mount rest

	while read -r _ _ _ _ mount rest; do
		case $rest in
		*' - cgroup '* | *' - cgroup2 '*) printf '%s\n' "$mount" ;;
		esac
	done </proc/self/mountinfo
}

# In a chroot "/" is no mount point: nobody can change its propagation, as unshare and runc want to.
# own_root SCRIPT ARG...: runs it anew where / is one, and does not come back; or does nothing where
# that is not so. If / is shared outside, only the empty tmpfs around the new root shows there.
own_root() {
	local dir status=0

	[ "$(id -u)" = 0 ] && unshare --mount --propagation unchanged true 2>/dev/null || return 0
	! unshare --mount --propagation private true 2>/dev/null || return 0
	dir=$(mktemp -d)
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation unchanged sh -c '
		dir=$1 here=$2
		shift 2
		mount -t tmpfs tmpfs "$dir" && mount --make-private "$dir" && mkdir "$dir/root" &&
			mount --rbind / "$dir/root" && mount --make-rprivate "$dir/root" &&
			exec chroot "$dir/root" sh -c "cd \"\$0\" && exec \"\$@\"" "$here" "$@"' \
		sh "$dir" "$PWD" "$@" || status=$?
	! mountpoint -q "$dir" || umount "$dir"
	rmdir "$dir"
	exit "$status"
}
