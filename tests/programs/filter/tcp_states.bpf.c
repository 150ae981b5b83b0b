/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Follows TCP connections through their states by a table of transitions (state and flags to state), for both directions in one entry,
 * and drops what no state expects. Timeouts depend on the state.
 */
#include "headers.h"

enum state { NONE, SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSING, CLOSED, INVALID, STATES = 8 };
enum event { EVENT_OTHER, EVENT_SYN, EVENT_SYN_ACK, EVENT_ACK, EVENT_FIN, EVENT_RST, EVENTS = 8 };

struct connection {
  __u64 last;
  __u8 state, zero[7];
};

static const __u8 next_state[STATES][EVENTS] = {
    [NONE] = {INVALID, SYN_SENT, INVALID, INVALID, INVALID, INVALID, INVALID, INVALID},
    [SYN_SENT] = {INVALID, SYN_SENT, SYN_RECEIVED, INVALID, INVALID, CLOSED, INVALID, INVALID},
    [SYN_RECEIVED] = {INVALID, INVALID, SYN_RECEIVED, ESTABLISHED, CLOSING, CLOSED, INVALID, INVALID},
    [ESTABLISHED] = {ESTABLISHED, INVALID, INVALID, ESTABLISHED, CLOSING, CLOSED, INVALID, INVALID},
    [CLOSING] = {CLOSING, INVALID, INVALID, CLOSING, CLOSED, CLOSED, INVALID, INVALID},
    [CLOSED] = {INVALID, SYN_SENT, INVALID, CLOSED, CLOSED, CLOSED, INVALID, INVALID},
};
static const __u32 timeout_seconds[STATES] = {0, 30, 60, 7200, 120, 10, 0, 0};

MAP(LRU_HASH, connections, struct flow, struct connection, 65536);

static __always_inline __u32 event_of(const struct tcphdr *tcp) {
  if (tcp->rst) return EVENT_RST;
  if (tcp->fin) return EVENT_FIN;
  if (tcp->syn) return tcp->ack ? EVENT_SYN_ACK : EVENT_SYN;
  return tcp->ack ? EVENT_ACK : EVENT_OTHER;
}

/* The same key for both directions. */
static __always_inline void order(struct flow *flow) {
  if (flow->source < flow->destination ||
      (flow->source == flow->destination && flow->source_port <= flow->destination_port))
    return;
  *flow =
      (struct flow){flow->destination, flow->source, flow->destination_port, flow->source_port, flow->protocol, {0}};
}

SEC("xdp")
int tcp_states(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct flow flow;
  if (!take_flow(&c, &flow) || flow.protocol != IPPROTO_TCP) return XDP_PASS;
  struct tcphdr *tcp = TAKE(&c, struct tcphdr);
  if (!tcp) return XDP_DROP;
  order(&flow);
  __u64 now = bpf_ktime_get_ns();
  struct connection *known = bpf_map_lookup_elem(&connections, &flow);
  __u32 state = known ? known->state & (STATES - 1) : NONE;
  if (known && now - known->last > timeout_seconds[state] * 1000000000ull) state = NONE;
  __u32 to = next_state[state][event_of(tcp)];
  if (to == INVALID || to == NONE) return XDP_DROP;
  if (known) {
    known->state = (__u8)to;
    known->last = now;
    return XDP_PASS;
  }
  struct connection fresh = {now, (__u8)to, {0}};
  return bpf_map_update_elem(&connections, &flow, &fresh, BPF_NOEXIST) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
