/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the process platform share: the NICs it made, and the file descriptors that sleep waits for.
 */
#ifndef IMAGO_PLATFORM_PROCESS_HOST_H
#define IMAGO_PLATFORM_PROCESS_HOST_H

#include <poll.h>
#include <sys/un.h>
#include <time.h>

#include "packet/nic.h"
#include "platform/process/host_link.h"
#include "platform/process/process.h"

#define NANOSECONDS_PER_SECOND 1000000000u

static inline struct timespec timespec_of(uint64_t nanoseconds) {
  return (struct timespec){(time_t)(nanoseconds / NANOSECONDS_PER_SECOND),
                           (long)(nanoseconds % NANOSECONDS_PER_SECOND)};
}

/* A NIC and what the platform needs of it beside nic->ops. The kind's own struct begins with it. */
struct process_nic {
  struct nic nic;
  int fd;                                 /* sleep ends when it is readable and nic.receives; -1: none */
  int room_fd;                            /* sleep ends when it is writable; -1: none */
  void (*close)(struct process_nic *nic); /* frees it */
  const char *method;                     /* its kind, as METHOD names it; set by nic_open */
  struct host_link link;                  /* the host's interface that it is an end of, if any */
};

/* One for each kind; they take what stands behind the prefix: "FIRST,SECOND" or the name of an interface. nic.ops, fd, room_fd and
 * close are set; nic.pool comes later. NULL after reporting. */
struct process_nic *nic_pcap_open(const char *specification, struct report *report);
struct process_nic *nic_replay_open(const char *specification, struct report *report);
struct process_nic *nic_unix_open(const char *specification, struct report *report);
struct process_nic *nic_memory_open(const char *name, struct report *report);
struct process_nic *nic_tap_open(const char *name, struct report *report);
struct process_nic *nic_packet_open(const char *name, struct report *report);
struct process_nic *nic_xdp_open(const char *name, struct report *report);
/* Removes the socket file that an earlier run left at `address`: one that nobody listens on. Leaves live sockets alone, and
 * whatever is no socket. `type` is that of the socket. */
void socket_remove_stale(const struct sockaddr_un *address, int type);
/* Whether accept failed for want of descriptors or memory: the connection stays in the queue, and poll says at once that it is there. */
bool socket_accept_exhausted(int why);
/* Why bind failed, for a message. */
const char *socket_bind_error(const struct sockaddr_un *address, int why);
/* Splits "FIRST,SECOND" at the comma into two strings the caller frees with memory_free. False after reporting. */
bool nic_split(const char *specification, char **first, char **second, struct report *report);

/* Standard output, files and signals for elements (host.c). */
extern const struct host process_host;

/* watch.c, on worker 0: polls `others` (whose revents it fills in) and every watch, and calls the watches that have something. True
 * if there were any. timeout NULL: no end. */
bool process_watch_poll(struct pollfd *others, unsigned other_count, const struct timespec *timeout);
void process_watch_release(void);

/* Control socket and log descriptor (channel.c). */
int channel_setup(const struct process_options *options, struct report *report);
void channel_teardown(const struct process_options *options);
enum { CHANNEL_FDS = 2 };
/* Fills in what sleep waits for, and brings its end forward where something is to be tried again; returns how many of at most CHANNEL_FDS. */
unsigned channel_poll_fds(struct pollfd *fds, uint64_t *deadline);

#endif
