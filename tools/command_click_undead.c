/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click-undead: a configuration without its dead parts.
 */
#include <stdio.h>

#include "click/element.h"
#include "click/unparse.h"
#include "tools/click_tool.h"
#include "tools/click_undead.h"
#include "tools/command.h"

static const char help[] =
    "imago click-undead removes the dead parts of a Click configuration, and prints what is left, flat:\n"
    "  - elements that don't lie between a packet source and a packet sink\n"
    "  - elements that decide nothing: Null, StaticSwitch, StaticPullSwitch\n"
    "  - ports of RoundRobinSched, PrioSched, DRRSched, StrideSched, Tee and PullTee that no packet passes, and these elements\n"
    "    themselves when one port is left\n"
    "Elements without ports stay. The result may do less than the original: a removed ToDump makes no file.\n"
    "\n"
    "usage: imago click-undead [OPTION]... [NAME=VALUE]... [FILE]\n"
    "\n"
    "  -f, --file FILE          read the configuration from FILE (default: standard input)\n"
    "  -e, --expression TEXT    TEXT is the configuration\n"
    "  -C, --clickpath PATH     look for required libraries in PATH, too\n"
    "  -o, --output FILE        write to FILE (default: standard output)\n"
    "  -k, --kernel             the configuration is for Click's Linux kernel driver: classes that need a process are errors\n"
    "  -u, --user               it is for the user-level driver; with neither, or both, it may be for any\n"
    "  -V, --verbose            say on standard error what is a source, a sink, and removed\n"
    "      --help               this text\n"
    "  -v, --version            print the version\n"
    "\n"
    "  imago click-undead -e 'FromDevice(eth0) -> Null -> Queue -> ToDevice(eth1); Idle -> Discard'\n";

enum { NO_KERNEL = CLICK_TOOL_OPTIONS, NO_USER, NO_VERBOSE };

struct choices {
  bool kernel, user, verbose;
};

static bool take(void *context, int code, const char *argument, const char **why) {
  struct choices *choices = context;
  if (code == 'k' || code == NO_KERNEL) choices->kernel = code == 'k';
  if (code == 'u' || code == NO_USER) choices->user = code == 'u';
  if (code == 'V' || code == NO_VERBOSE) choices->verbose = code == 'V';
  return true;
}

/* Click's user-level classes are those that need files or sockets of a process. */
static int check_kernel(const struct click_tool *tool, struct report *report) {
  for (uint32_t i = 0; i < tool->config.declaration_count; i++) {
    const struct click_declaration *d = &tool->config.declarations[i];
    const struct element_class *class = element_class_find(d->class_name);
    if (class == NULL || !class->process_only) continue;
    return report_error(report, ERROR_UNSUPPORTED,
                        "%s: configuration incompatible with linuxmodule driver: %s needs a process", tool->landmark,
                        class->name);
  }
  return 0;
}

int command_click_undead(int argc, char **argv) {
  static const struct option longs[] = {{"kernel", no_argument, NULL, 'k'},
                                        {"no-kernel", no_argument, NULL, NO_KERNEL},
                                        {"user", no_argument, NULL, 'u'},
                                        {"no-user", no_argument, NULL, NO_USER},
                                        {"verbose", no_argument, NULL, 'V'},
                                        {"no-verbose", no_argument, NULL, NO_VERBOSE},
                                        {NULL, 0, NULL, 0}};
  struct choices choices = {0};
  const struct click_tool_options options = {help, "kuV", longs, take, &choices};
  struct click_tool tool;
  struct text flat = {0};
  struct report report = {0};
  int status;
  if (!click_tool_start(&tool, argc, argv, &options, &status)) return status;
  int error = choices.kernel && !choices.user ? check_kernel(&tool, &report) : 0;
  if (error == 0) error = click_undead(&tool.config, choices.verbose, &report);
  if (error != 0 && report.errors == 0) report_error(&report, ERROR_NO_MEMORY, "%s: no memory", tool.landmark);
  fputs(text_string(&report.text), stderr);
  status = 1;
  if (error == 0) {
    click_unparse(&tool.config, &flat);
    status = click_tool_finish(&tool, &flat);
  }
  report_free(&report);
  text_free(&flat);
  click_tool_free(&tool);
  return status;
}
