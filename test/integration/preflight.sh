#!/usr/bin/env bash
# podpid preflight on a real runtime: targets that are verified and targets that are not; waiting; the
# handoff file; a COMMAND that gets pidfds; no handoff of PIDs of another PID namespace.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"
own_node --pods 1
CONSUMER=$PODPID_BUILD/test/consumer
HANDOFF=$SCRATCH/handoff/pids.json
mkdir "$SCRATCH/handoff"

# Nodes of other tests may run on this machine: for this test's runtime their containers are strays.
preflight() {
	"$PODPID" preflight -r "$ENDPOINT" --ignore pids.strays "$@"
}

# status WANTED COMMAND...: run it, with its output in $SCRATCH/out and $SCRATCH/err; it ends with that status.
status() {
	local wanted=$1 got=0
	shift
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || got=$?
	[ "$got" = "$wanted" ] || {
		cat "$SCRATCH/out" "$SCRATCH/err"
		fail "exit status $got, not $wanted: $*"
	}
}

# result ID: print that check's result in the document in $SCRATCH/out, after validating the document.
valid() {
	"$PODPID_BUILD/test/validate" "$TOP/resolver/schema/podpid.preflight.v1.json" <"$SCRATCH/out" ||
		fail "the document is not what its schema says"
}
result() {
	jq -r --arg id "$1" '.checks[] | select(.id == $id) | .result' "$SCRATCH/out"
}

policy() {
	cat >"$SCRATCH/policy.yaml" <<-END
		apiVersion: podpid/v1
		kind: PreflightPolicy
		targets:
		  - {namespace: test, pod: one, containers: [app]}
		  - {namespace: test, pod: two}
		  - {namespace: test, pod: "thr*", selector: {$1}}
		handoff: {path: $HANDOFF, mode: "0604"}
	END
}

declare -A sandbox_of id_of
for name in one two three; do
	sandbox_of[$name]=$(make_pod "$name" --label app=web)
	id_of[$name]=$(make_container "${sandbox_of[$name]}" app sh -c 'sleep 1000001 & wait')
done

# ---- Three verified targets ----
policy 'app: web'
status 0 preflight -f "$SCRATCH/policy.yaml" -o json
valid
for id in host.proc host.pidns runtime.endpoint runtime.api pods.listed pids.verified pids.stable \
	targets.present handoff.written; do
	[ "$(result $id)" = pass ] || fail "$id: $(result $id)"
done
[ "$(jq '.checks | length' "$SCRATCH/out")" = 13 ] || fail "not all checks are there"
[ "$(stat -c %a "$HANDOFF")" = 604 ] || fail "mode of the handoff file: $(stat -c %a "$HANDOFF")"
"$PODPID_BUILD/test/validate" "$TOP/resolver/schema/podpid.v1.json" <"$HANDOFF" || fail "the handoff file"
for name in one two three; do
	[ "$(jq -r --arg id "${id_of[$name]}" '.pods[].containers[] | select(.id == $id) | .pid' "$HANDOFF")" = \
		"$(task_pid "${id_of[$name]}")" ] || fail "the PID of $name in the handoff file"
done
[ "$(jq '[.pods[].containers[]] | length' "$HANDOFF")" = 3 ] || fail "more than the targets is handed over"
PODPID_HANDOFF=$HANDOFF "$CONSUMER" --check >/dev/null || fail "the consumer does not believe it"

# ---- One target killed, one removed, one that matches nothing: each is named once, the old file removed ----
kill -KILL "$(task_pid "${id_of[one]}")"
remove_pod "${sandbox_of[two]}"
policy 'app: none'
status 1 preflight -f "$SCRATCH/policy.yaml" -o json
valid
[ "$(jq '.checks[] | select(.id == "targets.present") | .items | length' "$SCRATCH/out")" = 3 ] ||
	fail "not three findings: $(jq -c '.checks[] | select(.id == "targets.present")' "$SCRATCH/out")"
for name in test/one test/two 'test/thr\* with app=none'; do
	[ "$(jq -r '.checks[].items[]' "$SCRATCH/out" | grep -c "^$name")" = 1 ] || fail "$name is not named once"
done
[ ! -e "$HANDOFF" ] || fail "a handoff file that is a lie is still there"
jq -e '.checks[] | select(.id == "handoff.written") | .detail | endswith("; the file from before is removed")' \
	"$SCRATCH/out" >/dev/null || fail "it does not say that the file is removed"
[ -z "$(ls -A "$SCRATCH/handoff")" ] || fail "left behind: $(ls -A "$SCRATCH/handoff")"

# ---- Waiting for a pod that is made 5 s later, and for a runtime that is started later ----
(
	sleep 5
	late=$(make_pod late)
	make_container "$late" app sh -c 'sleep 1000001 & wait' >/dev/null
) &
before=$SECONDS
status 0 preflight -p late --wait 20s -o short
took=$((SECONDS - before))
wait $!
if [ "$took" -lt 4 ] || [ "$took" -gt 15 ]; then
	fail "waited $took s for a pod that came after 5 s"
fi
grep -q '^podpid: waiting: targets.present: ' "$SCRATCH/err" || fail "nothing was said while waiting"

sandbox stop
(
	sleep 2
	sandbox start
) &
status 0 preflight -p late --wait 60s -o short
wait $!
grep -q '^podpid: waiting: runtime.endpoint: ' "$SCRATCH/err" || fail "the missing runtime was not said"

# ---- A signal ends the preflight at once, and nothing is written ----
"$PODPID" preflight -r "$ENDPOINT" -p never --wait 60s --handoff "$HANDOFF" -o short >"$SCRATCH/out" 2>/dev/null &
pid=$!
sleep 2
kill -TERM $pid
got=0
wait $pid || got=$?
[ $got = 143 ] || fail "SIGTERM: exit status $got"
[ ! -s "$SCRATCH/out" ] || fail "SIGTERM: a report was printed"
[ ! -e "$HANDOFF" ] || fail "SIGTERM: a file was written"

# ---- COMMAND is the same process, and its pidfds become readable when the containers end ----
"$PODPID" preflight -r "$ENDPOINT" --ignore pids.strays -p late --handoff "$HANDOFF" -- "$CONSUMER" \
	>"$SCRATCH/consumed" 2>/dev/null &
pid=$!
became() {
	[ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$CONSUMER")" ] && [ -s "$SCRATCH/consumed" ]
}
eventually 20 became || fail "podpid did not become the consumer: $(cat "$SCRATCH/consumed")"
late=$(podpid list -q -p late -o json | jq -r '.pods[0].containers[0].id')
grep -qx "$late $(task_pid "$late") pidfd" "$SCRATCH/consumed" || fail "no pidfd: $(cat "$SCRATCH/consumed")"
kill -KILL "$(task_pid "$late")"
got=0
wait $pid || got=$?
[ $got = 0 ] || fail "the consumer: $got"
grep -qx "$late ended" "$SCRATCH/consumed" || fail "the pidfd did not tell of the end"

# Without a path the handoff is a sealed memory file. LISTEN_* variables for another process are dropped.
# shellcheck disable=SC2016 # of the command
LISTEN_FDS=7 LISTEN_PID=1 LISTEN_FDNAMES=x LISTEN_PIDFDID=7 status 0 preflight -p three -- sh -c '
	[ "$LISTEN_PID" = $$ ] && [ "$LISTEN_FDS" = 1 ] && [ -z "${LISTEN_PIDFDID+x}" ] && echo "$LISTEN_FDNAMES" && cat "$PODPID_HANDOFF"'
[ "$(head -n 1 "$SCRATCH/out")" = "${id_of[three]}" ] || fail "LISTEN_FDNAMES: $(head -n 1 "$SCRATCH/out")"
tail -n +2 "$SCRATCH/out" | "$PODPID_BUILD/test/validate" "$TOP/resolver/schema/podpid.v1.json" || fail "the memory file"

# Descriptors that were passed to podpid come first; their names are kept if each has one.
# shellcheck disable=SC2016 # of the commands
passed() {
	status 0 env PODPID="$PODPID" ENDPOINT="$ENDPOINT" NAMES="$1" sh -c '
		exec 3</dev/null
		LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=$NAMES exec "$PODPID" preflight -q -r "$ENDPOINT" \
			--ignore pids.strays -p three -o short -- sh -c "echo \$LISTEN_FDS \$LISTEN_FDNAMES; readlink /proc/\$\$/fd/3"'
	[ "$(cat "$SCRATCH/out")" = "2 $2:${id_of[three]}
/dev/null" ] || fail "descriptors that were passed to podpid: $(cat "$SCRATCH/out")"
}
passed mine mine
passed mine:another unknown

status 127 preflight -p three -- "$SCRATCH/no-such-command"
status 126 preflight -p three -- "$SCRATCH/policy.yaml"
status 1 preflight -p never -- touch "$SCRATCH/ran"
[ ! -e "$SCRATCH/ran" ] || fail "the command ran though a target is missing"

# ---- A kernel without pidfds: a warning, a failure with --require-pidfd ----
# shellcheck disable=SC2016 # of the command
old_kernel() {
	"$PODPID_BUILD/test/without" pidfd_open "$PODPID" preflight -q -r "$ENDPOINT" -p three \
		--ignore pids.strays -o short "$@" -- sh -c 'echo "ran ${LISTEN_FDS-without}"'
}
printf 'apiVersion: podpid/v1\nkind: PreflightPolicy\nchecks: {%s}\n' 'handoff.written: fail' >"$SCRATCH/pidfds.yaml"
status 0 old_kernel
grep -qx 'ran without' "$SCRATCH/out" || fail "LISTEN_FDS without a pidfd: $(cat "$SCRATCH/out")"
grep -q '^warn handoff.written: this kernel has no pidfd_open' "$SCRATCH/err" || fail "no warning: $(cat "$SCRATCH/err")"
for more in --require-pidfd "-f $SCRATCH/pidfds.yaml" \
	'--strict --ignore runtime.ready --ignore pids.verified --ignore host.cgroup --ignore host.cgroupns'; do
	# shellcheck disable=SC2086 # options
	status 1 old_kernel $more
	grep -q '^fail handoff.written: ' "$SCRATCH/err" || fail "$more: $(cat "$SCRATCH/err")"
	[ ! -s "$SCRATCH/out" ] || fail "$more: the command ran"
done

# ---- Wrong usage ----
status 2 preflight --handoff "$HANDOFF"
status 2 preflight -- true
status 2 preflight -p three --ignore no.check

# ---- In a PID namespace of its own nothing is handed over ----
unshared() {
	unshare --pid --fork "$@" "$PODPID" preflight -q -r "$ENDPOINT" -p three --ignore pids.strays \
		--handoff "$HANDOFF" -o short
}
rm -f "$HANDOFF"
status 3 unshared --mount-proc
grep -q '^fail host.pidns: the runtime runs in a PID namespace' "$SCRATCH/out" || fail "no reason: $(cat "$SCRATCH/out")"
status 2 unshared
grep -q "is not procfs of podpid's own PID namespace" "$SCRATCH/err" || fail "no reason: $(cat "$SCRATCH/err")"
[ ! -e "$HANDOFF" ] || fail "PIDs of another namespace were handed over"

# ---- Nothing is handed over if the runtime is in a child PID namespace ----
unshare --pid --fork --kill-child timeout 60 "$PODPID_BUILD/test/integration/peer" close "$SCRATCH/below.sock" &
below=$!
eventually 20 [ -S "$SCRATCH/below.sock" ] || fail "the peer does not listen"
status 3 "$PODPID" preflight -q -r "unix://$SCRATCH/below.sock" -p three -o short
kill -KILL $below
wait $below 2>/dev/null || true
grep -q "^fail host.pidns: the runtime's daemon (process [0-9]*) is in a PID namespace of its own" "$SCRATCH/out" ||
	fail "no reason: $(cat "$SCRATCH/out")"

# ---- A manifest without a runtime: the PID is inferred ----
cat >"$SCRATCH/manifest.yaml" <<-END
	apiVersion: v1
	kind: Pod
	metadata: {name: three, namespace: test}
	status:
	  phase: Running
	  containerStatuses:
	  - name: app
	    containerID: containerd://${id_of[three]}
	    lastState: {terminated: {containerID: "containerd://${id_of[one]}"}}
END
status 0 preflight -f "$SCRATCH/manifest.yaml" -o short
manual() {
	"$PODPID" preflight -q --no-runtime -f "$SCRATCH/manifest.yaml" --ignore pids.strays -o json "$@"
}
status 1 manual
valid
status 0 manual --allow-inferred
valid
[ "$(jq --arg id "${id_of[three]}" '.snapshot.pods[].containers[] | select(.id == $id) | .inferred_pid' "$SCRATCH/out")" = \
	"$(task_pid "${id_of[three]}")" ] || fail "the inferred PID is not the runtime's"
# With --allow-inferred the target gets a pidfd.
# shellcheck disable=SC2016 # for the shell that gets it
passed=$("$PODPID" preflight -q --no-runtime -f "$SCRATCH/manifest.yaml" --ignore pids.strays --allow-inferred \
	--require-pidfd -- sh -c 'echo "$LISTEN_FDNAMES $(sed -n "s/^Pid:\t//p" /proc/self/fdinfo/3)"' 2>"$SCRATCH/err")
[ "$passed" = "${id_of[three]} $(task_pid "${id_of[three]}")" ] || fail "inferred: handed over '$passed'"

# ---- The old file stays if the new one cannot be written ----
echo old >"$SCRATCH/handoff/old"
ln -s old "$SCRATCH/handoff/link"
status 1 preflight -p three --handoff "$SCRATCH/handoff/link" -o short
grep -q 'symbolic link' "$SCRATCH/out" || fail "the link was not said"
[ "$(cat "$SCRATCH/handoff/old")" = old ] || fail "written through a link"
echo old >"$SCRATCH/handoff/foreign"
status 1 preflight -p three --handoff "$SCRATCH/handoff/foreign" -o short
grep -q 'not a podpid document' "$SCRATCH/out" || fail "a foreign file was not said: $(cat "$SCRATCH/out")"
[ "$(cat "$SCRATCH/handoff/foreign")" = old ] || fail "a foreign file is gone"
if mount -t tmpfs -o size=4k,mode=0755 podpid-test "$SCRATCH/handoff" 2>/dev/null; then
	echo '{"schema": "podpid/v1"}' >"$SCRATCH/handoff/pids.json"
	got=0
	preflight -p three --handoff "$SCRATCH/handoff/pids.json" -o short >"$SCRATCH/out" 2>&1 || got=$?
	kept=$(cat "$SCRATCH/handoff/pids.json")
	umount "$SCRATCH/handoff"
	[ $got = 1 ] || fail "a full disk: exit status $got"
	grep -q 'No space left' "$SCRATCH/out" || fail "a full disk was not said: $(cat "$SCRATCH/out")"
	[ "$kept" = '{"schema": "podpid/v1"}' ] || fail "the old file is gone"
fi

# ---- With as many pidfds as the limit of descriptors allows, the file is still written ----
own_node --pods 6 --containers 5
limited() {
	(ulimit -Sn 36 && preflight -p '*' "$@")
}
status 0 limited --handoff "$HANDOFF" -- "$CONSUMER" --check
[ "$(grep -c ' pidfd$' "$SCRATCH/out")" = 30 ] || fail "not 30 pidfds: $(cat "$SCRATCH/out")"
