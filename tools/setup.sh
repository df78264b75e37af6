#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Brings what a fresh Debian 12 lacks: packages named as arguments, and yyjson's C source where there is no system library.
# Quick when nothing is missing: one dpkg query, one file test.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

missing=()
for p in "$@"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -gt 0 ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}" >&2
  log=$(mktemp)
  { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { cat "$log" >&2; exit 1; }
  rm -f "$log"
fi

# yyjson 4.0.6 on PyPI carries yyjson 0.12's yyjson.c and yyjson.h (MIT).
dir=$root/build/deps/yyjson
if [ ! -f "$dir/yyjson.c" ] && ! pkg-config --exists yyjson 2>/dev/null; then
  sum=fcd4dc15c1e39a30bf9fa85d56903029111506860fc3080ab0d81c6c6dacaa8c
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  # pip asks the package for its metadata and builds that in an environment of its own; the archive is what we want.
  python3 -m pip download -q --no-deps --no-binary :all: -d "$tmp" yyjson==4.0.6 >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
  echo "$sum  $tmp/yyjson-4.0.6.tar.gz" | sha256sum -c --quiet - >&2
  mkdir -p "$dir"
  tar -xzf "$tmp/yyjson-4.0.6.tar.gz" -C "$dir" --strip-components=2 yyjson-4.0.6/yyjson/yyjson.c yyjson-4.0.6/yyjson/yyjson.h
fi
