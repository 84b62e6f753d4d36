#!/usr/bin/env bash
# Pods are made and removed in a loop while podpid looks 500 times: no false verdict, no crash, each
# document is consistent, and containers that do not change are always reported alike.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node
LOOKS=${LOOKS:-500}
LOOKERS=5

# churn SECONDS: make and remove pods for that time.
churn() {
	local pod id

	while [ ! -e "$SCRATCH/stop" ]; do
		pod=$(make_pod "churn-$1")
		id=$(make_container "$pod" app sh -c 'sleep 1000001 & sleep 1000002 & wait')
		make_container "$pod" brief sh -c 'sleep 0.2' >/dev/null
		make stop "$id"
		make rm "$id"
		make_container "$pod" again sleep 1000003 >/dev/null
		sleep "$1"
		remove_pod "$pod"
	done
}

# steady DOCUMENT: the containers that are never changed.
steady() {
	jq -c '.pods[] | select(.name | startswith("churn") | not).containers[] | [.id, .pid, .verdict]' \
		"$1" | sort
}

# Several podpids look at once, since a look mostly waits.
watch() {
	local n wrong seen=0

	DOC=$SCRATCH/doc$1
	for ((n = 1; n <= LOOKS / LOOKERS; n++)); do
		look
		wrong=$(jq -c '.pods[].containers[]
			| select(.verdict | IN("verified", "dead", "zombie", "changed", "exited", "created") | not)' "$DOC")
		[ -z "$wrong" ] || fail "look $n: $wrong"
		steady "$DOC" >"$DOC.steady"
		diff "$SCRATCH/steady" "$DOC.steady" || fail "look $n: what did not change looks different"
		jq -e 'any(.pods[]; .name | startswith("churn"))' "$DOC" >/dev/null && seen=$((seen + 1))
	done
	echo "$seen" >"$SCRATCH/seen$1"
}

look
steady "$DOC" >"$SCRATCH/steady"
churners=() watchers=()
for n in 0 2; do
	churn $n >"$SCRATCH/churn$n.log" 2>&1 &
	churners+=($!)
done
for ((n = 0; n < LOOKERS; n++)); do
	watch $n &
	watchers+=($!)
done
failed=
for pid in "${watchers[@]}"; do
	wait "$pid" || failed=yes
done
touch "$SCRATCH/stop"
wait "${churners[@]}" || { cat "$SCRATCH"/churn*.log && fail "making pods failed"; }
[ -z "$failed" ] || exit 1
seen=$(cat "$SCRATCH"/seen* | awk '{ n += $1 } END { print n + 0 }')
[ "$seen" -gt $((LOOKS / 10)) ] || fail "hardly any look saw a pod come or go: $seen of $LOOKS"
echo "$LOOKS looks, $seen of them with pods that come and go; $(wc -l <"$NODE/pods/names") containers made"
