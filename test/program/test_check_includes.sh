#!/usr/bin/env bash
# The tree's includes point the right way, and the check that says so sees each wrong one.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
"$here/check-includes"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
expect_refused() {
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/cri/base" "$tree/resolver/cli" "$tree/test"
	printf '#include <stdio.h>\n#include "cri/base/text.h"\n' >"$tree/cri/a.c"
	cp "$tree/cri/a.c" "$tree/resolver/a.c"
	printf '#include "resolver/podpid.h"\n' >"$tree/resolver/cli/a.c"
	"$here/check-includes" "$tree"
	printf '%s\n' "$2" >"$tree/$1"
	if "$here/check-includes" "$tree" >/dev/null; then
		echo "not seen: $2 in $1"
		exit 1
	fi
}
expect_refused cri/b.c '#include "resolver/snapshot/snapshot.h"'
expect_refused cri/b.h '  #  include "../resolver/snapshot.h"'
expect_refused cri/base/b.c '#include "cri/view.h"'
expect_refused resolver/b.c '#include "resolver/cli/table.h"'
expect_refused resolver/cli/b.c '#include "resolver/snapshot/snapshot.h"'
expect_refused resolver/cli/b.c '#include "cri/base/text.h"'
expect_refused resolver/b.c '#include "cri.pb-c.h"'
expect_refused test/b.c '#include <cri/cri.pb-c.h>'
