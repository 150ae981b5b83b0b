/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Watches: the list of them, and one poll over it. Adding and removing may come from any worker; the lock is held while callbacks
 * run, so that a watch is never called once its removal has returned.
 */
#define _GNU_SOURCE /* ppoll, PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP */
#include "platform/process/watch.h"

#include <pthread.h>
#include <string.h>

#include "kernel/platform.h"
#include "kernel/system.h"
#include "lib/memory.h"
#include "platform/process/host.h"

/* The lock guards list, count and polled; it is recursive, because callbacks add and remove. fds and the size of both arrays belong
 * to worker 0. Invariant: a watch is in `polled` only while it is in the list. */
static struct {
  pthread_mutex_t lock;
  struct list list;
  unsigned count;
  struct pollfd *fds;
  struct process_watch **polled; /* whom fds[i] stands for; NULL: removed since, or not a watch */
  unsigned capacity, polled_count;
} watches = {.lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, .list = {&watches.list, &watches.list}};

void process_watch_add(struct process_watch *watch) {
  pthread_mutex_lock(&watches.lock);
  list_append(&watches.list, &watch->link);
  watches.count++;
  pthread_mutex_unlock(&watches.lock);
  platform_wake(0);
}

void process_watch_wait(struct process_watch *watch, short events) {
  __atomic_store_n(&watch->events, events, __ATOMIC_SEQ_CST);
  if (worker_self != 0) platform_wake(0); /* worker 0 itself looks before it sleeps */
}

void process_watch_remove(struct process_watch *watch) {
  pthread_mutex_lock(&watches.lock);
  if (watch->link.next != NULL && !list_empty(&watch->link)) {
    list_remove(&watch->link);
    watches.count--;
    for (unsigned i = 0; i < watches.polled_count; i++) {
      if (watches.polled[i] == watch) watches.polled[i] = NULL;
    }
  }
  pthread_mutex_unlock(&watches.lock);
}

static bool reserve(unsigned count) {
  if (count <= watches.capacity) return true;
  unsigned capacity = 2 * count + 16;
  struct pollfd *fds = memory_resize(watches.fds, capacity * sizeof *fds);
  if (fds != NULL) watches.fds = fds;
  struct process_watch **polled = memory_resize(watches.polled, capacity * sizeof(*polled));
  if (polled != NULL) watches.polled = polled;
  if (fds == NULL || polled == NULL) return false;
  watches.capacity = capacity;
  return true;
}

/* What to poll: `others`, then every watch. When memory for more is out, those that find a place. */
static unsigned gather(const struct pollfd *others, unsigned other_count) {
  pthread_mutex_lock(&watches.lock);
  unsigned count = 0;
  if (!reserve(other_count + watches.count) && watches.capacity < other_count) other_count = watches.capacity;
  for (; count < other_count; count++) {
    watches.fds[count] = others[count];
    watches.polled[count] = NULL;
  }
  for (struct list *at = watches.list.next; at != &watches.list && count < watches.capacity; at = at->next) {
    struct process_watch *watch = CONTAINER_OF(at, struct process_watch, link);
    watches.fds[count] = (struct pollfd){watch->fd, __atomic_load_n(&watch->events, __ATOMIC_SEQ_CST), 0};
    watches.polled[count++] = watch;
  }
  watches.polled_count = count;
  pthread_mutex_unlock(&watches.lock);
  return count;
}

bool process_watch_poll(struct pollfd *others, unsigned other_count, const struct timespec *timeout) {
  if (other_count == 0 && __atomic_load_n(&watches.count, __ATOMIC_RELAXED) == 0) return false;
  unsigned count = gather(others, other_count);
  bool any = false;
  int ready = ppoll(watches.fds, count, timeout, NULL);
  pthread_mutex_lock(&watches.lock);
  for (unsigned i = 0; ready > 0 && i < count; i++) {
    if (i < other_count) others[i].revents = watches.fds[i].revents;
    struct process_watch *watch = watches.polled[i];
    if (watch == NULL || watches.fds[i].revents == 0) continue;
    any = true;
    watch->ready(watch, watches.fds[i].revents);
  }
  watches.polled_count = 0;
  pthread_mutex_unlock(&watches.lock);
  return any;
}

void process_watch_release(void) {
  memory_free(watches.fds);
  memory_free(watches.polled);
  watches.fds = NULL;
  watches.polled = NULL;
  watches.capacity = 0;
}
