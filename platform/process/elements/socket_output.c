/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sending packets into sockets.
 */
#define _GNU_SOURCE /* sendmmsg */
#include "platform/process/elements/socket_output.h"

#include <errno.h>
#include <sys/uio.h>

enum { BURST = 64 }; /* packets per system call */

static struct packet *at(const struct socket_output *output, uint32_t i) {
  return output->packet[(output->first + i) % SOCKET_OUTPUT_MAX];
}

struct packet *socket_output_take(struct socket_output *output) {
  struct packet *p = at(output, 0);
  output->first = (output->first + 1) % SOCKET_OUTPUT_MAX;
  output->count--;
  output->begun = false;
  return p;
}

void socket_output_add(struct socket_output *output, struct element *owner, const struct batch *batch) {
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (p->length == 0) {
      element_drop(owner, SOCKET_EMPTY, p);
    } else if (output->count == SOCKET_OUTPUT_MAX) {
      element_drop(owner, SOCKET_FULL, p);
    } else {
      output->packet[(output->first + output->count++) % SOCKET_OUTPUT_MAX] = p;
    }
  }
}

/* The first packets as vectors; returns how many. */
static uint32_t gather(const struct socket_output *output, struct iovec vectors[BURST]) {
  uint32_t count = output->count < BURST ? output->count : BURST;
  for (uint32_t i = 0; i < count; i++)
    vectors[i] = (struct iovec){at(output, i)->data, at(output, i)->length};
  return count;
}

enum socket_outcome socket_output_stream(struct socket_output *output, int fd) {
  struct iovec vectors[BURST];
  while (output->count > 0) {
    struct msghdr message = {.msg_iov = vectors};
    message.msg_iovlen = gather(output, vectors);
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == ENOBUFS ? SOCKET_BLOCKED : SOCKET_BROKEN;
    while (sent > 0 && sent >= (ssize_t)at(output, 0)->length) {
      sent -= (ssize_t)at(output, 0)->length;
      packet_kill(socket_output_take(output));
    }
    if (sent == 0) continue;
    struct packet *p = at(output, 0);
    p->data += sent;
    p->length -= (uint32_t)sent;
    output->begun = true;
  }
  return SOCKET_SENT_ALL;
}

enum socket_outcome socket_output_datagrams(struct socket_output *output, int fd, const struct endpoint *to,
                                            bool annotated, struct element *owner) {
  struct mmsghdr messages[BURST];
  struct iovec vectors[BURST];
  struct endpoint addresses[BURST]; /* read by the host only */
  while (output->count > 0) {
    uint32_t count = gather(output, vectors);
    for (uint32_t i = 0; i < count; i++) {
      const struct endpoint *address = to;
      if (annotated) {
        addresses[i] = *to;
        addresses[i].ip.sin_addr.s_addr = annotation_u32(at(output, i), ANNOTATION_DST_IP);
        address = &addresses[i];
      }
      messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = (void *)(uintptr_t)&address->any,
                                                 .msg_namelen = address->length,
                                                 .msg_iov = &vectors[i],
                                                 .msg_iovlen = 1}};
    }
    int sent = sendmmsg(fd, messages, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS)) return SOCKET_BLOCKED;
    if (sent < 0) element_drop(owner, SOCKET_SEND_FAILED, socket_output_take(output));
    for (; sent > 0; sent--)
      packet_kill(socket_output_take(output));
  }
  return SOCKET_SENT_ALL;
}

void socket_output_forget_begun(struct socket_output *output, struct element *owner) {
  if (output->begun) element_drop(owner, SOCKET_CLOSED, socket_output_take(output));
}

void socket_output_drop_all(struct socket_output *output, struct element *owner, enum socket_drop reason) {
  while (output->count > 0)
    element_drop(owner, reason, socket_output_take(output));
}
