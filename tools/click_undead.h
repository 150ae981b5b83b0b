/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dead parts of a configuration: elements that no packet reaches, or from which none arrives anywhere, and elements that decide
 * nothing (click-undead(1)).
 */
#ifndef IMAGO_TOOLS_CLICK_UNDEAD_H
#define IMAGO_TOOLS_CLICK_UNDEAD_H

#include "click/config.h"

/* Removes them from the config; connections lead around them. Live ports that lose their peer get an Idle. With `verbose` the report
 * has a note for each source, sink and removal. */
int click_undead(struct click_config *config, bool verbose, struct report *report) MUST_USE;

#endif
