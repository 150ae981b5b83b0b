/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Unit tests of LinearIPLookup and RadixIPLookup. What they do and say is in Click's lineariplookup.hh, radixiplookup.hh and
 * iproutetable.{hh,cc}. Frames are addresses as text: element Address copies each to the destination annotation.
 */
#include <string.h>

#include "elements/routes.h"
#include "tests/unit/elements/harness.h"

static const char *const classes[] = {"LinearIPLookup", "RadixIPLookup"};
enum { CLASSES = sizeof classes / sizeof classes[0] };

static void address_simple(struct element *e, struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    const struct packet *p = batch->packet[i];
    uint32_t address;
    assert_int_equal(address_ip(NULL, (struct slice){(const char *)p->data, p->length}, &address), 0);
    annotation_set_u32(batch->packet[i], ANNOTATION_DST_IP, address);
  }
}
static const struct element_class address_class = {
    .name = "Address", .ports = "1/1", .processing = "a/a", .size = sizeof(struct element), .simple = address_simple};
ELEMENT(Address, address_class);

/* i, then the element with these routes, then captures a and b on its two outputs. */
static const char *graph(const char *class, const char *routes) {
  static char config[512];
  format_text(config, sizeof config, "i :: Inject -> Address -> e :: %s(%s) -> a :: Capture; e [1] -> b :: Capture;",
              class, routes);
  return config;
}

/* The text of a report that graph() is answered with, accepted or not, into harness_message's place. */
static void expect_said(const char *config, bool accepted, const char *said) {
  harness_open();
  struct report report = {0};
  int status =
      router_create("test.click", slice_of(config), &harness.services, &harness.scheduler, &harness.router, &report);
  if (status < 0) harness.router = NULL;
  if ((status == 0) != accepted || strstr(text_string(&report.text), said) == NULL)
    fail_msg("%s\nsays: %s\nwithout: %s", config, text_string(&report.text), said);
  report_free(&report);
  harness_stop();
}

/* --- hostile --- */

/* A route that is none, or leads where nothing is, is refused with Click's words (iproutetable.cc, configure). */
static void bad_routes(void **state) {
  static const struct {
    const char *routes, *message;
  } rows[] = {
      {"0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"0/0 0, 10/8", "argument 2 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10.0.0.0/33 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10.1/8.2 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 1.2.3 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 - - 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 - 0 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 0 1.2.3.4", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 nobody 0", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 4294967296", "argument 1 should be 'ADDR/MASK [GATEWAY] OUTPUT'"},
      {"10/8 -1", "argument 1 bad OUTPUT; the last that is connected is 1"},
      {"10/8 2", "argument 1 bad OUTPUT; the last that is connected is 1"},
      {"10/8 2147483647", "argument 1 bad OUTPUT"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (size_t c = 0; c < CLASSES; c++)
      expect_said(graph(classes[c], rows[i].routes), false, rows[i].message);
  expect_said("Idle -> e :: RadixIPLookup(0/0 0)", false, "argument 1 bad OUTPUT; connect an output");
  expect_said(
      graph("RadixIPLookup", "10.0.0.1/255.0.0.255 0"), false,
      "the mask of route '10.0.0.1/255.0.0.255 - 0' has holes, which RadixIPLookup does not have; use LinearIPLookup");
}

/* A change that makes no sense is refused with Click's words, and changes nothing. */
static void bad_changes(void **state) {
  static const struct {
    const char *handler, *value;
    int status;
    const char *message;
  } rows[] = {
      {"e.add", "", -ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY] OUTPUT'\n"},
      {"e.add", "11/8", -ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY] OUTPUT'\n"},
      {"e.set", "11/8 1 1", -ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY] OUTPUT'\n"},
      {"e.remove", "", -ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY OUTPUT]'\n"},
      {"e.remove", "10/8 x", -ERROR_INVALID, "expected 'ADDR/MASK [GATEWAY OUTPUT]'\n"},
      {"e.add", "11/8 2", -ERROR_INVALID, "bad OUTPUT; the last that is connected is 1\n"},
      {"e.add", "11/8 -1", -ERROR_INVALID, "bad OUTPUT; the last that is connected is 1\n"},
      {"e.remove", "10/8 -2", -ERROR_INVALID, "bad OUTPUT; the last that is connected is 1\n"},
      {"e.add", "10/8 1", -ERROR_EXISTS, "conflict with existing route '10.0.0.0/8 1.2.3.4 1'\n"},
      {"e.add", "10.9.9.9/8 0", -ERROR_EXISTS, "conflict with existing route '10.0.0.0/8 1.2.3.4 1'\n"},
      {"e.add", "0/0 1", -ERROR_EXISTS, "conflict with existing route '0.0.0.0/0 - 0'\n"},
      {"e.remove", "10.0/9", -ERROR_NOT_FOUND, "route '10.0.0.0/9 - -1' not found\n"},
      {"e.remove", "10/8 1", -ERROR_NOT_FOUND, "route '10.0.0.0/8 - 1' not found\n"},
      {"e.remove", "10/8 1.2.3.4 0", -ERROR_NOT_FOUND, "route '10.0.0.0/8 1.2.3.4 0' not found\n"},
      {"e.ctrl", "add 11/8 0\nturn 1", -ERROR_INVALID, "bad command 'turn'\n"},
      {"e.ctrl", "remove 10/8\nset 0/0 1\nadd 11/8 0\nadd 11/8 0", -ERROR_EXISTS,
       "conflict with existing route '11.0.0.0/8 - 0'\n"},
      {"e.ctrl", "remove 10/8\nremove 0/0\nremove 0/0", -ERROR_NOT_FOUND, "route '0.0.0.0/0 - -1' not found\n"},
      {"e.ctrl", "set 10/8 0\nset 10/8 1\nremove 10/8 1\nadd 10/8 0\nadd", -ERROR_INVALID, "expected 'ADDR/MASK"},
  };
  for (size_t c = 0; c < CLASSES; c++) {
    harness_start(graph(classes[c], "10/8 1.2.3.4 1, 0/0 0"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
      harness_expect_write(rows[i].handler, rows[i].value, rows[i].status);
      if (strstr(harness_message(), rows[i].message) == NULL) fail_msg("%s: %s", rows[i].value, harness_message());
      assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t1.2.3.4\t\t1\n0.0.0.0/0\t\t-\t\t0\n");
    }
    harness_stop();
  }
}

/* --- packets --- */

/* The longest prefix decides; a gateway replaces the annotation. The first table is the manual page's example. */
static void packets_go_by_the_longest_prefix(void **state) {
  static const struct {
    const char *routes, *frames, *a, *b, *gateway; /* of the last packet in b */
  } rows[] = {
      {"18.26.4.24/32 0, 18.26.4.255/32 0, 18.26.4.0/32 0, 18.26.4/24 1, 0/0 18.26.4.1 1",
       "18.26.4.24 18.26.4.255 18.26.4.0 18.26.4.1 18.26.4.25 18.26.5.0 0.0.0.0 255.255.255.255",
       "18.26.4.24 18.26.4.255 18.26.4.0 ", "18.26.4.1 18.26.4.25 18.26.5.0 0.0.0.0 255.255.255.255 ", "18.26.4.1"},
      {"18.26.4.24/32 0, 18.26.4/24 1, 0/0 18.26.4.1 1", "18.26.4.24 18.26.4.25", "18.26.4.24 ", "18.26.4.25 ",
       "18.26.4.25"},
      {"0/0 0, 128/1 1, 128/2 0, 192/2 0, 192.0.0.0/3 1", "1.0.0.0 128.0.0.0 192.0.0.0 224.0.0.0",
       "1.0.0.0 128.0.0.0 224.0.0.0 ", "192.0.0.0 ", "192.0.0.0"},
      {"10.0.0.1/31 5.6.7.8 1, 10.0.0.0 0, 0.0.0.0/0 0", "10.0.0.0 10.0.0.1 10.0.0.2", "10.0.0.0 10.0.0.2 ",
       "10.0.0.1 ", "5.6.7.8"},
  };
  static const unsigned sizes[] = {1, 3, 256};
  for (size_t i = 0; i < 3 * sizeof rows / sizeof rows[0]; i++) {
    for (size_t c = 0; c < CLASSES; c++) {
      uint32_t gateway;
      assert_int_equal(address_ip(NULL, slice_of(rows[i / 3].gateway), &gateway), 0);
      harness_start(graph(classes[c], rows[i / 3].routes));
      harness_inject("i", rows[i / 3].frames, sizes[i % 3]);
      assert_int_equal(annotation_u32(harness_last("b"), ANNOTATION_DST_IP), gateway);
      assert_string_equal(harness_captured("a"), rows[i / 3].a);
      assert_string_equal(harness_captured("b"), rows[i / 3].b);
      assert_string_equal(harness_read("drops"), "total 0\n");
      harness_stop();
    }
  }
}

/* Without a route packets are dropped under a name, and the log tells of five (lineariplookup.cc, push). */
static void no_route(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    harness_start(graph(classes[c], "10/8 0"));
    harness_inject("i", "11.0.0.1 10.0.0.1 9.255.255.255 11.0.0.3 11.0.0.4 11.0.0.5 11.0.0.6", 256);
    assert_string_equal(harness_captured("a"), "10.0.0.1 ");
    assert_string_equal(harness_read("drops"), "e.no_route 6\ntotal 6\n");
    static const char *const addresses[] = {"11.0.0.1", "9.255.255.255", "11.0.0.3", "11.0.0.4", "11.0.0.5"};
    struct text expected = {0};
    for (size_t i = 0; i < 5; i++)
      text_addf(&expected, "%s: no route for %s\n", classes[c], addresses[i]);
    assert_string_equal(text_string(&harness.log), text_string(&expected));
    text_free(&expected);
    harness_stop();
  }
}

/* Masks with holes: the first route that holds the address, but for a later one with all its bits and more (lineariplookup.cc,
 * lookup_entry). */
static void masks_with_holes(void **state) {
  harness_start(graph("LinearIPLookup", "0.0.0.1/0.0.0.255 0, 10/8 1, 10.0.0.1/255.0.0.255 1.1.1.1 1, 0/0 1"));
  assert_string_equal(harness_read("e.table"), "0.0.0.1/0.0.0.255\t-\t\t0\n10.0.0.0/8\t\t-\t\t1\n"
                                               "10.0.0.1/255.0.0.255\t1.1.1.1\t\t1\n0.0.0.0/0\t\t-\t\t1\n");
  harness_inject("i", "11.0.0.1 10.0.0.2 9.9.9.9 10.5.5.1", 256);
  assert_int_equal(annotation_u32(harness_last("b"), ANNOTATION_DST_IP), 0x01010101);
  assert_string_equal(harness_captured("a"), "11.0.0.1 ");
  assert_string_equal(harness_captured("b"), "10.0.0.2 9.9.9.9 10.5.5.1 ");
  harness_expect_write("e.remove", "10.0.0.1/255.0.0.255", 0);
  harness_inject("i", "10.5.5.1", 1);
  assert_string_equal(harness_captured("a"), "10.5.5.1 ");
  harness_stop();
}

/* --- formats, configuration --- */

static const char *lookup(const char *address) {
  static struct text value;
  struct report report = {0};
  text_clear(&value);
  int status = router_read(harness.router, slice_of("e.lookup"), slice_of(address), &value, &report);
  if (status < 0) text_addf(&value, "%s", text_string(&report.text));
  report_free(&report);
  static char copy[128];
  format_text(copy, sizeof copy, "%s", text_string(&value));
  text_free(&value);
  return copy;
}

/* `table` has Click's columns (IPRoute::unparse): two tabs after what is shorter than 16, or 8, characters, else one. `lookup` has its
 * words. Names of AddressInfo stand for addresses. */
static void formats(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    char config[512];
    format_text(
        config, sizeof config,
        "AddressInfo(gate 192.168.100.200, net 172.16.0.0/12); i :: Inject -> Address -> "
        "e :: %s(192.168.100.0/24 gate 0, 10.0.0.0/15 - 1, net 1.2.3.4 1, 10.0.0.1 1.1.1.1 0, 192.168.1.128/25 0) "
        "-> a :: Capture; e [1] -> b :: Capture",
        classes[c]);
    harness_start(config);
    assert_string_equal(harness_read("e.table"), "192.168.100.0/24\t192.168.100.200\t0\n"
                                                 "10.0.0.0/15\t\t-\t\t1\n"
                                                 "172.16.0.0/12\t\t1.2.3.4\t\t1\n"
                                                 "10.0.0.1/32\t\t1.1.1.1\t\t0\n"
                                                 "192.168.1.128/25\t-\t\t0\n");
    assert_string_equal(lookup("10.1.255.255"), "1");
    assert_string_equal(lookup(" 10.0.0.1 "), "0 1.1.1.1");
    assert_string_equal(lookup("gate"), "0 192.168.100.200");
    assert_string_equal(lookup("10.2.0.0"), "-1");
    assert_string_equal(lookup("10.2"), "expected IP address\n");
    assert_string_equal(lookup(""), "expected IP address\n");
    harness_stop();
  }
}

/* `ctrl` takes empty lines and comments, and does all its lines in order; `remove` may name the whole route. */
static void control(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    harness_start(graph(classes[c], "0/0 0"));
    harness_expect_write(
        "e.ctrl", "\n  add 10/8 0 // first\n\nset 10/8 1.1.1.1 1\r\nadd 11/8 0\nremove 11/8 0\n//none\nadd 12/8 - 1\n",
        0);
    assert_string_equal(harness_read("e.table"),
                        "0.0.0.0/0\t\t-\t\t0\n10.0.0.0/8\t\t1.1.1.1\t\t1\n12.0.0.0/8\t\t-\t\t1\n");
    harness_expect_write("e.remove", "10/8 1.1.1.1 1", 0);
    harness_expect_write("e.remove", "12/8 - -1", 0);
    harness_expect_write("e.ctrl", "", 0);
    assert_string_equal(harness_read("e.table"), "0.0.0.0/0\t\t-\t\t0\n");
    harness_expect_write("e.flush", "", 0);
    assert_string_equal(harness_read("e.table"), "");
    harness_expect_write("e.add", "13/8 1", 0);
    harness_inject("i", "13.1.1.1 10.0.0.0", 2);
    assert_string_equal(harness_captured("b"), "13.1.1.1 ");
    harness_stop();
  }
}

/* Of several arguments for one prefix the last counts, and the others are told of in Click's words. */
static void later_versions(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    expect_said(graph(classes[c], "10/8 0, 10.9/8 1"), true, "warning: 1 route replaced by later versions");
    expect_said(graph(classes[c], "10/8 0, 0/0 0, 10/8 1, 0/0 1, 11/8 0"), true,
                "warning: 2 routes replaced by later versions");
    harness_open();
    struct report report = {0};
    assert_int_equal(router_create("test.click", slice_of(graph(classes[c], "10/8 0, 10/8 1")), &harness.services,
                                   &harness.scheduler, &harness.router, &report),
                     0);
    report_free(&report);
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t1\n");
    harness_stop();
  }
}

/* Writing `config` puts another table in place; a mistake leaves the one that is there. */
static void configuration(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    harness_start(graph(classes[c], "10/8 0"));
    harness_expect_write("e.add", "12/8 0", 0);
    harness_expect_write("e.config", "10/8 1, 11/8 2", -ERROR_INVALID);
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t0\n12.0.0.0/8\t\t-\t\t0\n");
    harness_expect_write("e.config", "10/8 1, 11/8 0", 0);
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t1\n11.0.0.0/8\t\t-\t\t0\n");
    harness_inject("i", "10.1.1.1 11.1.1.1", 2);
    assert_string_equal(harness_captured("a"), "11.1.1.1 ");
    assert_string_equal(harness_captured("b"), "10.1.1.1 ");
    harness_stop();
  }
}

/* In a hot swap routes that handlers made stay, unless the file says other routes or an output is gone: then that is told of. */
static void hot_swap(void **state) {
  for (size_t c = 0; c < CLASSES; c++) {
    harness_start(graph(classes[c], "10/8 0"));
    harness_replace(graph(classes[c], "10/8 1"));
    assert_string_equal(harness_message(), "");
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t1\n");
    harness_expect_write("e.ctrl", "add 12/8 1\nremove 10/8", 0);
    harness_replace(graph(classes[c], "10/8 1"));
    assert_string_equal(harness_message(), "");
    assert_string_equal(harness_read("e.table"), "12.0.0.0/8\t\t-\t\t1\n");
    harness_replace(graph(classes[c], "10/8 1"));
    assert_string_equal(harness_read("e.table"), "12.0.0.0/8\t\t-\t\t1\n");
    char config[160];
    format_text(config, sizeof config, "Idle -> e :: %s(10/8 1, 11/8 0) -> Discard; e [1] -> Discard", classes[c]);
    harness_replace(config);
    assert_non_null(
        strstr(harness_message(), "e: routes that handlers changed are given up, as its configuration is another"));
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t1\n11.0.0.0/8\t\t-\t\t0\n");
    format_text(config, sizeof config, "Idle -> e :: %s(10/8 0) -> Discard; e [1] -> Discard", classes[c]);
    harness_replace(config);
    harness_expect_write("e.add", "12/8 1", 0);
    format_text(config, sizeof config, "Idle -> e :: %s(10/8 0) -> Discard", classes[c]);
    harness_replace(config);
    assert_non_null(strstr(harness_message(), "one leads to output 1, which is no more"));
    assert_string_equal(harness_read("e.table"), "10.0.0.0/8\t\t-\t\t0\n");
    harness_stop();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_routes),
      cmocka_unit_test(bad_changes),
      cmocka_unit_test(packets_go_by_the_longest_prefix),
      cmocka_unit_test(no_route),
      cmocka_unit_test(masks_with_holes),
      cmocka_unit_test(formats),
      cmocka_unit_test(control),
      cmocka_unit_test(later_versions),
      cmocka_unit_test(configuration),
      cmocka_unit_test(hot_swap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
