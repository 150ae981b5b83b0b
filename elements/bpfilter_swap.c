/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exchange of BPFilter's program. All work that takes time or can fail is done while the old program runs
 * (extension_stage); the commit is one pointer exchange, after which the next batch runs the new program. The old one
 * is freed when no batch that began before can be using it. Control runs on one worker, as do the functions it defers.
 */
#include "elements/bpfilter.h"

#include "click/router.h"

static struct bpfilter_record *record_of(struct bpfilter *f, uint64_t installed) {
  struct bpfilter_record *record = &f->history[installed % BPFILTER_HISTORY];
  return record->installed == installed ? record : NULL;
}

static struct extension_counts counts_now(const struct extension *ext) {
  return (struct extension_counts){counter_read(&ext->counts.passed), counter_read(&ext->counts.dropped),
                                   counter_read(&ext->counts.aborted), counter_read(&ext->counts.faults)};
}

static void add_counts(struct extension_counts *sum, struct extension_counts more) {
  sum->passed += more.passed;
  sum->dropped += more.dropped;
  sum->aborted += more.aborted;
  sum->faults += more.faults;
}

struct extension_counts bpfilter_totals(const struct bpfilter *f) {
  struct extension_counts sum = f->past;
  for (const struct extension *ext = f->retired; ext != NULL; ext = ext->next)
    add_counts(&sum, counts_now(ext));
  if (f->running != NULL) add_counts(&sum, counts_now(f->running));
  return sum;
}

/* Another BPFilter of this router, or of the one it is to replace, that runs the program. */
static bool runs_in(const struct router *router, const struct element *e, const uint8_t hash[BUNDLE_HASH_SIZE]) {
  for (uint32_t i = 0; router != NULL && i < router->element_count; i++) {
    const struct element *other = router->elements[i];
    if (other == e || other->class != e->class) continue;
    const struct extension *running = ((const struct bpfilter *)other)->running;
    if (running != NULL && memcmp(running->bundle->hash, hash, BUNDLE_HASH_SIZE) == 0) return true;
  }
  return false;
}

static bool runs_elsewhere(void *context, const uint8_t hash[BUNDLE_HASH_SIZE]) {
  const struct element *e = context;
  return runs_in(e->router, e, hash) || runs_in(e->router->replaces, e, hash);
}

/* After the quiescent point: nothing adds to the counts any more. */
static void free_retired(struct deferred *node) {
  struct extension *ext = CONTAINER_OF(node, struct extension, deferred);
  struct bpfilter *f = ext->owner;
  if (f != NULL) { /* the element is there still */
    struct extension_counts counts = counts_now(ext);
    add_counts(&f->past, counts);
    struct bpfilter_record *record = record_of(f, ext->installed);
    if (record != NULL) record->counts = counts;
    if (ext->fault.kind != BPF_FAULT_NONE) extension_fault_text(ext, f->last_fault, sizeof f->last_fault);
    struct extension **link = &f->retired;
    while (*link != ext)
      link = &(*link)->next;
    *link = ext->next;
  }
  extension_free(ext);
}

static void retire(struct bpfilter *f, struct extension *old, const struct bundle_meta *successor) {
  struct bpfilter_record *record = record_of(f, old->installed);
  if (record != NULL) {
    format_text(record->why, sizeof record->why, "replaced by %s %llu", successor->name,
                (unsigned long long)successor->version);
  }
  old->next = f->retired;
  f->retired = old;
  f->element.services->defer(&old->deferred, free_retired);
}

static void write_record(struct bpfilter *f, const struct extension *ext, uint64_t when) {
  struct bpfilter_record *record = &f->history[ext->installed % BPFILTER_HISTORY];
  *record = (struct bpfilter_record){.installed = ext->installed, .version = ext->bundle->meta.version, .when = when};
  memcpy(record->name, ext->bundle->meta.name, sizeof record->name);
  memcpy(record->hash, ext->bundle->hash, sizeof record->hash);
  memcpy(record->key, ext->key, sizeof record->key);
}

int bpfilter_load(struct bpfilter *f, struct slice bytes, struct report *report) {
  struct element *e = &f->element;
  const struct services *services = e->services;
  /* A graph that may still be refused changes nothing but itself: its filter is committed later (bpfilter_commit). */
  const struct bpfilter *before = (const struct bpfilter *)router_predecessor(e);
  bool staged = e->router->replaces != NULL;
  const struct extension *previous = before != NULL ? before->running : f->running;
  const struct extension_request request = {.bytes = bytes,
                                            .element = e->name,
                                            .services = services,
                                            .previous = previous,
                                            .runs_elsewhere = runs_elsewhere,
                                            .context = e};
  struct extension *ext = NULL;
  uint64_t started = services->now();
  int status = extension_stage(&request, &ext, report);
  if (status < 0) return status;
  const struct bundle_meta *meta = &ext->bundle->meta;
  ext->owner = f;
  ext->installed = f->installed + 1;

  /* The commit. */
  uint64_t ready = services->now();
  struct extension *old = __atomic_exchange_n(&f->running, ext, __ATOMIC_ACQ_REL);
  if (!staged) version_floor_raise(services->floors, meta->name, meta->version);
  uint64_t committed = services->now();

  f->installed++;
  f->times = ext->times;
  f->commit_time = committed - ready;
  f->total_time = committed - started;
  write_record(f, ext, committed);
  char was[BUNDLE_NAME_MAX + 48] = "";
  if (old != NULL) {
    format_text(was, sizeof was, " (was %s version %llu)", old->bundle->meta.name,
                (unsigned long long)old->bundle->meta.version);
    retire(f, old, meta);
  }
  report_note(report, "committed %s version %llu%s; staged in %llu us, committed in %llu ns", meta->name,
              (unsigned long long)meta->version, was, (unsigned long long)(ready - started) / 1000,
              (unsigned long long)f->commit_time);
  if (staged) return 0;
  char line[CLICK_MAX_NAME + 2 * BUNDLE_NAME_MAX + 160];
  size_t length = format_text(line, sizeof line, "%s: runs %s version %llu%s, signed by %s", e->name, meta->name,
                              (unsigned long long)meta->version, was, ext->key);
  services->log(LOG_INFO, line, length < sizeof line ? length : sizeof line - 1);
  return 0;
}

void bpfilter_take_state(struct element *e, struct element *old, struct report *report) {
  struct bpfilter *f = (struct bpfilter *)e, *from = (struct bpfilter *)old;
  f->next_fault_log = from->next_fault_log;
  f->faults_unlogged = from->faults_unlogged;
  if (f->running != NULL) {
    f->past = bpfilter_totals(from);
    return;
  }
  f->running = from->running;
  f->running->owner = f;
  f->retired = from->retired;
  for (struct extension *ext = f->retired; ext != NULL; ext = ext->next)
    ext->owner = f;
  f->past = from->past;
  f->installed = from->installed;
  memcpy(f->history, from->history, sizeof f->history);
  f->times = from->times;
  f->commit_time = from->commit_time;
  f->total_time = from->total_time;
  memcpy(f->last_fault, from->last_fault, sizeof f->last_fault);
  from->running = from->retired = NULL;
}

void bpfilter_unload(struct bpfilter *f) {
  /* Those that wait for their quiescent point are freed there; they only must not come back to this element. */
  for (struct extension *ext = f->retired; ext != NULL; ext = ext->next)
    ext->owner = NULL;
  f->retired = NULL;
  extension_free(f->running);
  f->running = NULL;
}

int bpfilter_write_program(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct bpfilter *f = owner;
  int status = bpfilter_load(f, value, report);
  if (status < 0) {
    const struct bundle_meta *meta = &f->running->bundle->meta;
    report_note(report, "%s runs %s version %llu as before", f->element.name, meta->name,
                (unsigned long long)meta->version);
  }
  return status;
}

int bpfilter_read_history(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report) {
  struct bpfilter *f = owner;
  uint64_t first = f->installed > BPFILTER_HISTORY ? f->installed - BPFILTER_HISTORY + 1 : 1;
  for (uint64_t installed = first; installed <= f->installed; installed++) {
    const struct bpfilter_record *record = &f->history[installed % BPFILTER_HISTORY];
    struct extension_counts counts = record->counts;
    for (const struct extension *ext = f->retired; ext != NULL; ext = ext->next) {
      if (ext->installed == installed) counts = counts_now(ext);
    }
    if (f->running->installed == installed) counts = counts_now(f->running);
    text_addf(out, "%s %llu ", record->name, (unsigned long long)record->version);
    for (unsigned i = 0; i < 4; i++)
      text_addf(out, "%02x", record->hash[i]);
    text_addf(out, " %s %llu.%06llu %llu %llu %llu %llu %s\n", record->key,
              (unsigned long long)(record->when / 1000000000), (unsigned long long)(record->when / 1000 % 1000000),
              (unsigned long long)counts.passed, (unsigned long long)counts.dropped, (unsigned long long)counts.aborted,
              (unsigned long long)counts.faults, record->why[0] != 0 ? record->why : "running");
  }
  return 0;
}

int bpfilter_read_swap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  const struct bpfilter *f = owner;
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {{"verify_ns", f->times.verify},
              {"check_ns", f->times.check},
              {"maps_ns", f->times.maps},
              {"commit_ns", f->commit_time},
              {"total_ns", f->total_time}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    text_addf(out, "%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
  }
  return 0;
}

int bpfilter_read_last_fault(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  struct bpfilter *f = owner;
  char text[BPFILTER_FAULT_TEXT];
  /* The newest program that faulted: the running one, then those on their way out, newest first. */
  size_t length = extension_fault_text(f->running, text, sizeof text);
  for (struct extension *ext = f->retired; ext != NULL && length == 0; ext = ext->next) {
    length = extension_fault_text(ext, text, sizeof text);
  }
  text_add(out, length > 0 ? text : f->last_fault);
  return 0;
}
