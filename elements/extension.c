/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Staging of extensions: verify, parse, judge, check, prove, make maps. Each step is one function; the first that fails ends
 * it, and extension_free takes down whatever was built.
 */
#include "elements/extension.h"

#include "bpf/jit.h"
#include "bpf/proto.h"
#include "bpf/timer.h"
#include "lib/memory.h"

/* The bytes are copied before anything looks at them, so that what was verified is what is used, whoever can write to
 * the original meanwhile. */
static int copy_and_verify(struct extension *ext, const struct extension_request *request, struct report *report) {
  const struct services *services = request->services;
  if (request->bytes.length == 0) {
    return report_error(report, ERROR_TRUNCATED, "no bundle: write the bytes of a bundle file");
  }
  if (request->bytes.length > BUNDLE_MAX_SIZE) {
    return report_error(report, ERROR_TOO_BIG, "bundle: %zu bytes are over the limit of %u", request->bytes.length,
                        (unsigned)BUNDLE_MAX_SIZE);
  }
  ext->bytes = memory_alloc(request->bytes.length);
  ext->bundle = memory_alloc(sizeof *ext->bundle);
  if (ext->bytes == NULL || ext->bundle == NULL) {
    return report_error(report, ERROR_NO_MEMORY, "no memory for a bundle of %zu bytes", request->bytes.length);
  }
  memcpy(ext->bytes, request->bytes.data, request->bytes.length);
  const struct bundle_key *key = NULL;
  int status = bundle_verify(ext->bytes, request->bytes.length, services->keys, services->key_count, &key, report);
  if (status < 0) return status;
  memcpy(ext->key, key->name, sizeof ext->key);
  status = bundle_parse(ext->bytes, request->bytes.length, ext->bundle, report);
  if (status < 0) return status;
  ext->bundle->key = key;
  return 0;
}

/* Whether this program may run in this element now. */
static int judge(const struct extension *ext, const struct extension_request *request, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  const struct bundle_meta *meta = &bundle->meta;
  unsigned long long version = meta->version;
  if (!glob_match(meta->audience, request->element)) {
    return report_error(report, ERROR_AUDIENCE,
                        "%s version %llu is meant for '%s', not for %s; sign it with an audience that matches",
                        meta->name, version, meta->audience, request->element);
  }
  uint64_t floor = version_floor(request->services->floors, meta->name);
  if (meta->version > floor) return 0;
  const struct extension *previous = request->previous;
  if (previous != NULL && memcmp(previous->bundle->hash, bundle->hash, sizeof bundle->hash) == 0) {
    if (request->again) return 0;
    return report_error(report, ERROR_VERSION, "%s version %llu runs in %s already", meta->name, version,
                        request->element);
  }
  if (meta->version == floor && request->runs_elsewhere(request->context, bundle->hash)) return 0;
  return report_error(report, ERROR_VERSION,
                      "%s version %llu is not above the floor %llu (highest version committed here); sign it with "
                      "--version %llu or higher",
                      meta->name, version, (unsigned long long)floor, (unsigned long long)floor + 1);
}

/* Helpers that move the ends of the packet. */
static bool moves_window(const struct bpf_insn *insn) {
  if (insn->code != (BPF_JMP | BPF_CALL) || bpf_src(*insn) != BPF_PSEUDO_HELPER) return false;
  switch (insn->imm) {
    case BPF_HELPER_SKB_CHANGE_TAIL:
    case BPF_HELPER_SKB_CHANGE_HEAD:
    case BPF_HELPER_SKB_VLAN_PUSH:
    case BPF_HELPER_SKB_VLAN_POP:
    case BPF_HELPER_XDP_ADJUST_HEAD:
    case BPF_HELPER_XDP_ADJUST_META:
    case BPF_HELPER_XDP_ADJUST_TAIL:
      return true;
    default:
      return false;
  }
}

static int check_window(const struct extension *ext, const struct extension_request *request, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  for (uint32_t i = 0; request->fixed_window && i < bundle->insn_count; i++) {
    if (!moves_window(&bundle->insns[i])) continue;
    return report_error(
        report, ERROR_UNSUPPORTED,
        "%s version %llu: instruction %u calls %s, and %s leaves a packet its length; run it in a BPFRewriter",
        bundle->meta.name, (unsigned long long)bundle->meta.version, i,
        bpf_proto_find((uint32_t)bundle->insns[i].imm)->name, request->element);
  }
  return 0;
}

static bool is_program(const struct bundle *bundle, uint32_t index, const char *name) {
  if (index > 0) return strcmp(bundle->programs[index].function, name) == 0;
  return strcmp(bundle->meta.section, name) == 0 || strcmp(bundle->meta.name, name) == 0;
}

/* Which program packets go through. */
static int choose_program(struct extension *ext, const struct extension_request *request, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  if (request->program == NULL) return 0;
  for (uint32_t i = 0; i < bundle->program_count; i++) {
    if (!is_program(bundle, i, request->program)) continue;
    ext->entry = i;
    return 0;
  }
  struct text others = {0};
  for (uint32_t i = 1; i < bundle->program_count; i++)
    text_addf(&others, ", %s", bundle->programs[i].function);
  report_error(report, ERROR_NOT_FOUND, "PROGRAM: %s version %llu has no program '%s'; it has: %s (%s)%s",
               bundle->meta.name, (unsigned long long)bundle->meta.version, request->program, bundle->meta.name,
               bundle->meta.section, text_string(&others));
  text_free(&others);
  return -ERROR_NOT_FOUND;
}

/* The instructions of a program get memory of their own, and are checked there. */
static int check_program(struct extension *ext, const struct bundle_program *part, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  struct bpf_program *program = &ext->programs[ext->program_count++];
  size_t size = part->count * sizeof *bundle->insns;
  program->kind = bundle->meta.kind;
  program->owner = ext;
  program->insns = memory_alloc(size);
  if (program->insns == NULL) {
    return report_error(report, ERROR_NO_MEMORY, "no memory for %u instructions", part->count);
  }
  memcpy(program->insns, bundle->insns + part->start, size);
  program->insn_count = part->count;
  struct report findings = {0};
  int status = bpf_check(program->insns, program->insn_count, bundle->map_count, &findings);
  if (status < 0) {
    struct slice why = slice_trim(slice_of(text_string(&findings.text)));
    report_error(report, (enum error) - status, "%s version %llu%s%s: %.*s", bundle->meta.name,
                 (unsigned long long)bundle->meta.version, part->function[0] != 0 ? ", program " : "", part->function,
                 (int)why.length, why.data);
  }
  report_free(&findings);
  return status;
}

static int check_programs(struct extension *ext, struct report *report) {
  int status = 0;
  for (uint32_t i = 0; i < ext->bundle->program_count && status == 0; i++)
    status = check_program(ext, &ext->bundle->programs[i], report);
  return status;
}

struct bpf_map *extension_map(const struct extension *ext, struct slice name) {
  for (uint32_t i = 0; i < ext->map_count; i++) {
    if (slice_equals(name, ext->maps[i]->def.name)) return ext->maps[i];
  }
  return NULL;
}

bool extension_map_keeps(const struct extension *ext, const struct bpf_map *map) {
  /* What is in a program array belongs to the extension that goes. */
  if (map->def.type == BPF_MAP_TYPE_PROG_ARRAY) return false;
  for (uint32_t i = 0; i < ext->map_count; i++) {
    if (ext->maps[i] == map) return ext->bundle->initial[i].length == 0;
  }
  return false;
}

/* The map of that name whose state goes on, or NULL. */
static struct bpf_map *map_to_keep(const struct extension *from, const char *name) {
  struct bpf_map *map = from != NULL ? extension_map(from, slice_of(name)) : NULL;
  return map != NULL && extension_map_keeps(from, map) ? map : NULL;
}

static int refuse_layout(const struct extension *ext, const struct extension *previous, const struct bpf_map_def *was,
                         const struct bpf_map_def *now, struct report *report) {
  const struct {
    const char *what;
    uint32_t was, now;
  } fields[] = {{"type", was->type, now->type},
                {"key size", was->key_size, now->key_size},
                {"value size", was->value_size, now->value_size},
                {"max_entries", was->max_entries, now->max_entries},
                {"flags", was->flags, now->flags},
                {"place of the spin lock", was->spin_lock, now->spin_lock},
                {"place of the timer", was->timer, now->timer},
                {"map_extra", was->extra, now->extra},
                {"inner type", was->inner.type, now->inner.type},
                {"inner key size", was->inner.key_size, now->inner.key_size},
                {"inner value size", was->inner.value_size, now->inner.value_size},
                {"inner max_entries", was->inner.max_entries, now->inner.max_entries},
                {"inner flags", was->inner.flags, now->inner.flags}};
  char differences[320] = "";
  size_t length = 0;
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    if (fields[i].was == fields[i].now || length >= sizeof differences) continue;
    length += format_text(differences + length, sizeof differences - length, "%s%s %u, was %u", length > 0 ? "; " : "",
                          fields[i].what, fields[i].now, fields[i].was);
  }
  return report_error(
      report, ERROR_INVALID,
      "map %s of %s version %llu does not fit the one that %s version %llu has filled: %s; keep the layout "
      "to keep the state, or give the map a new name to start empty",
      now->name, ext->bundle->meta.name, (unsigned long long)ext->bundle->meta.version, previous->bundle->meta.name,
      (unsigned long long)previous->bundle->meta.version, differences);
}

static int make_map(const struct bpf_map_def *def, const struct services *services, struct bpf_map **map,
                    struct report *report) {
  const struct hash_key seed = {(uint64_t)services->random() << 32 | services->random(),
                                (uint64_t)services->random() << 32 | services->random()};
  const char *why = "it is refused";
  struct bpf_map_def here = *def;
  here.processors = services->workers == 0 ? 1 : services->workers;
  /* Its entries name outputs. */
  if (def->type == BPF_MAP_TYPE_CPUMAP) here.processors = BPF_MAP_MAX_PROCESSORS;
  int status = bpf_map_create(&here, &seed, map, &why);
  if (status < 0) return report_error(report, (enum error) - status, "map %s: %s", def->name, why);
  return 0;
}

/* Puts programs and inner maps into a map that was just made. */
static int fill_map(struct extension *ext, uint32_t index, struct report *report) {
  struct bpf_map *map = ext->maps[index];
  for (uint32_t i = 0; i < ext->bundle->entry_count; i++) {
    const struct bundle_entry entry = bundle_entry_at(ext->bundle, i);
    const struct bpf_program *no_program;
    struct bpf_map *no_map = NULL;
    long result;
    if (entry.map != index) continue;
    if (map->def.type == BPF_MAP_TYPE_PROG_ARRAY) {
      result = bpf_map_put_program(map, entry.index, &ext->programs[entry.target], &no_program);
    } else {
      bpf_map_hold(ext->maps[entry.target]);
      result = bpf_map_put_map(map, &entry.index, ext->maps[entry.target], BPF_ANY, &no_map);
      if (result < 0) bpf_map_release(ext->maps[entry.target]);
    }
    if (result < 0) {
      return report_error(report, ERROR_INVALID, "map %s: what the bundle puts at %u is not of the kind that it is for",
                          map->def.name, entry.index);
    }
  }
  return 0;
}

/* bundle->maps[index], new or taken over from the program before. */
static int add_map(struct extension *ext, const struct extension_request *request, bool *is_new,
                   struct report *report) {
  const struct bundle *bundle = ext->bundle;
  const struct bpf_map_def *def = &bundle->maps[ext->map_count];
  struct slice initial = bundle->initial[ext->map_count];
  const struct extension *from = NULL;
  struct bpf_map *map = NULL;
  if (initial.length == 0 && def->type != BPF_MAP_TYPE_PROG_ARRAY) {
    from = request->shares_with(request->context, def->name);
    if (from == NULL) from = request->previous;
    map = map_to_keep(from, def->name);
  }
  *is_new = map == NULL;
  if (map != NULL) {
    if (!bpf_map_same_layout(&map->def, def)) return refuse_layout(ext, from, &map->def, def, report);
    bpf_map_hold(map);
  } else {
    int status = make_map(def, request->services, &map, report);
    if (status < 0 || map == NULL) return status;
  }
  /* Counted at once, so that extension_free releases it whatever comes next. */
  ext->maps[ext->map_count++] = map;
  if (initial.length > 0) memcpy(map->values, initial.data, initial.length);
  return 0;
}

static int make_maps(struct extension *ext, const struct extension_request *request, struct report *report) {
  const struct bundle *bundle = ext->bundle;
  bool is_new[BPF_MAX_MAPS] = {false};
  int status = 0;
  if (bundle->map_count == 0) return 0;
  ext->maps = memory_alloc(bundle->map_count * sizeof(struct bpf_map *));
  if (ext->maps == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for %u maps", bundle->map_count);
  while (ext->map_count < bundle->map_count && status == 0)
    status = add_map(ext, request, &is_new[ext->map_count], report);
  for (uint32_t i = 0; i < bundle->map_count && status == 0; i++) {
    if (is_new[i]) status = fill_map(ext, i, report);
  }
  return status;
}

/* Every program refers to all maps of the bundle. */
static int prepare_program(struct extension *ext, struct bpf_program *program, struct report *report) {
  if (ext->map_count > 0) {
    program->maps = memory_alloc(ext->map_count * sizeof(struct bpf_map *));
    if (program->maps == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for %u maps", ext->map_count);
  }
  for (; program->map_count < ext->map_count; program->map_count++) {
    program->maps[program->map_count] = ext->maps[program->map_count];
    bpf_map_hold(ext->maps[program->map_count]);
  }
  return bpf_program_prepare(program, report);
}

/* Native code for the next program. What has none, for want of code memory or because its functions run into each other, the interpreter
 * runs as well: that is no reason to refuse a program, and handler `program` says which of them runs it. Packets may be in the program:
 * both engines work on the same state, and the next run takes the other. True: there are more. */
static bool compile_next(struct extension *ext) {
  const struct bundle_program *part = &ext->bundle->programs[ext->compiled];
  struct report why = {0};
  const struct bpf_fact *facts = ext->facts != NULL ? ext->facts + part->start : NULL;
  uint64_t started = ext->services->now();
  if (bpf_jit(&ext->programs[ext->compiled++], facts, NULL, &why) < 0) {
    char line[256];
    size_t length = format_text(line, sizeof line, "%s version %llu%s%s runs interpreted: %s", ext->bundle->meta.name,
                                (unsigned long long)ext->bundle->meta.version,
                                part->function[0] != 0 ? ", program " : "", part->function, text_string(&why.text));
    while (length > 0 && (length >= sizeof line || line[length - 1] == '\n'))
      length--;
    ext->services->log(LOG_WARNING, line, length);
  }
  report_free(&why);
  ext->times.compile += ext->services->now() - started;
  return ext->compiled < ext->program_count;
}

static bool compile_postponed(struct postponed *work) {
  return compile_next(CONTAINER_OF(work, struct extension, compiling));
}

/* Translating takes longer than all else that packets have to wait for: until it is done they meet the interpreter. */
static void compile(struct extension *ext) {
  const struct services *services = ext->services;
  if (services->postpone != NULL) {
    services->postpone(&ext->compiling, compile_postponed);
    return;
  }
  while (compile_next(ext))
    continue;
}

int extension_stage(const struct extension_request *request, struct extension **extension, struct report *report) {
  const struct services *services = request->services;
  struct extension *ext = memory_alloc_aligned(sizeof *ext, 64);
  if (ext == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for an extension");
  ext->services = services;
  uint64_t started = services->now();
  int status = copy_and_verify(ext, request, report);
  uint64_t verified = services->now();
  if (status == 0) status = judge(ext, request, report);
  if (status == 0) status = choose_program(ext, request, report);
  if (status == 0) status = check_programs(ext, report);
  if (status == 0) status = check_window(ext, request, report);
  uint64_t checked = services->now();
  if (status == 0) status = extension_prove(ext, services->allow_unproven, report);
  uint64_t proved = services->now();
  if (status == 0) status = make_maps(ext, request, report);
  for (uint32_t i = 0; i < ext->program_count && status == 0; i++)
    status = prepare_program(ext, &ext->programs[i], report);
  if (status == 0) {
    status = version_floor_reserve(services->floors, ext->bundle->meta.name);
    if (status < 0) {
      report_error(report, ERROR_TOO_BIG, "%s would be program name %d; the limit is %d", ext->bundle->meta.name,
                   VERSION_FLOORS_MAX + 1, VERSION_FLOORS_MAX);
    }
  }
  if (status < 0) {
    extension_free(ext);
    return status;
  }
  ext->times =
      (struct extension_times){verified - started, checked - verified, proved - checked, services->now() - proved, 0};
  if (!request->interpret) compile(ext);
  *extension = ext;
  return 0;
}

bool extension_has_timers(const struct extension *ext, const struct extension *maps_of) {
  for (uint32_t i = 0; i < maps_of->map_count; i++) {
    for (uint32_t j = 0; j < ext->program_count; j++) {
      if (bpf_timers_use(maps_of->maps[i], &ext->programs[j])) return true;
    }
  }
  return false;
}

void extension_cancel_timers(struct extension *ext) {
  for (uint32_t i = 0; i < ext->map_count; i++) {
    for (uint32_t j = 0; j < ext->program_count; j++)
      bpf_timers_forget(ext->maps[i], &ext->programs[j]);
  }
}

void extension_free(struct extension *ext) {
  if (ext == NULL) return;
  postponed_recall(&ext->compiling);
  extension_cancel_timers(ext);
  for (uint32_t i = 0; i < ext->program_count; i++)
    bpf_program_destroy(&ext->programs[i]);
  for (uint32_t i = 0; i < ext->map_count; i++)
    bpf_map_release(ext->maps[i]);
  memory_free(ext->facts);
  memory_free(ext->maps);
  memory_free(ext->bundle);
  memory_free(ext->bytes);
  memory_free(ext);
}

/* The slot in the bundle where the fault was. */
static uint32_t fault_slot(const struct extension *ext, const struct bpf_result *result) {
  for (uint32_t i = 1; i < ext->program_count; i++) {
    if (result->fault_program == &ext->programs[i]) return ext->bundle->programs[i].start + result->fault_insn;
  }
  return result->fault_insn;
}

void extension_note_fault(struct extension *ext, const struct bpf_result *result) {
  if (__atomic_test_and_set(&ext->fault.busy, __ATOMIC_ACQUIRE)) return;
  ext->fault.kind = result->fault;
  ext->fault.insn = fault_slot(ext, result);
  ext->fault.address = result->fault_address;
  __atomic_clear(&ext->fault.busy, __ATOMIC_RELEASE);
}

size_t extension_fault_text(struct extension *ext, char *buffer, size_t size) {
  /* A worker holds it for three stores. */
  while (__atomic_test_and_set(&ext->fault.busy, __ATOMIC_ACQUIRE))
    continue;
  const struct extension_fault fault = ext->fault;
  __atomic_clear(&ext->fault.busy, __ATOMIC_RELEASE);
  if (size > 0) buffer[0] = 0;
  if (fault.kind == BPF_FAULT_NONE) return 0;
  char line[BUNDLE_NAME_MAX + 64], place[sizeof line + 3] = "", address[32] = "";
  if (bundle_source_line(ext->bundle, fault.insn, line, sizeof line)) format_text(place, sizeof place, " (%s)", line);
  if (fault.kind == BPF_FAULT_MEMORY || fault.kind == BPF_FAULT_ALIGNMENT) {
    format_text(address, sizeof address, ", address 0x%llx", (unsigned long long)fault.address);
  }
  return format_text(buffer, size, "%s %llu: instruction %u%s: %s%s", ext->bundle->meta.name,
                     (unsigned long long)ext->bundle->meta.version, fault.insn, place, bpf_fault_text(fault.kind),
                     address);
}
