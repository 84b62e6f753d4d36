#!/usr/bin/env bash
# Pods are made and removed in a loop while podpid looks 500 times: not one false verdict, no crash,
# each document consistent in itself, and what does not change stays as it is.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node
LOOKS=${LOOKS:-500}

churn() {
	local pod id

	while [ ! -e "$SCRATCH/stop" ]; do
		pod=$(make_pod "churn-$1")
		id=$(make_container "$pod" app sh -c 'sleep 1000001 & sleep 1000002 & wait')
		make_container "$pod" brief sh -c 'sleep 0.2' >/dev/null
		make stop "$id"
		make rm "$id"
		make_container "$pod" again sleep 1000003 >/dev/null
		remove_pod "$pod"
	done
}

look
jq -c '.pods[].containers[] | [.id, .pid, .verdict]' "$SCRATCH/doc" | sort >"$SCRATCH/before"
for n in 1 2; do
	churn $n >"$SCRATCH/churn$n.log" 2>&1 &
done

seen=0
for ((n = 1; n <= LOOKS; n++)); do
	look
	wrong=$(jq -c '.pods[].containers[]
		| select(.verdict | IN("verified", "dead", "zombie", "changed", "exited", "created") | not)' "$SCRATCH/doc")
	[ -z "$wrong" ] || fail "look $n: $wrong"
	jq -c '.pods[] | select(.name | startswith("churn") | not).containers[] | [.id, .pid, .verdict]' \
		"$SCRATCH/doc" | sort >"$SCRATCH/now"
	diff "$SCRATCH/before" "$SCRATCH/now" || fail "look $n: what did not change looks different"
	[ "$(jq '[.pods[] | select(.name | startswith("churn"))] | length' "$SCRATCH/doc")" = 0 ] ||
		seen=$((seen + 1))
done
touch "$SCRATCH/stop"
wait
[ $seen -gt $((LOOKS / 10)) ] || fail "hardly any look saw a pod come or go: $seen of $LOOKS"
echo "$LOOKS looks, $seen of them with pods that come and go; $(wc -l <"$NODE/pods/names") containers made"
