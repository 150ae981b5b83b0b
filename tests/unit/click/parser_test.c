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
    {"a -> b; b :: B; a :: A", "b :: B();\na :: A();\na [0] -> [0] b;\n"},
    {"A@2 :: X -> A -> A", "A@2 :: X();\nA@3 :: A();\nA@4 :: A();\nA@2 [0] -> [0] A@3;\nA@3 [0] -> [0] A@4;\n"},
    {"a :: A b :: B a -> b", "a :: A();\nb :: B();\na [0] -> [0] b;\n"},
    {"f/x@1 :: a/B", "f/x@1 :: a/B();\n"},
    {"a :: A(\")\", ')', (x), \\, // )\n /* ) */)", "a :: A(\")\", ')', (x), \\, // )\n /* ) */);\n"},
    {"a :: A /* gap */ (1)", "a :: A(1);\n"},
    {"require(package \"x\", y); a :: A", "a :: A();\n"},
    {"s :: S; s [0] -> [1023] s", "s :: S();\ns [0] -> [1023] s;\n"},
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
    int code;
  } cases[] = {
      {"a :: A;\na :: B; a, a :: C",
       "fw.click:2: redeclaration of element 'a'\nfw.click:1: element 'a' previously declared here\n"
       "fw.click:2: redeclaration of element 'a'\nfw.click:1: element 'a' previously declared here\n"
       "fw.click:2: redeclaration of element 'a'\nfw.click:1: element 'a' previously declared here\n",
       -ERROR_INVALID},
      {"a ::", "fw.click:1: syntax error near 'end of file': expected an element class\n", -ERROR_INVALID},
      {"a :: ;\nb :: ;",
       "fw.click:1: syntax error near ';': expected an element class\n"
       "fw.click:2: syntax error near ';': expected an element class\n",
       -ERROR_INVALID},
      {"a -> ", "fw.click:1: syntax error near 'end of file': expected an element\n", -ERROR_INVALID},
      {"-> a", "fw.click:1: syntax error near '->'\n", -ERROR_INVALID},
      {"a -> -> b; c :: C", "fw.click:1: syntax error near '->': expected an element\n", -ERROR_INVALID},
      {"A :: B :: C", "fw.click:1: syntax error near '::'\n", -ERROR_INVALID},
      {"a, b", "fw.click:1: syntax error near 'end of file': expected '::' or ','\n", -ERROR_INVALID},
      {"a, 7 :: A", "fw.click:1: syntax error near '7': expected an element name\n", -ERROR_INVALID},
      {"[0] A", "fw.click:1: input port useless at start of chain\n", -ERROR_INVALID},
      {"A [0]; B", "fw.click:1: output port useless at end of chain\n", -ERROR_INVALID},
      {"A [x] -> B", "fw.click:1: syntax error near 'x': expected a port number\n", -ERROR_INVALID},
      {"A [1 -> B", "fw.click:1: syntax error near '->': expected ']'\n", -ERROR_INVALID},
      {"A [1024] -> B", "fw.click:1: port number 1024 is too large; the highest is 1023\n", -ERROR_INVALID},
      {"A [99999999999999999999999999] -> B",
       "fw.click:1: port number 99999999999999999999999999 is too large; the highest is 1023\n", -ERROR_INVALID},
      {"A(\nx", "fw.click:1: this '(' has no matching ')'\n", -ERROR_INVALID},
      {"A('x)", "fw.click:1: this '(' has no matching ')'\n", -ERROR_INVALID},
      {"A(\"\\", "fw.click:1: this '(' has no matching ')'\n", -ERROR_INVALID},
      {"A;\n/* x", "fw.click:2: unterminated comment; close it with '*/'\n", -ERROR_INVALID},
      {"a # b", "fw.click:1: syntax error near '#'\n", -ERROR_INVALID},
      {"\x01\xff ^^", "fw.click:1: syntax error near '\\x01\\xff'\n", -ERROR_INVALID},
      {"a :: A )", "fw.click:1: syntax error near ')'\n", -ERROR_INVALID},
      {"}", "fw.click:1: syntax error near '}'\n", -ERROR_INVALID},
      {"require x;", "fw.click:1: syntax error near 'x': expected '(' behind 'require'\n", -ERROR_INVALID},
      {"$", "fw.click:1: '$' must be followed by a variable name\n", -ERROR_INVALID},
      {"# 12 \"g.click\"\n-> x", "g.click:12: syntax error near '->'\n", -ERROR_INVALID},
      {"#line 7\n-> x", "fw.click:7: syntax error near '->'\n", -ERROR_INVALID},
      {"#include <x>", "fw.click:1: unknown preprocessor directive '#include <x>'\n", -ERROR_INVALID},
      {"a ^ B(\"'\") ; ->", "fw.click:1: syntax error near '^'\nfw.click:1: syntax error near '->'\n", -ERROR_INVALID},
      /* What the language has and this parser does not take yet is refused by name. */
      {"elementclass F { input -> output; { } };\na :: A; a :: B",
       "fw.click:1: 'elementclass' is not taken yet (docs/click.md says what is)\n", -ERROR_UNSUPPORTED},
      {"define($x 3)", "fw.click:1: 'define' is not taken yet (docs/click.md says what is)\n", -ERROR_UNSUPPORTED},
      {"provide(x)", "fw.click:1: 'provide' is not taken yet (docs/click.md says what is)\n", -ERROR_UNSUPPORTED},
      {"a => b", "fw.click:1: '=>' is not taken yet (docs/click.md says what is)\n", -ERROR_UNSUPPORTED},
      {"a -> { input -> output } -> b",
       "fw.click:1: a compound element '{...}' is not taken yet (docs/click.md says what is)\n", -ERROR_UNSUPPORTED},
      {"a -> (b; c) -> d", "fw.click:1: a group of elements '(...)' is not taken yet (docs/click.md says what is)\n",
       -ERROR_UNSUPPORTED},
      {"a [0,1] -> b", "fw.click:1: a list of ports is not taken yet (docs/click.md says what is)\n",
       -ERROR_UNSUPPORTED},
      {"a, b -> c", "fw.click:1: a list of elements in a connection is not taken yet (docs/click.md says what is)\n",
       -ERROR_UNSUPPORTED},
      {"a :: ${x}", "fw.click:1: a variable as element class is not taken yet (docs/click.md says what is)\n",
       -ERROR_UNSUPPORTED},
      {"require(library x.click)", "fw.click:1: 'require(library ...)' is not taken yet\n", -ERROR_UNSUPPORTED},
      {"define($x 3); ->",
       "fw.click:1: 'define' is not taken yet (docs/click.md says what is)\nfw.click:1: syntax error near '->'\n",
       -ERROR_INVALID},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct click_config config;
    struct text messages;
    int result = parse(slice_of(cases[i].source), &config, &messages);
    assert_string_equal(text_string(&messages), cases[i].messages);
    assert_int_equal(result, cases[i].code);
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
      {"(", 1000000, "not taken yet"},
      {"a(", 500000, "has no matching ')'"},
      {"{", 1000000, "not taken yet"},
      {"[", 1000000, "expected a port number"},
      {"a [", 300000, "expected a port number"},
      {"/* ", 300000, "unterminated comment"},
      {"-> ;", 200000, "too many errors; giving up here"},
      {"a :: A;", 20000, "redeclaration"},
      {"A;", 100000, "more than 36864 uses of elements"},
      {"A;", 5000, "more than 4096 elements"},
      {"A;", 4096, NULL},
      {"A->", 20000, "more than 16384 connections"},
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

/* Bytes behind the source's end are never read, NUL bytes are errors as any other, and nothing needs a terminator. */
static void reads_no_further(void **state) {
  static const char source[] = "a :: A(1) -> [1] b :: \"B'${x}\\ /* // \0 # 1 \"f\"\n-> => || ... '";
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
  assert_int_equal(click_parse(name, slice_of("a :: A;\n\nb ::\nB\n# 40 \"g.click\"\nc :: C -> \n D"), &config, NULL),
                   0);
  name[0] = 'x';
  static const struct landmark expected[] = {{"f.click", 1}, {"f.click", 3}, {"g.click", 40}, {"g.click", 41}};
  assert_int_equal(config.declaration_count, 4);
  for (uint32_t i = 0; i < 4; i++) {
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
      cmocka_unit_test(reads_no_further),  cmocka_unit_test(accepts),
      cmocka_unit_test(landmarks),         cmocka_unit_test(flat_form_is_a_fixed_point),
      cmocka_unit_test(lexes_every_token),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
