/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The compact table of types that a bundle carries (bpf/types.h), made from an object's BTF: as much of it as printing and reading
 * keys, values and global variables needs.
 */
#ifndef IMAGO_VERIFIER_TYPE_TABLE_H
#define IMAGO_VERIFIER_TYPE_TABLE_H

#include "bpf/types.h"
#include "lib/text.h"
#include "verifier/type_info.h"

/* Owns everything. Zero-initialised is empty. */
struct type_table {
  struct bpf_type *types;
  struct bpf_type_member *members;
  uint32_t type_count, member_count;
  struct text names;
  uint32_t *known; /* index by BTF id, plus 1; 0: not yet */
  bool failed;     /* memory ran out: types are missing */
};

/* A variable of global data. */
struct type_variable {
  const char *name;
  uint32_t offset; /* bytes from the section's start */
  uint32_t btf_id; /* of its type */
};

/* The index of the type with that BTF id, added when it is new; BPF_NO_TYPE when it cannot be described, or finds no room: values are then
 * shown as bytes. */
uint32_t type_table_add(struct type_table *table, const struct btf *btf, uint32_t btf_id);
/* A struct of `size` bytes whose members are the variables. BPF_NO_TYPE as above. */
uint32_t type_table_add_variables(struct type_table *table, const struct btf *btf,
                                  const struct type_variable *variables, uint32_t count, uint32_t size);
void type_table_free(struct type_table *table);

/* A view of it. */
struct bpf_types type_table_view(const struct type_table *table);

#endif
