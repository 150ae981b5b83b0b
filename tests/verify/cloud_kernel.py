# SPDX-License-Identifier: BSD-3-Clause
"""Runs a program of the host as root in Debian's cloud kernel, booted by QEMU: for machines whose own kernel refuses bpf(2).

Kernel and busybox are taken out of their packages (apt-get download), nothing is installed. The machine has a serial port and an initial
file system with the program, its libraries and the files that it is to read, nothing else.
"""
import pathlib
import re
import shutil
import subprocess

KERNEL, BUSYBOX = "linux-image-cloud-amd64", "busybox-static"
PATIENCE = 1500  # seconds, under TCG
STATUS = "exit status of what was to be run: "

INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/command > /output 2> /errors
echo "{status}$?"
/bin/busybox sed 's/^/1>/' /output
/bin/busybox sed 's/^/2>/' /errors
/bin/busybox reboot -f
"""


class Unavailable(Exception):
    """No packages to be had, or no QEMU."""


def attempt(*command, **options):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout
    except FileNotFoundError as error:
        raise Unavailable(str(error)) from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{command[0]}: {error.stderr.strip()}") from error


def unpack(package, into):
    into.mkdir(parents=True, exist_ok=True)
    attempt("apt-get", "download", package, cwd=into)
    for archive in into.glob("*.deb"):
        attempt("dpkg-deb", "--extract", archive, into)
        archive.unlink()


def fetch(cache):
    """(kernel, busybox), from the cache or, first, from their packages."""
    if not (cache / "complete").exists():
        shutil.rmtree(cache, ignore_errors=True)
        # The package without a version names the newest one.
        newest = re.search(r"Depends: (linux-image-\S+)", attempt("apt-cache", "depends", KERNEL))
        if newest is None:
            raise Unavailable(f"apt knows no package {KERNEL}; run apt-get update")
        unpack(newest[1], cache / "kernel")
        unpack(BUSYBOX, cache / "busybox")
        (cache / "complete").touch()
    return next((cache / "kernel/boot").glob("vmlinuz-*")), cache / "busybox/bin/busybox"


def libraries(program):
    """What ldd says that it loads, the loader included."""
    return [pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", attempt("ldd", program))]


def place(file, root):
    target = root / file.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)


def make_initial(busybox, program, arguments, cache):
    root = cache / "root"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "proc", "sys", "dev"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    for file in (program, *libraries(program), *(path for path in map(pathlib.Path, arguments) if path.is_file())):
        place(file.absolute(), root)
    for name, text in (("init", INIT.format(status=STATUS)), ("command", f"#!/bin/busybox sh\nexec {program} $(/bin/busybox cat /arguments)\n")):
        (root / name).write_text(text)
        (root / name).chmod(0o755)
    (root / "arguments").write_text("\n".join(map(str, arguments)))
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    image = cache / "initial.cpio"
    image.write_bytes(subprocess.run([busybox, "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), capture_output=True, check=True).stdout)
    return image


def run(program, *arguments, cache):
    """What subprocess.run would return of `program arguments...`; arguments, free of white space, that name files are there under the same
    names. `cache` is a directory for what is downloaded. Unavailable where that can't be had."""
    kernel, busybox = fetch(cache)
    image = make_initial(busybox, pathlib.Path(program).absolute(), arguments, cache)
    said = attempt("qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-accel", "tcg", "-m", "1G", "-nodefaults", "-no-user-config",
                   "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-initrd", image,
                   "-append", "console=ttyS0 quiet panic=-1", timeout=PATIENCE)
    status = re.search(re.escape(STATUS) + r"(\d+)", said)
    if status is None:
        raise Unavailable(f"Debian's cloud kernel does not boot: {said[-2000:]}")
    output, errors = ("".join(f"{line}\n" for line in re.findall(rf"^{stream}>(.*?)\r?$", said, re.MULTILINE)) for stream in "12")
    return subprocess.CompletedProcess([program, *arguments], int(status[1]), output, errors)
