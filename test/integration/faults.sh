#!/usr/bin/env bash
# Sockets of all kinds that are no working runtime: exit status 3 within the deadline, nothing on stdout, and
# a line that says what is wrong and what to do, different for each kind.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

PEERS=()
peer() {
	"$PODPID_BUILD/test/integration/peer" "$1" "$SCRATCH/$1.sock" &
	PEERS+=($!)
	eventually 5 test -S "$SCRATCH/$1.sock"
}
stop_peers() {
	kill "${PEERS[@]}" 2>/dev/null || true
	finish
}
trap stop_peers EXIT

# fails NAME COMMAND...: podpid --timeout 1s ends within 5 seconds with status 3.
fails() {
	local name=$1 status=0 line
	shift
	timeout 5 "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
	[ $status -ne 124 ] || fail "$name: the deadline of one second was not kept"
	[ $status -eq 3 ] || fail "$name: exit status $status: $(cat "$SCRATCH/err")"
	[ ! -s "$SCRATCH/out" ] || fail "$name: on stdout: $(cat "$SCRATCH/out")"
	[ -s "$SCRATCH/err" ] || fail "$name: not a word on stderr"
	printf '%s: %s\n' "$name" "$(cat "$SCRATCH/err")"
	[ "$name" != stopped ] || return 0 # its words are those of one of the others
	line=$(sed -E "s|[^ ]*/[^ :]*||g" "$SCRATCH/err" | head -n 1)
	if grep -qxF -- "$line" "$SCRATCH/said" 2>/dev/null; then
		fail "$name: in the words of another: $line"
	fi
	printf '%s\n' "$line" >>"$SCRATCH/said"
}

list() {
	fails "$1" "$PODPID" list --timeout 1s -o json -r "unix://$2"
}

for mode in silent garbage middle close; do
	peer $mode
	list $mode "$SCRATCH/$mode.sock"
done
echo 'not a socket' >"$SCRATCH/file"
list 'no socket' "$SCRATCH/file"
list 'no such file' "$SCRATCH/nothing.sock"

# A socket file whose listener is gone.
kill "${PEERS[0]}"
wait "${PEERS[0]}" 2>/dev/null || true
list stale "$SCRATCH/silent.sock"

own_node --pods 2 --containers 2
sandbox stop
list stopped "$NODE/containerd.sock"
sandbox start
sandbox stop -KILL
list stopped "$NODE/containerd.sock"
sandbox start

for _ in 1 2 3; do
	whole_or_none -KILL
	sandbox start
done

# A user without permission.
chmod 755 "$SCRATCH"
cp "$PODPID" "$SCRATCH/podpid"
install -m 0600 /dev/null "$SCRATCH/locked"
fails 'no permission' setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$SCRATCH/podpid" list --timeout 1s -r "$ENDPOINT"
grep -qi 'permission' "$SCRATCH/err" || fail "no permission: $(cat "$SCRATCH/err")"

look
[ "$(jq '[.pods[].containers[] | select(.verdict == "verified")] | length' "$DOC")" = 4 ] ||
	fail "after the restart not all is verified"
