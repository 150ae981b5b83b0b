/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reference evaluator of IPFilter's patterns: bit by bit.
 */
#include "tests/unit/elements/filter_oracle.h"

struct octets {
  const uint8_t *data;
  size_t length;
};

/* Reads a field bit by bit; false when a bit of it lies outside, even one that does not count. */
static bool read_field(struct octets header, const struct filter_test *test, unsigned place, uint32_t *value) {
  *value = 0;
  for (unsigned bit = 0; bit < 32; bit++) {
    if (!(test->full >> bit & 1)) continue;
    unsigned from_end = test->shift[place] + bit; /* counted from the last bit of the word */
    size_t byte = test->word[place] + 3 - from_end / 8;
    if (byte >= header.length) return false;
    if (test->mask >> bit & 1) *value |= (uint32_t)(header.data[byte] >> (from_end % 8) & 1) << bit;
  }
  return true;
}

static bool test_holds(const struct filter_test *test, struct octets ip) {
  bool has_protocol = ip.length >= 10;
  unsigned protocol = has_protocol ? ip.data[9] : 999;
  if (!ip.data) {
    bool asks = test->header == FILTER_TRANSPORT || test->protocol <= FILTER_TCP_UDP || test->place_count > 0;
    return !asks;
  }
  if (test->protocol < 256 && protocol != test->protocol) return false;
  if (test->protocol == FILTER_TCP_UDP && protocol != 6 && protocol != 17) return false;
  struct octets header = ip;
  if (test->header == FILTER_TRANSPORT) {
    if (!has_protocol) return false;
    size_t header_length = (size_t)(ip.data[0] % 16) * 4;
    bool first = (ip.data[6] & 0x1f) == 0 && ip.data[7] == 0;
    if (!first || header_length < 20 || header_length > ip.length) return false;
    header.data += header_length;
    header.length -= header_length;
  }
  unsigned holding = 0;
  for (unsigned place = 0; place < test->place_count; place++) {
    uint32_t value;
    if (!read_field(header, test, place, &value)) continue;
    bool inside = value >= test->low && value <= test->high;
    if (inside != test->negated) holding++;
  }
  if (test->place_count == 1) return holding == 1;
  /* "neither" is both of two negated; "not both" is one of them. */
  bool one_is_enough = test->negated ? !test->either : test->either;
  return holding == 2 || (one_is_enough && holding == 1);
}

static bool holds(const struct filter_program *program, uint32_t index, struct octets ip) {
  struct filter_node node = program->nodes[index];
  uint32_t child = node.first;
  bool condition;
  switch (node.kind) {
    case FILTER_FALSE:
      return false;
    case FILTER_TEST:
      return test_holds(&program->tests[node.first], ip);
    case FILTER_NOT:
      return !holds(program, node.first, ip);
    case FILTER_AND:
      for (; child != FILTER_NONE; child = program->nodes[child].next)
        if (!holds(program, child, ip)) return false;
      return true;
    case FILTER_OR:
      for (; child != FILTER_NONE; child = program->nodes[child].next)
        if (holds(program, child, ip)) return true;
      return false;
    case FILTER_TERNARY:
      condition = holds(program, child, ip);
      child = program->nodes[child].next;
      return holds(program, condition ? child : program->nodes[child].next, ip);
    default:
      return true;
  }
}

uint32_t filter_oracle(const struct filter_program *program, const uint8_t *ip, size_t length) {
  struct octets octets = {length > 0 ? ip : NULL, ip ? length : 0};
  for (uint32_t rule = 0; rule < program->rule_count; rule++) {
    if (holds(program, program->rules[rule].root, octets)) return rule;
  }
  return FILTER_NONE;
}
