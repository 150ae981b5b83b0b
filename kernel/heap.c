/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lib/memory.h in the image, on top of platform_memory_grow: a segregated good-fit allocator with boundary tags (Knuth,
 * The Art of Computer Programming, 2.5; bins as in TLSF, Masmano et al. 2004). Blocks tile each region without gaps, and no
 * two free blocks touch. Every header carries a check over its address and fields, so that an overrun or a second free
 * ends in a panic that names the block, not in a puzzle later. It finds mistakes; it is no defence against an attacker.
 */
#include "kernel/platform.h"
#include "lib/bytes.h"
#include "lib/list.h"
#include "lib/memory.h"
#include "lib/text.h"

enum {
  UNIT = 16,     /* bytes; sizes are counted in units */
  MIN_UNITS = 2, /* header, and payload for the links of a free block */
  ALIGNMENT_MAX = 2 << 20,
  BIN_COUNT = 31 * 4, /* four bins to each power of two, see bin_of */
  MAP_WORD_BITS = 64, /* bins to a word of the bin map */
  JUNK = 0xdb,        /* fills freed memory */
};
static const size_t max_size = (size_t)1 << 35;      /* of the heap, so that units fit in 32 bits */
static const uintptr_t low_end = (uintptr_t)1 << 31; /* of memory_alloc_low */

/* States beside "free"; both above any possible count of dirty units. */
#define BLOCK_USED UINT32_MAX
#define BLOCK_END (UINT32_MAX - 1) /* the header without payload that ends a region */

/* Header of a block; the payload follows. */
struct block {
  uint32_t check;    /* over the address and the other fields */
  uint32_t units;    /* of the whole block, header included */
  uint32_t previous; /* units of the block in front of it; 0: it is the first of its region */
  /* BLOCK_USED, BLOCK_END, or, of a free block, how many units of payload from its start may not be zero. Fresh memory
   * comes zeroed, and writing zeros over it would touch pages for nothing: most of what a system has at boot. */
  uint32_t state;
};
_Static_assert(sizeof(struct block) == UNIT && sizeof(struct list) == UNIT, "header and links take a unit each");

static struct heap {
  bool locked;
  size_t total;                                                       /* bytes the platform has handed over */
  struct block *end;                                                  /* end of the region that was added last */
  uint64_t occupied[(BIN_COUNT + MAP_WORD_BITS - 1) / MAP_WORD_BITS]; /* bit set: that bin is not empty */
  struct list bins[BIN_COUNT];                                        /* valid only when occupied */
} heap;

static void lock(void) {
  while (__atomic_exchange_n(&heap.locked, true, __ATOMIC_ACQUIRE))
    __builtin_ia32_pause();
}

static void unlock(void) { __atomic_store_n(&heap.locked, false, __ATOMIC_RELEASE); }

/* --- blocks --- */

static void *payload(struct block *b) { return b + 1; }
static struct list *links(struct block *b) { return payload(b); }
static bool is_free(const struct block *b) { return b->state < BLOCK_END; }

static uint32_t check_of(const struct block *b) {
  return (uint32_t)((uintptr_t)b / UNIT) * 0x9e3779b1 ^ b->units * 0x85ebca6b ^ b->previous * 0xc2b2ae35 ^ b->state;
}

static void seal(struct block *b) { b->check = check_of(b); }

static _Noreturn void panic(const void *memory, const char *what) {
  char message[160];
  format_text(message, sizeof message, "heap: block at %p: %s", memory, what);
  platform_panic(message);
}

static struct block *checked(struct block *b) {
  if (b->check != check_of(b)) {
    panic(payload(b), "header destroyed: written past the block in front of it, freed twice, or never allocated");
  }
  return b;
}

static struct block *next(struct block *b) { return checked(b + b->units); }

/* Gives b its size, up to a block that is there already. */
static void set_units(struct block *b, uint32_t units) {
  struct block *behind = checked(b + units);
  b->units = units;
  behind->previous = units;
  seal(b);
  seal(behind);
}

/* --- bins --- */

/* Units 2 and 3 have a bin each; above, each power of two is cut in four. */
static unsigned bin_of(uint32_t units) {
  if (units < 4) return units;
  unsigned power = 31 - (unsigned)__builtin_clz(units);
  return (power - 1) * 4 + (units >> (power - 2) & 3);
}

static void bin_insert(struct block *b) {
  unsigned bin = bin_of(b->units);
  uint64_t bit = (uint64_t)1 << bin % MAP_WORD_BITS;
  if (!(heap.occupied[bin / MAP_WORD_BITS] & bit)) list_init(&heap.bins[bin]);
  heap.occupied[bin / MAP_WORD_BITS] |= bit;
  list_insert_before(heap.bins[bin].next, links(b)); /* the youngest first: likely in the cache */
}

static void bin_remove(struct block *b) {
  unsigned bin = bin_of(b->units);
  struct list *l = links(b);
  if (l->next->previous != l || l->previous->next != l) panic(payload(b), "written after it was freed");
  list_remove(l);
  if (list_empty(&heap.bins[bin])) heap.occupied[bin / MAP_WORD_BITS] &= ~((uint64_t)1 << bin % MAP_WORD_BITS);
}

/* The first bin from `bin` on that is not empty, or BIN_COUNT. */
static unsigned bin_occupied(unsigned bin) {
  while (bin < BIN_COUNT) {
    uint64_t rest = heap.occupied[bin / MAP_WORD_BITS] >> bin % MAP_WORD_BITS;
    if (rest != 0) return bin + (unsigned)__builtin_ctzll(rest);
    bin = (bin / MAP_WORD_BITS + 1) * MAP_WORD_BITS;
  }
  return BIN_COUNT;
}

/* A free block of at least that many units, or NULL. In the bin of that size blocks are within a quarter of it, and one must
 * look; in any bin above all fit. */
static struct block *find(uint32_t units) {
  unsigned bin = bin_occupied(bin_of(units));
  if (bin == bin_of(units)) {
    for (struct list *l = heap.bins[bin].next; l != &heap.bins[bin]; l = l->next) {
      struct block *b = checked((struct block *)(void *)l - 1);
      if (b->units >= units) return b;
    }
    bin = bin_occupied(bin + 1);
  }
  return bin == BIN_COUNT ? NULL : checked((struct block *)(void *)heap.bins[bin].next - 1);
}

/* --- joining and splitting --- */

/* Makes one free block of b, which is in no bin, and its free neighbours. Of the payload of b the first `dirty` units may
 * not be zero. */
static void release(struct block *b, uint32_t dirty) {
  struct block *behind = next(b);
  if (is_free(behind)) {
    bin_remove(behind);
    dirty = b->units + behind->state;
    uint32_t units = b->units + behind->units;
    memset(behind, JUNK, sizeof *behind);
    set_units(b, units);
  }
  if (b->previous != 0) {
    struct block *front = checked(b - b->previous);
    if (is_free(front)) {
      bin_remove(front);
      uint32_t units = front->units + b->units;
      memset(b, dirty == 0 ? 0 : JUNK, sizeof *b); /* JUNK: so that a second free of b shows */
      dirty = dirty == 0 ? front->state : front->units + dirty;
      b = front;
      set_units(b, units);
    }
  }
  b->state = dirty > 1 ? dirty : 1; /* 1: the links */
  seal(b);
  bin_insert(b);
}

/* Cuts b, which is in no bin, to `units` and frees the rest if it is enough for a block. dirty as in release. */
static void cut(struct block *b, uint32_t units, uint32_t dirty) {
  uint32_t rest = b->units - units;
  if (rest < MIN_UNITS) return;
  struct block *tail = b + units;
  tail->state = BLOCK_USED;
  tail->previous = units;
  set_units(tail, rest);
  b->units = units;
  seal(b);
  release(tail, dirty > units ? dirty - units : 0);
}

/* Cuts off the front of b, so that the payload of what stays is aligned. */
static struct block *cut_front(struct block *b, size_t alignment, uint32_t *dirty) {
  uintptr_t start = (uintptr_t)payload(b);
  uintptr_t aligned = align_up(start, alignment < UNIT ? UNIT : alignment);
  if (aligned - start == UNIT) aligned += alignment; /* one unit is no block */
  uint32_t front = (uint32_t)((aligned - start) / UNIT);
  if (front == 0) return b;
  struct block *rest = b + front;
  uint32_t units = b->units - front;
  b->units = front;
  rest->previous = front;
  rest->state = BLOCK_USED;
  set_units(rest, units);
  release(b, *dirty < front - 1 ? *dirty : front - 1);
  *dirty = *dirty > front ? *dirty - front : 0;
  return rest;
}

/* --- growth --- */

/* Units that are free at the very end, where growth may continue. */
static uint32_t free_at_end(void) {
  if (heap.end == NULL) return 0;
  struct block *last = checked(heap.end - heap.end->previous);
  return is_free(last) ? last->units : 0;
}

/* Gets `units` more from the platform. */
static bool grow(size_t units) {
  size_t least = (units + 1) * UNIT, length; /* 1: the end of the region */
  if (least > max_size - heap.total) return false;
  struct block *region = platform_memory_grow(least, &length);
  if (region == NULL) return false;
  heap.total += length;
  uint32_t got = (uint32_t)(length / UNIT);
  struct block *b = region;
  if (heap.end != NULL && region == heap.end + 1) {
    b = checked(heap.end); /* continues the region: the old end becomes the header */
  } else {
    b->previous = 0;
    got--;
  }
  b->state = BLOCK_USED;
  heap.end = b + got;
  heap.end->state = BLOCK_END;
  heap.end->units = 1;
  seal(heap.end);
  set_units(b, got);
  release(b, 0);
  return true;
}

/* A used block, of whose payload the first *dirty units may not be zero; NULL when memory is out. */
static struct block *allocate(size_t size, size_t alignment, uint32_t *dirty) {
  if (size == 0 || size > max_size || alignment > ALIGNMENT_MAX) return NULL;
  uint32_t units = (uint32_t)(align_up(size, UNIT) / UNIT) + 1;
  uint32_t slack = alignment > UNIT ? (uint32_t)(alignment / UNIT) + 1 : 0;
  struct block *b = find(units + slack);
  if (b == NULL) {
    /* Only what is missing, if the platform continues where it ended; else the whole. */
    uint32_t end = free_at_end();
    if (!grow(end < units + slack ? units + slack - end : 0)) return NULL;
    b = find(units + slack);
    if (b == NULL && grow(units + slack)) b = find(units + slack);
    if (b == NULL) return NULL;
  }
  bin_remove(b);
  *dirty = b->state;
  b->state = BLOCK_USED;
  seal(b);
  b = cut_front(b, alignment, dirty);
  cut(b, units, *dirty);
  if (*dirty > b->units - 1) *dirty = b->units - 1;
  return b;
}

static struct block *used_block(void *memory) {
  if ((uintptr_t)memory % UNIT != 0) panic(memory, "freed or resized, but no allocation starts there");
  struct block *b = checked((struct block *)memory - 1);
  if (b->state != BLOCK_USED) panic(memory, "freed twice");
  return b;
}

/* --- lib/memory.h --- */

void *memory_alloc_aligned(size_t size, size_t alignment) {
  uint32_t dirty;
  lock();
  struct block *b = allocate(size, alignment, &dirty);
  unlock();
  if (b == NULL) return NULL;
  return memset(payload(b), 0, (size_t)dirty * UNIT);
}

void *memory_alloc(size_t size) { return memory_alloc_aligned(size, UNIT); }

static void free_block(struct block *b) {
  memset(payload(b), JUNK, (size_t)(b->units - 1) * UNIT);
  release(b, b->units - 1);
}

void memory_free(void *memory) {
  if (memory == NULL) return;
  lock();
  free_block(used_block(memory));
  unlock();
}

/* In place if the block behind leaves room. */
static bool resize_in_place(struct block *b, uint32_t units) {
  struct block *behind = next(b);
  if (units > b->units) {
    if (!is_free(behind) || units > b->units + behind->units) return false;
    bin_remove(behind);
    uint32_t dirty = b->units + behind->state;
    set_units(b, b->units + behind->units);
    cut(b, units, dirty);
  } else if (b->units - units >= MIN_UNITS) {
    memset(b + units, JUNK, (size_t)(b->units - units) * UNIT);
    cut(b, units, b->units - 1);
  }
  return true;
}

void *memory_resize(void *memory, size_t size) {
  if (memory == NULL) return memory_alloc(size);
  if (size == 0 || size > max_size) return NULL;
  void *result = memory;
  lock();
  struct block *b = used_block(memory);
  if (!resize_in_place(b, (uint32_t)(align_up(size, UNIT) / UNIT) + 1)) {
    uint32_t dirty;
    struct block *larger = allocate(size, UNIT, &dirty);
    result = larger == NULL ? NULL : memcpy(payload(larger), memory, (size_t)(b->units - 1) * UNIT);
    if (larger != NULL) free_block(b);
  }
  unlock();
  return result;
}

void *memory_alloc_low(size_t size, size_t alignment) {
  void *memory = memory_alloc_aligned(size, alignment);
  /* The platform hands over low memory first, so only a system whose low memory is full gets here. */
  if ((uintptr_t)memory + size > low_end) {
    memory_free(memory);
    return NULL;
  }
  return memory;
}

void memory_free_low(void *block, size_t size) { memory_free(block); }
