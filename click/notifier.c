/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Notifiers, and the walk that finds them.
 *
 * No wake-up is lost between workers: the one who brings packets stores them, then exchanges `active`; the one who found none
 * exchanges `active`, then looks for packets once more. Whichever exchange is second sees what stands before the first.
 * notifier_signal_wait does the same with the task's own state.
 */
#include "click/notifier.h"

#include "click/element.h"
#include "click/router.h"
#include "lib/memory.h"

void notifier_wake(struct notifier *notifier) {
  if (__atomic_exchange_n(&notifier->active, true, __ATOMIC_SEQ_CST)) return;
  for (uint32_t i = 0; i < notifier->listener_count; i++)
    task_schedule(notifier->listeners[i]);
}

void notifier_sleep(struct notifier *notifier) {
  (void)__atomic_exchange_n(&notifier->active, false, __ATOMIC_SEQ_CST);
}

bool notifier_active(const struct notifier *notifier) { return __atomic_load_n(&notifier->active, __ATOMIC_SEQ_CST); }

void notifier_destroy(struct notifier *notifier) {
  memory_free((void *)notifier->listeners);
  *notifier = (struct notifier){0};
}

static int add_listener(struct notifier *notifier, struct task *task) {
  struct task **more =
      memory_resize((void *)notifier->listeners, (notifier->listener_count + 1) * sizeof(struct task *));
  if (more == NULL) return -ERROR_NO_MEMORY;
  more[notifier->listener_count++] = task;
  notifier->listeners = more;
  return 0;
}

static void remove_listener(struct notifier *notifier, const struct task *task) {
  for (uint32_t i = 0; i < notifier->listener_count; i++) {
    if (notifier->listeners[i] != task) continue;
    notifier->listeners[i] = notifier->listeners[--notifier->listener_count];
    return;
  }
}

/* --- the walk --- */

struct walk {
  const struct router *router;
  enum notifier_kind kind;
  bool *seen; /* by index of the element: what it leads to is on the stack already */
  struct element **stack;
  uint32_t depth;
  struct notifier_signal *signal;
};

static bool known(const struct notifier_signal *signal, const struct notifier *notifier) {
  for (uint32_t i = 0; i < signal->count; i++) {
    if (signal->notifiers[i] == notifier) return true;
  }
  return false;
}

static int note(struct notifier_signal *signal, struct notifier *notifier) {
  if (known(signal, notifier)) return 0;
  struct notifier **more = memory_resize((void *)signal->notifiers, (signal->count + 1) * sizeof(struct notifier *));
  if (more == NULL) return -ERROR_NO_MEMORY;
  more[signal->count++] = notifier;
  signal->notifiers = more;
  return 0;
}

/* Looks at the far end of a connection: its notifier, or what lies behind it. */
static int visit(struct walk *walk, const struct port *to) {
  struct element *e = to->element;
  struct notifier *notifier = e->class->notifier != NULL ? e->class->notifier(e, walk->kind, to->port) : NULL;
  if (notifier != NULL) return note(walk->signal, notifier);
  if (walk->seen[e->index]) return 0;
  walk->seen[e->index] = true;
  walk->stack[walk->depth++] = e;
  return 0;
}

/* The ports of e by which the walk goes on: pull inputs upstream, push outputs downstream. An end without any has no notifier. */
static int go_on(struct walk *walk, const struct element *e) {
  bool up = walk->kind == NOTIFIER_EMPTY, end = true;
  uint32_t count = up ? e->input_count : e->output_count;
  const struct port *ports = up ? e->inputs : e->outputs;
  for (uint32_t i = 0; i < count; i++) {
    if (ports[i].pull != up) continue;
    end = false;
    int status = visit(walk, &ports[i]);
    if (status < 0) return status;
  }
  if (end) walk->signal->always = true;
  return 0;
}

static int find(struct element *e, enum notifier_kind kind, const struct port *from, struct notifier_signal *signal) {
  struct walk walk = {.router = e->router, .kind = kind, .signal = signal};
  uint32_t count = e->router->element_count;
  walk.seen = memory_alloc(count * sizeof *walk.seen);
  walk.stack = memory_alloc(count * sizeof(struct element *));
  int status = walk.seen != NULL && walk.stack != NULL ? visit(&walk, from) : -ERROR_NO_MEMORY;
  while (status == 0 && walk.depth > 0)
    status = go_on(&walk, walk.stack[--walk.depth]);
  memory_free(walk.seen);
  memory_free((void *)walk.stack);
  return status;
}

static int listen(struct element *e, enum notifier_kind kind, const struct port *from, struct task *task,
                  struct notifier_signal *signal) {
  *signal = (struct notifier_signal){0};
  int status = find(e, kind, from, signal);
  for (uint32_t i = 0; status == 0 && task != NULL && i < signal->count; i++)
    status = add_listener(signal->notifiers[i], task);
  if (status == 0 && task != NULL && signal->always) task->polls = true;
  if (status < 0) notifier_signal_destroy(signal, task);
  return status;
}

int notifier_listen_upstream(struct element *e, unsigned input, struct task *task, struct notifier_signal *signal) {
  return listen(e, NOTIFIER_EMPTY, &e->inputs[input], task, signal);
}

int notifier_listen_downstream(struct element *e, unsigned output, struct task *task, struct notifier_signal *signal) {
  return listen(e, NOTIFIER_FULL, &e->outputs[output], task, signal);
}

/* --- signals --- */

bool notifier_signal_active(const struct notifier_signal *signal) {
  for (uint32_t i = 0; i < signal->count; i++) {
    if (notifier_active(signal->notifiers[i])) return true;
  }
  return signal->always;
}

bool notifier_signal_wait(const struct notifier_signal *signal, struct task *task) {
  if (notifier_signal_active(signal)) return false;
  task_unschedule(task);
  if (!notifier_signal_active(signal)) return true;
  /* Woken in between, perhaps before we unscheduled: then nobody else will schedule us. */
  task_schedule(task);
  return false;
}

void notifier_signal_destroy(struct notifier_signal *signal, struct task *task) {
  for (uint32_t i = 0; task != NULL && i < signal->count; i++)
    remove_listener(signal->notifiers[i], task);
  memory_free((void *)signal->notifiers);
  *signal = (struct notifier_signal){0};
}
