/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the eBPF engine makes of a program: nanoseconds per run on one core, net of an empty program, in the interpreter, compiled with
 * every check, compiled with the facts of its proof, in Linux (BPF_PROG_TEST_RUN), and of the same source compiled by clang -O2. All
 * are run in turns, so that whatever else the machine does meets them alike. Prints tables in Markdown.
 *
 * usage: bpf FOLDER [KERNEL]   (FOLDER has what bench/bpf.py compiles: NAME.bpf.o for eBPF, NAME.so in plain C)
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/bpf_linux.h"
#include "bench/measure.h"
#include "bench/programs/frames.h"
#include "bench/programs/rules.h"
#include "bpf/jit.h"
#include "lib/bytes.h"
#include "lib/memory.h"
#include "tools/bpf_instance.h"
#include "tools/file.h"

enum {
  ROUNDS = 31,
  /* Of one turn: long enough for tables to be in the caches that they fit in, and for Linux's system call, which interrupts other
   * processors to patch its code, not to count. */
  TURN_NS = 3000000,
  MOST_RUNS = 200000,
  TRANSLATIONS = 51,
  REPEATS = 16, /* of a translation in one turn: reading the clock takes as long as a small one */
  BUFFER_LENGTH = 4096,
  PACKET_AT = 256,
  OBJECT_MOST = 1 << 20,
  PATH_MOST = 512
};

enum engine { INTERPRETER, CHECKED, FACTS, OURS, LINUX = OURS, NATIVE, ENGINES };

enum {
  PLAIN = 1,  /* there is a version in plain C */
  COUNTS = 2, /* in the means; the others have an aim of their own */
  CALLS = 4,  /* helpers, whose time is not the interpreter's */
};

/* Of a map: the key and value of entry i, in buffers that are large enough. */
typedef void make_entry(uint32_t i, void *key, void *value);

struct kernel {
  const char *title, *object, *program;
  unsigned traits;
  const char *map; /* that is filled before; NULL: none */
  uint32_t entries;
  make_entry *entry;
  bool skipped;
  struct bpf_instance instance[ENGINES]; /* the native code's has maps to look up in; Linux has its own */
  struct bpf_proven proven;
  struct linux_program *linux_program;
  void *library;
  int (*native)(struct xdp_md *context);
  uint32_t executed; /* instructions in one run */
  uint32_t runs;     /* of one turn, in every engine: so what a turn itself costs is in the empty program's too */
  double net[ENGINES][ROUNDS];
  double translation[2][TRANSLATIONS]; /* checked, with facts: ns for all programs */
};

static uint8_t *buffer; /* low memory: headroom and packet */
static char linux_refusal[128];

static _Noreturn void fail(const char *what, const char *which) {
  fprintf(stderr, "bpf: %s: %s\n", which, what);
  exit(1);
}

/* --- what maps and packet hold --- */

static uint32_t seed = 1;
static uint32_t chance(void) {
  seed = seed * 1664525 + 1013904223;
  return seed;
}

static void make_spread(uint32_t i, void *key, void *value) {
  const uint64_t spread = i * (uint64_t)0x2545f4914f6cdd1d, number = i;
  memcpy(key, &spread, sizeof spread);
  memcpy(value, &number, sizeof number);
}

/* All but the last ask for a source that the packet doesn't have, or have its source and ask for another port. */
static void make_rules(uint32_t i, void *key, void *value) {
  const struct rules *const end = (const struct rules *)value + 1;
  memcpy(key, &i, sizeof i);
  for (struct rule *rule = value; rule < (const struct rule *)end; rule++) {
    bool last = rule + 1 == (const struct rule *)end, near = chance() >> 31;
    rule->src_mask = 0x00ffffff;
    rule->src = near || last ? 0x0002000a : (chance() >> 8 | 1) & rule->src_mask;
    rule->dst_mask = UINT32_MAX;
    rule->dst = 0x010200c0;
    rule->port_low = last ? 0 : 1024;
    rule->port_high = last ? UINT16_MAX : 2047;
  }
}

static void make_prefix(uint32_t i, void *key, void *value) {
  uint32_t length = i == 0 ? 0 : 8 + (chance() >> 8) % 21;
  uint8_t *bytes = key;
  memcpy(bytes, &length, sizeof length);
  store_be32(bytes + 4, length == 0 ? 0 : chance() & UINT32_MAX << (32 - length));
  memcpy(value, &i, sizeof i);
}

static void make_ring(uint32_t i, void *key, void *value) {
  const uint32_t next = i * 5 + 3;
  memcpy(key, &i, sizeof i);
  memcpy(value, &next, sizeof next);
}

/* Ethernet, perhaps a VLAN tag, IPv4 or IPv6, UDP or TCP, anything; the first frame is the one that the rules are about. */
static void make_packet(uint8_t *packet) {
  static const uint8_t ipv4[] = {0x08, 0x00, 0x45, 0, 0, 62, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 2, 7, 192, 0, 2, 1};
  static const uint8_t ipv6[] = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 22, 6, 64, 0x20, 0x01, 0x0d, 0xb8};
  static const uint8_t tag[] = {0x81, 0x00, 0, 7};
  for (unsigned i = 0; i < PACKET_BYTES; i++)
    packet[i] = (uint8_t)(chance() >> 24);
  for (unsigned i = 0; i < FRAMES; i++) {
    uint32_t kind = i == 0 ? 0 : chance() >> 24;
    uint8_t *at = packet + i * FRAME_BYTES + 12;
    if (kind % 4 == 3) {
      memcpy(at, tag, sizeof tag);
      at += sizeof tag;
    }
    bool is_ipv6 = kind % 8 >= 6;
    memcpy(at, is_ipv6 ? ipv6 : ipv4, is_ipv6 ? sizeof ipv6 : sizeof ipv4);
  }
}

/* --- one run --- */

static bool present(const struct kernel *k, enum engine engine) {
  return engine < OURS || (engine == LINUX ? k->linux_program != NULL : k->native != NULL);
}

static uint32_t run_once(struct kernel *k, enum engine engine, uint32_t runs) {
  const uint64_t data = (uint64_t)(uintptr_t)buffer + PACKET_AT;
  uint32_t verdict = 0;
  if (engine == LINUX) {
    if (!linux_program_run(k->linux_program, buffer + PACKET_AT, PACKET_BYTES, runs, &verdict)) fail("Linux", k->title);
  } else if (engine == NATIVE) {
    struct xdp_md context = {.data = (uint32_t)data, .data_end = (uint32_t)data + PACKET_BYTES};
    for (uint32_t i = 0; i < runs; i++)
      verdict = (uint32_t)k->native(&context);
  } else {
    const struct bpf_input input = {.data = data, .data_end = data + PACKET_BYTES};
    struct bpf_result result = {.executed = 0};
    for (uint32_t i = 0; i < runs; i++)
      bpf_run(&k->instance[engine].programs[0], &bpf_instance_environment, &input, &result);
    if (result.fault != BPF_FAULT_NONE) fail(bpf_fault_text(result.fault), k->title);
    if (engine == INTERPRETER) k->executed = result.executed;
    verdict = (uint32_t)result.r0;
  }
  return verdict;
}

/* ns for a run. */
static double time_turn(struct kernel *k, enum engine engine, uint32_t runs) {
  uint64_t started = measure_busy();
  run_once(k, engine, runs);
  return (double)(measure_busy() - started) / runs;
}

/* --- getting ready --- */

static const char *path(const char *folder, const struct kernel *k, const char *suffix) {
  static char text[PATH_MOST];
  snprintf(text, sizeof text, "%s/%s%s", folder, k->object, suffix);
  return text;
}

static struct bpf_jit_options jit_options; /* CPUID once: in a virtual machine it takes microseconds */

/* ns for all programs of the object. The last translation of each stays. */
static uint64_t translate(const struct kernel *k, struct bpf_instance *instance, bool with_facts) {
  struct report report = {0};
  uint64_t spent = 0;
  for (uint32_t i = 0; i < instance->program_count; i++) {
    struct bpf_program *program = &instance->programs[i];
    struct bpf_code *made[REPEATS];
    int error = 0;
    if (program->code != NULL) program->code->release(program->code);
    uint64_t started = measure_busy();
    for (unsigned repeat = 0; repeat < REPEATS && error == 0; repeat++) {
      error = bpf_jit(program, with_facts ? k->proven.of[i] : NULL, &jit_options, &report);
      made[repeat] = program->code;
    }
    spent += measure_busy() - started;
    if (error) fail(text_string(&report.text), k->title);
    for (unsigned repeat = 0; repeat + 1 < REPEATS; repeat++)
      made[repeat]->release(made[repeat]);
  }
  return spent / REPEATS;
}

static void make_ours(struct kernel *k, const char *folder) {
  struct report report = {0};
  struct text object = {0};
  struct linked_program *linked = NULL;
  const struct link_options options = {.file = k->object, .name = k->object, .program = k->program};
  if (file_read(path(folder, k, ".bpf.o"), OBJECT_MOST, &object, &report) != 0 ||
      link_object((const uint8_t *)object.data, object.length, &options, &linked, &report) != 0) {
    fail(text_string(&report.text), k->title);
  }
  for (unsigned engine = 0; engine < ENGINES; engine++)
    if (engine != LINUX && bpf_instance_make(&k->instance[engine], linked, false, &report) != 0)
      fail(text_string(&report.text), k->title);
  if (bpf_prove(linked, k->object, &k->proven, &report) != 0) fail(text_string(&report.text), k->title);
  translate(k, &k->instance[CHECKED], false);
  translate(k, &k->instance[FACTS], true);
  link_free(linked);
  text_free(&object);
}

static void make_native(struct kernel *k, const char *folder) {
  k->library = dlopen(path(folder, k, ".so"), RTLD_NOW | RTLD_LOCAL);
  if (k->library == NULL) fail(dlerror(), k->title);
  /* The standard has no conversion from pointers to functions; POSIX's way around. */
  *(void **)&k->native = dlsym(k->library, k->program);
  if (k->native == NULL) fail(dlerror(), k->title);
}

static void put_ours(struct kernel *k, const struct bpf_instance *instance, const void *key, const void *value) {
  struct bpf_map *map = bpf_instance_map(instance, slice_of(k->map));
  if (map == NULL || map->ops->update(map, key, value, BPF_ANY, 0) != 0) fail("a map refuses an entry", k->title);
}

/* What native code calls the map, with a suffix. NULL: it has no such thing. */
static void *native_name(const struct kernel *k, const char *suffix) {
  char name[BPF_MAP_NAME_MAX + 16];
  snprintf(name, sizeof name, "%s%s", k->map, suffix);
  return k->library != NULL ? dlsym(k->library, name) : NULL;
}

static void fill(struct kernel *k) {
  static _Alignas(8) uint8_t key[BPF_MAP_MAX_KEY], value[BPF_MAP_MAX_VALUE];
  void (*put)(const void *key, const void *value) = NULL;
  *(void **)&put = native_name(k, "_put");
  struct bpf_map **map = native_name(k, "_map");
  void *(**function)(struct bpf_map * map, const void *key) = native_name(k, "_function");
  if (map != NULL && function != NULL) {
    *map = bpf_instance_map(&k->instance[NATIVE], slice_of(k->map));
    *function = (*map)->ops->lookup;
  }
  for (uint32_t i = 0; i < k->entries; i++) {
    k->entry(i, key, value);
    for (unsigned engine = 0; engine < ENGINES; engine++)
      if (engine != LINUX) put_ours(k, &k->instance[engine], key, value);
    if (k->linux_program != NULL && !linux_program_put(k->linux_program, k->map, key, value)) {
      fail("a map of Linux refuses an entry", k->title);
    }
    if (put != NULL) put(key, value);
  }
}

/* Every engine's first run gives the same. */
static void compare_engines(struct kernel *k) {
  uint32_t expected = run_once(k, INTERPRETER, 1);
  for (unsigned engine = CHECKED; engine < ENGINES; engine++)
    if (present(k, engine) && run_once(k, engine, 1) != expected) fail("engines disagree", k->title);
}

static void make(struct kernel *k, const char *folder) {
  make_ours(k, folder);
  k->linux_program = linux_program_load(path(folder, k, ".bpf.o"), k->program, linux_refusal, sizeof linux_refusal);
  if (k->traits & PLAIN) make_native(k, folder);
  if (k->map != NULL) fill(k);
  compare_engines(k);
  double ns = time_turn(k, FACTS, 16);
  k->runs = ns * MOST_RUNS > TURN_NS ? (uint32_t)(TURN_NS / ns) + 1 : MOST_RUNS;
}

static void release(struct kernel *k) {
  for (unsigned engine = 0; engine < ENGINES; engine++)
    bpf_instance_free(&k->instance[engine]);
  memory_free(k->proven.facts);
  linux_program_free(k->linux_program);
  if (k->library != NULL) dlclose(k->library);
}

/* --- measuring --- */

/* The empty program takes its turn right beside each. */
static void take_turns(struct kernel *k, struct kernel *empty, unsigned round) {
  for (unsigned engine = 0; engine < ENGINES; engine++) {
    if (!present(k, engine)) continue;
    uint32_t runs = engine == INTERPRETER ? k->runs / 16 + 1 : k->runs;
    double own = time_turn(empty, engine, runs);
    k->net[engine][round] = time_turn(k, engine, runs) - own;
  }
}

/* What is too short to be told from nothing is a tenth of a nanosecond. */
static double net(const struct kernel *k, enum engine engine) {
  return fmax(measure_median(k->net[engine], ROUNDS), 0.1);
}

/* --- printing --- */

static uint32_t instructions(const struct kernel *k) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < k->instance[FACTS].program_count; i++) {
    const struct bpf_program *program = &k->instance[FACTS].programs[i];
    for (uint32_t at = 0; at < program->insn_count; at++, count++)
      at += program->insns[at].code == (BPF_LD | BPF_IMM | BPF_DW);
  }
  return count;
}

static uint32_t code_bytes(const struct kernel *k, enum engine engine) {
  uint32_t bytes = 0;
  for (uint32_t i = 0; i < k->instance[engine].program_count; i++)
    bytes += bpf_jit_code(&k->instance[engine].programs[i]).length;
  return bytes;
}

static void print_ns(const struct kernel *k, enum engine engine) {
  if (present(k, engine)) {
    printf(" %.1f |", net(k, engine));
  } else {
    printf(engine == LINUX ? " refused |" : " - |");
  }
}

static void print_ratio(const struct kernel *k, enum engine engine, enum engine peer, double limit) {
  if (!present(k, peer)) {
    printf(" - |");
    return;
  }
  double ratio = net(k, engine) / net(k, peer);
  printf(ratio > limit ? " **%.2f** |" : " %.2f |", ratio);
}

enum { WITH_FACTS = 1 };
static const double linux_limit = 1.0, native_limit = 1.25, checked_limit = 1.4;

static void print_times(const struct kernel *kernels, unsigned count) {
  printf(
      "| kernel | interpreter | JIT, checked | JIT, facts | Linux | clang -O2 | facts / Linux | facts / clang | checked / facts |\n");
  printf("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (unsigned i = 1; i < count; i++) {
    const struct kernel *k = &kernels[i];
    if (k->skipped) continue;
    printf("| %s |", k->title);
    for (unsigned engine = 0; engine < ENGINES; engine++)
      print_ns(k, engine);
    print_ratio(k, FACTS, LINUX, linux_limit);
    print_ratio(k, FACTS, NATIVE, native_limit);
    print_ratio(k, CHECKED, FACTS, checked_limit);
    printf("\n");
  }
}

static void print_code(const struct kernel *kernels, unsigned count) {
  printf(
      "\n| kernel | eBPF instructions | executed | bytes for one, facts | checked | Linux | translation of one, ns, facts | checked "
      "| interpreter, ns for one executed |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (unsigned i = 0; i < count; i++) {
    const struct kernel *k = &kernels[i];
    if (k->skipped) continue;
    double all = instructions(k);
    printf("| %s | %.0f | %u | %.1f | %.1f |", k->title, all, k->executed, code_bytes(k, FACTS) / all,
           code_bytes(k, CHECKED) / all);
    /* Linux tells of the first program only. */
    if (k->linux_program != NULL && k->instance[FACTS].program_count == 1) {
      printf(" %.1f |", linux_program_code(k->linux_program) / all);
    } else {
      printf(" - |");
    }
    printf(" %.0f | %.0f |", measure_median(k->translation[WITH_FACTS], TRANSLATIONS) / all,
           measure_median(k->translation[0], TRANSLATIONS) / all);
    if (i == 0) {
      printf(" - |\n");
    } else {
      printf(" %.2f |\n", net(k, INTERPRETER) / k->executed);
    }
  }
}

/* Geometric mean over the kernels that count and have both. 0: none has. */
static double mean_ratio(const struct kernel *kernels, unsigned count, enum engine engine, enum engine peer) {
  double logarithms = 0;
  unsigned added = 0;
  for (unsigned i = 1; i < count; i++) {
    const struct kernel *k = &kernels[i];
    if (k->skipped || !(k->traits & COUNTS) || !present(k, peer)) continue;
    logarithms += log(net(k, engine) / net(k, peer));
    added++;
  }
  return added == 0 ? 0 : exp(logarithms / added);
}

static double worst_ratio(const struct kernel *kernels, unsigned count, enum engine engine, enum engine peer) {
  double worst = 0;
  for (unsigned i = 1; i < count; i++) {
    const struct kernel *k = &kernels[i];
    if (!k->skipped && (k->traits & COUNTS) && present(k, peer)) worst = fmax(worst, net(k, engine) / net(k, peer));
  }
  return worst;
}

static void print_aim(const char *what, double aim, double here) {
  printf(here > aim ? "| %s | %.2f | **%.2f** |\n" : "| %s | %.2f | %.2f |\n", what, aim, here);
}

static const struct kernel *find(const struct kernel *kernels, unsigned count, const char *program) {
  for (unsigned i = 0; i < count; i++)
    if (strcmp(kernels[i].program, program) == 0 && !kernels[i].skipped) return &kernels[i];
  return NULL;
}

static void print_aims(const struct kernel *kernels, unsigned count) {
  enum { OPERATIONS = 64 /* in array_lookups.bpf.c and helper_calls.bpf.c */ };
  double bytes = 0, translation = 0, all = 0, interpreted = 0, executed = 0;
  for (unsigned i = 1; i < count; i++) {
    const struct kernel *k = &kernels[i];
    if (k->skipped) continue;
    bytes += code_bytes(k, FACTS);
    translation += measure_median(k->translation[WITH_FACTS], TRANSLATIONS);
    all += instructions(k);
    if (k->traits & CALLS) continue;
    interpreted += net(k, INTERPRETER);
    executed += k->executed;
  }
  printf("\n| what | aim | here |\n|---|---:|---:|\n");
  if (mean_ratio(kernels, count, FACTS, LINUX) > 0) {
    print_aim("facts / Linux, geometric mean", 0.80, mean_ratio(kernels, count, FACTS, LINUX));
    print_aim("facts / Linux, worst kernel", linux_limit, worst_ratio(kernels, count, FACTS, LINUX));
  }
  print_aim("facts / clang, geometric mean", native_limit, mean_ratio(kernels, count, FACTS, NATIVE));
  print_aim("checked / facts, geometric mean", checked_limit, mean_ratio(kernels, count, CHECKED, FACTS));
  print_aim("checked / facts, worst kernel", checked_limit, worst_ratio(kernels, count, CHECKED, FACTS));
  const struct kernel *lookups = find(kernels, count, "array_lookups"), *calls = find(kernels, count, "helper_calls");
  if (lookups != NULL) {
    print_aim("array lookup, ns more than in clang's code", 1,
              (net(lookups, FACTS) - net(lookups, NATIVE)) / OPERATIONS);
  }
  if (calls != NULL) print_aim("helper call, ns", 1.5, net(calls, FACTS) / OPERATIONS);
  print_aim("bytes of code for an instruction, facts, all kernels", 4.2, bytes / all);
  print_aim("translation of an instruction, ns, facts, all kernels", 60, translation / all);
  print_aim("interpreter, ns for an instruction, kernels that call no helpers in loops", 3, interpreted / executed);
}

int main(int argc, char **argv) {
  static struct kernel kernels[] = {
      {"empty", "empty", "empty", PLAIN, NULL, 0, NULL},
      {"hash of 1500 bytes", "packet_hash", "packet_hash", PLAIN | COUNTS, NULL, 0, NULL},
      {"16 frames: headers, hash of the 5-tuple", "flow_hash", "flow_hash", PLAIN | COUNTS, NULL, 0, NULL},
      {"64 counters in an array map", "byte_counter", "byte_counter", PLAIN | COUNTS | CALLS, NULL, 0, NULL},
      {"32 hash lookups, 1 entry", "hash_lookup", "hash_lookup_one", PLAIN | COUNTS | CALLS, "one", 1, make_spread},
      {"32 hash lookups, 10 k entries", "hash_lookup", "hash_lookup_thousands", PLAIN | COUNTS | CALLS, "thousands",
       10000, make_spread},
      {"32 hash lookups, 1 M entries", "hash_lookup", "hash_lookup_million", PLAIN | COUNTS | CALLS, "million", 1000000,
       make_spread},
      {"linear match of 1000 rules", "rule_match", "rule_match", PLAIN | COUNTS, "rule_list", 1, make_rules},
      {"checksum of 1500 bytes", "packet_checksum", "packet_checksum", PLAIN | COUNTS, NULL, 0, NULL},
      {"16 LPM lookups, 1000 prefixes", "lpm_lookup", "lpm_lookup", PLAIN | COUNTS | CALLS, "routes", 1000,
       make_prefix},
      {"8 tail calls", "tail_calls", "tail_calls", PLAIN | COUNTS | CALLS, NULL, 0, NULL},
      {"64 array lookups, one after the other", "array_lookups", "array_lookups", PLAIN | CALLS, "ring", 256,
       make_ring},
      {"64 helper calls", "helper_calls", "helper_calls", CALLS, NULL, 0, NULL},
  };
  enum { COUNT = sizeof kernels / sizeof *kernels };
  if (argc < 2) fail("usage: bpf FOLDER [KERNEL]", "arguments");
  buffer = memory_alloc_low(BUFFER_LENGTH, BUFFER_LENGTH);
  if (buffer == NULL) fail("out of memory", "packet");
  jit_options.cpu = bpf_jit_this_cpu();
  make_packet(buffer + PACKET_AT);
  for (unsigned i = 0; i < COUNT; i++) {
    kernels[i].skipped = i > 0 && argc > 2 && strcmp(kernels[i].program, argv[2]) != 0;
    if (!kernels[i].skipped) make(&kernels[i], argv[1]);
  }
  for (unsigned round = 0; round < ROUNDS; round++)
    for (unsigned i = 1; i < COUNT; i++)
      if (!kernels[i].skipped) take_turns(&kernels[i], &kernels[0], round);
  for (unsigned round = 0; round < TRANSLATIONS; round++)
    for (unsigned i = 0; i < COUNT; i++)
      for (unsigned facts = 0; facts < 2 && !kernels[i].skipped; facts++)
        kernels[i].translation[facts][round] =
            (double)translate(&kernels[i], &kernels[i].instance[facts ? FACTS : CHECKED], facts);
  printf(
      "Nanoseconds for a run, net of the empty program, medians of %d rounds in turns; in bold what misses its aim. Facts are those of "
      "the programs' proofs.\n\n",
      ROUNDS);
  print_times(kernels, COUNT);
  print_code(kernels, COUNT);
  print_aims(kernels, COUNT);
  if (linux_refusal[0] != '\0') printf("\nLinux refuses: %s.\n", linux_refusal);
  for (unsigned i = 0; i < COUNT; i++)
    if (!kernels[i].skipped) release(&kernels[i]);
  memory_free_low(buffer, BUFFER_LENGTH);
  return 0;
}
