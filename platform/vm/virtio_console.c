/* SPDX-License-Identifier: BSD-3-Clause
 *
 * virtio-console with several named ports (virtio 1.2, section 5.3): "imago.control" and "imago.log" become the platform's
 * channels. Brought up after the first packet can flow.
 */
#include "kernel/platform.h"
#include "lib/bytes.h"
#include "lib/memory.h"
#include "platform/vm/virtio.h"

enum { CONSOLE_F_MULTIPORT = 1 };
enum { CONFIG_MAX_PORTS = 4 };
enum { QUEUE_CONTROL_RECEIVE = 2, QUEUE_CONTROL_TRANSMIT = 3 };
enum control_event { DEVICE_READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };
enum { PORTS_MAX = 8, QUEUE_SIZE = 16, BUFFER_SIZE = 2048, CONTROL_BUFFER_SIZE = 128 };

struct control_message {
  uint32_t port;
  uint16_t event, value;
};

struct buffer {
  uint32_t length;
  uint8_t bytes[BUFFER_SIZE];
};

struct console_port {
  bool started;
  bool host_open;
  uint32_t generation, announced; /* clients so far; as of the last platform_channel_open */
  struct virtqueue receive, transmit;
  struct buffer *current; /* received, and read up to `position` */
  uint32_t position;
  struct buffer *spare[QUEUE_SIZE]; /* transmit buffers at hand */
  unsigned spare_count;
};

static struct {
  struct virtio_device device;
  struct virtqueue control_receive, control_transmit;
  struct control_message answers[QUEUE_SIZE];
  unsigned answer_at;
  struct console_port ports[PORTS_MAX];
  unsigned port_count;
  struct console_port *channels[PLATFORM_CHANNEL_COUNT];
} console;

static void offer_receive(struct virtqueue *queue, void *token, void *bytes, uint32_t size) {
  struct virtio_buffer buffer = {bytes, size};
  if (!virtqueue_add(queue, &buffer, 1, true, token)) memory_free(token);
}

/* Section 5.3.2: port 0 has queues 0 and 1, 2 and 3 are control, port n > 0, such as this one, has 2n + 2 and 2n + 3. */
static int start_port(unsigned id) {
  struct console_port *port = &console.ports[id];
  uint16_t first = (uint16_t)(2 * id + 2);
  int error = virtqueue_init(&port->receive, &console.device, first, QUEUE_SIZE);
  if (error == 0) error = virtqueue_init(&port->transmit, &console.device, (uint16_t)(first + 1), QUEUE_SIZE);
  if (error != 0) return error;
  for (unsigned i = 0; i < QUEUE_SIZE; i++) {
    struct buffer *in = memory_alloc(sizeof *in), *out = memory_alloc(sizeof *out);
    if (in == NULL || out == NULL) {
      memory_free(in);
      memory_free(out);
      return -ERROR_NO_MEMORY;
    }
    offer_receive(&port->receive, in, in->bytes, BUFFER_SIZE);
    port->spare[port->spare_count++] = out;
  }
  port->started = true;
  return 0;
}

static void answer(uint32_t port, enum control_event event, uint16_t value) {
  uint32_t length;
  while (virtqueue_take(&console.control_transmit, &length) != NULL)
    continue;
  struct control_message *message = &console.answers[console.answer_at++ % QUEUE_SIZE];
  *message = (struct control_message){port, (uint16_t)event, value};
  struct virtio_buffer buffer = {message, sizeof *message};
  if (virtqueue_add(&console.control_transmit, &buffer, 1, false, message))
    virtqueue_publish(&console.control_transmit);
}

/* Gives a received buffer back to the device. */
static void return_current(struct console_port *port) {
  offer_receive(&port->receive, port->current, port->current->bytes, BUFFER_SIZE);
  virtqueue_publish(&port->receive);
  port->current = NULL;
}

/* Bytes and the news that their sender has gone travel in different queues: what lies in this one when the news is read is from
 * that client, or from a hasty next one that did not wait for the greeting. It must not be taken for the next one's. */
static void discard_received(struct console_port *port) {
  if (port->current != NULL) return_current(port);
  uint32_t length;
  while ((port->current = virtqueue_take(&port->receive, &length)) != NULL)
    return_current(port);
}

static void handle_control(const struct control_message *message, const char *text, uint32_t length) {
  if (message->port >= console.port_count) return;
  struct console_port *port = &console.ports[message->port];
  switch (message->event) {
    case PORT_ADD:
      answer(message->port, PORT_READY, port->started);
      break;
    case PORT_NAME: {
      static const char *const names[PLATFORM_CHANNEL_COUNT] = {"imago.control", "imago.log"};
      struct slice name = {text, strnlen(text, length)};
      for (unsigned i = 0; i < PLATFORM_CHANNEL_COUNT; i++) {
        if (!port->started || !slice_equals(name, names[i])) continue;
        console.channels[i] = port;
        answer(message->port, PORT_OPEN, 1);
        /* Only now, for QEMU looks whether it may read from a client that was there before us when buffers are announced. */
        virtqueue_publish(&port->receive);
      }
      break;
    }
    case PORT_OPEN:
      /* QEMU says it twice of a client that was there when the port became ready: that is one client. */
      if (message->value != 0 && !port->host_open) port->generation++;
      port->host_open = message->value != 0;
      if (!port->host_open && port->started) discard_received(port);
      break;
    case PORT_REMOVE:
      port->host_open = false;
      break;
    default:
      break; /* resize and the like are for terminals */
  }
}

static void poll_control(void) {
  uint32_t length;
  bool any = false;
  for (uint8_t *bytes; (bytes = virtqueue_take(&console.control_receive, &length)) != NULL; any = true) {
    if (length >= sizeof(struct control_message) && length <= CONTROL_BUFFER_SIZE) {
      struct control_message message;
      memcpy(&message, bytes, sizeof message);
      handle_control(&message, (const char *)bytes + sizeof message, length - (uint32_t)sizeof message);
    }
    offer_receive(&console.control_receive, bytes, bytes, CONTROL_BUFFER_SIZE);
  }
  if (any) virtqueue_publish(&console.control_receive);
}

static int start(void) {
  struct virtio_device *device = &console.device;
  int error = virtio_begin(device, 1ull << VIRTIO_F_EVENT_IDX | 1ull << CONSOLE_F_MULTIPORT);
  if (error != 0) return error;
  if ((device->features >> CONSOLE_F_MULTIPORT & 1) == 0) return -ERROR_UNSUPPORTED;
  uint32_t ports = virtio_config32(device, CONFIG_MAX_PORTS);
  console.port_count = ports < PORTS_MAX ? ports : PORTS_MAX;
  if ((error = virtqueue_init(&console.control_receive, device, QUEUE_CONTROL_RECEIVE, QUEUE_SIZE)) != 0) return error;
  if ((error = virtqueue_init(&console.control_transmit, device, QUEUE_CONTROL_TRANSMIT, QUEUE_SIZE)) != 0)
    return error;
  for (unsigned i = 0; i < QUEUE_SIZE; i++) {
    uint8_t *bytes = memory_alloc(CONTROL_BUFFER_SIZE);
    if (bytes == NULL) return -ERROR_NO_MEMORY;
    offer_receive(&console.control_receive, bytes, bytes, CONTROL_BUFFER_SIZE);
  }
  /* Port 0 is the host's own console and is left alone; the channels are among the next ones. */
  for (unsigned id = 1; id < console.port_count && id <= PLATFORM_CHANNEL_COUNT; id++) {
    if ((error = start_port(id)) != 0) return error;
  }
  virtio_finish(device);
  virtqueue_publish(&console.control_receive);
  answer(0, DEVICE_READY, 1);
  return 0;
}

void virtio_console_start(void) {
  for (unsigned i = 0; i < vm_boot.slot_count; i++) {
    struct virtio_device device;
    virtio_probe(&device, &vm_boot.slots[i]);
    if (device.id != VIRTIO_ID_CONSOLE) continue;
    console.device = device;
    int error = start();
    if (error != 0) {
      /* The packets matter more: the system runs on without a control port, and says so. */
      console.device.broken = true;
      serial_printf("imago: no control port: the virtio-serial device cannot be brought up: %s\n", error_text(error));
    }
    return;
  }
}

static bool usable(void) { return console.device.id != 0 && !console.device.broken; }

void virtio_console_interrupt(unsigned irq) {
  if (usable() && console.device.irq == irq) virtio_acknowledge(&console.device);
}

static void reclaim(struct console_port *port) {
  uint32_t unused;
  for (struct buffer *sent; (sent = virtqueue_take(&port->transmit, &unused)) != NULL;)
    port->spare[port->spare_count++] = sent;
}

bool virtio_console_arm(void) {
  if (!usable()) return false;
  bool ready = virtqueue_arm(&console.control_receive);
  for (unsigned i = 0; i < PLATFORM_CHANNEL_COUNT; i++) {
    struct console_port *port = console.channels[i];
    if (port == NULL) continue;
    /* The news was taken from the queue on the way to something else. */
    if (port->generation != port->announced) ready = true;
    if (port->spare_count == 0) {
      /* A client that does not read what it is sent is not listened to either: only room is an event. */
      reclaim(port);
      if (port->spare_count > 0 || virtqueue_arm(&port->transmit)) ready = true;
    } else if (port->current != NULL || virtqueue_arm(&port->receive)) {
      ready = true;
    }
  }
  return ready;
}

void virtio_console_disarm(void) {
  if (!usable()) return;
  virtqueue_disarm(&console.control_receive);
  for (unsigned i = 0; i < PLATFORM_CHANNEL_COUNT; i++) {
    struct console_port *port = console.channels[i];
    if (port == NULL) continue;
    virtqueue_disarm(&port->receive);
    virtqueue_disarm(&port->transmit);
  }
}

bool platform_channel_open(enum platform_channel channel, uint32_t *generation) {
  if (!usable()) return false;
  poll_control();
  struct console_port *port = console.channels[channel];
  if (port == NULL) return false;
  *generation = port->announced = port->generation;
  return port->host_open;
}

/* Whether the client that our caller knows is still the one at the other end: the next one must not get its replies. */
static bool same_client(struct console_port *port) {
  poll_control();
  return port->host_open && port->generation == port->announced;
}

size_t platform_channel_read(enum platform_channel channel, void *bytes, size_t size) {
  struct console_port *port = console.channels[channel];
  if (!usable() || port == NULL || !same_client(port)) return 0;
  size_t done = 0;
  while (done < size) {
    if (port->current == NULL) {
      uint32_t length;
      struct buffer *buffer = virtqueue_take(&port->receive, &length);
      if (buffer == NULL) break;
      buffer->length = length <= BUFFER_SIZE ? length : 0;
      port->current = buffer;
      port->position = 0;
    }
    size_t rest = port->current->length - port->position, n = rest < size - done ? rest : size - done;
    memcpy((uint8_t *)bytes + done, port->current->bytes + port->position, n);
    port->position += (uint32_t)n;
    done += n;
    if (port->position == port->current->length) return_current(port);
  }
  return done;
}

size_t platform_channel_write(enum platform_channel channel, const void *bytes, size_t length) {
  struct console_port *port = console.channels[channel];
  if (!usable() || port == NULL || !same_client(port)) return 0;
  reclaim(port);
  size_t done = 0;
  while (done < length && port->spare_count > 0) {
    struct buffer *buffer = port->spare[port->spare_count - 1];
    size_t n = length - done < BUFFER_SIZE ? length - done : BUFFER_SIZE;
    memcpy(buffer->bytes, (const uint8_t *)bytes + done, n);
    struct virtio_buffer descriptor = {buffer->bytes, (uint32_t)n};
    if (!virtqueue_add(&port->transmit, &descriptor, 1, false, buffer)) break;
    port->spare_count--;
    done += n;
  }
  return done;
}

void platform_channel_flush(enum platform_channel channel) {
  struct console_port *port = console.channels[channel];
  if (usable() && port != NULL) virtqueue_publish(&port->transmit);
}

void platform_channel_close(enum platform_channel channel) { (void)channel; }
