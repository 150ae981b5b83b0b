/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A client of Click's ControlSocket protocol, version 1.3, over the unix socket in a run directory. One client at a time holds
 * the run's lock; every operation has a deadline, so a guest that hangs is reported and never waited for.
 */
#ifndef IMAGO_TOOLS_CONTROL_CLIENT_H
#define IMAGO_TOOLS_CONTROL_CLIENT_H

#include "lib/report.h"
#include "tools/rundir.h"

enum {
  CONTROL_TIMEOUT_MS = 5000,   /* for one reply */
  CONTROL_LOCK_WAIT_MS = 1000, /* for another client to finish */
  CONTROL_GREETING_MS = 250,   /* without a word before a second connection is tried, then twice as long */
  CONTROL_DATA_MAX = 64 << 20, /* of one reply */
};

struct control_client {
  const char *name; /* of the run, for messages; not owned */
  int fd;
  int lock;
  uint32_t timeout_ms;
  char buffer[4096]; /* received and not yet used: [start, end) */
  size_t start, end;
};

/* Connects, takes the lock and reads the greeting. 0, -ERROR_BUSY (another client holds the lock), -ERROR_IO (no answer),
 * reported. */
int control_open(struct control_client *client, const struct rundir *dir, uint32_t timeout_ms,
                 struct report *report) MUST_USE;
void control_close(struct control_client *client);

/* The value of a handler, appended to out. An error reply becomes the report, in the unikernel's words. */
int control_read(struct control_client *client, const char *handler, const char *parameter, struct text *out,
                 struct report *report) MUST_USE;
/* Writes any bytes to a handler. Further lines of the reply, the confirmation, are appended to out. Returns -ERROR_IO when the
 * connection ended before the reply. */
int control_write(struct control_client *client, const char *handler, struct slice value, struct text *out,
                  struct report *report) MUST_USE;

#endif
