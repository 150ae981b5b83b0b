/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_VALUES = 1024 };

uint64_t measure_busy(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Eight sums that do not wait for each other, so that the number of units counts and not how long an addition takes. */
double measure_core(void) {
  enum { TURNS = 8192, ADDITIONS = 8 };
  uint64_t sum[ADDITIONS] = {0}, started = measure_busy();
  for (unsigned i = 0; i < TURNS; i++) {
    __asm__ volatile("add $1, %0; add $1, %1; add $1, %2; add $1, %3; add $1, %4; add $1, %5; add $1, %6; add $1, %7"
                     : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3]), "+r"(sum[4]), "+r"(sum[5]), "+r"(sum[6]),
                       "+r"(sum[7]));
  }
  return (double)TURNS * ADDITIONS / (double)(measure_busy() - started);
}

static int compare(const void *a, const void *b) {
  const double *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

double measure_median(const double *values, unsigned count) {
  double sorted[MOST_VALUES];
  memcpy(sorted, values, count * sizeof *values);
  qsort(sorted, count, sizeof *sorted, compare);
  return sorted[count / 2];
}
