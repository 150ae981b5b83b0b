/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of the whole system as a process share: each case runs process_run in a child, as there is one system per process, and
 * talks to its control socket. Files lie in a folder of the test's own.
 */
#ifndef IMAGO_TESTS_KERNEL_CHILDREN_H
#define IMAGO_TESTS_KERNEL_CHILDREN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* after the above, as it asks */
#include <cmocka.h>

#include "platform/process/process.h"

enum { DEADLINE_MS = 10000, FRAMES = 1000 };

/* A child that runs the system; its standard error is a pipe. */
struct child {
  pid_t pid;
  int errors;
};

/* The path of a file there; good for the next seven calls. */
const char *in_folder(const char *name);
/* A boot archive with this configuration, or without one (NULL). */
struct text archive_of(const char *config);
struct child start_child(const struct process_options *options);
/* What it wrote to standard error, and its exit status. */
int end_child(struct child child, char *errors, size_t size);

/* Waits until the socket is there. */
int connect_control(const char *path);
/* Reads until the text ends in `end`, within the deadline. */
void expect_end(int fd, const char *end, char *text, size_t size);
void send_line(int fd, const char *line);
/* Reads a handler: the text behind DATA into value. */
void read_handler(int fd, const char *name, char *value, size_t size);

/* Frame i has 60 + i % 1000 bytes, each i + its place. */
size_t make_frame(unsigned i, uint8_t *frame);
/* A capture of so many of these frames, and the check that a file is one. */
void write_capture(const char *path, unsigned count);
void check_capture(const char *path, unsigned count);

/* For the group of tests. */
int make_folder(void **state);
int remove_folder(void **state);

#endif
