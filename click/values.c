/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One argument's value: from text to what its type says, with Click's error texts.
 */
#include "click/address.h"
#include "click/annotation.h"
#include "click/number.h"
#include "click/router.h"
#include "lib/memory.h"

/* A value on its way: `text` is unquoted. */
struct value {
  struct element *context;
  const struct argument *argument;
  struct slice text;
  void *target;
  struct report *report;
};

/* "NAME: " in front of messages about an argument that has a name. */
static const char *label(const struct value *value) { return value->argument->name ? value->argument->name : ""; }
static const char *colon(const struct value *value) { return value->argument->name ? ": " : ""; }

static int mismatch(const struct value *value) {
  return report_error(value->report, ERROR_INVALID, "%s%sparse error", label(value), colon(value));
}

static int out_of_range(const struct value *value) {
  return report_error(value->report, ERROR_TOO_BIG, "%s%sout of range", label(value), colon(value));
}

static int take_unsigned(struct value *value, uint64_t max, uint64_t *number) {
  int result = number_unsigned(value->text, max, number);
  if (result == -ERROR_TOO_BIG) {
    return report_error(value->report, ERROR_TOO_BIG, "%s%sout of range, bound %llu", label(value), colon(value),
                        (unsigned long long)max);
  }
  return result ? mismatch(value) : 0;
}

static int parse_unsigned(struct value *value) {
  static const uint64_t limits[] = {
      [ARGUMENT_U8] = UINT8_MAX, [ARGUMENT_U16] = UINT16_MAX, [ARGUMENT_U32] = UINT32_MAX, [ARGUMENT_U64] = UINT64_MAX};
  uint64_t number;
  int result = take_unsigned(value, limits[value->argument->type], &number);
  if (result) return result;
  switch (value->argument->type) {
    case ARGUMENT_U8:
      *(uint8_t *)value->target = (uint8_t)number;
      break;
    case ARGUMENT_U16:
      *(uint16_t *)value->target = (uint16_t)number;
      break;
    case ARGUMENT_U32:
      *(uint32_t *)value->target = (uint32_t)number;
      break;
    default:
      *(uint64_t *)value->target = number;
  }
  return 0;
}

static int parse_signed(struct value *value) {
  bool wide = value->argument->type == ARGUMENT_I64;
  int64_t number;
  int result = number_signed(value->text, wide ? INT64_MAX : INT32_MAX, &number);
  if (result == -ERROR_TOO_BIG) {
    return report_error(value->report, ERROR_TOO_BIG, "%s%sout of range, bound %lld", label(value), colon(value),
                        (long long)number);
  }
  if (result) return mismatch(value);
  if (wide) {
    *(int64_t *)value->target = number;
  } else {
    *(int32_t *)value->target = (int32_t)number;
  }
  return 0;
}

static int parse_bool(struct value *value) {
  static const char *const words[] = {"false", "true", "no", "yes", "0", "1", "n", "y", "f", "t"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!slice_equals(value->text, words[i])) continue;
    *(bool *)value->target = i % 2 == 1;
    return 0;
  }
  return mismatch(value);
}

static int parse_measure(struct value *value) {
  uint64_t *target = value->target, number;
  int result = value->argument->type == ARGUMENT_TIME        ? number_time(value->text, &number)
               : value->argument->type == ARGUMENT_BANDWIDTH ? number_bandwidth(value->text, &number, NULL)
                                                             : number_fraction(value->text, &number);
  if (result == -ERROR_TOO_BIG) return out_of_range(value);
  if (result) return mismatch(value);
  *target = number;
  return 0;
}

static int parse_address(struct value *value) {
  const struct element *context = value->context;
  struct ip_prefix prefix;
  struct ip6_address ip6;
  struct ip6_prefix ip6_prefix;
  uint32_t ip;
  uint8_t ether[6];
  int result = -ERROR_INVALID;
  switch (value->argument->type) {
    case ARGUMENT_IP:
      result = address_ip(context, value->text, &ip);
      if (!result) *(uint32_t *)value->target = ip;
      break;
    case ARGUMENT_IP_PREFIX:
    case ARGUMENT_IP_NETWORK:
      result = address_ip_prefix(context, value->text, value->argument->type == ARGUMENT_IP_NETWORK, &prefix);
      if (!result) *(struct ip_prefix *)value->target = prefix;
      break;
    case ARGUMENT_IP6:
      result = address_ip6(context, value->text, &ip6);
      if (!result) *(struct ip6_address *)value->target = ip6;
      break;
    case ARGUMENT_IP6_PREFIX:
      result = address_ip6_prefix(context, value->text, false, &ip6_prefix);
      if (!result) *(struct ip6_prefix *)value->target = ip6_prefix;
      break;
    default:
      result = address_ether(context, value->text, ether);
      if (!result) memcpy(value->target, ether, sizeof ether);
  }
  return result ? mismatch(value) : 0;
}

static int parse_port(struct value *value) {
  uint16_t port;
  unsigned protocol = value->argument->type == ARGUMENT_TCP_PORT ? PROTOCOL_TCP : PROTOCOL_UDP;
  if (address_port(value->context, value->text, protocol, &port) != 0) return mismatch(value);
  *(uint16_t *)value->target = port;
  return 0;
}

static int parse_annotation(struct value *value) {
  static const uint8_t sizes[] = {
      [ARGUMENT_ANNO1] = 1, [ARGUMENT_ANNO2] = 2, [ARGUMENT_ANNO4] = 4, [ARGUMENT_ANNO8] = 8};
  uint32_t offset;
  if (annotation_parse(value->text, sizes[value->argument->type], &offset) != 0) return mismatch(value);
  *(uint32_t *)value->target = offset;
  return 0;
}

static int parse_element(struct value *value) {
  char *name = memory_copy_string(value->text.data, value->text.length);
  if (!name) return -ERROR_NO_MEMORY;
  struct element *found = value->context ? router_find_in(value->context, name) : NULL;
  memory_free(name);
  if (!found) {
    return report_error(value->report, ERROR_NOT_FOUND, "%s%sdoes not name an element", label(value), colon(value));
  }
  *(struct element **)value->target = found;
  return 0;
}

/* "c.count" in the scope of the context becomes "compound/c.count"; a name without a dot is a global handler. */
static int parse_handler(struct value *value) {
  struct slice rest = value->text, word = slice_next_word(&rest);
  size_t dot = word.length;
  while (dot > 0 && word.data[dot - 1] != '.')
    dot--;
  if (word.length == 0) return mismatch(value);
  struct text name = {0};
  if (dot > 0) {
    char *element_name = memory_copy_string(word.data, dot - 1);
    if (!element_name) return -ERROR_NO_MEMORY;
    struct element *e = value->context ? router_find_in(value->context, element_name) : NULL;
    memory_free(element_name);
    if (!e) {
      return report_error(value->report, ERROR_NOT_FOUND, "%s%sno element named '%.*s'", label(value), colon(value),
                          dot > 100 ? 100 : (int)dot - 1, word.data);
    }
    text_addf(&name, "%s.", e->name);
  }
  text_add_bytes(&name, word.data + dot, word.length - dot);
  rest = slice_trim(rest);
  char *argument = memory_copy_string(rest.data, rest.length);
  if (name.failed || !argument) {
    text_free(&name);
    memory_free(argument);
    return -ERROR_NO_MEMORY;
  }
  struct handler_reference *target = value->target;
  memory_free(target->name);
  memory_free(target->value);
  *target = (struct handler_reference){name.data, argument};
  return 0;
}

static void single_slashes(char *path) {
  char *out = path;
  for (const char *in = path; *in; in++) {
    if (in[0] != '/' || in[1] != '/') *out++ = *in;
  }
  *out = '\0';
}

/* Takes `copy`, the value's text, as a new string. */
static int parse_string(struct value *value, char *copy) {
  enum argument_type type = value->argument->type;
  struct slice rest = value->text, word = slice_next_word(&rest);
  bool bad = type != ARGUMENT_DATA && strlen(copy) != value->text.length;
  if (type == ARGUMENT_WORD) bad = bad || word.length == 0 || word.length != value->text.length;
  if (type == ARGUMENT_FILENAME) bad = bad || value->text.length == 0;
  if (bad) {
    memory_free(copy);
    return mismatch(value);
  }
  if (type == ARGUMENT_FILENAME) single_slashes(copy);
  char **target = value->target; /* the first member of argument_data, too */
  memory_free(*target);          /* the class's default */
  *target = copy;
  if (type == ARGUMENT_DATA) ((struct argument_data *)value->target)->length = value->text.length;
  return 0;
}

static int (*const parsers[])(struct value *value) = {
    [ARGUMENT_U8] = parse_unsigned,
    [ARGUMENT_U16] = parse_unsigned,
    [ARGUMENT_U32] = parse_unsigned,
    [ARGUMENT_U64] = parse_unsigned,
    [ARGUMENT_I32] = parse_signed,
    [ARGUMENT_I64] = parse_signed,
    [ARGUMENT_BOOL] = parse_bool,
    [ARGUMENT_TIME] = parse_measure,
    [ARGUMENT_BANDWIDTH] = parse_measure,
    [ARGUMENT_FRACTION] = parse_measure,
    [ARGUMENT_IP] = parse_address,
    [ARGUMENT_IP_PREFIX] = parse_address,
    [ARGUMENT_IP_NETWORK] = parse_address,
    [ARGUMENT_IP6] = parse_address,
    [ARGUMENT_IP6_PREFIX] = parse_address,
    [ARGUMENT_ETHER] = parse_address,
    [ARGUMENT_TCP_PORT] = parse_port,
    [ARGUMENT_UDP_PORT] = parse_port,
    [ARGUMENT_ANNO1] = parse_annotation,
    [ARGUMENT_ANNO2] = parse_annotation,
    [ARGUMENT_ANNO4] = parse_annotation,
    [ARGUMENT_ANNO8] = parse_annotation,
    [ARGUMENT_ELEMENT] = parse_element,
    [ARGUMENT_READ_HANDLER] = parse_handler,
    [ARGUMENT_WRITE_HANDLER] = parse_handler,
};

int args_parse_value(struct element *context, const struct argument *argument, const char *quoted, void *target,
                     struct report *report) {
  size_t length;
  char *text = args_unquote(quoted, &length);
  if (!text) return -ERROR_NO_MEMORY;
  struct value value = {context, argument, {text, length}, (char *)target + argument->offset, report};
  bool parsed_here = (size_t)argument->type < sizeof parsers / sizeof *parsers && parsers[argument->type];
  if (!parsed_here) return parse_string(&value, text);
  int result = parsers[argument->type](&value);
  memory_free(text);
  return result;
}

/* --- what arguments own --- */

static const uint8_t target_sizes[] = {
    [ARGUMENT_U32] = sizeof(uint32_t),
    [ARGUMENT_U64] = sizeof(uint64_t),
    [ARGUMENT_I32] = sizeof(int32_t),
    [ARGUMENT_BOOL] = sizeof(bool),
    [ARGUMENT_STRING] = sizeof(char *),
    [ARGUMENT_WORD] = sizeof(char *),
    [ARGUMENT_U8] = sizeof(uint8_t),
    [ARGUMENT_U16] = sizeof(uint16_t),
    [ARGUMENT_I64] = sizeof(int64_t),
    [ARGUMENT_DATA] = sizeof(struct argument_data),
    [ARGUMENT_FILENAME] = sizeof(char *),
    [ARGUMENT_TIME] = sizeof(uint64_t),
    [ARGUMENT_BANDWIDTH] = sizeof(uint64_t),
    [ARGUMENT_FRACTION] = sizeof(uint64_t),
    [ARGUMENT_IP] = sizeof(uint32_t),
    [ARGUMENT_IP_PREFIX] = sizeof(struct ip_prefix),
    [ARGUMENT_IP_NETWORK] = sizeof(struct ip_prefix),
    [ARGUMENT_IP6] = sizeof(struct ip6_address),
    [ARGUMENT_IP6_PREFIX] = sizeof(struct ip6_prefix),
    [ARGUMENT_ETHER] = 6,
    [ARGUMENT_TCP_PORT] = sizeof(uint16_t),
    [ARGUMENT_UDP_PORT] = sizeof(uint16_t),
    [ARGUMENT_ANNO1] = sizeof(uint32_t),
    [ARGUMENT_ANNO2] = sizeof(uint32_t),
    [ARGUMENT_ANNO4] = sizeof(uint32_t),
    [ARGUMENT_ANNO8] = sizeof(uint32_t),
    [ARGUMENT_ELEMENT] = sizeof(struct element *),
    [ARGUMENT_READ_HANDLER] = sizeof(struct handler_reference),
    [ARGUMENT_WRITE_HANDLER] = sizeof(struct handler_reference),
};

static void exchange_bytes(void *a, void *b, size_t offset, size_t size) {
  char *left = (char *)a + offset, *right = (char *)b + offset;
  for (size_t i = 0; i < size; i++) {
    char byte = left[i];
    left[i] = right[i];
    right[i] = byte;
  }
}

/* Old names of an argument share its target, and perhaps its `given`: the first row of each exchanges them. */
void args_exchange(const struct argument *table, void *a, void *b) {
  for (const struct argument *row = table; row && row->name; row++) {
    bool target = true, given = row->given != 0;
    for (const struct argument *before = table; before < row; before++) {
      target = target && before->offset != row->offset;
      given = given && before->given != row->given;
    }
    if (target) exchange_bytes(a, b, row->offset, target_sizes[row->type]);
    if (given) exchange_bytes(a, b, row->given, sizeof(bool));
  }
}

static void release(char **string) {
  memory_free(*string);
  *string = NULL;
}

void args_release(const struct argument *table, void *target) {
  for (; table && table->name; table++) {
    void *owner = (char *)target + table->offset;
    switch (table->type) {
      case ARGUMENT_STRING:
      case ARGUMENT_WORD:
      case ARGUMENT_FILENAME:
        release(owner);
        break;
      case ARGUMENT_DATA:
        release(&((struct argument_data *)owner)->data);
        break;
      case ARGUMENT_READ_HANDLER:
      case ARGUMENT_WRITE_HANDLER:
        release(&((struct handler_reference *)owner)->name);
        release(&((struct handler_reference *)owner)->value);
        break;
      default:
        break;
    }
  }
}
