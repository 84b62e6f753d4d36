# What the scripts in findings/ share. Sourced. Makes the temporary folder $DIR, which goes with the script.
# shellcheck shell=bash
set -euo pipefail

cannot() {
	echo "cannot be tried here: $*" >&2
	exit 2
}

changed() {
	echo "CHANGED: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || cannot "needs root"
DIR=$(mktemp -d)
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	rm -rf --one-file-system "$DIR"
}
trap cleanup EXIT

# install PACKAGE=VERSION...: Debian packages, by apt's own configuration, unpacked below $DIR/root and first
# on PATH.
install() {
	local deb

	mkdir -p "$DIR/debs"
	(cd "$DIR/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@") ||
		cannot "apt offers no $*"
	for deb in "$DIR"/debs/*.deb; do
		dpkg -x "$deb" "$DIR/root"
	done
	PATH=$DIR/root/usr/sbin:$DIR/root/usr/bin:$DIR/root/sbin:$DIR/root/bin:$PATH
	LD_LIBRARY_PATH=$(echo "$DIR"/root/usr/lib/*-linux-gnu*)
	export LD_LIBRARY_PATH
}
