/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Intrusive doubly linked list with a sentinel head.
 */
#ifndef IMAGO_LIB_LIST_H
#define IMAGO_LIB_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
  struct list *next, *previous;
};

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *head) { head->next = head->previous = head; }
static inline bool list_empty(const struct list *head) { return head->next == head; }
static inline void list_insert_before(struct list *at, struct list *node) {
  node->previous = at->previous;
  node->next = at;
  at->previous->next = node;
  at->previous = node;
}
static inline void list_append(struct list *head, struct list *node) { list_insert_before(head, node); }
/* Unlinks and leaves the node empty, so that a second removal is harmless. */
static inline void list_remove(struct list *node) {
  node->previous->next = node->next;
  node->next->previous = node->previous;
  list_init(node);
}

#endif
