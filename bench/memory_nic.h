/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A network interface made of memory, for measurements of the core alone. It behaves as a virtio NIC that never waits: a ring of
 * buffers that the device has filled with frames of one length, refilled from the pool as they are taken; what is transmitted
 * goes back to the pool at once.
 */
#ifndef IMAGO_BENCH_MEMORY_NIC_H
#define IMAGO_BENCH_MEMORY_NIC_H

#include "packet/nic.h"

enum { MEMORY_NIC_RING = 256 };

struct memory_nic {
  struct nic nic;
  uint32_t frame_length;
  uint32_t next; /* the ring's oldest filled buffer */
  struct packet *ring[MEMORY_NIC_RING];
};

/* Makes NIC `index` (eth0, eth1, ...), whose frames have frame_length bytes. Fills the ring, for which the pool must have
 * MEMORY_NIC_RING packets. 0 or -ERROR_NO_MEMORY. */
int memory_nic_init(struct memory_nic *memory, unsigned index, struct packet_pool *pool, uint32_t frame_length)
    __attribute__((warn_unused_result));
/* Gives the ring's packets back. */
void memory_nic_destroy(struct memory_nic *memory);

#endif
