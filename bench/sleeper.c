/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The plain loop that bench/timers.py compares with: sleeps until each point of a grid, and prints when it woke up.
 * Arguments: nanoseconds between the points, and how many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long since_epoch(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv) {
  long long interval = argc > 2 ? atoll(argv[1]) : 0, count = argc > 2 ? atoll(argv[2]) : 0;
  struct timespec next;
  long long *woken = calloc((size_t)count + 1, sizeof *woken);
  if (woken == NULL || interval <= 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (long long i = 0; i < count; i++) {
    long long nanoseconds = next.tv_nsec + interval;
    next.tv_sec += nanoseconds / 1000000000;
    next.tv_nsec = nanoseconds % 1000000000;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    woken[i] = since_epoch();
  }
  for (long long i = 0; i < count; i++)
    printf("%lld\n", woken[i]);
  free(woken);
  return 0;
}
