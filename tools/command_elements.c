/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago elements: the list of element classes, and the manual page of one, from the tables in the element's own file.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "click/element.h"
#include "lib/memory.h"
#include "tools/command.h"

static const char help[] =
    "usage: imago elements [ELEMENT]\n"
    "\n"
    "Lists the elements that a Click file may use, or prints the manual page of one: what it does, its ports, arguments,\n"
    "handlers and drop counters, and an example. '*' marks those that need the host's files or sockets: they run in a process\n"
    "('imago click', 'imago run --process'), not in an image.\n"
    "\n"
    "  imago elements\n"
    "  imago elements Queue\n"
    "\n"
    "Exit status: 0, or 1 if there is no such element.\n";

static int compare_names(const void *a, const void *b) {
  const struct element_class *const *left = a, *const *right = b;
  return strcmp((*left)->name, (*right)->name);
}

static int print_list(const char *command) {
  unsigned count = element_class_count();
  const struct element_class **classes = memory_alloc((count + 1) * sizeof(const struct element_class *));
  if (classes == NULL) return command_fail(command, "no memory");
  for (unsigned i = 0; i < count; i++)
    classes[i] = element_class_at(i);
  int width = 0;
  for (unsigned i = 0; i < count; i++)
    width = (int)strlen(classes[i]->name) > width ? (int)strlen(classes[i]->name) : width;
  qsort(classes, count, sizeof(const struct element_class *), compare_names);
  for (unsigned i = 0; i < count; i++)
    printf("%-*s %c %s\n", width, classes[i]->name, classes[i]->process_only ? '*' : ' ', classes[i]->purpose);
  memory_free(classes);
  return 0;
}

static const char *argument_type_text(enum argument_type type) {
  static const char *const texts[] = {
      [ARGUMENT_U8] = "unsigned number",
      [ARGUMENT_U16] = "unsigned number",
      [ARGUMENT_U32] = "unsigned number",
      [ARGUMENT_U64] = "unsigned number",
      [ARGUMENT_I32] = "number",
      [ARGUMENT_I64] = "number",
      [ARGUMENT_BOOL] = "boolean",
      [ARGUMENT_STRING] = "string",
      [ARGUMENT_WORD] = "word",
      [ARGUMENT_DATA] = "data",
      [ARGUMENT_FILENAME] = "file name",
      [ARGUMENT_TIME] = "time (\"1.5\" seconds, \"20ms\", \"2min\")",
      [ARGUMENT_BANDWIDTH] = "rate (\"10Mbps\", \"64kB/s\", bytes a second)",
      [ARGUMENT_FRACTION] = "fraction (\"0.05\")",
      [ARGUMENT_IP] = "IP address",
      [ARGUMENT_IP_PREFIX] = "IP address with prefix",
      [ARGUMENT_IP_NETWORK] = "IP address, with prefix or without",
      [ARGUMENT_IP6] = "IPv6 address",
      [ARGUMENT_IP6_PREFIX] = "IPv6 address with prefix",
      [ARGUMENT_ETHER] = "Ethernet address",
      [ARGUMENT_TCP_PORT] = "TCP port",
      [ARGUMENT_UDP_PORT] = "UDP port",
      [ARGUMENT_ANNO1] = "annotation of 1 byte",
      [ARGUMENT_ANNO2] = "annotation of 2 bytes",
      [ARGUMENT_ANNO4] = "annotation of 4 bytes",
      [ARGUMENT_ANNO8] = "annotation of 8 bytes",
      [ARGUMENT_ELEMENT] = "element",
      [ARGUMENT_READ_HANDLER] = "read handler",
      [ARGUMENT_WRITE_HANDLER] = "write handler",
  };
  return (size_t)type < sizeof(texts) / sizeof(texts[0]) && texts[type] != NULL ? texts[type] : "value";
}

static const char *processing_text(const char *processing) {
  static const struct {
    const char *code, *text;
  } texts[] = {
      {"a/a", "agnostic: push or pull, as its neighbours are"},
      {"h/h", "push"},
      {"l/l", "pull"},
      {"h/l", "push to pull"},
      {"l/h", "pull to push"},
      {"a/ah", "agnostic: push or pull, as its neighbours are; output 1 push"},
      {"h/lh", "push to pull; output 1 push"},
      {"l/lh", "pull; outputs from 1 on push"},
      {"ah/ah", "agnostic: push or pull, as its neighbours are; ports from 1 on push"},
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (strcmp(processing, texts[i].code) == 0) return texts[i].text;
  }
  return processing;
}

enum { PAGE_INDENT = 2, PAGE_WIDTH = 78 };

/* Prints text from `column` of a line on, broken between words where a line would be longer than the page, further lines indented;
 * the text's own line ends stay. */
static void print_wrapped(const char *text, size_t column, size_t indent) {
  while (*text != '\0') {
    size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " \n");
    bool first = column <= indent;
    if (!first && word > 0 && column + blanks + word > PAGE_WIDTH) {
      putchar('\n');
      column = 0;
      text += blanks;
      continue;
    }
    if (word > 0) {
      if (column < indent) printf("%*s", (int)(indent - column), "");
      column = column < indent ? indent : column;
      printf("%.*s", (int)(blanks + word), text);
      column += blanks + word;
    }
    text += blanks + word;
    if (*text != '\n') continue;
    putchar('\n');
    column = 0;
    text++;
  }
  putchar('\n');
}

static void print_section(const char *title, const char *text) {
  printf("\n%s\n", title);
  print_wrapped(text, 0, PAGE_INDENT);
}

static void print_arguments(const struct element_class *class) {
  int width = 0;
  for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++) {
    if ((a->flags & ARGUMENT_DEPRECATED) == 0 && (int)strlen(a->name) > width) width = (int)strlen(a->name);
  }
  printf("\nARGUMENTS\n");
  for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++) {
    if ((a->flags & ARGUMENT_DEPRECATED) != 0) continue;
    printf("  %-*s  %s%s%s\n", width, a->name, argument_type_text(a->type),
           (a->flags & ARGUMENT_MANDATORY) != 0 ? ", mandatory" : "",
           (a->flags & ARGUMENT_POSITIONAL) != 0 ? "" : ", by keyword only");
    if (a->help != NULL) print_wrapped(a->help, 0, PAGE_INDENT + (size_t)width + 2);
  }
  if (class->takes_rest) printf("  %-*s  by position, any number: see the description\n", width, "...");
}

static void print_handlers(const struct element_class *class) {
  int width = 0;
  for (const struct handler *h = class->handlers; h->name != NULL; h++)
    width = (int)strlen(h->name) > width ? (int)strlen(h->name) : width;
  printf("\nHANDLERS\n");
  for (const struct handler *h = class->handlers; h->name != NULL; h++) {
    const char *mode = h->read == NULL ? "write" : h->write == NULL ? "read" : "read/write";
    int column = printf("  %-*s  %-10s  ", width, h->name, mode);
    print_wrapped(h->help != NULL ? h->help : "", (size_t)column, (size_t)column);
  }
}

/* Where a class has a handler `drops` of its own, as Click's has, the counters by name are in the graph's. */
static void print_drops(const struct element_class *class) {
  const char *where = "this element's handler 'drops'";
  for (const struct handler *h = class->handlers; h != NULL && h->name != NULL; h++) {
    if (strcmp(h->name, "drops") == 0) where = "the graph's handler 'drops'";
  }
  printf("\nDROPS (counted by name in %s)\n", where);
  for (const char *const *drop = class->drops; *drop != NULL; drop++)
    printf("  %s\n", *drop);
}

static void print_manual(const struct element_class *class) {
  printf("%s -- %s\n\n", class->name, class->purpose);
  printf("  ports        %s (inputs/outputs)\n", class->ports);
  if (strcmp(class->ports, "0/0") != 0) printf("  processing   %s\n", processing_text(class->processing));
  if (class->process_only) printf("  platform     process only: needs files or sockets of the host\n");
  if ((class->arguments != NULL && class->arguments->name != NULL) || class->takes_rest) print_arguments(class);
  if (class->handlers != NULL && class->handlers->name != NULL) print_handlers(class);
  if (class->drops != NULL && class->drops[0] != NULL) print_drops(class);
  if (class->manual != NULL) print_section("DESCRIPTION", class->manual);
  if (class->example != NULL) print_section("EXAMPLE", class->example);
}

int command_elements(int argc, char **argv) {
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
    return option == 'h' ? command_help(help) : command_usage(argv[0], NULL);
  }
  if (argc - optind > 1) return command_usage(argv[0], "one element at a time");
  if (argc == optind) return print_list(argv[0]);
  const struct element_class *class = element_class_find(argv[optind]);
  if (class == NULL) {
    const struct element_class *near = element_class_nearest(argv[optind]);
    if (near != NULL) {
      return command_fail(argv[0], "no element class '%s'; did you mean '%s'?", argv[optind], near->name);
    }
    return command_fail(argv[0], "no element class '%s'; 'imago elements' lists them", argv[optind]);
  }
  print_manual(class);
  return 0;
}
