/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct nic: the contract between a network interface (platform/vm/virtio_net.c, platform/process/nic_*.c) and the
 * elements that use it (FromDevice, ToDevice). One queue belongs to one worker; nothing here locks.
 */
#ifndef IMAGO_PACKET_NIC_H
#define IMAGO_PACKET_NIC_H

#include "packet/packet.h"

enum { NIC_NAME_MAX = 16, NIC_MAX = 16 };
#define NIC_UNUSED UINT32_MAX

struct nic;

struct nic_ops {
  /* Appends up to `max` received frames to the batch (which has room for them), in packets from nic->pool. Returns how many.
   * Never blocks. Refills the device. */
  unsigned (*receive)(struct nic *nic, unsigned queue, struct batch *batch, unsigned max);
  /* Takes ownership of the first n of count packets and returns n; the rest stay the caller's. n < count means that the
   * device is full now. Never blocks. The device kills packets when they are sent, and refuses (nic_refuse) what it never will. */
  unsigned (*transmit)(struct nic *nic, unsigned queue, struct packet **packets, unsigned count);
  /* How many packets transmit would take now. May reclaim sent ones first. */
  unsigned (*transmit_room)(struct nic *nic, unsigned queue);
  /* Asks the device to wake platform_sleep when a frame arrives, and also, if nic->tx_waiting, when there is room to transmit
   * again. Returns true if that is so already (do not sleep). */
  bool (*arm)(struct nic *nic, unsigned queue);
  /* Polling again: no more wake-ups are needed. */
  void (*disarm)(struct nic *nic, unsigned queue);
  /* True when no frame will ever come again (the end of a capture file). NULL: never. */
  bool (*finished)(struct nic *nic);
  /* A graph with a FromDevice on it is about to run: nic->receives, promiscuous and outbound say what it wants, which may differ from
   * what the graph before wanted. Fails never: a device that is gone is found out later. NULL: frames come as they come. */
  void (*listen)(struct nic *nic);
  /* Brings nic->stats up to date with what the device or the host counts. Called before they are shown. NULL: they always are. */
  void (*refresh)(struct nic *nic);
};

/* Named drop counters; every frame the device saw is in rx_packets or in one of the drops. */
struct nic_stats {
  uint64_t rx_packets, rx_bytes;
  uint64_t tx_packets, tx_bytes;
  uint64_t rx_no_buffer; /* frames dropped because the packet pool was empty */
  uint64_t rx_too_long;  /* frames longer than PACKET_DATA_CAPACITY */
  uint64_t rx_error;     /* frames or completions that the device got wrong */
  uint64_t rx_missed;    /* frames that the device dropped because nobody took the earlier ones in time */
  uint64_t tx_error;     /* frames the device refused for good */
  uint64_t tx_full;      /* times transmit took less than it was offered (not a drop) */
};

struct nic {
  const struct nic_ops *ops;
  char name[NIC_NAME_MAX]; /* eth0, eth1, ... in the order of the platform */
  uint8_t mac[6];
  uint16_t mtu; /* 1500 unless the device says otherwise */
  bool link_up;
  bool receives;     /* a FromDevice of the running graph takes its frames; otherwise they wake nobody */
  bool promiscuous;  /* it wants frames for other addresses, too, where the device tells them apart */
  bool outbound;     /* it wants what the host sends there, too */
  bool has_outbound; /* such a wish can be granted */
  bool tx_waiting;   /* set by ToDevice while it holds packets that transmit did not take */
  uint8_t index;
  unsigned
      worker; /* that receives from it and arms it: of its FromDevice, else its ToDevice; NIC_UNUSED: no element has it */
  unsigned queues; /* receive/transmit queue pairs, at least 1 */
  struct packet_pool *pool;
  struct batch
      *refused; /* where transmit puts what it counts as tx_error, in order, with room for all; NULL: it kills them */
  struct nic_stats stats;
};

/* For transmit: ends the way of a packet that the device refuses for good. */
static inline void nic_refuse(struct nic *nic, struct packet *p) {
  if (nic->refused == NULL) {
    packet_kill(p);
  } else {
    nic->refused->packet[nic->refused->count++] = p;
  }
}

#endif
