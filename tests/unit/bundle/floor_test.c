/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tests of version floors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bundle/floor.h"

static struct version_floors floors;

static int set_up(void **state) {
  floors.count = 0;
  return 0;
}

/* A name that was never seen has no floor, reserved or not. */
static void unknown_names_have_no_floor(void **state) {
  assert_int_equal(version_floor(&floors, "fw"), 0);
  assert_int_equal(version_floor_reserve(&floors, "fw"), 0);
  assert_int_equal(version_floor(&floors, "fw"), 0);
}

/* A floor rises and never falls, and names don't share it. */
static void floors_only_rise(void **state) {
  assert_int_equal(version_floor_reserve(&floors, "fw"), 0);
  assert_int_equal(version_floor_reserve(&floors, "fw2"), 0);
  version_floor_raise(&floors, "fw", 5);
  version_floor_raise(&floors, "fw", 3);
  assert_int_equal(version_floor(&floors, "fw"), 5);
  version_floor_raise(&floors, "fw", UINT64_MAX);
  version_floor_raise(&floors, "fw", 6);
  assert_true(version_floor(&floors, "fw") == UINT64_MAX);
  assert_int_equal(version_floor(&floors, "fw2"), 0);
}

/* The table is full at its stated size; names in it can still be reserved again and raised. */
static void full_table_refuses_new_names_only(void **state) {
  char name[BUNDLE_NAME_MAX];
  for (unsigned i = 0; i < VERSION_FLOORS_MAX; i++) {
    format_text(name, sizeof(name), "program%u", i);
    assert_int_equal(version_floor_reserve(&floors, name), 0);
  }
  assert_int_equal(version_floor_reserve(&floors, "one-more"), -ERROR_TOO_BIG);
  assert_int_equal(version_floor_reserve(&floors, "program255"), 0);
  version_floor_raise(&floors, "program255", 9);
  version_floor_raise(&floors, "one-more", 9);
  assert_int_equal(version_floor(&floors, "program255"), 9);
  assert_int_equal(version_floor(&floors, "one-more"), 0);
}

/* A name that doesn't fit is refused, not cut. */
static void long_names_are_refused(void **state) {
  char name[BUNDLE_NAME_MAX + 1];
  memset(name, 'x', BUNDLE_NAME_MAX);
  name[BUNDLE_NAME_MAX] = '\0';
  assert_int_equal(version_floor_reserve(&floors, name), -ERROR_TOO_BIG);
  name[BUNDLE_NAME_MAX - 1] = '\0';
  assert_int_equal(version_floor_reserve(&floors, name), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(full_table_refuses_new_names_only, set_up),
      cmocka_unit_test_setup(long_names_are_refused, set_up),
      cmocka_unit_test_setup(unknown_names_have_no_floor, set_up),
      cmocka_unit_test_setup(floors_only_rise, set_up),
  };
  return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
