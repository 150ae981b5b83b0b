/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Paint marks packets with a colour in an annotation; PaintSwitch sends each to the output of its colour, CheckPaint lets those of one
 * colour through, PaintTee sends copies of them aside.
 */
#include "click/reconfigure.h"
#include "elements/parameter.h"
#include "elements/run.h"

enum { PAINT_COLOR_MAX = 255, PAINT_ALL_OUTPUTS = 255 };

/* --- Paint --- */

struct paint {
  struct element element;
  uint32_t color;
  uint32_t annotation;
};

static void paint_defaults(struct element *e) { ((struct paint *)e)->annotation = ANNOTATION_PAINT; }

static int paint_check(uint64_t color, struct report *report) {
  if (color <= PAINT_COLOR_MAX) return 0;
  return report_error(report, ERROR_INVALID, "COLOR: must be between 0 and %d", PAINT_COLOR_MAX);
}

static int paint_configure(struct element *e, const struct args *rest, struct report *report) {
  return paint_check(((struct paint *)e)->color, report);
}

static void paint_simple(struct element *e, struct batch *batch) {
  const struct paint *p = (const struct paint *)e;
  uint8_t color = (uint8_t)__atomic_load_n(&p->color, __ATOMIC_RELAXED);
  for (uint32_t i = 0; i < batch->count; i++)
    annotation_set_u8(batch->packet[i], p->annotation, color);
}

static int paint_write_color(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  uint64_t color = UINT64_MAX;
  if (slice_to_u64(slice_trim(value), PAINT_COLOR_MAX, &color) < 0) return paint_check(UINT64_MAX, report);
  __atomic_store_n(&((struct paint *)owner)->color, (uint32_t)color, __ATOMIC_RELAXED);
  return 0;
}

static const struct argument paint_arguments[] = {
    {"COLOR", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct paint, color), "0 to 255"},
    {"ANNO", ARGUMENT_ANNO1, ARGUMENT_POSITIONAL, offsetof(struct paint, annotation),
     "annotation of one byte: PAINT or a byte offset (PAINT)"},
    {0}};

static const struct handler paint_handlers[] = {{.name = "color",
                                                 .read = handler_read_u32,
                                                 .write = paint_write_color,
                                                 .offset = offsetof(struct paint, color),
                                                 .help = "the colour, 0 to 255"},
                                                {.name = "anno",
                                                 .read = handler_read_u32,
                                                 .offset = offsetof(struct paint, annotation),
                                                 .help = "byte offset of the annotation"},
                                                {0}};

static const struct element_class paint_class = {
    .name = "Paint",
    .purpose = "sets the paint annotation of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct paint),
    .arguments = paint_arguments,
    .handlers = paint_handlers,
    .example = "FromDevice(eth0) -> Paint(1) -> [0] both; FromDevice(eth1) -> Paint(2) -> [0] both;",
    .manual = "A later element, such as PaintSwitch, can tell by the colour where a packet came from.",
    .defaults = paint_defaults,
    .configure = paint_configure,
    .reconfigure = reconfigure_arguments,
    .simple = paint_simple,
};
ELEMENT(Paint, paint_class);

/* --- SetAnnoByte --- */

static int set_anno_byte_configure(struct element *e, const struct args *rest, struct report *report) {
  report_warning(report, "SetAnnoByte(ANNO, VALUE) is obsolete, use Paint(VALUE, ANNO) instead");
  return paint_configure(e, rest, report);
}

static const struct argument set_anno_byte_arguments[] = {
    {"ANNO", ARGUMENT_ANNO1, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct paint, annotation),
     "annotation of one byte, by name or byte offset"},
    {"VALUE", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct paint, color), "0 to 255"},
    {0}};

static const struct handler set_anno_byte_handlers[] = {{.name = "anno",
                                                         .read = handler_read_u32,
                                                         .offset = offsetof(struct paint, annotation),
                                                         .help = "byte offset of the annotation"},
                                                        {.name = "value",
                                                         .read = handler_read_u32,
                                                         .write = paint_write_color,
                                                         .offset = offsetof(struct paint, color),
                                                         .help = "what it is set to, 0 to 255"},
                                                        {0}};

static const struct element_class set_anno_byte_class = {
    .name = "SetAnnoByte",
    .purpose = "sets an annotation byte of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct paint),
    .arguments = set_anno_byte_arguments,
    .handlers = set_anno_byte_handlers,
    .example = "... -> SetAnnoByte(PAINT, 10) -> ...",
    .manual = "An old way to write Paint(VALUE, ANNO).",
    .configure = set_anno_byte_configure,
    .reconfigure = reconfigure_arguments,
    .simple = paint_simple,
};
ELEMENT(SetAnnoByte, set_anno_byte_class);

/* --- CheckPaint, PaintTee --- */

static void check_paint_push(struct element *e, unsigned port, struct batch *batch) {
  const struct paint *p = (const struct paint *)e;
  uint32_t color = __atomic_load_n(&p->color, __ATOMIC_RELAXED);
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    bool match = annotation_u8(batch->packet[i], p->annotation) == color;
    if (match || e->output_count > 1) {
      run_add(&run, match ? 0 : 1, batch->packet[i]);
    } else {
      element_drop(e, 0, batch->packet[i]);
    }
  }
  run_flush(&run);
}

static void check_paint_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  const struct paint *p = (const struct paint *)e;
  uint32_t color = __atomic_load_n(&p->color, __ATOMIC_RELAXED);
  uint32_t kept = batch->count, first = kept;
  struct batch rest;
  rest.count = 0;
  element_pull(e, 0, batch, max);
  if (batch->count == first) return;
  for (uint32_t i = first; i < batch->count; i++) {
    if (annotation_u8(batch->packet[i], p->annotation) == color) {
      batch->packet[kept++] = batch->packet[i];
    } else {
      rest.packet[rest.count++] = batch->packet[i];
    }
  }
  batch->count = kept;
  if (kept == first) element_pulled_in_vain = true;
  if (e->output_count > 1) {
    element_push(e, 1, &rest);
  } else {
    element_drop_batch(e, 0, &rest);
  }
}

static const char *const check_paint_drops[] = {"other_color", NULL};

static const struct element_class check_paint_class = {
    .name = "CheckPaint",
    .purpose = "lets packets of one colour through",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct paint),
    .arguments = paint_arguments,
    .handlers = paint_handlers,
    .drops = check_paint_drops,
    .example = "both -> CheckPaint(1) -> Queue -> ToDevice(eth1);",
    .manual = "Packets of other colours go to output 1 if that is connected, and are dropped otherwise.",
    .defaults = paint_defaults,
    .configure = paint_configure,
    .reconfigure = reconfigure_arguments,
    .push = check_paint_push,
    .pull = check_paint_pull,
};
ELEMENT(CheckPaint, check_paint_class);

/* A copy of a packet of that colour goes to output 1. */
static struct packet *paint_tee_copy(struct element *e, const struct packet *packet) {
  const struct paint *p = (const struct paint *)e;
  if (annotation_u8(packet, p->annotation) != __atomic_load_n(&p->color, __ATOMIC_RELAXED)) return NULL;
  struct packet *copy = packet_clone(packet);
  if (copy == NULL) counter_add(&e->drops[0], 1);
  return copy;
}

/* The copy goes before the packet, as in Click. */
static void paint_tee_push(struct element *e, unsigned port, struct batch *batch) {
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *copy = paint_tee_copy(e, batch->packet[i]);
    if (copy != NULL) run_add(&run, 1, copy);
    run_add(&run, 0, batch->packet[i]);
  }
  run_flush(&run);
}

static void paint_tee_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  struct batch copies;
  copies.count = 0;
  uint32_t first = batch->count;
  element_pull(e, 0, batch, max);
  for (uint32_t i = first; i < batch->count; i++) {
    struct packet *copy = paint_tee_copy(e, batch->packet[i]);
    if (copy != NULL) copies.packet[copies.count++] = copy;
  }
  element_push(e, 1, &copies);
}

static const char *const paint_tee_drops[] = {"no_buffer", NULL};

static const struct element_class paint_tee_class = {
    .name = "PaintTee",
    .purpose = "sends copies of packets of one colour aside",
    .ports = "1/2",
    .processing = "a/ah",
    .size = sizeof(struct paint),
    .arguments = paint_arguments,
    .handlers = paint_handlers,
    .drops = paint_tee_drops,
    .example = "both -> t :: PaintTee(1) -> Queue -> ToDevice(eth1); t [1] -> Print(one) -> Discard;",
    .manual =
        "All packets go to output 0, and a copy of those of colour COLOR to output 1. A copy that finds no free buffer is left "
        "out and counted under no_buffer.",
    .defaults = paint_defaults,
    .configure = paint_configure,
    .reconfigure = reconfigure_arguments,
    .push = paint_tee_push,
    .pull = paint_tee_pull,
};
ELEMENT(PaintTee, paint_tee_class);

/* --- PaintSwitch --- */

struct paint_switch {
  struct element element;
  uint32_t annotation;
};

enum { PAINT_SWITCH_DROP_NO_OUTPUT, PAINT_SWITCH_DROP_NO_BUFFER };

static void paint_switch_defaults(struct element *e) { ((struct paint_switch *)e)->annotation = ANNOTATION_PAINT; }

/* Copies to all outputs but the last, which gets the packet itself. */
static void paint_switch_broadcast(struct run *run, struct packet *p) {
  struct element *e = run->element;
  for (uint32_t output = 0; output + 1 < e->output_count; output++) {
    struct packet *copy = packet_clone(p);
    if (copy != NULL) {
      run_add(run, output, copy);
    } else {
      counter_add(&e->drops[PAINT_SWITCH_DROP_NO_BUFFER], 1);
    }
  }
  run_add(run, e->output_count - 1, p);
}

static void paint_switch_push(struct element *e, unsigned port, struct batch *batch) {
  const struct paint_switch *s = (const struct paint_switch *)e;
  struct run run;
  run_start(&run, e);
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    uint8_t color = annotation_u8(p, s->annotation);
    if (color < e->output_count && color != PAINT_ALL_OUTPUTS) {
      run_add(&run, color, p);
    } else if (color == PAINT_ALL_OUTPUTS && e->output_count > 0) {
      paint_switch_broadcast(&run, p);
    } else {
      element_drop(e, PAINT_SWITCH_DROP_NO_OUTPUT, p);
    }
  }
  run_flush(&run);
}

static const struct argument paint_switch_arguments[] = {
    {"ANNO", ARGUMENT_ANNO1, ARGUMENT_POSITIONAL, offsetof(struct paint_switch, annotation),
     "annotation to look at: PAINT or a byte offset (PAINT)"},
    {0}};

static const char *const paint_switch_drops[] = {"no_output", "no_buffer", NULL};

static const struct element_class paint_switch_class = {
    .name = "PaintSwitch",
    .purpose = "sends each packet to the output of its colour",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct paint_switch),
    .arguments = paint_switch_arguments,
    .drops = paint_switch_drops,
    .example = "both -> s :: PaintSwitch; s [0] -> Discard; s [1] -> Queue -> ToDevice(eth1);",
    .manual =
        "A packet of colour K goes to output K. Colour 255 goes to every output, as copies but for the last one. A "
        "packet whose colour has no output is dropped and counted under no_output.",
    .defaults = paint_switch_defaults,
    .reconfigure = reconfigure_arguments,
    .push = paint_switch_push,
};
ELEMENT(PaintSwitch, paint_switch_class);
