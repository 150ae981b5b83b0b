/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "packet:INTERFACE": an interface of the host through AF_PACKET (packet(7)). The host's own stack goes on to see every frame
 * that we do.
 *
 * Receives from a TPACKET_V2 ring, which hands over each frame as it comes; V3 hands over whole blocks, so that a lone frame waits for
 * a timer (docs/decisions.md has figures). Sends with sendmmsg through a second socket, because a ring for sending costs a copy of our
 * own, and one frame it cannot send blocks those behind it.
 *
 * Two things the host keeps beside the frame are put back into it: a VLAN tag that was taken out, and a checksum that was left for
 * hardware to complete, as frames have it that a local program sends through a veth.
 */
#include "platform/process/host.h" /* before linux/if_packet.h, whose macros are named as our packet types */

#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/checksum.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/nic_socket.h"

enum {
  FRAME_SIZE = 2048,   /* of a slot of the ring */
  ADDRESS_OFFSET = 32, /* of struct sockaddr_ll in it: TPACKET_ALIGN(sizeof(struct tpacket2_hdr)) */
  HEADERS_SIZE = 128,  /* of it at most: both structs, a virtio_net_hdr, and what aligns the network header */
  BLOCK_SIZE = 65536,
  BLOCKS = 128, /* 8 MiB: 4,096 frames, a few ms of a flood */
  FRAMES = BLOCKS * (BLOCK_SIZE / FRAME_SIZE),
  VLAN_TAG = 4,
  ADDRESSES = 12, /* in front of a tag: destination and source */
};
_Static_assert(FRAME_SIZE >= HEADERS_SIZE + PACKET_DATA_CAPACITY, "a slot holds the longest frame");

struct nic_packet {
  struct process_nic base; /* fd: receives */
  uint8_t *ring;           /* NULL: not mapped */
  unsigned next;           /* the slot that the next frame comes in */
  bool bound;              /* frames come */
  int send_fd;
};

/* ---- receiving ---- */

/* Sums up what the sender left open (virtio 1.2, 5.1.6.4.1): from csum_start to the frame's end, where the field holds the pseudo
 * header's sum. */
static void complete_checksum(uint8_t *frame, uint32_t length, const struct virtio_net_hdr *header) {
  uint32_t start = header->csum_start, at = start + header->csum_offset;
  if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 || start > length || at + 2 > length) return;
  uint16_t sum = checksum_finish(checksum_add(0, frame + start, length - start));
  if (sum == 0) sum = UINT16_MAX; /* in UDP, 0 says that there is none (RFC 768); elsewhere both mean the same */
  memcpy(frame + at, &sum, sizeof sum);
}

/* Copies the slot's frame into the packet, whole again. False: it is too long. */
static bool take_frame(struct packet *p, const struct tpacket2_hdr *slot, uint32_t status) {
  const uint8_t *frame = (const uint8_t *)slot + slot->tp_mac;
  const struct sockaddr_ll *from = (const void *)((const uint8_t *)slot + ADDRESS_OFFSET);
  uint32_t length = slot->tp_snaplen, tag = (status & TP_STATUS_VLAN_VALID) != 0 && length >= ADDRESSES ? VLAN_TAG : 0;
  if (length < slot->tp_len || length + tag > PACKET_DATA_CAPACITY) return false;
  memcpy(p->data + tag, frame, length);
  if (status & TP_STATUS_CSUMNOTREADY) {
    struct virtio_net_hdr header;
    memcpy(&header, frame - sizeof header, sizeof header);
    complete_checksum(p->data + tag, length, &header);
  }
  if (tag > 0) {
    memmove(p->data, p->data + tag, ADDRESSES);
    store_be16(p->data + ADDRESSES, (status & TP_STATUS_VLAN_TPID_VALID) != 0 ? slot->tp_vlan_tpid : ETH_P_8021Q);
    store_be16(p->data + ADDRESSES + 2, slot->tp_vlan_tci);
  }
  p->length = length + tag;
  p->timestamp = (uint64_t)slot->tp_sec * 1000000000 + slot->tp_nsec;
  if (from->sll_pkttype == PACKET_OUTGOING) p->type = PACKET_OUTGOING; /* the same number for both */
  return true;
}

static struct tpacket2_hdr *slot_at(const struct nic_packet *n, unsigned index) {
  return (void *)(n->ring + (size_t)index * FRAME_SIZE);
}

static bool is_filled(struct tpacket2_hdr *slot, uint32_t *status) {
  *status = __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE);
  return (*status & TP_STATUS_USER) != 0;
}

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_packet *n = (struct nic_packet *)nic;
  unsigned count = 0;
  uint64_t bytes = 0, too_long = 0;
  uint32_t status;
  while (count < max && nic->pool->free_count > 0) {
    struct tpacket2_hdr *slot = slot_at(n, n->next);
    if (!is_filled(slot, &status)) break;
    struct packet *p = packet_new(nic->pool);
    if (p == NULL) break;
    if (take_frame(p, slot, status)) {
      bytes += p->length;
      batch->packet[batch->count++] = p;
      count++;
    } else {
      too_long++;
      packet_kill(p);
    }
    __atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    n->next = (n->next + 1) % FRAMES;
  }
  if (too_long > 0) counter_add(&nic->stats.rx_too_long, too_long);
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return count;
}

static void listen_to(struct nic *nic) {
  struct nic_packet *n = (struct nic_packet *)nic;
  struct packet_mreq promiscuous = {.mr_ifindex = n->base.link.index, .mr_type = PACKET_MR_PROMISC};
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htobe16(ETH_P_ALL), .sll_ifindex = n->base.link.index};
  int ignore = !nic->outbound;
  (void)setsockopt(n->base.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof ignore);
  /* Memberships are counted: one is dropped before one is added. Dropping one that isn't there fails, and so be it. */
  (void)setsockopt(n->base.fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  if (nic->promiscuous)
    (void)setsockopt(n->base.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous);
  if (!n->bound) n->bound = bind(n->base.fd, (const struct sockaddr *)&address, sizeof address) == 0;
  if (!n->bound) (void)host_link_check(&n->base.link);
}

/* Reading them sets the kernel's counters to 0. */
static void refresh(struct nic *nic) {
  struct tpacket_stats stats;
  socklen_t length = sizeof stats;
  if (getsockopt(((struct nic_packet *)nic)->base.fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length) != 0) return;
  counter_add(&nic->stats.rx_missed, stats.tp_drops);
}

/* ---- sending ---- */

static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct nic_packet *n = (struct nic_packet *)nic;
  int refused = 0;
  unsigned done = nic_socket_transmit(nic, n->send_fd, NULL, 0, packets, count, &refused);
  if (refused == ENXIO || refused == ENODEV || refused == ENETDOWN) (void)host_link_check(&n->base.link);
  return done;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) { return BATCH_MAX; }

/* ---- sleep ---- */

/* An interface that goes down leaves an error on the socket, for which every poll would return until it is read. */
static void clear_error(int fd) {
  int error;
  socklen_t length = sizeof error;
  (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
}

static bool arm(struct nic *nic, unsigned queue) {
  struct nic_packet *n = (struct nic_packet *)nic;
  uint32_t status;
  clear_error(n->base.fd);
  if (nic->tx_waiting) {
    clear_error(n->send_fd);
    __atomic_store_n(&n->base.room_fd, n->send_fd, __ATOMIC_RELAXED);
  }
  return nic->receives && is_filled(slot_at(n, n->next), &status);
}

static void disarm(struct nic *nic, unsigned queue) {
  __atomic_store_n(&((struct nic_packet *)nic)->base.room_fd, -1, __ATOMIC_RELAXED);
}

/* ---- opening ---- */

static void close_packet(struct process_nic *nic) {
  struct nic_packet *n = (struct nic_packet *)nic;
  host_link_close(&nic->link);
  if (n->ring != NULL) (void)munmap(n->ring, (size_t)BLOCKS * BLOCK_SIZE);
  if (nic->fd >= 0) close(nic->fd);
  if (n->send_fd >= 0) close(n->send_fd);
  memory_free(n);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .listen = listen_to,
                                   .refresh = refresh};

static bool set(int fd, int option, const void *value, socklen_t length) {
  return setsockopt(fd, SOL_PACKET, option, value, length) == 0;
}

/* The ring, to which nothing comes before the socket is bound (listen_to). */
static bool make_ring(struct nic_packet *n) {
  const struct tpacket_req request = {
      .tp_block_size = BLOCK_SIZE, .tp_block_nr = BLOCKS, .tp_frame_size = FRAME_SIZE, .tp_frame_nr = FRAMES};
  const int version = TPACKET_V2, yes = 1;
  if (!set(n->base.fd, PACKET_VERSION, &version, sizeof version) ||
      !set(n->base.fd, PACKET_VNET_HDR, &yes, sizeof yes) ||
      !set(n->base.fd, PACKET_RX_RING, &request, sizeof request)) {
    return false;
  }
  void *ring = mmap(NULL, (size_t)BLOCKS * BLOCK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, n->base.fd, 0);
  if (ring == MAP_FAILED) return false;
  n->ring = ring;
  return true;
}

static int start(struct nic_packet *n, const char *name, struct report *report) {
  int found = host_link_find(name, report);
  if (found < 0) return found;
  if (found == 0) return report_error(report, ERROR_NOT_FOUND, "no network interface '%s' on this host", name);
  n->base.fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (n->base.fd < 0 && errno == EPERM) {
    return report_error(
        report, ERROR_PERMISSION,
        "interface '%s': not permitted; run as root, or give the program CAP_NET_RAW: setcap cap_net_raw+ep", name);
  }
  n->send_fd = n->base.fd < 0 ? -1 : socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (n->send_fd < 0) return report_error(report, ERROR_IO, "interface '%s': no socket: %s", name, strerror(errno));
  int error = host_link_open(&n->base.link, name, &n->base.nic, report);
  if (error != 0) return error;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = n->base.link.index};
  if (!make_ring(n) || bind(n->send_fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    return report_error(report, ERROR_IO, "interface '%s': no packet ring: %s", name, strerror(errno));
  }
  return 0;
}

struct process_nic *nic_packet_open(const char *name, struct report *report) {
  struct nic_packet *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  n->base =
      (struct process_nic){.nic = {.ops = &ops, .has_outbound = true}, .fd = -1, .room_fd = -1, .close = close_packet};
  n->send_fd = -1;
  if (start(n, name, report) == 0) return &n->base;
  close_packet(&n->base);
  return NULL;
}
