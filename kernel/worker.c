/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adaptive polling (design, section 3). What a round costs beside the graph: one clock reading and a few loads.
 */
#include "kernel/worker.h"

#include "kernel/kernel.h"
#include "kernel/platform.h"

static bool stopping(const struct system *system) { return __atomic_load_n(&system->stop, __ATOMIC_RELAXED); }

static void notice_first_packet(struct system *system) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    if (counter_read(&platform_nic(i)->stats.tx_packets) == 0) continue;
    system->first_packet = platform_now();
    boot_chart_add(&system->boot, system->first_packet, "first packet forwarded");
    return;
  }
}

static void complete_devices(struct system *system) {
  platform_late_start();
  system->devices_complete = true;
  kernel_boot_stamp("late devices ready");
}

static bool poll_ports(struct system *system) {
  static const struct control_backend backend = {system_read, system_write, system_check, &the_system};
  bool control = control_port_poll(&system->control, &backend);
  bool log = log_port_poll(&system->log);
  bool platform = platform_poll();
  return control || log || platform;
}

/* Wishes to stop that came since the last round: each is the graph's to interpret. */
static void grant_stop_wishes(struct system *system) {
  for (uint32_t n = __atomic_exchange_n(&system->stop_wishes, 0, __ATOMIC_RELAXED); n > 0; n--) {
    if (system->router == NULL || router_stop_asked(system->router)) kernel_stop();
  }
}

/* Worker 0's work between two rounds; *ports_at is when the ports are to be polled next. True if any was done. */
static bool housekeeping(struct system *system, uint64_t started, uint64_t now, uint64_t *ports_at) {
  if (__atomic_load_n(&system->stop_wishes, __ATOMIC_RELAXED) != 0) grant_stop_wishes(system);
  if (system->first_packet == 0) notice_first_packet(system);
  if (!system->devices_complete) {
    if (system->first_packet == 0 && now - started < WORKER_LATE_NS) return false;
    complete_devices(system);
  }
  if (now < *ports_at) return false;
  bool moved = poll_ports(system);
  *ports_at = moved ? now : now + WORKER_PORT_NS;
  return moved;
}

/* Tells every NIC to wake us; true if there is something already. */
static bool arm_nics(struct worker *worker) {
  bool ready = false;
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    ready = nic->ops->arm(nic, worker->index) || ready;
  }
  return ready;
}

static void disarm_nics(struct worker *worker) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    nic->ops->disarm(nic, worker->index);
  }
}

static void sleep_until_event(struct system *system, struct worker *worker) {
  if (!arm_nics(worker)) {
    uint64_t before = platform_now();
    quiesce_sleep(&system->quiesce, worker->index);
    platform_sleep(scheduler_next_deadline(&worker->scheduler));
    quiesce_pass(&system->quiesce, worker->index);
    worker->sleeps++;
    worker->slept_ns += platform_now() - before;
  }
  disarm_nics(worker);
}

void worker_run(struct system *system, struct worker *worker) {
  bool first = worker->index == 0;
  uint64_t started = platform_now(), now = started, worked_at = started, ports_at = started;
  quiesce_pass(&system->quiesce, worker->index);
  while (!stopping(system)) {
    bool worked = scheduler_run(&worker->scheduler, now);
    element_running = NULL;
    worker->rounds++;
    worker->busy += worked;
    quiesce_pass(&system->quiesce, worker->index);
    now = platform_now();
    bool waiting = first && quiesce_reclaim(&system->quiesce);
    if (first && housekeeping(system, started, now, &ports_at)) worked = true;
    if (worked || waiting) {
      worked_at = now;
      continue;
    }
    if (now - worked_at < WORKER_SPIN_NS || (first && !system->devices_complete)) continue;

    /* Idle. Ports are asked once more, since bytes that come while we arm are an event, but those before are not. */
    if (!first || !poll_ports(system)) sleep_until_event(system, worker);
    now = worked_at = platform_now();
    ports_at = now;
  }
  quiesce_sleep(&system->quiesce, worker->index);
}
