#!/bin/sh
# Run a test program as the first process of a new PID namespace, with a /proc that shows only that
# namespace. Processes that it leaves behind end with it. Needs root; other users skip the test.
#   test/integration/alone.sh PROGRAM [ARGUMENT...]
if [ "$(id -u)" != 0 ]; then
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || { echo "FAILED: not root"; exit 1; }
	echo "skipped: a PID namespace of its own needs root"
	exit 77
fi
exec unshare --fork --pid --mount-proc --kill-child "$@"
