/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of lexer, grammar and flattening.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "click/config.h"
#include "lib/memory.h"

static int parse(struct slice source, struct click_config *config, struct text *messages) {
  struct report report = {0};
  int result = click_parse("fw.click", source, config, &report);
  *messages = (struct text){0};
  text_add(messages, text_string(&report.text));
  assert_int_equal(result != 0, report.errors > 0);
  report_free(&report);
  return result;
}

/* The configuration in canonical form: "name :: Class(args);" and "a [0] -> [0] b;". */
static void print_config(const struct click_config *config, struct text *out) {
  for (uint32_t i = 0; i < config->declaration_count; i++) {
    const struct click_declaration *d = &config->declarations[i];
    text_addf(out, "%s :: %s(%s);\n", d->name, d->class_name, d->arguments);
  }
  for (uint32_t i = 0; i < config->connection_count; i++) {
    const struct click_connection *c = &config->connections[i];
    text_addf(out, "%s [%u] -> [%u] %s;\n", config->declarations[c->from].name, c->from_port, c->to_port,
              config->declarations[c->to].name);
  }
}

/* What is accepted, and what it means. */
static const struct {
  const char *source, *flat;
} accepted[] = {
    {"", ""},
    {" ;; // nothing\n /* at all */ ;", ""},
    {"a :: A", "a :: A();\n"},
    {"a, b,c :: A(1, 2) // x", "a :: A(1, 2);\nb :: A(1, 2);\nc :: A(1, 2);\n"},
    {"a::A;b::B;a->b", "a :: A();\nb :: B();\na [0] -> [0] b;\n"},
    {"a :: A -> B -> C(x)", "a :: A();\nB@2 :: B();\nC@3 :: C(x);\na [0] -> [0] B@2;\nB@2 [0] -> [0] C@3;\n"},
    {"A -> [1] s :: S [2] -> [3]B", "A@1 :: A();\ns :: S();\nB@3 :: B();\nA@1 [0] -> [1] s;\ns [2] -> [3] B@3;\n"},
    {"A@2 :: X -> A -> A", "A@2 :: X();\nA@3 :: A();\nA@4 :: A();\nA@2 [0] -> [0] A@3;\nA@3 [0] -> [0] A@4;\n"},
    {"a :: A b :: B a -> b", "a :: A();\nb :: B();\na [0] -> [0] b;\n"},
    {"f/x@1 :: a/B", "f/x@1 :: a/B();\n"},
    {"a :: A(\")\", ')', (x), \\, // )\n /* ) */)", "a :: A(\")\", ')', (x), \\, // )\n /* ) */);\n"},
    {"a :: A /* gap */ (1)", "a :: A(1);\n"},
    {"require(package \"x\", y); a :: A", "a :: A();\n"},
    {"s :: S; s [0] -> [1023] s", "s :: S();\ns [0] -> [1023] s;\n"},
    {"a :: A; b :: B; a -> { input -> X -> output } -> b", "a :: A();\n"
                                                           "b :: B();\n"
                                                           "@3/X@1 :: X();\n"
                                                           "a [0] -> [0] @3/X@1;\n"
                                                           "@3/X@1 [0] -> [0] b;\n"},
    {"c :: { input -> X -> output; input [1] -> Y -> [1] output }; A -> c -> B; C -> [1] c [1] -> D",
     "A@2 :: A();\n"
     "B@3 :: B();\n"
     "C@4 :: C();\n"
     "D@5 :: D();\n"
     "c/X@1 :: X();\n"
     "c/Y@2 :: Y();\n"
     "A@2 [0] -> [0] c/X@1;\n"
     "C@4 [0] -> [0] c/Y@2;\n"
     "c/X@1 [0] -> [0] B@3;\n"
     "c/Y@2 [0] -> [0] D@5;\n"},
    {"{ input -> X -> output } -> B", "B@2 :: B();\n"
                                      "@1/X@1 :: X();\n"
                                      "@1/X@1 [0] -> [0] B@2;\n"},
    {"elementclass Q { input -> Q -> S(1000) -> output } A -> q :: Q -> B", "A@1 :: A();\n"
                                                                            "B@3 :: B();\n"
                                                                            "q/Q@1 :: Q();\n"
                                                                            "q/S@2 :: S(1000);\n"
                                                                            "A@1 [0] -> [0] q/Q@1;\n"
                                                                            "q/Q@1 [0] -> [0] q/S@2;\n"
                                                                            "q/S@2 [0] -> [0] B@3;\n"},
    {"elementclass A { input -> B -> output } elementclass B { input -> C -> output } X -> A -> Y",
     "X@1 :: X();\n"
     "Y@3 :: Y();\n"
     "A@2/B@1 :: B();\n"
     "X@1 [0] -> [0] A@2/B@1;\n"
     "A@2/B@1 [0] -> [0] Y@3;\n"},
    {"elementclass F { $a, $b | input -> Q($a, \"$b\") -> output } A -> F(1, x y) -> B", "A@1 :: A();\n"
                                                                                         "B@3 :: B();\n"
                                                                                         "F@2/Q@1 :: Q(1, \"x y\");\n"
                                                                                         "A@1 [0] -> [0] F@2/Q@1;\n"
                                                                                         "F@2/Q@1 [0] -> [0] B@3;\n"},
    {"elementclass F { $a, K $k, __REST__ $r | input -> Q($a; $k; $r) -> output } A -> F(1, K 2, 3, 4) -> F(1, 5) -> B",
     "A@1 :: A();\n"
     "B@4 :: B();\n"
     "F@2/Q@1 :: Q(1; 2; 3, 4);\n"
     "F@3/Q@1 :: Q(1; ; 5);\n"
     "A@1 [0] -> [0] F@2/Q@1;\n"
     "F@2/Q@1 [0] -> [0] F@3/Q@1;\n"
     "F@3/Q@1 [0] -> [0] B@4;\n"},
    {"elementclass F { $a, K $k | input -> Q(${k-none}) -> output } A -> F(1) -> F(1, K 2) -> B",
     "A@1 :: A();\n"
     "B@4 :: B();\n"
     "F@2/Q@1 :: Q(none);\n"
     "F@3/Q@1 :: Q(2);\n"
     "A@1 [0] -> [0] F@2/Q@1;\n"
     "F@2/Q@1 [0] -> [0] F@3/Q@1;\n"
     "F@3/Q@1 [0] -> [0] B@4;\n"},
    {"elementclass F { $a | input -> P($a) -> output || $a, $b | input -> Q($b) -> output || input -> R -> output; input [1] -> Z }A -> F(1) -> F(1, 2) -> B; X => [0,1] f :: F -> Y",
     "A@1 :: A();\n"
     "B@4 :: B();\n"
     "X@5 :: X();\n"
     "Y@7 :: Y();\n"
     "F@2/P@1 :: P(1);\n"
     "F@3/Q@1 :: Q(2);\n"
     "f/R@1 :: R();\n"
     "f/Z@2 :: Z();\n"
     "A@1 [0] -> [0] F@2/P@1;\n"
     "X@5 [0] -> [0] f/R@1;\n"
     "X@5 [1] -> [0] f/Z@2;\n"
     "F@2/P@1 [0] -> [0] F@3/Q@1;\n"
     "F@3/Q@1 [0] -> [0] B@4;\n"
     "f/R@1 [0] -> [0] Y@7;\n"},
    {"elementclass Q { $x | input -> P($x) -> output || ... } A -> Q(1) -> Q(1, 2) -> B", "A@1 :: A();\n"
                                                                                          "Q@3 :: Q(1, 2);\n"
                                                                                          "B@4 :: B();\n"
                                                                                          "Q@2/P@1 :: P(1);\n"
                                                                                          "A@1 [0] -> [0] Q@2/P@1;\n"
                                                                                          "Q@3 [0] -> [0] B@4;\n"
                                                                                          "Q@2/P@1 [0] -> [0] Q@3;\n"},
    /* Click's test/compound/variables-01: a word of the value; ours beside it are what is no word's number, nesting, and what is not
     * defined. */
    {"define($a A B C, $n 2, $q \"B D\" E) A(${a[0]}, ${a[2]}, \"${a[3]}\", ${a[$n]}, ${a[${n}]}, ${q[0]}, ${a[x]}, ${a[-1]}, ${b[0]}, ${a[]})",
     "A@1 :: A(A, C, \"\", C, C, \"B D\", , , ${b[0]}, );\n"},
    {"elementclass A B; x :: A -> A", "x :: B();\n"
                                      "A@2 :: B();\n"
                                      "x [0] -> [0] A@2;\n"},
    {"elementclass X { y :: { z :: Z } } x :: X", "x/y/z :: Z();\n"},
    {"define($x 5, $y a b); A($x, \"$y\", '$x', ${x}1, ${z-q}, $z, $xx, /* $x */) -> B",
     "A@1 :: A(5, \"a b\", '$x', 51, q, $z, $xx, /* $x */);\n"
     "B@2 :: B();\n"
     "A@1 [0] -> [0] B@2;\n"},
    {"define($a 3) elementclass F { input -> Q($a) -> output } elementclass G { $a | input -> F -> output } A -> G(7) -> B",
     "A@1 :: A();\n"
     "B@3 :: B();\n"
     "G@2/F@1/Q@1 :: Q(3);\n"
     "A@1 [0] -> [0] G@2/F@1/Q@1;\n"
     "G@2/F@1/Q@1 [0] -> [0] B@3;\n"},
    {"s :: S; s [0,1] => B, C; t :: T; A, X => [0] t, [1] t; s [2-3] => [4,2] t", "s :: S();\n"
                                                                                  "B@2 :: B();\n"
                                                                                  "C@3 :: C();\n"
                                                                                  "t :: T();\n"
                                                                                  "A@5 :: A();\n"
                                                                                  "X@6 :: X();\n"
                                                                                  "s [0] -> [0] B@2;\n"
                                                                                  "s [1] -> [0] C@3;\n"
                                                                                  "A@5 [0] -> [0] t;\n"
                                                                                  "X@6 [0] -> [1] t;\n"
                                                                                  "s [2] -> [4] t;\n"
                                                                                  "s [3] -> [2] t;\n"},
    {"s :: S; s => [0-2] t :: T; s [3,] => B, C; s [5] -> D, E", "s :: S();\n"
                                                                 "t :: T();\n"
                                                                 "B@3 :: B();\n"
                                                                 "C@4 :: C();\n"
                                                                 "D@5 :: D();\n"
                                                                 "E@6 :: E();\n"
                                                                 "s [0] -> [0] t;\n"
                                                                 "s [1] -> [1] t;\n"
                                                                 "s [2] -> [2] t;\n"
                                                                 "s [3] -> [0] B@3;\n"
                                                                 "s [4] -> [0] C@4;\n"
                                                                 "s [5] -> [0] D@5;\n"
                                                                 "s [5] -> [0] E@6;\n"},
    {"s :: S; A, B -> s; s [1,2] -> C", "s :: S();\n"
                                        "A@2 :: A();\n"
                                        "B@3 :: B();\n"
                                        "C@4 :: C();\n"
                                        "A@2 [0] -> [0] s;\n"
                                        "B@3 [0] -> [0] s;\n"
                                        "s [1] -> [0] C@4;\n"
                                        "s [2] -> [0] C@4;\n"},
    {"A -> (input -> B; input [1] -> C)", "A@1 :: A();\n"
                                          "B@5 :: B();\n"
                                          "C@6 :: C();\n"
                                          "A@1 [0] -> [0] B@5;\n"
                                          "A@1 [0] -> [0] C@6;\n"},
    {"A, Z => (input -> B -> output; input [1] -> C -> [1] output) => D, E", "A@1 :: A();\n"
                                                                             "Z@2 :: Z();\n"
                                                                             "B@6 :: B();\n"
                                                                             "C@7 :: C();\n"
                                                                             "D@8 :: D();\n"
                                                                             "E@9 :: E();\n"
                                                                             "B@6 [0] -> [0] D@8;\n"
                                                                             "C@7 [0] -> [0] E@9;\n"
                                                                             "A@1 [0] -> [0] B@6;\n"
                                                                             "Z@2 [0] -> [0] C@7;\n"},
    {"A -> (-> B ->) -> D", "A@1 :: A();\n"
                            "B@5 :: B();\n"
                            "D@6 :: D();\n"
                            "B@5 [0] -> [0] D@6;\n"
                            "A@1 [0] -> [0] B@5;\n"},
    {"A -> { -> B -> } -> D", "A@1 :: A();\n"
                              "D@3 :: D();\n"
                              "@2/B@1 :: B();\n"
                              "A@1 [0] -> [0] @2/B@1;\n"
                              "@2/B@1 [0] -> [0] D@3;\n"},
    {"A => { [0] -> B -> [0]; [1] -> C -> [1] } => D, E", "A@1 :: A();\n"
                                                          "D@3 :: D();\n"
                                                          "E@4 :: E();\n"
                                                          "@2/B@1 :: B();\n"
                                                          "@2/C@2 :: C();\n"
                                                          "A@1 [0] -> [0] @2/B@1;\n"
                                                          "@2/B@1 [0] -> [0] D@3;\n"
                                                          "@2/C@2 [0] -> [0] E@4;\n"},
    {"elementclass P { input -> [0] output; input -> [1] output } A -> p :: P -> B; p [1] -> C",
     "A@1 :: A();\n"
     "B@3 :: B();\n"
     "C@4 :: C();\n"
     "A@1 [0] -> [0] B@3;\n"
     "A@1 [0] -> [0] C@4;\n"},
    {"elementclass F { input -> output } f :: F; f -> f; A -> f", "A@2 :: A();\n"},
    {"A -> { $x | input -> Q($x) -> output } (5) -> B", "A@1 :: A();\n"
                                                        "B@3 :: B();\n"
                                                        "@2/Q@1 :: Q(5);\n"
                                                        "A@1 [0] -> [0] @2/Q@1;\n"
                                                        "@2/Q@1 [0] -> [0] B@3;\n"},
    {"require(package foo, compact_config); provide(y); a :: A", "a :: A();\n"},
    {"elementclasses :: A", "elementclasses :: A();\n"},
};

/* Every form that is taken means what Click's manual says, anonymous names included. */
static void accepts(void **state) {
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    struct click_config config;
    struct text messages, flat = {0};
    int result = parse(slice_of(accepted[i].source), &config, &messages);
    assert_string_equal(text_string(&messages), "");
    assert_int_equal(result, 0);
    print_config(&config, &flat);
    assert_string_equal(text_string(&flat), accepted[i].flat);
    for (uint32_t j = 0; j < config.declaration_count; j++)
      assert_int_equal(click_config_find(&config, config.declarations[j].name), j);
    assert_int_equal(click_config_find(&config, "none"), -1);
    click_config_free(&config);
    text_free(&flat);
    text_free(&messages);
  }
}

/* A configuration written out flat means itself again. */
static void flat_form_is_a_fixed_point(void **state) {
  for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
    struct click_config config;
    struct text messages, again = {0};
    assert_int_equal(parse(slice_of(accepted[i].flat), &config, &messages), 0);
    print_config(&config, &again);
    assert_string_equal(text_string(&again), accepted[i].flat);
    click_config_free(&config);
    text_free(&again);
    text_free(&messages);
  }
}

/* Every mistake is one message with its place, several are all reported, and one does not make others. */
static void refuses(void **state) {
  static const struct {
    const char *source, *messages;
  } cases[] = {
      {"a :: A;\na :: B; a, a :: C", "fw.click:2: redeclaration of element 'a'\n"
                                     "fw.click:1: element 'a' previously declared here\n"
                                     "fw.click:2: redeclaration of element 'a'\n"
                                     "fw.click:1: element 'a' previously declared here\n"
                                     "fw.click:2: redeclaration of element 'a'\n"
                                     "fw.click:1: element 'a' previously declared here\n"},
      {"a ::", "fw.click:1: missing element type in declaration\n"},
      {"a :: ;\nb :: ;", "fw.click:1: missing element type in declaration\n"
                         "fw.click:2: missing element type in declaration\n"},
      {"a -> ", "fw.click:1: syntax error near 'end of file'\n"},
      {"-> a", "fw.click:1: syntax error near '->'\n"},
      {"a -> -> b; c :: C", "fw.click:1: syntax error near '->'\n"},
      {"A :: B :: C", "fw.click:1: syntax error near '::'\n"},
      {"a, 7 :: A", "fw.click:1: element name '7' has all-digit component\n"},
      {"[0] A", "fw.click:1: input ports ignored at start of chain\n"},
      {"[0] A -> B", "fw.click:1: input ports ignored at start of chain\n"},
      {"A [0]; B", "fw.click:1: output ports ignored at end of chain\n"},
      {"A [x] -> B", "fw.click:1: syntax error: port number should be integer\n"},
      {"A [1 -> B", "fw.click:1: syntax error: expected ','\n"},
      {"A [1024] -> B", "fw.click:1: port number 1024 is too large; the highest is 1023\n"},
      {"A [99999999999999999999999999] -> B",
       "fw.click:1: port number 99999999999999999999999999 is too large; the highest is 1023\n"},
      {"A(\nx", "fw.click:1: this '(' has no matching ')'\n"},
      {"A('x)", "fw.click:1: this '(' has no matching ')'\n"},
      {"A(\"\\", "fw.click:1: this '(' has no matching ')'\n"},
      {"A;\n/* x", "fw.click:2: unterminated comment; close it with '*/'\n"},
      {"a # b", "fw.click:1: syntax error near '#'\n"},
      {"a :: A )", "fw.click:1: syntax error near ')'\n"},
      {"}", "fw.click:1: syntax error near '}'\n"},
      {"a :: A || B", "fw.click:1: syntax error near '||'\n"},
      {"require x;", "fw.click:1: expected '('\n"},
      {"$", "fw.click:1: '$' must be followed by a variable name\n"},
      {"# 12 \"g.click\"\n-> x", "g.click:12: syntax error near '->'\n"},
      {"#line 7\n-> x", "fw.click:7: syntax error near '->'\n"},
      {"A(\n# 9\n\n) ^", "fw.click:10: syntax error near '^'\n"},
      {"A(\n#pragma x\n)", "fw.click:2: unknown preprocessor directive '#pragma x'\n"},
      {"#include <x>", "fw.click:1: unknown preprocessor directive '#include <x>'\n"},
      {"a ^ B(\"'\") ; ->", "fw.click:1: syntax error near '^'\n"
                            "fw.click:1: syntax error near '->'\n"},
      {"a -> b; b :: B",
       "fw.click:1: undeclared element 'b'; it is declared at fw.click:1, and must be before its use\n"},
      {"x/1 :: A", "fw.click:1: element name 'x/1' has all-digit component\n"},
      {"q :: Q; q(1) -> A", "fw.click:1: configuration string ignored on element reference\n"},
      {"A, B -> C, D", "fw.click:1: syntax error: many-to-many connections require '=>'\n"},
      {"A, B => C, D, E", "fw.click:1: connection mismatch: 2 outputs connected to 3 inputs\n"},
      {"s :: S; s [0,] => [0,] t :: T", "fw.click:1: at most one expandable port allowed per connection\n"},
      {"A -> (B -> C", "fw.click:1: expected ')'\n"},
      {"A -> { B -> C", "fw.click:1: expected '}'\n"},
      {"elementclass { }", "fw.click:1: expected element type name\n"},
      {"elementclass F -> x", "fw.click:1: syntax error near '->'\n"},
      {"elementclass F { $a, $a | }", "fw.click:1: parameter '$a' multiply defined\n"},
      {"elementclass F { K $a, K $b | }", "fw.click:1: repeated keyword parameter 'K' in compound element\n"},
      {"elementclass F { K $a, $b | }", "fw.click:1: compound element parameters out of order\n"
                                        "(The correct order is '[positional], [keywords], [__REST__]'.)\n"},
      {"elementclass F { $a, b | }", "fw.click:1: expected variable\n"
                                     "fw.click:1: syntax error near '|'\n"},
      {"elementclass F { $a ; }", "fw.click:1: expected ',' or '|'\n"},
      {"elementclass F { ... }", "fw.click:1: syntax error near '...'\n"},
      {"elementclass F { || ... || }", "fw.click:1: '...' should occur last, after one or more compounds\n"
                                       "fw.click:1: expected '}'\n"},
      {"elementclass F { input [1] -> B }", "fw.click:1: 'F' input 0 missing\n"},
      {"elementclass F { A -> input }", "fw.click:1: 'F' pseudoelement 'input' may only be used as output\n"},
      {"elementclass F { output -> A }", "fw.click:1: 'F' pseudoelement 'output' may only be used as input\n"},
      {"elementclass F { $a | input -> output } A -> F -> B", "fw.click:1: no match for 'F[1 input, 1 output]'\n"
                                                              "fw.click:1: candidates are:\n"
                                                              "fw.click:1:   F(<arg>)[1 input, 1 output]\n"},
      {"elementclass F { input -> output || $a | input -> [1] output }\nF(1, 2) -> F -> B;\nA -> F [1] -> B",
       "fw.click:1: 'F' output 0 missing\n"},
      {"elementclass foo { } foo :: G", "fw.click:1: class 'foo' used as element name\n"},
      {"elementclass P { q :: Q }\nx :: P;\nx/q :: Z", "fw.click:1: redeclaration of element 'x/q'\n"
                                                       "fw.click:3: element 'x/q' previously declared here\n"},
      {"elementclass P { x :: X; x :: X; } A ->; B -> [y] C",
       "fw.click:1: redeclaration of element 'x'\n"
       "fw.click:1: element 'x' previously declared here\n"
       "fw.click:1: syntax error near ';'\n"
       "fw.click:1: syntax error: port number should be integer\n"},
      {"A -> (B -> (C)) -> ; { -> D -> -> E }", "fw.click:1: syntax error near ';'\n"
                                                "fw.click:1: syntax error near '->'\n"},
      {"define(x 3)", "fw.click:1: bad 'define' declaration: not a variable\n"},
      {"define($x 1, $x 2)", "fw.click:1: parameter '$x' multiply defined\n"},
      {"require(foo bar baz)", "fw.click:1: syntax error at requirement\n"},
      {"require(library x.click)", "fw.click:1: 'require library' may not be used in this driver\n"},
      {"elementclass F { require(library x) }", "fw.click:1: 'require library' must be used at file scope\n"},
      {"define $x", "fw.click:1: expected '('\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct click_config config;
    struct text messages;
    int result = parse(slice_of(cases[i].source), &config, &messages);
    assert_string_equal(text_string(&messages), cases[i].messages);
    assert_int_equal(result, -ERROR_INVALID);
    assert_null(config.declarations);
    text_free(&messages);
  }
}

/* `count` times `unit`, as a source. */
static struct text repeat(const char *unit, unsigned count) {
  struct text text = {0};
  for (unsigned i = 0; i < count; i++)
    text_add(&text, unit);
  return text;
}

/* Megabytes of nesting, of errors or of names end in few messages, without deep recursion. */
static void survives_hostile_sources(void **state) {
  static const struct {
    const char *unit;
    unsigned count;
    const char *message; /* somewhere in the messages; NULL: accepted */
  } cases[] = {
      {"(", 1000000, "nesting depth exceeded"},
      {"a(", 500000, "has no matching ')'"},
      {"{", 1000000, "nesting depth exceeded"},
      {"a :: {", 500000, "nesting depth exceeded"},
      {"->{", 500000, "syntax error"},
      {"[", 1000000, "expected port number"},
      {"a [", 300000, "port number should be integer"},
      {"[0-1023]", 400000, "syntax error"},
      {"a[0-1023] => ", 300000, "more than 65536 connections"},
      {"/* ", 300000, "unterminated comment"},
      {"-> ;", 200000, "too many errors; giving up here"},
      {"a :: A;", 20000, "redeclaration"},
      {"A;", 100000, "more than 65536 uses of elements"},
      {"{};", 100000, "more than 4096 element classes"},
      {"A->(", 100000, "nesting depth exceeded"},
      {"a,", 1000000, "more than 65536 uses of elements"},
      {"define($x 1);", 100000, "multiply defined"},
      {"elementclass X { || ", 100000, "nesting depth exceeded"},
      {"{||", 100000, "nesting depth exceeded"},
      {"A;", 5000, "more than 4096 elements"},
      {"A;", 4096, NULL},
      {"A->", 20000, "syntax error near 'end of file'"},
      {"a\\", 300000, "syntax error"},
      {"x", 1000, "is longer than 255 bytes"},
      {"# 1 \"a\"\n", 100000, NULL},
      {"x :: X;;;", 1 << 19, "larger than"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text source = repeat(cases[i].unit, cases[i].count), messages;
    struct click_config config;
    int result = parse((struct slice){source.data, source.length}, &config, &messages);
    if (cases[i].message) {
      assert_int_not_equal(result, 0);
      if (!strstr(text_string(&messages), cases[i].message)) fail_msg("%s: %s", cases[i].unit, messages.data);
      assert_true(messages.length < 16384);
    } else {
      assert_string_equal(text_string(&messages), "");
      click_config_free(&config);
    }
    text_free(&messages);
    text_free(&source);
  }
}

/* What grows by a few lines into very much is stopped by a limit that is named. */
static void survives_bombs(void **state) {
  static const struct {
    const char *first, *next; /* the second with %u for a number and the one before */
    const char *last, *message;
  } cases[] = {
      {"elementclass X0 { A }", "elementclass X%u { X%u; X%u; X%u; X%u }", "X40", "more than"},
      {"elementclass X0 { A }", "elementclass X%u { X%u }", "X60", "more than 50 deep in each other"},
      {"elementclass X0 { $a | A($a) }", "elementclass X%u { $a | X%u($a$a$a$a$a$a) }", "X40(xxxxxxxx)",
       "are larger than"},
      {"elementclass X0 { input -> output }", "elementclass X%u { input -> X%u -> X%u -> output }", "A -> X40 -> B",
       "more than"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct text source = {0}, messages;
    struct click_config config;
    text_addf(&source, "%s\n", cases[i].first);
    for (unsigned n = 1; n < 61; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      text_addf(&source, cases[i].next, n, n - 1, n - 1, n - 1, n - 1);
#pragma GCC diagnostic pop
      text_add(&source, "\n");
    }
    text_add(&source, cases[i].last);
    assert_int_not_equal(parse((struct slice){source.data, source.length}, &config, &messages), 0);
    if (!strstr(text_string(&messages), cases[i].message)) fail_msg("%s: %s", cases[i].next, messages.data);
    text_free(&messages);
    text_free(&source);
  }
}

/* What libraries a source may ask for. */
static int library(void *context, const char *name, const char *from, struct text *source, char **file,
                   struct report *report) {
  unsigned *asked = context;
  ++*asked;
  if (strcmp(name, "broken") == 0) return report_error(report, ERROR_IO, "%s: cannot be read", name);
  if (strcmp(name, "q") == 0) {
    text_add(source, "elementclass Q { input -> P -> output }\nrequire(library \"p\")");
  } else if (strcmp(name, "p") == 0 && strcmp(from, "lib/q") == 0) {
    text_add(source, "require(library q)\np :: P;\n->");
  } else {
    return -ERROR_NOT_FOUND;
  }
  *file = memory_alloc(64);
  format_text(*file, 64, "lib/%s", name);
  return 0;
}

/* Libraries are read where they are required, each once, and errors in them name them. Parameters win over define(). */
static void libraries_and_parameters(void **state) {
  static const struct {
    const char *source, *result; /* the flat text, or messages */
  } cases[] = {
      {"define($n 1, $m ${n}2); A($n, $m, $k)", "A@1 :: A(7, 12, $k);\n"},
      {"require(library nothing)", "fw.click:1: library 'nothing' not found in CLICKPATH/conf\n"},
      {"require(library broken)", "broken: cannot be read\n"},
      {"a :: A;\nrequire(library q)\nb ->", "lib/p:3: syntax error near '->'\n"
                                            "fw.click:3: syntax error near 'end of file'\n"},
      {"{ require(library q) }", "fw.click:1: 'require library' must be used at file scope\n"},
  };
  unsigned asked = 0;
  struct click_parameter parameters[] = {{"n", "7"}};
  struct click_language language = {parameters, 1, library, &asked};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct click_config config;
    struct report report = {0};
    struct text flat = {0};
    if (click_parse_with("fw.click", slice_of(cases[i].source), &language, &config, &report) == 0) {
      print_config(&config, &flat);
      click_config_free(&config);
    } else {
      text_add(&flat, text_string(&report.text));
    }
    assert_string_equal(text_string(&flat), cases[i].result);
    text_free(&flat);
    report_free(&report);
  }
  assert_int_equal(asked, 5);
}

/* Bytes behind the source's end are never read, NUL bytes are errors as any other, and nothing needs a terminator. */
static void reads_no_further(void **state) {
  static const char source[] = "{ $a, K $b | a :: A(1) => [0-1] b :: \"B'${x}\\ /* // \0 # 1 \"f\"\n-> => || ... '";
  for (size_t length = 0; length < sizeof source; length++) {
    char *exact = memory_alloc(length + (length == 0));
    memcpy(exact, source, length);
    struct click_config config;
    struct text messages;
    if (parse((struct slice){exact, length}, &config, &messages) == 0) click_config_free(&config);
    text_free(&messages);
    memory_free(exact);
  }
  struct click_config config;
  assert_int_equal(click_parse("f", (struct slice){"a\0b", 3}, &config, NULL), -ERROR_INVALID);
}

/* Landmarks say file and line, follow line markers, and live as long as the configuration. */
static void landmarks(void **state) {
  char name[] = "f.click";
  struct click_config config;
  assert_int_equal(
      click_parse(
          name,
          slice_of(
              "a :: A;\n\nb ::\nB\n# 40 \"g.click\" 1 3\nc :: C -> \n D\n#line 7 \"\"\n;e :: E(\n# 100 \"h.click\"\n x) f :: F"),
          &config, NULL),
      0);
  name[0] = 'x';
  static const struct landmark expected[] = {{"f.click", 1},  {"f.click", 3}, {"g.click", 40},
                                             {"g.click", 41}, {"f.click", 7}, {"h.click", 100}};
  assert_int_equal(config.declaration_count, 6);
  for (uint32_t i = 0; i < 6; i++) {
    assert_string_equal(config.declarations[i].at.file, expected[i].file);
    assert_int_equal(config.declarations[i].at.line, expected[i].line);
  }
  click_config_free(&config);
}

/* The lexer knows every token of the language, also those the grammar does not take. */
static void lexes_every_token(void **state) {
  static const struct {
    enum token_kind kind;
    const char *text;
  } expected[] = {
      {TOKEN_IDENTIFIER, "a/b@1"},
      {TOKEN_VARIABLE, "x"},
      {TOKEN_VARIABLE, "y_1"},
      {TOKEN_NUMBER, "12"},
      {TOKEN_ARROW, "->"},
      {TOKEN_DOUBLE_ARROW, "=>"},
      {TOKEN_COLON_COLON, "::"},
      {TOKEN_CHARACTER, ":"},
      {TOKEN_BAR_BAR, "||"},
      {TOKEN_CHARACTER, "|"},
      {TOKEN_ELLIPSIS, "..."},
      {TOKEN_ELEMENTCLASS, "elementclass"},
      {TOKEN_REQUIRE, "require"},
      {TOKEN_PROVIDE, "provide"},
      {TOKEN_DEFINE, "define"},
      {TOKEN_CHARACTER, "{"},
      {TOKEN_CHARACTER, "}"},
      {TOKEN_CHARACTER, "["},
      {TOKEN_CHARACTER, "]"},
      {TOKEN_CHARACTER, ";"},
      {TOKEN_CHARACTER, ","},
      {TOKEN_CHARACTER, "("},
      {TOKEN_CHARACTER, ")"},
      {TOKEN_END, ""},
      {TOKEN_END, ""},
  };
  struct lexer lexer;
  lexer_init(&lexer, "f", slice_of("a/b@1$x${y_1}12->=>::: || | ... elementclass require provide define{}[];,()"),
             NULL);
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    struct token token = lexer_next(&lexer);
    assert_int_equal(token.kind, expected[i].kind);
    assert_true(slice_equals(token.text, expected[i].text));
    if (token.kind == TOKEN_CHARACTER) assert_int_equal(token.character, expected[i].text[0]);
  }
  lexer_free(&lexer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(refuses),           cmocka_unit_test(survives_hostile_sources),
      cmocka_unit_test(survives_bombs),    cmocka_unit_test(libraries_and_parameters),
      cmocka_unit_test(reads_no_further),  cmocka_unit_test(accepts),
      cmocka_unit_test(landmarks),         cmocka_unit_test(flat_form_is_a_fixed_point),
      cmocka_unit_test(lexes_every_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
