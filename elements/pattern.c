/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Compiler of Classifier's patterns. A packet too short for a clause does not match it, so it does match
 * the negated clause; bytes under a mask of zero need not be there; an empty pattern matches like "-". All are as in
 * Click.
 */
#include "elements/pattern.h"

#include "lib/bytes.h"
#include "lib/memory.h"

/* Where the compiler reads: one pattern. */
struct pattern_source {
  struct slice rest;
  uint32_t number;
  struct report *report;
};

/* Value and mask of one clause, byte by byte. */
struct clause_bytes {
  uint32_t offset, count;
  uint8_t value[PATTERN_MAX_CLAUSE], mask[PATTERN_MAX_CLAUSE];
};

static void advance(struct slice *s, size_t n) {
  s->data += n;
  s->length -= n;
}

/* Splits off the digits, hexadecimal or '?', at the front. */
static struct slice take_digits(struct slice *rest) {
  struct slice digits = {rest->data, 0};
  while (digits.length < rest->length &&
         (char_hex_value(rest->data[digits.length]) >= 0 || rest->data[digits.length] == '?')) {
    digits.length++;
  }
  advance(rest, digits.length);
  return digits;
}

/* Byte i of a run of digits: '?' gives 0 in both. */
static void digit_byte(struct slice digits, uint32_t i, uint8_t *value, uint8_t *known) {
  *value = *known = 0;
  for (unsigned nibble = 0; nibble < 2; nibble++) {
    int digit = char_hex_value(digits.data[2 * i + nibble]);
    *value = (uint8_t)(*value << 4 | (digit < 0 ? 0 : digit));
    *known = (uint8_t)(*known << 4 | (digit < 0 ? 0 : 15));
  }
}

static int read_clause(struct pattern_source *source, struct clause_bytes *bytes) {
  struct slice *rest = &source->rest;
  struct report *report = source->report;
  uint32_t number = source->number;
  struct slice offset = {rest->data, 0};
  while (offset.length < rest->length && char_is_digit(rest->data[offset.length]))
    offset.length++;
  if (offset.length == 0) {
    return report_error(report, ERROR_INVALID, "pattern %u: expected a digit at '%.*s'; a clause is OFFSET/VALUE",
                        number, (int)rest->length, rest->data);
  }
  uint64_t start = 0;
  if (slice_to_u64(offset, PATTERN_MAX_OFFSET, &start) < 0) {
    return report_error(report, ERROR_TOO_BIG, "pattern %u: offset %.*s is over %d", number, (int)offset.length,
                        offset.data, PATTERN_MAX_OFFSET);
  }
  advance(rest, offset.length);
  if (rest->length == 0 || rest->data[0] != '/') {
    return report_error(report, ERROR_INVALID, "pattern %u: expected '/' after offset %.*s", number, (int)offset.length,
                        offset.data);
  }
  advance(rest, 1);
  struct slice value = take_digits(rest);
  if (value.length < 2 || value.length % 2 != 0) {
    return report_error(report, ERROR_INVALID, "pattern %u: value '%.*s' must have two hex digits for each byte",
                        number, (int)value.length, value.data);
  }
  if (value.length / 2 > PATTERN_MAX_CLAUSE) {
    return report_error(report, ERROR_TOO_BIG, "pattern %u: value of %zu bytes is over %d", number, value.length / 2,
                        PATTERN_MAX_CLAUSE);
  }
  struct slice mask = {NULL, 0};
  if (rest->length > 0 && rest->data[0] == '%') {
    advance(rest, 1);
    mask = take_digits(rest);
    if (mask.length != value.length) {
      return report_error(report, ERROR_INVALID, "pattern %u: mask '%.*s' has too %s hex digits for value '%.*s'",
                          number, (int)mask.length, mask.data, mask.length > value.length ? "many" : "few",
                          (int)value.length, value.data);
    }
  }
  if (rest->length > 0 && !char_is_space(rest->data[0])) {
    return report_error(report, ERROR_INVALID, "pattern %u: '%c' in a value; clauses are separated by spaces", number,
                        rest->data[0]);
  }
  bytes->offset = (uint32_t)start;
  bytes->count = (uint32_t)value.length / 2;
  for (uint32_t i = 0; i < bytes->count; i++) {
    digit_byte(value, i, &bytes->value[i], &bytes->mask[i]);
    if (mask.data != NULL) {
      uint8_t bits, known;
      digit_byte(mask, i, &bits, &known);
      bytes->mask[i] &= bits;
    }
    bytes->value[i] &= bytes->mask[i];
  }
  return 0;
}

/* Cuts the bytes that matter into windows, from the last one to the first. */
static void add_clause(struct pattern_set *set, const struct clause_bytes *bytes, bool negated) {
  struct pattern_clause *clause = &set->clauses[set->clause_count++];
  *clause = (struct pattern_clause){.first_word = set->word_count, .negated = negated};
  for (uint32_t end = bytes->count; end > 0;) {
    if (bytes->mask[end - 1] == 0) {
      end--;
      continue;
    }
    uint32_t last = bytes->offset + end, at = last > 8 ? last - 8 : 0;
    uint32_t begin = at > bytes->offset ? at - bytes->offset : 0;
    struct pattern_word *word = &set->words[set->word_count++];
    *word = (struct pattern_word){.at = at};
    for (uint32_t i = begin; i < end; i++) {
      unsigned shift = 8 * (bytes->offset + i - at);
      word->mask |= (uint64_t)bytes->mask[i] << shift;
      word->value |= (uint64_t)bytes->value[i] << shift;
    }
    end = begin;
  }
  clause->word_count = set->word_count - clause->first_word;
}

static int compile_pattern(struct pattern_set *set, struct pattern_source *source, struct clause_bytes *bytes) {
  struct pattern *pattern = &set->patterns[set->count++];
  *pattern = (struct pattern){.first_clause = set->clause_count};
  uint32_t negated_count = 0;
  source->rest = slice_trim(source->rest);
  if (slice_equals(source->rest, "-")) return 0;
  while (source->rest.length > 0) {
    bool negated = source->rest.data[0] == '!';
    if (negated) advance(&source->rest, 1);
    source->rest = slice_trim(source->rest);
    int status = read_clause(source, bytes);
    if (status < 0) return status;
    if (negated && ++negated_count > PATTERN_MAX_NEGATED) {
      return report_error(source->report, ERROR_TOO_BIG, "pattern %u: more than %d clauses with '!'", source->number,
                          PATTERN_MAX_NEGATED);
    }
    add_clause(set, bytes, negated);
    source->rest = slice_trim(source->rest);
  }
  pattern->clause_count = set->clause_count - pattern->first_clause;
  return 0;
}

/* --- patterns that match nothing --- */

/* What the clauses without '!' say of each byte. */
struct known_bytes {
  uint8_t mask[PATTERN_MAX_OFFSET + PATTERN_MAX_CLAUSE + 8], value[PATTERN_MAX_OFFSET + PATTERN_MAX_CLAUSE + 8];
};

/* False: the bytes that are known already say otherwise. */
static bool learn(struct known_bytes *known, const struct pattern_word *word) {
  uint64_t mask = load_le64(known->mask + word->at), value = load_le64(known->value + word->at);
  if ((value ^ word->value) & mask & word->mask) return false;
  store_le64(known->mask + word->at, mask | word->mask);
  store_le64(known->value + word->at, value | word->value);
  return true;
}

static bool is_known(const struct known_bytes *known, const struct pattern_word *word) {
  return (word->mask & ~load_le64(known->mask + word->at)) == 0 &&
         (load_le64(known->value + word->at) & word->mask) == word->value;
}

/* Two clauses demand different values of a bit, or one with '!' excludes what the others demand. `known` is empty before and after. */
static bool contradicts(const struct pattern_set *set, const struct pattern *pattern, struct known_bytes *known) {
  const struct pattern_clause *first = set->clauses + pattern->first_clause, *end = first + pattern->clause_count;
  bool contradiction = false;
  for (const struct pattern_clause *clause = first; clause < end; clause++) {
    for (uint32_t i = 0; i < clause->word_count && !clause->negated; i++)
      contradiction |= !learn(known, &set->words[clause->first_word + i]);
  }
  for (const struct pattern_clause *clause = first; clause < end && !contradiction; clause++) {
    uint32_t i = 0;
    while (i < clause->word_count && is_known(known, &set->words[clause->first_word + i]))
      i++;
    contradiction = clause->negated && i == clause->word_count;
  }
  for (const struct pattern_clause *clause = first; clause < end; clause++) {
    for (uint32_t i = clause->first_word; i < clause->first_word + clause->word_count; i++) {
      store_le64(known->mask + set->words[i].at, 0);
      store_le64(known->value + set->words[i].at, 0);
    }
  }
  return contradiction;
}

static void warn_of_unmatched(const struct pattern_set *set, struct known_bytes *known, struct report *report) {
  uint32_t everything = set->count;
  for (uint32_t i = 0; i < set->count; i++) {
    if (i > everything) {
      report_warning(report, "pattern %u matches no packets: pattern %u before it matches every one", i, everything);
    } else if (contradicts(set, &set->patterns[i], known)) {
      report_warning(report, "pattern %u matches no packets: its clauses contradict each other", i);
    } else if (set->patterns[i].clause_count == 0) {
      everything = i;
    }
  }
}

int pattern_set_compile(struct pattern_set *set, char *const *patterns, uint32_t count, struct report *report) {
  *set = (struct pattern_set){0};
  /* "0/00" is the shortest clause, "00" the shortest word. */
  size_t characters = 0;
  for (uint32_t i = 0; i < count; i++)
    characters += strlen(patterns[i]);
  struct clause_bytes *bytes = memory_alloc(sizeof *bytes);
  struct known_bytes *known = memory_alloc(sizeof *known);
  set->patterns = memory_alloc((count + 1) * sizeof *set->patterns);
  set->clauses = memory_alloc((characters / 4 + 1) * sizeof *set->clauses);
  set->words = memory_alloc((characters / 2 + 1) * sizeof *set->words);
  int status = bytes && known && set->patterns && set->clauses && set->words ? 0 : -ERROR_NO_MEMORY;
  bool complete = status == 0;
  for (uint32_t i = 0; i < count && complete; i++) {
    struct pattern_source source = {slice_of(patterns[i]), i, report};
    int error = compile_pattern(set, &source, bytes);
    if (error < 0) status = error;
  }
  if (status == 0) {
    warn_of_unmatched(set, known, report);
    status = pattern_table_build(set);
    complete = status == 0;
  }
  if (!complete) report_error(report, ERROR_NO_MEMORY, "no memory for %u patterns", count);
  memory_free(known);
  memory_free(bytes);
  if (status < 0) pattern_set_free(set);
  return status;
}

void pattern_set_free(struct pattern_set *set) {
  memory_free(set->patterns);
  memory_free(set->clauses);
  memory_free(set->words);
  pattern_table_free(&set->table);
  *set = (struct pattern_set){0};
}

/* From its first byte that matters to its last. */
static void print_word(const struct pattern_word *word, struct text *out) {
  unsigned first = (unsigned)__builtin_ctzll(word->mask) / 8, last = 7 - (unsigned)__builtin_clzll(word->mask) / 8;
  text_addf(out, "%u/", word->at + first);
  for (unsigned i = first; i <= last; i++)
    text_addf(out, "%02x", (unsigned)(word->value >> 8 * i & 255));
  text_add(out, "%");
  for (unsigned i = first; i <= last; i++)
    text_addf(out, "%02x", (unsigned)(word->mask >> 8 * i & 255));
}

void pattern_set_print(const struct pattern_set *set, struct text *out) {
  for (uint32_t i = 0; i < set->count; i++) {
    const struct pattern *pattern = &set->patterns[i];
    text_addf(out, "%u ", i);
    if (pattern->clause_count == 0) text_add(out, " -");
    for (uint32_t c = pattern->first_clause; c < pattern->first_clause + pattern->clause_count; c++) {
      const struct pattern_clause *clause = &set->clauses[c];
      text_add(out, clause->negated ? " !" : " ");
      if (clause->word_count == 0) text_add(out, "any");
      for (uint32_t w = clause->word_count; w > 0; w--) {
        print_word(&set->words[clause->first_word + w - 1], out);
        if (w > 1) text_add(out, "&");
      }
    }
    text_add(out, "\n");
  }
}
