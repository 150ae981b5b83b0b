/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elements about the length of packets: CheckLength sorts by it, Truncate cuts, Pad extends. Bytes that were cut off, or never
 * captured, are counted in the extra length annotation.
 */
#include "click/reconfigure.h"
#include "elements/run.h"
#include "packet/packet.h"

struct length {
  struct element element;
  uint32_t bytes;
  bool extra, zero;
};

static int write_bytes(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  uint64_t bytes;
  value = slice_trim(value);
  if (slice_to_u64(value, UINT32_MAX, &bytes) < 0) {
    return report_error(report, ERROR_INVALID, "'%.*s' is not a number of bytes", (int)value.length, value.data);
  }
  __atomic_store_n(&((struct length *)owner)->bytes, (uint32_t)bytes, __ATOMIC_RELAXED);
  return 0;
}

static uint32_t bytes_of(const struct length *l) { return __atomic_load_n(&l->bytes, __ATOMIC_RELAXED); }

/* --- CheckLength --- */

static const char *const check_drops[] = {"too_long", NULL};
enum { CHECK_TOO_LONG };

static bool is_too_long(const struct length *l, uint32_t most, const struct packet *p) {
  return (uint64_t)p->length + (l->extra ? annotation_u32(p, ANNOTATION_EXTRA_LENGTH) : 0) > most;
}

/* Where each packet goes, for run_split. */
static void choose_outputs(struct element *e, struct packet *const *packets, uint32_t count, uint32_t *outputs) {
  const struct length *l = (const struct length *)e;
  uint32_t most = bytes_of(l), too_long = e->output_count > 1 ? 1 : e->output_count + CHECK_TOO_LONG;
  for (uint32_t i = 0; i < count; i++)
    outputs[i] = is_too_long(l, most, packets[i]) ? too_long : 0;
}

static void check_length_push(struct element *e, unsigned port, struct batch *batch) {
  uint32_t outputs[BATCH_MAX];
  choose_outputs(e, batch->packet, batch->count, outputs);
  run_split(e, batch, outputs);
}

static void check_length_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t outputs[BATCH_MAX], first = batch->count;
  element_pull(e, 0, batch, max);
  choose_outputs(e, batch->packet + first, batch->count - first, outputs);
  run_sift(e, batch, first, outputs);
}

static const struct argument check_length_arguments[] = {
    {"LENGTH", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct length, bytes), "most bytes"},
    {"EXTRA_LENGTH", ARGUMENT_BOOL, 0, offsetof(struct length, extra),
     "add the extra length annotation to the length (false)"},
    {0}};

static const struct handler check_length_handlers[] = {{.name = "length",
                                                        .read = handler_read_u32,
                                                        .write = write_bytes,
                                                        .offset = offsetof(struct length, bytes),
                                                        .help = "most bytes"},
                                                       {0}};

static const struct element_class check_length_class = {
    .name = "CheckLength",
    .purpose = "sorts out packets that are too long",
    .ports = "1/1-2",
    .processing = "a/ah",
    .size = sizeof(struct length),
    .arguments = check_length_arguments,
    .handlers = check_length_handlers,
    .drops = check_drops,
    .example = "... -> c :: CheckLength(1500) -> ToDevice(eth0); c [1] -> Discard;",
    .manual = "Packets of at most LENGTH bytes leave at output 0, the others at output 1; they are dropped if that is "
              "not connected.",
    .reconfigure = reconfigure_arguments,
    .push = check_length_push,
    .pull = check_length_pull,
};
ELEMENT(CheckLength, check_length_class);

/* --- Truncate --- */

static void truncate_defaults(struct element *e) { ((struct length *)e)->extra = true; }

static void truncate_simple(struct element *e, struct batch *batch) {
  const struct length *l = (const struct length *)e;
  uint32_t most = bytes_of(l);
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    if (p->length <= most) continue;
    if (l->extra) {
      uint32_t extra = annotation_u32(p, ANNOTATION_EXTRA_LENGTH);
      annotation_set_u32(p, ANNOTATION_EXTRA_LENGTH, extra + p->length - most);
    }
    p->length = most;
  }
}

static const struct argument truncate_arguments[] = {
    {"LENGTH", ARGUMENT_U32, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, offsetof(struct length, bytes), "most bytes"},
    {"EXTRA_LENGTH", ARGUMENT_BOOL, 0, offsetof(struct length, extra),
     "add what is cut off to the extra length annotation (true)"},
    {0}};

static const struct handler truncate_handlers[] = {{.name = "nbytes",
                                                    .read = handler_read_u32,
                                                    .write = write_bytes,
                                                    .offset = offsetof(struct length, bytes),
                                                    .help = "most bytes"},
                                                   {0}};

static const struct element_class truncate_class = {
    .name = "Truncate",
    .purpose = "cuts packets to a length",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct length),
    .arguments = truncate_arguments,
    .handlers = truncate_handlers,
    .example = "... -> Truncate(64) -> ...",
    .manual = "Shorter packets stay as they are.",
    .defaults = truncate_defaults,
    .reconfigure = reconfigure_arguments,
    .simple = truncate_simple,
};
ELEMENT(Truncate, truncate_class);

/* --- Pad --- */

static const char *const pad_drops[] = {"no_tailroom", NULL};
enum { PAD_NO_TAILROOM };

static void pad_defaults(struct element *e) { ((struct length *)e)->zero = true; }

static void pad_simple(struct element *e, struct batch *batch) {
  const struct length *l = (const struct length *)e;
  uint32_t least = bytes_of(l), kept = 0;
  for (uint32_t i = 0; i < batch->count; i++) {
    struct packet *p = batch->packet[i];
    uint32_t missing = annotation_u32(p, ANNOTATION_EXTRA_LENGTH);
    if (least > 0) missing = p->length < least ? least - p->length : 0;
    if (missing > packet_tailroom(p)) {
      element_drop(e, PAD_NO_TAILROOM, p);
      continue;
    }
    if (l->zero) memset(p->data + p->length, 0, missing);
    p->length += missing;
    annotation_set_u32(p, ANNOTATION_EXTRA_LENGTH, 0);
    batch->packet[kept++] = p;
  }
  batch->count = kept;
}

static const struct argument pad_arguments[] = {
    {"LENGTH", ARGUMENT_U32, ARGUMENT_POSITIONAL, offsetof(struct length, bytes),
     "least bytes; without it, the extra length annotation says how many to add"},
    {"ZERO", ARGUMENT_BOOL, 0, offsetof(struct length, zero), "new bytes are 0; otherwise undefined (true)"},
    {0}};

static const struct element_class pad_class = {
    .name = "Pad",
    .purpose = "extends packets to a length",
    .ports = "1/1",
    .processing = "a/a",
    .size = sizeof(struct length),
    .arguments = pad_arguments,
    .drops = pad_drops,
    .example = "... -> Pad(60) -> ToDevice(eth0);",
    .manual =
        "Longer packets stay as they are. The extra length annotation is 0 afterwards. A packet whose buffer has no room for "
        "the bytes is dropped and counted under no_tailroom.",
    .defaults = pad_defaults,
    .reconfigure = reconfigure_arguments,
    .simple = pad_simple,
};
ELEMENT(Pad, pad_class);
