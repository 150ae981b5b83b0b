/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a host around the system offers to elements, as a table: standard output, files, signals. The process platform fills it;
 * an image has none (services->host is NULL), and what needs it refuses by name or takes the log.
 */
#ifndef IMAGO_CLICK_HOST_H
#define IMAGO_CLICK_HOST_H

#include "lib/list.h"
#include "lib/report.h"

/* Embedded by its owner; not moved while it is added. */
struct host_signal {
  struct list link;
  int number;
  /* Called between two rounds of worker 0, soon after the signal came; several that came together may be one call. May add and
   * remove signals, this one too. */
  void (*raised)(struct host_signal *signal);
  void *owner;
};

struct host {
  void (*print)(const char *text, size_t length); /* standard output */
  void (*error)(const char *text, size_t length); /* standard error */
  /* Appends the file's bytes; at most 1 MiB. 0 or a negative code after reporting "NAME: why". */
  int (*file_read)(const char *name, struct text *out, struct report *report);
  /* Replaces the file, or appends to it. */
  int (*file_write)(const char *name, bool append, struct slice bytes, struct report *report);
  int (*signal_number)(struct slice name); /* "INT", "HUP" ...; -1: unknown */
  /* While added, the signal does nothing else. 0 or a negative code after reporting. */
  int (*signal_add)(struct host_signal *signal, struct report *report);
  void (*signal_remove)(struct host_signal *signal); /* harmless when it is not added */
  int (*signal_send)(int64_t process, int number, struct report *report);
  int64_t (*process_id)(void);
  unsigned (*error_columns)(
      void); /* width of the terminal that standard error is; 0: it is none, or we are in the background */
};

#endif
