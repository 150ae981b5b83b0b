/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Types are added after those that they are made of, so that each refers to earlier ones only. BTF of a hostile object may be a cycle:
 * depth is limited, as it is in the table.
 */
#include "verifier/type_table.h"

#include "lib/memory.h"

enum { MAX_MODIFIERS = 32, MAX_MEMBERS = 16384 };

struct walk {
  struct type_table *table;
  const struct btf *btf;
  unsigned depth;
};

static uint32_t add_type(struct walk *w, uint32_t btf_id);

static bool make_room(struct type_table *t, const struct btf *btf) {
  if (t->types) return !t->failed;
  t->types = memory_alloc(BPF_TYPES_MAX * sizeof(*t->types));
  t->members = memory_alloc(MAX_MEMBERS * sizeof(*t->members));
  t->known = memory_alloc(((size_t)btf__type_cnt(btf) + 1) * sizeof(*t->known));
  text_add_bytes(&t->names, "", 1); /* offset 0: what has no name */
  t->failed = !t->types || !t->members || !t->known || t->names.failed;
  return !t->failed;
}

static uint32_t append(struct type_table *t, struct bpf_type type) {
  if (t->type_count == BPF_TYPES_MAX) return BPF_NO_TYPE;
  t->types[t->type_count] = type;
  return t->type_count++;
}

static uint32_t add_name(struct type_table *t, const char *name) {
  if (!name || !*name) return 0;
  uint32_t at = (uint32_t)t->names.length;
  text_add_bytes(&t->names, name, strlen(name) + 1);
  t->failed |= t->names.failed;
  return at;
}

static uint32_t add_bytes(struct walk *w, uint32_t size) {
  return append(w->table, (struct bpf_type){.kind = BPF_TYPE_BYTES, .size = size});
}

static bool is_number_size(uint32_t size) { return size == 1 || size == 2 || size == 4 || size == 8; }

static uint32_t add_number(struct walk *w, const struct btf_type *type) {
  unsigned encoding = btf_int_encoding(type);
  const char *name = btf__name_by_offset(w->btf, type->name_off);
  enum bpf_type_kind kind = encoding & BTF_INT_SIGNED ? BPF_TYPE_SIGNED : BPF_TYPE_UNSIGNED;
  if (!is_number_size(type->size)) kind = BPF_TYPE_BYTES;
  if (type->size == 1 && (encoding & BTF_INT_BOOL)) kind = BPF_TYPE_BOOL;
  if (type->size == 1 && name && strcmp(name, "char") == 0) kind = BPF_TYPE_CHAR;
  return append(w->table, (struct bpf_type){.kind = (uint8_t)kind, .size = type->size});
}

static uint32_t add_enum(struct walk *w, const struct btf_type *type) {
  struct type_table *t = w->table;
  const struct btf_enum *names = btf_enum(type);
  unsigned count = btf_vlen(type);
  if (!is_number_size(type->size) || count > MAX_MEMBERS - t->member_count) return add_bytes(w, type->size);
  uint32_t first = t->member_count;
  for (unsigned i = 0; i < count; i++)
    t->members[t->member_count++] = (struct bpf_type_member){
        .name = add_name(t, btf__name_by_offset(w->btf, names[i].name_off)), .position = (uint32_t)names[i].val};
  return append(t, (struct bpf_type){.kind = BPF_TYPE_ENUM, .size = type->size, .first = first, .count = count});
}

/* Members must stand in one piece, so the types that they are of come first. */
static uint32_t add_struct(struct walk *w, const struct btf_type *type) {
  struct type_table *t = w->table;
  const struct btf_member *members = btf_members(type);
  unsigned count = btf_vlen(type);
  for (unsigned i = 0; i < count; i++)
    if (add_type(w, members[i].type) == BPF_NO_TYPE) return add_bytes(w, type->size);
  if (count > MAX_MEMBERS - t->member_count) return add_bytes(w, type->size);
  uint32_t first = t->member_count;
  for (unsigned i = 0; i < count; i++)
    t->members[t->member_count++] =
        (struct bpf_type_member){.name = add_name(t, btf__name_by_offset(w->btf, members[i].name_off)),
                                 .type = add_type(w, members[i].type),
                                 .position = btf_member_bit_offset(type, i),
                                 .bits = btf_member_bitfield_size(type, i)};
  return append(t, (struct bpf_type){.kind = BPF_TYPE_STRUCT, .size = type->size, .first = first, .count = count});
}

static uint32_t add_array(struct walk *w, const struct btf_type *type) {
  const struct btf_array *array = btf_array(type);
  uint32_t element = add_type(w, array->type);
  if (element == BPF_NO_TYPE) return BPF_NO_TYPE;
  uint64_t size = (uint64_t)w->table->types[element].size * array->nelems;
  if (size == 0 || size > UINT32_MAX) return BPF_NO_TYPE;
  if (array->nelems > BPF_TYPES_MAX_ELEMENTS) return add_bytes(w, (uint32_t)size);
  return append(
      w->table,
      (struct bpf_type){.kind = BPF_TYPE_ARRAY, .size = (uint32_t)size, .first = element, .count = array->nelems});
}

static uint32_t add_resolved(struct walk *w, const struct btf_type *type) {
  switch (btf_kind(type)) {
    case BTF_KIND_INT:
      return add_number(w, type);
    case BTF_KIND_ENUM:
      return add_enum(w, type);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return add_struct(w, type);
    case BTF_KIND_ARRAY:
      return add_array(w, type);
    case BTF_KIND_PTR:
      return add_bytes(w, 8);
    case BTF_KIND_FLOAT:
    case BTF_KIND_ENUM64:
      return add_bytes(w, type->size);
    default:
      return BPF_NO_TYPE;
  }
}

static uint32_t add_type(struct walk *w, uint32_t btf_id) {
  const struct btf_type *type = btf__type_by_id(w->btf, btf_id);
  for (int i = 0; i < MAX_MODIFIERS && type && (btf_is_mod(type) || btf_is_typedef(type)); i++) {
    btf_id = type->type;
    type = btf__type_by_id(w->btf, btf_id);
  }
  if (!type || btf_id >= btf__type_cnt(w->btf)) return BPF_NO_TYPE;
  uint32_t *known = &w->table->known[btf_id];
  if (*known != 0) return *known - 1;
  if (w->depth == BPF_TYPES_MAX_DEPTH) return BPF_NO_TYPE;
  w->depth++;
  uint32_t index = add_resolved(w, type);
  w->depth--;
  if (index != BPF_NO_TYPE) *known = index + 1;
  return index;
}

uint32_t type_table_add(struct type_table *table, const struct btf *btf, uint32_t btf_id) {
  struct walk w = {table, btf, 0};
  return make_room(table, btf) ? add_type(&w, btf_id) : BPF_NO_TYPE;
}

uint32_t type_table_add_variables(struct type_table *table, const struct btf *btf,
                                  const struct type_variable *variables, uint32_t count, uint32_t size) {
  struct walk w = {table, btf, 1};
  if (!make_room(table, btf)) return BPF_NO_TYPE;
  uint32_t shown = 0;
  for (uint32_t i = 0; i < count; i++)
    (void)add_type(&w, variables[i].btf_id);
  if (count > MAX_MEMBERS - table->member_count) return BPF_NO_TYPE;
  uint32_t first = table->member_count;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t type = add_type(&w, variables[i].btf_id);
    if (type == BPF_NO_TYPE || variables[i].offset > size || table->types[type].size > size - variables[i].offset)
      continue;
    table->members[table->member_count++] = (struct bpf_type_member){
        .name = add_name(table, variables[i].name), .type = type, .position = variables[i].offset * 8};
    shown++;
  }
  return append(table, (struct bpf_type){.kind = BPF_TYPE_STRUCT, .size = size, .first = first, .count = shown});
}

void type_table_free(struct type_table *table) {
  memory_free(table->types);
  memory_free(table->members);
  memory_free(table->known);
  text_free(&table->names);
  *table = (struct type_table){0};
}

struct bpf_types type_table_view(const struct type_table *table) {
  if (table->failed || table->type_count == 0) return (struct bpf_types){0};
  return (struct bpf_types){.types = table->types,
                            .members = table->members,
                            .names = table->names.data,
                            .type_count = table->type_count,
                            .member_count = table->member_count,
                            .names_length = (uint32_t)table->names.length};
}
