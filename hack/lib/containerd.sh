# A throwaway containerd with its own root, state and socket. Sourced by hack/sandbox.
# shellcheck shell=bash

# Whether an overlay can be mounted with its upper side in $1.
overlay_works() {
	mkdir -p "$1/try/lower" "$1/try/upper" "$1/try/work" "$1/try/on"
	unshare --mount --propagation "$(propagation)" mount -t overlay overlay "$1/try/on" \
		-o "lowerdir=$1/try/lower,upperdir=$1/try/upper,workdir=$1/try/work" 2>/dev/null
	set -- $? "$1"
	rm -rf "$2/try"
	return "$1"
}

containerd_config() {
	local snapshotter=native adjust=false

	! overlay_works "$DIR" || snapshotter=overlayfs
	# Without this capability oom_score_adj cannot be lowered, and runc fails.
	has_capability CAP_SYS_RESOURCE || adjust=true
	cat <<-EOF
		version = 2
		root = "$DIR/root"
		state = "$DIR/state"
		disabled_plugins = [
		  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
		  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		  "io.containerd.snapshotter.v1.blockfile", "io.containerd.tracing.processor.v1.otlp",
		]
		[grpc]
		  address = "$DIR/containerd.sock"
		[plugins."io.containerd.internal.v1.opt"]
		  path = "$DIR/opt"
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "$PAUSE_IMAGE"
		  restrict_oom_score_adj = $adjust
		  disable_apparmor = true
		  stream_server_address = "127.0.0.1"
		  stream_server_port = "0"
		  [plugins."io.containerd.grpc.v1.cri".cni]
		    bin_dir = "$DIR/cni"
		    conf_dir = "$DIR/cni"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    snapshotter = "$snapshotter"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		      runtime_type = "io.containerd.runc.v2"
	EOF
}

# Daemons run in a mount namespace with its own /run, where shims put their sockets. When the last process of
# the namespace exits, all its mounts are gone. A holder process keeps it while a daemon is stopped.
#
# In a chroot "/" is no mount point, so its propagation cannot be changed, which runc does. There the namespace
# gets a root that is a mount point, bound below DIR. If / is shared with the outside, only an empty tmpfs is
# visible there: its content is private.
propagation() {
	if unshare --mount --propagation private true 2>/dev/null; then
		echo private
	else
		echo unchanged
	fi
}

hold_namespace() {
	local kind
	kind=$(propagation)

	cp "$BUILD/test/podmaker/pause" "$DIR/holder"
	cat >"$DIR/hold.sh" <<-'EOF'
		set -e
		cd "$1"
		mount -t tmpfs tmpfs /run
		# Files that containerd mounts into pods; a minimal system may lack them. Nothing is written to the system.
		if [ ! -e /etc/hosts ] || [ ! -e /etc/hostname ] || [ ! -e /etc/resolv.conf ]; then
			cp -a /etc "$1/etc"
			touch "$1/etc/hosts" "$1/etc/hostname" "$1/etc/resolv.conf"
			mount --bind "$1/etc" /etc
		fi
		case $1 in
		/run/*)
			mkdir -p "$1"
			mount --no-canonicalize --bind . "$1"
			;;
		esac
		: >"$1/held"
		exec "$1/holder"
	EOF
	# shellcheck disable=SC2016 # for the inner shell
	setsid unshare --mount --propagation "$kind" sh -c '
		[ "$2" = unchanged ] || exec sh "$1/hold.sh" "$1"
		mkdir -p "$1/outer" && mount -t tmpfs tmpfs "$1/outer" &&
			mount --make-private "$1/outer" && mkdir "$1/outer/root" &&
			mount --rbind / "$1/outer/root" && mount --make-rprivate "$1/outer/root" &&
			exec chroot "$1/outer/root" sh "$1/hold.sh" "$1"' \
		sh "$DIR" "$kind" </dev/null >>"$DIR/holder.log" 2>&1 &
	echo $! >"$DIR/holder.pid"
	disown
	wait_for 10 test -e "$DIR/held" || die "no mount namespace: $(cat "$DIR/holder.log")"
}

# spawn NAME COMMAND...: start the command in that namespace; writes NAME.pid and NAME.log.
spawn() {
	local name=$1
	shift

	[ -e "$DIR/held" ] || hold_namespace
	setsid nsenter --target "$(cat "$DIR/holder.pid")" --mount --root "$@" \
		</dev/null >>"$DIR/$name.log" 2>&1 &
	echo $! >"$DIR/$name.pid"
	disown
}

# wait_for SECONDS COMMAND...: repeat the command until it succeeds; fails after that time.
wait_for() {
	local tries=$(($1 * 20))
	shift

	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

# start_daemon NAME PROBE... -- COMMAND...: start it and wait until the probe succeeds or the daemon is gone.
start_daemon() {
	local name=$1 probe=()
	shift

	while [ "$1" != -- ]; do
		probe+=("$1")
		shift
	done
	shift
	spawn "$name" "$@"
	wait_for 30 answers_or_gone "$name" "${probe[@]}" || true
	"${probe[@]}" >/dev/null 2>&1 || die "$name does not answer: $(tail -n 3 "$DIR/$name.log")"
}

answers_or_gone() {
	local name=$1
	shift

	"$@" || is_gone "$name"
}

# is_gone NAME: whether the daemon has exited; a zombie has, and its /proc/PID/exe cannot be read.
is_gone() {
	! readlink "/proc/$(cat "$DIR/$1.pid")/exe"
}

# stop_daemon NAME [-SIGNAL]: signal the daemon and wait until it is gone.
stop_daemon() {
	kill "${2:--TERM}" "$(cat "$DIR/$1.pid")"
	wait_for 20 is_gone "$1" || die "$1 does not stop"
}

containerd_programs() {
	find_containerd "$RELEASE"
}

containerd_endpoint() {
	printf 'unix://%s/containerd.sock\n' "$DIR"
}

containerd_client() {
	ctr -a "$DIR/containerd.sock" -n k8s.io "$@"
}

containerd_make() {
	"$BUILD/test/podmaker/podmaker" "$DIR/containerd.sock" "$DIR/pods" "$@"
}

# containerd_fill FIRST: make the pods from number FIRST on.
containerd_fill() {
	containerd_make fill --first "$1" --pods "$PODS" --containers "$CONTAINERS" \
		--processes "$PROCESSES" ${POD_OPTIONS[@]+"${POD_OPTIONS[@]}"}
}

containerd_exec() {
	# shellcheck disable=SC2086 # -d or nothing
	containerd_client task exec $DETACH --fifo-dir "$DIR/fifo" --exec-id "x$RANDOM$RANDOM" "$@"
}

containerd_kill() {
	containerd_client task kill --signal "$2" "$1"
}

containerd_pause() {
	containerd_client task pause "$1"
}

containerd_resume() {
	containerd_client task resume "$1"
}

containerd_status() {
	containerd_client task ls
}

containerd_start() {
	start_daemon containerd containerd_make ready -- \
		containerd --config "$DIR/config.toml" --log-level info
}

containerd_stop() {
	stop_daemon containerd "$@"
}

# Wait until the CRI plugin has labelled both images: before that it does not know them.
images_known() {
	[ "$(containerd_client image ls | grep -c ':[0-9a-z.]* .*io.cri-containerd.image=managed')" -ge 2 ]
}

containerd_up() {
	local rootfs=$DIR/rootfs image

	containerd_config >"$DIR/config.toml"
	mkdir -p "$DIR/cni"
	containerd_start
	make_rootfs "$rootfs" "$BUILD/test/podmaker/pause"
	oci_archive "$rootfs/pause" "$PAUSE_IMAGE" /pause "$DIR/pause.tar"
	oci_archive "$rootfs/busybox" "$BUSYBOX_IMAGE" /bin/sh "$DIR/busybox.tar"
	for image in pause busybox; do
		containerd_client image import "$DIR/$image.tar" >/dev/null
		rm "$DIR/$image.tar"
	done
	rm -rf "$rootfs"
	wait_for 20 images_known || die "the CRI plugin does not see the images"
}
