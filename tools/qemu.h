/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The QEMU command line of a run, as an argument vector and as text for a shell, and the accelerator that works here.
 */
#ifndef IMAGO_TOOLS_QEMU_H
#define IMAGO_TOOLS_QEMU_H

#include "lib/report.h"
#include "tools/arguments.h"
#include "tools/rundir.h"

/* Exit status of QEMU by what the guest did. isa-debug-exit at QEMU_DEBUG_EXIT_PORT makes QEMU exit with (value << 1) | 1: the
 * unikernel writes 0x21 on panic and 0x11 when it refuses its configuration. */
enum {
  QEMU_STATUS_CLEAN = 0, /* guest shut down: with -no-reboot its reset ends QEMU */
  QEMU_STATUS_REFUSED = (0x11 << 1) | 1,
  QEMU_STATUS_PANIC = (0x21 << 1) | 1,
  QEMU_DEBUG_EXIT_PORT = 0xf4,
};

/* microvm has eight virtio-mmio transports; one is the console. */
enum { QEMU_NIC_MAX = 7, QEMU_MEMORY_MIN_MIB = 8 };

enum accelerator { ACCELERATOR_AUTO, ACCELERATOR_KVM, ACCELERATOR_TCG };

struct qemu_options {
  const char *image, *archive;
  const char *append; /* kernel command line, "" for none */
  enum accelerator accelerator;
  uint32_t memory_mib;
  const char *const *nics; /* NIC specifications as `imago run --nic` takes them */
  unsigned nic_count;
  uint32_t gdb_port; /* 0: no debugger */
};

/* The whole line. Fails for a NIC specification that makes no sense, saying which forms there are. */
int qemu_arguments(const struct qemu_options *options, const struct rundir *dir, struct arguments *arguments,
                   struct report *report) MUST_USE;
/* Resolves AUTO: KVM if /dev/kvm opens and QEMU starts a virtual CPU with it, otherwise TCG. KVM asked for by name but not
 * working is an error that says what is wrong. */
int qemu_accelerator(enum accelerator *accelerator, struct report *report) MUST_USE;

#endif
