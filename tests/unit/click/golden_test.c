/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Golden tests of error texts: what each golden/NAME.click says when it is loaded stands in golden/NAME.txt. IMAGO_GOLDEN=1 in the
 * environment writes the texts anew, for somebody to read before they are committed.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "click/router.h"

#define DIRECTORY "tests/unit/click/golden/"

static struct nic *no_nic(const char *name) { return NULL; }
static const struct services services = {.nic_find = no_nic};

static size_t read_file(const char *name, const char *ending, char *buffer, size_t size) {
  char path[300];
  snprintf(path, sizeof path, DIRECTORY "%s%s", name, ending);
  FILE *file = fopen(path, "r");
  if (!file) fail_msg("%s cannot be opened", path);
  size_t length = fread(buffer, 1, size - 1, file);
  buffer[length] = '\0';
  fclose(file);
  return length;
}

static void write_file(const char *name, const char *text) {
  char path[300];
  snprintf(path, sizeof path, DIRECTORY "%s.txt", name);
  FILE *file = fopen(path, "w");
  if (!file) fail_msg("%s cannot be written", path);
  fputs(text, file);
  fclose(file);
}

static void check(const char *name) {
  static char source[65536], expected[65536];
  size_t length = read_file(name, ".click", source, sizeof source);
  struct scheduler scheduler;
  struct router *router = NULL;
  struct report report = {0};
  scheduler_init(&scheduler, 0);
  int result = router_create("config", (struct slice){source, length}, &services, &scheduler, &router, &report);
  if (result == 0) fail_msg("%s was accepted", name);
  if (getenv("IMAGO_GOLDEN")) {
    write_file(name, text_string(&report.text));
  } else {
    read_file(name, ".txt", expected, sizeof expected);
    if (strcmp(text_string(&report.text), expected) != 0)
      fail_msg("%s says:\n%s\ninstead of:\n%s", name, text_string(&report.text), expected);
  }
  report_free(&report);
}

/* Every configuration in golden/ is refused with exactly the text that stands beside it. */
static void texts_are_golden(void **state) {
  DIR *directory = opendir(DIRECTORY);
  assert_non_null(directory);
  unsigned checked = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
    char *ending = strstr(entry->d_name, ".click");
    if (!ending) continue;
    *ending = '\0';
    check(entry->d_name);
    checked++;
  }
  closedir(directory);
  assert_true(checked >= 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(texts_are_golden)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
