/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The three codes by which a class describes its ports, as in Click's Element class: port counts ("1/1-"), processing
 * ("a/ah") and flow ("x/x").
 */
#ifndef IMAGO_CLICK_CODES_H
#define IMAGO_CLICK_CODES_H

#include <stdbool.h>
#include <stdint.h>

struct port_range {
  uint32_t low, high;
};
struct port_counts {
  struct port_range inputs, outputs;
  bool equal;     /* outputs are as many as inputs ... */
  uint32_t extra; /* ... and so many more ("=+": one more) */
};

/* "1/1", "1/1-2", "-/=", "1-/=+" ... "*" is as "-". False when the code is malformed. */
bool port_counts_parse(const char *code, struct port_counts *counts);

enum port_kind { PORT_AGNOSTIC, PORT_PUSH, PORT_PULL };

/* What "h/l", "a/ah", "a" say of one port; the last letter of a side repeats. */
enum port_kind processing_of(const char *code, bool output, uint32_t port);
/* True if packets that come in at `input` may leave at `output`. NULL is "x/x". */
bool flow_links(const char *code, uint32_t input, uint32_t output);

#endif
