/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click-flatten: a configuration without compound elements.
 */
#include "click/unparse.h"
#include "tools/click_tool.h"
#include "tools/command.h"

static const char help[] =
    "imago click-flatten expands the compound elements of a Click configuration, and prints what is left: plain elements and\n"
    "connections.\n"
    "\n"
    "usage: imago click-flatten [OPTION]... [NAME=VALUE]... [FILE]\n"
    "\n"
    "  -f, --file FILE          read the configuration from FILE (default: standard input)\n"
    "  -e, --expression TEXT    TEXT is the configuration\n"
    "  -C, --clickpath PATH     look for required libraries in PATH, too\n"
    "  -o, --output FILE        write to FILE (default: standard output)\n"
    "      --help               this text\n"
    "  -v, --version            print the version\n"
    "\n"
    "  imago click-flatten -e 'elementclass E { input -> Counter -> output } Idle -> E -> Discard'\n";

int command_click_flatten(int argc, char **argv) {
  const struct click_tool_options options = {.help = help, .letters = ""};
  struct click_tool tool;
  struct text flat = {0};
  int status;
  if (!click_tool_start(&tool, argc, argv, &options, &status)) return status;
  click_unparse(&tool.config, &flat);
  status = click_tool_finish(&tool, &flat);
  text_free(&flat);
  click_tool_free(&tool);
  return status;
}
