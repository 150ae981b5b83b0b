/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Negations are pushed down to the ranges, where a field that is absent is one more value; then "and" multiplies the boxes of its
 * parts, without those that became empty, and "or" collects them. New boxes go onto the end of the arrays; a step that has made its
 * result moves it to where its operands began.
 */
#include "elements/filter_normal.h"

#include "lib/memory.h"

enum { STATUS_TOO_MANY = 1 }; /* besides 0 and negative codes: the pattern has more boxes than allowed */

struct normalizer {
  const struct filter_program *program;
  struct filter_normal *normal;
  uint32_t rule;
  uint32_t limit; /* of boxes that a product may add */
};

static int reserve(void **array, uint32_t count, uint32_t more, uint32_t *capacity, size_t size) {
  if (count + more <= *capacity) return 0;
  uint32_t larger = *capacity ? *capacity * 2 : 256;
  if (larger < count + more) larger = count + more;
  void *moved = memory_resize(*array, larger * size);
  if (!moved) return -ERROR_NO_MEMORY;
  *array = moved;
  *capacity = larger;
  return 0;
}

static int open_box(struct normalizer *n) {
  struct filter_normal *normal = n->normal;
  int status = reserve((void **)&normal->boxes, normal->box_count, 1, &normal->box_capacity, sizeof *normal->boxes);
  if (status == 0)
    normal->boxes[normal->box_count++] = (struct filter_box){n->rule, normal->range_count, 0, FILTER_NONE};
  return status;
}

static int add_range(struct normalizer *n, struct filter_range range) {
  struct filter_normal *normal = n->normal;
  int status =
      reserve((void **)&normal->ranges, normal->range_count, 1, &normal->range_capacity, sizeof *normal->ranges);
  if (status != 0) return status;
  normal->ranges[normal->range_count++] = range;
  normal->boxes[normal->box_count - 1].count++;
  return 0;
}

static int add_box_of(struct normalizer *n, struct filter_range range) {
  int status = open_box(n);
  return status == 0 ? add_range(n, range) : status;
}

/* --- fields --- */

static int find_field(struct normalizer *n, struct filter_field field, uint16_t *index) {
  struct filter_normal *normal = n->normal;
  for (uint32_t i = 0; i < normal->field_count; i++) {
    const struct filter_field *known = &normal->fields[i];
    if (known->protocol != field.protocol || known->header != field.header || known->shift != field.shift ||
        known->word != field.word || known->mask != field.mask) {
      continue;
    }
    *index = (uint16_t)i;
    return 0;
  }
  if (normal->field_count == UINT16_MAX) return STATUS_TOO_MANY;
  int status =
      reserve((void **)&normal->fields, normal->field_count, 1, &normal->field_capacity, sizeof *normal->fields);
  if (status != 0) return status;
  normal->fields[normal->field_count] = field;
  *index = (uint16_t)normal->field_count++;
  return 0;
}

/* A prefix mask needs no field of its own: it is a range of the whole field. */
static bool is_prefix(uint32_t mask, uint32_t full) {
  uint32_t rest = full & ~mask;
  return (rest & (rest + 1)) == 0;
}

/* The places of a test as ranges of fields. */
struct places {
  unsigned count;
  struct filter_range range[2];
  uint32_t mask;
};

static int find_places(struct normalizer *n, const struct filter_test *test, struct places *places) {
  bool prefix = test->low == test->high && test->mask != 0 && is_prefix(test->mask, test->full);
  bool ports = test->header == FILTER_TRANSPORT && test->protocol < 256 && test->word[0] == 0 && test->full == 0xffff;
  places->count = test->place_count;
  places->mask = prefix ? test->full : test->mask;
  for (unsigned i = 0; i < test->place_count; i++) {
    struct filter_range *range = &places->range[i];
    struct filter_field field = {.protocol = FILTER_NO_PROTOCOL,
                                 .header = test->header,
                                 .shift = test->shift[i],
                                 .word = test->word[i],
                                 .mask = places->mask};
    /* TCP's and UDP's ports are one field, so that rules for both cut the same space. */
    if (test->header == FILTER_TRANSPORT)
      field.protocol = ports && (test->protocol == 6 || test->protocol == 17) ? FILTER_TCP_UDP : test->protocol;
    *range = (struct filter_range){.low = test->low, .high = test->high};
    if (prefix) range->high |= test->full & ~test->mask;
    int status = find_field(n, field, &range->field);
    if (status != 0) return status;
  }
  return 0;
}

/* --- boxes --- */

/* Intersects two boxes into a new one; dropped again when it is empty. */
static int multiply(struct normalizer *n, uint32_t left, uint32_t right) {
  struct filter_normal *normal = n->normal;
  int status = open_box(n);
  if (status != 0) return status;
  uint32_t a = normal->boxes[left].first, a_end = a + normal->boxes[left].count;
  uint32_t b = normal->boxes[right].first, b_end = b + normal->boxes[right].count;
  while (status == 0 && (a < a_end || b < b_end)) {
    struct filter_range range;
    if (b == b_end || (a < a_end && normal->ranges[a].field < normal->ranges[b].field)) {
      range = normal->ranges[a++];
    } else if (a == a_end || normal->ranges[b].field < normal->ranges[a].field) {
      range = normal->ranges[b++];
    } else {
      range = normal->ranges[a++];
      const struct filter_range *other = &normal->ranges[b++];
      if (other->low > range.low) range.low = other->low;
      if (other->high < range.high) range.high = other->high;
      range.absent &= other->absent;
    }
    if (range.low > range.high && !range.absent) {
      normal->range_count = normal->boxes[--normal->box_count].first;
      return 0;
    }
    status = add_range(n, range);
  }
  return status;
}

/* Moves the boxes from `from` to the end down to `to`, and their ranges to `range_to`. */
static void move_down(struct filter_normal *normal, uint32_t to, uint32_t from, uint32_t range_to) {
  for (; from < normal->box_count; from++, to++) {
    struct filter_box box = normal->boxes[from];
    memmove(normal->ranges + range_to, normal->ranges + box.first, box.count * sizeof *normal->ranges);
    box.first = range_to;
    range_to += box.count;
    normal->boxes[to] = box;
  }
  normal->box_count = to;
  normal->range_count = range_to;
}

/* Replaces boxes [start, middle) and [middle, end) by their products. On STATUS_TOO_MANY only the first are left. */
static int multiply_all(struct normalizer *n, uint32_t start, uint32_t middle) {
  struct filter_normal *normal = n->normal;
  uint32_t end = normal->box_count;
  if (start == middle) {
    normal->box_count = middle;
    return 0;
  }
  uint32_t range_start = normal->boxes[start].first;
  uint32_t range_middle = middle < end ? normal->boxes[middle].first : normal->range_count;
  uint64_t work = (uint64_t)(middle - start) * (end - middle);
  for (uint32_t i = start; i < middle; i++) {
    for (uint32_t k = middle; k < end; k++) {
      int status = multiply(n, i, k);
      if (status == 0 && (work > FILTER_PRODUCT_WORK || normal->box_count - end > n->limit + (end - start))) {
        normal->box_count = middle;
        normal->range_count = range_middle;
        status = STATUS_TOO_MANY;
      }
      if (status != 0) return status;
    }
  }
  move_down(normal, start, end, range_start);
  return 0;
}

/* --- tests --- */

/* Boxes of one place: its value is in the range (or, negated, outside); `inverse`: and the opposite of that, absent included. */
static int add_place(struct normalizer *n, const struct filter_range *range, uint32_t mask, bool negated,
                     bool inverse) {
  struct filter_range inside = *range;
  inside.absent = inverse;
  if (negated == inverse) return inside.low <= inside.high || inverse ? add_box_of(n, inside) : 0;
  if (range->low > range->high) {
    inside.low = 0;
    inside.high = mask;
    return add_box_of(n, inside);
  }
  int status = 0;
  struct filter_range below = inside, above = inside;
  below.low = 0;
  below.high = range->low - 1;
  below.absent = false;
  above.low = range->high + 1;
  above.high = mask;
  if (range->high >= mask) {
    above.low = 1;
    above.high = 0;
  }
  if (range->low > 0) status = add_box_of(n, below);
  if (status == 0 && (above.low <= above.high || inverse)) status = add_box_of(n, above);
  return status;
}

static int add_protocol(struct normalizer *n, const struct filter_test *test, bool inverse) {
  bool transport = test->header == FILTER_TRANSPORT;
  /* Fields of the transport header are absent in packets of another protocol; but see find_places. That it is of
   * this protocol is said all the same where it can be: it shows which patterns contain others. */
  bool implied =
      transport && !(test->full == 0xffff && test->word[0] == 0 && (test->protocol == 6 || test->protocol == 17));
  bool needless = test->protocol >= FILTER_ANY_PROTOCOL || (implied && test->protocol == FILTER_TCP_UDP);
  if (implied && inverse) return 0;
  if (needless) return inverse ? 0 : open_box(n);
  struct filter_field field = {
      .protocol = FILTER_NO_PROTOCOL, .header = FILTER_IP, .shift = 16, .word = 8, .mask = 0xff};
  struct filter_range range = {0};
  int status = find_field(n, field, &range.field);
  bool both = test->protocol == FILTER_TCP_UDP;
  range.low = range.high = both ? 6 : test->protocol;
  if (status != 0) return status;
  if (!both) return add_place(n, &range, 0xff, false, inverse);
  if (!inverse) {
    status = add_box_of(n, range);
    range.low = range.high = 17;
    return status == 0 ? add_box_of(n, range) : status;
  }
  static const uint8_t gaps[3][2] = {{0, 5}, {7, 16}, {18, 255}};
  for (unsigned i = 0; i < 3 && status == 0; i++) {
    range.low = gaps[i][0];
    range.high = gaps[i][1];
    range.absent = i == 2;
    status = add_box_of(n, range);
  }
  return status;
}

static int add_test(struct normalizer *n, const struct filter_test *test, bool inverse) {
  struct places places;
  int status = find_places(n, test, &places);
  if (status != 0) return status;
  uint32_t start = n->normal->box_count;
  status = add_protocol(n, test, inverse);
  if (status != 0) return status;
  uint32_t middle = n->normal->box_count;
  /* "either" of two, seen through the negations; one place is both at once. */
  bool either = (test->either != test->negated) != inverse;
  for (unsigned i = 0; i < places.count && status == 0; i++) {
    uint32_t before = n->normal->box_count;
    status = add_place(n, &places.range[i], places.mask, test->negated, inverse);
    if (status == 0 && i == 1 && !either) status = multiply_all(n, middle, before);
  }
  if (status == 0 && !inverse) status = multiply_all(n, start, middle);
  return status;
}

/* --- expressions --- */

static int add_expression(struct normalizer *n, uint32_t index, bool inverse);

static int add_product(struct normalizer *n, uint32_t start, uint32_t child, bool inverse) {
  uint32_t middle = n->normal->box_count;
  int status = add_expression(n, child, inverse);
  return status == 0 ? multiply_all(n, start, middle) : status;
}

/* condition ? then : other, which is condition && then || !condition && other. */
static int add_ternary(struct normalizer *n, uint32_t condition, bool inverse) {
  uint32_t then = n->program->nodes[condition].next, other = n->program->nodes[then].next;
  uint32_t start = n->normal->box_count;
  int status = add_expression(n, condition, false);
  if (status == 0) status = add_product(n, start, then, inverse);
  uint32_t middle = n->normal->box_count;
  if (status == 0) status = add_expression(n, condition, true);
  if (status == 0) status = add_product(n, middle, other, inverse);
  return status;
}

static int add_children(struct normalizer *n, uint32_t child, bool every, bool inverse) {
  uint32_t start = n->normal->box_count;
  int status = every ? open_box(n) : 0;
  for (; child != FILTER_NONE && status == 0; child = n->program->nodes[child].next) {
    status = every ? add_product(n, start, child, inverse) : add_expression(n, child, inverse);
    if (status == 0 && n->normal->box_count > FILTER_MANY_BOXES && n->normal->box_count - start > FILTER_FEW_BOXES) {
      status = STATUS_TOO_MANY;
    }
  }
  return status;
}

/* Appends the boxes of a node, or of its opposite. Recursion is bounded by FILTER_MAX_DEPTH. */
static int add_expression(struct normalizer *n, uint32_t index, bool inverse) {
  const struct filter_node *node = &n->program->nodes[index];
  switch (node->kind) {
    case FILTER_TEST:
      return add_test(n, &n->program->tests[node->first], inverse);
    case FILTER_NOT:
      return add_expression(n, node->first, !inverse);
    case FILTER_AND:
    case FILTER_OR:
      return add_children(n, node->first, (node->kind == FILTER_AND) != inverse, inverse);
    case FILTER_TERNARY:
      return add_ternary(n, node->first, inverse);
    default:
      return (node->kind == FILTER_TRUE) != inverse ? open_box(n) : 0;
  }
}

/* A pattern with too many boxes: those of its factors that fit, and the pattern itself for what is inside. */
static int add_approximation(struct normalizer *n, uint32_t root, uint32_t start) {
  struct filter_normal *normal = n->normal;
  uint32_t index = root;
  bool inverse = false;
  while (n->program->nodes[index].kind == FILTER_NOT) {
    inverse = !inverse;
    index = n->program->nodes[index].first;
  }
  const struct filter_node *node = &n->program->nodes[index];
  int status = open_box(n);
  bool every = node->kind == (inverse ? FILTER_OR : FILTER_AND);
  for (uint32_t child = every ? node->first : FILTER_NONE; child != FILTER_NONE && status == 0;
       child = n->program->nodes[child].next) {
    uint32_t middle = normal->box_count, range_start = normal->range_count;
    status = add_product(n, start, child, inverse);
    if (status != STATUS_TOO_MANY) continue;
    normal->box_count = middle;
    normal->range_count = range_start;
    status = 0;
  }
  for (uint32_t i = start; i < normal->box_count; i++)
    normal->boxes[i].residual = root;
  return status;
}

int filter_normalize(const struct filter_program *program, struct filter_normal *normal) {
  *normal = (struct filter_normal){0};
  struct normalizer n = {.program = program, .normal = normal};
  /* Arrays that are there even if nothing comes into them. */
  int status = reserve((void **)&normal->boxes, 0, 1, &normal->box_capacity, sizeof *normal->boxes);
  if (status == 0) status = reserve((void **)&normal->ranges, 0, 1, &normal->range_capacity, sizeof *normal->ranges);
  for (uint32_t i = 0; i < program->rule_count && status == 0; i++) {
    uint32_t start = normal->box_count, range_start = normal->range_count;
    n.rule = i;
    n.limit = start < FILTER_MANY_BOXES ? FILTER_PRODUCT_BOXES : 0;
    status = add_expression(&n, program->rules[i].root, false);
    if (status == STATUS_TOO_MANY) {
      normal->box_count = start;
      normal->range_count = range_start;
      status = add_approximation(&n, program->rules[i].root, start);
    }
  }
  if (status != 0) filter_normal_free(normal);
  return status;
}

void filter_normal_free(struct filter_normal *normal) {
  memory_free(normal->fields);
  memory_free(normal->boxes);
  memory_free(normal->ranges);
  *normal = (struct filter_normal){0};
}

/* --- evaluation --- */

uint64_t filter_field_tail(const uint8_t *word, const struct filter_field *field, const uint8_t *end) {
  uint32_t value = 0;
  for (unsigned i = 0; i < 4; i++)
    value = value << 8 | (word + i < end ? word[i] : 0u);
  return (value >> field->shift) & field->mask;
}

static bool test_holds(const struct filter_test *test, const struct filter_view *view) {
  if (!filter_protocol_holds(view, test->protocol)) return false;
  bool either = test->either != test->negated;
  bool all = true, any = false;
  for (unsigned i = 0; i < test->place_count; i++) {
    struct filter_field field = {.protocol = FILTER_NO_PROTOCOL,
                                 .header = test->header,
                                 .shift = test->shift[i],
                                 .word = test->word[i],
                                 .mask = test->mask};
    uint64_t value = filter_field_value(view, &field);
    bool holds = value != FILTER_ABSENT && (value >= test->low && value <= test->high) != test->negated;
    all &= holds;
    any |= holds;
  }
  return either ? any : all;
}

bool filter_expression_holds(const struct filter_program *program, uint32_t index, const struct filter_view *view) {
  const struct filter_node *node = &program->nodes[index];
  uint32_t child = node->first;
  switch (node->kind) {
    case FILTER_TEST:
      return test_holds(&program->tests[node->first], view);
    case FILTER_NOT:
      return !filter_expression_holds(program, node->first, view);
    case FILTER_AND:
    case FILTER_OR:
      for (; child != FILTER_NONE; child = program->nodes[child].next) {
        if (filter_expression_holds(program, child, view) == (node->kind == FILTER_OR)) break;
      }
      return (child != FILTER_NONE) == (node->kind == FILTER_OR);
    case FILTER_TERNARY: {
      uint32_t then = program->nodes[child].next;
      return filter_expression_holds(program, child, view)
                 ? filter_expression_holds(program, then, view)
                 : filter_expression_holds(program, program->nodes[then].next, view);
    }
    default:
      return node->kind == FILTER_TRUE;
  }
}
