# Make two container images from files, without network or another runtime. Sourced by hack/sandbox.
# shellcheck shell=bash disable=SC2034

PAUSE_IMAGE=registry.k8s.io/pause:3.6
BUSYBOX_IMAGE=docker.io/library/busybox:latest

# Make the root file systems of the images below $1.
make_rootfs() {
	local dir=$1 pause=$2 busybox applet

	busybox=$(find_busybox)
	mkdir -p "$dir/pause" "$dir/busybox/bin" "$dir/busybox/etc" "$dir/busybox/tmp" \
		"$dir/busybox/root"
	cp "$pause" "$dir/pause/pause"
	cp "$busybox" "$dir/busybox/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln "$dir/busybox/bin/busybox" "$dir/busybox/bin/$applet"
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/busybox/etc/passwd"
	echo 'root:x:0:' >"$dir/busybox/etc/group"
}

digest_of() {
	local sum

	sum=$(sha256sum "$1")
	printf '%s\n' "${sum%% *}"
}

# put_blob FOLDER FILE: rename the file to its digest and print "DIGEST SIZE".
put_blob() {
	local digest size

	digest=$(digest_of "$2")
	size=$(stat -c %s "$2")
	mv "$2" "$1/blobs/sha256/$digest"
	printf '%s %s\n' "$digest" "$size"
}

architecture() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	aarch64) echo arm64 ;;
	*) uname -m ;;
	esac
}

# oci_archive ROOTFS NAME COMMAND ARCHIVE: write an OCI image layout as a tar file.
oci_archive() {
	local rootfs=$1 name=$2 command=$3 archive=$4 dir layer config manifest
	local type=application/vnd.oci.image

	dir=$(mktemp -d "${archive%/*}/oci.XXXXXX")
	mkdir -p "$dir/blobs/sha256"
	tar -C "$rootfs" --owner=0 --group=0 --numeric-owner -cf "$dir/layer" .
	read -r -a layer <<<"$(put_blob "$dir" "$dir/layer")"
	printf '{"architecture":"%s","os":"linux","config":{"Cmd":["%s"],"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(architecture)" "$command" "${layer[0]}" >"$dir/config"
	read -r -a config <<<"$(put_blob "$dir" "$dir/config")"
	printf '{"schemaVersion":2,"config":{"mediaType":"%s.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"%s.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
		$type "${config[@]}" $type "${layer[@]}" >"$dir/manifest"
	read -r -a manifest <<<"$(put_blob "$dir" "$dir/manifest")"
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"}}]}' \
		$type "${manifest[@]}" "$name" "$name" >"$dir/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
	tar -C "$dir" -cf "$archive" oci-layout index.json blobs
	rm -rf "$dir"
}
