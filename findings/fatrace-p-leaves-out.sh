#!/usr/bin/env bash
# fatrace 0.17.0 (Debian 12): whose events does "fatrace -p PID" print?
#
# Guess: those of the process PID, as -p of strace, perf, lsof and pidstat.
#
# Seen: those of all processes but PID. -p is short for --ignore-pid, and there is no option to choose one process by
# its PID. Who asks for one container's process gets the file events of all the others.
# shellcheck source=hack/lib/finding.sh
. "$(dirname "$0")/../hack/lib/finding.sh"

install fatrace=0.17.0-1
# A file system of its own, and fatrace -c, so that the events of other people's files do not matter.
cat >"$DIR/inside.sh" <<'S'
set -eu
mount -t tmpfs tmpfs "$1/mnt"
cd "$1/mnt"
# Each writes its own file when it is told to.
for name in given other; do
	perl -e 'select undef, undef, undef, 0.1 until -e "$ARGV[0].go"; open F, ">", $ARGV[1]; print F 1; close F' \
		"$1/$name" "$name" &
	echo "$!" >"$1/$name.pid"
done
given=$(cat "$1/given.pid")
fatrace -c -s 3 -f W -p "$given" >"$1/out" 2>"$1/err" &
sleep 1.5
touch "$1/given.go" "$1/other.go"
wait
S
mkdir "$DIR/mnt"
unshare --mount bash "$DIR/inside.sh" "$DIR" || cannot "$(tail -n 1 "$DIR/err")"
given=$(cat "$DIR/given.pid")
other=$(cat "$DIR/other.pid")
# count PID: the lines of fatrace with this PID.
count() {
	grep -c "($1): " "$DIR/out" || true
}
of_given=$(count "$given")
of_other=$(count "$other")
echo "fatrace -p $given: $of_given lines of PID $given, $of_other lines of PID $other, by equal work"
[ "$((of_given + of_other))" -gt 0 ] || cannot "fatrace sees no events"
[ "$of_given" = 0 ] || changed "expected no event of the given process"
[ "$of_other" -gt 0 ] || changed "expected events of the other process"
