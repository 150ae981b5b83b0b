/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the tests of Socket share: plain sockets for the other side, in a directory or at an address of this process alone, and the running of
 * the graph until something has happened.
 */
#ifndef IMAGO_TESTS_ELEMENTS_SOCKETS_H
#define IMAGO_TESTS_ELEMENTS_SOCKETS_H

#include <netinet/in.h>
#include <sys/un.h>

#include "tests/unit/elements/harness.h"

enum { PATIENCE_S = 30 };

extern char directory[];

/* --- the other side --- */

/* A socket that waits no longer than PATIENCE_S for what is to come. */
int plain_socket(int family, int kind);
/* A file of the test's own directory. */
struct sockaddr_un file_address(const char *name);
int bound_file(const char *name, int kind);
int connected_file(const char *name, int kind);
/* The loopback address of this process alone, so that a port that was free stays so: 127.A.B.1. */
struct sockaddr_in our_address(unsigned port);
/* A (1) and B (2) of it. */
unsigned address_byte(unsigned i);
const char *our_ip(void);
/* Binds to a port that is free. */
struct sockaddr_in loopback(int fd);
unsigned free_port(int kind);
int connected_tcp(unsigned port);
/* The next bytes are these. */
void expect_received(int fd, const char *expected);

/* --- our side --- */

/* The graph, from a format. */
void start(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits up to a millisecond for descriptors; one round of the graph. */
void step(void);
/* Runs the graph until `handler` says `expected`. */
void run_until(const char *handler, unsigned long long expected);
/* How many packets element s dropped under this name, a blank behind it; and until they are so many. */
unsigned long long drops(const char *name);
void run_until_dropped(const char *name, unsigned long long expected);
/* A few rounds in which nothing is expected to happen. */
void run_a_while(void);

/* For the group of tests: the directory, which is empty in the end. */
int make_directory(void **state);
int remove_directory(void **state);

#endif
