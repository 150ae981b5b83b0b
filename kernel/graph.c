/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Hot swap (Click's hotconfig). All that takes time or can fail happens in graph_stage, beside the running graph, on worker 0. The
 * exchange itself, for which all workers stand still, moves state and pointers only. The old graph goes when everything that was
 * deferred before has run.
 */
#include "kernel/graph.h"

#include "click/archive.h"
#include "kernel/platform.h"
#include "lib/memory.h"

static void wake_worker(unsigned worker) { platform_wake(worker); }

static int make(struct system *system, struct router *running, const char *file, struct slice source,
                struct graph **graph, struct report *report) {
  const struct click_language *language = system->services.language;
  struct click_language with_archive = language != NULL ? *language : (struct click_language){0};
  with_archive.archive = source;
  int error = click_archive_config(file, source, &source, report);
  if (error != 0) return error;
  struct graph *made = memory_alloc_aligned(sizeof *made, 64);
  if (made == NULL) return report_error(report, ERROR_NO_MEMORY, "%s: no memory for the graph", file);
  for (unsigned i = 0; i < system->worker_count; i++) {
    scheduler_init(&made->scheduler[i], i);
    made->scheduler[i].wake = wake_worker;
  }
  /* What the driver adds begins a statement of its own, and is not part of what handler `config` gives. */
  struct slice driver = system->config != NULL ? system->config->driver : slice_of("");
  struct text whole = {0};
  struct slice all = source;
  if (driver.length > 0) {
    text_add_slice(&whole, source);
    text_add(&whole, "\n;");
    text_add_slice(&whole, driver);
    all = (struct slice){text_string(&whole), whole.length};
  }
  /* Only the parser asks for it, now. */
  system->services.language = &with_archive;
  error = whole.failed
              ? report_error(report, ERROR_NO_MEMORY, "%s: no memory for the graph", file)
              : router_create_beside(running, file, all, &system->services, made->scheduler, &made->router, report);
  system->services.language = language;
  text_free(&whole);
  if (error != 0) {
    memory_free(made);
    return error;
  }
  made->router->source_text.length = source.length;
  *graph = made;
  return 0;
}

static void destroy(struct graph *graph) {
  if (graph == NULL) return;
  router_destroy(graph->router);
  memory_free(graph);
}

static void destroy_deferred(struct deferred *node) { destroy(CONTAINER_OF(node, struct graph, deferred)); }

/* The NICs belong to nobody until the graph's elements have taken theirs. */
static void release_nics(void) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    if (nic->worker != NIC_UNUSED) nic->ops->disarm(nic, 0);
    __atomic_store_n(&nic->worker, NIC_UNUSED, __ATOMIC_RELAXED); /* a sleeper may be looking which are its own */
    nic->tx_waiting = false;
    __atomic_store_n(&nic->receives, false, __ATOMIC_RELAXED);
  }
}

/* Each NIC takes buffers from the worker that receives from it. */
static void give_pools(struct system *system) {
  for (unsigned i = 0; i < platform_nic_count(); i++) {
    struct nic *nic = platform_nic(i);
    nic->pool = &system->worker[nic->worker < system->worker_count ? nic->worker : 0].pool;
  }
}

static void install(struct system *system, struct graph *graph) {
  system->graph = graph;
  system->router = graph->router;
  for (unsigned i = 0; i < system->worker_count; i++)
    system->worker[i].scheduler = &graph->scheduler[i];
  give_pools(system);
}

int graph_start(struct system *system, const char *file, struct slice source, struct report *report) {
  struct graph *graph = NULL;
  release_nics();
  int error = make(system, NULL, file, source, &graph, report);
  if (graph != NULL) install(system, graph);
  return error;
}

int graph_stage(struct system *system, const char *file, struct slice source, struct report *report) {
  struct graph *graph = NULL;
  if (system->router == NULL) return report_error(report, ERROR_STATE, "no graph runs that could be replaced");
  /* An earlier one that did not get its turn yet gives way; it holds nothing that counts. */
  destroy(system->staged);
  system->staged = NULL;
  int error = make(system, system->router, file, source, &graph, report);
  if (graph != NULL) system->staged = graph;
  return error;
}

bool graph_swap(struct system *system) {
  if (system->staged == NULL || !pause_between_rounds(&system->pause, 0)) return false;
  struct graph *old = system->graph, *next = system->staged;
  struct report report = {0};
  system->staged = NULL;
  release_nics();
  router_replace(old->router, next->router, &report);
  install(system, next);
  system->swaps++;
  pause_end(&system->pause, 0);
  /* Those that slept did so with the old graph's tasks and timers. */
  for (unsigned i = 1; i < system->worker_count; i++)
    platform_wake(i);
  if (report.text.length > 0) system_log_report(&report);
  report_free(&report);
  system->services.defer(&old->deferred, destroy_deferred);
  return true;
}

void graph_end(struct system *system) {
  destroy(system->staged);
  destroy(system->graph);
  system->staged = system->graph = NULL;
  system->router = NULL;
}
