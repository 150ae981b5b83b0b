/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parser of IPFilter's patterns. A recursive descent over words:
 *   expression ::= or [? expression : expression]      or ::= and (|| and)...      and ::= factor ([&&] factor)...
 *   factor ::= ! factor | ( expression ) | true | false | QUALIFIER... [& MASK] [RELATION] VALUE
 * A test leaves out what the one before it said ("src port 80 or 81").
 */
#include "elements/filter_language.h"

#include "click/address.h"
#include "click/number.h"
#include "elements/filter_words.h"
#include "lib/bytes.h"
#include "lib/memory.h"

enum direction { DIRECTION_NONE, DIRECTION_SRC, DIRECTION_DST, DIRECTION_AND, DIRECTION_OR };
enum relation { RELATION_EQUAL, RELATION_GREATER, RELATION_LESS };

/* A test as far as it has been read. */
struct primitive {
  enum filter_type type, data; /* what is tested; what kind of value was given */
  struct filter_field_name field;
  enum direction direction;
  enum relation relation;
  bool negated;
  uint16_t protocol;
  uint32_t value, last; /* values from value to last */
  uint32_t net_mask;
  bool masked;
  uint32_t mask; /* when masked */
};

struct parser {
  struct filter_program *program;
  const struct element *context;
  struct report *report;
  uint32_t number; /* of the pattern */
  struct slice *words;
  uint32_t count, capacity, at;
  uint32_t depth;
  struct primitive before; /* the last complete test */
  int status;
};

static void complain(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct parser *p, const char *format, ...) {
  struct text text = {0};
  va_list arguments;
  va_start(arguments, format);
  text_addf_list(&text, format, arguments);
  va_end(arguments);
  p->status = report_error(p->report, ERROR_INVALID, "pattern %u: %s", p->number, text_string(&text));
  text_free(&text);
}

static void out_of_memory(struct parser *p) {
  if (p->status == 0) p->status = report_error(p->report, ERROR_NO_MEMORY, "pattern %u: no memory", p->number);
}

/* Room for one more; NULL when memory is out. */
static void *grow(struct parser *p, void *array, uint32_t count, uint32_t *capacity, size_t size) {
  if (count < *capacity) return array;
  uint32_t larger = *capacity ? *capacity * 2 : 64;
  void *moved = memory_resize(array, larger * size);
  if (moved) {
    *capacity = larger;
  } else {
    out_of_memory(p);
  }
  return moved;
}

/* --- words --- */

static bool word_character(char c) {
  return char_is_word(c) || c == '-' || c == '.' || c == '/' || c == '@' || c == ':';
}

static size_t word_length(const char *s, size_t left) {
  if ((*s == '&' || *s == '|') && left > 1 && s[1] == *s) return 2;
  if ((*s == '<' || *s == '>' || *s == '!' || *s == '=') && left > 1 && s[1] == '=') return 2;
  size_t length = 0;
  while (length < left && word_character(s[length]))
    length++;
  return length ? length : 1;
}

static void split_words(struct parser *p, const char *text) {
  p->count = p->at = 0;
  size_t left = strlen(text);
  while (left > 0) {
    size_t length = 1;
    if (!char_is_space(*text)) {
      length = word_length(text, left);
      void *moved = grow(p, p->words, p->count, &p->capacity, sizeof *p->words);
      if (!moved) return;
      p->words = moved;
      p->words[p->count++] = (struct slice){text, length};
    }
    text += length;
    left -= length;
  }
}

static struct slice word_at(const struct parser *p, uint32_t at) {
  return at < p->count ? p->words[at] : (struct slice){"", 0};
}
static struct slice word(const struct parser *p) { return word_at(p, p->at); }
static bool word_is(const struct parser *p, const char *text) { return filter_word_is(word(p), text); }
static bool word_is_any(const struct parser *p, const char *a, const char *b) { return word_is(p, a) || word_is(p, b); }
static bool take_any(struct parser *p, const char *a, const char *b) {
  if (!word_is_any(p, a, b)) return false;
  p->at++;
  return true;
}

/* --- nodes --- */

static uint32_t add_node(struct parser *p, enum filter_kind kind, uint32_t first) {
  struct filter_program *program = p->program;
  void *moved = grow(p, program->nodes, program->node_count, &program->node_capacity, sizeof *program->nodes);
  if (!moved) return FILTER_NONE;
  program->nodes = moved;
  program->nodes[program->node_count] = (struct filter_node){kind, first, FILTER_NONE};
  return program->node_count++;
}

/* A list of children while it grows. */
struct children {
  uint32_t first, last, count;
};

static void add_child(struct parser *p, struct children *children, uint32_t node) {
  if (node == FILTER_NONE) return;
  if (children->count++ == 0) {
    children->first = node;
  } else {
    p->program->nodes[children->last].next = node;
  }
  children->last = node;
}

static uint32_t join(struct parser *p, enum filter_kind kind, const struct children *children) {
  if (children->count == 0) return FILTER_NONE;
  return children->count == 1 ? children->first : add_node(p, kind, children->first);
}

/* --- tests --- */

static void set_type(struct parser *p, struct primitive *prim, enum filter_type type,
                     const struct filter_field_name *field) {
  if (prim->type != TYPE_NONE) complain(p, "type specified twice");
  prim->type = type;
  if (field) prim->field = *field;
}
static void set_direction(struct parser *p, struct primitive *prim, enum direction direction) {
  if (prim->direction != DIRECTION_NONE) complain(p, "'src' or 'dst' specified twice");
  prim->direction = direction;
}
static void set_protocol(struct parser *p, struct primitive *prim, uint16_t protocol) {
  if (prim->protocol != FILTER_NO_PROTOCOL && prim->protocol != protocol) {
    complain(p, "transport protocol specified twice");
  }
  prim->protocol = protocol;
}

/* "src", "src and dst", "src or dst", "dst". */
static bool take_direction(struct parser *p, struct primitive *prim) {
  if (take_any(p, "dst", "dest")) {
    set_direction(p, prim, DIRECTION_DST);
    return true;
  }
  if (!word_is(p, "src")) return false;
  p->at++;
  struct slice second = word_at(p, p->at + 1);
  bool both = slice_equals(second, "dst") || slice_equals(second, "dest");
  if (both && take_any(p, "and", "&&")) {
    p->at++;
    set_direction(p, prim, DIRECTION_AND);
  } else if (both && take_any(p, "or", "||")) {
    p->at++;
    set_direction(p, prim, DIRECTION_OR);
  } else {
    set_direction(p, prim, DIRECTION_SRC);
  }
  return true;
}

static void take_qualifiers(struct parser *p, struct primitive *prim, bool *negated) {
  bool ip = false;
  for (; p->at < p->count;) {
    const struct filter_field_name *field = NULL;
    enum filter_type type = filter_type_word(word(p), &field);
    if (type != TYPE_NONE) {
      set_type(p, prim, type, field);
      if (field && field->protocol != FILTER_NO_PROTOCOL) set_protocol(p, prim, field->protocol);
      p->at++;
    } else if (take_any(p, "not", "!")) {
      *negated = !*negated;
    } else if (word_is(p, "ip")) {
      if (ip) return; /* the next test begins */
      ip = true;
      p->at++;
    } else if (!take_direction(p, prim)) {
      struct filter_meaning meaning;
      if (filter_meaning_find(p->context, word(p), TYPE_NONE, NULL, FILTER_NO_PROTOCOL, &meaning, NULL) != 1 ||
          meaning.type != TYPE_PROTOCOL) {
        return;
      }
      set_protocol(p, prim, (uint16_t)meaning.value);
      p->at++;
    }
  }
}

/* [POS], [POS:LEN] or [FIRST,LAST], in bytes. */
static void take_brackets(struct parser *p, struct primitive *prim) {
  struct text inside = {0};
  p->at++;
  while (p->at < p->count && !word_is(p, "]"))
    text_add_slice(&inside, p->words[p->at++]);
  if (!take_any(p, "]", "]")) {
    complain(p, "missing ']'");
    text_free(&inside);
    return;
  }
  const char *text = text_string(&inside), *separator = strchr(text, ':');
  if (!separator) separator = strchr(text, ',');
  size_t before = separator ? (size_t)(separator - text) : strlen(text);
  uint64_t position = 0, length = 1;
  bool good = number_unsigned((struct slice){text, before}, 4096, &position) == 0;
  if (good && separator) {
    good = number_unsigned(slice_of(separator + 1), 4099, &length) == 0;
    if (good && *separator == ',') length = length >= position ? length - position + 1 : 0;
  }
  text_free(&inside);
  if (!good) {
    complain(p, "syntax error after '[', expected '[POS]' or '[POS:LEN]'");
  } else if (length < 1 || length > 4) {
    complain(p, "LEN in '[POS:LEN]' out of range, should be between 1 and 4");
  } else if (position / 4 != (position + length - 1) / 4) {
    complain(p, "field [%u:%u] does not fit in a single word", (unsigned)position, (unsigned)length);
  } else {
    bool transport = prim->protocol != FILTER_NO_PROTOCOL;
    prim->type = TYPE_FIELD;
    prim->field = (struct filter_field_name){"[...]",
                                             transport ? "transp[...]" : "ip[...]",
                                             transport ? FILTER_TRANSPORT : FILTER_IP,
                                             prim->protocol,
                                             (uint16_t)(position * 8),
                                             (uint16_t)(length * 8)};
  }
}

static void take_mask(struct parser *p, struct primitive *prim) {
  uint64_t number;
  uint32_t address;
  struct slice mask = word_at(p, p->at + 1);
  if (number_unsigned(mask, UINT32_MAX, &number) == 0) {
    prim->mask = (uint32_t)number;
  } else if (address_ip(p->context, mask, &address) == 0) {
    prim->mask = load_be32(&address);
  } else {
    return;
  }
  p->at += 2;
  prim->masked = prim->mask != 0;
  if (!prim->masked) complain(p, "zero mask ignored");
}

static bool take_relation(struct parser *p, struct primitive *prim) {
  static const struct {
    const char *text;
    enum relation relation;
    bool negated;
  } relations[] = {
      {"=", RELATION_EQUAL, false},   {"==", RELATION_EQUAL, false}, {"!=", RELATION_EQUAL, true},
      {">", RELATION_GREATER, false}, {"<", RELATION_LESS, false},   {">=", RELATION_LESS, true},
      {"<=", RELATION_GREATER, true},
  };
  for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
    if (!word_is(p, relations[i].text)) continue;
    prim->relation = relations[i].relation;
    prim->negated = relations[i].negated;
    p->at++;
    return true;
  }
  return false;
}

/* "80-90" */
static bool read_range(struct slice text, struct primitive *prim) {
  const char *dash = text.length ? memchr(text.data, '-', text.length) : NULL;
  if (!dash) return false;
  struct slice low = {text.data, (size_t)(dash - text.data)}, high = {dash + 1, text.length - low.length - 1};
  uint64_t first, last;
  if (number_unsigned(low, UINT32_MAX, &first) != 0 || number_unsigned(high, UINT32_MAX, &last) != 0) return false;
  prim->value = (uint32_t)first;
  prim->last = (uint32_t)last;
  return true;
}

/* Reads the value, if the next word is one. False: a word that is wrong here was taken, and reported. */
static bool take_value(struct parser *p, struct primitive *prim) {
  struct slice text = word(p);
  struct filter_meaning meaning;
  struct text reason = {0};
  const struct filter_field_name *field = NULL;
  bool type_word = filter_type_word(text, &field) != TYPE_NONE;
  int found = type_word
                  ? 0
                  : filter_meaning_find(p->context, text, prim->type, &prim->field, prim->protocol, &meaning, &reason);
  if (found < 0) {
    complain(p, "%s", text_string(&reason));
    text_free(&reason);
    p->at++;
    return false;
  }
  uint64_t number;
  uint32_t address;
  struct ip_prefix prefix;
  if (found > 0) {
    prim->data = meaning.type;
    prim->value = prim->last = meaning.value;
    if (meaning.field && prim->type == TYPE_NONE) prim->field = *meaning.field;
  } else if (number_unsigned(text, UINT32_MAX, &number) == 0) {
    prim->data = TYPE_INTEGER;
    prim->value = prim->last = (uint32_t)number;
  } else if (text.length > 0 && char_is_digit(text.data[0]) && read_range(text, prim)) {
    prim->data = TYPE_INTEGER;
    if (prim->value > prim->last)
      complain(p, "range '%.*s' is empty; put the smaller number first", (int)text.length, text.data);
    if (prim->relation != RELATION_EQUAL)
      complain(p, "'%.*s' is a range, which can only be compared by = and !=", (int)text.length, text.data);
  } else if (prim->type != TYPE_NET && address_ip(p->context, text, &address) == 0) {
    prim->data = TYPE_HOST;
    prim->value = load_be32(&address);
    prim->net_mask = UINT32_MAX;
    if (slice_equals(word_at(p, p->at + 1), "mask") && address_ip(p->context, word_at(p, p->at + 2), &address) == 0) {
      prim->data = TYPE_NET;
      prim->net_mask = load_be32(&address);
      p->at += 2;
    }
  } else if (address_ip_prefix(p->context, text, prim->type == TYPE_NET, &prefix) == 0) {
    prim->data = TYPE_NET;
    prim->value = load_be32(&prefix.address);
    prim->net_mask = load_be32(&prefix.mask);
    if (slice_equals(word_at(p, p->at + 1), "mask") && address_ip(p->context, word_at(p, p->at + 2), &address) == 0) {
      prim->net_mask = load_be32(&address);
      p->at += 2;
    }
  } else {
    return true;
  }
  p->at++;
  return true;
}

/* Fills in what was left out from the test before. */
static bool complete(struct parser *p, struct primitive *prim) {
  const struct primitive *before = &p->before;
  if (prim->type != TYPE_NONE) return true;
  if (prim->data == TYPE_INTEGER) {
    if (before->type != TYPE_FIELD && before->type != TYPE_PROTOCOL && before->type != TYPE_PORT) {
      complain(p, "specify header field or 'port'");
      return false;
    }
    prim->type = before->type;
    prim->field = before->field;
    if (prim->type == TYPE_FIELD && prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = before->protocol;
  } else if (prim->data == TYPE_NONE) {
    if (prim->protocol == FILTER_NO_PROTOCOL) {
      complain(p, "partial directive");
      return false;
    }
    prim->type = TYPE_PROTOCOL;
  } else {
    prim->type = prim->data;
    if (prim->type == TYPE_FIELD && prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = prim->field.protocol;
  }
  bool directed = prim->type == TYPE_HOST || prim->type == TYPE_NET || prim->type == TYPE_PORT;
  if (directed && prim->direction == DIRECTION_NONE) prim->direction = before->direction;
  if (prim->type == TYPE_PORT && prim->protocol == FILTER_NO_PROTOCOL &&
      (before->protocol == PROTOCOL_TCP || before->protocol == PROTOCOL_UDP || before->protocol == FILTER_TCP_UDP)) {
    prim->protocol = before->protocol;
  }
  return true;
}

/* Values and mask of a field of so many bits (as a mask) into the test. */
static bool set_values(struct parser *p, const struct primitive *prim, uint32_t full, struct filter_test *test) {
  const char *name = filter_type_text(prim->type, &prim->field);
  uint32_t mask = prim->masked ? prim->mask : full;
  test->full = full;
  test->mask = mask;
  test->negated = prim->negated;
  if (mask & ~full) {
    complain(p, "'%s': mask out of range, bound 0x%X", name, full);
    return false;
  }
  if (prim->relation == RELATION_EQUAL) {
    if (prim->last > full) {
      complain(p, "'%s': out of range, bound %u", name, full);
      return false;
    }
    bool one = prim->value == prim->last;
    test->low = one ? prim->value & mask : prim->value;
    test->high = one ? test->low : prim->last;
    return true;
  }
  /* "< X" is the negation of ">= X", and so says of two ports that both are less. */
  bool less = prim->relation == RELATION_LESS;
  if (less) test->negated = !test->negated;
  bool none = less ? prim->value > mask : prim->value >= mask;
  test->low = none ? 1 : less ? prim->value : prim->value + 1;
  test->high = none ? 0 : mask;
  if (none || test->low == 0) {
    bool always = none == test->negated;
    report_warning(p->report, "pattern %u: relation '%s %u' is always %s (range 0-%u)", p->number,
                   less            ? (prim->negated ? ">=" : "<")
                   : prim->negated ? "<="
                                   : ">",
                   prim->value, always ? "true" : "false", mask);
  }
  return true;
}

/* Where the field lies: bit offset from the start of the header. */
static void set_place(struct filter_test *test, unsigned bit, unsigned bits) {
  unsigned i = test->place_count++;
  test->word[i] = (uint16_t)(bit / 32 * 4);
  test->shift[i] = (uint8_t)(32 - bit % 32 - bits);
}

static void set_places(struct filter_test *test, enum direction direction, unsigned src, unsigned dst, unsigned bits) {
  test->either = direction == DIRECTION_OR || direction == DIRECTION_NONE;
  if (direction != DIRECTION_DST) set_place(test, src, bits);
  if (direction != DIRECTION_SRC) set_place(test, dst, bits);
}

static bool wrong(struct parser *p, const struct primitive *prim, const char *what) {
  complain(p, "'%s': %s", filter_type_text(prim->type, &prim->field), what);
  return false;
}

static bool make_address_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  if (prim->data != prim->type) return wrong(p, prim, "address missing");
  if (prim->relation != RELATION_EQUAL) return wrong(p, prim, "operator not supported");
  test->full = UINT32_MAX;
  test->mask = prim->masked ? prim->mask : prim->net_mask;
  test->low = test->high = prim->value & test->mask;
  test->negated = prim->negated;
  set_places(test, prim->direction, 96, 128, 32);
  return true;
}

static bool make_protocol_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  if (prim->data == TYPE_NONE && prim->protocol != FILTER_NO_PROTOCOL) {
    prim->value = prim->last = prim->protocol;
  } else if (prim->data != TYPE_INTEGER && prim->data != TYPE_PROTOCOL) {
    return wrong(p, prim, "value missing");
  } else if (prim->protocol != FILTER_NO_PROTOCOL && prim->protocol != prim->value) {
    return wrong(p, prim, "specified twice");
  }
  prim->protocol = test->protocol = FILTER_NO_PROTOCOL;
  set_place(test, 72, 8);
  bool plain = prim->relation == RELATION_EQUAL && !prim->negated && !prim->masked && prim->value == prim->last;
  if (prim->data != TYPE_INTEGER && prim->value >= 256) {
    if (!plain) return wrong(p, prim, "operator or mask not supported");
    prim->protocol = test->protocol = (uint16_t)prim->value;
    test->full = 0xff; /* no bit of it counts, so any value will do */
    return true;
  }
  if (plain && prim->value < 256) prim->protocol = (uint16_t)prim->value;
  return set_values(p, prim, 0xff, test);
}

static bool make_port_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_PORT) return wrong(p, prim, "value missing");
  if (prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = FILTER_TCP_UDP;
  if (prim->protocol != PROTOCOL_TCP && prim->protocol != PROTOCOL_UDP && prim->protocol != FILTER_TCP_UDP &&
      prim->protocol != 33) {
    complain(p, "'port': bad protocol %u", prim->protocol);
    return false;
  }
  test->protocol = prim->protocol;
  test->header = FILTER_TRANSPORT;
  set_places(test, prim->direction, 0, 16, 16);
  return set_values(p, prim, 0xffff, test);
}

static bool make_flags_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_TCP_FLAGS) return wrong(p, prim, "value missing");
  if (prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = PROTOCOL_TCP;
  if (prim->protocol != PROTOCOL_TCP) {
    complain(p, "'tcp opt': bad protocol %u", prim->protocol);
    return false;
  }
  if (prim->relation != RELATION_EQUAL || prim->negated || prim->masked || prim->value != prim->last) {
    return wrong(p, prim, "operator or mask not supported");
  }
  if (prim->value > 255) {
    complain(p, "'tcp opt': value %u out of range", prim->value);
    return false;
  }
  test->protocol = PROTOCOL_TCP;
  test->header = FILTER_TRANSPORT;
  test->full = 0xff;
  test->mask = test->low = test->high = prim->value;
  set_place(test, 104, 8);
  return true;
}

/* frag, unfrag, ect, ce: values within a field of bits from low to high. */
static bool make_plain_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  bool ect = prim->type == TYPE_ECT;
  if (ect && prim->data == TYPE_INTEGER) {
    set_place(test, 14, 2);
    return set_values(p, prim, 3, test);
  }
  if (prim->data != TYPE_NONE || prim->masked) return wrong(p, prim, "value not supported");
  if (prim->relation != RELATION_EQUAL || prim->negated) return wrong(p, prim, "operator not supported");
  if (ect || prim->type == TYPE_CE) {
    set_place(test, 14, 2);
    test->full = test->mask = test->high = 3;
    test->low = ect ? 1 : 3;
    return true;
  }
  set_place(test, 50, 14); /* more fragments, offset */
  test->full = test->mask = 0x3fff;
  test->low = prim->type == TYPE_FRAGMENT ? 1 : 0;
  test->high = prim->type == TYPE_FRAGMENT ? 0x3fff : 0;
  return true;
}

static bool make_field_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  const struct filter_field_name *field = &prim->field;
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_FIELD) return wrong(p, prim, "value missing");
  test->protocol = prim->protocol;
  test->header = field->header;
  set_place(test, field->offset, field->bits);
  return set_values(p, prim, field->bits == 32 ? UINT32_MAX : (1u << field->bits) - 1, test);
}

static bool make_test(struct parser *p, struct primitive *prim, struct filter_test *test) {
  bool directed = prim->direction != DIRECTION_NONE;
  if (!complete(p, prim)) return false;
  *test = (struct filter_test){.protocol = prim->protocol, .header = FILTER_IP};
  switch (prim->type) {
    case TYPE_HOST:
    case TYPE_NET:
      return make_address_test(p, prim, test);
    case TYPE_PORT:
      return make_port_test(p, prim, test);
    default:
      break;
  }
  if (directed) {
    report_warning(p->report, "pattern %u: '%s': 'src' or 'dst' ignored", p->number,
                   filter_type_text(prim->type, &prim->field));
  }
  switch (prim->type) {
    case TYPE_PROTOCOL:
      return make_protocol_test(p, prim, test);
    case TYPE_TCP_FLAGS:
      return make_flags_test(p, prim, test);
    case TYPE_FIELD:
      return make_field_test(p, prim, test);
    default:
      return make_plain_test(p, prim, test);
  }
}

static uint32_t add_test(struct parser *p, const struct filter_test *test) {
  struct filter_program *program = p->program;
  void *moved = grow(p, program->tests, program->test_count, &program->test_capacity, sizeof *program->tests);
  if (!moved) return FILTER_NONE;
  program->tests = moved;
  program->tests[program->test_count] = *test;
  return add_node(p, FILTER_TEST, program->test_count++);
}

/* FILTER_NONE when there is no test here, or a wrong one; p->at tells which. */
static uint32_t parse_test(struct parser *p) {
  static const struct primitive nothing = {.protocol = FILTER_NO_PROTOCOL};
  uint32_t start = p->at;
  struct primitive prim = nothing;
  bool negated = false;
  take_qualifiers(p, &prim, &negated);
  if (p->at != start) p->before = nothing;
  if (p->at > start && prim.type == TYPE_NONE && word_is(p, "[")) take_brackets(p, &prim);
  if (word_is(p, "&")) take_mask(p, &prim);
  bool related = take_relation(p, &prim);
  uint32_t before_value = p->at;
  if (p->at < p->count && !take_value(p, &prim)) return FILTER_NONE;
  if (p->at == before_value && related) {
    complain(p, "dangling operator near '%.*s'", (int)word(p).length, word(p).data);
    return FILTER_NONE;
  }
  if (p->at == start) {
    complain(p, "empty term near '%.*s'", (int)word(p).length, word(p).data);
    p->at = p->count;
    return FILTER_NONE;
  }
  struct filter_test test;
  if (!make_test(p, &prim, &test)) return FILTER_NONE;
  p->before = prim;
  uint32_t node = add_test(p, &test);
  return negated && node != FILTER_NONE ? add_node(p, FILTER_NOT, node) : node;
}

/* --- expressions --- */

static uint32_t parse_expression(struct parser *p);

static bool factor_ends(const struct parser *p) {
  return p->at >= p->count || word_is(p, ")") || word_is_any(p, "||", "or") || word_is_any(p, "?", ":");
}

static uint32_t parse_factor(struct parser *p) {
  bool negated = false;
  uint32_t node;
  while (word_is_any(p, "not", "!")) {
    negated = !negated;
    p->at++;
    if (factor_ends(p)) complain(p, "missing expression after 'not'");
  }
  if (factor_ends(p)) return FILTER_NONE;
  if (take_any(p, "true", "true")) {
    node = add_node(p, FILTER_TRUE, FILTER_NONE);
  } else if (take_any(p, "false", "false")) {
    node = add_node(p, FILTER_FALSE, FILTER_NONE);
  } else if (take_any(p, "(", "(")) {
    node = parse_expression(p);
    if (!take_any(p, ")", ")")) complain(p, "missing ')'");
  } else {
    node = parse_test(p);
  }
  return negated && node != FILTER_NONE ? add_node(p, FILTER_NOT, node) : node;
}

static uint32_t parse_and(struct parser *p) {
  struct children children = {0};
  bool wanted = true; /* an operator asks for what follows it */
  while (!factor_ends(p)) {
    add_child(p, &children, parse_factor(p));
    wanted = take_any(p, "and", "&&");
  }
  if (wanted) complain(p, "missing expression");
  return join(p, FILTER_AND, &children);
}

static uint32_t parse_or(struct parser *p) {
  struct children children = {0};
  do
    add_child(p, &children, parse_and(p));
  while (take_any(p, "or", "||"));
  return join(p, FILTER_OR, &children);
}

static uint32_t parse_expression(struct parser *p) {
  if (++p->depth > FILTER_MAX_DEPTH) {
    complain(p, "nested more than %d deep; split the pattern", FILTER_MAX_DEPTH);
    p->at = p->count;
    p->depth--;
    return FILTER_NONE;
  }
  uint32_t node = parse_or(p);
  if (take_any(p, "?", "?")) {
    struct children children = {0};
    add_child(p, &children, node);
    add_child(p, &children, parse_expression(p));
    if (take_any(p, ":", ":")) {
      add_child(p, &children, parse_expression(p));
    } else {
      complain(p, "missing ':' in ternary expression");
    }
    /* With fewer there was an error. */
    node = children.count == 3 ? add_node(p, FILTER_TERNARY, children.first) : FILTER_NONE;
  }
  p->depth--;
  return node;
}

/* --- patterns --- */

static uint32_t parse_action(struct parser *p, uint32_t outputs) {
  struct slice action = word(p);
  p->at++;
  uint64_t number;
  if (slice_equals(action, "allow")) {
    if (outputs == 0) complain(p, "'allow' is meaningless, element has zero outputs");
    return 0;
  }
  if (slice_equals(action, "deny")) {
    if (outputs > 1) {
      report_warning(p->report, "pattern %u: meaning of 'deny' has changed (now it means 'drop')", p->number);
    }
    return FILTER_NONE;
  }
  if (slice_equals(action, "drop")) return FILTER_NONE;
  if (number_unsigned(action, UINT32_MAX, &number) != 0) {
    complain(p, "unknown slot ID '%.*s'", (int)action.length, action.data);
  } else if (number >= outputs) {
    complain(p, "slot '%u' out of range", (unsigned)number);
  } else {
    return (uint32_t)number;
  }
  return FILTER_NONE;
}

static uint32_t parse_pattern(struct parser *p) {
  bool one = p->at + 1 == p->count;
  if (p->at == p->count || (one && (word_is_any(p, "-", "any") || word_is(p, "all"))))
    return add_node(p, FILTER_TRUE, FILTER_NONE);
  if (one && word_is(p, "none")) return add_node(p, FILTER_FALSE, FILTER_NONE);
  uint32_t root = parse_expression(p);
  if (p->at < p->count && p->status == 0) {
    complain(p, "garbage after expression at '%.*s'", (int)word(p).length, word(p).data);
  }
  return root;
}

int filter_parse(struct filter_program *program, char *const *patterns, uint32_t count, bool actions, uint32_t outputs,
                 const struct element *context, struct report *report) {
  *program = (struct filter_program){0};
  if (count > FILTER_MAX_RULES) {
    return report_error(report, ERROR_TOO_BIG, "%u patterns, over %d", count, FILTER_MAX_RULES);
  }
  struct parser p = {.program = program, .context = context, .report = report};
  int status = 0;
  program->rules = memory_alloc((count + 1) * sizeof *program->rules);
  if (!program->rules) status = report_error(report, ERROR_NO_MEMORY, "no memory for %u patterns", count);
  for (uint32_t i = 0; i < count && status != -ERROR_NO_MEMORY; i++) {
    p.number = i;
    p.status = 0;
    p.depth = 0;
    p.before = (struct primitive){.protocol = FILTER_NO_PROTOCOL};
    split_words(&p, patterns[i]);
    struct filter_rule rule = {FILTER_NONE, i};
    if (p.count == 0) {
      complain(&p, "empty pattern");
    } else {
      if (actions) rule.output = parse_action(&p, outputs);
      rule.root = parse_pattern(&p);
    }
    if (p.status != 0) status = p.status;
    program->rules[program->rule_count++] = rule;
  }
  memory_free(p.words);
  if (status != 0) filter_program_free(program);
  return status;
}

void filter_program_free(struct filter_program *program) {
  memory_free(program->rules);
  memory_free(program->nodes);
  memory_free(program->tests);
  *program = (struct filter_program){0};
}
