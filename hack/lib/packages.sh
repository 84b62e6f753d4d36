# Debian's packages unpacked into a private folder: a runtime is never installed over the system,
# where it would start services or take the place of the node's own. Sourced by hack/sandbox.
# shellcheck shell=bash

cache_folder() {
	printf '%s\n' "${PODPID_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/podpid}"
}

# The mirror that this machine's apt uses for Debian itself.
debian_mirror() {
	local mirror

	# shellcheck disable=SC2016 # apt's own placeholders
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 2>/dev/null |
		sed -n 's/^Debian Debian //p' | head -n 1)
	printf '%s\n' "${mirror:-http://deb.debian.org/debian/}"
}

# private_apt RELEASE ARG...: apt-get with lists, caches and sources of its own.
private_apt() {
	local dir

	dir=$(cache_folder)/apt/$1
	shift
	apt-get -qq -o Dir::State="$dir" -o Dir::State::status=/dev/null -o Dir::Cache="$dir" \
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=- \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

update_lists() {
	local release=$1 dir keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	dir=$(cache_folder)/apt/$release
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$(debian_mirror)" "$release" \
		>"$dir/sources.list"
	private_apt "$release" update >&2
}

# unpack RELEASE PACKAGE...: into the cache, unless they are there; nothing is fetched twice.
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

# add_path RELEASE: the unpacked programs first.
add_path() {
	local cache

	cache=$(cache_folder)/$1
	PATH=$cache/usr/sbin:$cache/usr/bin:$cache/sbin:$cache/bin:$PATH
}

# Libraries that a program misses here, from the cache: only those, the system's stay first choice.
add_missing_library() {
	local program=$1 release=$2 library=$3 package=$4 dir

	# Not through a pipe: grep -q leaves at its first match, and ldd dies of that.
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
		# A newer Debian's runc may want a newer libc; this one does with every kernel and libc.
		unpack bookworm runc
		add_path bookworm
		add_missing_library "$(command -v runc)" bookworm libseccomp libseccomp2
	fi
}

# find_containerd RELEASE: containerd, ctr and runc on PATH; RELEASE empty: those that are there.
find_containerd() {
	local release=$1

	find_runc "$release"
	if [ -n "$release" ] || ! command -v containerd >/dev/null || ! command -v ctr >/dev/null; then
		unpack "${release:-bookworm}" containerd
		add_path "${release:-bookworm}"
	fi
}

# The path of a static busybox.
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
