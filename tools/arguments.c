/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Argument vectors.
 */
#include "tools/arguments.h"

#include <string.h>

#include "lib/memory.h"

void arguments_add(struct arguments *arguments, const char *format, ...) {
  if (arguments->count + 1 >= arguments->capacity) {
    unsigned capacity = arguments->capacity == 0 ? 64 : 2 * arguments->capacity;
    char **values = memory_resize(arguments->values, capacity * sizeof(*values));
    if (values == NULL) {
      arguments->failed = true;
      return;
    }
    arguments->values = values;
    arguments->capacity = capacity;
  }
  struct text text = {0};
  va_list list;
  va_start(list, format);
  text_addf_list(&text, format, list);
  va_end(list);
  char *copy = memory_copy_string(text_string(&text), text.length);
  arguments->failed = arguments->failed || text.failed || copy == NULL;
  text_free(&text);
  if (copy != NULL) arguments->values[arguments->count++] = copy;
  arguments->values[arguments->count] = NULL;
}

void arguments_free(struct arguments *arguments) {
  for (unsigned i = 0; i < arguments->count; i++)
    memory_free(arguments->values[i]);
  memory_free(arguments->values);
  memset(arguments, 0, sizeof(*arguments));
}

void shell_quote(const char *word, struct text *out) {
  bool plain = word[0] != '\0';
  for (const char *c = word; *c != '\0'; c++)
    plain = plain && (char_is_word(*c) || strchr("-+=,./:@%", *c) != NULL);
  if (plain) {
    text_add(out, word);
    return;
  }
  text_add(out, "'");
  for (const char *c = word; *c != '\0'; c++) {
    if (*c == '\'') {
      text_add(out, "'\\''");
    } else {
      text_add_bytes(out, c, 1);
    }
  }
  text_add(out, "'");
}

void arguments_to_shell(const struct arguments *arguments, struct text *out) {
  for (unsigned i = 0; i < arguments->count; i++) {
    const char *value = arguments->values[i];
    if (i > 0) text_add(out, value[0] == '-' ? " \\\n  " : " ");
    shell_quote(value, out);
  }
  text_add(out, "\n");
}
