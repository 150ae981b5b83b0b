/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click: Click's user-level driver.
 */
#include <stdio.h>

#include "tools/click_options.h"
#include "tools/command.h"

static const char help[] =
    "imago click runs a Click configuration as a process, as Click's user-level driver does: it installs the configuration,\n"
    "reports errors on standard error, and runs until it is interrupted or the configuration asks it to stop.\n"
    "\n"
    "usage: imago click [OPTION]... [NAME=VALUE]... [FILE]\n"
    "\n"
    "Configuration (default: standard input, which is also what FILE '-' means):\n"
    "  -f, --file FILE               read the configuration from FILE\n"
    "  -e, --expression TEXT         TEXT is the configuration\n"
    "      NAME=VALUE                define the parameter $NAME\n"
    "  -C, --clickpath PATH          look for required files in PATH, directories with ':' between (default: $CLICKPATH)\n"
    "  -w, --no-warnings             print no warnings\n"
    "\n"
    "Running:\n"
    "  -j, --threads N               start N threads (default 1)\n"
    "  -a, --affinity[=N]            keep each thread on a processor of its own, from number N (default 0) on\n"
    "      --simtime[=SECONDS]       simulated time: the clock starts at SECONDS (default 1000000000), and jumps to the next\n"
    "                                timer when nothing is left to do\n"
    "  -q, --quit                    do not run: check the configuration, write -o, read -h\n"
    "\n"
    "Control (see 'imago elements ControlSocket'):\n"
    "  -p, --port PORT               take control connections on TCP port PORT; PORT+: or the next that is free\n"
    "  -u, --unix-socket FILE        take control connections on the unix socket FILE\n"
    "      --socket FD               talk with the control client on the open descriptor FD\n"
    "  -R, --allow-reconfigure       offer the handler 'hotconfig': write a new configuration to it, and it takes over while\n"
    "                                packets flow. With -f FILE, SIGHUP reads FILE again\n"
    "\n"
    "Afterwards:\n"
    "  -h, --handler ELEMENT.H       print read handler H of ELEMENT once the driver has stopped. ELEMENT may be a pattern\n"
    "                                ('*.count') or a class; without ELEMENT it is a global handler\n"
    "  -x, --exit-handler ELEMENT.H  its value is the exit status\n"
    "  -o, --output FILE             write the configuration to FILE, compound elements expanded ('-': standard output)\n"
    "  -t, --time                    print how long it ran: user, system, wall clock\n"
    "\n"
    "      --help                    this text\n"
    "  -v, --version                 print the version\n"
    "\n"
    "  imago click -e 'InfiniteSource(LIMIT 5, STOP true) -> c :: Counter -> Discard' -h c.count\n"
    "  imago click -p 7777 router.click INTERFACE=eth1\n"
    "\n"
    "FromDevice and ToDevice take interfaces of the host, tap:NAME, pcap:IN,OUT and more; see 'imago elements FromDevice'.\n"
    "Exit status: 0, what -x says, or 1 after errors.\n";

static int short_usage(const char *program, struct report *report) {
  fputs(text_string(&report->text), stderr);
  fprintf(stderr, "Usage: %s [OPTION]... [FILE]\nTry '%s --help' for more information.\n", program, program);
  return 1;
}

int command_click(int argc, char **argv) {
  struct click_driver_options options;
  struct report report = {0};
  int status = 1;
  switch (click_options_parse(argc, argv, &options, &report)) {
    case CLICK_ACTION_HELP:
      status = command_help(help);
      break;
    case CLICK_ACTION_VERSION:
      puts("click (Imago) " IMAGO_VERSION);
      status = 0;
      break;
    case CLICK_ACTION_BAD_OPTION:
      status = short_usage(argv[0], &report);
      break;
    case CLICK_ACTION_RUN:
      fputs(text_string(&report.text), stderr);
      if (report.errors == 0) status = click_driver_run(&options);
      break;
  }
  report_free(&report);
  click_options_free(&options);
  return status;
}
