/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Start-up order, and the system's end. What the first packet needs comes first: archive, keys, graph. Consoles come later, from
 * the worker's loop.
 */
#include "kernel/kernel.h"

#include "kernel/graph.h"
#include "kernel/graph_clock.h"
#include "kernel/platform.h"
#include "kernel/symbol.h"
#include "kernel/system.h"
#include "kernel/worker.h"
#include "lib/cpio.h"
#include "lib/memory.h"

enum {
  POOL_DEFAULT = 1024,    /* packet buffers: 2 MiB, which fit a VM of 8 MiB */
  POOL_LEAST = 128,       /* below that no burst fits */
  POOL_MOST = 1048576,    /* packet_pool_init */
  POOL_MEMORY_SHARE = 16, /* with more memory: this part of it */
  POOL_DEFAULT_MOST = 8192,
  KEYS_MAX = 64,
  STOP_DRAIN_NS = 100000000, /* how long the last replies may take to go out */
};

struct system the_system; /* zero: kernel_run is called once */

/* ---- services: what elements may ask of the system ---- */

static uint32_t random_u32(void) {
  uint32_t value;
  platform_random(&value, sizeof value);
  return value;
}

static void log_line(enum log_level level, const char *text, size_t length) {
  log_add(&the_system.log, platform_now(), level, text, length);
  const struct kernel_config *config = the_system.config;
  if (config == NULL || config->chatter == NULL) return;
  /* One call, so that lines of several workers don't mix. */
  struct text line = {0};
  text_add_bytes(&line, text, length);
  text_add(&line, "\n");
  config->chatter(text_string(&line), line.length);
  text_free(&line);
}

static void defer(struct deferred *node, void (*function)(struct deferred *node)) {
  quiesce_defer(&the_system.quiesce, node, function);
}

static void postpone(struct postponed *work, bool (*function)(struct postponed *work)) {
  postpone_add(&the_system.postpone, work, function);
}

static struct nic *nic_find(const char *name) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    if (strcmp(nic->name, name) == 0) return nic;
  }
  return NULL;
}

static int nic_open(const char *name, const char *method, struct nic **nic, struct report *report) {
  *nic = nic_find(name);
  /* Where a kind is asked for, the platform knows of what kind the one is that was found. */
  if (*nic != NULL && (method == NULL || method[0] == '\0')) return 0;
  int error = platform_nic_open(name, method, nic, report);
  if (error != 0 || (*nic)->pool != NULL) return error; /* one that was open is the running graph's still */
  (*nic)->pool = &the_system.worker[0].pool;
  (*nic)->worker = NIC_UNUSED;
  return 0;
}

static struct slice archive_file(const char *name) {
  struct slice data;
  /* Damage was reported when the system started. */
  if (cpio_find(the_system.archive, name, &data, NULL) != 0) return (struct slice){NULL, 0};
  return data;
}

static bool archive_has(const char *name) {
  struct slice data;
  return cpio_find(the_system.archive, name, &data, NULL) == 0;
}

/* ---- steps of the start ---- */

static int read_archive(struct system *system, struct report *report) {
  system->archive = platform_archive();
  if (system->archive.data == NULL) {
    return report_error(report, ERROR_NOT_FOUND,
                        "no boot archive: start the system with a newc cpio that holds config.click and keys/");
  }
  int error = cpio_find(system->archive, "symbols", &system->symbols, report);
  return error == -ERROR_NOT_FOUND ? 0 : error;
}

/* NAME when the path is keys/NAME.pub, otherwise empty. */
static struct slice key_name(struct slice path) {
  const size_t before = strlen("keys/"), behind = strlen(".pub");
  struct slice none = {NULL, 0};
  if (!slice_starts_with(path, "keys/") || path.length <= before + behind) return none;
  struct slice end = {path.data + path.length - behind, behind};
  if (!slice_equals(end, ".pub")) return none;
  return (struct slice){path.data + before, path.length - before - behind};
}

static int read_keys(struct system *system, struct report *report) {
  struct cpio_reader reader;
  struct cpio_entry entry;
  int status;
  system->keys = memory_alloc(KEYS_MAX * sizeof *system->keys);
  if (system->keys == NULL) return report_error(report, ERROR_NO_MEMORY, "no memory for %d keys", KEYS_MAX);
  cpio_reader_init(&reader, system->archive);
  while ((status = cpio_next(&reader, &entry, report)) > 0) {
    struct slice name = key_name(entry.name);
    if (entry.directory || name.length == 0) continue;
    struct bundle_key *key = &system->keys[system->key_count];
    if (entry.data.length != BUNDLE_PUBLIC_KEY_SIZE) {
      return report_error(report, ERROR_INVALID,
                          "keys/%.*s.pub: %zu bytes; a key file holds the raw 32 bytes of an Ed25519 public key",
                          (int)name.length, name.data, entry.data.length);
    }
    if (name.length >= sizeof key->name) {
      return report_error(report, ERROR_TOO_BIG, "keys/%.*s.pub: a key's name has at most %zu characters",
                          (int)name.length, name.data, sizeof key->name - 1);
    }
    if (system->key_count == KEYS_MAX) {
      return report_error(report, ERROR_TOO_BIG, "keys/%.*s.pub: more than %d keys", (int)name.length, name.data,
                          KEYS_MAX);
    }
    memcpy(key->public_key, entry.data.data, BUNDLE_PUBLIC_KEY_SIZE);
    memcpy(key->name, name.data, name.length);
    bundle_key_identify(key);
    system->key_count++;
  }
  return status;
}

/* Packet buffers from `imago.pool=N` of the command line, or by memory. 0: the option is wrong, and reported. */
static uint32_t pool_size(const struct system *system, struct report *report) {
  if (system->config != NULL && system->config->pool_packets != 0) return system->config->pool_packets;
  struct slice rest = platform_command_line(), word;
  const char *option = "imago.pool=";
  while ((word = slice_next_word(&rest)).length > 0) {
    if (!slice_starts_with(word, option)) continue;
    uint64_t count;
    struct slice number = {word.data + strlen(option), word.length - strlen(option)};
    if (slice_to_u64(number, POOL_MOST, &count) == 0 && count >= POOL_LEAST) return (uint32_t)count;
    report_error(report, ERROR_INVALID, "%.*s: expected a number of packet buffers from %d to %d", (int)word.length,
                 word.data, POOL_LEAST, POOL_MOST);
    return 0;
  }
  uint64_t share = platform_memory_total() / POOL_MEMORY_SHARE / PACKET_BUFFER_SIZE;
  if (share < POOL_DEFAULT) return POOL_DEFAULT;
  return share < POOL_DEFAULT_MOST ? (uint32_t)share : POOL_DEFAULT_MOST;
}

static int make_pools(struct system *system, struct report *report) {
  uint32_t count = pool_size(system, report);
  if (count == 0) return -ERROR_INVALID;
  for (unsigned i = 0; i < system->worker_count; i++) {
    if (packet_pool_init(&system->worker[i].pool, count) == 0) continue;
    return report_error(report, ERROR_NO_MEMORY,
                        "no memory for %u packet buffers of %d bytes; give the system more (-m), or imago.pool=N fewer",
                        count, PACKET_BUFFER_SIZE);
  }
  return 0;
}

static size_t follow_log(uint64_t *position, char *bytes, size_t size) {
  return log_copy(&the_system.log, position, bytes, size);
}

static void run_exclusively(bool begin) {
  if (begin) {
    pause_begin(&the_system.pause, worker_self);
    return;
  }
  pause_end(&the_system.pause, worker_self);
  /* What a handler changed may concern tasks whose worker sleeps. */
  for (unsigned i = 0; i < the_system.worker_count; i++) {
    if (i != worker_self) platform_wake(i);
  }
}

static unsigned this_worker(void) { return worker_self; }

static void fill_services(struct system *system) {
  system->services = (struct services){
      .now = graph_clock_now,
      .wall = graph_clock_wall,
      .random = random_u32,
      .log = log_line,
      .defer = defer,
      .postpone = postpone,
      .nic_find = nic_find,
      .nic_open = nic_open,
      .pool = &system->worker[0].pool,
      .file = archive_file,
      .stop_driver = kernel_stop_driver,
      .host = platform_host(),
      .handlers = system_offered_handlers(system),
      .handlers_owner = system,
      .log_follow = follow_log,
      .exclusive = system->worker_count > 1 ? run_exclusively : NULL,
      .workers = system->worker_count,
      .worker = this_worker,
      .language = system->config != NULL ? system->config->language : NULL,
      .keys = system->keys,
      .key_count = system->key_count,
      .allow_unproven = archive_has("allow-unproven"),
      .floors = &system->floors,
  };
}

static int make_archive_graph(struct system *system, struct report *report) {
  struct slice source;
  int error = cpio_find(system->archive, "config.click", &source, report);
  if (error == -ERROR_NOT_FOUND) {
    return report_error(report, ERROR_NOT_FOUND, "the boot archive has no config.click; put the Click file there");
  }
  return error != 0 ? error : graph_start(system, "config.click", source, report);
}

/* Simulated time has one worker: its clock belongs to nobody else. */
static unsigned workers_wanted(const struct kernel_config *config) {
  unsigned wanted = config != NULL && config->workers > 0 && config->simulate_from == 0 ? config->workers : 1;
  unsigned offered = platform_worker_count() < WORKERS_MAX ? platform_worker_count() : WORKERS_MAX;
  return wanted < offered ? wanted : offered;
}

static int start(struct system *system, struct report *report) {
  const struct kernel_config *config = system->config;
  system->worker_count = workers_wanted(config);
  if (config != NULL && config->simulate_from != 0) graph_clock_simulate(config->simulate_from);
  log_init(&system->log);
  quiesce_init(&system->quiesce, system->worker_count);
  postpone_init(&system->postpone);
  pause_init(&system->pause, system->worker_count);
  for (unsigned i = 0; i < system->worker_count; i++)
    system->worker[i].index = i;
  int error;
  if (config == NULL) {
    if ((error = read_archive(system, report)) != 0) return error;
    kernel_boot_stamp("archive read");
    if ((error = read_keys(system, report)) != 0) return error;
    kernel_boot_stamp("keys read");
  }
  if ((error = make_pools(system, report)) != 0) return error;
  kernel_boot_stamp("packet pools made");
  fill_services(system);
  error =
      config == NULL ? make_archive_graph(system, report) : graph_start(system, config->file, config->source, report);
  if (error != 0) return error;
  kernel_boot_stamp("graph made");
  return 0;
}

/* Warnings of a start that succeeded belong to the log: nobody looks at the console then. */
void system_log_report(const struct report *report) {
  struct slice rest = {text_string(&report->text), report->text.length};
  while (rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    size_t length = end != NULL ? (size_t)(end - rest.data) : rest.length;
    log_line(LOG_WARNING, rest.data, length);
    size_t skip = end != NULL ? length + 1 : length;
    rest.data += skip;
    rest.length -= skip;
  }
}

/* Lets the last replies and log lines out, "stop" among them. */
static void drain_ports(struct system *system) {
  uint64_t deadline = platform_now() + STOP_DRAIN_NS;
  while (!control_port_send(&system->control) && platform_now() < deadline) {
    platform_sleep(platform_now() + STOP_DRAIN_NS / 100);
  }
  while (log_port_poll(&system->log)) {
  }
}

static void finish(struct system *system) {
  graph_end(system);
  /* No worker runs any more, so that all have passed. */
  while (quiesce_reclaim(&system->quiesce)) {
  }
  control_port_close(&system->control);
  packet_pool_own = NULL;
  for (unsigned i = 0; i < system->worker_count; i++) {
    struct packet_pool *pool = &system->worker[i].pool;
    if (pool->arena == NULL) continue;
    packet_pool_collect(pool);
    /* A device may still own buffers, and write to them until the platform has stopped it. */
    if (pool->free_count == pool->capacity) packet_pool_destroy(pool);
  }
  memory_free(system->keys);
}

static int run(struct system *system, struct report *report) {
  const struct kernel_config *config = system->config;
  kernel_boot_stamp("kernel entered");
  int error = start(system, report);
  if (error == 0) {
    bool runs = true;
    if (config == NULL) {
      system_log_report(report);
      log_line(LOG_INFO, "the graph runs", strlen("the graph runs"));
    } else {
      runs = config->made(config->context, report);
    }
    if (runs) workers_run(system);
    drain_ports(system);
    if (config != NULL) config->stopped(config->context);
  } else if (report->errors == 0) {
    report_error(report, (enum error) - error, "start failed: %s", error_text(error));
  }
  finish(system);
  return error;
}

int kernel_run(void) {
  struct report report = {0};
  int error = run(&the_system, &report);
  if (error != 0) platform_early_write(text_string(&report.text), report.text.length);
  report_free(&report);
  return error == 0 ? 0 : 1;
}

int kernel_run_config(const struct kernel_config *config, struct report *report) {
  the_system.config = config;
  return run(&the_system, report);
}

void kernel_stop(void) {
  __atomic_store_n(&the_system.stop, true, __ATOMIC_SEQ_CST);
  platform_wake(0); /* it may be about to sleep */
}

void kernel_stop_driver(void) {
  __atomic_add_fetch(&the_system.stop_wishes, 1, __ATOMIC_RELAXED);
  platform_wake(0);
}

void kernel_attend(void) { __atomic_store_n(&the_system.attend, true, __ATOMIC_SEQ_CST); }

int kernel_hotconfig(const char *file, struct slice source, struct report *report) {
  return graph_stage(&the_system, file, source, report);
}

void kernel_log_error(const char *text) { log_line(LOG_ERROR, text, strlen(text)); }

void kernel_boot_stamp(const char *name) { boot_chart_add(&the_system.boot, platform_now(), name); }

bool kernel_running_element(char *buffer, size_t size) {
  const struct element *e = element_running;
  if (e == NULL) return false;
  format_text(buffer, size, "%s :: %s (%s:%u)", e->name, e->class->name, e->at.file, e->at.line);
  return true;
}

bool kernel_symbol(unsigned long address, char *buffer, size_t size) {
  return the_system.symbols.data != NULL && symbol_find(the_system.symbols, address, buffer, size);
}
