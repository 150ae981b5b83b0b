/* SPDX-License-Identifier: BSD-3-Clause
 *
 * virtio-net (virtio 1.2, section 5.1): one pair of queues, full rings, no offloads. Each receive buffer is one packet, with the
 * device's header in the headroom just before the frame; so is each sent one.
 */
#include "packet/nic.h"

#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/vm/virtio.h"

enum { NET_F_MTU = 3, NET_F_MAC = 5, NET_F_STATUS = 16 };
enum { CONFIG_MAC = 0, CONFIG_STATUS = 6, CONFIG_MTU = 10 };
enum { QUEUE_RECEIVE, QUEUE_TRANSMIT };

/* struct virtio_net_hdr of VERSION_1: 12 bytes, num_buffers included. */
enum { NET_HEADER_SIZE = 12 };

struct virtio_net {
  struct nic nic;
  struct virtio_device device;
  struct virtqueue receive, transmit;
};

static struct virtio_net *nets[NIC_MAX];
static unsigned net_count;
static const uint8_t zero_header[NET_HEADER_SIZE]; /* for sent packets whose headroom is used up */

static struct virtio_net *net_of(struct nic *nic) { return CONTAINER_OF(nic, struct virtio_net, nic); }

/* Gives the device every buffer it has room for. An empty pool leaves the ring shorter; the frames wait with the host. */
static void refill(struct virtio_net *net) {
  while (net->receive.free_count > 0) {
    struct packet *p = packet_new(net->nic.pool);
    if (p == NULL) break;
    struct virtio_buffer buffer = {p->data - NET_HEADER_SIZE, NET_HEADER_SIZE + PACKET_DATA_CAPACITY};
    if (!virtqueue_add(&net->receive, &buffer, 1, true, p)) {
      packet_kill(p);
      break;
    }
  }
  virtqueue_publish(&net->receive);
}

static unsigned net_receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct virtio_net *net = net_of(nic);
  unsigned count = 0;
  uint64_t bytes = 0;
  uint32_t length;
  for (struct packet *p; count < max && (p = virtqueue_take(&net->receive, &length)) != NULL;) {
    if (length < NET_HEADER_SIZE || length > NET_HEADER_SIZE + PACKET_DATA_CAPACITY) {
      counter_add(&nic->stats.rx_error, 1);
      packet_kill(p);
      continue;
    }
    p->length = length - NET_HEADER_SIZE;
    p->nic = nic->index;
    bytes += p->length;
    batch->packet[batch->count++] = p;
    count++;
  }
  if (count > 0) {
    virtqueue_disarm(&net->receive); /* keeps the event index far from where the device is */
    counter_add(&nic->stats.rx_packets, count);
    counter_add(&nic->stats.rx_bytes, bytes);
  }
  /* In steps of a quarter of the ring: one doorbell, if any, for many buffers. */
  if (net->receive.free_count >= net->receive.size / 4) refill(net);
  return count;
}

static void reclaim(struct virtio_net *net) {
  uint32_t length;
  for (struct packet *p; (p = virtqueue_take(&net->transmit, &length)) != NULL;)
    packet_kill(p);
  virtqueue_disarm(&net->transmit);
}

static unsigned net_transmit_room(struct nic *nic, unsigned queue) {
  struct virtio_net *net = net_of(nic);
  if (net->transmit.free_count < net->transmit.size / 2) reclaim(net);
  return net->transmit.free_count / VIRTQUEUE_MAX_CHAIN;
}

static unsigned net_transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct virtio_net *net = net_of(nic);
  if (net->transmit.free_count < VIRTQUEUE_MAX_CHAIN * count) reclaim(net);
  unsigned sent = 0;
  uint64_t bytes = 0;
  for (; sent < count; sent++) {
    struct packet *p = packets[sent];
    struct virtio_buffer buffers[2];
    unsigned pieces = 1;
    uint32_t length = p->length; /* once it is added, the packet is the device's */
    if (packet_headroom(p) >= NET_HEADER_SIZE) {
      memset(p->data - NET_HEADER_SIZE, 0, NET_HEADER_SIZE);
      buffers[0] = (struct virtio_buffer){p->data - NET_HEADER_SIZE, NET_HEADER_SIZE + length};
    } else {
      buffers[0] = (struct virtio_buffer){(void *)(uintptr_t)zero_header, NET_HEADER_SIZE};
      buffers[1] = (struct virtio_buffer){p->data, length};
      pieces = 2;
    }
    if (!virtqueue_add(&net->transmit, buffers, pieces, false, p)) break;
    bytes += length;
  }
  if (sent < count) counter_add(&nic->stats.tx_full, 1);
  if (sent > 0) {
    virtqueue_publish(&net->transmit);
    counter_add(&nic->stats.tx_packets, sent);
    counter_add(&nic->stats.tx_bytes, bytes);
  }
  return sent;
}

static bool net_arm(struct nic *nic, unsigned queue) {
  struct virtio_net *net = net_of(nic);
  reclaim(net); /* sent packets go back before a long sleep */
  refill(net);
  bool ready = virtqueue_arm(&net->receive);
  if (nic->tx_waiting && virtqueue_arm(&net->transmit)) ready = true;
  return ready;
}

static void net_disarm(struct nic *nic, unsigned queue) {
  struct virtio_net *net = net_of(nic);
  virtqueue_disarm(&net->receive);
  virtqueue_disarm(&net->transmit);
}

static const struct nic_ops net_ops = {
    .receive = net_receive,
    .transmit = net_transmit,
    .transmit_room = net_transmit_room,
    .arm = net_arm,
    .disarm = net_disarm,
};

static int start(struct virtio_net *net) {
  struct virtio_device *device = &net->device;
  int error = virtio_begin(device, 1ull << VIRTIO_F_EVENT_IDX | 1ull << NET_F_MAC);
  if (error != 0) return error;
  struct nic *nic = &net->nic;
  nic->ops = &net_ops;
  nic->index = (uint8_t)net_count;
  nic->queues = 1;
  nic->mtu = 1500;
  nic->link_up = true; /* without NET_F_STATUS the link is up, section 5.1.4 */
  (void)format_text(nic->name, sizeof nic->name, "eth%u", net_count);
  if ((device->features >> NET_F_MAC & 1) != 0) {
    uint32_t low = virtio_config32(device, CONFIG_MAC), high = virtio_config32(device, CONFIG_MAC + 4);
    memcpy(nic->mac, &low, 4);
    memcpy(nic->mac + 4, &high, 2);
  }
  if ((error = virtqueue_init(&net->receive, device, QUEUE_RECEIVE, VIRTQUEUE_MAX_SIZE)) != 0) return error;
  if ((error = virtqueue_init(&net->transmit, device, QUEUE_TRANSMIT, VIRTQUEUE_MAX_SIZE)) != 0) return error;
  virtio_finish(device);
  return 0;
}

void virtio_net_start(void) {
  for (unsigned i = 0; i < vm_boot.slot_count && net_count < NIC_MAX; i++) {
    struct virtio_device device;
    virtio_probe(&device, &vm_boot.slots[i]);
    if (device.id != VIRTIO_ID_NET) continue;
    struct virtio_net *net = memory_alloc_aligned(sizeof *net, 64);
    if (net == NULL) vm_panic("no memory for a NIC: give the VM more (-m)");
    net->device = device;
    if (start(net) != 0) vm_panic("a virtio-net device cannot be brought up: it offers no virtio 1.0, or no queues");
    nets[net_count++] = net;
  }
}

unsigned virtio_net_count(void) { return net_count; }
struct nic *virtio_net_nic(unsigned index) {
  return index < net_count ? &nets[index]->nic : NULL;
}

void virtio_net_interrupt(unsigned irq) {
  for (unsigned i = 0; i < net_count; i++) {
    if (nets[i]->device.irq == irq) virtio_acknowledge(&nets[i]->device);
  }
}

unsigned platform_nic_count(void) { return net_count; }
struct nic *platform_nic(unsigned index) {
  return virtio_net_nic(index);
}
