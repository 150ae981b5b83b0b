/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Global handlers of the system.
 */
#include "kernel/system.h"

#include "click/handlers.h"
#include "click/number.h"
#include "elements/parameter.h"
#include "kernel/graph_clock.h"
#include "kernel/kernel.h"
#include "kernel/platform.h"

static void add_count(struct text *out, const char *owner, const char *name, uint64_t value) {
  text_addf(out, "%s.%s %llu\n", owner, name, (unsigned long long)value);
}

static int read_boot(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  platform_boot_chart(out);
  boot_chart_print(&((struct system *)owner)->boot, out);
  return 0;
}

static int read_platform(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  text_addf(out, "platform %s\n", platform_name());
  platform_facts(out);
  return 0;
}

static int read_security(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  const struct system *system = owner;
  platform_security(out);
  text_addf(out, "unproven_programs %s\n",
            system->services.allow_unproven ? "allowed, checked while they run" : "refused");
  return 0;
}

static int read_log(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  log_read(&((struct system *)owner)->log, out);
  return 0;
}

static int read_log_stats(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                          struct report *r) {
  log_statistics(&((struct system *)owner)->log, out);
  return 0;
}

static int read_uptime(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *r) {
  uint64_t microseconds = platform_now() / 1000;
  text_addf(out, "%llu.%06llu", (unsigned long long)(microseconds / 1000000),
            (unsigned long long)(microseconds % 1000000));
  return 0;
}

static int read_first_packet(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                             struct report *r) {
  const struct system *system = owner;
  if (system->first_packet == 0) {
    return report_error(r, ERROR_STATE, "no packet has been forwarded yet; read eth0.rx_packets in 'stats'");
  }
  text_addf(out, "%llu", (unsigned long long)(system->first_packet / 1000));
  return 0;
}

/* Counters of a NIC; those that are drops also stand in `drops`. */
static const struct {
  const char *name;
  size_t offset;
  bool drop;
} nic_counters[] = {
    {"rx_packets", offsetof(struct nic_stats, rx_packets), false},
    {"rx_bytes", offsetof(struct nic_stats, rx_bytes), false},
    {"tx_packets", offsetof(struct nic_stats, tx_packets), false},
    {"tx_bytes", offsetof(struct nic_stats, tx_bytes), false},
    {"rx_no_buffer", offsetof(struct nic_stats, rx_no_buffer), true},
    {"rx_too_long", offsetof(struct nic_stats, rx_too_long), true},
    {"rx_error", offsetof(struct nic_stats, rx_error), true},
    {"rx_missed", offsetof(struct nic_stats, rx_missed), true},
    {"tx_error", offsetof(struct nic_stats, tx_error), true},
    {"tx_full", offsetof(struct nic_stats, tx_full), false},
};

static uint64_t nic_counter(const struct nic *nic, size_t offset) {
  return counter_read((const uint64_t *)((const char *)&nic->stats + offset));
}

static const struct nic *refreshed_nic(unsigned index) {
  struct nic *nic = platform_nic(index);
  if (nic->ops->refresh != NULL) nic->ops->refresh(nic);
  return nic;
}

static int read_stats(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                      struct report *r) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    const struct nic *nic = refreshed_nic(i);
    for (size_t c = 0; c < sizeof nic_counters / sizeof nic_counters[0]; c++) {
      add_count(out, nic->name, nic_counters[c].name, nic_counter(nic, nic_counters[c].offset));
    }
  }
  return 0;
}

uint64_t system_drops(const struct system *system, struct text *out) {
  uint64_t total = 0;
  /* Buffers that the pool could not give are in rx_no_buffer, or in the drops of the element that asked. */
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    const struct nic *nic = refreshed_nic(i);
    for (size_t c = 0; c < sizeof nic_counters / sizeof nic_counters[0]; c++) {
      if (!nic_counters[c].drop) continue;
      uint64_t n = nic_counter(nic, nic_counters[c].offset);
      add_count(out, nic->name, nic_counters[c].name, n);
      total += n;
    }
  }
  for (uint32_t i = 0; system->router != NULL && i < system->router->element_count; i++) {
    const struct element *e = system->router->elements[i];
    for (unsigned reason = 0; e->class->drops != NULL && e->class->drops[reason] != NULL; reason++) {
      uint64_t n = counter_read(&e->drops[reason]);
      add_count(out, e->name, e->class->drops[reason], n);
      total += n;
    }
  }
  text_addf(out, "total %llu\n", (unsigned long long)total);
  return total;
}

static int read_drops(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                      struct report *r) {
  system_drops(owner, out);
  return 0;
}

static int read_workers(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                        struct report *r) {
  const struct system *system = owner;
  char name[16];
  text_addf(out, "swaps %llu\n", (unsigned long long)system->swaps);
  for (unsigned i = 0; i < system->worker_count; i++) {
    const struct worker *w = &system->worker[i];
    format_text(name, sizeof name, "worker%u", i);
    add_count(out, name, "rounds", counter_read(&w->rounds));
    add_count(out, name, "busy_rounds", counter_read(&w->busy));
    add_count(out, name, "sleeps", counter_read(&w->sleeps));
    add_count(out, name, "slept_us", counter_read(&w->slept_ns) / 1000);
  }
  return 0;
}

static int read_keys(void *owner, const struct handler *h, struct slice parameter, struct text *out, struct report *r) {
  const struct system *system = owner;
  for (unsigned i = 0; i < system->key_count; i++) {
    for (unsigned b = 0; b < BUNDLE_KEY_ID_SIZE; b++)
      text_addf(out, "%02x", system->keys[i].id[b]);
    text_addf(out, " %s\n", system->keys[i].name);
  }
  return 0;
}

static int read_memory(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                       struct report *r) {
  const struct system *system = owner;
  uint64_t packets = 0, available = 0, failed = 0;
  for (unsigned i = 0; i < system->worker_count; i++) {
    const struct packet_pool *pool = &system->worker[i].pool;
    packets += pool->capacity;
    available += __atomic_load_n(&pool->free_count, __ATOMIC_RELAXED);
    failed += counter_read(&pool->failed);
  }
  text_addf(out, "total_bytes %llu\npackets %llu\npackets_free %llu\npackets_exhausted %llu\n",
            (unsigned long long)platform_memory_total(), (unsigned long long)packets, (unsigned long long)available,
            (unsigned long long)failed);
  return 0;
}

static int read_timewarp(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  if (graph_clock_simulated()) {
    text_add(out, "simulation");
  } else if (!graph_clock_waits()) {
    text_add(out, "nowait");
  } else {
    text_add_fixed(out, graph_clock_factor(), 32);
  }
  return 0;
}

static int write_timewarp(void *owner, const struct handler *h, struct slice value, struct report *r) {
  const struct services *services = &((struct system *)owner)->services;
  uint64_t factor = GRAPH_CLOCK_ONE;
  bool waits = !slice_equals(slice_trim(value), "nowait");
  if (graph_clock_simulated()) return report_error(r, ERROR_PERMISSION, "time is simulated: it cannot be warped");
  if (!waits && services->workers > 1) return report_error(r, ERROR_STATE, "nowait: needs one thread, not several");
  if (waits && number_fraction(slice_trim(value), &factor) != 0)
    return report_error(r, ERROR_INVALID, "expected double");
  if (factor == 0) return report_error(r, ERROR_INVALID, "timefactor must be > 0");
  if (services->exclusive != NULL) services->exclusive(true);
  graph_clock_warp(factor, waits);
  if (services->exclusive != NULL) services->exclusive(false);
  return 0;
}

static int write_hotconfig(void *owner, const struct handler *h, struct slice value, struct report *r) {
  return kernel_hotconfig("hotconfig", value, r);
}

static int write_stop(void *owner, const struct handler *h, struct slice value, struct report *r) {
  const struct system *system = owner;
  system->services.stop_driver();
  return 0;
}

static int read_handlers(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r);

const struct handler system_handlers[] = {
    {"hotconfig", NULL, write_hotconfig, 0, "replaces the graph by that of the file written, without loss of packets"},
    {"boot", read_boot, NULL, 0, "boot chart: microseconds since the first instruction, and what was done by then"},
    {"drops", read_drops, NULL, 0, "every drop counter of NICs and elements, and their total"},
    {"first_packet", read_first_packet, NULL, 0,
     "microseconds from the first instruction to the first packet forwarded"},
    {"handlers", read_handlers, NULL, 0, "the global handlers"},
    {"keys", read_keys, NULL, 0, "ids and names of the keys whose bundles are accepted"},
    {"log", read_log, NULL, 0, "the log, as far as its ring still holds it"},
    {"log_stats", read_log_stats, NULL, 0, "lines written, suppressed by the rate limit, and lost to a follower"},
    {"memory", read_memory, NULL, 0, "memory of the system and packet buffers in use"},
    {"platform", read_platform, NULL, 0, "what the system runs on"},
    {"security", read_security, NULL, 0, "what isolation holds here, and what does not"},
    {"stats", read_stats, NULL, 0, "counters of the NICs"},
    {"stop", NULL, write_stop, 0, "ends the system cleanly, or steps a DriverManager's script"},
    {"timewarp", read_timewarp, write_timewarp, 0,
     "how fast the graph's clock runs: 1, or as many times as that; nowait: it jumps to the next timer"},
    {"uptime", read_uptime, NULL, 0, "seconds since the first instruction"},
    {"workers", read_workers, NULL, 0, "rounds and sleep of each worker"},
    {NULL, NULL, NULL, 0, NULL},
};

static int read_handlers(void *owner, const struct handler *h, struct slice parameter, struct text *out,
                         struct report *r) {
  struct system *system = owner;
  for (const struct handler *each = system_offered_handlers(system); each->name != NULL; each++) {
    text_addf(out, "%s\t%s%s\n", each->name, each->read != NULL ? "r" : "", each->write != NULL ? "w" : "");
  }
  if (system->router == NULL) return 0;
  struct text more = {0};
  const struct handler *routers = router_handler_find(slice_of("handlers"));
  int error = routers->read(system->router, routers, parameter, &more, r);
  /* The router lists its own, this name included: once is enough. */
  struct slice rest = {text_string(&more), more.length};
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end != NULL ? (size_t)(end - rest.data) + 1 : rest.length;
    struct slice words = {rest.data, length};
    struct slice name = slice_next_word(&words);
    const struct handler *each = system_handlers;
    while (each->name != NULL && !slice_equals(name, each->name))
      each++;
    if (each->name == NULL) text_add_bytes(out, rest.data, length);
    rest.data += length;
    rest.length -= length;
  }
  if (more.failed) out->failed = true;
  text_free(&more);
  return error;
}

const struct handler *system_offered_handlers(const struct system *system) {
  bool all = system->config == NULL || system->config->allow_reconfigure;
  return all ? system_handlers : system_handlers + 1; /* hotconfig is the first */
}

static const struct handler *find(struct slice name) {
  for (const struct handler *h = system_offered_handlers(&the_system); h->name != NULL; h++) {
    if (slice_equals(name, h->name)) return h;
  }
  return NULL;
}

int system_read(void *context, struct slice name, struct slice parameter, struct text *out, struct report *report) {
  struct system *system = context;
  const struct handler *h = find(name);
  if (h != NULL && h->read != NULL) return h->read(system, h, parameter, out, report);
  if (h != NULL) return report_error(report, ERROR_PERMISSION, "'%s' is write-only", h->name);
  if (system->router == NULL) return report_error(report, ERROR_STATE, "no router installed");
  return router_read(system->router, name, parameter, out, report);
}

int system_write(void *context, struct slice name, struct slice value, struct report *report) {
  struct system *system = context;
  const struct handler *h = find(name);
  if (h != NULL && h->write != NULL) return h->write(system, h, value, report);
  if (h != NULL) return report_error(report, ERROR_PERMISSION, "'%s' is read-only", h->name);
  if (system->router == NULL) return report_error(report, ERROR_STATE, "no router installed");
  return router_write(system->router, name, value, report);
}

int system_check(void *context, struct slice name, bool write, bool *element_known) {
  struct system *system = context;
  const struct handler *h = find(name);
  if (h == NULL && system->router == NULL) return -ERROR_STATE;
  if (h == NULL) return router_check(system->router, name, write, element_known);
  *element_known = true;
  return (write ? h->write != NULL : h->read != NULL) ? 0 : -ERROR_PERMISSION;
}
