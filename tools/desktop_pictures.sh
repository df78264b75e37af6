#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Draws docs/pictures anew with build/hwledger-desktop (or the program given): light and dark, without a screen.
set -eu
cd "$(dirname "$0")/.."
program=$(realpath "${1:-build/hwledger-desktop}")
out=$PWD/docs/pictures
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir -p "$out"
plan() { # plan NAME MODEL GPUS SETTINGS...
  local name=$1 model=$2 gpus=$3; shift 3
  { printf '[Plan]\nVersion=1\nModel=%s\n[Devices]\nDetected=false\nGPUs=%s;\nRAM=64G\n[Settings]\n' "$model" "$gpus"; printf '%s\n' "$@"; } >"$home/$name.hwplan"
}
shot() { # shot FILE SCHEME OPTIONS...
  local file=$1 scheme=$2; shift 2
  HOME=$home XDG_STATE_HOME=$home GSK_RENDERER=cairo GTK_A11Y=none GDK_BACKEND=x11 ADW_DEBUG_COLOR_SCHEME=$scheme \
    xvfb-run -a -s "-screen 0 1600x1200x24" dbus-run-session -- "$program" --shot "$home/shot.png" "$@" 2>/dev/null
  # few colours: the file stays small
  convert "$home/shot.png" -strip +dither -colors 128 -define png:compression-level=9 "png8:$out/$file"
}
plan moe qwen3-30b-a3b 'gpu=RTX4090' engine=llama.cpp quant=Q4_K_M ctx=65536 fit=off n-cpu-moe=12
plan two llama-3.3-70b 'gpu=RTX3090;gpu=RTX3090' engine=llama.cpp quant=Q4_K_M ctx=16384 fit=off
plan small llama-3.1-8b 'gpu=RTX4090' engine=llama.cpp quant=Q4_K_M ctx=32768
shot desktop-light.png prefer-light --size 1180x1010 "$home/moe.hwplan"
shot desktop-dark.png prefer-dark --size 1180x1010 "$home/two.hwplan"
shot charts-dark.png prefer-dark --size 1180x900 --page charts "$home/small.hwplan"
shot compare-light.png prefer-light --size 1180x700 --page compare --pins "$home/small.hwplan"
shot narrow-light.png prefer-light --size 360x760 "$home/small.hwplan"
ls -l "$out"
