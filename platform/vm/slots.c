/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where the virtio devices are: the loader says so on the command line, and nothing is scanned for.
 */
#include "platform/vm/nucleus.h"
#include "platform/vm/vm.h"

/* "SIZE@ADDRESS:IRQ[:ID]" with SIZE like 512 or 4K. */
static bool parse_slot(struct slice text, struct virtio_slot *slot) {
  size_t at = 0, colon;
  while (at < text.length && text.data[at] != '@')
    at++;
  if (at == 0 || at == text.length || !char_is_digit(text.data[0])) return false;
  for (colon = at + 1; colon < text.length && text.data[colon] != ':'; colon++)
    continue;
  if (colon == text.length) return false;
  size_t end = colon + 1;
  while (end < text.length && text.data[end] != ':')
    end++;
  uint64_t irq;
  if (slice_to_u64((struct slice){text.data + at + 1, colon - at - 1}, UINT32_MAX, &slot->address) != 0) return false;
  if (slice_to_u64((struct slice){text.data + colon + 1, end - colon - 1}, 23, &irq) != 0) return false;
  slot->irq = (uint32_t)irq;
  /* Only what the page tables map as device memory, and whole slots. */
  return slot->address % 512 == 0 && slot->address >= DEVICE_PAGE_VIRTIO && slot->address < DEVICE_PAGE_IOAPIC;
}

static bool taken(const struct virtio_slot *slots, unsigned count, uint64_t address) {
  for (unsigned i = 0; i < count; i++) {
    if (slots[i].address == address) return true;
  }
  return false;
}

unsigned boot_parse_slots(struct slice rest, struct virtio_slot *slots, unsigned max, unsigned *bad) {
  unsigned count = 0;
  *bad = 0;
  static const char key[] = "virtio_mmio.device=";
  for (struct slice word; (word = slice_next_word(&rest)).length > 0;) {
    if (!slice_starts_with(word, key)) continue;
    struct virtio_slot slot;
    struct slice value = {word.data + sizeof key - 1, word.length - (sizeof key - 1)};
    if (count == max || !parse_slot(value, &slot) || taken(slots, count, slot.address)) {
      ++*bad;
      continue;
    }
    slots[count++] = slot;
  }
  return count;
}
