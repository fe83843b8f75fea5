#!/usr/bin/env bash
# Installs the Debian packages named that are missing: as root, by sudo, or else by saying how.
set -eu
if ! command -v dpkg-query >/dev/null; then
  echo "no dpkg here; needed are what Debian 12 calls: $*" >&2
  exit 0
fi
missing=()
for p in "$@"; do
  status=$(dpkg-query -W -f='${Status}' "$p" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$p")
done
[ ${#missing[@]} = 0 ] && exit 0
install=(apt-get install -y --no-install-recommends "${missing[@]}")
if [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${install[@]}"
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  sudo apt-get update -qq
  sudo DEBIAN_FRONTEND=noninteractive "${install[@]}"
else
  echo "packages are missing; run as root: ${install[*]}" >&2
  exit 1
fi
