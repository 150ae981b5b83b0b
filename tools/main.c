/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The `imago` command: finds the subcommand and runs it. Each lives in command_NAME.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "click/names.h"
#include "tools/command.h"

/* In the order of a user's day, as `imago --help` prints them. */
static const struct command commands[] = {
    {"build", command_build, "make a unikernel image and its boot archive from a Click file"},
    {"run", command_run, "start an image, or a Click file, as a virtual machine or as a process"},
    {"ps", command_ps, "list what runs"},
    {"stop", command_stop, "end a running network function"},
    {"log", command_log, "show what it printed and logged, addresses as names"},
    {"read", command_read, "read a handler: a counter, a table, the graph"},
    {"write", command_write, "write a handler"},
    {"load", command_load, "replace an element's eBPF program while packets flow"},
    {"click", command_click, "run a Click file as Click's user-level driver does"},
    {"click-flatten", command_click_flatten, "expand the compound elements of a Click file"},
    {"click-pretty", command_click_pretty, "turn a Click file into a web page with a picture"},
    {"click-undead", command_click_undead, "remove the dead parts of a Click file"},
    {"keygen", command_keygen, "make a pair of signing keys"},
    {"bpf", command_bpf, "try an eBPF program out on the host"},
    {"bpf-conformance", command_bpf_conformance, "run one program for the public conformance suite"},
    {"verify", command_verify, "prove a compiled eBPF program safe, and sign it with its proof"},
    {"bundle", command_bundle, "link a compiled eBPF program and sign it without proof"},
    {"inspect", command_inspect, "show what a bundle holds, and check its signature"},
    {"elements", command_elements, "list the elements, or print an element's manual page"},
    {"version", command_version, "print the version"},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]), NAME_LIMIT = 32 };

static void print_overview(FILE *to) {
  fputs("imago: network functions as unikernels that are changed while they run\n"
        "\n"
        "usage: imago COMMAND [ARGUMENTS]\n"
        "       imago COMMAND --help\n"
        "\n",
        to);
  for (unsigned i = 0; i < COMMAND_COUNT; i++)
    fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].summary);
  fputs("\n"
        "A first session:\n"
        "  imago build firewall.click --key signer.pub.pem\n"
        "  imago run --detach --name fw firewall.elf\n"
        "  imago read fw list\n"
        "  imago stop fw\n",
        to);
}

static int unknown_command(const char *name) {
  struct nearest nearest;
  nearest_init(&nearest, slice_of(name));
  for (unsigned i = 0; i < COMMAND_COUNT; i++)
    nearest_consider(&nearest, commands[i].name);
  if (nearest.best != NULL) {
    return command_fail("imago", "no command '%s'; did you mean 'imago %s'?", name, nearest.best);
  }
  return command_fail("imago", "no command '%s'; 'imago --help' lists them", name);
}

int command_version(int argc, char **argv) {
  if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
    return command_help("usage: imago version\n\nPrints the version of imago.\n");
  }
  if (argc > 1) return command_usage(argv[0], "unexpected '%s'", argv[1]);
  puts("imago " IMAGO_VERSION);
  return 0;
}

static int run_command(const char *name, int argc, char **argv) {
  for (unsigned i = 0; i < COMMAND_COUNT; i++) {
    if (strcmp(name, commands[i].name) != 0) continue;
    char title[NAME_LIMIT + sizeof("imago ")];
    snprintf(title, sizeof(title), "imago %s", name);
    argv[0] = title;
    int status = commands[i].run(argc, argv);
    if (fflush(stdout) != 0 && status == 0) status = command_fail(title, "cannot write to standard output");
    return status;
  }
  return unknown_command(name);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    print_overview(stderr);
    return 1;
  }
  const char *name = argv[1];
  if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || (strcmp(name, "help") == 0 && argc == 2)) {
    print_overview(stdout);
    return 0;
  }
  if (strcmp(name, "--version") == 0) name = "version";
  if (strcmp(name, "help") == 0) { /* imago help CMD */
    static char help[] = "--help";
    char *arguments[] = {argv[1], help, NULL};
    return run_command(argv[2], 2, arguments);
  }
  return run_command(name, argc - 1, argv + 1);
}
