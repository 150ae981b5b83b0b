/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The NIC "pcap:IN,OUT": receives the frames of a capture file as fast as they are taken, and writes what is transmitted to
 * another. Either may be empty: nothing comes in; what goes out is counted and forgotten.
 */
#include "kernel/platform.h"
#include "lib/counter.h"
#include "lib/memory.h"
#include "platform/process/host.h"
#include "platform/process/pcap.h"

struct nic_pcap {
  struct process_nic base;
  struct pcap_reader in; /* file NULL: the end was reached, or there never was one */
  FILE *out;             /* NULL: none */
};

static unsigned receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  unsigned count = 0;
  uint64_t bytes = 0;
  while (count < max && n->in.file != NULL) {
    /* Without a buffer the frame stays in the file until there is one: a file doesn't overflow. */
    if (nic->pool->free_count == 0) break;
    struct packet *p = packet_new(nic->pool);
    int status = pcap_read(&n->in, p->data, PACKET_DATA_CAPACITY, &p->length);
    if (status == 1 && p->length <= PACKET_DATA_CAPACITY) {
      bytes += p->length;
      batch->packet[batch->count++] = p;
      count++;
      continue;
    }
    packet_kill(p);
    if (status == 1) {
      counter_add(&nic->stats.rx_too_long, 1);
      continue;
    }
    if (status < 0) counter_add(&nic->stats.rx_error, 1);
    pcap_reader_close(&n->in);
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
    } else {
      bytes += p->length;
    }
    packet_kill(p);
  }
  counter_add(&nic->stats.tx_packets, count - failed);
  counter_add(&nic->stats.tx_bytes, bytes);
  counter_add(&nic->stats.tx_error, failed);
  return count;
}

static unsigned transmit_room(struct nic *nic, unsigned queue) { return BATCH_MAX; }

static bool arm(struct nic *nic, unsigned queue) { return ((struct nic_pcap *)nic)->in.file != NULL; }

static void disarm(struct nic *nic, unsigned queue) {}

static bool finished(struct nic *nic) { return ((struct nic_pcap *)nic)->in.file == NULL; }

static void close_pcap(struct process_nic *nic) {
  struct nic_pcap *n = (struct nic_pcap *)nic;
  pcap_reader_close(&n->in);
  if (n->out != NULL) (void)fclose(n->out);
  memory_free(n);
}

static const struct nic_ops ops = {.receive = receive,
                                   .transmit = transmit,
                                   .transmit_room = transmit_room,
                                   .arm = arm,
                                   .disarm = disarm,
                                   .finished = finished};

struct process_nic *nic_pcap_open(const char *specification, struct report *report) {
  char *in = NULL, *out = NULL;
  struct nic_pcap *n = memory_alloc(sizeof *n);
  if (n == NULL) {
    report_error(report, ERROR_NO_MEMORY, "no memory for a NIC");
    return NULL;
  }
  n->base = (struct process_nic){.nic.ops = &ops, .fd = -1, .room_fd = -1, .close = close_pcap};
  bool ok = nic_split(specification, &in, &out, report);
  if (ok && in[0] != '\0') ok = pcap_reader_open(&n->in, in, report) == 0;
  if (ok && out[0] != '\0') {
    n->out = pcap_writer_open(out, report);
    ok = n->out != NULL;
  }
  memory_free(in);
  memory_free(out);
  if (ok) return &n->base;
  close_pcap(&n->base);
  return NULL;
}
