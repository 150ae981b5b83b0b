/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What Linux's verifier says of objects, one line of JSON for each. Exit status 77: the kernel, or who may use it, does not allow this.
 *
 * usage: linux-verify OBJECT...
 */
#include <stdio.h>
#include <sys/utsname.h>

#include "tests/verify/linux_verifier.h"

enum { REFUSED = 77 };

static void print_text(const char *text) {
  putchar('"');
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    putchar(*text >= ' ' ? *text : ' ');
  }
  putchar('"');
}

int main(int count, char **arguments) {
  struct utsname system;
  if (uname(&system) != 0) return 1;
  for (int i = 1; i < count; i++) {
    struct linux_verdict verdict;
    linux_verify(arguments[i], &verdict);
    if (verdict.answer == LINUX_SILENT) {
      fprintf(stderr, "linux-verify: %s\n", verdict.why);
      return REFUSED;
    }
    printf("{\"object\": ");
    print_text(arguments[i]);
    printf(", \"release\": ");
    print_text(system.release);
    printf(", \"accepted\": %s, \"microseconds\": %.0f, \"instructions\": %u, \"processed\": %u, \"why\": ",
           verdict.answer == LINUX_ACCEPTS ? "true" : "false", verdict.microseconds, verdict.instructions,
           verdict.processed);
    print_text(verdict.why);
    printf("}\n");
  }
  return 0;
}
