/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A small printf, C17 7.21.6.1 without floating point, wide characters and %n. lib/text.h lists what it knows.
 */
#include "lib/text.h"

struct sink {
  char *buffer;
  size_t size;
  size_t length; /* of the whole text, also of what did not fit */
};

static void put(struct sink *sink, const char *data, size_t length) {
  if (length == 0) return;
  if (sink->length < sink->size) {
    size_t room = sink->size - sink->length;
    memcpy(sink->buffer + sink->length, data, length < room ? length : room);
  }
  sink->length += length;
}

static void put_repeated(struct sink *sink, char c, size_t count) {
  if (sink->length < sink->size) {
    size_t room = sink->size - sink->length;
    memset(sink->buffer + sink->length, c, count < room ? count : room);
  }
  sink->length += count;
}

/* One conversion specification. */
struct spec {
  bool left, zero, plus, alternate;
  size_t width;
  bool has_precision;
  size_t precision;
  enum { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG } length;
};

/* Sign or base prefix, zeros, digits, padded to the width. */
static void put_number(struct sink *sink, const struct spec *spec, const char *prefix, uint64_t value, unsigned base,
                       const char *alphabet) {
  char digits[20]; /* 2^64 - 1 has 20 decimal digits */
  size_t count = 0;
  for (uint64_t rest = value; rest != 0; rest /= base) {
    digits[sizeof digits - ++count] = alphabet[rest % base];
  }
  size_t minimum = spec->has_precision ? spec->precision : 1;
  size_t zeros = count < minimum ? minimum - count : 0;
  size_t prefix_length = strlen(prefix);
  size_t total = prefix_length + zeros + count;
  size_t padding = total < spec->width ? spec->width - total : 0;
  if (spec->zero && !spec->left && !spec->has_precision) {
    zeros += padding;
    padding = 0;
  }
  if (!spec->left) put_repeated(sink, ' ', padding);
  put(sink, prefix, prefix_length);
  put_repeated(sink, '0', zeros);
  put(sink, digits + sizeof digits - count, count);
  if (spec->left) put_repeated(sink, ' ', padding);
}

static void put_string(struct sink *sink, const struct spec *spec, const char *s, size_t length) {
  size_t padding = length < spec->width ? spec->width - length : 0;
  if (!spec->left) put_repeated(sink, ' ', padding);
  put(sink, s, length);
  if (spec->left) put_repeated(sink, ' ', padding);
}

/* Digits at *format; bounded, so that a hostile width cannot overflow. */
static size_t parse_count(const char **format) {
  size_t count = 0;
  for (; char_is_digit(**format); (*format)++) {
    if (count < 100000) count = count * 10 + (size_t)(**format - '0');
  }
  return count;
}

static const char *parse_spec(const char *format, struct spec *spec, va_list *arguments) {
  *spec = (struct spec){.length = LENGTH_INT};
  for (;; format++) {
    if (*format == '-') {
      spec->left = true;
    } else if (*format == '0') {
      spec->zero = true;
    } else if (*format == '+') {
      spec->plus = true;
    } else if (*format == '#') {
      spec->alternate = true;
    } else {
      break;
    }
  }
  if (*format == '*') {
    int width = va_arg(*arguments, int);
    if (width < 0) spec->left = true;
    spec->width = width < 0 ? 0u - (unsigned)width : (unsigned)width;
    format++;
  } else {
    spec->width = parse_count(&format);
  }
  if (*format == '.') {
    format++;
    spec->has_precision = true;
    if (*format == '*') {
      int precision = va_arg(*arguments, int);
      spec->has_precision = precision >= 0; /* a negative one counts as omitted */
      spec->precision = precision >= 0 ? (unsigned)precision : 0;
      format++;
    } else {
      spec->precision = parse_count(&format);
    }
  }
  if (format[0] == 'h') {
    spec->length = format[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
    format += format[1] == 'h' ? 2 : 1;
  } else if (format[0] == 'l') {
    spec->length = LENGTH_LONG;
    format += format[1] == 'l' ? 2 : 1;
  } else if (format[0] == 'z') {
    spec->length = LENGTH_LONG;
    format++;
  }
  return format;
}

static uint64_t take_unsigned(const struct spec *spec, va_list *arguments) {
  if (spec->length == LENGTH_LONG) return va_arg(*arguments, unsigned long);
  unsigned value = va_arg(*arguments, unsigned);
  if (spec->length == LENGTH_CHAR) return (unsigned char)value;
  if (spec->length == LENGTH_SHORT) return (unsigned short)value;
  return value;
}

static int64_t take_signed(const struct spec *spec, va_list *arguments) {
  if (spec->length == LENGTH_LONG) return va_arg(*arguments, long);
  int value = va_arg(*arguments, int);
  if (spec->length == LENGTH_CHAR) return (signed char)value;
  if (spec->length == LENGTH_SHORT) return (short)value;
  return value;
}

/* False when the conversion is not known: then it is not known either what its argument is. */
static bool convert(struct sink *sink, char conversion, const struct spec *spec, va_list *arguments) {
  static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
  switch (conversion) {
    case 'd':
    case 'i': {
      int64_t value = take_signed(spec, arguments);
      const char *sign = value < 0 ? "-" : spec->plus ? "+" : "";
      put_number(sink, spec, sign, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, lower);
      return true;
    }
    case 'u':
      put_number(sink, spec, "", take_unsigned(spec, arguments), 10, lower);
      return true;
    case 'x':
    case 'X': {
      uint64_t value = take_unsigned(spec, arguments);
      const char *prefix = !spec->alternate || value == 0 ? "" : conversion == 'x' ? "0x" : "0X";
      put_number(sink, spec, prefix, value, 16, conversion == 'x' ? lower : upper);
      return true;
    }
    case 'p':
      put_number(sink, spec, "0x", (uintptr_t)va_arg(*arguments, void *), 16, lower);
      return true;
    case 'c': {
      char c = (char)va_arg(*arguments, int);
      put_string(sink, spec, &c, 1);
      return true;
    }
    case 's': {
      const char *s = va_arg(*arguments, const char *);
      if (s == NULL) s = "(null)";
      put_string(sink, spec, s, spec->has_precision ? strnlen(s, spec->precision) : strlen(s));
      return true;
    }
    case '%':
      put(sink, "%", 1);
      return true;
    default:
      return false;
  }
}

size_t format_text_list(char *buffer, size_t size, const char *format, va_list list) {
  struct sink sink = {buffer, size, 0};
  va_list arguments;
  va_copy(arguments, list); /* a va_list of our own, since the address of a parameter is not portable */
  while (*format != '\0') {
    const char *literal = format;
    while (*format != '\0' && *format != '%')
      format++;
    put(&sink, literal, (size_t)(format - literal));
    if (*format == '\0') break;
    struct spec spec;
    const char *end = parse_spec(format + 1, &spec, &arguments);
    if (!convert(&sink, *end, &spec, &arguments)) {
      /* Shown as it stands, and so is the rest: a wrong format must be seen, not read arguments at random. */
      put(&sink, format, strlen(format));
      break;
    }
    format = end + 1;
  }
  va_end(arguments);
  if (size > 0) buffer[sink.length < size ? sink.length : size - 1] = '\0';
  return sink.length;
}

size_t format_text(char *buffer, size_t size, const char *format, ...) {
  va_list list;
  va_start(list, format);
  size_t length = format_text_list(buffer, size, format, list);
  va_end(list);
  return length;
}
