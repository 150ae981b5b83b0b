/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helper prototypes: for each helper id (Linux's numbers) its name and what each argument must be. The interpreter checks
 * arguments from this table, the linker refuses what is not in it, the proof (later) reasons from it.
 */
#ifndef IMAGO_BPF_PROTO_H
#define IMAGO_BPF_PROTO_H

#include <stdint.h>

enum bpf_helper {
  BPF_HELPER_MAP_LOOKUP_ELEM = 1,
  BPF_HELPER_MAP_UPDATE_ELEM = 2,
  BPF_HELPER_MAP_DELETE_ELEM = 3,
  BPF_HELPER_KTIME_GET_NS = 5,
  BPF_HELPER_TRACE_PRINTK = 6,
  BPF_HELPER_GET_PRANDOM_U32 = 7,
};

enum bpf_arg {
  BPF_ARG_NONE,
  BPF_ARG_ANY,       /* a number */
  BPF_ARG_MAP,       /* a map of this program */
  BPF_ARG_MAP_KEY,   /* readable, key_size of the map argument */
  BPF_ARG_MAP_VALUE, /* readable, value_size of the map argument */
  BPF_ARG_MEMORY,    /* readable, as long as the next argument says */
  BPF_ARG_SIZE,
};

struct bpf_proto {
  uint32_t id;
  const char *name; /* as in Linux, "bpf_map_lookup_elem" */
  uint8_t args[5];  /* enum bpf_arg */
};

/* NULL when the helper is not offered. */
const struct bpf_proto *bpf_proto_find(uint32_t id);

#endif
