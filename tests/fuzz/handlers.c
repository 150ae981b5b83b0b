/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: handlers. Each line of the input is "r NAME PARAMETER" or "w NAME VALUE" for a graph of many classes. A refusal
 * says why, check agrees with what happens, and nothing is left over.
 */
#include <sodium.h>
#include <stdlib.h>

#include "bundle/writer.h"
#include "click/router.h"

static uint64_t clock_now;
static uint64_t now(void) { return clock_now += 1000; }
static uint32_t random_number(void) { return 4; }
static void log_line(enum log_level level, const char *text, size_t length) {}
static struct nic *nic_find(const char *name) { return NULL; }
static struct text bundle;
static struct slice file(const char *name) {
  return strcmp(name, "t.imb") == 0 ? (struct slice){bundle.data, bundle.length} : (struct slice){NULL, 0};
}
static void defer(struct deferred *node, void (*function)(struct deferred *)) { function(node); }
static void stop_driver(void) {}

static struct packet_pool pool;
static struct version_floors floors;
static struct bundle_key key = {.name = "fuzz"};
static struct services services = {.now = now,
                                   .wall = now,
                                   .random = random_number,
                                   .log = log_line,
                                   .defer = defer,
                                   .nic_find = nic_find,
                                   .file = file,
                                   .stop_driver = stop_driver,
                                   .pool = &pool,
                                   .keys = &key,
                                   .key_count = 1,
                                   .floors = &floors,
                                   .allow_unproven = true};
static const char graph[] = "Idle -> c :: Counter -> p :: Paint(1) -> w :: Switch -> q :: Queue(10) -> u :: Unqueue -> "
                            "Discard; w [1] -> Discard; f :: Script(TYPE PASSIVE, export x 1, return $(add $1 $x)); "
                            "d :: DriverManager(pause, wait 1s, loop); b :: ProgressBar(c.count, f.x); "
                            "any :: Script(TYPE PROXY, return $0:$args); "
                            "Idle -> n :: LinearIPLookup(10/8 1.2.3.4 1, 0/0 0) -> n0 :: Discard; n [1] -> n0; "
                            "Idle -> t :: RadixIPLookup(10/8 1.2.3.4 1, 0/0 0) -> n0; t [1] -> n0; "
                            "Idle -> e :: BPFRewriter(t.imb, CONST rate=7) -> n0;";

/* --- the program of e, with maps of many types and a tunable --- */

static const struct bpf_insn insns[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
                                        {.code = BPF_JMP | BPF_EXIT}};
static const struct bpf_map_def maps[] = {
    {"t.rodata", BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_RDONLY_PROG},
    {"flows", BPF_MAP_TYPE_HASH, 6, 12, 4, 0},
    {"counts", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2, 0},
    {"prefixes", BPF_MAP_TYPE_LPM_TRIE, 8, 4, 4, BPF_F_NO_PREALLOC},
    {"list", BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0},
    {"ports", BPF_MAP_TYPE_DEVMAP, 4, 4, 4, 0},
    {"ring", BPF_MAP_TYPE_RINGBUF, 0, 0, 4096, 0},
};
enum { MAPS = sizeof(maps) / sizeof(maps[0]) };
static const struct slice initial[MAPS] = {{"\1\0\0\0\xff\xff\xff\xff", 8}};
static const struct bundle_tunable tunables[] = {{"rate", 0, 0, 4, false, 1, 1000},
                                                 {"bias", 0, 4, 4, true, (uint64_t)-5, 5}};
/* A struct of a number and an array of two. */
static const struct bpf_type types[] = {
    {BPF_TYPE_UNSIGNED, {0}, 4, 0, 0}, {BPF_TYPE_ARRAY, {0}, 8, 0, 2}, {BPF_TYPE_STRUCT, {0}, 12, 0, 2}};
static const struct bpf_type_member members[] = {{1, 0, 0, 0}, {3, 1, 32, 0}};
static const struct bundle_map_types map_types[MAPS] = {
    {BPF_NO_TYPE, BPF_NO_TYPE}, {BPF_NO_TYPE, 2}, {0, 1}, {1, 0}, {BPF_NO_TYPE, 0}, {0, 0}, {BPF_NO_TYPE, BPF_NO_TYPE}};

static int make_bundle(void) {
  const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
  uint8_t secret[BUNDLE_SECRET_KEY_SIZE];
  const struct bundle_description description = {.meta = {.name = "t", .version = 1, .audience = "*", .section = "xdp"},
                                                 .insns = insns,
                                                 .insn_count = sizeof(insns) / sizeof(insns[0]),
                                                 .maps = maps,
                                                 .initial = initial,
                                                 .map_count = MAPS,
                                                 .types = {types, members, "\0a\0b", 3, 2, 5},
                                                 .map_types = map_types,
                                                 .tunables = tunables,
                                                 .tunable_count = 2};
  crypto_sign_seed_keypair(key.public_key, secret, seed);
  bundle_key_identify(&key);
  return bundle_write(&description, secret, &bundle, NULL);
}

static void one_line(struct router *router, struct slice line) {
  struct slice verb = slice_next_word(&line), name = slice_next_word(&line);
  struct report report = {0};
  struct text out = {0};
  bool write = slice_equals(verb, "w"), known = false;
  int allowed = router_check(router, name, write, &known);
  int status = write ? router_write(router, name, line, &report) : router_read(router, name, line, &out, &report);
  if (status < 0 && report.errors == 0) abort();
  if (allowed == -ERROR_NOT_FOUND && status == 0) abort();
  text_free(&out);
  report_free(&report);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  if (packet_pool_init(&pool, 64) != 0 || make_bundle() != 0) abort();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct scheduler scheduler;
  struct router *router;
  struct report report = {0};
  if (size > 4096) return 0;
  clock_now = 0;
  floors = (struct version_floors){0};
  scheduler_init(&scheduler, 0);
  if (router_create("fuzz.click", slice_of(graph), &services, &scheduler, &router, &report) != 0) abort();
  report_free(&report);
  struct slice rest = {(const char *)data, size};
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end ? (size_t)(end - rest.data) : rest.length;
    one_line(router, (struct slice){rest.data, length});
    scheduler_run(&scheduler, clock_now);
    rest.data += end ? length + 1 : length;
    rest.length -= end ? length + 1 : length;
  }
  if (router->handler_depth != 0) abort();
  router_destroy(router);
  if (scheduler_has_tasks(&scheduler) || scheduler_next_deadline(&scheduler) != UINT64_MAX) abort();
  if (pool.free_count != pool.capacity) abort();
  return 0;
}
