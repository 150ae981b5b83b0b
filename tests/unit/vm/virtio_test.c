/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtqueues against a device in memory: its registers are an array, and the test plays its side of the rings, honestly and not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "lib/memory.h"
#include "platform/vm/virtio.h"

/* --- what the rest of the platform gives --- */

uint64_t vm_register_accesses;
static unsigned routes, reports;
static jmp_buf panic;
static char panic_text[256];

void interrupt_route(unsigned irq) { routes += irq == 5; }
void serial_printf(const char *format, ...) { reports++; }
_Noreturn void vm_panic(const char *why) {
  (void)format_text(panic_text, sizeof panic_text, "%s", why);
  longjmp(panic, 1);
}

/* --- the device --- */

enum {
  MAGIC = 0x000 / 4,
  VERSION = 0x004 / 4,
  DEVICE_ID = 0x008 / 4,
  DEVICE_FEATURES = 0x010 / 4, /* an array cannot tell the halves apart: both read the same */
  DRIVER_FEATURES = 0x020 / 4,
  QUEUE_SIZE_MAX = 0x034 / 4,
  QUEUE_SIZE = 0x038 / 4,
  QUEUE_READY = 0x044 / 4,
  NOTIFY = 0x050 / 4,
  ACKNOWLEDGE = 0x064 / 4,
  STATUS = 0x070 / 4,
  DESCRIPTORS = 0x080 / 4,
};
enum { NOTHING = 0xffff, FAILED = 128 };
static const uint32_t with_events = 1u << VIRTIO_F_EVENT_IDX | 1; /* bit 0 of the upper half: VERSION_1 */
static const uint32_t without_events = 1;

struct fake {
  uint32_t registers[0x200 / 4];
  struct virtio_device device;
  struct virtqueue queue;
  uint16_t seen; /* of the available ring */
  uint16_t used;
};

static void fake_device(struct fake *f, uint32_t features, uint32_t queue_size) {
  memset(f, 0, sizeof *f);
  routes = reports = 0;
  f->registers[MAGIC] = 0x74726976;
  f->registers[VERSION] = 2;
  f->registers[DEVICE_ID] = VIRTIO_ID_NET;
  f->registers[DEVICE_FEATURES] = features;
  f->registers[QUEUE_SIZE_MAX] = queue_size;
  f->registers[NOTIFY] = NOTHING;
}

static void fake_queue(struct fake *f, uint32_t features, uint16_t size) {
  fake_device(f, features, size);
  const struct virtio_slot slot = {(uint64_t)(uintptr_t)f->registers, 5};
  virtio_probe(&f->device, &slot);
  assert_int_equal(f->device.id, VIRTIO_ID_NET);
  assert_int_equal(virtio_begin(&f->device, 1ull << VIRTIO_F_EVENT_IDX), 0);
  assert_int_equal(virtqueue_init(&f->queue, &f->device, 3, size), 0);
  virtio_finish(&f->device);
}

static void free_queue(struct fake *f) { memory_free(f->queue.descriptors); }

/* The device's side of the rings, by the layout of virtio 1.2, section 2.7, from the addresses that it was told. */
static void *told(const struct fake *f, unsigned which) {
  return (void *)(uintptr_t)(f->registers[DESCRIPTORS + 4 * which] | (uint64_t)f->registers[DESCRIPTORS + 4 * which + 1]
                                                                         << 32);
}
static struct virtqueue_descriptor *descriptors(const struct fake *f) { return told(f, 0); }
static uint16_t *available(const struct fake *f) { return told(f, 1); }
static uint16_t *used_ring(const struct fake *f) { return told(f, 2); }
static uint16_t *avail_event(const struct fake *f) { return used_ring(f) + 2 + 4 * f->queue.size; }
static uint16_t used_event(const struct fake *f) { return available(f)[2 + f->queue.size]; }

/* The next chain's head, if the driver has published one. */
static int next_head(struct fake *f) {
  if (f->seen == available(f)[1]) return -1;
  return available(f)[2 + f->seen++ % f->queue.size];
}

static void return_head(struct fake *f, uint32_t head, uint32_t length) {
  struct virtqueue_used entry = {head, length};
  memcpy(used_ring(f) + 2 + 4 * (f->used++ % f->queue.size), &entry, sizeof entry);
  used_ring(f)[1] = f->used;
}

static char bytes[8];
static int tokens[300];
static bool add(struct fake *f, unsigned pieces, void *token) {
  const struct virtio_buffer buffers[2] = {{bytes, 3}, {bytes + 4, 4}};
  return virtqueue_add(&f->queue, buffers, pieces, false, token);
}

static bool rang(struct fake *f) {
  bool ring = f->registers[NOTIFY] == 3;
  f->registers[NOTIFY] = NOTHING;
  return ring;
}

/* --- a hostile device --- */

/* The device is given up once and for ever, reported once, and told so; nothing is added or rung any more. */
static void assert_broken(struct fake *f) {
  uint32_t length;
  assert_null(virtqueue_take(&f->queue, &length));
  assert_true(f->device.broken);
  assert_int_equal(reports, 1);
  assert_true((f->registers[STATUS] & FAILED) != 0);
  assert_false(add(f, 1, &tokens[0]));
  rang(f);
  virtqueue_publish(&f->queue);
  assert_false(rang(f));
  return_head(f, 0, 0);
  assert_false(virtqueue_has_used(&f->queue));
  assert_null(virtqueue_take(&f->queue, &length));
  assert_int_equal(reports, 1);
}

/* A chain that the device does not have cannot be returned: not one out of range, never given, returned before, or the middle
 * of one. */
static void test_wrong_chain(void **state) {
  static const struct {
    uint32_t id;
    const char *what;
  } cases[] = {{4, "out of range"},     {0xffff, "16 bits"}, {0x10000, "0 but for the upper half"},
               {UINT32_MAX, "32 bits"}, {3, "never given"},  {1, "the second piece of a chain"}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake f;
    fake_queue(&f, with_events, 4);
    assert_true(add(&f, 2, &tokens[0]));
    virtqueue_publish(&f.queue);
    return_head(&f, cases[i].id, 0);
    assert_broken(&f);
    free_queue(&f);
  }
}

/* A chain that comes back twice is given out once: no packet is freed twice. */
static void test_returned_twice(void **state) {
  struct fake f;
  uint32_t length;
  fake_queue(&f, with_events, 4);
  assert_true(add(&f, 1, &tokens[0]));
  virtqueue_publish(&f.queue);
  int head = next_head(&f);
  return_head(&f, (uint32_t)head, 0);
  return_head(&f, (uint32_t)head, 0);
  assert_ptr_equal(virtqueue_take(&f.queue, &length), &tokens[0]);
  assert_broken(&f);
  free_queue(&f);
}

/* A used index that leaps ahead yields each chain at most once. */
static void test_index_leaps(void **state) {
  struct fake f;
  uint32_t length;
  fake_queue(&f, with_events, 4);
  for (unsigned i = 0; i < 4; i++) {
    assert_true(add(&f, 1, &tokens[i]));
  }
  virtqueue_publish(&f.queue);
  for (unsigned i = 0; i < 4; i++)
    return_head(&f, i, 0);
  used_ring(&f)[1] = 60000;
  for (unsigned i = 0; i < 4; i++)
    assert_ptr_equal(virtqueue_take(&f.queue, &length), &tokens[i]);
  assert_broken(&f);
  free_queue(&f);
}

/* A device that rewrites the descriptors, which it may reach, changes nothing of what is free. */
static void test_descriptors_rewritten(void **state) {
  struct fake f;
  uint32_t length;
  fake_queue(&f, with_events, 4);
  for (unsigned round = 0; round < 50; round++) {
    assert_true(add(&f, 2, &tokens[0]));
    assert_true(add(&f, 2, &tokens[1]));
    assert_false(add(&f, 1, &tokens[2]));
    virtqueue_publish(&f.queue);
    int first = next_head(&f), second = next_head(&f);
    memset(descriptors(&f), 0xff, 4 * sizeof(struct virtqueue_descriptor));
    return_head(&f, (uint32_t)second, 1);
    return_head(&f, (uint32_t)first, 2);
    assert_ptr_equal(virtqueue_take(&f.queue, &length), &tokens[1]);
    assert_ptr_equal(virtqueue_take(&f.queue, &length), &tokens[0]);
    assert_int_equal(f.queue.free_count, 4);
  }
  assert_int_equal(reports, 0);
  free_queue(&f);
}

/* --- set-up --- */

/* What is no modern device is left alone, or refused by name. */
static void test_probe(void **state) {
  struct fake f;
  const struct virtio_slot slot = {(uint64_t)(uintptr_t)f.registers, 5};
  fake_device(&f, with_events, 4);
  f.registers[MAGIC]++;
  virtio_probe(&f.device, &slot);
  assert_int_equal(f.device.id, 0);
  fake_device(&f, with_events, 4);
  f.registers[DEVICE_ID] = 0;
  f.registers[VERSION] = 1; /* QEMU's empty slots */
  virtio_probe(&f.device, &slot);
  assert_int_equal(f.device.id, 0);
  f.registers[DEVICE_ID] = VIRTIO_ID_NET;
  if (setjmp(panic) == 0) {
    virtio_probe(&f.device, &slot);
    fail_msg("a legacy device was taken");
  }
  assert_non_null(strstr(panic_text, "force-legacy=false"));
}

/* Only what is both offered and wanted is negotiated; without VERSION_1 the device is refused. */
static void test_features(void **state) {
  static const struct {
    uint32_t offered;
    uint64_t wanted, negotiated;
    int error;
  } cases[] = {
      {UINT32_MAX, 0, 1ull << VIRTIO_F_VERSION_1, 0},
      {with_events, 1ull << VIRTIO_F_EVENT_IDX | 4, 1ull << VIRTIO_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1, 0},
      {without_events, 1ull << VIRTIO_F_EVENT_IDX, 1ull << VIRTIO_F_VERSION_1, 0},
      {1u << VIRTIO_F_EVENT_IDX, 1ull << VIRTIO_F_EVENT_IDX, 1ull << VIRTIO_F_EVENT_IDX, -ERROR_UNSUPPORTED},
      {0, UINT64_MAX, 0, -ERROR_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake f;
    const struct virtio_slot slot = {(uint64_t)(uintptr_t)f.registers, 5};
    fake_device(&f, cases[i].offered, 4);
    virtio_probe(&f.device, &slot);
    assert_int_equal(virtio_begin(&f.device, cases[i].wanted), cases[i].error);
    assert_int_equal(f.device.features, cases[i].negotiated);
    assert_int_equal(f.registers[DRIVER_FEATURES], cases[i].negotiated >> 32);
  }
}

/* A queue has the largest power of two that both sides allow; one of no size is not there. */
static void test_queue_size(void **state) {
  static const struct {
    uint32_t offered;
    uint16_t wanted, size;
  } cases[] = {{0, 4, 0},        {1, 256, 1},           {3, 256, 2},          {256, 256, 256},
               {1024, 256, 256}, {UINT32_MAX, 100, 64}, {0x80000000u, 16, 16}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake f;
    const struct virtio_slot slot = {(uint64_t)(uintptr_t)f.registers, 5};
    fake_device(&f, with_events, cases[i].offered);
    virtio_probe(&f.device, &slot);
    int error = virtqueue_init(&f.queue, &f.device, 3, cases[i].wanted);
    assert_int_equal(error, cases[i].size == 0 ? -ERROR_NOT_FOUND : 0);
    assert_int_equal(f.registers[QUEUE_READY], error == 0);
    if (error != 0) continue;
    assert_int_equal(f.registers[QUEUE_SIZE], cases[i].size);
    assert_int_equal((uintptr_t)told(&f, 0) % 16, 0);
    assert_int_equal((uintptr_t)told(&f, 1) % 2, 0);
    assert_int_equal((uintptr_t)told(&f, 2) % 4, 0);
    free_queue(&f);
  }
}

/* --- an honest device --- */

/* A chain's descriptors say what section 2.7.5 asks for, with WRITE on all of them or none. */
static void test_descriptors(void **state) {
  struct fake f;
  fake_queue(&f, with_events, 8);
  const struct virtio_buffer buffers[2] = {{bytes, 3}, {bytes + 4, 4}};
  for (unsigned writes = 0; writes < 2; writes++) {
    assert_true(virtqueue_add(&f.queue, buffers, 2, writes == 1, &tokens[0]));
    assert_int_equal(next_head(&f), -1); /* not before it is published */
    virtqueue_publish(&f.queue);
    int head = next_head(&f);
    assert_true(head >= 0);
    const struct virtqueue_descriptor *first = &descriptors(&f)[head], *second = &descriptors(&f)[first->next];
    assert_int_equal(first->address, (uintptr_t)bytes);
    assert_int_equal(first->length, 3);
    assert_int_equal(first->flags, 1 | 2 * writes);
    assert_int_equal(second->address, (uintptr_t)(bytes + 4));
    assert_int_equal(second->length, 4);
    assert_int_equal(second->flags, 2 * writes);
  }
  free_queue(&f);
}

/* Every chain comes back once with its token and length, whatever the order, while the indices wrap at 65,536; in the end all
 * descriptors are free. */
static void test_round_trips(void **state) {
  for (unsigned events = 0; events < 2; events++) {
    struct fake f;
    fake_queue(&f, events == 1 ? with_events : without_events, 16);
    unsigned random = 1, held_count = 0, out = 0;
    int held[16];
    for (unsigned i = 0; i < 200000; i++) {
      random = random * 1103515245u + 12345u;
      if ((random >> 16 & 1) != 0) {
        unsigned pieces = 1 + (random >> 17 & 1);
        bool room = f.queue.free_count >= pieces;
        /* The token names the head's place in the table of tokens. */
        int *token = &tokens[f.queue.free_head];
        assert_int_equal(add(&f, pieces, token), room);
        out += room;
        virtqueue_publish(&f.queue);
      } else {
        for (int head; (head = next_head(&f)) >= 0;)
          held[held_count++] = head;
        if (held_count == 0) continue;
        unsigned which = (random >> 20) % held_count;
        int head = held[which];
        held[which] = held[--held_count];
        return_head(&f, (uint32_t)head, i);
        uint32_t length = 0;
        assert_true(virtqueue_has_used(&f.queue));
        assert_ptr_equal(virtqueue_take(&f.queue, &length), &tokens[head]);
        assert_int_equal(length, i);
        assert_false(virtqueue_has_used(&f.queue));
        out--;
      }
    }
    uint32_t length;
    for (int head; (head = next_head(&f)) >= 0;)
      held[held_count++] = head;
    assert_int_equal(held_count, out);
    while (held_count > 0) {
      return_head(&f, (uint32_t)held[--held_count], 0);
      assert_non_null(virtqueue_take(&f.queue, &length));
    }
    assert_int_equal(f.queue.free_count, 16);
    assert_int_equal(reports, 0);
    free_queue(&f);
  }
}

/* With event indices the doorbell rings exactly when the index crosses the device's wish, also where both wrap; nothing new
 * rings nothing. */
static void test_doorbell_with_events(void **state) {
  static const struct {
    uint16_t before, added, wish;
    bool rings;
  } cases[] = {
      {0, 1, 0, true},      {0, 1, 1, false},         {0, 4, 3, true},         {0, 4, 4, false},
      {10, 2, 9, false},    {10, 2, 10, true},        {65535, 1, 65535, true}, {65535, 2, 0, true},
      {65535, 2, 1, false}, {65534, 4, 65533, false}, {65534, 4, 1, true},     {0, 0, 0, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct fake f;
    fake_queue(&f, with_events, 8);
    f.queue.next_available = f.queue.told = cases[i].before;
    *avail_event(&f) = cases[i].wish;
    for (unsigned n = 0; n < cases[i].added; n++)
      assert_true(add(&f, 1, &tokens[n]));
    virtqueue_publish(&f.queue);
    if (rang(&f) != cases[i].rings) fail_msg("case %zu", i);
    virtqueue_publish(&f.queue);
    assert_false(rang(&f));
    free_queue(&f);
  }
}

/* Without event indices the device's flag decides, and ours tells it whether to interrupt. */
static void test_flags_without_events(void **state) {
  struct fake f;
  fake_queue(&f, without_events, 8);
  assert_int_equal(available(&f)[0], 1); /* no interrupts until one is asked for */
  assert_true(add(&f, 1, &tokens[0]));
  virtqueue_publish(&f.queue);
  assert_true(rang(&f));
  used_ring(&f)[0] = 1;
  assert_true(add(&f, 1, &tokens[1]));
  virtqueue_publish(&f.queue);
  assert_false(rang(&f));
  assert_false(virtqueue_arm(&f.queue));
  assert_int_equal(available(&f)[0], 0);
  virtqueue_disarm(&f.queue);
  assert_int_equal(available(&f)[0], 1);
  free_queue(&f);
}

/* Section 2.7.10: the device interrupts when its index crosses used_event. */
static bool interrupts(const struct fake *f, uint16_t from, uint16_t to) {
  return (uint16_t)(to - used_event(f) - 1) < (uint16_t)(to - from);
}

/* Armed, the very next chain interrupts; disarmed, none of a whole ring does, wherever the index stands. What was there already
 * is said by arm, so that nobody sleeps over it. */
static void test_arm(void **state) {
  static const uint16_t places[] = {0, 1, 7, 32767, 65528, 65535};
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    struct fake f;
    uint16_t at = places[i];
    fake_queue(&f, with_events, 8);
    f.queue.last_used = f.used = used_ring(&f)[1] = at;
    assert_true(add(&f, 1, &tokens[0]));
    virtqueue_publish(&f.queue);
    assert_false(virtqueue_arm(&f.queue));
    assert_true(interrupts(&f, at, (uint16_t)(at + 1)));
    virtqueue_disarm(&f.queue);
    for (uint16_t n = 1; n <= 8; n++)
      assert_false(interrupts(&f, at, (uint16_t)(at + n)));
    return_head(&f, (uint32_t)next_head(&f), 0);
    assert_true(virtqueue_arm(&f.queue));
    free_queue(&f);
  }
}

/* The line is routed when the first queue is armed, once, and is low then: an edge that came before would never come again. */
static void test_routed_once(void **state) {
  struct fake f;
  fake_queue(&f, with_events, 4);
  assert_int_equal(routes, 0);
  for (unsigned i = 0; i < 3; i++) {
    f.registers[ACKNOWLEDGE] = 0;
    assert_false(virtqueue_arm(&f.queue));
    assert_int_equal(routes, 1);
    assert_int_equal(f.registers[ACKNOWLEDGE], i == 0 ? 3 : 0);
  }
  free_queue(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_wrong_chain),
      cmocka_unit_test(test_returned_twice),
      cmocka_unit_test(test_index_leaps),
      cmocka_unit_test(test_descriptors_rewritten),
      cmocka_unit_test(test_probe),
      cmocka_unit_test(test_features),
      cmocka_unit_test(test_queue_size),
      cmocka_unit_test(test_descriptors),
      cmocka_unit_test(test_round_trips),
      cmocka_unit_test(test_doorbell_with_events),
      cmocka_unit_test(test_flags_without_events),
      cmocka_unit_test(test_arm),
      cmocka_unit_test(test_routed_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
