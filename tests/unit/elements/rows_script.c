/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of the elements that act on handlers and on whoever reads the configuration: Script, DriverManager, Message. Values of functions are
 * those of Script(n), HANDLERS, or arithmetic. A blank within a step is written '_'.
 */
#include "tests/unit/elements/rows.h"

#define SCRIPTS "Script DriverManager"
#define PASSIVE "e :: $C(TYPE PASSIVE, return $($args))"

const struct row rows_script[] = {
    {"Message", "MESSAGE", "e :: $C(MESSAGE hello, TYPE ERROR)", NULL, "hello", "messageelement.hh"},
    {"Message", "TYPE", "e :: $C(hello, TYPE ERROR)", NULL, "hello", "messageelement.hh: the others let it run"},

    {"ProgressBar", "SIZEHANDLER", "i :: Inject -> c :: Counter -> Discard; e :: $C(c.count, SIZEHANDLER c.byte_count)",
     "I=ab e.position e.size", "1|2", "progressbar.hh"},
    {"ProgressBar", "ACTIVE", "e :: $C(version, ACTIVE false)", "e.active", "false", "progressbar.hh"},

    {SCRIPTS, "TYPE run", "i :: Inject -> c :: Counter -> Discard; e :: $C(TYPE PASSIVE, write c.reset, return 5)",
     "I=a R c.count e.run c.count", "1|5|0", "script.hh: nothing until run, which gives what return says"},
    {SCRIPTS, "step", "i :: Inject -> c :: Counter -> Discard; e :: $C(TYPE ACTIVE, pause, write c.reset, pause)",
     "I=a R c.count e.step= R c.count", "1|0", "script.hh"},
    {SCRIPTS, "goto", "e :: $C(TYPE PASSIVE, set x 1, end, label two, set x 2, end)",
     "e.run= e.get(x) e.goto=two e.get(x)", "1|2", "script.hh"},
    {SCRIPTS, "add sub min max", PASSIVE, "e.add(10_5_2) e.sub(10_5_2) e.min(5_10_2) e.max(5_10_2)", "17|3|2|10",
     "Script(n)"},
    {SCRIPTS, "mul div idiv mod rem", PASSIVE, "e.mul(2_3) e.div(7_2) e.idiv(7_2) e.mod(7_3) e.rem(7.5_2)",
     "6|3.5|3|1|1.5", "Script(n); fmod"},
    {SCRIPTS, "neg abs", PASSIVE, "e.neg(5) e.abs(-5.25)", "-5|5.25", "Script(n)"},
    {SCRIPTS, "eq ne gt ge lt le", PASSIVE, "e.eq(10_0xA) e.ne(10_0xA) e.gt(9_8) e.ge(8_8) e.lt(9_8) e.le(9_8)",
     "true|false|true|true|false|false", "Script(n)"},
    {SCRIPTS, "not and or nand nor", PASSIVE, "e.not(true) e.and(1_0) e.or(1_0) e.nand(1_0) e.nor(1_0)",
     "false|false|true|true|false", "Script(n)"},
    {SCRIPTS, "if in first length unquote", PASSIVE,
     "e.if(1_yes_no) e.in(a_b_a) e.first(a_b) e.length(abcd) e.unquote(\"a\")", "yes|true|a|4|a", "Script(n)"},
    {SCRIPTS, "sprintf", PASSIVE, "e.sprintf(\"%05d\"_7)", "00007", "printf"},
    {SCRIPTS, "htons htonl ntohs ntohl", PASSIVE, "e.htons(1) e.htonl(1) e.ntohs(256) e.ntohl(16777216)",
     "256|16777216|1|1", "htons(3) on a little-endian machine"},
    {SCRIPTS, "now now_steady random", PASSIVE, "T=500 e.now e.now_steady e.random(1)", "1700000000.623456|0.500000|0",
     "the test's clocks; a number below 1 is 0"},
    {SCRIPTS, "readable writable", PASSIVE, "e.readable(e.now) e.readable(e.set) e.writable(e.set) e.writable(e.now)",
     "true|false|true|false", "script.hh"},
    {SCRIPTS, "cat catq kill", PASSIVE, "e.cat(nothing) e.catq(nothing) e.kill(x)",
     "<unreadable>|<unreadable>|<unreadable>",
     "there is no such file and no such process; script_test.c has what there is"},
    {SCRIPTS, "get set shift", PASSIVE, "e.set=x_a_b e.get(x) e.shift(x) e.get(x)", "a b|a|b", "script.hh"},
    {0}};
