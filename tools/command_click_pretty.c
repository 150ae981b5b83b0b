/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago click-pretty: a configuration as a web page, or as a graph in the formats of other programs.
 */
#include <stdio.h>
#include <string.h>

#include "tools/click_graph.h"
#include "tools/click_html.h"
#include "tools/click_tool.h"
#include "tools/command.h"
#include "tools/file.h"
#include "tools/graph_text.h"

static const char help[] =
    "imago click-pretty turns a Click configuration into a web page: a picture of the graph (push ports black, pull ports white), the\n"
    "configuration with highlighting, and a table of its elements; or into what a template says (Click's click-pretty(1) has the\n"
    "tags; <~graph> and <~title> are ours).\n"
    "\n"
    "usage: imago click-pretty [OPTION]... [NAME=VALUE]... [FILE]\n"
    "\n"
    "  -f, --file FILE              read the configuration from FILE (default: standard input)\n"
    "  -e, --expression TEXT        TEXT is the configuration\n"
    "  -C, --clickpath PATH         look for required libraries in PATH, too\n"
    "  -o, --output FILE            write to FILE (default: standard output)\n"
    "  -t, --template FILE          use that template\n"
    "  -d, --define NAME=TEXT       a new tag <~NAME>, which stands for TEXT\n"
    "      --write-template         write the template as it is\n"
    "  -u, --class-docs URL         link each class to URL, in which %s stands for its name\n"
    "      --package-docs PKG=URL   the same for the classes of a package; all of ours are in the one without a name\n"
    "      --dot, --gml, --graphml  write the graph as text of that format instead of a page\n"
    "      --userlevel, -l, --linuxmodule, -k, --kernel, -b, --bsdmodule\n"
    "                               for which driver; that changes nothing here\n"
    "      --help                   this text\n"
    "  -v, --version                print the version\n"
    "\n"
    "  imago click-pretty -o router.html router.click\n"
    "  imago click-pretty --write-template >my.html\n";

enum {
  WRITE_TEMPLATE = CLICK_TOOL_OPTIONS,
  DOT,
  GML,
  GRAPHML,
  PACKAGE_DOCS,
  DRIVER,
  DEFINITIONS_MAX = 64,
  TEMPLATE_MAX = 1 << 20
};

struct pretty {
  const char *template, *class_docs;
  struct html_definition definitions[DEFINITIONS_MAX];
  unsigned definition_count;
  int action;
  bool driver;
};

static bool define(struct pretty *pretty, const char *text, const char **why) {
  const char *equals = strchr(text, '=');
  if (pretty->definition_count == DEFINITIONS_MAX) {
    *why = "too many definitions";
    return false;
  }
  size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
  pretty->definitions[pretty->definition_count++] =
      (struct html_definition){text, length, equals != NULL ? equals + 1 : ""};
  return true;
}

static bool take(void *context, int code, const char *argument, const char **why) {
  struct pretty *pretty = context;
  const char *text = argument != NULL ? argument : "", *equals = strchr(text, '=');
  switch (code) {
    case 't':
      pretty->template = argument;
      return true;
    case 'd':
      return define(pretty, text, why);
    case 'u':
      pretty->class_docs = argument;
      return true;
    case PACKAGE_DOCS:
      *why = "'--package-docs' option must contain an equals sign";
      if (equals == text) pretty->class_docs = equals + 1;
      return equals != NULL;
    case WRITE_TEMPLATE:
    case DOT:
    case GML:
    case GRAPHML:
      *why = "action specified twice";
      if (pretty->action != 0) return false;
      pretty->action = code;
      return true;
    default: /* a driver */
      *why = "driver specified twice";
      if (pretty->driver) return false;
      return pretty->driver = true;
  }
}

static int make_page(const struct click_tool *tool, const struct pretty *pretty, struct slice template,
                     struct slice errors, struct text *out) {
  struct router graph = {0};
  /* What a driver would refuse can still be drawn; without push and pull then. */
  bool resolved = click_graph_make(&tool->config, &graph, NULL) == 0;
  const struct html_page page = {.title = tool->landmark,
                                 .config = &tool->config,
                                 .graph = resolved ? &graph : NULL,
                                 .source = tool->text,
                                 .errors = errors,
                                 .class_docs = pretty->class_docs,
                                 .definitions = pretty->definitions,
                                 .definition_count = pretty->definition_count};
  int error = 0;
  switch (pretty->action) {
    case DOT:
      graph_dot(&tool->config, out);
      break;
    case GML:
      graph_gml(&tool->config, out);
      break;
    case GRAPHML:
      graph_graphml(&tool->config, page.graph, out);
      break;
    default:
      error = click_html(&page, template, out);
  }
  click_graph_free(&graph);
  return error;
}

int command_click_pretty(int argc, char **argv) {
  static const struct option longs[] = {{"bsdmodule", no_argument, NULL, 'b'},
                                        {"class-docs", required_argument, NULL, 'u'},
                                        {"define", required_argument, NULL, 'd'},
                                        {"dot", no_argument, NULL, DOT},
                                        {"gml", no_argument, NULL, GML},
                                        {"graphml", no_argument, NULL, GRAPHML},
                                        {"kernel", no_argument, NULL, 'k'},
                                        {"linuxmodule", no_argument, NULL, 'l'},
                                        {"package-docs", required_argument, NULL, PACKAGE_DOCS},
                                        {"template", required_argument, NULL, 't'},
                                        {"userlevel", no_argument, NULL, DRIVER},
                                        {"write-template", no_argument, NULL, WRITE_TEMPLATE},
                                        {NULL, 0, NULL, 0}};
  struct pretty pretty = {0};
  const struct click_tool_options options = {help, "bd:klt:u:", longs, take, &pretty};
  struct click_tool tool;
  struct text page = {0}, file = {0};
  struct report report = {0};
  struct slice template = slice_of(html_default_template);
  int status;
  bool refused = false;
  if (!click_tool_parse(&tool, argc, argv, &options, &status)) return status;
  if (pretty.template != NULL && file_read(pretty.template, TEMPLATE_MAX, &file, &report) != 0) {
    status = command_fail(argv[0], "%s", text_string(&report.text));
    goto done;
  }
  if (pretty.template != NULL) template = (struct slice){text_string(&file), file.length};
  if (pretty.action == WRITE_TEMPLATE) {
    text_add_slice(&page, template);
  } else {
    /* Of a source with errors there is a page, too, which shows them. */
    refused = click_tool_try(&tool, &report) != 0;
    struct slice errors = {text_string(&report.text), report.text.length};
    fputs(errors.data, stderr);
    if (refused && (tool.text.data == NULL || pretty.action != 0)) {
      status = 1;
      goto done;
    }
    if (make_page(&tool, &pretty, template, errors, &page) != 0) page.failed = true;
  }
  status = click_tool_finish(&tool, &page);
  if (refused) status = 1;
done:
  click_tool_free(&tool);
  text_free(&page);
  text_free(&file);
  report_free(&report);
  return status;
}
