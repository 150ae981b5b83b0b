/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs clang in a temporary directory.
 */
#include "compile.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char prelude[] = "#include <linux/bpf.h>\n"
                              "#include <bpf/bpf_helpers.h>\n"
                              "#include <bpf/bpf_core_read.h>\n";

static void write_file(const char *path, const char *text) {
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
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

/* Clang keeps the text of source lines, so it must find the file by the name that is in the messages. */
void compile(const char *source, const char *flags, struct text *object) {
  char directory[] = "/tmp/imago-test-XXXXXX", c[64], h[64], o[64], here[PATH_MAX], command[PATH_MAX + 400];
  assert_non_null(mkdtemp(directory));
  assert_non_null(getcwd(here, sizeof(here)));
  format_text(c, sizeof(c), "%s/test.bpf.c", directory);
  format_text(h, sizeof(h), "%s/prelude.h", directory);
  format_text(o, sizeof(o), "%s/test.bpf.o", directory);
  format_text(
      command, sizeof(command),
      "cd %s && clang %s -Wall -I'%s/include' -I/usr/include/x86_64-linux-gnu -include prelude.h -c test.bpf.c -o test.bpf.o",
      directory, flags ? flags : "-target bpf -O2 -g", here);
  write_file(h, prelude);
  write_file(c, source);
  int status = system(command);
  *object = (struct text){0};
  if (status == 0) read_file(o, object);
  unlink(c);
  unlink(h);
  unlink(o);
  rmdir(directory);
  assert_int_equal(status, 0);
}
