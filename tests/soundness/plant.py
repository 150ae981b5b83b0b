# SPDX-License-Identifier: BSD-3-Clause
"""Writes the sources of proof/ with bugs that a variable switches on, one at a time: plant.py OUTDIR SOURCE...

The tests run with each of them and must fail. A row is a file, an expression that stands in it once, what it is with
the bug, and the number of a random program (tests/soundness) that shows it, which is tried first.
Most are bugs that eBPF verifiers have had.
"""
import pathlib
import sys

ROWS = [
    # --- numbers, first ---
    # A sum's carries reach bits that no operand has unknown.
    ("number_alu.c", "(most ^ value) | a.mask | b.mask", "a.mask | b.mask", 2),
    # A difference is least where the subtrahend is largest.
    ("number_alu.c", "x.low - y.low - y.width", "x.low - y.low", 130),
    # Products wrap (Linux: overflow in scalar_min_max_mul).
    ("number_alu.c", "__builtin_mul_overflow(a->umax, b->umax, &most)", "(most = a->umax * b->umax, false)", 98),
    # Immediates of 64-bit operations are extended with their sign (CVE-2017-16995).
    ("number_alu.c", "(uint64_t)(int64_t)insn.imm", "(uint64_t)(uint32_t)insn.imm", 127),
    # Modulo zero is the dividend.
    ("number_alu.c", "y.umin == 0 ? x->umax : proof_min(x->umax, y.umax - 1)", "proof_min(x->umax, y.umax - 1)", 206),
    # 32-bit comparisons say nothing of upper halves (CVE-2020-8835, CVE-2021-31440).
    ("number_branch.c", "BPF_CLASS(code) == BPF_JMP ? 64 : 32", "64", 6),
    # Less-or-equal excludes less than less (off by one).
    ("number_branch.c", "right->umax - strict", "right->umax - 1", 12),
    # JSET with several bits says of none of them that it is set.
    ("number_branch.c", "(shared & (shared - 1)) != 0", "shared == 0", 435),
    # Where operands of a join differ, the bit is unknown.
    ("number.c", "a->mask | b->mask | (a->value ^ b->value)", "a->mask | b->mask", 6),
    # --- steps ---
    # Less than the end is not the end less one (off by one at the packet's end).
    ("step.c", "left->delta + strictly", "left->delta + 1", 29),
    # A pointer that is compared with another one reaches no further than that one's end.
    ("step.c", "right->room - right->delta", "right->room", 239),
    # That a pointer is behind the end says nothing of those before it.
    ("step.c", "(int32_t)right->delta + !strictly", "0", 5),
    # What may be 0 takes no offset: it would pass the comparison with 0 then (CVE-2022-23222).
    ("step.c", "pointer.or_null", "false", 1619),
    # A packet pointer that moves by an unknown reaches less far by as much as it may move.
    ("step.c", "proof_minus(pointer.room, part.wide.smax)", "proof_minus(pointer.room, part.wide.smin)", 5),
    # A sum with an unknown is another unknown.
    ("step.c", "v->id != 0 && proof_number_is_constant(n)", "v->id != 0", 806),
    # What was the packet has no known distance to what was its end.
    ("step.c", "!b->or_null && !a_stale", "!b->or_null", 7),
    # What may be 0 is no divisor that is not.
    ("step.c", "src->number.wide.umin == 0", "src->number.wide.umax == 0", 373),
    # All bytes of an access are inside.
    ("access.c", "last + (int64_t)size <= end", "last <= end", 53),
    # Bytes that are overwritten are no longer known to be 0.
    ("access.c", "(uint8_t)~bytes", "0xff", 24),
    # What is loaded is what was stored only if it is the same bytes.
    ("access.c", "slot->size == size && slot->at == at", "slot->at == at", 306),
    # An address goes to the stack only (CVE-2021-45402 and others).
    ("access.c", "value.kind != PROOF_SCALAR && p->kind != PROOF_STACK", "false", 2264),
    # Loads with a sign extend it.
    ("access.c", "proof_number_extend(&v.number, size * 8, true)", "(void)0", 80),
    # Helpers that move the packet end its pointers.
    ("call.c", "proto->effects & BPF_EFFECT_PACKET", "false", 48),
    # A lookup may find nothing.
    ("call.c", "!found", "false", 4),
    # --- functions that are checked alone ---
    # They may move the packet, too (Linux: "track changes_pkt_data property for global functions", 2024).
    ("call.c", "(f->moves)", "false", 1681),
    # Their instructions count at each call.
    ("call.c", "f->cost.insns", "0", 45),
    # They are lent as much as was said.
    ("call.c", "(int32_t)a->size", "(int32_t)a->size + 8", 321),
    # What was not written is not read: nobody zeroes frames for native code (CVE-2021-31829).
    ("access.c", "(slot->written & bytes) != bytes", "false", 66),
    # --- what passes control on ---
    # bpf_loop calls as often as its argument says at most.
    ("call.c", "(uint32_t)r[1].number.low.umax", "(uint32_t)r[1].number.low.umin", 85),
    # Each call of a callback takes its time.
    ("arrive.c", "calls != NULL && calls->most > 0 ? calls->most - 1 : 0", "0", 48),
    # Timers show their functions a copy of the key.
    ("call.c", "(int32_t)scope->input->maps[map].def->key_size", "(int32_t)scope->input->maps[map].def->value_size", 88),
    # The bound of a program has that of the program that it goes on in.
    ("bounds.c", "cost_sum(tail->cost, 1, target->cost)", "tail->cost", 318),
    # Functions that go on behind a tail call may make another.
    ("bounds.c", "cost_sum(own[p].cost, BPF_MAX_TAIL_CALLS, most.cost)", "own[p].cost", 1526),
    # Frames of programs add up.
    ("bounds.c", "now[p].deepest >= BPF_MAX_FRAMES", "false", 2109),
    # --- states ---
    # A join reaches as far as both do.
    ("join.c", "room < v->room", "room > v->room", 5),
    # Behind the end of both is what is behind each.
    ("join.c", "proof_is_short(other, v->id, v->room)", "true", 5),
    # One name in a join wants the same distance in both.
    ("join.c", "left == right && apart == 0", "left == right", 98),
    # An arrival's numbers are within the recorded ones.
    ("join.c", "proof_number_within(&v->number, &recorded->number)", "true", 8),
    # When the packet moves, so does its end.
    ("state.c", "proof_is_packet(v->kind)", "proof_is_window(v->kind)", 88),
    # What a comparison teaches is shifted by the distance of both.
    ("state.c", "proof_number_add(&variable, v->delta)", "variable", 264),
    # --- loops ---
    # The measure moves on each way back.
    ("arrive.c", "v->moved_min >= entry->step", "true", 785),
    # As often as the measure fits between its bounds.
    ("arrive.c", "width / (uint64_t)step", "width / (uint64_t)step / 2", 8),
    # A trip takes no more than stated.
    ("arrive.c", "cost_within(cost, limit)", "true", 8),
]


def plant(name, text):
    """The file's text with its bugs."""
    for number, (file, right, wrong, _) in enumerate(ROWS, 1):
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
                                         f"static const unsigned planted_shows[] = {{{', '.join(str(row[3]) for row in ROWS)}}};\n"
                                         "extern unsigned proof_planted; /* the row that is on, from 1; 0: none */\n")


if __name__ == "__main__":
    main()
