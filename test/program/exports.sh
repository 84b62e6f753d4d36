#!/bin/sh
# The shared library shows what exports.txt lists and nothing else; the archive likewise.
#   test/program/exports.sh LIBRARY.so LIBRARY.a
# A new public function: add its name there.
set -eu
list=$(dirname "$0")/exports.txt
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
for library in "$1" "$2"; do
	case $library in
	*.so) dynamic=-D ;;
	*) dynamic= ;;
	esac
	# shellcheck disable=SC2086
	nm $dynamic --extern-only --defined-only --without-symbol-versions "$library" |
		awk 'NF == 3 && $2 != "A" {print $3}' | LC_ALL=C sort >"$seen"
	if ! diff -u "$list" "$seen"; then
		echo "$library: not what exports.txt lists" >&2
		exit 1
	fi
done
