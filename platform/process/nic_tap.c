/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "tap:NAME": the other end of a tap interface of the host (Linux, Documentation/networking/tuntap.rst), one frame a read or
 * write. An interface that is not there is made, brought up, and goes again with us. The host's end has the interface's MAC; ours is
 * another.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"
#include "platform/process/tun.h"

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

static int start(struct process_nic *n, const char *name, struct report *report) {
  char made_name[TUN_NAME_SIZE];
  if (name[0] == '\0' || strlen(name) >= TUN_NAME_SIZE || strchr(name, '/') != NULL || strchr(name, '%') != NULL) {
    return report_error(report, ERROR_INVALID,
                        "tap '%s': an interface's name has 1 to %d characters, none of them '/' or '%%'", name,
                        TUN_NAME_SIZE - 1);
  }
  bool made = if_nametoindex(name) == 0;
  int fd = tun_open(name, TUN_ETHERNET, made_name, report);
  if (fd < 0) return fd;
  n->fd = n->link.tap = fd;
  int error = host_link_open(&n->link, name, &n->nic, report);
  return error == 0 && made ? interface_set_flags(name, IFF_UP, 0, report) : error;
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
