/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How long verification takes: our verifier, the check of the proof that it found, and, with -l, Linux's verifier on the same object, by
 * turns so that whatever else the machine does meets all alike. One line of JSON for each object, medians.
 *
 * usage: verify [-l] [-r ROUNDS] OBJECT:FUNCTION...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/memory.h"
#include "tests/verify/linux_verifier.h"
#include "tools/file.h"
#include "verifier/verify.h"
#include "verifier/verify_subject.h"

enum { ROUNDS_MOST = 101, OBJECT_MOST = 16 << 20, PATH_MOST = 1024, CHECKS = 9 };
static const uint64_t turns_ns = 500000000; /* for one object, at most; the first turn is always finished */

struct times {
  double verifier[ROUNDS_MOST], checker[ROUNDS_MOST], linux_verifier[ROUNDS_MOST]; /* us */
  unsigned count;
};

static _Noreturn void fail(const char *what, const char *which) {
  fprintf(stderr, "verify: %s: %s\n", which, what);
  exit(1);
}

/* Microseconds of the fastest of some checks: the first of them loads the caches. */
static double time_check(const struct proof_input *input, const struct verify_result *result, size_t *arena_size) {
  const uint8_t *proof = (const uint8_t *)result->proof.data;
  *arena_size = proof_check_memory(input, proof, result->proof.length);
  void *arena = memory_alloc(*arena_size);
  struct bpf_fact *facts = memory_alloc(input->insn_count * sizeof *facts);
  struct proof_verdict *verdict = memory_alloc(sizeof *verdict);
  if (arena == NULL || facts == NULL || verdict == NULL) fail("no memory", "proof");
  double best = 1e12;
  for (int i = 0; i < CHECKS; i++) {
    uint64_t from = measure_busy();
    if (!proof_check(input, proof, result->proof.length, arena, facts, verdict))
      fail("the checker refuses it", "proof");
    double took = (double)(measure_busy() - from) / 1e3;
    if (took < best) best = took;
  }
  memory_free(arena);
  memory_free(facts);
  memory_free(verdict);
  return best;
}

static void print_one(const char *object, const char *function, const struct subject *subject, unsigned rounds,
                      bool with_linux) {
  const struct proof_input *input = &subject->in->input;
  static struct times times;
  static struct verify_result result;
  struct linux_verdict said = {.answer = LINUX_SILENT};
  size_t arena = 0;
  uint64_t until = measure_busy() + turns_ns;
  for (times.count = 0; times.count < rounds && (times.count == 0 || measure_busy() < until); times.count++) {
    if (times.count > 0) verify_free(&result);
    uint64_t from = measure_busy();
    subject_verify(subject, &result);
    times.verifier[times.count] = (double)(measure_busy() - from) / 1e3;
    times.checker[times.count] = result.end == VERIFY_PROVEN ? time_check(input, &result, &arena) : 0;
    if (with_linux) linux_verify(object, &said);
    times.linux_verifier[times.count] = said.microseconds;
  }
  printf(
      "{\"object\": \"%s\", \"program\": \"%s\", \"instructions\": %u, \"accepted\": %s, \"microseconds\": %.1f, \"passes\": %u, "
      "\"work\": %llu, \"memory\": %zu, \"proof\": %zu, \"bound\": %u, \"check\": %.1f, \"arena\": %zu",
      object, function, input->insn_count, result.end == VERIFY_PROVEN ? "true" : "false",
      measure_median(times.verifier, times.count), result.statistics.passes, (unsigned long long)result.statistics.work,
      result.statistics.memory, result.proof.length,
      result.end == VERIFY_PROVEN ? result.verdict.root[0].cost.insns : 0, measure_median(times.checker, times.count),
      arena);
  if (with_linux && said.answer != LINUX_SILENT)
    printf(", \"linux\": {\"accepted\": %s, \"microseconds\": %.1f, \"processed\": %u, \"why\": \"%s\"}",
           said.answer == LINUX_ACCEPTS ? "true" : "false", measure_median(times.linux_verifier, times.count),
           said.processed, said.why);
  printf("}\n");
  fflush(stdout);
  verify_free(&result);
}

static void judge(const char *argument, unsigned rounds, bool with_linux) {
  char object[PATH_MOST];
  const char *colon = strrchr(argument, ':');
  if (colon == NULL || (size_t)(colon - argument) >= sizeof object) fail("write OBJECT:FUNCTION", argument);
  snprintf(object, sizeof object, "%.*s", (int)(colon - argument), argument);
  struct report report = {.errors = 0};
  struct text bytes = {0};
  struct linked_program *linked = NULL;
  struct subject subject = {.bundle = NULL};
  const struct link_options options = {.file = path_base(object), .name = "bench", .program = colon + 1};
  struct bundle_meta meta = {.name = "bench", .version = 1, .audience = "*"};
  if (file_read(object, OBJECT_MOST, &bytes, &report) != 0 ||
      link_object((const uint8_t *)bytes.data, bytes.length, &options, &linked, &report) != 0)
    fail(text_string(&report.text), argument);
  meta.kind = linked->code[0].kind;
  snprintf(meta.section, sizeof meta.section, "%s", linked->code[0].section);
  if (subject_make(&subject, linked, &meta, BPF_MAX_EXECUTED, &report) != 0) fail(text_string(&report.text), argument);
  print_one(object, colon + 1, &subject, rounds, with_linux);
  subject_free(&subject);
  link_free(linked);
  text_free(&bytes);
  report_free(&report);
}

int main(int count, char **arguments) {
  unsigned rounds = 1;
  bool with_linux = false;
  for (int option; (option = getopt(count, arguments, "lr:")) != -1;) {
    if (option == 'l')
      with_linux = true;
    else if (option == 'r')
      rounds = (unsigned)strtoul(optarg, NULL, 10);
    else
      return 1;
  }
  if (rounds < 1 || rounds > ROUNDS_MOST) fail("rounds: 1 to 101", "-r");
  for (int i = optind; i < count; i++)
    judge(arguments[i], rounds, with_linux);
  return 0;
}
