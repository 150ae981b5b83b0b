/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bundle: links a compiled eBPF program and signs it.
 */
#include "tools/bundle_request.h"
#include "tools/command.h"

static const char help[] =
    "usage: imago bundle PROG.bpf.o -o PROG.imb --key SIGNER.pem [OPTIONS]\n"
    "\n"
    "Links an eBPF object made by clang and signs it, so that a network function that trusts the key takes it.\n"
    "The bundle carries no proof that the program is safe, so the unikernel checks every access while it runs, and takes it\n"
    "only where it is configured to. For development; 'imago verify' makes bundles that carry a proof.\n"
    "\n" BUNDLE_REQUEST_HELP "\n"
    "Example:\n"
    "  clang -target bpf -O2 -g -c block.bpf.c -o block.bpf.o\n"
    "  imago bundle block.bpf.o -o block.imb --key signer.pem --version 2\n"
    "  imago inspect block.imb --key signer.pub.pem\n"
    "\n"
    "With -g, errors and faults name source lines. Files: docs/bundle.md says what an object may contain.\n"
    "Exit status: 0, or 1 when there is no bundle.\n";

static int make(const struct bundle_request *request, struct report *report) {
  struct text object = {0};
  struct linked_program *linked = NULL;
  int error = bundle_request_link(request, &object, &linked, report);
  if (!error) error = bundle_request_write(request, linked, (struct slice){NULL, 0}, report);
  if (error && report->errors == 0) (void)report_error(report, ERROR_NO_MEMORY, "%s: no memory", request->object);
  link_free(linked);
  text_free(&object);
  return error;
}

int command_bundle(int argc, char **argv) {
  static const struct option options[] = {BUNDLE_REQUEST_OPTIONS, {NULL, 0, NULL, 0}};
  struct bundle_request request = {.object = NULL};
  for (int option; (option = getopt_long(argc, argv, BUNDLE_REQUEST_LETTERS, options, NULL)) != -1;) {
    if (option == 'h') return command_help(help);
    if (!bundle_request_option(&request, argv[0], option, optarg)) return 1;
  }
  int status = bundle_request_finish(&request, argc, argv);
  if (status != 0) return status;
  if (!request.output) return command_usage(argv[0], "no output given; say where the bundle goes with -o FILE");
  struct report report = {0};
  status = make(&request, &report) != 0;
  return command_report(argv[0], &report) || status;
}
