/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The lines of a summary dump that begin with '!': what the packets that follow are made of.
 */
#include "click/number.h"
#include "elements/filter_words.h"
#include "platform/process/summary/field.h"

void summary_context_init(struct summary_context *context) {
  *context = (struct summary_context){.protocol = PROTOCOL_TCP, .minor_version = SUMMARY_MINOR_VERSION};
}

/* "!IPSummaryDump 1.3": another version is read as if it were this one. */
static void mark_version(struct summary_context *context, struct slice rest, struct report *report) {
  struct slice word = slice_next_word(&rest);
  const char *point = memchr(word.data, '.', word.length);
  uint64_t major, minor;
  if (point == NULL) return;
  struct slice before = {word.data, (size_t)(point - word.data)};
  struct slice after = {point + 1, word.length - before.length - 1};
  if (slice_to_u64(before, UINT32_MAX, &major) != 0 || slice_to_u64(after, UINT32_MAX, &minor) != 0) return;
  bool known = major == 1 && minor <= SUMMARY_MINOR_VERSION;
  if (!known) report_warning(report, "unexpected IPSummaryDump version %.*s", (int)word.length, word.data);
  context->minor_version = known ? (unsigned)minor : SUMMARY_MINOR_VERSION;
}

static void mark_data(struct summary_context *context, struct slice rest, struct report *report) {
  struct text names = {0};
  text_add_slice(&names, rest);
  (void)!summary_fields_parse(text_string(&names), SUMMARY_READ, &context->fields, report);
  text_free(&names);
}

static int set_protocol(struct summary_context *context, struct slice word, struct report *report) {
  uint64_t number;
  uint32_t named;
  if (summary_parse_protocol(word, &number)) {
    context->protocol = (uint8_t)number;
  } else if (filter_protocol(word, &named) && named <= UINT8_MAX) {
    context->protocol = (uint8_t)named;
  } else {
    return report_error(report, ERROR_INVALID, "bad protocol '%.*s'", (int)word.length, word.data);
  }
  return 0;
}

static void mark_protocol(struct summary_context *context, struct slice rest, struct report *report) {
  (void)set_protocol(context, slice_trim(rest), report);
}

static bool parse_end(struct slice address, struct slice port, uint8_t *to_address, uint16_t *to_port) {
  uint32_t value = 0;
  uint64_t number = 0;
  bool good = slice_equals(address, "-") || address_ip(NULL, address, &value) == 0;
  if (!slice_equals(port, "-")) good &= number_unsigned(port, UINT16_MAX, &number) == 0;
  memcpy(to_address, &value, sizeof value);
  *to_port = (uint16_t)number;
  return good;
}

int summary_context_flow(struct summary_context *context, struct slice flow, struct report *report) {
  struct slice words[5];
  uint8_t address[8];
  uint16_t port[2];
  for (unsigned i = 0; i < 5; i++)
    words[i] = slice_next_word(&flow);
  context->have_flow = false;
  if (!parse_end(words[0], words[1], address, &port[0]) || !parse_end(words[2], words[3], address + 4, &port[1])) {
    return report_error(report, ERROR_INVALID, "bad flow; expected SRC SPORT DST DPORT [PROTO]");
  }
  int status = words[4].length > 0 ? set_protocol(context, words[4], report) : 0;
  if (status < 0) return status;
  memcpy(context->flow_address, address, sizeof address);
  memcpy(context->flow_port, port, sizeof port);
  context->have_flow = true;
  return 0;
}

static void mark_flow(struct summary_context *context, struct slice rest, struct report *report) {
  (void)!summary_context_flow(context, rest, report);
}

static void mark_aggregate(struct summary_context *context, struct slice rest, struct report *report) {
  uint64_t number = 0;
  context->have_aggregate = number_unsigned(slice_trim(rest), UINT32_MAX, &number) == 0;
  if (!context->have_aggregate) (void)report_error(report, ERROR_INVALID, "bad !aggregate specification");
  context->aggregate = (uint32_t)number;
}

static void mark_binary(struct summary_context *context, struct slice rest, struct report *report) {
  if (slice_trim(rest).length > 0) (void)report_error(report, ERROR_INVALID, "bad !binary specification");
  context->binary = true;
}

static const struct {
  const char *word;
  bool begins; /* a dump may begin with it */
  void (*take)(struct summary_context *context, struct slice rest, struct report *report);
} marks[] = {
    {"!IPSummaryDump", true, mark_version}, {"!data", true, mark_data},   {"!contents", true, mark_data},
    {"!proto", true, mark_protocol},        {"!flowid", true, mark_flow}, {"!aggregate", false, mark_aggregate},
    {"!binary", false, mark_binary},        {"!creator", true, NULL},
};

void summary_context_line(struct summary_context *context, struct slice line, struct report *report) {
  struct slice rest = line, word = slice_next_word(&rest);
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (slice_equals(word, marks[i].word) && marks[i].take != NULL) marks[i].take(context, rest, report);
  }
}

bool summary_is_banner(struct slice line) {
  struct slice word = slice_next_word(&line);
  bool found = false;
  for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
    found |= marks[i].begins && slice_equals(word, marks[i].word);
  return found;
}
