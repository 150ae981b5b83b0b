/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click-undead: a configuration without its dead parts.
 */
#include <stdio.h>

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
    "  -V, --verbose            say on standard error what is a source, a sink, and removed\n"
    "      --help               this text\n"
    "  -v, --version            print the version\n"
    "\n"
    "  imago click-undead -e 'FromDevice(eth0) -> Null -> Queue -> ToDevice(eth1); Idle -> Discard'\n";

int command_click_undead(int argc, char **argv) {
  struct click_tool tool;
  struct text flat = {0};
  struct report report = {0};
  int status;
  if (!click_tool_start(&tool, argc, argv, help, "V", &status)) return status;
  int error = click_undead(&tool.config, tool.verbose, &report);
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
