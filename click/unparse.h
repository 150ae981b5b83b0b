/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A flat configuration as Click text again: what the handler `flatconfig` shows and `click-flatten` prints.
 */
#ifndef IMAGO_CLICK_UNPARSE_H
#define IMAGO_CLICK_UNPARSE_H

#include "click/config.h"

/* Appends requirements, declarations and connections; parsing the text gives the same graph. */
void click_unparse(const struct click_config *config, struct text *out);

#endif
