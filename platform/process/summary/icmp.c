/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Summary fields of ICMP (RFC 792, RFC 1191), and Click's names of its types and codes.
 */
#include "click/number.h"
#include "elements/filter_words.h"
#include "platform/process/summary/field.h"

enum { TYPE, CODE, IDENTIFIER, SEQUENCE, NEXT_MTU };
enum { ECHO_REPLY = 0, UNREACHABLE = 3, REDIRECT = 5, ECHO_REQUEST = 8, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };
enum { TIMESTAMP = 13, TIMESTAMP_REPLY = 14, INFORMATION = 15, INFORMATION_REPLY = 16, TIMESTAMP_SIZE = 20 };
enum { NEEDS_FRAGMENTATION = 4 }; /* code of UNREACHABLE */

static const struct {
  uint8_t type, code;
  const char *name;
} codes[] = {
    {UNREACHABLE, 0, "net"},
    {UNREACHABLE, 1, "host"},
    {UNREACHABLE, 2, "protocol"},
    {UNREACHABLE, 3, "port"},
    {UNREACHABLE, NEEDS_FRAGMENTATION, "needfrag"},
    {UNREACHABLE, 5, "srcroutefail"},
    {UNREACHABLE, 6, "netunknown"},
    {UNREACHABLE, 7, "hostunknown"},
    {UNREACHABLE, 8, "isolated"},
    {UNREACHABLE, 9, "netprohibited"},
    {UNREACHABLE, 10, "hostprohibited"},
    {UNREACHABLE, 11, "tosnet"},
    {UNREACHABLE, 12, "toshost"},
    {UNREACHABLE, 13, "filterprohibited"},
    {UNREACHABLE, 14, "hostprecedence"},
    {UNREACHABLE, 15, "precedencecutoff"},
    {REDIRECT, 0, "net"},
    {REDIRECT, 1, "host"},
    {REDIRECT, 2, "tosnet"},
    {REDIRECT, 3, "toshost"},
    {TIME_EXCEEDED, 0, "transit"},
    {TIME_EXCEEDED, 1, "reassembly"},
    {PARAMETER_PROBLEM, 0, "erroratptr"},
    {PARAMETER_PROBLEM, 1, "missingopt"},
    {PARAMETER_PROBLEM, 2, "length"},
};

static bool has_identifier(uint8_t type) {
  return type == ECHO_REPLY || type == ECHO_REQUEST || (type >= TIMESTAMP && type <= INFORMATION_REPLY);
}

static bool look(struct summary_view *v, const struct summary_field *field, struct summary_value *value) {
  static const uint8_t offsets[] = {[TYPE] = 0, [CODE] = 1, [IDENTIFIER] = 4, [SEQUENCE] = 6, [NEXT_MTU] = 6};
  uint8_t offset = offsets[field->which];
  const uint8_t *icmp = summary_header(v, PROTOCOL_ICMP, field->which == NEXT_MTU ? 2 : 1);
  if (icmp == NULL) return false;
  bool means = field->which <= CODE ||
               (field->which == NEXT_MTU && icmp[0] == UNREACHABLE && icmp[1] == NEEDS_FRAGMENTATION) ||
               (field->which != NEXT_MTU && has_identifier(icmp[0]));
  if (!means || summary_header(v, PROTOCOL_ICMP, (uint32_t)offset + field->size) == NULL) return false;
  value->number = field->size == 1 ? icmp[offset] : load_be16(icmp + offset);
  return true;
}

/* A field that means nothing for the type and code that are known is left out, as in Click. */
static bool store(struct summary_draft *d, const struct summary_field *field, const struct summary_value *value) {
  uint8_t *icmp = summary_draft_transport(d, PROTOCOL_ICMP, ICMP_SIZE);
  if (icmp == NULL) return false;
  switch (field->which) {
    case TYPE:
      icmp[0] = (uint8_t)value->number;
      d->have_icmp_type = true;
      if (icmp[0] == TIMESTAMP || icmp[0] == TIMESTAMP_REPLY) {
        summary_draft_extend(d, (uint32_t)(icmp - d->p->data) + TIMESTAMP_SIZE);
      }
      return true;
    case CODE:
      icmp[1] = (uint8_t)value->number;
      d->have_icmp_code = true;
      return true;
    case NEXT_MTU:
      if (d->have_icmp_type && icmp[0] != UNREACHABLE) return true;
      if (d->have_icmp_code && icmp[1] != NEEDS_FRAGMENTATION) return true;
      store_be16(icmp + 6, (uint16_t)value->number);
      return true;
    default:
      if (d->have_icmp_type && !has_identifier(icmp[0])) return true;
      store_be16(icmp + (field->which == IDENTIFIER ? 4 : 6), (uint16_t)value->number);
      return true;
  }
}

static void print_type(const struct summary_view *v, const struct summary_field *field,
                       const struct summary_value *value, struct text *out) {
  const char *name = filter_icmp_type_name((uint8_t)value->number);
  if (name != NULL) text_add(out, name);
  if (name == NULL) text_addf(out, "%u", (unsigned)value->number);
}
static bool parse_type(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                       struct summary_value *value) {
  uint32_t type;
  if (!filter_icmp_type(word, &type)) return number_unsigned(word, UINT8_MAX, &value->number) == 0;
  value->number = type;
  return true;
}

static void print_code(const struct summary_view *v, const struct summary_field *field,
                       const struct summary_value *value, struct text *out) {
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    if (codes[i].type != v->transport[0] || codes[i].code != value->number) continue;
    text_add(out, codes[i].name);
    return;
  }
  text_addf(out, "%u", (unsigned)value->number);
}
/* Names mean something once the type is known, which is stored before. */
static bool parse_code(const struct summary_draft *d, const struct summary_field *field, struct slice word,
                       struct summary_value *value) {
  uint8_t type = d->have_icmp_type ? d->ip[summary_draft_header_length(d)] : 0;
  for (size_t i = 0; d->have_icmp_type && i < sizeof codes / sizeof codes[0]; i++) {
    if (codes[i].type != type || !slice_equals(word, codes[i].name)) continue;
    value->number = codes[i].code;
    return true;
  }
  return number_unsigned(word, UINT8_MAX, &value->number) == 0;
}

#define ICMP(name, size, order, which, print, parse) \
  { name, FORM_NUMBER, size, order, true, which, look, print, parse, store }
static const struct summary_field icmp_fields[] = {
    ICMP("icmp_type", 1, ORDER_TRANSPORT, TYPE, NULL, parse_type),
    ICMP("icmp_type_name", 1, ORDER_TRANSPORT, TYPE, print_type, parse_type),
    ICMP("icmp_code", 1, ORDER_TRANSPORT_LATER, CODE, NULL, parse_code),
    ICMP("icmp_code_name", 1, ORDER_TRANSPORT_LATER, CODE, print_code, parse_code),
    ICMP("icmp_flowid", 2, ORDER_TRANSPORT_LATER2, IDENTIFIER, NULL, NULL),
    ICMP("icmp_seq", 2, ORDER_TRANSPORT_LATER2, SEQUENCE, NULL, NULL),
    ICMP("icmp_nextmtu", 2, ORDER_TRANSPORT_LATER2, NEXT_MTU, NULL, NULL),
};
const struct summary_group summary_icmp_fields = SUMMARY_GROUP(icmp_fields);
