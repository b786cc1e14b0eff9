#!/bin/sh
# Images: builds those of deploy/container as they are written, where there is neither a container engine nor a registry, and runs them.
#   sh tests/deploy/images.sh [FOLDER]     ten minutes, 3 GB in FOLDER (a new one below /tmp); root, debootstrap, buildah, podman, crun
# The base image is Debian by debootstrap under the name that the Containerfiles give; all else is what a builder would do.
set -eu
PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:-$(mktemp -d)}
base=docker.io/library/debian:12-slim
store="--root $work/store --runroot $work/run --storage-driver ${STORAGE:-overlay}"

say() { printf '\n== %s\n' "$*"; }

for program in debootstrap buildah podman crun; do
  command -v $program >/dev/null || { echo "!!! NO $program: no image is built. apt-get install debootstrap buildah podman crun"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "!!! NOT ROOT: no image is built"; exit 77; }
# Mounts of its own: crun refuses a machine that has cgroups of both kinds, so the second kind is put out of sight.
[ -n "${INSIDE:-}" ] || exec env INSIDE=yes unshare --mount sh "$0" "$@"
umount /sys/fs/cgroup/unified 2>/dev/null || true
mkdir -p "$work/containers"
cat > "$work/containers.conf" <<END
[engine]
cgroup_manager = "cgroupfs"
runtime = "crun"
[containers]
cgroups = "disabled"
default_ulimits = ["nofile=$(ulimit -n):$(ulimit -n)", "nproc=30000:30000"]
END
export CONTAINERS_CONF="$work/containers.conf" BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"
# A network with authorities or a package index of its own: what this machine uses, the build uses.
{ grep -v '^cert' /etc/pip.conf 2>/dev/null || echo '[global]'; echo 'cert = /own-authorities.crt'; } > "$work/pip.conf"
own="--volume $work/pip.conf:/etc/pip.conf:ro --volume /etc/ssl/certs/ca-certificates.crt:/own-authorities.crt:ro"

if ! buildah $store inspect --type image $base >/dev/null 2>&1; then
  say "base image $base"
  debootstrap --variant=minbase bookworm "$work/base" ${DEBIAN_MIRROR:-} > "$work/debootstrap.log"
  box=$(buildah $store from scratch)
  buildah $store copy -q "$box" "$work/base" /
  buildah $store config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$box"
  buildah $store commit -q --rm "$box" $base
  rm -rf "$work/base"
fi

rm -rf "$work/source" && mkdir "$work/source"
git -C "$root" archive "${REVISION:-HEAD}" | tar -x -C "$work/source"
for pair in voicebot:Containerfile voicebot-kamailio:Containerfile.kamailio; do
  say "image ${pair%%:*}"
  buildah $store build --pull=never --network host $own \
    -t "localhost/${pair%%:*}:latest" -f "deploy/container/${pair##*:}" "$work/source"
done
buildah $store images

# In a network of its own, which has one address and reaches nobody.
space="vbimages$$"
ip netns add "$space"
trap 'ip netns del "$space"; rm -rf "$work/source"' EXIT
ip -n "$space" link set lo up
ip -n "$space" addr add 203.0.113.10/32 dev lo
own_podman="podman $store --cgroup-manager cgroupfs"
run="$own_podman run --pull=never --network ns:/run/netns/$space --security-opt no-new-privileges --cap-drop ALL"

say "doctor"
$run --rm localhost/voicebot:latest doctor || true    # it has no trunk
$run --rm localhost/voicebot:latest doctor --json | python3 -c '
import json, sys
found = {row["check"]: row for row in json.load(sys.stdin)["findings"]}
for name in ("models", "scripts", "engines", "calendar", "audio", "database"):
    assert found[name]["health"] != "fail", found[name]
'
say "demo: one call over SIP"
$run --rm localhost/voicebot:latest demo --once --calls 1

say "serve, until the console says that it is well; then SIGTERM"
house=$($run -d localhost/voicebot:latest)
trap '$own_podman rm -f -t 5 "$house" >/dev/null; ip netns del "$space"; rm -rf "$work/source"' EXIT
tries=0
until $own_podman exec "$house" python -c "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/healthz', timeout=3).read().decode())" 2>/dev/null; do
  tries=$((tries + 1)); [ $tries -lt 90 ] || { $own_podman logs "$house"; exit 1; }
  sleep 1
done
$own_podman exec "$house" sh -c 'id; ls -ld /var/lib/voicebot'
$own_podman stop -t 240 "$house"
[ "$($own_podman inspect --format '{{.State.ExitCode}}' "$house")" = 0 ]

say "Kamailio, with the files that compose has written for it"
mkdir -p "$work/edge"
$run --rm --user 0:0 --volume "$work/edge:/edge" localhost/voicebot:latest kamailio config --out /edge \
  --listen 203.0.113.10:5060 --domain calls.example --carrier 198.51.100.7:5060 --worker 203.0.113.10:5070
$own_podman run --rm --pull=never --network "ns:/run/netns/$space" --user 0:0 \
  --volume "$work/edge:/edge:ro" localhost/voicebot-kamailio:latest -c
say "done: images built, doctor, demo, serve, SIGTERM, Kamailio"
