/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Aggregates the values of a map in a way that the operator chooses: one of three callbacks, and one of them has a loop of its own.
 *
 * Linux refuses it: the choice is a constant, so that two callbacks are dead code; it takes them out and then misses them ("verifier bug").
 */
#include "headers.h"

enum { CELLS = 32, HOW_SUM, HOW_GREATEST, HOW_SPREAD };

const volatile __u32 how = HOW_SUM;

struct cell {
  __u32 values[4];
};

struct result {
  __u64 value, cells;
};

MAP(ARRAY, cells, __u32, struct cell, CELLS);
struct result last = {0, 0};

static long sum(void *map, __u32 *key, struct cell *cell, struct result *result) {
  for (int i = 0; i < 4; i++)
    result->value += cell->values[i];
  result->cells++;
  return 0;
}

static long greatest(void *map, __u32 *key, struct cell *cell, struct result *result) {
  if (cell->values[0] > result->value) result->value = cell->values[0];
  result->cells++;
  return 0;
}

static long spread(void *map, __u32 *key, struct cell *cell, struct result *result) {
  __u32 least = cell->values[0], most = least;
  for (int i = 1; i < 4; i++) {
    if (cell->values[i] < least) least = cell->values[i];
    if (cell->values[i] > most) most = cell->values[i];
  }
  result->value += most - least;
  result->cells++;
  return *key >= 15;
}

SEC("xdp")
int chosen_callback(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  if (!open_udp(&c)) return XDP_PASS;
  struct result result = {0, 0};
  if (how == HOW_GREATEST)
    bpf_for_each_map_elem(&cells, greatest, &result, 0);
  else if (how == HOW_SPREAD)
    bpf_for_each_map_elem(&cells, spread, &result, 0);
  else
    bpf_for_each_map_elem(&cells, sum, &result, 0);
  last = result;
  return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
