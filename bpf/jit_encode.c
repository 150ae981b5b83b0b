/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Encoding of x86-64 instructions, and the layout of code whose jumps grow with the distance: all begin short, and those that do not
 * reach become long until nothing changes, which ends because none becomes short again.
 */
#include "bpf/jit_encode.h"

#include "lib/memory.h"

enum { CODE_ALIGNMENT = 32 };

bool jit_code_init(struct jit_code *c, uint32_t labels, uint32_t bytes, uint32_t fixups) {
  *c = (struct jit_code){.capacity = bytes + JIT_STEP,
                         .fixup_capacity = fixups + JIT_STEP_FIXUPS,
                         .label_count = labels,
                         .label_capacity = labels + fixups / 2 + JIT_STEP_FIXUPS};
  /* Growth from nothing is not zeroed. */
  c->bytes = memory_resize(NULL, c->capacity);
  c->fixups = memory_resize(NULL, c->fixup_capacity * sizeof *c->fixups);
  c->labels = memory_resize(NULL, c->label_capacity * sizeof *c->labels);
  c->failed = c->bytes == NULL || c->fixups == NULL || c->labels == NULL;
  for (uint32_t i = 0; i < labels && !c->failed; i++) {
    c->labels[i].at = LABEL_UNSET;
  }
  return !c->failed;
}

void jit_code_free(struct jit_code *c) {
  memory_free(c->bytes);
  memory_free(c->fixups);
  memory_free(c->labels);
  *c = (struct jit_code){.failed = true};
}

static bool grow(void **block, uint32_t *capacity, uint32_t count, uint32_t room, size_t size) {
  if (*capacity - count >= room) return true;
  uint32_t more = *capacity + *capacity / 2 + room;
  void *grown = memory_resize(*block, more * size);
  if (grown == NULL) return false;
  *block = grown;
  *capacity = more;
  return true;
}

bool jit_code_grow(struct jit_code *c) {
  void *bytes = c->bytes, *fixups = c->fixups, *labels = c->labels;
  if (c->failed) return false;
  if (!grow(&bytes, &c->capacity, c->length, JIT_STEP, 1) ||
      !grow(&fixups, &c->fixup_capacity, c->fixup_count, JIT_STEP_FIXUPS, sizeof *c->fixups) ||
      !grow(&labels, &c->label_capacity, c->label_count, JIT_STEP_FIXUPS, sizeof *c->labels)) {
    c->failed = true;
  }
  c->bytes = bytes;
  c->fixups = fixups;
  c->labels = labels;
  return !c->failed;
}

/* --- instructions --- */

/* ModRM, SIB and displacement (SDM 2.1.5). */
static uint8_t *add_operand(uint8_t *out, unsigned reg, struct jit_rm rm) {
  unsigned field = (reg & 7) << 3, base = rm.base & 7u;
  if (!rm.memory) {
    *out++ = (uint8_t)(0xc0 | field | base);
    return out;
  }
  bool indexed = rm.index != NO_REGISTER || base == RSP || rm.base == NO_REGISTER;
  /* rbp and r13 as base have no form without displacement: there it means a displacement of 32 bits and no base. */
  unsigned mode = rm.displacement == 0 && base != RBP ? 0x00u : jit_fits8(rm.displacement) ? 0x40u : 0x80u;
  if (rm.base == NO_REGISTER) {
    mode = 0;
    base = RBP;
  }
  *out++ = (uint8_t)(mode | field | (indexed ? 4 : base));
  if (indexed) {
    unsigned index = rm.index == NO_REGISTER ? 4 : rm.index & 7u;
    *out++ = (uint8_t)((unsigned)rm.scale << 6 | index << 3 | base);
  }
  if (mode == 0x40) *out++ = (uint8_t)rm.displacement;
  if (mode == 0x80 || rm.base == NO_REGISTER) {
    store_le32(out, (uint32_t)rm.displacement);
    out += 4;
  }
  return out;
}

void jit_op(struct jit_code *c, unsigned op, unsigned reg, struct jit_rm rm) {
  uint8_t *out = c->bytes + c->length;
  if (op & OP_LOCK) *out++ = 0xf0;
  if (op & OP_HALF) *out++ = 0x66;
  unsigned rex = (op & OP_WIDE ? 8u : 0) | (reg & 8) >> 1 | (rm.base & 8u) >> 3;
  if (rm.memory && rm.index != NO_REGISTER) rex |= (rm.index & 8u) >> 2;
  /* spl, bpl, sil and dil need a prefix, else these numbers mean ah, ch, dh, bh. */
  bool byte = ((op & OP_BYTE_REG) && reg >= RSP && reg <= RDI) ||
              ((op & OP_BYTE_RM) && !rm.memory && rm.base >= RSP && rm.base <= RDI);
  if (rex != 0 || byte) *out++ = (uint8_t)(0x40 | rex);
  if (op & 0x300) {
    *out++ = 0x0f;
    if ((op & 0x300) != OP_0F) *out++ = (op & 0x300) == OP_0F38 ? 0x38 : 0x3a;
  }
  *out++ = (uint8_t)op;
  c->length = (uint32_t)(add_operand(out, reg, rm) - c->bytes);
}

void jit_vex(struct jit_code *c, unsigned op, unsigned pp, unsigned reg, unsigned third, struct jit_rm rm) {
  /* Three-byte form (SDM 2.3.5); register extensions and the third operand are stored inverted. */
  unsigned extensions = (~reg & 8) << 4 | 0x40 | (~(unsigned)rm.base & 8) << 2;
  if (rm.memory && rm.index != NO_REGISTER && (rm.index & 8)) extensions &= ~0x40u;
  jit_byte(c, 0xc4);
  jit_byte(c, extensions | (op >> 8 & 3));
  jit_byte(c, (op & OP_WIDE ? 0x80u : 0) | (~third & 15) << 3 | pp);
  jit_byte(c, op & 0xff);
  c->length = (uint32_t)(add_operand(c->bytes + c->length, reg, rm) - c->bytes);
}

void jit_alu_imm(struct jit_code *c, bool wide, enum jit_alu operation, struct jit_rm to, int32_t value) {
  if (jit_fits8(value)) {
    jit_op(c, 0x83 | jit_width(wide), operation, to);
    jit_byte(c, (uint8_t)value);
    return;
  }
  if (!to.memory && to.base == RAX) {
    if (wide) jit_byte(c, 0x48);
    jit_byte(c, (unsigned)operation << 3 | 5);
  } else {
    jit_op(c, 0x81 | jit_width(wide), operation, to);
  }
  jit_long(c, (uint32_t)value);
}

void jit_multiply_imm(struct jit_code *c, bool wide, unsigned to, unsigned from, int32_t value) {
  jit_op(c, (jit_fits8(value) ? 0x6bu : 0x69u) | jit_width(wide), to, jit_reg(from));
  if (jit_fits8(value)) {
    jit_byte(c, (uint8_t)value);
  } else {
    jit_long(c, (uint32_t)value);
  }
}

void jit_mov_imm(struct jit_code *c, unsigned to, uint64_t value) {
  if (value == 0) {
    jit_op(c, 0x31, to, jit_reg(to)); /* xor */
  } else if (value <= UINT32_MAX) {
    if (to >= R8) jit_byte(c, 0x41);
    jit_byte(c, 0xb8 | (to & 7));
    jit_long(c, (uint32_t)value);
  } else if (jit_fits32((int64_t)value)) {
    jit_op(c, 0xc7 | OP_WIDE, 0, jit_reg(to));
    jit_long(c, (uint32_t)value);
  } else {
    jit_byte(c, to >= R8 ? 0x49 : 0x48);
    jit_byte(c, 0xb8 | (to & 7));
    jit_long(c, (uint32_t)value);
    jit_long(c, (uint32_t)(value >> 32));
  }
}

void jit_test_imm(struct jit_code *c, bool wide, unsigned reg, int32_t value) {
  if (value >= 0 && value <= 0x7f) {
    /* The low byte decides. */
    if (reg == RAX) {
      jit_byte(c, 0xa8);
    } else {
      jit_op(c, 0xf6 | OP_BYTE_RM, 0, jit_reg(reg));
    }
    jit_byte(c, (uint8_t)value);
    return;
  }
  if (value >= 0) wide = false;
  if (reg == RAX) {
    if (wide) jit_byte(c, 0x48);
    jit_byte(c, 0xa9);
  } else {
    jit_op(c, 0xf7 | jit_width(wide), 0, jit_reg(reg));
  }
  jit_long(c, (uint32_t)value);
}

void jit_shift_imm(struct jit_code *c, bool wide, enum jit_shift shift, unsigned reg, unsigned count) {
  jit_op(c, (count == 1 ? 0xd1u : 0xc1u) | jit_width(wide), shift, jit_reg(reg));
  if (count != 1) jit_byte(c, count);
}

void jit_push(struct jit_code *c, unsigned reg) {
  if (reg >= R8) jit_byte(c, 0x41);
  jit_byte(c, 0x50 | (reg & 7));
}

void jit_pop(struct jit_code *c, unsigned reg) {
  if (reg >= R8) jit_byte(c, 0x41);
  jit_byte(c, 0x58 | (reg & 7));
}

/* --- control --- */

static void add_fixup(struct jit_code *c, enum jit_fixup_kind kind, unsigned condition, uint64_t target) {
  c->fixups[c->fixup_count++] =
      (struct jit_fixup){.at = c->length, .kind = (uint8_t)kind, .condition = (uint8_t)condition, .target = target};
}

void jit_jump(struct jit_code *c, uint32_t label) { add_fixup(c, FIXUP_JUMP, 0, label); }
void jit_jump_if(struct jit_code *c, unsigned condition, uint32_t label) {
  add_fixup(c, FIXUP_CONDITION, condition, label);
}
void jit_call(struct jit_code *c, uint32_t label) { add_fixup(c, FIXUP_CALL, 0, label); }
void jit_call_address(struct jit_code *c, uint64_t address) { add_fixup(c, FIXUP_ADDRESS, 0, address); }
void jit_align(struct jit_code *c, unsigned most) { add_fixup(c, FIXUP_ALIGN, 0, most); }

/* --- the end --- */

static uint32_t size_at(const struct jit_fixup *f, uint32_t place) {
  switch ((enum jit_fixup_kind)f->kind) {
    case FIXUP_JUMP:
      return f->large ? 5 : 2;
    case FIXUP_CONDITION:
      return f->large ? 6 : 2;
    case FIXUP_CALL:
      return 5;
    case FIXUP_ADDRESS:
      return f->large ? 12 : 5;
    case FIXUP_ALIGN: {
      uint32_t gap = -place & (CODE_ALIGNMENT - 1);
      return gap <= f->target ? gap : 0;
    }
  }
  return 0;
}

uint32_t jit_label_place(const struct jit_code *c, uint32_t label) {
  const struct jit_label *l = &c->labels[label];
  if (l->fixups == 0) return l->at - c->start;
  const struct jit_fixup *last = &c->fixups[l->fixups - 1];
  return last->place + (l->at - last->at);
}

static uint32_t place_all(struct jit_code *c) {
  uint32_t place = 0, at = c->start;
  for (uint32_t i = 0; i < c->fixup_count; i++) {
    struct jit_fixup *f = &c->fixups[i];
    place += f->at - at;
    at = f->at;
    place += size_at(f, place);
    f->place = place;
  }
  return place + (c->length - at);
}

uint32_t jit_layout(struct jit_code *c, bool near) {
  for (uint32_t i = 0; i < c->fixup_count; i++) {
    struct jit_fixup *f = &c->fixups[i];
    f->large = f->kind == FIXUP_ADDRESS && !near;
  }
  for (;;) {
    uint32_t length = place_all(c);
    bool changed = false;
    for (uint32_t i = 0; i < c->fixup_count; i++) {
      struct jit_fixup *f = &c->fixups[i];
      if ((f->kind != FIXUP_JUMP && f->kind != FIXUP_CONDITION) || f->large) continue;
      if (jit_fits8((int64_t)jit_label_place(c, (uint32_t)f->target) - f->place)) continue;
      f->large = true;
      changed = true;
    }
    if (!changed) return length;
  }
}

/* No-operations as the SDM recommends them (volume 2, NOP). */
static uint8_t *write_gap(uint8_t *out, uint32_t size) {
  static const uint8_t nops[9][9] = {
      {0x90},
      {0x66, 0x90},
      {0x0f, 0x1f, 0x00},
      {0x0f, 0x1f, 0x40, 0x00},
      {0x0f, 0x1f, 0x44, 0x00, 0x00},
      {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
      {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
      {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
      {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
  };
  while (size > 0) {
    uint32_t n = size < 9 ? size : 9;
    memcpy(out, nops[n - 1], n);
    out += n;
    size -= n;
  }
  return out;
}

static uint8_t *write_fixup(const struct jit_code *c, const struct jit_fixup *f, uint8_t *out, uint64_t base,
                            uint32_t size) {
  uint32_t distance = 0;
  if (f->kind < FIXUP_ADDRESS) distance = jit_label_place(c, (uint32_t)f->target) - f->place;
  switch ((enum jit_fixup_kind)f->kind) {
    case FIXUP_JUMP:
      *out++ = f->large ? 0xe9 : 0xeb;
      break;
    case FIXUP_CONDITION:
      if (f->large) *out++ = 0x0f;
      *out++ = (uint8_t)((f->large ? 0x80 : 0x70) | f->condition);
      break;
    case FIXUP_CALL:
      *out++ = 0xe8;
      store_le32(out, distance);
      return out + 4;
    case FIXUP_ADDRESS:
      if (f->large) {
        *out++ = 0x48; /* mov rax, imm64; call rax */
        *out++ = 0xb8;
        store_le64(out, f->target);
        out[8] = 0xff;
        out[9] = 0xd0;
        return out + 10;
      }
      *out++ = 0xe8;
      store_le32(out, (uint32_t)(f->target - (base + f->place)));
      return out + 4;
    case FIXUP_ALIGN:
      return write_gap(out, size);
  }
  if (!f->large) {
    *out++ = (uint8_t)distance;
    return out;
  }
  store_le32(out, distance);
  return out + 4;
}

void jit_link(const struct jit_code *c, uint8_t *out, uint64_t base) {
  const uint8_t *start = out;
  uint32_t at = c->start;
  for (uint32_t i = 0; i < c->fixup_count; i++) {
    const struct jit_fixup *f = &c->fixups[i];
    memcpy(out, c->bytes + at, f->at - at);
    out += f->at - at;
    at = f->at;
    out = write_fixup(c, f, out, base, f->place - (uint32_t)(out - start));
  }
  memcpy(out, c->bytes + at, c->length - at);
}
