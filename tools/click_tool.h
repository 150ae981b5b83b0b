/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What Click's tools that turn one configuration into another share (click-flatten, click-undead, click-pretty): their options, and
 * reading and writing.
 */
#ifndef IMAGO_TOOLS_CLICK_TOOL_H
#define IMAGO_TOOLS_CLICK_TOOL_H

#include <getopt.h>

#include "click/config.h"

struct click_tool {
  const char *program; /* argv[0] */
  const char *file;    /* NULL or "-": standard input */
  bool expression;     /* `file` is the Click text itself */
  const char *output;  /* NULL or "-": standard output */
  const char *click_path;
  struct click_parameter *parameters; /* NAME=value; names are owned */
  uint32_t parameter_count;
  const char *landmark; /* the configuration's name in messages */
  struct text source;   /* the file as it is */
  struct slice text;    /* the Click text in it */
  struct click_config config;
};

enum { CLICK_TOOL_OPTIONS = 512 }; /* values of a tool's long options without a letter begin here */

/* What a tool takes besides the options of all. */
struct click_tool_options {
  const char *help;
  const char *letters;          /* getopt's form */
  const struct option *options; /* long ones, ended by name NULL; NULL: none */
  /* One of these, with its argument or NULL. False: *why (NULL: nothing) and the usage are shown. */
  bool (*take)(void *context, int code, const char *argument, const char **why);
  void *context;
};

/* Reads the options. False: *status is the exit status, and everything has been said. */
bool click_tool_parse(struct click_tool *tool, int argc, char **argv, const struct click_tool_options *own,
                      int *status);
/* Reads the configuration and flattens it. False: as above, and all is freed. Otherwise free with click_tool_free. */
bool click_tool_load(struct click_tool *tool, int *status);
/* The same, but what is wrong goes to *report, and after an error all but config is there, as far as it was read. 0 or a negative code. */
int click_tool_try(struct click_tool *tool, struct report *report) MUST_USE;
/* Both. */
bool click_tool_start(struct click_tool *tool, int argc, char **argv, const struct click_tool_options *own,
                      int *status);
/* Writes the result where the options say. Returns the exit status. */
int click_tool_finish(struct click_tool *tool, const struct text *result);
void click_tool_free(struct click_tool *tool);

#endif
