# SPDX-License-Identifier: BSD-3-Clause
"""Writes the sources of proof/ with bugs that a variable switches on, one at a time: plant.py OUTDIR SOURCE...

The tests run with each of them and must fail. A row is a file, an expression that stands in it once, and what it is
with the bug. Most are bugs that eBPF verifiers have had.
"""
import pathlib
import sys

ROWS = [
    # --- numbers, first ---
    # A sum's carries reach bits that no operand has unknown.
    ("number_alu.c", "(most ^ value) | a.mask | b.mask", "a.mask | b.mask"),
    # A difference is least where the subtrahend is largest.
    ("number_alu.c", "(proof_exact)a->umin - b->umax", "(proof_exact)a->umin - b->umin"),
    # Products wrap (Linux: overflow in scalar_min_max_mul).
    ("number_alu.c", "(proof_exact)((unsigned __int128)a->umax * b->umax)", "(proof_exact)(a->umax * b->umax)"),
    # Immediates of 64-bit operations are extended with their sign (CVE-2017-16995).
    ("number_alu.c", "(uint64_t)(int64_t)insn.imm", "(uint64_t)(uint32_t)insn.imm"),
    # Modulo zero is the dividend.
    ("number_alu.c", "y.umin == 0 ? x.umax : proof_min(x.umax, y.umax - 1)", "proof_min(x.umax, y.umax - 1)"),
    # 32-bit comparisons say nothing of upper halves (CVE-2020-8835, CVE-2021-31440).
    ("number_branch.c", "BPF_CLASS(code) == BPF_JMP ? 64 : 32", "64"),
    # Less-or-equal excludes less than less (off by one).
    ("number_branch.c", "right->umax - strict", "right->umax - 1"),
    # JSET with several bits says of none of them that it is set.
    ("number_branch.c", "(shared & (shared - 1)) != 0", "shared == 0"),
    # Where operands of a join differ, the bit is unknown.
    ("number.c", "a->mask | b->mask | (a->value ^ b->value)", "a->mask | b->mask"),
]


def plant(name, text):
    """The file's text with its bugs."""
    for number, (file, right, wrong) in enumerate(ROWS, 1):
        if file != name:
            continue
        if text.count(right) != 1:
            sys.exit(f"plant.py: row {number}: '{right}' stands {text.count(right)} times in proof/{name}, not once; "
                     "change the row as the source was")
        text = text.replace(right, f"(proof_planted == {number} ? ({wrong}) : ({right}))")
    return f"extern unsigned proof_planted;\n{text}"


def main():
    directory, sources = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    missing = {row[0] for row in ROWS} - {source.name for source in sources}
    if missing:
        sys.exit(f"plant.py: no source {', '.join(sorted(missing))}")
    for source in sources:
        (directory / f"planted_{source.name}").write_text(plant(source.name, source.read_text()))
    numbers = [row for row in ROWS if row[0].startswith("number")]
    (directory / "planted.h").write_text(f"enum {{ PLANTED_COUNT = {len(ROWS)}, PLANTED_IN_NUMBERS = {len(numbers)} }};\n"
                                         "extern unsigned proof_planted; /* the row that is on, from 1; 0: none */\n")


if __name__ == "__main__":
    main()
