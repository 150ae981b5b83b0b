/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPFilter and IPClassifier: one machine with two ways to say where a pattern's packets go. The patterns are
 * elements/filter_language.c, the lookup is elements/filter_tree.c.
 */
#include "elements/filter_tree.h"
#include "elements/run.h"
#include "lib/memory.h"

struct ip_filter {
  struct element element;
  struct filter_program program;
  struct filter_tree tree;
  uint16_t *outputs; /* of each rule, and for no rule; from output_count on what run_split makes of it */
};

enum { DROP_NO_MATCH, DROP_DENIED };

static int compile(struct ip_filter *f, struct report *report) {
  uint32_t count = f->program.rule_count;
  struct filter_normal normal = {0};
  bool *reached = memory_alloc((count + 1) * sizeof *reached);
  f->outputs = memory_alloc((count + 1) * sizeof *f->outputs);
  int status = reached && f->outputs ? filter_normalize(&f->program, &normal) : -ERROR_NO_MEMORY;
  if (status == 0) status = filter_tree_build(&f->tree, &f->program, &normal, reached);
  if (status != 0) report_error(report, ERROR_NO_MEMORY, "no memory for %u patterns", count);
  for (uint32_t i = 0; i < count && status == 0; i++) {
    if (!reached[i]) report_warning(report, "pattern %u matches no packets", i);
  }
  for (uint32_t i = 0; i < count && status == 0; i++) {
    uint32_t output = f->program.rules[i].output;
    f->outputs[i] = (uint16_t)(output == FILTER_NONE ? f->element.output_count + DROP_DENIED : output);
  }
  if (status == 0) f->outputs[count] = (uint16_t)(f->element.output_count + DROP_NO_MATCH);
  filter_normal_free(&normal);
  memory_free(reached);
  return status;
}

static int filter_configure(struct element *e, const struct args *rest, struct report *report) {
  struct ip_filter *f = (struct ip_filter *)e;
  int status = filter_parse(&f->program, rest->values, rest->count, true, e->output_count, e, report);
  return status == 0 ? compile(f, report) : status;
}

static int classifier_configure(struct element *e, const struct args *rest, struct report *report) {
  struct ip_filter *f = (struct ip_filter *)e;
  if (rest->count != e->output_count) {
    return report_error(report, ERROR_INVALID, "need %u arguments, one per output port", e->output_count);
  }
  int status = filter_parse(&f->program, rest->values, rest->count, false, e->output_count, e, report);
  return status == 0 ? compile(f, report) : status;
}

static void filter_push(struct element *e, unsigned port, struct batch *batch) {
  const struct ip_filter *f = (const struct ip_filter *)e;
  uint32_t outputs[BATCH_MAX], none = f->program.rule_count;
  filter_tree_find_all(&f->tree, batch, outputs);
  for (uint32_t i = 0; i < batch->count; i++)
    outputs[i] = f->outputs[outputs[i] == FILTER_NONE ? none : outputs[i]];
  run_split(e, batch, outputs);
}

/* The tree reads the program of the element that it stands in. */
static int filter_reconfigure(struct element *e, struct element *next, struct report *report) {
  struct ip_filter *f = (struct ip_filter *)e, *from = (struct ip_filter *)next, old = *f;
  f->program = from->program;
  f->tree = from->tree;
  f->outputs = from->outputs;
  f->tree.program = &f->program;
  from->program = old.program;
  from->tree = old.tree;
  from->outputs = old.outputs;
  return 0;
}

static void filter_cleanup(struct element *e) {
  struct ip_filter *f = (struct ip_filter *)e;
  filter_program_free(&f->program);
  filter_tree_free(&f->tree);
  memory_free(f->outputs);
  f->outputs = NULL;
}

static int read_program(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                        struct report *report) {
  filter_tree_print(&((struct ip_filter *)owner)->tree, out);
  return 0;
}

static const struct handler filter_handlers[] = {
    {.name = "program", .read = read_program, .help = "the compiled patterns: fields, and the steps of the decision"},
    {0}};

static const char *const filter_drops[] = {"no_match", "denied", NULL};
static const char *const classifier_drops[] = {"no_match", NULL}; /* no pattern of it says drop */

#define SEMANTICS                                                                                                     \
  "Packets need their network header set; CheckIPHeader and MarkIPHeader do that. One without matches only patterns " \
  "that ask nothing of it, such as '-'. A packet goes where the first pattern that it matches says. How long that "   \
  "takes hardly depends on the number of patterns.\n\n"

static const struct element_class ip_filter_class = {
    .name = "IPFilter",
    .purpose = "filters IP packets by contents",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct ip_filter),
    .handlers = filter_handlers,
    .drops = filter_drops,
    .takes_rest = true,
    .example = "IPFilter(allow tcp && dst port 22 && src 10.0.0.0/8, 1 icmp, drop all)",
    .manual =
        "IPFilter(ACTION PATTERN, ...) has any number of outputs. ACTION is the number of an output; allow, which is "
        "0; or drop or deny, which drop the packet. PATTERN is as IPClassifier describes it; an action alone takes "
        "every packet.\n\n" SEMANTICS
        "Without a match a packet is dropped and counted under no_match; what drop and deny take is counted under "
        "denied.",
    .configure = filter_configure,
    .cleanup = filter_cleanup,
    .reconfigure = filter_reconfigure,
    .push = filter_push,
};
ELEMENT(IPFilter, ip_filter_class);

static const struct element_class ip_classifier_class = {
    .name = "IPClassifier",
    .purpose = "sends IP packets to outputs by their contents",
    .ports = "1/-",
    .processing = "h/h",
    .size = sizeof(struct ip_filter),
    .handlers = filter_handlers,
    .drops = classifier_drops,
    .takes_rest = true,
    .example = "c :: IPClassifier(dst tcp port 8000 or 8080, dst tcp port > 1023, icmp type echo, -)",
    .manual =
        "IPClassifier(PATTERN, ...) has as many outputs as patterns. '-', 'all' and 'any' match every packet, 'none' matches "
        "none. Otherwise a pattern combines tests with and (&&, or nothing), or (||), not (!), ?: and parentheses; "
        "the ':' stands between spaces. The tests:\n\n"
        "  ip proto PROTO                      also just PROTO: tcp, udp, icmp ...\n"
        "  [SRCORDST] host ADDRESS             SRCORDST: src, dst, src and dst,\n"
        "                                      src or dst (the default)\n"
        "  [SRCORDST] net ADDRESS/LENGTH       or ADDRESS/MASK, or ADDRESS mask MASK\n"
        "  [SRCORDST] [tcp | udp] port PORT    a number, a name, or a range 80-90\n"
        "  ip vers|hl|tos|dscp|ecn|len|id|ttl NUMBER\n"
        "  ip frag, ip unfrag, ip ect, ip ce\n"
        "  tcp opt FLAG                        syn fin rst psh ack urg\n"
        "  tcp win NUMBER, icmp type TYPE\n"
        "  ip[POS:LEN] NUMBER, transp[POS:LEN] NUMBER, tcp[POS:LEN] NUMBER ...\n"
        "  true, false\n\n"
        "In front of a value may stand = (==), != and, of numbers, < > <= >=, and before that '& MASK'. Names of "
        "AddressInfo and PortInfo may stand for addresses and ports. Most words can be left out where the rest tells: "
        "'syn' is 'tcp opt syn', 'www' is 'port www', and 'src port 80 or 81' repeats 'src port'.\n\n"
        "A test of a port or of the transport header holds for packets of that protocol only, first fragments only, and "
        "only if the packet is long enough; so does '!=', while 'not' in front turns all of that around. Of two ports, "
        "'port != 80' and 'port < 80' speak of both, 'port = 80' and 'port > 80' of either.\n\n" SEMANTICS
        "Without a match a packet is dropped and counted under no_match.",
    .configure = classifier_configure,
    .cleanup = filter_cleanup,
    .reconfigure = filter_reconfigure,
    .push = filter_push,
};
ELEMENT(IPClassifier, ip_classifier_class);
