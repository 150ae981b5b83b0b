/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPF_MAP_TYPE_RINGBUF and BPF_MAP_TYPE_PERF_EVENT_ARRAY (Linux: kernel/bpf/ringbuf.c, arraymap.c): maps whose contents are records
 * for a reader outside. A ring buffer's max_entries is its size in bytes. A perf event array is opened on every processor: entry
 * i is processor i's ring of BPF_PERF_RING_SIZE bytes; max_entries 0 stands for all processors, as libbpf has it.
 */
#include "bpf/map_type.h"
#include "bpf/ring.h"

static const char *judge_ring(const struct bpf_map_def *def) {
  uint32_t size = def->max_entries;
  return size >= 4096 && (size & (size - 1)) == 0
             ? NULL
             : "max_entries of a ring buffer, its size in bytes, must be a power of two from 4096 on";
}

static struct bpf_map_layout ring_layout(const struct bpf_map_def *def) {
  return (struct bpf_map_layout){.ring_count = 1, .ring_size = def->max_entries, .hidden = true};
}

static struct bpf_map_layout perf_layout(const struct bpf_map_def *def) {
  uint32_t processors = def->processors == 0 ? 1 : def->processors;
  uint32_t count = def->max_entries != 0 && def->max_entries < processors ? def->max_entries : processors;
  return (struct bpf_map_layout){.ring_count = count, .ring_size = BPF_PERF_RING_SIZE, .hidden = true};
}

#define NO_OPS                                                                                                     \
  {                                                                                                                \
    bpf_map_no_lookup, bpf_map_no_update, bpf_map_no_remove, bpf_map_no_next_key, bpf_map_no_push, bpf_map_no_pop, \
        bpf_map_no_pop                                                                                             \
  }

const struct bpf_map_kind bpf_map_ring = {
    .ops = NO_OPS,
    .flags = BPF_F_NUMA_NODE,
    .any_entries = true,
    .judge = judge_ring,
    .layout = ring_layout,
};

const struct bpf_map_kind bpf_map_perf = {
    .ops = NO_OPS,
    .flags = BPF_F_RDONLY | BPF_F_WRONLY,
    .any_entries = true,
    .key_size_min = 4,
    .key_size_max = 4,
    .value_size_min = 4,
    .value_size_max = 4,
    .layout = perf_layout,
};
