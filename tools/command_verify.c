/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago verify: finds the proof that a compiled eBPF program is safe, and makes the bundle that carries it.
 */
#include <stdio.h>
#include <string.h>

#include "lib/memory.h"
#include "tools/bundle_request.h"
#include "tools/command.h"
#include "tools/file.h"
#include "verifier/explain.h"
#include "verifier/verify_subject.h"

static const char help[] =
    "usage: imago verify PROG.bpf.o [-o PROG.imb --key SIGNER.pem] [OPTIONS]\n"
    "\n"
    "Proves that an eBPF object made by clang is safe to run: it touches no memory but its own, leaks no address, and ends after a\n"
    "bounded number of instructions. With -o it makes a signed bundle that carries the proof; the unikernel checks the proof, then\n"
    "runs the program without checks of its own. Without -o it only says whether there is a proof.\n"
    "\n" BUNDLE_REQUEST_HELP
    "  -m, --max-insns N      refuse what may execute more instructions for one packet, callbacks included (default and most:\n"
    "                         1000000)\n"
    "  -e, --explain          print the source with what is known before each line\n"
    "  -S, --stats            print what the search took, and the longest path\n"
    "\n"
    "Example:\n"
    "  clang -target bpf -O2 -g -c block.bpf.c -o block.bpf.o\n"
    "  imago verify block.bpf.o -o block.imb --key signer.pem --audience 'fw*' --version 2\n"
    "\n"
    "With -g, a refusal shows the source line. docs/verification.md explains refusals and what to do about them.\n"
    "Exit status: 0, or 1 when there is no proof.\n";

struct request {
  struct bundle_request bundle;
  uint32_t max_insns;
  bool explain, statistics;
};

static void print_statistics(const struct explained *explained, const struct verify_result *result) {
  const struct proof_input *input = explained->input;
  const struct verify_statistics *s = &result->statistics;
  const struct proof_verdict *verdict = &result->verdict;
  uint32_t dead = 0, global = 0, alone = 0;
  size_t code = input->insn_count * sizeof(struct bpf_insn);
  for (uint32_t i = 0; i < input->insn_count; i++)
    dead += !result->visited[i] && input->insns[i].code != 0;
  printf("time      %llu us, %u passes over %llu instructions\n", (unsigned long long)s->nanoseconds / 1000, s->passes,
         (unsigned long long)s->work);
  printf("memory    %zu KiB, to check the proof %u states of %u stack slots\n", (s->memory + 1023) / 1024,
         verdict->used.states, verdict->used.slots);
  printf("proof     %zu bytes, %zu%% of the program's; %u instructions to check it; %u loops, %u joins apart\n",
         result->proof.length, code > 0 ? result->proof.length * 100 / code : 0, verdict->used.work, s->loops,
         s->splits);
  for (uint32_t i = 0; i < verdict->root_count; i++)
    printf("longest   %u instructions, %u helper calls%s\n", verdict->root[i].cost.insns, verdict->root[i].cost.calls,
           verdict->root[i].map == PROOF_ALONE    ? " (global function)"
           : verdict->root[i].map != PROOF_NO_MAP ? " (timer)"
           : i > 0                                ? " (tail called)"
                                                  : "");
  for (uint32_t i = 0; i < explained->linked->code_count; i++)
    global += explained->linked->code[i].function_count;
  for (uint32_t i = 0; i < result->function_count; i++)
    alone += result->functions[i].alone;
  if (global > 0) printf("functions %u of %u global ones verified alone, the others for each call\n", alone, global);
  printf("dead      %u instructions are never reached\n", dead);
}

static void print_result(const struct request *request, const struct explained *explained,
                         const struct verify_result *result) {
  struct text text = {0};
  if (request->explain) {
    explain_invariants(explained, result, &text);
    fputs(text_string(&text), stdout);
  }
  if (request->statistics) print_statistics(explained, result);
  if (!request->bundle.output)
    printf("%s: safe: %u instructions, at most %u executed, proof of %zu bytes\n", explained->file,
           explained->input->insn_count, result->verdict.root[0].cost.insns, result->proof.length);
  text_free(&text);
}

static int judge(const struct request *request, const struct linked_program *linked, const struct subject *subject,
                 struct report *report) {
  int error = 0;
  struct verify_result *result = memory_alloc(sizeof(*result));
  const struct explained explained = {linked, &subject->in->input, path_base(request->bundle.object)};
  if (!result) return -ERROR_NO_MEMORY;
  subject_verify(subject, result);
  if (result->end == VERIFY_PROVEN) {
    print_result(request, &explained, result);
    explain_functions(&explained, result, report);
    if (request->bundle.output)
      error = bundle_request_write(&request->bundle, linked,
                                   (struct slice){text_string(&result->proof), result->proof.length}, report);
  } else {
    explain_failure(&explained, result, report);
    error = -ERROR_INVALID;
  }
  verify_free(result);
  memory_free(result);
  return error;
}

static int run(const struct request *request, struct report *report) {
  struct text object = {0};
  struct linked_program *linked = NULL;
  struct subject subject = {.bundle = NULL};
  int error = bundle_request_link(&request->bundle, &object, &linked, report);
  if (!error) error = subject_make(&subject, linked, &request->bundle.meta, request->max_insns, report);
  if (!error) error = judge(request, linked, &subject, report);
  if (error && report->errors == 0)
    (void)report_error(report, ERROR_NO_MEMORY, "%s: no memory", request->bundle.object);
  subject_free(&subject);
  link_free(linked);
  text_free(&object);
  return error;
}

int command_verify(int argc, char **argv) {
  static const struct option options[] = {BUNDLE_REQUEST_OPTIONS,
                                          {"max-insns", required_argument, NULL, 'm'},
                                          {"explain", no_argument, NULL, 'e'},
                                          {"stats", no_argument, NULL, 'S'},
                                          {NULL, 0, NULL, 0}};
  struct request request = {.max_insns = BPF_MAX_EXECUTED};
  uint64_t most = 0;
  for (int option; (option = getopt_long(argc, argv, BUNDLE_REQUEST_LETTERS "m:eS", options, NULL)) != -1;) {
    switch (option) {
      case 'h':
        return command_help(help);
      case 'm':
        if (slice_to_u64(slice_of(optarg), BPF_MAX_EXECUTED, &most) != 0 || most == 0)
          return command_usage(argv[0], "'%s' is no number of instructions from 1 to %d", optarg, BPF_MAX_EXECUTED);
        request.max_insns = (uint32_t)most;
        break;
      case 'e':
        request.explain = true;
        break;
      case 'S':
        request.statistics = true;
        break;
      default:
        if (!bundle_request_option(&request.bundle, argv[0], option, optarg)) return 1;
    }
  }
  int status = bundle_request_finish(&request.bundle, argc, argv);
  if (status != 0) return status;
  struct report report = {0};
  status = run(&request, &report) != 0;
  return command_report(argv[0], &report) || status;
}
