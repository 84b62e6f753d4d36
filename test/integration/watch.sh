#!/usr/bin/env bash
# podpid watch on a real containerd: ends are reported by pidfd, starts within seconds, and all events together
# give what a fresh list gives, also after the daemon was killed three times while pods were made and removed.
# Delays are printed; their bounds are wide, and only tell a watch that was woken from one that waited for the
# periodic look (30 s).
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
own_node --pods 4 --containers 2
EVENTS=$SCRATCH/events
ROUNDS=${ROUNDS:-10}

"$PODPID" watch -q -r "$ENDPOINT" -o jsonl >"$EVENTS" 2>"$SCRATCH/watch.err" &
WATCH=$!
# shellcheck disable=SC2317 # called by the trap
leave() {
	touch "$SCRATCH/stop"
	kill "$WATCH" 2>/dev/null || true
	wait
	finish
}
trap leave EXIT

# Apply a jq filter to all events so far; true if it gives anything.
seen() {
	jq -se "any(.[]; $1)" "$EVENTS" >/dev/null 2>&1
}

# median NAME BOUND: print the median of the milliseconds in that file; fail if one is over the bound.
median() {
	local n

	n=$(wc -l <"$SCRATCH/$1")
	sort -n "$SCRATCH/$1" | awk -v n="$n" -v what="$1" -v bound="$2" '
		NR == int((n + 1) / 2) { median = $1 }
		END { printf "%s: median of %d: %.1f ms, slowest %.1f ms\n", what, n, median, $1; exit $1 > bound }
	' || fail "$1: over $2 ms"
}

now() {
	date +%s%N
}

# Print the milliseconds from a time (ns) to the "at" of the first event that matches.
delay() {
	local at

	at=$(jq -sr "[.[] | select($2)][0].at" "$EVENTS")
	echo $((($(date -d "$at" +%s%N) - $1) / 1000)) | awk '{ print $1 / 1000 }'
}

eventually 10 seen '.event == "snapshot"' || fail "no snapshot: $(cat "$SCRATCH/watch.err")"
pod=$(make_pod watched)
for ((n = 1; n <= ROUNDS; n++)); do
	id=$(make_container "$pod" "app$n" sleep 1000001)
	is="(.container.id? == \"$id\")"
	eventually 10 seen "$is and .container.verdict == \"verified\"" || fail "the start of $id is not told"
	started=$(jq -sr "[.[] | select($is and .container.verdict == \"verified\")][0].container.started_at" "$EVENTS")
	delay "$(date -d "$started" +%s%N)" "$is and .container.verdict == \"verified\"" >>"$SCRATCH/start"

	pid=$(task_pid "$id")
	before=$(now)
	kill -KILL "$pid"
	eventually 10 seen "$is and .source == \"pidfd\"" || fail "the end of $id is not told"
	seen "$is and .source == \"pidfd\" and .container.pid == null and .container.verdict == \"dead\"" ||
		fail "the end of $id is told wrong"
	delay "$before" "$is and .source == \"pidfd\"" >>"$SCRATCH/end"
	eventually 10 seen "$is and .container.verdict == \"exited\"" || fail "$id never exits"
done
median start 3000
median end 500
remove_pod "$pod"

# Make and remove pods all the time; requests that the restarting daemon refuses do not matter.
churn() {
	local pod

	while [ ! -e "$SCRATCH/stop" ]; do
		if pod=$(make_pod "churn-$RANDOM" 2>>"$SCRATCH/refused"); then
			make_container "$pod" app sleep 1000002 >>"$SCRATCH/churned" 2>>"$SCRATCH/refused" || true
			remove_pod "$pod" 2>>"$SCRATCH/refused" || true
		else
			sleep 0.1
		fi
	done
}
touch "$SCRATCH/churned"
churn &
CHURN=$!
for n in 1 2 3; do
	before=$(wc -l <"$SCRATCH/churned")
	churned() {
		[ "$(wc -l <"$SCRATCH/churned")" -ge $((before + 3)) ]
	}
	eventually 30 churned || fail "no pods come and go: $(tail -3 "$SCRATCH/refused")"
	sandbox stop -KILL
	eventually 10 seen "([.event, .stale] == [\"runtime\", true])" || fail "nobody misses the runtime"
	sandbox start
	lost=$(jq -s '[.[] | select(.event == "runtime" and .stale)] | length' "$EVENTS")
	found() {
		[ "$(jq -s '[.[] | select(.event == "runtime" and (.stale | not))] | length' "$EVENTS")" = "$lost" ]
	}
	eventually 20 found || fail "restart $n: nobody finds the runtime"
done
touch "$SCRATCH/stop"
wait $CHURN

# All events, added up.
added_up() {
	jq -cs 'reduce .[] as $e ({};
		def row: {id, verdict, state, pid};
		if $e.event == "snapshot" then [$e.snapshot.pods[].containers[]] | map({key: .id, value: row}) | from_entries
		elif $e.event == "added" or $e.event == "changed" then .[$e.container.id] = ($e.container | row)
		elif $e.event == "removed" then del(.[$e.container.id])
		else . end) | [.[]] | sort_by(.id)[]' "$EVENTS"
}
listed() {
	look -a
	jq -c '[.pods[].containers[] | {id, verdict, state, pid}] | sort_by(.id)[]' "$DOC"
}
equal() {
	listed >"$SCRATCH/listed"
	added_up >"$SCRATCH/added_up"
	cmp -s "$SCRATCH/listed" "$SCRATCH/added_up"
}
eventually 15 equal || {
	diff "$SCRATCH/listed" "$SCRATCH/added_up" || true
	fail 'what was told does not add up to what is'
}
[ "$(jq -s '[.[].seq] == [range(1; length + 1)]' "$EVENTS")" = true ] || fail 'seq has gaps'
"$PODPID_BUILD/test/validate" --lines "$TOP/resolver/schema/podpid.event.v1.json" <"$EVENTS" ||
	fail 'an event is not of its schema'
echo "$(wc -l <"$EVENTS") events; $(wc -l <"$SCRATCH/churned") containers came and went; $(wc -l <"$SCRATCH/listed") containers at the end"
kill -TERM $WATCH
wait $WATCH && fail 'SIGTERM is not what it ended by'
[ ! -s "$SCRATCH/watch.err" ] || fail "it complained: $(cat "$SCRATCH/watch.err")"
