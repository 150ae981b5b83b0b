/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the type of a global function says of its arguments, for verifying it alone: as Linux takes it
 * (btf_prepare_func_args in kernel/bpf/btf.c). Sizes of types by libbpf.
 */
#include <elf.h>

#include "lib/memory.h"
#include "verifier/linker.h"

enum { LARGEST = 1 << 20 /* bytes of memory behind an argument */ };

/* Without typedefs, const and the like; NULL: void, or malformed. */
static const struct btf_type *plain_type(const struct btf *btf, uint32_t id) {
  int resolved = btf__resolve_type(btf, id);
  return resolved < 0 ? NULL : btf__type_by_id(btf, (uint32_t)resolved);
}

static bool is_number(const struct btf_type *type) {
  return (btf_is_int(type) || btf_is_any_enum(type)) && type->size <= sizeof(uint64_t);
}

static bool is_context(const struct linker *l, const struct btf_type *type) {
  const char *name = btf_is_struct(type) ? btf__name_by_offset(l->btf, type->name_off) : NULL;
  return name && strcmp(name, l->code->kind == BPF_PROGRAM_TC ? "__sk_buff" : "xdp_md") == 0;
}

static bool describe_argument(const struct linker *l, uint32_t id, struct proof_argument *argument) {
  const struct btf_type *type = plain_type(l->btf, id);
  if (!type) return false;
  argument->kind = PROOF_SCALAR;
  if (is_number(type)) return true;
  if (!btf_is_ptr(type)) return false;
  const struct btf_type *target = plain_type(l->btf, type->type);
  argument->kind = PROOF_CONTEXT;
  if (target && is_context(l, target)) return true;
  int64_t size = btf__resolve_size(l->btf, type->type);
  *argument = (struct proof_argument){.kind = PROOF_LENT, .or_null = true, .size = (uint32_t)size};
  return size > 0 && size <= LARGEST;
}

/* __arg_nonnull of libbpf's headers. */
static void note_tags(const struct linker *l, uint32_t function, struct linked_function *out) {
  uint32_t count = btf__type_cnt(l->btf);
  for (uint32_t id = 1; id < count; id++) {
    const struct btf_type *tag = btf__type_by_id(l->btf, id);
    if (!tag || !btf_is_decl_tag(tag) || tag->type != function) continue;
    const char *name = btf__name_by_offset(l->btf, tag->name_off);
    int argument = btf_decl_tag(tag)->component_idx;
    if (name && strcmp(name, "arg:nonnull") == 0 && argument >= 0 && argument < PROOF_ARGUMENTS)
      out->argument[argument].or_null = false;
  }
}

/* False: there is no such type, or one that cannot be told. */
static bool describe(const struct linker *l, struct linked_function *out) {
  uint32_t count = l->btf ? btf__type_cnt(l->btf) : 0, id = 1;
  for (; id < count; id++) {
    const struct btf_type *type = btf__type_by_id(l->btf, id);
    const char *name = type && btf_is_func(type) ? btf__name_by_offset(l->btf, type->name_off) : NULL;
    if (name && strcmp(name, out->name) == 0) break;
  }
  const struct btf_type *function = id < count ? btf__type_by_id(l->btf, id) : NULL;
  const struct btf_type *proto = function ? btf__type_by_id(l->btf, function->type) : NULL;
  if (!proto || !btf_is_func_proto(proto) || btf_vlen(proto) > PROOF_ARGUMENTS) return false;
  const struct btf_type *result = plain_type(l->btf, proto->type);
  if (proto->type != 0 && (!result || !is_number(result))) return false;
  for (unsigned i = 0; i < btf_vlen(proto); i++)
    if (!describe_argument(l, btf_params(proto)[i].type, &out->argument[i])) return false;
  note_tags(l, id, out);
  return true;
}

int linker_describe_functions(struct linker *l) {
  struct linked_code *code = l->code;
  code->functions = memory_alloc(l->function_count * sizeof(*code->functions));
  if (!code->functions) return -ERROR_NO_MEMORY;
  /* The first is the program. Hidden ones are no more than static, as libbpf has it. */
  for (uint32_t i = 1; i < l->function_count; i++) {
    const struct object_symbol *symbol = l->functions[i].symbol;
    if (symbol->binding == STB_LOCAL || symbol->visibility == STV_HIDDEN) continue;
    struct linked_function *function = &code->functions[code->function_count++];
    *function = (struct linked_function){.name = symbol->name, .start = l->functions[i].start};
    function->typed = describe(l, function);
  }
  return 0;
}
