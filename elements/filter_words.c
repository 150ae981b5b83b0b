/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables of words. Numbers are IANA's (protocol-numbers, icmp-parameters), names are those of Click's manual page and /etc/protocols.
 */
#include "elements/filter_words.h"

#include "click/address.h"

/* clang-format off */
static const struct filter_field_name fields[] = {
    {"vers", "ip vers",   FILTER_IP,        FILTER_NO_PROTOCOL, 0,   4},
    {"hl",   "ip hl",     FILTER_IP,        FILTER_NO_PROTOCOL, 4,   4},
    {"tos",  "ip tos",    FILTER_IP,        FILTER_NO_PROTOCOL, 8,   8},
    {"dscp", "ip dscp",   FILTER_IP,        FILTER_NO_PROTOCOL, 8,   6},
    {"ecn",  "ip ecn",    FILTER_IP,        FILTER_NO_PROTOCOL, 14,  2},
    {"len",  "ip len",    FILTER_IP,        FILTER_NO_PROTOCOL, 16,  16},
    {"id",   "ip id",     FILTER_IP,        FILTER_NO_PROTOCOL, 32,  16},
    {"ttl",  "ip ttl",    FILTER_IP,        FILTER_NO_PROTOCOL, 64,  8},
    {"win",  "tcp win",   FILTER_TRANSPORT, 6,                  112, 16},
    {"type", "icmp type", FILTER_TRANSPORT, 1,                  0,   8},
};
/* clang-format on */
static const struct filter_field_name *const icmp_type = &fields[9];

static const struct type_word {
  const char *name;
  enum filter_type type;
} types[] = {
    {"host", TYPE_HOST},           {"net", TYPE_NET},       {"proto", TYPE_PROTOCOL},
    {"port", TYPE_PORT},           {"opt", TYPE_TCP_FLAGS}, {"frag", TYPE_FRAGMENT},
    {"unfrag", TYPE_UNFRAGMENTED}, {"ect", TYPE_ECT},       {"ce", TYPE_CE},
};

struct value_word {
  const char *name;
  uint32_t value;
};
static const struct value_word protocols[] = {
    {"icmp", 1},
    {"igmp", 2},
    {"ipip", 4},
    {"tcp", 6},
    {"egp", 8},
    {"udp", 17},
    {"dccp", 33},
    {"rsvp", 46},
    {"gre", 47},
    {"esp", 50},
    {"ah", 51},
    {"icmp6", 58},
    {"eigrp", 88},
    {"ospf", 89},
    {"pim", 103},
    {"vrrp", 112},
    {"l2tp", 115},
    {"sctp", 132},
    {"udplite", 136},
    {"tcpudp", FILTER_TCP_UDP},
    {"transp", FILTER_ANY_PROTOCOL},
};
static const struct value_word flags[] = {{"fin", 1}, {"syn", 2}, {"rst", 4}, {"psh", 8}, {"ack", 16}, {"urg", 32}};
static const struct value_word icmp_types[] = {
    {"echo-reply", 0},
    {"unreachable", 3},
    {"sourcequench", 4},
    {"redirect", 5},
    {"echo", 8},
    {"routeradvert", 9},
    {"routersolicit", 10},
    {"timeexceeded", 11},
    {"parameterproblem", 12},
    {"timestamp", 13},
    {"timestamp-reply", 14},
    {"inforeq", 15},
    {"inforeq-reply", 16},
    {"maskreq", 17},
    {"maskreq-reply", 18},
};

enum filter_type filter_type_word(struct slice word, const struct filter_field_name **field) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    if (filter_word_is(word, types[i].name)) return types[i].type;
  }
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (!filter_word_is(word, fields[i].name)) continue;
    *field = &fields[i];
    return TYPE_FIELD;
  }
  return TYPE_NONE;
}

const char *filter_type_text(enum filter_type type, const struct filter_field_name *field) {
  static const char *const texts[] = {
      [TYPE_NONE] = "<none>",       [TYPE_INTEGER] = "number",   [TYPE_HOST] = "ip host",
      [TYPE_NET] = "ip net",        [TYPE_PROTOCOL] = "proto",   [TYPE_PORT] = "port",
      [TYPE_TCP_FLAGS] = "tcp opt", [TYPE_FRAGMENT] = "ip frag", [TYPE_UNFRAGMENTED] = "ip unfrag",
      [TYPE_ECT] = "ip ect",        [TYPE_CE] = "ip ce",
  };
  return type == TYPE_FIELD ? field->text : texts[type];
}

static bool find_value(const struct value_word *table, size_t count, struct slice word, uint32_t *value) {
  for (size_t i = 0; i < count; i++) {
    if (!filter_word_is(word, table[i].name)) continue;
    *value = table[i].value;
    return true;
  }
  return false;
}

bool filter_protocol(struct slice word, uint32_t *protocol) {
  return find_value(protocols, sizeof protocols / sizeof *protocols, word, protocol);
}

bool filter_icmp_type(struct slice word, uint32_t *type) {
  return find_value(icmp_types, sizeof icmp_types / sizeof *icmp_types, word, type);
}

const char *filter_icmp_type_name(uint8_t type) {
  for (size_t i = 0; i < sizeof icmp_types / sizeof *icmp_types; i++) {
    if (icmp_types[i].value == type) return icmp_types[i].name;
  }
  return NULL;
}

static bool protocol_allows(uint16_t said, uint16_t meant) {
  return said == FILTER_NO_PROTOCOL || said == meant || (said == FILTER_TCP_UDP && meant != 1);
}

int filter_meaning_find(const struct element *context, struct slice word, enum filter_type type,
                        const struct filter_field_name *field, uint16_t protocol, struct filter_meaning *meaning,
                        struct text *out) {
  /* Numbers and addresses mean nothing by themselves; most words of a long rule set are such. */
  if (word.length == 0 || char_is_digit(word.data[0])) return 0;
  static const char *const prefixes[5] = {"proto", "tcp port", "udp port", "tcp opt", "icmp type"};
  static const enum filter_type kinds[5] = {TYPE_PROTOCOL, TYPE_PORT, TYPE_PORT, TYPE_TCP_FLAGS, TYPE_FIELD};
  static const uint16_t owners[5] = {FILTER_NO_PROTOCOL, 6, 17, 6, 1};
  uint32_t value[5];
  bool got[5];
  uint16_t port = 0;
  got[0] = filter_protocol(word, &value[0]);
  got[1] = address_port(context, word, PROTOCOL_TCP, &port) == 0;
  value[1] = port;
  got[2] = address_port(context, word, PROTOCOL_UDP, &port) == 0;
  value[2] = port;
  got[3] = find_value(flags, sizeof flags / sizeof *flags, word, &value[3]);
  got[4] = filter_icmp_type(word, &value[4]);

  bool known = false, fits[5];
  unsigned count = 0, which = 0;
  for (unsigned i = 0; i < 5; i++) {
    known |= got[i];
    fits[i] = got[i] && (type == TYPE_NONE || type == kinds[i]) &&
              (type != TYPE_FIELD || field->text == icmp_type->text) &&
              (i == 0 || protocol_allows(protocol, owners[i]));
  }
  if (fits[1] && fits[2] && value[1] == value[2]) fits[2] = false;
  for (unsigned i = 0; i < 5; i++) {
    if (!fits[i]) continue;
    which = i;
    count++;
  }
  if (!known) return 0;
  if (count == 1) {
    *meaning = (struct filter_meaning){kinds[which], value[which], which == 4 ? icmp_type : NULL};
    return 1;
  }
  if (out) {
    text_addf(out, "'%.*s' is %s; try ", (int)word.length, word.data, count > 1 ? "ambiguous" : "meaningless here");
    const char *separator = "";
    for (unsigned i = 0; i < 5; i++) {
      if (!got[i]) continue;
      text_addf(out, "%s'%s %.*s'", separator, prefixes[i], (int)word.length, word.data);
      separator = ", ";
    }
  }
  return -1;
}
