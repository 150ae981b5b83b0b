/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs the rows of rows.h, and checks that they leave nothing out: every argument and every handler in the tables of the linked element
 * classes has a row, every row's argument makes a difference, and no row speaks of what there is not.
 */
#include "tests/unit/elements/rows.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/elements/harness.h"

static const struct row *const tables[] = {rows_flow, rows_choice, rows_header, rows_script};
enum { TABLES = sizeof tables / sizeof tables[0], ROUNDS = 20, TEXT_MAX = 2048 };

/* Classes that cannot be told of in a row: each item has to stand in one of the files of tests/, which glob(7) finds. */
static const struct {
  const char *classes, *files;
} elsewhere[] = {
    {"BPFilter BPFClassifier BPFRewriter", "unit/elements/bpf*_test.c"},
    {"FromDevice ToDevice", "unit/elements/device_test.c"},
    {"ProgressBar", "unit/elements/message_test.c"},
    {"IPFilter IPClassifier", "unit/elements/ipfilter_test.c"},
    {"FromDump ToDump", "unit/elements/dump_test.c"},
    {"FromIPSummaryDump ToIPSummaryDump", "unit/elements/summary_test.c"},
    {"FromHost ToHost KernelTun KernelTap", "unit/elements/host_tun_test.c system/test_host_elements.py"},
    {"Socket", "unit/elements/socket*_test.c"},
    {"ControlSocket ChatterSocket", "system/test_control_socket.py"},
};

/* --- words --- */

static bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Where `word` stands in `text`, not as a part of another, or NULL. */
static const char *find_word(const char *text, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
    if ((at == text || !is_name(at[-1])) && !is_name(at[length])) return at;
  }
  return NULL;
}

static bool next_word(const char **rest, char *word) {
  struct slice slice = slice_of(*rest);
  struct slice found = slice_next_word(&slice);
  *rest = slice.data;
  if (found.length == 0) return false;
  assert_true(found.length < TEXT_MAX);
  memcpy(word, found.data, found.length);
  word[found.length] = '\0';
  return true;
}

static void blanks_for_underscores(char *text) {
  for (; *text != '\0'; text++)
    if (*text == '_') *text = ' ';
}

/* `pattern` with $C and $A replaced by the two halves of a word CLASS[:ARGUMENTS]. */
static void fill_in(const char *pattern, const char *word, char *out) {
  char class[TEXT_MAX], arguments[TEXT_MAX] = "";
  format_text(class, sizeof class, "%s", word);
  char *colon = strchr(class, ':');
  if (colon != NULL) {
    format_text(arguments, sizeof arguments, "%s", colon + 1);
    blanks_for_underscores(arguments);
    *colon = '\0';
  }
  size_t length = 0;
  for (; *pattern != '\0'; pattern++) {
    const char *with = pattern[0] != '$' ? NULL : pattern[1] == 'C' ? class : pattern[1] == 'A' ? arguments : NULL;
    if (with != NULL) pattern++;
    length += format_text(out + length, TEXT_MAX - length, "%.*s", with ? (int)strlen(with) : 1, with ? with : pattern);
    assert_true(length < TEXT_MAX);
  }
  out[length] = '\0';
}

static const struct element_class *class_of(const char *word) {
  char name[TEXT_MAX];
  format_text(name, sizeof name, "%s", word);
  name[strcspn(name, ":")] = '\0';
  return element_class_find(name);
}

static bool has_argument(const struct element_class *class, const char *name) {
  for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++)
    if (strcmp(a->name, name) == 0) return true;
  return false;
}

static bool has_handler(const struct element_class *class, const char *name) {
  for (const struct handler *h = class->handlers; h != NULL && h->name != NULL; h++)
    if (strcmp(h->name, name) == 0) return true;
  return false;
}

/* --- running --- */

static struct text result;

static void add_result(const char *text) {
  size_t length = strlen(text);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\n'))
    length--;
  text_add_bytes(&result, text, length);
  text_add(&result, "|");
}

static void pass(unsigned long ms) {
  for (; ms > 0; ms--) {
    harness.now += 1000000;
    for (unsigned n = 0; n < 4; n++)
      scheduler_run(&harness.scheduler, harness.now);
  }
}

static void write_step(char *step, char *equals) {
  bool refused = step[0] == '!';
  *equals = '\0';
  blanks_for_underscores(equals + 1);
  int status = harness_write(step + refused, equals + 1, strlen(equals + 1));
  if ((status < 0) != refused) text_addf(&result, "<%s gives %d: %s>", step, status, harness_message());
}

static void read_step(char *step) {
  char *parameter = strchr(step, '(');
  if (parameter != NULL) {
    *parameter++ = '\0';
    parameter[strlen(parameter) - 1] = '\0';
    blanks_for_underscores(parameter);
  }
  struct text value = {0};
  struct report report = {0};
  int status = router_read(harness.router, slice_of(step), slice_of(parameter ? parameter : ""), &value, &report);
  add_result(status < 0 ? "<unreadable>" : text_string(&value));
  text_free(&value);
  report_free(&report);
}

static void run_step(char *step, const char *said) {
  char *equals = strchr(step, '=');
  if (strcmp(step, "R") == 0) {
    harness_run(ROUNDS);
  } else if (step[0] == '@') {
    add_result(harness_captured(step + 1));
  } else if (strcmp(step, "%log") == 0) {
    add_result(text_string(&harness.log));
  } else if (strcmp(step, "%said") == 0) {
    add_result(said);
  } else if (strcmp(step, "%stops") == 0) {
    char number[16];
    format_text(number, sizeof number, "%u", harness.stops);
    add_result(number);
  } else if (equals == NULL || (strchr(step, '(') != NULL && strchr(step, '(') < equals)) {
    read_step(step);
  } else if (strncmp(step, "T=", 2) == 0) {
    pass(strtoul(equals + 1, NULL, 10));
  } else if (step[0] == 'I' || step[0] == 'J') {
    blanks_for_underscores(equals + 1);
    harness_inject(step[0] == 'I' ? "i" : "j", equals + 1, step[0] == 'I' ? BATCH_MAX : 1);
  } else {
    write_step(step, equals);
  }
}

/* What the steps give, or what the graph is refused with, in `result`. */
static void run(const char *graph, const char *steps) {
  text_clear(&result);
  harness_open();
  struct report report = {0};
  int status =
      router_create("test.click", slice_of(graph), &harness.services, &harness.scheduler, &harness.router, &report);
  if (status < 0 || steps == NULL) {
    text_addf(&result, "%s %s", status < 0 ? "refused:" : "accepted:", text_string(&report.text));
    if (status < 0) harness.router = NULL;
  } else {
    char step[TEXT_MAX];
    while (next_word(&steps, step))
      run_step(step, text_string(&report.text));
    if (result.length > 0 && result.data[result.length - 1] == '|') result.data[--result.length] = '\0';
  }
  report_free(&report);
  harness_stop();
}

/* The graph without the argument of e: from its keyword to the next comma or parenthesis. */
static void leave_out(const char *graph, const char *keyword, char *out) {
  const char *e = strstr(graph, "e :: "), *at = find_word(e, keyword), *end = at;
  bool quoted = false;
  for (; *end != '\0' && (quoted || (*end != ',' && *end != ')')); end++)
    quoted ^= *end == '"';
  if (*end == ',') {
    end += 1 + strspn(end + 1, " ");
  } else if (at - graph > 2 && at[-2] == ',') {
    at -= 2;
  }
  format_text(out, TEXT_MAX, "%.*s%s", (int)(at - graph), graph, end);
}

static bool as_expected(const struct row *row) {
  if (row->steps != NULL) return strcmp(text_string(&result), row->expected) == 0;
  return strncmp(text_string(&result), "refused:", 8) == 0 && strstr(text_string(&result), row->expected) != NULL;
}

static void run_row(const struct row *row, const char *word, unsigned *failures) {
  char graph[TEXT_MAX], other[TEXT_MAX], items[TEXT_MAX], item[TEXT_MAX];
  fill_in(row->graph, word, graph);
  fill_in(row->items, word, items);
  run(graph, row->steps);
  if (!as_expected(row)) {
    print_error("%s\n  %s\n  gives   '%s'\n  and not '%s'\n  (%s)\n", graph, row->steps ? row->steps : "",
                text_string(&result), row->expected, row->source);
    ++*failures;
    return;
  }
  const char *rest = items;
  while (next_word(&rest, item)) {
    if (!(item[0] >= 'A' && item[0] <= 'Z')) continue;
    leave_out(graph, item, other);
    run(other, row->steps);
    if (!as_expected(row)) continue;
    print_error("%s\n  %s makes no difference\n", graph, item);
    ++*failures;
  }
}

/* Each row gives what it says, and its arguments are what makes it so. */
static void rows_hold(void **state) {
  unsigned failures = 0;
  for (unsigned t = 0; t < TABLES; t++) {
    for (const struct row *row = tables[t]; row->classes != NULL; row++) {
      const char *words = row->classes;
      for (char word[TEXT_MAX]; next_word(&words, word);)
        run_row(row, word, &failures);
    }
  }
  text_free(&result);
  assert_int_equal(failures, 0);
}

/* Rows name what there is, where it stands in the row, and a source. */
static void rows_are_about_something(void **state) {
  for (unsigned t = 0; t < TABLES; t++) {
    for (const struct row *row = tables[t]; row->classes != NULL; row++) {
      assert_non_null(row->source);
      const char *words = row->classes;
      for (char word[TEXT_MAX], item[TEXT_MAX]; next_word(&words, word);) {
        const struct element_class *class = class_of(word);
        if (class == NULL) {
          fail_msg("no class '%s'", word);
          return;
        }
        const char *items = row->items;
        while (next_word(&items, item)) {
          const char *name = item + (item[0] == '~');
          bool argument = name[0] >= 'A' && name[0] <= 'Z';
          if (!(argument ? has_argument(class, name) : has_handler(class, name)))
            fail_msg("%s has no '%s'", class->name, name);
          if (find_word(argument ? row->graph : row->steps, name) == NULL)
            fail_msg("'%s' does not stand in the row of %s: %s", name, class->name, row->graph);
        }
      }
    }
  }
}

static bool has_row(const struct element_class *class, const char *item) {
  for (unsigned t = 0; t < TABLES; t++) {
    for (const struct row *row = tables[t]; row->classes != NULL; row++) {
      const char *words = row->classes;
      for (char word[TEXT_MAX]; find_word(row->items, item) != NULL && next_word(&words, word);)
        if (class_of(word) == class) return true;
    }
  }
  return false;
}

static bool stands_in_file(const char *path, const char *item) {
  static char source[1 << 17];
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t length = fread(source, 1, sizeof source - 1, file);
  source[length] = '\0';
  fclose(file);
  return find_word(source, item) != NULL;
}

static bool stands_in_files(const char *pattern, const char *item) {
  char path[128];
  glob_t files;
  bool found = false;
  format_text(path, sizeof path, "tests/%s", pattern);
  assert_int_equal(glob(path, 0, NULL, &files), 0);
  for (size_t i = 0; i < files.gl_pathc; i++)
    found = found || stands_in_file(files.gl_pathv[i], item);
  globfree(&files);
  return found;
}

/* Whether the item stands in a file that tests the class, if there is such a file. */
static bool is_elsewhere(const struct element_class *class, const char *item) {
  for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
    if (find_word(elsewhere[i].classes, class->name) == NULL) continue;
    const char *files = elsewhere[i].files;
    for (char name[TEXT_MAX]; next_word(&files, name);)
      if (stands_in_files(name, item)) return true;
  }
  return false;
}

/* Every argument and every handler of every linked class has a row. */
static void nothing_is_left_out(void **state) {
  unsigned missing = 0;
  for (unsigned i = 0; i < element_class_count(); i++) {
    const struct element_class *class = element_class_at(i);
    for (const struct argument *a = class->arguments; a != NULL && a->name != NULL; a++) {
      if (has_row(class, a->name) || is_elsewhere(class, a->name)) continue;
      print_error("argument %s of %s has no row\n", a->name, class->name);
      missing++;
    }
    for (const struct handler *h = class->handlers; h != NULL && h->name != NULL; h++) {
      if (has_row(class, h->name) || is_elsewhere(class, h->name)) continue;
      print_error("handler %s of %s has no row\n", h->name, class->name);
      missing++;
    }
  }
  assert_int_equal(missing, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_about_something), cmocka_unit_test(rows_hold),
                                     cmocka_unit_test(nothing_is_left_out)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
