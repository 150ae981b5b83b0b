/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "memory:NAME": a cable inside the process. Two NICs of one name are its ends; one alone gets back what it sends. For
 * measurements and trials without devices. Frames lie in rings of the cable's own, so that none keeps a packet buffer; a full ring
 * makes transmit take less. An end that nobody receives from drops what comes, as a cable without a peer.
 */
#include <string.h>

#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"

enum { RING = 256, FRAME_SIZE = PACKET_BUFFER_SIZE };

struct frame {
  uint32_t length;
  uint8_t bytes[FRAME_SIZE - sizeof(uint32_t)];
};

/* One writer and one reader, on any two workers: taken <= put <= taken + RING, and frame n is in slot n % RING. */
struct ring {
  uint32_t put __attribute__((aligned(64)));   /* the writer's */
  uint32_t taken __attribute__((aligned(64))); /* the reader's */
  struct frame slot[RING];
};

struct cable {
  struct list link;
  char *name;
  struct nic_memory *end[2]; /* NULL: not there */
  struct ring to[2];         /* what goes to each */
};

struct nic_memory {
  struct process_nic base;
  struct cable *cable;
  unsigned side;
  bool asleep; /* between arm and disarm: whoever has something for it wakes its worker */
};

/* Worker 0's, as all opening and closing. */
static struct list cables = {&cables, &cables};

static struct nic_memory *peer_of(const struct nic_memory *n) {
  struct nic_memory *other = n->cable->end[1 - n->side];
  return other != NULL ? other : n->cable->end[n->side];
}

/* The index is written before `asleep` is read, and the sleeper does it the other way round (arm), so that one sees the other. */
static void publish(uint32_t *index, uint32_t value, const struct nic_memory *other) {
  __atomic_store_n(index, value, __ATOMIC_SEQ_CST);
  if (!__atomic_load_n(&other->asleep, __ATOMIC_SEQ_CST)) return;
  unsigned worker = __atomic_load_n(&other->base.nic.worker, __ATOMIC_RELAXED);
  if (worker != NIC_UNUSED) platform_wake(worker);
}

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_memory *n = (struct nic_memory *)nic;
  struct ring *ring = &n->cable->to[n->side];
  uint32_t put = __atomic_load_n(&ring->put, __ATOMIC_ACQUIRE), taken = ring->taken;
  uint64_t count = 0, bytes = 0, too_long = 0;
  if (put == taken) return 0;
  while (taken != put && count < max && nic->pool->free_count > 0) {
    const struct frame *frame = &ring->slot[taken % RING];
    struct packet *p = packet_new_from(nic->pool, frame->bytes, frame->length);
    if (p == NULL && frame->length <= PACKET_DATA_CAPACITY) break; /* no buffer: it stays */
    taken++;
    if (p == NULL) {
      too_long++;
      continue;
    }
    bytes += p->length;
    batch->packet[batch->count++] = p;
    count++;
  }
  publish(&ring->taken, taken, peer_of(n));
  if (too_long > 0) counter_add(&nic->stats.rx_too_long, too_long);
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return (unsigned)count;
}

static unsigned room_in(const struct ring *ring) {
  return RING - (__atomic_load_n(&ring->put, __ATOMIC_RELAXED) - __atomic_load_n(&ring->taken, __ATOMIC_SEQ_CST));
}

static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct nic_memory *n = (struct nic_memory *)nic, *peer = peer_of(n);
  struct ring *ring = &n->cable->to[peer->side];
  bool heard = __atomic_load_n(&peer->base.nic.receives, __ATOMIC_RELAXED);
  unsigned room = heard ? room_in(ring) : count, done = count < room ? count : room;
  uint64_t bytes = 0;
  for (unsigned i = 0; i < done; i++) {
    const struct packet *p = packets[i];
    if (!heard) {
      nic_refuse(nic, packets[i]);
      continue;
    }
    struct frame *frame = &ring->slot[(ring->put + i) % RING];
    frame->length = p->length;
    memcpy(frame->bytes, p->data, p->length);
    bytes += p->length;
    packet_kill(packets[i]);
  }
  if (heard && done > 0) publish(&ring->put, ring->put + done, peer);
  if (done < count) counter_add(&nic->stats.tx_full, 1);
  counter_add(heard ? &nic->stats.tx_packets : &nic->stats.tx_error, done);
  counter_add(&nic->stats.tx_bytes, bytes);
  return done;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) {
  struct nic_memory *n = (struct nic_memory *)nic, *peer = peer_of(n);
  bool heard = __atomic_load_n(&peer->base.nic.receives, __ATOMIC_RELAXED);
  return heard ? room_in(&n->cable->to[peer->side]) : BATCH_MAX;
}

static bool is_empty(struct nic *nic) {
  const struct nic_memory *n = (const struct nic_memory *)nic;
  const struct ring *ring = &n->cable->to[n->side];
  return __atomic_load_n(&ring->put, __ATOMIC_SEQ_CST) == __atomic_load_n(&ring->taken, __ATOMIC_RELAXED);
}

static bool arm(struct nic *nic, unsigned queue) {
  __atomic_store_n(&((struct nic_memory *)nic)->asleep, true, __ATOMIC_SEQ_CST);
  return (nic->receives && !is_empty(nic)) || (nic->tx_waiting && transmit_room(nic, queue) > 0);
}

static void disarm(struct nic *nic, unsigned queue) {
  __atomic_store_n(&((struct nic_memory *)nic)->asleep, false, __ATOMIC_SEQ_CST);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .finished = is_empty};

static void close_memory(struct process_nic *nic) {
  struct nic_memory *n = (struct nic_memory *)nic;
  struct cable *cable = n->cable;
  cable->end[n->side] = NULL;
  memory_free(n);
  if (cable->end[0] != NULL || cable->end[1] != NULL) return;
  list_remove(&cable->link);
  memory_free(cable->name);
  memory_free(cable);
}

static struct cable *find_cable(const char *name) {
  for (struct list *at = cables.next; at != &cables; at = at->next) {
    struct cable *cable = CONTAINER_OF(at, struct cable, link);
    if (strcmp(cable->name, name) == 0) return cable;
  }
  struct cable *cable = memory_alloc_aligned(sizeof *cable, 64);
  char *copy = memory_copy_string(name, strlen(name));
  if (cable == NULL || copy == NULL) {
    memory_free(cable);
    memory_free(copy);
    return NULL;
  }
  cable->name = copy;
  list_append(&cables, &cable->link);
  return cable;
}

struct process_nic *nic_memory_open(const char *name, struct report *report) {
  struct cable *cable = name[0] != '\0' ? find_cable(name) : NULL;
  if (name[0] == '\0') {
    report_error(report, ERROR_INVALID, "NIC 'memory:': expected a name behind it, for both ends");
    return NULL;
  }
  struct nic_memory *n = memory_alloc(sizeof *n);
  if (cable == NULL || n == NULL) {
    memory_free(n);
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  if (cable->end[0] != NULL && cable->end[1] != NULL) {
    memory_free(n);
    report_error(report, ERROR_EXISTS, "NIC 'memory:%s': has both its ends already", name);
    return NULL;
  }
  *n = (struct nic_memory){.base = {.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_memory}, .cable = cable};
  n->side = cable->end[0] != NULL ? 1 : 0;
  cable->end[n->side] = n;
  return &n->base;
}
