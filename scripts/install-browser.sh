#!/bin/sh
# Installs Chromium for the browser tests where there is none.
set -eu
if [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; then
  exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
else
  echo "The browser tests need Chromium. Install it (Debian: sudo apt-get install chromium), or set CHROMIUM to its path." >&2
  exit 1
fi
