/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Follows a run's console and log.
 */
#include "tools/output.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *const file_names[OUTPUT_FILES] = {"console", "log"};

enum { LINE_MAX_KEPT = 65536 };

void output_open(struct output *output, const struct rundir *dir, const struct symbols *symbols) {
  *output = (struct output){.dir = dir, .symbols = symbols};
  for (unsigned i = 0; i < OUTPUT_FILES; i++)
    output->fds[i] = -1;
}

static void print_line(const struct output *output, struct slice line, FILE *to) {
  struct text annotated = {0};
  while (line.length > 0 && line.data[line.length - 1] == '\r')
    line.length--;
  symbols_annotate(output->symbols, line, &annotated);
  for (size_t i = 0; i < annotated.length; i++) {
    unsigned char c = (unsigned char)annotated.data[i];
    if ((c < 32 && c != '\t') || c == 127) {
      fprintf(to, "\\x%02x", c);
    } else {
      fputc(c, to);
    }
  }
  fputc('\n', to);
  text_free(&annotated);
}

static bool poll_file(struct output *output, unsigned index, FILE *to) {
  int *fd = &output->fds[index];
  if (*fd < 0) {
    char path[PATH_MAX];
    rundir_file(output->dir, file_names[index], path);
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*fd < 0) return false;
  }
  struct text *partial = &output->partial[index];
  bool any = false;
  char bytes[65536];
  for (ssize_t got; (got = read(*fd, bytes, sizeof(bytes))) > 0; any = true) {
    const char *from = bytes, *end;
    size_t left = (size_t)got;
    while ((end = memchr(from, '\n', left)) != NULL) {
      text_add_bytes(partial, from, (size_t)(end - from));
      print_line(output, (struct slice){text_string(partial), partial->length}, to);
      text_clear(partial);
      left -= (size_t)(end - from) + 1;
      from = end + 1;
    }
    if (partial->length < LINE_MAX_KEPT) text_add_bytes(partial, from, left);
  }
  return any;
}

bool output_poll(struct output *output, FILE *to) {
  bool any = false;
  for (unsigned i = 0; i < OUTPUT_FILES; i++)
    any = poll_file(output, i, to) || any;
  if (any) fflush(to);
  return any;
}

void output_close(struct output *output, FILE *to) {
  output_poll(output, to);
  for (unsigned i = 0; i < OUTPUT_FILES; i++) {
    struct text *partial = &output->partial[i];
    if (partial->length > 0) print_line(output, (struct slice){partial->data, partial->length}, to);
    text_free(partial);
    if (output->fds[i] >= 0) close(output->fds[i]);
    output->fds[i] = -1;
  }
  fflush(to);
}
