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
      {"a/a", "agnostic"}, {"h/h", "push"}, {"l/l", "pull"}, {"h/l", "push to pull"}, {"l/h", "pull to push"},
  };
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    if (strcmp(processing, texts[i].code) == 0) return texts[i].text;
  }
  return processing;
}

static void print_arguments(const struct element_class *class) {
  printf("\nARGUMENTS\n");
  for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++) {
    if ((a->flags & ARGUMENT_DEPRECATED) != 0) continue;
    printf("  %-14s %s%s%s\n", a->name, argument_type_text(a->type),
           (a->flags & ARGUMENT_MANDATORY) != 0 ? ", mandatory" : "",
           (a->flags & ARGUMENT_POSITIONAL) != 0 ? "" : ", by keyword only");
    printf("  %-14s %s\n", "", a->help != NULL ? a->help : "");
  }
  if (class->takes_rest) printf("  ...            further arguments by position\n");
}

static void print_handlers(const struct element_class *class) {
  printf("\nHANDLERS\n");
  for (const struct handler *h = class->handlers; h->name != NULL; h++) {
    const char *mode = h->read == NULL ? "write" : h->write == NULL ? "read" : "read/write";
    printf("  %-18s %-10s %s\n", h->name, mode, h->help != NULL ? h->help : "");
  }
}

/* Indented, and broken between words where a line would be longer than the page; the text's own line ends stay. */
static void print_indented(const char *title, const char *text) {
  enum { INDENT = 2, WIDTH = 78 };
  printf("\n%s\n", title);
  for (size_t column = 0; *text != '\0';) {
    size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " \n");
    if (column > 0 && word > 0 && INDENT + column + blanks + word > WIDTH) {
      putchar('\n');
      column = 0;
      text += blanks;
      continue;
    }
    if (column == 0 && word > 0) printf("%*s", INDENT, "");
    printf("%.*s", (int)(word > 0 ? blanks + word : 0), text);
    column += blanks + word;
    text += blanks + word;
    if (*text == '\n') {
      putchar('\n');
      column = 0;
      text++;
    } else if (*text == '\0') {
      putchar('\n');
    }
  }
}

static void print_manual(const struct element_class *class) {
  printf("%s -- %s\n\n", class->name, class->purpose);
  printf("  ports        %s (inputs/outputs)\n", class->ports);
  printf("  processing   %s\n", processing_text(class->processing));
  if (class->process_only) printf("  platform     process only: needs files or sockets of the host\n");
  if ((class->arguments != NULL && class->arguments->name != NULL) || class->takes_rest) print_arguments(class);
  if (class->handlers != NULL && class->handlers->name != NULL) print_handlers(class);
  if (class->drops != NULL && class->drops[0] != NULL) {
    printf("\nDROPS (counted in the handler 'drops')\n");
    for (const char *const *drop = class->drops; *drop != NULL; drop++)
      printf("  %s\n", *drop);
  }
  if (class->manual != NULL) print_indented("DESCRIPTION", class->manual);
  if (class->example != NULL) print_indented("EXAMPLE", class->example);
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
