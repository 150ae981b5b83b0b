/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The command line of `imago click`: that of Click's user-level driver, its messages included.
 */
#ifndef IMAGO_TOOLS_CLICK_OPTIONS_H
#define IMAGO_TOOLS_CLICK_OPTIONS_H

#include "lib/report.h"
#include "platform/process/click_driver.h"

enum click_action {
  CLICK_ACTION_RUN,
  CLICK_ACTION_HELP,
  CLICK_ACTION_VERSION,
  CLICK_ACTION_BAD_OPTION, /* why stands in the report: say so, and how to get help */
};

/* Reads argv (argv[0] names the program in messages). Errors that Click finds only after reading on (a parameter defined twice)
 * are in the report of a CLICK_ACTION_RUN: the driver must not run then. *options points into argv, and is to be freed. */
enum click_action click_options_parse(int argc, char **argv, struct click_driver_options *options,
                                      struct report *report);
void click_options_free(struct click_driver_options *options);

#endif
