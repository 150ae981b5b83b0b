/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago read, write and load: handlers of a running network function, over its control port.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "tools/bundle_request.h"
#include "tools/command.h"
#include "tools/control_client.h"
#include "tools/file.h"

static const char read_help[] =
    "usage: imago read NAME HANDLER [PARAMETER]\n"
    "\n"
    "Reads a handler of the running network function NAME and prints its value. HANDLER is ELEMENT.HANDLER for one of an\n"
    "element, or just HANDLER for one of the whole system.\n"
    "\n"
    "  imago read fw list                 the elements of the graph\n"
    "  imago read fw handlers fw          the handlers of element 'fw' (PARAMETER is the element's name)\n"
    "  imago read fw in_counter.count     a counter\n"
    "  imago read fw drops                every drop counter, and their total\n"
    "  imago read fw boot                 what the time of the start went into\n"
    "\n"
    "Exit status: 0, or 1 if there is no such run or handler, or it cannot be read.\n";

static const char write_help[] =
    "usage: imago write NAME HANDLER [VALUE | @FILE | -]\n"
    "\n"
    "Writes a handler of the running network function NAME: the text VALUE, the content of FILE, or with '-' what comes on\n"
    "standard input; nothing when it is left out. Prints the confirmation if there is one.\n"
    "\n"
    "  imago write fw in_counter.reset\n"
    "  imago write fw sw.switch 1\n"
    "  imago write fw filter.program @block_dns.imb\n"
    "\n"
    "Exit status: 0, or 1 if the handler is not there, cannot be written, or refuses the value; the reason is printed and\n"
    "nothing has changed.\n";

static const char load_help[] =
    "usage: imago load NAME ELEMENT BUNDLE.imb\n"
    "\n"
    "Replaces the eBPF program of ELEMENT (a BPFilter) in the running network function NAME by the one in the signed bundle,\n"
    "between two batches of packets: none is lost. The unikernel checks the signature against the keys it was booted with, the\n"
    "version against what ran before, and the proof that the program is safe. If it refuses, the program that runs keeps running, and the\n"
    "reason is printed. The same as 'imago write NAME ELEMENT.program @BUNDLE.imb'.\n"
    "\n"
    "  imago verify block_dns.bpf.o -o block_dns.imb --key signer.pem --version 2\n"
    "  imago load fw filter block_dns.imb\n"
    "\n"
    "Exit status: 0 when the new program is in place, 1 when it was refused or could not be delivered.\n";

/* Handles options (only help) and the count of operands; returns the index of the first operand, or -1 with *status set. */
static int operands(int argc, char **argv, const char *help, int min, int max, int *status) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  /* '+': operands begin at the first word that is no option, so that a value may begin with '-'. */
  for (int option; (option = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
    *status = option == 'h' ? command_help(help) : command_usage(argv[0], NULL);
    return -1;
  }
  if (argc - optind < min || argc - optind > max) {
    *status = command_usage(argv[0], argc - optind < min ? "not enough arguments" : "too many arguments");
    return -1;
  }
  return optind;
}

int command_read(int argc, char **argv) {
  int status = 1, first = operands(argc, argv, read_help, 2, 3, &status);
  if (first < 0) return status;
  struct report report = {0};
  struct rundir dir;
  struct run_status run;
  struct control_client client;
  struct text value = {0};
  int error = rundir_find(argv[first], false, &dir, &run, &report);
  if (error == 0) error = control_open(&client, &dir, CONTROL_TIMEOUT_MS, &report);
  if (error == 0) {
    error = control_read(&client, argv[first + 1], argc - first > 2 ? argv[first + 2] : NULL, &value, &report);
    control_close(&client);
  }
  if (error == 0) {
    fwrite(text_string(&value), 1, value.length, stdout);
    /* On a terminal, and in $(...), a value without a line end is a nuisance and never a difference. */
    if (value.length > 0 && value.data[value.length - 1] != '\n') putchar('\n');
  }
  text_free(&value);
  return command_report(argv[0], &report);
}

/* Delivers value to the handler and prints what the unikernel says to it. */
static int deliver(const char *command, const char *name, const char *handler, struct slice value,
                   const char *confirmation) {
  struct report report = {0};
  struct rundir dir;
  struct run_status run;
  struct control_client client;
  struct text reply = {0};
  int error = rundir_find(name, false, &dir, &run, &report);
  if (error == 0) error = control_open(&client, &dir, CONTROL_TIMEOUT_MS, &report);
  if (error == 0) {
    error = control_write(&client, handler, value, &reply, &report);
    control_close(&client);
  }
  if (error == 0) fputs(reply.length > 0 ? text_string(&reply) : confirmation, stdout);
  text_free(&reply);
  return command_report(command, &report);
}

int command_write(int argc, char **argv) {
  int status = 1, first = operands(argc, argv, write_help, 2, 3, &status);
  if (first < 0) return status;
  const char *word = argc - first > 2 ? argv[first + 2] : "";
  struct text content = {0};
  struct slice value = slice_of(word);
  if (word[0] == '@' || strcmp(word, "-") == 0) {
    struct report report = {0};
    if (file_read(word[0] == '@' ? word + 1 : word, BUNDLE_MAX_SIZE, &content, &report) != 0) {
      text_free(&content);
      return command_report(argv[0], &report);
    }
    value = (struct slice){text_string(&content), content.length};
  }
  status = deliver(argv[0], argv[first], argv[first + 1], value, "");
  text_free(&content);
  return status;
}

/* Objects are for `imago verify`: nobody vouches for one. */
static int refuse_object(const char *path, const struct text *content, struct report *report) {
  if (content->length < 4 || memcmp(content->data, "\177ELF", 4) != 0) return 0;
  const struct slice name = bundle_request_default_name(path);
  return report_error(
      report, ERROR_INVALID,
      "%s is an object, not a signed bundle; make one: imago verify %s -o %.*s.imb --key SIGNER.pem --version N", path,
      path, (int)name.length, name.data);
}

int command_load(int argc, char **argv) {
  int status = 1, first = operands(argc, argv, load_help, 3, 3, &status);
  if (first < 0) return status;
  const char *name = argv[first], *element = argv[first + 1], *path = argv[first + 2];
  struct report report = {0};
  struct text bundle = {0}, handler = {0}, confirmation = {0};
  if (file_read(path, BUNDLE_MAX_SIZE, &bundle, &report) != 0 || refuse_object(path, &bundle, &report) != 0) {
    text_free(&bundle);
    return command_report(argv[0], &report);
  }
  text_addf(&handler, "%s.program", element);
  text_addf(&confirmation, "%s: %s now runs the program of %s\n", name, element, path);
  status = deliver(argv[0], name, text_string(&handler), (struct slice){text_string(&bundle), bundle.length},
                   text_string(&confirmation));
  text_free(&bundle);
  text_free(&handler);
  text_free(&confirmation);
  return status;
}
