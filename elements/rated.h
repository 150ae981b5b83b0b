/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The arguments of elements that are limited by a token bucket: RATE, BURST_DURATION, and BURST_SIZE or BURST_BYTES.
 */
#ifndef IMAGO_ELEMENTS_RATED_H
#define IMAGO_ELEMENTS_RATED_H

#include "click/element.h"
#include "elements/rate.h"

struct rated {
  uint64_t rate, duration, size;
  bool duration_given, size_given;
  struct token_bucket bucket;
};

#define RATED_ARGUMENTS(type, member, rate_type, size_name, unit)                              \
  {"RATE", rate_type, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(type, member.rate),   \
   unit " a second; 0: nothing passes"},                                                       \
      {"BURST_DURATION",                                                                       \
       ARGUMENT_TIME,                                                                          \
       0,                                                                                      \
       offsetof(type, member.duration),                                                        \
       "the bucket holds the tokens of so much time (20ms)",                                   \
       offsetof(type, member.duration_given)},                                                 \
  {                                                                                            \
    size_name, ARGUMENT_U64, 0, offsetof(type, member.size), "the bucket holds so many " unit, \
        offsetof(type, member.size_given)                                                      \
  }

#define RATED_MANUAL \
  "A bucket gets RATE tokens a second and holds those of BURST_DURATION; it begins empty. Each packet takes one token."
#define RATED_BYTES_MANUAL                                                                                               \
  "A bucket gets RATE tokens a second, one a byte, and holds those of BURST_DURATION and 131072 more; it begins empty. " \
  "A packet passes while there are at least 131072, and takes as many as it has bytes."

/* Of each pair of classes the one whose name begins with Bandwidth counts bytes, the other packets. */
static inline bool rated_counts_bytes(const struct element *e) { return e->class->name[0] == 'B'; }

static inline void rated_defaults(struct rated *rated) { rated->duration = 20000000; }

/* As in Click, a packet may pass while the bucket holds more than BANDWIDTH_THRESHOLD bytes beyond its burst: so no packet is longer
 * than what the bucket holds. */
static inline int rated_configure(struct rated *rated, bool bytes, struct report *report) {
  if (rated->duration_given && rated->size_given) {
    return report_error(report, ERROR_INVALID, "cannot specify both BURST_DURATION and %s",
                        bytes ? "BURST_BYTES" : "BURST_SIZE");
  }
  uint64_t milliseconds = rated->duration / 1000000;
  uint64_t size = rated->size_given                                             ? rated->size
                  : milliseconds > 0 && rated->rate > UINT64_MAX / milliseconds ? UINT64_MAX
                                                                                : rated->rate * milliseconds / 1000;
  if (bytes) size = size > UINT64_MAX - BANDWIDTH_THRESHOLD ? UINT64_MAX : size + BANDWIDTH_THRESHOLD;
  token_bucket_assign(&rated->bucket, rated->rate, size);
  return 0;
}

static inline void rated_start(struct rated *rated, uint64_t now) { token_bucket_set(&rated->bucket, 0, now); }

/* How many tokens must be there for a packet to pass. */
static inline uint64_t rated_needs(bool bytes) { return bytes ? BANDWIDTH_THRESHOLD : 1; }

/* Takes the packet's tokens, if it may pass. */
static inline bool rated_take(struct rated *rated, const struct packet *p, bool bytes) {
  if (!token_bucket_contains(&rated->bucket, rated_needs(bytes))) return false;
  token_bucket_remove(&rated->bucket, bytes ? p->length : 1);
  return true;
}

#endif
