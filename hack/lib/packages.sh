# Debian's packages, unpacked into a private folder: a runtime that is installed on the system would start
# services, or replace the node's own. Sourced by hack/sandbox.
# shellcheck shell=bash

cache_folder() {
	printf '%s\n' "${PODPID_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/podpid}"
}

# The Debian archive that this machine's apt is configured for.
debian_archive() {
	local uri

	# shellcheck disable=SC2016 # apt's own placeholders
	uri=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
		sed -n 's/^Debian Debian //p' | head -n 1)
	[ -n "$uri" ] || die "apt knows no Debian archive: add one to /etc/apt/sources.list and run apt-get update"
	printf '%s\n' "$uri"
}

# private_apt RELEASE ARG...: apt-get with package lists, cache and sources in the cache folder.
private_apt() {
	local dir

	dir=$(cache_folder)/apt/$1
	shift
	apt-get -qq -o Dir::State="$dir" -o Dir::State::status=/dev/null -o Dir::Cache="$dir" \
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

update_lists() {
	local release=$1 dir archive keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	archive=$(debian_archive) || exit 1
	dir=$(cache_folder)/apt/$release
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$release" \
		>"$dir/sources.list"
	private_apt "$release" update >&2
}

# unpack RELEASE PACKAGE...: fetch and unpack packages into the cache folder, unless that was done before.
unpack() {
	local release=$1 cache package missing=() tmp deb
	shift

	cache=$(cache_folder)/$release
	for package; do
		[ -e "$cache/.unpacked/$package" ] || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
		die "not Debian: put containerd, ctr and runc (and a static busybox) on PATH"
	fi
	say "fetching ${missing[*]} of Debian $release into $cache"
	mkdir -p "$cache/.unpacked"
	update_lists "$release" || die "the package lists of Debian $release cannot be fetched"
	for package in "${missing[@]}"; do
		tmp=$(mktemp -d "$cache/.fetch.XXXXXX")
		(cd "$tmp" && private_apt "$release" download "$package") >&2 ||
			die "$package of Debian $release cannot be fetched"
		for deb in "$tmp"/*.deb; do
			dpkg -x "$deb" "$cache"
		done
		rm -rf "$tmp"
		: >"$cache/.unpacked/$package"
	done
}

# add_path RELEASE: put the programs unpacked of that release in front of PATH.
add_path() {
	local cache

	cache=$(cache_folder)/$1
	PATH=$cache/usr/sbin:$cache/usr/bin:$cache/sbin:$cache/bin:$PATH
}

# add_missing_library PROGRAM RELEASE LIBRARY PACKAGE: if PROGRAM does not find LIBRARY on this system, unpack
# its package and add it to LD_LIBRARY_PATH.
add_missing_library() {
	local program=$1 release=$2 library=$3 package=$4 dir

	# Not through a pipe: grep -q exits at its first match, and SIGPIPE then makes ldd fail (pipefail).
	if grep -q "$library.*not found" <<<"$(ldd "$program" 2>/dev/null)"; then
		unpack "$release" "$package"
		for dir in "$(cache_folder)/$release"/usr/lib/*-linux-gnu* "$(cache_folder)/$release"/lib/*-linux-gnu*; do
			[ ! -d "$dir" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$dir
		done
		export LD_LIBRARY_PATH
	fi
}

find_runc() {
	local release=$1

	if [ -n "$release" ] || ! command -v runc >/dev/null; then
		# A newer Debian's runc may need a newer libc than this system's; bookworm's runs with all of them.
		unpack bookworm runc
		add_path bookworm
		add_missing_library "$(command -v runc)" bookworm libseccomp libseccomp2
	fi
}

# find_containerd RELEASE: put containerd, ctr and runc of that release on PATH; RELEASE empty: use the
# system's if there are any.
find_containerd() {
	local release=$1

	find_runc "$release"
	if [ -n "$release" ] || ! command -v containerd >/dev/null || ! command -v ctr >/dev/null; then
		unpack "${release:-bookworm}" containerd
		add_path "${release:-bookworm}"
	fi
}

# Print the path of a static busybox.
find_busybox() {
	local busybox

	busybox=$(command -v busybox || true)
	if [ -z "$busybox" ] || ! grep -q 'not a dynamic executable' <<<"$(ldd "$busybox" 2>&1)"; then
		unpack bookworm busybox-static
		busybox=$(cache_folder)/bookworm/bin/busybox
		[ -x "$busybox" ] || busybox=$(cache_folder)/bookworm/usr/bin/busybox
	fi
	printf '%s\n' "$busybox"
}
