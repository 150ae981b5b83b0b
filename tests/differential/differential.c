/* SPDX-License-Identifier: BSD-3-Clause
 *
 * differential COUNT [FIRST [linux [EVERY]]]: compares the engines on COUNT random programs, numbered from FIRST (1 if not given); the same
 * number is the same program, so that a failure can be had again. With `linux` the safe third of them, or one in EVERY of that, runs in
 * the Linux kernel too, where that is permitted. Says how far it is from time to time, and in the end which rules of the JIT no program
 * executed, which is a failure if there were enough programs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/differential/compare.h"

enum { ENOUGH = 20000, PROGRESS_PROGRAMS = 1000, PROGRESS_SECONDS = 20 };

/* False: some rule was not executed. */
static bool report_rules(uint64_t count) {
  unsigned missed = 0, seldom = 0;
  for (unsigned rule = 1; rule < BPF_JIT_RULES; rule++) {
    if (compare_rule_count((enum bpf_jit_rule)rule) < compare_rule_count((enum bpf_jit_rule)seldom)) seldom = rule;
  }
  for (unsigned rule = 0; rule < BPF_JIT_RULES && count >= ENOUGH; rule++) {
    if (rule == BPF_JIT_ANDN && !bpf_jit_this_cpu().bmi1) continue;
    if (compare_rule_count((enum bpf_jit_rule)rule) != 0) continue;
    printf("no program executed code by the rule '%s'\n", bpf_jit_rule_name((enum bpf_jit_rule)rule));
    missed++;
  }
  if (count >= ENOUGH && missed == 0) {
    printf("code by each of %d rules of the JIT was executed, the rarest, '%s', by %llu programs\n", BPF_JIT_RULES,
           bpf_jit_rule_name((enum bpf_jit_rule)seldom),
           (unsigned long long)compare_rule_count((enum bpf_jit_rule)seldom));
  }
  return missed == 0;
}

int main(int argc, char **argv) {
  uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
  uint64_t every = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
  if (count == 0 || every == 0) {
    fprintf(stderr, "usage: differential COUNT [FIRST [linux [EVERY]]]\n");
    return 2;
  }
  bool with_linux = argc > 3 && strcmp(argv[3], "linux") == 0 && compare_with_linux(every);
  time_t started = time(NULL), told = started;
  for (uint64_t number = first; number < first + count; number++) {
    struct choices c = {NULL, 0, number * 0x9e3779b97f4a7c15u};
    compare_engines(&c, number % 3 == 0, number);
    if (number % PROGRESS_PROGRAMS != 0 || time(NULL) < told + PROGRESS_SECONDS) continue;
    told = time(NULL);
    uint64_t done = number - first + 1;
    fprintf(stderr, "%llu of %llu programs, %llu a second\n", (unsigned long long)done, (unsigned long long)count,
            (unsigned long long)(done / (uint64_t)(told - started)));
  }
  printf("%llu programs: all engines agree\n", (unsigned long long)count);
  bool good = report_rules(count);
  if (with_linux) {
    uint64_t ran, refused;
    compare_linux_counts(&ran, &refused);
    printf("%llu of them ran in Linux, which refused %llu\n", (unsigned long long)ran, (unsigned long long)refused);
    good = good && ran >= refused; /* a comparison of nothing would be none */
  }
  return good ? 0 : 1;
}
