/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One test of IPFilter's patterns: QUALIFIER... [& MASK] [RELATION] VALUE, from its words to the bits of the header that it looks at.
 * A test leaves out what the one before it said ("src port 80 or 81").
 */
#include "click/address.h"
#include "click/number.h"
#include "elements/filter_parser.h"
#include "lib/bytes.h"

/* --- words --- */

static void set_type(struct filter_parser *p, struct filter_primitive *prim, enum filter_type type,
                     const struct filter_field_name *field) {
  if (prim->type != TYPE_NONE) filter_complain(p, "type specified twice");
  prim->type = type;
  if (field) prim->field = *field;
}
static void set_direction(struct filter_parser *p, struct filter_primitive *prim, enum filter_direction direction) {
  if (prim->direction != DIRECTION_NONE) filter_complain(p, "'src' or 'dst' specified twice");
  prim->direction = direction;
}
static void set_protocol(struct filter_parser *p, struct filter_primitive *prim, uint16_t protocol) {
  if (prim->protocol != FILTER_NO_PROTOCOL && prim->protocol != protocol) {
    filter_complain(p, "transport protocol specified twice");
  }
  prim->protocol = protocol;
}

/* "src", "src and dst", "src or dst", "dst". */
static bool take_direction(struct filter_parser *p, struct filter_primitive *prim) {
  if (filter_take(p, "dst", "dest")) {
    set_direction(p, prim, DIRECTION_DST);
    return true;
  }
  if (!filter_next_is(p, "src")) return false;
  p->at++;
  struct slice second = filter_word_at(p, p->at + 1);
  bool both = slice_equals(second, "dst") || slice_equals(second, "dest");
  if (both && filter_take(p, "and", "&&")) {
    p->at++;
    set_direction(p, prim, DIRECTION_AND);
  } else if (both && filter_take(p, "or", "||")) {
    p->at++;
    set_direction(p, prim, DIRECTION_OR);
  } else {
    set_direction(p, prim, DIRECTION_SRC);
  }
  return true;
}

static void take_qualifiers(struct filter_parser *p, struct filter_primitive *prim, bool *negated) {
  bool ip = false;
  for (; p->at < p->count;) {
    const struct filter_field_name *field = NULL;
    enum filter_type type = filter_type_word(filter_word(p), &field);
    if (type != TYPE_NONE) {
      set_type(p, prim, type, field);
      if (field && field->protocol != FILTER_NO_PROTOCOL) set_protocol(p, prim, field->protocol);
      p->at++;
    } else if (filter_take(p, "not", "!")) {
      *negated = !*negated;
    } else if (filter_next_is(p, "ip")) {
      if (ip) return; /* the next test begins */
      ip = true;
      p->at++;
    } else if (!take_direction(p, prim)) {
      struct filter_meaning meaning;
      if (filter_meaning_find(p->context, filter_word(p), TYPE_NONE, NULL, FILTER_NO_PROTOCOL, &meaning, NULL) != 1 ||
          meaning.type != TYPE_PROTOCOL) {
        return;
      }
      set_protocol(p, prim, (uint16_t)meaning.value);
      p->at++;
    }
  }
}

/* [POS], [POS:LEN] or [FIRST,LAST], in bytes. */
static void take_brackets(struct filter_parser *p, struct filter_primitive *prim) {
  struct text inside = {0};
  p->at++;
  while (p->at < p->count && !filter_next_is(p, "]"))
    text_add_slice(&inside, p->words[p->at++]);
  if (!filter_take(p, "]", "]")) {
    filter_complain(p, "missing ']'");
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
    filter_complain(p, "syntax error after '[', expected '[POS]' or '[POS:LEN]'");
  } else if (length < 1 || length > 4) {
    filter_complain(p, "LEN in '[POS:LEN]' out of range, should be between 1 and 4");
  } else if (position / 4 != (position + length - 1) / 4) {
    filter_complain(p, "field [%u:%u] does not fit in a single word", (unsigned)position, (unsigned)length);
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

static void take_mask(struct filter_parser *p, struct filter_primitive *prim) {
  uint64_t number;
  uint32_t address;
  struct slice mask = filter_word_at(p, p->at + 1);
  if (number_unsigned(mask, UINT32_MAX, &number) == 0) {
    prim->mask = (uint32_t)number;
  } else if (address_ip(p->context, mask, &address) == 0) {
    prim->mask = load_be32(&address);
  } else {
    return;
  }
  p->at += 2;
  prim->masked = prim->mask != 0;
  if (!prim->masked) filter_complain(p, "zero mask ignored");
}

static bool take_relation(struct filter_parser *p, struct filter_primitive *prim) {
  static const struct {
    const char *text;
    enum filter_relation relation;
    bool negated;
  } relations[] = {
      {"=", RELATION_EQUAL, false},   {"==", RELATION_EQUAL, false}, {"!=", RELATION_EQUAL, true},
      {">", RELATION_GREATER, false}, {"<", RELATION_LESS, false},   {">=", RELATION_LESS, true},
      {"<=", RELATION_GREATER, true},
  };
  for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
    if (!filter_next_is(p, relations[i].text)) continue;
    prim->relation = relations[i].relation;
    prim->negated = relations[i].negated;
    p->at++;
    return true;
  }
  return false;
}

/* "80-90" */
static bool read_range(struct slice text, struct filter_primitive *prim) {
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
static bool take_value(struct filter_parser *p, struct filter_primitive *prim) {
  struct slice text = filter_word(p);
  struct filter_meaning meaning;
  struct text reason = {0};
  const struct filter_field_name *field = NULL;
  bool type_word = filter_type_word(text, &field) != TYPE_NONE;
  int found = type_word
                  ? 0
                  : filter_meaning_find(p->context, text, prim->type, &prim->field, prim->protocol, &meaning, &reason);
  if (found < 0) {
    filter_complain(p, "%s", text_string(&reason));
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
      filter_complain(p, "range '%.*s' is empty; put the smaller number first", (int)text.length, text.data);
    if (prim->relation != RELATION_EQUAL)
      filter_complain(p, "'%.*s' is a range, which can only be compared by = and !=", (int)text.length, text.data);
  } else if (prim->type != TYPE_NET && address_ip(p->context, text, &address) == 0) {
    prim->data = TYPE_HOST;
    prim->value = load_be32(&address);
    prim->net_mask = UINT32_MAX;
    if (slice_equals(filter_word_at(p, p->at + 1), "mask") &&
        address_ip(p->context, filter_word_at(p, p->at + 2), &address) == 0) {
      prim->data = TYPE_NET;
      prim->net_mask = load_be32(&address);
      p->at += 2;
    }
  } else if (address_ip_prefix(p->context, text, prim->type == TYPE_NET, &prefix) == 0) {
    prim->data = TYPE_NET;
    prim->value = load_be32(&prefix.address);
    prim->net_mask = load_be32(&prefix.mask);
    if (slice_equals(filter_word_at(p, p->at + 1), "mask") &&
        address_ip(p->context, filter_word_at(p, p->at + 2), &address) == 0) {
      prim->net_mask = load_be32(&address);
      p->at += 2;
    }
  } else {
    return true;
  }
  p->at++;
  return true;
}

/* --- meaning --- */

/* Fills in what was left out from the test before. */
static bool complete(struct filter_parser *p, struct filter_primitive *prim) {
  const struct filter_primitive *before = &p->before;
  if (prim->type != TYPE_NONE) return true;
  if (prim->data == TYPE_INTEGER) {
    if (before->type != TYPE_FIELD && before->type != TYPE_PROTOCOL && before->type != TYPE_PORT) {
      filter_complain(p, "specify header field or 'port'");
      return false;
    }
    prim->type = before->type;
    prim->field = before->field;
    if (prim->type == TYPE_FIELD && prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = before->protocol;
  } else if (prim->data == TYPE_NONE) {
    if (prim->protocol == FILTER_NO_PROTOCOL) {
      filter_complain(p, "partial directive");
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
static bool set_values(struct filter_parser *p, const struct filter_primitive *prim, uint32_t full,
                       struct filter_test *test) {
  const char *name = filter_type_text(prim->type, &prim->field);
  uint32_t mask = prim->masked ? prim->mask : full;
  test->full = full;
  test->mask = mask;
  test->negated = prim->negated;
  if (mask & ~full) {
    filter_complain(p, "'%s': mask out of range, bound 0x%X", name, full);
    return false;
  }
  if (prim->relation == RELATION_EQUAL) {
    if (prim->last > full) {
      filter_complain(p, "'%s': out of range, bound %u", name, full);
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

static void set_places(struct filter_test *test, enum filter_direction direction, unsigned src, unsigned dst,
                       unsigned bits) {
  test->either = direction == DIRECTION_OR || direction == DIRECTION_NONE;
  if (direction != DIRECTION_DST) set_place(test, src, bits);
  if (direction != DIRECTION_SRC) set_place(test, dst, bits);
}

static bool wrong(struct filter_parser *p, const struct filter_primitive *prim, const char *what) {
  filter_complain(p, "'%s': %s", filter_type_text(prim->type, &prim->field), what);
  return false;
}

static bool make_address_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
  if (prim->data != prim->type) return wrong(p, prim, "address missing");
  if (prim->relation != RELATION_EQUAL) return wrong(p, prim, "operator not supported");
  test->full = UINT32_MAX;
  test->mask = prim->masked ? prim->mask : prim->net_mask;
  test->low = test->high = prim->value & test->mask;
  test->negated = prim->negated;
  set_places(test, prim->direction, 96, 128, 32);
  return true;
}

static bool make_protocol_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
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

static bool make_port_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_PORT) return wrong(p, prim, "value missing");
  if (prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = FILTER_TCP_UDP;
  if (prim->protocol != PROTOCOL_TCP && prim->protocol != PROTOCOL_UDP && prim->protocol != FILTER_TCP_UDP &&
      prim->protocol != 33) {
    filter_complain(p, "'port': bad protocol %u", prim->protocol);
    return false;
  }
  test->protocol = prim->protocol;
  test->header = FILTER_TRANSPORT;
  set_places(test, prim->direction, 0, 16, 16);
  return set_values(p, prim, 0xffff, test);
}

static bool make_flags_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_TCP_FLAGS) return wrong(p, prim, "value missing");
  if (prim->protocol == FILTER_NO_PROTOCOL) prim->protocol = PROTOCOL_TCP;
  if (prim->protocol != PROTOCOL_TCP) {
    filter_complain(p, "'tcp opt': bad protocol %u", prim->protocol);
    return false;
  }
  if (prim->relation != RELATION_EQUAL || prim->negated || prim->masked || prim->value != prim->last) {
    return wrong(p, prim, "operator or mask not supported");
  }
  if (prim->value > 255) {
    filter_complain(p, "'tcp opt': value %u out of range", prim->value);
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
static bool make_plain_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
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

static bool make_field_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
  const struct filter_field_name *field = &prim->field;
  if (prim->data != TYPE_INTEGER && prim->data != TYPE_FIELD) return wrong(p, prim, "value missing");
  test->protocol = prim->protocol;
  test->header = field->header;
  set_place(test, field->offset, field->bits);
  return set_values(p, prim, field->bits == 32 ? UINT32_MAX : (1u << field->bits) - 1, test);
}

static bool make_test(struct filter_parser *p, struct filter_primitive *prim, struct filter_test *test) {
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

bool filter_parse_test(struct filter_parser *p, struct filter_test *test, bool *negated) {
  static const struct filter_primitive nothing = {.protocol = FILTER_NO_PROTOCOL};
  uint32_t start = p->at;
  struct filter_primitive prim = nothing;
  *negated = false;
  take_qualifiers(p, &prim, negated);
  if (p->at != start) p->before = nothing;
  if (p->at > start && prim.type == TYPE_NONE && filter_next_is(p, "[")) take_brackets(p, &prim);
  if (filter_next_is(p, "&")) take_mask(p, &prim);
  bool related = take_relation(p, &prim);
  uint32_t before_value = p->at;
  if (p->at < p->count && !take_value(p, &prim)) return false;
  if (p->at == before_value && related) {
    filter_complain(p, "dangling operator near '%.*s'", (int)filter_word(p).length, filter_word(p).data);
    return false;
  }
  if (p->at == start) {
    filter_complain(p, "empty term near '%.*s'", (int)filter_word(p).length, filter_word(p).data);
    p->at = p->count;
    return false;
  }
  if (!make_test(p, &prim, test)) return false;
  p->before = prim;
  return true;
}
