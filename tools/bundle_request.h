/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What `imago bundle` and `imago verify` have in common: an object to link, and what is to stand in the bundle that is made of it.
 */
#ifndef IMAGO_TOOLS_BUNDLE_REQUEST_H
#define IMAGO_TOOLS_BUNDLE_REQUEST_H

#include <getopt.h>

#include "verifier/link.h"

enum { BUNDLE_REQUEST_SETS = 256 };

/* The command's arguments. Zero-initialised is empty; all strings stay the arguments. */
struct bundle_request {
  const char *object, *output, *key, *name, *version, *audience, *program;
  const char *sets[BUNDLE_REQUEST_SETS], *tunables[BUNDLE_MAX_TUNABLES];
  unsigned set_count, tunable_count;
  struct bundle_meta meta; /* name, version and audience, once bundle_request_finish has checked them */
};

/* The options that both take, for getopt_long, and their lines of the help text. */
#define BUNDLE_REQUEST_LETTERS "o:k:n:v:a:p:s:t:h"
#define BUNDLE_REQUEST_OPTIONS                                                               \
  {"output", required_argument, NULL, 'o'}, {"key", required_argument, NULL, 'k'},           \
      {"name", required_argument, NULL, 'n'}, {"version", required_argument, NULL, 'v'},     \
      {"audience", required_argument, NULL, 'a'}, {"program", required_argument, NULL, 'p'}, \
      {"set", required_argument, NULL, 's'}, {"tunable", required_argument, NULL, 't'}, {    \
    "help", no_argument, NULL, 'h'                                                           \
  }
#define BUNDLE_REQUEST_HELP                                                                                              \
  "  -o, --output FILE      the bundle\n"                                                                                \
  "  -k, --key FILE         private key: PEM, Ed25519 (imago keygen, or openssl genpkey -algorithm ed25519)\n"           \
  "  -n, --name NAME        program name: letters, digits, '_', '.', '-' (default: the object's name without .bpf.o)\n"  \
  "  -v, --version NUMBER   1 or more; a running system refuses what is not newer than the newest of that name\n"        \
  "                         (default: 1)\n"                                                                              \
  "  -a, --audience GLOB    elements that may take it: a pattern over element names (default: *)\n"                      \
  "  -p, --program NAME     the program's function or section, when the object has several\n"                            \
  "  -s, --set NAME=VALUE   value of a constant (const volatile); may be given several times\n"                          \
  "  -t, --tunable NAME=MIN..MAX   lets whoever runs the program choose that constant within the range, besides those\n" \
  "                         that the source declares with IMAGO_TUNABLE; may be given several times\n"                   \
  "  -h, --help             this text\n"

/* The name of the program when none is given: "dir/block.bpf.o" gives "block". */
struct slice bundle_request_default_name(const char *object);
/* Takes one of the options above but help. False when it is none of them, or can't be taken; then the user has been told. */
bool bundle_request_option(struct bundle_request *request, const char *command, int option, const char *argument);
/* Once getopt_long is done: takes the object's name from argv, and checks everything. An output needs a key. Returns the exit
 * status, having told the user what is wrong. */
int bundle_request_finish(struct bundle_request *request, int argc, char **argv) MUST_USE;

/* Reads and links the object. `object` holds its bytes and must outlive the program, which link_free frees. */
int bundle_request_link(const struct bundle_request *request, struct text *object, struct linked_program **linked,
                        struct report *report) MUST_USE;
/* Signs the program, with its proof if that is not empty, writes the bundle and says on standard output what it is. */
int bundle_request_write(const struct bundle_request *request, const struct linked_program *linked, struct slice proof,
                         struct report *report) MUST_USE;

#endif
