/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/bpf_print.h"

#include "bpf/ring.h"
#include "lib/memory.h"
#include "lib/string.h"

void bpf_verdict_text(enum bpf_program_kind kind, uint64_t verdict, char *buffer, size_t size) {
  static const char *const xdp[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"};
  const char *name = NULL;
  if (kind == BPF_PROGRAM_XDP && verdict < sizeof(xdp) / sizeof(xdp[0])) name = xdp[verdict];
  if (kind == BPF_PROGRAM_TC) {
    switch ((int32_t)verdict) {
      case TC_ACT_UNSPEC:
        name = "TC_ACT_UNSPEC";
        break;
      case TC_ACT_OK:
        name = "TC_ACT_OK";
        break;
      case TC_ACT_SHOT:
        name = "TC_ACT_SHOT";
        break;
      case TC_ACT_REDIRECT:
        name = "TC_ACT_REDIRECT";
        break;
      default:
        break;
    }
  }
  if (name)
    snprintf(buffer, size, "%s", name);
  else
    snprintf(buffer, size, "%d", (int32_t)verdict);
}

void bpf_print_hex(FILE *to, const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  for (size_t i = 0; i < count; i++)
    fprintf(to, "%02x", byte[i]);
}

/* What one entry looks like: key and value, in JSON or as a line. */
static void print_entry(FILE *to, bool json, bool first, const void *key, size_t key_size, const void *value,
                        size_t value_size) {
  fputs(!json ? "  " : first ? "[\"" : ", [\"", to);
  bpf_print_hex(to, key, key_size);
  fputs(json ? "\", \"" : "  ", to);
  bpf_print_hex(to, value, value_size);
  fputs(json ? "\"]" : "\n", to);
}

static bool all_zero(const uint8_t *bytes, size_t count) {
  while (count > 0 && *bytes == 0) {
    bytes++;
    count--;
  }
  return count == 0;
}

static void print_entries(FILE *to, struct bpf_map *map, bool json) {
  const struct bpf_map_def *def = &map->def;
  uint8_t key[BPF_MAP_MAX_KEY];
  bool first = true;
  uint32_t zeros = 0;
  for (const void *from = NULL; map->ops->next_key(map, from, key) == 0; from = key) {
    const void *value = map->ops->lookup(map, key);
    if (value == NULL) continue;
    /* An array's empty entries would hide the others. */
    if (!json && def->type == BPF_MAP_TYPE_ARRAY && def->max_entries > 1 && all_zero(value, def->value_size)) {
      zeros++;
      continue;
    }
    print_entry(to, json, first, key, def->key_size, value, def->value_size);
    first = false;
  }
  if (zeros > 0) fprintf(to, "  (%u entries are zero)\n", zeros);
}

static void print_records(FILE *to, struct bpf_map *map, bool json) {
  uint8_t *record = memory_alloc(map->def.max_entries);
  bool first = true;
  for (uint32_t i = 0; i < map->ring_count && record != NULL; i++) {
    int64_t length;
    while ((length = bpf_ring_read(&map->rings[i], record, map->def.max_entries)) >= 0) {
      print_entry(to, json, first, "", 0, record, (size_t)length);
      first = false;
    }
  }
  memory_free(record);
}

/* Maps whose values are bytes that a reader can make something of. */
static bool has_entries(const struct bpf_map *map) { return map->values != NULL && map->def.key_size != 0; }

static void print_map(FILE *to, struct bpf_map *map, bool json) {
  if (map->def.type == BPF_MAP_TYPE_RINGBUF)
    print_records(to, map, json);
  else if (has_entries(map))
    print_entries(to, map, json);
}

void bpf_print_maps(FILE *to, struct bpf_map *const *maps, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    const struct bpf_map_def *def = &maps[i]->def;
    fprintf(to, "\nmap %s: %s, key %u, value %u, %u entries\n", def->name, bpf_map_type_name(def->type), def->key_size,
            def->value_size, def->max_entries);
    print_map(to, maps[i], false);
  }
}

void bpf_print_maps_json(FILE *to, struct bpf_map *const *maps, uint32_t count) {
  fputs("{", to);
  for (uint32_t i = 0; i < count; i++) {
    fprintf(to, "%s\"%s\": [", i > 0 ? ", " : "", maps[i]->def.name);
    print_map(to, maps[i], true);
    fputs("]", to);
  }
  fputs("}", to);
}
