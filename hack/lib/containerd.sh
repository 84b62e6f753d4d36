# A containerd of its own root, state and socket. Sourced by hack/sandbox.
# shellcheck shell=bash

# Whether an overlay can be mounted with its upper side in $1.
overlay_works() {
	mkdir -p "$1/try/lower" "$1/try/upper" "$1/try/work" "$1/try/on"
	unshare --mount mount -t overlay overlay "$1/try/on" \
		-o "lowerdir=$1/try/lower,upperdir=$1/try/upper,workdir=$1/try/work" 2>/dev/null
	set -- $? "$1"
	rm -rf "$2/try"
	return "$1"
}

containerd_config() {
	local dir=$1 snapshotter=native adjust=false

	overlay_works "$dir" && snapshotter=overlayfs
	# Without this capability nobody may lower an oom_score_adj, and runc gives up.
	has_capability CAP_SYS_RESOURCE || adjust=true
	cat <<-EOF
		version = 2
		root = "$dir/root"
		state = "$dir/state"
		disabled_plugins = [
		  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
		  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		  "io.containerd.snapshotter.v1.blockfile", "io.containerd.tracing.processor.v1.otlp",
		]
		[grpc]
		  address = "$dir/containerd.sock"
		[plugins."io.containerd.internal.v1.opt"]
		  path = "$dir/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "$PAUSE_IMAGE"
		  restrict_oom_score_adj = $adjust
		  disable_apparmor = true
		  stream_server_address = "127.0.0.1"
		  stream_server_port = "0"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$dir/cni"
		    conf_dir = "$dir/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "$snapshotter"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
	EOF
}

# Daemons run in a mount namespace of their own with a /run of their own (shims put their sockets
# there): when the last process of it is gone, so is every mount.
# spawn FOLDER NAME COMMAND...: prints nothing, writes FOLDER/NAME.pid.
spawn() {
	local dir=$1 name=$2
	shift 2

	# shellcheck disable=SC2016 # for the inner shell
	setsid unshare --mount --propagation private sh -c '
		dir=$1
		cd "$dir" && mount -t tmpfs tmpfs /run || exit 1
		case $dir in
		/run/*) mkdir -p "$dir" && mount --no-canonicalize --bind . "$dir" && cd "$dir" || exit 1 ;;
		esac
		shift
		exec "$@"' sh "$dir" "$@" </dev/null >>"$dir/$name.log" 2>&1 &
	echo $! >"$dir/$name.pid"
}

# wait_for SECONDS COMMAND...
wait_for() {
	local tries=$(($1 * 20))
	shift

	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# The CRI plugin has seen both images when it has labelled them.
images_known() {
	[ "$(ctr -a "$1/containerd.sock" -n k8s.io image ls | grep -c ':[0-9a-z.]* .*io.cri-containerd.image=managed')" -ge 2 ]
}

containerd_start() {
	local dir=$1

	spawn "$dir" containerd containerd --config "$dir/config.toml" --log-level info
	wait_for 30 ctr -a "$dir/containerd.sock" version || {
		tail -n 5 "$dir/containerd.log" >&2
		die "containerd does not answer; its log is $dir/containerd.log"
	}
}

containerd_up() {
	local dir=$1 rootfs=$1/rootfs image

	containerd_config "$dir" >"$dir/config.toml"
	mkdir -p "$dir/cni"
	containerd_start "$dir"
	make_rootfs "$rootfs" "$BUILD/test/podmaker/pause"
	oci_archive "$rootfs/pause" "$PAUSE_IMAGE" /pause "$dir/pause.tar"
	oci_archive "$rootfs/busybox" "$BUSYBOX_IMAGE" /bin/sh "$dir/busybox.tar"
	for image in pause busybox; do
		ctr -a "$dir/containerd.sock" -n k8s.io image import "$dir/$image.tar" >/dev/null
		rm "$dir/$image.tar"
	done
	rm -rf "$rootfs"
	wait_for 20 images_known "$dir" || die "the CRI plugin does not see the images"
}
