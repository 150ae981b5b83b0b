/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements with a tun or tap interface: opening, reading, writing, handing over.
 */
#include "platform/process/elements/host_tun.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "click/router.h"
#include "elements/line.h"
#include "elements/link_type.h"
#include "elements/run.h"
#include "packet/headers.h"

const char *const host_tun_drops[] = {"too_long", "too_short", "not_ip", "no_network_header", "write_failed", NULL};

enum { MTU_DEFAULT = 1500 };

/* "CLASS(INTERFACE): what", as Click says it. */
static void complain(const struct element *speaker, const struct host_tun *t, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void complain(const struct element *speaker, const struct host_tun *t, const char *format, ...) {
  char text[160], what[120];
  struct line line = {text, sizeof text, 0};
  va_list list;
  va_start(list, format);
  (void)format_text_list(what, sizeof what, format, list);
  va_end(list);
  line_addf(&line, "%s(%s): %s", speaker->class->name, t->name, what);
  line_log(&line, speaker);
}

/* --- reading --- */

enum outcome { GOT_FRAME, GOT_TOO_LONG, NOTHING, NO_BUFFER, FAILED };

/* One frame. A byte more than is wanted tells those that are too long. */
static enum outcome read_frame(struct host_tun *t, struct packet **frame) {
  struct packet *p = packet_new(t->element.services->pool);
  if (p == NULL) return NO_BUFFER;
  uint8_t beyond;
  p->data = packet_buffer_start(p) + t->headroom;
  const struct iovec to[2] = {{p->data, t->frame}, {&beyond, 1}};
  ssize_t length;
  do {
    length = readv(t->fd, to, 2);
  } while (length < 0 && errno == EINTR);
  if (length <= 0) {
    packet_kill(p);
    return length == 0 || errno == EAGAIN ? NOTHING : FAILED;
  }
  if ((size_t)length > t->frame) {
    element_drop(&t->element, HOST_TUN_TOO_LONG, p);
    return GOT_TOO_LONG;
  }
  p->length = (uint32_t)length;
  *frame = p;
  return GOT_FRAME;
}

/* To output 0; what should be IP and is not to output 1, where there is one. */
static void route_frame(struct host_tun *t, struct run *run, struct packet *p) {
  if (t->tap) p->mac_header = (uint16_t)(p->data - (uint8_t *)p);
  bool ip = !t->mark_ip || link_type_mark_ip(t->tap ? LINK_TYPE_ETHER : LINK_TYPE_IP, p);
  if (ip || t->tap) {
    run_add(run, 0, p);
  } else if (t->element.output_count > 1) {
    run_add(run, 1, p);
  } else {
    element_drop(&t->element, HOST_TUN_NOT_IP, p);
  }
}

static void stop_watching(struct host_tun *t) {
  process_watch_remove(&t->watch);
  t->watched = false;
}

/* After ENOBUFS there will be more; after anything else the interface is gone, or will not give us anything again. */
static void read_error(struct host_tun *t) {
  bool overflow = errno == ENOBUFS;
  if (!overflow || !t->ignore_overflows || !t->read_failed) complain(&t->element, t, "read: %s", strerror(errno));
  t->read_failed = true;
  if (!overflow) stop_watching(t);
}

static bool read_and_push(struct task *task) {
  struct host_tun *t = CONTAINER_OF(task, struct host_tun, receive);
  task->polls = false;
  if (!t->kernel && !notifier_signal_active(&t->room)) {
    (void)notifier_signal_wait(&t->room, task);
    return false;
  }
  struct run run;
  struct packet *p;
  enum outcome outcome = GOT_FRAME;
  uint32_t got = 0;
  uint64_t now = t->element.services->wall();
  run_start(&run, &t->element);
  for (; got < t->burst; got++) {
    outcome = read_frame(t, &p);
    if (outcome > GOT_TOO_LONG) break;
    if (outcome == GOT_TOO_LONG) continue;
    p->timestamp = now;
    route_frame(t, &run, p);
    if (t->room.count == 0) continue;
    /* A queue downstream may be full by this very packet. */
    run_flush(&run);
    if (!notifier_signal_active(&t->room)) {
      got++;
      break;
    }
  }
  if (outcome == FAILED) read_error(t);
  counter_add(&t->packets, got);
  run_flush(&run);
  task->polls = outcome == NO_BUFFER; /* buffers come back without a word */
  if (outcome == NOTHING || outcome == FAILED) {
    task_unschedule(task); /* before the watch may schedule it again */
    if (t->watched) process_watch_wait(&t->watch, POLLIN);
  }
  return got > 0;
}

/* The task has the word until it finds nothing. */
static void readable(struct process_watch *watch, short revents) {
  struct host_tun *t = watch->owner;
  counter_add(&t->wakes, 1);
  if (revents & (POLLERR | POLLNVAL)) {
    stop_watching(t);
  } else {
    process_watch_wait(watch, 0);
  }
  task_schedule(&t->receive);
}

/* --- writing --- */

/* Whether the host would take it; moves the start of what goes to a tun to the network header. */
static bool sendable(const struct host_tun *t, const struct element *sender, struct packet *p,
                     enum host_tun_drop *why) {
  if (t->tap) {
    *why = p->length < ETHER_SIZE ? HOST_TUN_TOO_SHORT : HOST_TUN_TOO_LONG;
    return p->length >= ETHER_SIZE && (sender != &t->element || !t->kernel || p->length - ETHER_SIZE <= t->mtu);
  }
  uint8_t *network = packet_network(p);
  *why = HOST_TUN_NO_HEADER;
  if (network == NULL || network < packet_buffer_start(p) || packet_room(p, network) < IP_SIZE) return false;
  *why = HOST_TUN_NOT_IP;
  if (ip_version(network) != 4 && ip_version(network) != 6) return false;
  p->length = (uint32_t)packet_room(p, network);
  p->data = network;
  *why = HOST_TUN_TOO_LONG;
  return p->length <= t->mtu;
}

/* Each reason is told once; its counter goes on. */
static void refuse(struct host_tun *t, struct element *sender, struct packet *p, enum host_tun_drop why) {
  static const char *const texts[] = {
      [HOST_TUN_TOO_LONG] = "packet larger than MTU",
      [HOST_TUN_TOO_SHORT] = "packet too small",
      [HOST_TUN_NOT_IP] = "unknown IP version",
      [HOST_TUN_NO_HEADER] = "no network header",
  };
  if (counter_read(&sender->drops[why]) == 0) complain(sender, t, "%s", texts[why]);
  element_drop(sender, why, p);
}

static void write_error(struct host_tun *t, struct element *sender, struct packet *p, int why) {
  bool told = counter_read(&sender->drops[HOST_TUN_WRITE_FAILED]) != 0;
  if (why != ENOBUFS || !t->ignore_overflows || !told) complain(sender, t, "write failed: %s", strerror(why));
  element_drop(sender, HOST_TUN_WRITE_FAILED, p);
}

void host_tun_send(struct host_tun *t, struct element *sender, const struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    enum host_tun_drop why;
    if (!sendable(t, sender, p, &why)) {
      refuse(t, sender, p, why);
      continue;
    }
    ssize_t length;
    do {
      length = write(t->fd, p->data, p->length);
    } while (length < 0 && errno == EINTR);
    if (length != (ssize_t)p->length) {
      write_error(t, sender, p, errno);
    } else {
      packet_kill(p);
    }
  }
}

static bool pull_and_send(struct task *task) {
  struct host_tun *t = CONTAINER_OF(task, struct host_tun, send);
  struct batch batch;
  batch.count = 0;
  element_pull(&t->element, 0, &batch, t->burst);
  if (batch.count == 0) {
    (void)notifier_signal_wait(&t->signal, task);
    return false;
  }
  host_tun_send(t, &t->element, &batch);
  return true;
}

/* --- the interface's settings --- */

/* A setting that the host may refuse without harm. */
static void try_setting(const char *what, int status, struct report *tried, struct report *report) {
  if (status != 0) {
    struct slice why = slice_trim((struct slice){text_string(&tried->text), tried->text.length});
    report_warning(report, "could not set %s: %.*s", what, (int)why.length, why.data);
  }
  report_free(tried);
}

static int set_ether(const struct host_tun *t, struct report *report) {
  struct report tried = {0};
  if (!t->ether_given) return 0;
  if (!t->kernel) return interface_set_ether(t->name, t->ether, report);
  try_setting("interface Ethernet address", interface_set_ether(t->name, t->ether, &tried), &tried, report);
  return 0;
}

static void set_mtu(const struct host_tun *t, uint32_t present, struct report *report) {
  struct report tried = {0};
  if (!t->kernel || t->mtu == present) return;
  try_setting("interface MTU", interface_set_mtu(t->name, t->mtu, &tried), &tried, report);
}

/* Addresses come before the flags, so that nothing is sent from wrong ones; routes need an interface that is up. Without an
 * address it stays as it is. `mtu` is the one that it has. */
static int set_up(const struct host_tun *t, uint32_t mtu, struct report *report) {
  int status = set_ether(t, report);
  if (status != 0) return status;
  set_mtu(t, mtu, report);
  bool addressed = t->address.address != 0 || t->address6_given;
  if (t->address.address != 0) status = interface_set_address(t->name, t->address.address, t->address.mask, report);
  if (status == 0 && addressed) {
    short set = (short)(IFF_UP | (t->kernel ? IFF_PROMISC : 0));
    status = interface_set_flags(t->name, set, t->tap ? IFF_NOARP : 0, report);
  }
  if (status == 0 && t->address6_given)
    status = interface_add_address6(t->name, t->address6.address.bytes, t->address6.length, report);
  if (status == 0 && t->gateway != 0) status = interface_add_default_route(t->gateway, report);
  return status;
}

/* --- life --- */

int host_tun_check_headroom(const struct host_tun *t, const char *text, struct report *report) {
  if (t->headroom <= HOST_TUN_ROOM && t->frame <= HOST_TUN_ROOM - t->headroom) return 0;
  return report_error(report, ERROR_TOO_BIG, "%s: headroom and frame together have at most %d bytes", text,
                      HOST_TUN_ROOM);
}

static struct host_tun *host_tun_of(struct element *e) {
  return e->class->initialize == host_tun_initialize ? (struct host_tun *)e : NULL;
}

static bool same_text(const char *a, const char *b) { return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0; }

/* The element of the running graph that has what t asks for; NULL: nobody. */
static struct host_tun *holder_of(const struct host_tun *t) {
  const struct router *running = t->element.router->replaces;
  for (uint32_t i = 0; running != NULL && i < running->element_count; i++) {
    struct host_tun *h = host_tun_of(running->elements[i]);
    if (h == NULL || !h->open || h->tap != t->tap) continue;
    bool named = t->wanted != NULL && strcmp(h->name, t->wanted) == 0;
    bool namesake = h->element.class == t->element.class && strcmp(h->element.name, t->element.name) == 0;
    if (named || (namesake && same_text(h->wanted, t->wanted))) return h;
  }
  return NULL;
}

static int refuse_second(const struct host_tun *t, const char *name, struct report *report) {
  const struct router *router = t->element.router;
  for (uint32_t i = 0; name[0] != '\0' && i < router->element_count; i++) {
    const struct host_tun *other = host_tun_of(router->elements[i]);
    if (other == NULL || other == t || strcmp(other->name, name) != 0) continue;
    return report_error(report, ERROR_EXISTS, "interface '%s' is taken by '%s :: %s' already", name,
                        other->element.name, other->element.class->name);
  }
  return 0;
}

static int open_interface(struct host_tun *t, struct report *report) {
  int fd = tun_open(t->wanted != NULL ? t->wanted : "", t->tap ? TUN_ETHERNET : TUN_IP, t->name, report);
  if (fd < 0) return fd;
  t->fd = fd;
  t->open = true;
  return set_up(t, MTU_DEFAULT, report);
}

int host_tun_initialize(struct element *e, struct report *report) {
  struct host_tun *t = (struct host_tun *)e;
  const struct host_tun *holder = holder_of(t);
  int status = refuse_second(t, holder != NULL ? holder->name : t->wanted != NULL ? t->wanted : "", report);
  if (status == 0 && holder == NULL) status = open_interface(t, report);
  if (status != 0) return status;
  if (holder != NULL) memcpy(t->name, holder->name, sizeof t->name);
  task_init(&t->receive, e->router->scheduler, e, read_and_push);
  if (!t->kernel) return notifier_listen_downstream(e, 0, &t->receive, &t->room);
  if (e->input_count == 0 || !e->inputs[0].pull) return 0;
  task_init(&t->send, e->router->scheduler, e, pull_and_send);
  task_schedule(&t->send);
  return notifier_listen_upstream(e, 0, &t->send, &t->signal);
}

/* The interface keeps what it is not told to change. */
static void take_over(struct host_tun *t, struct host_tun *holder) {
  struct report report = {0};
  process_watch_remove(&holder->watch);
  holder->open = holder->watched = false;
  t->fd = holder->fd;
  t->open = true;
  (void)set_up(t, holder->kernel ? holder->mtu : MTU_DEFAULT, &report);
  const struct line line = {report.text.data, report.text.length + 1, report.text.length};
  if (line.length > 0) line_log(&line, &t->element);
  report_free(&report);
}

void host_tun_commit(struct element *e) {
  struct host_tun *t = (struct host_tun *)e;
  struct host_tun *holder = t->open ? NULL : holder_of(t);
  if (holder != NULL) take_over(t, holder);
  if (!t->open) return;
  t->watch = (struct process_watch){.fd = t->fd, .events = POLLIN, .ready = readable, .owner = t};
  t->watched = true;
  process_watch_add(&t->watch);
}

void host_tun_take_state(struct element *e, struct element *old, struct report *report) {
  struct host_tun *t = (struct host_tun *)e;
  const struct host_tun *before = (const struct host_tun *)old;
  t->packets = before->packets;
  t->wakes = before->wakes;
}

void host_tun_cleanup(struct element *e) {
  struct host_tun *t = (struct host_tun *)e;
  task_unschedule(&t->receive);
  task_unschedule(&t->send);
  notifier_signal_destroy(&t->room, &t->receive);
  notifier_signal_destroy(&t->signal, &t->send);
  stop_watching(t);
  if (t->open) close(t->fd);
  t->open = false;
}

int host_tun_read_name(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report) {
  text_add(out, ((struct host_tun *)owner)->name);
  return 0;
}
