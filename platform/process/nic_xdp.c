/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "xdp:INTERFACE": an interface of the host through AF_XDP (Linux, Documentation/networking/af_xdp.rst), by libxdp. Its frames
 * are ours alone: the host's stack sees none of those that come in. Native mode and zero copy where the driver has them, otherwise
 * generic mode and copies; the kernel chooses.
 *
 * The kernel wants memory of its own kind (UMEM), and our packets live in the pools' arenas, so each frame is copied once. The UMEM's
 * first half is for receiving, its second for sending. Invariants: a frame of the first half is in the fill ring, with the kernel, or
 * in the receive ring; one of the second is on the stack `idle`, in the transmit ring, with the kernel, or in the completion ring.
 */
#include "platform/process/host.h" /* before linux/if_packet.h, whose macros are named as our packet types */

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"

enum {
  FRAME_SIZE = XSK_UMEM__DEFAULT_FRAME_SIZE,
  RING = 2048, /* descriptors of each ring, and frames of each half */
  FRAMES = 2 * RING,
  VLAN_TAG = 4,
  SENT_PER_CALL = 16,     /* frames that a system call sends at least */
  SEND_BUFFER = 16 << 20, /* of the socket: all frames of the ring, as the kernel counts them */
};
#define UMEM_SIZE ((size_t)FRAMES * FRAME_SIZE)

struct nic_xdp {
  struct process_nic base;
  void *memory; /* MAP_FAILED: none */
  struct xsk_umem *umem;
  struct xsk_socket *socket;
  struct xsk_ring_prod fill, transmit;
  struct xsk_ring_cons completion, receive;
  int promiscuous; /* a packet socket that holds the membership; -1: none */
  uint32_t idle_count;
  uint64_t idle[RING];
  struct xdp_statistics shown; /* the kernel's counters when they were last asked */
};

/* ---- receiving ---- */

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  uint32_t at, fill_at;
  uint64_t bytes = 0, too_long = 0;
  if (max > nic->pool->free_count) max = nic->pool->free_count; /* others stay in the ring */
  unsigned got = xsk_ring_cons__peek(&n->receive, max, &at), count = 0;
  if (got == 0) return 0;
  /* As many frames as the kernel has given up: there is always room for them. */
  if (xsk_ring_prod__reserve(&n->fill, got, &fill_at) != got) platform_panic("the fill ring of AF_XDP has lost count");
  for (unsigned i = 0; i < got; i++) {
    const struct xdp_desc *frame = xsk_ring_cons__rx_desc(&n->receive, at + i);
    struct packet *p = frame->len <= PACKET_DATA_CAPACITY
                           ? packet_new_from(nic->pool, xsk_umem__get_data(n->memory, frame->addr), frame->len)
                           : NULL;
    if (p != NULL) {
      bytes += p->length;
      batch->packet[batch->count++] = p;
      count++;
    } else {
      too_long++;
    }
    *xsk_ring_prod__fill_addr(&n->fill, fill_at + i) = xsk_umem__extract_addr(frame->addr) / FRAME_SIZE * FRAME_SIZE;
  }
  xsk_ring_cons__release(&n->receive, got);
  xsk_ring_prod__submit(&n->fill, got);
  if (xsk_ring_prod__needs_wakeup(&n->fill)) (void)recvfrom(n->base.fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
  if (too_long > 0) counter_add(&nic->stats.rx_too_long, too_long);
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return count;
}

static void listen_to(struct nic *nic) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  struct packet_mreq membership = {.mr_ifindex = n->base.link.index, .mr_type = PACKET_MR_PROMISC};
  if (nic->promiscuous == (n->promiscuous >= 0)) return;
  if (nic->promiscuous) {
    n->promiscuous = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    (void)setsockopt(n->promiscuous, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
  } else {
    close(n->promiscuous);
    n->promiscuous = -1;
  }
}

static void refresh(struct nic *nic) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  struct xdp_statistics now = {0}, *shown = &n->shown;
  socklen_t length = sizeof now;
  if (getsockopt(n->base.fd, SOL_XDP, XDP_STATISTICS, &now, &length) != 0) return;
  uint64_t missed = now.rx_dropped + now.rx_ring_full - shown->rx_dropped - shown->rx_ring_full;
  counter_add(&nic->stats.rx_missed, missed);
  *shown = now;
}

/* ---- sending ---- */

static void collect_sent(struct nic_xdp *n) {
  uint32_t at;
  unsigned sent = xsk_ring_cons__peek(&n->completion, RING, &at);
  for (unsigned i = 0; i < sent; i++)
    n->idle[n->idle_count++] = *xsk_ring_cons__comp_addr(&n->completion, at + i);
  if (sent > 0) xsk_ring_cons__release(&n->completion, sent);
}

/* Has the kernel send what is in the ring. Where it copies, only this call makes it, some frames a call; EAGAIN says that more are
 * left. */
static void kick(struct nic_xdp *n) {
  if (!xsk_ring_prod__needs_wakeup(&n->transmit)) return;
  for (unsigned calls = 0; calls < RING / SENT_PER_CALL; calls++) {
    if (sendto(n->base.fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) return;
    if (errno == ENETDOWN || errno == ENXIO) (void)host_link_check(&n->base.link);
    if (errno != EAGAIN) return;
  }
}

/* A frame longer than the interface takes would stop the ring, so that it is dropped here. */
static bool fits(const struct nic *nic, const struct packet *p) {
  return p->length >= (uint32_t)ETH_HLEN && p->length <= (uint32_t)nic->mtu + ETH_HLEN + VLAN_TAG;
}

static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  unsigned done = 0, sent = 0;
  uint64_t bytes = 0;
  uint32_t at;
  collect_sent(n);
  bool gone = __atomic_load_n(&n->base.link.gone, __ATOMIC_RELAXED);
  for (; done < count; done++) {
    struct packet *p = packets[done];
    if (gone || !fits(nic, p)) {
      nic_refuse(nic, p);
      continue;
    }
    if (n->idle_count == 0 || xsk_ring_prod__reserve(&n->transmit, 1, &at) == 0) break;
    uint64_t address = n->idle[--n->idle_count];
    memcpy(xsk_umem__get_data(n->memory, address), p->data, p->length);
    *xsk_ring_prod__tx_desc(&n->transmit, at) = (struct xdp_desc){.addr = address, .len = p->length};
    bytes += p->length;
    sent++;
    packet_kill(p);
  }
  if (sent > 0) xsk_ring_prod__submit(&n->transmit, sent);
  if (!gone) kick(n);
  if (done < count) counter_add(&nic->stats.tx_full, 1);
  if (done > sent) counter_add(&nic->stats.tx_error, done - sent);
  counter_add(&nic->stats.tx_packets, sent);
  counter_add(&nic->stats.tx_bytes, bytes);
  return done;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  if (n->idle_count < BATCH_MAX) collect_sent(n);
  return n->base.link.gone || n->idle_count > BATCH_MAX ? BATCH_MAX : n->idle_count;
}

/* ---- sleep ---- */

/* What is in the transmit ring still goes out before: the kernel takes a limited number of frames a call. */
static bool arm(struct nic *nic, unsigned queue) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  uint32_t at;
  if (n->base.link.gone) return false;
  collect_sent(n);
  if (n->idle_count < RING) kick(n);
  if (nic->tx_waiting) __atomic_store_n(&n->base.room_fd, n->base.fd, __ATOMIC_RELAXED);
  unsigned waiting = nic->receives ? xsk_ring_cons__peek(&n->receive, 1, &at) : 0;
  if (waiting > 0) xsk_ring_cons__cancel(&n->receive, waiting);
  return waiting > 0 || xsk_cons_nb_avail(&n->completion, 1) > 0;
}

static void disarm(struct nic *nic, unsigned queue) {
  __atomic_store_n(&((struct nic_xdp *)nic)->base.room_fd, -1, __ATOMIC_RELAXED);
}

/* ---- opening ---- */

static void close_xdp(struct process_nic *nic) {
  struct nic_xdp *n = (struct nic_xdp *)nic;
  host_link_close(&nic->link);
  if (n->socket != NULL) xsk_socket__delete(n->socket); /* detaches the program, and closes fd */
  if (n->umem != NULL) (void)xsk_umem__delete(n->umem);
  if (n->memory != MAP_FAILED) (void)munmap(n->memory, UMEM_SIZE);
  if (n->promiscuous >= 0) close(n->promiscuous);
  memory_free(n);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .listen = listen_to,
                                   .refresh = refresh};

static const char *hint(int why) {
  switch (why) {
    case EPERM:
    case EACCES:
      return "not permitted; run as root, or give the program CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF, or take METHOD AF_PACKET";
    case EAFNOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EOPNOTSUPP:
    case ENOSYS:
      return "the kernel or driver has no AF_XDP; take METHOD AF_PACKET";
    case EBUSY:
      return "another AF_XDP socket or XDP program has it; detach that (ip link set dev NAME xdp off), or take METHOD AF_PACKET";
    case ENOBUFS:
    case ENOMEM:
      return "not enough memory that may be locked; raise the limit (ulimit -l), or give the program CAP_IPC_LOCK";
    case ENOENT:
      return "libxdp's program is not there; install the package libxdp1";
    default:
      return strerror(why);
  }
}

static int make_socket(struct nic_xdp *n, const char *name) {
  const struct xsk_umem_config umem = {.fill_size = RING, .comp_size = RING, .frame_size = FRAME_SIZE};
  const struct xsk_socket_config config = {.rx_size = RING, .tx_size = RING, .bind_flags = XDP_USE_NEED_WAKEUP};
  n->memory = mmap(NULL, UMEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (n->memory == MAP_FAILED) return -errno;
  int error = xsk_umem__create(&n->umem, n->memory, UMEM_SIZE, &n->fill, &n->completion, &umem);
  if (error != 0) return error;
  return xsk_socket__create(&n->socket, name, 0, n->umem, &n->receive, &n->transmit, &config);
}

static void hand_out_frames(struct nic_xdp *n) {
  uint32_t at;
  if (xsk_ring_prod__reserve(&n->fill, RING, &at) != RING) platform_panic("the fill ring of AF_XDP is not empty");
  for (uint32_t i = 0; i < RING; i++) {
    *xsk_ring_prod__fill_addr(&n->fill, at + i) = (uint64_t)i * FRAME_SIZE;
    n->idle[i] = (uint64_t)(RING + i) * FRAME_SIZE;
  }
  xsk_ring_prod__submit(&n->fill, RING);
  n->idle_count = RING;
}

static int start(struct nic_xdp *n, const char *name, struct report *report) {
  int found = host_link_find(name, report);
  if (found < 0) return found;
  if (found == 0) return report_error(report, ERROR_NOT_FOUND, "no network interface '%s' on this host", name);
  unsigned queues = host_link_queues(name);
  if (queues > 1) {
    return report_error(
        report, ERROR_UNSUPPORTED,
        "interface '%s': its packets are spread over %u queues, and AF_XDP takes them from one; run: ethtool "
        "-L %s combined 1",
        name, queues, name);
  }
  int error = host_link_open(&n->base.link, name, &n->base.nic, report);
  if (error != 0) return error;
  /* Both libraries print what we say better, and then at the end what nobody needs to know. */
  libbpf_set_print(NULL);
  libxdp_set_print(NULL);
  error = make_socket(n, name);
  if (error != 0) return report_error(report, ERROR_IO, "interface '%s', AF_XDP: %s", name, hint(-error));
  n->base.fd = xsk_socket__fd(n->socket);
  const int size = SEND_BUFFER;
  (void)setsockopt(n->base.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  hand_out_frames(n);
  return 0;
}

struct process_nic *nic_xdp_open(const char *name, struct report *report) {
  struct nic_xdp *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  n->base = (struct process_nic){.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_xdp};
  n->memory = MAP_FAILED;
  n->promiscuous = -1;
  if (start(n, name, report) == 0) return &n->base;
  close_xdp(&n->base);
  return NULL;
}
