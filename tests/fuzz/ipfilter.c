/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzzes IPFilter's language and its decision tree: the input is patterns, one a line, an empty line, and bytes of a packet. What
 * the parser takes, tree and slow evaluator must agree on, for the packet and each of its beginnings.
 */
#include <stdlib.h>
#include <string.h>

#include "elements/filter_tree.h"
#include "tests/unit/elements/filter_oracle.h"

enum { MOST_PATTERNS = 64, LONGEST_PACKET = 128 };

static void check(const struct filter_program *program, uint32_t count, const uint8_t *packet, size_t length) {
  struct filter_normal normal;
  struct filter_tree tree;
  bool reached[MOST_PATTERNS] = {false};
  if (filter_normalize(program, &normal) != 0) abort();
  if (filter_tree_build(&tree, program, &normal, reached) != 0) abort();
  for (size_t n = 0; n <= length; n++) {
    uint32_t rule = filter_tree_find(&tree, packet, packet + n);
    if (rule != filter_oracle(program, packet, n)) abort();
    if (rule != FILTER_NONE && !reached[rule]) abort();
  }
  if (filter_tree_find(&tree, NULL, packet) != filter_oracle(program, NULL, 0)) abort();
  filter_tree_free(&tree);
  filter_normal_free(&normal);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1), *patterns[MOST_PATTERNS];
  memcpy(text, data, size);
  text[size] = '\0';
  char *at = text;
  uint32_t count = 0;
  while (count < MOST_PATTERNS && *at && *at != '\n') {
    patterns[count++] = at;
    at += strcspn(at, "\n");
    if (*at) *at++ = '\0';
  }
  if (*at == '\n') at++;
  size_t length = (size_t)(text + size - at);
  if (length > LONGEST_PACKET) length = LONGEST_PACKET;
  struct report report = {0};
  struct filter_program program;
  if (filter_parse(&program, patterns, count, false, count, NULL, &report) == 0) {
    /* A block of its own, so that a sanitizer sees a read behind the end. */
    uint8_t *packet = malloc(length + 1);
    memcpy(packet, at, length);
    check(&program, count, packet, length);
    free(packet);
    filter_program_free(&program);
  }
  report_free(&report);
  free(text);
  return 0;
}
