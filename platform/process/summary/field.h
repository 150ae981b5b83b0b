/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the groups of summary fields share: how a field is described, what is known of a packet that is written, and of one that is
 * being made. Inside this folder only.
 */
#ifndef IMAGO_PLATFORM_PROCESS_SUMMARY_FIELD_H
#define IMAGO_PLATFORM_PROCESS_SUMMARY_FIELD_H

#include "click/address.h"
#include "platform/process/summary/summary.h"

enum { PROTOCOL_ICMP = 1, PROTOCOL_DCCP = 33, PROTOCOL_UDPLITE = 136 }; /* beside PROTOCOL_TCP and PROTOCOL_UDP */
enum {
  PROTOCOL_PORTS = 256,
  PROTOCOL_NONE,
  PROTOCOL_ETHERNET
}; /* for summary_missing: TCP or UDP, IP itself, the link */
enum { IP_SIZE = 20, TCP_SIZE = 20, UDP_SIZE = 8, ICMP_SIZE = 8, ETHER_SIZE = 14, OPTIONS_MAX = 40 };
enum { DONT_FRAGMENT = 0x4000, MORE_FRAGMENTS = 0x2000, OFFSET_MASK = 0x1fff };

/* A field's value on its way. Numbers are in host order. */
struct summary_value {
  uint64_t number;
  const uint8_t *bytes;
  uint32_t length;
  uint8_t room[OPTIONS_MAX]; /* where short bytes may stay */
};

/* --- a packet that is written --- */

/* Invariant: what a pointer leads to lies in the packet as far as the lengths say. */
struct summary_view {
  const struct packet *p;
  const uint8_t *ip;        /* NULL: there is none, or it makes no sense */
  const uint8_t *transport; /* behind the IP header, of a first fragment; NULL: nothing is there */
  uint32_t network;         /* bytes before the IP header */
  uint32_t network_length;  /* bytes from it on, without the padding behind what IP says */
  uint32_t transport_length;
  uint32_t length;        /* bytes of the packet without that padding */
  uint32_t extra;         /* bytes on the wire that are in no header's length */
  uint32_t extra_capture; /* bytes on the wire that were not captured */
  struct text *bad;
};

/* Looks for the IP header; what is wrong with it goes to view->bad. */
void summary_view_ip(struct summary_view *view, const struct summary_style *style);
/* The header of `protocol` when `needed` bytes of it are there; otherwise NULL, with the reason in view->bad unless it is simply
 * another protocol. PROTOCOL_NONE: the IP header. PROTOCOL_PORTS: of any protocol that begins with two ports. */
const uint8_t *summary_header(struct summary_view *view, unsigned protocol, uint32_t needed);
/* The same for what is not there; returns false. */
bool summary_missing(struct summary_view *view, unsigned protocol, uint32_t needed);
bool summary_has_ports(uint8_t protocol);

/* --- a packet that is made --- */

/* Invariant: ip is NULL, or IP_SIZE bytes from it on are in the packet; p->network_header then says where. */
struct summary_draft {
  struct packet *p;
  const struct summary_context *context;
  uint8_t *ip;
  uint32_t network;     /* bytes before the IP header */
  uint32_t wanted;      /* length of the packet on the wire; 0: nobody said */
  bool not_ip;          /* an Ethertype said so */
  bool ip_header_fixed; /* its length was said */
  bool tcp_header_fixed;
  bool have_icmp_type, have_icmp_code;
};

/* Lengthens the packet with zeros to `length` bytes, as far as there is room. */
void summary_draft_extend(struct summary_draft *draft, uint32_t length);
/* Makes the IP header if there is none yet. False: the packet is not for one. */
bool summary_draft_ip(struct summary_draft *draft);
/* Makes the transport header, too, as far as the length wanted allows, when it is that of `protocol` (or has ports: PROTOCOL_PORTS).
 * Returns where it is, with its `needed` first bytes in the packet, or NULL. */
uint8_t *summary_draft_transport(struct summary_draft *draft, unsigned protocol, uint32_t needed);
uint32_t summary_draft_header_length(const struct summary_draft *draft); /* of IP */
/* When all fields are stored: lengths, headers, checksums, annotations. */
void summary_draft_finish(struct summary_draft *draft);

/* --- fields --- */

enum summary_form {
  FORM_TEXT,     /* none in binary */
  FORM_NUMBER,   /* `size` bytes in network order */
  FORM_BYTES,    /* `size` bytes */
  FORM_VARIABLE, /* a byte with the length, and so many */
  FORM_MICRO,    /* nanoseconds as two words: seconds, and the rest in microseconds */
  FORM_NANO,     /* the same, the rest in nanoseconds */
};

/* When a reader stores a field. */
enum summary_order {
  ORDER_ANNOTATION,
  ORDER_LINK,
  ORDER_NET_FRAGMENT,
  ORDER_NET_FIRST,
  ORDER_NET,
  ORDER_NET_LENGTH,
  ORDER_TRANSPORT_FIRST,
  ORDER_TRANSPORT,
  ORDER_TRANSPORT_LATER, /* ICMP's code, and what depends on it; TCP options, the most complete last */
  ORDER_TRANSPORT_LATER2,
  ORDER_TRANSPORT_LAST,
  ORDER_PAYLOAD,
  ORDER_PAYLOAD_LENGTH,
};

struct summary_field {
  const char *name;
  enum summary_form form;
  uint8_t size;
  enum summary_order order;
  bool of_ip;    /* looks at the IP header, so that what is wrong with it matters */
  uint8_t which; /* for the functions: one of their group's */
  /* Fills in the value; false: does not apply to this packet. */
  bool (*look)(struct summary_view *view, const struct summary_field *field, struct summary_value *value);
  /* NULL: as a decimal number. */
  void (*print)(const struct summary_view *view, const struct summary_field *field, const struct summary_value *value,
                struct text *out);
  /* The value of a word, as a reader understands it, given what is stored already; NULL: a number that fits. */
  bool (*parse)(const struct summary_draft *draft, const struct summary_field *field, struct slice word,
                struct summary_value *value);
  /* Puts the value into the packet; false: it makes no sense there. NULL: the field is ignored when read. */
  bool (*store)(struct summary_draft *draft, const struct summary_field *field, const struct summary_value *value);
};

/* "T", "U", "I", or a number. */
bool summary_parse_protocol(struct slice word, uint64_t *protocol);

struct summary_group {
  const struct summary_field *fields;
  unsigned count;
};
extern const struct summary_group summary_annotation_fields, summary_link_fields, summary_ip_fields,
    summary_transport_fields, summary_icmp_fields, summary_payload_fields;

#define SUMMARY_GROUP(table) \
  { (table), sizeof(table) / sizeof((table)[0]) }

#endif
