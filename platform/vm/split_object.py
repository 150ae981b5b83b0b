#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""split_object.py IN.o OUT.o: the same code and data, but each function and table in a section of its own, so that the linker's
--gc-sections leaves out what nobody refers to. libsodium comes with one section of code and one of data to an object; verification
needs a third of what stands in them: signing has a table of 30 KB.

The parts are taken over byte by byte (.incbin); references between them become relocations (.reloc), also those that the assembler had
resolved because both ends were in one section. For that every instruction is looked at, with objdump: what this does not understand, it
refuses, rather than make an object that is wrong.
"""
import bisect
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4, 2, 4
STT_OBJECT, STT_FUNC, STT_SECTION, STB_LOCAL = 1, 2, 3, 0
RELOCATIONS = {2: "R_X86_64_PC32", 4: "R_X86_64_PLT32", 10: "R_X86_64_32"}
ABSOLUTE = "R_X86_64_32"
BRANCH = re.compile(r"(?:notrack |bnd )?(?:call|j[a-z]+|loop[a-z]*)\s+([0-9a-f]+)")


class Refused(Exception):
    pass


class Object:
    def __init__(self, path):
        self.path, self.data = path, path.read_bytes()
        at, size, count, names = struct.unpack_from("<Q", self.data, 40) + struct.unpack_from("<3H", self.data, 58)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.data, at + i * size) for i in range(count)]
        self.names = [self.text(names, section[0]) for section in self.sections]
        table = next(i for i, section in enumerate(self.sections) if section[1] == SHT_SYMTAB)
        entries = struct.iter_unpack("<IBBHQQ", self.bytes(table))
        # (name, binding, type, section, value, size)
        self.symbols = [(self.text(self.sections[table][6], name), info >> 4, info & 15, section, value, size)
                        for name, info, _, section, value, size in entries]

    def text(self, section, at):
        at += self.sections[section][4]
        return self.data[at:self.data.index(0, at)].decode()

    def bytes(self, section):
        _, _, _, _, at, size, *_ = self.sections[section]
        return self.data[at:at + size]

    def relocations(self, section):
        """(offset, type, number of the symbol, addend) of what is to be filled in there."""
        for i, (_, kind, _, _, _, _, _, target, _, _) in enumerate(self.sections):
            if kind == SHT_RELA and target == section:
                for offset, info, addend in struct.iter_unpack("<QQq", self.bytes(i)):
                    yield offset, info & 0xffffffff, info >> 32, addend

    def instructions(self, section):
        """(start, end, text) of every instruction."""
        listing = subprocess.run(["objdump", "-d", "-w", "-M", "att", "--no-show-raw-insn", "-j", self.names[section], self.path],
                                 check=True, capture_output=True, text=True).stdout
        found = [(int(line[1], 16), line[2]) for line in re.finditer(r"^\s*([0-9a-f]+):\t(.*)$", listing, re.M)]
        ends = [start for start, _ in found[1:]] + [self.sections[section][5]]
        return [(start, end, text) for (start, text), end in zip(found, ends)]


class Part:
    def __init__(self, name, section, start, end, binding, kind):
        self.name, self.section, self.start, self.end, self.binding, self.kind = name, section, start, end, binding, kind


def split(obj, section):
    """The parts of a section: from each symbol to the next; what stands before the first belongs to it."""
    size = obj.sections[section][5]
    symbols = sorted({s[4]: s for s in obj.symbols if s[3] == section and s[2] in (STT_OBJECT, STT_FUNC) and s[5] > 0}.values(),
                     key=lambda s: s[4])
    if not symbols:
        return [Part(f"part{section}", section, 0, size, STB_LOCAL, 0)]
    if symbols[0][4] != 0:
        raise Refused(f"{obj.names[section]}: something without a name stands in front")
    ends = [s[4] for s in symbols[1:]] + [size]
    return [Part(s[0] if s[1] != STB_LOCAL else f"{s[0]}.{section}.{s[4]:x}", section, s[4], end, s[1], s[2])
            for s, end in zip(symbols, ends)]


class Splitter:
    def __init__(self, obj):
        self.object = obj
        self.wanted = [i for i, s in enumerate(obj.sections)
                       if s[1] == SHT_PROGBITS and s[2] & SHF_ALLOC and s[5] > 0 and obj.names[i] != ".eh_frame"]
        self.parts = {i: split(obj, i) for i in self.wanted}
        self.starts = {i: [part.start for part in self.parts[i]] for i in self.wanted}

    def part_at(self, section, offset):
        if section not in self.parts or not 0 <= offset < self.object.sections[section][5]:
            raise Refused(f"a reference leads to offset {offset:#x} of section {section}, where nothing is")
        return self.parts[section][bisect.bisect(self.starts[section], offset) - 1]

    def reference(self, section, target, distance):
        """Expression for a place `distance` before the end of its instruction."""
        part = self.part_at(section, target)
        return f"{part.name}{target - part.start - distance:+d}"

    def relocated(self, section, ends):
        """{offset: (type, expression)} of what is relocated already."""
        found = {}
        for offset, kind, number, addend in self.object.relocations(section):
            name, _, symbol_kind, home, value, _ = self.object.symbols[number]
            if kind not in RELOCATIONS or section not in ends:
                raise Refused(f"{self.object.names[section]}+{offset:#x}: a relocation of type {kind}")
            kind = RELOCATIONS[kind]
            if home == 0:
                found[offset] = kind, f"{name}{addend:+d}"
                continue
            distance = 0 if kind == ABSOLUTE else ends[section][bisect.bisect(ends[section], offset)] - offset
            found[offset] = kind, self.reference(home, value + addend + distance, distance)
        return found

    def resolved(self, section, instructions, known):
        """{offset: (type, expression)} of branches from part to part that the assembler had resolved."""
        found = {}
        for start, end, text in instructions:
            if any(offset in known for offset in range(start, end)):
                continue
            here, branch = self.part_at(section, start), BRANCH.match(text)
            if "(%rip)" in text or re.search(r"(jmp|call)\s+\*", text) and "%" not in text:
                raise Refused(f"{self.object.names[section]}+{start:#x}: {text}: a reference that was resolved")
            if branch is None or self.part_at(section, int(branch[1], 16)) is here:
                continue
            if end - start < 5:
                raise Refused(f"{self.object.names[section]}+{start:#x}: {text}: too short to reach another section")
            found[end - 4] = "R_X86_64_PC32", self.reference(section, int(branch[1], 16), 4)
        return found

    def assembler(self, path):
        """The text, with the bytes of the sections taken from the file at `path`."""
        code = [i for i in self.wanted if self.object.sections[i][2] & SHF_EXECINSTR]
        listings = {i: self.object.instructions(i) for i in code}
        ends = {i: [end for _, end, _ in listings[i]] for i in code}
        for section in self.wanted:
            places = self.relocated(section, ends)
            if section in listings:
                places.update(self.resolved(section, listings[section], places))
            flags, align = ("ax" if section in listings else "a"), self.object.sections[section][8]
            for part in self.parts[section]:
                yield f'.section {".text" if section in listings else ".rodata"}.{part.name},"{flags}",@progbits'
                yield f".balign {min(align, part.start & -part.start or align)}"
                if part.binding != STB_LOCAL:
                    yield f".globl {part.name}"
                if part.kind != 0:
                    yield f".type {part.name}, {'@function' if part.kind == STT_FUNC else '@object'}"
                yield f"{part.name}:"
                for offset, (kind, expression) in sorted(places.items()):
                    if part.start <= offset < part.end:
                        yield f".reloc {part.name}+{offset - part.start}, {kind}, {expression}"
                yield f'.incbin "{path}", {self.object.sections[section][4] + part.start}, {part.end - part.start}'
                yield f".size {part.name}, . - {part.name}"
        yield '.section .note.GNU-stack,"",@progbits'


def main():
    source, output = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    try:
        lines = list(Splitter(Object(source)).assembler(source))
    except Refused as why:
        sys.exit(f"{source.name}: {why}")
    with tempfile.TemporaryDirectory() as place:
        text = pathlib.Path(place) / "split.s"
        text.write_text("\n".join(lines) + "\n")
        subprocess.run(["as", "-o", output, text], check=True)


if __name__ == "__main__":
    main()
