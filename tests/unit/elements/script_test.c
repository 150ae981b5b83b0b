/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of Script and DriverManager. Each row names the paragraph of Click's manual page Script(n) or DriverManager(n) that says
 * so; "limits" are ours, told in docs/click.md.
 */
#include <string.h>

#include "click/host.h"
#include "tests/unit/elements/harness.h"

/* --- a host made of memory --- */

static struct text printed, errors, file;
static char file_name[64];
static struct host_signal *signal_waiting;
static unsigned stops;

static void host_print(const char *text, size_t length) { text_add_bytes(&printed, text, length); }
static void host_error(const char *text, size_t length) { text_add_bytes(&errors, text, length); }
static int host_read(const char *name, struct text *out, struct report *report) {
  if (strcmp(name, file_name) != 0) return report_error(report, ERROR_NOT_FOUND, "%s: no such file", name);
  text_add_bytes(out, text_string(&file), file.length);
  return 0;
}
static int host_write(const char *name, bool append, struct slice bytes, struct report *report) {
  format_text(file_name, sizeof file_name, "%s", name);
  if (!append) text_clear(&file);
  text_add_slice(&file, bytes);
  return 0;
}
static int host_signal_number(struct slice name) {
  return slice_equals(name, "INT") ? 2 : slice_equals(name, "2") ? 2 : -1;
}
static int host_signal_add(struct host_signal *signal, struct report *report) {
  signal_waiting = signal;
  return 0;
}
static void host_signal_remove(struct host_signal *signal) { signal_waiting = NULL; }
static int host_signal_send(int64_t process, int number, struct report *report) {
  text_addf(&printed, "kill %lld %d\n", (long long)process, number);
  return 0;
}
static int64_t host_process(void) { return 4711; }
static const struct host host = {.print = host_print,
                                 .error = host_error,
                                 .file_read = host_read,
                                 .file_write = host_write,
                                 .signal_number = host_signal_number,
                                 .signal_add = host_signal_add,
                                 .signal_remove = host_signal_remove,
                                 .signal_send = host_signal_send,
                                 .process_id = host_process};

static void stop_driver(void) { stops++; }

static void open_system(void) {
  harness_open();
  harness.services.host = &host;
  harness.services.stop_driver = stop_driver;
  stops = 0;
}

static void close_system(void) {
  harness_stop();
  text_free(&printed);
  text_free(&errors);
  text_free(&file);
  file_name[0] = '\0';
}

/* Lets `milliseconds` pass in steps of one. */
static void pass(unsigned milliseconds) {
  for (unsigned i = 0; i <= milliseconds; i++) {
    harness_run(2);
    if (i < milliseconds) harness.now += 1000000;
  }
}

/* The counter that scripts of these tests read: 0 packets so far. */
#define GRAPH "Inject -> c :: Counter -> Discard; "

/* What scripts print, by instruction. */
static void prints(void **state) {
  static const struct {
    const char *script, *output, *log, *paragraph;
  } cases[] = {
      {"set x $(c.count), print $x", "0\n", "", "Handler Instructions, example 1"},
      {"set x \"$(c.count)\", print $x", "\"0\"\n", "", "Handler Instructions, example 2"},
      {"setq x \"$(c.count)\", print $x", "0\n", "", "Handler Instructions, example 3"},
      {"print c.count", "0\n", "", "print, example 1"},
      {"print \"c.count\"", "c.count\n", "", "print, example 2"},
      {"print '\"c.count\"'", "\"c.count\"\n", "", "print, example 3"},
      {"set x c.count, print $x", "c.count\n", "", "print, example 4"},
      {"set x c.count, print $($x)", "0\n", "", "print, example 5"},
      {"set x 0, label begin_loop, print $x, set x $(s.add $x 1), goto begin_loop $(s.lt $x 5), stop",
       "0\n1\n2\n3\n4\n", "", "SUBSTITUTIONS, example 1"},
      {"set x 0, label begin_loop, print $x, set x $(add $x 1), goto begin_loop $(lt $x 5), stop", "0\n1\n2\n3\n4\n",
       "", "SUBSTITUTIONS, example 2"},
      {"printn \"a\", printn \"b\", print", "ab\n", "", "printn; print without text"},
      {"print", "\n", "", "print"},
      {"print >out \"a b\"", "", "", "print >FILE"},
      {"printn \"a\", print >- \"b\"", "ab\n", "", "print >FILE: - is standard output"},
      {"printq length \"ab\"", "2\n", "", "printq: like print, but unquotes"},
      {"print length \"ab\"", "4\n", "", "print, a handler with a parameter"},
      {"printnq length \"ab\", print '.'", "2.\n", "", "printnq"},
      {"init x 5, print $x, set x 6, print $x", "5\n6\n", "", "init"},
      {"print $x, init x 5, goto end $(eq $x 6), set x 6, loop", "5\n6\n", "", "init: later it has no effect"},
      {"initq x \"a b\", print $x", "a b\n", "", "initq"},
      {"goto b, print \"a\", label b, print \"c\"", "c\n", "", "goto"},
      {"goto b false, print \"a\", label b, print \"c\"", "a\nc\n", "", "goto, condition"},
      {"goto exit, print \"a\"", "", "", "goto exit"},
      {"goto end true, print \"a\"", "", "", "goto end"},
      {"goto error, print \"a\"", "", "", "goto error"},
      {"set x 1, label l, print $x, goto end $(ge $x 2), set x 2, goto l", "1\n2\n", "", "label"},
      {"init x 0, set x $(add $x 1), print $x, goto stop $(eq $x 3), loop", "1\n2\n3\n", "", "loop"},
      {"init x 0, set x $(add $x 1), print $x, goto begin $(lt $x 3)", "1\n2\n3\n", "", "goto begin"},
      {"init x 0, set x $(add $x 1), print $x, goto loop $(lt $x 3)", "1\n2\n3\n", "", "goto loop"},
      {"label exit, print \"a\", init n 0, set n $(add $n 1), goto exit $(lt $n 2)", "a\na\n", "",
       "label: one of the script hides a built-in one"},
      {"exit, print \"a\"", "", "", "exit"},
      {"end, print \"a\"", "", "", "end"},
      {"return 1, print \"a\"", "", "", "return"},
      {"error, print \"a\"", "", "", "error without a message"},
      {"error bad $(c.count), print \"a\"", "", "While executing 's :: Script':\n  bad 0\n", "error"},
      {"errorq \"so, bad\"", "", "While executing 's :: Script':\n  so, bad\n", "errorq"},
      {"write c.reset, print $?", "0\n", "", "write: status in $?"},
      {"write v.set x 7, print v.get x", "7\n", "", "write HANDLER ARGS"},
      {"write v.set x \"a b\", print v.get x", "\"a b\"\n", "", "write keeps quotes"},
      {"writeq v.set \"x 7\", print v.get x", "7\n", "", "writeq"},
      {"print $nothing ${nothing} ${nothing-else} \\$", "$nothing ${nothing} else \\$\n", "",
       "SUBSTITUTIONS: unknown names stay; click(5) on ${name-default}"},
      {"set x 1, print ${x}y '$x' \"$x\"", "1y $x 1\n", "", "SUBSTITUTIONS and quotes"},
      {"set x \"a\\\"b\", print \"<$x>\"", "<\"a\\\"b\">\n", "", "SUBSTITUTIONS: a value in quotes stays what it is"},
      {"print $$", "4711\n", "", "kill: $$ is the process"},
      {"print $# $args.", "0 .\n", "", "PASSIVE: $#, $args"},
      {"print nothing.x", "",
       "While executing 's :: Script':\n  While calling 'nothing.x':\n"
       "  no element named 'nothing'; read 'list' for those there are\n",
       "print"},
      {"read c.reset, print \"on\"", "on\n",
       "While executing 's :: Script':\n  While calling 'c.reset':\n"
       "  handler 'c.reset' is not readable\n",
       "errors do not end a script"},
      {"goto x maybe, label x, print \"on\"", "on\n", "While executing 's :: Script':\n  bad condition 'maybe'\n",
       "goto"},
      {"set x $(div 1 0), print $x", "$(div 1 0)\n",
       "While executing 's :: Script':\n  While calling 's.div':\n  division by zero\n", "numbers: limits"},
      {"label l, goto l", "", "While executing 's :: Script':\n  s: too many jumps, giving up\n",
       "goto: 1000 without blocking"},
      {"set x ab, label l, set x $x$x, goto l", "", "While executing 's :: Script':\n",
       "limits: text over 65536 bytes"},
      {"print $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a $(a))))))))))))))))))", "",
       "While executing 's :: Script':\n  $( ) inside $( ) over 12 deep\n", "limits: nesting"},
      {"set a $(v.run), print $a", "made\n", "", "PASSIVE: value of run"},
      {"print $(circle.run)", NULL, "While executing 's :: Script':\n  While calling 'circle.run':\n",
       "limits: handlers that call one another in a circle"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[1024];
    open_system();
    format_text(config, sizeof config,
                GRAPH "v :: Script(TYPE PASSIVE, return made); circle :: Script(TYPE PASSIVE, return $(b.run)); "
                      "b :: Script(TYPE PASSIVE, return $(circle.run)); s :: Script(%s);",
                cases[i].script);
    harness_build(config);
    pass(20);
    const char *log = text_string(&harness.log);
    if (cases[i].output && strcmp(text_string(&printed), cases[i].output) != 0)
      fail_msg("%s\nprints '%s' (%s)\n%s", cases[i].script, text_string(&printed), cases[i].paragraph, log);
    bool prefix = cases[i].log && cases[i].log[0] && strncmp(log, cases[i].log, strlen(cases[i].log)) == 0;
    if (cases[i].log && !prefix && strcmp(log, cases[i].log) != 0)
      fail_msg("%s\nlogs '%s' (%s)", cases[i].script, log, cases[i].paragraph);
    close_system();
  }
}

/* read prints the handler's name and value on standard error, as the paragraph on read shows. */
static void reads(void **state) {
  open_system();
  harness_build(GRAPH "Script(read c.count, readq length \"ab\", read length \"ab\")");
  pass(0);
  assert_string_equal(text_string(&errors), "c.count:\n0\nScript@4.length:\n2\nScript@4.length:\n4\n");
  close_system();
}

/* save and append write a handler's value to a file, print >FILE and >>FILE text; cat and catq read it (cat, catq). */
static void files(void **state) {
  open_system();
  harness_build(GRAPH
                "Script(save c.count out, append c.class out, print >>out \"a\tb\", print cat out, print catq out, "
                "print >out c.count, print cat out)");
  pass(0);
  assert_string_equal(text_string(&printed), "0\nCounter\na\tb\n\"0\\nCounter\\na\\tb\\n\"\n0\n");
  assert_string_equal(file_name, "out");
  close_system();
}

/* pause and wait block; step passes them, time passes wait (Blocking Instructions; step). */
static void blocks(void **state) {
  open_system();
  harness_build(
      "s :: Script(print \"a\", pause, print \"b\", pause 2, print \"c\", wait 5ms, print \"d\", wait 10, print \"e\")");
  pass(50);
  assert_string_equal(text_string(&printed), "a\n");
  harness_expect_write("s.step", "", 0);
  assert_string_equal(text_string(&printed), "a\nb\n");
  harness_expect_write("s.step", "1", 0);
  assert_string_equal(text_string(&printed), "a\nb\n");
  harness_expect_write("s.step", "", 0);
  assert_string_equal(text_string(&printed), "a\nb\nc\n");
  pass(4);
  assert_string_equal(text_string(&printed), "a\nb\nc\n");
  pass(1);
  assert_string_equal(text_string(&printed), "a\nb\nc\nd\n");
  harness_expect_write("s.step", "", 0); /* a step ends a wait as well */
  assert_string_equal(text_string(&printed), "a\nb\nc\nd\ne\n");
  harness_expect_write("s.step", "x", -ERROR_INVALID);
  harness_expect_write("s.goto", "x", -ERROR_NOT_FOUND);
  close_system();
}

/* One write passes several blocking instructions; goto moves the script (step, goto). */
static void steps_and_jumps(void **state) {
  open_system();
  harness_build(
      "s :: Script(pause, print \"a\", wait_step, print \"b\", wait_stop 3, print \"c\", label l, print \"d\", "
      "wait_for 1h, print \"e\")");
  pass(0);
  harness_expect_write("s.step", "4", 0);
  assert_string_equal(text_string(&printed), "a\nb\n");
  harness_expect_write("s.goto", "l", 0);
  assert_string_equal(text_string(&printed), "a\nb\nd\n");
  close_system();
}

/* A passive script runs for its handler, with arguments (PASSIVE; run; shift). */
static void passive(void **state) {
  static const struct {
    const char *script, *arguments, *value, *paragraph;
  } cases[] = {
      {"return $(add $(c.count) $(c.byte_count))", "", "0", "PASSIVE, example"},
      {"return $args", "a  b", "a  b", "$args"},
      {"return $#:$1:$2:$3", "a \"b c\"", "2:a:\"b c\":", "$1 ..., $#"},
      {"returnq \"a $1\"", "x", "a x", "returnq"},
      {"return", "", "", "return without a value"},
      {"print $1", "x", "", "only return gives a value"},
      {"set y $(shift), return $y:$args", "a b c", "a:b c", "shift"},
      {"set v \"1 2\", set y $(shift v), return $y:$v", "", "\"1 2\":", "shift VAR"},
      {"return $0 $write", "", "run false", "$0, $write"},
      {"set x 3, return $(get x)", "", "3", "get"},
      {"return $(readable c.count c.reset) $(writable c.reset)", "", "false true", "readable, writable"},
      {"return $(readable c.count .list get)", "", "true", "readable: handlers of the script and global ones"},
      {"return $(cat nothing)", "", "$(cat nothing)", "cat"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char config[512];
    open_system();
    format_text(config, sizeof config, GRAPH "s :: Script(TYPE PASSIVE, %s);", cases[i].script);
    harness_build(config);
    pass(5);
    assert_string_equal(text_string(&printed), "");
    struct text value = {0};
    struct report report = {0};
    (void)!router_read(harness.router, slice_of("s.run"), slice_of(cases[i].arguments), &value, &report);
    if (strcmp(text_string(&value), cases[i].value) != 0)
      fail_msg("%s gives '%s' (%s)", cases[i].script, text_string(&value), cases[i].paragraph);
    text_free(&value);
    report_free(&report);
    close_system();
  }
}

/* A proxy answers for any name that Script itself has no handler for (PROXY, example). */
static void proxy(void **state) {
  open_system();
  harness_build("s :: Script(TYPE PROXY, goto nota $(ne $0 a), returnq \"you called 'a'\", label nota, "
                "goto notb $(ne $0 b), returnq \"you called 'b' $write\", label notb, error bad handler)");
  assert_string_equal(harness_read("s.a"), "you called 'a'");
  assert_string_equal(harness_read("s.b"), "you called 'b' false");
  harness_expect_write("s.b", "1", 0);
  harness_expect_write("s.c", "1", -ERROR_INVALID);
  assert_string_equal(harness_message(), "bad handler\n");
  close_system();
}

/* export gives a read handler of the variable's name (export, exportq); set changes variables. */
static void exports(void **state) {
  open_system();
  harness_build("s :: Script(TYPE PASSIVE, export x 5, exportq y \"a b\", export z, set x $(add $x 1))");
  assert_string_equal(harness_read("s.x"), "5");
  assert_string_equal(harness_read("s.y"), "a b");
  assert_string_equal(harness_read("s.z"), "");
  harness_expect_write("s.run", "", 0);
  assert_string_equal(harness_read("s.x"), "6");
  harness_expect_write("s.set", "x  a b", 0);
  assert_string_equal(harness_read("s.x"), "a b");
  assert_non_null(strstr(harness_read("s.handlers"), "x\tr\ny\tr\nz\tr\nclass\tr\n"));
  close_system();
}

/* A packet script chooses the output (PACKET; end emits on output 0, exit drops). */
static void packets(void **state) {
  for (unsigned batch = 1; batch <= 256; batch += 255) {
    open_system();
    harness_build(
        "i :: Inject; j :: Inject; o :: Capture; x :: Capture; init :: Script(TYPE PASSIVE, export n 0);"
        "s :: Script(write init.set n $(add $(init.n) 1), goto odd $(eq $(mod $(init.n) 2) 1), return $input, "
        "label odd, goto exit $(gt $(init.n) 5), end);"
        "i -> s -> o; j -> [1] s [1] -> x");
    harness_inject("j", "a b c d e f g h", batch);
    assert_string_equal(harness_captured("o"), "a c e ");
    assert_string_equal(harness_captured("x"), "b d f h ");
    assert_int_equal(harness_number("s.ocounts"), 3);
    assert_string_equal(harness_read("s.drops"), "script 1\nbusy 0\n");
    close_system();
  }
  open_system();
  harness_build(
      "i :: Inject -> Queue -> s :: Script(goto exit $(eq $(c.count) 1), end) -> u :: Unqueue -> c :: Counter -> "
      "o :: Capture");
  harness_inject("i", "a b c", 256);
  harness_expect_write("u.burst", "1", 0);
  harness_run(6);
  assert_string_equal(harness_captured("o"), "a ");
  close_system();
}

/* A driver script decides what a wish to stop means (DriverManager, example). */
static void drivers(void **state) {
  open_system();
  harness_build(GRAPH "d :: DriverManager(pause, print c.count, wait 5ms, print \"end\", stop)");
  pass(10);
  assert_string_equal(text_string(&printed), "");
  assert_false(router_stop_asked(harness.router));
  assert_string_equal(text_string(&printed), "0\n");
  assert_int_equal(stops, 0);
  pass(5);
  assert_string_equal(text_string(&printed), "0\nend\n");
  assert_int_equal(stops, 1); /* what the kernel asks the manager about next */
  assert_true(router_stop_asked(harness.router));
  close_system();

  open_system(); /* without instructions: the first wish stops */
  harness_build("DriverManager()");
  assert_true(router_stop_asked(harness.router));
  close_system();

  open_system(); /* a wish during a wait is a step */
  harness_build("Script(TYPE DRIVER, wait 1h, print \"x\", pause, print \"y\")");
  assert_false(router_stop_asked(harness.router));
  assert_string_equal(text_string(&printed), "x\n");
  assert_true(router_stop_asked(harness.router));
  assert_string_equal(text_string(&printed), "x\ny\n");
  close_system();

  open_system(); /* stop in another script is a wish */
  harness_build("Script(wait 1ms, stop)");
  pass(3);
  assert_int_equal(stops, 1);
  assert_true(router_stop_asked(harness.router));
  close_system();
}

/* A signal script runs for its signal, and again while it ends with `end` (SIGNAL). */
static void signals(void **state) {
  open_system();
  harness_build("s :: Script(TYPE SIGNAL INT, export n 0, set n $(add $n 1), print $n, goto exit $(eq $n 2))");
  pass(5);
  assert_string_equal(text_string(&printed), "");
  assert_non_null(signal_waiting);
  signal_waiting->raised(signal_waiting);
  assert_non_null(signal_waiting);
  signal_waiting->raised(signal_waiting);
  assert_string_equal(text_string(&printed), "1\n2\n");
  assert_null(signal_waiting);
  close_system();
}

/* kill sends a signal to processes (kill), and only scripts may ask for it, not the control socket. */
static void kills(void **state) {
  bool known;
  open_system();
  harness_build("s :: Script(set x $(kill INT 12 13), print \"done\")");
  pass(0);
  assert_string_equal(text_string(&printed), "kill 12 2\nkill 13 2\ndone\n");
  assert_int_equal(router_check(harness.router, slice_of("s.kill"), false, &known), -ERROR_PERMISSION);
  assert_int_equal(router_check(harness.router, slice_of("s.cat"), false, &known), -ERROR_PERMISSION);
  assert_int_equal(router_check(harness.router, slice_of("s.add"), false, &known), 0);
  close_system();
}

/* A long script gives packets their turn: after 256 instructions it goes on in the next round (limits). */
static void slices(void **state) {
  open_system();
  harness_build("s :: Script(init x 0, label l, set x $(add $x 1), goto l $(lt $x 500), print $x)");
  harness_run(1);
  assert_string_equal(text_string(&printed), "");
  harness_run(10);
  assert_string_equal(text_string(&printed), "500\n");
  close_system();
}

/* In an image there is no standard output: prints go to the log, files and signals are refused by name. */
static void without_host(void **state) {
  harness_start("Script(print \"a\\nb\", print >out \"x\", print $$)");
  harness_run(2);
  assert_string_equal(text_string(&harness.log), "a\nb\n0\nWhile executing 'Script@1 :: Script':\n"
                                                 "  out: there are no files in an image\n");
  harness_stop();
  harness_refuses("Script(TYPE SIGNAL INT)", "TYPE SIGNAL: there are no signals in an image");
}

/* What is no script is refused, every mistake in one run. */
static void refuses(void **state) {
  static const struct {
    const char *config, *message;
  } cases[] = {
      {"Script(pront x, goto nowhere)", "syntax error at 'pront'; did you mean 'print'?\n"},
      {"Script(xyzzy)", "syntax error at 'xyzzy'\n"},
      {"Script(goto nowhere)", "no such label 'nowhere'\n"},
      {"Script(set x)", "syntax error at 'set'\n"},
      {"Script(label a b)", "syntax error at 'label'\n"},
      {"Script(label)", "syntax error at 'label'\n"},
      {"Script(pause x)", "syntax error at 'pause'\n"},
      {"Script(stop now)", "syntax error at 'stop'\n"},
      {"Script(loop x)", "syntax error at 'loop'\n"},
      {"Script(TYPE FAST)", "bad TYPE 'FAST'; expected ACTIVE"},
      {"Script(TYPE PACKET)", "PACKET script must have inputs\n"},
      {"Inject -> Script(TYPE ACTIVE)", "ports allowed only on PACKET scripts\n"},
      {"DriverManager(); Script(TYPE DRIVER)", "router has more than one driver script"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    harness_refuses(cases[i].config, cases[i].message);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prints),  cmocka_unit_test(reads),           cmocka_unit_test(files),
      cmocka_unit_test(blocks),  cmocka_unit_test(steps_and_jumps), cmocka_unit_test(passive),
      cmocka_unit_test(proxy),   cmocka_unit_test(exports),         cmocka_unit_test(packets),
      cmocka_unit_test(drivers), cmocka_unit_test(signals),         cmocka_unit_test(kills),
      cmocka_unit_test(slices),  cmocka_unit_test(without_host),    cmocka_unit_test(refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
