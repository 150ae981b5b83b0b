/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of what objects say about maps and constants beyond the plain: locks, inner maps, programs in maps, maps of the old kind,
 * constants set from outside. Expected numbers are those of the sources, and of Linux's include/uapi/linux/bpf.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "compile.h"
#include "verifier/link_bundle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct linked_program *link_source(const char *source, struct link_options options, struct text *object) {
  struct report report = {0};
  struct linked_program *linked = NULL;
  options.file = "test.bpf.o";
  options.name = "test";
  compile(source, NULL, object);
  if (link_object((const uint8_t *)object->data, object->length, &options, &linked, &report) != 0)
    fail_msg("%s", text_string(&report.text));
  report_free(&report);
  return linked;
}

/* One map, as its program declares it: the expected definition is the source's. */
static void definitions(void **state) {
  static const struct {
    const char *members;
    struct bpf_map_def expected;
  } cases[] = {
      {"__uint(type, BPF_MAP_TYPE_LRU_HASH); __type(key, __u64); __type(value, __u32); __uint(max_entries, 9);",
       {.type = BPF_MAP_TYPE_LRU_HASH, .key_size = 8, .value_size = 4, .max_entries = 9}},
      {"__uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __uint(max_entries, 2);\n"
       "  struct { __u64 pad; struct bpf_spin_lock lock; } *value;",
       {.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 16, .max_entries = 2, .spin_lock = 1 + 8}},
      {"__uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __uint(max_entries, 2);\n"
       "  struct { __u32 a, b; struct bpf_timer timer; struct bpf_spin_lock lock; } *value;",
       {.type = BPF_MAP_TYPE_ARRAY,
        .key_size = 4,
        .value_size = 32,
        .max_entries = 2,
        .timer = 1 + 8,
        .spin_lock = 1 + 24}},
      {"__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __type(key, __u32); __uint(max_entries, 3);\n"
       "  __array(values, struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u64); __type(value, __u16);\n"
       "    __uint(max_entries, 5); });",
       {.type = BPF_MAP_TYPE_HASH_OF_MAPS,
        .key_size = 4,
        .value_size = 4,
        .max_entries = 3,
        .inner = {BPF_MAP_TYPE_HASH, 8, 2, 5, 0}}},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text source = {0}, object;
    text_addf(&source,
              "struct { %s } m SEC(\".maps\");\n"
              "SEC(\"xdp\") int p(void *c) { __u64 k = 0; return !!bpf_map_lookup_elem(&m, &k); }",
              cases[i].members);
    struct linked_program *linked = link_source(text_string(&source), (struct link_options){0}, &object);
    struct bpf_map_def expected = cases[i].expected;
    memcpy(expected.name, "m", 2);
    assert_int_equal(linked->map_count, 1);
    assert_memory_equal(&linked->maps[0], &expected, sizeof(expected));
    link_free(linked);
    text_free(&object);
    text_free(&source);
  }
}

/* SEC("maps"), as before BTF: five numbers; a shorter struct leaves the flags out. */
static void legacy_maps(void **state) {
  static const char *const sources[] = {
      "struct { unsigned type, key_size, value_size, max_entries, flags; } m SEC(\"maps\") = {1, 4, 8, 16, 1};\n",
      "struct { unsigned type, key_size, value_size, max_entries; } m SEC(\"maps\") = {1, 4, 8, 16};\n",
      "struct { unsigned type, key_size, value_size, max_entries, flags, a, b; } m SEC(\"maps\") = {1, 4, 8, 16};\n"};
  for (size_t i = 0; i < COUNT(sources); i++) {
    struct text source = {0}, object;
    text_addf(&source, "%sSEC(\"xdp\") int p(void *c) { __u32 k = 0; return !!bpf_map_lookup_elem(&m, &k); }",
              sources[i]);
    struct linked_program *linked = link_source(text_string(&source), (struct link_options){0}, &object);
    const struct bpf_map_def expected = {"m", BPF_MAP_TYPE_HASH, 4, 8, 16, i == 0 ? BPF_F_NO_PREALLOC : 0};
    assert_int_equal(linked->map_count, 1);
    assert_memory_equal(&linked->maps[0], &expected, sizeof(expected));
    link_free(linked);
    text_free(&object);
    text_free(&source);
  }
}

static uint32_t map_index(const struct linked_program *linked, const char *name) {
  for (uint32_t i = 0; i < linked->map_count; i++)
    if (strcmp(linked->maps[i].name, name) == 0) return i;
  fail_msg("no map %s", name);
  return 0;
}

/* A program array brings along the programs that stand in it, each once, with all that they refer to; the bundle carries them. */
static void programs_in_maps(void **state) {
  static const char source[] =
      "int count;\n"
      "int first(struct xdp_md *c); int second(struct xdp_md *c);\n"
      "struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4);\n"
      "  __array(values, int(void *)); } tails SEC(\".maps\") =\n"
      "  {.values = {[3] = (void *)&second, [1] = (void *)&first, [0] = (void *)&second}};\n"
      "static __noinline int twice(int x) { return 2 * x; }\n"
      "SEC(\"xdp\") int second(struct xdp_md *c) { return ++count; }\n"
      "SEC(\"xdp\") int unused(struct xdp_md *c) { return 9; }\n"
      "SEC(\"xdp\") int first(struct xdp_md *c) { bpf_tail_call(c, &tails, twice(c->data)); return 0; }\n";
  static const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE];
  static const struct bundle_meta meta = {.name = "test", .version = 1, .audience = "*"};
  struct text object, out = {0};
  struct linked_program *linked = link_source(source, (struct link_options){.program = "first"}, &object);
  assert_int_equal(linked->code_count, 2);
  assert_string_equal(linked->code[0].function, "first");
  assert_string_equal(linked->code[1].function, "second");
  assert_int_equal(linked->map_count, 2);
  assert_int_equal(linked->entry_count, 3);
  uint32_t seen[4] = {9, 9, 9, 9};
  for (uint32_t i = 0; i < linked->entry_count; i++) {
    assert_int_equal(linked->entries[i].map, map_index(linked, "tails"));
    seen[linked->entries[i].index] = linked->entries[i].target;
  }
  static const uint32_t expected[4] = {1, 0, 9, 1};
  assert_memory_equal(seen, expected, sizeof(seen));
  assert_int_equal(linked->maps[map_index(linked, "test.bss")].value_size, 4);
  assert_int_equal(link_bundle(linked, &meta, (struct slice){NULL, 0}, secret_key, &out, NULL), 0);
  link_free(linked);
  text_free(&object);
  text_free(&out);
}

/* A map of maps brings along the maps that stand in it. */
static void maps_in_maps(void **state) {
  static const char source[] =
      "struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 2); };\n"
      "struct inner red SEC(\".maps\"), blue SEC(\".maps\");\n"
      "struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __type(key, __u32); __uint(max_entries, 8);\n"
      "  __array(values, struct inner); } colours SEC(\".maps\") = {.values = {[2] = &blue, [5] = &red}};\n"
      "SEC(\"xdp\") int p(struct xdp_md *c) { __u32 k = 2; return !!bpf_map_lookup_elem(&colours, &k); }";
  struct text object;
  struct linked_program *linked = link_source(source, (struct link_options){0}, &object);
  assert_int_equal(linked->map_count, 3);
  assert_int_equal(linked->entry_count, 2);
  for (uint32_t i = 0; i < linked->entry_count; i++) {
    assert_int_equal(linked->entries[i].map, map_index(linked, "colours"));
    assert_int_equal(linked->entries[i].target, map_index(linked, linked->entries[i].index == 2 ? "blue" : "red"));
  }
  link_free(linked);
  text_free(&object);
}

static const char constants[] =
    "const volatile __u32 limit = 1; const volatile __s8 small = -1; const volatile _Bool on = 0; const volatile __u64 big = 3;\n"
    "enum colour { RED, GREEN }; const volatile enum colour colour = RED; const volatile char text[4] = \"abc\"; int plain = 4;\n"
    "SEC(\"xdp\") int p(void *c) { return limit + small + on + big + colour + text[0] + plain; }";

/* Constants get the values that they are given, in their own width and sign; the object itself stays as it is. */
static void constants_are_set(void **state) {
  static const char *const sets[] = {"limit=4000000000", "small=-128", "on=true", "big=0xffffffffffffffff", "colour=1"};
  struct text object;
  struct linked_program *linked =
      link_source(constants, (struct link_options){.sets = sets, .set_count = COUNT(sets)}, &object);
  uint32_t rodata = map_index(linked, "test.rodata");
  const uint32_t limit = 4000000000u;
  const uint64_t big = UINT64_MAX;
  unsigned found = 0;
  /* Clang lays variables out as it likes, so each is looked for where its alignment allows it. */
  for (size_t i = 0; i < linked->initial[rodata].length; i++) {
    const char *at = linked->initial[rodata].data + i;
    size_t left = linked->initial[rodata].length - i;
    if (left >= 4 && i % 4 == 0 && memcmp(at, &limit, 4) == 0) found |= 1;
    if (left >= 8 && i % 8 == 0 && memcmp(at, &big, 8) == 0) found |= 2;
    if (at[0] == -128) found |= 4;
    if (at[0] == 1) found += 8;
  }
  assert_int_equal(found, 7 + 2 * 8); /* and two ones: on, colour */
  link_free(linked);
  text_free(&object);
}

/* What cannot be set is refused with the reason. */
static void bad_constants_are_refused(void **state) {
  static const struct {
    const char *set;
    int error;
    const char *says;
  } cases[] = {
      {"limit", ERROR_INVALID, "write NAME=VALUE"},
      {"=3", ERROR_INVALID, "write NAME=VALUE"},
      {"nowhere=3", ERROR_NOT_FOUND, "no constant 'nowhere'"},
      {"plain=3", ERROR_NOT_FOUND, "no constant 'plain'"},
      {"limit=-1", ERROR_INVALID, "'-1' is no value of constant 'limit', a 32-bit number"},
      {"limit=4294967296", ERROR_INVALID, "no value of constant 'limit'"},
      {"limit=", ERROR_INVALID, "no value of constant 'limit'"},
      {"small=128", ERROR_INVALID, "a signed 8-bit number"},
      {"small=-129", ERROR_INVALID, "a signed 8-bit number"},
      {"on=2", ERROR_INVALID, "no value of constant 'on'"},
      {"text=abc", ERROR_UNSUPPORTED, "constant 'text' is no number"},
  };
  struct text object;
  compile(constants, NULL, &object);
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct report report = {0};
    struct linked_program *linked = NULL;
    const struct link_options options = {.file = "test.bpf.o", .name = "test", .sets = &cases[i].set, .set_count = 1};
    int error = link_object((const uint8_t *)object.data, object.length, &options, &linked, &report);
    if (error != -cases[i].error || !strstr(text_string(&report.text), cases[i].says))
      fail_msg("%s: %d %s", cases[i].set, error, text_string(&report.text));
    report_free(&report);
  }
  text_free(&object);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_constants_are_refused), cmocka_unit_test(definitions),  cmocka_unit_test(legacy_maps),
      cmocka_unit_test(programs_in_maps),          cmocka_unit_test(maps_in_maps), cmocka_unit_test(constants_are_set),
  };
  return cmocka_run_group_tests_name("link-maps", tests, NULL, NULL);
}
