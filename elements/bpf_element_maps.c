/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Handlers for the maps of the running program. Keys and values are shown by the types that the bundle carries; without, those of 1, 2,
 * 4 or 8 bytes are decimal numbers, others hexadecimal bytes. Written ones may always be bytes (0x0a0b: in the order of memory, all of
 * them). bpf/map_text.h does the work.
 */
#include "bpf/map_text.h"
#include "elements/bpf_element.h"
#include "lib/memory.h"

enum {
  DUMP_ENTRIES = 65536, /* of a map_dump */
  RECORDS = 1024,       /* of a map_records; the next one goes on */
  RECORD_MAX = 65536,   /* bytes of a record that are shown */
};

/* --- keys and values as numbers --- */

static const struct bpf_type number_kinds[] = {{.kind = BPF_TYPE_UNSIGNED, .size = 1},
                                               {.kind = BPF_TYPE_UNSIGNED, .size = 2},
                                               {.kind = BPF_TYPE_UNSIGNED, .size = 4},
                                               {.kind = BPF_TYPE_UNSIGNED, .size = 8}};
static const struct bpf_types numbers = {
    .types = number_kinds, .names = "", .type_count = sizeof number_kinds / sizeof *number_kinds, .names_length = 1};

static uint32_t number_of(uint32_t size) {
  for (uint32_t i = 0; i < numbers.type_count; i++) {
    if (number_kinds[i].size == size) return i;
  }
  return BPF_NO_TYPE;
}

/* As the bundle says; plain numbers where it has no types of the map. */
static struct bpf_map_types types_of(const struct extension *ext, const struct bpf_map *map) {
  for (uint32_t i = 0; i < ext->map_count && ext->bundle->types.type_count > 0; i++) {
    const struct bundle_map_types *of = &ext->bundle->map_types[i];
    if (ext->maps[i] != map || (of->key == BPF_NO_TYPE && of->value == BPF_NO_TYPE)) continue;
    return (struct bpf_map_types){&ext->bundle->types, of->key, of->value};
  }
  return (struct bpf_map_types){&numbers, number_of(map->def.key_size), number_of(map->def.value_size)};
}

/* A map of the running program; of a constant one only tunables change (bpf_consts.c). */
static bool is_constant(const struct bpf_element *b, const struct bpf_map *map) {
  for (uint32_t i = 0; i < b->running->map_count; i++) {
    if (b->running->maps[i] == map) return bundle_map_is_constant(b->running->bundle, i);
  }
  return false;
}

static enum bpf_text_style style_of(struct slice *parameter) {
  return bpf_element_wants_json(parameter) ? BPF_STYLE_JSON : BPF_STYLE_TEXT;
}

/* --- what a handler was given --- */

/* A call of one of these handlers, taken apart. */
struct map_call {
  struct bpf_map *map;
  struct bpf_map_types types;
  struct slice rest;                                        /* what stands behind the key */
  uint8_t key[BPF_MAP_MAX_KEY] __attribute__((aligned(8))); /* unused for maps without keys */
};

/* The map that the first word names. */
static int take_map(void *owner, struct slice text, struct map_call *call, struct report *report) {
  const struct extension *ext = ((struct bpf_element *)owner)->running;
  const struct slice name = slice_next_word(&text);
  struct text all = {0};
  call->map = extension_map(ext, name);
  call->rest = slice_trim(text);
  if (call->map != NULL) {
    call->types = types_of(ext, call->map);
    return 0;
  }
  for (uint32_t i = 0; i < ext->map_count; i++)
    text_addf(&all, "%s%s", i > 0 ? ", " : "", ext->maps[i]->def.name);
  report_error(report, ERROR_NOT_FOUND, "%s has no map '%.*s'; it has: %s", ext->bundle->meta.name, (int)name.length,
               name.data, ext->map_count > 0 ? text_string(&all) : "none");
  text_free(&all);
  return -ERROR_NOT_FOUND;
}

/* The map, and the key behind it if the map has keys. */
static int take_key(void *owner, struct slice text, struct map_call *call, struct report *report) {
  int status = take_map(owner, text, call, report);
  if (status < 0 || call->map->def.key_size == 0) return status;
  const struct slice key = slice_next_word(&call->rest);
  call->rest = slice_trim(call->rest);
  if (key.length == 0) {
    return report_error(report, ERROR_INVALID, "%s: no key; write it behind the name of the map", call->map->def.name);
  }
  return bpf_map_parse_key(key, call->map, &call->types, call->key, report);
}

static int check_end(const struct map_call *call, struct report *report) {
  if (call->rest.length == 0) return 0;
  return report_error(report, ERROR_INVALID, "%s: '%.*s' is more than there is to say", call->map->def.name,
                      (int)call->rest.length, call->rest.data);
}

/* What a number of Linux says of a map. */
static int refuse(const struct bpf_map *map, long number, struct report *report) {
  static const struct {
    long number;
    enum error error;
    const char *text;
  } reasons[] = {
      {BPF_ENOENT, ERROR_NOT_FOUND, "no such entry"},
      {BPF_EPERM, ERROR_PERMISSION, "its flags, or its being a program's constants, forbid it"},
      {BPF_E2BIG, ERROR_TOO_BIG, "there is no room: more than its max_entries"},
      {BPF_ENOMEM, ERROR_NO_MEMORY, "no memory"},
      {BPF_EOPNOTSUPP, ERROR_UNSUPPORTED, "entries are programs, maps or records, which cannot be handled so"},
      {BPF_EINVAL, ERROR_INVALID, "its type does not take this"},
      {BPF_ENODEV, ERROR_INVALID, "there is no such target"},
      {BPF_EOVERFLOW, ERROR_INVALID, "the value is too large"},
  };
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    if (reasons[i].number != -number) continue;
    return report_error(report, reasons[i].error, "%s: %s", map->def.name, reasons[i].text);
  }
  return report_error(report, ERROR_INVALID, "%s: refused (Linux's error %ld)", map->def.name, -number);
}

static int answer(const struct bpf_map *map, long result, struct report *report) {
  return result < 0 ? refuse(map, result, report) : 0;
}

/* --- handlers --- */

int bpf_element_read_maps(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                          struct report *report) {
  const struct extension *ext = ((struct bpf_element *)owner)->running;
  const bool json = bpf_element_wants_json(&parameter);
  if (json) text_add(out, "[");
  for (uint32_t i = 0; i < ext->map_count; i++) {
    const struct bpf_map *map = ext->maps[i];
    const struct bpf_map_def *def = &map->def;
    const uint32_t count = __atomic_load_n(&map->count, __ATOMIC_RELAXED);
    if (!json) {
      text_addf(out, "%s %s %u %u %u %u\n", def->name, bpf_map_type_name(def->type), def->key_size, def->value_size,
                def->max_entries, count);
      continue;
    }
    text_addf(out,
              "%s{\"name\": \"%s\", \"type\": \"%s\", \"key_size\": %u, \"value_size\": %u, \"max_entries\": %u, "
              "\"entries\": %u, \"memory\": %llu}",
              i > 0 ? ",\n " : "", def->name, bpf_map_type_name(def->type), def->key_size, def->value_size,
              def->max_entries, count, (unsigned long long)map->memory);
  }
  if (json) text_add(out, "]");
  return 0;
}

int bpf_element_map_dump(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  const enum bpf_text_style style = style_of(&parameter);
  struct map_call call;
  int status = take_map(owner, parameter, &call, report);
  if (status == 0) status = check_end(&call, report);
  if (status == 0) bpf_map_dump(out, call.map, &call.types, DUMP_ENTRIES, style);
  return status;
}

int bpf_element_map_get(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  const enum bpf_text_style style = style_of(&parameter);
  struct map_call call;
  int status = take_key(owner, parameter, &call, report);
  if (status == 0) status = check_end(&call, report);
  if (status < 0) return status;
  return answer(call.map, bpf_map_format(out, call.map, &call.types, call.key, style), report);
}

int bpf_element_map_set(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct map_call call;
  int status = take_key(owner, value, &call, report);
  if (status < 0) return status;
  if (is_constant(owner, call.map)) return refuse(call.map, -BPF_EPERM, report);
  void *bytes = memory_alloc(bpf_map_outside_size(call.map) + 8u);
  if (bytes == NULL) return refuse(call.map, -BPF_ENOMEM, report);
  status = bpf_map_parse_value(call.rest, call.map, &call.types, bytes, report);
  if (status == 0) status = answer(call.map, bpf_map_set(call.map, call.key, bytes, BPF_ANY), report);
  memory_free(bytes);
  return status;
}

int bpf_element_map_delete(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  struct map_call call;
  int status = take_key(owner, value, &call, report);
  if (status == 0) status = check_end(&call, report);
  if (status < 0) return status;
  return answer(call.map, is_constant(owner, call.map) ? -BPF_EPERM : bpf_map_erase(call.map, call.key), report);
}

/* Takes the records of one ring; gives how many of `most` are left to take. */
static uint32_t take_records(struct text *out, const struct map_call *call, uint32_t ring, enum bpf_text_style style,
                             uint8_t *bytes, uint32_t most) {
  const bool json = style == BPF_STYLE_JSON, per_cpu = call->map->ring_count > 1;
  for (; most > 0; most--) {
    const int64_t length = bpf_map_read_record(call->map, ring, bytes, RECORD_MAX);
    if (length < 0) break;
    const uint32_t shown = length < RECORD_MAX ? (uint32_t)length : RECORD_MAX;
    if (json) {
      text_addf(out, "%s{\"processor\": %u, \"length\": %lld, \"data\": ", most < RECORDS ? ",\n " : "", ring,
                (long long)length);
    } else if (per_cpu) {
      text_addf(out, "%u: ", ring);
    }
    bpf_types_format(out, NULL, BPF_NO_TYPE, bytes, shown, style);
    text_add(out, json ? "}" : "\n");
  }
  return most;
}

int bpf_element_map_records(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                            struct report *report) {
  const enum bpf_text_style style = style_of(&parameter);
  struct map_call call;
  uint32_t most = RECORDS;
  int status = take_map(owner, parameter, &call, report);
  if (status == 0) status = check_end(&call, report);
  if (status < 0) return status;
  if (call.map->ring_count == 0) {
    return report_error(report, ERROR_UNSUPPORTED, "%s: a %s has no records; read map_dump", call.map->def.name,
                        bpf_map_type_name(call.map->def.type));
  }
  uint8_t *bytes = memory_alloc(RECORD_MAX);
  if (bytes == NULL) return refuse(call.map, -BPF_ENOMEM, report);
  if (style == BPF_STYLE_JSON) text_add(out, "[");
  for (uint32_t ring = 0; ring < call.map->ring_count; ring++)
    most = take_records(out, &call, ring, style, bytes, most);
  if (style == BPF_STYLE_JSON) text_add(out, "]");
  memory_free(bytes);
  return 0;
}
