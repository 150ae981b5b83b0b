/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libFuzzer target: IP summary dumps. The first line names fields, the others are packets; each makes a packet that can be written
 * with the same fields, whatever its values were.
 */
#include <stdint.h>
#include <stdlib.h>

#include "platform/process/ip_summary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  struct summary_fields fields;
  if (text == NULL) abort();
  memcpy(text, data, size);
  text[size] = '\0';
  char *lines = strchr(text, '\n');
  if (lines != NULL) *lines++ = '\0';
  bool known = summary_fields_parse(text, &fields, NULL) == 0;
  while (known && lines != NULL) {
    char *end = strchr(lines, '\n');
    struct slice line = {lines, end != NULL ? (size_t)(end - lines) : strlen(lines)};
    struct packet *p = calloc(1, sizeof *p + 60);
    struct text out = {0};
    if (p == NULL) abort();
    p->data = (uint8_t *)(p + 1);
    (void)!summary_read(&fields, line, 6, p);
    if (p->length > 40 || summary_write(&fields, p, true, &out) != NULL) abort();
    text_free(&out);
    free(p);
    lines = end != NULL ? end + 1 : NULL;
  }
  free(text);
  return 0;
}
