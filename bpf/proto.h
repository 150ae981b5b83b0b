/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helper prototypes: for each helper id (Linux's numbers) its name, what each argument must be, what it gives and what it
 * changes. Run-time checks judge arguments from this table, the linker refuses what is not in it, the proof reasons from it.
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
  BPF_HELPER_GET_SMP_PROCESSOR_ID = 8,
  BPF_HELPER_SKB_STORE_BYTES = 9,
  BPF_HELPER_L3_CSUM_REPLACE = 10,
  BPF_HELPER_L4_CSUM_REPLACE = 11,
  BPF_HELPER_TAIL_CALL = 12,
  BPF_HELPER_CLONE_REDIRECT = 13,
  BPF_HELPER_SKB_VLAN_PUSH = 18,
  BPF_HELPER_SKB_VLAN_POP = 19,
  BPF_HELPER_REDIRECT = 23,
  BPF_HELPER_PERF_EVENT_OUTPUT = 25,
  BPF_HELPER_SKB_LOAD_BYTES = 26,
  BPF_HELPER_CSUM_DIFF = 28,
  BPF_HELPER_GET_HASH_RECALC = 34,
  BPF_HELPER_SKB_CHANGE_TAIL = 38,
  BPF_HELPER_SKB_PULL_DATA = 39,
  BPF_HELPER_SET_HASH_INVALID = 41,
  BPF_HELPER_GET_NUMA_NODE_ID = 42,
  BPF_HELPER_SKB_CHANGE_HEAD = 43,
  BPF_HELPER_XDP_ADJUST_HEAD = 44,
  BPF_HELPER_SET_HASH = 48,
  BPF_HELPER_REDIRECT_MAP = 51,
  BPF_HELPER_XDP_ADJUST_META = 54,
  BPF_HELPER_XDP_ADJUST_TAIL = 65,
  BPF_HELPER_FIB_LOOKUP = 69,
  BPF_HELPER_MAP_PUSH_ELEM = 87,
  BPF_HELPER_MAP_POP_ELEM = 88,
  BPF_HELPER_MAP_PEEK_ELEM = 89,
  BPF_HELPER_SPIN_LOCK = 93,
  BPF_HELPER_SPIN_UNLOCK = 94,
  BPF_HELPER_STRTOL = 105,
  BPF_HELPER_STRTOUL = 106,
  BPF_HELPER_JIFFIES64 = 118,
  BPF_HELPER_KTIME_GET_BOOT_NS = 125,
  BPF_HELPER_RINGBUF_OUTPUT = 130,
  BPF_HELPER_RINGBUF_RESERVE = 131,
  BPF_HELPER_RINGBUF_SUBMIT = 132,
  BPF_HELPER_RINGBUF_DISCARD = 133,
  BPF_HELPER_RINGBUF_QUERY = 134,
  BPF_HELPER_KTIME_GET_COARSE_NS = 160,
  BPF_HELPER_CHECK_MTU = 163,
  BPF_HELPER_FOR_EACH_MAP_ELEM = 164,
  BPF_HELPER_SNPRINTF = 165,
  BPF_HELPER_TIMER_INIT = 169,
  BPF_HELPER_TIMER_SET_CALLBACK = 170,
  BPF_HELPER_TIMER_START = 171,
  BPF_HELPER_TIMER_CANCEL = 172,
  BPF_HELPER_TRACE_VPRINTK = 177,
  BPF_HELPER_LOOP = 181,
  BPF_HELPER_STRNCMP = 182,
  BPF_HELPER_XDP_GET_BUFF_LEN = 188,
  BPF_HELPER_XDP_LOAD_BYTES = 189,
  BPF_HELPER_XDP_STORE_BYTES = 190,
  BPF_HELPER_MAP_LOOKUP_PERCPU_ELEM = 195,
  BPF_HELPER_KTIME_GET_TAI_NS = 208,
};

/* "Readable" and "writable" memory is packet, metadata, stack, map value or ring buffer record, all in one object. */
enum bpf_arg {
  BPF_ARG_NONE,
  BPF_ARG_ANY,                /* a number */
  BPF_ARG_CONTEXT,            /* the program's context */
  BPF_ARG_MAP,                /* a map of this program, of one of the prototype's map types */
  BPF_ARG_MAP_KEY,            /* readable, key_size of the map argument */
  BPF_ARG_MAP_VALUE,          /* readable, value_size of the map argument */
  BPF_ARG_MAP_VALUE_OUT,      /* writable, value_size of the map argument; written whatever the result */
  BPF_ARG_MEMORY,             /* readable, as long as the next argument says */
  BPF_ARG_MEMORY_OR_NULL,     /* the same, or 0 if the next argument is 0 */
  BPF_ARG_MEMORY_OUT,         /* writable, as long as the next argument says; need not be initialised, is written */
  BPF_ARG_MEMORY_OUT_OR_NULL, /* the same, or 0 if the next argument is 0 */
  BPF_ARG_MEMORY_INOUT,       /* readable and writable, as long as the next argument says */
  BPF_ARG_FIXED,              /* readable and writable, fixed_size of the prototype */
  BPF_ARG_FIXED_OUT,          /* writable, fixed_size of the prototype, aligned to it */
  BPF_ARG_SIZE,               /* bytes of the argument before; not 0 */
  BPF_ARG_SIZE_OR_ZERO,       /* the same, or 0 */
  BPF_ARG_CONST_SIZE,         /* a size that a proof must know; of the record that is given */
  BPF_ARG_STRING,             /* readable and constant (in a read-only map), NUL-terminated */
  BPF_ARG_FUNCTION,           /* value of a function of the program (BPF_PSEUDO_FUNC) */
  BPF_ARG_STACK_OR_NULL,      /* an address in the stack, or 0: handed to the callback */
  BPF_ARG_SPIN_LOCK,          /* address of the struct bpf_spin_lock in a map value */
  BPF_ARG_TIMER,              /* address of the struct bpf_timer in a map value */
  BPF_ARG_RECORD,             /* address of a reserved ring buffer record; lapses with the call */
};

enum bpf_return {
  BPF_RETURN_NUMBER,
  BPF_RETURN_VOID,           /* r0 is 0 */
  BPF_RETURN_VALUE_OR_NULL,  /* a value of the map argument; of a map of maps, the handle of an inner map */
  BPF_RETURN_RECORD_OR_NULL, /* memory as long as the BPF_ARG_CONST_SIZE argument */
};

enum { BPF_FOR_XDP = 1 << 0, BPF_FOR_TC = 1 << 1, BPF_FOR_ALL = BPF_FOR_XDP | BPF_FOR_TC };

enum {
  BPF_EFFECT_PACKET = 1,   /* may move or resize the packet: pointers into it lapse */
  BPF_EFFECT_LOCKED = 2,   /* may be called while a spin lock is held */
  BPF_EFFECT_CALLBACK = 4, /* calls the function argument before it returns */
};

/* What the helper does with the map argument; must agree with the map's BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG. The
 * numbers are BPF_ACCESS_READ and BPF_ACCESS_WRITE. */
enum { BPF_MAP_READ = 1, BPF_MAP_WRITE = 2 };

struct bpf_proto {
  const char *name;   /* as in Linux, "bpf_map_lookup_elem"; NULL: not offered */
  uint8_t args[5];    /* enum bpf_arg */
  uint8_t result;     /* enum bpf_return */
  uint8_t programs;   /* BPF_FOR_ bits */
  uint8_t effects;    /* BPF_EFFECT_ bits */
  uint8_t map_use;    /* BPF_MAP_ bits */
  uint8_t fixed_size; /* bytes */
  uint64_t map_types; /* types of the map argument: bit 1 << type */
};

/* NULL when the helper is not offered. */
const struct bpf_proto *bpf_proto_find(uint32_t id);

#endif
