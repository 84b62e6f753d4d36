#!/bin/sh
# What is installed is enough to build on, with the shared library and with the archive, beside
# symbols of a program's own that are called as ours inside.
#   test/program/install.sh BUILD-FOLDER CC [CFLAGS...]
set -eu
build=$1 cc=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$build" --prefix "$folder" >/dev/null
cat >"$folder/program.c" <<-'PROGRAM'
	#include <podpid.h>
	#include <string.h>

	int err_set(void);
	int err_set(void)
	{
	    return 0;
	}

	int main(void)
	{
	    struct podpid_error error = PODPID_ERROR_INIT;
	    int64_t ns;

	    if (podpid_parse_duration("soon", &ns, &error) != PODPID_ERR_USAGE) {
	        return 1;
	    }
	    return strstr(error.message, "soon") ? err_set() : 2;
	}
PROGRAM
PKG_CONFIG_PATH=$(dirname "$(find "$folder" -name podpid.pc)")
export PKG_CONFIG_PATH
archive=$(find "$folder" -name libpodpid.a)
config="pkg-config --define-variable=prefix=$folder"
# shellcheck disable=SC2046
"$cc" "$@" "$folder/program.c" -o "$folder/shared" $($config --cflags --libs podpid)
LD_LIBRARY_PATH=$(dirname "$archive") "$folder/shared"
# shellcheck disable=SC2046
"$cc" "$@" "$folder/program.c" -o "$folder/static" $($config --cflags podpid) "$archive" \
	$($config --static --libs-only-l podpid | sed 's/-lpodpid//')
"$folder/static"
for file in bin/podpid share/podpid/podpid.v1.json share/man/man1/podpid.1 share/man/man3/libpodpid.3 \
	share/bash-completion/completions/podpid; do
	test -s "$folder/$file"
done
