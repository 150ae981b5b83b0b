/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The world.
 */
#include "tests/soundness/world.h"

#include <stdlib.h>
#include <string.h>

#include "bpf/ring.h"
#include "lib/memory.h"

enum { AREA = 4096, HEADROOM = 256, LENGTH_MAX = 2048 };

static uint64_t ticks;

static uint64_t now(void *context) { return ticks += 1000003; }
static uint32_t random_number(void *context) {
  ticks = ticks * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
  return (uint32_t)(ticks >> 32) >> (ticks >> 27 & 31);
}
static void no_trace(void *context, const char *text, size_t length) {}

const struct bpf_environment world_environment = {.ktime_ns = now, .random_u32 = random_number, .trace = no_trace};

void world_packet(struct choices *c, struct bpf_input *input) {
  static uint8_t *area;
  static const uint8_t ethernet[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  /* VLAN, IPv4, IPv6, ARP */
  static const uint8_t types[][2] = {{0x81, 0}, {8, 0}, {8, 0}, {0x86, 0xdd}, {8, 6}};
  if (area == NULL) area = memory_alloc_low(AREA, 64);
  if (area == NULL) abort();
  uint32_t length = (uint32_t)choose(c, choose(c, 4) == 0 ? LENGTH_MAX : 130);
  uint8_t *data = area + HEADROOM;
  memset(area, 0xa5, AREA);
  ticks = choose_number(c);
  const uint64_t kind = choose(c, 4), fill = choose(c, 256);
  for (uint32_t i = 0; i < length; i++) {
    data[i] = (uint8_t)(kind == 0 ? fill : kind == 1 ? choose(c, 4) : choose(c, 256));
  }
  if (kind > 1 && length >= 34) {
    memcpy(data, ethernet, sizeof ethernet);
    memcpy(data + 12, types[choose(c, 5)], 2);
    data[14] = (uint8_t)(0x45 + choose(c, 3) * (choose(c, 2) ? 1 : 5));
    data[23] = (uint8_t)(choose(c, 2) ? 6 : 17);
  }
  const uint64_t start = (uint64_t)(uintptr_t)data;
  *input = (struct bpf_input){.data = start,
                              .data_end = start + length,
                              .ingress_ifindex = (uint32_t)choose_number(c),
                              .rx_queue_index = (uint32_t)choose_number(c),
                              .data_meta = start - 4 * choose(c, 3),
                              .buffer_start = (uint64_t)(uintptr_t)area,
                              .buffer_end = (uint64_t)(uintptr_t)area + AREA};
}

/* Bytes that only helpers touch stay 0. */
static void fill_value(uint8_t *value, const struct bpf_map_def *def, struct choices *c) {
  for (uint32_t i = 0; i < def->value_size; i++)
    value[i] = (uint8_t)(choose(c, 3) == 0 ? choose(c, 256) : 0);
  if (def->spin_lock != 0) memset(value + def->spin_lock - 1, 0, BPF_SPIN_LOCK_SIZE);
  if (def->timer != 0) memset(value + def->timer - 1, 0, BPF_TIMER_SIZE);
}

static void fill_map(struct bpf_map *map, struct choices *c) {
  static uint8_t key[BPF_MAP_MAX_KEY], value[BPF_MAP_MAX_VALUE];
  const struct bpf_map_def *def = &map->def;
  if (map->values == NULL || def->value_size > 4096 || bpf_map_is_of_maps(def->type)) return;
  for (unsigned i = 0; i < 8; i++) {
    for (uint32_t k = 0; k < def->key_size; k++)
      key[k] = 0;
    key[0] = (uint8_t)i;
    if (def->type == BPF_MAP_TYPE_LPM_TRIE) key[4] = (uint8_t)choose(c, 256);
    fill_value(value, def, c);
    long status = map->ops->update(map, key, value, BPF_ANY, 0);
    (void)status; /* full, or not of this shape: it stays as it is */
  }
}

bool world_maps(struct bpf_map **maps, const struct bpf_map_def *defs, const struct slice *initial, uint32_t count,
                struct choices *c) {
  const struct hash_key seed = {choose_number(c), choose_number(c)};
  for (uint32_t i = 0; i < count; i++) {
    struct bpf_map_def def = defs[i];
    def.processors = 1;
    if (bpf_map_create(&def, &seed, &maps[i], NULL) != 0) return false;
    if (initial != NULL && initial[i].length != 0 && maps[i]->values != NULL) {
      memcpy(maps[i]->values, initial[i].data, initial[i].length);
    } else {
      fill_map(maps[i], c);
    }
  }
  return true;
}

void world_drain(struct bpf_map *const *maps, uint32_t count) {
  uint8_t record[64];
  for (uint32_t i = 0; i < count; i++) {
    for (uint32_t ring = 0; ring < maps[i]->ring_count; ring++) {
      while (bpf_ring_read(&maps[i]->rings[ring], record, sizeof record) >= 0)
        continue;
    }
  }
}
