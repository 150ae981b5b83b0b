/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/bpf_print.h"

#include "bpf/map_text.h"
#include "lib/memory.h"
#include "lib/string.h"

enum { MAX_SHOWN = 1000 }; /* entries of a map */

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

static void print_entry(FILE *to, bool first, const void *key, size_t key_size, const void *value, size_t value_size) {
  fputs(first ? "[\"" : ", [\"", to);
  bpf_print_hex(to, key, key_size);
  fputs("\", \"", to);
  bpf_print_hex(to, value, value_size);
  fputs("\"]", to);
}

static void print_entries(FILE *to, struct bpf_map *map) {
  uint32_t size = bpf_map_outside_size(map);
  uint8_t key[BPF_MAP_MAX_KEY], *value = memory_alloc(size);
  bool first = true;
  if (value == NULL) return;
  for (const void *from = NULL; map->ops->next_key(map, from, key) == 0; from = key) {
    if (bpf_map_get(map, key, value) != 0) continue;
    print_entry(to, first, key, map->def.key_size, value, size);
    first = false;
  }
  memory_free(value);
}

static void print_records(FILE *to, struct bpf_map *map) {
  uint8_t *record = memory_alloc(map->def.max_entries);
  bool first = true;
  int64_t length;
  while (record != NULL && (length = bpf_map_read_record(map, 0, record, map->def.max_entries)) >= 0) {
    print_entry(to, first, "", 0, record, (size_t)length);
    first = false;
  }
  memory_free(record);
}

void bpf_print_maps(FILE *to, const struct linked_program *linked, struct bpf_map *const *maps) {
  const struct bpf_types types = type_table_view(&linked->types);
  for (uint32_t i = 0; i < linked->map_count; i++) {
    const struct bpf_map_def *def = &maps[i]->def;
    const struct bpf_map_types of = {types.type_count > 0 ? &types : NULL, linked->map_types[i].key,
                                     linked->map_types[i].value};
    struct text out = {0};
    bpf_map_dump(&out, maps[i], &of, MAX_SHOWN, BPF_STYLE_TEXT);
    fprintf(to, "\nmap %s: %s, key %u, value %u, %u entries\n%s", def->name, bpf_map_type_name(def->type),
            def->key_size, def->value_size, def->max_entries, text_string(&out));
    text_free(&out);
  }
}

void bpf_print_maps_json(FILE *to, struct bpf_map *const *maps, uint32_t count) {
  fputs("{", to);
  for (uint32_t i = 0; i < count; i++) {
    fprintf(to, "%s\"%s\": [", i > 0 ? ", " : "", maps[i]->def.name);
    if (maps[i]->def.type == BPF_MAP_TYPE_RINGBUF)
      print_records(to, maps[i]);
    else if (maps[i]->values != NULL && maps[i]->def.key_size != 0)
      print_entries(to, maps[i]);
    fputs("]", to);
  }
  fputs("}", to);
}
