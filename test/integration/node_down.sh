#!/usr/bin/env bash
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

[ -e "$NODE_FILE" ] || exit 0
"$TOP/hack/sandbox" down --dir "$(cat "$NODE_FILE")"
rm "$NODE_FILE"
