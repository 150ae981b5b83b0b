/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click-pretty: a configuration as a web page.
 */
#include "tools/click_html.h"
#include "tools/command.h"

static const char help[] =
    "imago click-pretty turns a Click configuration into a web page that needs no other file: a picture of the graph (push ports\n"
    "black, pull ports white), the configuration with highlighting, and a table of its elements.\n"
    "\n"
    "usage: imago click-pretty [OPTION]... [NAME=VALUE]... [FILE]\n"
    "\n"
    "  -f, --file FILE          read the configuration from FILE (default: standard input)\n"
    "  -e, --expression TEXT    TEXT is the configuration\n"
    "  -C, --clickpath PATH     look for required libraries in PATH, too\n"
    "  -o, --output FILE        write to FILE (default: standard output)\n"
    "  -u, --class-docs URL     link each class to URL, in which %s stands for its name\n"
    "      --help               this text\n"
    "  -v, --version            print the version\n"
    "\n"
    "  imago click-pretty -o router.html router.click\n";

int command_click_pretty(int argc, char **argv) {
  struct click_tool tool;
  struct text page = {0};
  int status;
  if (!click_tool_start(&tool, argc, argv, help, "u:", &status)) return status;
  int error = click_html(&tool, &page);
  status = error == 0 ? click_tool_finish(&tool, &page) : command_fail(argv[0], "no memory for the page");
  text_free(&page);
  click_tool_free(&tool);
  return status;
}
