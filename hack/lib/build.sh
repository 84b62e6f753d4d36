# Install what a build needs, and build. Sourced by hack/run, hack/test and hack/bench.
# shellcheck shell=bash disable=SC2034

BUILD_PACKAGES=(gcc libc6-dev make cmake pkg-config protobuf-c-compiler libprotobuf-c-dev
	libnghttp2-dev libyaml-dev libjansson-dev libsmartcols-dev libcurl4-openssl-dev libcmocka-dev)

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# install_missing PACKAGE...: install Debian packages; on other distributions only print their names.
install_missing() {
	local package missing=()

	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "not Debian; what is needed are its packages $*, by whatever name they have here"
		return 0
	fi
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		die "these packages are missing, and only root can install them: apt-get install ${missing[*]}"
	fi
	say "installing ${missing[*]}"
	as_root apt-get -qq update >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		"${missing[@]}" >&2
}

# build PRESET: configure and build; prints the log only if that fails.
build() {
	local log

	log=$(mktemp)
	if ! (cd "$TOP" && cmake --preset "$1" && cmake --build --preset "$1" -j "$(nproc)") >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		die "the build failed"
	fi
	rm -f "$log"
}
