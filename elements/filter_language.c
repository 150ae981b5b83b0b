/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parser of IPFilter's patterns. A recursive descent over words:
 *   expression ::= or [? expression : expression]      or ::= and (|| and)...      and ::= factor ([&&] factor)...
 *   factor ::= ! factor | ( expression ) | true | false | test
 */
#include "elements/filter_language.h"

#include "click/number.h"
#include "elements/filter_parser.h"
#include "lib/memory.h"

/* --- nodes --- */

static uint32_t add_node(struct filter_parser *p, enum filter_kind kind, uint32_t first) {
  struct filter_program *program = p->program;
  void *moved = filter_grow(p, program->nodes, program->node_count, &program->node_capacity, sizeof *program->nodes);
  if (!moved) return FILTER_NONE;
  program->nodes = moved;
  program->nodes[program->node_count] = (struct filter_node){kind, first, FILTER_NONE};
  return program->node_count++;
}

/* A list of children while it grows. */
struct children {
  uint32_t first, last, count;
};

static void add_child(struct filter_parser *p, struct children *children, uint32_t node) {
  if (node == FILTER_NONE) return;
  if (children->count++ == 0) {
    children->first = node;
  } else {
    p->program->nodes[children->last].next = node;
  }
  children->last = node;
}

static uint32_t join(struct filter_parser *p, enum filter_kind kind, const struct children *children) {
  if (children->count == 0) return FILTER_NONE;
  return children->count == 1 ? children->first : add_node(p, kind, children->first);
}

static uint32_t add_test(struct filter_parser *p, const struct filter_test *test) {
  struct filter_program *program = p->program;
  void *moved = filter_grow(p, program->tests, program->test_count, &program->test_capacity, sizeof *program->tests);
  if (!moved) return FILTER_NONE;
  program->tests = moved;
  program->tests[program->test_count] = *test;
  return add_node(p, FILTER_TEST, program->test_count++);
}

static uint32_t parse_test(struct filter_parser *p) {
  struct filter_test test;
  bool negated;
  if (!filter_parse_test(p, &test, &negated)) return FILTER_NONE;
  uint32_t node = add_test(p, &test);
  return negated && node != FILTER_NONE ? add_node(p, FILTER_NOT, node) : node;
}

/* --- expressions --- */

static uint32_t parse_expression(struct filter_parser *p);

static bool factor_ends(const struct filter_parser *p) {
  return p->at >= p->count || filter_next_is(p, ")") || filter_next_is_any(p, "||", "or") ||
         filter_next_is_any(p, "?", ":");
}

static uint32_t parse_factor(struct filter_parser *p) {
  bool negated = false;
  uint32_t node;
  while (filter_next_is_any(p, "not", "!")) {
    negated = !negated;
    p->at++;
    if (factor_ends(p)) filter_complain(p, "missing expression after 'not'");
  }
  if (factor_ends(p)) return FILTER_NONE;
  if (filter_take(p, "true", "true")) {
    node = add_node(p, FILTER_TRUE, FILTER_NONE);
  } else if (filter_take(p, "false", "false")) {
    node = add_node(p, FILTER_FALSE, FILTER_NONE);
  } else if (filter_take(p, "(", "(")) {
    node = parse_expression(p);
    if (!filter_take(p, ")", ")")) filter_complain(p, "missing ')'");
  } else {
    node = parse_test(p);
  }
  return negated && node != FILTER_NONE ? add_node(p, FILTER_NOT, node) : node;
}

static uint32_t parse_and(struct filter_parser *p) {
  struct children children = {0};
  bool wanted = true; /* an operator asks for what follows it */
  while (!factor_ends(p)) {
    add_child(p, &children, parse_factor(p));
    wanted = filter_take(p, "and", "&&");
  }
  if (wanted) filter_complain(p, "missing expression");
  return join(p, FILTER_AND, &children);
}

static uint32_t parse_or(struct filter_parser *p) {
  struct children children = {0};
  do
    add_child(p, &children, parse_and(p));
  while (filter_take(p, "or", "||"));
  return join(p, FILTER_OR, &children);
}

static uint32_t parse_expression(struct filter_parser *p) {
  if (++p->depth > FILTER_MAX_DEPTH) {
    filter_complain(p, "nested more than %d deep; split the pattern", FILTER_MAX_DEPTH);
    p->at = p->count;
    p->depth--;
    return FILTER_NONE;
  }
  uint32_t node = parse_or(p);
  if (filter_take(p, "?", "?")) {
    struct children children = {0};
    add_child(p, &children, node);
    add_child(p, &children, parse_expression(p));
    if (filter_take(p, ":", ":")) {
      add_child(p, &children, parse_expression(p));
    } else {
      filter_complain(p, "missing ':' in ternary expression");
    }
    /* With fewer there was an error. */
    node = children.count == 3 ? add_node(p, FILTER_TERNARY, children.first) : FILTER_NONE;
  }
  p->depth--;
  return node;
}

/* --- patterns --- */

static uint32_t parse_action(struct filter_parser *p, uint32_t outputs) {
  struct slice action = filter_word(p);
  p->at++;
  uint64_t number;
  if (slice_equals(action, "allow")) {
    if (outputs == 0) filter_complain(p, "'allow' is meaningless, element has zero outputs");
    return 0;
  }
  if (slice_equals(action, "deny")) {
    if (outputs > 1) {
      report_warning(p->report, "pattern %u: meaning of 'deny' has changed (now it means 'drop')", p->number);
    }
    return FILTER_NONE;
  }
  if (slice_equals(action, "drop")) return FILTER_NONE;
  if (number_unsigned(action, UINT32_MAX, &number) != 0) {
    filter_complain(p, "unknown slot ID '%.*s'", (int)action.length, action.data);
  } else if (number >= outputs) {
    filter_complain(p, "slot '%u' out of range", (unsigned)number);
  } else {
    return (uint32_t)number;
  }
  return FILTER_NONE;
}

static uint32_t parse_pattern(struct filter_parser *p) {
  bool one = p->at + 1 == p->count;
  if (p->at == p->count || (one && (filter_next_is_any(p, "-", "any") || filter_next_is(p, "all"))))
    return add_node(p, FILTER_TRUE, FILTER_NONE);
  if (one && filter_next_is(p, "none")) return add_node(p, FILTER_FALSE, FILTER_NONE);
  uint32_t root = parse_expression(p);
  if (p->at < p->count && p->status == 0) {
    filter_complain(p, "garbage after expression at '%.*s'", (int)filter_word(p).length, filter_word(p).data);
  }
  return root;
}

int filter_parse(struct filter_program *program, char *const *patterns, uint32_t count, bool actions, uint32_t outputs,
                 const struct element *context, struct report *report) {
  *program = (struct filter_program){0};
  if (count > FILTER_MAX_RULES) {
    return report_error(report, ERROR_TOO_BIG, "%u patterns, over %d", count, FILTER_MAX_RULES);
  }
  struct filter_parser p = {.program = program, .context = context, .report = report};
  int status = 0;
  program->rules = memory_alloc((count + 1) * sizeof *program->rules);
  if (!program->rules) status = report_error(report, ERROR_NO_MEMORY, "no memory for %u patterns", count);
  for (uint32_t i = 0; i < count && status != -ERROR_NO_MEMORY; i++) {
    p.number = i;
    p.status = 0;
    p.depth = 0;
    p.before = (struct filter_primitive){.protocol = FILTER_NO_PROTOCOL};
    filter_split_words(&p, patterns[i]);
    struct filter_rule rule = {FILTER_NONE, i};
    if (p.count == 0) {
      filter_complain(&p, "empty pattern");
    } else {
      if (actions) rule.output = parse_action(&p, outputs);
      rule.root = parse_pattern(&p);
    }
    if (p.status != 0) status = p.status;
    program->rules[program->rule_count++] = rule;
  }
  memory_free(p.words);
  if (status != 0) filter_program_free(program);
  return status;
}

void filter_program_free(struct filter_program *program) {
  memory_free(program->rules);
  memory_free(program->nodes);
  memory_free(program->tests);
  *program = (struct filter_program){0};
}
