/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reader of boot archives, hostile archives first, and the writer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/cpio.h"
#include "lib/cpio_write.h"
#include "lib/memory.h"

enum { HEADER = 110 };

/* Any entry, right or wrong: the writer under test refuses wrong ones. */
struct raw {
  const char *magic;
  uint32_t mode, links, data_size, name_size;
  const char *name, *data;
};

static void add_raw(struct text *archive, struct raw raw) {
  text_addf(archive, "%s%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", raw.magic, 1, raw.mode, 0, 0, raw.links,
            0, raw.data_size, 0, 0, 0, 0, raw.name_size, 0);
  text_add_bytes(archive, raw.name, strlen(raw.name) + 1);
  text_add_bytes(archive, "\0\0\0", -archive->length % 4);
  text_add(archive, raw.data);
  text_add_bytes(archive, "\0\0\0", -archive->length % 4);
}

static struct raw file(const char *name, const char *data) {
  return (struct raw){"070701", 0100644, 1, (uint32_t)strlen(data), (uint32_t)strlen(name) + 1, name, data};
}

static struct raw with_mode(struct raw raw, uint32_t mode) {
  raw.mode = mode;
  return raw;
}

static void add_end(struct text *archive) { add_raw(archive, file("TRAILER!!!", "")); }

static struct slice whole(const struct text *text) { return (struct slice){text->data, text->length}; }

/* Reads all of it, from a copy of exact size, so that a sanitizer sees one byte too many. "name=data;" of each entry goes to seen.
 * Returns what cpio_next returned last. */
static int read_all(struct slice archive, struct text *seen, struct report *report) {
  char *copy = archive.length == 0 ? NULL : memory_alloc(archive.length);
  if (copy != NULL) memcpy(copy, archive.data, archive.length);
  struct cpio_reader reader;
  struct cpio_entry entry;
  int more;
  cpio_reader_init(&reader, (struct slice){copy, archive.length});
  while ((more = cpio_next(&reader, &entry, report)) > 0) {
    assert_int_equal(entry.name.data[entry.name.length], '\0');
    if (entry.data.length > 0) assert_int_equal((entry.data.data - copy) % 4, 0);
    text_addf(seen, "%s%s", entry.name.data, entry.directory ? "/" : "=");
    text_add_slice(seen, entry.data);
    text_add(seen, ";");
  }
  memory_free(copy);
  return more;
}

static void expect(const struct text *archive, int result, const char *entries, const char *message) {
  struct text seen = {0};
  struct report report = {0};
  int got = read_all(whole(archive), &seen, &report);
  if (got != result || !glob_match(message, text_string(&report.text))) {
    fail_msg("%s: %s is not %s: %s", error_text(got), text_string(&report.text), error_text(result), message);
  }
  assert_string_equal(text_string(&seen), entries);
  assert_int_equal(read_all(whole(archive), &seen, NULL), result); /* also without a report */
  text_free(&seen);
  report_free(&report);
}

/* Each malformed entry is refused with its kind of error and a message that says what is wrong; what came before it was read. */
static void malformed_entries_are_refused(void **state) {
  static char long_name[CPIO_NAME_MAX + 1];
  memset(long_name, 'n', CPIO_NAME_MAX);
  const struct {
    struct raw raw;
    int error;
    const char *message;
  } cases[] = {
      {{"070702", 0100644, 1, 0, 2, "a", ""}, -ERROR_INVALID, "archive has no newc header at byte *-H newc\n"},
      {{"070707", 0100644, 1, 0, 2, "a", ""}, -ERROR_INVALID, "archive has no newc header*"},
      {{"\x1f\x8b\x08\0\0\0", 0100644, 1, 0, 2, "a", ""}, -ERROR_INVALID, "archive has no newc header*uncompressed*"},
      {{"07070100000001xxxxxxxx", 1, 1, 0, 2, "a", ""}, -ERROR_INVALID, "*not hexadecimal*"},
      {{"070701-0000001", 1, 1, 0, 2, "a", ""}, -ERROR_INVALID, "*not hexadecimal*"},
      {{"070701", 0100644, 1, 0, 0, "", ""}, -ERROR_INVALID, "*has no name*"},
      {{"070701", 0100644, 1, 0, 2, "abc", ""}, -ERROR_INVALID, "*does not end in NUL*"},
      {{"070701", 0100644, 1, 0, 6, "abc", ""}, -ERROR_INVALID, "*control characters*"},
      {{"070701", 0100644, 1, 0, CPIO_NAME_MAX + 1, long_name, ""}, -ERROR_TOO_BIG, "*up to 255 bytes*"},
      {{"070701", 0100644, 1, 0, UINT32_MAX, "a", ""}, -ERROR_TOO_BIG, "*name of 4294967294 bytes, the limit is 255*"},
      {{"070701", 0100644, 1, 0, 250, "a", ""}, -ERROR_TRUNCATED, "*ends within the name*"},
      {{"070701", 0100644, 1, UINT32_MAX, 2, "a", ""}, -ERROR_TRUNCATED, "*ends within the data*"},
      {{"070701", 0100644, 1, 125, 2, "a", ""}, -ERROR_TRUNCATED, "*ends within the data*"},
      {file("/etc/passwd", "x"), -ERROR_INVALID, "*names are relative*"},
      {file("..", "x"), -ERROR_INVALID, "*names are relative*"},
      {file("a/../../b", "x"), -ERROR_INVALID, "*without \"..\"*"},
      {file("./../b", "x"), -ERROR_INVALID, "*without \"..\"*"},
      {file("a//b", "x"), -ERROR_INVALID, "*empty parts*"},
      {file("a/", "x"), -ERROR_INVALID, "*empty parts*"},
      {file("././a", "x"), -ERROR_INVALID, "*names are relative*"},
      {file(".", "x"), -ERROR_INVALID, "*names are relative*"},
      {file("./", "x"), -ERROR_INVALID, "*names are relative*"},
      {file("a\nb", "x"), -ERROR_INVALID, "*control characters*"},
      {file("a\x7f", "x"), -ERROR_INVALID, "*control characters*"},
      {with_mode(file("link", "target"), 0120777), -ERROR_UNSUPPORTED,
       "archive entry link is neither file nor directory*"},
      {with_mode(file("tty", ""), 0020666), -ERROR_UNSUPPORTED, "*neither file nor directory*"},
      {with_mode(file("none", ""), 0), -ERROR_UNSUPPORTED, "*neither file nor directory*"},
      {with_mode(file("keys", "x"), 0040755), -ERROR_INVALID, "archive entry keys is a directory with data\n"},
      {{"070701", 0100644, 2, 0, 5, "twin", ""}, -ERROR_UNSUPPORTED, "archive entry twin is a hard link*"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct text archive = {0};
    add_raw(&archive, file("before", "1"));
    add_raw(&archive, cases[i].raw);
    add_end(&archive);
    expect(&archive, cases[i].error, "before=1;", cases[i].message);
    text_free(&archive);
  }
}

/* Cut anywhere before the end of TRAILER!!!, an archive is "truncated", and never read beyond the cut; cut behind, it is whole. */
static void truncated_anywhere(void **state) {
  struct text archive = {0};
  add_raw(&archive, file("config.click", "a -> b;"));
  add_raw(&archive, file("b", "12345"));
  size_t last_header = archive.length;
  add_end(&archive);
  size_t needed = last_header + HEADER + sizeof "TRAILER!!!";
  for (size_t length = 0; length <= archive.length; length++) {
    struct text seen = {0};
    struct report report = {0};
    int result = read_all((struct slice){archive.data, length}, &seen, &report);
    assert_int_equal(result, length == 0 || length >= needed ? 0 : -ERROR_TRUNCATED);
    assert_int_equal(report.errors, result == 0 ? 0 : 1);
    text_free(&seen);
    report_free(&report);
  }
  text_free(&archive);
}

/* No byte of an archive, whatever it is changed to, makes the reader fail in another way than with an error. */
static void any_byte_changed(void **state) {
  struct text archive = {0};
  add_raw(&archive, file("a", "data"));
  add_raw(&archive, with_mode(file("d", ""), 0040755));
  add_end(&archive);
  static const char changes[] = {'\0', '0', 'f', '/', '\xff'};
  for (size_t at = 0; at < archive.length; at++) {
    char saved = archive.data[at];
    for (unsigned i = 0; i < sizeof changes; i++) {
      struct text seen = {0};
      archive.data[at] = changes[i];
      assert_in_range(-read_all(whole(&archive), &seen, NULL), 0, ERROR_COUNT - 1);
      text_free(&seen);
    }
    archive.data[at] = saved;
  }
  text_free(&archive);
}

/* The number of entries is limited, over all archives that follow one another. */
static void entries_are_limited(void **state) {
  struct text archive = {0}, seen = {0};
  struct report report = {0};
  for (unsigned i = 1; i < CPIO_MAX_ENTRIES; i++)
    add_raw(&archive, file("f", ""));
  add_end(&archive);
  assert_int_equal(read_all(whole(&archive), &seen, &report), 0);
  add_end(&archive);
  assert_int_equal(read_all(whole(&archive), &seen, &report), -ERROR_TOO_BIG);
  assert_string_equal(text_string(&report.text), "archive has more than 4096 entries\n");
  text_free(&archive);
  text_free(&seen);
  report_free(&report);
}

/* Directories, "./" in front, "." itself, data of all lengths and archives that follow one another, with zeros between. */
static void good_archives(void **state) {
  struct text archive = {0};
  expect(&archive, 0, "", "");
  add_raw(&archive, with_mode(file(".", ""), 0040755));
  add_raw(&archive, with_mode(file("./keys", ""), 0040755));
  add_raw(&archive, file("./keys/a.pub", "123"));
  add_raw(&archive, file("empty", ""));
  add_raw(&archive, file("\xc3\xa4", "12345"));
  add_end(&archive);
  expect(&archive, 0, "keys/;keys/a.pub=123;empty=;\xc3\xa4=12345;", "");
  for (unsigned i = 0; i < 13; i++)
    text_add_bytes(&archive, "\0\0\0\0", 4);
  expect(&archive, 0, "keys/;keys/a.pub=123;empty=;\xc3\xa4=12345;", "");
  add_raw(&archive, file("second", "2"));
  add_end(&archive);
  expect(&archive, 0, "keys/;keys/a.pub=123;empty=;\xc3\xa4=12345;second=2;", "");
  text_add_bytes(&archive, "\0\0\0", 3);
  expect(&archive, 0, "keys/;keys/a.pub=123;empty=;\xc3\xa4=12345;second=2;", "");
  text_add(&archive, "junk");
  expect(&archive, -ERROR_INVALID, "keys/;keys/a.pub=123;empty=;\xc3\xa4=12345;second=2;", "*no newc header*");
  text_free(&archive);
}

/* Finding takes the last file of a name, no directory, and refuses an archive that is broken anywhere. */
static void find_takes_the_last(void **state) {
  struct text archive = {0};
  struct slice data = {0};
  struct report report = {0};
  add_raw(&archive, file("a", "old"));
  add_raw(&archive, with_mode(file("keys", ""), 0040755));
  add_raw(&archive, file("./a", "new"));
  add_raw(&archive, file("ab", "other"));
  add_end(&archive);
  assert_int_equal(cpio_find(whole(&archive), "a", &data, &report), 0);
  assert_true(slice_equals(data, "new"));
  assert_int_equal(cpio_find(whole(&archive), "keys", &data, &report), -ERROR_NOT_FOUND);
  assert_int_equal(cpio_find(whole(&archive), "", &data, &report), -ERROR_NOT_FOUND);
  assert_int_equal(cpio_find((struct slice){NULL, 0}, "a", &data, &report), -ERROR_NOT_FOUND);
  assert_int_equal(report.errors, 0);
  archive.length -= 16;
  assert_int_equal(cpio_find(whole(&archive), "a", &data, &report), -ERROR_TRUNCATED);
  assert_int_equal(report.errors, 1);
  text_free(&archive);
  report_free(&report);
}

/* What is written is read back, byte by byte; names that could not be read are not written. */
static void written_is_read(void **state) {
  struct cpio_writer writer = {0};
  struct report report = {0};
  static char long_name[CPIO_NAME_MAX + 1];
  memset(long_name, 'n', CPIO_NAME_MAX);
  assert_int_equal(cpio_write_file(&writer, "config.click", "FromDevice(eth0);", 17, &report), 0);
  assert_int_equal(cpio_write_file(&writer, "/a", "x", 1, &report), -ERROR_INVALID);
  assert_int_equal(cpio_write_file(&writer, "", "x", 1, &report), -ERROR_INVALID);
  assert_int_equal(cpio_write_file(&writer, "a/./b", "x", 1, &report), -ERROR_INVALID);
  assert_int_equal(cpio_write_file(&writer, "TRAILER!!!", "x", 1, &report), -ERROR_INVALID);
  assert_int_equal(cpio_write_file(&writer, long_name, "x", 1, &report), -ERROR_TOO_BIG);
  assert_int_equal(cpio_write_file(&writer, "big", "x", (size_t)UINT32_MAX + 1, &report), -ERROR_TOO_BIG);
  assert_int_equal(report.errors, 6);
  assert_int_equal(cpio_write_file(&writer, long_name + 1, "\0\1", 2, &report), 0);
  assert_int_equal(cpio_write_file(&writer, "empty", NULL, 0, &report), 0);
  assert_int_equal(cpio_write_end(&writer, &report), 0);
  assert_int_equal(writer.bytes.length % 4, 0);
  struct cpio_reader reader;
  struct cpio_entry entry;
  cpio_reader_init(&reader, whole(&writer.bytes));
  assert_int_equal(cpio_next(&reader, &entry, NULL), 1);
  assert_true(slice_equals(entry.name, "config.click") && slice_equals(entry.data, "FromDevice(eth0);"));
  assert_int_equal(entry.mode, 0100644);
  assert_int_equal(cpio_next(&reader, &entry, NULL), 1);
  assert_true(slice_equals(entry.name, long_name + 1) && entry.data.length == 2);
  assert_memory_equal(entry.data.data, "\0\1", 2);
  assert_int_equal(cpio_next(&reader, &entry, NULL), 1);
  assert_true(slice_equals(entry.name, "empty") && entry.data.length == 0 && !entry.directory);
  assert_int_equal(cpio_next(&reader, &entry, NULL), 0);
  text_free(&writer.bytes);
  report_free(&report);
}

/* As many files as the reader takes can be written, and not one more. */
static void writer_keeps_the_limit(void **state) {
  struct cpio_writer writer = {0};
  struct text seen = {0};
  for (unsigned i = 1; i < CPIO_MAX_ENTRIES; i++)
    assert_int_equal(cpio_write_file(&writer, "f", "", 0, NULL), 0);
  assert_int_equal(cpio_write_file(&writer, "f", "", 0, NULL), -ERROR_TOO_BIG);
  assert_int_equal(cpio_write_end(&writer, NULL), 0);
  assert_int_equal(read_all(whole(&writer.bytes), &seen, NULL), 0);
  assert_int_equal(seen.length, 3 * (CPIO_MAX_ENTRIES - 1));
  text_free(&seen);
  text_free(&writer.bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_entries_are_refused),
      cmocka_unit_test(truncated_anywhere),
      cmocka_unit_test(any_byte_changed),
      cmocka_unit_test(entries_are_limited),
      cmocka_unit_test(good_archives),
      cmocka_unit_test(find_takes_the_last),
      cmocka_unit_test(written_is_read),
      cmocka_unit_test(writer_keeps_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
