/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The system as a whole: start-up order and the worker's loop. A platform calls kernel_run once, when memory, time, archive and
 * NICs are there; it returns only when the system is to end.
 */
#ifndef IMAGO_KERNEL_KERNEL_H
#define IMAGO_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/report.h"
#include "lib/string.h"

struct click_language;

/* A graph that is given directly instead of by a boot archive: no files, no trusted keys. All pointers stay the caller's and must
 * live until kernel_run_config returns. */
struct kernel_config {
  const char *file;    /* its name in messages */
  struct slice source; /* the Click text */
  struct slice
      driver; /* Click text of elements that the driver adds: part of the graph, but not of what handler `config` gives */
  const struct click_language *language; /* parameters and libraries; NULL: none */
  unsigned pool_packets;                 /* packet buffers; 0: the default */
  bool allow_reconfigure;                /* there is a writable handler `hotconfig` */
  unsigned workers;                      /* threads; 0 counts as 1 */
  uint64_t simulate_from; /* nanoseconds since 1970 at which a simulated clock starts (one worker then); 0: real time */
  void *context;
  /* Where lines of the log go at once, as they are, beside the log itself: Click's chatter. Any worker. NULL: nowhere else. */
  void (*chatter)(const char *line, size_t length);
  /* The graph is made and stands still; `report` holds the warnings. False: it is not to run, and `stopped` follows. */
  bool (*made)(void *context, struct report *report);
  /* The graph ran, stands still again, and goes when this returns. */
  void (*stopped)(void *context);
};

/* Reads the boot archive (config.click, bundles, keys/), builds the graph, runs it until somebody asks it to stop. Returns the exit
 * status: 0 after a clean stop, 1 when the configuration is refused (messages have gone to the console). */
int kernel_run(void);
/* The same for a graph that is given directly; once per process, as kernel_run. 0, or a negative code when the configuration is
 * refused; why stands in report. */
int kernel_run_config(const struct kernel_config *config, struct report *report) MUST_USE;
/* Replaces the running graph by one made from `source` (Click's hotconfig): state of same-named elements carries over, no packet is
 * lost. On failure the running one goes on and report says why. Worker 0 only: from handlers, and from what platform_poll calls. */
int kernel_hotconfig(const char *file, struct slice source, struct report *report) MUST_USE;
/* Asks the running system to stop at the next quiescent point. From any thread or signal handler. */
void kernel_stop(void);
/* Asks the driver to stop, which the graph may take as a step of its script (Click's DriverManager). From any worker. */
void kernel_stop_driver(void);
/* Something waits for platform_poll: worker 0 asks at its next round, not in its own time. Any thread, signal handlers too. */
void kernel_attend(void);
/* An error for the log: what befell a device while the system runs. Any worker. */
void kernel_log_error(const char *text);
/* Stamps the boot chart, "MICROSECONDS NAME" in handler `boot`. `name` must live for ever. */
void kernel_boot_stamp(const char *name);
/* For fault reports: name, class and place of the element that runs in this thread: "fw :: BPFilter (fw.click:4)"; false when none. */
bool kernel_running_element(char *buffer, size_t size);
/* For fault reports: the symbol at or below address from the symbol file of the boot archive: "name+0x12"; false when unknown. */
bool kernel_symbol(unsigned long address, char *buffer, size_t size);

#endif
