/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Port count, processing and flow codes.
 */
#include "click/codes.h"

#include "click/config.h"

/* One decimal number at *code, at most CLICK_MAX_PORTS; false when there is none. */
static bool take_number(const char **code, uint32_t *number) {
  if (!char_is_digit(**code)) return false;
  uint32_t value = 0;
  for (; char_is_digit(**code); ++*code) {
    value = value * 10 + (uint32_t)(**code - '0');
    if (value > CLICK_MAX_PORTS) value = CLICK_MAX_PORTS;
  }
  *number = value;
  return true;
}

/* "2", "1-3", "1-", "-3", "-", "*" */
static bool take_range(const char **code, struct port_range *range) {
  if (**code == '*') {
    ++*code;
    *range = (struct port_range){0, CLICK_MAX_PORTS};
    return true;
  }
  bool low = take_number(code, &range->low);
  if (!low) range->low = 0;
  if (**code != '-') {
    range->high = range->low;
    return low;
  }
  ++*code;
  if (!take_number(code, &range->high)) range->high = CLICK_MAX_PORTS;
  return range->low <= range->high;
}

bool port_counts_parse(const char *code, struct port_counts *counts) {
  *counts = (struct port_counts){0};
  const char *start = code;
  if (!take_range(&code, &counts->inputs)) return false;
  if (*code == '\0') {
    code = start; /* "1" is "1/1" */
  } else if (*code++ != '/') {
    return false;
  }
  if (*code != '=') return take_range(&code, &counts->outputs) && *code == '\0';
  counts->equal = true;
  for (code++; *code == '+'; code++)
    counts->extra++;
  return *code == '\0';
}

enum port_kind processing_of(const char *code, bool output, uint32_t port) {
  const char *slash = strchr(code, '/');
  const char *side = output && slash ? slash + 1 : code;
  while (port > 0 && side[0] && side[1] && side[1] != '/') {
    side++;
    port--;
  }
  if (*side == 'h') return PORT_PUSH;
  return *side == 'l' ? PORT_PULL : PORT_AGNOSTIC;
}

/* The names one port carries in a flow code. */
struct flow_set {
  uint64_t letters;
  bool own; /* '#': a name of this port number alone */
};

static void flow_add(struct flow_set *set, char c) {
  if (c >= 'a' && c <= 'z') set->letters |= (uint64_t)1 << (c - 'a');
  if (c >= 'A' && c <= 'Z') set->letters |= (uint64_t)1 << (c - 'A' + 26);
  if (c == '#') set->own = true;
}

/* The set of port `port`: letters and [sets] up to '/' or the end, the last repeats. */
static struct flow_set flow_of(const char *side, uint32_t port) {
  struct flow_set set = {0};
  for (uint32_t i = 0; i <= port && *side && *side != '/'; i++) {
    set = (struct flow_set){0};
    if (*side != '[') {
      flow_add(&set, *side++);
      continue;
    }
    bool inverted = *++side == '^';
    for (side += inverted; *side && *side != ']'; side++)
      flow_add(&set, *side);
    if (*side) side++;
    if (inverted) set.letters = ~set.letters;
    if (inverted) set.own = !set.own;
  }
  return set;
}

bool flow_links(const char *code, uint32_t input, uint32_t output) {
  if (!code) return true;
  const char *slash = strchr(code, '/');
  struct flow_set in = flow_of(code, input), out = flow_of(slash ? slash + 1 : code, output);
  return (in.letters & out.letters) != 0 || (in.own && out.own && input == output);
}
