/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Epoch-based reclamation; see quiesce.h for the idea.
 */
#include "kernel/quiesce.h"

#include <stddef.h>

void quiesce_init(struct quiesce *quiesce, unsigned workers) {
  memset(quiesce, 0, sizeof *quiesce);
  quiesce->workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
  for (unsigned i = 0; i < WORKERS_MAX; i++)
    quiesce->worker[i].seen = UINT64_MAX;
}

void quiesce_defer(struct quiesce *quiesce, struct deferred *node, void (*function)(struct deferred *node)) {
  node->function = function;
  /* Sequentially consistent, so that a worker which sees the new epoch also sees that the object is unreachable. */
  node->epoch = __atomic_add_fetch(&quiesce->epoch, 1, __ATOMIC_SEQ_CST);
  struct deferred *top = __atomic_load_n(&quiesce->incoming, __ATOMIC_RELAXED);
  do {
    node->next = top;
  } while (!__atomic_compare_exchange_n(&quiesce->incoming, &top, node, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

void quiesce_pass(struct quiesce *quiesce, unsigned index) {
  uint64_t epoch = __atomic_load_n(&quiesce->epoch, __ATOMIC_ACQUIRE);
  uint64_t *seen = &quiesce->worker[index].seen;
  /* The usual round: nothing was deferred since the last one. The line stays in this core's cache, unwritten. */
  if (__atomic_load_n(seen, __ATOMIC_RELAXED) == epoch) return;
  __atomic_store_n(seen, epoch, __ATOMIC_SEQ_CST);
  /* Waking up: the reclaimer must see us awake before we read anything it could free. */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void quiesce_sleep(struct quiesce *quiesce, unsigned index) {
  __atomic_store_n(&quiesce->worker[index].seen, UINT64_MAX, __ATOMIC_RELEASE);
}

/* Moves what came in to the end of the waiting list; the stack is newest first. */
static void take_incoming(struct quiesce *quiesce) {
  struct deferred *stack = __atomic_exchange_n(&quiesce->incoming, NULL, __ATOMIC_ACQUIRE);
  struct deferred *oldest = NULL;
  while (stack != NULL) {
    struct deferred *next = stack->next;
    stack->next = oldest;
    oldest = stack;
    stack = next;
  }
  struct deferred **end = &quiesce->waiting;
  while (*end != NULL)
    end = &(*end)->next;
  *end = oldest;
}

bool quiesce_reclaim(struct quiesce *quiesce) {
  if (__atomic_load_n(&quiesce->incoming, __ATOMIC_RELAXED) != NULL) take_incoming(quiesce);
  if (quiesce->waiting == NULL) return false;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  uint64_t passed = UINT64_MAX;
  for (unsigned i = 0; i < quiesce->workers; i++) {
    uint64_t seen = __atomic_load_n(&quiesce->worker[i].seen, __ATOMIC_ACQUIRE);
    if (seen < passed) passed = seen;
  }
  /* Two workers may have pushed in another order than they drew epochs: a later node can be older, and waits a round longer. */
  while (quiesce->waiting != NULL && quiesce->waiting->epoch <= passed) {
    struct deferred *node = quiesce->waiting;
    quiesce->waiting = node->next; /* first: the function frees the node */
    node->function(node);
  }
  return quiesce->waiting != NULL || __atomic_load_n(&quiesce->incoming, __ATOMIC_RELAXED) != NULL;
}
