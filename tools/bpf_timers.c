/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A periodic timer arms itself again: what ends it all is the span of time, and a number of callbacks for those that start at once.
 */
#include "tools/bpf_timers.h"

#include "bpf/map_text.h"
#include "bpf/timer.h"
#include "tools/bpf_print.h"

enum { MOST_CALLBACKS = 100000, SHOWN_CALLBACKS = 20 };

struct play {
  FILE *to;
  bool json;
  const struct bpf_instance *instance;
  const struct linked_program *linked;
  uint64_t began;
  unsigned count, faults;
};

static uint64_t clock_now(void *context) {
  const struct bpf_clock *clock = context;
  return clock->stopped_at != 0 ? clock->stopped_at : bpf_instance_environment.ktime_ns(NULL);
}

struct bpf_environment bpf_clock_environment(struct bpf_clock *clock) {
  struct bpf_environment environment = bpf_instance_environment;
  environment.ktime_ns = clock_now;
  environment.context = clock;
  return environment;
}

/* The map whose timer is due first. NULL: none is armed. */
static uint32_t first_map(const struct bpf_instance *instance, struct bpf_timer_due *due) {
  uint32_t first = instance->map_count;
  for (uint32_t i = 0; i < instance->map_count; i++) {
    struct bpf_timer_due other;
    if (!bpf_timers_first(instance->maps[i], &other)) continue;
    if (first != instance->map_count && other.deadline >= due->deadline) continue;
    *due = other;
    first = i;
  }
  return first;
}

/* "alarm.bpf.c:33", or the number of an instruction. */
static void name_callback(const struct play *p, const struct bpf_timer_due *due, char *buffer, size_t size) {
  uint32_t slot = 0;
  (void)bpf_program_function(due->program, due->function, &slot);
  const ptrdiff_t program = due->program - p->instance->programs;
  const struct source_line *line = lines_find(&p->linked->code[program].lines, slot);
  if (line != NULL)
    snprintf(buffer, size, "%s:%u", line->at.file, line->at.line);
  else
    snprintf(buffer, size, "instruction %u", slot);
}

/* The entry as it is now; its key alone when it has gone. */
static void format_entry(const struct play *p, uint32_t map, const void *key, struct text *out) {
  const struct bpf_types types = type_table_view(&p->linked->types);
  const struct bpf_map_types of = {types.type_count > 0 ? &types : NULL, p->linked->map_types[map].key,
                                   p->linked->map_types[map].value};
  if (bpf_map_format(out, p->instance->maps[map], &of, key, p->json ? BPF_STYLE_JSON : BPF_STYLE_TEXT) == 0) return;
  text_add(out, p->json ? "null" : "the entry has gone");
}

static void print_callback(const struct play *p, uint32_t map, const struct bpf_timer_due *due, const void *key,
                           const struct bpf_result *result) {
  const unsigned long long after = due->deadline > p->began ? due->deadline - p->began : 0;
  const char *name = p->instance->maps[map]->def.name;
  struct text entry = {0};
  char callback[128], fault[128] = "";
  name_callback(p, due, callback, sizeof(callback));
  format_entry(p, map, key, &entry);
  if (result->fault != BPF_FAULT_NONE)
    snprintf(fault, sizeof(fault), "fault at instruction %u: %s", result->fault_insn, bpf_fault_text(result->fault));
  if (p->json)
    fprintf(p->to, "%s{\"after_ns\": %llu, \"callback\": \"%s\", \"map\": \"%s\", \"entry\": %s%s%s%s}",
            p->count == 1 ? "" : ", ", after, callback, name, text_string(&entry), *fault ? ", \"fault\": \"" : "",
            fault, *fault ? "\"" : "");
  else if (p->count <= SHOWN_CALLBACKS)
    fprintf(p->to, "%6llu.%06llu ms  %s, map %s, %s%s%s\n", after / 1000000, after % 1000000, callback, name,
            text_string(&entry), *fault ? ", " : "", fault);
  text_free(&entry);
}

static void run_callback(struct play *p, uint32_t map, const struct bpf_timer_due *due,
                         const struct bpf_environment *environment) {
  struct bpf_map *const of = p->instance->maps[map];
  uint8_t key[BPF_MAP_MAX_KEY] = {0};
  struct bpf_result result;
  bool there = of->ops->key_at(of, due->slot, key);
  (void)bpf_timers_run(of, environment, due->deadline, 0, 1, &result);
  if (!there) return;
  p->count++;
  p->faults += result.fault != BPF_FAULT_NONE;
  print_callback(p, map, due, key, &result);
}

static void conclude(const struct play *p, const struct bpf_timer_due *next) {
  if (p->json) {
    fprintf(p->to, "]");
    return;
  }
  if (p->count > SHOWN_CALLBACKS) fprintf(p->to, "   ...  (%u more)\n", p->count - SHOWN_CALLBACKS);
  if (p->count == MOST_CALLBACKS) fprintf(p->to, "ended after %u callbacks\n", p->count);
  if (next != NULL)
    fprintf(p->to, "the next one is due %.3f ms after the packets; see --timers\n",
            (double)(next->deadline - p->began) / 1e6);
}

unsigned bpf_timers_play(FILE *to, bool json, const struct bpf_instance *instance, const struct linked_program *linked,
                         const struct bpf_environment *environment, struct bpf_clock *clock, uint64_t span) {
  struct play p = {.to = to, .json = json, .instance = instance, .linked = linked, .began = clock_now(clock)};
  struct bpf_timer_due due;
  uint32_t map = first_map(instance, &due);
  clock->stopped_at = p.began;
  if (json)
    fprintf(to, ", \"timers\": [");
  else if (map != instance->map_count)
    fprintf(to, "\ntimers, after the packets\n");
  while (map != instance->map_count && due.deadline <= p.began + span && p.count < MOST_CALLBACKS) {
    if (due.deadline > clock->stopped_at) clock->stopped_at = due.deadline;
    run_callback(&p, map, &due, environment);
    map = first_map(instance, &due);
  }
  conclude(&p, map != instance->map_count ? &due : NULL);
  return p.faults;
}
