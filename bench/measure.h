/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What measurements in C share.
 */
#ifndef IMAGO_BENCH_MEASURE_H
#define IMAGO_BENCH_MEASURE_H

#include <stdint.h>

/* Nanoseconds that this thread has had the processor: what others take from it doesn't count. */
uint64_t measure_busy(void);

/* Additions per nanosecond that this core does just now, over about 10 us: where a core runs two threads, the other one, which may be
 * another machine's, takes up to half of the units while the clock stays what it is. */
double measure_core(void);

/* Median of `count` values, at most 1024, which stay as they are. */
double measure_median(const double *values, unsigned count);

#endif
