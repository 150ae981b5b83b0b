/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps as handlers see them: read, written and listed from outside of programs, as bytes and as text. Any worker, while programs
 * run; may allocate.
 */
#ifndef IMAGO_BPF_MAP_TEXT_H
#define IMAGO_BPF_MAP_TEXT_H

#include "bpf/map.h"
#include "bpf/types.h"

/* What outside sees of an entry: bytes of its value; per-CPU maps have one for each processor, each at a multiple of 8. */
uint32_t bpf_map_outside_size(const struct bpf_map *map);
/* Copies the value under the key (queue, stack: the next one, key is ignored), with spin lock and timer as zeros; a value with a
 * lock is copied under it. 0; -BPF_ENOENT; -BPF_EPERM (BPF_F_WRONLY); -BPF_EOPNOTSUPP: entries are objects or records. */
long bpf_map_get(struct bpf_map *map, const void *key, void *value);
/* ops->update of all processors' values, push for queue, stack and bloom filter. -BPF_EPERM (BPF_F_RDONLY, or constants of a
 * program); -BPF_EOPNOTSUPP: entries are objects or records. */
long bpf_map_set(struct bpf_map *map, const void *key, const void *value, uint64_t flags);
/* ops->remove; queue, stack: takes the next one. */
long bpf_map_erase(struct bpf_map *map, const void *key);

/* How keys and values of a map are written. */
struct bpf_map_types {
  const struct bpf_types *types; /* NULL: bytes */
  uint32_t key, value;           /* BPF_NO_TYPE: bytes */
};

/* One entry. Text: "KEY: VALUE", per CPU "KEY: VALUE VALUE ..."; JSON: {"key": KEY, "value": VALUE}, per CPU "values": [...]. Entries
 * of maps and programs have the name of the inner map, and whether there is a program. 0, or as bpf_map_get. */
long bpf_map_format(struct text *out, struct bpf_map *map, const struct bpf_map_types *types, const void *key,
                    enum bpf_text_style style);
/* All entries, at most `limit`; a line each, or a JSON array. Maps without keys give what there is to say: a queue its number of
 * entries. */
void bpf_map_dump(struct text *out, struct bpf_map *map, const struct bpf_map_types *types, uint32_t limit,
                  enum bpf_text_style style);
/* Reads the key (key_size bytes) or the value (bpf_map_outside_size bytes; one for all processors, or a JSON array of them). */
int bpf_map_parse_key(struct slice text, const struct bpf_map *map, const struct bpf_map_types *types, void *key,
                      struct report *report) MUST_USE;
int bpf_map_parse_value(struct slice text, const struct bpf_map *map, const struct bpf_map_types *types, void *value,
                        struct report *report) MUST_USE;

/* The next record of a ring buffer, or of processor `ring` of a perf event array: as bpf_ring_read. */
int64_t bpf_map_read_record(struct bpf_map *map, uint32_t ring, void *to, size_t room);
/* Records that found no room. */
uint64_t bpf_map_lost_records(const struct bpf_map *map);

#endif
