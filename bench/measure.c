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
