/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Print: one log line a packet, in Click's format:
 *   label:   60 | ffffffff ffff5254 00123456 08060001 08000604 00015254
 * The line is put together in a buffer on the stack that has room for the longest packet.
 */
#include "click/element.h"
#include "click/reconfigure.h"
#include "click/router.h"
#include "elements/line.h"
#include "elements/parameter.h"

enum {
  PRINT_LENGTH_DEFAULT = 24,
  PRINT_LABEL_MAX = 128,
  /* label, worker, timestamp, lengths, annotations; then at most nine characters for four bytes */
  PRINT_LINE_MAX = PRINT_LABEL_MAX + 128 + 2 * PACKET_ANNOTATION_SIZE + PACKET_BUFFER_SIZE / 4 * 9,
};

struct print {
  struct element element;
  char *label;
  char *contents_word;
  int32_t max_length;
  enum line_contents contents;
  bool timestamp, annotations, worker, headroom, active;
};

static void print_defaults(struct element *e) {
  struct print *p = (struct print *)e;
  p->max_length = PRINT_LENGTH_DEFAULT;
  p->contents = LINE_HEX;
  p->active = true;
}

static int print_configure(struct element *e, const struct args *rest, struct report *report) {
  struct print *p = (struct print *)e;
  if (p->label != NULL && strlen(p->label) > PRINT_LABEL_MAX) {
    return report_error(report, ERROR_TOO_BIG, "LABEL: at most %d characters", PRINT_LABEL_MAX);
  }
  if (p->contents_word == NULL || line_contents_parse(p->contents_word, &p->contents)) return 0;
  return report_error(report, ERROR_INVALID, "CONTENTS: expected NONE, HEX or ASCII, not '%s'", p->contents_word);
}

static int print_reconfigure(struct element *e, struct element *next, struct report *report) {
  ((struct print *)e)->contents = ((const struct print *)next)->contents;
  return reconfigure_arguments(e, next, report);
}

static void print_packet(const struct print *element, struct packet *p) {
  char buffer[PRINT_LINE_MAX];
  struct line line = {buffer, sizeof buffer, 0};
  const char *separator = "";
  if (element->label != NULL && element->label[0] != 0) {
    line_addf(&line, "%s", element->label);
    separator = ": ";
  }
  if (element->worker) {
    line_addf(&line, "(%u)", element->element.router->scheduler->worker);
    separator = ": ";
  }
  if (element->timestamp) {
    line_addf(&line, "%s", separator);
    line_add_time(&line, p->timestamp);
    separator = ": ";
  }
  line_addf(&line, "%s%4u", separator, p->length);
  if (element->headroom) line_addf(&line, " (h%u t%u)", packet_headroom(p), packet_tailroom(p));
  if (element->annotations) {
    line_addf(&line, " | ");
    for (unsigned i = 0; i < PACKET_ANNOTATION_SIZE; i++)
      line_add_hex(&line, annotation_u8(p, i));
  }
  uint32_t bytes = element->contents == LINE_NONE ? 0 : p->length;
  if (element->max_length >= 0 && bytes > (uint32_t)element->max_length) bytes = (uint32_t)element->max_length;
  if (bytes > 0) line_addf(&line, " | ");
  for (uint32_t i = 0; i < bytes; i++) {
    uint8_t byte = p->data[i];
    if (element->contents == LINE_HEX) {
      if (i > 0 && i % 4 == 0) line_add(&line, ' ');
      line_add_hex(&line, byte);
    } else {
      if (i % 8 == 0) line_add(&line, ' ');
      line_add(&line, byte < 32 || byte > 126 ? '.' : (char)byte);
    }
  }
  line_log(&line, &element->element);
}

static void print_simple(struct element *e, struct batch *batch) {
  const struct print *p = (const struct print *)e;
  if (!__atomic_load_n(&p->active, __ATOMIC_RELAXED)) return;
  for (uint32_t i = 0; i < batch->count; i++)
    print_packet(p, batch->packet[i]);
}

static const struct argument print_arguments[] = {
    {"LABEL", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(struct print, label), "text in front of the line"},
    {"MAXLENGTH", ARGUMENT_I32, ARGUMENT_POSITIONAL, offsetof(struct print, max_length),
     "most bytes of contents; below 0: the whole packet (24)"},
    {"LENGTH", ARGUMENT_I32, ARGUMENT_DEPRECATED, offsetof(struct print, max_length), "old name of MAXLENGTH"},
    {"NBYTES", ARGUMENT_I32, ARGUMENT_DEPRECATED, offsetof(struct print, max_length), "old name of MAXLENGTH"},
    {"CONTENTS", ARGUMENT_WORD, 0, offsetof(struct print, contents_word), "NONE, HEX or ASCII (HEX)"},
    {"TIMESTAMP", ARGUMENT_BOOL, 0, offsetof(struct print, timestamp), "print the timestamp annotation (false)"},
    {"PRINTANNO", ARGUMENT_BOOL, 0, offsetof(struct print, annotations), "print all annotation bytes (false)"},
    {"CPU", ARGUMENT_BOOL, 0, offsetof(struct print, worker), "print the worker's number (false)"},
    {"HEADROOM", ARGUMENT_BOOL, 0, offsetof(struct print, headroom), "print headroom and tailroom (false)"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct print, active), "print at all (true)"},
    {0}};

static const struct handler print_handlers[] = {{.name = "active",
                                                 .read = handler_read_bool,
                                                 .write = parameter_write_bool,
                                                 .offset = offsetof(struct print, active),
                                                 .help = "whether it prints"},
                                                {0}};

static const struct element_class print_class = {
    .name = "Print",
    .purpose = "logs the contents of packets",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct print),
    .arguments = print_arguments,
    .handlers = print_handlers,
    .example = "FromDevice(eth0) -> Print(in, 64, CONTENTS ASCII) -> Discard;",
    .manual =
        "Writes one line a packet to the log: label, length, and the first MAXLENGTH bytes. The log limits its own rate, "
        "so on a busy path not every packet appears, and it cuts very long lines.",
    .defaults = print_defaults,
    .configure = print_configure,
    .reconfigure = print_reconfigure,
    .simple = print_simple,
};
ELEMENT(Print, print_class);
