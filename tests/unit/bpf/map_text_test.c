/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Maps from outside: reading, writing, listing in text and JSON; what is hidden and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/map_text.h"

static const struct hash_key seed = {7, 8};

static struct bpf_map *make(struct bpf_map_def def) {
  struct bpf_map *map = NULL;
  const char *why = "";
  strcpy(def.name, "m");
  if (bpf_map_create(&def, &seed, &map, &why) != 0) fail_msg("%s", why);
  return map;
}

static void check_dump(struct bpf_map *map, const struct bpf_map_types *types, uint32_t limit, const char *text,
                       const char *json) {
  struct text out = {0};
  bpf_map_dump(&out, map, types, limit, BPF_STYLE_TEXT);
  assert_string_equal(text_string(&out), text);
  text_clear(&out);
  bpf_map_dump(&out, map, types, limit, BPF_STYLE_JSON);
  assert_string_equal(text_string(&out), json);
  text_free(&out);
}

/* Bytes without types, numbers with them; as many as asked for. */
static void test_dump(void **state) {
  static const struct bpf_type u32 = {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0};
  static const struct bpf_types table = {&u32, NULL, "", 1, 0, 1};
  static const struct bpf_map_types types = {&table, 0, 0};
  struct bpf_map *map =
      make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 2});
  const uint32_t key = 1, value = 258;
  assert_int_equal(bpf_map_set(map, &key, &value, BPF_ANY), 0);
  check_dump(
      map, NULL, 9, "00000000: 00000000\n01000000: 02010000\n",
      "[{\"key\": \"0x00000000\", \"value\": \"0x00000000\"},\n {\"key\": \"0x01000000\", \"value\": \"0x02010000\"}]");
  check_dump(map, &types, 9, "0: 0\n1: 258\n", "[{\"key\": 0, \"value\": 0},\n {\"key\": 1, \"value\": 258}]");
  check_dump(map, &types, 1, "0: 0\n", "[{\"key\": 0, \"value\": 0}]");
  struct text out = {0};
  assert_int_equal(bpf_map_format(&out, map, &types, &key, BPF_STYLE_JSON), 0);
  assert_string_equal(text_string(&out), "{\"key\": 1, \"value\": 258}");
  text_free(&out);
  bpf_map_release(map);
}

/* A per-CPU map shows every processor's value; one value is written for all, or a list for each. */
static void test_per_cpu(void **state) {
  static const struct bpf_type u32 = {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0};
  static const struct bpf_types table = {&u32, NULL, "", 1, 0, 1};
  static const struct bpf_map_types types = {&table, 0, 0};
  struct bpf_map *map = make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_PERCPU_HASH, .key_size = 4, .value_size = 4, .max_entries = 2, .processors = 3});
  uint64_t values[3];
  const uint32_t key = 5;
  assert_int_equal(bpf_map_outside_size(map), sizeof values);
  assert_int_equal(bpf_map_parse_value(slice_of("[1, 2, 3]"), map, &types, values, NULL), 0);
  assert_int_equal(bpf_map_set(map, &key, values, BPF_NOEXIST), 0);
  check_dump(map, &types, 9, "5: 1 2 3\n", "[{\"key\": 5, \"values\": [1, 2, 3]}]");
  assert_int_equal(bpf_map_parse_value(slice_of("7"), map, &types, values, NULL), 0);
  assert_int_equal(bpf_map_set(map, &key, values, BPF_EXIST), 0);
  check_dump(map, &types, 9, "5: 7 7 7\n", "[{\"key\": 5, \"values\": [7, 7, 7]}]");
  assert_true(bpf_map_parse_value(slice_of("[1, 2]"), map, &types, values, NULL) < 0);
  assert_true(bpf_map_parse_value(slice_of("[1, 2, 3, 4]"), map, &types, values, NULL) < 0);
  assert_int_equal(bpf_map_erase(map, &key), 0);
  assert_int_equal(bpf_map_erase(map, &key), -BPF_ENOENT);
  check_dump(map, &types, 9, "", "[]");
  bpf_map_release(map);
}

/* Spin lock and timer are never shown and never written. */
static void test_hidden_fields(void **state) {
  struct bpf_map *map = make((struct bpf_map_def){
      .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 32, .max_entries = 1, .spin_lock = 5, .timer = 9});
  const uint32_t key = 0;
  uint8_t value[32], seen[32];
  memset(value, 0xee, sizeof value);
  assert_int_equal(bpf_map_set(map, &key, value, BPF_ANY), 0);
  uint8_t *inside = map->ops->lookup(map, &key);
  for (unsigned i = 4; i < 24; i++) {
    assert_int_equal(inside[i], 0);
  }
  memset(inside + 8, 0x99, 16);
  assert_int_equal(bpf_map_get(map, &key, seen), 0);
  for (unsigned i = 0; i < 32; i++) {
    assert_int_equal(seen[i], i >= 4 && i < 24 ? 0 : 0xee);
  }
  bpf_map_release(map);
}

/* BPF_F_RDONLY and BPF_F_WRONLY are for whoever is outside; a program's constants stay as they are. */
static void test_rights(void **state) {
  static const struct {
    uint32_t flags;
    long get, set;
  } rows[] = {{0, 0, 0},
              {BPF_F_RDONLY, 0, -BPF_EPERM},
              {BPF_F_WRONLY, -BPF_EPERM, 0},
              {BPF_F_RDONLY_PROG, 0, 0},
              {BPF_F_RDONLY_PROG | BPF_F_MMAPABLE, 0, -BPF_EPERM}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct bpf_map *map = make((struct bpf_map_def){
        .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1, .flags = rows[i].flags});
    uint32_t key = 0, value = 1;
    assert_int_equal(bpf_map_get(map, &key, &value), rows[i].get);
    assert_int_equal(bpf_map_set(map, &key, &value, BPF_ANY), rows[i].set);
    bpf_map_release(map);
  }
}

/* Queues give the next value and count; entries that are objects have names; rings count what is pending and lost. */
static void test_maps_of_other_kinds(void **state) {
  struct bpf_map *queue = make((struct bpf_map_def){.type = BPF_MAP_TYPE_QUEUE, .value_size = 4, .max_entries = 2});
  uint32_t value = 4, key = 1;
  assert_int_equal(bpf_map_get(queue, NULL, &value), -BPF_ENOENT);
  for (value = 4; value < 6; value++) {
    assert_int_equal(bpf_map_set(queue, NULL, &value, BPF_ANY), 0);
  }
  assert_int_equal(bpf_map_set(queue, NULL, &value, BPF_ANY), -BPF_E2BIG);
  assert_int_equal(bpf_map_get(queue, NULL, &value), 0);
  assert_int_equal(value, 4);
  check_dump(queue, NULL, 9, "entries 2\n", "{\"entries\": 2}");
  assert_int_equal(bpf_map_erase(queue, NULL), 0);
  check_dump(queue, NULL, 9, "entries 1\n", "{\"entries\": 1}");
  bpf_map_release(queue);

  struct bpf_map *outer = make((struct bpf_map_def){.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                                    .key_size = 4,
                                                    .value_size = 4,
                                                    .max_entries = 2,
                                                    .inner = {BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0}});
  struct bpf_map *inner = make((struct bpf_map_def){.type = BPF_MAP_TYPE_QUEUE, .value_size = 4, .max_entries = 2});
  struct bpf_map *old;
  assert_int_equal(bpf_map_put_map(outer, &key, inner, BPF_ANY, &old), 0);
  check_dump(outer, NULL, 9, "01000000: m\n", "[{\"key\": \"0x01000000\", \"value\": \"m\"}]");
  assert_int_equal(bpf_map_get(outer, &key, &value), -BPF_EOPNOTSUPP);
  assert_int_equal(bpf_map_set(outer, &key, &value, BPF_ANY), -BPF_EOPNOTSUPP);
  bpf_map_release(outer);

  struct bpf_map *ring = make((struct bpf_map_def){.type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4096});
  check_dump(ring, NULL, 9, "pending 0 bytes, lost 0 records\n", "{\"pending\": 0, \"lost\": 0}");
  assert_int_equal(bpf_map_read_record(ring, 0, &value, 4), -1);
  assert_int_equal(bpf_map_read_record(ring, 1, &value, 4), -1);
  bpf_map_release(ring);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dump),
      cmocka_unit_test(test_per_cpu),
      cmocka_unit_test(test_hidden_fields),
      cmocka_unit_test(test_rights),
      cmocka_unit_test(test_maps_of_other_kinds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
