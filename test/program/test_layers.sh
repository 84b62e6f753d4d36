#!/usr/bin/env bash
# The tree keeps the order of its rooms, and the check that says so notices each kind of offence.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
"$here/check-layers"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# A small tree without an offence.
plant() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree"/cri/{base,grpc,rpc,docker} "$tree"/resolver/{cli,cgroup,proc,look,preflight,watch} "$tree/test"
	printf '#include <stdio.h>\n#include "cri/base/text.h"\n' >"$tree/cri/a.c"
	printf '#include "cri/view.h"\n#include "resolver/proc/stat.h"\n' >"$tree/resolver/look/a.c"
	printf '#include "resolver/podpid.h"\n' >"$tree/resolver/cli/a.c"
	"$here/check-layers" "$tree"
}

# refused WHAT: the tree as it is now is complained about.
refused() {
	if "$here/check-layers" "$tree" >/dev/null; then
		echo "not noticed: $1"
		exit 1
	fi
}

# include FILE LINE
include() {
	plant
	printf '%s\n' "$2" >"$tree/$1"
	refused "$2 in $1"
}
include cri/b.c '#include "resolver/snapshot/snapshot.h"'
include cri/b.h '  #  include "../resolver/proc/stat.h"'
include cri/base/b.c '#include "cri/view.h"'
include cri/grpc/b.c '#include "cri/view.h"'
include cri/rpc/b.c '#include "cri/docker/http.h"'
include cri/docker/b.c '#include "cri/client.h"'
include resolver/b.c '#include "resolver/cli/table.h"'
include resolver/cgroup/b.c '#include "resolver/proc/stat.h"'
include resolver/proc/b.h '#include "resolver/look/impl.h"'
include resolver/watch/b.c '#include "resolver/preflight/checks.h"'
include resolver/look/b.c '#include "resolver/nowhere/b.h"'
include resolver/cli/b.c '#include "resolver/snapshot/snapshot.h"'
include resolver/cli/b.c '#include "cri/base/text.h"'
include resolver/look/b.c '#include "cri.pb-c.h"'
include test/b.c '#include <cri/cri.pb-c.h>'

# Three files that call each other in a circle, beside one that is only called.
plant
for pair in a:b b:c c:a; do
	printf 'void %s_do(void)\n{\n    %s_do();\n    d_do();\n}\n' "${pair%:*}" "${pair#*:}" >"$tree/resolver/proc/${pair%:*}.c"
done
printf 'void d_do(void)\n{\n}\n' >"$tree/resolver/proc/d.c"
refused 'a circle of calls'
[ "$("$here/check-layers" "$tree" | grep -c circle)" = 3 ]
printf 'void c_do(void)\n{\n    /* a_do() */\n    d_do();\n}\n' >"$tree/resolver/proc/c.c"
"$here/check-layers" "$tree"

plant
printf '/* line %s */\n' $(seq 501) >"$tree/resolver/proc/long.c"
refused 'a file of 501 lines'

plant
for n in $(seq 17); do
	: >"$tree/resolver/proc/$n.c"
done
refused 'a folder of 17 sources'
