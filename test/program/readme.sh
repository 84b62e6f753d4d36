#!/usr/bin/env bash
# What README and the manual page say is true: README's console blocks give what they show, on the
# recorded node; its policy is read, its C example compiles; each option that it names is known to
# --help; each verb of --help is named in README, and each verb and option in the manual page.
#   test/program/readme.sh PODPID CC
set -euo pipefail
PODPID=$1 CC=$2
TOP=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC NODE_NAME COLUMNS
export LC_ALL=C.UTF-8 # trees are drawn as README shows them
cd "$TOP"
failed=0

complain() {
	printf 'FAILED: %s\n' "$*" >&2
	failed=1
}

# blocks LANGUAGE: the content of all fenced blocks of it.
blocks() {
	awk -v language="$1" '
		/^```/ { inside = !inside && $0 == "```" language; if (inside) n++; next }
		inside' README.md
}

# Examples look at the recorded node; explaining a text looks at no node.
podpid() {
	case $1 in
	cgroup | version) "$PODPID" "$@" ;;
	*) "$PODPID" --replay test/fixtures/captures/demo "$@" ;;
	esac
}

# compare COMMAND EXPECTED: "..." stands for anything, blanks at the ends of lines for nothing.
compare() {
	local pattern output

	[ -n "$1" ] || return 0
	[[ $1 != *'| jq'* ]] || command -v jq >/dev/null || return 0
	checked=$((checked + 1))
	output=$(eval "$1" 2>/dev/null | sed 's/ *$//') || true
	pattern=$(sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g' <<<"$2")
	# shellcheck disable=SC2053 # a pattern
	[[ $output == $pattern ]] || {
		complain "README shows something else for: $1"
		diff <(printf '%s\n' "$2") <(printf '%s\n' "$output") || true
	}
}

checked=0 command='' expected=''
while IFS= read -r line; do
	if [[ $line == '$ '* ]]; then
		compare "$command" "$expected"
		command=${line#'$ '} expected=''
	else
		expected=${expected:+$expected$'\n'}$line
	fi
done < <(blocks console)
compare "$command" "$expected"
[ "$checked" -ge 10 ] || complain "only $checked examples were found"

blocks yaml >"$FOLDER/policy.yaml"
podpid list -f "$FOLDER/policy.yaml" >"$FOLDER/out" 2>&1 || complain "the policy: $(cat "$FOLDER/out")"

blocks c >"$FOLDER/example.c"
[ -s "$FOLDER/example.c" ] || complain 'no C example'
"$CC" -Wall -Wextra -Werror -fsyntax-only -Iresolver "$FOLDER/example.c" || complain 'the C example does not compile'

verbs=$("$PODPID" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$verbs" ] || complain 'no verbs in --help'
for verb in $verbs; do
	"$PODPID" "$verb" --help
	grep -qE "podpid $verb\b" README.md || complain "README does not name the verb $verb"
done >"$FOLDER/help"
"$PODPID" --help >>"$FOLDER/help"

# Lines about other programs aside.
grep -vE 'cmake|ctest|apt-get|pkg-config|hack/sandbox|podpid --help' README.md |
	grep -oE -- '(^|[^-a-z])--[a-z]+(-[a-z]+)*' | sed 's/^[^-]*//' | sort -u >"$FOLDER/options"
while read -r option; do
	grep -qE -- "(^|[ ,])$option( |\$)" "$FOLDER/help" || complain "README names $option, which --help does not know"
done <"$FOLDER/options"
[ "$(wc -l <"$FOLDER/options")" -ge 10 ] || complain 'hardly an option was found in README'

# The manual page: every verb and option, and no other.
man=hack/man/podpid.1
grep -oE -- '^ +(-[a-zA-Z], )?--[a-z-]+' "$FOLDER/help" | grep -oE -- '--[a-z-]+' | sort -u >"$FOLDER/known"
grep -oE 'Fl -[a-z-]+' "$man" | sed 's/Fl -/--/' | sort -u >"$FOLDER/explained"
diff "$FOLDER/known" "$FOLDER/explained" || complain 'options of --help (<) and of the manual page (>) differ'
for verb in $verbs; do
	grep -qx "\.It Cm $verb" "$man" || complain "the manual page does not explain the verb $verb"
done

# The checks: the same ones everywhere, which of them nothing lowers, and which end with status 3.
"$PODPID" --replay test/fixtures/captures/demo preflight -q -o prom |
	sed -n 's/^podpid_preflight_check{check="\([^"]*\)",result="pass"}.*/\1/p' >"$FOLDER/checks"
[ -s "$FOLDER/checks" ] || complain 'no checks'
"$PODPID" preflight --help | sed -n '/^Checks/,/^$/p' >"$FOLDER/checks.help"
sed -n 's/^  \([a-z]*\.[a-z]*\) .*/\1/p' "$FOLDER/checks.help" | diff "$FOLDER/checks" - || complain 'checks of preflight --help'
sed -n 's/^| .\([a-z]*\.[a-z]*\). | .*/\1/p' README.md | diff "$FOLDER/checks" - || complain 'checks of README'
sed -n 's/^\.It Li \([a-z]*\.[a-z]*\)\( \*\)*$/\1/p' "$man" | diff "$FOLDER/checks" - || complain 'checks of the manual page'
sed -n 's/^  \([a-z]*\.[a-z]*\) .*\*$/\1/p' "$FOLDER/checks.help" >"$FOLDER/fixed"
sed -n 's/^| .\([a-z]*\.[a-z]*\). | .* | no |$/\1/p' README.md | diff "$FOLDER/fixed" - || complain 'what README says can be lowered'
sed -n 's/^\.It Li \([a-z]*\.[a-z]*\) \*$/\1/p' "$man" | diff "$FOLDER/fixed" - || complain 'what the manual page says can be lowered'
sed -n 's/^  \([a-z]*\.[a-z]*\) .*, status 3.*/\1/p' "$FOLDER/checks.help" >"$FOLDER/status3"
sed -n 's/^| .\([a-z]*\.[a-z]*\). | .*, status 3 | .*/\1/p' README.md | diff "$FOLDER/status3" - || complain 'which checks README gives status 3'
awk '$1 == ".It" && $2 == "Li" { id = $3 } /exit status 3\.$/ && id ~ /^[a-z]+\.[a-z]+$/ { print id }' "$man" |
	diff "$FOLDER/status3" - || complain 'which checks the manual page gives status 3'

# And the completion of --ignore gives them.
ln -s "$(readlink -f "$PODPID")" "$FOLDER/podpid"
(
	# shellcheck source=hack/completion/podpid.bash
	. hack/completion/podpid.bash
	# shellcheck disable=SC2034 # read by the completion
	COMP_WORDS=("$FOLDER/podpid" preflight --ignore '') COMP_CWORD=3
	_podpid
	printf '%s\n' "${COMPREPLY[@]}"
) | diff "$FOLDER/checks" - || complain 'the completion of --ignore'

# Files that it points to.
grep -oE '\]\([^)#]+\)' README.md | tr -d '()]' | grep -v '^http' >"$FOLDER/links"
while read -r file; do
	[ -e "$file" ] || complain "README points to $file, which is not there"
done <"$FOLDER/links"
exit $failed
