# A throwaway dockerd on a throwaway containerd, with pods as dockershim made them: a sandbox container that
# holds the namespaces, and the kubelet's labels and cgroup parents on all containers. Sourced by hack/sandbox.
# shellcheck shell=bash

docker_programs() {
	find_containerd "$RELEASE"
	if [ -n "$RELEASE" ] || ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
		unpack "${RELEASE:-bookworm}" docker.io
		add_path "${RELEASE:-bookworm}"
	fi
	# An earlier run may have unpacked it already; PATH must lead there, too.
	add_missing_library "$(command -v dockerd)" "${RELEASE:-bookworm}" libdevmapper libdevmapper1.02.1
}

docker_endpoint() {
	printf 'unix://%s/docker.sock\n' "$DIR"
}

docker_client() {
	DOCKER_CONFIG=$DIR/cli docker -H "$(docker_endpoint)" "$@"
}

DOCKER_RUN=(run -d) # or to create only

# Pods have no network here; drop the warning about that, which docker prints for every container.
docker_run() {
	docker_client "${DOCKER_RUN[@]}" "$@" 2> >(grep -v '^WARNING: IPv4 forwarding is disabled' >&2)
}

docker_config() {
	local driver=vfs

	! overlay_works "$DIR" || driver=overlay2
	cat <<-EOF
		{
		  "hosts": ["$(docker_endpoint)"], "containerd": "$DIR/containerd.sock",
		  "data-root": "$DIR/root/docker", "exec-root": "$DIR/state/docker",
		  "pidfile": "$DIR/docker.pidfile", "deprecated-key-path": "$DIR/key.json", "storage-driver": "$driver",
		  "exec-opts": ["native.cgroupdriver=cgroupfs"],
		  "bridge": "none", "iptables": false, "ip6tables": false, "ip-forward": false,
		  "ip-masq": false, "userland-proxy": false, "live-restore": true
		}
	EOF
}

docker_start() {
	rm -f "$DIR/docker.pidfile"
	start_daemon dockerd docker_client version -- dockerd --config-file "$DIR/daemon.json"
}

docker_up() {
	containerd_config >"$DIR/config.toml"
	containerd_start
	docker_config >"$DIR/daemon.json"
	docker_start
	make_rootfs "$DIR/rootfs" "$BUILD/test/podmaker/pause"
	tar -C "$DIR/rootfs/pause" -c . |
		docker_client import --change 'ENTRYPOINT ["/pause"]' - "$PAUSE_IMAGE" >/dev/null
	tar -C "$DIR/rootfs/busybox" -c . |
		docker_client import --change 'ENV PATH=/bin' --change 'CMD ["sh"]' - "$BUSYBOX_IMAGE" >/dev/null
	rm -rf "$DIR/rootfs"
}

docker_stop() {
	stop_daemon dockerd "$@"
}

# docker_pod NAMESPACE NAME UID [--host-pid|--shared-pid|--label K=V]...: make a pod, print the sandbox's id.
docker_pod() {
	local namespace=$1 name=$2 uid=$3 parent=/kubepods/besteffort/pod$3 pid='' options=()
	shift 3

	while [ $# -gt 0 ]; do
		case $1 in
		--host-pid) options+=(--pid host) && pid=host ;;
		--shared-pid) pid=shared ;;
		--label) options+=(--label "$2") && shift ;;
		*) die "docker pods have no option $1" ;;
		esac
		shift
	done
	echo "$parent" >>"$DIR/pods/cgroups"
	id=$(docker_run --name "k8s_POD_${name}_${namespace}_${uid}_0" \
		--cgroup-parent "$parent" --net host --ipc shareable \
		--label io.kubernetes.pod.namespace="$namespace" --label io.kubernetes.pod.name="$name" \
		--label io.kubernetes.pod.uid="$uid" --label io.kubernetes.container.name=POD \
		--label io.kubernetes.docker.type=podsandbox \
		${options[@]+"${options[@]}"} "$PAUSE_IMAGE")
	printf '%q %q %q %q\n' "$namespace" "$name" "$uid" "$pid" >"$DIR/pods/$id.pod"
	printf '%s\n' "$id"
}

# docker_container SANDBOX NAME COMMAND...: make a container, print its id.
docker_container() {
	local sandbox=$1 container=$2 namespace name uid pid id options=()
	shift 2

	read -r namespace name uid pid <"$DIR/pods/$sandbox.pod"
	case $pid in
	host) options=(--pid host) ;;
	shared) options=(--pid "container:$sandbox") ;;
	esac
	id=$(docker_run --name "k8s_${container}_${name}_${namespace}_${uid}_0" \
		--cgroup-parent "/kubepods/besteffort/pod$uid" --net "container:$sandbox" \
		--ipc "container:$sandbox" \
		--label io.kubernetes.pod.namespace="$namespace" --label io.kubernetes.pod.name="$name" \
		--label io.kubernetes.pod.uid="$uid" --label io.kubernetes.container.name="$container" \
		--label io.kubernetes.docker.type=container --label io.kubernetes.sandbox.id="$sandbox" \
		${options[@]+"${options[@]}"} "$BUSYBOX_IMAGE" "$@")
	printf '%s/%s/%s %s\n' "$namespace" "$name" "$container" "$id" >>"$DIR/pods/names"
	printf '%s\n' "$id"
}

docker_make() {
	local what=${1:-} namespace=prod name=app uid options=() DOCKER_RUN=("${DOCKER_RUN[@]}")
	shift

	uid=$(cat /proc/sys/kernel/random/uuid)
	while [ $# -gt 0 ]; do
		case $1 in
		--namespace) namespace=$2 && shift 2 ;;
		--name) name=$2 && shift 2 ;;
		--uid) uid=$2 && shift 2 ;;
		--label) options+=("$1" "$2") && shift 2 ;;
		--create-only) DOCKER_RUN=(create) && shift ;;
		--*) options+=("$1") && shift ;;
		*) break ;;
		esac
	done
	case $what in
	pod) docker_pod "$namespace" "$name" "$uid" ${options[@]+"${options[@]}"} ;;
	container)
		[ $# -gt 1 ] || set -- "$1" sleep 1000000
		docker_container "$1" "$name" "${@:2}"
		;;
	*) die "make pod or make container" ;;
	esac
}

docker_fill_pod() {
	local i=$1 names=(prod/web prod/db prod/cache staging/web batch/report)
	local names_inside=(app sidecar metrics) pod sandbox k name command

	pod=${names[i % 5]}
	[ "$i" -lt 5 ] || pod+=-$((i / 5))
	sandbox=$(docker_pod "${pod%/*}" "${pod#*/}" "$(cat /proc/sys/kernel/random/uuid)" \
		${POD_OPTIONS[@]+"${POD_OPTIONS[@]}"})
	command=(sleep 1000000)
	if [ "$PROCESSES" -gt 1 ]; then
		command=(sh -c "$(printf 'sleep %s & ' $(seq 1000001 $((1000000 + PROCESSES - 1))))wait")
	fi
	for ((k = 0; k < CONTAINERS; k++)); do
		name=${names_inside[k]:-extra-$((k - 2))}
		echo "$pod/$name $(docker_container "$sandbox" "$name" "${command[@]}")"
	done
}

# docker_fill FIRST: make the pods from number FIRST on, four at a time.
docker_fill() {
	local i

	for ((i = $1; i < $1 + PODS; i++)); do
		docker_fill_pod "$i" &
		(((i - $1) % 4 != 3)) || wait
	done
	wait
}

docker_exec() {
	# shellcheck disable=SC2086 # -d or nothing
	docker_client exec $DETACH "$@"
}

docker_kill() {
	docker_client kill --signal "$2" "$1" >/dev/null
}

docker_pause() {
	docker_client pause "$1" >/dev/null
}

docker_resume() {
	docker_client unpause "$1" >/dev/null
}

docker_status() {
	docker_client ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.Status}}'
}
