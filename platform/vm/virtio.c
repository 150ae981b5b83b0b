/* SPDX-License-Identifier: BSD-3-Clause
 *
 * virtio over MMIO and split virtqueues. Register accesses are counted: on KVM without hardware assistance each costs about
 * 100 us, so set-up makes as few as the specification allows, and the packet path rings at most one doorbell per burst.
 */
#include "platform/vm/virtio.h"

#include "lib/bytes.h"
#include "lib/memory.h"

enum virtio_register {
  REGISTER_MAGIC = 0x000,
  REGISTER_VERSION = 0x004,
  REGISTER_DEVICE_ID = 0x008,
  REGISTER_DEVICE_FEATURES = 0x010,
  REGISTER_DEVICE_FEATURES_SELECT = 0x014,
  REGISTER_DRIVER_FEATURES = 0x020,
  REGISTER_DRIVER_FEATURES_SELECT = 0x024,
  REGISTER_QUEUE_SELECT = 0x030,
  REGISTER_QUEUE_SIZE_MAX = 0x034,
  REGISTER_QUEUE_SIZE = 0x038,
  REGISTER_QUEUE_READY = 0x044,
  REGISTER_QUEUE_NOTIFY = 0x050,
  REGISTER_INTERRUPT_STATUS = 0x060,
  REGISTER_INTERRUPT_ACKNOWLEDGE = 0x064,
  REGISTER_STATUS = 0x070,
  REGISTER_QUEUE_DESCRIPTORS = 0x080,
  REGISTER_QUEUE_AVAILABLE = 0x090,
  REGISTER_QUEUE_USED = 0x0a0,
  REGISTER_CONFIG = 0x100,
};
enum { MAGIC = 0x74726976 };
enum { STATUS_ACKNOWLEDGE = 1, STATUS_DRIVER = 2, STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_FAILED = 128 };
enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, AVAILABLE_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

static uint32_t read_register(struct virtio_device *device, unsigned offset) {
  vm_register_accesses++;
  return device->registers[offset / 4];
}

static void write_register(struct virtio_device *device, unsigned offset, uint32_t value) {
  vm_register_accesses++;
  device->registers[offset / 4] = value;
}

void virtio_probe(struct virtio_device *device, const struct virtio_slot *slot) {
  *device = (struct virtio_device){.registers = (volatile uint32_t *)(uintptr_t)slot->address, .irq = slot->irq};
  if (read_register(device, REGISTER_MAGIC) != MAGIC) return;
  uint32_t id = read_register(device, REGISTER_DEVICE_ID);
  if (id == 0) return;
  if (read_register(device, REGISTER_VERSION) != 2) {
    vm_panic("a virtio device is legacy; start QEMU with -global virtio-mmio.force-legacy=false");
  }
  device->id = id;
}

int virtio_begin(struct virtio_device *device, uint64_t wanted) {
  wanted |= 1ull << VIRTIO_F_VERSION_1;
  write_register(device, REGISTER_STATUS, 0);
  write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
  uint64_t offered = 0;
  for (unsigned half = 0; half < 2; half++) {
    write_register(device, REGISTER_DEVICE_FEATURES_SELECT, half);
    offered |= (uint64_t)read_register(device, REGISTER_DEVICE_FEATURES) << (32 * half);
  }
  device->features = offered & wanted;
  for (unsigned half = 0; half < 2; half++) {
    write_register(device, REGISTER_DRIVER_FEATURES_SELECT, half);
    write_register(device, REGISTER_DRIVER_FEATURES, (uint32_t)(device->features >> (32 * half)));
  }
  write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
  bool accepted = (read_register(device, REGISTER_STATUS) & STATUS_FEATURES_OK) != 0;
  return accepted && (device->features >> VIRTIO_F_VERSION_1 & 1) != 0 ? 0 : -ERROR_UNSUPPORTED;
}

static void write_address(struct virtio_device *device, unsigned offset, const volatile void *address) {
  write_register(device, offset, (uint32_t)(uintptr_t)address);
  write_register(device, offset + 4, (uint32_t)((uint64_t)(uintptr_t)address >> 32));
}

int virtqueue_init(struct virtqueue *queue, struct virtio_device *device, uint16_t index, uint16_t max_size) {
  write_register(device, REGISTER_QUEUE_SELECT, index);
  uint32_t offered = read_register(device, REGISTER_QUEUE_SIZE_MAX);
  if (offered == 0) return -ERROR_NOT_FOUND;
  uint16_t size = 1;
  while (size * 2u <= offered && size * 2u <= max_size)
    size = (uint16_t)(size * 2);

  /* One block, in falling order of alignment: descriptors 16, used ring 4, available ring 2 (section 2.7). */
  size_t used_at = 16ul * size, available_at = used_at + align_up(6 + 8ul * size, 16);
  size_t tokens_at = available_at + align_up(6 + 2ul * size, 16), chain_at = tokens_at + 8ul * size;
  uint8_t *block = memory_alloc_aligned(chain_at + 2ul * size, 64);
  if (block == NULL) return -ERROR_NO_MEMORY;
  *queue = (struct virtqueue){
      .device = device,
      .descriptors = (struct virtqueue_descriptor *)(void *)block,
      .available = (uint16_t *)(void *)(block + available_at),
      .used = (volatile uint16_t *)(void *)(block + used_at),
      .used_entries = (volatile struct virtqueue_used *)(void *)(block + used_at + 4),
      .tokens = (void **)(void *)(block + tokens_at),
      .chain = (uint16_t *)(void *)(block + chain_at),
      .index = index,
      .size = size,
      .free_count = size,
  };
  for (uint16_t i = 0; i < size; i++)
    queue->chain[i] = (uint16_t)(i + 1);
  write_register(device, REGISTER_QUEUE_SIZE, size);
  write_address(device, REGISTER_QUEUE_DESCRIPTORS, queue->descriptors);
  write_address(device, REGISTER_QUEUE_AVAILABLE, queue->available);
  write_address(device, REGISTER_QUEUE_USED, queue->used);
  write_register(device, REGISTER_QUEUE_READY, 1);
  virtqueue_disarm(queue);
  return 0;
}

void virtio_finish(struct virtio_device *device) {
  write_register(device, REGISTER_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

uint32_t virtio_config32(struct virtio_device *device, unsigned offset) {
  return read_register(device, REGISTER_CONFIG + offset);
}

void virtio_acknowledge(struct virtio_device *device) { write_register(device, REGISTER_INTERRUPT_ACKNOWLEDGE, 3); }

static bool event_index(const struct virtqueue *queue) {
  return (queue->device->features >> VIRTIO_F_EVENT_IDX & 1) != 0;
}

bool virtqueue_add(struct virtqueue *queue, const struct virtio_buffer *buffers, unsigned count, bool device_writes,
                   void *token) {
  if (queue->free_count < count || queue->device->broken) return false;
  uint16_t head = queue->free_head, at = head;
  for (unsigned i = 0; i < count; i++) {
    struct virtqueue_descriptor *descriptor = &queue->descriptors[at];
    descriptor->address = (uint64_t)(uintptr_t)buffers[i].address;
    descriptor->length = buffers[i].length;
    descriptor->flags = (uint16_t)((device_writes ? DESCRIPTOR_WRITE : 0) | (i + 1 < count ? DESCRIPTOR_NEXT : 0));
    descriptor->next = queue->chain[at];
    if (i + 1 < count) at = queue->chain[at];
  }
  queue->free_head = queue->chain[at];
  queue->chain[at] = UINT16_MAX; /* the end of this chain, for virtqueue_take */
  queue->free_count = (uint16_t)(queue->free_count - count);
  queue->tokens[head] = token;
  queue->available[2 + (queue->next_available & (queue->size - 1))] = head;
  queue->next_available++;
  return true;
}

void virtqueue_publish(struct virtqueue *queue) {
  uint16_t old = queue->told, new = queue->next_available;
  if (old == new || queue->device->broken) return;
  __atomic_store_n(&queue->available[1], new, __ATOMIC_RELEASE);
  queue->told = new;
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the index before the device's wish, section 2.7.13.4.1 */
  bool ring;
  if (event_index(queue)) {
    const volatile uint16_t *event =
        (const volatile uint16_t *)(const volatile void *)&queue->used_entries[queue->size];
    ring = (uint16_t)(new - *event - 1) < (uint16_t)(new - old);
  } else {
    ring = (queue->used[0] & USED_NO_NOTIFY) == 0;
  }
  if (!ring) return;
  queue->kicks++;
  write_register(queue->device, REGISTER_QUEUE_NOTIFY, queue->index);
}

bool virtqueue_has_used(const struct virtqueue *queue) {
  return __atomic_load_n(&queue->used[1], __ATOMIC_ACQUIRE) != queue->last_used && !queue->device->broken;
}

/* Buffers that it has stay with it: it may still write to them. */
static void give_up(struct virtio_device *device, uint32_t head) {
  device->broken = true;
  write_register(device, REGISTER_STATUS,
                 STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK | STATUS_FAILED);
  serial_printf(
      "imago: the virtio device (type %u) at %p returned buffer %u, which it had not been given: no longer used\n",
      device->id, (const void *)(uintptr_t)device->registers, head);
}

void *virtqueue_take(struct virtqueue *queue, uint32_t *length) {
  if (!virtqueue_has_used(queue)) return NULL;
  const volatile struct virtqueue_used *entry = &queue->used_entries[queue->last_used & (queue->size - 1)];
  uint32_t head = entry->id;
  *length = entry->length;
  if (head >= queue->size || queue->tokens[head] == NULL) {
    give_up(queue->device, head);
    return NULL;
  }
  void *token = queue->tokens[head];
  queue->tokens[head] = NULL;
  uint16_t last = (uint16_t)head, count = 1;
  for (; queue->chain[last] != UINT16_MAX; count++)
    last = queue->chain[last];
  queue->chain[last] = queue->free_head;
  queue->free_head = (uint16_t)head;
  queue->free_count = (uint16_t)(queue->free_count + count);
  queue->last_used++;
  return token;
}

/* used_event follows the available ring. */
static void set_used_event(struct virtqueue *queue, uint16_t event) {
  __atomic_store_n(&queue->available[2 + queue->size], event, __ATOMIC_RELEASE);
}

bool virtqueue_arm(struct virtqueue *queue) {
  if (!queue->device->routed) {
    queue->device->routed = true;
    interrupt_route(queue->device->irq);
    virtio_acknowledge(queue->device); /* an edge that came before the route is lost: the line must be low */
  }
  if (event_index(queue)) {
    set_used_event(queue, queue->last_used);
  } else {
    __atomic_store_n(&queue->available[0], 0, __ATOMIC_RELEASE);
  }
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return virtqueue_has_used(queue);
}

void virtqueue_disarm(struct virtqueue *queue) {
  if (event_index(queue)) {
    /* Just behind us: the device passes it again only 65,535 chains on, and it is moved along long before. */
    set_used_event(queue, (uint16_t)(queue->last_used - 1));
  } else {
    __atomic_store_n(&queue->available[0], AVAILABLE_NO_INTERRUPT, __ATOMIC_RELEASE);
  }
}
