/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packet pools and the life of a packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/error.h"
#include "packet/packet.h"

enum { COUNT = 300 };

/* A pool of no packets, or of more than the limit, is refused and holds nothing. */
static void counts_out_of_range(void **state) {
  static const uint32_t counts[] = {0, (1 << 20) + 1, UINT32_MAX};
  for (unsigned i = 0; i < 3; i++) {
    struct packet_pool pool;
    assert_int_equal(packet_pool_init(&pool, counts[i]), -ERROR_INVALID);
    assert_null(pool.arena);
    packet_pool_destroy(&pool); /* harmless */
  }
}

/* An arena that does not fit below 2 GiB is "no memory", and nothing stays behind. */
static void no_room_for_the_arena(void **state) {
  struct packet_pool pool;
  assert_int_equal(packet_pool_init(&pool, 1 << 20), -ERROR_NO_MEMORY); /* 2 GiB */
  assert_null(pool.arena);
  assert_null(pool.free);
}

/* An empty pool gives NULL, counts it, and works again when a packet is back. */
static void empty_pool_refuses(void **state) {
  struct packet_pool pool;
  struct packet *packets[COUNT];
  assert_int_equal(packet_pool_init(&pool, COUNT), 0);
  for (unsigned i = 0; i < COUNT; i++)
    assert_non_null(packets[i] = packet_new(&pool));
  assert_null(packet_new(&pool));
  assert_null(packet_new_from(&pool, "x", 1));
  assert_null(packet_clone(packets[0]));
  assert_int_equal(pool.failed, 3);
  packet_kill(packets[7]);
  assert_ptr_equal(packet_new(&pool), packets[7]);
  for (unsigned i = 0; i < COUNT; i++)
    packet_kill(packets[i]);
  assert_int_equal(pool.free_count, COUNT);
  packet_pool_destroy(&pool);
}

/* Buffers that were never used and buffers that came back are handed out together, each once. */
static void each_buffer_once(void **state) {
  struct packet_pool pool;
  struct packet *packets[COUNT];
  assert_int_equal(packet_pool_init(&pool, COUNT), 0);
  for (unsigned i = 0; i < 3; i++)
    assert_non_null(packets[i] = packet_new(&pool));
  packet_kill(packets[0]);
  packet_kill(packets[2]);
  packets[0] = packets[1];
  for (unsigned i = 1; i < COUNT; i++) {
    assert_non_null(packets[i] = packet_new(&pool));
    for (unsigned k = 0; k < i; k++)
      assert_ptr_not_equal(packets[i], packets[k]);
  }
  assert_null(packet_new(&pool));
  for (unsigned i = 0; i < COUNT; i++)
    packet_kill(packets[i]);
  packet_pool_destroy(&pool);
}

/* Buffers are disjoint, aligned to cache lines, below 2 GiB, and writable from end to end. */
static void buffers_are_disjoint(void **state) {
  struct packet_pool pool;
  struct packet *packets[COUNT];
  assert_int_equal(packet_pool_init(&pool, COUNT), 0);
  for (unsigned i = 0; i < COUNT; i++) {
    packets[i] = packet_new(&pool);
    assert_int_equal((uintptr_t)packets[i] % 64, 0);
    assert_true((uintptr_t)packet_buffer_end(packets[i]) <= (uintptr_t)1 << 31);
    memset(packet_buffer_start(packets[i]), (int)i, PACKET_BUFFER_SIZE - sizeof(struct packet));
  }
  for (unsigned i = 0; i < COUNT; i++) {
    const uint8_t *start = packet_buffer_start(packets[i]), *end = packet_buffer_end(packets[i]);
    for (const uint8_t *p = start; p < end; p++)
      assert_int_equal(*p, (uint8_t)i);
    packet_kill(packets[i]);
  }
  packet_pool_destroy(&pool);
}

/* A new packet is clean, whatever its buffer held before. */
static void new_packet_is_clean(void **state) {
  struct packet_pool pool;
  assert_int_equal(packet_pool_init(&pool, 1), 0);
  struct packet *p = packet_new(&pool);
  memset(p->annotation, 0xff, sizeof p->annotation);
  p->mac_header = p->network_header = p->transport_header = 77;
  p->type = PACKET_OUTGOING;
  p->nic = 3;
  p->timestamp = 5;
  p->data += 10;
  p->length = 10;
  packet_kill(p);
  assert_ptr_equal(packet_new(&pool), p);
  for (unsigned i = 0; i < PACKET_ANNOTATION_SIZE; i++)
    assert_int_equal(annotation_u8(p, i), 0);
  assert_int_equal(p->mac_header | p->network_header | p->transport_header | p->type | p->nic, 0);
  assert_int_equal(p->timestamp, 0);
  assert_int_equal(p->length, 0);
  assert_int_equal(packet_headroom(p), PACKET_HEADROOM);
  assert_int_equal(packet_tailroom(p), PACKET_DATA_CAPACITY);
  assert_ptr_equal(p->pool, &pool);
  packet_kill(p);
  packet_pool_destroy(&pool);
}

/* Data is copied up to the capacity, and refused above it. */
static void data_up_to_capacity(void **state) {
  struct packet_pool pool;
  static uint8_t data[PACKET_DATA_CAPACITY + 1];
  for (unsigned i = 0; i < sizeof data; i++)
    data[i] = (uint8_t)(i * 31);
  assert_int_equal(packet_pool_init(&pool, 2), 0);
  assert_null(packet_new_from(&pool, data, sizeof data));
  assert_null(packet_new_from(&pool, data, SIZE_MAX));
  assert_int_equal(pool.free_count, 2);
  struct packet *p = packet_new_from(&pool, data, PACKET_DATA_CAPACITY);
  assert_int_equal(p->length, PACKET_DATA_CAPACITY);
  assert_int_equal(packet_tailroom(p), 0);
  assert_memory_equal(p->data, data, PACKET_DATA_CAPACITY);
  struct packet *empty = packet_new_from(&pool, NULL, 0);
  assert_int_equal(empty->length, 0);
  packet_kill(p);
  packet_kill(empty);
  packet_pool_destroy(&pool);
}

/* A clone has the same data, place, annotations and headers, and a life of its own. */
static void clone_is_equal_and_apart(void **state) {
  struct packet_pool pool;
  assert_int_equal(packet_pool_init(&pool, 2), 0);
  struct packet *p = packet_new_from(&pool, "0123456789", 10);
  p->data += 4;
  p->length -= 4;
  p->mac_header = 384;
  p->network_header = 398;
  p->timestamp = 1234567;
  p->type = PACKET_MULTICAST;
  annotation_set_u8(p, ANNOTATION_PAINT, 9);
  annotation_set_u32(p, ANNOTATION_DST_IP, 0x0100007f);
  struct packet *copy = packet_clone(p);
  assert_ptr_not_equal(copy, p);
  assert_int_equal(copy->length, 6);
  assert_memory_equal(copy->data, "456789", 6);
  assert_int_equal(packet_headroom(copy), packet_headroom(p));
  assert_int_equal(copy->mac_header, 384);
  assert_int_equal(copy->network_header, 398);
  assert_int_equal(copy->timestamp, 1234567);
  assert_int_equal(copy->type, PACKET_MULTICAST);
  assert_int_equal(annotation_u8(copy, ANNOTATION_PAINT), 9);
  assert_int_equal(annotation_u32(copy, ANNOTATION_DST_IP), 0x0100007f);
  copy->data[0] = 'x';
  annotation_set_u8(copy, ANNOTATION_PAINT, 1);
  assert_int_equal(p->data[0], '4');
  assert_int_equal(annotation_u8(p, ANNOTATION_PAINT), 9);
  packet_kill(p);
  assert_memory_equal(copy->data, "x56789", 6);
  packet_kill(copy);
  packet_pool_destroy(&pool);
}

/* Killing a batch gives every packet back to its own pool. */
static void batch_goes_home(void **state) {
  struct packet_pool pools[2];
  static struct batch batch;
  for (unsigned i = 0; i < 2; i++)
    assert_int_equal(packet_pool_init(&pools[i], BATCH_MAX), 0);
  batch.count = 0;
  batch_kill(&batch);
  while (batch.count < BATCH_MAX) {
    batch.packet[batch.count] = packet_new(&pools[batch.count % 2]);
    batch.count++;
  }
  assert_int_equal(pools[0].free_count, BATCH_MAX / 2);
  batch_kill(&batch);
  assert_int_equal(batch.count, 0);
  assert_int_equal(pools[0].free_count, BATCH_MAX);
  assert_int_equal(pools[1].free_count, BATCH_MAX);
  for (unsigned i = 0; i < 2; i++)
    packet_pool_destroy(&pools[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_out_of_range),  cmocka_unit_test(no_room_for_the_arena),
      cmocka_unit_test(empty_pool_refuses),   cmocka_unit_test(each_buffer_once),
      cmocka_unit_test(buffers_are_disjoint), cmocka_unit_test(new_packet_is_clean),
      cmocka_unit_test(data_up_to_capacity),  cmocka_unit_test(clone_is_equal_and_apart),
      cmocka_unit_test(batch_goes_home),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
