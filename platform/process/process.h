/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The core as an ordinary Linux process: what `imago run --process` starts. One per Linux process, as kernel/ is one system.
 */
#ifndef IMAGO_PLATFORM_PROCESS_PROCESS_H
#define IMAGO_PLATFORM_PROCESS_PROCESS_H

#include "kernel/kernel.h"

/* All pointers stay the caller's and must live until process_run returns. */
struct process_options {
  struct slice archive;               /* boot archive, newc cpio */
  const struct kernel_config *config; /* the graph itself, instead of an archive; NULL: the archive */
  const char *const *nics; /* as nic_open.h takes them: "pcap:IN,OUT", "tap:NAME" ...; they become eth0, eth1 ... */
  unsigned nic_count;
  const char *control_path; /* unix stream socket to listen on; NULL: no control port */
  int log_fd;               /* log lines go here; -1: none */
  unsigned pool_packets;    /* packet buffers; 0: the default */
  bool pinned;              /* worker n stays on processor first_processor + n */
  unsigned first_processor;
  bool stop_when_finished; /* end once every NIC is finished and nothing has moved for 50 ms */
};

/* Sets up NICs and the control socket, runs the system (kernel_run), takes all down again. SIGINT and SIGTERM end it cleanly.
 * Returns the exit status; set-up errors are in report. */
int process_run(const struct process_options *options, struct report *report);

#endif
