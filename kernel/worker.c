/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adaptive polling (design, section 3). What a round costs beside the graph: a few loads, and one clock reading for it or for some rounds.
 */
#include "kernel/worker.h"

#include "kernel/graph.h"
#include "kernel/graph_clock.h"
#include "kernel/kernel.h"
#include "kernel/platform.h"

_Thread_local unsigned worker_self;

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

/* Worker 0's work between two rounds, of which the last one `worked`, `elapsed` after the start; *ports_at is when the ports are to be polled
 * next. True if any was done. */
static bool housekeeping(struct system *system, bool worked, uint64_t elapsed, uint64_t now, uint64_t *ports_at) {
  if (__atomic_load_n(&system->stop_wishes, __ATOMIC_RELAXED) != 0) grant_stop_wishes(system);
  if (system->first_packet == 0) notice_first_packet(system);
  bool called = __atomic_load_n(&system->attend, __ATOMIC_RELAXED);
  if (called) __atomic_store_n(&system->attend, false, __ATOMIC_SEQ_CST);
  /* The first packet may be on its way, where code that runs once takes long. */
  bool early = system->first_packet == 0 && elapsed < (worked ? WORKER_BUSY_NS : WORKER_LATE_NS);
  if (!system->devices_complete) {
    if (!called && early) return false;
    complete_devices(system);
  }
  bool stepped = !early && postpone_step(&system->postpone);
  if (now < *ports_at && !called) return stepped;
  bool moved = poll_ports(system);
  *ports_at = moved ? now : now + WORKER_PORT_NS;
  return moved || stepped;
}

/* A counter that one worker writes and others read: cheaper than a locked addition. */
static void count(uint64_t *counter, uint64_t n) {
  __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* Has the worker's NICs wake it; true if there is something already. */
static bool arm_nics(const struct worker *worker) {
  bool ready = false;
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    if (nic->worker == worker->index) ready = nic->ops->arm(nic, 0) || ready;
  }
  return ready;
}

static void disarm_nics(const struct worker *worker) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    if (nic->worker == worker->index) nic->ops->disarm(nic, 0);
  }
}

/* When to wake up, or `now` when that is too soon for a sleep. */
static uint64_t sleep_deadline(const struct scheduler *scheduler, uint64_t now) {
  if (!graph_clock_waits()) return UINT64_MAX;
  uint64_t deadline = graph_clock_platform_deadline(scheduler_next_deadline(scheduler));
  if (scheduler_polls(scheduler) && deadline > now + WORKER_POLL_NS) return now + WORKER_POLL_NS;
  if (deadline == UINT64_MAX) return deadline;
  return deadline > now + WORKER_WAKE_NS ? deadline - WORKER_WAKE_NS : now;
}

/* Returns with the worker awake, and perhaps with another graph. */
static void sleep_until_event(struct system *system, struct worker *worker) {
  if (!scheduler_sleep(worker->scheduler)) return;
  if (!arm_nics(worker)) {
    uint64_t before = platform_now(), deadline = sleep_deadline(worker->scheduler, before);
    if (deadline > before) {
      quiesce_sleep(&system->quiesce, worker->index);
      pause_leave(&system->pause, worker->index);
      platform_sleep(deadline);
      pause_enter(&system->pause, worker->index);
      quiesce_pass(&system->quiesce, worker->index);
      count(&worker->sleeps, 1);
      count(&worker->slept_ns, platform_now() - before);
    }
  }
  scheduler_awake(worker->scheduler);
  disarm_nics(worker);
}

/* Time that nobody waits for passes when nothing else is to do. True if it did. */
static bool jump_to_next_timer(const struct worker *worker) {
  uint64_t deadline = scheduler_next_deadline(worker->scheduler);
  if (graph_clock_waits() || deadline == UINT64_MAX) return false;
  graph_clock_jump(deadline);
  return true;
}

static bool run_round(struct system *system, struct worker *worker, uint64_t now) {
  bool worked = scheduler_run(worker->scheduler, graph_clock_follows_platform() ? now : graph_clock_now());
  element_running = NULL;
  count(&worker->rounds, 1);
  count(&worker->busy, worked);
  packet_pool_collect(&worker->pool);
  quiesce_pass(&system->quiesce, worker->index);
  return worked;
}

/* Something wants to be done between two rounds. */
static bool is_wanted(const struct system *system, const struct worker *worker) {
  return stopping(system) || __atomic_load_n(&system->stop_wishes, __ATOMIC_RELAXED) != 0 ||
         (worker->index == 0 && system->staged != NULL);
}

/* Up to `most` rounds at one reading of the clock, while they find work. */
static bool run_rounds(struct system *system, struct worker *worker, uint64_t now, unsigned most) {
  if (!run_round(system, worker, now)) return false;
  for (unsigned i = 1; i < most && !is_wanted(system, worker); i++) {
    if (!run_round(system, worker, now)) break;
  }
  return true;
}

/* How many rounds go to the next reading, by how long `rounds` took. A clock that is not the platform's is read each round. */
static unsigned next_rounds(unsigned rounds, uint64_t elapsed) {
  if (!graph_clock_follows_platform() || elapsed > WORKER_ROUNDS_NS) return 1;
  return elapsed * 2 <= WORKER_ROUNDS_NS && rounds < WORKER_ROUNDS ? rounds * 2 : rounds;
}

static void run(struct system *system, struct worker *worker) {
  bool first = worker->index == 0;
  worker_self = worker->index;
  packet_pool_own = system->worker_count > 1 ? &worker->pool : NULL;
  uint64_t started = platform_now(), now = started, worked_at = started, ports_at = started;
  pause_enter(&system->pause, worker->index);
  quiesce_pass(&system->quiesce, worker->index);
  unsigned rounds = 1;
  while (!stopping(system)) {
    pause_point(&system->pause, worker->index);
    if (first && system->staged != NULL) (void)graph_swap(system);
    bool worked = run_rounds(system, worker, now, rounds);
    uint64_t before = now;
    now = platform_now();
    rounds = worked ? next_rounds(rounds, now - before) : 1;
    bool waiting = first && quiesce_reclaim(&system->quiesce);
    if (first && housekeeping(system, worked, now - started, now, &ports_at)) worked = true;
    if (worked || waiting || (first && system->staged != NULL)) {
      worked_at = now;
      continue;
    }
    bool spin = now - worked_at < WORKER_SPIN_NS && graph_clock_waits();
    if (spin || (first && !system->devices_complete)) continue;

    /* Idle. Ports are asked once more, since bytes that come while we arm are an event, but those before are not. */
    bool moved = first && (poll_ports(system) || system->staged != NULL || postpone_waits(&system->postpone));
    if (!moved && !jump_to_next_timer(worker)) sleep_until_event(system, worker);
    now = worked_at = platform_now();
    ports_at = now;
    rounds = 1;
  }
  quiesce_sleep(&system->quiesce, worker->index);
  pause_leave(&system->pause, worker->index);
}

static void run_index(unsigned index) { run(&the_system, &the_system.worker[index]); }

void workers_run(struct system *system) {
  for (unsigned i = 1; i < system->worker_count; i++) {
    /* Its tasks would never run, so there is no going on without it. */
    if (platform_worker_start(i, run_index) != 0) platform_panic("a worker cannot be started: too many threads");
  }
  run(system, &system->worker[0]);
  for (unsigned i = 1; i < system->worker_count; i++)
    platform_wake(i);
  platform_worker_join();
}
