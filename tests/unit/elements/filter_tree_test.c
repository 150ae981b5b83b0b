/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The decision tree of IPFilter and IPClassifier against the slow evaluator, with rules and packets made by chance, and what it takes in
 * memory.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "tests/unit/elements/filter_compiled.h"
#include "tests/unit/elements/filter_oracle.h"

static uint32_t seed;
static uint32_t chance(uint32_t below) {
  seed = seed * 1664525 + 1013904223;
  return (seed >> 8) % below;
}
static const char *pick(const char *const *words) {
  uint32_t count = 0;
  while (words[count])
    count++;
  return words[chance(count)];
}

/* Values are drawn from few, so that rules and packets meet. */
static const uint32_t numbers[] = {0,  1,  2,  3,   5,   6,    17,   22,   53,    63,    64,
                                   79, 80, 81, 255, 256, 1023, 1024, 1025, 32768, 65534, 65535};
static uint32_t number(uint32_t most) {
  for (;;) {
    uint32_t value = numbers[chance(sizeof numbers / sizeof *numbers)];
    if (value <= most) return value;
  }
}

static void random_test(struct text *out) {
  static const char *const directions[] = {"", "src ", "dst ", "src and dst ", "src or dst ", NULL};
  static const char *const relations[] = {"", "= ", "!= ", "< ", "> ", "<= ", ">= ", NULL};
  static const char *const words[] = {"tcp",    "udp",    "icmp",   "ip frag",        "ip unfrag",
                                      "ip ect", "ip ce",  "syn",    "tcp opt ack",    "true",
                                      "false",  "tcpudp", "transp", "icmp type echo", NULL};
  static const char *const protocols[] = {"", "tcp ", "udp ", NULL};
  static const struct {
    const char *name;
    uint32_t most;
  } fields[] = {{"ip ttl", 255},     {"ip tos", 255},       {"ip dscp", 63},
                {"ip id", 65535},    {"ip len", 65535},     {"ip hl", 15},
                {"ip proto", 255},   {"tcp win", 65535},    {"icmp type", 255},
                {"ip[1]", 255},      {"tcp[2:2]", 65535},   {"transp[0:4]", 65535},
                {"udp[4:2]", 65535}, {"ip[3] & 0x55", 255}, {"tcp[0:2] & 0x0ff5", 65535},
                {"ip vers", 15}};
  switch (chance(6)) {
    case 0:
      text_addf(out, "%shost %s10.0.%u.%u", pick(directions), chance(4) ? "" : "!= ", chance(2), chance(4));
      break;
    case 1:
      text_addf(out, "%snet %s10.0.%u.0/%u", pick(directions), chance(4) ? "" : "!= ", chance(3), number(32));
      break;
    case 2:
      text_addf(out, "%s%sport %s%u", pick(directions), pick(protocols), pick(relations), number(65535));
      break;
    case 3: {
      uint32_t low = number(65535);
      text_addf(out, "%s%sport %u-%u", pick(directions), pick(protocols), low, low + chance(65536 - low));
      break;
    }
    case 4: {
      uint32_t field = chance(sizeof fields / sizeof *fields);
      text_addf(out, "%s %s%u", fields[field].name, pick(relations), number(fields[field].most));
      break;
    }
    default:
      text_add(out, pick(words));
  }
}

static void random_expression(struct text *out, unsigned depth) {
  static const char *const connectives[] = {" and ", " or ", " && ", " || ", NULL};
  if (depth == 0 || chance(3) == 0) {
    if (chance(5) == 0) text_add(out, "not ");
    random_test(out);
  } else if (chance(8) == 0) {
    text_add(out, "(");
    random_expression(out, depth - 1);
    text_add(out, " ? ");
    random_expression(out, depth - 1);
    text_add(out, " : ");
    random_expression(out, depth - 1);
    text_add(out, ")");
  } else {
    text_add(out, chance(4) ? "(" : "not (");
    random_expression(out, depth - 1);
    text_add(out, pick(connectives));
    random_expression(out, depth - 1);
    text_add(out, ")");
  }
}

/* The usual rule of a firewall: a conjunction. */
static void random_tuple(struct text *out) {
  text_addf(out, "src net 10.0.%u.%u/%u && dst net 10.%u.0.0/%u", chance(3), chance(256), 8 + chance(25), chance(3),
            8 + chance(25));
  if (chance(2)) text_addf(out, " && tcp dst port %u", number(65535));
  if (chance(3) == 0) text_addf(out, " && src port > %u", number(65535));
}

static size_t random_packet(uint8_t *bytes) {
  size_t header = 4 * (chance(8) ? 5 + chance(2) : chance(16)), length = 60;
  for (size_t i = 0; i < length; i++)
    bytes[i] = (uint8_t)numbers[chance(15)];
  bytes[0] = (uint8_t)(0x40 | header / 4);
  store_be16(bytes + 4, (uint16_t)number(65535));
  store_be16(bytes + 6, chance(4) ? 0 : (uint16_t)(chance(2) ? 0x2000 : numbers[chance(22)]));
  static const uint8_t protocols[] = {1, 2, 6, 6, 6, 17, 17, 255};
  bytes[9] = protocols[chance(8)];
  for (unsigned i = 0; i < 2; i++)
    store_be32(bytes + 12 + 4 * i, 0x0a000000 | chance(3) << 16 | chance(3) << 8 | chance(4));
  if (header < 56) {
    store_be16(bytes + header, (uint16_t)(number(65535) + chance(2)));
    store_be16(bytes + header + 2, (uint16_t)(number(65535) - chance(2)));
  }
  return chance(4) ? length : chance(61);
}

/* What a batch is made of: each packet ends its block, so that a sanitizer sees a read behind it. */
enum { TOGETHER = 80, MADE = 400 };

static struct packet *make_packet(uint32_t *length) {
  uint8_t bytes[60];
  *length = (uint32_t)random_packet(bytes);
  size_t size = sizeof(struct packet) + *length;
  struct packet *p = NULL;
  assert_int_equal(posix_memalign((void **)&p, _Alignof(struct packet), size), 0);
  *p = (struct packet){.data = (uint8_t *)(p + 1), .length = *length};
  memcpy(p->data, bytes, *length);
  if (*length > 0) p->network_header = sizeof *p;
  return p;
}

/* One batch through the tree, against the oracle. */
static void check_batch(const struct compiled *c, char *const *patterns, uint32_t round) {
  static struct batch batch;
  uint32_t lengths[TOGETHER], rules[TOGETHER];
  for (batch.count = 0; batch.count < TOGETHER; batch.count++)
    batch.packet[batch.count] = make_packet(&lengths[batch.count]);
  filter_tree_find_all(&c->tree, &batch, rules);
  for (uint32_t i = 0; i < TOGETHER; i++) {
    struct packet *p = batch.packet[i];
    const uint8_t *ip = p->network_header ? p->data : NULL;
    uint32_t slow = filter_oracle(&c->program, ip, lengths[i]);
    if (rules[i] != slow || filter_tree_find(&c->tree, ip, p->data + lengths[i]) != slow) {
      fail_msg("round %u, packet %u: tree %u (%s), oracle %u (%s)", round, i, rules[i],
               rules[i] == FILTER_NONE ? "none" : patterns[rules[i]], slow,
               slow == FILTER_NONE ? "none" : patterns[slow]);
    }
    assert_true(slow == FILTER_NONE || c->reached[slow]);
    free(p);
  }
}

/* Long chains in which every rule is a little wider than those before, or narrower, in two fields. */
static void chain_rule(struct text *out, uint32_t i) {
  uint32_t low = 1000 - 3 * (i % 300), high = 1000 + 5 * (i % 300);
  text_addf(out, "dst port %u-%u && src net 10.%u.%u.0/%u", low, high, i % 3, i % 5, 24 - i % 17);
  if (chance(8) == 0) text_addf(out, " && ip tos %u", number(255));
}

/* Any packet goes where the slow evaluator, which goes through the rules one by one, sends it; whatever the rules, alone or in a
 * batch. A rule that the tree holds for unreachable is never the first. */
static void agrees_with_oracle(void **state) {
  for (uint32_t round = 0; round < 600; round++) {
    seed = round;
    uint32_t count = round % 7 == 0 ? 100 + chance(300) : 1 + chance(30);
    char **patterns = test_calloc(count, sizeof *patterns);
    for (uint32_t i = 0; i < count; i++) {
      struct text text = {0};
      if (round % 3 == 0) {
        random_tuple(&text);
      } else if (round % 6 == 1) {
        chain_rule(&text, i);
      } else if (round % 3 == 1) {
        text_addf(&text, "tcp dst port %u-%u", i * 7 % 1000, i * 7 % 1000 + chance(400));
        if (chance(3) == 0) text_add(&text, " && ip ttl > 5");
      } else {
        random_expression(&text, round % 2 ? 3 : 1);
      }
      patterns[i] = text.data;
    }
    struct compiled c;
    struct report report = {0};
    if (compile(&c, patterns, count, &report) != 0) fail_msg("round %u: %s", round, text_string(&report.text));
    for (uint32_t i = 0; i < MADE; i += TOGETHER)
      check_batch(&c, patterns, round);
    for (uint32_t i = 0; i < count; i++)
      memory_free(patterns[i]);
    test_free(patterns);
    report_free(&report);
    discard(&c);
  }
}

/* A pattern that would fall into 2^20 boxes is matched all the same, and in little memory. */
static void holds_explosive_patterns(void **state) {
  struct text text = {0};
  for (unsigned i = 0; i < 20; i++)
    text_addf(&text, "%s(ip[%u] > %u or ip[%u] < %u)", i ? " and " : "", i, i * 3, i, i);
  struct compiled c;
  struct report report = {0};
  assert_int_equal(compile(&c, &text.data, 1, &report), 0);
  report_free(&report);
  assert_true(c.normal.box_count < 2000);
  for (uint32_t i = 0; i < 2000; i++) {
    uint8_t packet[60];
    size_t length = random_packet(packet);
    if (i % 4) memset(packet, (int)(60 + i % 8), 20);
    assert_int_equal(filter_tree_find(&c.tree, packet, packet + length), filter_oracle(&c.program, packet, length));
  }
  discard(&c);
  text_free(&text);
}

/* Ten thousand rules take memory in proportion, whatever they are: wide, nested and crossing ranges. */
static void stays_small(void **state) {
  enum { RULES = 10000 };
  static char *patterns[RULES];
  for (unsigned kind = 0; kind < 4; kind++) {
    for (unsigned i = 0; i < RULES; i++) {
      struct text text = {0};
      if (kind == 0) text_addf(&text, "dst tcp port %u", i);
      if (kind == 1) text_addf(&text, "port > %u", i);
      if (kind == 2) text_addf(&text, "src port %u-%u && dst port %u-%u", i, 65535 - i, RULES - i, 20000 + i);
      if (kind == 3) {
        text_addf(&text, "src 10.%u.%u.0/24 && dst 10.%u.0.0/16 && tcp && dst port %u", i % 50, i % 256, i % 200,
                  i % 1000);
      }
      patterns[i] = text.data;
    }
    struct compiled c;
    assert_int_equal(compile(&c, patterns, RULES, NULL), 0);
    assert_true((uint64_t)c.tree.word_count * 4 + c.tree.node_count * sizeof *c.tree.nodes < 24u << 20);
    seed = kind;
    for (uint32_t i = 0; i < 200; i++) {
      uint8_t packet[60];
      size_t length = random_packet(packet);
      assert_int_equal(filter_tree_find(&c.tree, packet, packet + length), filter_oracle(&c.program, packet, length));
    }
    discard(&c);
    for (unsigned i = 0; i < RULES; i++)
      memory_free(patterns[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_oracle),
      cmocka_unit_test(holds_explosive_patterns),
      cmocka_unit_test(stays_small),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
