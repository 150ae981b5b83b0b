/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The flat form of a Click file as data: finding and freeing. click/parser.c fills it.
 */
#include "click/config.h"

#include "lib/memory.h"

int click_config_find(const struct click_config *config, const char *name) {
  return (int)name_table_find(&config->names, slice_of(name));
}

void click_config_free(struct click_config *config) {
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    memory_free(config->declarations[i].name);
    memory_free(config->declarations[i].class_name);
    memory_free(config->declarations[i].arguments);
  }
  for (uint32_t i = 0; i < config->file_count; i++)
    memory_free(config->files[i]);
  memory_free(config->declarations);
  memory_free(config->connections);
  memory_free(config->files);
  memory_free(config->requirements);
  name_table_free(&config->names);
  *config = (struct click_config){0};
}
