/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The QEMU command line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/qemu.h"

static const struct rundir dir = {.name = "fw", .path = "/run/imago/fw"};

static struct qemu_options options(const char *const *nics, unsigned count) {
  return (struct qemu_options){.image = "fw.elf",
                               .archive = "fw.cpio",
                               .append = "",
                               .accelerator = ACCELERATOR_TCG,
                               .memory_mib = 8,
                               .nics = nics,
                               .nic_count = count};
}

/* NIC specifications that make no sense are refused, and the message says which forms there are. */
static void bad_nics_are_refused(void **state) {
  static const char *const bad[] = {
      "",        ":",    "dgram",  "dgram:",   "dgram:a",  "dgram:a,", "dgram:,b", "dgram:a,b,c",
      "stream:", "tap:", "user:x", "pcap:a,b", "unix:a,b", "x:y"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct qemu_options o = options(&bad[i], 1);
    struct arguments arguments = {0};
    struct report report = {0};
    assert_int_equal(qemu_arguments(&o, &dir, &arguments, &report), -ERROR_INVALID);
    assert_non_null(strstr(text_string(&report.text), "dgram:LOCAL,REMOTE"));
    report_free(&report);
    arguments_free(&arguments);
  }
}

/* Each form becomes the netdev it stands for; a comma in a path does not end the option. */
static void nics_become_netdevs(void **state) {
  static const struct {
    const char *nic, *netdev;
  } cases[] = {
      {"dgram:a,b", "dgram,id=nic0,local.type=unix,local.path=a,remote.type=unix,remote.path=b"},
      {"stream:/x,y", "stream,id=nic0,server=off,addr.type=unix,addr.path=/x,,y"},
      {"tap:tap0", "tap,id=nic0,ifname=tap0,script=no,downscript=no"},
      {"user", "user,id=nic0"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct qemu_options o = options(&cases[i].nic, 1);
    struct arguments arguments = {0};
    assert_int_equal(qemu_arguments(&o, &dir, &arguments, NULL), 0);
    const char *netdev = NULL, *device = NULL;
    for (unsigned j = 0; j + 3 < arguments.count; j++) {
      if (strcmp(arguments.values[j], "-netdev") == 0) {
        netdev = arguments.values[j + 1];
        device = arguments.values[j + 3];
      }
    }
    assert_non_null(netdev);
    assert_string_equal(netdev, cases[i].netdev);
    assert_string_equal(device, "virtio-net-device,netdev=nic0,mac=02:00:00:00:00:01");
    arguments_free(&arguments);
  }
}

/* More NICs than the machine has slots are refused before QEMU would. */
static void too_many_nics_are_refused(void **state) {
  static const char *const nics[] = {"user", "user", "user", "user", "user", "user", "user", "user"};
  struct arguments arguments = {0};
  struct qemu_options o = options(nics, QEMU_NIC_MAX);
  assert_int_equal(qemu_arguments(&o, &dir, &arguments, NULL), 0);
  arguments_free(&arguments);
  o = options(nics, QEMU_NIC_MAX + 1);
  assert_int_equal(qemu_arguments(&o, &dir, &arguments, NULL), -ERROR_TOO_BIG);
  arguments_free(&arguments);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_nics_are_refused),
      cmocka_unit_test(nics_become_netdevs),
      cmocka_unit_test(too_many_nics_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
