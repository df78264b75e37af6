#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, as C11 and as C++17, under strict flags.
set -eu
cd "$(dirname "$0")/.."
for h in include/hwledger/*.h; do
  for c in gcc clang-14; do
    printf '#include <hwledger/%s>\n' "$(basename "$h")" | $c -x c -std=c11 -Iinclude -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -
  done
  if command -v g++ >/dev/null; then
    printf '#include <hwledger/%s>\n' "$(basename "$h")" | g++ -x c++ -std=c++17 -Iinclude -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only -
  fi
done
