#!/bin/sh
# Installs the foreign programs that tests use, where apt works; says aloud which are missing where it does not.
set -u
PATH="$PATH:/usr/sbin:/usr/local/sbin"
PEERS="sipp:sip-tester baresip:baresip-core linphonec:linphone-cli kamailio:kamailio turnserver:coturn promtool:prometheus
  ip:iproute2 faketime:faketime pg_ctlcluster:postgresql"

missing() {
  for pair in $PEERS; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || echo "${pair##*:}"
  done
}

wanted=$(missing)
[ -z "$wanted" ] && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing foreign programs for the tests:" $wanted "..."
  export DEBIAN_FRONTEND=noninteractive
  timeout 120 apt-get update -qq >/dev/null 2>&1
  # One by one: a package that this distribution lacks must not keep the others out. No service is started.
  for package in $wanted; do
    [ "$package" = kamailio ] && package="kamailio kamailio-tls-modules"
    RUNLEVEL=1 timeout 240 apt-get install -y -qq --no-install-recommends $package >/dev/null 2>&1
  done
fi
for package in $(missing); do
  echo "!!! MISSING $package: its tests will be skipped. Install it with: apt-get install $package"
done
exit 0
