#!/bin/bash
# Messages, formats and exit statuses of the program, for good and for wrong command lines. It looks at
# captures and at the /proc of one, never at this machine.
#   test/program/cli_usage.sh PODPID VALIDATE SILENT
set -u
podpid=$1 validate=$2 silent=$3
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
demo=$here/fixtures/captures/demo
schemas=$here/../resolver/schema
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE NO_COLOR
export HOST_PROC=$demo/proc
failed=0

complain() {
	printf 'FAILED: podpid %s: %s\n' "$1" "$2"
	sed 's/^/  out: /' "$folder/out" | head -5
	sed 's/^/  err: /' "$folder/err" | head -5
	failed=1
}

# expect STATUS PATTERN-OF-STDERR|- ARG...: nothing on stdout unless the status is 0 or 1.
expect() {
	local status=$1 pattern=$2 got
	shift 2
	"$podpid" "$@" >"$folder/out" 2>"$folder/err" </dev/null
	got=$?
	[ "$got" = "$status" ] || complain "$*" "status $got, not $status"
	if [ "$pattern" = - ]; then
		[ ! -s "$folder/err" ] || complain "$*" "something on standard error"
	else
		grep -qE -- "$pattern" "$folder/err" || complain "$*" "no '$pattern' on standard error"
		[ "$(wc -l <"$folder/err")" = 1 ] || complain "$*" "not one line on standard error"
	fi
	if [ "$status" -gt 1 ] && [ -s "$folder/out" ]; then
		complain "$*" "something on standard output"
	fi
}

# Usage errors: one line that names the mistake and --help.
expect 2 'name a verb.*podpid --help'
expect 2 'no such verb: lst .*podpid --help' lst
expect 2 'unknown option --foo .*podpid --help' --foo
expect 2 'unknown option --foo .*podpid list --help' list --foo
expect 2 'unknown option -Z ' list -Z
expect 2 'option -n needs a value' list -n
expect 2 'option --namespace needs a value' list --namespace
expect 2 'option --all=x takes no value' list --all=x
expect 2 'takes no argument: x' list x
expect 2 '-o xml: must be one of table' list -o xml
expect 2 '-o table: must be one of|takes no option' pid -o table x/y
expect 2 'takes no option --namespace' version -n x
expect 2 'takes no option --namespace' -n x version
expect 2 "'soon' is no duration" list --timeout soon
expect 2 'more than nothing' list --timeout 0
expect 2 'label selector' list -l a=b=c
expect 2 'stands in for' list --replay "$demo" -r /x
expect 2 'only unix sockets' list -r tcp://127.0.0.1:1
expect 2 'name a NAMESPACE/POD' pid
expect 2 "'web' is no NAMESPACE/POD" pid --replay "$demo" web
expect 2 'name a PID' whois
expect 2 "'x' is no PID" whois x
expect 2 "'0' is no PID" whois 0
expect 2 "'99999999999' is no PID" whois 99999999999
expect 2 "--ns: 'x' is no PID" whois --ns x 1
expect 2 'unknown option .*x1b' list $'--\e[31m'

expect 2 'no such verb: lst ' help lst
expect 0 - help
expect 0 - help list

# Inputs and runtimes that are not there.
expect 2 'no capture' list --replay "$folder/none"
expect 3 'no such file' list -r "$folder/none.sock"
expect 3 'no such file' pid -r "$folder/none.sock" a/b
expect 3 'no such file' whois -r "$folder/none.sock" 1

# Answers.
expect 0 - list --replay "$demo"
expect 0 - --replay "$demo" -n prod list
expect 0 'no container matches$' list --replay "$demo" -p nope
expect 0 'no container matches; 1 that does not run: -a shows it$' list --replay "$demo" -p report-28402
expect 0 'without a runtime there are no names' list -q --no-runtime -p web
expect 0 'no line of it is one of a /proc/PID/cgroup' cgroup "$demo/runtime.json"
expect 0 - whois --replay "$demo" --ns 6637 1 7
grep -qE '^ *7 +6661 child ' "$folder/out" || complain 'whois --ns' 'no PID of the host'
expect 1 'no process 9 in the PID namespace of 6637' whois --replay "$demo" --ns 6637 9
expect 0 - list --replay "$demo" --strict
expect 0 'no container matches' list --replay "$demo" -n nowhere
expect 1 'no container matches' list --replay "$demo" -n nowhere --strict
expect 0 - pid --replay "$demo" prod/web
[ "$(cat "$folder/out")" = $'6637\n6702' ] || complain 'pid prod/web' 'not 6637 and 6702'
expect 1 'no pod prod/nope' pid --replay "$demo" prod/web prod/nope
[ ! -s "$folder/out" ] || complain 'pid' 'a part of the answer on standard output'
expect 1 'prod/web/migrate .* not verified but exited' pid --replay "$demo" prod/web/migrate
expect 1 'no pod prod/nope' pid --partial --replay "$demo" prod/web/app prod/nope
[ "$(cut -f2 "$folder/out" | tr '\n' ' ')" = '6637 - ' ] || complain 'pid --partial' 'not 6637 and -'
expect 0 - whois --replay "$demo" 6661
expect 1 'no process 7777' whois --replay "$demo" 7777 6661
printf '6661\n  9131 1\nrubbish\n\n-5\n' | "$podpid" whois --replay "$demo" -o json - \
	>"$folder/out" 2>"$folder/err"
[ $? = 1 ] || complain 'whois -' 'not status 1'
[ "$(wc -l <"$folder/out")" = 3 ] || complain 'whois -' 'not three answers'
grep -q "line 3: 'rubbish'" "$folder/err" || complain 'whois -' 'line 3 is not named'
grep -q "line 5: '-5'" "$folder/err" || complain 'whois -' 'line 5 is not named'

# Every format is what it says.
for format in table wide tree json jsonl yaml pid prom; do
	expect 0 - list --replay "$demo" -a -o $format
	[ -s "$folder/out" ] || complain "list -o $format" 'nothing on standard output'
done
"$podpid" list --replay "$demo" -a -o json | "$validate" "$schemas/podpid.v1.json" ||
	complain 'list -o json' 'not of its schema'
"$podpid" list --replay "$demo" -a -o jsonl |
	"$validate" --lines "$schemas/podpid.container.v1.json" ||
	complain 'list -o jsonl' 'not of its schema'

# --help: complete, on standard output, no line wider than a terminal.
verbs=$("$podpid" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$verbs" ] || complain '--help' 'no verbs'
for verb in '' $verbs; do
	# shellcheck disable=SC2086
	expect 0 - $verb --help
	[ "$(awk '{ if (length($0) > w) w = length($0) } END { print w }' "$folder/out")" -le 80 ] ||
		complain "$verb --help" 'a line is too long'
done
# --replay is there for those that take it, and refused in a line by those that do not.
for verb in list pid whois preflight; do
	"$podpid" $verb --help | grep -q -- '--replay DIR' || complain "$verb --help" 'no --replay'
done
for verb in watch capture; do
	"$podpid" $verb --help | grep -qE -- '^ +--replay' && complain "$verb --help" '--replay'
done
expect 2 'a capture does not change' watch --replay "$demo"
expect 2 'takes no option --replay' capture --replay "$demo" "$folder/capture"
expect 2 'takes no option --replay' --replay "$demo" capture "$folder/capture"
expect 0 - version
cp "$folder/out" "$folder/version"
expect 0 - --version
cmp -s "$folder/out" "$folder/version" || complain --version 'not what podpid version says'

# Standard output that cannot be written: said, status 1. A reader that goes away: its signal.
for format in table tree json yaml pid prom; do
	"$podpid" list --replay "$demo" -o $format >/dev/full 2>"$folder/err"
	[ $? = 1 ] || complain "list -o $format >/dev/full" 'not status 1'
	grep -q 'cannot write to standard output' "$folder/err" ||
		complain "list -o $format >/dev/full" 'it does not say so'
done
"$podpid" pid --replay "$demo" prod/web >&- 2>"$folder/err"
[ $? = 1 ] || complain 'pid >&-' 'not status 1'

# A runtime that never answers: the look ends at its timeout, or by the signal, with nothing printed.
"$silent" "$folder/silent.sock" &
server=$!
while [ ! -S "$folder/silent.sock" ]; do sleep 0.05; done
expect 3 . list --timeout 300ms -r "$folder/silent.sock"
for signal in TERM HUP; do
	"$podpid" list --timeout 30s -r "$folder/silent.sock" >"$folder/out" 2>"$folder/err" &
	child=$!
	sleep 0.3
	kill -s $signal $child
	wait $child
	[ $? = $((128 + $(kill -l $signal))) ] || complain list "SIG$signal: another status"
	[ ! -s "$folder/out" ] || complain list "SIG$signal: something on standard output"
done
kill $server
wait $server 2>/dev/null
exit $failed
