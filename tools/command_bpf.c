/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bpf: eBPF programs, tried out on the host or watched in a running system. Its subcommands live in command_bpf_NAME.c.
 */
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

static const char help[] =
    "usage: imago bpf run OBJECT.bpf.o [OPTIONS]\n"
    "       imago bpf dump OBJECT.bpf.o [OPTIONS]\n"
    "       imago bpf stats NAME [OPTIONS]\n"
    "       imago bpf COMMAND --help\n"
    "\n"
    "Tries eBPF programs out on the host, with the engine that runs them in the network function, and shows what those do\n"
    "that run.\n"
    "\n"
    "  run    run a program on packets: verdicts, changed packets, maps, nanoseconds a packet\n"
    "  dump   print a program's instructions beside its source lines, and the machine code that they become\n"
    "  stats  programs of a running network function: packets, verdicts, faults, nanoseconds a packet, sizes\n";

int command_bpf(int argc, char **argv) {
  static const struct {
    const char *name, *full_name;
    int (*run)(int argc, char **argv);
  } commands[] = {{"run", "imago bpf run", command_bpf_run},
                  {"dump", "imago bpf dump", command_bpf_dump},
                  {"stats", "imago bpf stats", command_bpf_stats}};
  if (argc < 2) return command_usage(argv[0], "no command given; there are run, dump and stats");
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return command_help(help);
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (strcmp(argv[1], commands[i].name) != 0) continue;
    char name[32];
    snprintf(name, sizeof(name), "%s", commands[i].full_name);
    argv[1] = name;
    return commands[i].run(argc - 1, argv + 1);
  }
  return command_usage(argv[0], "no command '%s'; there are run, dump and stats", argv[1]);
}
