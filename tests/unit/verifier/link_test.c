/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of the linker on what clang makes of small programs: what links must run and give the right answer; what is refused
 * must be refused by name, at the source line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bpf/program.h"
#include "compile.h"
#include "lib/memory.h"
#include "verifier/link.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct link_options options = {.file = "test.bpf.o", .name = "test"};

static int try_link(const struct text *object, const char *program, struct linked_program **linked,
                    struct report *report) {
  struct link_options with = options;
  with.program = program;
  return link_object((const uint8_t *)object->data, object->length, &with, linked, report);
}

/* Runs a linked program twice on a packet of 64 zero bytes, with fresh maps, and returns what the second run returned. */
static uint64_t run(const struct linked_program *linked) {
  struct bpf_program program = {.insns = linked->code[0].insns, .insn_count = linked->code[0].insn_count};
  struct bpf_map *maps[BPF_MAX_MAPS];
  struct bpf_result result = {0};
  struct hash_key seed = {1, 2};
  uint8_t *packet = memory_alloc_low(4096, 4096);
  for (uint32_t i = 0; i < linked->map_count; i++) {
    assert_int_equal(bpf_map_create(&linked->maps[i], &seed, &maps[i], NULL), 0);
    if (linked->initial[i].length > 0)
      memcpy(maps[i]->slots + maps[i]->value_offset, linked->initial[i].data, linked->initial[i].length);
  }
  program.maps = maps;
  program.map_count = linked->map_count;
  struct bpf_environment environment = {0};
  struct bpf_input input = {.data = (uintptr_t)packet, .data_end = (uintptr_t)packet + 64};
  for (int i = 0; i < 2; i++)
    bpf_run(&program, &environment, &input, &result);
  if (result.fault != BPF_FAULT_NONE) fail_msg("faults at %u: %s", result.fault_insn, bpf_fault_text(result.fault));
  for (uint32_t i = 0; i < linked->map_count; i++)
    bpf_map_release(maps[i]);
  memory_free_low(packet, 4096);
  return result.r0;
}

/* Every kind of reference that clang writes is resolved so that the program computes what its source says. */
static void linked_programs_compute_what_they_say(void **state) {
  static const struct {
    const char *what, *source;
    uint64_t expected; /* of the second run */
    uint32_t maps;
  } cases[] = {
      {"no reference at all", "SEC(\"xdp\") int p(struct xdp_md *c) { return XDP_TX; }", XDP_TX, 0},
      {"hash map",
       "struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4); }\n"
       "m SEC(\".maps\");\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { __u32 k = 7; __u64 one = 40, *v = bpf_map_lookup_elem(&m, &k);\n"
       "  if (!v) { bpf_map_update_elem(&m, &k, &one, 0); return 0; } return *v + 2; }",
       42, 1},
      {"two maps, static, sizes given as numbers",
       "static struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(key_size, 4); __uint(value_size, 4);\n"
       "  __uint(max_entries, 2); } a SEC(\".maps\"), b SEC(\".maps\");\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { __u32 k = 1, *x = bpf_map_lookup_elem(&a, &k),\n"
       "  *y = bpf_map_lookup_elem(&b, &k); if (!x || !y) return 99; *x += 1; *y += 10; return *x + *y; }",
       22, 2},
      {"subprogram",
       "static __noinline int twice(int x) { return x * 2; }\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { return twice(c->data_end - c->data); }",
       128, 0},
      {"subprograms that call each other, one not used",
       "__noinline int unused(int x) { return x - 1; }\n"
       "static __noinline int add(int x) { return x + 3; }\n"
       "static __noinline int twice(int x) { return add(x) * 2; }\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { return twice(c->data_end - c->data) + add(1); }",
       138, 0},
      {"subprogram with map and data of its own",
       "int calls;\n"
       "static __noinline int count(int by) { calls += by; return calls; }\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { return count(c->data_end - c->data); }",
       128, 1},
      {".data keeps its initial value and its changes",
       "int pad = 1, counter = 100; SEC(\"xdp\") int p(struct xdp_md *c) { counter += pad; return counter; }", 102, 1},
      {".bss starts at zero", "int counter; SEC(\"xdp\") int p(struct xdp_md *c) { return ++counter; }", 2, 1},
      {".rodata, static and indexed",
       "static const volatile int table[4] = {5, 6, 7, 8}; SEC(\"xdp\") int p(struct xdp_md *c) {\n"
       "  return table[(c->data_end - c->data) & 3] + table[3]; }",
       13, 1},
      {"string literal",
       "static __noinline int length(const char *s) { int n = 0; while (n < 16 && s[n]) n++; return n; }\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { return length(c->data ? \"seven..\" : \"none\"); }",
       7, 1},
      {"all kinds of data at once",
       "const volatile int ro = 1; int rw = 2; int zero; SEC(\"xdp\") int p(struct xdp_md *c) {\n"
       "  zero += ro; rw += zero; return rw; }",
       5, 3},
      {"64-bit constant",
       "SEC(\"xdp\") int p(struct xdp_md *c) { __u64 x = 0x123456789abcdef0ull; return (x + c->data_end - c->data) >> 60; }",
       1, 0},
      {"CO-RE: field, size and existence",
       "struct s { int a; long b; } __attribute__((preserve_access_index));\n"
       "enum e { SEVEN = 7 };\n"
       "SEC(\"xdp\") int p(struct xdp_md *c) { struct s s = {1, 20}, *q = &s; asm volatile(\"\" : \"+r\"(q));\n"
       "  return q->b + bpf_core_type_size(struct s) * 100 + bpf_core_field_exists(q->b) * 1000 +\n"
       "    bpf_core_type_exists(struct s) * 10000 + bpf_core_enum_value(enum e, SEVEN) * 100000; }",
       712620, 0},
      {"jump over the whole function",
       "SEC(\"xdp\") int p(struct xdp_md *c) { int n = 0; for (unsigned i = c->data; i < c->data_end; i++) {\n"
       "  n += i & 1; asm volatile(\"\" : \"+r\"(n)); } return n; }",
       32, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text object;
    struct report report = {0};
    struct linked_program *linked = NULL;
    compile(cases[i].source, NULL, &object);
    if (try_link(&object, NULL, &linked, &report) != 0) fail_msg("%s: %s", cases[i].what, text_string(&report.text));
    assert_int_equal(report.errors, 0);
    uint64_t result = run(linked);
    if (result != cases[i].expected || linked->map_count != cases[i].maps)
      fail_msg("%s: got %llu with %u maps", cases[i].what, (unsigned long long)result, linked->map_count);
    link_free(linked);
    report_free(&report);
    text_free(&object);
  }
}

#define MAP_WITH(members)                      \
  "struct { " members " } m SEC(\".maps\");\n" \
  "SEC(\"xdp\") int p(struct xdp_md *c) { __u32 k = 0; return !!bpf_map_lookup_elem(&m, &k); }"

/* What is not offered is refused, and the message names it. */
static void what_is_not_offered_is_refused_by_name(void **state) {
  static const struct {
    const char *source, *flags;
    int error;
    const char *says[2];
  } cases[] = {
      {"SEC(\"xdp\") int p(struct xdp_md *c) {\n  return bpf_send_signal(9); }",
       NULL,
       ERROR_UNSUPPORTED,
       {"test.bpf.c:2: bpf_send_signal (helper 109) is not offered", "bpf_map_lookup_elem, bpf_map_update_elem"}},
      {"static long (*h)(void) = (void *)9999; SEC(\"xdp\") int p(struct xdp_md *c) { return h(); }",
       NULL,
       ERROR_UNSUPPORTED,
       {"this helper (helper 9999) is not offered", NULL}},
      {"SEC(\"kprobe/x\") int p(void *c) { return 0; }",
       NULL,
       ERROR_UNSUPPORTED,
       {"p is a program of type kprobe/x", "SEC(\"xdp\") and SEC(\"tc\")"}},
      {"int f(void) { return 0; }", NULL, ERROR_NOT_FOUND, {"no program in it", "SEC(\"xdp\")"}},
      {"SEC(\"xdp\") int a(void *c) { return 0; } SEC(\"xdp\") int b(void *c) { return 1; }",
       NULL,
       ERROR_INVALID,
       {"2 programs match", "a (section xdp), b (section xdp)"}},
      {"extern int CONFIG_HZ __kconfig; SEC(\"xdp\") int p(void *c) { return CONFIG_HZ; }",
       NULL,
       ERROR_UNSUPPORTED,
       {"extern CONFIG_HZ", NULL}},
      {"extern const int init_task __ksym; SEC(\"xdp\") int p(void *c) { return (long)&init_task; }",
       NULL,
       ERROR_UNSUPPORTED,
       {"extern init_task", NULL}},
      {"extern int other(int); SEC(\"xdp\") int p(void *c) {\n\n return other(1) + 1; }",
       NULL,
       ERROR_UNSUPPORTED,
       {"test.bpf.c:3: calls extern function other", NULL}},
      {"int x; int *at = &x; SEC(\"xdp\") int p(void *c) { return (*at)++; }",
       NULL,
       ERROR_UNSUPPORTED,
       {"global data in .data contains addresses", NULL}},
      {"char big[70000]; SEC(\"xdp\") int p(struct xdp_md *c) { return big[c->data]++; }",
       NULL,
       ERROR_TOO_BIG,
       {"global data in .bss takes 70000 bytes", NULL}},
      {"struct { int type, key_size, value_size, max_entries, flags, inner; } m SEC(\"maps\") = {2, 4, 4, 1, 0, 5};\n"
       "SEC(\"xdp\") int p(void *c) { __u32 k = 0; return !!bpf_map_lookup_elem(&m, &k); }",
       NULL,
       ERROR_UNSUPPORTED,
       {"test.bpf.c:2: map m has more than type", "SEC(\".maps\")"}},
      {"struct { int type, key_size; } m SEC(\"maps\") = {2, 4};\n"
       "SEC(\"xdp\") int p(void *c) { __u32 k = 0; return !!bpf_map_lookup_elem(&m, &k); }",
       NULL,
       ERROR_INVALID,
       {"test.bpf.c:2: map m in SEC(\"maps\") is no struct bpf_map_def", NULL}},
      {MAP_WITH(
           "__uint(type, BPF_MAP_TYPE_XSKMAP); __uint(key_size, 4); __uint(value_size, 4); __uint(max_entries, 1);"),
       NULL,
       ERROR_UNSUPPORTED,
       {"map m of type xskmap (17)", "devmap"}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(key_size, 4); __uint(value_size, 4);"),
       NULL,
       ERROR_UNSUPPORTED,
       {"map m of type sk_storage (24)", "not offered"}},
      {MAP_WITH("__uint(key_size, 8); __uint(value_size, 4); __uint(max_entries, 1);"),
       NULL,
       ERROR_INVALID,
       {"map m: type is missing", NULL}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int);"),
       NULL,
       ERROR_INVALID,
       {"map m of type hash (1)", "max_entries"}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_ARRAY); __type(key, long); __type(value, int); __uint(max_entries, 1);"),
       NULL,
       ERROR_INVALID,
       {"map m of type array (2)", "key or value size"}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __uint(key_size, 8); __type(value, int);"),
       NULL,
       ERROR_INVALID,
       {"map m: key_size contradicts", NULL}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_HASH); __type(key, struct nowhere); __type(value, int);"),
       NULL,
       ERROR_INVALID,
       {"map m: key has no size", NULL}},
      {MAP_WITH("int type; __type(key, int); __type(value, int);"),
       NULL,
       ERROR_INVALID,
       {"map m: type is not a number", "__uint()"}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); __uint(numa_node, 3);"),
       NULL,
       ERROR_UNSUPPORTED,
       {"map m: numa_node is not a member", NULL}},
      {MAP_WITH("__uint(type, BPF_MAP_TYPE_HASH); __type(key, int); __type(value, int); __uint(max_entries, 1);"),
       "-target bpf -O2",
       ERROR_INVALID,
       {"map m has no type information", "compile with -g"}},
      {"struct s { int a; }; SEC(\"xdp\") int p(void *c) { return bpf_core_type_id_local(struct s); }",
       NULL,
       ERROR_UNSUPPORTED,
       {"BTF type id", NULL}},
      {"SEC(\"xdp\") int p(struct xdp_md *c) { return 0; }",
       "-target bpfeb -O2 -g",
       ERROR_UNSUPPORTED,
       {"big-endian", NULL}},
      {"int f(void) { return 0; }", "-O2", ERROR_UNSUPPORTED, {"not an eBPF object (ELF machine 62)", "-target bpf"}},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct text object;
    struct report report = {0};
    struct linked_program *linked = NULL;
    compile(cases[i].source, cases[i].flags, &object);
    int error = try_link(&object, NULL, &linked, &report);
    const char *said = text_string(&report.text);
    for (size_t j = 0; j < 2; j++)
      if (error != -cases[i].error || (cases[i].says[j] && !strstr(said, cases[i].says[j])))
        fail_msg("case %zu: got %d %s, expected %s", i, error, said, cases[i].says[j]);
    assert_null(linked);
    assert_int_equal(report.errors, 1);
    report_free(&report);
    text_free(&object);
  }
}

/* One of several programs is chosen by function or by section, and brings only what it refers to. */
static void one_of_several_programs(void **state) {
  static const char source[] = "int used, other;\n"
                               "SEC(\"xdp\") int first(void *c) { return 1; }\n"
                               "SEC(\"xdp/second\") int second(void *c) { return used += 5; }\n"
                               "SEC(\"tc\") int third(void *c) { return bpf_get_smp_processor_id() + 5; }";
  static const struct {
    const char *program;
    int error;
    uint64_t expected;
    const char *section;
  } cases[] = {
      {"first", 0, 1, "xdp"},          {"xdp", 0, 1, "xdp"},
      {"second", 0, 10, "xdp/second"}, {"xdp/second", 0, 10, "xdp/second"},
      {"third", 0, 5, "tc"},           {"fourth", ERROR_NOT_FOUND, 0, NULL},
      {NULL, ERROR_INVALID, 0, NULL},
  };
  struct text object;
  compile(source, NULL, &object);
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct linked_program *linked = NULL;
    assert_int_equal(try_link(&object, cases[i].program, &linked, NULL), -cases[i].error);
    if (cases[i].error) continue;
    assert_string_equal(linked->code[0].section, cases[i].section);
    assert_int_equal(run(linked), cases[i].expected);
    link_free(linked);
  }
  text_free(&object);
}

/* Maps keep their names, sizes and flags; global data becomes maps named after the program, read-only where it is constant. */
static void maps_are_as_declared(void **state) {
  static const char source[] =
      "struct key { __u32 a, b; };\n"
      "typedef const struct { char c[20]; } value_t;\n"
      "struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, struct key); __type(value, value_t); __uint(max_entries, 77);\n"
      "  __uint(map_flags, BPF_F_NO_PREALLOC); __uint(pinning, LIBBPF_PIN_BY_NAME); } flows SEC(\".maps\");\n"
      "const volatile int limit = 3; int state = 4;\n"
      "SEC(\"xdp\") int p(void *c) { struct key k = {limit, state++}; return !!bpf_map_lookup_elem(&flows, &k); }";
  static const struct bpf_map_def expected[] = {
      {"flows", BPF_MAP_TYPE_HASH, 8, 20, 77, BPF_F_NO_PREALLOC},
      {"test.rodata", BPF_MAP_TYPE_ARRAY, 4, 4, 1, BPF_F_RDONLY_PROG},
      {"test.data", BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0},
  };
  struct text object;
  struct report report = {0};
  struct linked_program *linked = NULL;
  compile(source, NULL, &object);
  assert_int_equal(try_link(&object, NULL, &linked, &report), 0);
  assert_non_null(strstr(text_string(&report.text), "pinning has no effect"));
  assert_int_equal(linked->map_count, COUNT(expected));
  for (size_t i = 0; i < COUNT(expected); i++) {
    uint32_t j = 0;
    while (j < linked->map_count && strcmp(linked->maps[j].name, expected[i].name) != 0)
      j++;
    assert_true(j < linked->map_count);
    assert_memory_equal(&linked->maps[j], &expected[i], sizeof(expected[i]));
  }
  link_free(linked);
  report_free(&report);
  text_free(&object);
}

/* Every instruction knows its source line by base name, through subprograms too. */
static void lines_survive_linking(void **state) {
  static const char source[] = "static __noinline int twice(int x) {\n"
                               "  return x * 2;\n"
                               "}\n"
                               "SEC(\"xdp\")\n"
                               "int p(struct xdp_md *c) {\n"
                               "  return twice(c->data);\n"
                               "}\n";
  struct text object;
  struct linked_program *linked = NULL;
  compile(source, NULL, &object);
  assert_int_equal(try_link(&object, NULL, &linked, NULL), 0);
  const struct line_table *table = &linked->code[0].lines;
  bool seen[8] = {false};
  assert_true(table->count > 0);
  assert_int_equal(table->lines[0].at.insn, 0);
  for (uint32_t i = 0; i < table->count; i++) {
    assert_string_equal(table->lines[i].at.file, "test.bpf.c");
    assert_true(table->lines[i].at.line < COUNT(seen));
    assert_true(table->lines[i].at.insn < linked->code[0].insn_count);
    if (i > 0) assert_true(table->lines[i].at.insn > table->lines[i - 1].at.insn);
    seen[table->lines[i].at.line] = true;
  }
  assert_true(seen[2] && seen[6]);
  link_free(linked);
  text_free(&object);
}

/* --- hostile objects --- */

static const char rich_source[] =
    "struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, __u32); __type(value, __u64); __uint(max_entries, 4); }\n"
    "m SEC(\".maps\");\n"
    "const volatile int ro = 1; int rw = 2;\n"
    "static __noinline int twice(int x) { return x * 2 + ro; }\n"
    "SEC(\"xdp\") int p(struct xdp_md *c) { __u32 k = twice(c->data); rw++;\n"
    "  return bpf_map_lookup_elem(&m, &k) ? bpf_core_type_size(struct xdp_md) : 1; }";

/* Links a copy that ends exactly where the bytes end. Whether it links is open; that nothing else happens is the test. */
static int link_hostile(const char *bytes, size_t length) {
  struct linked_program *linked = NULL;
  struct report report = {0};
  uint8_t *copy = memory_alloc(length);
  memcpy(copy, bytes, length);
  int error = link_object(copy, length, &options, &linked, &report);
  if (error == 0) {
    assert_true(linked->code[0].insn_count > 0 && linked->code[0].insn_count <= BPF_MAX_INSNS &&
                linked->map_count <= BPF_MAX_MAPS);
    link_free(linked);
  } else if (report.errors == 0) {
    fail_msg("error %d without a message", error);
  }
  report_free(&report);
  memory_free(copy);
  return error;
}

/* An object that ends early is refused, wherever it ends. */
static void truncated_objects_are_refused(void **state) {
  struct text object;
  compile(rich_source, NULL, &object);
  assert_int_equal(link_hostile(object.data, object.length), 0);
  for (size_t length = 1; length < object.length; length += length < 64 ? 1 : 16)
    assert_int_not_equal(link_hostile(object.data, length), 0);
  text_free(&object);
}

/* Flipped bits, in the headers above all, give an error or a program, never a crash. */
static void damaged_objects_do_no_harm(void **state) {
  struct text object;
  uint64_t random = 88172645463325252ull; /* xorshift64, seeded so that a failure repeats */
  unsigned refused = 0;
  compile(rich_source, NULL, &object);
  for (int i = 0; i < 1500; i++) {
    size_t at[3];
    for (int j = 0; j < 3; j++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      /* Section headers stand at the end, the ELF header at the beginning. */
      size_t bits = object.length * 8, headers = 64 * 8 * 20;
      at[j] = j == 0 ? random % bits : j == 1 ? bits - 1 - random % headers : random % (64 * 8 * 4);
      if (random >> 62 == 0) at[j] = random % bits;
      object.data[at[j] / 8] ^= (char)(1 << at[j] % 8);
      refused += link_hostile(object.data, object.length) != 0;
    }
    for (int j = 0; j < 3; j++)
      object.data[at[j] / 8] ^= (char)(1 << at[j] % 8);
  }
  assert_true(refused > 0);
  assert_int_equal(link_hostile(object.data, object.length), 0);
  text_free(&object);
}

/* Of several names for one function one counts, and its size is checked, whichever of the names was asked for. */
static void second_name_of_another_size_is_refused(void **state) {
  static const char source[] = "SEC(\"xdp\") __attribute__((used)) static int f(void *c) { return 1; }\n"
                               "asm(\".globl p\\n.type p,@function\\n.set p, f\\n.size p, 16\");\n"
                               "asm(\".globl z\\n.type z,@function\\n.set z, f\\n.size z, 400000\");";
  static const char *const names[] = {"p", "z"};
  struct text object;
  compile(source, NULL, &object);
  for (size_t i = 0; i < COUNT(names); i++) {
    struct linked_program *linked = NULL;
    struct report report = {0};
    assert_int_equal(try_link(&object, names[i], &linked, &report), -ERROR_INVALID);
    assert_non_null(strstr(text_string(&report.text), "function z leaves its section"));
    report_free(&report);
  }
  text_free(&object);
}

/* Global variables of every kind have an initial value in the bundle, those of .bss too: by that they are told from maps, whose
 * entries outlive the program. */
static void variables_have_initial_values(void **state) {
  struct text object;
  struct linked_program *linked = NULL;
  compile("int zero[3]; int rw = 2; SEC(\"xdp\") int p(struct xdp_md *c) { return zero[c->data & 1]++ + rw++; }", NULL,
          &object);
  assert_int_equal(try_link(&object, NULL, &linked, NULL), 0);
  assert_int_equal(linked->map_count, 2);
  for (uint32_t i = 0; i < linked->map_count; i++)
    assert_int_equal(linked->initial[i].length, linked->maps[i].value_size);
  uint32_t bss = strcmp(linked->maps[0].name, "test.bss") == 0 ? 0 : 1;
  assert_string_equal(linked->maps[bss].name, "test.bss");
  assert_memory_equal(linked->initial[bss].data, (char[12]){0}, 12);
  link_free(linked);
  text_free(&object);
}

/* Bytes that are no ELF at all give one clear line. */
static void what_is_no_object_is_refused(void **state) {
  static const char *const inputs[] = {"", "x", "\177ELF", "int main(void) { return 0; }"};
  for (size_t i = 0; i < COUNT(inputs); i++) {
    struct report report = {0};
    struct linked_program *linked = NULL;
    assert_int_equal(link_object((const uint8_t *)inputs[i], strlen(inputs[i]), &options, &linked, &report),
                     -ERROR_INVALID);
    assert_string_equal(text_string(&report.text),
                        "test.bpf.o: not an ELF object; compile the source with `clang -target bpf -O2 -g -c`\n");
    report_free(&report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_no_object_is_refused),
      cmocka_unit_test(truncated_objects_are_refused),
      cmocka_unit_test(damaged_objects_do_no_harm),
      cmocka_unit_test(second_name_of_another_size_is_refused),
      cmocka_unit_test(variables_have_initial_values),
      cmocka_unit_test(what_is_not_offered_is_refused_by_name),
      cmocka_unit_test(linked_programs_compute_what_they_say),
      cmocka_unit_test(one_of_several_programs),
      cmocka_unit_test(maps_are_as_declared),
      cmocka_unit_test(lines_survive_linking),
  };
  return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
