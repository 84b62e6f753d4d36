#!/usr/bin/env bash
# Which socket podpid chooses if none is named, and which it refuses. Runs in a mount namespace with its own
# /run, /etc and /var/lib, so that those of the machine have no influence.
# shellcheck source=test/integration/lib.sh
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" != inside ]; then
	! pgrep -x kubelet >/dev/null || {
		echo "skipped: a kubelet runs here"
		[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || fail "a kubelet runs here"
		exit $SKIP
	}
	rmdir "$SCRATCH"
	exec unshare --mount --propagation private "$0" inside
fi

CHILDREN=()
# shellcheck disable=SC2317 # called by the trap
stop_children() {
	[ ${#CHILDREN[@]} -eq 0 ] || kill "${CHILDREN[@]}" 2>/dev/null || true
	finish
}
trap stop_children EXIT
unset CONTAINER_RUNTIME_ENDPOINT CRI_CONFIG_FILE HOST_PROC

own_node --pods 2
pod=$(make_pod attacker --host-pid)
make_container "$pod" app sh -c 'printf kubelet >/proc/self/comm; while :; do sleep 1000; done' kubelet \
	--container-runtime-endpoint=unix:///run/evil.sock >/dev/null
eventually 10 pgrep -x kubelet >/dev/null || fail 'the attacker has no kubelet'

mkdir "$SCRATCH/etc"
mount -t tmpfs -o mode=755 tmpfs "$SCRATCH/etc"
cp -a /etc/. "$SCRATCH/etc"
rm -f "$SCRATCH/etc/crictl.yaml"
mount --move "$SCRATCH/etc" /etc
for place in /run /var/lib; do
	mount -t tmpfs -o mode=755 tmpfs $place
done

# serve SCRIPT SOCKET: start a scripted runtime there.
serve() {
	mkdir -p "$(dirname "$2")"
	rm -f "$2"
	"$PODPID_BUILD/test/fake_cri/fake-cri" "$2" "$TOP/test/fixtures/runtimes/$1/script.json" >/dev/null &
	CHILDREN+=($!)
	eventually 10 test -S "$2"
}

# bound SOCKET: mount the real runtime's socket there.
bound() {
	mkdir -p "$(dirname "$1")"
	: >"$1"
	mount --bind "$NODE/containerd.sock" "$1"
}

# chooses SOCKET WHY: podpid chooses this socket, for this reason, if none is named.
chooses() {
	"$PODPID" list -o json --timeout 5s >"$DOC" 2>"$SCRATCH/err" || fail "exit status $?, not $1: $(cat "$SCRATCH/err")"
	[ "$(jq -r '.runtime.endpoint' "$DOC")" = "unix://$1" ] || fail "not $1 but $(jq -c .runtime "$DOC")"
	[[ $(jq -r '.runtime.chosen_by' "$DOC") = *$2* ]] || fail "not for '$2': $(jq -c .runtime "$DOC")"
}

warns() {
	jq -e --arg w "$1" '[.warnings[] | select(contains($w))] != []' "$DOC" >/dev/null ||
		fail "no warning with '$1': $(jq -c .warnings "$DOC")"
	grep -qF -- "$1" "$SCRATCH/err" || fail "not on stderr: $1"
}

# refuses STATUS WORDS COMMAND...: the command ends with that status, nothing on stdout, the words on stderr.
refuses() {
	local expected=$1 words=$2 status=0
	shift 2
	timeout 20 "$@" >"$SCRATCH/out" 2>"$SCRATCH/err" || status=$?
	[ $status = "$expected" ] || fail "$*: exit status $status: $(cat "$SCRATCH/err")"
	[ ! -s "$SCRATCH/out" ] || fail "$*: on stdout: $(head -c 200 "$SCRATCH/out")"
	grep -qF -- "$words" "$SCRATCH/err" || fail "$*: no '$words': $(cat "$SCRATCH/err")"
}
list=("$PODPID" list -o json --timeout 3s)

# There is no socket, and a process named kubelet in a pod is not asked.
serve crio-1.37 /run/evil.sock
refuses 3 'no container runtime found' "${list[@]}"
grep -qF 'does not count' "$SCRATCH/err" || fail "not a word of the pod's kubelet: $(cat "$SCRATCH/err")"

# A well-known socket; a warning names a second one that has pods.
bound /run/containerd/containerd.sock
chooses /run/containerd/containerd.sock 'well-known'
warns 'does not count'
serve crio-1.37 /run/crio/crio.sock
chooses /run/containerd/containerd.sock 'well-known'
warns /run/crio/crio.sock
jq -e '[.pods[].namespace] | index("facts") == null' "$DOC" >/dev/null || fail "the other's pods are listed"

# crictl.yaml comes first, if only root can have written it.
echo 'runtime-endpoint: unix:///run/crio/crio.sock' >/etc/crictl.yaml
chooses /run/crio/crio.sock /etc/crictl.yaml
chmod 666 /etc/crictl.yaml
chooses /run/containerd/containerd.sock 'well-known'
warns /etc/crictl.yaml
chmod 644 /etc/crictl.yaml

# The kubelet's setting comes before that; it is on its command line or in a file.
# kubelet ARG...: start a kubelet in the mount namespace of PID 1, or in ours if that cannot be read.
cp "$PODPID_BUILD/test/podmaker/pause" "$SCRATCH/kubelet"
KUBELETS=()
in_hosts=()
! readlink /proc/1/ns/mnt >/dev/null || in_hosts=(nsenter --mount --target 1)
kubelet() {
	${in_hosts[@]+"${in_hosts[@]}"} "$SCRATCH/kubelet" "$@" &
	KUBELETS+=($!)
	CHILDREN+=($!)
	eventually 10 grep -qx kubelet "/proc/$!/comm"
}
echo 'runtime-endpoint: unix:///run/containerd/containerd.sock' >/etc/crictl.yaml
kubelet --v=2 --container-runtime-endpoint=unix:///run/crio/crio.sock
chooses /run/crio/crio.sock kubelet
warns "the kubelet's is taken"
kubelet --config /etc/kubelet.yaml
echo 'containerRuntimeEndpoint: unix:///run/crio/../crio/crio.sock' >/etc/kubelet.yaml
chooses /run/crio/crio.sock kubelet
echo 'containerRuntimeEndpoint: unix:///run/other.sock' >/etc/kubelet.yaml
chooses /run/containerd/containerd.sock /etc/crictl.yaml
warns 'two kubelets differ'
kill "${KUBELETS[0]}"
wait "${KUBELETS[0]}" || true
rm /etc/kubelet.yaml
echo 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/crio/crio.sock"' >/run/flags
mkdir -p /var/lib/kubelet
mv /run/flags /var/lib/kubelet/kubeadm-flags.env
chooses /run/crio/crio.sock kubeadm-flags.env
kill "${KUBELETS[1]}"
wait "${KUBELETS[1]}" || true
rm /var/lib/kubelet/kubeadm-flags.env

# A socket in a pod's volume, and in a folder that others can write.
volume=/var/lib/kubelet/pods/1b4e28ba-2fa1-11d2-883f-0016d3cca427/volumes/kubernetes.io~empty-dir/v/r.sock
serve crio-1.37 $volume
echo "runtime-endpoint: unix://$volume" >/etc/crictl.yaml
chooses /run/containerd/containerd.sock 'well-known'
warns /var/lib/kubelet/pods
serve crio-1.37 /run/open/r.sock
chmod 777 /run/open
echo "runtime-endpoint: unix:///run/open/r.sock" >/etc/crictl.yaml
chooses /run/containerd/containerd.sock 'well-known'
warns /run/open
# Named by the user, such a socket is taken.
"${list[@]}" -r unix:///run/open/r.sock >/dev/null || [ $? -eq 1 ] || fail "an explicit endpoint is refused"

# If an explicit choice fails, no other one is tried.
rm /etc/crictl.yaml
refuses 3 'no such file' env CONTAINER_RUNTIME_ENDPOINT=unix:///run/none.sock "${list[@]}"
echo 'runtime-endpoint: unix:///run/none.sock' >/run/config
refuses 3 'no such file' env CRI_CONFIG_FILE=/run/config "${list[@]}"
refuses 3 'no such file' "${list[@]}" -c /run/config
refuses 2 'runtime-endpoint' "${list[@]}" -c /dev/null
refuses 2 'unix socket' "${list[@]}" -r tcp://127.0.0.1:2375
refuses 2 'unix socket' env CONTAINER_RUNTIME_ENDPOINT=http://localhost "${list[@]}"

# A socket that root does not own; a socket at which another user's process listens.
umount /run/containerd/containerd.sock
rm /run/containerd/containerd.sock
chown 65534 /run/crio/crio.sock
refuses 3 'not to root' "${list[@]}"
rm /run/crio/crio.sock

# A bind mount of the socket of a daemon that was restarted since: its file is stale.
bound /run/bound.sock
"${list[@]}" -r unix:///run/bound.sock >/dev/null || fail "a bind mount of the socket"
sandbox stop
sandbox start
refuses 3 'bind mount' "${list[@]}" -r unix:///run/bound.sock
"${list[@]}" -r "$ENDPOINT" >/dev/null || fail "the daemon was started again"

# containerd with its CRI plugin disabled.
sandbox stop
sed -i 's/^disabled_plugins = \[/&"io.containerd.grpc.v1.cri", /' "$NODE/config.toml"
timeout 3 "$TOP/hack/sandbox" start --dir "$NODE" >/dev/null 2>&1 || true
refuses 3 'disabled_plugins' "${list[@]}" -r "$ENDPOINT"
grep -q 'serves no CRI' "$SCRATCH/err" || fail "$(cat "$SCRATCH/err")"
