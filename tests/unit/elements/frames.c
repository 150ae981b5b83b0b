/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables of packets in hexadecimal.
 */
#include "tests/unit/elements/frames.h"

#include <stdlib.h>
#include <string.h>

static struct text hex_text;

static struct packet *from_hex(struct slice hex) {
  uint8_t bytes[PACKET_DATA_CAPACITY];
  for (size_t i = 0; i < hex.length / 2; i++) {
    bytes[i] = (uint8_t)(char_hex_value(hex.data[2 * i]) << 4 | char_hex_value(hex.data[2 * i + 1]));
  }
  struct packet *p = packet_new_from(&harness.pool, bytes, hex.length / 2);
  assert_non_null(p);
  return p;
}

static void inject(const char *frames, unsigned size, unsigned copies) {
  struct element *e = router_find(harness.router, "i");
  struct batch batch = {.count = 0};
  for (unsigned copy = 0; copy < copies; copy++) {
    struct slice rest = slice_of(frames);
    for (struct slice word = slice_next_word(&rest); word.length > 0; word = slice_next_word(&rest)) {
      batch.packet[batch.count++] = from_hex(word);
      if (batch.count < size) continue;
      element_push(e, 0, &batch);
      batch.count = 0;
    }
  }
  element_push(e, 0, &batch);
}

void frames_send(const char *name, const char *hex, uint64_t timestamp) {
  struct batch batch = {.count = 1};
  batch.packet[0] = from_hex(slice_of(hex));
  batch.packet[0]->timestamp = timestamp;
  element_push(router_find(harness.router, name), 0, &batch);
}

/* Packets that Capture kept hold any bytes, so they are read from it one by one, last first. */
const char *frames_captured(const char *name) {
  struct capture {
    struct element element;
    uint32_t count;
    struct packet *packet[HARNESS_FRAMES];
  } *c = (struct capture *)router_find(harness.router, name);
  text_free(&hex_text);
  for (uint32_t i = 0; i < c->count; i++) {
    for (uint32_t j = 0; j < c->packet[i]->length; j++)
      text_addf(&hex_text, "%02x", c->packet[i]->data[j]);
    text_add(&hex_text, " ");
  }
  (void)harness_captured(name);
  return text_string(&hex_text);
}

static void expect(const char *name, const char *frames, const struct frame_row *row, unsigned size) {
  struct text wanted = {0};
  for (unsigned copy = 0; copy < FRAME_COPIES && frames[0] != 0; copy++)
    text_addf(&wanted, "%s ", frames);
  const char *got = frames_captured(name);
  if (strcmp(got, text_string(&wanted)) != 0) {
    fail_msg("%s, batches of %u: %s\n  gives %s at %s\n  not   %s", row->element, size, row->in, got, name,
             text_string(&wanted));
  }
  text_free(&wanted);
  text_free(&hex_text);
}

void frames_check(const struct frame_row *row) {
  static const unsigned sizes[] = {1, 2, 256};
  static const char *const graphs[] = {"i :: Inject -> e :: %s -> o :: Capture%s",
                                       "i :: Inject -> Queue(256) -> e :: %s -> Unqueue(BURST 256) -> o :: Capture%s"};
  for (unsigned i = 0; i < 6; i++) {
    char config[512];
    format_text(config, sizeof config, graphs[i / 3], row->element, row->rejected ? "; e [1] -> r :: Capture" : "");
    harness_start(config);
    inject(row->in, sizes[i % 3], FRAME_COPIES);
    harness_run(20);
    expect("o", row->out, row, sizes[i % 3]);
    if (row->rejected) expect("r", row->rejected, row, sizes[i % 3]);
    harness_stop();
  }
}
