# SPDX-License-Identifier: BSD-3-Clause
"""The page tables that lie ready in the image: nothing is writable and executable, the nucleus is not ring 3's, page 0 and the guards are not
mapped. Read off the image as the processor would, not from the script that made it.
"""
import struct
import subprocess

import pytest

PRESENT, WRITE, USER, LARGE, NO_EXECUTE = 1, 2, 4, 0x80, 1 << 63
ADDRESS = 0x000FFFFFFFFFF000
PAGE = 4096
CODE = 0x7FE00000  # CODE_VIRTUAL of platform/vm/nucleus.h
CODE_END = CODE + (2 << 20)


class Image:
    def __init__(self, path):
        self.bytes = path.read_bytes()
        header = struct.unpack_from("<16sHHIQQQIHHHHHH", self.bytes)
        self.segments = []
        for i in range(header[10]):
            kind, flags, offset, _, address, size, memory, _ = struct.unpack_from("<IIQQQQQQ", self.bytes, header[5] + i * header[9])
            if kind == 1:
                self.segments.append((address, offset, size, memory, flags))
        lines = subprocess.run(["nm", path], check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
        self.symbols = {name: int(address, 16) for address, _, name in (line.split() for line in lines if len(line.split()) == 3)}

    def word(self, address):
        for start, offset, size, memory, _ in self.segments:
            if start <= address < start + memory:
                return struct.unpack_from("<Q", self.bytes, offset + address - start)[0] if address + 8 <= start + size else 0
        raise AssertionError(f"no segment holds {address:#x}")

    def pages(self):
        """(virtual address, size, entry) of every leaf, with what the levels above allow folded in."""
        found = []

        def walk(table, level, base, allowed, denied):
            for i in range(512):
                entry = self.word(table + 8 * i)
                if not entry & PRESENT:
                    continue
                rights, never = allowed & entry, denied | (entry & NO_EXECUTE)
                address, size = base + (i << (12 + 9 * level)), 1 << (12 + 9 * level)
                if level == 0 or entry & LARGE:
                    found.append((address, size, (entry & ADDRESS), (rights & (WRITE | USER)) | never))
                else:
                    walk(entry & ADDRESS, level - 1, address, rights, never)

        walk(self.symbols["page_pml4"], 3, 0, WRITE | USER, 0)
        return found


@pytest.fixture(scope="module")
def tables(image):
    return Image(image)


@pytest.fixture(scope="module")
def pages(tables):
    return {address: (size, physical, flags) for address, size, physical, flags in tables.pages()}


def test_no_page_is_writable_and_executable(pages):
    assert len(pages) > 300
    for address, (_, _, flags) in pages.items():
        assert not flags & WRITE or flags & NO_EXECUTE, f"{address:#x} is writable and executable"


def test_ring_3_executes_its_own_text_and_code_memory_and_nothing_else(tables, pages):
    text = range(tables.symbols["text_start"], tables.symbols["text_end"], PAGE)
    executable = [address for address, (_, _, flags) in pages.items() if flags & USER and not flags & NO_EXECUTE]
    assert sorted(address for address in executable if not CODE <= address < CODE_END) == list(text)


def test_code_memory_is_writable_at_one_address_and_executable_at_the_other(tables, pages):
    start, end = tables.symbols["code_arena_start"], tables.symbols["code_arena_end"]
    assert end - start >= 256 << 10
    for address in range(start, end, PAGE):
        assert pages[address] == (PAGE, address, WRITE | USER | NO_EXECUTE), f"{address:#x}"
        assert pages[CODE + (address - start)] == (PAGE, address, USER), f"{address:#x}"
    assert sum(CODE <= address < CODE_END for address in pages) == (end - start) // PAGE


def test_what_is_left_of_the_last_large_page_is_ring_3s_data(tables, pages):
    end = tables.symbols["image_large_end"]
    assert end % (2 << 20) == 0
    for address in range(tables.symbols["code_arena_end"], end, PAGE):
        assert pages[address] == (PAGE, address, WRITE | USER | NO_EXECUTE), f"{address:#x}"


def test_ring_3_cannot_see_the_nucleus_nor_its_tables_nor_its_stacks(tables, pages):
    regions = [("nucleus_code_start", "nucleus_code_end"), ("nucleus_data_start", "nucleus_data_end"),
               ("nucleus_stack_bottom", "nucleus_stack_top"), ("double_fault_stack_bottom", "double_fault_stack_top")]
    for first, last in regions:
        for address in range(tables.symbols[first], tables.symbols[last], PAGE):
            assert not pages[address][2] & USER, f"{address:#x} of {first} is ring 3's"


def test_page_zero_and_the_guards_of_every_stack_are_not_mapped(tables, pages):
    assert 0 not in pages
    for bottom in ("stack_bottom", "fault_stack_bottom", "nucleus_stack_bottom", "double_fault_stack_bottom"):
        assert tables.symbols[bottom] - PAGE not in pages, bottom
        assert tables.symbols[bottom] in pages, bottom


def test_addresses_are_physical_but_for_code_memory_and_the_two_views_of_the_apic(tables, pages):
    moved = {address: physical for address, (_, physical, _) in pages.items() if address != physical and not CODE <= address < CODE_END}
    assert moved == {0xA0000: 0xFEE00000, 0xA1000: 0xFEE00000}
    assert not pages[0xA0000][2] & USER
    assert pages[0xA1000][2] & USER and not pages[0xA1000][2] & WRITE


def test_ram_behind_the_image_waits_for_the_nucleus_to_map_it(tables, pages):
    end = tables.symbols["image_large_end"]
    beyond = [address for address in pages if end <= address < CODE]
    assert beyond == []


def test_segments_of_the_file_are_not_writable_and_executable_either(tables):
    for address, _, _, _, flags in tables.segments:
        assert flags & 3 != 3, f"segment at {address:#x}"
