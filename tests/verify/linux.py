# SPDX-License-Identifier: BSD-3-Clause
"""What Linux's verifier says of objects: this machine's, or, where that is refused, the one of Debian's cloud kernel (cloud_kernel.py)."""
import json
import os
import platform
import subprocess

import cloud_kernel

NOT_PERMITTED = 77  # linux_verify.c
OLDEST = (6, 1)  # what older kernels don't know is no word against a program


def version(release):
    return tuple(map(int, release.split(".")[:2]))


def here(tool, objects):
    """None where the kernel is too old, does not allow it, or IMAGO_LINUX=cloud asks for the other one."""
    if os.environ.get("IMAGO_LINUX") == "cloud" or version(platform.release()) < OLDEST:
        return None
    done = subprocess.run([tool, *objects], capture_output=True, text=True, check=False)
    return None if done.returncode == NOT_PERMITTED else done


def verdicts(build, objects):
    """A dictionary for each object, in their order (linux_verify.c). cloud_kernel.Unavailable where there is no Linux to ask."""
    tool = build / "tests/verify/linux-verify"
    done = here(tool, objects) or cloud_kernel.run(tool, *objects, cache=build / "cloud-kernel")
    if done.returncode != 0:
        raise RuntimeError(f"{tool}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]
