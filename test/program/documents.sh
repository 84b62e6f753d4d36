#!/usr/bin/env bash
# README, the manual pages, --help, podpid.h, the JSON schemas and the completion name the same
# verdicts, roles, checks, verbs, options, formats, metrics and exit statuses: none is missing in one of
# them, and none of them names one that does not exist.
#   test/program/documents.sh PODPID NAMES
set -euo pipefail
PODPID=$(readlink -f "$1") NAMES=$2
TOP=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC NODE_NAME
cd "$TOP"
DEMO=test/fixtures/captures/demo
PROGRAM=hack/man/podpid.1 POLICY=hack/man/podpid-policy.5 JSON=hack/man/podpid-json.5
HEADER=resolver/podpid.h SCHEMA=resolver/schema/podpid.v1.json
failed=0

complain() {
	printf 'FAILED: %s\n' "$*" >&2
	failed=1
}

# same WHAT EXPECTED: standard input has the same words as the file EXPECTED, in any order.
same() {
	diff <(sort -u "$2") <(sort -u) >"$FOLDER/diff" ||
		complain "$1: < is missing, > does not exist:"$'\n'"$(cat "$FOLDER/diff")"
}

# names KIND: the library's names of that kind.
names() {
	"$NAMES" | sed -n "s/^$1 //p"
}

# section PAGE TITLE: a section of a manual page.
section() {
	awk -v title=".Sh $2" '/^\.Sh/ { inside = $0 == title } inside' "$1"
}

# tags: the words of ".It Li a , b" lines on standard input.
tags() {
	sed -n 's/^\.It Li //p' | tr -d ' *' | tr ',' '\n'
}

# entry PAGE TAG: the words set in Li of the list entry TAG.
entry() {
	awk -v tag=".It Li $2" '/^\.(It|El)/ { inside = $0 == tag; next } inside && /^\.(Li|Pq Li) /' "$1" |
		sed 's/^\.\(Pq \)*Li //; s/ No or Li / , /' | tr -d ' .;' | tr ',' '\n' | sed '/^$/d'
}

# help_section TITLE: the first words of the lines under TITLE in --help on standard input.
help_section() {
	sed -n "/^$1/,/^\$/s/^  \\([a-z][a-z.-]*\\) .*/\\1/p"
}

# described PROPERTY: the words before a semicolon that the schema describes PROPERTY with.
described() {
	grep -A 3 "^ *\"$2\": {" "$1" | sed -n 's/.*"description": "\([^";]*\).*/\1/p' | head -n 1 |
		tr -d ' ' | tr ',' '\n'
}

# enumerators ENUM: those of podpid.h, as the names are written.
enumerators() {
	grep -oE "\bPODPID_$1_[A-Z_]+\b" "$HEADER" | grep -v '_INIT$' | sed "s/PODPID_$1_//" |
		tr 'A-Z_' 'a-z-' | sort -u
}

for kind in verdict role state result event status; do
	names $kind >"$FOLDER/$kind"
	[ "$(wc -l <"$FOLDER/$kind")" -ge 4 ] || complain "hardly a $kind"
done

# Verdicts; absent is the one of sandboxes only.
grep -v '^absent$' "$FOLDER/verdict" >"$FOLDER/verdicts"
enumerators VERDICT | same 'verdicts of podpid.h' "$FOLDER/verdict"
"$PODPID" list --help | help_section Verdicts | same 'verdicts of list --help' "$FOLDER/verdicts"
section $PROGRAM VERDICTS | tags | diff "$FOLDER/verdicts" - || complain 'verdicts of podpid.1, in their order'
section $PROGRAM VERDICTS | grep -qx '\.Li absent' || complain 'podpid.1 does not explain absent'
entry $JSON verdict | same 'verdicts of podpid-json.5' "$FOLDER/verdict"
{
	described $SCHEMA verdict
	echo absent
} | same "verdicts of $SCHEMA" "$FOLDER/verdict"
grep -q 'of sandboxes also absent"' $SCHEMA || complain "absent of $SCHEMA"

# Roles; the last three are answers of whois only.
enumerators ROLE | same 'roles of podpid.h' "$FOLDER/role"
"$PODPID" whois --help | help_section Roles | same 'roles of whois --help' "$FOLDER/role"
section $PROGRAM ROLES | tags | same 'roles of podpid.1' "$FOLDER/role"
head -n 4 "$FOLDER/role" >"$FOLDER/roles"
described $SCHEMA role | same "roles of $SCHEMA" "$FOLDER/roles"
entry $JSON processes | grep -v '^role:$' | same 'roles of podpid-json.5' "$FOLDER/roles"

# States, results, events.
enumerators STATE | same 'states of podpid.h' "$FOLDER/state"
entry $JSON state | same 'states of podpid-json.5' "$FOLDER/state"
enumerators RESULT | same 'results of podpid.h' "$FOLDER/result"
sed -n 's/.*"result": {"enum": \[\(.*\)\]}.*/\1/p' resolver/schema/podpid.preflight.v1.json | tr -d '" ' |
	tr ',' '\n' | same 'results of the schema' "$FOLDER/result"
enumerators EVENT | same 'events of podpid.h' "$FOLDER/event"
sed -n 's/.*"event": {.*"description": "\([^"]*\)".*/\1/p' resolver/schema/podpid.event.v1.json |
	tr -d ' ' | tr ',' '\n' | same 'events of the schema' "$FOLDER/event"
section $JSON EVENTS >"$FOLDER/events"
while read -r event; do
	grep -qE "^\.Li .*\b$event\b" "$FOLDER/events" || complain "podpid-json.5 does not name the event $event"
done <"$FOLDER/event"

# Verbs.
"$PODPID" --help >"$FOLDER/help.program"
help_section Verbs <"$FOLDER/help.program" >"$FOLDER/verbs"
[ "$(wc -l <"$FOLDER/verbs")" -ge 8 ] || complain 'hardly a verb in --help'
section $PROGRAM VERBS | awk '/^\.Bl/ { depth++ } /^\.El/ { depth-- } depth == 1 && /^\.It Cm/ { print $3 }' |
	same 'verbs of podpid.1' "$FOLDER/verbs"
sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/s/^\.Cm //p' $PROGRAM | same 'verbs of the synopsis' "$FOLDER/verbs"
while read -r verb; do
	tr '\n' ' ' <README.md | grep -qE "podpid $verb\b" || complain "README does not name the verb $verb"
	"$PODPID" "$verb" --help >"$FOLDER/help.$verb"
done <"$FOLDER/verbs"

# Options.
cat "$FOLDER"/help.* | grep -oE -- '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u >"$FOLDER/options"
[ "$(wc -l <"$FOLDER/options")" -ge 20 ] || complain 'hardly an option in --help'
section $PROGRAM OPTIONS | grep '^\.It' | grep -oE 'Fl -[a-z-]+' | sed 's/Fl -/--/' |
	same 'options of podpid.1' "$FOLDER/options"
# Letters, too: both forms in one place.
cat "$FOLDER"/help.* | sed -n 's/^ *\(-[a-zA-Z]\), \(--[a-z-]*\).*/\1 \2/p' | sort -u >"$FOLDER/letters"
section $PROGRAM OPTIONS | sed -n 's/^\.It Fl \([a-zA-Z]\) , Fl \(-[a-z-]*\).*/-\1 -\2/p' |
	same 'options with a letter of podpid.1' "$FOLDER/letters"
# Options that a document mentions exist; lines about other programs aside.
{
	grep -hoE 'Fl -[a-z-]+' hack/man/*.[15] | sed 's/Fl -/--/'
	grep -vE 'cmake|ctest|apt-get|pkg-config|hack/sandbox|podpid --help' README.md |
		grep -oE -- '(^|[^-a-z])--[a-z]+(-[a-z]+)*' | sed 's/^[^-]*//'
} | sort -u >"$FOLDER/mentioned"
comm -13 "$FOLDER/options" "$FOLDER/mentioned" >"$FOLDER/unknown"
[ ! -s "$FOLDER/unknown" ] || complain "options that do not exist: $(tr '\n' ' ' <"$FOLDER/unknown")"

# complete WORD...: what the completion offers for the last word.
ln -s "$PODPID" "$FOLDER/podpid"
complete_words() (
	# shellcheck source=hack/completion/podpid.bash
	. hack/completion/podpid.bash
	# shellcheck disable=SC2034 # read by the completion
	COMP_WORDS=("$FOLDER/podpid" "$@") COMP_CWORD=$#
	_podpid
	printf '%s\n' "${COMPREPLY[@]}"
)
complete_words '' | same 'completion of verbs' "$FOLDER/verbs"

grep -oE -- '^ +(-[a-zA-Z], )?--[a-z-]+' "$FOLDER/help.preflight" | grep -oE -- '--[a-z-]+' >"$FOLDER/own"
complete_words preflight - | same 'completion of options' "$FOLDER/own"

# Formats of each verb: the usage error, podpid.1 and the completion.
while read -r verb; do
	grep -q '^  -o, ' "$FOLDER/help.$verb" || continue
	sed -n 's/^  -o, --output FORMAT *//p' "$FOLDER/help.$verb" | tr '|' '\n' >"$FOLDER/formats"
	{ "$PODPID" "$verb" -o nonsense x 2>&1 || true; } | sed -n 's/.*must be one of \([a-z|]*\).*/\1/p' |
		tr '|' '\n' | same "formats of the usage error of $verb" "$FOLDER/formats"
	complete_words "$verb" -o '' | same "completion of $verb -o" "$FOLDER/formats"
	section $PROGRAM VERBS | awk -v verb=".It Cm $verb" '
		/^\.Bl/ { depth++ }
		/^\.El/ { depth-- }
		depth == 1 && /^\.It/ { inside = $0 == verb; formats = 0 }
		inside && /^Formats:/ { formats = 1 }
		inside && formats && /^\.(It )?Cm /' |
		sed 's/^\.\(It \)*Cm //' | tr -d ' .;' | tr ',' '\n' | sed '/^$/d' |
		same "formats of $verb in podpid.1" "$FOLDER/formats"
done <"$FOLDER/verbs"

# Checks, in their order, and which of them nothing lowers.
names check >"$FOLDER/checks"
"$PODPID" preflight -q -o prom --replay $DEMO |
	sed -n 's/^podpid_preflight_check{check="\([^"]*\)",result="pass"}.*/\1/p' |
	diff "$FOLDER/checks" - || complain 'checks of a report'
[ "$(wc -l <"$FOLDER/checks")" -ge 13 ] || complain 'hardly a check'
help_section Checks <"$FOLDER/help.preflight" | diff "$FOLDER/checks" - || complain 'checks of preflight --help'
section $POLICY CHECKS | tags | diff "$FOLDER/checks" - || complain 'checks of podpid-policy.5'
complete_words preflight --ignore '' | diff "$FOLDER/checks" - || complain 'the completion of --ignore'
# checks_with PATTERN: the checks of --help whose text matches, which may be on two lines.
checks_with() {
	sed -n '/^Checks/,/^$/p' "$FOLDER/help.preflight" | sed 1d | awk '$1 ~ /^[a-z]+\.[a-z]+$/ { printf "\n" } { printf "%s ", $0 }' |
		tr -s ' ' | grep -E "$1" | awk '{ print $1 }'
}
names fixed >"$FOLDER/fixed"
checks_with ' \* $' | same 'checks that nothing lowers, in --help' "$FOLDER/fixed"
section $POLICY CHECKS | sed -n 's/^\.It Li \([a-z.]*\) \*$/\1/p' |
	same 'checks that nothing lowers, in podpid-policy.5' "$FOLDER/fixed"
names check-status-3 >"$FOLDER/status3"
checks_with ', status 3' | same 'checks with status 3, in --help' "$FOLDER/status3"
section $POLICY CHECKS | awk '$1 == ".It" && $2 == "Li" { id = $3 } /exit status 3\.$/ { print id }' |
	same 'checks with status 3, in podpid-policy.5' "$FOLDER/status3"
grep -ohE '\b(host|runtime|pods|pids|targets|handoff)\.[a-z]+\b' README.md $PROGRAM $POLICY |
	grep -vxE '(pids|pods)\.(json|yaml)' | sort -u >"$FOLDER/mentioned"
sort "$FOLDER/checks" | comm -13 - "$FOLDER/mentioned" >"$FOLDER/unknown"
[ ! -s "$FOLDER/unknown" ] || complain "checks that do not exist: $(tr '\n' ' ' <"$FOLDER/unknown")"

# Exit statuses: those of the library's errors, and two of a COMMAND that cannot be run.
sed -n '/^Exit status:/,$s/^  \([0-9][0-9]*\)  .*/\1/p' "$FOLDER/help.program" |
	same 'exit statuses of --help' "$FOLDER/status"
{
	cat "$FOLDER/status"
	printf '126\n127\n'
} >"$FOLDER/statuses"
section $PROGRAM 'EXIT STATUS' | sed -n 's/^\.It //p' | tr -d ' ' | tr ',' '\n' |
	same 'exit statuses of podpid.1' "$FOLDER/statuses"
grep -q '126, 127' "$FOLDER/help.preflight" || complain '126 and 127 of preflight --help'

# Metrics and schemas.
{
	"$PODPID" list -o prom --replay $DEMO
	"$PODPID" preflight -q -o prom --replay $DEMO
} | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' >"$FOLDER/metrics"
section $JSON METRICS | tags | same 'metrics of podpid-json.5' "$FOLDER/metrics"
(cd resolver/schema && printf '%s\n' *.json) >"$FOLDER/schemas"
sed -n 's/^\.It Pa \(.*\.json\)$/\1/p' $JSON | same 'schemas of podpid-json.5' "$FOLDER/schemas"

# The manual pages are without a mistake.
if command -v mandoc >/dev/null; then
	for page in hack/man/*.[0-9]; do
		mandoc -T lint -W warning "$page" || complain "$page: mandoc warns"
	done
elif [ -n "${PODPID_REQUIRE_RUNTIME:-}" ]; then
	complain 'no mandoc'
fi
exit $failed
