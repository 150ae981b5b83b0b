/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A pipeline of programs: parse, police, count, decide. Each stage tail calls the next; what it found goes along in a per-processor
 * value. A stage that is missing is passed over.
 */
#include "headers.h"

enum stage { PARSE, POLICE, COUNT, DECIDE, STAGES = 8 };

struct note {
  struct flow flow;
  __u32 length, verdict;
};

MAP(PERCPU_ARRAY, notes, __u32, struct note, 1);
MAP(LRU_HASH, seen, struct flow, __u64, 8192);
MAP(HASH, denied, __be32, __u8, 1024);

int tail_pipeline(struct xdp_md *ctx);
int stage_police(struct xdp_md *ctx);
int stage_count(struct xdp_md *ctx);
int stage_decide(struct xdp_md *ctx);

struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, STAGES);
  __uint(key_size, sizeof(__u32));
  __array(values, int(void *));
} stages SEC(".maps") = {
    .values = {[POLICE] = (void *)&stage_police, [COUNT] = (void *)&stage_count, [DECIDE] = (void *)&stage_decide}};

static __always_inline struct note *own_note(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&notes, &zero);
}

static __always_inline int go_on(struct xdp_md *ctx, __u32 next) {
  for (; next < DECIDE; next++)
    bpf_tail_call(ctx, &stages, next);
  bpf_tail_call(ctx, &stages, DECIDE);
  return XDP_PASS;
}

SEC("xdp")
int stage_decide(struct xdp_md *ctx) {
  struct note *note = own_note();
  return note && note->verdict <= XDP_TX ? (int)note->verdict : XDP_ABORTED;
}

SEC("xdp")
int stage_count(struct xdp_md *ctx) {
  struct note *note = own_note();
  if (!note) return XDP_ABORTED;
  __u64 *bytes = bpf_map_lookup_elem(&seen, &note->flow), length = note->length;
  if (bytes)
    __sync_fetch_and_add(bytes, length);
  else
    bpf_map_update_elem(&seen, &note->flow, &length, BPF_ANY);
  return go_on(ctx, DECIDE);
}

SEC("xdp")
int stage_police(struct xdp_md *ctx) {
  struct note *note = own_note();
  if (!note) return XDP_ABORTED;
  if (bpf_map_lookup_elem(&denied, &note->flow.source)) note->verdict = XDP_DROP;
  return go_on(ctx, COUNT);
}

SEC("xdp")
int tail_pipeline(struct xdp_md *ctx) {
  struct cursor c = cursor_of(ctx);
  struct note *note = own_note();
  if (!note) return XDP_ABORTED;
  note->length = (__u32)bpf_xdp_get_buff_len(ctx);
  note->verdict = XDP_PASS;
  struct flow flow;
  if (!take_flow(&c, &flow)) return XDP_PASS;
  note->flow = flow;
  return go_on(ctx, POLICE);
}

char _license[] SEC("license") = "GPL";
