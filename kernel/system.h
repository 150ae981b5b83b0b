/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The state of the running system, the one instance of it, and its handlers: the global ones of the whole system (boot,
 * platform, log, drops, stop ...), behind which those of the router stand.
 */
#ifndef IMAGO_KERNEL_SYSTEM_H
#define IMAGO_KERNEL_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "click/router.h"
#include "kernel/boot.h"
#include "kernel/kernel.h"
#include "kernel/log.h"
#include "kernel/pause.h"
#include "kernel/port.h"
#include "kernel/postpone.h"
#include "kernel/quiesce.h"
#include "packet/packet.h"

/* What one worker owns. Nothing here is written by another worker. */
struct worker {
  struct scheduler *scheduler; /* of the graph that runs; changed while the worker stands still */
  struct packet_pool pool;
  unsigned index;
  uint64_t rounds;   /* of the loop */
  uint64_t busy;     /* rounds in which a task or timer did work */
  uint64_t sleeps;   /* times it slept */
  uint64_t slept_ns; /* how long altogether */
} __attribute__((aligned(64)));

struct graph;

struct system {
  const struct kernel_config *config; /* NULL: the boot archive says what to run */
  struct boot_chart boot;
  struct log log;
  struct quiesce quiesce;
  struct postpone postpone;
  struct services services;
  struct version_floors floors;
  struct bundle_key *keys;
  unsigned key_count;
  struct slice archive;
  struct slice symbols;
  struct graph *graph;   /* NULL before and after it runs */
  struct router *router; /* the graph's */
  struct graph *staged;  /* to replace it at the next opportunity; NULL: none. Worker 0's */
  uint64_t swaps;        /* graphs that were replaced */
  struct pause pause;
  struct worker worker[WORKERS_MAX];
  unsigned worker_count;
  struct control_port control;
  uint64_t first_packet; /* platform_now when the first packet had been forwarded; 0: none yet */
  bool devices_complete; /* platform_late_start has run */
  bool stop;             /* set by kernel_stop, from anywhere */
  bool attend;           /* kernel_attend */
  uint32_t stop_wishes;  /* kernel_stop_driver, from anywhere; worker 0 asks the graph what each means */
};

extern struct system the_system;

extern const struct handler system_handlers[]; /* owner: struct system; ended by name NULL */
/* The same, without `hotconfig` where the graph may not be replaced. */
const struct handler *system_offered_handlers(const struct system *system);

/* Index of the worker that runs in this thread. */
extern _Thread_local unsigned worker_self;

/* Each line of the report to the log, as a warning. */
void system_log_report(const struct report *report);

/* Reads and writes handlers of the system, then of its router; the contract is that of router_read, router_write and
 * router_check. -ERROR_STATE when the name is none of the system's and there is no router. `context` is a struct system. */
int system_read(void *context, struct slice name, struct slice parameter, struct text *out, struct report *report);
int system_write(void *context, struct slice name, struct slice value, struct report *report);
int system_check(void *context, struct slice name, bool write, bool *element_known);

/* Every packet that was dropped anywhere, summed. */
uint64_t system_drops(const struct system *system, struct text *out);

#endif
