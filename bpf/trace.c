/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_trace_printk with the conversions of Linux that make sense here: %d %i %u %x and their l and ll forms, %c, %p, %s and
 * %%. Anything else, a fourth argument, or a format that isn't NUL-terminated ASCII is refused with -EINVAL, as in Linux.
 */
#include "bpf/helper_list.h"
#include "lib/text.h"

enum { LINE_MAX_LENGTH = 512 };

struct line {
  char text[LINE_MAX_LENGTH];
  size_t length;
};

/* Cuts off what doesn't fit. */
static void line_add(struct line *line, const char *text, size_t length) {
  size_t room = LINE_MAX_LENGTH - line->length;
  if (length > room) length = room;
  memcpy(line->text + line->length, text, length);
  line->length += length;
}

/* A string in the program's memory; like Linux, one that can't be read is taken as far as it can. */
static void line_add_program_string(struct line *line, struct bpf_machine *m, uint64_t address) {
  while (line->length < LINE_MAX_LENGTH) {
    const char *c = bpf_machine_reach(m, address++, 1, BPF_ACCESS_READ);
    if (c == NULL || *c == '\0') return;
    line_add(line, c, 1);
  }
}

/* Adds the argument as the conversion wants it; `longs` counts the l's. False: no such conversion. */
static bool line_add_argument(struct line *line, struct bpf_machine *m, char conversion, unsigned longs, uint64_t v) {
  char number[32];
  size_t length;
  switch (conversion) {
    case 'd':
    case 'i':
      length = format_text(number, sizeof number, "%lld", longs ? (long long)v : (long long)(int32_t)v);
      break;
    case 'u':
      length = format_text(number, sizeof number, "%llu", (unsigned long long)(longs ? v : (uint32_t)v));
      break;
    case 'x':
      length = format_text(number, sizeof number, "%llx", (unsigned long long)(longs ? v : (uint32_t)v));
      break;
    case 'p':
      if (longs) return false;
      length = format_text(number, sizeof number, "0x%llx", (unsigned long long)v);
      break;
    case 'c':
      if (longs) return false;
      number[0] = (char)v;
      length = 1;
      break;
    case 's':
      if (longs) return false;
      line_add_program_string(line, m, v);
      return true;
    default:
      return false;
  }
  line_add(line, number, length);
  return true;
}

uint64_t bpf_helper_trace_printk(uint64_t text, uint64_t size, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  const uint64_t arguments[3] = {r3, r4, r5};
  const char *format = (const char *)(uintptr_t)text;
  struct line line;
  line.length = 0;
  unsigned used = 0;
  if (format[size - 1] != '\0') return (uint64_t)-BPF_EINVAL;
  /* Another worker may be writing to a format in a map, so the end is `end`, not the NUL that was there just now. */
  const char *end = format + size - 1;
  for (const char *f = format; f < end && *f != '\0'; f++) {
    if ((unsigned char)*f >= 0x80) return (uint64_t)-BPF_EINVAL;
    if (*f != '%') {
      line_add(&line, f, 1);
      continue;
    }
    if (++f == end) return (uint64_t)-BPF_EINVAL;
    if (*f == '%') {
      line_add(&line, f, 1);
      continue;
    }
    unsigned longs = 0;
    for (; *f == 'l' && longs < 2 && f + 1 < end; f++) {
      longs++;
    }
    if (used == 3 || !line_add_argument(&line, m, *f, longs, arguments[used])) return (uint64_t)-BPF_EINVAL;
    used++;
  }
  m->environment->trace(m->environment->context, line.text, line.length);
  return line.length;
}
