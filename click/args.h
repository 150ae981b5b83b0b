/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element arguments: splitting a configuration string at commas (Click's quoting rules), and a table-driven parser for
 * positional and keyword arguments with Click's order, types and error texts. The same tables print an element's manual page.
 */
#ifndef IMAGO_CLICK_ARGS_H
#define IMAGO_CLICK_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/report.h"
#include "lib/string.h"
#include "lib/text.h"

struct element;

/* What an argument is, and the type of its target. Numbers are decimal, 0x hexadecimal, 0 octal or 0b binary, '_' between digits.
 * Times and rates are exact to their unit. Where "names" are told, the element's scope is searched (click/address.h). */
enum argument_type {
  ARGUMENT_U32,      /* uint32_t */
  ARGUMENT_U64,      /* uint64_t */
  ARGUMENT_I32,      /* int32_t */
  ARGUMENT_BOOL,     /* bool: true yes 1 t y, false no 0 f n */
  ARGUMENT_STRING,   /* target char *: unquoted copy, owned by the element, freed by the router */
  ARGUMENT_WORD,     /* as STRING, but one word */
  ARGUMENT_U8,       /* uint8_t */
  ARGUMENT_U16,      /* uint16_t */
  ARGUMENT_I64,      /* int64_t */
  ARGUMENT_DATA,     /* struct argument_data: unquoted bytes, which may hold NULs; owned like STRING */
  ARGUMENT_FILENAME, /* char *: as STRING, not empty, runs of '/' made one */
  ARGUMENT_TIME, /* uint64_t nanoseconds: "1.5" seconds, "5ms", "2min", "1h"; units s sec m min h hr d day, ms us ns */
  ARGUMENT_BANDWIDTH, /* uint64_t bytes per second: "10Mbps", "64kB/s"; units bps b/s baud Bps B/s with k K M G; bare: bytes */
  ARGUMENT_FRACTION,      /* uint64_t, 32.32 fixed point, not negative: "0.05", "1e-3", "2"; FRACTION_ONE is 1 */
  ARGUMENT_IP,            /* uint32_t in network order; names */
  ARGUMENT_IP_PREFIX,     /* struct ip_prefix: 10.0.0.0/8, 10/8, 10.0.0.0/255.0.0.0; names */
  ARGUMENT_IP_NETWORK,    /* struct ip_prefix: as IP_PREFIX, or a bare address, which is a /32 */
  ARGUMENT_IP6,           /* struct ip6_address; names */
  ARGUMENT_IP6_PREFIX,    /* struct ip6_prefix; names */
  ARGUMENT_ETHER,         /* uint8_t[6]: 00:11:22:33:44:55 or with '-'; names */
  ARGUMENT_TCP_PORT,      /* uint16_t in host order: number or name ("www") */
  ARGUMENT_UDP_PORT,      /* the same for UDP */
  ARGUMENT_ANNO1,         /* uint32_t byte offset of an annotation of 1 byte: PAINT, 16 ... checked to fit */
  ARGUMENT_ANNO2,         /* of 2 bytes, aligned */
  ARGUMENT_ANNO4,         /* of 4 bytes, aligned */
  ARGUMENT_ANNO8,         /* of 8 bytes, aligned */
  ARGUMENT_ELEMENT,       /* struct element *: found from the element's own scope outwards */
  ARGUMENT_READ_HANDLER,  /* struct handler_reference: element.handler, or a global handler; read with router_read */
  ARGUMENT_WRITE_HANDLER, /* the same with a value behind it, to write with router_write */
};

/* The bytes of ARGUMENT_DATA; data has a NUL behind, not counted. */
struct argument_data {
  char *data;
  size_t length;
};

/* What a handler argument names. It is looked up when used, as elements may register late; the name is absolute. Owned like STRING. */
struct handler_reference {
  char *name;  /* "compound/c.count" */
  char *value; /* what stands behind the name, unquoted; "" when nothing does */
};

/* 1 as ARGUMENT_FRACTION. */
#define FRACTION_ONE ((uint64_t)1 << 32)

enum argument_flags {
  ARGUMENT_MANDATORY = 1,
  ARGUMENT_POSITIONAL = 2, /* may stand by position, in the order of the table, and also as keyword */
  ARGUMENT_DEPRECATED = 4, /* an old name: a second row with the same offset; its use is a warning */
};

/* offset: of the target inside the element's struct. The struct is zeroed before; defaults are set in class->defaults. */
struct argument {
  const char *name; /* keyword, upper case */
  enum argument_type type;
  unsigned flags;
  size_t offset;
  const char *help; /* one line, for the manual page */
  size_t given;     /* offset of a bool that becomes true when the argument was there; 0: nobody asks */
};

/* The arguments that the table did not take, in order: Classifier's patterns, say. Unquoted copies. */
struct args {
  char **values;
  uint32_t count;
};

/* Splits at top-level commas, trims, drops a single empty argument. Values keep their quotes. 0 or -ERROR_NO_MEMORY. */
int args_split(const char *config, struct args *args) MUST_USE;
/* The same at white space. */
int args_split_words(const char *text, struct args *words) MUST_USE;
void args_free(struct args *args);
/* Click's unquoting: "..." with backslash escapes, '...' verbatim, \<68 65 78>. Caller frees; NULL when memory is out.
 * *length (may be NULL) gets the length, as data may contain NULs. */
char *args_unquote(const char *value, size_t *length) MUST_USE;
/* The other way: text that unquotes to `value` and is one argument; plain where it can be. */
void args_quote(struct slice value, struct text *out);

/* Parses `config` by `table` (ended by name NULL) into the struct at `target`. Leftovers go to *rest when rest is not NULL,
 * otherwise they are errors. `context` is the element whose scope names are looked up in; NULL: no names. Click's rules: arguments
 * are taken in the order of the table; the last of several equal keywords counts; a positional argument stands before all keywords;
 * a mandatory one takes what stands in its place even if that looks like a keyword. Every error is reported, with Click's text:
 *   CAPACITY: required argument missing     CAPACITY: parse error     CAPACITY: out of range, bound 4294967295
 *   FOO: unknown argument                   too many arguments */
int args_parse_in(struct element *context, const char *config, const struct argument *table, void *target,
                  struct args *rest, struct report *report) MUST_USE;
/* Without names. */
int args_parse(const char *config, const struct argument *table, void *target, struct args *rest,
               struct report *report) MUST_USE;
/* One value, as it stands in a configuration, by the type of `argument` into target + argument->offset. Errors begin with the
 * argument's name, if it has one. */
int args_parse_value(struct element *context, const struct argument *argument, const char *value, void *target,
                     struct report *report) MUST_USE;
/* `config` with `value` for argument `name` of the table, as Click's reconfigure_keyword_handler has it: in the place of the last such
 * keyword, or by position, or else behind the others. `value` gets quotes where it needs some. 0 or -ERROR_NO_MEMORY. */
int args_replace(const char *config, const struct argument *table, const char *name, struct slice value,
                 struct text *out) MUST_USE;
/* Two structs that were parsed by `table` exchange what it says: values, what they own, and whether they were given. */
void args_exchange(const struct argument *table, void *a, void *b);
/* Frees what STRING, WORD, FILENAME, DATA and handler targets own. */
void args_release(const struct argument *table, void *target);

#endif
