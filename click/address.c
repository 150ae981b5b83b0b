/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Addresses as text, to and fro. A literal is tried first; what is none is a name, which click/address_book.c knows.
 */
#include "click/address.h"

#include "click/address_book.h"
#include "click/element.h"
#include "click/number.h"
#include "lib/bytes.h"

/* --- IPv4 --- */

/* Up to four decimal bytes with dots between; returns how many, 0 when it is no such thing. The others are zero. */
static unsigned parse_dotted(struct slice text, uint8_t bytes[4]) {
  unsigned count = 0;
  size_t i = 0;
  memset(bytes, 0, 4);
  while (count < 4) {
    uint32_t value = 0;
    size_t start = i;
    for (; i < text.length && char_is_digit(text.data[i]) && i - start < 3; i++)
      value = value * 10 + (uint32_t)(text.data[i] - '0');
    if (i == start || value > 255) return 0;
    bytes[count++] = (uint8_t)value;
    if (i == text.length) return count;
    if (text.data[i++] != '.') return 0;
  }
  return 0;
}

static bool literal_ip(struct slice text, uint32_t *address) {
  uint8_t bytes[4];
  if (parse_dotted(text, bytes) != 4) return false;
  memcpy(address, bytes, sizeof bytes);
  return true;
}

int address_ip(const struct element *context, struct slice text, uint32_t *address) {
  if (literal_ip(text, address)) return 0;
  const struct address_entry *entry = address_book_find(context, ADDRESS_IP, text);
  if (!entry) return -ERROR_INVALID;
  *address = entry->value.ip;
  return 0;
}

static uint32_t mask_of(unsigned length) {
  uint32_t mask;
  store_be32((uint8_t *)&mask, length == 0 ? 0 : UINT32_MAX << (32 - length));
  return mask;
}

/* What stands behind the '/': a length from 0 to 32, or a mask. */
static bool parse_mask(const struct element *context, struct slice text, uint32_t *mask, unsigned *length) {
  uint64_t number;
  *length = 33;
  if (text.length > 0 && char_is_digit(text.data[0]) && number_unsigned(text, 32, &number) == 0) {
    *length = (unsigned)number;
    *mask = mask_of(*length);
    return true;
  }
  return address_ip(context, text, mask) == 0;
}

int address_ip_prefix(const struct element *context, struct slice text, bool bare, struct ip_prefix *prefix) {
  const char *slash = text.length ? memchr(text.data, '/', text.length) : NULL;
  if (slash) {
    struct slice before = {text.data, (size_t)(slash - text.data)};
    struct slice behind = {slash + 1, text.length - before.length - 1};
    unsigned length;
    uint8_t bytes[4];
    unsigned count = parse_dotted(before, bytes);
    if (!parse_mask(context, behind, &prefix->mask, &length)) return -ERROR_INVALID;
    if (count == 0) return address_ip(context, before, &prefix->address);
    /* Of a shortened address ("18.26.4/24") the length may reach no further than what is there. */
    if (count < 4 && length > 8 * count) return -ERROR_INVALID;
    memcpy(&prefix->address, bytes, sizeof bytes);
    return 0;
  }
  const struct address_entry *entry = address_book_find(context, ADDRESS_IP_PREFIX, text);
  if (entry) {
    *prefix = entry->value.ip_prefix;
    return 0;
  }
  if (!bare) return -ERROR_INVALID;
  prefix->mask = UINT32_MAX;
  return address_ip(context, text, &prefix->address);
}

void address_ip_text(struct text *out, uint32_t address) {
  uint8_t bytes[4];
  memcpy(bytes, &address, sizeof bytes);
  text_addf(out, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
}

void address_ip_prefix_text(struct text *out, const struct ip_prefix *prefix) {
  address_ip_text(out, prefix->address);
  text_add(out, "/");
  for (unsigned length = 0; length <= 32; length++) {
    if (mask_of(length) != prefix->mask) continue;
    text_addf(out, "%u", length);
    return;
  }
  address_ip_text(out, prefix->mask);
}

/* --- IPv6 --- */

/* One group of one to four hexadecimal digits at *at. */
static bool take_group(struct slice text, size_t *at, uint16_t *group) {
  size_t start = *at;
  unsigned value = 0;
  for (; *at < text.length && *at - start < 4 && char_hex_value(text.data[*at]) >= 0; ++*at)
    value = value * 16 + (unsigned)char_hex_value(text.data[*at]);
  *group = (uint16_t)value;
  return *at > start;
}

static bool literal_ip6(struct slice text, struct ip6_address *address) {
  uint8_t bytes[16];
  size_t used = 0, gap = SIZE_MAX, i = 0;
  if (text.length >= 2 && memcmp(text.data, "::", 2) == 0) {
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    uint8_t tail[4];
    struct slice rest = {text.data + i, text.length - i};
    if (used <= 12 && parse_dotted(rest, tail) == 4) {
      memcpy(bytes + used, tail, 4);
      used += 4;
      break;
    }
    uint16_t group;
    if (used == 16 || !take_group(text, &i, &group)) return false;
    store_be16(bytes + used, group);
    used += 2;
    if (i == text.length) break;
    if (text.data[i++] != ':' || i == text.length) return false;
    if (text.data[i] != ':') continue;
    if (gap != SIZE_MAX) return false;
    gap = used;
    i++;
  }
  if (gap == SIZE_MAX ? used != 16 : used > 14) return false;
  memset(address, 0, sizeof *address);
  size_t before = gap == SIZE_MAX ? used : gap, behind = used - before;
  memcpy(address->bytes, bytes, before);
  memcpy(address->bytes + 16 - behind, bytes + before, behind);
  return true;
}

int address_ip6(const struct element *context, struct slice text, struct ip6_address *address) {
  if (literal_ip6(text, address)) return 0;
  const struct address_entry *entry = address_book_find(context, ADDRESS_IP6, text);
  if (!entry) return -ERROR_INVALID;
  *address = entry->value.ip6;
  return 0;
}

int address_ip6_prefix(const struct element *context, struct slice text, bool bare, struct ip6_prefix *prefix) {
  const char *slash = text.length ? memchr(text.data, '/', text.length) : NULL;
  if (slash) {
    struct slice before = {text.data, (size_t)(slash - text.data)};
    struct slice behind = {slash + 1, text.length - before.length - 1};
    uint64_t length;
    if (number_unsigned(behind, 128, &length) != 0) return -ERROR_INVALID;
    prefix->length = (uint32_t)length;
    return address_ip6(context, before, &prefix->address);
  }
  const struct address_entry *entry = address_book_find(context, ADDRESS_IP6_PREFIX, text);
  if (entry) {
    *prefix = entry->value.ip6_prefix;
    return 0;
  }
  if (!bare) return -ERROR_INVALID;
  prefix->length = 128;
  return address_ip6(context, text, &prefix->address);
}

void address_ip6_text(struct text *out, const struct ip6_address *address) {
  /* RFC 5952: the longest run of two or more zero groups becomes "::", the first of equals. */
  unsigned best = 8, best_length = 1;
  for (unsigned i = 0; i < 8; i++) {
    unsigned length = 0;
    while (i + length < 8 && load_be16(address->bytes + 2 * (i + length)) == 0)
      length++;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
    i += length > 0 ? length - 1 : 0;
  }
  for (unsigned i = 0; i < 8; i++) {
    if (i == best) {
      text_add(out, "::");
      i += best_length - 1;
      continue;
    }
    bool colon = i > 0 && !(best < 8 && i == best + best_length);
    text_addf(out, "%s%x", colon ? ":" : "", load_be16(address->bytes + 2 * i));
  }
}

/* --- Ethernet --- */

static bool literal_ether(struct slice text, uint8_t address[6]) {
  size_t at = 0;
  char separator = '\0';
  for (unsigned i = 0; i < 6; i++) {
    if (i > 0) {
      if (at >= text.length || (text.data[at] != ':' && text.data[at] != '-')) return false;
      if (separator && text.data[at] != separator) return false;
      separator = text.data[at++];
    }
    unsigned value = 0;
    size_t start = at;
    for (; at < text.length && at - start < 2 && char_hex_value(text.data[at]) >= 0; at++)
      value = value * 16 + (unsigned)char_hex_value(text.data[at]);
    if (at == start) return false;
    address[i] = (uint8_t)value;
  }
  return at == text.length;
}

int address_ether(const struct element *context, struct slice text, uint8_t address[6]) {
  uint8_t literal[6];
  if (literal_ether(text, literal)) {
    memcpy(address, literal, sizeof literal);
    return 0;
  }
  const struct address_entry *entry = address_book_find(context, ADDRESS_ETHER, text);
  if (entry) {
    memcpy(address, entry->value.ether, sizeof entry->value.ether);
    return 0;
  }
  char name[64];
  if (!context || !context->services || !context->services->nic_find || text.length >= sizeof name)
    return -ERROR_INVALID;
  memcpy(name, text.data, text.length);
  name[text.length] = '\0';
  const struct nic *nic = context->services->nic_find(name);
  if (!nic) return -ERROR_INVALID;
  memcpy(address, nic->mac, sizeof nic->mac);
  return 0;
}

void address_ether_text(struct text *out, const uint8_t address[6]) {
  for (unsigned i = 0; i < 6; i++)
    text_addf(out, "%s%02X", i ? "-" : "", address[i]);
}

/* --- ports --- */

/* What IANA and /etc/services agree on; the first of several names for a port is the one that is printed. */
static const struct known_port {
  const char *name;
  uint16_t port;
  bool tcp, udp;
} known_ports[] = {
    {"echo", 7, true, true},
    {"discard", 9, true, true},
    {"systat", 11, true, false},
    {"daytime", 13, true, true},
    {"netstat", 15, true, false},
    {"chargen", 19, true, true},
    {"ftp-data", 20, true, false},
    {"ftp", 21, true, false},
    {"ssh", 22, true, true},
    {"telnet", 23, true, false},
    {"smtp", 25, true, false},
    {"mail", 25, true, false},
    {"time", 37, true, true},
    {"whois", 43, true, false},
    {"tacacs", 49, true, true},
    {"domain", 53, true, true},
    {"dns", 53, true, true},
    {"bootps", 67, false, true},
    {"bootpc", 68, false, true},
    {"tftp", 69, false, true},
    {"gopher", 70, true, false},
    {"finger", 79, true, false},
    {"http", 80, true, true},
    {"www", 80, true, true},
    {"kerberos", 88, true, true},
    {"pop3", 110, true, false},
    {"sunrpc", 111, true, true},
    {"auth", 113, true, false},
    {"ident", 113, true, false},
    {"nntp", 119, true, false},
    {"ntp", 123, false, true},
    {"netbios-ns", 137, true, true},
    {"netbios-dgm", 138, true, true},
    {"netbios-ssn", 139, true, true},
    {"imap2", 143, true, false},
    {"imap", 143, true, false},
    {"snmp", 161, true, true},
    {"snmp-trap", 162, true, true},
    {"irc", 194, true, true},
    {"xdmcp", 177, false, true},
    {"bgp", 179, true, false},
    {"imap3", 220, true, true},
    {"ldap", 389, true, true},
    {"https", 443, true, true},
    {"microsoft-ds", 445, true, true},
    {"isakmp", 500, false, true},
    {"syslog", 514, false, true},
    {"shell", 514, true, false},
    {"printer", 515, true, false},
    {"route", 520, false, true},
    {"rip", 520, false, true},
    {"login", 513, true, false},
    {"exec", 512, true, false},
    {"submission", 587, true, false},
    {"ldaps", 636, true, true},
    {"rsync", 873, true, false},
    {"imaps", 993, true, false},
    {"pop3s", 995, true, false},
    {"socks", 1080, true, false},
    {"openvpn", 1194, true, true},
    {"ms-sql-s", 1433, true, false},
    {"radius", 1812, true, true},
    {"nfs", 2049, true, true},
    {"mysql", 3306, true, false},
    {"rdp", 3389, true, true},
    {"sip", 5060, true, true},
    {"xmpp-client", 5222, true, false},
    {"postgresql", 5432, true, false},
    {"x11", 6000, true, false},
    {"redis", 6379, true, false},
    {"http-alt", 8080, true, true},
};

static bool known_for(const struct known_port *known, unsigned protocol) {
  return protocol == PROTOCOL_TCP ? known->tcp : protocol == PROTOCOL_UDP && known->udp;
}

int address_port(const struct element *context, struct slice text, unsigned protocol, uint16_t *port) {
  uint64_t number;
  if (number_unsigned(text, UINT16_MAX, &number) == 0) {
    *port = (uint16_t)number;
    return 0;
  }
  const struct address_entry *entry =
      address_book_find(context, protocol == PROTOCOL_TCP ? ADDRESS_TCP_PORT : ADDRESS_UDP_PORT, text);
  if (entry) {
    *port = entry->value.port;
    return 0;
  }
  for (size_t i = 0; i < sizeof known_ports / sizeof *known_ports && text.length > 0; i++) {
    /* Most differ in the first letter: a quarter of the time that long rule lists take to load went into comparing the others. */
    if (known_ports[i].name[0] != text.data[0]) continue;
    if (!known_for(&known_ports[i], protocol) || !slice_equals(text, known_ports[i].name)) continue;
    *port = known_ports[i].port;
    return 0;
  }
  return -ERROR_INVALID;
}

const char *address_port_name(unsigned protocol, uint16_t port) {
  for (size_t i = 0; i < sizeof known_ports / sizeof *known_ports; i++) {
    if (known_ports[i].port == port && known_for(&known_ports[i], protocol)) return known_ports[i].name;
  }
  return NULL;
}
