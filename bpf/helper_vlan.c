/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_skb_vlan_push, bpf_skb_vlan_pop (Linux: net/core/filter.c; skb_vlan_push and skb_vlan_pop in net/core/skbuff.c). The outermost tag
 * is beside the packet, in the fields of the context; further ones are in the frame, behind the addresses.
 */
#include "bpf/helper_list.h"
#include "bpf/window.h"
#include "lib/bytes.h"

enum { ADDRESSES = 12, TAG = 4 };
/* Ethernet types of tags, 0x8100 and 0x88a8, as the context has them: network byte order. */
enum { TYPE_8021Q = 0x0081, TYPE_8021AD = 0xa888 };

static bool is_tag(uint32_t type) { return type == TYPE_8021Q || type == TYPE_8021AD; }

static void set_start(struct bpf_machine *m, uint64_t data) {
  bpf_window_set(m, data, data, m->data + m->data_length);
  m->context.skb.protocol = load_le16((const void *)(uintptr_t)(data + ADDRESSES));
}

static bool insert(struct bpf_machine *m, const struct bpf_skb *tag) {
  if (m->data_length < BPF_LINK_HEADER || m->data - m->buffer_start < TAG) return false;
  uint8_t *data = (uint8_t *)(uintptr_t)(m->data - TAG);
  memmove(data, data + TAG, ADDRESSES);
  store_le16(data + ADDRESSES, (uint16_t)tag->vlan_proto);
  store_be16(data + ADDRESSES + 2, (uint16_t)tag->vlan_tci);
  set_start(m, m->data - TAG);
  return true;
}

static bool extract(struct bpf_machine *m, uint32_t *tci) {
  if (m->data_length < BPF_LINK_HEADER + TAG) return false;
  uint8_t *data = (uint8_t *)(uintptr_t)m->data;
  *tci = load_be16(data + ADDRESSES + 2);
  memmove(data + TAG, data, ADDRESSES);
  set_start(m, m->data + TAG);
  return true;
}

static void set_tag(struct bpf_skb *skb, uint32_t type, uint32_t tci) {
  skb->vlan_present = 1;
  skb->vlan_proto = type;
  skb->vlan_tci = tci;
}

uint64_t bpf_helper_skb_vlan_push(uint64_t context, uint64_t type, uint64_t tci, uint64_t r4, uint64_t r5,
                                  struct bpf_machine *m) {
  struct bpf_skb *skb = &m->context.skb;
  if (skb->vlan_present && !insert(m, skb)) return (uint64_t)-BPF_ENOMEM;
  set_tag(skb, is_tag((uint16_t)type) ? (uint16_t)type : (uint32_t)TYPE_8021Q, (uint16_t)tci);
  return 0;
}

uint64_t bpf_helper_skb_vlan_pop(uint64_t context, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                                 struct bpf_machine *m) {
  struct bpf_skb *skb = &m->context.skb;
  uint32_t tci;
  if (skb->vlan_present) {
    skb->vlan_present = skb->vlan_proto = skb->vlan_tci = 0;
  } else {
    if (!is_tag(skb->protocol)) return 0;
    if (!extract(m, &tci)) return (uint64_t)-BPF_ENOMEM;
  }
  /* The next one, if there is one, is beside the packet now. */
  const uint32_t type = skb->protocol;
  if (!is_tag(type)) return 0;
  if (!extract(m, &tci)) return (uint64_t)-BPF_ENOMEM;
  set_tag(skb, type, tci);
  return 0;
}
