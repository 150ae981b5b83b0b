/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet as tc programs see it (struct __sk_buff), and back. As in Linux the outermost VLAN tag is not in the frame that they see but
 * beside it: it is taken out in front of the program, and what is beside the packet behind the program is put in. Where an element has
 * left a tag in the VLAN_TCI annotation, it comes from there, and goes back there.
 */
#include "elements/bpf_passage.h"

enum { ADDRESSES = 12, TAG = 4, LINK_HEADER = 14, TYPE_8021Q = 0x8100, TYPE_8021AD = 0x88a8 };

/* Moves the frame's start, which is also its link header's. */
static void move_start(struct packet *p, int by) {
  const uint16_t old = (uint16_t)(p->data - (uint8_t *)p);
  if (p->mac_header == old) p->mac_header = (uint16_t)(old + by);
  p->data += by;
  p->length -= (uint32_t)by;
}

static void take_tag(struct packet *p, struct bpf_skb *skb) {
  if (p->length < LINK_HEADER + TAG) return;
  const uint16_t type = load_be16(p->data + ADDRESSES);
  if (__builtin_expect(type != TYPE_8021Q && type != TYPE_8021AD, 1)) return;
  skb->vlan_present = 1;
  skb->vlan_proto = __builtin_bswap16(type);
  skb->vlan_tci = load_be16(p->data + ADDRESSES + 2);
  memmove(p->data + TAG, p->data, ADDRESSES);
  move_start(p, TAG);
}

static bool is_annotated(const struct packet *p) { return load_le16(p->annotation + ANNOTATION_VLAN_TCI) != 0; }

void passage_describe(const struct bpf_element *b, struct packet *p, struct bpf_skb *skb) {
  *skb = (struct bpf_skb){.pkt_type = p->type,
                          .mark = annotation_u32(p, b->mark),
                          .priority = b->priority != BPF_NO_ANNOTATION ? annotation_u32(p, b->priority) : 0,
                          .hash = b->hash != BPF_NO_ANNOTATION ? annotation_u32(p, b->hash) : 0,
                          .ifindex = p->nic + 1u,
                          .tstamp = p->timestamp};
  if (is_annotated(p)) {
    skb->vlan_present = 1;
    skb->vlan_proto = __builtin_bswap16(TYPE_8021Q);
    skb->vlan_tci = load_be16(p->annotation + ANNOTATION_VLAN_TCI);
  } else {
    take_tag(p, skb);
  }
  skb->wire_len = p->length;
  skb->protocol = p->length >= LINK_HEADER ? load_le16(p->data + ADDRESSES) : 0;
}

bool passage_tag_fits(const struct packet *p, const struct bpf_skb *skb, uint64_t data, uint64_t length) {
  if (!skb->vlan_present || is_annotated(p)) return true;
  return length >= LINK_HEADER && data - (uint64_t)(uintptr_t)p >= sizeof *p + TAG;
}

void passage_put_tag(struct packet *p, const struct bpf_skb *skb) {
  if (is_annotated(p)) {
    store_be16(p->annotation + ANNOTATION_VLAN_TCI, skb->vlan_present ? (uint16_t)skb->vlan_tci : 0);
    return;
  }
  if (!skb->vlan_present) return;
  move_start(p, -TAG);
  memmove(p->data, p->data + TAG, ADDRESSES);
  store_le16(p->data + ADDRESSES, (uint16_t)skb->vlan_proto);
  store_be16(p->data + ADDRESSES + 2, (uint16_t)skb->vlan_tci);
}

void passage_write_back(const struct bpf_element *b, struct packet *p, const struct bpf_skb *skb) {
  passage_put_tag(p, skb);
  annotation_set_u32(p, b->mark, skb->mark);
  if (b->priority != BPF_NO_ANNOTATION) annotation_set_u32(p, b->priority, skb->priority);
  if (b->hash != BPF_NO_ANNOTATION) annotation_set_u32(p, b->hash, skb->hash);
  p->timestamp = skb->tstamp;
}
