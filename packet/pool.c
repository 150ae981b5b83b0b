/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pools of packet buffers, and the life of a packet: made, copied, killed.
 */
#include "lib/error.h"
#include "lib/memory.h"
#include "packet/packet.h"

enum { POOL_MAX = 1 << 20 };

/* From one buffer to the next: an odd number of cache lines. At a distance of 2048 bytes all descriptors would fall into two
 * of the 64 sets of the first-level cache; four elements that look at each packet of a batch of 256 took 13 to 24 ns a packet then,
 * and take 4 to 7 ns so. */
enum { BUFFER_DISTANCE = PACKET_BUFFER_SIZE + 64 };

static size_t arena_size(uint32_t count) { return (size_t)count * BUFFER_DISTANCE; }

int packet_pool_init(struct packet_pool *pool, uint32_t count) {
  *pool = (struct packet_pool){0};
  if (count == 0 || count > POOL_MAX) return -ERROR_INVALID;
  pool->free = memory_alloc(count * sizeof(struct packet *));
  pool->arena = memory_alloc_low(arena_size(count), _Alignof(struct packet));
  if (pool->free == NULL || pool->arena == NULL) {
    memory_free((void *)pool->free);
    memory_free_low(pool->arena, arena_size(count));
    *pool = (struct packet_pool){0};
    return -ERROR_NO_MEMORY;
  }
  pool->capacity = pool->free_count = count;
  return 0;
}

void packet_pool_destroy(struct packet_pool *pool) {
  memory_free((void *)pool->free);
  memory_free_low(pool->arena, arena_size(pool->capacity));
  *pool = (struct packet_pool){0};
}

_Thread_local struct packet_pool *packet_pool_own;

/* Member by member: of one assignment gcc makes `rep stos` over 128 bytes, which took about 10 ns a packet more. */
static void clear(struct packet *p, struct packet_pool *pool) {
  p->data = packet_buffer_start(p) + PACKET_HEADROOM;
  p->length = 0;
  p->mac_header = p->network_header = p->transport_header = 0;
  p->type = PACKET_HOST;
  p->nic = 0;
  p->reserved = 0;
  p->timestamp = 0;
  p->pool = pool;
  __builtin_memset(p->annotation, 0, sizeof p->annotation);
}

/* The buffer that lies at `index` of the stack from the start. The lowest address is on top: a system that never holds many packets touches
 * few pages. */
static struct packet *unused(const struct packet_pool *pool, uint32_t index) {
  return (struct packet *)(void *)(pool->arena + arena_size(pool->capacity - 1 - index));
}

struct packet *packet_new(struct packet_pool *pool) {
  if (packet_pool_own != NULL) pool = packet_pool_own;
  if (__builtin_expect(pool->free_count == 0, 0)) {
    pool->failed++;
    return NULL;
  }
  struct packet *p = pool->free[--pool->free_count];
  if (__builtin_expect(p == NULL, 0)) p = unused(pool, pool->free_count);
  clear(p, pool);
  return p;
}

struct packet *packet_new_from(struct packet_pool *pool, const void *data, size_t length) {
  if (length > PACKET_DATA_CAPACITY) return NULL;
  struct packet *p = packet_new(pool);
  if (p == NULL) return NULL;
  if (length > 0) memcpy(p->data, data, length);
  p->length = (uint32_t)length;
  return p;
}

struct packet *packet_clone(const struct packet *p) {
  struct packet *copy = packet_new(p->pool);
  if (copy == NULL) return NULL;
  /* Same place in the buffer, so that the header offsets hold and the headroom is the same. */
  size_t offset = (size_t)(p->data - (const uint8_t *)p);
  struct packet_pool *pool = copy->pool; /* not that of p, when another worker made p */
  *copy = *p;
  copy->pool = pool;
  copy->data = (uint8_t *)copy + offset;
  memcpy(copy->data, p->data, p->length);
  return copy;
}

/* Packets first .. last, linked by next_returned, to the pool of another worker. */
static void return_home(struct packet_pool *pool, struct packet *first, struct packet *last) {
  struct packet *top = __atomic_load_n(&pool->returned, __ATOMIC_RELAXED);
  do {
    last->next_returned = top;
  } while (!__atomic_compare_exchange_n(&pool->returned, &top, first, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static bool is_foreign(const struct packet *p) { return packet_pool_own != NULL && p->pool != packet_pool_own; }

static void kill_own(struct packet *p) {
  struct packet_pool *pool = p->pool;
  /* More packets back than there are: one was killed twice. A fault here names the element; a free list past its end would
   * not. */
  if (__builtin_expect(pool->free_count == pool->capacity, 0)) __builtin_trap();
  pool->free[pool->free_count++] = p;
}

void packet_kill(struct packet *p) {
  if (__builtin_expect(is_foreign(p), 0)) {
    return_home(p->pool, p, p);
  } else {
    kill_own(p);
  }
}

/* Neighbours from one pool go home together: one exchange for a batch instead of one for each packet. */
void batch_kill(struct batch *batch) {
  for (uint32_t i = 0; i < batch->count;) {
    struct packet *first = batch->packet[i++], *last = first;
    if (!is_foreign(first)) {
      kill_own(first);
      continue;
    }
    for (; i < batch->count && batch->packet[i]->pool == first->pool; i++) {
      last->next_returned = batch->packet[i];
      last = batch->packet[i];
    }
    return_home(first->pool, first, last);
  }
  batch->count = 0;
}

void packet_pool_collect(struct packet_pool *pool) {
  if (__atomic_load_n(&pool->returned, __ATOMIC_RELAXED) == NULL) return;
  struct packet *p = __atomic_exchange_n(&pool->returned, NULL, __ATOMIC_ACQUIRE);
  while (p != NULL) {
    struct packet *next = p->next_returned;
    kill_own(p);
    p = next;
  }
}
