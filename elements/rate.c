/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Token buckets, gap rates and moving averages. Nothing here divides on the usual packet's path but gap_rate_due, once a batch.
 */
#include "elements/rate.h"

#include "elements/parameter.h"

#define SECOND ((uint64_t)1000000000)

static uint64_t at_most(uint64_t value, uint64_t most) { return value < most ? value : most; }

/* --- token buckets --- */

void token_bucket_assign(struct token_bucket *bucket, uint64_t rate, uint64_t capacity) {
  bucket->rate = at_most(rate, TOKEN_BUCKET_MAX);
  bucket->capacity = capacity == 0 ? 1 : at_most(capacity, TOKEN_BUCKET_MAX - 1);
  bucket->level = at_most(bucket->level, bucket->capacity * SECOND);
  bucket->fill_ns = bucket->rate == 0 ? UINT64_MAX : bucket->capacity * SECOND / bucket->rate + 1;
}

void token_bucket_set(struct token_bucket *bucket, uint64_t tokens, uint64_t now) {
  bucket->level = at_most(tokens, bucket->capacity) * SECOND;
  bucket->now = now;
}

void token_bucket_fill(struct token_bucket *bucket, uint64_t now) {
  uint64_t full = bucket->capacity * SECOND;
  /* Clocks of two workers may differ by a little. */
  uint64_t elapsed = now > bucket->now ? now - bucket->now : 0;
  /* Within fill_ns the product is at most full + rate, so the sum is below 2^64. */
  bucket->level = elapsed >= bucket->fill_ns ? full : at_most(bucket->level + elapsed * bucket->rate, full);
  bucket->now = now > bucket->now ? now : bucket->now;
}

bool token_bucket_contains(const struct token_bucket *bucket, uint64_t tokens) {
  return tokens <= bucket->capacity && tokens * SECOND <= bucket->level;
}

uint64_t token_bucket_count(const struct token_bucket *bucket, uint64_t most) {
  if (token_bucket_contains(bucket, most)) return most;
  return bucket->level / SECOND;
}

void token_bucket_remove(struct token_bucket *bucket, uint64_t tokens) {
  uint64_t taken = at_most(tokens, bucket->capacity) * SECOND;
  bucket->level = bucket->level > taken ? bucket->level - taken : 0;
}

void token_bucket_take(struct token_bucket *bucket, const struct token_bucket *from) {
  bucket->level = at_most(from->level, bucket->capacity * SECOND);
  bucket->now = from->now;
}

uint64_t token_bucket_wait(const struct token_bucket *bucket, uint64_t tokens) {
  if (token_bucket_contains(bucket, tokens)) return 0;
  if (bucket->rate == 0 || tokens > bucket->capacity) return UINT64_MAX;
  return (tokens * SECOND - bucket->level + bucket->rate - 1) / bucket->rate;
}

/* --- gap rates --- */

void gap_rate_set(struct gap_rate *gap_rate, uint64_t rate) {
  uint32_t limited = (uint32_t)at_most(rate, GAP_RATE_MAX);
  *gap_rate = (struct gap_rate){.rate = limited, .gap = limited == 0 ? 0 : GAP_RATE_MAX / limited};
}

bool gap_rate_due(struct gap_rate *gap_rate, uint64_t now) {
  if (gap_rate->rate == 0) return false;
  uint64_t second = now / SECOND;
  uint64_t ticks = now % SECOND / 1000 << 12;
  int64_t due = (int64_t)(ticks / gap_rate->gap);
  if (!gap_rate->started) {
    /* The first event is due unless the gap it falls into is more than half over. */
    gap_rate->started = true;
    gap_rate->second = second;
    gap_rate->count = due + (ticks % gap_rate->gap > gap_rate->gap / 2);
  } else if (second > gap_rate->second) {
    /* As Click, asked in each second, would: each takes its share off, the last one leaves what it did not use. */
    uint64_t seconds = second - gap_rate->second, owed = gap_rate->count > 0 ? (uint64_t)gap_rate->count : 0;
    uint64_t needed = owed / gap_rate->rate + (owed % gap_rate->rate > 0);
    gap_rate->second = second;
    gap_rate->count -= (int64_t)(at_most(seconds, needed) * gap_rate->rate);
  }
  return due >= gap_rate->count;
}

uint64_t gap_rate_next(const struct gap_rate *gap_rate, uint64_t now) {
  if (gap_rate->rate == 0) return UINT64_MAX;
  uint64_t begin = now - now % SECOND, count = gap_rate->count > 0 ? (uint64_t)gap_rate->count : 0;
  if (count >= gap_rate->rate) return begin + SECOND;
  return begin + at_most((count * gap_rate->gap + 4095) / 4096 * 1000, SECOND);
}

/* --- averages --- */

enum { EWMA_SHIFT = 4, EWMA_FORGET = 100 };

static uint64_t ewma_step(uint64_t average, uint64_t events) {
  int64_t difference = (int64_t)((events << EWMA_SCALE) - average + (1 << (EWMA_SHIFT - 1)));
  return average + (uint64_t)(difference >> EWMA_SHIFT);
}

void ewma_reset(struct ewma *ewma, uint64_t now) {
  __atomic_store_n(&ewma->average, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&ewma->total, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&ewma->epoch, now / (SECOND / EWMA_FREQUENCY), __ATOMIC_RELAXED);
}

void ewma_advance(struct ewma *ewma, uint64_t now) {
  uint64_t epoch = now / (SECOND / EWMA_FREQUENCY), before = __atomic_load_n(&ewma->epoch, __ATOMIC_RELAXED);
  if (epoch <= before) return;
  uint64_t average =
      ewma_step(__atomic_load_n(&ewma->average, __ATOMIC_RELAXED), __atomic_load_n(&ewma->total, __ATOMIC_RELAXED));
  /* Milliseconds in which nothing happened. */
  uint64_t idle = epoch - before - 1;
  if (idle >= EWMA_FORGET) {
    average = 0;
    idle = 0;
  }
  for (; idle > 0; idle--)
    average = ewma_step(average, 0);
  __atomic_store_n(&ewma->average, average, __ATOMIC_RELAXED);
  __atomic_store_n(&ewma->total, 0, __ATOMIC_RELAXED);
  __atomic_store_n(&ewma->epoch, epoch, __ATOMIC_RELAXED);
}

void ewma_add(struct ewma *ewma, uint64_t now, uint64_t events) {
  ewma_advance(ewma, now);
  __atomic_store_n(&ewma->total, __atomic_load_n(&ewma->total, __ATOMIC_RELAXED) + events, __ATOMIC_RELAXED);
}

void ewma_print(struct ewma *ewma, uint64_t now, uint64_t factor, struct text *out) {
  ewma_advance(ewma, now);
  text_add_fixed(out, __atomic_load_n(&ewma->average, __ATOMIC_RELAXED) * EWMA_FREQUENCY * factor, EWMA_SCALE);
}
