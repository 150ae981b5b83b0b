/* SPDX-License-Identifier: BSD-3-Clause
 *
 * differential COUNT [FIRST [linux]]: compares the engines on COUNT random programs, numbered from FIRST (1 if not given); the same number
 * is the same program, so that a failure can be had again. With `linux` the safe third of them runs in the Linux kernel too, where that
 * is permitted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/differential/compare.h"

int main(int argc, char **argv) {
  uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
  if (count == 0) {
    fprintf(stderr, "usage: differential COUNT [FIRST [linux]]\n");
    return 2;
  }
  bool with_linux = argc > 3 && strcmp(argv[3], "linux") == 0 && compare_with_linux();
  for (uint64_t number = first; number < first + count; number++) {
    struct choices c = {NULL, 0, number * 0x9e3779b97f4a7c15u};
    compare_engines(&c, number % 3 == 0, number);
  }
  printf("%llu programs: all engines agree\n", (unsigned long long)count);
  if (with_linux) {
    uint64_t ran, refused;
    compare_linux_counts(&ran, &refused);
    printf("%llu of them ran in Linux, which refused %llu\n", (unsigned long long)ran, (unsigned long long)refused);
    return ran >= refused ? 0 : 1; /* a comparison of nothing would be none */
  }
  return 0;
}
