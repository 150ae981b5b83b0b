/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SetTimestamp: the time of packets, now or a given one. The clock is read once a batch.
 */
#include "click/element.h"
#include "click/reconfigure.h"

enum { ANNOTATION_FIRST_TIMESTAMP = 32 };

struct set_timestamp {
  struct element element;
  uint64_t time;
  bool given, first, delta;
};

static int set_timestamp_configure(struct element *e, const struct args *rest, struct report *report) {
  if (!((const struct set_timestamp *)e)->delta) return 0;
  return report_error(report, ERROR_UNSUPPORTED,
                      "SetTimestamp(DELTA) is deprecated, use SetTimestampDelta(TYPE FIRST)");
}

static void set_timestamp_simple(struct element *e, struct batch *batch) {
  const struct set_timestamp *s = (const struct set_timestamp *)e;
  uint64_t time = s->given ? s->time : e->services->wall();
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (s->first) {
      store_le64(p->annotation + ANNOTATION_FIRST_TIMESTAMP, time);
    } else {
      p->timestamp = time;
    }
  }
}

static const struct argument set_timestamp_arguments[] = {
    {"TIMESTAMP", ARGUMENT_TIME, ARGUMENT_POSITIONAL, offsetof(struct set_timestamp, time),
     "seconds since 1970; without it, now", offsetof(struct set_timestamp, given)},
    {"FIRST", ARGUMENT_BOOL, 0, offsetof(struct set_timestamp, first),
     "set the first timestamp annotation instead (false)"},
    {"DELTA", ARGUMENT_BOOL, 0, offsetof(struct set_timestamp, delta), "refused: an old argument of Click"},
    {0}};

static const struct element_class set_timestamp_class = {
    .name = "SetTimestamp",
    .purpose = "sets the time of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct set_timestamp),
    .arguments = set_timestamp_arguments,
    .example = "... -> SetTimestamp -> Print(TIMESTAMP true) -> ...",
    .manual = "All packets that are here together get one time.",
    .configure = set_timestamp_configure,
    .reconfigure = reconfigure_arguments,
    .simple = set_timestamp_simple,
};
ELEMENT(SetTimestamp, set_timestamp_class);
