#!/usr/bin/env bash
# podpid.h compiles as C and C++ of each standard, by gcc and clang, with every warning an error: the
# header alone, and a program that uses each PODPID_..._INIT. So does the example of libpodpid(3),
# which names every function.
#   test/program/header.sh
set -euo pipefail
TOP=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
WARNINGS=(-Wall -Wextra -Wpedantic -Werror)
tried=0 missing=()

# program HEADER: one that uses each INIT there is, as a variable of a function and of the file.
program() {
	local name type

	echo '#include <podpid.h>'
	sed -nE 's/^#define (PODPID_([A-Z_]+)_INIT)\>.*/\1 \2/p' "$1" | while read -r name type; do
		type=podpid_${type,,}
		echo "struct $type file_$type = $name;"
		echo "size_t size_of_$type(void);"
		echo "size_t size_of_$type(void) { struct $type x = $name; return x.size + file_$type.size; }"
	done
}

# compile COMPILER STANDARD SUFFIX: all programs of that suffix. The header is no system header (-I, not
# -isystem), so that its own warnings count.
compile() {
	local file

	for file in "$FOLDER"/*."${3}"; do
		"$1" -std="$2" "${WARNINGS[@]}" -I"$TOP/resolver" -c "$file" -o /dev/null || {
			echo "FAILED: $1 -std=$2 $(basename "$file")"
			exit 1
		}
		tried=$((tried + 1))
	done
}

echo '#include <podpid.h>' >"$FOLDER/alone.c"
program "$TOP/resolver/podpid.h" >"$FOLDER/inits.c"
[ "$(grep -c '^struct' "$FOLDER/inits.c")" -ge 5 ] || {
	echo "FAILED: no initialisers found in podpid.h"
	exit 1
}
cp "$FOLDER/alone.c" "$FOLDER/alone.cc"
cp "$FOLDER/inits.c" "$FOLDER/inits.cc"
sed -n '/^\.Bd .*\\" example$/,/^\.Ed$/p' "$TOP/hack/man/libpodpid.3" | sed '/^\./d; s/\\e/\\/g' \
	>"$FOLDER/example.c"
grep -q 'int main' "$FOLDER/example.c" || {
	echo "FAILED: libpodpid(3) has no example"
	exit 1
}

while read -r name; do
	grep -qE "^\.Fn $name( |\$)" "$TOP/hack/man/libpodpid.3" || {
		echo "FAILED: libpodpid(3) does not name $name()"
		exit 1
	}
done <"$TOP/test/program/exports.txt"
if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$TOP/hack/man/libpodpid.3"
fi

for compiler in gcc clang g++ clang++; do
	command -v "$compiler" >/dev/null || {
		missing+=("$compiler")
		continue
	}
	case $compiler in
	*++) for standard in 11 14 17 20; do compile "$compiler" "c++$standard" cc; done ;;
	*) for standard in 99 11 17; do compile "$compiler" "c$standard" c; done ;;
	esac
done
echo "$tried compilations without a warning"
[ ${#missing[@]} -eq 0 ] || {
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || {
		echo "FAILED: missing: ${missing[*]}"
		exit 1
	}
	echo "skipped: ${missing[*]} missing (packages g++, clang); the others were tried"
	exit 77
}
