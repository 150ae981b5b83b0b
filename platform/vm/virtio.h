/* SPDX-License-Identifier: BSD-3-Clause
 *
 * virtio 1.2 over MMIO, modern only (section 4.2), and split virtqueues with event suppression (section 2.7). The device is the
 * host's and is not trusted: whatever it writes into the used ring is checked before it is believed.
 */
#ifndef IMAGO_PLATFORM_VM_VIRTIO_H
#define IMAGO_PLATFORM_VM_VIRTIO_H

#include "lib/error.h"
#include "platform/vm/vm.h"

enum { VIRTIO_ID_NET = 1, VIRTIO_ID_CONSOLE = 3 };
enum { VIRTIO_F_EVENT_IDX = 29, VIRTIO_F_VERSION_1 = 32 };
enum { VIRTQUEUE_MAX_SIZE = 256, VIRTQUEUE_MAX_CHAIN = 2 };

struct virtio_device {
  volatile uint32_t *registers;
  uint32_t irq;
  uint32_t id;       /* VIRTIO_ID_*; 0: nothing in this slot */
  uint64_t features; /* negotiated */
  bool routed;       /* its interrupt reaches us */
  bool broken;       /* it broke the protocol, which was reported: no longer used */
};

/* A buffer for the device, by physical (= virtual) address. */
struct virtio_buffer {
  void *address;
  uint32_t length;
};

struct virtqueue_descriptor {
  uint64_t address;
  uint32_t length;
  uint16_t flags, next;
};
struct virtqueue_used {
  uint32_t id, length;
};

/* Invariant: free_count descriptors are linked from free_head; tokens[i] is not NULL exactly for heads of chains that the device
 * has. */
struct virtqueue {
  struct virtio_device *device;
  struct virtqueue_descriptor *descriptors;
  uint16_t *available;     /* flags, index, ring[size], used_event */
  volatile uint16_t *used; /* flags, index, then entries, then avail_event */
  volatile struct virtqueue_used *used_entries;
  void **tokens;
  uint16_t *chain;      /* our own copy of the descriptors' next: the device can write to those it was given */
  uint16_t index, size; /* size is a power of two */
  uint16_t free_head, free_count;
  uint16_t next_available; /* not yet told to the device */
  uint16_t told;           /* index that the device was told */
  uint16_t last_used;
  uint64_t kicks; /* doorbells rung */
};

/* Looks at the slot; sets device->id (0: empty). Refuses legacy devices by name. */
void virtio_probe(struct virtio_device *device, const struct virtio_slot *slot);
/* Resets, negotiates `wanted` of what is offered (VERSION_1 always), leaves the device before DRIVER_OK. */
int virtio_begin(struct virtio_device *device, uint64_t wanted) MUST_USE;
/* Lays the queue out with at most max_size entries. Memory is never freed: devices live as long as the system. */
int virtqueue_init(struct virtqueue *queue, struct virtio_device *device, uint16_t index, uint16_t max_size) MUST_USE;
void virtio_finish(struct virtio_device *device); /* DRIVER_OK */
uint32_t virtio_config32(struct virtio_device *device, unsigned offset);
/* After a wake-up by the device's line. */
void virtio_acknowledge(struct virtio_device *device);

/* Adds a chain of `count` buffers (1 to VIRTQUEUE_MAX_CHAIN), all read by the device, or all written. token (not NULL) comes back
 * from virtqueue_take. False when there are too few descriptors. The device sees it at the next virtqueue_publish. */
bool virtqueue_add(struct virtqueue *queue, const struct virtio_buffer *buffers, unsigned count, bool device_writes,
                   void *token) MUST_USE;
/* Tells the device about everything added since, with one doorbell at most. */
void virtqueue_publish(struct virtqueue *queue);
/* The next chain that the device is done with: its token, and in *length what the device wrote. NULL: none. A device that names
 * a chain it does not have is broken, which goes to the serial port once: NULL, for ever. */
void *virtqueue_take(struct virtqueue *queue, uint32_t *length);
bool virtqueue_has_used(const struct virtqueue *queue);
/* Asks for an interrupt with the next used chain (true: there is one already), or for none. */
bool virtqueue_arm(struct virtqueue *queue);
void virtqueue_disarm(struct virtqueue *queue);

#endif
