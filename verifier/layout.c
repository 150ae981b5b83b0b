/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One array of slots per code section. Sections don't overlap (object.c), so all arrays together are bounded by the file.
 */
#include "verifier/layout.h"

#include <elf.h>

#include "lib/memory.h"

enum { SLOT_SIZE = sizeof(struct bpf_insn) };

static int add_relocations(struct layout *layout, uint32_t section, struct report *report) {
  const struct object *object = layout->object;
  struct object_relocation *relocations;
  uint32_t count;
  int error = object_relocations(object, section, &relocations, &count, report);
  for (uint32_t i = 0; i < count && !error; i++) {
    struct layout_slot *slot = layout_at(layout, section, relocations[i].offset);
    if (!slot || slot->target) {
      error = report_error(report, ERROR_INVALID, "%s: malformed object: relocations of section %s; compile it again",
                           object->file, object->sections[section].name);
      break;
    }
    slot->target = &object->symbols[relocations[i].symbol];
    slot->relocation = relocations[i].type;
  }
  memory_free(relocations);
  return error;
}

static int add_section(struct layout *layout, uint32_t section, struct report *report) {
  const struct object_section *code = &layout->object->sections[section];
  if (code->size % SLOT_SIZE != 0)
    return report_error(report, ERROR_INVALID, "%s: malformed object: section %s ends within an instruction",
                        layout->object->file, code->name);
  size_t count = code->size / SLOT_SIZE;
  struct layout_slot *slots = memory_alloc(count * sizeof(*slots));
  if (!slots) return -ERROR_NO_MEMORY;
  layout->slots[section] = slots;
  layout->count += count;
  return add_relocations(layout, section, report);
}

int layout_make(struct layout *layout, const struct object *object, struct report *report) {
  *layout = (struct layout){.object = object};
  layout->slots = memory_alloc(object->section_count * sizeof(struct layout_slot *));
  int error = layout->slots ? 0 : -ERROR_NO_MEMORY;
  for (uint32_t i = 1; i < object->section_count && !error; i++)
    if (object_is_code(&object->sections[i])) error = add_section(layout, i, report);
  for (uint32_t i = 0; i < object->symbol_count && !error; i++) {
    const struct object_symbol *symbol = &object->symbols[i];
    struct layout_slot *slot = symbol->type == STT_FUNC ? layout_at(layout, symbol->section, symbol->value) : NULL;
    /* Of two names for one function the global one counts. */
    if (slot && (!slot->function || symbol->binding == STB_GLOBAL)) slot->function = symbol;
  }
  if (error)
    layout_free(layout);
  else
    layout_clear(layout);
  return error;
}

void layout_free(struct layout *layout) {
  for (uint32_t i = 0; layout->slots && i < layout->object->section_count; i++)
    memory_free(layout->slots[i]);
  memory_free(layout->slots);
  *layout = (struct layout){0};
}

void layout_clear(struct layout *layout) {
  for (uint32_t i = 0; i < layout->object->section_count; i++)
    for (size_t j = 0; layout->slots[i] && j < layout->object->sections[i].size / SLOT_SIZE; j++)
      layout->slots[i][j].place = LAYOUT_NOWHERE;
}

struct layout_slot *layout_at(const struct layout *layout, uint32_t section, uint64_t offset) {
  const struct object *object = layout->object;
  if (section >= object->section_count || !layout->slots[section]) return NULL;
  if (offset % SLOT_SIZE != 0 || offset >= object->sections[section].size) return NULL;
  return &layout->slots[section][offset / SLOT_SIZE];
}

uint32_t layout_place(const struct layout *layout, const char *section, uint64_t offset) {
  const struct layout_slot *slot = layout_at(layout, object_find_section(layout->object, section), offset);
  return slot ? slot->place : LAYOUT_NOWHERE;
}
