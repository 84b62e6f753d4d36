#!/usr/bin/env bash
# The node that the tests share: 50 pods of 2 containers of 3 processes on a real containerd.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

dir=$(mktemp -d /tmp/podpid-node.XXXXXX)
"$TOP/hack/sandbox" up --dir "$dir" --pods 50 --containers 2 --processes 3
echo "$dir" >"$NODE_FILE"
