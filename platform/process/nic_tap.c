/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "tap:NAME": the other end of a tap interface of the host (Linux, Documentation/networking/tuntap.rst), one frame a read or
 * write. An interface that is not there is made, brought up, and goes again with us. The host's end has the interface's MAC; ours is
 * another.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"

/* The interface was removed (EBADFD), or is down (EIO). */
static void look_after(struct process_nic *n) {
  if (errno == EBADFD || errno == EIO) (void)host_link_check(&n->link);
}

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct process_nic *n = (struct process_nic *)nic;
  unsigned count = 0;
  uint64_t bytes = 0;
  /* Without a buffer the frame stays in the host's queue, whose overflow the host counts. */
  while (count < max && nic->pool->free_count > 0) {
    struct packet *p = packet_new(nic->pool);
    if (p == NULL) break;
    /* One byte more than a frame may have, so that a longer one shows. */
    ssize_t length = read(n->fd, p->data, PACKET_DATA_CAPACITY + 1);
    if (length > 0 && length <= PACKET_DATA_CAPACITY) {
      p->length = (uint32_t)length;
      bytes += p->length;
      batch->packet[batch->count++] = p;
      count++;
      continue;
    }
    packet_kill(p);
    if (length > 0) {
      counter_add(&nic->stats.rx_too_long, 1);
      continue;
    }
    if (length < 0) look_after(n);
    break;
  }
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return count;
}

static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct process_nic *n = (struct process_nic *)nic;
  unsigned done = 0;
  uint64_t bytes = 0, failed = 0;
  for (; done < count; done++) {
    ssize_t length = write(n->fd, packets[done]->data, packets[done]->length);
    if (length < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)) {
      counter_add(&nic->stats.tx_full, 1);
      break;
    }
    if (length < 0) {
      failed++;
      look_after(n);
      nic_refuse(nic, packets[done]);
      continue;
    }
    bytes += packets[done]->length;
    packet_kill(packets[done]);
  }
  counter_add(&nic->stats.tx_packets, done - failed);
  counter_add(&nic->stats.tx_bytes, bytes);
  counter_add(&nic->stats.tx_error, failed);
  return done;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) { return BATCH_MAX; }

/* Sleep polls the descriptor, level-triggered. */
static bool arm(struct nic *nic, unsigned queue) {
  struct process_nic *n = (struct process_nic *)nic;
  if (nic->tx_waiting) __atomic_store_n(&n->room_fd, n->fd, __ATOMIC_RELAXED);
  return false;
}

static void disarm(struct nic *nic, unsigned queue) {
  __atomic_store_n(&((struct process_nic *)nic)->room_fd, -1, __ATOMIC_RELAXED);
}

/* What the host sends and we take too slowly overflows the interface's queue there. */
static void refresh(struct nic *nic) {
  counter_add(&nic->stats.rx_missed, host_link_new_drops(&((struct process_nic *)nic)->link));
}

static void close_tap(struct process_nic *nic) {
  host_link_close(&nic->link);
  if (nic->fd >= 0) close(nic->fd);
  memory_free(nic);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .refresh = refresh};

static const char *attach_hint(int why) {
  switch (why) {
    case EPERM:
      return "not permitted; run as root, give the program CAP_NET_ADMIN, or have root make the interface: ip tuntap add "
             "mode tap user USER name NAME";
    case EBUSY:
      return "another process has it open";
    case EINVAL:
      return "it is no tap interface";
    default:
      return strerror(why);
  }
}

/* 0 or an errno. */
static int attach(int fd, const char *name) {
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  memcpy(request.ifr_name, name, strnlen(name, IF_NAMESIZE - 1));
  if (ioctl(fd, TUNSETIFF, &request) == 0) return 0;
  if (errno != EINVAL) return errno;
  /* One that was made for several queues has to be asked for so. */
  request.ifr_flags = (short)(request.ifr_flags | IFF_MULTI_QUEUE);
  return ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : errno;
}

static int start(struct process_nic *n, const char *name, struct report *report) {
  if (name[0] == '\0' || strlen(name) >= IF_NAMESIZE || strchr(name, '/') != NULL || strchr(name, '%') != NULL) {
    return report_error(report, ERROR_INVALID,
                        "tap '%s': an interface's name has 1 to %d characters, none of them '/' or '%%'", name,
                        IF_NAMESIZE - 1);
  }
  bool made = if_nametoindex(name) == 0;
  n->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (n->fd < 0) {
    return report_error(report, ERROR_IO, "tap '%s': /dev/net/tun: %s; load the module: modprobe tun", name,
                        strerror(errno));
  }
  int why = attach(n->fd, name);
  if (why != 0) return report_error(report, ERROR_PERMISSION, "tap '%s': %s", name, attach_hint(why));
  n->link.tap = n->fd;
  int error = host_link_open(&n->link, name, &n->nic, report);
  if (error == 0 && made) error = host_link_up(&n->link, report);
  return error;
}

struct process_nic *nic_tap_open(const char *name, struct report *report) {
  struct process_nic *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  *n = (struct process_nic){.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_tap};
  if (start(n, name, report) == 0) return n;
  close_tap(n);
  return NULL;
}
