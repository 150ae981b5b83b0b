/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Switch: sends the whole stream to one output, which a handler chooses.
 */
#include "click/element.h"
#include "elements/parameter.h"

struct switch_element {
  struct element element;
  int32_t output; /* below 0: drop */
};

static int switch_check(const struct element *e, int32_t output, const char *name, struct report *report) {
  if (output < 0 || (uint32_t)output < e->output_count) return 0;
  if (e->output_count == 0) {
    return report_error(report, ERROR_INVALID, "%s: output %d is not connected, nor is any other; -1 drops", name,
                        output);
  }
  return report_error(report, ERROR_INVALID, "%s: output %d is not connected; the last one is %u, -1 drops", name,
                      output, e->output_count - 1);
}

static int switch_configure(struct element *e, const struct args *rest, struct report *report) {
  return switch_check(e, ((struct switch_element *)e)->output, "OUTPUT", report);
}

static void switch_push(struct element *e, unsigned port, struct batch *batch) {
  int32_t output = __atomic_load_n(&((struct switch_element *)e)->output, __ATOMIC_RELAXED);
  if (output < 0) {
    element_drop_batch(e, 0, batch);
  } else {
    element_push(e, (unsigned)output, batch);
  }
}

/* The position that a handler chose stays, unless the file was changed to choose another. */
static void switch_take_state(struct element *e, struct element *old, struct report *report) {
  struct switch_element *s = (struct switch_element *)e;
  int32_t output = ((struct switch_element *)old)->output;
  if (strcmp(e->config, old->config) == 0 && output < (int32_t)e->output_count) s->output = output;
}

static int switch_write(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  /* Checked in a copy: packets pass meanwhile and must never see a number that has no port. */
  struct switch_element wanted = {.output = 0};
  int status = parameter_write_i32(&wanted, handler, value, report);
  if (status == 0) status = switch_check(owner, wanted.output, handler->name, report);
  if (status < 0) return status;
  __atomic_store_n(&((struct switch_element *)owner)->output, wanted.output, __ATOMIC_RELAXED);
  return 0;
}

static const struct argument switch_arguments[] = {
    {"OUTPUT", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct switch_element, output),
     "output that gets the packets; -1 drops them (0)"},
    {0}};

static const struct handler switch_handlers[] = {{.name = "switch",
                                                  .read = parameter_read_i32,
                                                  .write = switch_write,
                                                  .offset = offsetof(struct switch_element, output),
                                                  .help = "output that gets the packets; -1 drops them"},
                                                 {0}};

static const char *const switch_drops[] = {"off", NULL};

static const struct element_class switch_class = {
    .name = "Switch",
    .purpose = "sends packets to one output, chosen by a handler",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct switch_element),
    .arguments = switch_arguments,
    .handlers = switch_handlers,
    .drops = switch_drops,
    .example = "FromDevice(eth0) -> s :: Switch(0); s [0] -> Queue -> ToDevice(eth1); s [1] -> Discard;",
    .manual = "Packets dropped because OUTPUT is negative are counted under off.",
    .configure = switch_configure,
    .take_state = switch_take_state,
    .push = switch_push,
};
ELEMENT(Switch, switch_class);
