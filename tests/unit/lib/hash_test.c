/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SipHash against published vectors and an independent implementation, and the Internet checksum against its definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "lib/checksum.h"
#include "lib/hash.h"
#include "lib/siphash.h"

/* With 2 and 4 rounds: the worked example of the paper's appendix A. */
static void siphash_2_4_example(void **state) {
  uint8_t bytes[16];
  for (unsigned i = 0; i < 16; i++)
    bytes[i] = (uint8_t)i;
  struct hash_key key = {load_le64(bytes), load_le64(bytes + 8)};
  assert_true(siphash(&key, bytes, 15, 2, 4) == 0xa129ca6149be45e5);
}

/* With 2 and 4 rounds: agrees with libsodium for every length and random keys. */
static void siphash_2_4_as_libsodium(void **state) {
  srand(7);
  uint8_t data[131], k[crypto_shorthash_KEYBYTES], expected[crypto_shorthash_BYTES];
  for (size_t length = 0; length < sizeof data - 1; length++) {
    for (size_t i = 0; i < sizeof data; i++)
      data[i] = (uint8_t)rand();
    for (size_t i = 0; i < sizeof k; i++)
      k[i] = (uint8_t)rand();
    struct hash_key key = {load_le64(k), load_le64(k + 8)};
    crypto_shorthash(expected, data + 1, length, k); /* + 1: not aligned */
    assert_true(siphash(&key, data + 1, length, 2, 4) == load_le64(expected));
  }
}

/* The hash of tables is SipHash-1-3: bytes 0, 1, 2 ... under the zero key hash as CPython 3.11 with PYTHONHASHSEED=0 does. */
static void hash_is_siphash_1_3(void **state) {
  static const uint64_t expected[] = {
      0x68a914128e01e473, 0x010bac45c41e3669, 0x4d4c9a4a8ef6e0ad, 0x7cc43f98813e4dbd, 0x5abe2169dff36275,
      0xe3c25f87624f1cdb, 0x2f098ab0c751325a, 0xead411e67ebe2eea, 0x75927f9d95124362, 0xaf9f77a65ab51a1d,
      0xfe64ce8b6617fcff, 0xa6baf4fb0f9fe1c2, 0xa0cf3211850f8e0d, 0x7f86049379fbfe67, 0xf30eb725bb91c9ea,
      0x8972188433a5c5b7, 0x4883c49a2c009c1d,
  };
  struct hash_key key = {0, 0};
  uint8_t data[17];
  for (unsigned length = 1; length <= 17; length++) {
    data[length - 1] = (uint8_t)(length - 1);
    assert_true(hash_bytes(&key, data, length) == expected[length - 1]);
  }
  assert_true(hash_bytes(&key, NULL, 0) == 0xd1fba762150c532c); /* of the reference implementation */
}

/* The definition: the sum of 16-bit big-endian words, carries added in, complemented. */
static uint16_t checksum_plain(const uint8_t *data, size_t length) {
  uint32_t sum = 0;
  for (size_t i = 0; i < length; i++)
    sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
  while (sum >> 16)
    sum = (sum >> 16) + (sum & 0xffff);
  return (uint16_t)~sum;
}

/* Any length, alignment, content and cut into even pieces gives what the definition gives. */
static void checksum_as_defined(void **state) {
  uint8_t data[1600];
  srand(3);
  for (unsigned round = 0; round < 4000; round++) {
    size_t start = (size_t)rand() % 8, length = (size_t)rand() % (round < 2000 ? 80 : 1500);
    for (size_t i = 0; i < start + length; i++)
      data[i] = round % 3 == 0 ? 0xff : (uint8_t)rand();
    size_t cut = length == 0 ? 0 : (size_t)rand() % length & ~(size_t)1;
    uint64_t sum = checksum_add(0, data + start, cut);
    sum = checksum_add(sum, data + start + cut, length - cut);
    uint16_t stored = checksum_finish(sum);
    uint8_t bytes[2];
    memcpy(bytes, &stored, 2); /* in the byte order of the data */
    assert_int_equal(bytes[0] << 8 | bytes[1], checksum_plain(data + start, length));
  }
}

/* Sums at the very edge of 64 bits fold without losing a carry. */
static void checksum_carries(void **state) {
  assert_int_equal(checksum_finish(0), 0xffff);
  assert_int_equal(checksum_finish(UINT64_MAX), 0);
  assert_int_equal(checksum_finish(0xffffffff00000001), (uint16_t)~1);
  assert_int_equal(checksum_finish(0x00000000ffff0001), (uint16_t)~1);
  uint8_t ones[16];
  memset(ones, 0xff, sizeof ones);
  assert_int_equal(checksum_finish(checksum_add(UINT64_MAX, ones, sizeof ones)), 0);
  assert_int_equal(checksum_finish(checksum_add(UINT64_MAX, "\1\0", 2)), (uint16_t)~1);
  /* RFC 1071, section 3: these bytes sum to ddf2 */
  static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  assert_int_equal(__builtin_bswap16(checksum_finish(checksum_add(0, example, 8))), 0xffff ^ 0xddf2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(siphash_2_4_example), cmocka_unit_test(siphash_2_4_as_libsodium),
      cmocka_unit_test(hash_is_siphash_1_3), cmocka_unit_test(checksum_as_defined),
      cmocka_unit_test(checksum_carries),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
