/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Map definitions as libbpf's SEC(".maps") writes them: a struct variable whose member types carry the numbers.
 */
#ifndef IMAGO_VERIFIER_BTF_MAPS_H
#define IMAGO_VERIFIER_BTF_MAPS_H

#include "bpf/map.h"
#include "verifier/type_info.h"

/* Reads the definition of the map variable `name`. The result is one that a bundle can carry; everything else is an error that
 * names map and member. btf may be NULL, which is an error too. */
int btf_map_definition(const char *file, const struct btf *btf, const char *name, struct bpf_map_def *def,
                       struct report *report) MUST_USE;

#endif
