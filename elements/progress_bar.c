/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ProgressBar: shows how far handlers say something has got, as one line that is drawn over and over on a terminal. Where standard
 * error is no terminal of ours only the last line is drawn; an image logs it.
 */
#include "click/handlers.h"
#include "click/host.h"
#include "click/router.h"
#include "click/scheduler.h"
#include "click/words.h"
#include "lib/memory.h"

enum progress { PROGRESS_FIRST, PROGRESS_MIDDLE, PROGRESS_DONE };

enum {
  BAR_MAX = 240,
  BAR_OTHER = 25, /* columns that size and time take */
  IMAGE_COLUMNS = 80,
  STALL_NS = 5000000000, /* without progress: it is said */
};

struct progress_bar {
  struct element element;
  char *position_handlers, *size_handlers, *banner;
  uint64_t interval;
  bool active;
  enum progress status;
  bool have_size;
  uint64_t size, position;
  uint64_t started, moved, stalled; /* monotonic: first drawn, last progress, sum of stalls */
  struct timer timer;
};

/* --- values --- */

/* Sum of the handlers in `names`. False when there are none, or one has no number. */
static bool sum_handlers(struct progress_bar *p, const char *names, uint64_t *sum) {
  struct slice rest = slice_of(names ? names : ""), word;
  bool known = rest.length > 0;
  *sum = 0;
  while ((word = words_next(&rest)).length > 0) {
    struct text value = {0}, name = {0};
    uint64_t number = 0;
    handler_name_resolve(&p->element, word, &name);
    int error =
        router_read(p->element.router, (struct slice){text_string(&name), name.length}, slice_of(""), &value, NULL);
    struct slice digits = slice_trim((struct slice){text_string(&value), value.length});
    known = error == 0 && slice_to_u64(digits, UINT64_MAX, &number) == 0 && known;
    *sum += number;
    text_free(&value);
    text_free(&name);
  }
  return known;
}

/* 0 to 100; without a size a place that goes to and fro. */
static unsigned percent(const struct progress_bar *p, uint64_t position) {
  if (!p->have_size) {
    unsigned place = (unsigned)(position / 100000 % 200);
    return place > 100 ? 200 - place : place;
  }
  if (position >= p->size) return 100;
  return position > UINT64_MAX / 100 ? (unsigned)(position / (p->size / 100)) : (unsigned)(position * 100 / p->size);
}

/* --- drawing --- */

static void add_run(struct text *out, const char *what, unsigned count) {
  while (count-- > 0)
    text_add(out, what);
}

static void add_bar(const struct progress_bar *p, bool have_position, unsigned at, unsigned length, struct text *out) {
  unsigned mark = length > 3 ? 3 : 1, filled = length * at / 100;
  text_add(out, "|");
  if (!have_position || (!p->have_size && p->status == PROGRESS_DONE)) {
    add_run(out, "-", length);
  } else if (p->have_size) {
    add_run(out, "*", filled);
    add_run(out, " ", length - filled);
  } else {
    filled = (length - mark) * at / 100;
    add_run(out, " ", filled);
    add_run(out, "*", mark);
    add_run(out, " ", length - mark - filled);
  }
  text_add(out, "|");
}

static void add_position(bool known, uint64_t position, struct text *out) {
  static const char units[] = " KMGTPE";
  unsigned unit = 0;
  for (; position >= 100000 && unit < sizeof units - 2; unit++)
    position >>= 10;
  if (known) {
    text_addf(out, " %5llu%c%c ", (unsigned long long)position, units[unit], unit ? 'B' : ' ');
  } else {
    text_add(out, " -----   ");
  }
}

static void add_clock(uint64_t seconds, const char *behind, struct text *out) {
  if (seconds >= 3600) {
    text_addf(out, "%2llu:", (unsigned long long)(seconds / 3600));
  } else {
    text_add(out, "   ");
  }
  text_addf(out, "%02llu:%02llu%s", (unsigned long long)(seconds / 60 % 60), (unsigned long long)(seconds % 60),
            behind);
}

static void add_time(struct progress_bar *p, uint64_t position, uint64_t now, struct text *out) {
  uint64_t wait = now - p->moved;
  if (position > p->position) {
    if (wait >= STALL_NS) p->stalled += wait;
    p->moved = now;
    p->position = position;
    wait = 0;
  }
  uint64_t elapsed_ms = (now - p->started - p->stalled) / 1000000;
  if (p->status == PROGRESS_DONE) {
    add_clock(elapsed_ms / 1000, "    ", out);
  } else if (!p->have_size || elapsed_ms == 0 || position > p->size) {
    text_add(out, "   --:-- ETA");
  } else if (wait >= STALL_NS) {
    text_add(out, " - stalled -");
  } else if (position == 0) {
    text_add(out, "   --:-- ETA");
  } else {
    /* What is left takes as long for each unit as what is done: ms * left / position, without leaving 64 bits. */
    uint64_t left = p->size - position;
    unsigned shift = 0;
    while (left >> shift >= (uint64_t)1 << 24)
      shift++;
    uint64_t done = position >> shift ? position >> shift : 1;
    add_clock((elapsed_ms & 0xffffffffff) * (left >> shift) / done / 1000, " ETA", out);
  }
}

static void draw(struct progress_bar *p) {
  const struct services *services = p->element.services;
  const struct host *host = services->host;
  uint64_t now = services->now(), position;
  if (p->status == PROGRESS_FIRST) {
    p->have_size = sum_handlers(p, p->size_handlers, &p->size);
    p->started = p->moved = now;
    p->position = p->stalled = 0;
  }
  unsigned columns = host ? host->error_columns() : p->status == PROGRESS_DONE ? IMAGE_COLUMNS : 0;
  bool have_position = sum_handlers(p, p->position_handlers, &position);
  if (columns > 0) {
    struct text out = {0};
    unsigned at = have_position ? percent(p, position) : 0;
    if (p->banner && p->banner[0]) text_addf(&out, "%s ", p->banner);
    if (p->have_size && have_position) text_addf(&out, "%3u%% ", at);
    if (p->have_size && !have_position) text_add(&out, "  -% ");
    size_t used = out.length + 1 + BAR_OTHER; /* 1: the carriage return counts in Click */
    if (columns > used)
      add_bar(p, have_position, at, columns - used < BAR_MAX ? (unsigned)(columns - used) : BAR_MAX, &out);
    add_position(have_position, position, &out);
    add_time(p, position, now, &out);
    if (host) {
      host->error("\r", 1);
      if (p->status == PROGRESS_DONE) text_add(&out, "\n");
      host->error(text_string(&out), out.length);
    } else {
      services->log(LOG_INFO, text_string(&out), out.length);
    }
    text_free(&out);
  }
}

static void update(struct progress_bar *p) {
  if (!p->active) return;
  draw(p);
  if (p->status == PROGRESS_DONE) {
    p->active = false;
    return;
  }
  p->status = PROGRESS_MIDDLE;
  timer_schedule(&p->timer, p->element.services->now() + p->interval);
}

static void expire(struct timer *timer) { update(CONTAINER_OF(timer, struct progress_bar, timer)); }

/* --- life --- */

static void defaults(struct element *e) {
  struct progress_bar *p = (struct progress_bar *)e;
  p->interval = 1000000000;
  p->active = true;
}

static int check_handlers(struct progress_bar *p, struct slice names, struct report *report) {
  struct slice word;
  while ((word = words_next(&names)).length > 0) {
    struct text name = {0};
    handler_name_resolve(&p->element, word, &name);
    bool there = handler_exists(p->element.router, (struct slice){text_string(&name), name.length}, false);
    int error = there ? 0 : report_error(report, ERROR_NOT_FOUND, "no read handler '%s'", text_string(&name));
    text_free(&name);
    if (error) return error;
  }
  return 0;
}

static int configure(struct element *e, const struct args *rest, struct report *report) {
  const struct progress_bar *p = (const struct progress_bar *)e;
  return p->interval > 0 ? 0 : report_error(report, ERROR_INVALID, "UPDATE: must be positive");
}

static int initialize(struct element *e, struct report *report) {
  struct progress_bar *p = (struct progress_bar *)e;
  int error = check_handlers(p, slice_of(p->position_handlers), report);
  if (error == 0 && p->size_handlers) error = check_handlers(p, slice_of(p->size_handlers), report);
  timer_init(&p->timer, e->router->scheduler, e, expire);
  if (error == 0 && p->active) timer_schedule(&p->timer, e->services->now());
  return error;
}

static void finish(struct progress_bar *p) {
  if (p->status == PROGRESS_DONE || !p->active) return;
  if (p->status == PROGRESS_FIRST) draw(p); /* reads the size */
  p->status = PROGRESS_DONE;
  timer_unschedule(&p->timer);
  update(p);
}

static void cleanup(struct element *e) {
  struct progress_bar *p = (struct progress_bar *)e;
  const struct host *host = e->services->host;
  timer_unschedule(&p->timer);
  /* The elements behind the handlers may be gone: the last line stays as it is. */
  if (p->status == PROGRESS_MIDDLE && host && host->error_columns() > 0) host->error("\n", 1);
}

/* --- handlers --- */

static int write_mark(void *owner, const struct handler *h, struct slice value, struct report *report) {
  struct progress_bar *p = owner;
  if (h->offset) {
    uint64_t position;
    if (sum_handlers(p, p->position_handlers, &position)) p->position = position;
    p->have_size = true;
    p->size = p->position;
    if (p->status == PROGRESS_FIRST) {
      p->started = p->moved = p->element.services->now();
      p->status = PROGRESS_MIDDLE;
    }
  }
  finish(p);
  return 0;
}

static int write_reset(void *owner, const struct handler *h, struct slice value, struct report *report) {
  struct progress_bar *p = owner;
  p->have_size = false;
  p->status = PROGRESS_FIRST;
  p->active = true;
  timer_schedule(&p->timer, p->element.services->now());
  return 0;
}

static int write_active(void *owner, const struct handler *h, struct slice value, struct report *report) {
  struct progress_bar *p = owner;
  if (!words_bool(value, &p->active)) return report_error(report, ERROR_INVALID, "active: expected a boolean");
  if (p->active && p->status == PROGRESS_DONE) p->status = PROGRESS_MIDDLE;
  if (p->active) timer_schedule(&p->timer, p->element.services->now());
  return 0;
}

static int read_string(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *report) {
  const char *value = *(char *const *)(const void *)((const char *)owner + h->offset);
  text_add(out, value ? value : "");
  return 0;
}

static int write_string(void *owner, const struct handler *h, struct slice value, struct report *report) {
  struct progress_bar *p = owner;
  char **target = (char **)(void *)((char *)owner + h->offset);
  bool handlers = target != &p->banner;
  int error = handlers ? check_handlers(p, value, report) : 0;
  if (error) return error;
  char *copy = memory_copy_string(value.length ? value.data : "", value.length);
  if (!copy) return -ERROR_NO_MEMORY;
  memory_free(*target);
  *target = copy;
  if (target == &p->size_handlers) p->have_size = sum_handlers(p, p->size_handlers, &p->size);
  return 0;
}

static int read_value(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                      struct report *report) {
  struct progress_bar *p = owner;
  uint64_t value;
  if (sum_handlers(p, h->offset ? p->size_handlers : p->position_handlers, &value))
    text_addf(out, "%llu", (unsigned long long)value);
  return 0;
}

static const struct argument arguments[] = {
    {"POSHANDLER", ARGUMENT_STRING, ARGUMENT_MANDATORY | ARGUMENT_POSITIONAL,
     offsetof(struct progress_bar, position_handlers), "read handlers whose sum is the position"},
    {"SIZEHANDLER", ARGUMENT_STRING, ARGUMENT_POSITIONAL, offsetof(struct progress_bar, size_handlers),
     "read handlers whose sum is the size"},
    {"UPDATE", ARGUMENT_TIME, 0, offsetof(struct progress_bar, interval), "how often it is drawn (1s)"},
    {"BANNER", ARGUMENT_STRING, 0, offsetof(struct progress_bar, banner), "text before the bar"},
    {"ACTIVE", ARGUMENT_BOOL, 0, offsetof(struct progress_bar, active), "whether it is drawn (true)"},
    {0}};

static const struct handler handlers[] = {
    {.name = "mark_stopped", .write = write_mark, .help = "what it shows has stopped"},
    {.name = "mark_done", .write = write_mark, .offset = 1, .help = "what it shows is complete"},
    {.name = "active",
     .read = handler_read_bool,
     .write = write_active,
     .offset = offsetof(struct progress_bar, active),
     .help = "whether it is drawn"},
    {.name = "banner",
     .read = read_string,
     .write = write_string,
     .offset = offsetof(struct progress_bar, banner),
     .help = "text before the bar"},
    {.name = "poshandler",
     .read = read_string,
     .write = write_string,
     .offset = offsetof(struct progress_bar, position_handlers),
     .help = "read handlers whose sum is the position"},
    {.name = "sizehandler",
     .read = read_string,
     .write = write_string,
     .offset = offsetof(struct progress_bar, size_handlers),
     .help = "read handlers whose sum is the size"},
    {.name = "position", .read = read_value, .help = "the position now; empty when it is not known"},
    {.name = "size", .read = read_value, .offset = 1, .help = "the size now; empty when it is not known"},
    {.name = "reset", .write = write_reset, .help = "begin anew: read the size again"},
    {0}};

static const struct element_class progress_bar_class = {
    .name = "ProgressBar",
    .purpose = "shows on standard error how far something has got",
    .ports = "0/0",
    .processing = "a/a",
    .size = sizeof(struct progress_bar),
    .arguments = arguments,
    .handlers = handlers,
    .example = "ProgressBar(fd.filepos, fd.filesize, BANNER \"large.dump\", UPDATE 0.1s);",
    .manual =
        "The size is read when the bar first appears, the position each time. Without a size the mark goes to and fro.\n\n"
        "Draws only on a terminal that this program has in the foreground. An image writes the last line into the log.",
    .defaults = defaults,
    .configure = configure,
    .initialize = initialize,
    .cleanup = cleanup,
};
ELEMENT(ProgressBar, progress_bar_class);
