/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A line for the log.
 */
#include "elements/line.h"

#include "click/channel.h"

void line_addf(struct line *line, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t room = line->size - line->length;
  size_t added = format_text_list(line->data + line->length, room, format, arguments);
  va_end(arguments);
  line->length += added < room ? added : room - 1;
}

void line_add(struct line *line, char c) {
  if (line->length + 1 < line->size) line->data[line->length++] = c;
}

void line_add_hex(struct line *line, uint8_t byte) {
  static const char digits[] = "0123456789abcdef";
  line_add(line, digits[byte >> 4]);
  line_add(line, digits[byte & 15]);
}

void line_add_time(struct line *line, uint64_t timestamp) {
  unsigned long long seconds = timestamp / 1000000000u;
  unsigned nanoseconds = (unsigned)(timestamp % 1000000000u);
  if (nanoseconds % 1000 == 0) {
    line_addf(line, "%llu.%06u", seconds, nanoseconds / 1000);
  } else {
    line_addf(line, "%llu.%09u", seconds, nanoseconds);
  }
}

void line_add_ip(struct line *line, uint32_t address) {
  line_addf(line, "%u.%u.%u.%u", address & 255, address >> 8 & 255, address >> 16 & 255, address >> 24);
}

void line_add_ether(struct line *line, const uint8_t *address) {
  for (unsigned i = 0; i < 6; i++)
    line_addf(line, "%s%02X", i > 0 ? "-" : "", address[i]);
}

void line_send(const struct line *line, const struct element *e, const char *channel) {
  const char *at = line->data, *end = line->data + line->length;
  for (;;) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    channel_send(e, channel, at, (size_t)((newline != NULL ? newline : end) - at));
    if (newline == NULL) return;
    at = newline + 1;
  }
}

void line_log(const struct line *line, const struct element *e) { line_send(line, e, NULL); }

static bool equals_in_either_case(const char *word, const char *upper) {
  for (; *word != 0 && *upper != 0; word++, upper++) {
    char c = *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word;
    if (c != *upper) return false;
  }
  return *word == *upper;
}

bool line_contents_parse(const char *word, enum line_contents *contents) {
  static const struct {
    const char *word;
    enum line_contents contents;
  } words[] = {{"NONE", LINE_NONE}, {"FALSE", LINE_NONE}, {"NO", LINE_NONE},    {"F", LINE_NONE},  {"N", LINE_NONE},
               {"0", LINE_NONE},    {"HEX", LINE_HEX},    {"TRUE", LINE_HEX},   {"YES", LINE_HEX}, {"T", LINE_HEX},
               {"Y", LINE_HEX},     {"1", LINE_HEX},      {"ASCII", LINE_ASCII}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!equals_in_either_case(word, words[i].word)) continue;
    *contents = words[i].contents;
    return true;
  }
  return false;
}
