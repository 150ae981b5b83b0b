/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The log ring and its rate limit. Lines are formatted outside the lock; inside it there is only copying, so a spin lock
 * suffices.
 */
#include "kernel/log.h"

#include "lib/bytes.h"

#define NANOSECONDS_PER_SECOND 1000000000u
static const uint64_t token_ns = NANOSECONDS_PER_SECOND / LOG_PER_SECOND;
static const char *const level_names[LOG_LEVELS] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info"};

void log_init(struct log *log) {
  for (unsigned i = 0; i < LOG_LEVELS; i++)
    log->level[i].tokens = LOG_BURST;
}

static void lock(struct log *log) {
  while (__atomic_test_and_set(&log->lock, __ATOMIC_ACQUIRE))
    __builtin_ia32_pause();
}

static void unlock(struct log *log) { __atomic_clear(&log->lock, __ATOMIC_RELEASE); }

static void copy_in(struct log *log, const char *bytes, size_t length) {
  size_t at = log->next % LOG_RING_SIZE;
  size_t first = LOG_RING_SIZE - at < length ? LOG_RING_SIZE - at : length;
  memcpy(log->ring + at, bytes, first);
  memcpy(log->ring, bytes + first, length - first);
  log->next += length;
}

static void copy_out(const struct log *log, uint64_t from, char *bytes, size_t length) {
  if (length == 0) return;
  size_t at = from % LOG_RING_SIZE;
  size_t first = LOG_RING_SIZE - at < length ? LOG_RING_SIZE - at : length;
  memcpy(bytes, log->ring + at, first);
  memcpy(bytes + first, log->ring, length - first);
}

/* Whole old lines make room, so that the ring always starts at a line. */
static void make_room(struct log *log, size_t length) {
  while (log->next + length - log->first > LOG_RING_SIZE) {
    while (log->ring[log->first++ % LOG_RING_SIZE] != '\n') {
    }
  }
  if (log->followed < log->first) {
    log->lost += log->first - log->followed;
    log->followed = log->first;
  }
}

/* A token bucket: true if a line of this level may pass now. */
static bool take_token(struct log *log, uint64_t now, enum log_level level) {
  uint64_t granted = now > log->level[level].refilled ? (now - log->level[level].refilled) / token_ns : 0;
  if (granted > 0) {
    uint64_t tokens = log->level[level].tokens + granted;
    log->level[level].tokens = tokens < LOG_BURST ? (uint32_t)tokens : LOG_BURST;
    log->level[level].refilled += granted * token_ns;
  }
  if (log->level[level].tokens == 0) {
    log->level[level].suppressed++;
    log->level[level].suppressed_since++;
    return false;
  }
  log->level[level].tokens--;
  return true;
}

/* Formats "[   12.345678] level: text\n"; returns the length, at most LOG_LINE_MAX. */
static size_t format_line(char *line, uint64_t now, enum log_level level, const char *text, size_t length) {
  size_t used =
      format_text(line, LOG_LINE_MAX, "[%5llu.%06llu] %s: ", (unsigned long long)(now / NANOSECONDS_PER_SECOND),
                  (unsigned long long)(now % NANOSECONDS_PER_SECOND / 1000), level_names[level]);
  for (size_t i = 0; i < length && used < LOG_LINE_MAX - 1; i++) {
    unsigned char c = (unsigned char)text[i];
    line[used++] = (c < 0x20 && c != '\t') || c == 0x7f ? '?' : text[i];
  }
  line[used++] = '\n';
  return used;
}

void log_add(struct log *log, uint64_t now, enum log_level level, const char *text, size_t length) {
  if ((unsigned)level >= LOG_LEVELS) level = LOG_INFO;
  char line[LOG_LINE_MAX], note[LOG_LINE_MAX], why[80];
  size_t line_length = format_line(line, now, level, text, length), note_length = 0;

  lock(log);
  if (take_token(log, now, level)) {
    if (log->level[level].suppressed_since > 0) {
      size_t n = format_text(why, sizeof why, "%llu lines of this level were left out: over %d lines a second",
                             (unsigned long long)log->level[level].suppressed_since, LOG_PER_SECOND);
      note_length = format_line(note, now, level, why, n);
      log->level[level].suppressed_since = 0;
    }
    make_room(log, line_length + note_length);
    copy_in(log, note, note_length);
    copy_in(log, line, line_length);
    log->lines++;
  }
  unlock(log);
}

void log_read(struct log *log, struct text *out) {
  /* In pieces: text_add_bytes may allocate, which must not happen under the lock. A writer may overwrite lines between two
   * pieces; then we go on at the oldest line that is left. */
  char piece[2048];
  lock(log);
  uint64_t at = log->first, end = log->next;
  unlock(log);
  while (at < end) {
    lock(log);
    if (at < log->first) at = log->first;
    size_t length = end > at ? (size_t)(end - at) : 0;
    if (length > sizeof piece) length = sizeof piece;
    copy_out(log, at, piece, length);
    unlock(log);
    text_add_bytes(out, piece, length);
    at += length;
  }
}

void log_statistics(struct log *log, struct text *out) {
  for (unsigned i = 0; i < LOG_LEVELS; i++) {
    text_addf(out, "suppressed.%s %llu\n", level_names[i], (unsigned long long)log->level[i].suppressed);
  }
  text_addf(out, "lines %llu\nlost_bytes %llu\n", (unsigned long long)log->lines, (unsigned long long)log->lost);
}

size_t log_peek(struct log *log, char *bytes, size_t size, uint64_t *position) {
  /* The usual case costs no lock: the worker asks at every control poll. */
  if (__atomic_load_n(&log->next, __ATOMIC_RELAXED) == log->followed) return 0;
  lock(log);
  uint64_t waiting = log->next - log->followed;
  size_t length = waiting < size ? (size_t)waiting : size;
  copy_out(log, log->followed, bytes, length);
  *position = log->followed;
  unlock(log);
  return length;
}

size_t log_copy(struct log *log, uint64_t *position, char *bytes, size_t size) {
  lock(log);
  if (*position > log->next) *position = log->next;
  if (*position < log->first) *position = log->first;
  uint64_t waiting = log->next - *position;
  size_t length = waiting < size ? (size_t)waiting : size;
  copy_out(log, *position, bytes, length);
  *position += length;
  unlock(log);
  return length;
}

void log_followed(struct log *log, uint64_t position) {
  lock(log);
  /* Lines may have been overwritten since log_peek, which moved `followed` past them. */
  if (position > log->followed && position <= log->next) log->followed = position;
  unlock(log);
}
