/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The BTF of an object: types through libbpf, after the header was checked more strictly than libbpf does, and a bounds-checked
 * walk over the per-instruction records of .BTF.ext, for which libbpf has no public interface.
 */
#ifndef IMAGO_VERIFIER_TYPE_INFO_H
#define IMAGO_VERIFIER_TYPE_INFO_H

#include <bpf/btf.h>
#include <stdbool.h>

#include "verifier/object.h"

/* Loads .BTF; *btf is NULL when the object has none. Freed by btf__free. Silences libbpf's own messages. */
int type_info_load(const struct object *object, struct btf **btf, struct report *report) MUST_USE;

enum type_info_kind { TYPE_INFO_LINES = 1, TYPE_INFO_CORE = 2 };

/* A walk over the records of one kind. */
struct type_info_walk {
  const struct btf *btf;
  struct slice rest;     /* of that kind's part of .BTF.ext */
  uint32_t record_size;  /* as the file says */
  uint32_t records_left; /* in the current block */
  uint32_t blocks;       /* seen so far; clang writes one per section */
  const char *section;   /* ELF section that the current block is about */
  const uint8_t *record; /* the current record: at least `minimum` bytes */
};

/* Starts before the first record; an object without such records gives an empty walk. `minimum` is the size of a record that the
 * caller reads. */
int type_info_walk(struct type_info_walk *walk, const struct object *object, const struct btf *btf,
                   enum type_info_kind kind, uint32_t minimum, struct report *report) MUST_USE;
/* Goes to the next record; false at the end, and where the records stop making sense. */
bool type_info_next(struct type_info_walk *walk);

#endif
