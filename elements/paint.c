/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Paint marks packets with a colour in an annotation; PaintSwitch sends each to the output of its colour.
 */
#include "elements/parameter.h"
#include "elements/run.h"

enum { PAINT_COLOR_MAX = 255, PAINT_ALL_OUTPUTS = 255 };

/* Annotation by name or offset, for annotations of one byte. */
static int paint_annotation(const char *word, uint32_t *offset, struct report *report) {
  uint64_t number = ANNOTATION_PAINT;
  if (word != NULL && !slice_equals(slice_of(word), "PAINT") &&
      slice_to_u64(slice_of(word), PACKET_ANNOTATION_SIZE - 1, &number) < 0) {
    return report_error(report, ERROR_INVALID, "ANNO: expected PAINT or a byte offset from 0 to %d, not '%s'",
                        PACKET_ANNOTATION_SIZE - 1, word);
  }
  *offset = (uint32_t)number;
  return 0;
}

/* --- Paint --- */

struct paint {
  struct element element;
  uint32_t color;
  char *word;
  uint32_t annotation;
};

static int paint_check(uint64_t color, struct report *report) {
  if (color <= PAINT_COLOR_MAX) return 0;
  return report_error(report, ERROR_INVALID, "COLOR: must be between 0 and %d", PAINT_COLOR_MAX);
}

static int paint_configure(struct element *e, const struct args *rest, struct report *report) {
  struct paint *p = (struct paint *)e;
  int status = paint_check(p->color, report);
  return status < 0 ? status : paint_annotation(p->word, &p->annotation, report);
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
    {"ANNO", ARGUMENT_WORD, ARGUMENT_POSITIONAL, offsetof(struct paint, word),
     "annotation to set: PAINT or a byte offset (PAINT)"},
    {0}};

static const struct handler paint_handlers[] = {{.name = "color",
                                                 .read = handler_read_u32,
                                                 .write = paint_write_color,
                                                 .offset = offsetof(struct paint, color),
                                                 .help = "the colour, 0 to 255"},
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
    .configure = paint_configure,
    .simple = paint_simple,
};
ELEMENT(Paint, paint_class);

/* --- PaintSwitch --- */

struct paint_switch {
  struct element element;
  char *word;
  uint32_t annotation;
};

enum { PAINT_SWITCH_DROP_NO_OUTPUT, PAINT_SWITCH_DROP_NO_BUFFER };

static int paint_switch_configure(struct element *e, const struct args *rest, struct report *report) {
  struct paint_switch *s = (struct paint_switch *)e;
  return paint_annotation(s->word, &s->annotation, report);
}

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
    {"ANNO", ARGUMENT_WORD, ARGUMENT_POSITIONAL, offsetof(struct paint_switch, word),
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
    .configure = paint_switch_configure,
    .push = paint_switch_push,
};
ELEMENT(PaintSwitch, paint_switch_class);
