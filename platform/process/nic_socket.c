/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sendmmsg with the accounts of a NIC around it.
 */
#define _GNU_SOURCE /* sendmmsg */
#include "platform/process/nic_socket.h"

#include <errno.h>
#include <string.h>

#include "lib/counter.h"

/* Sends from packets[0..count) until the socket is full or fails; returns how many went. */
static unsigned send_burst(int fd, const void *address, socklen_t length, struct packet **packets, unsigned count) {
  struct mmsghdr messages[NIC_SOCKET_BURST];
  struct iovec vectors[NIC_SOCKET_BURST];
  memset(messages, 0, count * sizeof messages[0]);
  for (unsigned i = 0; i < count; i++) {
    vectors[i] = (struct iovec){packets[i]->data, packets[i]->length};
    messages[i].msg_hdr.msg_name = (void *)(uintptr_t)address;
    messages[i].msg_hdr.msg_namelen = length;
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int sent = sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent > 0 ? (unsigned)sent : 0;
}

unsigned nic_socket_transmit(struct nic *nic, int fd, const void *address, socklen_t address_length,
                             struct packet **packets, unsigned count, int *refused) {
  unsigned done = 0;
  uint64_t bytes = 0, failed = 0;
  while (done < count) {
    unsigned burst = count - done < NIC_SOCKET_BURST ? count - done : NIC_SOCKET_BURST;
    unsigned sent = send_burst(fd, address, address_length, packets + done, burst);
    for (unsigned i = 0; i < sent; i++) {
      bytes += packets[done + i]->length;
      packet_kill(packets[done + i]);
    }
    done += sent;
    if (sent > 0) continue;
    if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
      counter_add(&nic->stats.tx_full, 1);
      break;
    }
    if (refused != NULL) *refused = errno;
    failed++;
    nic_refuse(nic, packets[done++]);
  }
  counter_add(&nic->stats.tx_packets, done - failed);
  counter_add(&nic->stats.tx_bytes, bytes);
  counter_add(&nic->stats.tx_error, failed);
  return done;
}
