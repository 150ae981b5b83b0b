/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/bpf_instance.h"

#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "bpf/jit.h"
#include "lib/memory.h"

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t monotonic_ns(void *context) { return clock_ns(CLOCK_MONOTONIC); }
static uint64_t wall_ns(void *context) { return clock_ns(CLOCK_REALTIME); }
static uint32_t random_u32(void *context) { return randombytes_random(); }
static void trace(void *context, const char *text, size_t length) { fwrite(text, 1, length, stderr); }

const struct bpf_environment bpf_instance_environment = {
    .ktime_ns = monotonic_ns, .random_u32 = random_u32, .trace = trace, .wall_ns = wall_ns};

static int make_map(struct bpf_instance *instance, const struct linked_program *linked, uint32_t index,
                    struct report *report) {
  const struct bpf_map_def *def = &linked->maps[index];
  struct hash_key seed;
  const char *why = NULL;
  randombytes_buf(&seed, sizeof(seed));
  int error = bpf_map_create(def, &seed, &instance->maps[index], &why);
  if (error) return report_error(report, (enum error) - error, "map %s: %s", def->name, why);
  instance->map_count++;
  if (linked->initial[index].length == 0) return 0;
  const uint32_t first = 0;
  struct bpf_map *map = instance->maps[index];
  long result = map->ops->update(map, &first, linked->initial[index].data, BPF_ANY, 0);
  return result == 0 ? 0 : report_error(report, ERROR_INVALID, "map %s cannot be given its initial value", def->name);
}

static int make_program(struct bpf_instance *instance, const struct linked_code *code, struct report *report) {
  struct bpf_program *program = &instance->programs[instance->program_count++];
  size_t size = code->insn_count * sizeof(code->insns[0]);
  program->insns = memory_alloc(size);
  program->maps = memory_alloc((instance->map_count + 1u) * sizeof(struct bpf_map *));
  if (program->insns == NULL || program->maps == NULL) return report_error(report, ERROR_NO_MEMORY, "out of memory");
  memcpy(program->insns, code->insns, size);
  program->insn_count = code->insn_count;
  program->kind = code->kind;
  for (; program->map_count < instance->map_count; program->map_count++) {
    program->maps[program->map_count] = instance->maps[program->map_count];
    bpf_map_hold(instance->maps[program->map_count]);
  }
  return bpf_program_prepare(program, report);
}

static int put_entry(struct bpf_instance *instance, const struct bundle_entry *entry, struct report *report) {
  struct bpf_map *map = instance->maps[entry->map], *old_map = NULL;
  const struct bpf_program *old_program;
  long result;
  if (map->def.type == BPF_MAP_TYPE_PROG_ARRAY) {
    result = bpf_map_put_program(map, entry->index, &instance->programs[entry->target], &old_program);
  } else {
    struct bpf_map *inner = instance->maps[entry->target];
    bpf_map_hold(inner);
    result = bpf_map_put_map(map, &entry->index, inner, BPF_ANY, &old_map);
    if (result != 0) bpf_map_release(inner);
    bpf_map_release(old_map);
  }
  if (result == 0) return 0;
  return report_error(report, ERROR_INVALID, "map %s: entry %u is not of the kind that the map is for", map->def.name,
                      entry->index);
}

int bpf_instance_make(struct bpf_instance *instance, const struct linked_program *linked, bool native,
                      struct report *report) {
  *instance = (struct bpf_instance){.map_count = 0};
  int error = 0;
  for (uint32_t i = 0; i < linked->map_count && !error; i++)
    error = make_map(instance, linked, i, report);
  for (uint32_t i = 0; i < linked->code_count && !error; i++)
    error = make_program(instance, &linked->code[i], report);
  for (uint32_t i = 0; i < linked->entry_count && !error; i++)
    error = put_entry(instance, &linked->entries[i], report);
  for (uint32_t i = 0; native && i < instance->program_count && !error; i++)
    error = bpf_jit(&instance->programs[i], NULL, NULL, report);
  return error;
}

void bpf_instance_free(struct bpf_instance *instance) {
  for (uint32_t i = 0; i < instance->program_count; i++)
    bpf_program_destroy(&instance->programs[i]);
  for (uint32_t i = 0; i < instance->map_count; i++)
    bpf_map_release(instance->maps[i]);
  *instance = (struct bpf_instance){.map_count = 0};
}

struct bpf_map *bpf_instance_map(const struct bpf_instance *instance, struct slice name) {
  for (uint32_t i = 0; i < instance->map_count; i++)
    if (slice_equals(name, instance->maps[i]->def.name)) return instance->maps[i];
  return NULL;
}
