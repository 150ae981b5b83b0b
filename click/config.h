/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The flat form of a Click file: declarations and connections, nothing else; compound elements and variables are expanded. The parser makes it; the router is built from
 * it; `imago build` reads off it which elements an image needs, and which files.
 */
#ifndef IMAGO_CLICK_CONFIG_H
#define IMAGO_CLICK_CONFIG_H

#include "click/lexer.h"
#include "click/names.h"
#include "lib/text.h"

struct click_declaration {
  char *name; /* as written, or Class@N for anonymous elements */
  char *class_name;
  char *arguments; /* raw configuration string, "" when there is none */
  struct landmark at;
  bool bare; /* anonymous, and written as nothing but a name: perhaps an element somebody forgot to declare */
};

struct click_connection {
  uint32_t from, from_port; /* index into declarations */
  uint32_t to, to_port;
  struct landmark at;
};

/* Owns everything in it, file names of landmarks included. */
struct click_config {
  struct click_declaration *declarations;
  uint32_t declaration_count, declaration_capacity;
  struct click_connection *connections;
  uint32_t connection_count, connection_capacity;
  char **files; /* interned file names that landmarks point to */
  uint32_t file_count;
  char *requirements;      /* what require(...) asks for, one a line; NULL: nothing */
  struct name_table names; /* of the declarations */
};

/* A parameter of the command line, NAME=value: $NAME has this value everywhere, whatever define() says at the top. */
struct click_parameter {
  const char *name, *value;
};

/* What a source may use besides itself. NULL or zeroed: nothing. */
struct click_language {
  const struct click_parameter *parameters;
  uint32_t parameter_count;
  /* require(library NAME) in the source called `from`: appends the library's text and sets *file to its name (by which errors and the
   * driver know it; a library is read once), both freed by the parser. 0, -ERROR_NOT_FOUND, or another code after a report. */
  int (*library)(void *context, const char *name, const char *from, struct text *source, char **file,
                 struct report *report);
  void *context;
  struct slice
      archive; /* that the source is a member of, if any: libraries are looked for there first (click/archive.h) */
};

/* Parses a whole Click source. Reports every error it can find ("fw.click:3: syntax error near ..."), then returns
 * -ERROR_INVALID or what else went wrong. On error the config is freed. Limits: CLICK_MAX_* (docs/limits.md). */
int click_parse(const char *file, struct slice source, struct click_config *config, struct report *report) MUST_USE;
int click_parse_with(const char *file, struct slice source, const struct click_language *language,
                     struct click_config *config, struct report *report) MUST_USE;
void click_config_free(struct click_config *config);
/* Index of the declaration called name, or -1. */
int click_config_find(const struct click_config *config, const char *name);

enum {
  CLICK_MAX_ELEMENTS = 4096,
  CLICK_MAX_CONNECTIONS = 16384,
  CLICK_MAX_SOURCE = 4 << 20,
  CLICK_MAX_PORTS = 1024, /* ports of one element, each direction */
  CLICK_MAX_NAME = 256,
  CLICK_MAX_FULL_NAME = 1024, /* with the compound elements around it: "a/b/c" */
};

#endif
