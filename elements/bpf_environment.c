/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What programs see of the system, and what is said of their faults. All of it is called in the middle of a packet: nothing allocates or
 * waits.
 */
#include "bpf/machine.h"
#include "elements/bpf_passage.h"

enum { UNKNOWN_MTU = 1500 };

/* --- what programs see of the system --- */

static const struct element *element_of(void *context) { return &((struct passage *)context)->owner->element; }

static uint64_t environment_ktime(void *context) { return element_of(context)->services->now(); }
static uint64_t environment_wall(void *context) { return element_of(context)->services->wall(); }
static uint32_t environment_random(void *context) { return element_of(context)->services->random(); }

static void log_line(const struct element *e, enum log_level level, const char *line, size_t length, size_t size) {
  e->services->log(level, line, length < size ? length : size - 1);
}

static void environment_trace(void *context, const char *text, size_t length) {
  const struct element *e = element_of(context);
  char line[512];
  size_t total = format_text(line, sizeof line, "%s: %.*s", e->name, (int)length, text);
  log_line(e, LOG_INFO, line, total, sizeof line);
}

/* bpf_clone_redirect: the copy is the packet as the program has made it up to now. */
static int64_t environment_clone(void *context, const struct bpf_machine *m, uint32_t output, uint64_t flags) {
  struct passage *way = context;
  const struct bpf_skb *skb = &m->context.skb;
  if (way->run == NULL || output >= passage_outputs(way)) return -BPF_EINVAL;
  struct packet *copy = passage_tag_fits(way->packet, skb, m->data, m->data_length) ? packet_clone(way->packet) : NULL;
  if (copy == NULL) return -BPF_ENOMEM;
  copy->data = packet_buffer_start(copy) + (m->data - (uint64_t)(uintptr_t)packet_buffer_start(way->packet));
  copy->length = (uint32_t)m->data_length;
  memcpy(copy->data, (const void *)(uintptr_t)m->data, copy->length);
  passage_put_tag(copy, skb);
  passage_send(way, output, copy);
  return 0;
}

/* Interfaces are NICs, numbered from 1, and outputs, of which nothing is known. */
static int64_t environment_mtu(void *context, uint32_t interface) {
  const struct passage *way = context;
  if (interface == 0 && way->packet != NULL) interface = way->packet->nic + 1u;
  const struct nic *nic = interface <= NIC_MAX ? way->owner->nics[interface] : NULL;
  if (nic != NULL) return __atomic_load_n(&nic->mtu, __ATOMIC_RELAXED);
  return interface != 0 && interface < passage_outputs(way) ? UNKNOWN_MTU : -BPF_ENODEV;
}

static int64_t environment_fib_lookup(void *context, struct bpf_fib_lookup *parameters, uint32_t flags) {
  struct passage *way = context;
  const struct element *table = way->owner->fib;
  return table->class->fib_lookup(table, &way->environment, parameters, flags);
}

static void environment_wake_timers(void *context, struct bpf_map *map, uint64_t deadline) {
  bpf_element_arm_timers(((struct passage *)context)->owner);
}

/* --- faults --- */

enum { FAULT_LOG_INTERVAL = 1000000000 }; /* ns: a flood of packets that fault is one line a second */

void passage_note_fault(struct passage *way, const struct bpf_result *result) {
  struct bpf_element *b = way->owner;
  const struct element *e = &b->element;
  struct extension *ext = result->fault_program->owner; /* of a timer it may be one that was replaced */
  extension_note_fault(ext, result);
  uint64_t now = e->services->now();
  uint64_t next = counter_read(&b->next_fault_log);
  if (now < next || !__atomic_compare_exchange_n(&b->next_fault_log, &next, now + FAULT_LOG_INTERVAL, false,
                                                 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    counter_add(&b->faults_unlogged, 1);
    return;
  }
  uint64_t more = __atomic_exchange_n(&b->faults_unlogged, 0, __ATOMIC_RELAXED);
  char fault[BPF_ELEMENT_FAULT_TEXT], line[CLICK_MAX_NAME + sizeof fault + 64], tail[48] = "";
  extension_fault_text(ext, fault, sizeof fault);
  if (more > 0) format_text(tail, sizeof tail, " (and %llu not logged before)", (unsigned long long)more);
  size_t length = format_text(line, sizeof line, "%s: %s%s", e->name, fault, tail);
  log_line(e, LOG_ERROR, line, length, sizeof line);
}

void passage_begin(struct passage *way, struct bpf_element *b, struct run *run) {
  const struct services *services = b->element.services;
  *way = (struct passage){.owner = b,
                          .extension = __atomic_load_n(&b->running, __ATOMIC_ACQUIRE),
                          .environment = {.ktime_ns = environment_ktime,
                                          .random_u32 = environment_random,
                                          .trace = environment_trace,
                                          .context = way,
                                          .wall_ns = environment_wall,
                                          .fib_lookup = b->fib != NULL ? environment_fib_lookup : NULL,
                                          .mtu = environment_mtu,
                                          .clone_redirect = environment_clone,
                                          .wake_timers = environment_wake_timers},
                          .processor = services->worker != NULL ? services->worker() : 0,
                          .measured = __atomic_load_n(&b->measured, __ATOMIC_RELAXED),
                          .run = run};
  way->program = &way->extension->programs[way->extension->entry];
}
