/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linking an image: ld with the script, the core, and one symbol imago_element_CLASS asked for per class, so that only the
 * families come along that the graph needs.
 */
#define _GNU_SOURCE
#include "tools/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "click/config.h"
#include "lib/bytes.h"
#include "lib/memory.h"
#include "tools/arguments.h"
#include "tools/file.h"
#include "tools/subprocess.h"

enum { LINK_TIMEOUT_MS = 60000, LIBRARY_MAX = 64 << 20, AR_HEADER = 60 };

/* Arguments of ld unless the file link.args beside the script has others. */
static const char default_arguments[] =
    "-static\n-nostdlib\n--gc-sections\n--build-id=sha1\n-z\nnoexecstack\n-z\nmax-page-size=4096\n";

/* Where the linker script and the libraries are: $IMAGO_LIB, or where this program was built or installed. */
static int find_library(char directory[PATH_MAX], struct report *report) {
  const char *set = getenv("IMAGO_LIB");
  if (set != NULL && set[0] != '\0') {
    char script[PATH_MAX];
    format_text(directory, PATH_MAX, "%s", set);
    if (format_text(script, PATH_MAX, "%s/image.ld", set) < PATH_MAX && access(script, R_OK) == 0) return 0;
    return report_error(report, ERROR_NOT_FOUND, "IMAGO_LIB is %s, but there is no image.ld in it", set);
  }
  char program[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
  program[length > 0 ? length : 0] = '\0';
  int directory_length = (int)(path_base(program) - program);
  static const char *const places[] = {"../platform/vm", "../lib/imago", "vm"};
  for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    char script[PATH_MAX];
    if (format_text(script, PATH_MAX, "%.*s%s/image.ld", directory_length, program, places[i]) >= PATH_MAX) continue;
    if (access(script, R_OK) != 0) continue;
    format_text(directory, PATH_MAX, "%.*s", (int)(path_base(script) - script - 1), script);
    return 0;
  }
  return report_error(
      report, ERROR_NOT_FOUND,
      "cannot find what images are linked from (image.ld, libimago-image.a ...): build it with 'ninja -C "
      "build', or set IMAGO_LIB to its directory");
}

/* True if the archive's own index (member "/", System V format, also of thin archives) has the symbol. */
static bool archive_defines(struct slice archive, const char *symbol) {
  const size_t index = 8 + AR_HEADER;
  if (archive.length < index + 4 || memcmp(archive.data + 8, "/               ", 16) != 0) return false;
  uint64_t size = 0;
  const char *field = archive.data + 8 + 48;
  if (slice_to_u64(slice_trim((struct slice){field, 10}), archive.length - index, &size) != 0 || size < 4) return false;
  uint64_t count = load_be32(archive.data + index);
  if (count > (size - 4) / 4) return false;
  const char *name = archive.data + index + 4 + 4 * count, *end = archive.data + index + size;
  for (; count > 0 && name < end; count--) {
    size_t length = strnlen(name, (size_t)(end - name));
    if (slice_equals((struct slice){name, length}, symbol)) return true;
    name += length + 1;
  }
  return false;
}

bool image_archive_has_class(const char *path, const char *class_name) {
  char symbol[CLICK_MAX_NAME + 16];
  struct text archive = {0};
  format_text(symbol, sizeof(symbol), "imago_element_%s", class_name);
  bool has = file_read(path, LIBRARY_MAX, &archive, NULL) == 0 &&
             archive_defines((struct slice){text_string(&archive), archive.length}, symbol);
  text_free(&archive);
  return has;
}

static int check_classes(const char *directory, const struct image_options *options, struct report *report) {
  char path[PATH_MAX];
  format_text(path, PATH_MAX, "%s/libimago-image-elements.a", directory);
  for (unsigned i = 0; i < options->class_count; i++) {
    const char *name = options->classes[i];
    bool has = image_archive_has_class(path, name);
    for (unsigned j = 0; !has && j < options->link_count; j++)
      has = image_archive_has_class(options->links[j], name);
    if (!has) {
      return report_error(report, ERROR_UNSUPPORTED,
                          "element class '%s' cannot be part of an image: it needs the host; use it with 'imago run "
                          "--process'",
                          name);
    }
  }
  return 0;
}

/* Adds the lines of the text, each an argument. */
static void add_lines(struct arguments *arguments, const char *text) {
  while (*text != '\0') {
    size_t length = strcspn(text, "\n");
    if (length > 0) arguments_add(arguments, "%.*s", (int)length, text);
    text += length + (text[length] == '\n');
  }
}

static int run_tool(struct arguments *arguments, const char *what, struct report *report) {
  struct text output = {0};
  int status = SUBPROCESS_FAILED;
  if (!arguments->failed) status = subprocess_run(arguments->values, "", LINK_TIMEOUT_MS, &output);
  int error = 0;
  if (status == SUBPROCESS_NOT_FOUND) {
    error = report_error(report, ERROR_NOT_FOUND, "there is no '%s' (Debian package binutils)", arguments->values[0]);
  } else if (status != 0) {
    error = report_error(report, ERROR_IO, "%s failed (%s, status %d): %s", what, arguments->values[0], status,
                         output.length > 0 ? text_string(&output) : "it said nothing");
  }
  text_free(&output);
  arguments_free(arguments);
  return error;
}

static int link_classes(const char *directory, const struct image_options *options, const char *output,
                        struct report *report) {
  char path[PATH_MAX];
  struct arguments arguments = {0};
  struct text extra = {0};
  arguments_add(&arguments, "ld");
  format_text(path, PATH_MAX, "%s/link.args", directory);
  add_lines(&arguments, file_read(path, LIBRARY_MAX, &extra, NULL) == 0 ? text_string(&extra) : default_arguments);
  text_free(&extra);
  arguments_add(&arguments, "-T");
  arguments_add(&arguments, "%s/image.ld", directory);
  for (unsigned i = 0; i < options->class_count; i++) {
    arguments_add(&arguments, "-u");
    arguments_add(&arguments, "imago_element_%s", options->classes[i]);
  }
  arguments_add(&arguments, "-o");
  arguments_add(&arguments, "%s", output);
  static const char *const inputs[] = {"libimago-image.a", "libimago-image-elements.a", "sodium-verify.o"};
  arguments_add(&arguments, "--start-group");
  for (unsigned i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
    arguments_add(&arguments, "%s/%s", directory, inputs[i]);
  }
  for (unsigned i = 0; i < options->link_count; i++)
    arguments_add(&arguments, "%s", options->links[i]);
  arguments_add(&arguments, "--end-group");
  return run_tool(&arguments, "linking the image", report);
}

static int write_symbols(const char *unstripped, const char *image, const char *build_id, struct text *symbols,
                         struct report *report) {
  struct text path = {0};
  text_addf(&path, "%.*s%s.sym", (int)(path_base(image) - image), image, build_id);
  int error = elf_symbols(unstripped, symbols, report);
  if (error == 0) error = file_write(text_string(&path), text_string(symbols), symbols->length, report);
  text_free(&path);
  return error;
}

int image_link(const struct image_options *options, char build_id[BUILD_ID_TEXT], struct text *symbols,
               struct report *report) {
  char directory[PATH_MAX];
  struct text linked = {0}, stripped = {0};
  text_addf(&linked, "%s.linked", options->image);
  text_addf(&stripped, "%s.stripped", options->image);
  const char *product = options->keep_symbols ? text_string(&linked) : text_string(&stripped);
  int error = find_library(directory, report);
  if (error == 0) error = check_classes(directory, options, report);
  if (error == 0) error = link_classes(directory, options, text_string(&linked), report);
  if (error == 0) error = elf_build_id(text_string(&linked), build_id, report);
  if (error == 0) error = write_symbols(text_string(&linked), options->image, build_id, symbols, report);
  if (error == 0 && !options->keep_symbols) {
    struct arguments arguments = {0};
    add_lines(&arguments, "strip\n-s\n-o\n");
    arguments_add(&arguments, "%s", text_string(&stripped));
    arguments_add(&arguments, "%s", text_string(&linked));
    error = run_tool(&arguments, "stripping the image", report);
  }
  if (error == 0 && rename(product, options->image) != 0) {
    error = report_error(report, ERROR_IO, "%s: cannot write it", options->image);
  }
  unlink(text_string(&linked));
  unlink(text_string(&stripped));
  text_free(&linked);
  text_free(&stripped);
  return error;
}
