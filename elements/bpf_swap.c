/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exchange of an element's program. All work that takes time or can fail is done while the old program runs
 * (extension_stage); the commit is one pointer exchange, after which the next batch runs the new program. The old one
 * is freed when no batch that began before can be using it. Control runs on one worker, as do the functions it defers.
 */
#include "elements/bpf_element.h"

#include "click/router.h"

static struct bpf_record *record_of(struct bpf_element *b, uint64_t installed) {
  struct bpf_record *record = &b->history[installed % BPF_ELEMENT_HISTORY];
  return record->installed == installed ? record : NULL;
}

static struct extension_counts counts_now(const struct extension *ext) {
  struct extension_counts now;
  for (size_t i = 0; i < EXTENSION_COUNTS; i++)
    ((uint64_t *)&now)[i] = counter_read((const uint64_t *)&ext->counts + i);
  return now;
}

static void add_counts(struct extension_counts *sum, struct extension_counts more) {
  for (size_t i = 0; i < EXTENSION_COUNTS; i++)
    ((uint64_t *)sum)[i] += ((const uint64_t *)&more)[i];
}

struct extension_counts bpf_element_totals(const struct bpf_element *b) {
  struct extension_counts sum = b->past;
  for (const struct extension *ext = b->retired; ext != NULL; ext = ext->next)
    add_counts(&sum, counts_now(ext));
  if (b->running != NULL) add_counts(&sum, counts_now(b->running));
  return sum;
}

/* --- the other elements that run programs, in this router or in the one that it is to replace --- */

typedef bool finder(const struct bpf_element *other, const void *what);

static const struct extension *find_in(const struct router *router, const struct element *e, finder *matches,
                                       const void *what) {
  for (uint32_t i = 0; router != NULL && i < router->element_count; i++) {
    const struct bpf_element *other = bpf_element_of(router->elements[i]);
    if (other == NULL || &other->element == e || other->running == NULL) continue;
    if (matches(other, what)) return other->running;
  }
  return NULL;
}

static const struct extension *find_elsewhere(const struct element *e, finder *matches, const void *what) {
  const struct extension *found = find_in(e->router, e, matches, what);
  return found != NULL ? found : find_in(e->router->replaces, e, matches, what);
}

static bool has_hash(const struct bpf_element *other, const void *hash) {
  return memcmp(other->running->bundle->hash, hash, BUNDLE_HASH_SIZE) == 0;
}

static bool runs_elsewhere(void *context, const uint8_t hash[BUNDLE_HASH_SIZE]) {
  return find_elsewhere(context, has_hash, hash) != NULL;
}

bool bpf_element_shares(const struct bpf_element *b, const char *map) {
  if (b->maps == NULL) return false;
  struct slice rest = slice_of(b->maps);
  for (struct slice name = slice_next_word(&rest); name.length > 0; name = slice_next_word(&rest)) {
    if (slice_equals(name, map)) return true;
  }
  return false;
}

static bool has_shared_map(const struct bpf_element *other, const void *name) {
  return bpf_element_shares(other, name) && extension_map(other->running, slice_of(name)) != NULL;
}

static const struct extension *shares_with(void *context, const char *map) {
  return bpf_element_shares(context, map) ? find_elsewhere(context, has_shared_map, map) : NULL;
}

/* What MAPS names must be there and hold what can be common; a name that is mistyped would go unnoticed. */
static int check_shared(const struct bpf_element *b, const struct extension *ext, struct report *report) {
  struct slice rest = slice_of(b->maps != NULL ? b->maps : "");
  for (struct slice name = slice_next_word(&rest); name.length > 0; name = slice_next_word(&rest)) {
    const struct bpf_map *map = extension_map(ext, name);
    const char *why = map == NULL                      ? "is none of its maps"
                      : !extension_map_keeps(ext, map) ? "belongs to one program: it holds variables or programs"
                      : map->def.timer != 0            ? "has timers, which one program runs"
                                                       : NULL;
    if (why == NULL) continue;
    return report_error(report, ERROR_INVALID, "MAPS: %s version %llu: '%.*s' %s; leave it out of MAPS",
                        ext->bundle->meta.name, (unsigned long long)ext->bundle->meta.version, (int)name.length,
                        name.data, why);
  }
  return 0;
}

/* --- programs that were replaced --- */

static void free_retired(struct deferred *node);

static void look_again(struct bpf_element *b, struct extension *ext) {
  ext->lingers = false;
  b->element.services->defer(&ext->deferred, free_retired);
}

/* As in Linux a timer belongs to its map and holds the program of its callback. But not any number of programs: the timers of the eldest
 * are cancelled. */
static void limit_lingering(struct bpf_element *b) {
  unsigned count = 0;
  for (struct extension *ext = b->retired; ext != NULL; ext = ext->next) {
    if (!ext->lingers || ++count <= BPF_ELEMENT_LINGERING) continue;
    extension_cancel_timers(ext);
    look_again(b, ext);
  }
}

/* After the quiescent point: no batch uses it, and only timers of maps that it shares with the running program can call it back. Where none
 * does, nothing adds to the counts any more. */
static void free_retired(struct deferred *node) {
  struct extension *ext = CONTAINER_OF(node, struct extension, deferred);
  struct bpf_element *b = ext->owner;
  if (b != NULL && extension_has_timers(ext, b->running)) {
    ext->lingers = true;
    limit_lingering(b);
    return;
  }
  if (b != NULL) { /* the element is there still */
    struct extension_counts counts = counts_now(ext);
    add_counts(&b->past, counts);
    struct bpf_record *record = record_of(b, ext->installed);
    if (record != NULL) record->counts = counts;
    if (ext->fault.kind != BPF_FAULT_NONE) extension_fault_text(ext, b->last_fault, sizeof b->last_fault);
    struct extension **link = &b->retired;
    while (*link != ext)
      link = &(*link)->next;
    *link = ext->next;
  }
  extension_free(ext);
}

static void retire(struct bpf_element *b, struct extension *old, const struct bundle_meta *successor) {
  struct bpf_record *record = record_of(b, old->installed);
  if (record != NULL) {
    format_text(record->why, sizeof record->why, "replaced by %s %llu", successor->name,
                (unsigned long long)successor->version);
  }
  /* Those that timers held may be free of them by now. */
  for (struct extension *ext = b->retired; ext != NULL; ext = ext->next) {
    if (ext->lingers) look_again(b, ext);
  }
  old->next = b->retired;
  b->retired = old;
  b->element.services->defer(&old->deferred, free_retired);
}

static void write_record(struct bpf_element *b, const struct extension *ext, uint64_t when) {
  struct bpf_record *record = &b->history[ext->installed % BPF_ELEMENT_HISTORY];
  *record = (struct bpf_record){.installed = ext->installed, .version = ext->bundle->meta.version, .when = when};
  memcpy(record->name, ext->bundle->meta.name, sizeof record->name);
  memcpy(record->hash, ext->bundle->hash, sizeof record->hash);
  memcpy(record->key, ext->key, sizeof record->key);
}

int bpf_element_load(struct bpf_element *b, struct slice bytes, bool again, struct report *report) {
  struct element *e = &b->element;
  const struct services *services = e->services;
  /* A graph that may still be refused changes nothing but itself: its element is committed later (bpf_element_commit). */
  const struct bpf_element *before = (const struct bpf_element *)router_predecessor(e);
  bool staged = e->router->replaces != NULL;
  const struct extension *previous = before != NULL ? before->running : b->running;
  const struct extension_request request = {.bytes = bytes,
                                            .element = e->name,
                                            .services = services,
                                            .previous = previous,
                                            .program = b->program,
                                            .runs_elsewhere = runs_elsewhere,
                                            .shares_with = shares_with,
                                            .context = e,
                                            .again = again,
                                            .fixed_window = b->role != BPF_ROLE_REWRITE,
                                            .interpret = !b->jit};
  struct extension *ext = NULL;
  uint64_t started = services->now();
  int status = extension_stage(&request, &ext, report);
  if (status < 0) return status;
  status = check_shared(b, ext, report);
  if (status == 0) status = bpf_consts_apply(b, ext, report);
  if (status < 0) {
    extension_free(ext);
    return status;
  }
  const struct bundle_meta *meta = &ext->bundle->meta;
  ext->owner = b;
  ext->installed = b->installed + 1;

  /* The commit. */
  uint64_t ready = services->now();
  struct extension *old = __atomic_exchange_n(&b->running, ext, __ATOMIC_ACQ_REL);
  if (!staged) version_floor_raise(services->floors, meta->name, meta->version);
  uint64_t committed = services->now();

  b->installed++;
  b->commit_time = committed - ready;
  b->total_time = committed - started;
  write_record(b, ext, committed);
  char was[BUNDLE_NAME_MAX + 48] = "";
  if (old != NULL) {
    format_text(was, sizeof was, " (was %s version %llu)", old->bundle->meta.name,
                (unsigned long long)old->bundle->meta.version);
    retire(b, old, meta);
  }
  report_note(report, "committed %s version %llu%s; staged in %llu us, committed in %llu ns", meta->name,
              (unsigned long long)meta->version, was, (unsigned long long)(ready - started) / 1000,
              (unsigned long long)b->commit_time);
  if (staged) return 0;
  char line[CLICK_MAX_NAME + 2 * BUNDLE_NAME_MAX + 160];
  size_t length = format_text(line, sizeof line, "%s: runs %s version %llu%s, signed by %s", e->name, meta->name,
                              (unsigned long long)meta->version, was, ext->key);
  services->log(LOG_INFO, line, length < sizeof line ? length : sizeof line - 1);
  return 0;
}

void bpf_element_take_state(struct element *e, struct element *old, struct report *report) {
  struct bpf_element *b = (struct bpf_element *)e, *from = (struct bpf_element *)old;
  b->next_fault_log = from->next_fault_log;
  b->faults_unlogged = from->faults_unlogged;
  if (b->running != NULL) {
    b->past = bpf_element_totals(from);
    /* They go with the old element. */
    extension_cancel_timers(from->running);
    for (struct extension *ext = from->retired; ext != NULL; ext = ext->next)
      extension_cancel_timers(ext);
    return;
  }
  b->running = from->running;
  b->running->owner = b;
  b->retired = from->retired;
  for (struct extension *ext = b->retired; ext != NULL; ext = ext->next)
    ext->owner = b;
  b->past = from->past;
  b->installed = from->installed;
  memcpy(b->history, from->history, sizeof b->history);
  b->commit_time = from->commit_time;
  b->total_time = from->total_time;
  memcpy(b->last_fault, from->last_fault, sizeof b->last_fault);
  from->running = from->retired = NULL;
}

void bpf_element_unload(struct bpf_element *b) {
  for (struct extension *ext = b->retired, *next; ext != NULL; ext = next) {
    next = ext->next;
    /* Those that wait for their quiescent point are freed there; they only must not come back to this element. */
    ext->owner = NULL;
    if (ext->lingers) extension_free(ext);
  }
  b->retired = NULL;
  extension_free(b->running);
  b->running = NULL;
}

int bpf_element_write_program(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct bpf_element *b = owner;
  int status = bpf_element_load(b, value, false, report);
  if (status < 0) {
    const struct bundle_meta *meta = &b->running->bundle->meta;
    report_note(report, "%s runs %s version %llu as before", b->element.name, meta->name,
                (unsigned long long)meta->version);
  }
  return status;
}

int bpf_element_read_history(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                             struct report *report) {
  struct bpf_element *b = owner;
  uint64_t first = b->installed > BPF_ELEMENT_HISTORY ? b->installed - BPF_ELEMENT_HISTORY + 1 : 1;
  for (uint64_t installed = first; installed <= b->installed; installed++) {
    const struct bpf_record *record = &b->history[installed % BPF_ELEMENT_HISTORY];
    struct extension_counts counts = record->counts;
    for (const struct extension *ext = b->retired; ext != NULL; ext = ext->next) {
      if (ext->installed == installed) counts = counts_now(ext);
    }
    if (b->running->installed == installed) counts = counts_now(b->running);
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

int bpf_element_read_swap(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report) {
  const struct bpf_element *b = owner;
  const struct extension_times *times = &b->running->times;
  const struct {
    const char *name;
    uint64_t value;
  } rows[] = {{"verify_ns", times->verify},  {"check_ns", times->check},    {"proof_ns", times->proof},
              {"maps_ns", times->maps},      {"commit_ns", b->commit_time}, {"total_ns", b->total_time},
              {"compile_ns", times->compile}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    text_addf(out, "%s %llu\n", rows[i].name, (unsigned long long)rows[i].value);
  }
  return 0;
}

int bpf_element_read_last_fault(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                struct report *report) {
  struct bpf_element *b = owner;
  char text[BPF_ELEMENT_FAULT_TEXT];
  /* The newest program that faulted: the running one, then those on their way out, newest first. */
  size_t length = extension_fault_text(b->running, text, sizeof text);
  for (struct extension *ext = b->retired; ext != NULL && length == 0; ext = ext->next) {
    length = extension_fault_text(ext, text, sizeof text);
  }
  text_add(out, length > 0 ? text : b->last_fault);
  return 0;
}
