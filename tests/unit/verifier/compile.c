/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs clang in a temporary directory.
 */
#include "compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

const char compile_prelude[] = "#include <linux/bpf.h>\n"
                               "#include <bpf/bpf_helpers.h>\n"
                               "#include <bpf/bpf_core_read.h>\n"
                               "#line 1 \"test.bpf.c\"\n";

static void write_file(const char *path, const char *head, const char *body) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs(head, f) >= 0 && fputs(body, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

static void read_file(const char *path, struct text *out) {
  char buffer[4096];
  size_t n;
  FILE *f = fopen(path, "rb");
  assert_non_null(f);
  while ((n = fread(buffer, 1, sizeof(buffer), f)) > 0)
    text_add_bytes(out, buffer, n);
  fclose(f);
  assert_false(out->failed);
}

void compile(const char *source, const char *flags, struct text *object) {
  char directory[] = "/tmp/imago-test-XXXXXX", c[64], o[64], command[400];
  assert_non_null(mkdtemp(directory));
  format_text(c, sizeof(c), "%s/test.bpf.c", directory);
  format_text(o, sizeof(o), "%s/test.bpf.o", directory);
  format_text(command, sizeof(command), "clang %s -Wall -Iinclude -I/usr/include/x86_64-linux-gnu -c %s -o %s",
              flags ? flags : "-target bpf -O2 -g", c, o);
  write_file(c, compile_prelude, source);
  int status = system(command);
  *object = (struct text){0};
  if (status == 0) read_file(o, object);
  unlink(c);
  unlink(o);
  rmdir(directory);
  assert_int_equal(status, 0);
}
