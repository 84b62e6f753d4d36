# Completion of podpid for bash. What there is to complete is read from --help, which costs a
# millisecond; names of pods are asked for only where they are quick to have.
# shellcheck shell=bash

_podpid() {
	local cur prev verb='' i help
	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	help=$("${COMP_WORDS[0]}" --help 2>/dev/null) || return 0
	local verbs
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
		local formats
		formats=$(sed -n '/^  -o, --output/s/.* \([a-z|]*\)$/\1/p' <<<"$help")
		mapfile -t COMPREPLY < <(compgen -W "${formats//|/ }" -- "$cur")
		return 0
		;;
	--ignore)
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n '/^Checks/,/^$/s/^  \([a-z]*\.[a-z]*\) .*/\1/p' <<<"$help")" -- "$cur")
		return 0
		;;
	-f | --file | -c | --config | --handoff | -r | --runtime-endpoint)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--proc | --replay)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return 0
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(grep -oE -- '^ +(-[a-z], )?--[a-z-]+' <<<"$help" |
			grep -oE -- '--[a-z-]+')" -- "$cur")
	elif [ -z "$verb" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$cur")
	elif [ "$verb" = pid ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" list -q --timeout 500ms -o jsonl 2>/dev/null |
			sed -n 's/^{"pod_namespace": "\([^"]*\)", "pod_name": "\([^"]*\)",.*, "name": "\([^"]*\)", "id": .*/\1\/\2\/\3/p')" -- "$cur")
	elif [ "$verb" = cgroup ] || [ "$verb" = capture ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -F _podpid podpid
