/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What KernelTun, KernelTap, FromHost and ToHost refuse before they touch the host, by Click's manual pages of the same names and, for
 * texts, its sources. What they do is tests/system/test_host_elements.py.
 */
#include "tests/unit/elements/harness.h"

/* Each argument: missing, malformed, out of range. */
static void refusals(void **state) {
  static const struct {
    const char *element, *message;
  } rows[] = {
      {"KernelTun", "ADDR: required argument missing"},
      {"KernelTun(here)", "ADDR"},
      {"KernelTun(10.0.0.1)", "ADDR"}, /* an address needs its network */
      {"KernelTun(10.0.0.1/24, 10.0.1.1)", "bad GATEWAY"},
      {"KernelTap(10.0.0.1/24, GATEWAY 11.0.0.1)", "bad GATEWAY"},
      {"KernelTun(10.0.0.1/24, 10.0.0.2, 5)", "too many arguments"},
      {"KernelTun(10.0.0.1/24, TAP perhaps)", "TAP"},
      {"KernelTun(10.0.0.1/24, BURST 0)", "BURST must be >= 1 and at most 256"},
      {"KernelTun(10.0.0.1/24, BURST 257)", "BURST must be >= 1 and at most 256"},
      {"KernelTun(10.0.0.1/24, MTU 19)", "MTU must be greater than 20"},
      {"KernelTun(10.0.0.1/24, MTU 1921)", "MTU must be at most 1920"},
      {"KernelTun(10.0.0.1/24, MTU 1893)", "MTU too big: headroom and frame together have at most 1920 bytes"},
      {"KernelTun(10.0.0.1/24, HEADROOM 421)", "HEADROOM too big: headroom and frame together have at most 1920 bytes"},
      {"KernelTap(10.0.0.1/24, HEADROOM 403)", "HEADROOM too big"}, /* header and VLAN tag besides: 18 */
      {"KernelTap(10.0.0.1/24, HEADROOM 4294967295)", "HEADROOM too big"},
      {"KernelTun(10.0.0.1/24, ETHER 1:2:3)", "ETHER"},
      {"KernelTun(10.0.0.1/24, IGNORE_QUEUE_OVERFLOWS 2)", "IGNORE_QUEUE_OVERFLOWS"},
      {"KernelTun(10.0.0.1/24, DEVNAME a b)", "DEVNAME"},
      {"KernelTun(10.0.0.1/24, DST6 ::1/128)", "DST6: unknown argument"},
      {"FromHost", "DEVNAME: required argument missing"},
      {"FromHost(\"\")", "DEVNAME: parse error"},
      {"FromHost(tap0, 10.0.0.1/24, GATEWAY 10.0.1.1)", "bad GATEWAY"},
      {"FromHost(tap0, 10.0.0.1/24, DST6 ::1)", "DST6"},
      {"FromHost(tap0, HEADROOM 1907)", "HEADROOM too large: at most 1906"},
      {"FromHost(tap0, MTU x)", "MTU"},
      {"FromHost(tap0, BURST 1)", "BURST: unknown argument"},
      /* The host is not asked: its names have 15 characters (IFNAMSIZ, netdevice(7)). */
      {"FromHost(abcdefghijklmnop)", "interface 'abcdefghijklmnop': the name is too long: at most 15 characters"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char config[256];
    format_text(config, sizeof config, "%s -> Discard", rows[i].element);
    harness_refuses(config, rows[i].message);
  }
  harness_refuses("Inject -> ToHost", "DEVNAME: required argument missing");
  harness_refuses("Inject -> ToHost(tap0)", "ToHost(tap0) requires an initialized FromHost with the same dev_name");
}

/* "0-1/1-2" ports of KernelTun and KernelTap; FromHost pushes, ToHost is pushed to. */
static void ports(void **state) {
  static const char *const configs[][2] = {
      {"Inject -> KernelTun(10.0.0.1/24)", "output 0 unused"},
      {"t :: KernelTap(10.0.0.1/24); a, b, c :: Discard; t [0,1,2] => a, b, c", "'t :: KernelTap'"},
      {"FromHost(tap0) -> Unqueue -> Discard", "push output 0 connected to"},
      {"Inject -> Queue -> ToHost(tap0)", "pull output 0 connected to"},
  };
  for (size_t i = 0; i < sizeof configs / sizeof *configs; i++)
    harness_refuses(configs[i][0], configs[i][1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(refusals), cmocka_unit_test(ports)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
