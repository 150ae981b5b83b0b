/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The worker's loop: rounds of the graph, with a quiescent point between any two; polling while packets flow, sleep when
 * they don't.
 */
#ifndef IMAGO_KERNEL_WORKER_H
#define IMAGO_KERNEL_WORKER_H

#include "kernel/system.h"

enum {
  /* After this long without work the worker arms the NICs and sleeps. Longer than the gap between two packets at 20,000 packets
   * a second, so that such a stream is polled; short enough that an idle system sleeps. */
  WORKER_SPIN_NS = 50000,
  /* A sleep ends this long before the next timer: what waking up takes, so that the timer finds the worker polling. */
  WORKER_WAKE_NS = 40000,
  /* While a task polls what cannot tell when it has something, no sleep is longer. */
  WORKER_POLL_NS = 1000000,
  /* Ports are polled this often while packets flow: well under the 1 ms of a console command's budget, and rare enough that
   * a poll's system call or device access (up to 100 us on some hosts) would not matter. */
  WORKER_PORT_NS = 100000,
  /* Rounds that together take less than this share a reading of the clock, which takes as long as a packet; no more than so many. Timers
   * may be late by this. */
  WORKER_ROUNDS_NS = 2000,
  WORKER_ROUNDS = 16,
  /* What the first packet does not need (devices, postponed work) comes after it; or after this long without work; or after that long. */
  WORKER_LATE_NS = 5000000,
  WORKER_BUSY_NS = 100000000,
};

/* Runs all workers until the system is to stop: worker 0 in this thread, which also runs the ports, deferred frees, the exchange of the
 * graph and the late start. */
void workers_run(struct system *system);

#endif
