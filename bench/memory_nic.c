/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ring of a memory NIC.
 */
#include "bench/memory_nic.h"

#include "lib/error.h"
#include "lib/list.h"
#include "lib/text.h"

/* A buffer of the ring, with a frame in it. Only the length is written: a device writes frames by DMA, not at our expense. */
static struct packet *filled(const struct memory_nic *memory) {
  struct packet *p = packet_new(memory->nic.pool);
  if (p != NULL) p->length = memory->frame_length;
  return p;
}

static unsigned memory_receive(struct nic *nic, unsigned queue, struct batch *batch, unsigned max) {
  struct memory_nic *memory = CONTAINER_OF(nic, struct memory_nic, nic);
  unsigned count = 0;
  for (; count < max; count++) {
    struct packet *fresh = filled(memory);
    if (fresh == NULL) break;
    struct packet **slot = &memory->ring[memory->next++ % MEMORY_NIC_RING];
    batch->packet[batch->count++] = *slot;
    *slot = fresh;
  }
  nic->stats.rx_packets += count;
  return count;
}

static unsigned memory_transmit(struct nic *nic, unsigned queue, struct packet **packets, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    packet_kill(packets[i]);
  nic->stats.tx_packets += count;
  return count;
}

static unsigned memory_transmit_room(struct nic *nic, unsigned queue) { return MEMORY_NIC_RING; }

static const struct nic_ops memory_ops = {
    .receive = memory_receive, .transmit = memory_transmit, .transmit_room = memory_transmit_room};

int memory_nic_init(struct memory_nic *memory, unsigned index, struct packet_pool *pool, uint32_t frame_length) {
  *memory = (struct memory_nic){
      .nic = {.ops = &memory_ops, .mtu = 1500, .link_up = true, .index = (uint8_t)index, .queues = 1, .pool = pool},
      .frame_length = frame_length};
  format_text(memory->nic.name, sizeof memory->nic.name, "eth%u", index);
  for (unsigned i = 0; i < MEMORY_NIC_RING; i++) {
    if ((memory->ring[i] = filled(memory)) != NULL) continue;
    memory_nic_destroy(memory);
    return -ERROR_NO_MEMORY;
  }
  return 0;
}

void memory_nic_destroy(struct memory_nic *memory) {
  for (unsigned i = 0; i < MEMORY_NIC_RING; i++) {
    if (memory->ring[i] != NULL) packet_kill(memory->ring[i]);
    memory->ring[i] = NULL;
  }
}
