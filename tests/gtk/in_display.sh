#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# in_display.sh COMMAND...: runs it on a display and a session bus of its own, with a window manager and AT-SPI, and leaves nothing behind.
set -eu
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home XDG_STATE_HOME=$home/state XDG_CONFIG_HOME=$home/config XDG_CACHE_HOME=$home/cache XDG_RUNTIME_DIR=$home
export GSK_RENDERER=cairo GDK_BACKEND=x11 GTK_A11Y=atspi LC_ALL=C.UTF-8 GSETTINGS_BACKEND=memory
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
# GTK, fontconfig and their like keep memory to the end: leaks are counted where no window is (desk_session).
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
# shellcheck disable=SC2016
xvfb-run -a -s "-screen 0 1280x900x24 -nolisten tcp" dbus-run-session -- bash -c 'openbox >/dev/null 2>&1 & wm=$!; "$@"; rc=$?; kill $wm; exit $rc' sh "$@"
