# A throwaway podman with its own root, state and images, its Docker-compatible service, and podman's pods.
# Podman has no daemon: its client works on the folder directly, in the sandbox's mount namespace. Sourced by
# hack/sandbox.
# shellcheck shell=bash

podman_programs() {
	local release=${RELEASE:-bookworm} library

	find_runc "$RELEASE"
	if [ -n "$RELEASE" ] || ! command -v podman >/dev/null || ! command -v conmon >/dev/null; then
		unpack "$release" podman conmon
		add_path "$release"
	fi
	# An earlier run may have unpacked the programs already; their libraries are needed all the same. libgpgme
	# needs libassuan.
	for library in libsubid:libsubid4 libgpgme:libgpgme11 libassuan:libassuan0 \
		libdevmapper:libdevmapper1.02.1 libseccomp:libseccomp2; do
		add_missing_library "$(command -v podman)" "$release" "${library%:*}" "${library#*:}"
	done
	for library in libglib:libglib2.0-0 libsystemd:libsystemd0; do
		add_missing_library "$(command -v conmon)" "$release" "${library%:*}" "${library#*:}"
	done
}

podman_endpoint() {
	printf 'unix://%s/podman.sock\n' "$DIR"
}

podman_inside() {
	nsenter --target "$(cat "$DIR/holder.pid")" --mount --root "$@"
}

PODMAN_ENVIRONMENT=()

podman_environment() {
	PODMAN_ENVIRONMENT=(env "CONTAINERS_CONF=$DIR/containers.conf" "CONTAINERS_STORAGE_CONF=$DIR/storage.conf"
		"CONTAINERS_REGISTRIES_CONF=$DIR/registries.conf" "TMPDIR=$DIR/tmp")
}

podman_client() {
	podman_environment
	podman_inside "${PODMAN_ENVIRONMENT[@]}" podman "$@"
}

# Write the configuration that keeps podman away from /etc/containers, /run, /var/lib and /dev/shm.
podman_config() {
	local driver=vfs limits='' most

	! overlay_works "$DIR" || driver=overlay
	# podman raises the limits of its containers, or lowers its own before; without this capability they cannot
	# be raised again, and runc fails.
	if ! has_capability CAP_SYS_RESOURCE; then
		most=$(ulimit -Hu)
		[ "$most" != unlimited ] && [ "$most" -lt 32768 ] || most=32768
		limits="\"nofile=1024:1024\", \"nproc=$most:$most\""
	fi
	cat >"$DIR/storage.conf" <<-EOF
		[storage]
		driver = "$driver"
		graphroot = "$DIR/root"
		runroot = "$DIR/state"
	EOF
	: >"$DIR/registries.conf"
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$DIR/policy.json"
	cat >"$DIR/containers.conf" <<-EOF
		[containers]
		netns = "host"
		apparmor_profile = "unconfined"
		default_sysctls = []
		default_ulimits = [$limits]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		lock_type = "file"
		infra_image = "$PAUSE_IMAGE"
		infra_command = "/pause"
		runtime = "runc"
		conmon_path = ["$(command -v conmon)"]
		static_dir = "$DIR/root/libpod"
		tmp_dir = "$DIR/state/libpod"
		volume_path = "$DIR/root/volumes"
		[engine.runtimes]
		runc = ["$(command -v runc)"]
		[network]
		network_backend = "cni"
		network_config_dir = "$DIR/cni"
		cni_plugin_dirs = ["$DIR/cni"]
	EOF
	mkdir -p "$DIR/cni" "$DIR/tmp"
}

podman_start() {
	podman_environment
	rm -f "$DIR/podman.sock"
	start_daemon podman podman_client --url "$(podman_endpoint)" version -- \
		"${PODMAN_ENVIRONMENT[@]}" podman system service --time=0 "$(podman_endpoint)"
}

podman_stop() {
	stop_daemon podman "$@"
}

# podman_import ROOTFS NAME CHANGE...: import a root file system as an image.
podman_import() {
	local rootfs=$1 name=$2 changes=()
	shift 2

	while [ $# -gt 0 ]; do
		changes+=(--change "$1")
		shift
	done
	tar -C "$rootfs" -c . | podman_client import --quiet --signature-policy "$DIR/policy.json" \
		"${changes[@]}" - "$name" >/dev/null
}

podman_up() {
	podman_config
	podman_start
	make_rootfs "$DIR/rootfs" "$BUILD/test/podmaker/pause"
	podman_import "$DIR/rootfs/pause" "$PAUSE_IMAGE" 'ENTRYPOINT ["/pause"]'
	podman_import "$DIR/rootfs/busybox" "$BUSYBOX_IMAGE" 'ENV PATH=/bin' 'CMD ["sh"]'
	rm -rf "$DIR/rootfs"
}

podman_make() {
	die "make knows containerd and docker: say 'client run ...'"
}

podman_fill_pod() {
	local i=$1 names=(prod/web prod/db prod/cache staging/web batch/report)
	local names_inside=(app sidecar metrics) pod parent id k name command options=() inside=()

	pod=${names[i % 5]}
	[ "$i" -lt 5 ] || pod+=-$((i / 5))
	case " ${POD_OPTIONS[*]-} " in
	*' --host-pid '*) inside=(--pid host) ;;
	*' --shared-pid '*) options=(--share 'ipc,net,uts,pid') ;;
	esac
	# Each pod gets its own cgroup parent, so that teardown finds the pod even before it has an id.
	parent=/libpod_parent/sandbox-$(cat /proc/sys/kernel/random/uuid)
	echo "$parent" >>"$DIR/pods/cgroups"
	podman_client pod create --name "${pod/\//-}" --cgroup-parent "$parent" --network host \
		${options[@]+"${options[@]}"} >/dev/null
	command=(sleep 1000000)
	if [ "$PROCESSES" -gt 1 ]; then
		command=(sh -c "$(printf 'sleep %s & ' $(seq 1000001 $((1000000 + PROCESSES - 1))))wait")
	fi
	for ((k = 0; k < CONTAINERS; k++)); do
		name=${names_inside[k]:-extra-$((k - 2))}
		id=$(podman_client run -d --pull never --pod "${pod/\//-}" --name "${pod/\//-}-$name" \
			${inside[@]+"${inside[@]}"} "$BUSYBOX_IMAGE" "${command[@]}")
		printf '%s/%s %s\n' "$pod" "$name" "$id" >>"$DIR/pods/names"
		echo "$pod/$name $id"
	done
}

# podman_fill FIRST: make the pods from number FIRST on.
podman_fill() {
	local i

	for ((i = $1; i < $1 + PODS; i++)); do
		podman_fill_pod "$i"
	done
}

podman_exec() {
	# shellcheck disable=SC2086 # -d or nothing
	podman_client exec $DETACH "$@"
}

podman_kill() {
	podman_client kill --signal "$2" "$1" >/dev/null
}

podman_pause() {
	podman_client pause "$1" >/dev/null
}

podman_resume() {
	podman_client unpause "$1" >/dev/null
}

podman_status() {
	podman_client ps --all --no-trunc --format '{{.ID}} {{.Names}} {{.Status}}'
}
