/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A small system around the elements under test: a fake clock, a NIC made of memory, a log that is text, and two
 * elements of its own: Inject, which pushes what the test gives it, and Capture, which keeps what arrives. Frames are
 * words of text, so that expectations read as "a1 b1 a2".
 */
#ifndef IMAGO_TESTS_ELEMENTS_HARNESS_H
#define IMAGO_TESTS_ELEMENTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "click/router.h"

enum { HARNESS_NICS = 2, HARNESS_PACKETS = 1024, HARNESS_FRAMES = 4096 };

/* A NIC that receives the words of `incoming` and appends what it is given to `sent`. */
struct memory_nic {
  struct nic nic;
  struct slice incoming;
  struct text sent;
  unsigned room;      /* what transmit_room says */
  unsigned accept;    /* how many packets one transmit takes at most */
  unsigned most_sent; /* largest count offered to one transmit */
};

/* The one system; reset by harness_start. */
struct harness {
  struct packet_pool pool;
  struct scheduler scheduler;
  struct router *router;
  struct memory_nic nic[HARNESS_NICS];
  struct text log;
  uint64_t now, tick; /* every reading of the clock adds tick */
  unsigned stops;     /* how often the driver was asked to stop */
  struct deferred *deferred;
  struct services services;
  struct version_floors floors;
  struct {
    const char *name;
    struct slice bytes;
  } files[4];
};
extern struct harness harness;

/* Prepares an empty system (harness_open), then builds the graph, which must be accepted without a word. */
void harness_open(void);
void harness_build(const char *config);
void harness_start(const char *config);
/* Takes all down; fails the test when a packet is not back in the pool. */
void harness_stop(void);
/* Runs what was deferred. */
void harness_quiesce(void);
/* A graph that must be refused; its messages must contain `message`. */
void harness_refuses(const char *config, const char *message);

/* Hot swap: a graph that must be accepted is made beside the one that is there, and takes its place. Warnings are in
 * harness_message. */
void harness_replace(const char *config);
/* A graph that must be refused beside the one that is there; messages must contain `message`. */
void harness_refuses_beside(const char *config, const char *message);

/* Pushes the words of `frames` out of Inject element `name`, at most `batch` packets at once. */
void harness_inject(const char *name, const char *frames, unsigned batch);
/* The words that Capture element `name` has kept, each followed by a space, until the next call; forgets them. */
const char *harness_captured(const char *name);
/* The packet that Capture element `name` kept last. */
struct packet *harness_last(const char *name);
/* Runs all tasks so often. */
void harness_run(unsigned rounds);
/* Moves the clock on by steps, and runs all tasks and timers after each. */
void harness_run_until(uint64_t end, uint64_t step);
/* Rounds until one does no work: as far as a worker goes before it sleeps. */
void harness_run_until_idle(void);
/* As a worker lives: rounds until one does no work, then sleep until the next timer, or for 100 us where a task polls. Returns how often it
 * slept. */
unsigned harness_live_until(uint64_t end);
/* Value of a handler, until the next call. */
const char *harness_read(const char *handler);
const char *harness_read_with(const char *handler, const char *parameter);
/* Reading must give this status, and messages that contain `message`. */
void harness_expect_refusal(const char *handler, const char *parameter, int status, const char *message);
unsigned long long harness_number(const char *handler);
/* Writes to a handler; returns the status. The messages are in harness_message until the next call. */
int harness_write(const char *handler, const void *value, size_t length);
const char *harness_message(void);
void harness_expect_write(const char *handler, const char *value, int status);

#endif
