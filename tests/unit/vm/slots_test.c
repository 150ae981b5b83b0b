/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Virtio slots on the kernel command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "platform/vm/vm.h"

#define SLOT "virtio_mmio.device="

/* What is not a slot, or lies where no device page is mapped, is counted and never used. */
static void test_malformed(void **state) {
  static const char *const lines[] = {
      SLOT,
      SLOT "512",
      SLOT "512@",
      SLOT "512@0xfeb00000",
      SLOT "512@0xfeb00000:",
      SLOT "512@:5",
      SLOT "@0xfeb00000:5",
      SLOT "x@0xfeb00000:5",
      SLOT "512@0xfeb00000:24", /* no such pin */
      SLOT "512@0xfeb00000:-1",
      SLOT "512@0xfeb00000:99999999999999999999", /* over 64 bits */
      SLOT "512@0xfeb00001:5",                    /* not at a slot's start */
      SLOT "512@0xfe9ffe00:5",                    /* just below the device pages */
      SLOT "512@0xfec00000:5",                    /* the I/O APIC */
      SLOT "512@0x100000:5",                      /* the nucleus */
      SLOT "512@0:5",
      SLOT "512@0x1feb00000:5", /* over 4 GiB */
      SLOT "512@0xfffffffffeb00000:5",
      SLOT "512@0xfeb00000 :5",
  };
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    struct virtio_slot slots[2];
    unsigned bad = 99;
    unsigned count = boot_parse_slots(slice_of(lines[i]), slots, 2, &bad);
    if (count != 0 || bad != 1) fail_msg("'%s': %u slots, %u bad", lines[i], count, bad);
  }
}

/* No slot is used twice: two drivers would share its queues. */
static void test_repeated(void **state) {
  struct virtio_slot slots[4];
  unsigned bad;
  assert_int_equal(boot_parse_slots(slice_of(SLOT "512@0xfeb00000:5 " SLOT "512@0xfeb00000:6 " SLOT "512@0xfeb00200:7"),
                                    slots, 4, &bad),
                   2);
  assert_int_equal(bad, 1);
  assert_int_equal(slots[0].irq, 5);
  assert_int_equal(slots[1].irq, 7);
}

/* More slots than there is room for are counted, and nothing is written behind the end. */
static void test_too_many(void **state) {
  struct virtio_slot slots[3] = {{0}};
  slots[2].address = 1;
  unsigned bad;
  assert_int_equal(boot_parse_slots(slice_of(SLOT "512@0xfeb00000:5 " SLOT "512@0xfeb00200:6 " SLOT "512@0xfeb00400:7"),
                                    slots, 2, &bad),
                   2);
  assert_int_equal(bad, 1);
  assert_int_equal(slots[2].address, 1);
}

/* Slots are found among other words, in hex and decimal, with suffixed sizes and ids, in the order of the line. */
static void test_good(void **state) {
  struct virtio_slot slots[8];
  unsigned bad;
  unsigned count = boot_parse_slots(
      slice_of("console=ttyS0 " SLOT "512@0xfebffe00:12 imago.pool=256\t" SLOT "4K@0xfea00000:0:3 " SLOT
               "0x200@4271960064:23 xvirtio_mmio.device=1 virtio_mmio.devices=1"),
      slots, 8, &bad);
  assert_int_equal(bad, 0);
  assert_int_equal(count, 3);
  static const struct virtio_slot expected[] = {{0xfebffe00, 12}, {0xfea00000, 0}, {0xfea0f000, 23}};
  for (unsigned i = 0; i < 3; i++) {
    assert_int_equal(slots[i].address, expected[i].address);
    assert_int_equal(slots[i].irq, expected[i].irq);
  }
}

/* A line without slots has none, an empty one and one of blanks included. */
static void test_none(void **state) {
  static const char *const lines[] = {"", "   ", "quiet", "virtio_mmio.device"};
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    unsigned bad = 99;
    assert_int_equal(boot_parse_slots(slice_of(lines[i]), NULL, 0, &bad), 0);
    assert_int_equal(bad, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_malformed), cmocka_unit_test(test_repeated),
                                     cmocka_unit_test(test_too_many), cmocka_unit_test(test_good),
                                     cmocka_unit_test(test_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
