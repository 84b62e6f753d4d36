#!/usr/bin/env bash
# 50 pods of 2 containers of 3 processes: every container is verified, with the PID that the runtime's own
# client and the CRI status give.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
shared_node

look
# Count only the pods of this test: others may have left some.
names=$(cut -d ' ' -f 2 "$NODE/pods/names" | head -n 100 | sort)
[ "$(wc -l <<<"$names")" -eq 100 ] || fail "the node has no 100 containers"

jq -r '.pods[].containers[] | "\(.id) \(.pid)"' "$DOC" | sort >"$SCRATCH/ours"
jq -r '.pods[] | "\(.sandbox_id) \(.sandbox.pid)"' "$DOC" | sort >>"$SCRATCH/ours"
sort -o "$SCRATCH/ours" "$SCRATCH/ours"
tasks >"$SCRATCH/theirs"
diff "$SCRATCH/theirs" "$SCRATCH/ours" || fail "podpid and ctr task ls differ"

for id in $names; do
	[ "$(container "$id" .verdict)" = verified ] ||
		fail "$(container "$id" '"\(.name) \(.id): \(.verdict): \(.evidence.reason)"')"
	[ "$(container "$id" '[.processes[].role] | sort | join(" ")')" = "child child main" ] ||
		fail "$id: not one main and two children: $(container "$id" -c .processes)"
	[ "$(make info "$id" | jq .pid)" = "$(container "$id" .pid)" ] ||
		fail "$id: not the PID that the verbose status gives"
done
[ "$(jq .complete "$DOC")" = true ] || fail "not complete"

# The other formats list the same containers.
[ "$(podpid list -o pid | sort -n)" = "$(jq '.pods[].containers[].pid // empty' "$DOC" | sort -n)" ] ||
	fail "list -o pid differs from list -o json"
for format in table wide tree yaml jsonl; do
	podpid list -o "$format" >"$SCRATCH/out" || fail "list -o $format"
	for name in web db cache report; do
		grep -q "$name" "$SCRATCH/out" || fail "list -o $format has no $name"
	done
done
