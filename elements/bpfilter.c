/* SPDX-License-Identifier: BSD-3-Clause
 *
 * BPFilter's packet path and class. Every packet of a batch is judged by the same program: the pointer is read once a
 * batch. Nothing here allocates or locks, and counters are added once a batch.
 */
#include "elements/bpfilter.h"

#include "click/router.h"
#include "elements/run.h"

/* --- what programs see of the system --- */

static uint64_t environment_ktime(void *context) { return ((struct element *)context)->services->now(); }
static uint32_t environment_random(void *context) { return ((struct element *)context)->services->random(); }

static void log_line(const struct element *e, enum log_level level, const char *line, size_t length, size_t size) {
  e->services->log(level, line, length < size ? length : size - 1);
}

static void environment_trace(void *context, const char *text, size_t length) {
  const struct element *e = context;
  char line[512];
  size_t total = format_text(line, sizeof line, "%s: %.*s", e->name, (int)length, text);
  log_line(e, LOG_INFO, line, total, sizeof line);
}

/* --- faults --- */

enum { FAULT_LOG_INTERVAL = 1000000000 }; /* ns: a flood of packets that fault is one line a second */

static void bpfilter_note_fault(struct bpfilter *f, struct extension *ext, const struct bpf_result *result) {
  const struct element *e = &f->element;
  extension_note_fault(ext, result);
  uint64_t now = e->services->now();
  uint64_t next = counter_read(&f->next_fault_log);
  if (now < next || !__atomic_compare_exchange_n(&f->next_fault_log, &next, now + FAULT_LOG_INTERVAL, false,
                                                 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    counter_add(&f->faults_unlogged, 1);
    return;
  }
  uint64_t more = __atomic_exchange_n(&f->faults_unlogged, 0, __ATOMIC_RELAXED);
  char fault[BPFILTER_FAULT_TEXT], line[CLICK_MAX_NAME + sizeof fault + 64], tail[48] = "";
  extension_fault_text(ext, fault, sizeof fault);
  if (more > 0) format_text(tail, sizeof tail, " (and %llu not logged before)", (unsigned long long)more);
  size_t length = format_text(line, sizeof line, "%s: %s%s", e->name, fault, tail);
  log_line(e, LOG_ERROR, line, length, sizeof line);
}

/* --- packets --- */

/* What to do with a packet. The first two are output numbers. */
enum fate { FATE_PASS, FATE_OUTPUT_1, FATE_DROPPED, FATE_ABORTED, FATE_FAULT };

/* Sums over one batch, so that shared counters are touched once. */
struct tally {
  struct extension_counts verdicts;
  uint64_t killed[BPFILTER_DROP_COUNT];
};

static enum fate bpfilter_judge(struct bpfilter *f, struct extension *ext, struct packet *p, struct tally *tally) {
  const struct bpf_input input = {.data = (uint64_t)(uintptr_t)p->data,
                                  .data_end = (uint64_t)(uintptr_t)p->data + p->length,
                                  .ingress_ifindex = p->nic + 1u};
  struct bpf_result result;
  bpf_run(&ext->programs[0], &f->environment, &input, &result);
  if (result.fault != BPF_FAULT_NONE) {
    tally->verdicts.faults++;
    bpfilter_note_fault(f, ext, &result);
    return f->abort_passes ? FATE_PASS : FATE_FAULT;
  }
  switch ((uint32_t)result.r0) {
    case XDP_PASS:
      tally->verdicts.passed++;
      return FATE_PASS;
    case XDP_DROP:
      tally->verdicts.dropped++;
      return f->element.output_count > 1 ? FATE_OUTPUT_1 : FATE_DROPPED;
    default:
      tally->verdicts.aborted++;
      return f->abort_passes ? FATE_PASS : FATE_ABORTED;
  }
}

static void bpfilter_kill(struct packet *p, enum fate fate, struct tally *tally) {
  tally->killed[fate - FATE_DROPPED]++;
  packet_kill(p);
}

static void bpfilter_count(struct bpfilter *f, struct extension *ext, const struct tally *tally) {
  const struct {
    uint64_t *counter;
    uint64_t value;
  } rows[] = {{&ext->counts.passed, tally->verdicts.passed},
              {&ext->counts.dropped, tally->verdicts.dropped},
              {&ext->counts.aborted, tally->verdicts.aborted},
              {&ext->counts.faults, tally->verdicts.faults},
              {&f->element.drops[BPFILTER_DROPPED], tally->killed[BPFILTER_DROPPED]},
              {&f->element.drops[BPFILTER_ABORTED], tally->killed[BPFILTER_ABORTED]},
              {&f->element.drops[BPFILTER_FAULT], tally->killed[BPFILTER_FAULT]}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    if (rows[i].value > 0) counter_add(rows[i].counter, rows[i].value);
  }
}

static void bpfilter_push(struct element *e, unsigned port, struct batch *batch) {
  struct bpfilter *f = (struct bpfilter *)e;
  struct extension *ext = __atomic_load_n(&f->running, __ATOMIC_ACQUIRE);
  struct tally tally = {0};
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    enum fate fate = bpfilter_judge(f, ext, batch->packet[i], &tally);
    if (fate <= FATE_OUTPUT_1) {
      run_add(&run, fate, batch->packet[i]);
    } else {
      bpfilter_kill(batch->packet[i], fate, &tally);
    }
  }
  bpfilter_count(f, ext, &tally);
  run_flush(&run);
}

/* Pulls one batch behind what is in `batch` and leaves there what passes. */
static void bpfilter_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct bpfilter *f = (struct bpfilter *)e;
  uint32_t kept = batch->count, first = kept;
  element_pull(e, 0, batch, max);
  if (batch->count == first) return;
  struct extension *ext = __atomic_load_n(&f->running, __ATOMIC_ACQUIRE);
  struct tally tally = {0};
  struct batch rejected;
  rejected.count = 0;
  for (uint32_t i = first; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    enum fate fate = bpfilter_judge(f, ext, p, &tally);
    if (fate == FATE_PASS) {
      batch->packet[kept++] = p;
    } else if (fate == FATE_OUTPUT_1) {
      rejected.packet[rejected.count++] = p;
    } else {
      bpfilter_kill(p, fate, &tally);
    }
  }
  batch->count = kept;
  bpfilter_count(f, ext, &tally);
  if (rejected.count > 0) element_push(e, 1, &rejected);
  if (kept == first) element_pulled_in_vain = true;
}

/* --- life --- */

static int bpfilter_configure(struct element *e, const struct args *rest, struct report *report) {
  struct bpfilter *f = (struct bpfilter *)e;
  if (f->on_abort != NULL) {
    f->abort_passes = strcmp(f->on_abort, "pass") == 0;
    if (!f->abort_passes && strcmp(f->on_abort, "drop") != 0) {
      return report_error(report, ERROR_INVALID, "ON_ABORT: expected drop or pass, not '%s'", f->on_abort);
    }
  }
  f->environment = (struct bpf_environment){environment_ktime, environment_random, environment_trace, e};
  return 0;
}

static int bpfilter_initialize(struct element *e, struct report *report) {
  struct bpfilter *f = (struct bpfilter *)e;
  /* The file names what a filter starts with; a running one has come further, and goes on with what it runs now. */
  const struct bpfilter *before = (const struct bpfilter *)router_predecessor(e);
  if (before != NULL && strcmp(before->file, f->file) == 0) return 0;
  struct slice bytes = e->services->file(f->file);
  if (bytes.data == NULL) {
    return report_error(report, ERROR_NOT_FOUND,
                        "FILE: no '%s' in the boot archive; put the bundle there under this name", f->file);
  }
  struct report loading = {0};
  int status = bpfilter_load(f, bytes, &loading);
  /* The confirmation is for whoever changes a running system. */
  if (status < 0) {
    struct slice why = slice_trim(slice_of(text_string(&loading.text)));
    report_error(report, (enum error) - status, "FILE: %s: %.*s", f->file, (int)why.length, why.data);
  }
  report_free(&loading);
  return status;
}

static void bpfilter_commit(struct element *e) {
  const struct bundle_meta *meta = &((struct bpfilter *)e)->running->bundle->meta;
  version_floor_raise(e->services->floors, meta->name, meta->version);
}

static void bpfilter_cleanup(struct element *e) { bpfilter_unload((struct bpfilter *)e); }

/* --- handlers --- */

static int bpfilter_read_program(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                 struct report *report) {
  const struct extension *ext = ((struct bpfilter *)owner)->running;
  const struct bundle *bundle = ext->bundle;
  text_addf(out, "name %s\nversion %llu\nhash ", bundle->meta.name, (unsigned long long)bundle->meta.version);
  for (unsigned i = 0; i < sizeof bundle->hash; i++)
    text_addf(out, "%02x", bundle->hash[i]);
  text_addf(out, "\nkey %s\nsize %u\ninsns %u\nmaps %u\n", ext->key, bundle->size, bundle->insn_count,
            bundle->map_count);
  return 0;
}

static int bpfilter_read_maps(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                              struct report *report) {
  const struct extension *ext = ((struct bpfilter *)owner)->running;
  for (uint32_t i = 0; i < ext->map_count; i++) {
    const struct bpf_map *map = ext->maps[i];
    const struct bpf_map_def *def = &map->def;
    text_addf(out, "%s %s %u %u %u %u\n", def->name, bpf_map_type_name(def->type), def->key_size, def->value_size,
              def->max_entries, __atomic_load_n(&map->count, __ATOMIC_RELAXED));
  }
  return 0;
}

/* offset picks the member of struct extension_counts. */
static int bpfilter_read_total(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                               struct report *report) {
  struct extension_counts totals = bpfilter_totals(owner);
  uint64_t value;
  memcpy(&value, (const char *)&totals + handler->offset, sizeof value);
  text_addf(out, "%llu", (unsigned long long)value);
  return 0;
}

static const struct argument bpfilter_arguments[] = {
    {"FILE", ARGUMENT_WORD, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct bpfilter, file),
     "the bundle in the boot archive that it starts with"},
    {"ON_ABORT", ARGUMENT_WORD, 0, offsetof(struct bpfilter, on_abort),
     "what becomes of a packet whose program aborts or faults: drop or pass (drop)"},
    {0}};

static const struct handler bpfilter_handlers[] = {
    {.name = "program",
     .read = bpfilter_read_program,
     .write = bpfilter_write_program,
     .help = "the running program; write the bytes of a bundle to replace it while packets flow"},
    {.name = "maps",
     .read = bpfilter_read_maps,
     .help = "its maps, one a line: name, type, key size, value size, capacity, entries"},
    {.name = "passed",
     .read = bpfilter_read_total,
     .offset = offsetof(struct extension_counts, passed),
     .help = "packets that programs passed, over all programs"},
    {.name = "dropped",
     .read = bpfilter_read_total,
     .offset = offsetof(struct extension_counts, dropped),
     .help = "packets that programs dropped"},
    {.name = "aborted",
     .read = bpfilter_read_total,
     .offset = offsetof(struct extension_counts, aborted),
     .help = "packets for which programs returned XDP_ABORTED or a verdict not offered here"},
    {.name = "faults",
     .read = bpfilter_read_total,
     .offset = offsetof(struct extension_counts, faults),
     .help = "packets at which programs faulted"},
    {.name = "last_fault",
     .read = bpfilter_read_last_fault,
     .help = "the last fault: program, instruction, line, kind"},
    {.name = "history",
     .read = bpfilter_read_history,
     .help =
         "the last 16 programs, one a line: name, version, hash, key, seconds since boot, passed, dropped, aborted, "
         "faults, why it went"},
    {.name = "swap", .read = bpfilter_read_swap, .help = "how long the parts of the last change took, in nanoseconds"},
    {0}};

static const char *const bpfilter_drops[] = {
    [BPFILTER_DROPPED] = "dropped", [BPFILTER_ABORTED] = "aborted", [BPFILTER_FAULT] = "fault", NULL};

static const struct element_class bpfilter_class = {
    .name = "BPFilter",
    .purpose = "lets a signed eBPF program decide about each packet",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct bpfilter),
    .arguments = bpfilter_arguments,
    .handlers = bpfilter_handlers,
    .drops = bpfilter_drops,
    .example = "FromDevice(eth0) -> fw :: BPFilter(pass.bundle) -> Queue -> ToDevice(eth1);",
    .manual =
        "Runs the SEC(\"xdp\") program of a bundle for each packet. XDP_PASS sends it to output 0. XDP_DROP sends it to "
        "output 1 if that is connected, and drops it otherwise. XDP_ABORTED, every other verdict, and a program that faults "
        "drop the packet, or with ON_ABORT pass send it to output 0. The program may change the packet's bytes.\n\n"
        "Writing a bundle to handler program replaces the program between two batches: no packet is lost, and maps keep "
        "their entries where the new program has a map of the same name and layout. A bundle is refused when its signature "
        "does not hold, its signer is not trusted, its audience does not match the element's name, its version is not above "
        "the highest one committed under its program's name, or its code is not in order; the old program then goes on.",
    .configure = bpfilter_configure,
    .initialize = bpfilter_initialize,
    .cleanup = bpfilter_cleanup,
    .take_state = bpfilter_take_state,
    .commit = bpfilter_commit,
    .push = bpfilter_push,
    .pull = bpfilter_pull,
};
ELEMENT(BPFilter, bpfilter_class);
