# Functions of the tests on real runtimes; each sources it first. The environment names the program
# (PODPID), the build folder (PODPID_BUILD) and the file with the path of the shared node (NODE_FILE).
# shellcheck shell=bash
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$HERE/../.." && pwd)
SKIP=77
# shellcheck source=hack/lib/common.sh
. "$TOP/hack/lib/common.sh"
# shellcheck source=hack/lib/packages.sh
. "$TOP/hack/lib/packages.sh"

fail() {
	printf 'FAILED: %s\n' "$*"
	exit 1
}

# Skip the test if no container can run here; fail with PODPID_REQUIRE_RUNTIME.
need_runtime() {
	local why

	why=$(why_no_container)
	[ -n "$why" ] || command -v jq >/dev/null || why="jq is missing"
	[ -n "$why" ] || return 0
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || fail "no container can run here: $why"
	echo "skipped: no container can run here: $why"
	exit $SKIP
}

need_runtime
SCRATCH=$(mktemp -d /tmp/podpid-test.XXXXXX)
DOC=$SCRATCH/doc # the last look's document
LOCAL_NODES=()

# shellcheck disable=SC2317 # called by the trap
finish() {
	local node

	for node in ${LOCAL_NODES[@]+"${LOCAL_NODES[@]}"}; do
		[ ! -e "$node/sandbox" ] || "$TOP/hack/sandbox" down --dir "$node" || true
	done
	rm -rf --one-file-system "$SCRATCH"
}
trap finish EXIT

# Whether podman is installed. It is not unpacked into a folder as other runtimes are, since it needs
# libraries that a minimal system lacks.
have_podman() {
	command -v podman >/dev/null && command -v conmon >/dev/null
}

# use_node DIR: the functions below speak to the node in this folder.
use_node() {
	NODE=$1
	# shellcheck source=/dev/null
	ENDPOINT=unix://$NODE/$(. "$NODE/sandbox" && case $RUNTIME in docker | podman) echo "$RUNTIME" ;; *) echo containerd ;; esac).sock
}

# Use the node that all tests share, with 50 pods.
shared_node() {
	use_node "$(cat "$NODE_FILE")"
}

# own_node OPTION...: start a node for this test alone.
own_node() {
	local dir

	dir=$SCRATCH/node${#LOCAL_NODES[@]}
	LOCAL_NODES+=("$dir")
	"$TOP/hack/sandbox" up --dir "$dir" "$@" >/dev/null
	use_node "$dir"
}

sandbox() {
	local verb=$1
	shift
	"$TOP/hack/sandbox" "$verb" --dir "$NODE" "$@"
}

# podpid VERB ...: run podpid on the node.
podpid() {
	local verb=$1
	shift
	"$PODPID" "$verb" -r "$ENDPOINT" "$@"
}

# Call podmaker directly; for Docker through hack/sandbox, which is slower.
make() {
	if [ -S "$NODE/docker.sock" ]; then
		sandbox make "$@"
	else
		"$PODPID_BUILD/test/podmaker/podmaker" "$NODE/containerd.sock" "$NODE/pods" "$@"
	fi
}

# make_pod NAME OPTION...: prints the id of the sandbox.
make_pod() {
	local name=$1
	shift
	make pod --namespace test --name "$name" "$@"
}

# make_container SANDBOX NAME COMMAND...: prints the id of the container.
make_container() {
	make container --name "$2" "$1" "${@:3}"
}

# Remove a pod as the kubelet does: repeatedly, until the runtime has done it.
remove_pod() {
	eventually 20 make stop-pod "$1"
	make rm-pod "$1"
}

# Print "ID PID" of every task, as the runtime's own client lists them.
tasks() {
	sandbox client task ls | awk 'NR > 1 { print $1, $2 }' | sort
}

# Print the PID of one task.
task_pid() {
	tasks | awk -v id="$1" '$1 == id { print $2 }'
}

# container ID FILTER: apply a jq filter to a container of the last look.
container() {
	jq -r --arg id "$1" ".pods[].containers[] | select(.id == \$id) | $2" "$DOC"
}

# look ARG...: run podpid list -o json and check what holds for every document.
look() {
	podpid list -o json "$@" >"$DOC" || fail "list $*: exit status $?"
	consistent "$DOC"
}

# whole_or_none SIGNAL: send the signal to the daemon during looks. Each look is complete, or ends with exit
# status 3 and nothing on stdout.
whole_or_none() {
	local end=$((SECONDS + 30)) status sender

	(sleep "0.3$RANDOM" && sandbox stop "$1") &
	sender=$!
	while :; do
		status=0
		podpid list -o json --timeout 3s >"$DOC" 2>"$SCRATCH/err" || status=$?
		[ $status -ne 3 ] || break
		[ $status -eq 0 ] || fail "exit status $status: $(cat "$SCRATCH/err")"
		consistent "$DOC"
		[ $SECONDS -lt $end ] || fail "the daemon is stopped ($1), and podpid does not see it"
	done
	[ ! -s "$DOC" ] || fail "half a document: $(head -c 200 "$DOC")"
	wait $sender
}

# Check a document: its schema; a container has a PID only if verified, and then it is the runtime's and the
# only process with role main.
consistent() {
	"$PODPID_BUILD/test/validate" "$TOP/resolver/schema/podpid.v1.json" <"$1" ||
		fail "the document is not what its schema says"
	jq -e '
		def sound:
			if .verdict == "verified" then
				. as $c | (.pid | type) == "number" and .pid == .evidence.reported_pid
				and ([.processes[] | select(.role == "main") | .pid] == [$c.pid])
				and (.start_time_ticks == ([.processes[] | select(.pid == $c.pid)][0].start_time_ticks))
			else .pid == null end;
		.schema == "podpid/v1" and ([.pods[].containers[] | select(sound | not)] == [])
	' "$1" >/dev/null || {
		jq -c '.pods[].containers[] | {id, name, verdict, pid, evidence}' "$1" || cat "$1"
		fail "the document contradicts itself"
	}
}

# eventually SECONDS COMMAND...: repeat the command until it succeeds; fails after that time.
eventually() {
	local end=$((SECONDS + $1))
	shift

	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
