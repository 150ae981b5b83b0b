/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzz target: the interpreter on arbitrary instructions, packets and maps. bpf_run must be safe on any instruction bytes, so
 * every input runs whether or not bpf_check accepts it; an accepted one must also be free of the faults that bpf_check
 * excludes. The input: number of maps (modulo 4), packet length, for each map 5 bytes (type, key size, value size, entries,
 * flags), the packet, and the rest is instructions.
 */
#include <stdlib.h>

#include "bpf/program.h"
#include "bpf/proto.h"
#include "lib/memory.h"
#include "lib/string.h"

enum { MAPS = 3, PACKET_MAX = 255, GUARD = 64, INSNS_MAX = 512, AREA = 4096 };

struct input {
  const uint8_t *data;
  size_t size;
};

/* Missing bytes read as zero. */
static uint8_t take(struct input *in) {
  if (in->size == 0) return 0;
  in->size--;
  return *in->data++;
}

static void require(bool holds) {
  if (!holds) abort();
}

static struct bpf_map *take_map(struct input *in) {
  static const struct hash_key seed = {0x0123456789abcdef, 0xfedcba9876543210};
  static const uint32_t flags[] = {0, BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG, 0};
  struct bpf_map_def def = {.name = "fuzz"};
  static const uint32_t types[] = {BPF_MAP_TYPE_ARRAY,       BPF_MAP_TYPE_HASH,    BPF_MAP_TYPE_PERCPU_ARRAY,
                                   BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_QUEUE,   BPF_MAP_TYPE_LPM_TRIE,
                                   BPF_MAP_TYPE_RINGBUF,     BPF_MAP_TYPE_LRU_HASH};
  def.type = types[take(in) % 8];
  def.key_size = take(in) % 16u + 1;
  if (def.type == BPF_MAP_TYPE_ARRAY || def.type == BPF_MAP_TYPE_PERCPU_ARRAY) def.key_size = 4;
  if (def.type == BPF_MAP_TYPE_LPM_TRIE) def.key_size += 4;
  def.value_size = take(in) % 64u + 1;
  def.max_entries = take(in) % 8u + 1;
  def.flags = flags[take(in) % 4];
  def.processors = 2;
  if (def.type == BPF_MAP_TYPE_LPM_TRIE) def.flags |= BPF_F_NO_PREALLOC;
  if (def.type == BPF_MAP_TYPE_QUEUE) def.key_size = 0;
  if (def.type == BPF_MAP_TYPE_RINGBUF) {
    def.key_size = def.value_size = def.flags = 0;
    def.max_entries = 4096;
  }
  /* Values long enough have a lock and a timer in front. */
  if (def.value_size >= 24 && (def.type == BPF_MAP_TYPE_ARRAY || def.type == BPF_MAP_TYPE_HASH)) {
    def.spin_lock = 1;
    def.timer = 9;
  }
  struct bpf_map *map = NULL;
  require(bpf_map_create(&def, &seed, &map, NULL) == 0);
  return map;
}

static uint64_t ktime(void *context) { return 1000000007; }
static uint32_t random_number(void *context) { return 4; }
static void trace(void *context, const char *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    *(volatile char *)context = text[i];
  }
}

static void run(const struct bpf_program *program, uint8_t *area, const uint8_t *packet, uint32_t length,
                bool checked) {
  char last = 0;
  const struct bpf_environment environment = {ktime, random_number, trace, &last};
  memset(area, 0xa5, AREA);
  memcpy(area + GUARD, packet, length);
  const uint64_t data = (uint64_t)(uintptr_t)area + GUARD;
  const struct bpf_input input = {
      .data = data, .data_end = data + length, .ingress_ifindex = 1, .buffer_start = data, .processor = 1};
  struct bpf_result result;
  bpf_run(program, &environment, &input, &result);

  for (uint32_t i = 0; i < GUARD; i++) {
    require(area[i] == 0xa5 && area[GUARD + length + i] == 0xa5);
  }
  require(result.executed <= BPF_MAX_EXECUTED);
  require(result.fault == BPF_FAULT_NONE || result.fault_insn == 0 || result.fault_insn < program->insn_count);
  if (checked) require(result.fault != BPF_FAULT_JUMP && result.fault != BPF_FAULT_INSTRUCTION);
}

/* Whatever programs did, a map has as many keys as it counts, and finds each. */
static void require_sound(struct bpf_map *map) {
  if (map->def.type == BPF_MAP_TYPE_QUEUE || map->def.type == BPF_MAP_TYPE_RINGBUF) return;
  uint8_t key[32], next[32];
  uint32_t keys = 0;
  for (long more = map->ops->next_key(map, NULL, next); more == 0; more = map->ops->next_key(map, key, next)) {
    require(map->ops->lookup(map, next) != NULL);
    require(++keys <= map->def.max_entries);
    memcpy(key, next, sizeof key);
  }
  require(keys == map->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  static uint8_t *area;
  if (area == NULL) area = memory_alloc_low(AREA, 64);
  require(area != NULL);

  struct input in = {bytes, size};
  struct bpf_map *maps[MAPS];
  uint8_t packet[PACKET_MAX];
  struct bpf_insn insns[INSNS_MAX];
  struct bpf_program program = {.insns = insns, .maps = maps, .map_count = take(&in) % (MAPS + 1u)};
  uint32_t length = take(&in);
  for (uint32_t i = 0; i < program.map_count; i++) {
    maps[i] = take_map(&in);
  }
  for (uint32_t i = 0; i < length; i++) {
    packet[i] = take(&in);
  }
  program.insn_count = (uint32_t)(in.size / sizeof insns[0]);
  if (program.insn_count > INSNS_MAX) program.insn_count = INSNS_MAX;
  memcpy(insns, in.data, program.insn_count * sizeof insns[0]);

  bool good = bpf_program_prepare(&program, NULL) == 0;
  run(&program, area, packet, length, good);
  memory_free(program.functions);
  for (uint32_t i = 0; i < program.map_count; i++) {
    require_sound(maps[i]);
    bpf_map_release(maps[i]);
  }
  return 0;
}
