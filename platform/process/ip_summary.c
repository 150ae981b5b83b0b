/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fields of IP summary dumps. Most are a number in a header (RFC 791, 793, 768, 792) or in an annotation, and are described by its
 * place; the rest have functions of their own.
 */
#include "platform/process/ip_summary.h"

#include "click/words.h"

enum { TCP = 6, UDP = 17, ICMP = 1, IP_SIZE = 20, PARTS_SIZE = 20 };

enum layer { LAYER_IP, LAYER_PORTS, LAYER_TCP, LAYER_UDP, LAYER_ICMP, LAYER_ANNOTATION, LAYER_COUNT };

/* Where the headers of a packet are; NULL: not there, or not whole. */
struct view {
  const struct packet *p;
  const uint8_t *layer[LAYER_COUNT];
  uint32_t extra;   /* bytes on the wire that are not in the packet */
  uint32_t network; /* bytes of the packet before the IP header */
  uint32_t payload; /* offset of the payload from the IP header */
};

struct summary_field {
  const char *name, *alias;
  enum layer layer;
  uint8_t offset, size;
  uint8_t add; /* to the number that is stored */
  /* Instead of the number. False: does not apply. */
  bool (*print)(const struct view *view, struct text *out);
  bool (*parse)(struct slice word, struct packet *p, uint8_t *ip);
};

static bool number(struct slice word, uint64_t max, uint64_t *value) { return slice_to_u64(word, max, value) == 0; }

/* --- time --- */

static bool print_time(const struct view *v, struct text *out) {
  text_addf(out, "%llu.%06u", (unsigned long long)(v->p->timestamp / 1000000000),
            (unsigned)(v->p->timestamp % 1000000000 / 1000));
  return true;
}
static bool print_nano(const struct view *v, struct text *out) {
  text_addf(out, "%llu.%09u", (unsigned long long)(v->p->timestamp / 1000000000),
            (unsigned)(v->p->timestamp % 1000000000));
  return true;
}
static bool print_seconds(const struct view *v, struct text *out) {
  text_addf(out, "%llu", (unsigned long long)(v->p->timestamp / 1000000000));
  return true;
}
static bool print_microseconds(const struct view *v, struct text *out) {
  text_addf(out, "%u", (unsigned)(v->p->timestamp % 1000000000 / 1000));
  return true;
}
static bool print_all_microseconds(const struct view *v, struct text *out) {
  text_addf(out, "%llu", (unsigned long long)(v->p->timestamp / 1000));
  return true;
}

/* Seconds, and up to nine digits behind a point. */
static bool parse_time(struct slice word, struct packet *p, uint8_t *ip) {
  const char *point = memchr(word.data, '.', word.length);
  size_t whole = point != NULL ? (size_t)(point - word.data) : word.length;
  uint64_t seconds, fraction = 0, unit = 1000000000;
  if (!number((struct slice){word.data, whole}, UINT32_MAX, &seconds)) return false;
  for (size_t i = whole + 1; i < word.length; i++) {
    if (!char_is_digit(word.data[i])) return false;
    unit /= 10;
    fraction += unit * (uint64_t)(word.data[i] - '0');
  }
  p->timestamp = seconds * 1000000000 + fraction;
  return true;
}
static bool parse_seconds(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t seconds;
  if (!number(word, UINT32_MAX, &seconds)) return false;
  p->timestamp = p->timestamp % 1000000000 + seconds * 1000000000;
  return true;
}
static bool parse_microseconds(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t part;
  if (!number(word, 999999, &part)) return false;
  p->timestamp = p->timestamp / 1000000000 * 1000000000 + part * 1000;
  return true;
}
static bool parse_all_microseconds(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t time;
  if (!number(word, (uint64_t)UINT32_MAX * 1000000, &time)) return false;
  p->timestamp = time * 1000;
  return true;
}

/* --- IP --- */

static void print_address(const uint8_t *a, struct text *out) { text_addf(out, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]); }
static bool print_source(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP]) print_address(v->layer[LAYER_IP] + 12, out);
  return v->layer[LAYER_IP] != NULL;
}
static bool print_destination(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP]) print_address(v->layer[LAYER_IP] + 16, out);
  return v->layer[LAYER_IP] != NULL;
}
static bool parse_address(struct slice word, uint8_t *to) {
  uint8_t bytes[4];
  for (unsigned i = 0; i < 4; i++) {
    const char *end = i < 3 ? memchr(word.data, '.', word.length) : word.data + word.length;
    uint64_t value;
    if (end == NULL || !number((struct slice){word.data, (size_t)(end - word.data)}, 255, &value)) return false;
    bytes[i] = (uint8_t)value;
    if (i < 3) word = (struct slice){end + 1, word.length - (size_t)(end + 1 - word.data)};
  }
  memcpy(to, bytes, sizeof bytes);
  return true;
}
static bool parse_source(struct slice word, struct packet *p, uint8_t *ip) { return parse_address(word, ip + 12); }
static bool parse_destination(struct slice word, struct packet *p, uint8_t *ip) {
  if (!parse_address(word, ip + 16)) return false;
  annotation_set_u32(p, ANNOTATION_DST_IP, load_le32(ip + 16));
  return true;
}

enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, OFFSET_MASK = 0x1fff };

static bool print_fragment(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP] == NULL) return false;
  uint16_t word = load_be16(v->layer[LAYER_IP] + 6);
  const char *first = word & MORE_FRAGMENTS ? "F" : word & DONT_FRAGMENT ? "!" : ".";
  text_add(out, word & OFFSET_MASK ? "f" : first);
  return true;
}
static bool parse_fragment(struct slice word, struct packet *p, uint8_t *ip) {
  if (word.length != 1 || strchr("Ff.!", word.data[0]) == NULL) return false;
  uint16_t value = load_be16(ip + 6);
  if (word.data[0] == 'F') value = MORE_FRAGMENTS;
  if (word.data[0] == 'f' && (value & OFFSET_MASK) == 0) value |= 100; /* as in Click: some later fragment */
  if (word.data[0] == '!') value |= DONT_FRAGMENT;
  store_be16(ip + 6, value);
  return true;
}
static bool print_offset(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP] == NULL) return false;
  uint16_t word = load_be16(v->layer[LAYER_IP] + 6);
  text_addf(out, "%u%s%s", (word & OFFSET_MASK) * 8u, word & MORE_FRAGMENTS ? "+" : "",
            word & DONT_FRAGMENT ? "!" : "");
  return true;
}
static bool parse_offset(struct slice word, struct packet *p, uint8_t *ip) {
  uint16_t flags = 0;
  uint64_t offset;
  for (; word.length > 1 && !char_is_digit(word.data[word.length - 1]); word.length--) {
    char c = word.data[word.length - 1];
    if (c != '+' && c != '!') return false;
    flags |= c == '+' ? MORE_FRAGMENTS : DONT_FRAGMENT;
  }
  if (!number(word, OFFSET_MASK * 8, &offset) || offset % 8 != 0) return false;
  store_be16(ip + 6, (uint16_t)(flags | offset / 8));
  return true;
}

static bool print_length(const struct view *v, struct text *out) {
  uint32_t whole = v->p->length + v->extra;
  text_addf(out, "%u", v->layer[LAYER_IP] ? load_be16(v->layer[LAYER_IP] + 2) : whole);
  return true;
}
static bool parse_length(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t length;
  if (!number(word, UINT32_MAX, &length)) return false;
  store_be16(ip + 2, length < UINT16_MAX ? (uint16_t)length : UINT16_MAX);
  return true;
}

static bool print_protocol(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP] == NULL) return false;
  uint8_t protocol = v->layer[LAYER_IP][9];
  const char *letter = protocol == TCP ? "T" : protocol == UDP ? "U" : protocol == ICMP ? "I" : NULL;
  if (letter != NULL) text_add(out, letter);
  if (letter == NULL) text_addf(out, "%u", protocol);
  return true;
}
static bool parse_protocol(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t value;
  if (slice_equals(word, "T")) {
    value = TCP;
  } else if (slice_equals(word, "U")) {
    value = UDP;
  } else if (slice_equals(word, "I")) {
    value = ICMP;
  } else if (!number(word, 255, &value)) {
    return false;
  }
  ip[9] = (uint8_t)value;
  return true;
}

static bool print_header_length(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP]) text_addf(out, "%u", (v->layer[LAYER_IP][0] & 15u) * 4);
  return v->layer[LAYER_IP] != NULL;
}
static bool print_dscp(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP]) text_addf(out, "%u", v->layer[LAYER_IP][1] >> 2);
  return v->layer[LAYER_IP] != NULL;
}
static bool parse_dscp(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t value;
  if (!number(word, 63, &value)) return false;
  ip[1] = (uint8_t)((ip[1] & 3) | value << 2);
  return true;
}
static const char *const ecn_names[4] = {"no", "ect1", "ect2",
                                         "ce"}; /* as Click names them; ect2 is ECT(0) of RFC 3168 */
static bool print_ecn(const struct view *v, struct text *out) {
  if (v->layer[LAYER_IP]) text_add(out, ecn_names[v->layer[LAYER_IP][1] & 3]);
  return v->layer[LAYER_IP] != NULL;
}
static bool parse_ecn(struct slice word, struct packet *p, uint8_t *ip) {
  for (unsigned i = 0; i < 4; i++) {
    if (!slice_equals(word, ecn_names[i])) continue;
    ip[1] = (uint8_t)((ip[1] & ~3u) | i);
    return true;
  }
  return false;
}

/* --- what is behind IP --- */

static const char flag_letters[] = "FSRPAUECN";

static bool print_flags(const struct view *v, struct text *out) {
  const uint8_t *tcp = v->layer[LAYER_TCP];
  if (tcp == NULL) return false;
  unsigned flags = (tcp[12] & 1u) << 8 | tcp[13];
  for (unsigned i = 0; i < 9; i++) {
    if (flags >> i & 1) text_add_bytes(out, &flag_letters[i], 1);
  }
  if (flags == 0) text_add(out, ".");
  return true;
}
static bool parse_flags(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t flags = 0;
  bool letters = word.length > 0 && !char_is_digit(word.data[0]) && !slice_equals(word, ".");
  if (!letters && !slice_equals(word, ".") && !number(word, 511, &flags)) return false;
  for (size_t i = 0; letters && i < word.length; i++) {
    char c = word.data[i] == 'X' ? 'E' : word.data[i] == 'Y' || word.data[i] == 'W' ? 'C' : word.data[i];
    const char *at = strchr(flag_letters, c);
    if (at == NULL || c == '\0') return false;
    flags |= 1u << (at - flag_letters);
  }
  ip[IP_SIZE + 12] = (uint8_t)(0x50 | flags >> 8);
  ip[IP_SIZE + 13] = (uint8_t)flags;
  return true;
}
static bool print_tcp_offset(const struct view *v, struct text *out) {
  if (v->layer[LAYER_TCP]) text_addf(out, "%u", (v->layer[LAYER_TCP][12] >> 4) * 4u);
  return v->layer[LAYER_TCP] != NULL;
}
static bool print_next_mtu(const struct view *v, struct text *out) {
  const uint8_t *icmp = v->layer[LAYER_ICMP];
  bool needed = icmp != NULL && icmp[0] == 3 && icmp[1] == 4;
  if (needed) text_addf(out, "%u", load_be16(icmp + 6));
  return needed;
}

/* Of the IP packet, or of all of it where there is none; on the wire. */
static bool print_payload_length(const struct view *v, struct text *out) {
  uint32_t length = v->layer[LAYER_IP] ? load_be16(v->layer[LAYER_IP] + 2) : v->p->length + v->extra;
  text_addf(out, "%u", length > v->payload ? length - v->payload : 0);
  return true;
}
static bool print_payload(const struct view *v, struct text *out) {
  uint32_t start = v->layer[LAYER_IP] ? v->network + v->payload : 0;
  uint32_t end = v->p->length;
  if (v->layer[LAYER_IP] && v->network + load_be16(v->layer[LAYER_IP] + 2) < end) {
    end = v->network + load_be16(v->layer[LAYER_IP] + 2);
  }
  text_add(out, "\"");
  for (uint32_t i = start; i < end; i++) {
    uint8_t c = v->p->data[i];
    if (c == '"' || c == '\\' || c == '$') {
      text_addf(out, "\\%c", c);
    } else if (c >= ' ' && c < 127) {
      text_add_bytes(out, &c, 1);
    } else {
      text_addf(out, "\\<%02X>", c);
    }
  }
  text_add(out, "\"");
  return true;
}
static bool print_capture_length(const struct view *v, struct text *out) {
  uint32_t here = v->p->length - v->network;
  if (v->layer[LAYER_IP] == NULL) return false;
  uint32_t length = load_be16(v->layer[LAYER_IP] + 2);
  text_addf(out, "%u", here < length ? here : length);
  return true;
}
static bool print_wire_length(const struct view *v, struct text *out) {
  text_addf(out, "%u", v->p->length + v->extra);
  return true;
}

static bool print_direction(const struct view *v, struct text *out) {
  uint8_t paint = annotation_u8(v->p, ANNOTATION_PAINT);
  if (paint < 2) text_add(out, paint == 0 ? ">" : "<");
  if (paint >= 2) text_addf(out, "%u", paint);
  return true;
}
static bool parse_direction(struct slice word, struct packet *p, uint8_t *ip) {
  uint64_t paint = 0;
  bool letter = word.length == 1 && strchr("<RX", word.data[0]) != NULL;
  if (letter) paint = 1;
  if (!letter && !(word.length == 1 && strchr(">L", word.data[0]) != NULL) && !number(word, 255, &paint)) return false;
  annotation_set_u8(p, ANNOTATION_PAINT, (uint8_t)paint);
  return true;
}

static bool print_ether(const struct view *v, unsigned offset, struct text *out) {
  if (v->p->mac_header == 0 || v->p->length < 14 || v->network < 14) return false;
  const uint8_t *a = v->p->data + offset;
  text_addf(out, "%02X-%02X-%02X-%02X-%02X-%02X", a[0], a[1], a[2], a[3], a[4], a[5]);
  return true;
}
static bool print_ether_source(const struct view *v, struct text *out) { return print_ether(v, 6, out); }
static bool print_ether_destination(const struct view *v, struct text *out) { return print_ether(v, 0, out); }

/* In the order in which a reader stores them: what changes part of a word comes behind what sets all of it only in the line. */
static const struct summary_field table[] = {
    {"timestamp", NULL, .print = print_time, .parse = parse_time},
    {"utimestamp", NULL, .print = print_time, .parse = parse_time},
    {"ntimestamp", NULL, .print = print_nano, .parse = parse_time},
    {"ts_sec", NULL, .print = print_seconds, .parse = parse_seconds},
    {"ts_usec", NULL, .print = print_microseconds, .parse = parse_microseconds},
    {"ts_usec1", NULL, .print = print_all_microseconds, .parse = parse_all_microseconds},
    {"ip_src", "src", .print = print_source, .parse = parse_source},
    {"ip_dst", "dst", .print = print_destination, .parse = parse_destination},
    {"ip_frag", NULL, .print = print_fragment, .parse = parse_fragment},
    {"ip_fragoff", NULL, .print = print_offset, .parse = parse_offset},
    {"ip_len", "len", .print = print_length, .parse = parse_length},
    {"ip_proto", "proto", .print = print_protocol, .parse = parse_protocol},
    {"ip_hl", NULL, .print = print_header_length},
    {"ip_id", NULL, LAYER_IP, 4, 2},
    {"ip_tos", NULL, LAYER_IP, 1, 1},
    {"ip_dscp", NULL, .print = print_dscp, .parse = parse_dscp},
    {"ip_ecn", NULL, .print = print_ecn, .parse = parse_ecn},
    {"ip_ttl", NULL, LAYER_IP, 8, 1},
    {"ip_sum", NULL, LAYER_IP, 10, 2},
    {"sport", NULL, LAYER_PORTS, 0, 2},
    {"dport", NULL, LAYER_PORTS, 2, 2},
    {"tcp_seq", NULL, LAYER_TCP, 4, 4},
    {"tcp_ack", NULL, LAYER_TCP, 8, 4},
    {"tcp_off", NULL, .print = print_tcp_offset},
    {"tcp_flags", NULL, LAYER_TCP, .print = print_flags, .parse = parse_flags},
    {"tcp_window", NULL, LAYER_TCP, 14, 2},
    {"tcp_urp", NULL, LAYER_TCP, 18, 2},
    {"udp_len", NULL, LAYER_UDP, 4, 2},
    {"icmp_type", NULL, LAYER_ICMP, 0, 1},
    {"icmp_code", NULL, LAYER_ICMP, 1, 1},
    {"icmp_flowid", NULL, LAYER_ICMP, 4, 2},
    {"icmp_seq", NULL, LAYER_ICMP, 6, 2},
    {"icmp_nextmtu", NULL, LAYER_ICMP, 6, 2, .print = print_next_mtu},
    {"payload", NULL, .print = print_payload},
    {"payload_len", NULL, .print = print_payload_length},
    {"ip_capture_len", NULL, .print = print_capture_length},
    {"count", "packets", LAYER_ANNOTATION, SUMMARY_EXTRA_PACKETS, 4, 1},
    {"direction", NULL, .print = print_direction, .parse = parse_direction},
    {"link", "paint", LAYER_ANNOTATION, ANNOTATION_PAINT, 1},
    {"aggregate", NULL, LAYER_ANNOTATION, ANNOTATION_AGGREGATE, 4},
    {"eth_src", NULL, .print = print_ether_source},
    {"eth_dst", NULL, .print = print_ether_destination},
    {"wire_len", NULL, .print = print_wire_length},
};

/* A blank in a name is as '_'. */
static bool same_name(struct slice word, const char *name) {
  if (name == NULL || strlen(name) != word.length) return false;
  for (size_t i = 0; i < word.length; i++) {
    if ((word.data[i] == ' ' ? '_' : word.data[i]) != name[i]) return false;
  }
  return true;
}

static int add_field(struct slice word, struct summary_fields *fields, struct report *report) {
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
    if (!same_name(word, table[i].name) && !same_name(word, table[i].alias)) continue;
    if (fields->count == SUMMARY_FIELDS_MAX) {
      return report_error(report, ERROR_TOO_BIG, "more than %d fields", SUMMARY_FIELDS_MAX);
    }
    fields->field[fields->count++] = &table[i];
    return 0;
  }
  return report_error(report, ERROR_NOT_FOUND, "unknown content type '%.*s'", (int)word.length, word.data);
}

int summary_fields_parse(const char *names, struct summary_fields *fields, struct report *report) {
  struct slice rest = slice_of(names);
  int status = 0;
  fields->count = 0;
  for (struct slice word; status == 0 && (word = words_next(&rest)).length > 0;) {
    struct text plain = {0};
    words_unquote(word, &plain);
    status = plain.failed ? -ERROR_NO_MEMORY : add_field(slice_of(text_string(&plain)), fields, report);
    text_free(&plain);
  }
  if (status == 0 && fields->count == 0) return report_error(report, ERROR_INVALID, "no contents specified");
  return status;
}

bool summary_fields_have(const struct summary_fields *fields, const char *name) {
  for (unsigned i = 0; i < fields->count; i++) {
    if (strcmp(fields->field[i]->name, name) == 0) return true;
  }
  return false;
}

void summary_fields_describe(const struct summary_fields *fields, struct text *out) {
  text_add(out, "!data");
  for (unsigned i = 0; i < fields->count; i++)
    text_addf(out, " %s", fields->field[i]->name);
  text_add(out, "\n");
}

/* --- writing --- */

static const char *look_at_transport(struct view *v, uint32_t left) {
  const uint8_t *ip = v->layer[LAYER_IP], *next = ip + v->payload;
  bool fragment = load_be16(ip + 6) & (MORE_FRAGMENTS | OFFSET_MASK);
  if (load_be16(ip + 6) & OFFSET_MASK) return NULL;
  left = left > v->payload ? left - v->payload : 0;
  uint32_t whole = ip[9] == TCP ? 20 : ip[9] == UDP || ip[9] == ICMP ? 8 : 0;
  uint32_t header = ip[9] == TCP && left >= whole ? (uint32_t)(next[12] >> 4) * 4 : whole;
  if (ip[9] == TCP && left >= whole && header < whole) return "bad TCP header length";
  if (left < header || left < whole) {
    if (ip[9] == TCP) return fragment ? "fragmented TCP header" : "truncated TCP header";
    if (ip[9] == UDP) return fragment ? "fragmented UDP header" : "truncated UDP header";
    return "truncated ICMP header";
  }
  if (ip[9] == TCP) v->layer[LAYER_TCP] = next;
  if (ip[9] == UDP) v->layer[LAYER_UDP] = next;
  if (ip[9] == TCP || ip[9] == UDP) v->layer[LAYER_PORTS] = next;
  if (ip[9] == ICMP) v->layer[LAYER_ICMP] = next;
  v->payload += header;
  return NULL;
}

/* Fills in the layers that are there and whole; returns what is wrong. */
static const char *look(struct view *v) {
  const struct packet *p = v->p;
  v->layer[LAYER_ANNOTATION] = p->annotation;
  const uint8_t *ip = (const uint8_t *)p + p->network_header;
  if (p->network_header == 0 || ip < p->data || ip > p->data + p->length) return "no IP header";
  v->network = (uint32_t)(ip - p->data);
  uint32_t left = p->length - v->network;
  if (left < IP_SIZE) return "truncated IP header";
  uint32_t header = (ip[0] & 15u) * 4, length = load_be16(ip + 2);
  if (ip[0] >> 4 != 4) return "IP version is not 4";
  if (header < IP_SIZE) return "bad IP header length";
  if (left < header) return "truncated IP header";
  if (length < header) return "bad IP length";
  v->layer[LAYER_IP] = ip;
  v->payload = header;
  return look_at_transport(v, left < length ? left : length);
}

static bool print_number(const struct summary_field *field, const struct view *v, struct text *out) {
  const uint8_t *at = v->layer[field->layer];
  if (at == NULL) return false;
  at += field->offset;
  bool host = field->layer == LAYER_ANNOTATION;
  uint64_t value = field->size == 1 ? at[0] : field->size == 2 ? load_be16(at) : host ? load_le32(at) : load_be32(at);
  value += field->add;
  text_addf(out, "%llu", (unsigned long long)value);
  return true;
}

const char *summary_write(const struct summary_fields *fields, const struct packet *p, bool extra_length,
                          struct text *out) {
  struct view view = {.p = p, .extra = extra_length ? annotation_u32(p, SUMMARY_EXTRA_LENGTH) : 0};
  const char *bad = look(&view);
  for (unsigned i = 0; i < fields->count; i++) {
    const struct summary_field *field = fields->field[i];
    if (i > 0) text_add(out, " ");
    bool applies = field->print != NULL ? field->print(&view, out) : print_number(field, &view, out);
    if (!applies) text_add(out, "-");
  }
  text_add(out, "\n");
  return bad;
}

/* --- reading --- */

static bool layer_applies(enum layer layer, uint8_t protocol) {
  switch (layer) {
    case LAYER_PORTS:
      return protocol == TCP || protocol == UDP;
    case LAYER_TCP:
      return protocol == TCP;
    case LAYER_UDP:
      return protocol == UDP;
    case LAYER_ICMP:
      return protocol == ICMP;
    default:
      return true;
  }
}

static bool store(const struct summary_field *field, struct slice word, struct packet *p) {
  uint64_t value, max = field->size == 1 ? UINT8_MAX : field->size == 2 ? UINT16_MAX : UINT32_MAX;
  if (field->parse != NULL) return field->parse(word, p, p->data);
  if (field->size == 0) return true; /* follows from the others */
  if (!number(word, max, &value) || value < field->add) return false;
  value -= field->add;
  bool annotation = field->layer == LAYER_ANNOTATION;
  uint8_t *at = annotation ? p->annotation : field->layer == LAYER_IP ? p->data : p->data + IP_SIZE;
  at += field->offset;
  if (field->size == 1) at[0] = (uint8_t)value;
  if (field->size == 2) store_be16(at, (uint16_t)value);
  if (field->size == 4 && annotation) store_le32(at, (uint32_t)value);
  if (field->size == 4 && !annotation) store_be32(at, (uint32_t)value);
  return true;
}

/* One pass over the line: the protocol alone, which decides what the other fields mean, or all but it. */
static bool store_line(const struct summary_fields *fields, struct slice line, bool protocol, struct packet *p) {
  bool good = true;
  for (unsigned i = 0; i < fields->count; i++) {
    const struct summary_field *field = fields->field[i];
    struct slice word = words_next(&line);
    bool wanted = (field->parse == parse_protocol) == protocol && layer_applies(field->layer, p->data[9]);
    if (word.length == 0) break;
    if (wanted && !slice_equals(word, "-") && !store(field, word, p)) good = false;
  }
  return good;
}

bool summary_read(const struct summary_fields *fields, struct slice line, uint8_t protocol, struct packet *p) {
  p->length = IP_SIZE + PARTS_SIZE;
  memset(p->data, 0, p->length);
  p->data[0] = 0x45;
  p->data[9] = protocol;
  bool good = store_line(fields, line, true, p);
  if (p->data[9] == TCP) p->data[IP_SIZE + 12] = 0x50;
  good = store_line(fields, line, false, p) && good;
  uint32_t transport = p->data[9] == TCP ? 20 : p->data[9] == UDP || p->data[9] == ICMP ? 8 : 0;
  bool later = load_be16(p->data + 6) & OFFSET_MASK;
  p->length = IP_SIZE + (later ? 0 : transport);
  uint32_t length = load_be16(p->data + 2);
  if (length < p->length) length = p->length;
  store_be16(p->data + 2, (uint16_t)length);
  annotation_set_u32(p, SUMMARY_EXTRA_LENGTH, length - p->length);
  p->network_header = (uint16_t)(p->data - (uint8_t *)p);
  p->transport_header = (uint16_t)(p->network_header + IP_SIZE);
  return good;
}
