#!/usr/bin/env bash
# The examples of README and of the manual pages are true: their commands print what is shown, on the
# recorded node; the policy is read, the C example compiles, and the files that README points to exist.
#   test/program/examples.sh PODPID CC
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

# blocks FILE [LANGUAGE]: the content of the fenced blocks of that language in a Markdown file, or of the
# literal blocks of a manual page.
blocks() {
	case $1 in
	*.md) awk -v language="$2" '
		/^```/ { inside = !inside && $0 == "```" language; next }
		inside' "$1" ;;
	*) awk '
		/^\.Ed/ { inside = 0 }
		inside
		/^\.Bd -literal/ { inside = 1 }' "$1" | sed 's/^\\&//; s/\\(dq/"/g; s/\\-/-/g; s/\\e/\\/g' ;;
	esac
}

# Examples look at the recorded node; explaining a text looks at no node.
podpid() {
	case $1 in
	cgroup | version) "$PODPID" "$@" ;;
	*) "$PODPID" --replay test/fixtures/captures/demo "$@" ;;
	esac
}

# compare FILE COMMAND EXPECTED: "..." stands for anything, blanks at the ends of lines for nothing. An
# example without output is not run.
compare() {
	local pattern output

	[ -n "$2" ] && [ -n "$3" ] || return 0
	[[ $2 != *'| jq'* ]] || command -v jq >/dev/null || return 0
	checked=$((checked + 1))
	output=$(eval "$2" 2>/dev/null | sed 's/ *$//') || true
	pattern=$(sed 's/[][*?\\]/\\&/g; s/\.\.\./*/g' <<<"$3")
	# shellcheck disable=SC2053 # a pattern
	[[ $output == $pattern ]] || {
		complain "$1 shows something else for: $2"
		diff <(printf '%s\n' "$3") <(printf '%s\n' "$output") || true
	}
}

# run_examples FILE: "$ COMMAND" and the lines it prints; "# COMMAND" needs a live node and is not run.
run_examples() {
	local command='' expected='' line

	while IFS= read -r line; do
		case $line in
		'$ '* | '# '*)
			compare "$1" "$command" "$expected"
			command='' expected=''
			[[ $line == '# '* ]] || command=${line#'$ '}
			;;
		*) expected=${expected:+$expected$'\n'}$line ;;
		esac
	done
	compare "$1" "$command" "$expected"
}

checked=0
run_examples README.md < <(blocks README.md console)
[ "$checked" -ge 5 ] || complain "only $checked examples were found in README"
for page in hack/man/*.[0-9]; do
	run_examples "$page" < <(blocks "$page")
done
[ "$checked" -ge 15 ] || complain "only $checked examples were found in all"

blocks hack/man/podpid-policy.5 | sed -n '/^apiVersion/,/^handoff/p' >"$FOLDER/policy.yaml"
[ -s "$FOLDER/policy.yaml" ] || complain 'no policy'
podpid list -f "$FOLDER/policy.yaml" >"$FOLDER/out" 2>&1 || complain "the policy: $(cat "$FOLDER/out")"

# The program of libpodpid(3): the block that begins with an #include.
if [ -e hack/man/libpodpid.3 ]; then
	blocks hack/man/libpodpid.3 | sed -n '/^#include/,/^}/p' >"$FOLDER/example.c"
	[ -s "$FOLDER/example.c" ] || complain 'no C example'
	"$CC" -Wall -Wextra -Werror -fsyntax-only -Iresolver "$FOLDER/example.c" || complain 'the C example does not compile'
fi

# Files that README points to.
grep -oE '\]\([^)#]+\)' README.md | tr -d '()]' | grep -v '^http' >"$FOLDER/links"
while read -r file; do
	[ -e "$file" ] || complain "README points to $file, which is not there"
done <"$FOLDER/links"
exit $failed
