/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reads a Click file as the unikernel will, so that what is wrong with it shows here and not in a machine that does not start;
 * then links and packs.
 */
#include "tools/build.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "bundle/bundle.h"
#include "click/archive.h"
#include "click/element.h"
#include "click/names.h"
#include "lib/cpio_write.h"
#include "lib/memory.h"
#include "tools/dev_bundle.h"
#include "tools/file.h"
#include "tools/image.h"
#include "tools/keyfile.h"

enum { BUNDLES_MAX = 256 };

/* A bundle of the boot archive. Owns name and path. */
struct packed_bundle {
  char *name; /* in the archive */
  char *path;
};

struct packing {
  struct packed_bundle bundles[BUNDLES_MAX];
  unsigned bundle_count;
  const char **classes; /* distinct; the names belong to the class tables and the configuration */
  unsigned class_count;
  bool needs_key;
  struct dev_key dev; /* if options->dev */
};

int build_paths(const char *output, struct build_result *result, struct report *report) {
  size_t stem = strlen(output);
  if (path_has_suffix(output, ".elf")) stem -= strlen(".elf");
  if (stem == 0 || output[stem - 1] == '/') {
    return report_error(report, ERROR_INVALID, "'%s' is no name for an image", output);
  }
  if (stem + sizeof(".cpio") > PATH_MAX) return report_error(report, ERROR_TOO_BIG, "the path %s is too long", output);
  format_text(result->image, PATH_MAX, "%.*s.elf", (int)stem, output);
  format_text(result->archive, PATH_MAX, "%.*s.cpio", (int)stem, output);
  return 0;
}

static int add_bundle(struct packing *packing, struct slice name, struct slice directory, const char *path,
                      struct report *report) {
  for (unsigned i = 0; i < packing->bundle_count; i++) {
    if (slice_equals(name, packing->bundles[i].name))
      return 0; /* the first stands: options come before the file's own */
  }
  if (slice_equals(name, "config.click") || slice_equals(name, "symbols") || slice_equals(name, "allow-unproven") ||
      slice_starts_with(name, "keys/")) {
    return report_error(report, ERROR_INVALID, "a bundle cannot be called '%.*s' in the archive: choose NAME=FILE",
                        (int)name.length, name.data);
  }
  if (packing->bundle_count == BUNDLES_MAX)
    return report_error(report, ERROR_TOO_BIG, "more than %d bundles", BUNDLES_MAX);
  struct text full = {0};
  if (path[0] != '/') text_add_slice(&full, directory);
  text_add(&full, path);
  struct packed_bundle *bundle = &packing->bundles[packing->bundle_count++];
  bundle->name = memory_copy_string(name.data, name.length);
  bundle->path = memory_copy_string(text_string(&full), full.length);
  text_free(&full);
  return bundle->name != NULL && bundle->path != NULL ? 0 : report_error(report, ERROR_NO_MEMORY, "no memory");
}

static int add_option_bundles(struct packing *packing, const struct build_options *options, struct report *report) {
  int error = 0;
  for (unsigned i = 0; error == 0 && i < options->bundle_count; i++) {
    const char *text = options->bundles[i], *equals = strchr(text, '=');
    const char *path = equals != NULL ? equals + 1 : text;
    struct slice name = slice_of(path_base(path));
    if (equals != NULL) name = (struct slice){text, (size_t)(equals - text)};
    if (name.length == 0 || path[0] == '\0') {
      return report_error(report, ERROR_INVALID, "--bundle takes FILE or NAME=FILE, not '%s'", text);
    }
    error = add_bundle(packing, name, (struct slice){"", 0}, path, report);
  }
  return error;
}

/* The target of argument FILE, if the class has one: a bundle that the element starts with. */
static const char *file_argument(const struct element_class *class, const void *target) {
  for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++) {
    if (strcmp(a->name, "FILE") == 0 && a->type == ARGUMENT_WORD) {
      char *value;
      memcpy(&value, (const char *)target + a->offset, sizeof(value));
      return value;
    }
  }
  return NULL;
}

/* Parses the element's arguments as the router will, into a struct that is then thrown away. */
static int check_element(struct packing *packing, const struct click_declaration *declaration,
                         const struct element_class *class, struct slice directory, struct report *report) {
  struct element *element = memory_alloc(class->size);
  struct args rest = {0};
  struct report own = {.prefix = "  "};
  int error;
  if (element == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory");
  element->class = class;
  if (class->defaults != NULL) class->defaults(element);
  error = args_parse(declaration->arguments, class->arguments, element, class->takes_rest ? &rest : NULL, &own);
  if (error != 0) {
    report_note(report, "%s:%u: While configuring '%s :: %s':", declaration->at.file, declaration->at.line,
                declaration->name, class->name);
    text_add(&report->text, text_string(&own.text));
    report->errors += own.errors;
  } else {
    const char *file = file_argument(class, element);
    if (file != NULL) {
      packing->needs_key = true;
      error = add_bundle(packing, slice_of(file), directory, file, report);
    }
  }
  report_free(&own);
  args_free(&rest);
  args_release(class->arguments, element);
  memory_free(element);
  return error;
}

/* A class that this program has not, from an archive named with --link; its arguments are checked by the unikernel only. */
static bool is_linked(const struct build_options *options, const char *class_name) {
  for (unsigned i = 0; i < options->link_count; i++) {
    if (image_archive_has_class(options->links[i], class_name)) return true;
  }
  return false;
}

static int unknown_class(const struct click_declaration *declaration, struct report *report) {
  const struct landmark *at = &declaration->at;
  const struct element_class *near = element_class_nearest(declaration->class_name);
  if (near != NULL) {
    return report_error(report, ERROR_NOT_FOUND, "%s:%u: unknown element class '%s'; did you mean '%s'?", at->file,
                        at->line, declaration->class_name, near->name);
  }
  return report_error(report, ERROR_NOT_FOUND, "%s:%u: unknown element class '%s'; 'imago elements' lists them",
                      at->file, at->line, declaration->class_name);
}

static int not_in_image(const struct click_declaration *declaration, struct report *report) {
  return report_error(
      report, ERROR_UNSUPPORTED,
      "%s:%u: %s is not available in an image; it needs files or sockets of the host: run the file with "
      "'imago click', or with 'imago run --process'",
      declaration->at.file, declaration->at.line, declaration->class_name);
}

/* Every element is looked at, so that one run shows all that is wrong. */
static int check_config(struct packing *packing, const struct build_options *options, const struct click_config *config,
                        struct slice directory, struct report *report) {
  struct name_table seen = {0};
  int result = 0;
  packing->classes = memory_alloc((config->declaration_count + 1) * sizeof(*packing->classes));
  if (packing->classes == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory");
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    const struct click_declaration *declaration = &config->declarations[i];
    const struct element_class *class = element_class_find(declaration->class_name);
    int added = name_table_add(&seen, slice_of(declaration->class_name), 0), error = 0;
    if (added == -ERROR_NO_MEMORY) {
      result = report_error(report, ERROR_NO_MEMORY, "no memory");
      break;
    }
    if (class == NULL && is_linked(options, declaration->class_name)) {
      if (added == 0) packing->classes[packing->class_count++] = declaration->class_name;
    } else if (class == NULL) {
      error = added == 0 ? unknown_class(declaration, report) : -ERROR_NOT_FOUND;
    } else if (class->process_only && !options->archive_only) {
      error = added == 0 ? not_in_image(declaration, report) : -ERROR_UNSUPPORTED;
    } else {
      if (added == 0) packing->classes[packing->class_count++] = class->name;
      error = check_element(packing, declaration, class, directory, report);
    }
    if (error != 0) result = error;
  }
  name_table_free(&seen);
  return result;
}

static const char dev_key_name[] = "dev";

static int pack_keys(const struct packing *packing, const struct build_options *options, struct cpio_writer *writer,
                     struct report *report) {
  int error = options->dev ? cpio_write_file(writer, "keys/dev.pub", packing->dev.public_key,
                                             sizeof(packing->dev.public_key), report)
                           : 0;
  for (unsigned i = 0; error == 0 && i < options->key_count; i++) {
    struct text entry = {0};
    struct bundle_key key, other;
    error = keyfile_read_public(options->keys[i], &key, report);
    for (unsigned j = 0; error == 0 && j < i; j++) {
      error = keyfile_read_public(options->keys[j], &other, report);
      if (error == 0 && strcmp(key.name, other.name) == 0) {
        error = report_error(report, ERROR_EXISTS, "--key %s and --key %s would both be called '%s': rename one",
                             options->keys[j], options->keys[i], key.name);
      }
    }
    if (error == 0 && options->dev && strcmp(key.name, dev_key_name) == 0) {
      error = report_error(report, ERROR_EXISTS, "--key %s would be called '%s', as the key of --dev is: rename it",
                           options->keys[i], dev_key_name);
    }
    if (error == 0) {
      text_addf(&entry, "keys/%s.pub", key.name);
      error = cpio_write_file(writer, text_string(&entry), key.public_key, sizeof(key.public_key), report);
    }
    text_free(&entry);
  }
  return error;
}

static int pack_bundles(const struct packing *packing, const struct build_options *options, struct cpio_writer *writer,
                        struct report *report) {
  int error = 0;
  for (unsigned i = 0; error == 0 && i < packing->bundle_count; i++) {
    const struct packed_bundle *bundle = &packing->bundles[i];
    const bool object = dev_bundle_is_object(bundle->path);
    struct text bytes = {0};
    if (object && options->dev) {
      error = dev_bundle_make(bundle->path, &packing->dev, &bytes, report);
      if (error == 0) error = cpio_write_file(writer, bundle->name, text_string(&bytes), bytes.length, report);
      text_free(&bytes);
      continue;
    }
    if (object) {
      return report_error(
          report, ERROR_INVALID,
          "%s: an object is no bundle: make a bundle of it with 'imago verify', or let 'imago run --dev' do so",
          bundle->path);
    }
    error = file_read(bundle->path, BUNDLE_MAX_SIZE, &bytes, NULL);
    if (error != 0) {
      report_error(report, (enum error) - error,
                   "%s: cannot read the bundle '%s': %s; make it with 'imago verify', or say where it is with --bundle "
                   "%s=FILE",
                   bundle->path, bundle->name, error_text(error), bundle->name);
    } else {
      error = cpio_write_file(writer, bundle->name, text_string(&bytes), bytes.length, report);
    }
    text_free(&bytes);
  }
  return error;
}

static int write_archive(const struct packing *packing, const struct build_options *options, struct slice source,
                         const struct text *symbols, const char *path, struct report *report) {
  struct cpio_writer writer = {0};
  int error = cpio_write_file(&writer, "config.click", source.data, source.length, report);
  if (error == 0) error = pack_keys(packing, options, &writer, report);
  if (error == 0 && (options->allow_unproven || options->dev)) {
    error = cpio_write_file(&writer, "allow-unproven", "", 0, report);
  }
  if (error == 0) error = pack_bundles(packing, options, &writer, report);
  if (error == 0 && options->symbols_in_archive && !options->archive_only) {
    error = cpio_write_file(&writer, "symbols", text_string(symbols), symbols->length, report);
  }
  if (error == 0) error = cpio_write_end(&writer, report);
  if (error == 0) error = file_write(path, writer.bytes.data, writer.bytes.length, report);
  text_free(&writer.bytes);
  return error;
}

int build(const struct build_options *options, struct build_result *result, struct report *report) {
  struct text source = {0}, symbols = {0};
  struct click_config config = {0};
  struct packing *packing = memory_alloc(sizeof(*packing));
  if (packing == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory");
  memset(result, 0, sizeof(*result));
  struct slice directory = {options->click, (size_t)(path_base(options->click) - options->click)};
  int error = build_paths(options->output, result, report);
  if (error == 0 && options->dev) error = dev_key_make(&packing->dev, report);
  if (error == 0) error = file_read(options->click, CLICK_MAX_SOURCE, &source, report);
  struct slice text = {text_string(&source), source.length};
  const struct click_language language = {.archive = text};
  if (error == 0) error = click_archive_config(options->click, text, &text, report);
  if (error == 0) error = click_parse_with(options->click, text, &language, &config, report);
  if (error != 0) goto done;
  error = add_option_bundles(packing, options, report);
  if (error == 0) error = check_config(packing, options, &config, directory, report);
  if (error == 0 && packing->needs_key && options->key_count == 0 && !options->dev) {
    error =
        report_error(report, ERROR_KEY,
                     "%s: its bundles need a signer that the unikernel trusts: give its public key with --key PUB.pem",
                     options->click);
  }
  if (error == 0 && !options->archive_only) {
    const struct image_options image = {.classes = packing->classes,
                                        .class_count = packing->class_count,
                                        .links = options->links,
                                        .link_count = options->link_count,
                                        .image = result->image,
                                        .keep_symbols = options->keep_symbols};
    error = image_link(&image, result->build_id, &symbols, report);
  }
  if (error == 0) error = write_archive(packing, options, text, &symbols, result->archive, report);
  result->class_count = packing->class_count;
done:
  click_config_free(&config);
  for (unsigned i = 0; i < packing->bundle_count; i++) {
    memory_free(packing->bundles[i].name);
    memory_free(packing->bundles[i].path);
  }
  memory_free(packing->classes);
  sodium_memzero(&packing->dev, sizeof(packing->dev));
  memory_free(packing);
  text_free(&source);
  text_free(&symbols);
  return error;
}
