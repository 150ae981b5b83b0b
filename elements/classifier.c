/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Classifier: sends each packet to the output of the first pattern that it matches. The patterns are
 * elements/pattern.c.
 */
#include "elements/pattern.h"
#include "elements/run.h"

struct classifier {
  struct element element;
  struct pattern_set patterns;
};

static int classifier_configure(struct element *e, const struct args *rest, struct report *report) {
  struct classifier *c = (struct classifier *)e;
  if (rest->count != e->output_count) {
    return report_error(report, ERROR_INVALID,
                        "%u patterns, but %u outputs are connected; each output needs its pattern", rest->count,
                        e->output_count);
  }
  return pattern_set_compile(&c->patterns, rest->values, rest->count, report);
}

/* Looked up first and handed over then: no packet's lookup waits for what another's outcome sets off. */
static void classifier_push(struct element *e, unsigned port, struct batch *batch) {
  const struct pattern_table *table = &((const struct classifier *)e)->patterns.table;
  uint32_t outputs[BATCH_MAX];
  if (pattern_table_find_all(table, batch, outputs, e->output_count)) {
    run_whole(e, batch, outputs[0]);
  } else {
    run_split(e, batch, outputs);
  }
}

static int classifier_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct classifier *c = (struct classifier *)e, *from = (struct classifier *)next;
  struct pattern_set patterns = c->patterns;
  c->patterns = from->patterns;
  from->patterns = patterns;
  return 0;
}

static void classifier_cleanup(struct element *e) { pattern_set_free(&((struct classifier *)e)->patterns); }

static int classifier_read_program(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                                   struct report *report) {
  pattern_set_print(&((struct classifier *)owner)->patterns, out);
  return 0;
}

static const struct handler classifier_handlers[] = {
    {.name = "program",
     .read = classifier_read_program,
     .help = "the compiled patterns: OFFSET/VALUE%MASK, & joins parts of one clause"},
    {0}};

static const char *const classifier_drops[] = {"no_match", NULL};

static const struct element_class classifier_class = {
    .name = "Classifier",
    .purpose = "sends packets to outputs by their contents",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct classifier),
    .handlers = classifier_handlers,
    .drops = classifier_drops,
    .takes_rest = true,
    .example = "c :: Classifier(12/0806 20/0001, 12/0806 20/0002, 12/0800, -);  // ARP requests, replies, IP, the rest",
    .manual =
        "Classifier(PATTERN, ...) has as many outputs as patterns. A pattern is a list of clauses separated by spaces, all of "
        "which must hold: OFFSET/VALUE or OFFSET/VALUE%MASK. OFFSET is decimal, from the first byte of the frame. VALUE and "
        "MASK are hexadecimal with two digits a byte; '?' stands for a digit that does not matter, and only bits set in MASK "
        "do. '!' in front of a clause negates it. The pattern '-' matches every packet.\n\n"
        "A packet goes to the output of the first pattern it matches; without a match it is dropped and counted under "
        "no_match. A packet that ends before the last byte that a clause looks at does not match the clause.",
    .configure = classifier_configure,
    .cleanup = classifier_cleanup,
    .reconfigure = classifier_reconfigure,
    .push = classifier_push,
};
ELEMENT(Classifier, classifier_class);
