/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The way of packets through a program, the same for the three classes: input and context, verdict, what becomes of the packet.
 * Every packet of a batch meets the same program: the pointer is read once a batch. Nothing here allocates or locks, and
 * counters are added once a batch.
 */
#include "elements/bpf_passage.h"

/* What becomes of a packet: the number of an output, that of the outputs plus an enum bpf_drop, or: */
#define FATE_BROADCAST UINT32_MAX

enum { BROADCAST_ENTRIES = 4096 }; /* of the device map that a broadcast looks at */

/* --- verdicts --- */

enum verdict { VERDICT_ABORT, VERDICT_DROP, VERDICT_PASS, VERDICT_TRANSMIT, VERDICT_REDIRECT };

static enum verdict verdict_of(enum bpf_program_kind kind, uint64_t r0) {
  static const enum verdict xdp[] = {[XDP_ABORTED] = VERDICT_ABORT,
                                     [XDP_DROP] = VERDICT_DROP,
                                     [XDP_PASS] = VERDICT_PASS,
                                     [XDP_TX] = VERDICT_TRANSMIT,
                                     [XDP_REDIRECT] = VERDICT_REDIRECT};
  const uint32_t number = (uint32_t)r0;
  if (kind == BPF_PROGRAM_XDP) return number < sizeof xdp / sizeof *xdp ? xdp[number] : VERDICT_ABORT;
  switch ((int32_t)number) {
    case TC_ACT_SHOT:
    case TC_ACT_STOLEN:
    case TC_ACT_TRAP:
      return VERDICT_DROP;
    case TC_ACT_REDIRECT:
      return VERDICT_REDIRECT;
    default: /* as in Linux's cls_bpf: every other number is TC_ACT_UNSPEC, if it is not TC_ACT_OK */
      return VERDICT_PASS;
  }
}

/* The packet as ON_ABORT has it. */
static uint32_t abandon(const struct passage *way, enum bpf_drop reason) {
  return way->owner->abort_output != BPF_ABORT_DROPS ? way->owner->abort_output : passage_outputs(way) + reason;
}

static uint32_t abandon_verdict(struct passage *way) {
  way->counts.aborted++;
  return abandon(way, BPF_ABORTED);
}

/* Counts the packet if there is such an output. */
static uint32_t go_to(struct passage *way, uint32_t output, uint64_t *count) {
  if (output >= passage_outputs(way)) return abandon_verdict(way);
  ++*count;
  return output;
}

static uint32_t redirect(struct passage *way, const struct bpf_redirect *to) {
  if (to->kind == BPF_REDIRECT_NONE) return abandon_verdict(way);
  if (to->kind != BPF_REDIRECT_ALL) return go_to(way, to->target, &way->counts.redirected);
  way->counts.redirected++;
  way->target = *to;
  return FATE_BROADCAST;
}

static uint32_t filter(struct passage *way, enum verdict verdict) {
  if (verdict == VERDICT_PASS) return go_to(way, 0, &way->counts.passed);
  if (verdict != VERDICT_DROP) return abandon_verdict(way);
  way->counts.dropped++;
  return passage_outputs(way) > 1 ? 1 : passage_outputs(way) + BPF_DROPPED;
}

static uint32_t classify(struct passage *way, enum verdict verdict, const struct bpf_result *result) {
  if (verdict == VERDICT_REDIRECT && result->redirect.kind != BPF_REDIRECT_NONE) {
    return redirect(way, &result->redirect);
  }
  return go_to(way, (uint32_t)result->r0, &way->counts.passed);
}

static uint32_t rewrite(struct passage *way, enum verdict verdict, const struct bpf_result *result) {
  switch (verdict) {
    case VERDICT_PASS:
      return go_to(way, 0, &way->counts.passed);
    case VERDICT_TRANSMIT:
      return go_to(way, 1, &way->counts.transmitted);
    case VERDICT_REDIRECT:
      return redirect(way, &result->redirect);
    case VERDICT_DROP:
      way->counts.dropped++;
      return passage_outputs(way) + BPF_DROPPED;
    default:
      return abandon_verdict(way);
  }
}

/* --- packets --- */

/* The frame begins with its link header as before. Where the others are now, and what was found out from them, nobody knows. */
static void move_window(struct packet *p, const struct bpf_result *result) {
  const uint16_t old_data = (uint16_t)(p->data - (uint8_t *)p);
  uint8_t *data = (uint8_t *)(uintptr_t)result->data;
  if (data != p->data) {
    p->mac_header = p->mac_header == old_data ? (uint16_t)(data - (uint8_t *)p) : 0;
    p->network_header = p->transport_header = 0;
    memset(p->annotation + ANNOTATION_DST_IP, 0, ANNOTATION_PAINT - ANNOTATION_DST_IP);
    p->data = data;
  }
  p->length = (uint32_t)(result->data_end - result->data);
  const size_t end = (size_t)(data - (uint8_t *)p) + p->length;
  if (p->network_header > end) p->network_header = 0;
  if (p->transport_header > end) p->transport_header = 0;
}

static void run_measured(struct passage *way, const struct bpf_input *input, struct bpf_result *result) {
  const struct services *services = way->owner->element.services;
  const uint64_t started = services->now();
  bpf_run(way->program, &way->environment, input, result);
  way->counts.nanoseconds += services->now() - started;
  way->counts.measured++;
}

static uint32_t judge(struct passage *way, struct packet *p) {
  const struct bpf_element *b = way->owner;
  const bool rewrites = b->role == BPF_ROLE_REWRITE, has_skb = way->program->kind == BPF_PROGRAM_TC;
  struct bpf_skb skb;
  struct bpf_result result;
  way->packet = p;
  if (has_skb) passage_describe(b, p, &skb);
  struct bpf_input input = {.data = (uint64_t)(uintptr_t)p->data,
                            .data_end = (uint64_t)(uintptr_t)p->data + p->length,
                            .ingress_ifindex = p->nic + 1u,
                            .processor = way->processor,
                            .skb = has_skb ? &skb : NULL};
  if (rewrites) {
    input.buffer_start = (uint64_t)(uintptr_t)packet_buffer_start(p);
    input.buffer_end = (uint64_t)(uintptr_t)packet_buffer_end(p);
  }
  if (__builtin_expect(way->measured, false)) {
    run_measured(way, &input, &result);
  } else {
    bpf_run(way->program, &way->environment, &input, &result);
  }
  way->counts.executed += result.executed;
  const uint64_t aborted = way->counts.aborted;
  uint32_t fate;
  if (result.fault != BPF_FAULT_NONE) {
    way->counts.faults++;
    passage_note_fault(way, &result);
    fate = abandon(way, BPF_FAULT);
  } else if (has_skb && !passage_tag_fits(p, &result.skb, result.data, result.data_end - result.data)) {
    fate = abandon_verdict(way);
  } else {
    const enum verdict verdict = verdict_of(way->program->kind, result.r0);
    fate = b->role == BPF_ROLE_FILTER     ? filter(way, verdict)
           : b->role == BPF_ROLE_CLASSIFY ? classify(way, verdict, &result)
                                          : rewrite(way, verdict, &result);
  }
  /* A packet that was given up leaves as it came, but for the bytes. */
  if (result.fault != BPF_FAULT_NONE || way->counts.aborted != aborted) {
    if (has_skb) passage_put_tag(p, &skb);
    return fate;
  }
  if (rewrites) move_window(p, &result);
  if (has_skb) passage_write_back(b, p, &result.skb);
  return fate;
}

static void kill(struct passage *way, uint32_t reason, struct packet *p) {
  way->killed[reason]++;
  packet_kill(p);
}

/* A copy to every output that the device map names, the packet itself to the last of them. */
static void broadcast(struct passage *way, struct packet *p) {
  struct bpf_map *map = (struct bpf_map *)(uintptr_t)way->target.map;
  const uint32_t none = passage_outputs(way);
  uint32_t key = 0, next, last = none;
  bool more = map->ops->next_key(map, NULL, &key) == 0;
  for (uint32_t i = 0; more && i < BROADCAST_ENTRIES; i++) {
    const uint32_t *entry = map->ops->lookup(map, &key);
    const uint32_t output = entry != NULL ? __atomic_load_n(entry, __ATOMIC_RELAXED) : none;
    if (output < none && !(way->target.exclude_ingress && output == p->nic + 1u)) {
      struct packet *copy = last != none ? packet_clone(p) : NULL;
      if (copy != NULL) passage_send(way, last, copy);
      last = output;
    }
    more = map->ops->next_key(map, &key, &next) == 0;
    key = next;
  }
  if (last != none) {
    passage_send(way, last, p);
  } else {
    kill(way, BPF_DROPPED, p);
  }
}

/* --- batches --- */

static void end(struct passage *way) {
  uint64_t *drops = way->owner->element.drops;
  for (size_t i = 0; i < EXTENSION_COUNTS; i++) {
    const uint64_t more = ((const uint64_t *)&way->counts)[i];
    if (more > 0) counter_add((uint64_t *)&way->extension->counts + i, more);
  }
  for (size_t i = 0; i < BPF_DROP_COUNT; i++) {
    if (way->killed[i] > 0) counter_add(&drops[i], way->killed[i]);
  }
}

void bpf_element_push(struct element *e, unsigned port, struct batch *batch) {
  struct passage way;
  struct run run;
  run_start(&run, e);
  passage_begin(&way, (struct bpf_element *)e, &run);
  way.counts.packets = batch->count;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    const uint32_t fate = judge(&way, p);
    if (fate < e->output_count) {
      passage_send(&way, fate, p);
    } else if (fate == FATE_BROADCAST) {
      broadcast(&way, p);
    } else {
      kill(&way, fate - e->output_count, p);
    }
  }
  end(&way);
  run_flush(&run);
}

/* Pulls one batch behind what is in `batch` and leaves there what passes. Only filters pull: there is nothing to broadcast. */
void bpf_element_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t kept = batch->count, first = kept;
  element_pull(e, 0, batch, max);
  if (batch->count == first) return;
  struct passage way;
  struct batch rejected;
  passage_begin(&way, (struct bpf_element *)e, NULL);
  way.counts.packets = batch->count - first;
  rejected.count = 0;
  for (uint32_t i = first; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    const uint32_t fate = judge(&way, p);
    if (fate == 0) {
      batch->packet[kept++] = p;
    } else if (fate < e->output_count) {
      rejected.packet[rejected.count++] = p;
    } else {
      kill(&way, fate - e->output_count, p);
    }
  }
  batch->count = kept;
  end(&way);
  if (rejected.count > 0) element_push(e, 1, &rejected);
  if (kept == first) element_pulled_in_vain = true;
}
