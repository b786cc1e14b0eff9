#!/bin/sh
# Compose: brings up deploy/container/compose.yaml as it is written, calls in through its Kamailio as a carrier would, and stops it.
#   sh tests/deploy/compose.sh FOLDER      FOLDER as tests/deploy/images.sh left it; wants podman-compose (PyPI) and sipp besides
# One thing is put in another's place: PostgreSQL's own image can't be had without a registry, so Debian's package stands in.
# Podman 4 waits for no other container's health: what starts before the database is there is started again.
set -eu
PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${1:?the folder that tests/deploy/images.sh was given}
[ -n "${INSIDE:-}" ] || exec env INSIDE=yes unshare --mount sh "$0" "$@"
umount /sys/fs/cgroup/unified 2>/dev/null || true
for program in podman-compose sipp; do
  command -v $program >/dev/null || { echo "!!! NO $program: the compose file is not tried"; exit 77; }
done
export CONTAINERS_CONF="$work/containers.conf" BUILDAH_ISOLATION=chroot
store="--root $work/store --runroot $work/run --storage-driver ${STORAGE:-overlay}"

mkdir -p "$work/database"
cat > "$work/database/Containerfile" <<'END'
FROM docker.io/library/debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-15
COPY start.sh /start.sh
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["sh", "/start.sh"]
END
cat > "$work/database/start.sh" <<'END'
set -e
cd /var/lib/postgresql/data
chown postgres . && chmod 700 .
if [ ! -e PG_VERSION ]; then
  printf %s "$POSTGRES_PASSWORD" > /tmp/password && chown postgres /tmp/password
  runuser -u postgres -- initdb -D . -U "$POSTGRES_USER" -E UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256 --pwfile=/tmp/password
  runuser -u postgres -- pg_ctl -D . -w -o "-h ''" start
  createdb -h /var/run/postgresql -U "$POSTGRES_USER" "$POSTGRES_DB"
  runuser -u postgres -- pg_ctl -D . -w stop
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups postgres -D . -p 5433 -h 127.0.0.1
END
cat > "$work/stand-in.yaml" <<'END'
services:
  database:
    image: localhost/database
    network_mode: host
    ports: !reset []
    healthcheck:
      test: !override ["CMD-SHELL", "pg_isready -p 5433 -U voicebot -d voicebot"]
END
sed 's/^CARRIER=.*/CARRIER=198.51.100.7:5060/; s/^ADDRESS=.*/ADDRESS=203.0.113.10/' "$root/deploy/container/env.example" > "$work/.env"
buildah $store build --pull=never --network host -t localhost/database "$work/database" > "$work/database.log" 2>&1

space="vbcompose$$"
printf '#!/bin/sh\nexec podman %s --cgroup-manager cgroupfs "$@"\n' "$store" > "$work/podman" && chmod +x "$work/podman"
here="nsenter --net=/run/netns/$space"    # not ip netns exec, which hides the cgroups
compose="$here podman-compose --podman-path $work/podman --env-file $work/.env -f $root/deploy/container/compose.yaml -f $work/stand-in.yaml"
ip netns add "$space"
trap '$compose down -v >/dev/null 2>&1; ip netns del "$space"' EXIT
ip -n "$space" link set lo up
ip -n "$space" addr add 203.0.113.10/32 dev lo
ip -n "$space" addr add 198.51.100.7/32 dev lo

$compose up -d --no-build
for service in database worker control; do
  tries=0
  until $here "$work/podman" healthcheck run "voicebot_${service}_1" >/dev/null; do
    tries=$((tries + 1)); [ $tries -lt 60 ] || { $here "$work/podman" logs "voicebot_${service}_1"; exit 1; }
    sleep 2
  done
  echo "$service is healthy, by the compose file's own check"
done
$here "$work/podman" exec voicebot_control_1 voicebot workers list

echo "A call from the carrier's address, through Kamailio, to the worker:"
sed '/^\(ACK\|BYE\) /a [routes]' "$root/tests/interop/caller.xml" > "$work/carrier.xml"
$here sipp -sf "$work/carrier.xml" -s 4000000000 -i 198.51.100.7 -p 5060 203.0.113.10:5060 \
  -m 1 -d 4000 -timeout 60 > "$work/sipp.log" 2>&1 || { tail -40 "$work/sipp.log"; exit 1; }
tries=0
until bundle=$($here "$work/podman" exec voicebot_worker_1 find /var/lib/voicebot/recordings -name '*.zip' | grep .); do
  tries=$((tries + 1)); [ $tries -lt 30 ] || exit 1
  sleep 1
done
$here "$work/podman" exec voicebot_worker_1 voicebot evidence verify $bundle

$compose stop
for service in worker control edge; do
  [ "$($here "$work/podman" inspect --format '{{.State.ExitCode}}' "voicebot_${service}_1")" = 0 ]
done
echo "== done: up, healthy, one call in, its recording verified, stopped with exit code 0"
