/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "unix:LOCAL,REMOTE": one datagram per frame between two unix sockets, as QEMU's -netdev dgram has it. Lossless in
 * both directions while somebody reads: a full socket makes transmit take less, and frames without a buffer stay in the
 * socket. A frame for which no reader exists is dropped and counted as tx_error, as on a cable without a peer.
 *
 * The socket is not connected, because then it would take frames from REMOTE only, and REMOTE may be replaced while we run.
 * But only a connected socket can be polled for room at its peer: base.room_fd is one, made when transmit has to wait.
 */
#define _GNU_SOURCE /* recvmmsg */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"
#include "platform/process/nic_socket.h"

struct nic_unix {
  struct process_nic base;
  struct sockaddr_un local, remote;
  bool bound;
};

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_unix *n = (struct nic_unix *)nic;
  struct mmsghdr messages[NIC_SOCKET_BURST];
  struct iovec vectors[NIC_SOCKET_BURST];
  struct packet *packets[NIC_SOCKET_BURST] = {NULL};
  unsigned room = max < NIC_SOCKET_BURST ? max : NIC_SOCKET_BURST, count = 0;
  if (room > nic->pool->free_count) room = nic->pool->free_count;
  if (room == 0) return 0;
  memset(messages, 0, room * sizeof messages[0]);
  for (unsigned i = 0; i < room; i++) {
    packets[i] = packet_new(nic->pool);
    vectors[i] = (struct iovec){packets[i]->data, PACKET_DATA_CAPACITY};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int status = recvmmsg(n->base.fd, messages, room, MSG_DONTWAIT, NULL);
  unsigned got = status > 0 ? (unsigned)status : 0;
  uint64_t bytes = 0;
  for (unsigned i = 0; i < got && packets[i] != NULL; i++) {
    packets[i]->length = messages[i].msg_len;
    if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
      counter_add(&nic->stats.rx_too_long, 1);
      packet_kill(packets[i]);
    } else if (messages[i].msg_len == 0) {
      counter_add(&nic->stats.rx_error, 1); /* an empty datagram is no frame */
      packet_kill(packets[i]);
    } else {
      bytes += messages[i].msg_len;
      batch->packet[batch->count++] = packets[i];
      count++;
    }
  }
  for (unsigned i = room; i > got; i--)
    packet_kill(packets[i - 1]);
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return count;
}

/* A refusal for good: no reader (ENOENT, ECONNREFUSED), or one that takes nothing from us. */
static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct nic_unix *n = (struct nic_unix *)nic;
  return nic_socket_transmit(nic, n->base.fd, &n->remote, sizeof n->remote, packets, count, NULL);
}

/* Not asked of the socket: a system call in every round of an idle graph would be dearer than a transmit that takes less. */
static unsigned transmit_room(struct nic *nic, unsigned queue) { return BATCH_MAX; }

/* Sleep polls the descriptors, level-triggered: what came before is seen as well. */
static bool arm(struct nic *nic, unsigned queue) {
  struct nic_unix *n = (struct nic_unix *)nic;
  if (!nic->tx_waiting) return false;
  n->base.room_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  /* Without the watch (the reader is gone, or connected to somebody else) only trying again helps. */
  return n->base.room_fd < 0 || connect(n->base.room_fd, (const struct sockaddr *)&n->remote, sizeof n->remote) != 0;
}

static void disarm(struct nic *nic, unsigned queue) {
  struct nic_unix *n = (struct nic_unix *)nic;
  if (n->base.room_fd >= 0) close(n->base.room_fd);
  __atomic_store_n(&n->base.room_fd, -1, __ATOMIC_RELAXED);
}

static void close_unix(struct process_nic *nic) {
  struct nic_unix *n = (struct nic_unix *)nic;
  if (n->base.fd >= 0) close(n->base.fd);
  disarm(&n->base.nic, 0);
  if (n->bound) unlink(n->local.sun_path);
  memory_free(n);
}

static const struct nic_ops ops = {
    .receive = receive, .transmit = transmit, .transmit_room = transmit_room, .arm = arm, .disarm = disarm};

static bool set_path(struct sockaddr_un *address, const char *path, struct report *report) {
  address->sun_family = AF_UNIX;
  if (path[0] == '\0' || strlen(path) >= sizeof address->sun_path) {
    report_error(report, ERROR_INVALID, "socket path '%s': must have 1 to %zu characters", path,
                 sizeof address->sun_path - 1);
    return false;
  }
  memcpy(address->sun_path, path, strlen(path) + 1);
  return true;
}

static bool bind_local(struct nic_unix *n, struct report *report) {
  n->base.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (n->base.fd < 0) {
    report_error(report, ERROR_IO, "no socket: %s", strerror(errno));
    return false;
  }
  socket_remove_stale(&n->local, SOCK_DGRAM);
  if (bind(n->base.fd, (const struct sockaddr *)&n->local, sizeof n->local) != 0) {
    report_error(report, ERROR_IO, "socket '%s' cannot be bound: %s", n->local.sun_path,
                 socket_bind_error(&n->local, errno));
    return false;
  }
  n->bound = true;
  return true;
}

struct process_nic *nic_unix_open(const char *specification, struct report *report) {
  char *local = NULL, *remote = NULL;
  struct nic_unix *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  n->base = (struct process_nic){.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_unix};
  bool ok = nic_split(specification, &local, &remote, report) && set_path(&n->local, local, report) &&
            set_path(&n->remote, remote, report) && bind_local(n, report);
  memory_free(local);
  memory_free(remote);
  if (ok) return &n->base;
  close_unix(&n->base);
  return NULL;
}
