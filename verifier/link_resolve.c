/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What instructions refer to: maps, global data, functions, helpers. Relocation types: Documentation/bpf/llvm_reloc.rst of Linux.
 */
#include <elf.h>

#include "bpf/proto.h"
#include "verifier/linker.h"
#include "verifier/names.h"

enum { RELOCATION_64_64 = 1, RELOCATION_64_32 = 10 };
enum { MAX_HELPER_ID = 1024 };
enum { CODE_LD_IMM64 = BPF_LD | BPF_DW | BPF_IMM, CODE_CALL = BPF_JMP | BPF_CALL };

static int resolve_address(struct linker *l, const struct site *site) {
  const struct object_symbol *target = site->slot->target;
  struct bpf_insn *insn = site->insn;
  if (site->slot->relocation != RELOCATION_64_64)
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "relocation of type %u is not understood", site->slot->relocation);
  if (target->section == SHN_UNDEF)
    return linker_refuse(l, site, ERROR_UNSUPPORTED,
                         "refers to extern %s; there are no kernel symbols and no kernel configuration here",
                         target->name);
  if (target->section >= l->object.section_count)
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "refers to %s, which is in no section; initialise the variable",
                         target->name);
  const char *section = l->object.sections[target->section].name;
  uint64_t offset = target->value + (uint64_t)(int64_t)insn->imm;
  uint32_t index = 0;
  int error;
  insn[1].imm = 0;
  if (strcmp(section, ".maps") == 0 || strcmp(section, "maps") == 0) {
    error = linker_declared_map(l, site, target->section, offset, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_MAP << 4);
  } else if (linker_is_data(section)) {
    if (offset >= l->object.sections[target->section].size)
      return linker_refuse(l, site, ERROR_INVALID, "refers to an address outside the global data of %s", section);
    error = linker_data_map(l, site, target->section, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_MAP_VALUE << 4);
    insn[1].imm = (int32_t)offset;
  } else if (object_is_code(&l->object.sections[target->section])) {
    error = linker_place(l, site, target->section, offset, &index);
    insn->regs = (uint8_t)(bpf_dst(*insn) | BPF_PSEUDO_FUNC << 4);
    index -= site->function->start + site->index + 1;
  } else {
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "refers to section %s; offered are .maps, .data, .rodata and .bss",
                         section);
  }
  insn->imm = (int32_t)index;
  return error;
}

static int resolve_local_call(struct linker *l, const struct site *site) {
  const struct object_symbol *target = site->slot->target;
  uint32_t section = site->function->symbol->section, start = 0;
  /* Counted in instructions from the next one, or from the symbol when there is a relocation. */
  uint64_t offset = ((uint64_t)(int64_t)site->insn->imm + 1) * INSN_SIZE;
  if (target && site->slot->relocation != RELOCATION_64_32)
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "relocation of type %u is not understood", site->slot->relocation);
  if (target && target->section == SHN_UNDEF)
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "calls extern function %s; put its source into this file",
                         target->name);
  if (target) section = target->section;
  offset += target ? target->value : site_offset(site);
  int error = linker_place(l, site, section, offset, &start);
  if (!error) site->insn->imm = (int32_t)(start - (site->function->start + site->index + 1));
  return error;
}

static int check_helper(const struct linker *l, const struct site *site) {
  uint32_t id = (uint32_t)site->insn->imm;
  const struct bpf_proto *proto = bpf_proto_find(id);
  bool tc = l->code->kind == BPF_PROGRAM_TC;
  if (proto && (proto->programs & (tc ? BPF_FOR_TC : BPF_FOR_XDP))) return 0;
  if (proto)
    return linker_refuse(l, site, ERROR_UNSUPPORTED, "%s (helper %u) is not for SEC(\"%s\") programs", proto->name, id,
                         tc ? "tc" : "xdp");
  struct text offered = {0};
  for (uint32_t i = 1; i <= MAX_HELPER_ID; i++)
    if (bpf_proto_find(i)) text_addf(&offered, "%s%s", offered.length > 0 ? ", " : "", bpf_proto_find(i)->name);
  const char *name = linux_helper_name(id);
  int error = linker_refuse(l, site, ERROR_UNSUPPORTED, "%s%s (helper %u) is not offered; offered are %s",
                            name ? "bpf_" : "", name ? name : "this helper", id, text_string(&offered));
  text_free(&offered);
  return error;
}

static int resolve_call(struct linker *l, const struct site *site) {
  switch (bpf_src(*site->insn)) {
    case BPF_PSEUDO_HELPER:
      if (site->slot->target)
        return linker_refuse(l, site, ERROR_UNSUPPORTED, "calls extern %s; there are no kernel functions here",
                             site->slot->target->name);
      return check_helper(l, site);
    case BPF_PSEUDO_CALL:
      return resolve_local_call(l, site);
    default:
      return linker_refuse(l, site, ERROR_UNSUPPORTED,
                           "calls a kernel function; only helpers and functions of this file are there");
  }
}

/* Functions move against each other, so a jump must stay in its own. */
static int check_jump(const struct linker *l, const struct site *site) {
  struct bpf_insn insn = *site->insn;
  bool jump = BPF_CLASS(insn.code) == BPF_JMP || BPF_CLASS(insn.code) == BPF_JMP32;
  if (!jump || BPF_OP(insn.code) == BPF_CALL || BPF_OP(insn.code) == BPF_EXIT) return 0;
  bool far = insn.code == (BPF_JMP32 | BPF_JA);
  int64_t to = (int64_t)site->index + 1 + (far ? insn.imm : insn.off);
  if (to < 0 || to >= site->function->count) return linker_refuse(l, site, ERROR_INVALID, "jumps out of its function");
  return 0;
}

int linker_resolve(struct linker *l, struct placed_function function) {
  const struct layout_slot *slots = layout_at(&l->layout, function.symbol->section, function.symbol->value);
  int error = 0;
  for (uint32_t i = 0; i < function.count && !error; i++) {
    struct site site = {&function, i, &l->code->insns[function.start + i], &slots[i]};
    if (site.insn->code == CODE_LD_IMM64) {
      i++;
      if (i == function.count || slots[i].target)
        error = linker_refuse(l, &site, ERROR_INVALID, "malformed 64-bit immediate");
      else if (site.slot->target)
        error = resolve_address(l, &site);
      else if (bpf_src(*site.insn) != BPF_PSEUDO_IMM)
        error = linker_refuse(l, &site, ERROR_INVALID, "64-bit immediate refers to nothing");
    } else if (site.insn->code == CODE_CALL) {
      error = resolve_call(l, &site);
    } else if (site.slot->target) {
      error = linker_refuse(l, &site, ERROR_UNSUPPORTED, "refers to %s in a way that is not understood",
                            site.slot->target->name);
    } else {
      error = check_jump(l, &site);
    }
  }
  return error;
}
