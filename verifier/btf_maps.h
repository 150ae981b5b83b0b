/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Map definitions as libbpf's SEC(".maps") writes them: a struct variable whose member types carry the numbers.
 */
#ifndef IMAGO_VERIFIER_BTF_MAPS_H
#define IMAGO_VERIFIER_BTF_MAPS_H

#include "bpf/map.h"
#include "verifier/type_info.h"

/* The array `values` of a program array or a map of maps: pointers that the object initialises. */
struct btf_map_values {
  uint32_t offset; /* into the variable */
  uint32_t count;  /* 0: it has none */
};

/* BTF ids of the types of a map's keys and values, 0 where only a size is given. */
struct btf_map_types {
  uint32_t key, value;
};

/* Reads the definition of the map variable `name`, its lock and timer from the type of its values, and the shape of inner maps. The
 * result is one that can be made; everything else is an error that names map and member. btf may be NULL, which is an error too. */
int btf_map_definition(const char *file, const struct btf *btf, const char *name, struct bpf_map_def *def,
                       struct btf_map_values *values, struct btf_map_types *types, struct report *report) MUST_USE;
/* Whether a map of that definition can be made; if not, an error that names it. */
int btf_map_check(const char *file, const struct bpf_map_def *def, struct report *report) MUST_USE;

#endif
