/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The usual analysis backwards over the instructions, with one addition: which bytes of stack are read through pointers is what a walk
 * saw, and a read by a called function is one at the call.
 */
#include "verifier/verify_live.h"

#include "bpf/proto.h"
#include "lib/memory.h"

enum { SLOT = 8, CALLER_SAVED = 0x3f, ARGUMENTS = 0x3e, RESULT = 1 };

static bool is_call(struct bpf_insn insn, unsigned kind) {
  return insn.code == (BPF_JMP | BPF_CALL) && bpf_src(insn) == kind;
}

/* The bits of the slots that bytes low..high of the frame are in, as offsets from its end. */
static uint64_t slot_bits(int64_t low, int64_t high) {
  if (low < -BPF_STACK_SIZE) low = -BPF_STACK_SIZE;
  if (high >= 0) high = -1;
  if (low > high) return 0;
  unsigned first = (unsigned)(low + BPF_STACK_SIZE) / SLOT, last = (unsigned)(high + BPF_STACK_SIZE) / SLOT;
  return (~UINT64_C(0) << first) & (~UINT64_C(0) >> (63 - last));
}

static unsigned access_size(uint8_t code) {
  static const uint8_t sizes[] = {[BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};
  return sizes[BPF_SIZE(code) >> 3];
}

int live_init(struct live *live, const struct flow *flow) {
  *live = (struct live){.flow = flow, .stale = true};
  live->in = memory_alloc((flow->count + 1) * sizeof(*live->in));
  live->reads = memory_alloc(flow->count * sizeof(*live->reads));
  if (!live->in || !live->reads) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < flow->count; i = flow_behind(flow, i)) {
    struct bpf_insn insn = flow->insns[i];
    if (BPF_CLASS(insn.code) == BPF_LDX && bpf_src(insn) == BPF_FRAME_REGISTER)
      live->reads[i] = slot_bits(insn.off, (int64_t)insn.off + access_size(insn.code) - 1);
  }
  return 0;
}

void live_free(struct live *live) {
  memory_free(live->in);
  memory_free(live->reads);
  *live = (struct live){.flow = NULL};
}

/* --- what a walk sees --- */

/* `size` bytes at a stack pointer, displaced. */
static void note(struct live *live, const struct proof_state *state, const struct proof_value *pointer, int64_t off,
                 uint64_t size) {
  if (pointer->kind != PROOF_STACK || size == 0) return;
  if (size > BPF_STACK_SIZE) size = BPF_STACK_SIZE;
  int64_t low = pointer->delta + off + pointer->number.wide.smin;
  int64_t high = pointer->delta + off + pointer->number.wide.smax + (int64_t)size - 1;
  if (pointer->number.wide.smin < -PROOF_MAX_OFFSET || pointer->number.wide.smax > PROOF_MAX_OFFSET) {
    low = -BPF_STACK_SIZE;
    high = -1;
  }
  uint64_t bits = slot_bits(low, high);
  uint32_t at = pointer->object < state->depth ? state->site[pointer->object] : state->pc;
  if (bits & ~live->reads[at]) live->stale = true;
  live->reads[at] |= bits;
}

/* Of how many bytes the helper reads its argument. */
static uint64_t argument_size(const struct proof_input *input, const struct bpf_proto *proto,
                              const struct proof_state *state, unsigned argument) {
  const struct proof_value *map = &state->reg[1];
  const struct bpf_map_def *def =
      map->kind == PROOF_MAP && !(map->object & PROOF_INNER) && map->object < input->map_count
          ? input->maps[map->object].def
          : NULL;
  switch (proto->args[argument]) {
    case BPF_ARG_MAP_KEY:
      return def ? def->key_size : BPF_STACK_SIZE;
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT: /* a bloom filter reads it */
      return def ? def->value_size : BPF_STACK_SIZE;
    case BPF_ARG_MEMORY:
    case BPF_ARG_MEMORY_OR_NULL:
    case BPF_ARG_MEMORY_INOUT:
      return argument + 2 < PROOF_REGISTERS ? state->reg[argument + 2].number.wide.umax : 0;
    case BPF_ARG_FIXED:
      return proto->fixed_size;
    case BPF_ARG_STRING:
      return BPF_STACK_SIZE;
    default:
      return 0;
  }
}

static const struct proof_root *find_alone(const struct proof_plan *plan, uint32_t function) {
  for (uint32_t i = 0; i < plan->root_count; i++)
    if (plan->roots[i].map == PROOF_ALONE && plan->roots[i].pc == function) return &plan->roots[i];
  return NULL;
}

void live_watch(struct live *live, const struct proof_input *input, const struct proof_state *state) {
  struct bpf_insn insn = input->insns[state->pc];
  unsigned class = BPF_CLASS(insn.code), dst = bpf_dst(insn), src = bpf_src(insn);
  if (class == BPF_LDX && src < PROOF_REGISTERS) {
    note(live, state, &state->reg[src], insn.off, access_size(insn.code));
  } else if (class == BPF_STX && BPF_MODE(insn.code) == BPF_ATOMIC) {
    if (dst < PROOF_REGISTERS) note(live, state, &state->reg[dst], insn.off, access_size(insn.code));
  } else if (is_call(insn, BPF_PSEUDO_HELPER)) {
    const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
    for (unsigned i = 0; proto && i < 5; i++)
      note(live, state, &state->reg[1 + i], 0, argument_size(input, proto, state, i));
  } else if (is_call(insn, BPF_PSEUDO_CALL)) {
    const struct proof_root *root = live->plan ? find_alone(live->plan, state->pc + 1 + (uint32_t)insn.imm) : NULL;
    for (unsigned i = 0; root && i < PROOF_ARGUMENTS; i++)
      note(live, state, &state->reg[1 + i], 0, root->argument[i].size);
  }
}

/* --- the analysis --- */

static uint16_t bit(unsigned reg) { return (uint16_t)(1u << reg); }

static void before_alu(struct live_set *set, struct bpf_insn insn) {
  bool moves = BPF_OP(insn.code) == BPF_MOV;
  if (moves) set->registers &= (uint16_t)~bit(bpf_dst(insn));
  if (BPF_SRC(insn.code) == BPF_X && BPF_OP(insn.code) != BPF_END) set->registers |= bit(bpf_src(insn));
}

static void before_call(const struct live *live, struct live_set *set, uint32_t slot) {
  struct bpf_insn insn = live->flow->insns[slot];
  set->registers &= (uint16_t)~CALLER_SAVED;
  if (is_call(insn, BPF_PSEUDO_HELPER)) {
    const struct bpf_proto *proto = bpf_proto_find((uint32_t)insn.imm);
    for (unsigned i = 0; proto && i < 5 && proto->args[i] != BPF_ARG_NONE; i++)
      set->registers |= bit(1 + i);
  } else if (is_call(insn, BPF_PSEUDO_CALL)) {
    uint32_t target = (uint32_t)((int64_t)slot + 1 + insn.imm);
    set->registers |= live->in[target].registers & ARGUMENTS;
  } else {
    set->registers |= (uint16_t)(ARGUMENTS | bit(bpf_dst(insn)));
  }
}

/* A store of a whole slot ends what it held before. */
static void before_store(struct live_set *set, struct bpf_insn insn) {
  bool atomic = BPF_CLASS(insn.code) == BPF_STX && BPF_MODE(insn.code) == BPF_ATOMIC;
  if (!atomic && bpf_dst(insn) == BPF_FRAME_REGISTER && BPF_SIZE(insn.code) == BPF_DW && insn.off % SLOT == 0)
    set->slots &= ~slot_bits(insn.off, insn.off + SLOT - 1);
  if (atomic && insn.imm == BPF_CMPXCHG) set->registers |= 1;
  set->registers |= bit(bpf_dst(insn));
  if (BPF_CLASS(insn.code) == BPF_STX) set->registers |= bit(bpf_src(insn));
}

static struct live_set before(const struct live *live, uint32_t slot) {
  struct bpf_insn insn = live->flow->insns[slot];
  struct live_set set = {0};
  for (unsigned way = 0; way < 2; way++) {
    uint32_t next = live->flow->next[slot][way];
    if (next == FLOW_NONE) continue;
    set.registers |= live->in[next].registers;
    set.slots |= live->in[next].slots;
  }
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      set.registers &= (uint16_t)~bit(bpf_dst(insn));
      break;
    case BPF_LDX:
      set.registers &= (uint16_t)~bit(bpf_dst(insn));
      set.registers |= bit(bpf_src(insn));
      break;
    case BPF_ST:
    case BPF_STX:
      before_store(&set, insn);
      break;
    case BPF_ALU:
    case BPF_ALU64:
      before_alu(&set, insn);
      if (BPF_OP(insn.code) != BPF_MOV) set.registers |= bit(bpf_dst(insn));
      break;
    default:
      if (BPF_OP(insn.code) == BPF_EXIT)
        set.registers = RESULT;
      else if (BPF_OP(insn.code) == BPF_CALL)
        before_call(live, &set, slot);
      else if (BPF_OP(insn.code) != BPF_JA)
        set.registers |= (uint16_t)(bit(bpf_dst(insn)) | (BPF_SRC(insn.code) == BPF_X ? bit(bpf_src(insn)) : 0));
  }
  set.slots |= live->reads[slot];
  return set;
}

void live_compute(struct live *live) {
  live->stale = false;
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = live->flow->count; i-- > 0;) {
      if (live->flow->insns[i].code == 0) continue; /* the second slot of an immediate */
      struct live_set set = before(live, i), *in = &live->in[i];
      changed |= set.registers != in->registers || set.slots != in->slots;
      *in = set;
    }
  }
}

bool live_at(const struct live *live, const struct proof_state *state, unsigned location) {
  if (location < PROOF_REGISTERS) return (live->in[state->pc].registers & bit(location)) != 0;
  unsigned frame = (location - PROOF_FIRST_SLOT) / PROOF_FRAME_SLOTS;
  unsigned slot = (location - PROOF_FIRST_SLOT) % PROOF_FRAME_SLOTS;
  if (slot >= PROOF_FRAME_CALLBACK || frame > state->depth) return true;
  if (frame == state->depth) return slot < PROOF_FRAME_MEMORY && (live->in[state->pc].slots >> slot & 1) != 0;
  uint32_t site = state->site[frame];
  const struct live_set *after = &live->in[site + 1];
  if (slot >= PROOF_FRAME_SAVED) return (after->registers & bit(6 + slot - PROOF_FRAME_SAVED)) != 0;
  return ((after->slots | live->reads[site]) >> slot & 1) != 0;
}
