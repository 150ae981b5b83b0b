/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ToDump: writes packets into a capture file, and passes them on where it has an output.
 */
#include "click/handlers.h"
#include "click/router.h"
#include "elements/link_type.h"
#include "elements/parameter.h"
#include "elements/puller.h"
#include "platform/process/dump_file.h"
#include "platform/process/pcap.h"

enum { BURST = 32, SNAPSHOT_DEFAULT = 2000 };

struct to_dump {
  struct element element;
  char *filename, *encap, *encap_from;
  uint32_t snapshot_length;
  bool extra_length, unbuffered, nanoseconds;
  uint32_t link_type;
  struct dump_output output;
  uint64_t count;
  struct puller puller;
};

static void defaults(struct element *e) {
  struct to_dump *d = (struct to_dump *)e;
  d->snapshot_length = SNAPSHOT_DEFAULT;
  d->extra_length = true;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  struct to_dump *d = (struct to_dump *)e;
  if (d->snapshot_length == 0) d->snapshot_length = UINT32_MAX;
  if (d->encap != NULL && d->encap_from != NULL) {
    return report_error(report, ERROR_INVALID, "specify at most one of 'ENCAP' and 'USE_ENCAP_FROM'");
  }
  int type = d->encap != NULL ? link_type_parse(d->encap) : LINK_TYPE_ETHER;
  if (type < 0) return report_error(report, ERROR_INVALID, "bad encapsulation type");
  d->link_type = (uint32_t)type;
  return 0;
}

/* USE_ENCAP_FROM: the encap handlers of the elements named must agree. */
static int find_encap(struct to_dump *d, struct report *report) {
  struct slice rest = slice_of(d->encap_from);
  int found = -1, status = 0;
  for (struct slice word; status == 0 && (word = slice_next_word(&rest)).length > 0;) {
    struct text name = {0}, full = {0}, value = {0};
    text_addf(&name, "%.*s.encap", (int)word.length, word.data);
    handler_name_resolve(&d->element, slice_of(text_string(&name)), &full);
    status = router_read(d->element.router, slice_of(text_string(&full)), slice_of(""), &value, report);
    int type = status == 0 ? link_type_parse(text_string(&value)) : 0;
    if (status == 0 && type < 0) {
      status =
          report_error(report, ERROR_INVALID, "'%s' did not return a valid encapsulation type", text_string(&name));
    } else if (status == 0 && found >= 0 && type != found) {
      status = report_error(report, ERROR_INVALID, "source encapsulation types disagree: %s has %s", text_string(&name),
                            text_string(&value));
    }
    found = type;
    text_free(&name);
    text_free(&full);
    text_free(&value);
  }
  if (status == 0 && found < 0) {
    status = report_error(report, ERROR_INVALID, "element names missing after 'USE_ENCAP_FROM'");
  }
  if (status == 0) d->link_type = (uint32_t)found;
  return status;
}

static void write_batch(struct to_dump *d, const struct batch *batch, uint32_t from) {
  uint64_t now = 0, written = 0;
  for (uint32_t i = from; i < batch->count && d->output.file != NULL; i++) {
    const struct packet *p = batch->packet[i];
    if (p->timestamp == 0 && now == 0) now = d->element.services->wall();
    struct pcap_frame frame = {.time = p->timestamp != 0 ? p->timestamp : now, .length = p->length};
    frame.captured = p->length < d->snapshot_length ? p->length : d->snapshot_length;
    if (d->extra_length) frame.length += annotation_u32(p, ANNOTATION_EXTRA_LENGTH);
    if (pcap_write_frame(d->output.file, d->nanoseconds, &frame, p->data) != 0) {
      dump_output_fail(&d->output, &d->element, d->filename, "cannot be written");
    } else {
      written++;
    }
  }
  counter_add(&d->count, written);
}

static void push(struct element *e, unsigned port, struct batch *batch) {
  write_batch((struct to_dump *)e, batch, 0);
  if (e->output_count > 0) {
    element_push(e, 0, batch);
  } else {
    batch_kill(batch);
  }
}

static void pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  uint32_t before = batch->count;
  element_pull(e, 0, batch, max);
  write_batch((struct to_dump *)e, batch, before);
}

static bool run_task(struct task *task) {
  struct to_dump *d = CONTAINER_OF(task, struct to_dump, puller.task);
  struct batch batch;
  batch.count = 0;
  element_pull(&d->element, 0, &batch, BURST);
  if (batch.count == 0) {
    (void)puller_wait(&d->puller);
    return false;
  }
  write_batch(d, &batch, 0);
  batch_kill(&batch);
  return true;
}

/* Whether the element that goes in a hot swap writes the same file in the same way: then it goes on. */
static bool continues(const struct to_dump *d, const struct to_dump *before) {
  return before != NULL && before->output.file != NULL && strcmp(d->filename, before->filename) == 0 &&
         d->link_type == before->link_type && d->nanoseconds == before->nanoseconds;
}

static int initialize(struct element *e, struct report *report) {
  struct to_dump *d = (struct to_dump *)e;
  int status = d->encap_from != NULL ? find_encap(d, report) : 0;
  if (status == 0 && !continues(d, (struct to_dump *)router_predecessor(e))) {
    status = dump_output_open(&d->output, d->filename, report);
    if (status == 0 && d->unbuffered) (void)setvbuf(d->output.file, NULL, _IONBF, 0);
  }
  if (status < 0 || !e->inputs[0].pull || e->output_count > 0) return status;
  return puller_start(&d->puller, e, run_task);
}

static void commit(struct element *e) {
  struct to_dump *d = (struct to_dump *)e;
  if (dump_output_begin(&d->output) &&
      pcap_write_header(d->output.file, d->link_type, d->snapshot_length, d->nanoseconds) != 0) {
    dump_output_fail(&d->output, e, d->filename, "unable to write file header");
  }
}

static void take_state(struct element *e, struct element *old, struct report *report) {
  struct to_dump *d = (struct to_dump *)e, *before = (struct to_dump *)old;
  bool same_file = strcmp(d->filename, before->filename) == 0;
  if (!continues(d, before)) {
    if (same_file) dump_output_close(&before->output, old, before->filename); /* not into what begins anew */
    return;
  }
  dump_output_take(&d->output, &before->output);
  d->count = before->count;
}

static void cleanup(struct element *e) {
  struct to_dump *d = (struct to_dump *)e;
  puller_stop(&d->puller);
  dump_output_close(&d->output, e, d->filename);
}

static int read_filename(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                         struct report *report) {
  text_add(out, ((struct to_dump *)owner)->filename);
  return 0;
}

static int reset_counts(void *owner, const struct handler *handler, struct slice value, struct report *report) {
  counter_reset(&((struct to_dump *)owner)->count);
  return 0;
}

#define AT(member) offsetof(struct to_dump, member)
static const struct argument arguments[] = {
    {"FILENAME", ARGUMENT_FILENAME, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL, AT(filename),
     "the file; -: standard output"},
    {"SNAPLEN", ARGUMENT_U32, ARGUMENT_POSITIONAL, AT(snapshot_length),
     "most bytes of a packet that are written; 0: all (2000)"},
    {"ENCAP", ARGUMENT_WORD, ARGUMENT_POSITIONAL, AT(encap), "link type of the packets: ETHER, IP, FDDI, ... (ETHER)"},
    {"USE_ENCAP_FROM", ARGUMENT_STRING, 0, AT(encap_from), "elements whose encap handlers say the link type"},
    {"EXTRA_LENGTH", ARGUMENT_BOOL, 0, AT(extra_length), "add the extra length annotation to the length (true)"},
    {"UNBUFFERED", ARGUMENT_BOOL, 0, AT(unbuffered), "write each packet at once (false)"},
    {"NANO", ARGUMENT_BOOL, 0, AT(nanoseconds), "write timestamps in nanoseconds (false)"},
    {0}};

static const struct handler handlers[] = {
    {.name = "filename", .read = read_filename, .help = "the file"},
    {.name = "count", .read = handler_read_u64, .offset = AT(count), .help = "packets written"},
    {.name = "reset_counts", .write = reset_counts, .help = "set count to 0"},
    TASK_HANDLERS(struct to_dump, puller.task),
    {0}};

static const struct element_class to_dump_class = {
    .name = "ToDump",
    .purpose = "writes packets into a capture file",
    .ports = "1/0-1",
    .processing = "a/a",
    .size = sizeof(struct to_dump),
    .arguments = arguments,
    .handlers = handlers,
    .example = "FromDevice(eth0) -> ToDump(all.pcap, SNAPLEN 96) -> Queue -> ToDevice(eth1);",
    .manual =
        "Writes pcap in the byte order of this machine; compressed, when the name ends in .gz or .bz2. A packet without a timestamp gets the time of writing. After an "
        "error of the file nothing more is written; packets still pass.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .phase = CONFIGURE_LAST,
    .commit = commit,
    .take_state = take_state,
    .cleanup = cleanup,
    .process_only = true,
    .push = push,
    .pull = pull,
};
ELEMENT(ToDump, to_dump_class);
