/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NICs "pcap:IN,OUT" and "replay:IN,OUT": receive the frames of a capture file, as fast as they are taken or as far apart in time
 * as they were captured, and write what is transmitted to another. Either may be empty: nothing comes in; what goes out is counted
 * and forgotten.
 */
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"
#include "platform/process/pcap.h"

/* The next frame is read ahead: its time is known before it is taken, and without a packet buffer it stays, as a file doesn't
 * overflow. */
struct nic_pcap {
  struct process_nic base; /* fd: of a replay, the timer that ends sleep when the next frame is due */
  bool replays;
  bool started;          /* of a replay: the first frame was taken, and `offset` is known */
  uint64_t offset;       /* platform_now() less time of capture */
  bool ahead;            /* `frame` and `bytes` hold the next one */
  struct pcap_reader in; /* file NULL: the end was reached, or there never was one */
  FILE *out;             /* NULL: none */
  struct pcap_frame frame;
  uint8_t bytes[PACKET_DATA_CAPACITY];
};

/* Sees to it that the next frame is there; false at the end of the file. */
static bool look_ahead(struct nic_pcap *n) {
  struct nic_stats *stats = &n->base.nic.stats;
  while (!n->ahead && n->in.file != NULL) {
    int status = pcap_read_frame(&n->in, n->bytes, sizeof n->bytes, &n->frame);
    if (status == 1 && n->frame.captured > sizeof n->bytes) {
      counter_add(&stats->rx_too_long, 1);
    } else if (status == 1 && n->frame.link_type != n->in.link_type) {
      counter_add(&stats->rx_error, 1); /* another interface of a pcapng file, and not Ethernet */
    } else if (status == 1) {
      n->ahead = true;
    } else {
      if (status < 0) counter_add(&stats->rx_error, 1);
      pcap_reader_close(&n->in);
    }
  }
  return n->ahead;
}

/* When the next frame is to come, by platform_now. The first sets the clock; one that was captured before it comes at once. */
static uint64_t due(const struct nic_pcap *n, uint64_t now) {
  if (!n->replays || !n->started) return now;
  uint64_t at = n->frame.time + n->offset;
  return (int64_t)(at - now) > 0 ? at : now;
}

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  uint64_t now = n->replays ? platform_now() : 0, bytes = 0;
  unsigned count = 0;
  while (count < max && look_ahead(n) && due(n, now) == now) {
    struct packet *p = packet_new_from(nic->pool, n->bytes, n->frame.captured);
    if (p == NULL) break;
    if (!n->started) n->offset = now - n->frame.time;
    n->started = true;
    n->ahead = false;
    bytes += p->length;
    batch->packet[batch->count++] = p;
    count++;
  }
  counter_add(&nic->stats.rx_packets, count);
  counter_add(&nic->stats.rx_bytes, bytes);
  return count;
}

static unsigned transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  uint64_t now = platform_wall(), bytes = 0, failed = 0;
  for (unsigned i = 0; i < count; i++) {
    struct packet *p = packets[i];
    if (n->out != NULL && pcap_write(n->out, now, p->data, p->length) != 0) {
      failed++;
      nic_refuse(nic, p);
      continue;
    }
    bytes += p->length;
    packet_kill(p);
  }
  counter_add(&nic->stats.tx_packets, count - failed);
  counter_add(&nic->stats.tx_bytes, bytes);
  counter_add(&nic->stats.tx_error, failed);
  return count;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) { return BATCH_MAX; }

static bool arm(struct nic *nic, unsigned queue) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  if (!nic->receives) return false;
  bool more = look_ahead(n);
  if (!n->replays) return more;
  uint64_t now = platform_now(), wait = more ? due(n, now) - now : 0;
  /* With nothing to wait for, this stops the timer. */
  const struct itimerspec timer = {.it_value = timespec_of(wait)};
  return timerfd_settime(n->base.fd, 0, &timer, NULL) != 0 || (more && wait == 0);
}

static void disarm(struct nic *nic, unsigned queue) {}

static bool finished(struct nic *nic) {
  const struct nic_pcap *n = (const struct nic_pcap *)nic;
  return n->in.file == NULL && !n->ahead;
}

static void close_pcap(struct process_nic *nic) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  pcap_reader_close(&n->in);
  if (n->out != NULL) (void)fclose(n->out);
  if (n->base.fd >= 0) close(n->base.fd);
  memory_free(n);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .finished = finished};

static bool start(struct nic_pcap *n, const char *specification, struct report *report) {
  char *in = NULL, *out = NULL;
  bool ok = nic_split(specification, &in, &out, report);
  if (ok && in[0] != '\0') ok = pcap_reader_open(&n->in, in, report) == 0;
  if (ok && out[0] != '\0') {
    n->out = pcap_writer_open(out, report);
    ok = n->out != NULL;
  }
  memory_free(in);
  memory_free(out);
  if (!ok || !n->replays) return ok;
  n->base.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (n->base.fd < 0) report_error(report, ERROR_IO, "no timer for a NIC: %s", strerror(errno));
  return n->base.fd >= 0;
}

static struct process_nic *open_pcap(const char *specification, bool replays, struct report *report) {
  struct nic_pcap *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  n->base = (struct process_nic){.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_pcap};
  n->replays = replays;
  if (start(n, specification, report)) return &n->base;
  close_pcap(&n->base);
  return NULL;
}

struct process_nic *nic_pcap_open(const char *specification, struct report *report) {
  return open_pcap(specification, false, report);
}

struct process_nic *nic_replay_open(const char *specification, struct report *report) {
  return open_pcap(specification, true, report);
}
