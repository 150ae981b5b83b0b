/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The command line of `imago click`. What options mean is click(1) of Click; what its parser says about wrong ones is clp(3).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/click_options.h"

enum { ARGUMENTS_MAX = 16 };

/* Everything that differs from what no option at all means. */
static void describe(const struct click_driver_options *o, struct text *out) {
  if (o->file != NULL) text_addf(out, "%s=%s ", o->expression ? "expression" : "file", o->file);
  for (unsigned i = 0; i < o->parameter_count; i++) {
    text_addf(out, "%s:=%s ", o->parameters[i].name, o->parameters[i].value);
  }
  if (o->click_path != NULL) text_addf(out, "path=%s ", o->click_path);
  if (o->threads != 1) text_addf(out, "threads=%u ", o->threads);
  if (o->affinity != -1) text_addf(out, "affinity=%d ", o->affinity);
  for (unsigned i = 0; i < o->control_count; i++)
    text_addf(out, "%s,%s ", o->controls[i].kind, o->controls[i].where);
  for (unsigned i = 0; i < o->handler_count; i++)
    text_addf(out, "read=%s ", o->handlers[i]);
  if (o->exit_handler != NULL) text_addf(out, "exit=%s ", o->exit_handler);
  if (o->output != NULL) text_addf(out, "output=%s ", o->output);
  if (o->simulated_time) text_addf(out, "from=%llu ", (unsigned long long)o->simulated_start);
  text_addf(out, "%s%s%s%s", o->allow_reconfigure ? "reconfigure " : "", o->quit ? "quit " : "", o->time ? "time " : "",
            o->no_warnings ? "quiet " : "");
  if (out->length > 0) out->data[--out->length] = '\0';
}

struct row {
  const char *arguments[ARGUMENTS_MAX];
  enum click_action action;
  const char *options;  /* as describe has it; not looked at when the action is not to run */
  const char *messages; /* without the newline at the end */
};

static void check(const struct row *row) {
  char *arguments[ARGUMENTS_MAX + 2] = {(char *)"click"};
  int count = 1;
  while (row->arguments[count - 1] != NULL) {
    arguments[count] = (char *)row->arguments[count - 1];
    count++;
  }
  struct click_driver_options options;
  struct report report = {0};
  struct text text = {0};
  assert_int_equal(click_options_parse(count, arguments, &options, &report), row->action);
  if (report.text.length > 0) report.text.data[--report.text.length] = '\0';
  assert_string_equal(text_string(&report.text), row->messages);
  describe(&options, &text);
  if (row->action == CLICK_ACTION_RUN) assert_string_equal(text_string(&text), row->options);
  text_free(&text);
  report_free(&report);
  click_options_free(&options);
}

/* Wrong command lines are refused with Click's words, and never half obeyed. */
static void refuses(void **state) {
  static const struct row rows[] = {
      {{"--frob"}, CLICK_ACTION_BAD_OPTION, "", "click: unrecognized option '--frob'"},
      {{"--frob=3"}, CLICK_ACTION_BAD_OPTION, "", "click: unrecognized option '--frob'"},
      {{"-qZ"}, CLICK_ACTION_BAD_OPTION, "", "click: unrecognized option '-Z'"},
      {{"-f"}, CLICK_ACTION_BAD_OPTION, "", "click: '-f' requires an argument"},
      {{"--handler"}, CLICK_ACTION_BAD_OPTION, "", "click: '--handler' requires an argument"},
      {{"--quit=yes"}, CLICK_ACTION_BAD_OPTION, "", "click: '--quit' can't take an argument"},
      {{"-j", "two"}, CLICK_ACTION_BAD_OPTION, "", "click: '-j' expects an integer, not 'two'"},
      {{"--threads=2x"}, CLICK_ACTION_BAD_OPTION, "", "click: '--threads' expects an integer, not '2x'"},
      {{"-afirst"}, CLICK_ACTION_BAD_OPTION, "", "click: '-a' expects an integer, not 'first'"},
      {{"--socket", "x"}, CLICK_ACTION_BAD_OPTION, "", "click: '--socket' expects an integer, not 'x'"},
      {{"-p", "0"}, CLICK_ACTION_BAD_OPTION, "", "click: '-p' expects a TCP port number, not '0'"},
      {{"-p", "65536"}, CLICK_ACTION_BAD_OPTION, "", "click: '-p' expects a TCP port number, not '65536'"},
      {{"-p", "+"}, CLICK_ACTION_BAD_OPTION, "", "click: '-p' expects a TCP port number, not '+'"},
      {{"-p", ""}, CLICK_ACTION_BAD_OPTION, "", "click: '-p' expects a TCP port number, not ''"},
      {{"--port", "no such service"},
       CLICK_ACTION_BAD_OPTION,
       "",
       "click: '--port' expects a TCP port number, not 'no such service'"},
      {{"--simtime=soon"}, CLICK_ACTION_BAD_OPTION, "", "click: '--simtime' expects a real number, not 'soon'"},
      {{"--simtime=-1"}, CLICK_ACTION_BAD_OPTION, "", "click: '--simtime' expects a real number, not '-1'"},
      {{"--simtime", "-j2"},
       CLICK_ACTION_BAD_OPTION,
       "",
       "click: simulated time needs one thread; leave out '--simtime' or '--threads'"},
      {{"--simtime=nan"}, CLICK_ACTION_BAD_OPTION, "", "click: '--simtime' expects a real number, not 'nan'"},
      {{"a.click", "b.click"}, CLICK_ACTION_BAD_OPTION, "", "router configuration specified twice"},
      {{"-f", "a.click", "-e", "Idle"}, CLICK_ACTION_BAD_OPTION, "", "router configuration specified twice"},
      {{"-o", "a", "-o", "b"}, CLICK_ACTION_BAD_OPTION, "", "output file specified twice"},
      {{"-x", "a.b", "-x", "c.d"}, CLICK_ACTION_BAD_OPTION, "", "--exit-handler specified twice"},
      {{"A=1", "A=2"}, CLICK_ACTION_RUN, "A:=1", "parameter 'A' multiply defined"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    check(&rows[i]);
}

/* Every option, by letter and by name, alone and in bundles, before and behind the file. */
static void reads(void **state) {
  static const struct row rows[] = {
      {{NULL}, CLICK_ACTION_RUN, "", ""},
      {{"r.click"}, CLICK_ACTION_RUN, "file=r.click", ""},
      {{"-"}, CLICK_ACTION_RUN, "file=-", ""},
      {{"-f", "r.click"}, CLICK_ACTION_RUN, "file=r.click", ""},
      {{"--file=r.click"}, CLICK_ACTION_RUN, "file=r.click", ""},
      {{"-e", "Idle -> Discard"}, CLICK_ACTION_RUN, "expression=Idle -> Discard", ""},
      {{"--expression", "Idle"}, CLICK_ACTION_RUN, "expression=Idle", ""},
      {{"--exp", "Idle"}, CLICK_ACTION_RUN, "expression=Idle", ""},
      {{"-eIdle"}, CLICK_ACTION_RUN, "expression=Idle", ""},
      {{"--", "-q"}, CLICK_ACTION_RUN, "file=-q", ""},
      {{"--", "A=1", "r.click"}, CLICK_ACTION_RUN, "file=r.click A:=1", ""},
      {{"-j4"}, CLICK_ACTION_RUN, "threads=4", ""},
      {{"--threads", "0"}, CLICK_ACTION_RUN, "", ""},
      {{"-j", "-3"}, CLICK_ACTION_RUN, "", ""},
      {{"-a"}, CLICK_ACTION_RUN, "affinity=0", ""},
      {{"-a2"}, CLICK_ACTION_RUN, "affinity=2", ""},
      {{"-a", "r.click"}, CLICK_ACTION_RUN, "file=r.click affinity=0", ""},
      {{"--affinity=2"}, CLICK_ACTION_RUN, "affinity=2", ""},
      {{"--cpu=2"}, CLICK_ACTION_RUN, "affinity=2", ""},
      {{"-a2", "--no-affinity"}, CLICK_ACTION_RUN, "", ""},
      {{"-p", "7777"}, CLICK_ACTION_RUN, "TCP,7777", ""},
      {{"-p", "7777+"}, CLICK_ACTION_RUN, "TCP,7777+", ""},
      {{"--port=80", "-u", "/run/c", "--socket", "3"}, CLICK_ACTION_RUN, "TCP,80 UNIX,/run/c SOCKET,3", ""},
      {{"-p1", "-p2"}, CLICK_ACTION_RUN, "TCP,1 TCP,2", ""},
      {{"--unix-socket=c"}, CLICK_ACTION_RUN, "UNIX,c", ""},
      {{"-R"}, CLICK_ACTION_RUN, "reconfigure", ""},
      {{"--allow-reconfigure"}, CLICK_ACTION_RUN, "reconfigure", ""},
      {{"-R", "--no-allow-reconfigure"}, CLICK_ACTION_RUN, "", ""},
      {{"-h", "c.count", "--handler=*.config"}, CLICK_ACTION_RUN, "read=c.count read=*.config", ""},
      {{"-x", "c.count"}, CLICK_ACTION_RUN, "exit=c.count", ""},
      {{"--exit-handler", "c.count"}, CLICK_ACTION_RUN, "exit=c.count", ""},
      {{"-o", "-"}, CLICK_ACTION_RUN, "output=-", ""},
      {{"--output=f"}, CLICK_ACTION_RUN, "output=f", ""},
      {{"-q"}, CLICK_ACTION_RUN, "quit", ""},
      {{"--quit"}, CLICK_ACTION_RUN, "quit", ""},
      {{"-t"}, CLICK_ACTION_RUN, "time", ""},
      {{"--time"}, CLICK_ACTION_RUN, "time", ""},
      {{"-w"}, CLICK_ACTION_RUN, "quiet", ""},
      {{"--no-warnings"}, CLICK_ACTION_RUN, "quiet", ""},
      {{"-w", "--warnings"}, CLICK_ACTION_RUN, "", ""},
      {{"--simtime"}, CLICK_ACTION_RUN, "from=1000000000000000000", ""},
      {{"--simtime=0"}, CLICK_ACTION_RUN, "from=0", ""},
      {{"--simtime=1.5"}, CLICK_ACTION_RUN, "from=1500000000", ""},
      {{"--simulation-time=2"}, CLICK_ACTION_RUN, "from=2000000000", ""},
      {{"-C", "a:b"}, CLICK_ACTION_RUN, "path=a:b", ""},
      {{"--clickpath=a"}, CLICK_ACTION_RUN, "path=a", ""},
      {{"-qtw", "r.click"}, CLICK_ACTION_RUN, "file=r.click quit time quiet", ""},
      {{"-qhc.count", "r.click"}, CLICK_ACTION_RUN, "file=r.click read=c.count quit", ""},
      {{"r.click", "-q"}, CLICK_ACTION_RUN, "file=r.click quit", ""},
      {{"A=1", "r.click", "b_2=x=y z"}, CLICK_ACTION_RUN, "file=r.click A:=1 b_2:=x=y z", ""},
      {{"A="}, CLICK_ACTION_RUN, "A:=", ""},
      {{"=1"}, CLICK_ACTION_RUN, "file==1", ""},
      {{"a/b=1"}, CLICK_ACTION_RUN, "file=a/b=1", ""},
      {{"--help", "--frob"}, CLICK_ACTION_HELP, "", ""},
      {{"-v"}, CLICK_ACTION_VERSION, "", ""},
      {{"--version"}, CLICK_ACTION_VERSION, "", ""},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    check(&rows[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(refuses), cmocka_unit_test(reads)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
