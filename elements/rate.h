/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rates in integer arithmetic: token buckets and gap rates, which limit, and moving averages, which measure. They mean what Click's
 * TokenBucket, GapRate and RateEWMA mean. Times are monotonic nanoseconds. Each belongs to one worker.
 */
#ifndef IMAGO_ELEMENTS_RATE_H
#define IMAGO_ELEMENTS_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/text.h"

/* Tokens arrive at `rate` a second, and at most `capacity` are kept. Exact: a nanosecond brings `rate` billionths of a token.
 * Invariant: level <= capacity x 10^9 < 2^63. */
struct token_bucket {
  uint64_t rate; /* 0: no token ever comes */
  uint64_t capacity;
  uint64_t level;   /* billionths of a token */
  uint64_t fill_ns; /* after so long it is full, whatever was in it */
  uint64_t now;     /* of the last fill */
};

enum { BANDWIDTH_THRESHOLD = 131072 }; /* bytes: see token_bucket_configure */

/* At most so many tokens, and so high a rate. */
#define TOKEN_BUCKET_MAX ((uint64_t)1 << 33)

/* Keeps the level, as far as it fits. Rates and capacities above TOKEN_BUCKET_MAX are brought down to it; capacity is at least 1. */
void token_bucket_assign(struct token_bucket *bucket, uint64_t rate, uint64_t capacity);
void token_bucket_set(struct token_bucket *bucket, uint64_t tokens, uint64_t now);
void token_bucket_fill(struct token_bucket *bucket, uint64_t now);
bool token_bucket_contains(const struct token_bucket *bucket, uint64_t tokens);
/* How many whole tokens there are; `most` if more. */
uint64_t token_bucket_count(const struct token_bucket *bucket, uint64_t most);
/* Hot swap: goes on with what `from` has, as far as it fits. */
void token_bucket_take(struct token_bucket *bucket, const struct token_bucket *from);
/* Down to 0. */
void token_bucket_remove(struct token_bucket *bucket, uint64_t tokens);
/* When it will contain so many, counted from the last fill; 0 if it does now, UINT64_MAX if it never will. */
uint64_t token_bucket_wait(const struct token_bucket *bucket, uint64_t tokens);

/* Click's GapRate: spreads `rate` events over each second, in steps of a 4,096th of a microsecond; what one second did not use is
 * there in the next, but no more. */
struct gap_rate {
  uint32_t rate;
  uint32_t gap; /* between two events, in 4,096ths of a microsecond */
  int64_t count;
  uint64_t second;
  bool started;
};

#define GAP_RATE_MAX 4096000000u

void gap_rate_set(struct gap_rate *gap_rate, uint64_t rate);
/* True if an event (a packet, a byte) is due. Those that happen are added to ->count. */
bool gap_rate_due(struct gap_rate *gap_rate, uint64_t now);
/* When the next event is due, or at the latest when to ask again; UINT64_MAX at rate 0. After gap_rate_due said no at `now`. */
uint64_t gap_rate_next(const struct gap_rate *gap_rate, uint64_t now);

/* Click's RateEWMA: an average a millisecond, of which each counts a sixteenth; fixed point with EWMA_SCALE bits. Other workers may
 * read it while it is updated, and two that update it at the same time may lose a part. */
enum { EWMA_SCALE = 10, EWMA_FREQUENCY = 1000 };

struct ewma {
  uint64_t average; /* events a millisecond, EWMA_SCALE bits behind the point */
  uint64_t total;   /* events in this millisecond */
  uint64_t epoch;   /* which millisecond */
};

void ewma_reset(struct ewma *ewma, uint64_t now);
void ewma_advance(struct ewma *ewma, uint64_t now);
void ewma_add(struct ewma *ewma, uint64_t now, uint64_t events);
/* Events a second times factor, as Click prints rates. */
void ewma_print(struct ewma *ewma, uint64_t now, uint64_t factor, struct text *out);

#endif
