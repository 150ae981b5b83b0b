/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ControlSocket client against servers that follow the protocol, and servers that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/control_client.h"

static char runtime[] = "/tmp/imago-test-XXXXXX";
static struct rundir dir;

static int make_run(void **state) {
  if (mkdtemp(runtime) == NULL || setenv("XDG_RUNTIME_DIR", runtime, 1) != 0) return -1;
  if (rundir_locate("fw", &dir, NULL) != 0) return -1;
  return close(rundir_claim(&dir, NULL));
}

static int remove_run(void **state) {
  char base[64];
  rundir_remove(&dir);
  format_text(base, sizeof(base), "%s/imago", runtime);
  rmdir(base);
  return rmdir(runtime);
}

#define GREETING "Click::ControlSocket/1.3\r\n"

/* A server in a child process: sends `script` to its one client at once, reads until the client closes, or closes first. */
static pid_t serve(const char *script, bool hang_up) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  format_text(address.sun_path, sizeof(address.sun_path), "%s/control", dir.path);
  unlink(address.sun_path);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(listen(listener, 1), 0);
  pid_t pid = fork();
  if (pid == 0) {
    char sink[256];
    int client = accept(listener, NULL, NULL);
    if (write(client, script, strlen(script)) < 0) _exit(1);
    if (hang_up) shutdown(client, SHUT_WR);
    while (read(client, sink, sizeof(sink)) > 0) {
    }
    _exit(0);
  }
  close(listener);
  return pid;
}

/* What each server's words come to: a value, an error in the unikernel's own words, or a protocol error; always an end. */
static void replies_are_understood(void **state) {
  static const struct {
    const char *script;
    bool hang_up;
    int error;
    const char *value, *message;
  } cases[] = {
      {GREETING "200 Read handler 'c.count' OK\r\nDATA 3\r\n123", false, 0, "123", ""},
      {GREETING "200 OK\r\nDATA 0\r\n", false, 0, "", ""},
      {GREETING "200 OK\nDATA 5\n1\r\n23", false, 0, "1\r\n23", ""}, /* bare LF; data may hold line ends */
      {GREETING "200-Read\r\n200-a note\r\n200 OK\r\nDATA 1\r\nx", false, 0, "x", ""},
      {GREETING "510 No element named 'c'\r\n", false, -ERROR_NOT_FOUND, "", "No element named 'c'\n"},
      {GREETING "520-Read handler 'c.count' error\r\n520 no such map\r\n", false, -ERROR_PERMISSION, "",
       "no such map\n"},
      {GREETING "200 OK\r\nDATA 99999999999\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "200 OK\r\nDATA x\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "200 OK\r\nnonsense\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "2x0 OK\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "200?OK\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "\r\n", false, -ERROR_INVALID, "", NULL},
      {GREETING "200 OK\r\nDATA 9\r\n123", true, -ERROR_IO, "123", NULL},  /* ends in the middle */
      {GREETING "200 OK\r\nDATA 9\r\n123", false, -ERROR_IO, "123", NULL}, /* hangs in the middle */
      {GREETING "200-OK\r\n", true, -ERROR_IO, "", NULL},
      {GREETING, false, -ERROR_IO, "", NULL},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    pid_t server = serve(cases[i].script, cases[i].hang_up);
    struct control_client client;
    struct text value = {0};
    struct report report = {0};
    assert_int_equal(control_open(&client, &dir, 200, &report), 0);
    assert_int_equal(control_read(&client, "c.count", NULL, &value, &report), cases[i].error);
    assert_string_equal(text_string(&value), cases[i].value);
    assert_int_equal(report.errors, cases[i].error != 0);
    if (cases[i].message != NULL) assert_string_equal(text_string(&report.text), cases[i].message);
    control_close(&client);
    report_free(&report);
    text_free(&value);
    waitpid(server, NULL, 0);
  }
}

/* Somebody who greets otherwise, or not at all, is not taken for a unikernel; the lock is free again afterwards. */
static void greetings_are_checked(void **state) {
  static const char *const scripts[] = {"", "SSH-2.0-OpenSSH\r\n", "\r\n", "Click::Control"};
  for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
    pid_t server = serve(scripts[i], false);
    struct control_client client;
    struct report report = {0};
    assert_true(control_open(&client, &dir, 50, &report) < 0);
    assert_int_equal(report.errors, 1);
    report_free(&report);
    waitpid(server, NULL, 0);
  }
  pid_t server = serve(GREETING, false);
  struct control_client client;
  assert_int_equal(control_open(&client, &dir, 2000, NULL), 0);
  control_close(&client);
  waitpid(server, NULL, 0);
}

/* A handler's name cannot smuggle a second command in. */
static void handler_names_are_one_word(void **state) {
  static const char *const bad[] = {"", "a b", "a\r\nWRITE stop", "a\tb", "\x01"};
  pid_t server = serve(GREETING, false);
  struct control_client client;
  struct text value = {0};
  assert_int_equal(control_open(&client, &dir, 2000, NULL), 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(control_read(&client, bad[i], NULL, &value, NULL), -ERROR_INVALID);
    assert_int_equal(control_write(&client, bad[i], slice_of("x"), NULL, NULL), -ERROR_INVALID);
  }
  control_close(&client);
  waitpid(server, NULL, 0);
}

/* The second client is told whose turn it is. */
static void second_client_is_told(void **state) {
  pid_t server = serve(GREETING, false);
  struct control_client first, second;
  struct report report = {0};
  char expected[32];
  assert_int_equal(control_open(&first, &dir, 2000, NULL), 0);
  assert_int_equal(control_open(&second, &dir, 2000, &report), -ERROR_BUSY);
  format_text(expected, sizeof(expected), "(pid %d)", (int)getpid());
  assert_non_null(strstr(text_string(&report.text), expected));
  report_free(&report);
  control_close(&first);
  waitpid(server, NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(replies_are_understood),
      cmocka_unit_test(greetings_are_checked),
      cmocka_unit_test(handler_names_are_one_word),
      cmocka_unit_test(second_client_is_told),
  };
  return cmocka_run_group_tests(tests, make_run, remove_run);
}
