/* SPDX-License-Identifier: BSD-3-Clause
 *
 * QEMU's command line. Everything the machine has is named here: -nodefaults and -no-user-config leave nothing else.
 */
#define _GNU_SOURCE
#include "tools/qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/subprocess.h"

#define QEMU "qemu-system-x86_64"
#define MACHINE "microvm,acpi=off,pic=off,pit=off,rtc=off,isa-serial=on"

/* Inside an option QEMU splits at commas; a doubled one stands for itself. */
static void option_value(const char *value, size_t length, struct text *out) {
  for (size_t i = 0; i < length; i++) {
    text_add_bytes(out, &value[i], 1);
    if (value[i] == ',') text_add(out, ",");
  }
}

static const char *const nic_forms =
    "a NIC of a virtual machine is 'dgram:LOCAL,REMOTE', 'stream:PATH', 'tap:INTERFACE' or 'user'";

/* The -netdev value of one specification. */
static int netdev(const char *specification, unsigned index, struct text *out, struct report *report) {
  const char *colon = strchr(specification, ':');
  const char *value = colon != NULL ? colon + 1 : "";
  size_t length = strlen(value);
  struct slice kind = {specification, colon != NULL ? (size_t)(colon - specification) : strlen(specification)};
  if (slice_equals(kind, "user") && colon == NULL) {
    text_addf(out, "user,id=nic%u", index);
    return 0;
  }
  if (length == 0) goto wrong;
  if (slice_equals(kind, "dgram")) {
    const char *comma = strchr(value, ',');
    if (comma == NULL || comma == value || comma[1] == '\0' || strchr(comma + 1, ',') != NULL) goto wrong;
    text_addf(out, "dgram,id=nic%u,local.type=unix,local.path=", index);
    option_value(value, (size_t)(comma - value), out);
    text_add(out, ",remote.type=unix,remote.path=");
    option_value(comma + 1, strlen(comma + 1), out);
  } else if (slice_equals(kind, "stream")) {
    text_addf(out, "stream,id=nic%u,server=off,addr.type=unix,addr.path=", index);
    option_value(value, length, out);
  } else if (slice_equals(kind, "tap")) {
    text_addf(out, "tap,id=nic%u,ifname=", index);
    option_value(value, length, out);
    text_add(out, ",script=no,downscript=no");
  } else if (slice_equals(kind, "pcap") || slice_equals(kind, "unix")) {
    return report_error(report, ERROR_INVALID, "--nic %s is for --process; %s", specification, nic_forms);
  } else {
    goto wrong;
  }
  return 0;
wrong:
  return report_error(report, ERROR_INVALID, "--nic %s: %s", specification, nic_forms);
}

/* Path options go through option_value, as a path may hold a comma. */
static void add_path_option(struct arguments *arguments, const char *before, const char *path) {
  struct text value = {0};
  text_add(&value, before);
  option_value(path, strlen(path), &value);
  arguments_add(arguments, "%s", text_string(&value));
  arguments->failed = arguments->failed || value.failed;
  text_free(&value);
}

static void add_accelerator(struct arguments *arguments, enum accelerator accelerator) {
  bool kvm = accelerator == ACCELERATOR_KVM;
  arguments_add(arguments, "-accel");
  arguments_add(arguments, kvm ? "kvm" : "tcg");
  arguments_add(arguments, "-cpu");
  /* Some hosts refuse to set MSR 0x10a, which this feature is about; the unikernel has no use for it. */
  arguments_add(arguments, kvm ? "host,-arch-capabilities" : "max");
}

int qemu_arguments(const struct qemu_options *options, const struct rundir *dir, struct arguments *arguments,
                   struct report *report) {
  if (options->nic_count > QEMU_NIC_MAX) {
    return report_error(report, ERROR_TOO_BIG, "%u NICs: a microvm has room for %d", options->nic_count, QEMU_NIC_MAX);
  }
  char path[PATH_MAX];
  static const char *const fixed_after_memory[] = {"-smp",     "1",    "-nodefaults", "-no-user-config",
                                                   "-display", "none", "-no-reboot"};
  arguments_add(arguments, QEMU);
  arguments_add(arguments, "-M");
  arguments_add(arguments, MACHINE);
  add_accelerator(arguments, options->accelerator);
  arguments_add(arguments, "-m");
  arguments_add(arguments, "%u", options->memory_mib);
  for (unsigned i = 0; i < sizeof(fixed_after_memory) / sizeof(fixed_after_memory[0]); i++) {
    arguments_add(arguments, "%s", fixed_after_memory[i]);
  }
  arguments_add(arguments, "-kernel");
  arguments_add(arguments, "%s", options->image);
  arguments_add(arguments, "-initrd");
  arguments_add(arguments, "%s", options->archive);
  if (options->append[0] != '\0') {
    arguments_add(arguments, "-append");
    arguments_add(arguments, "%s", options->append);
  }
  arguments_add(arguments, "-global");
  arguments_add(arguments, "virtio-mmio.force-legacy=false");
  arguments_add(arguments, "-device");
  arguments_add(arguments, "isa-debug-exit,iobase=0x%x,iosize=4", QEMU_DEBUG_EXIT_PORT);
  rundir_file(dir, "console", path);
  arguments_add(arguments, "-serial");
  arguments_add(arguments, "file:%s", path); /* taken verbatim, unlike a -chardev path */
  for (unsigned i = 0; i < options->nic_count; i++) {
    struct text value = {0};
    int error = netdev(options->nics[i], i, &value, report);
    if (error == 0) {
      arguments_add(arguments, "-netdev");
      arguments_add(arguments, "%s", text_string(&value));
      arguments_add(arguments, "-device");
      arguments_add(arguments, "virtio-net-device,netdev=nic%u,mac=02:00:00:00:00:%02x", i, i + 1);
    }
    text_free(&value);
    if (error != 0) return error;
  }
  arguments_add(arguments, "-device");
  arguments_add(arguments, "virtio-serial-device,max_ports=4");
  rundir_file(dir, "control", path);
  arguments_add(arguments, "-chardev");
  add_path_option(arguments, "socket,id=control,server=on,wait=off,path=", path);
  arguments_add(arguments, "-device");
  arguments_add(arguments, "virtserialport,chardev=control,name=imago.control");
  rundir_file(dir, "log", path);
  arguments_add(arguments, "-chardev");
  add_path_option(arguments, "file,id=log,path=", path);
  arguments_add(arguments, "-device");
  arguments_add(arguments, "virtserialport,chardev=log,name=imago.log");
  if (options->gdb_port != 0) {
    arguments_add(arguments, "-S");
    arguments_add(arguments, "-gdb");
    arguments_add(arguments, "tcp:127.0.0.1:%u", options->gdb_port);
  }
  return arguments->failed ? report_error(report, ERROR_NO_MEMORY, "no memory for the command line") : 0;
}

/* Having the device file is not enough: a nested or restricted host may refuse to make a virtual machine or to set its CPU up.
 * So QEMU makes one, stopped before its first instruction, and is told to quit. */
static int try_kvm(struct report *report) {
  int device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  if (device < 0) {
    return report_error(report, ERROR_UNSUPPORTED,
                        "KVM does not work here: /dev/kvm: %s; leave out --accel kvm, or let your user open /dev/kvm",
                        strerror(errno));
  }
  close(device);
  struct arguments arguments = {0};
  struct text output = {0};
  arguments_add(&arguments, QEMU);
  arguments_add(&arguments, "-M");
  arguments_add(&arguments, MACHINE);
  add_accelerator(&arguments, ACCELERATOR_KVM);
  static const char *const rest[] = {"-m",       "8",    "-S",       "-nodefaults", "-no-user-config",
                                     "-display", "none", "-monitor", "stdio"};
  for (unsigned i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
    arguments_add(&arguments, "%s", rest[i]);
  enum { TRIAL_MS = 2000 };
  int status = subprocess_run(arguments.values, "quit\n", TRIAL_MS, &output);
  arguments_free(&arguments);
  if (status != 0) {
    const char *said = text_string(&output);
    size_t length = strcspn(said, "\r\n");
    report_error(report, ERROR_UNSUPPORTED, "KVM does not work here: %s; leave out --accel kvm",
                 status == SUBPROCESS_NOT_FOUND ? "there is no " QEMU " (Debian package qemu-system-x86)"
                 : status == SUBPROCESS_TIMEOUT ? "QEMU did not start with it in 2 s"
                 : length == 0                  ? "QEMU failed"
                                                : said);
  }
  text_free(&output);
  return status == 0 ? 0 : -ERROR_UNSUPPORTED;
}

int qemu_accelerator(enum accelerator *accelerator, struct report *report) {
  switch (*accelerator) {
    case ACCELERATOR_TCG:
      return 0;
    case ACCELERATOR_KVM:
      return try_kvm(report);
    case ACCELERATOR_AUTO:
      break;
  }
  *accelerator = try_kvm(NULL) == 0 ? ACCELERATOR_KVM : ACCELERATOR_TCG;
  return 0;
}
