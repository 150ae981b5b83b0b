/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values from text: JSON by type, hexadecimal bytes, decimal numbers. The recursion follows the types, whose depth bpf_types_check
 * limits.
 */
#include "bpf/types.h"
#include "lib/bytes.h"

struct reader {
  const char *at, *end;
  const struct bpf_types *types;
  struct report *report;
};

static int complain(struct reader *r, const char *what) {
  struct slice rest = {r->at, (size_t)(r->end - r->at)};
  if (rest.length > 20) rest.length = 20;
  return report_error(r->report, ERROR_INVALID, "%s at '%.*s'", what, (int)rest.length, rest.data);
}

static void skip_space(struct reader *r) {
  while (r->at < r->end && char_is_space(*r->at)) {
    r->at++;
  }
}

/* Takes c, if it is next. */
static bool take(struct reader *r, char c) {
  skip_space(r);
  if (r->at == r->end || *r->at != c) return false;
  r->at++;
  return true;
}

static bool take_word(struct reader *r, const char *word) {
  const size_t length = strlen(word);
  skip_space(r);
  if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
  r->at += length;
  return true;
}

/* A string as it stands between its quotes, escapes not undone. */
static int take_string(struct reader *r, struct slice *string) {
  if (!take(r, '"')) return complain(r, "no string");
  string->data = r->at;
  while (r->at < r->end && *r->at != '"') {
    r->at += *r->at == '\\' && r->end - r->at > 1 ? 2 : 1;
  }
  if (r->at == r->end) return complain(r, "string without end");
  string->length = (size_t)(r->at++ - string->data);
  return 0;
}

/* Undoes the escapes \" \\ \/ \uXXXX below 256 and the control letters into at most room bytes. -1: wrong or too long. */
static int64_t unescape(struct slice s, uint8_t *to, size_t room) {
  static const char letters[] = "bfnrt\"\\/", bytes[] = "\b\f\n\r\t\"\\/";
  size_t length = 0;
  for (size_t i = 0; i < s.length; i++) {
    uint8_t c = (uint8_t)s.data[i];
    if (c == '\\') {
      if (++i == s.length) return -1;
      const char *letter = memchr(letters, s.data[i], sizeof letters - 1);
      if (letter != NULL) {
        c = (uint8_t)bytes[letter - letters];
      } else {
        if (s.data[i] != 'u' || s.length - i < 5 || s.data[i + 1] != '0' || s.data[i + 2] != '0') return -1;
        int high = char_hex_value(s.data[i + 3]), low = char_hex_value(s.data[i + 4]);
        if (high < 0 || low < 0) return -1;
        c = (uint8_t)(high * 16 + low);
        i += 4;
      }
    }
    if (length == room) return -1;
    to[length++] = c;
  }
  return (int64_t)length;
}

/* Hexadecimal digits, two a byte, in memory order: exactly size bytes. */
static int parse_hex(struct reader *r, struct slice digits, uint8_t *value, uint32_t size) {
  if (digits.length != (size_t)size * 2) {
    return report_error(r->report, ERROR_INVALID, "%zu hexadecimal digits for %u bytes; write two for each byte",
                        digits.length, size);
  }
  for (uint32_t i = 0; i < size; i++) {
    int high = char_hex_value(digits.data[2 * i]), low = char_hex_value(digits.data[2 * i + 1]);
    if (high < 0 || low < 0) return complain(r, "not hexadecimal");
    value[i] = (uint8_t)(high * 16 + low);
  }
  return 0;
}

static int parse_bytes(struct reader *r, uint8_t *value, uint32_t size) {
  struct slice text = {"", 0};
  skip_space(r);
  const bool quoted = r->at < r->end && *r->at == '"';
  if (quoted) {
    int status = take_string(r, &text);
    if (status != 0) return status;
  } else {
    text.data = r->at;
    while (r->at < r->end && char_is_word(*r->at)) {
      r->at++;
    }
    text.length = (size_t)(r->at - text.data);
  }
  if (!slice_starts_with(text, "0x")) {
    r->at = text.data;
    return complain(r, "bytes want 0x and two hexadecimal digits for each");
  }
  return parse_hex(r, (struct slice){text.data + 2, text.length - 2}, value, size);
}

/* A decimal number that fits into `bits`, as two's complement. */
static int parse_number(struct reader *r, unsigned bits, bool is_signed, uint64_t *number) {
  const bool negative = take(r, '-');
  skip_space(r);
  struct slice digits = {r->at, 0};
  while (r->at < r->end && char_is_digit(*r->at)) {
    r->at++;
  }
  digits.length = (size_t)(r->at - digits.data);
  uint64_t max = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
  if (is_signed) max = (max >> 1) + negative;
  if (negative && !is_signed) max = 0;
  if (digits.length == 0 || slice_to_u64(digits, max, number) != 0) {
    r->at = digits.data;
    return complain(r, "no number that fits");
  }
  if (negative) *number = 0 - *number;
  return 0;
}

static int parse_enumerator(struct reader *r, const struct bpf_type *type, uint64_t *number) {
  struct slice name = {"", 0};
  int status = take_string(r, &name);
  if (status != 0) return status;
  for (uint32_t i = 0; i < type->count; i++) {
    const struct bpf_type_member *member = &r->types->members[type->first + i];
    if (!slice_equals(name, r->types->names + member->name)) continue;
    *number = (uint64_t)(int64_t)(int32_t)member->position;
    return 0;
  }
  r->at = name.data;
  return complain(r, "no such enumerator");
}

static int parse_scalar(struct reader *r, const struct bpf_type *type, unsigned bits, uint64_t *number) {
  skip_space(r);
  const bool quoted = r->at < r->end && *r->at == '"';
  if (type->kind == BPF_TYPE_BOOL) {
    *number = take_word(r, "true");
    return *number != 0 || take_word(r, "false") ? 0 : complain(r, "neither true nor false");
  }
  if (type->kind == BPF_TYPE_ENUM && quoted) return parse_enumerator(r, type, number);
  if (type->kind == BPF_TYPE_CHAR && quoted) {
    struct slice text = {"", 0};
    uint8_t c = 0;
    int status = take_string(r, &text);
    if (status != 0) return status;
    if (unescape(text, &c, 1) != 1) return complain(r, "not one character");
    *number = c;
    return 0;
  }
  return parse_number(r, bits, type->kind == BPF_TYPE_SIGNED || type->kind == BPF_TYPE_ENUM, number);
}

static int parse(struct reader *r, uint32_t index, uint8_t *value);

static int parse_bit_field(struct reader *r, const struct bpf_type *type, const struct bpf_type_member *m,
                           uint8_t *value, uint32_t size) {
  uint64_t number = 0, word = 0;
  int status = parse_scalar(r, type, m->bits, &number);
  if (status != 0) return status;
  const uint32_t at = m->position / 8, left = size - at, width = left < 8 ? left : 8;
  const uint64_t mask = (m->bits == 64 ? UINT64_MAX : ((uint64_t)1 << m->bits) - 1) << (m->position % 8);
  memcpy(&word, value + at, width);
  word = (word & ~mask) | (number << (m->position % 8) & mask);
  memcpy(value + at, &word, width);
  return 0;
}

static int parse_member(struct reader *r, const struct bpf_type *type, uint8_t *value) {
  struct slice name = {"", 0};
  int status = take_string(r, &name);
  if (status != 0) return status;
  if (!take(r, ':')) return complain(r, "no ':'");
  for (uint32_t i = 0; i < type->count; i++) {
    const struct bpf_type_member *member = &r->types->members[type->first + i];
    if (!slice_equals(name, r->types->names + member->name)) continue;
    if (member->bits == 0) return parse(r, member->type, value + member->position / 8);
    return parse_bit_field(r, &r->types->types[member->type], member, value, type->size);
  }
  r->at = name.data;
  return complain(r, "no such member");
}

static int parse_struct(struct reader *r, const struct bpf_type *type, uint8_t *value) {
  if (!take(r, '{')) return complain(r, "no '{'");
  if (take(r, '}')) return 0;
  for (;;) {
    int status = parse_member(r, type, value);
    if (status != 0) return status;
    if (take(r, '}')) return 0;
    if (!take(r, ',')) return complain(r, "neither ',' nor '}'");
  }
}

static int parse_text(struct reader *r, const struct bpf_type *type, uint8_t *value) {
  struct slice text = {"", 0};
  int status = take_string(r, &text);
  if (status != 0) return status;
  return unescape(text, value, type->size) >= 0 ? 0 : complain(r, "string is malformed or too long");
}

static int parse_array(struct reader *r, const struct bpf_type *type, uint8_t *value) {
  const uint32_t step = r->types->types[type->first].size;
  if (!take(r, '[')) return complain(r, "no '['");
  if (take(r, ']')) return 0;
  for (uint32_t i = 0;; i++) {
    if (i == type->count) return complain(r, "too many elements");
    int status = parse(r, type->first, value + (size_t)i * step);
    if (status != 0) return status;
    if (take(r, ']')) return 0;
    if (!take(r, ',')) return complain(r, "neither ',' nor ']'");
  }
}

/* The value is all zeros before. */
static int parse(struct reader *r, uint32_t index, uint8_t *value) {
  const struct bpf_type *type = &r->types->types[index];
  uint64_t number = 0;
  skip_space(r);
  switch ((enum bpf_type_kind)type->kind) {
    case BPF_TYPE_BYTES:
      return parse_bytes(r, value, type->size);
    case BPF_TYPE_STRUCT:
      return parse_struct(r, type, value);
    case BPF_TYPE_ARRAY:
      if (r->types->types[type->first].kind == BPF_TYPE_CHAR && r->at < r->end && *r->at == '"') {
        return parse_text(r, type, value);
      }
      return parse_array(r, type, value);
    default: {
      int status = parse_scalar(r, type, type->size * 8, &number);
      if (status == 0) memcpy(value, &number, type->size);
      return status;
    }
  }
}

int bpf_types_parse(struct slice text, const struct bpf_types *types, uint32_t type, void *value, uint32_t size,
                    struct report *report) {
  struct slice trimmed = slice_trim(text);
  struct reader r = {trimmed.data, trimmed.data + trimmed.length, types, report};
  const bool typed = types != NULL && type < types->type_count && types->types[type].size == size;
  int status;
  memset(value, 0, size);
  if (slice_starts_with(trimmed, "0x") || slice_starts_with(trimmed, "\"0x")) {
    status = parse_bytes(&r, value, size);
  } else if (typed) {
    status = parse(&r, type, value);
  } else if (size <= 8) {
    uint64_t number = 0;
    status = parse_number(&r, size * 8, trimmed.length > 0 && trimmed.data[0] == '-', &number);
    if (status == 0) memcpy(value, &number, size);
  } else {
    status = parse_bytes(&r, value, size);
  }
  skip_space(&r);
  if (status == 0 && r.at != r.end) status = complain(&r, "more than one value");
  return status;
}
