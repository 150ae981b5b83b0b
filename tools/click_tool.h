/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What Click's tools that turn one configuration into another share (click-flatten, click-undead, click-pretty): their options, and
 * reading and writing.
 */
#ifndef IMAGO_TOOLS_CLICK_TOOL_H
#define IMAGO_TOOLS_CLICK_TOOL_H

#include "click/config.h"

struct click_tool {
  const char *program; /* argv[0] */
  const char *file;    /* NULL or "-": standard input */
  bool expression;     /* `file` is the Click text itself */
  const char *output;  /* NULL or "-": standard output */
  const char *click_path;
  struct click_parameter *parameters; /* NAME=value; names are owned */
  uint32_t parameter_count;
  const char *class_docs; /* click-pretty: a URL with "%s" for the class */
  bool verbose;           /* click-undead */
  const char *landmark;   /* the configuration's name in messages */
  struct text source;     /* the file as it is */
  struct slice text;      /* the Click text in it */
  struct click_config config;
};

/* Reads options and the configuration, and flattens it. `letters` are the options this tool takes beside those of all (getopt's form).
 * False: *status is the exit status, and everything has been said. Otherwise free with click_tool_free. */
bool click_tool_start(struct click_tool *tool, int argc, char **argv, const char *help, const char *letters,
                      int *status);
/* Writes the result where the options say. Returns the exit status. */
int click_tool_finish(struct click_tool *tool, const struct text *result);
void click_tool_free(struct click_tool *tool);

#endif
