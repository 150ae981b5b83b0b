/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The system's log: a ring of text lines, each "[SECONDS.MICROSECONDS] LEVEL: text", read by the handler `log` and followed
 * by the log channel. Limited in rate per level, so that hostile traffic can neither fill it nor cost time; what was left
 * out is counted and said. Any worker may write.
 */
#ifndef IMAGO_KERNEL_LOG_H
#define IMAGO_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "click/services.h"
#include "lib/text.h"

enum {
  LOG_RING_SIZE = 65536, /* bytes, a power of two */
  LOG_LINE_MAX = 1024,   /* longer texts are cut */
  LOG_LEVELS = 3,
  LOG_BURST = 200,      /* lines of one level that may come at once */
  LOG_PER_SECOND = 100, /* lines of one level in the long run */
};

/* Positions count bytes since the start; position p is at ring[p % LOG_RING_SIZE]. Invariant: first and next are at line
 * starts, and next - LOG_RING_SIZE <= first <= next. */
struct log {
  uint64_t first, next;
  uint64_t followed; /* what the log channel has been given */
  uint64_t lost;     /* bytes the log channel never got, because they were overwritten first */
  uint64_t lines;
  bool lock;
  struct {
    uint64_t suppressed;       /* ever */
    uint64_t suppressed_since; /* since the last line of this level that was let through */
    uint64_t refilled;         /* time up to which tokens were granted */
    uint32_t tokens;
  } level[LOG_LEVELS];
  char ring[LOG_RING_SIZE];
};

/* *log is zero, and its ring stays untouched: 64 KiB of memory that a boot need not write. */
void log_init(struct log *log);
/* Adds one line (control characters in the text become '?'). `now` in nanoseconds. */
void log_add(struct log *log, uint64_t now, enum log_level level, const char *text, size_t length);
/* Appends everything that the ring holds, oldest first. */
void log_read(struct log *log, struct text *out);
/* Appends one line per level: "suppressed.LEVEL N", then lines and lost. */
void log_statistics(struct log *log, struct text *out);
/* For the one who follows the log: copies up to size bytes that have not been followed yet; returns how many, and at which
 * position they stand. Then log_followed says up to which position they went out. */
size_t log_peek(struct log *log, char *bytes, size_t size, uint64_t *position);
void log_followed(struct log *log, uint64_t position);
/* For any number of others who follow, each with a position of its own; as services->log_follow says. */
size_t log_copy(struct log *log, uint64_t *position, char *bytes, size_t size);

#endif
