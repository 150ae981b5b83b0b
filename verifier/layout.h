/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where everything of the object's code goes: for every instruction slot of every code section, the function that starts there,
 * the relocation that applies, and the place in the linked program once it has one.
 */
#ifndef IMAGO_VERIFIER_LAYOUT_H
#define IMAGO_VERIFIER_LAYOUT_H

#include "bpf/isa.h"
#include "verifier/object.h"

#define LAYOUT_NOWHERE UINT32_MAX

struct layout_slot {
  const struct object_symbol *function; /* NULL: none starts here */
  const struct object_symbol *target;   /* of the relocation; NULL: none */
  uint32_t relocation;                  /* its type */
  uint32_t place;                       /* index in the linked program, or LAYOUT_NOWHERE */
};

struct layout {
  const struct object *object;
  struct layout_slot **slots; /* by section, NULL: not code */
  size_t count;               /* slots in all sections together */
};

/* On failure nothing needs freeing. */
int layout_make(struct layout *layout, const struct object *object, struct report *report) MUST_USE;
void layout_free(struct layout *layout);
/* Nothing has a place any more: for the next program. */
void layout_clear(struct layout *layout);

/* The slot at a byte offset of a section; NULL when there is no code. */
struct layout_slot *layout_at(const struct layout *layout, uint32_t section, uint64_t offset);
/* The same by section name, as .BTF.ext has it: the slot's place, or LAYOUT_NOWHERE. */
uint32_t layout_place(const struct layout *layout, const char *section, uint64_t offset);

#endif
