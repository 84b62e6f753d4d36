# Completion of podpid for bash. Verbs, options, formats and checks are read from --help, which takes
# about a millisecond. Names of pods come from a look at the node that may take half a second at most.
# shellcheck shell=bash

# _podpid_words PLACEHOLDER CURRENT: complete what a usage line calls FILE, DIR and so on.
_podpid_words() {
	case $1 in
	*NAMESPACE/POD*)
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" list -q --timeout 500ms -o jsonl 2>/dev/null |
			sed -n 's/^{"pod_namespace": "\([^"]*\)", "pod_name": "\([^"]*\)",.*, "name": "\([^"]*\)", "id": .*/\1\/\2\/\3/p')" -- "$2")
		;;
	*FILE* | *ADDR*) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	*DIR*) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
	esac
}

_podpid() {
	local cur prev verb='' i help verbs words
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return 0
	verbs=$(sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" != -- ] || {
			# the COMMAND of preflight
			mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
			return 0
		}
		if [ -z "$verb" ] && grep -qx -- "${COMP_WORDS[i]}" <<<"$verbs"; then
			verb=${COMP_WORDS[i]}
		fi
	done
	[ -z "$verb" ] || help=$("${COMP_WORDS[0]}" "$verb" --help 2>/dev/null)

	case $prev in
	-o | --output)
		words=$(sed -n '/^  -o, --output/s/.* \([a-z|]*\)$/\1/p' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "${words//|/ }" -- "$cur")
		return 0
		;;
	--ignore)
		words=$(sed -n '/^Checks/,/^$/s/^  \([a-z]*\.[a-z]*\) .*/\1/p' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return 0
		;;
	-?*)
		# What --help calls the value of the option, in capitals; nothing if it takes none.
		words=$(awk -v option="$prev" '/^ +-/ {
			for (i = 1; $i ~ /^-/; i++) {
				sub(/,$/, "", $i)
				found = found || $i == option
			}
			if (found) {
				if ($i ~ /^[A-Z]/)
					print $i
				exit
			}
		}' <<<"$help")
		if [ -n "$words" ]; then
			_podpid_words "$words" "$cur"
			return 0
		fi
		;;
	esac
	if [[ $cur == -* ]]; then
		words=$(grep -oE -- '^ +(-[a-z], )?--[a-z-]+' <<<"$help" | grep -oE -- '--[a-z-]+')
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	elif [ -z "$verb" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	else
		_podpid_words "$(sed -n '1s/.*\[OPTION\]\.\.\.//p' <<<"$help")" "$cur"
	fi
}
complete -F _podpid podpid
