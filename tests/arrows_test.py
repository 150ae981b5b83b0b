# SPDX-License-Identifier: BSD-3-Clause
"""The include lines follow the arrows of docs/architecture.md: code includes only what lies below it."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]

BASE = {"lib"}
CORE = {"lib", "packet", "bpf", "proof", "bundle", "click", "elements", "kernel"}
# What each folder may include, besides itself.
ALLOWED = {
    "lib": set(),
    "packet": BASE,
    "bpf": BASE,
    "proof": BASE | {"bpf"},
    "bundle": BASE | {"bpf", "proof"},
    "click": BASE | {"packet", "bpf", "proof", "bundle"},
    "elements": BASE | {"packet", "bpf", "proof", "bundle", "click"},
    "kernel": CORE,
    "platform/vm": CORE,
    "platform/process": CORE,
    "verifier": BASE | {"bpf", "proof", "bundle"},
    "tools": CORE | {"verifier", "platform/process"},
}
# The core is freestanding: of the compiler's and the C library's headers it may use only these.
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "stdatomic.h", "limits.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_of(path):
    """The folder of ALLOWED that a path lies in, or None."""
    parts = path.split("/")
    name = "/".join(parts[:2]) if parts[0] == "platform" else parts[0]
    return name if name in ALLOWED else None


def files_of(folder):
    return sorted(path for suffix in ("*.c", "*.h", "*.S") for path in (ROOT / folder).rglob(suffix))


def project_includes(path):
    """Quoted includes as paths from the root. One without a folder is a neighbour of the file."""
    for quote, name in INCLUDE.findall(path.read_text()):
        if quote == '"':
            neighbour = path.parent / name
            yield str(neighbour.relative_to(ROOT)) if "/" not in name and neighbour.exists() else name


def core_sources(folder):
    """The files that the folder's meson.build lists under FOLDER_sources, and all its headers."""
    lists = re.search(rf"^{folder}_sources\s*[+]?=\s*files\((.*?)\)", (ROOT / folder / "meson.build").read_text(), re.MULTILINE | re.DOTALL)
    names = re.findall(r"'([^']+\.c)'", lists.group(1))
    assert names, f"{folder}/meson.build lists no {folder}_sources"
    return [ROOT / folder / name for name in names]


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_includes_only_what_lies_below_it(folder):
    wrong = []
    for path in files_of(folder):
        for name in project_includes(path):
            other = folder_of(name)
            if other is not None and other != folder and other not in ALLOWED[folder]:
                wrong.append(f"{path.relative_to(ROOT)} includes {name}")
    assert not wrong


def test_only_the_kernel_and_the_platforms_themselves_see_the_platform_contract():
    users = {path.relative_to(ROOT) for folder in ALLOWED for path in files_of(folder) if "kernel/platform.h" in project_includes(path)}
    assert users, "nobody includes kernel/platform.h: this test looks in the wrong place"
    assert all(str(path).startswith(("kernel/", "platform/")) for path in users)


@pytest.mark.parametrize("folder", sorted(CORE))
def test_the_core_uses_no_header_of_the_c_library(folder):
    wrong = []
    for path in core_sources(folder):
        for quote, name in INCLUDE.findall(path.read_text()):
            if quote == "<" and name not in FREESTANDING:
                wrong.append(f"{path.relative_to(ROOT)} includes <{name}>")
    assert not wrong
