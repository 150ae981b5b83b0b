/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The contract kernel/platform.h on top of Linux, and process_run, which sets it up.
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "kernel/pause.h"
#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"
#include "platform/process/nic_open.h"

#define QUIET_NS 50000000u /* stop_when_finished: this long without a packet */
enum { PANIC_STATUS = 70 };

static struct {
  const struct process_options *options;
  struct process_nic *nic[NIC_MAX];
  char *opened_as[NIC_MAX]; /* the names they were opened by */
  unsigned nic_count;
  uint64_t started;       /* CLOCK_MONOTONIC at process_run */
  uint64_t devices_ready; /* platform_now */
  int wake[WORKERS_MAX];  /* eventfd of each worker: a signal came, or another worker has something for it */
  pthread_t thread[WORKERS_MAX];
  void (*run)(unsigned worker);
  unsigned started_workers; /* beside worker 0 */
  cpu_set_t processors;     /* that the process may run on, if workers are pinned */
  char command_line[32];
  uint64_t moved, quiet_since; /* stop_when_finished: packets seen so far, and since when no more came */
} process;

static _Thread_local unsigned self; /* index of this thread's worker */

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
    bool ended = process.nic[i]->link.gone || (nic->ops->finished != NULL && nic->ops->finished(nic));
    if (!ended || nic->tx_waiting) return false;
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
  struct pollfd fds[2 * NIC_MAX + CHANNEL_FDS + 1] = {{process.wake[self], POLLIN, 0}};
  unsigned count = 1;
  if (self == 0 && finished(&deadline)) {
    kernel_stop();
    return;
  }
  for (unsigned i = 0; i < process.nic_count; i++) {
    const struct process_nic *n = process.nic[i];
    /* Both may change meanwhile, when the graph is exchanged: then somebody wakes us. */
    if (__atomic_load_n(&n->nic.worker, __ATOMIC_RELAXED) != self) continue;
    int room_fd = __atomic_load_n(&n->room_fd, __ATOMIC_RELAXED);
    if (__atomic_load_n(&n->link.gone, __ATOMIC_RELAXED)) continue; /* its descriptors say so for ever */
    bool receives = __atomic_load_n(&n->nic.receives, __ATOMIC_RELAXED);
    if (n->fd >= 0 && receives) fds[count++] = (struct pollfd){n->fd, POLLIN, 0};
    if (room_fd >= 0) fds[count++] = (struct pollfd){room_fd, POLLOUT, 0};
  }
  if (self == 0) count += channel_poll_fds(fds + count, &deadline);

  uint64_t now = platform_now(), wait = deadline > now ? deadline - now : 0;
  const struct timespec timeout = timespec_of(wait);
  const struct timespec *end = deadline == UINT64_MAX ? NULL : &timeout;
  if (self == 0) {
    (void)process_watch_poll(fds, count, end);
  } else {
    (void)ppoll(fds, count, end, NULL);
  }
  uint64_t wakes;
  if (fds[0].revents != 0) (void)!read(process.wake[self], &wakes, sizeof wakes);
}

bool platform_poll(void) {
  static const struct timespec now = {0, 0};
  return process_watch_poll(NULL, 0, &now);
}

void platform_wake(unsigned worker) {
  const uint64_t one = 1;
  if (process.wake[worker] > 0) (void)!write(process.wake[worker], &one, sizeof one);
}

/* ---- workers ---- */

unsigned platform_worker_count(void) { return WORKERS_MAX; }

void platform_relax(void) { (void)sched_yield(); }

/* Processors that are not there are left out: the worker then runs wherever the process may, not where worker 0, which starts it, was put. */
static void pin_worker(unsigned worker) {
  cpu_set_t one;
  if (!process.options->pinned) return;
  if (worker == 0) (void)!pthread_getaffinity_np(pthread_self(), sizeof process.processors, &process.processors);
  CPU_ZERO(&one);
  CPU_SET(process.options->first_processor + worker, &one);
  if (pthread_setaffinity_np(pthread_self(), sizeof one, &one) != 0)
    (void)!pthread_setaffinity_np(pthread_self(), sizeof process.processors, &process.processors);
}

static void *run_worker(void *argument) {
  self = (unsigned)(uintptr_t)argument;
  pin_worker(self);
  process.run(self);
  return NULL;
}

/* Signals are worker 0's. */
int platform_worker_start(unsigned worker, void (*run)(unsigned worker)) {
  sigset_t all, before;
  process.wake[worker] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (process.wake[worker] < 0) return -ERROR_IO;
  if (process.started_workers == 0) process.run = run;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&process.thread[worker], NULL, run_worker, (void *)(uintptr_t)worker);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error != 0) return -ERROR_NO_MEMORY;
  process.started_workers++;
  return 0;
}

void platform_worker_join(void) {
  for (unsigned i = 1; i <= process.started_workers; i++) {
    pthread_join(process.thread[i], NULL);
    close(process.wake[i]);
    process.wake[i] = -1;
  }
  process.started_workers = 0;
}

/* ---- what the system was started with ---- */

struct slice platform_archive(void) {
  return process.options->archive;
}
struct slice platform_command_line(void) {
  return slice_of(process.command_line);
}
const struct host *platform_host(void) { return &process_host; }
const char *platform_name(void) { return "process"; }
void *platform_memory_grow(size_t least, size_t *length) { return NULL; /* lib/memory_hosted.c has the C library's */ }
uint64_t platform_memory_total(void) { return 0; }
unsigned platform_nic_count(void) { return process.nic_count; }
struct nic *platform_nic(unsigned index) {
  return &process.nic[index]->nic;
}
/* The control socket is there from the start: binding it late would save nothing here, and hide errors. */
void platform_late_start(void) {}

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
                "extensions native code, every memory access checked that is not known to be safe; code pages W^X\n"
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
  kernel_stop();
  platform_wake(0);
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

/* Opens a NIC and gives it a place, and a name: ethN where it was given at the start, otherwise what the graph calls it. What its
 * kind does not know about it is made up. */
static int add_nic(const char *specification, const char *method, bool given, struct nic **added,
                   struct report *report) {
  unsigned index = process.nic_count;
  if (index == NIC_MAX)
    return report_error(report, ERROR_TOO_BIG, "NIC '%s': at most %d are taken", specification, NIC_MAX);
  char *opened_as = memory_copy_string(specification, strlen(specification));
  if (opened_as == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
  struct nic *nic;
  int error = nic_open(specification, method, &nic, report);
  if (error != 0) {
    memory_free(opened_as);
    return error;
  }
  struct process_nic *made = (struct process_nic *)nic;
  if (given) {
    format_text(nic->name, sizeof nic->name, "eth%u", index);
  } else {
    format_text(nic->name, sizeof nic->name, "%s", specification);
  }
  /* Locally administered, one per NIC of this process. */
  const uint8_t mac[6] = {0x02, 0x49, 0x4d, 0x47, 0x00, (uint8_t)index};
  bool is_host_mac = made->link.index != 0 && made->link.tap == 0;
  if (!is_host_mac) memcpy(nic->mac, mac, sizeof mac);
  if (made->link.index == 0) nic->link_up = true;
  if (nic->mtu == 0) nic->mtu = 1500;
  if (nic->queues == 0) nic->queues = 1;
  nic->index = (uint8_t)index;
  process.nic[index] = made;
  process.opened_as[index] = opened_as;
  /* Other workers go through the NICs meanwhile. */
  __atomic_store_n(&process.nic_count, index + 1, __ATOMIC_RELEASE);
  if (added != NULL) *added = nic;
  return 0;
}

int platform_nic_open(const char *name, const char *method, struct nic **nic, struct report *report) {
  for (unsigned i = 0; i < process.nic_count; i++) {
    const struct process_nic *known = process.nic[i];
    if (strcmp(process.opened_as[i], name) != 0 && strcmp(known->nic.name, name) != 0) continue;
    if (nic_is_other_kind(&known->nic, method)) {
      return report_error(report, ERROR_EXISTS,
                          "METHOD: interface '%s' is open as %s already; ask for that, or for nothing", name,
                          known->method);
    }
    *nic = &process.nic[i]->nic;
    return 0;
  }
  return add_nic(name, method, false, nic, report);
}

static int set_up(const struct process_options *options, struct report *report) {
  int error;
  process.wake[0] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (process.wake[0] < 0) return report_error(report, ERROR_IO, "no eventfd: %s", strerror(errno));
  if (options->pool_packets != 0) {
    format_text(process.command_line, sizeof process.command_line, "imago.pool=%u", options->pool_packets);
  }
  for (unsigned i = 0; i < options->nic_count; i++) {
    if ((error = add_nic(options->nics[i], NULL, true, NULL, report)) != 0) return error;
  }
  if ((error = channel_setup(options, report)) != 0) return error;
  /* The default lets a sleep end 50 us late. */
  (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
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
    pin_worker(0);
    status = options->config == NULL ? kernel_run() : kernel_run_config(options->config, report) != 0;
    release_signals(old);
  }
  channel_teardown(options);
  for (unsigned i = 0; i < process.nic_count; i++) {
    nic_close(&process.nic[i]->nic);
    memory_free(process.opened_as[i]);
  }
  process.nic_count = 0;
  process_watch_release();
  if (process.wake[0] >= 0) close(process.wake[0]);
  process.wake[0] = -1;
  return status;
}
