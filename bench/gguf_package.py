#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gguf_package.py FILE: microseconds in which the Python package gguf reads the header, least and the other of 2."""
import sys
import time

import gguf

us = []
for _ in range(2):
    start = time.perf_counter()
    gguf.GGUFReader(sys.argv[1])
    us.append((time.perf_counter() - start) * 1e6)
us.sort()
print(f"{us[0]:.1f} {us[1]:.1f}")
