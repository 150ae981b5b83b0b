/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What every element shares: dropping, the push and pull of simple elements, and the classes linked into this program.
 */
#include "click/element.h"

_Thread_local const struct element *element_running;
_Thread_local bool element_pulled_in_vain;

void element_simple_push(struct element *e, unsigned port, struct batch *batch) {
  (void)port;
  e->class->simple(e, batch);
  element_push(e, 0, batch);
}

void element_simple_pull(struct element *e, unsigned port, struct batch *batch, unsigned max) {
  (void)port;
  if (batch->count == 0) {
    element_pull(e, 0, batch, max);
    if (batch->count == 0) return;
    e->class->simple(e, batch);
    if (batch->count == 0) element_pulled_in_vain = true;
    return;
  }
  /* `simple` must see only what is pulled now, not what was in the batch before. */
  struct batch fresh;
  fresh.count = 0;
  element_pull(e, 0, &fresh, max);
  if (fresh.count == 0) return;
  e->class->simple(e, &fresh);
  if (fresh.count == 0) element_pulled_in_vain = true;
  memcpy(batch->packet + batch->count, fresh.packet, fresh.count * sizeof *fresh.packet);
  batch->count += fresh.count;
}

void element_drop(struct element *e, unsigned reason, struct packet *p) {
  counter_add(&e->drops[reason], 1);
  packet_kill(p);
}

void element_drop_batch(struct element *e, unsigned reason, struct batch *batch) {
  if (batch->count == 0) return;
  counter_add(&e->drops[reason], batch->count);
  batch_kill(batch);
  batch->count = 0;
}

/* Set by the linker; both NULL in a program without any element. */
extern const struct element_class *const __start_imago_elements[] __attribute__((weak, visibility("hidden")));
extern const struct element_class *const __stop_imago_elements[] __attribute__((weak, visibility("hidden")));

unsigned element_class_count(void) {
  return (unsigned)(((uintptr_t)__stop_imago_elements - (uintptr_t)__start_imago_elements) /
                    sizeof *__start_imago_elements);
}

const struct element_class *element_class_at(unsigned index) { return __start_imago_elements[index]; }

const struct element_class *element_class_find(const char *name) {
  for (unsigned i = 0; i < element_class_count(); i++) {
    if (strcmp(element_class_at(i)->name, name) == 0) return element_class_at(i);
  }
  return NULL;
}

const struct element_class *element_class_nearest(const char *name) {
  struct nearest nearest;
  nearest_init(&nearest, slice_of(name));
  for (unsigned i = 0; i < element_class_count(); i++)
    nearest_consider(&nearest, element_class_at(i)->name);
  return nearest.best ? element_class_find(nearest.best) : NULL;
}
