/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hot swap under load: frames flow through a process while its graph is replaced a thousand times, and every frame is accounted
 * for, in order; with one worker, and with several.
 */
#define _GNU_SOURCE /* mkdtemp */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "platform/process/process.h"

enum { SWAPS = 1000, FRAME = 64, SEND_BURST = 8, DEADLINE_MS = 20000, AHEAD = 200 };

static char folder[] = "/tmp/imago-hotswap-test-XXXXXX";

static struct sockaddr_un address_of(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", folder, name);
  return address;
}

static int bind_datagram(const char *name) {
  struct sockaddr_un address = address_of(name);
  unlink(address.sun_path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static int connect_control(void) {
  struct sockaddr_un address = address_of("control");
  for (int waited = 0; waited < DEADLINE_MS; waited++) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    poll(NULL, 0, 1);
  }
  fail_msg("no control socket");
  return -1;
}

static bool made(void *context, struct report *report) { return true; }
static void stopped(void *context) {}

/* The graphs that follow one another: with more elements and fewer, another Queue's room, another order in the file. All have c and q.
 * %s is where the threads are assigned. */
static const char *const graphs[] = {
    "f :: FromDevice(eth0) -> c :: Counter -> q :: Queue(1000) -> t :: ToDevice(eth1); %s",
    "q :: Queue(700); Idle -> x :: Counter -> Discard; f :: FromDevice(eth0, BURST 8) -> Null -> c :: Counter -> q; q -> t :: ToDevice(eth1, BURST 16); %s",
    "t :: ToDevice(eth1); q :: Queue(300) -> Counter -> t; f :: FromDevice(eth0) -> c :: Counter -> Null -> Null -> q; %s",
};
enum { GRAPHS = 3 };

static const char bad_graph[] =
    "f :: FromDevice(eth0) -> c :: Counter -> Nonesuch -> q :: Queue -> t :: ToDevice(eth1);";

static pid_t start(unsigned workers, const char *threads) {
  static char source[512], eth0[200], eth1[200];
  snprintf(source, sizeof source, graphs[0], threads);
  snprintf(eth0, sizeof eth0, "unix:%s/e0,%s/p0", folder, folder);
  snprintf(eth1, sizeof eth1, "unix:%s/e1,%s/p1", folder, folder);
  fflush(NULL);
  pid_t pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const struct kernel_config config = {.file = "test.click",
                                       .source = slice_of(source),
                                       .driver = slice_of(""),
                                       .allow_reconfigure = true,
                                       .workers = workers,
                                       .made = made,
                                       .stopped = stopped};
  const char *nics[] = {eth0, eth1};
  struct sockaddr_un control = address_of("control");
  struct process_options options = {
      .config = &config, .nics = nics, .nic_count = 2, .control_path = control.sun_path, .log_fd = -1};
  struct report report = {0};
  alarm(100);
  int status = process_run(&options, &report);
  fputs(text_string(&report.text), stderr);
  fflush(stderr);
  _exit(status);
}

/* One side of the load: sends numbered frames, and checks that they come back one after the other. */
struct load {
  int sender, receiver;
  uint64_t sent, received;
};

static void send_some(struct load *load) {
  struct sockaddr_un to = address_of("e0");
  uint8_t frame[FRAME] = {0};
  /* Fewer under way than the smallest Queue holds: a full one may drop, and should. */
  for (unsigned i = 0; i < SEND_BURST && load->sent - load->received < AHEAD; i++) {
    memcpy(frame, &load->sent, sizeof load->sent);
    if (sendto(load->sender, frame, sizeof frame, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) != FRAME) return;
    load->sent++;
  }
}

static void receive_all(struct load *load) {
  uint8_t frame[FRAME + 1];
  ssize_t n;
  while ((n = recv(load->receiver, frame, sizeof frame, MSG_DONTWAIT)) > 0) {
    uint64_t number;
    assert_int_equal(n, FRAME);
    memcpy(&number, frame, sizeof number);
    assert_int_equal(number, load->received); /* none is missing, doubled or out of order */
    load->received++;
  }
}

static void await_frames(struct load *load) {
  struct pollfd fd = {load->receiver, POLLIN, 0};
  if (poll(&fd, 1, DEADLINE_MS) != 1)
    fail_msg("%llu frames are missing", (unsigned long long)(load->sent - load->received));
  receive_all(load);
}

/* The reply to a command, while the load goes on. */
static void await_reply(int control, struct load *load, bool sending, char *text, size_t size, const char *end) {
  size_t used = 0;
  text[0] = '\0';
  for (;;) {
    if (sending) send_some(load);
    receive_all(load);
    struct pollfd fds[] = {{control, POLLIN, 0}, {load->receiver, POLLIN, 0}};
    if (poll(fds, 2, DEADLINE_MS) <= 0)
      fail_msg("sent %llu, received %llu, waiting behind '%s'", (unsigned long long)load->sent,
               (unsigned long long)load->received, text);
    if (fds[0].revents == 0) continue;
    ssize_t n = read(control, text + used, size - 1 - used);
    assert_true(n > 0);
    used += (size_t)n;
    text[used] = '\0';
    if (strstr(text, end) != NULL) return;
  }
}

static void write_hotconfig(int control, struct load *load, const char *graph, char *text, size_t size) {
  char command[1024];
  int length = snprintf(command, sizeof command, "WRITEDATA hotconfig %zu\r\n%s", strlen(graph), graph);
  assert_int_equal(write(control, command, (size_t)length), length);
  await_reply(control, load, true, text, size, "\r\n");
}

static uint64_t read_number(int control, struct load *load, const char *handler, const char *before) {
  char line[128], text[8192];
  int length = snprintf(line, sizeof line, "READ %s\r\nREAD version\r\n", handler);
  assert_int_equal(write(control, line, (size_t)length), length);
  await_reply(control, load, false, text, sizeof text, "'version' OK\r\nDATA");
  char *data = strstr(text, "DATA ");
  assert_non_null(data);
  unsigned long value_length = strtoul(data + strlen("DATA "), &data, 10);
  data += strlen("\r\n");
  data[value_length] = '\0';
  data = strstr(data, before);
  assert_non_null(data);
  return strtoull(data + strlen(before), NULL, 10);
}

static void swap_under_load(unsigned workers, const char *threads) {
  struct load load = {bind_datagram("p0"), bind_datagram("p1"), 0, 0};
  pid_t pid = start(workers, threads);
  assert_true(pid > 0);
  int control = connect_control();
  char text[4096], graph[512];
  await_reply(control, &load, true, text, sizeof text, "1.3\r\n");
  for (unsigned i = 1; i <= SWAPS; i++) {
    snprintf(graph, sizeof graph, graphs[i % GRAPHS], threads);
    write_hotconfig(control, &load, graph, text, sizeof text);
    if (strncmp(text, "200 ", 4) != 0) fail_msg("swap %u: %s", i, text);
    /* Each graph sees frames. */
    for (uint64_t before = load.received; load.received == before;) {
      send_some(&load);
      await_frames(&load);
    }
    if (i % 100 != 0) continue;
    /* A bad file is refused with its reason, and changes nothing. */
    write_hotconfig(control, &load, bad_graph, text, sizeof text);
    if (strncmp(text, "520", 3) != 0 || strstr(text, "Nonesuch") == NULL) fail_msg("bad graph: %s", text);
  }
  while (load.received < load.sent)
    await_frames(&load);
  assert_true(load.sent >= SWAPS);
  assert_int_equal(read_number(control, &load, "c.count", ""), load.sent);
  assert_int_equal(read_number(control, &load, "workers", "swaps "), SWAPS);
  assert_int_equal(read_number(control, &load, "drops", "total "), 0);
  assert_int_equal(write(control, "WRITE stop\r\n", 12), 12);
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  close(control);
  close(load.sender);
  close(load.receiver);
}

static void one_worker_loses_nothing(void **state) { swap_under_load(1, ""); }

/* Receiving and sending on different threads: packets go home from the other one. */
static void several_workers_lose_nothing(void **state) { swap_under_load(3, "StaticThreadSched(f 1, t 2);"); }

static int make_folder(void **state) { return mkdtemp(folder) == NULL; }

static int remove_folder(void **state) {
  char command[128];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_worker_loses_nothing),
      cmocka_unit_test(several_workers_lose_nothing),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
