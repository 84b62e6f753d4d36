#!/usr/bin/env bash
# The image recipe installs exactly the packages that a build needs, and the libraries that the program is linked
# with. An image cannot be built without a registry, so the lists of packages are compared.
#   test/program/test_recipe.sh PODPID
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
RECIPE=$HERE/../hack/container/Containerfile
PODPID=$1

fail() {
	echo "FAILED: $*"
	exit 1
}

# shellcheck source=hack/lib/build.sh
. "$HERE/../hack/lib/build.sh"

# stage N: print the packages that this stage of the recipe installs.
stage() {
	awk -v n="$1" '/^FROM/ { s++ } s == n' "$RECIPE" |
		awk '/apt-get install/ { on = 1 } on { print } /rm -rf/ { on = 0 }' |
		tr -s ' \t' '\n' | grep -E '^[a-z][a-z0-9.+-]+$' | grep -vE '^(apt-get|install|update|rm)$' | sort -u
}

wanted=$(printf '%s\n' "${BUILD_PACKAGES[@]}" | grep -v cmocka | sort)
[ "$(stage 1)" = "$wanted" ] || fail "to build: $(diff <(stage 1) <(printf '%s\n' "$wanted"))"

# Debian's packages of the linked libraries; libcurl is not linked but opened when needed.
declare -A packages=([libcurl.so.4]=libcurl4 [libjansson.so.4]=libjansson4 [libnghttp2.so.14]=libnghttp2-14
	[libprotobuf-c.so.1]=libprotobuf-c1 [libsmartcols.so.1]=libsmartcols1 [libyaml-0.so.2]=libyaml-0-2)
runtime=$(stage 2)
for library in $(ldd "$PODPID" | awk '/=> \// { print $1 }') libcurl.so.4; do
	case $library in
	libc.so.* | libm.so.* | libgcc_s.so.* | libasan.so.* | libubsan.so.* | libstdc++.so.*) continue ;;
	esac
	package=${packages[$library]:-}
	[ -n "$package" ] || fail "$library is linked, and of no known package"
	[[ $'\n'$runtime$'\n' = *$'\n'$package$'\n'* ]] || fail "at run time $package is missing"
	unset "packages[$library]"
done
[ ${#packages[@]} = 0 ] || fail "not linked any more: ${!packages[*]}"
