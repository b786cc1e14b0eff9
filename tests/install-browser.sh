#!/bin/sh
# Installs Chromium and a Chinese font for the page tests where apt works; says aloud where it does not.
set -u
have() { command -v chromium >/dev/null 2>&1 && fc-list :lang=zh 2>/dev/null | grep -q .; }
have && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing chromium and a Chinese font for the page tests ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fontconfig fonts-wqy-microhei; } >/dev/null 2>&1
fi
have || echo "!!! NO CHROMIUM: the page tests will be skipped. Install the packages chromium and fonts-wqy-microhei to run them."
exit 0
