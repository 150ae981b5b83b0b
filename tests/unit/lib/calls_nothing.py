# SPDX-License-Identifier: BSD-3-Clause
"""Fails when an object or archive needs a symbol from elsewhere, such as memcpy.

Usage: calls_nothing.py FILE
"""
import subprocess
import sys

lines = subprocess.run(["nm", "-u", sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines()
undefined = sorted({line.split()[-1] for line in lines if line.split()[:1] == ["U"]})
if undefined:
    sys.exit(f"needs {', '.join(undefined)}")
