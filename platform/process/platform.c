/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The contract kernel/platform.h on top of Linux, and process_run, which sets it up.
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"

#define NANOSECONDS_PER_SECOND 1000000000u
#define QUIET_NS 50000000u /* stop_when_finished: this long without a packet */
enum { PANIC_STATUS = 70 };

static struct {
  const struct process_options *options;
  struct process_nic *nic[NIC_MAX];
  unsigned nic_count;
  uint64_t started;       /* CLOCK_MONOTONIC at process_run */
  uint64_t devices_ready; /* platform_now */
  int wake;               /* eventfd: a signal came */
  char command_line[32];
  uint64_t moved, quiet_since; /* stop_when_finished: packets seen so far, and since when no more came */
} process;

/* ---- output, time, chance ---- */

void platform_early_write(const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(STDERR_FILENO, text, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    length -= (size_t)n;
  }
}

static uint64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (uint64_t)t.tv_sec * NANOSECONDS_PER_SECOND + (uint64_t)t.tv_nsec;
}

uint64_t platform_now(void) { return clock_ns(CLOCK_MONOTONIC) - process.started; }

uint64_t platform_wall(void) { return clock_ns(CLOCK_REALTIME); }

void platform_random(void *bytes, size_t length) {
  char *at = bytes;
  while (length > 0) {
    ssize_t n = getrandom(at, length, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) platform_panic("getrandom failed");
    at += n;
    length -= (size_t)n;
  }
}

/* ---- sleep ---- */

/* stop_when_finished: true once every NIC is finished and nothing has moved for QUIET_NS; otherwise *deadline is brought
 * forward to the time when that could be so. */
static bool finished(uint64_t *deadline) {
  uint64_t moved = 0;
  if (!process.options->stop_when_finished) return false;
  for (unsigned i = 0; i < process.nic_count; i++) {
    struct nic *nic = &process.nic[i]->nic;
    if (nic->ops->finished == NULL || !nic->ops->finished(nic) || nic->tx_waiting) return false;
    moved += counter_read(&nic->stats.rx_packets) + counter_read(&nic->stats.tx_packets);
  }
  uint64_t now = platform_now();
  if (moved != process.moved || process.quiet_since == 0) {
    process.moved = moved;
    process.quiet_since = now;
  }
  uint64_t end = process.quiet_since + QUIET_NS;
  if (end < *deadline) *deadline = end;
  return now >= end;
}

void platform_sleep(uint64_t deadline) {
  struct pollfd fds[2 * NIC_MAX + CHANNEL_FDS + 1] = {{process.wake, POLLIN, 0}};
  unsigned count = 1;
  if (finished(&deadline)) {
    kernel_stop();
    return;
  }
  for (unsigned i = 0; i < process.nic_count; i++) {
    const struct process_nic *n = process.nic[i];
    if (n->fd >= 0) fds[count++] = (struct pollfd){n->fd, POLLIN, 0};
    if (n->room_fd >= 0) fds[count++] = (struct pollfd){n->room_fd, POLLOUT, 0};
  }
  count += channel_poll_fds(fds + count);

  uint64_t now = platform_now(), wait = deadline > now ? deadline - now : 0;
  struct timespec timeout = {(time_t)(wait / NANOSECONDS_PER_SECOND), (long)(wait % NANOSECONDS_PER_SECOND)};
  (void)ppoll(fds, count, deadline == UINT64_MAX ? NULL : &timeout, NULL);
  uint64_t wakes;
  if (fds[0].revents != 0) (void)!read(process.wake, &wakes, sizeof wakes);
}

/* ---- what the system was started with ---- */

struct slice platform_archive(void) {
  return process.options->archive;
}
struct slice platform_command_line(void) {
  return slice_of(process.command_line);
}
const char *platform_name(void) { return "process"; }
void *platform_memory_grow(size_t length) { return NULL; /* lib/memory_hosted.c has the C library's */ }
uint64_t platform_memory_total(void) { return 0; }
unsigned platform_nic_count(void) { return process.nic_count; }
struct nic *platform_nic(unsigned index) {
  return &process.nic[index]->nic;
}
/* The control socket is there from the start: binding it late would save nothing here, and hide errors. */
void platform_late_start(void) {}
unsigned platform_worker_count(void) { return 1; }

void platform_boot_chart(struct text *out) {
  text_addf(out, "0 process_run entered\n%llu devices ready\n", (unsigned long long)(process.devices_ready / 1000));
}

void platform_facts(struct text *out) {
  struct utsname name;
  if (uname(&name) == 0) text_addf(out, "host %s %s %s\n", name.sysname, name.release, name.machine);
  text_addf(out, "pid %d\nprocessors %ld\n", (int)getpid(), sysconf(_SC_NPROCESSORS_ONLN));
}

void platform_security(struct text *out) {
  text_add(out, "ring process (Linux user mode, with the rights of the user who started it)\n"
                "system_call_filter none\n"
                "extensions interpreted, every memory access checked at run time\n"
                "memory_protection_keys not used\n");
}

/* ---- the end ---- */

_Noreturn void platform_shutdown(int status) { _exit(status); }

static void early_line(const char *first, const char *second) {
  platform_early_write(first, strlen(first));
  platform_early_write(second, strlen(second));
  platform_early_write("\n", 1);
}

_Noreturn void platform_panic(const char *why) {
  char element[512];
  void *frames[64];
  early_line("imago: panic: ", why);
  if (kernel_running_element(element, sizeof element)) early_line("  in element ", element);
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
  _exit(PANIC_STATUS);
}

/* ---- signals ---- */

static void on_stop(int signal) {
  int saved = errno;
  const uint64_t one = 1;
  kernel_stop();
  (void)!write(process.wake, &one, sizeof one);
  errno = saved;
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  char why[96];
  format_text(why, sizeof why, "signal %d (%s) at address %p", signal,
              signal == SIGSEGV  ? "segmentation fault"
              : signal == SIGBUS ? "bus error"
              : signal == SIGILL ? "illegal instruction"
                                 : "arithmetic fault",
              info->si_addr);
  platform_panic(why);
}

static const int stop_signals[] = {SIGINT, SIGTERM};
static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
enum { STOP_SIGNALS = 2, FAULT_SIGNALS = 4 };

static void catch_signals(struct sigaction *old) {
  struct sigaction stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK)};
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  for (unsigned i = 0; i < STOP_SIGNALS; i++)
    sigaction(stop_signals[i], &stop, &old[i]);
  sigaction(SIGPIPE, &ignore, &old[STOP_SIGNALS]); /* a log whose reader went away is no reason to die */
  /* A stack that has overflowed has no room to report it on. */
  static char fault_stack[64 * 1024];
  const stack_t alternative = {.ss_sp = fault_stack, .ss_size = sizeof fault_stack};
  stack_t in_use;
  if (sigaltstack(NULL, &in_use) == 0 && (in_use.ss_flags & SS_DISABLE) != 0) (void)sigaltstack(&alternative, NULL);
  for (unsigned i = 0; i < FAULT_SIGNALS; i++) {
    /* A sanitizer that reports faults itself knows more than we do. */
    if (sigaction(fault_signals[i], NULL, &before) == 0 && !(before.sa_flags & SA_SIGINFO) &&
        before.sa_handler == SIG_DFL) {
      sigaction(fault_signals[i], &fault, NULL);
    }
  }
}

static void release_signals(const struct sigaction *old) {
  for (unsigned i = 0; i < STOP_SIGNALS; i++)
    sigaction(stop_signals[i], &old[i], NULL);
  sigaction(SIGPIPE, &old[STOP_SIGNALS], NULL);
}

/* ---- set-up ---- */

bool nic_split(const char *specification, char **first, char **second, struct report *report) {
  const char *comma = strchr(specification, ',');
  if (comma == NULL || strchr(comma + 1, ',') != NULL) {
    report_error(report, ERROR_INVALID, "NIC '%s': expected two paths with one comma between", specification);
    return false;
  }
  *first = memory_copy_string(specification, (size_t)(comma - specification));
  *second = memory_copy_string(comma + 1, strlen(comma + 1));
  if (*first != NULL && *second != NULL) return true;
  report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
  return false;
}

static int open_nic(const char *specification, struct report *report) {
  static const struct {
    const char *prefix;
    struct process_nic *(*open)(const char *rest, struct report *report);
  } kinds[] = {{"pcap:", nic_pcap_open}, {"unix:", nic_unix_open}};
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    size_t length = strlen(kinds[k].prefix);
    if (strncmp(specification, kinds[k].prefix, length) != 0) continue;
    struct process_nic *n = kinds[k].open(specification + length, report);
    if (n == NULL) return -ERROR_INVALID;
    unsigned index = process.nic_count;
    format_text(n->nic.name, sizeof n->nic.name, "eth%u", index);
    /* Locally administered, one per NIC of this process. */
    const uint8_t mac[6] = {0x02, 0x49, 0x4d, 0x47, 0x00, (uint8_t)index};
    memcpy(n->nic.mac, mac, sizeof mac);
    n->nic.mtu = 1500;
    n->nic.link_up = true;
    n->nic.index = (uint8_t)index;
    n->nic.queues = 1;
    process.nic[process.nic_count++] = n;
    return 0;
  }
  return report_error(report, ERROR_INVALID, "NIC '%s': expected pcap:IN,OUT or unix:LOCAL,REMOTE", specification);
}

static int set_up(const struct process_options *options, struct report *report) {
  int error;
  process.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (process.wake < 0) return report_error(report, ERROR_IO, "no eventfd: %s", strerror(errno));
  if (options->pool_packets != 0) {
    format_text(process.command_line, sizeof process.command_line, "imago.pool=%u", options->pool_packets);
  }
  if (options->nic_count > NIC_MAX) {
    return report_error(report, ERROR_TOO_BIG, "%u NICs: at most %d are taken", options->nic_count, NIC_MAX);
  }
  for (unsigned i = 0; i < options->nic_count; i++) {
    if ((error = open_nic(options->nics[i], report)) != 0) return error;
  }
  if ((error = channel_setup(options, report)) != 0) return error;
  process.devices_ready = platform_now();
  return 0;
}

int process_run(const struct process_options *options, struct report *report) {
  struct sigaction old[STOP_SIGNALS + 1];
  process.started = clock_ns(CLOCK_MONOTONIC);
  process.options = options;
  int status = 1;
  if (set_up(options, report) == 0) {
    catch_signals(old);
    status = kernel_run();
    release_signals(old);
  }
  channel_teardown(options);
  for (unsigned i = 0; i < process.nic_count; i++)
    process.nic[i]->close(process.nic[i]);
  process.nic_count = 0;
  if (process.wake >= 0) close(process.wake);
  return status;
}
