/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The comparison. Addresses are numbers that programs see, so everything stays where it is and is put back between the runs.
 */
#include "tests/differential/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/jit.h"
#include "lib/memory.h"
#include "tests/differential/linux.h"
#include "tests/unit/bpf/asm.h"

enum { AREA = 1024, GUARD = 64, PACKET_MAX = 256 };

/* What programs change. */
struct world {
  uint8_t area[AREA];
  struct bpf_map maps[GENERATE_MAPS];
  uint8_t slots[GENERATE_MAPS][1024];
  uint32_t buckets[16];
};

static struct {
  uint8_t *area;
  uint32_t length; /* of the packet */
  struct bpf_map *maps[GENERATE_MAPS];
  struct bpf_program targets[GENERATE_TARGETS]; /* of tail calls */
  struct generated generated;
  uint64_t rules[BPF_JIT_RULES]; /* how many programs executed code by it */
  uint64_t number;
  bool safe;
} test;

static _Noreturn void fail(const char *engine, const char *what, uint64_t got, uint64_t expected) {
  fprintf(stderr, "program %llu (%s), %s: %s is %#llx, the interpreter's %#llx\n", (unsigned long long)test.number,
          test.safe ? "safe" : "wild", engine, what, (unsigned long long)got, (unsigned long long)expected);
  for (uint32_t i = 0; i < test.generated.count; i++) {
    const struct bpf_insn insn = test.generated.insns[i];
    fprintf(stderr, "%4u: code %02x dst r%u src r%u off %d imm %d\n", i, insn.code, bpf_dst(insn), bpf_src(insn),
            insn.off, insn.imm);
  }
  abort();
}

static void require(bool holds, const char *engine, const char *what, uint64_t got, uint64_t expected) {
  if (!holds) fail(engine, what, got, expected);
}

static void make_maps(void) {
  static const struct bpf_map_def defs[GENERATE_MAPS] = {
      {.name = "registers", .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 80, .max_entries = 1},
      {.name = "array",
       .type = BPF_MAP_TYPE_ARRAY,
       .key_size = 4,
       .value_size = GENERATE_VALUE,
       .max_entries = GENERATE_VALUES},
      {.name = "hash",
       .type = BPF_MAP_TYPE_HASH,
       .key_size = 4,
       .value_size = GENERATE_VALUE,
       .max_entries = GENERATE_VALUES},
      {.name = "programs",
       .type = BPF_MAP_TYPE_PROG_ARRAY,
       .key_size = 4,
       .value_size = 4,
       .max_entries = GENERATE_CELLS}};
  static const struct hash_key seed = {1, 2};
  for (unsigned i = 0; i < GENERATE_MAPS; i++) {
    if (bpf_map_create(&defs[i], &seed, &test.maps[i], NULL) != 0) abort();
  }
  for (unsigned i = 0; i < GENERATE_TARGETS; i++) {
    const struct bpf_program *old;
    test.targets[i] = (struct bpf_program){(struct bpf_insn *)generate_targets[i].insns, generate_targets[i].count};
    if (bpf_program_prepare(&test.targets[i], NULL) != 0) abort();
    if (bpf_map_put_program(test.maps[GENERATE_PROGRAMS], i, &test.targets[i], &old) != 0) abort();
  }
  test.area = memory_alloc_low(AREA, 64);
  if (test.area == NULL) abort();
}

static size_t slots_of(const struct bpf_map *map) { return (size_t)map->slot_count * map->stride; }
static size_t buckets_of(const struct bpf_map *map) {
  return map->buckets == NULL ? 0 : (map->bucket_mask + 1) * sizeof map->buckets[0];
}

static void save(struct world *w) {
  memcpy(w->area, test.area, AREA);
  for (unsigned i = 0; i < GENERATE_MAPS; i++) {
    const struct bpf_map *map = test.maps[i];
    w->maps[i] = *map;
    if (slots_of(map) > sizeof w->slots[i] || buckets_of(map) > sizeof w->buckets) abort();
    memcpy(w->slots[i], map->slots, slots_of(map));
    if (map->buckets != NULL) memcpy(w->buckets, map->buckets, buckets_of(map));
  }
}

static void restore(const struct world *w) {
  memcpy(test.area, w->area, AREA);
  for (unsigned i = 0; i < GENERATE_MAPS; i++) {
    struct bpf_map *map = test.maps[i];
    *map = w->maps[i];
    memcpy(map->slots, w->slots[i], slots_of(map));
    if (map->buckets != NULL) memcpy(map->buckets, w->buckets, buckets_of(map));
  }
}

static void compare(const char *engine, const struct world *expected) {
  for (unsigned i = 0; i < AREA; i++) {
    require(test.area[i] == expected->area[i], engine,
            i < GUARD ? "a byte in front of the packet" : "a byte of the packet", test.area[i], expected->area[i]);
  }
  for (unsigned i = 0; i < GENERATE_MAPS; i++) {
    for (size_t at = 0; at < slots_of(test.maps[i]); at++) {
      if (test.maps[i]->slots[at] != expected->slots[i][at]) {
        fprintf(stderr, "map %s, byte %zu\n", test.maps[i]->def.name, at);
        fail(engine, "a byte of a map", test.maps[i]->slots[at], expected->slots[i][at]);
      }
    }
    require(test.maps[i]->count == expected->maps[i].count, engine, "a map's count", test.maps[i]->count,
            expected->maps[i].count);
  }
}

static struct bpf_result run(struct bpf_program *program) {
  const uint64_t data = (uint64_t)(uintptr_t)test.area + GUARD;
  const struct bpf_input input = {.data = data, .data_end = data + test.length, .ingress_ifindex = 1};
  struct bpf_result result;
  bpf_run(program, &test_environment, &input, &result);
  return result;
}

static void compare_results(const struct bpf_result *result, const struct bpf_result *expected, const char *engine) {
  require(result->fault == expected->fault, engine, "the fault", result->fault, expected->fault);
  require(result->r0 == expected->r0, engine, "r0", result->r0, expected->r0);
  if (expected->fault == BPF_FAULT_BUDGET) return; /* where it ends, native code does not say exactly */
  require(result->fault_insn == expected->fault_insn, engine, "the faulting instruction", result->fault_insn,
          expected->fault_insn);
  require(result->fault_address == expected->fault_address, engine, "the faulting address", result->fault_address,
          expected->fault_address);
}

/* --- Linux --- */

static struct {
  uint64_t every; /* so many programs run there; 0: none */
  uint64_t ran, refused;
} linux_engine;

bool compare_with_linux(uint64_t every) {
  static const struct linux_map maps[GENERATE_MAPS] = {
      {BPF_MAP_TYPE_ARRAY, 4, 80, 1},
      {BPF_MAP_TYPE_ARRAY, 4, GENERATE_VALUE, GENERATE_VALUES},
      {BPF_MAP_TYPE_HASH, 4, GENERATE_VALUE, GENERATE_VALUES},
      {BPF_MAP_TYPE_PROG_ARRAY, 4, 4, GENERATE_CELLS},
  };
  const char *why;
  bool good = linux_begin(maps, &why);
  for (unsigned i = 0; i < GENERATE_TARGETS && good; i++) {
    good = linux_put_program(GENERATE_PROGRAMS, i, generate_targets[i].insns, generate_targets[i].count, &why);
  }
  if (!good) fprintf(stderr, "not compared with Linux: bpf(): %s\n", why);
  linux_engine.every = good ? every : 0;
  return good;
}

void compare_linux_counts(uint64_t *ran, uint64_t *refused) {
  *ran = linux_engine.ran;
  *refused = linux_engine.refused;
}

/* The maps are ours as the interpreter left them. */
static void compare_map_with_linux(unsigned index) {
  struct bpf_map *map = test.maps[index];
  uint32_t key, next;
  uint8_t value[128];
  for (long more = map->ops->next_key(map, NULL, &next); more == 0; more = map->ops->next_key(map, &key, &next)) {
    const uint8_t *ours = map->ops->lookup(map, &next);
    require(linux_lookup(index, &next, value), "Linux", "a map's entry under this key, which Linux lacks,", 0, next);
    for (uint32_t i = 0; i < map->def.value_size; i++) {
      if (value[i] != ours[i]) fprintf(stderr, "map %s, key %u, byte %u\n", map->def.name, next, i);
      require(value[i] == ours[i], "Linux", "a byte of a map", value[i], ours[i]);
    }
    key = next;
  }
  require(linux_count(index) == map->count, "Linux", "a map's count", linux_count(index), map->count);
}

static void compare_linux(const struct world *before, const struct world *after, const struct bpf_result *expected) {
  uint8_t packet[4096];
  uint32_t length = test.length, r0;
  memcpy(packet, before->area + GUARD, length);
  if (linux_run(test.generated.insns, test.generated.count, packet, &length, &r0) == 0) {
    linux_engine.refused++;
    return;
  }
  linux_engine.ran++;
  require(r0 == (uint32_t)expected->r0, "Linux", "r0", r0, (uint32_t)expected->r0);
  require(length == test.length, "Linux", "the packet's length", length, test.length);
  for (uint32_t i = 0; i < length; i++) {
    require(packet[i] == after->area[GUARD + i], "Linux", "a byte of the packet", packet[i], after->area[GUARD + i]);
  }
  for (unsigned i = 0; i < GENERATE_PROGRAMS; i++) {
    compare_map_with_linux(i);
  }
}

uint64_t compare_rule_count(enum bpf_jit_rule rule) { return test.rules[rule]; }

/* The targets in the engine of the program, or, half of the time, in the other one. */
static void translate_targets(bool native, const struct bpf_jit_options *options) {
  for (unsigned i = 0; i < GENERATE_TARGETS; i++) {
    if (test.targets[i].code != NULL) test.targets[i].code->release(test.targets[i].code);
    test.targets[i].code = NULL;
    if (native && bpf_jit(&test.targets[i], NULL, options, NULL) != 0) abort();
  }
}

static void random_packet(struct choices *c) {
  memset(test.area, 0xa5, AREA);
  test.length =
      (uint32_t)(test.safe ? choose(c, PACKET_MAX - GENERATE_PACKET_MIN) + GENERATE_PACKET_MIN : choose(c, PACKET_MAX));
  for (uint32_t i = 0; i < test.length; i++) {
    test.area[GUARD + i] = (uint8_t)choose(c, 256);
  }
}

/* What the JIT says of the slots of a program, and which of them were executed. */
static struct {
  uint64_t rules[GENERATE_INSNS_MAX];
  uint8_t *executed;
  uint64_t met; /* rules of executed slots, as a set */
} traced;

static void forget_trace(void) {
  memset(traced.rules, 0, sizeof traced.rules);
  memset(traced.executed, 0, GENERATE_INSNS_MAX);
}

static void note_trace(void) {
  for (uint32_t at = 0; at < test.generated.count; at++)
    if (traced.executed[at]) traced.met |= traced.rules[at];
}

void compare_engines(struct choices *c, bool safe, uint64_t number) {
  static struct world fresh, before, after;
  static struct bpf_jit_cpu cpu; /* asked for once: CPUID takes longer than the rest in a virtual machine */
  if (test.area == NULL) {
    make_maps();
    save(&fresh);
    cpu = bpf_jit_this_cpu();
    traced.executed = memory_alloc_low(GENERATE_INSNS_MAX, 16);
    if (traced.executed == NULL) abort();
  }
  test.safe = safe;
  test.number = number;
  restore(&fresh);
  generate(c, safe, &test.generated);
  random_packet(c);
  save(&before);
  struct bpf_program program = {test.generated.insns, test.generated.count, test.maps, GENERATE_MAPS};
  struct report report = {0};
  if (bpf_check(program.insns, program.insn_count, GENERATE_MAPS, &report) != 0 ||
      bpf_program_prepare(&program, &report) != 0) {
    fprintf(stderr, "%s", text_string(&report.text));
    fail("bpf_check", "its answer", 1, 0);
  }
  const struct bpf_jit_options plain = {
      .blind = choose(c, 4) == 3,
      .blind_seed = number + 1,
      .cpu = choose(c, 2) == 0 ? cpu : (struct bpf_jit_cpu){false, false, false},
  };
  const bool mixed = choose(c, 2) != 0;
  /* Code that notes what is executed is longer: not always. */
  struct bpf_jit_options options = plain;
  if (choose(c, 2) != 0) {
    options.rules = traced.rules;
    options.executed = traced.executed;
  }
  traced.met = 0;
  static const char *const engines[] = {"the interpreter", "checked native code", "native code with facts"};
  struct bpf_result expected = {0};
  /* All from the same place: then the machine lies where it lay before. */
  for (unsigned engine = 0; engine < (safe ? 3 : 2); engine++) {
    if (engine > 0) {
      forget_trace();
      int error = bpf_jit(&program, engine == 2 ? test.generated.facts : NULL, &options, NULL);
      require(error == 0, engines[engine], "bpf_jit", (uint64_t)error, 0);
      restore(&before);
    }
    translate_targets((engine > 0) != mixed, &plain);
    const struct bpf_result result = run(&program);
    if (engine == 0) {
      expected = result;
      require(!safe || expected.fault == BPF_FAULT_NONE, engines[0], "the fault", expected.fault, BPF_FAULT_NONE);
      save(&after);
      if (safe && linux_engine.every != 0 && number / 3 % linux_engine.every == 0) {
        compare_linux(&before, &after, &expected);
      }
      continue;
    }
    compare_results(&result, &expected, engines[engine]);
    if (expected.fault != BPF_FAULT_BUDGET) compare(engines[engine], &after);
    note_trace();
    program.code->release(program.code);
    program.code = NULL;
  }
  for (unsigned rule = 0; rule < BPF_JIT_RULES; rule++) {
    test.rules[rule] += traced.met >> rule & 1;
  }
  memory_free(program.functions);
}
