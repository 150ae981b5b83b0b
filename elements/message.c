/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Message and Error: what a configuration says to its reader when it is loaded.
 */
#include "click/element.h"

struct message {
  struct element element;
  char *text, *type;
};

static int message_configure(struct element *e, const struct args *rest, struct report *report) {
  const struct message *m = (const struct message *)e;
  const char *type = m->type ? m->type : "MESSAGE";
  if (strcmp(type, "MESSAGE") == 0) {
    report_note(report, "%s", m->text);
  } else if (strcmp(type, "WARNING") == 0) {
    report_warning(report, "%s", m->text);
  } else if (strcmp(type, "ERROR") == 0) {
    return report_error(report, ERROR_INVALID, "%s", m->text);
  } else {
    return report_error(report, ERROR_INVALID, "unrecognized message type '%.40s'; expected MESSAGE, WARNING or ERROR",
                        type);
  }
  return 0;
}

static const struct argument message_arguments[] = {
    {"MESSAGE", ARGUMENT_STRING, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct message, text), "the text"},
    {"TYPE", ARGUMENT_WORD, ARGUMENT_POSITIONAL, offsetof(struct message, type),
     "MESSAGE, WARNING, or ERROR, which refuses the configuration (MESSAGE)"},
    {0}};

static const struct element_class message_class = {
    .name = "Message",
    .purpose = "prints a message when it is configured",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct message),
    .arguments = message_arguments,
    .example = "Message(\"This configuration is deprecated; use new.click instead.\", WARNING);",
    .manual = "With TYPE ERROR the configuration is refused, and the message says why.",
    .configure = message_configure,
};
ELEMENT(Message, message_class);

static int error_initialize(struct element *e, struct report *report) {
  return report_error(report, ERROR_STATE, "an Error element never initializes; remove it");
}

/* The router runs no graph with an Error in it; a class needs code for its ports all the same. */
static void error_push(struct element *e, unsigned port, struct batch *batch) { batch_kill(batch); }
static void error_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {}

static const struct element_class error_class = {
    .name = "Error",
    .purpose = "always fails to initialize",
    .ports = "-/-",
    .processing = "a/a",
    .size = sizeof(struct element),
    .example = "Error(this part is missing);",
    .manual =
        "Takes any arguments and any number of inputs and outputs, so that a configuration that must not run is refused "
        "for this one reason.",
    .takes_rest = true,
    .initialize = error_initialize,
    .push = error_push,
    .pull = error_pull,
};
ELEMENT(Error, error_class);
