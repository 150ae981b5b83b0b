/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sending packets through a datagram socket, one frame a message, many messages a system call: what NICs made of sockets share.
 */
#ifndef IMAGO_PLATFORM_PROCESS_NIC_SOCKET_H
#define IMAGO_PLATFORM_PROCESS_NIC_SOCKET_H

#include <sys/socket.h>

#include "packet/nic.h"

enum { NIC_SOCKET_BURST = 64 }; /* frames per system call */

/* nic_ops.transmit through `fd`, to `address`, or where it is connected or bound to (NULL). A full socket makes it take less; a frame
 * that the socket refuses for good is dropped and counted as tx_error, and *refused (which may be NULL) is the errno of the last. */
unsigned nic_socket_transmit(struct nic *nic, int fd, const void *address, socklen_t address_length,
                             struct packet **packets, unsigned count, int *refused);

#endif
