/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ControlSocket sessions as dialogues: what the client sends, and every byte that comes back. Each dialogue runs twice, with the
 * input in one piece and byte by byte, since streams are cut anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "click/control_session.h"
#include "lib/memory.h"

#define BANNER "Click::ControlSocket/1.3\r\n"

/* --- a backend of a few handlers --- */

static char written[65536];
static size_t written_length;

static const struct {
  const char *name;
  bool readable, writable;
} known[] = {{"version", true, false}, {"q.echo", true, false}, {"q.reset", false, true},
             {"q.warn", false, true},  {"q.bad", true, true},   {"q.big", true, false}};

static int check(void *context, struct slice name, bool write, bool *element_known) {
  if (slice_equals(name, "gone")) return -ERROR_STATE;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
    if (!slice_equals(name, known[i].name)) continue;
    *element_known = true;
    return (write ? known[i].writable : known[i].readable) ? 0 : -ERROR_PERMISSION;
  }
  *element_known = slice_starts_with(name, "q.") || memchr(name.data, '.', name.length) == NULL;
  return -ERROR_NOT_FOUND;
}

static int do_read(void *context, struct slice name, struct slice parameter, struct text *out, struct report *report) {
  if (slice_equals(name, "version")) text_add(out, "1.0");
  if (slice_equals(name, "q.echo")) text_addf(out, "<%.*s>", (int)parameter.length, parameter.data);
  if (slice_equals(name, "q.bad")) return report_error(report, ERROR_STATE, "line one\nline \001two");
  if (slice_equals(name, "q.big")) {
    for (int i = 0; i < 3000; i++)
      text_add(out, "0123456789012345678901234567890123456789");
  }
  return 0;
}

static int do_write(void *context, struct slice name, struct slice value, struct report *report) {
  assert_true(value.length == 0 || (uintptr_t)value.data % 8 == 0); /* as write handlers may expect */
  written_length = value.length < sizeof written ? value.length : sizeof written;
  memcpy(written, value.data, written_length);
  if (slice_equals(name, "q.bad")) return -ERROR_INVALID;
  if (slice_equals(name, "q.warn")) report_warning(report, "careful");
  return 0;
}

static const struct control_backend backend = {do_read, do_write, check, NULL};

/* Sends the input in pieces of `piece` bytes, taking all output at once; appends it to out. */
static void talk(struct control_session *session, const char *input, size_t length, size_t piece, struct text *out) {
  size_t at = 0;
  while (at < length) {
    size_t n = length - at < piece ? length - at : piece;
    size_t taken = control_session_input(session, input + at, n);
    assert_true(taken <= n);
    text_add_slice(out, control_session_output(session));
    control_session_sent(session, control_session_output(session).length);
    if (taken == 0) break; /* closed */
    at += taken;
  }
}

static void expect_dialogue(const char *input, size_t length, const char *expected) {
  static const size_t pieces[] = {1 << 20, 1, 7};
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    struct control_session session = {0};
    struct text out = {0};
    control_session_init(&session, &backend);
    talk(&session, input, length, pieces[i], &out);
    text_add_slice(&out, control_session_output(&session));
    assert_true(strncmp(text_string(&out), BANNER, strlen(BANNER)) == 0);
    assert_string_equal(text_string(&out) + strlen(BANNER), expected);
    control_session_free(&session);
    text_free(&out);
  }
}

/* Click's codes and texts, for every command, in every way a line may end. */
static void test_dialogues(void **state) {
  static const struct {
    const char *input, *expected;
  } cases[] = {
      /* hostile or wrong */
      {"\r\n\n\r   \r\n", ""},
      {"BOGUS it\n", "501 Command 'BOGUS' unimplemented; HELP lists the commands\r\n"},
      {"\001\033[2J\n", "501 Command '??[2J' unimplemented; HELP lists the commands\r\n"},
      {"READ\n", "500 Wrong number of arguments\r\n"},
      {"WRITEDATA q.reset\n", "500 Wrong number of arguments\r\n"},
      {"WRITEDATA q.reset 1 2\n", "500 Wrong number of arguments\r\n"},
      {"WRITEDATA q.reset -1\n", "500 Syntax error in length '-1': expected a number of bytes\r\n"},
      {"WRITEDATA q.reset 99999999999999999999\n",
       "500 Syntax error in length '99999999999999999999': expected a number of bytes\r\n"},
      {"CHECKREAD version now\n", "500 Wrong number of arguments\r\n"},
      {"READ nosuch.count\n", "510 No element named 'nosuch'\r\n"},
      {"READ q.nosuch\n", "511 No handler named 'q.nosuch'\r\n"},
      {"READ q.reset\n", "530 Handler 'q.reset' write-only\r\n"},
      {"WRITE version x\n", "530 Handler 'version' read-only\r\n"},
      {"READ gone\n", "540 No router installed\r\n"},
      {"READ q.bad\n", "520-Read handler 'q.bad' error\r\n520-line one\r\n520 line ?two\r\n"},
      {"WRITE q.bad x\n", "520-Write handler 'q.bad' error\r\n520 invalid\r\n"},
      {"LLRPC q#1\nREAD version\n",
       "501 Command 'LLRPC' unimplemented: use READ or WRITE\r\n200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"LLRPC q#1 4\nREADREAD version\n", /* its four bytes don't become a command */
       "501 Command 'LLRPC' unimplemented: use READ or WRITE\r\n200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"LLRPC q#1 x\n", "500 Syntax error in length 'x': expected a number of bytes\r\n"},
      /* right */
      {"READ version\n", "200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"read version\r\n", "200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"GET version\r", "200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"  READ \t q.echo   a  b \r\n", "200 Read handler 'q.echo' OK\r\nDATA 6\r\n<a  b>"},
      {"READDATA q.echo 4\r\n\r\n\r\nREAD version\n",
       "200 Read handler 'q.echo' OK\r\nDATA 6\r\n<\r\n\r\n>200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"READDATA q.echo 0\r\nREAD version\n",
       "200 Read handler 'q.echo' OK\r\nDATA 2\r\n<>200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"READUNTIL q.echo .\r\na\r\n\r\nb .\r\n. \r\nREAD version\n",
       "200 Read handler 'q.echo' OK\r\nDATA 12\r\n<a\r\n\r\nb .\r\n>200 Read handler 'version' OK\r\nDATA 3\r\n1.0"},
      {"READUNTIL q.echo\r\na\r\nb\r\n\r\n", "200 Read handler 'q.echo' OK\r\nDATA 8\r\n<a\r\nb\r\n>"},
      {"READUNTIL q.echo END OF IT\nEND\nEND OF IT\n", "200 Read handler 'q.echo' OK\r\nDATA 6\r\n<END\n>"},
      {"WRITE q.reset\n", "200 Write handler 'q.reset' OK\r\n"},
      {"SETDATA q.reset 3\nabcCHECKWRITE q.reset\n",
       "200 Write handler 'q.reset' OK\r\n200 Write handler 'q.reset' OK\r\n"},
      {"WRITEUNTIL q.warn x\nx\n", "220-Write handler 'q.warn' OK with warnings\r\n220 warning: careful\r\n"},
      {"CHECKREAD version\n", "200 Read handler 'version' OK\r\n"},
      {"CHECKREAD q.reset\n", "511 Handler 'q.reset' not readable\r\n"},
      {"CHECKWRITE version\n", "511 Handler 'version' not writable\r\n"},
      {"CHECKWRITE no.where\n", "510 No element named 'no'\r\n"},
      {"QUIT\nREAD version\n", "200 Goodbye!\r\n"},
      {"CLOSE now\n", "500 Bad command syntax\r\n200 Goodbye!\r\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    expect_dialogue(cases[i].input, strlen(cases[i].input), cases[i].expected);
}

/* A line over the limit is refused once, and the session goes on behind it. */
static void test_long_line(void **state) {
  size_t length = CONTROL_LINE_MAX + 1000;
  char *input = malloc(length + 32);
  memset(input, 'x', length);
  strcpy(input + length, "\nREAD version\n");
  expect_dialogue(input, strlen(input),
                  "500 Line too long: at most 65536 bytes; send longer values with WRITEDATA\r\n"
                  "200 Read handler 'version' OK\r\nDATA 3\r\n1.0");
  free(input);
}

/* Data over the limit are refused, discarded as announced, and take no memory; the session goes on behind them. */
static void test_too_much_data(void **state) {
  static const struct {
    const char *head, *tail;
  } cases[] = {{"WRITEDATA q.reset 4194305\n", ""}, {"WRITEUNTIL q.reset .\n", "\n.\n"}};
  size_t length = CONTROL_DATA_MAX + 1;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct text input = {0}, out = {0};
    struct control_session session = {0};
    char *data = malloc(length);
    memset(data, 'y', length);
    text_add(&input, cases[i].head);
    text_add_bytes(&input, data, length);
    text_add(&input, cases[i].tail);
    text_add(&input, "READ version\n");
    control_session_init(&session, &backend);
    talk(&session, input.data, input.length, 16384, &out);
    assert_string_equal(text_string(&out), BANNER "521 Data too large for handler 'q.reset': at most 4194304 bytes\r\n"
                                                  "200 Read handler 'version' OK\r\nDATA 3\r\n1.0");
    control_session_free(&session);
    text_free(&input);
    text_free(&out);
    free(data);
  }
}

/* Announcing much data allocates nothing before they come. */
static void test_no_memory_on_promise(void **state) {
  struct control_session session = {0};
  struct text out = {0};
  const char *line = "WRITEDATA q.reset 4194304\n";
  control_session_init(&session, &backend);
  talk(&session, line, strlen(line), 4096, &out);
  assert_int_equal(session.data.capacity, 0);
  control_session_free(&session);
  text_free(&out);
}

/* Data arrive at the handler byte for byte, whatever they hold. */
static void test_binary_data(void **state) {
  struct text out = {0}, input = {0};
  struct control_session session = {0};
  char data[256];
  for (int i = 0; i < 256; i++)
    data[i] = (char)i;
  text_add(&input, "WRITEDATA q.reset 256\r\n");
  text_add_bytes(&input, data, sizeof data);
  control_session_init(&session, &backend);
  talk(&session, input.data, input.length, 5, &out);
  assert_string_equal(text_string(&out), BANNER "200 Write handler 'q.reset' OK\r\n");
  assert_int_equal(written_length, 256);
  assert_memory_equal(written, data, 256);
  control_session_free(&session);
  text_free(&out);
  text_free(&input);
}

/* One call runs one command at most; while much output waits, none at all. */
static void test_back_pressure(void **state) {
  struct control_session session = {0};
  const char *input = "READ q.big\nREAD version\n";
  control_session_init(&session, &backend);
  assert_int_equal(control_session_input(&session, input, strlen(input)), strlen("READ q.big\n"));
  assert_int_equal(control_session_input(&session, input + 11, strlen(input) - 11), 0);
  control_session_sent(&session, control_session_output(&session).length - 10);
  assert_int_equal(control_session_output(&session).length, 10);
  assert_int_equal(control_session_input(&session, input + 11, strlen(input) - 11), strlen(input) - 11);
  control_session_free(&session);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dialogues),     cmocka_unit_test(test_long_line),
      cmocka_unit_test(test_too_much_data), cmocka_unit_test(test_no_memory_on_promise),
      cmocka_unit_test(test_binary_data),   cmocka_unit_test(test_back_pressure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
