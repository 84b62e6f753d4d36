#!/usr/bin/env bash
# systemd-analyze accepts the units in hack/systemd, and rates the exposure of the services in their
# sandbox as 2.0 at most. Skipped without systemd-analyze.
#   test/program/test_units.sh PODPID
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
UNITS=$HERE/../hack/systemd
PODPID=$1

command -v systemd-analyze >/dev/null || {
	[ -z "${PODPID_REQUIRE_RUNTIME:-}" ] || { echo "FAILED: systemd-analyze is missing"; exit 1; }
	echo "skipped: systemd-analyze is missing (package systemd)"
	exit 77
}

dir=$(mktemp -d /tmp/podpid-test.XXXXXX)
trap 'rm -rf "$dir"' EXIT

# The replicator that the drop-ins are for; the program where it was built.
cp "$UNITS"/*.service "$UNITS"/*.timer "$dir"
printf '[Unit]\nDescription=CDM-Replicator\n[Service]\nExecStart=/bin/true\n' >"$dir/cdm-replicator.service"
sed -i "s,/usr/bin/podpid,$PODPID,; s,/usr/lib/podpid/podpid-textfile,$UNITS/podpid-textfile," "$dir"/*.service

# verify [DROP-IN]: systemd-analyze has no complaint about any unit.
verify() {
	rm -rf "$dir/cdm-replicator.service.d"
	if [ $# -gt 0 ]; then
		mkdir "$dir/cdm-replicator.service.d"
		sed "s,/usr/bin/podpid,$PODPID,; s,/usr/bin/cdm-replicator,/bin/true," "$1" \
			>"$dir/cdm-replicator.service.d/podpid.conf"
	fi
	said=$(SYSTEMD_LOG_COLOR=0 systemd-analyze verify --man=no "$dir"/*.service "$dir"/*.timer 2>&1) || {
		printf '%s\n' "$said"
		echo "FAILED: systemd-analyze verify"
		exit 1
	}
	if printf '%s\n' "$said" | grep -F "$dir"; then
		echo "FAILED: systemd-analyze verify has something to say"
		exit 1
	fi
}

verify
verify "$UNITS/cdm-replicator.service.d/podpid.conf"
verify "$UNITS/cdm-replicator-wrapped.conf"

for unit in podpid-preflight podpid-watch; do
	exposure=$(systemd-analyze security --offline=true --no-pager "$dir/$unit.service" 2>/dev/null |
		sed -n 's/.*Overall exposure level.*: *\([0-9.]*\).*/\1/p')
	echo "exposure of $unit.service: $exposure"
	awk -v e="$exposure" 'BEGIN { exit !(e != "" && e <= 2.0) }' || {
		echo "FAILED: more than 2.0"
		exit 1
	}
done
