#!/bin/sh
# Installs the foreign SIP peers of tests/interop where apt works; says aloud where it does not.
set -u
command -v sipp >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing SIPp for the interop tests ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq sip-tester; } >/dev/null 2>&1
fi
command -v sipp >/dev/null 2>&1 || echo "!!! NO SIPP: its interop tests will be skipped. Install the package sip-tester to run them."
exit 0
