/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One row for each kind of failure says what is wrong, what was needed and what helps; the numbers come from the failure.
 */
#include "verifier/explain.h"

#include <string.h>

#include "bpf/proto.h"
#include "lib/memory.h"
#include "verifier/disasm.h"
#include "verifier/explain_value.h"

enum { PATH_LINES = 8 };

/* In these texts {r} is the register or other location, {a} its argument number, {o} what it points to, {n} the bytes that were to be
 * accessed, {w} "reads" or "writes", {at} where in the object, {h} the helper, {l} the limit on instructions, {held} what is held. */
struct row {
  const char *what, *needed, *hint;
};

static const struct row unknown_row = {"this cannot be proven safe", NULL, NULL};

static const struct row rows[] = {
    [PROOF_BAD_PROGRAM] = {"the program is malformed", NULL, "compile it with clang -target bpf"},
    [PROOF_BAD_PROOF] = {"a proof was found that the checker refuses: an error of the verifier", NULL,
                         "please report it, with the object"},
    [PROOF_NO_WORK] = {"there are too many paths through the program to follow", NULL,
                       "split it into several programs with tail calls, or let loops do what repeated code does"},
    [PROOF_NO_STATES] = {"there are too many paths through the program to keep apart", NULL,
                         "split it into several programs with tail calls, or let loops do what repeated code does"},
    [PROOF_NO_SLOTS] = {"the stacks of all functions together are too large to follow", NULL,
                        "keep large variables in a per-CPU array map of one entry"},
    [PROOF_READS_UNREADABLE] =
        {"reads {r}, which holds nothing here on some way", "a value in {r} on every way here",
         "assign the variable on every way; pointers into the packet lapse with helpers that may move it: "
         "take them from ctx->data anew"},
    [PROOF_OUTSIDE] = {"{w} {n} {at} of {o}, which is not proven to be inside", NULL, NULL},
    [PROOF_READS_UNWRITTEN] = {"reads bytes of stack that may not have been written", "all of them written before",
                               "initialise the variable, padding included: struct key key = {}; or memset it"},
    [PROOF_NOT_WRITABLE] = {"{w} {o}, which it may not", NULL,
                            "the map's flags, or what it is, forbid it; copy the value to a variable first"},
    [PROOF_MISALIGNED] = {"{w} {o} at an address that may be misaligned", "an address that is a multiple of the size",
                          "align the member (a packed struct is not), or do it without an atomic operation"},
    [PROOF_LEAKS] = {"would hand out {o} as a number", "a number that is no address",
                     "addresses must not get into maps, packets, results or helpers' number arguments"},
    [PROOF_POINTER_MATH] = {"calculates with {o} in a way that leaves it no pointer", "a number",
                            "add or subtract bounded numbers; compare a pointer with NULL, or with data_end"},
    [PROOF_OFFSET_RANGE] = {"moves {o} too far", "an offset below 2^29",
                            "look at the number: nothing that a program reaches is so far away"},
    [PROOF_CONTEXT_FIELD] = {"{w} {n} of the context {at}, where it has no field that may be accessed so", NULL,
                             "use the fields of struct xdp_md or struct __sk_buff whole, as they are declared"},
    [PROOF_HIDDEN_FIELD] =
        {"{w} {n} {at} of {o}, which are those of its lock or timer", NULL,
         "use bpf_spin_lock, bpf_spin_unlock and the bpf_timer helpers; copy the other members one by one"},
    [PROOF_BAD_ARGUMENT] = {"argument {a} of {h} is not what it must be", NULL, NULL},
    [PROOF_NO_HELPER] = {"{h} is not for programs of this kind", NULL,
                         "docs/ebpf.md lists the helpers of each kind of program"},
    [PROOF_WHILE_LOCKED] = {"calls while it holds a spin lock", NULL, "call bpf_spin_unlock before"},
    [PROOF_NOT_LOCKED] = {"releases a spin lock that it does not hold", "the lock of the same value, held",
                          "lock and unlock the same value, on every way"},
    [PROOF_HOLDS] = {"ends while it holds {held}", "everything released",
                     "call bpf_spin_unlock, bpf_ringbuf_submit or bpf_ringbuf_discard on every way out"},
    [PROOF_TOO_DEEP] = {"calls are nested over 8 deep", NULL,
                        "let functions be inlined, or use a loop instead of recursion"},
    [PROOF_NOT_FUNCTION] = {"calls what is not known to be one function of the program", "the address of one function",
                            "call it by name, or choose between calls with if"},
    [PROOF_RESULT] = {"returns what is not a number", "a number in r0",
                      "return a verdict such as XDP_PASS on every way"},
    [PROOF_NO_POINT] = {"this loop could not be followed", NULL, "write it as a loop with a counter and one entry"},
    [PROOF_NOT_WITHIN] = {"what holds in this loop could not be found", NULL,
                          "give the loop a constant bound, and set in it only what it needs"},
    [PROOF_NO_JOIN] = {"ways meet here that hold different locks or records", "the same on each way",
                       "release it on every way before they meet"},
    [PROOF_NO_MEASURE] = {"this loop is not proven to end", "a counter that moves the same way on every trip",
                          "count it: for (int i = 0; i < LIMIT; i++)"},
    [PROOF_BODY] = {"the length of this loop's body could not be found", NULL,
                    "give the loops inside it constant bounds"},
    [PROOF_COST] = {"the number of instructions up to here could not be bounded", NULL, "give loops constant bounds"},
    [PROOF_BAD_MEASURE] = {"this loop is not proven to end", "a counter that is bounded",
                           "count it up to a constant: for (int i = 0; i < LIMIT; i++)"},
    [PROOF_TOO_LONG] = {"may execute more than {l} instructions", NULL,
                        "lower the loops' bounds, or count a loop over the packet: for (int i = 0; i < LIMIT; i++)"},
    [PROOF_TOO_NESTED] = {"loops are nested over 16 deep", NULL, "nest fewer loops"},
};

/* --- where --- */

/* The program that the slot is in, and its slot there. */
static const struct linked_code *code_of(const struct explained *subject, uint32_t *slot) {
  const struct proof_input *input = subject->input;
  for (uint32_t i = 0; i < input->program_count && i < subject->linked->code_count; i++) {
    const struct proof_program *p = &input->programs[i];
    if (*slot < p->start || *slot - p->start >= p->count) continue;
    *slot -= p->start;
    return &subject->linked->code[i];
  }
  return NULL;
}

const struct source_line *explain_line(const struct explained *subject, uint32_t slot) {
  const struct linked_code *code = code_of(subject, &slot);
  return code ? lines_find(&code->lines, slot) : NULL;
}

void explain_place(const struct explained *subject, uint32_t slot, struct text *out) {
  const struct source_line *line = explain_line(subject, slot);
  if (line)
    text_addf(out, "%s:%u", line->at.file, line->at.line);
  else
    text_addf(out, "%s: instruction %u", subject->file, slot);
}

void explain_instruction(const struct explained *subject, uint32_t slot, struct text *out) {
  const struct linked_program *linked = subject->linked;
  const struct linked_code *code = code_of(subject, &slot);
  if (!code) return;
  const struct disassembly d = {code->insns, code->insn_count, linked->maps, linked->map_count};
  text_addf(out, "%u: ", slot);
  (void)disassemble(&d, slot, out);
}

/* --- what --- */

static void add_bytes(uint64_t count, struct text *out) {
  text_addf(out, "%llu byte%s", (unsigned long long)count, count == 1 ? "" : "s");
}

static bool is_store(const struct explained *subject, uint32_t slot) {
  unsigned class = BPF_CLASS(subject->input->insns[slot].code);
  return class == BPF_ST || class == BPF_STX;
}

static const char *object_name(const struct proof_value *v) {
  static const char *const names[] = {[PROOF_UNREADABLE] = "nothing",
                                      [PROOF_SCALAR] = "a number",
                                      [PROOF_CONTEXT] = "the context",
                                      [PROOF_PACKET] = "the packet",
                                      [PROOF_PACKET_END] = "data_end",
                                      [PROOF_META] = "the packet's metadata",
                                      [PROOF_STACK] = "the stack",
                                      [PROOF_MAP] = "a map",
                                      [PROOF_MAP_VALUE] = "a map value",
                                      [PROOF_RECORD] = "the ring buffer record",
                                      [PROOF_MEMORY] = "the key",
                                      [PROOF_FUNCTION] = "a function",
                                      [PROOF_STALE] = "what was a packet pointer",
                                      [PROOF_LENT] = "an argument's memory"};
  return v->kind < sizeof(names) / sizeof(names[0]) ? names[v->kind] : "an object";
}

static void add_object(const struct explained *subject, const struct proof_value *v, struct text *out) {
  unsigned map = v->object & ~(unsigned)PROOF_INNER;
  if (v->kind == PROOF_MAP_VALUE && map < subject->input->map_count)
    text_addf(out, "a value of map %s", subject->input->maps[map].def->name);
  else
    text_add(out, object_name(v));
}

/* The global function that begins at the slot; NULL: none does. */
static const struct linked_function *function_at(const struct explained *subject, uint32_t slot) {
  const struct linked_code *code = slot < subject->input->insn_count ? code_of(subject, &slot) : NULL;
  for (uint32_t i = 0; code && i < code->function_count; i++)
    if (code->functions[i].start == slot) return &code->functions[i];
  return NULL;
}

/* The helper or function that is called. */
static void add_called(const struct explained *subject, const struct proof_failure *f, struct text *out) {
  const struct bpf_proto *proto = bpf_proto_find(f->helper);
  const struct linked_function *function = function_at(subject, f->pc + 1 + (uint32_t)subject->input->insns[f->pc].imm);
  if (proto)
    text_add(out, proto->name);
  else if (function && f->helper == 0)
    text_add(out, function->name);
  else
    text_addf(out, "helper %u", f->helper);
}

/* "at 60", "at 0 to 70". */
static bool is_unbounded(const struct proof_failure *f) {
  return f->offset <= -PROOF_MAX_OFFSET || f->last >= PROOF_MAX_OFFSET;
}

static void add_position(const struct proof_failure *f, struct text *out) {
  if (is_unbounded(f)) {
    text_add(out, "at an offset that is not bounded");
    return;
  }
  text_addf(out, "at %lld", (long long)f->offset);
  if (f->last != f->offset) text_addf(out, " to %lld", (long long)f->last);
}

static void add_placeholder(const struct explained *subject, const struct proof_failure *f,
                            const struct proof_state *state, struct slice name, struct text *out) {
  unsigned frame = state ? state->depth : 0;
  if (slice_equals(name, "r"))
    explain_location(f->location, frame, out);
  else if (slice_equals(name, "a"))
    text_addf(out, "%u", f->location);
  else if (slice_equals(name, "o"))
    add_object(subject, &f->known, out);
  else if (slice_equals(name, "n"))
    add_bytes(f->size, out);
  else if (slice_equals(name, "w"))
    text_add(out, is_store(subject, f->pc) ? "writes" : "reads");
  else if (slice_equals(name, "at"))
    add_position(f, out);
  else if (slice_equals(name, "h"))
    add_called(subject, f, out);
  else if (slice_equals(name, "held"))
    text_add(out, state && state->locked ? "a spin lock" : "a ring buffer record");
  else if (slice_equals(name, "l"))
    text_addf(out, "%u", subject->input->max_insns);
}

static void expand(const struct explained *subject, const struct proof_failure *f, const struct proof_state *state,
                   const char *format, struct text *out) {
  for (const char *p = format; *p != '\0';) {
    const char *end = *p == '{' ? strchr(p, '}') : NULL;
    if (end && end > p + 1) {
      add_placeholder(subject, f, state, (struct slice){p + 1, (size_t)(end - p - 1)}, out);
      p = end + 1;
    } else {
      text_add_bytes(out, p++, 1);
    }
  }
}

/* --- the kinds that depend on what it is about --- */

static void outside(const struct explained *subject, const struct proof_failure *f, struct text *needed,
                    struct text *hint) {
  const struct proof_value *v = &f->known;
  unsigned map = v->object & ~(unsigned)PROOF_INNER;
  unsigned long long last = (unsigned long long)(f->last - v->delta - v->number.wide.smax) + f->size;
  switch (v->kind) {
    case PROOF_PACKET:
      if (is_unbounded(f)) {
        text_add(needed, "an offset that is bounded, and compared with data_end");
        break;
      }
      if (f->offset < 0) {
        text_add(needed, "an address not before data");
        text_add(hint, "only bpf_xdp_adjust_head makes room before data");
      } else {
        text_addf(needed, "r%u + %llu <= data_end", (unsigned)f->location, last);
        text_addf(hint, "compare r%u + %llu with data_end before this: if (p + %llu > data_end) return XDP_PASS;",
                  (unsigned)f->location, last, last);
      }
      return;
    case PROOF_META:
      text_addf(needed, "r%u + %llu <= data", (unsigned)f->location, last);
      text_addf(hint, "compare r%u + %llu with data before this", (unsigned)f->location, last);
      return;
    case PROOF_MAP_VALUE:
      if (map >= subject->input->map_count) return;
      text_addf(needed, "an offset from 0 to %lld",
                (long long)subject->input->maps[map].def->value_size - (long long)f->size);
      break;
    case PROOF_STACK:
      text_addf(needed, "an offset from -%d to -%llu", BPF_STACK_SIZE, (unsigned long long)f->size);
      break;
    default:
      text_addf(needed, "an offset from 0 to %lld", (long long)v->room - (long long)f->size);
      break;
  }
  text_add(hint, proof_number_is_constant(&v->number)
                     ? "the object ends before; look at the types of both sides"
                     : "bound the index before this: if (i >= SIZE) return XDP_DROP; or mask it: i & (SIZE - 1)");
}

static const char *const argument_texts[] = {
    [BPF_ARG_ANY] = "a number",
    [BPF_ARG_CONTEXT] = "the program's context, as it was given",
    [BPF_ARG_MAP] = "a map that this helper is for",
    [BPF_ARG_MAP_KEY] = "a pointer to a key of the map",
    [BPF_ARG_MAP_VALUE] = "a pointer to a value for the map",
    [BPF_ARG_MAP_VALUE_OUT] = "a pointer to where a value of the map finds room",
    [BPF_ARG_MEMORY] = "a pointer to as much memory as the next argument says",
    [BPF_ARG_MEMORY_OR_NULL] = "a pointer to as much memory as the next argument says, or NULL",
    [BPF_ARG_MEMORY_OUT] = "a pointer to as much memory as the next argument says",
    [BPF_ARG_MEMORY_OUT_OR_NULL] = "a pointer to as much memory as the next argument says, or NULL",
    [BPF_ARG_MEMORY_INOUT] = "a pointer to as much memory as the next argument says",
    [BPF_ARG_FIXED] = "a pointer to the struct that the helper fills in",
    [BPF_ARG_FIXED_OUT] = "a pointer to an aligned variable for the result",
    [BPF_ARG_SIZE] = "a bounded number of bytes, not 0",
    [BPF_ARG_SIZE_OR_ZERO] = "a bounded number of bytes",
    [BPF_ARG_CONST_SIZE] = "a constant number of bytes, not 0",
    [BPF_ARG_STRING] = "a constant string (static const char[])",
    [BPF_ARG_FUNCTION] = "a function of the program",
    [BPF_ARG_STACK_OR_NULL] = "the address of a local variable, or NULL",
    [BPF_ARG_SPIN_LOCK] = "the address of the struct bpf_spin_lock in a map value",
    [BPF_ARG_TIMER] = "the address of the struct bpf_timer in a map value",
    [BPF_ARG_RECORD] = "a record that bpf_ringbuf_reserve gave, held, at its start",
};

/* What may be NULL. */
static const char *gift(const struct proof_value *v) {
  if (v->kind == PROOF_LENT) return "an argument";
  return v->kind == PROOF_RECORD ? "the result of bpf_ringbuf_reserve" : "the result of bpf_map_lookup_elem";
}

static void may_be_null(const struct proof_value *v, struct text *what, struct text *needed, struct text *hint) {
  text_addf(what, "uses %s, which may be NULL", gift(v));
  text_add(needed, "a check that it is not NULL");
  text_addf(hint, "check %s before this: if (!p) return XDP_PASS;", gift(v));
}

static void bad_argument(const struct explained *subject, const struct proof_failure *f, struct text *needed,
                         struct text *hint) {
  const struct bpf_proto *proto = bpf_proto_find(f->helper);
  unsigned i = f->location - 1u;
  if (!proto || i >= 5) return;
  const char *is = argument_texts[proto->args[i]];
  if (is) text_add(needed, is);
  if (proto->args[i] == BPF_ARG_SIZE || proto->args[i] == BPF_ARG_SIZE_OR_ZERO)
    text_add(hint, "bound it before the call: if (n == 0 || n > sizeof(buffer)) return XDP_DROP;");
  else
    text_add(hint, "docs/ebpf.md has the helper's prototype");
}

static void not_pointer(const struct proof_failure *f, struct text *what, struct text *needed, struct text *hint) {
  const bool function = f->known.kind == PROOF_FUNCTION;
  text_addf(what, "uses r%u as an address, which is %s", (unsigned)f->location,
            function ? "that of a function" : "a number");
  text_add(needed, "a pointer to packet, stack, context or a map value");
  if (f->known.lost != 0)
    text_add(hint,
             "on one of the ways that meet there it is no pointer; use it in the branch in which it was assigned");
  else if (function)
    text_add(hint, "functions are for calls: a program neither reads nor changes its instructions");
  else
    text_add(hint, "keep pointers in pointer variables; numbers do not become addresses");
}

/* --- all --- */

struct parts {
  struct text what, needed, known, lost, hint, path, place, instruction;
};

static void free_parts(struct parts *p) {
  struct text *all[] = {&p->what, &p->needed, &p->known, &p->lost, &p->hint, &p->path, &p->place, &p->instruction};
  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
    text_free(all[i]);
}

static void fill_parts(const struct explained *subject, const struct proof_failure *f, const struct proof_state *state,
                       struct parts *p) {
  const struct row *row =
      f->kind < sizeof(rows) / sizeof(rows[0]) && rows[f->kind].what ? &rows[f->kind] : &unknown_row;
  bool about_value = f->location < PROOF_LOCATIONS && f->kind >= PROOF_READS_UNREADABLE && f->kind <= PROOF_RESULT;
  if (f->known.or_null &&
      (f->kind == PROOF_NOT_POINTER || f->kind == PROOF_BAD_ARGUMENT || f->kind == PROOF_POINTER_MATH)) {
    may_be_null(&f->known, &p->what, &p->needed, &p->hint);
  } else if (f->kind == PROOF_NOT_POINTER) {
    not_pointer(f, &p->what, &p->needed, &p->hint);
  } else {
    expand(subject, f, state, row->what, &p->what);
    if (row->needed) expand(subject, f, state, row->needed, &p->needed);
    if (row->hint) expand(subject, f, state, row->hint, &p->hint);
    if (f->kind == PROOF_OUTSIDE) outside(subject, f, &p->needed, &p->hint);
    if (f->kind == PROOF_BAD_ARGUMENT) bad_argument(subject, f, &p->needed, &p->hint);
  }
  if (about_value) {
    unsigned frame = state ? state->depth : 0;
    explain_location(f->location, frame, &p->known);
    text_add(&p->known, " is ");
    explain_value(&f->known, subject->input, frame, &p->known);
    if (f->known.lost != 0) {
      explain_place(subject, f->known.lost - 1, &p->lost);
      const struct source_line *line = explain_line(subject, f->known.lost - 1);
      text_addf(&p->lost, ", where ways meet%s%s", line && line->text[0] ? ": " : "", line ? line->text : "");
    }
  }
}

static const char *end_text(enum verify_end end) {
  switch (end) {
    case VERIFY_EXHAUSTED:
      return "the verifier gave up: it followed as many instructions as it may; what it could not prove last:";
    case VERIFY_TOO_LARGE:
      return "the verifier gave up: the proof would be over the checker's limits; what it could not prove last:";
    case VERIFY_NO_MEMORY:
      return "the verifier ran out of memory";
    default:
      return NULL;
  }
}

void explain_failure(const struct explained *subject, const struct verify_result *result, struct report *report) {
  const struct proof_failure *f = &result->verdict.failure;
  const struct proof_state *state = result->state;
  const char *end = end_text(result->end);
  struct parts p = {.what = {0}};
  if (end) report_note(report, "%s: %s", subject->file, end);
  if (f->kind == PROOF_OK || f->pc >= subject->input->insn_count) {
    (void)report_error(report, ERROR_INVALID, "%s: no proof was found", subject->file);
    return;
  }
  fill_parts(subject, f, state, &p);
  explain_place(subject, f->pc, &p.place);
  explain_instruction(subject, f->pc, &p.instruction);
  (void)report_error(report, ERROR_INVALID, "%s: %s", text_string(&p.place), text_string(&p.what));
  const struct source_line *line = explain_line(subject, f->pc);
  if (line && line->text[0] != '\0') report_note(report, "  source  %s", line->text);
  report_note(report, "  code    %s", text_string(&p.instruction));
  if (p.needed.length > 0) report_note(report, "  needed  %s", text_string(&p.needed));
  if (p.known.length > 0) report_note(report, "  known   %s", text_string(&p.known));
  if (p.lost.length > 0) report_note(report, "  lost    %s", text_string(&p.lost));
  if (state && result->visited) explain_path(subject, state, result->visited, PATH_LINES, &p.path);
  for (const char *at = text_string(&p.path), *label = "path"; *at != '\0'; label = "") {
    size_t length = strcspn(at, "\n");
    report_note(report, "  %-6s  %.*s", label, (int)length, at);
    at += length + (at[length] == '\n');
  }
  if (p.hint.length > 0) report_note(report, "  hint    %s", text_string(&p.hint));
  free_parts(&p);
}

void explain_functions(const struct explained *subject, const struct verify_result *result, struct report *report) {
  for (uint32_t i = 0; i < result->function_count; i++) {
    const struct verify_judged *judged = &result->functions[i];
    const struct linked_function *function = function_at(subject, judged->pc);
    struct parts p = {.what = {0}};
    if (judged->alone || !function || judged->why.pc >= subject->input->insn_count) continue;
    fill_parts(subject, &judged->why, NULL, &p);
    explain_place(subject, judged->why.pc, &p.place);
    report_note(report, "%s: %s is verified anew for each call, as it does not do alone: %s: %s", subject->file,
                function->name, text_string(&p.place),
                judged->why.kind == PROOF_NO_HELPER ? "makes a tail call" : text_string(&p.what));
    free_parts(&p);
  }
}
