/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of click-pretty's templates, by click-pretty(1): tags, attributes, and what the elements tag makes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tools/click_graph.h"
#include "tools/click_html.h"
#include "tools/html_source.h"
#include "tools/html_tag.h"

/* Tags are found wherever they stand, with their attributes; unfinished ones end with the template. */
static void finds_tags(void **state) {
  static const struct {
    const char *template, *parts; /* text|name(attribute=value ...)| ... */
  } rows[] = {
      {"", ""},
      {"<", "<"},
      {"<~", "|()"},
      {"<~a", "|a()"},
      {"<~a b='c", "|a(b=c )"},
      {"<~a b=", "|a(b= )"},
      {"<~>x", "|()|x"},
      {"no <b>tag</b> ~", "no <b>tag</b> ~"},
      {"x<~A>y", "x|A()|y"},
      {"<~a/>y<~b /-->z", "|a()|y|b()|z"},
      {"<~ a b c=d E = 'f>g' h=\"<~i j='k'>\" --> l", "|a(b=b c=d E=f>g h=<~i j='k'> )| l"},
      {"<~a b=c/>d", "|a(b=c/ )|d"}, /* as in Click: a bare value ends at a blank or '>' */
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct slice rest = slice_of(rows[i].template), before;
    struct html_tag tag;
    struct text parts = {0};
    const char *bar = "";
    while (html_tag_next(&rest, &before, &tag)) {
      text_addf(&parts, "%s%.*s|%.*s(", bar, (int)before.length, before.data, (int)tag.name.length, tag.name.data);
      for (unsigned a = 0; a < tag.count; a++)
        text_addf(&parts, "%.*s=%.*s ", (int)tag.attributes[a].name.length, tag.attributes[a].name.data,
                  (int)tag.attributes[a].value.length, tag.attributes[a].value.data);
      text_add(&parts, ")");
      bar = "|";
    }
    if (before.length > 0) text_addf(&parts, "%s%.*s", bar, (int)before.length, before.data);
    assert_string_equal(text_string(&parts), rows[i].parts);
    text_free(&parts);
  }
}

static void unquotes(void **state) {
  static const char *const rows[][2] = {
      {"", ""},     {"a&amp;b", "a&b"}, {"&lt&gt;&quot;", "<>\""}, {"&#65;&#66", "AB"}, {"&", "&"},
      {"&#", "&#"}, {"&#;", "&#;"},     {"&nbsp;", "&nbsp;"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct text out = {0};
    html_unquote(slice_of(rows[i][0]), &out);
    assert_string_equal(text_string(&out), rows[i][1]);
    text_free(&out);
  }
}

/* Every tag and attribute of the manual page has a row. */
static void expands_templates(void **state) {
  static const struct html_definition definitions[] = {
      {"x", 1, "X<~y>"}, {"y", 1, "Y"}, {"loop", 4, "(<~loop>)"}, {"who", 3, "<~name>"}};
  static const struct {
    const char *template, *page;
  } rows[] = {
      {"plain <~nothing> text", "plain  text"},
      {"<~x> <~title>", "XY f&lt;g"},
      {"<~loop>", "(((((((((((((((())))))))))))))))"},
      {"<~elements>", ""},
      {"<~elements entry='<~name>' sep=', '>", "b, d, q"},
      {"<~elements entry='<~NAME LINK>;'>", "<a href=\"#e-b\">b</a>;<a href=\"#e-d\">d</a>;<a href=\"#e-q\">q</a>;"},
      {"<~elements entry='<~name link=type> <~type> <~type link>' column=1/3>",
       "<a href=\"u/b\">b</a> Idle <a href=\"u/Idle\">Idle</a>"},
      {"<~elements entry='<~name>' column=1/2> <~elements entry='<~name>' column='2/2'>", "bd q"},
      {"<~elements entry='<~name>' column=3/2>", "bdq"},
      {"<~elements entry='<~config>|<~config limit=3>|<~config parens>;'>", "||;||;12345|123...|(12345);"},
      {"<~elements typeentry='<~type>:<~typerefs sep=\",\"> ' typeref='<~name>'>", "Discard:d Idle:b Queue:q "},
      {"<~elements typeentry='<~name link><~config> '>",
       "<a href=\"u/Discard\">Discard</a> <a href=\"u/Idle\">Idle</a> <a href=\"u/Queue\">Queue</a> "},
      {"<~elements entry='<~ninputs>/<~noutputs english> '>", "0/2 outputs 1/0 outputs 1/1 output "},
      {"<~elements entry='<~configlink text=here>' column=1/3>", "<a href=\"#e-b\">here</a>"},
      {"<~elements entry='<~configlink sep=\"; \">x' configlink='c' column=1/3>", "<a href=\"#e-b\">c</a>; x"},
      {"<~elements entry='<~name>(<~inputs sep=\" \">)' inputentry='<~port><~processing>' noinputentry='none'>",
       "b(none)d(0pull)q(0push)"},
      {"<~elements entry='<~name>(<~outputs entry=\"<~port><~processing>\" sep=\" \" noentry=none>)'>",
       "b(0push 1push)d(none)q(0pull)"},
      {"<~elements entry='<~inputs>' inputentry='<~name><~port>: <~inputconnections sep=\", \">; ' "
       "inputconnection='<~name>.<~port>'>",
       "d0: q.0; q0: b.0, b.1; "},
      {"<~elements entry='<~outputs>' outputentry='<~outputconnections> ' outputconnection='<~name>.<~port>' "
       "nooutputconnection='-'>",
       "q.0 q.0 d.0 "},
      {"<~elements entry='<~if test=\"<~config>\" then=c else=n>'>", "nnc"},
      {"<~elements entry='<~if test=\"<~name>\" eq=d then=&lt; else=n>'>", "n<n"},
      {"<~elements entry='<~if test=\"<~ninputs>\" ge=1 then=y>|<~if test=10 gt=9 then=y>|<~if test=a lt=b then=y>|<~if test=1 le=0 "
       "then=y>|<~if test=1 ne=1 then=y> '>",
       "|y|y|| y|y|y|| y|y|y|| "},
      {"<~elements entry='<~who>'>", "bdq"},
      {"<~elements entry='<~line>'>", "111"},
      {"<~elements entry='<~port><~processing><~inputconnections>'>", ""},
  };
  struct click_config config;
  struct router graph = {0};
  static const char source[] = "b :: Idle -> q :: Queue(12345) -> d :: Discard; b [1] -> q";
  assert_int_equal(click_parse("f", slice_of(source), &config, NULL), 0);
  assert_int_equal(click_graph_make(&config, &graph, NULL), 0);
  struct html_page page = {"f<g", &config, &graph, slice_of(source), "u/%s", definitions, 4};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct text out = {0};
    assert_int_equal(click_html(&page, slice_of(rows[i].template), &out), 0);
    if (strcmp(text_string(&out), rows[i].page) != 0)
      fail_msg("%s\ngives '%s'\nnot   '%s'", rows[i].template, text_string(&out), rows[i].page);
    text_free(&out);
  }
  /* Without known ports nothing is said of them. */
  struct text out = {0};
  page.graph = NULL;
  assert_int_equal(click_html(&page, slice_of("<~elements entry='<~ninputs><~inputs noentry=n>'>"), &out), 0);
  assert_string_equal(text_string(&out), "0n0n0n");
  text_free(&out);
  click_graph_free(&graph);
  click_config_free(&config);
}

/* Errors stand at their lines, in spans that nest; hostile ones first: of other files, behind the end, without a line, with markup. */
static void marks_errors(void **state) {
  static const struct {
    const char *source, *errors, *html;
  } rows[] = {
      {"a;\n", "g:1: x\nf:2: x\nf:0: x\nf:x\nf\nf1: x\nf:99999999999999999999: x\nf:1:x\n: x\n", "a;\n"},
      {"", "f:1: x\n", ""},
      {"a < b;", "f:1: \"<\"", "<span class=\"c-err\" title=\"&quot;&lt;&quot;\">a &lt; b;</span>"},
      {"a\n\n b // c\nd", "f:3: x\n  more\nf:3: y\n",
       "a\n\n <span class=\"c-err\" title=\"x\">b <span class=\"c-cmt\">// c</span></span>\nd"},
      {"a(1,\n2) b\n", "f:1: x\n",
       "<span class=\"c-err\" title=\"x\">a(<span class=\"c-cfg\">1,\n2</span></span>) b\n"},
      {"a\nb", "f:1: x\nf:2: y\n",
       "<span class=\"c-err\" title=\"x\">a</span>\n<span class=\"c-err\" title=\"y\">b</span>"},
  };
  const struct click_config config = {0};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct text out = {0}, expected = {0};
    text_addf(&expected, "<pre>%s</pre>\n", rows[i].html);
    html_source(&config, slice_of(rows[i].source), NULL, "f", slice_of(rows[i].errors), &out);
    assert_string_equal(text_string(&out), text_string(&expected));
    text_free(&out);
    text_free(&expected);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_tags),
      cmocka_unit_test(unquotes),
      cmocka_unit_test(expands_templates),
      cmocka_unit_test(marks_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
