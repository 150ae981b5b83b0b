/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the classes that run extensions have in common besides the way of their packets: arguments, start, plain handlers, and
 * the tables of these.
 */
#include "elements/bpf_element.h"

#include "bpf/jit.h"
#include "click/handlers.h"
#include "elements/device.h"
#include "elements/parameter.h"

struct bpf_element *bpf_element_of(struct element *e) {
  return e->class->initialize == bpf_element_initialize ? (struct bpf_element *)e : NULL;
}

/* --- life --- */

enum { MARK_ANNOTATION = 40 }; /* Click's PERFCTR, which nothing here sets */

void bpf_element_defaults(struct element *e, enum bpf_role role) {
  struct bpf_element *b = (struct bpf_element *)e;
  b->role = role;
  b->jit = true;
  b->mark = MARK_ANNOTATION;
  b->priority = b->hash = BPF_NO_ANNOTATION;
}

/* ON_ABORT: "drop", "pass", "port N". */
static int parse_abort(struct bpf_element *b, struct report *report) {
  struct slice rest = slice_trim(slice_of(b->on_abort != NULL ? b->on_abort : "drop"));
  const struct slice word = slice_next_word(&rest), number = slice_next_word(&rest);
  const uint32_t outputs = b->element.output_count;
  uint64_t port = 0;
  b->abort_output = BPF_ABORT_DROPS;
  if (slice_equals(word, "drop") && number.length == 0) return 0;
  if (slice_equals(word, "pass") && number.length == 0) {
    b->abort_output = 0;
    return 0;
  }
  if (!slice_equals(word, "port") || slice_trim(rest).length != 0 || slice_to_u64(number, UINT32_MAX, &port) != 0) {
    return report_error(report, ERROR_INVALID, "ON_ABORT: expected drop, pass or port N, not '%s'", b->on_abort);
  }
  if (port >= outputs) {
    return report_error(report, ERROR_INVALID, "ON_ABORT: there is no output %llu; connected are 0 to %u",
                        (unsigned long long)port, outputs - 1);
  }
  b->abort_output = (uint32_t)port;
  return 0;
}

int bpf_element_configure(struct element *e, const struct args *rest, struct report *report) {
  struct bpf_element *b = (struct bpf_element *)e;
  if (b->fib_name != NULL) {
    b->fib = router_find_in(e, b->fib_name);
    if (b->fib == NULL || b->fib->class->fib_lookup == NULL) {
      return report_error(report, ERROR_NOT_FOUND, "FIB: %s '%s'; name a RadixIPLookup or its like",
                          b->fib == NULL ? "there is no element" : "no routes are in", b->fib_name);
    }
  }
  return parse_abort(b, report);
}

static bool same_text(const char *a, const char *b) { return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0; }

/* Whether what runs in `before` is what would be staged here. */
static bool stages_alike(const struct bpf_element *b, const struct bpf_element *before) {
  return same_text(b->program, before->program) && same_text(b->maps, before->maps) &&
         same_text(b->consts, before->consts) && b->jit == before->jit;
}

/* The file names what an element starts with; a running one has come further, and goes on with what it runs now. */
static struct slice bytes_to_load(const struct bpf_element *b, const struct bpf_element *before) {
  if (before == NULL) return b->element.services->file(b->file);
  return (struct slice){(const char *)before->running->bytes, before->running->bundle->size};
}

int bpf_element_initialize(struct element *e, struct report *report) {
  struct bpf_element *b = (struct bpf_element *)e;
  const struct bpf_element *before = (const struct bpf_element *)router_predecessor(e);
  bpf_element_init_timers(b);
  if (before != NULL && strcmp(before->file, b->file) != 0) before = NULL;
  if (before != NULL && stages_alike(b, before)) return 0;
  struct slice bytes = bytes_to_load(b, before);
  if (bytes.data == NULL) {
    return report_error(report, ERROR_NOT_FOUND,
                        "FILE: no '%s' in the boot archive; put the bundle there under this name", b->file);
  }
  struct report loading = {0};
  int status = bpf_element_load(b, bytes, before != NULL, &loading);
  /* The confirmation is for whoever changes a running system. */
  if (status < 0) {
    struct slice why = slice_trim(slice_of(text_string(&loading.text)));
    report_error(report, (enum error) - status, "FILE: %s: %.*s", b->file, (int)why.length, why.data);
  }
  report_free(&loading);
  return status;
}

void bpf_element_commit(struct element *e) {
  struct bpf_element *b = (struct bpf_element *)e;
  const struct bundle_meta *meta = &b->running->bundle->meta;
  version_floor_raise(e->services->floors, meta->name, meta->version);
  for (unsigned i = 1; i <= NIC_MAX; i++)
    b->nics[i] = device_nic(e->router, i - 1);
  bpf_element_arm_timers(b);
}

void bpf_element_cleanup(struct element *e) {
  struct bpf_element *b = (struct bpf_element *)e;
  timer_unschedule(&b->timer);
  bpf_element_unload(b);
}

/* --- handlers --- */

bool bpf_element_wants_json(struct slice *parameter) {
  const struct slice all = slice_trim(*parameter);
  const struct slice last = {all.data + (all.length < 4 ? 0 : all.length - 4), all.length < 4 ? 0 : 4};
  *parameter = all;
  if (!slice_equals(last, "json")) return false;
  if (all.length > 4 && all.data[all.length - 5] != ' ') return false;
  *parameter = slice_trim((struct slice){all.data, all.length - 4});
  return true;
}

static const char *entry_name(const struct extension *ext) {
  return ext->entry > 0 ? ext->bundle->programs[ext->entry].function : ext->bundle->meta.section;
}

/* Bytes of machine code that its programs became, as far as they are compiled. */
static uint32_t code_size(const struct extension *ext) {
  uint32_t sum = 0;
  for (uint32_t i = 0; i < ext->program_count; i++) {
    if (__atomic_load_n(&ext->programs[i].code, __ATOMIC_ACQUIRE) != NULL)
      sum += bpf_jit_code(&ext->programs[i]).length;
  }
  return sum;
}

static int read_program(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  const struct extension *ext = ((struct bpf_element *)owner)->running;
  const struct bundle *bundle = ext->bundle;
  const bool json = bpf_element_wants_json(&parameter);
  char hash[2 * BUNDLE_HASH_SIZE + 1];
  for (unsigned i = 0; i < sizeof bundle->hash; i++)
    format_text(hash + (size_t)2 * i, 3, "%02x", bundle->hash[i]);
  text_addf(out,
            json ? "{\"name\": \"%s\", \"version\": %llu, \"hash\": \"%s\", \"key\": \"%s\", \"size\": %u, "
                   "\"insns\": %u, \"maps\": %u, \"entry\": \"%s\", \"engine\": \"%s\", \"code\": %u, \"proof\": %u, "
                   "\"bound\": %u}"
                 : "name %s\nversion %llu\nhash %s\nkey %s\nsize %u\ninsns %u\nmaps %u\nentry %s\nengine %s\n"
                   "code %u\nproof %u\nbound %u\n",
            bundle->meta.name, (unsigned long long)bundle->meta.version, hash, ext->key, bundle->size,
            bundle->insn_count, bundle->map_count, entry_name(ext),
            __atomic_load_n(&ext->programs[ext->entry].code, __ATOMIC_RELAXED) != NULL ? "native" : "interpreter",
            code_size(ext), (unsigned)bundle->proof.length,
            ext->facts != NULL ? ext->bound : (unsigned)BPF_MAX_EXECUTED);
  return 0;
}

/* offset picks the member of struct extension_counts. */
static int read_total(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  struct extension_counts totals = bpf_element_totals(owner);
  uint64_t value;
  memcpy(&value, (const char *)&totals + handler->offset, sizeof value);
  text_addf(out, "%llu", (unsigned long long)value);
  return 0;
}

static int read_stats(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report) {
  const struct element *e = owner;
  const struct extension_counts totals = bpf_element_totals(owner);
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {{"packets", totals.packets},         {"passed", totals.passed},          {"dropped", totals.dropped},
              {"transmitted", totals.transmitted}, {"redirected", totals.redirected},  {"aborted", totals.aborted},
              {"faults", totals.faults},           {"callbacks", totals.callbacks},    {"executed", totals.executed},
              {"measured", totals.measured},       {"nanoseconds", totals.nanoseconds}};
  const bool json = bpf_element_wants_json(&parameter);
  if (json) text_add(out, "{");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    text_addf(out, json ? "\"%s\": %llu, " : "%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
  if (json) text_add(out, "\"outputs\": [");
  for (uint32_t i = 0; i < e->output_count; i++) {
    const unsigned long long packets = element_port_packets(e, true, i);
    if (json) {
      text_addf(out, "%s%llu", i > 0 ? ", " : "", packets);
    } else {
      text_addf(out, "output %u %llu\n", i, packets);
    }
  }
  if (json) text_add(out, "]}");
  return 0;
}

/* --- tables --- */

const struct argument bpf_element_arguments[] = {
    {"FILE", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct bpf_element, file),
     "the bundle in the boot archive that it starts with"},
    {"PROGRAM", ARGUMENT_WORD, 0, offsetof(struct bpf_element, program),
     "function or section of the program in the bundle that packets go through (the bundle's first)"},
    {"MAPS", ARGUMENT_STRING, 0, offsetof(struct bpf_element, maps),
     "names of maps that are one with those of other elements that name them, too"},
    {"CONST", ARGUMENT_STRING, 0, offsetof(struct bpf_element, consts),
     "values of the program's tunables: NAME=VALUE, separated by blanks"},
    {"FIB", ARGUMENT_WORD, 0, offsetof(struct bpf_element, fib_name),
     "the route lookup element whose table bpf_fib_lookup asks; its output n is interface n (none)"},
    {"ON_ABORT", ARGUMENT_STRING, 0, offsetof(struct bpf_element, on_abort),
     "what becomes of a packet whose program aborts or faults: drop, pass or port N (drop)"},
    {"JIT", ARGUMENT_BOOL, 0, offsetof(struct bpf_element, jit),
     "run native code; false: the interpreter, which is slower and does the same (true)"},
    {"MARK", ARGUMENT_ANNO4, 0, offsetof(struct bpf_element, mark),
     "tc programs: the annotation that is the packet's mark (40)"},
    {"PRIORITY", ARGUMENT_ANNO4, 0, offsetof(struct bpf_element, priority),
     "tc programs: the annotation that is the packet's priority (none: it is 0, and forgotten)"},
    {"HASH", ARGUMENT_ANNO4, 0, offsetof(struct bpf_element, hash),
     "tc programs: the annotation that is the packet's hash (none: it is 0, and forgotten)"},
    {0}};

#define TOTAL(NAME, HELP) \
  { .name = #NAME, .read = read_total, .offset = offsetof(struct extension_counts, NAME), .help = (HELP) }

const struct handler bpf_element_handlers[] = {
    {.name = "program",
     .read = read_program,
     .write = bpf_element_write_program,
     .help = "the running program [json]; write the bytes of a bundle to replace it while packets flow"},
    {.name = "stats",
     .read = read_stats,
     .help = "packets by verdict and by output, instructions executed, packets timed and their nanoseconds [json]"},
    {.name = "measure",
     .read = handler_read_bool,
     .write = parameter_write_bool,
     .offset = offsetof(struct bpf_element, measured),
     .help = "whether each run of the program is timed, which costs two readings of the clock"},
    TOTAL(passed, "packets that programs passed, over all programs"),
    TOTAL(dropped, "packets that programs dropped"),
    TOTAL(transmitted, "packets that programs sent back"),
    TOTAL(redirected, "packets that programs redirected"),
    TOTAL(aborted, "packets for which programs returned XDP_ABORTED, or what does not lead to an output"),
    TOTAL(faults, "packets at which programs faulted, and timers"),
    TOTAL(callbacks, "timers in maps whose callbacks ran"),
    {.name = "last_fault",
     .read = bpf_element_read_last_fault,
     .help = "the last fault: program, instruction, line, kind"},
    {.name = "history",
     .read = bpf_element_read_history,
     .help =
         "the last 16 programs, one a line: name, version, hash, key, seconds since boot, passed, dropped, aborted, "
         "faults, why it went"},
    {.name = "swap",
     .read = bpf_element_read_swap,
     .help = "how long the parts of the last change took, in nanoseconds; native code is made after it"},
    {.name = "consts",
     .read = bpf_element_read_consts,
     .help = "the program's tunables, one a line: name, value, range [json]"},
    {.name = "const",
     .write = bpf_element_write_const,
     .help = "NAME VALUE: changes a tunable while packets flow, until the program is replaced"},
    {.name = "maps",
     .read = bpf_element_read_maps,
     .help = "its maps, one a line: name, type, key size, value size, capacity, entries [json]"},
    {.name = "map_dump", .read = bpf_element_map_dump, .help = "MAP [json]: all entries, one a line"},
    {.name = "map_get", .read = bpf_element_map_get, .help = "MAP KEY [json]: one entry"},
    {.name = "map_set", .write = bpf_element_map_set, .help = "MAP KEY VALUE: puts an entry in"},
    {.name = "map_delete", .write = bpf_element_map_delete, .help = "MAP KEY: takes an entry out"},
    {.name = "map_records",
     .read = bpf_element_map_records,
     .help = "MAP [json]: takes what is in a ring buffer or perf event array, a record a line"},
    {0}};

const char *const bpf_element_drops[] = {
    [BPF_DROPPED] = "dropped", [BPF_ABORTED] = "aborted", [BPF_FAULT] = "fault", NULL};
