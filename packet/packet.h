/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets, batches and the pool they come from. A packet is one fixed-size buffer: this descriptor, headroom, frame data.
 * It has exactly one owner, who passes it on, or kills it. Arenas lie below 2 GiB, because struct xdp_md (Linux,
 * include/uapi/linux/bpf.h) carries packet addresses in 32 bits.
 */
#ifndef IMAGO_PACKET_PACKET_H
#define IMAGO_PACKET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"

enum {
  PACKET_BUFFER_SIZE = 2048,   /* descriptor, headroom and data together */
  PACKET_HEADROOM = 256,       /* XDP_PACKET_HEADROOM of Linux */
  PACKET_ANNOTATION_SIZE = 48, /* Click's Packet::anno_size */
  BATCH_MAX = 256,
};

/* Byte offsets of annotations, as in Click's packet_anno.hh. */
enum packet_annotation {
  ANNOTATION_DST_IP = 0,
  ANNOTATION_PAINT = 16,
  ANNOTATION_VLAN_TCI = 20,
  ANNOTATION_AGGREGATE = 20,
  ANNOTATION_EXTRA_LENGTH = 28,
};

/* Click's Packet::PacketType. */
enum packet_type { PACKET_HOST, PACKET_BROADCAST, PACKET_MULTICAST, PACKET_OTHERHOST, PACKET_OUTGOING };

struct packet_pool;

/* Two cache lines; the first holds what every element touches. Invariant: buffer_start(p) <= data and
 * data + length <= buffer end. Header offsets are from the buffer's start (the descriptor's address), 0 if unset. */
struct packet {
  uint8_t *data;
  uint32_t length;           /* bytes of frame data at data */
  uint16_t mac_header;       /* offset of the link-layer header, 0: unset */
  uint16_t network_header;   /* 0: unset */
  uint16_t transport_header; /* 0: unset */
  uint8_t type;              /* enum packet_type */
  uint8_t nic;               /* index of the NIC that received it */
  uint32_t reserved;
  uint64_t timestamp;       /* nanoseconds since the epoch of the platform's wall clock; 0: unset */
  struct packet_pool *pool; /* where packet_kill returns it */
  uint8_t annotation[PACKET_ANNOTATION_SIZE] __attribute__((aligned(16)));
  struct packet *next_returned; /* while it is on its way home: packet_pool.returned */
  uint64_t pad[1];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct packet) == 128, "two cache lines");

enum { PACKET_DATA_CAPACITY = PACKET_BUFFER_SIZE - (int)sizeof(struct packet) - PACKET_HEADROOM };

/* A batch: packets in arrival order. Owned by whoever holds the packets; functions that take a batch take the packets in it
 * and leave count meaningless unless they say otherwise. */
struct batch {
  uint32_t count;
  struct packet *packet[BATCH_MAX];
};

/* A pool belongs to one worker, and nothing here locks. A packet that another worker kills goes onto a stack of its pool without
 * lock, which the owner empties (packet_pool_collect). The free list is an array, which begins as zeros, so that making a pool touches no
 * page of it, nor a buffer. */
struct packet_pool {
  uint8_t *arena;    /* buffers lie in it a little more than PACKET_BUFFER_SIZE apart (packet/pool.c says why) */
  uint32_t capacity; /* buffers in the arena */
  uint32_t free_count;
  uint64_t failed;      /* allocations refused because the pool was empty */
  struct packet **free; /* stack of free_count free buffers; NULL: never used (packet/pool.c) */
  struct packet *returned __attribute__((aligned(64))); /* pushed by other workers */
};

/* The pool of the worker that runs in this thread: what it makes comes from there, whichever pool is named. NULL: there is one worker
 * only, and every pool is its own. */
extern _Thread_local struct packet_pool *packet_pool_own;

/* Makes a pool of `count` buffers (1 to 1,048,576) from low memory. 0 or -ERROR_NO_MEMORY. */
int packet_pool_init(struct packet_pool *pool, uint32_t count) __attribute__((warn_unused_result));
/* Frees the arena. All packets must be back. */
void packet_pool_destroy(struct packet_pool *pool);

/* Takes back what other workers killed. Owner only, between two rounds. */
void packet_pool_collect(struct packet_pool *pool);

/* A packet with PACKET_HEADROOM in front, length 0, annotations and headers cleared; or NULL, counted in pool->failed. */
struct packet *packet_new(struct packet_pool *pool);
/* As packet_new with a copy of length bytes. NULL also when length > PACKET_DATA_CAPACITY. */
struct packet *packet_new_from(struct packet_pool *pool, const void *data, size_t length);
/* A packet of its own with the same data and annotations, from the pool of p. NULL when that is empty. */
struct packet *packet_clone(const struct packet *p);
/* Gives the buffer back. Counting the drop is the caller's business (click/element.h: element_drop). */
void packet_kill(struct packet *p);
void batch_kill(struct batch *batch);

static inline uint8_t *packet_buffer_start(struct packet *p) { return (uint8_t *)p + sizeof *p; }
static inline uint8_t *packet_buffer_end(struct packet *p) { return (uint8_t *)p + PACKET_BUFFER_SIZE; }
static inline uint32_t packet_headroom(struct packet *p) { return (uint32_t)(p->data - packet_buffer_start(p)); }
static inline uint32_t packet_tailroom(struct packet *p) {
  return (uint32_t)(packet_buffer_end(p) - (p->data + p->length));
}

static inline uint8_t annotation_u8(const struct packet *p, unsigned offset) { return p->annotation[offset]; }
static inline void annotation_set_u8(struct packet *p, unsigned offset, uint8_t v) { p->annotation[offset] = v; }
static inline uint32_t annotation_u32(const struct packet *p, unsigned offset) {
  return load_le32(p->annotation + offset);
}
static inline void annotation_set_u32(struct packet *p, unsigned offset, uint32_t v) {
  store_le32(p->annotation + offset, v);
}

#endif
