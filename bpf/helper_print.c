/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_trace_printk, bpf_trace_vprintk and bpf_snprintf, with the conversions of Linux (bpf_bprintf_prepare, kernel/bpf/helpers.c)
 * that make sense here: %d %i %u %x %X and their l and ll forms, %c, %s, %%, each with flags 0 + - and space and a width; %p and its
 * forms x K s S B k u, all as a plain address; %pI4 %pi4 %pI6 %pi6. Anything else, too few arguments, or a format that isn't
 * NUL-terminated printable ASCII is refused with -EINVAL.
 */
#include "bpf/helper_list.h"
#include "lib/text.h"

enum {
  LINE_MAX_LENGTH = 512,
  ARGUMENTS_MAX = 12,
  WIDTH_MAX = 128,
  TEXT_MAX = 64, /* of a number or address */
};

/* What doesn't fit is counted, not kept. */
struct line {
  char *text;
  size_t room, length;
};

static void add(struct line *line, const char *text, size_t length) {
  size_t room = line->length < line->room ? line->room - line->length : 0;
  if (room != 0) memcpy(line->text + line->length, text, length < room ? length : room);
  line->length += length;
}

static void add_repeated(struct line *line, char c, size_t count) {
  for (; count > 0; count--) {
    add(line, &c, 1);
  }
}

struct conversion {
  bool zero, plus, left, space;
  unsigned width, longs;
  char letter;
  char pointer[3]; /* what follows %p: "I4", "" ... */
};

/* Signs stand in front of zeros, blanks in front of signs. */
static void add_padded(struct line *line, const struct conversion *c, const char *sign, const char *text,
                       size_t length) {
  size_t total = strlen(sign) + length, padding = total < c->width ? c->width - total : 0;
  const bool zeros = c->zero && !c->left;
  if (!c->left && !zeros) add_repeated(line, ' ', padding);
  add(line, sign, strlen(sign));
  if (zeros) add_repeated(line, '0', padding);
  add(line, text, length);
  if (c->left) add_repeated(line, ' ', padding);
}

static void add_number(struct line *line, const struct conversion *c, uint64_t v) {
  char digits[TEXT_MAX];
  const char *sign = "";
  size_t length;
  if (c->longs == 0) v = c->letter == 'd' || c->letter == 'i' ? (uint64_t)(int32_t)v : (uint32_t)v;
  switch (c->letter) {
    case 'd':
    case 'i':
      sign = (int64_t)v < 0 ? "-" : c->plus ? "+" : c->space ? " " : "";
      length = format_text(digits, sizeof digits, "%llu", (unsigned long long)((int64_t)v < 0 ? 0 - v : v));
      break;
    case 'u':
      length = format_text(digits, sizeof digits, "%llu", (unsigned long long)v);
      break;
    case 'x':
      length = format_text(digits, sizeof digits, "%llx", (unsigned long long)v);
      break;
    default:
      length = format_text(digits, sizeof digits, "%llX", (unsigned long long)v);
      break;
  }
  add_padded(line, c, sign, digits, length);
}

/* A string in the program's memory; like Linux, one that can't be read is taken as far as it can. */
static void add_string(struct line *line, const struct conversion *c, struct bpf_machine *m, uint64_t address) {
  char text[LINE_MAX_LENGTH];
  size_t length = 0;
  while (length < sizeof text) {
    const char *next = bpf_machine_reach(m, address++, 1, BPF_ACCESS_READ);
    if (next == NULL || *next == '\0') break;
    text[length++] = *next;
  }
  add_padded(line, c, "", text, length);
}

/* IPv6 in full (%pi6 without colons); IPv4 dotted (%pi4 with leading zeros). */
static bool add_ip(struct line *line, const struct conversion *c, struct bpf_machine *m, uint64_t address) {
  const bool v6 = c->pointer[1] == '6', plain = c->pointer[0] == 'i';
  const uint8_t *shared = bpf_machine_reach(m, address, v6 ? 16 : 4, BPF_ACCESS_READ);
  char text[TEXT_MAX];
  size_t length = 0;
  if (shared == NULL) return false;
  if (!v6) {
    length = plain ? format_text(text, sizeof text, "%03u.%03u.%03u.%03u", shared[0], shared[1], shared[2], shared[3])
                   : format_text(text, sizeof text, "%u.%u.%u.%u", shared[0], shared[1], shared[2], shared[3]);
  } else {
    for (unsigned i = 0; i < 16; i += 2) {
      length += format_text(text + length, sizeof text - length, i == 0 || plain ? "%02x%02x" : ":%02x%02x", shared[i],
                            shared[i + 1]);
    }
  }
  add_padded(line, c, "", text, length);
  return true;
}

static void add_address(struct line *line, const struct conversion *c, uint64_t v) {
  char text[TEXT_MAX];
  size_t length = format_text(text, sizeof text, "0x%llx", (unsigned long long)v);
  add_padded(line, c, "", text, length);
}

/* False: no such conversion. */
static bool add_argument(struct line *line, const struct conversion *c, struct bpf_machine *m, uint64_t v) {
  const char character = (char)v;
  switch (c->letter) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
      add_number(line, c, v);
      return true;
    case 'c':
      if (c->longs != 0) return false;
      add_padded(line, c, "", &character, 1);
      return true;
    case 's':
      if (c->longs != 0) return false;
      add_string(line, c, m, v);
      return true;
    case 'p':
      if (c->longs != 0) return false;
      if (c->pointer[0] == 'i' || c->pointer[0] == 'I') return add_ip(line, c, m, v);
      add_address(line, c, v);
      return true;
    default:
      return false;
  }
}

/* What follows the '%' at *format, up to `end`. False: it ends too early, or is wide beyond reason. */
static bool parse_conversion(const char **format, const char *end, struct conversion *c) {
  const char *f = *format;
  *c = (struct conversion){0};
  for (; f < end && (*f == '0' || *f == '+' || *f == '-' || *f == ' '); f++) {
    c->zero |= *f == '0';
    c->plus |= *f == '+';
    c->left |= *f == '-';
    c->space |= *f == ' ';
  }
  for (; f < end && char_is_digit(*f); f++) {
    c->width = c->width * 10 + (unsigned)(*f - '0');
    if (c->width > WIDTH_MAX) return false;
  }
  for (; f < end && *f == 'l' && c->longs < 2; f++) {
    c->longs++;
  }
  if (f == end) return false;
  c->letter = *f++;
  if (c->letter == 'p' && f < end && (*f == 'i' || *f == 'I')) {
    if (f + 1 >= end || (f[1] != '4' && f[1] != '6')) return false;
    c->pointer[0] = f[0];
    c->pointer[1] = f[1];
    f += 2;
  } else if (c->letter == 'p' && f < end && strchr("xKsSBku", *f) != NULL) {
    f++;
  }
  *format = f;
  return true;
}

/* Formats size bytes of format, which others may write to meanwhile: so the end is `end`, not the NUL that was there just now.
 * 0 or -BPF_EINVAL. */
static int64_t print(struct line *line, struct bpf_machine *m, const char *format, uint64_t size,
                     const uint64_t *arguments, unsigned count) {
  unsigned used = 0;
  if (size == 0 || format[size - 1] != '\0') return -BPF_EINVAL;
  const char *const end = format + size - 1;
  for (const char *f = format; f < end && *f != '\0';) {
    const char c = *f++;
    if (((c < ' ' || c > '~') && !char_is_space(c))) return -BPF_EINVAL;
    if (c != '%') {
      add(line, &c, 1);
      continue;
    }
    if (f < end && *f == '%') {
      add(line, f++, 1);
      continue;
    }
    struct conversion conversion;
    if (!parse_conversion(&f, end, &conversion) || used == count) return -BPF_EINVAL;
    if (!add_argument(line, &conversion, m, arguments[used++])) return -BPF_EINVAL;
  }
  return 0;
}

static uint64_t trace(struct bpf_machine *m, uint64_t format, uint64_t size, const uint64_t *arguments,
                      unsigned count) {
  char text[LINE_MAX_LENGTH];
  struct line line = {text, sizeof text, 0};
  int64_t error = print(&line, m, (const char *)(uintptr_t)format, size, arguments, count);
  if (error != 0) return (uint64_t)error;
  size_t length = line.length < sizeof text ? line.length : sizeof text;
  m->environment->trace(m->environment->context, text, length);
  return length;
}

/* False: not whole arguments, or too many. */
static bool take_arguments(uint64_t data, uint64_t size, uint64_t arguments[ARGUMENTS_MAX], unsigned *count) {
  if ((uint32_t)size % 8 != 0 || (uint32_t)size > ARGUMENTS_MAX * 8) return false;
  *count = (uint32_t)size / 8;
  if (*count != 0) memcpy(arguments, (const void *)(uintptr_t)data, (uint32_t)size);
  return true;
}

uint64_t bpf_helper_trace_printk(uint64_t format, uint64_t size, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  const uint64_t arguments[3] = {r3, r4, r5};
  return trace(m, format, size, arguments, 3);
}

uint64_t bpf_helper_trace_vprintk(uint64_t format, uint64_t size, uint64_t data, uint64_t data_size, uint64_t r5,
                                  struct bpf_machine *m) {
  uint64_t arguments[ARGUMENTS_MAX];
  unsigned count;
  if (!take_arguments(data, data_size, arguments, &count)) return (uint64_t)-BPF_EINVAL;
  return trace(m, format, size, arguments, count);
}

/* Gives the length that the whole text has, with its NUL, as Linux does. */
uint64_t bpf_helper_snprintf(uint64_t to, uint64_t size, uint64_t format, uint64_t data, uint64_t data_size,
                             struct bpf_machine *m) {
  uint64_t arguments[ARGUMENTS_MAX], value = 0;
  unsigned count;
  const bool taken = take_arguments(data, data_size, arguments, &count);
  if (size != 0) memset((void *)(uintptr_t)to, 0, size); /* a program may read all of it */
  if (!taken) return (uint64_t)-BPF_EINVAL;
  /* The constant may reach to the end of its value. */
  const struct bpf_map *map = bpf_machine_value(m, format, &value);
  const char *text = (const char *)(uintptr_t)format;
  const uint32_t room = (uint32_t)size;
  struct line line = {(char *)(uintptr_t)to, room == 0 ? 0 : room - 1, 0};
  int64_t error = print(&line, m, text, strnlen(text, map->def.value_size - (format - value)) + 1, arguments, count);
  if (error != 0) return (uint64_t)error;
  if (room != 0) line.text[line.length < room ? line.length : room - 1] = '\0';
  return line.length + 1;
}
