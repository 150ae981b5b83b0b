/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The heap of the image, run on the host: its functions renamed, over a platform that hands out a mapped arena. After every
 * step the whole heap is walked and its invariants are checked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#define memory_alloc heap_alloc
#define memory_alloc_aligned heap_alloc_aligned
#define memory_resize heap_resize
#define memory_free heap_free
#define memory_copy_string heap_copy_string
#define memory_alloc_low heap_alloc_low
#define memory_free_low heap_free_low
#define platform_memory_grow fake_memory_grow
#define platform_panic fake_panic
#include "kernel/heap.c"

/* --- the platform --- */

enum { GROWTH = 2 << 20 /* what is handed over is a multiple of this */, ARENA_SIZE = 16 << 20, REGION_MAX = 16 };

static struct {
  void *mapped;
  uint8_t *arena;
  size_t used;
  size_t limit;
  size_t hole; /* bytes left out behind a region */
  struct block *regions[REGION_MAX];
  unsigned region_count;
  jmp_buf *on_panic;
  char why[200];
} platform;

void *fake_memory_grow(size_t least, size_t *length) {
  assert_true(least > 0);
  *length = align_up(least, GROWTH);
  if (*length > platform.limit - platform.used) return NULL;
  void *region = platform.arena + platform.used;
  size_t next = platform.used + *length + platform.hole;
  platform.used = next < platform.limit ? next : platform.limit;
  if ((uintptr_t)region != (uintptr_t)heap.end + sizeof *heap.end) platform.regions[platform.region_count++] = region;
  return region;
}

void fake_panic(const char *why) {
  if (platform.on_panic == NULL) fail_msg("panic: %s", why);
  format_text(platform.why, sizeof platform.why, "%s", why);
  longjmp(*platform.on_panic, 1);
}

static void expect_panic(void (*action)(void *), void *argument, const char *pattern) {
  jmp_buf here;
  platform.why[0] = '\0';
  platform.on_panic = &here;
  if (setjmp(here) == 0) action(argument);
  platform.on_panic = NULL;
  if (!glob_match(pattern, platform.why)) fail_msg("panic is \"%s\", not %s", platform.why, pattern);
}

/* flags: MAP_32BIT for an arena below 2 GiB. */
static void start_platform(int flags, size_t limit, size_t hole) {
  heap = (struct heap){0};
  platform.mapped = mmap(NULL, ARENA_SIZE + GROWTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  assert_ptr_not_equal(platform.mapped, MAP_FAILED);
  platform.arena = (uint8_t *)align_up((uintptr_t)platform.mapped, GROWTH);
  platform.used = 0;
  platform.limit = limit;
  platform.hole = hole;
  platform.region_count = 0;
}

static int setup(void **state) {
  start_platform(MAP_32BIT, ARENA_SIZE, 0);
  return 0;
}

static int teardown(void **state) {
  munmap(platform.mapped, ARENA_SIZE + GROWTH);
  return 0;
}

/* --- invariants --- */

static bool in_its_bin(struct block *b) {
  unsigned bin = bin_of(b->units);
  if (!(heap.occupied[bin / 64] >> bin % 64 & 1)) return false;
  for (struct list *l = heap.bins[bin].next; l != &heap.bins[bin]; l = l->next) {
    if (l == links(b)) return true;
  }
  return false;
}

static bool all_zero(const uint8_t *bytes, size_t length) {
  return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Blocks tile each region, no two free ones touch, each free one is in its bin and zero behind its dirty units. Returns how
 * many free blocks there are. `deep` also reads the zeros. */
static unsigned check_heap(bool deep) {
  unsigned free_blocks = 0, listed = 0;
  for (unsigned i = 0; i < platform.region_count; i++) {
    bool front_free = false;
    uint32_t previous = 0;
    for (struct block *b = platform.regions[i];; b += b->units) {
      checked(b);
      assert_int_equal(b->previous, previous);
      if (b->state == BLOCK_END) break;
      assert_true(b->units >= MIN_UNITS);
      if (is_free(b)) {
        free_blocks++;
        assert_false(front_free);
        assert_true(in_its_bin(b));
        assert_true(b->state >= 1 && b->state < b->units);
        if (deep) assert_true(all_zero((uint8_t *)(b + 1 + b->state), (size_t)(b->units - 1 - b->state) * UNIT));
      }
      front_free = is_free(b);
      previous = b->units;
    }
  }
  for (unsigned bin = 0; bin < BIN_COUNT; bin++) {
    if (!(heap.occupied[bin / 64] >> bin % 64 & 1)) continue;
    for (struct list *l = heap.bins[bin].next; l != &heap.bins[bin]; l = l->next)
      listed++;
  }
  assert_int_equal(listed, free_blocks);
  return free_blocks;
}

/* --- tests --- */

/* The bin of a size never lies above the bin of a larger one, and a block of any higher bin is large enough. */
static void bins_are_ordered(void **state) {
  unsigned last = bin_of(MIN_UNITS);
  for (uint32_t units = MIN_UNITS; units < 100000; units++) {
    assert_true(bin_of(units) == last || bin_of(units) == last + 1);
    last = bin_of(units);
  }
  assert_int_equal(bin_of(UINT32_MAX), BIN_COUNT - 1);
}

/* Freeing a block twice panics and says so, whether it stands alone, or has been merged in front or behind. */
static void second_free_panics(void **state) {
  void *a = heap_alloc(100), *b = heap_alloc(100), *c = heap_alloc(100), *d = heap_alloc(100);
  heap_free(b);
  expect_panic(heap_free, b, "heap: block at 0x*: freed twice");
  heap.locked = false;
  heap_free(c); /* merged into b */
  expect_panic(heap_free, c, "*freed twice*");
  heap.locked = false;
  heap_free(a); /* takes b and c in */
  expect_panic(heap_free, b, "*freed twice*");
  heap.locked = false;
  heap_free(d);
  assert_int_equal(check_heap(true), 1);
}

static void resize_a_little(void *block) { (void)!heap_resize(block, 10); }

/* What was never allocated can be neither freed nor resized. */
static void wild_pointer_panics(void **state) {
  char *a = heap_alloc(100);
  expect_panic(heap_free, a + 8, "*no allocation starts there");
  heap.locked = false;
  expect_panic(heap_free, a + 32, "*never allocated");
  heap.locked = false;
  expect_panic(resize_a_little, a + 32, "*never allocated");
}

/* One byte written past the end of a full block is found when that block or the next is freed. */
static void overrun_panics(void **state) {
  char *a = heap_alloc(48), *b = heap_alloc(48);
  char saved = a[48];
  a[48] ^= 1;
  expect_panic(heap_free, b, "*written past the block in front of it*");
  heap.locked = false;
  expect_panic(heap_free, a, "*written past the block in front of it*");
  heap.locked = false;
  a[48] = saved;
  heap_free(a);
  heap_free(b);
}

static void alloc_hundred(void *unused) { (void)!heap_alloc(100); }

/* A write through a stale pointer is found when the block is handed out again. */
static void write_after_free_panics(void **state) {
  char *a = heap_alloc(100);
  assert_non_null(heap_alloc(16)); /* keeps a from merging */
  heap_free(a);
  a[0] ^= UNIT; /* a link that points to another block */
  expect_panic(alloc_hundred, NULL, "*written after it was freed");
}

/* Freed memory reads 0xdb, behind the links that the heap keeps in it. */
static void freed_memory_is_junk(void **state) {
  uint8_t *a = heap_alloc(200);
  void *keep = heap_alloc(16);
  heap_free(a);
  for (unsigned i = UNIT; i < 200; i++)
    assert_int_equal(a[i], JUNK);
  heap_free(keep);
}

/* Sizes that cannot be had give NULL, and the heap works on. */
static void impossible_sizes_give_null(void **state) {
  static const size_t sizes[] = {
      0, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, ((size_t)1 << 35) + 1, (size_t)1 << 35, ARENA_SIZE};
  void *block = heap_alloc(100);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    assert_null(heap_alloc(sizes[i]));
    assert_null(heap_alloc_aligned(sizes[i], 4096));
    assert_null(heap_alloc_low(sizes[i], 4096));
    assert_null(heap_resize(block, sizes[i]));
  }
  assert_null(heap_alloc_aligned(16, 2 * ALIGNMENT_MAX));
  heap_free(NULL);
  heap_free(block);
  assert_int_equal(check_heap(true), 1);
}

/* With memory out, NULL leaves everything as it was, and freeing makes room again. */
static void memory_runs_out(void **state) {
  platform.limit = 2 * GROWTH;
  void *blocks[64];
  unsigned count = 0;
  while (count < 64 && (blocks[count] = heap_alloc(100000)) != NULL)
    count++;
  assert_in_range(count, 40, 41); /* 4 MiB / 100,000 less headers */
  memset(blocks[7], 0x17, 100000);
  assert_null(heap_resize(blocks[7], 300000));
  assert_int_equal(((uint8_t *)blocks[7])[99999], 0x17);
  check_heap(true);
  heap_free(blocks[3]);
  heap_free(blocks[4]);
  void *fits = heap_alloc(200000); /* needs both, joined */
  assert_non_null(fits);
  blocks[3] = fits;
  blocks[4] = NULL;
  for (unsigned i = 0; i < count; i++)
    heap_free(blocks[i]);
  assert_int_equal(check_heap(true), 1);
}

/* Memory is zero when handed out, also where it was used before and where old and fresh memory have merged. */
static void allocated_memory_is_zero(void **state) {
  for (unsigned round = 0; round < 3; round++) {
    void *blocks[20];
    for (unsigned i = 0; i < 20; i++) {
      size_t size = 1 + i * i * 777;
      blocks[i] = heap_alloc(size);
      assert_true(all_zero(blocks[i], size));
      memset(blocks[i], 0xff, size);
    }
    for (unsigned i = 0; i < 20; i++)
      heap_free(blocks[(i * 7 + round) % 20]);
    assert_int_equal(check_heap(true), 1);
  }
  uint8_t *all = heap_alloc(3 << 20);
  assert_true(all_zero(all, 3 << 20));
}

/* Fresh memory is not written before it is used: the pages behind the blocks of a small system stay untouched. */
static void fresh_memory_stays_untouched(void **state) {
  void *a = heap_alloc(1000), *b = heap_alloc(1000);
  heap_free(a);
  heap_free(b);
  heap_free(heap_alloc_aligned(1000, 64));
  uint8_t *big = heap_alloc(3 << 20); /* makes the heap grow in the middle of it */
  assert_non_null(big);
  unsigned char resident[(3 << 20) / 4096];
  uint8_t *page = (uint8_t *)align_up((uintptr_t)big + 8192, 4096);
  size_t pages = ((3 << 20) - 16384) / 4096, touched = 0;
  assert_int_equal(mincore(page, pages * 4096, resident), 0);
  for (size_t i = 0; i < pages; i++)
    touched += resident[i] & 1;
  assert_in_range(touched, 0, 1); /* the header where the two parts met */
}

/* Every power of two up to 2 MiB is honoured, and what lies in front stays of use. */
static void alignment_holds(void **state) {
  void *keep[32];
  unsigned count = 0;
  for (size_t alignment = 1; alignment <= ALIGNMENT_MAX; alignment *= 2) {
    keep[count] = heap_alloc(24 * count + 8); /* shifts what comes next */
    count++;
    void *block = heap_alloc_aligned(5000, alignment);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % (alignment < UNIT ? UNIT : alignment), 0);
    assert_true(all_zero(block, 5000));
    memset(block, 0xff, 5000);
    check_heap(true);
    heap_free(block);
    check_heap(true);
  }
  while (count > 0)
    heap_free(keep[--count]);
  assert_int_equal(check_heap(true), 1);
}

/* Regions that lie apart are used side by side and never joined. */
static void regions_apart(void **state) {
  platform.hole = 4096; /* also: not aligned to 2 MiB is no matter to the heap */
  void *a = heap_alloc(GROWTH - 64), *b = heap_alloc(GROWTH - 64), *c = heap_alloc(GROWTH + 64);
  assert_true(a != NULL && b != NULL && c != NULL);
  assert_int_equal(platform.region_count, 3);
  heap_free(a);
  heap_free(c);
  heap_free(b);
  assert_int_equal(check_heap(true), 3);
}

/* Growth asks only for what is missing: 8 MiB suffice for one block of nearly 8 MiB behind small ones. */
static void growth_is_modest(void **state) {
  platform.limit = 8 << 20;
  assert_non_null(heap_alloc(1 << 20));
  assert_int_equal(platform.used, 2 << 20);
  assert_non_null(heap_alloc((7 << 20) - 64));
  assert_int_equal(platform.used, 8 << 20);
}

/* Low memory that lies at or above 2 GiB is not handed out. */
static void low_memory_is_low(void **state) {
  void *low = heap_alloc_low(100000, 64);
  assert_non_null(low);
  assert_true((uintptr_t)low + 100000 <= low_end);
  assert_int_equal((uintptr_t)low % 64, 0);
  heap_free_low(low, 100000);
  assert_int_equal(check_heap(true), 1);
  teardown(NULL);
  start_platform(0, ARENA_SIZE, 0); /* anywhere: on x86-64 Linux that is high */
  assert_null(heap_alloc_low(100000, 64));
  assert_int_equal(check_heap(true), 1);
}

/* A block shrinks and grows where it stands when there is room, and keeps its bytes wherever it goes. */
static void resize_keeps_contents(void **state) {
  uint8_t *a = heap_resize(NULL, 1000);
  assert_true(all_zero(a, 1000));
  for (unsigned i = 0; i < 1000; i++)
    a[i] = (uint8_t)i;
  assert_ptr_equal(heap_resize(a, 5000), a);
  assert_ptr_equal(heap_resize(a, 300), a);
  uint8_t *keep = heap_alloc(16);
  uint8_t *moved = heap_resize(a, 9000);
  assert_ptr_not_equal(moved, a);
  for (unsigned i = 0; i < 300; i++)
    assert_int_equal(moved[i], (uint8_t)i);
  check_heap(true);
  heap_free(moved);
  heap_free(keep);
  assert_int_equal(check_heap(true), 1);
}

static uint32_t random_below(uint64_t *seed, uint32_t limit) {
  *seed = *seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((*seed >> 33) % limit);
}

/* Any sequence of calls keeps the invariants, hands out disjoint memory, and keeps every byte that a model remembers. */
static void random_calls_agree_with_model(void **state) {
  enum { SLOTS = 200, STEPS = 20000 };
  static struct {
    uint8_t *data;
    size_t size;
    uint8_t fill;
  } model[SLOTS];
  memset(model, 0, sizeof model);
  uint64_t seed = 20260101;
  platform.limit = 8 << 20; /* runs out now and then */
  unsigned refused = 0;
  for (unsigned step = 0; step < STEPS; step++) {
    unsigned slot = random_below(&seed, SLOTS);
    size_t size = 1 + random_below(&seed, random_below(&seed, 4) == 0 ? 150000 : 500);
    uint8_t fill = (uint8_t)step;
    if (model[slot].data != NULL) {
      uint8_t *data = model[slot].data;
      assert_true(data[0] == model[slot].fill && memcmp(data, data + 1, model[slot].size - 1) == 0);
      if (random_below(&seed, 3) != 0) {
        heap_free(data);
        model[slot].data = NULL;
      } else {
        uint8_t *resized = heap_resize(data, size);
        size_t kept = resized != NULL && size < model[slot].size ? size : model[slot].size;
        if (resized != NULL) model[slot].data = data = resized;
        assert_true(data[0] == model[slot].fill && memcmp(data, data + 1, kept - 1) == 0);
        if (resized != NULL) {
          memset(data, fill, size);
          model[slot].size = size;
          model[slot].fill = fill;
        }
      }
    } else {
      size_t alignment = (size_t)1 << random_below(&seed, 14);
      uint8_t *data = random_below(&seed, 2) ? heap_alloc(size) : heap_alloc_aligned(size, alignment);
      if (data == NULL) {
        refused++;
        continue;
      }
      assert_true(all_zero(data, size));
      memset(data, fill, size);
      model[slot].data = data;
      model[slot].size = size;
      model[slot].fill = fill;
    }
    if (step % 16 == 0) check_heap(step % 1024 == 0);
  }
  assert_true(refused < STEPS / 10);
  for (unsigned slot = 0; slot < SLOTS; slot++)
    heap_free(model[slot].data);
  assert_int_equal(check_heap(true), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(bins_are_ordered),
      TEST(second_free_panics),
      TEST(wild_pointer_panics),
      TEST(overrun_panics),
      TEST(write_after_free_panics),
      TEST(freed_memory_is_junk),
      TEST(impossible_sizes_give_null),
      TEST(memory_runs_out),
      TEST(allocated_memory_is_zero),
      TEST(fresh_memory_stays_untouched),
      TEST(alignment_holds),
      TEST(regions_apart),
      TEST(growth_is_modest),
      TEST(low_memory_is_low),
      TEST(resize_keeps_contents),
      TEST(random_calls_agree_with_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
