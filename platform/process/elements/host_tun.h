/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What KernelTun, KernelTap, FromHost and ToHost share: an element that has a tun or tap interface of the host (platform/process/tun.h).
 * A watch wakes a task when the host has sent something; the task reads bursts until there is no more.
 *
 * In a hot swap the interface stays: an element that asks for one that the graph before has open takes it over, whatever the
 * names of both; without DEVNAME, from its namesake.
 */
#ifndef IMAGO_PLATFORM_PROCESS_ELEMENTS_HOST_TUN_H
#define IMAGO_PLATFORM_PROCESS_ELEMENTS_HOST_TUN_H

#include "click/address.h"
#include "click/element.h"
#include "click/scheduler.h"
#include "platform/process/tun.h"
#include "platform/process/watch.h"

/* Bytes of a packet's buffer, headroom and frame together. */
enum { HOST_TUN_ROOM = PACKET_BUFFER_SIZE - (int)sizeof(struct packet) };

/* Drop counters of every class that sends or receives here. */
enum host_tun_drop {
  HOST_TUN_TOO_LONG, /* for the buffer, or sent and longer than the MTU */
  HOST_TUN_TOO_SHORT,
  HOST_TUN_NOT_IP,
  HOST_TUN_NO_HEADER, /* sent without a network header mark */
  HOST_TUN_WRITE_FAILED,
};
extern const char *const host_tun_drops[];

struct host_tun {
  struct element element;
  /* Arguments. */
  char *wanted; /* interface name or pattern; NULL: the host's choice */
  struct ip_prefix address;
  struct ip6_prefix address6;
  uint32_t gateway; /* 0: none */
  uint8_t ether[6];
  bool ether_given, address6_given, headroom_given, tap, ignore_overflows;
  uint32_t mtu, headroom, burst;
  /* Set by configure. */
  bool
      kernel; /* KernelTun, KernelTap: MTU is the interface's, addresses that are refused are warnings, all packets are taken */
  bool mark_ip;   /* find and mark the IP header of what is read */
  uint32_t frame; /* longest that is read, link-layer header included */
  /* The interface. */
  bool open, watched;
  int fd;
  char name[TUN_NAME_SIZE];
  struct process_watch watch;
  struct task receive, send;
  struct notifier_signal room;   /* downstream of FromHost */
  struct notifier_signal signal; /* upstream of a pull input */
  bool read_failed;              /* said so */
  uint64_t wakes, packets;
};

/* Life, as in struct element_class. Classes that have these are known to each other in a hot swap. */
int host_tun_initialize(struct element *e, struct report *report);
void host_tun_commit(struct element *e);
void host_tun_take_state(struct element *e, struct element *old, struct report *report);
void host_tun_cleanup(struct element *e);

/* Checks HEADROOM against the longest frame; `text` is the message when it is too big. */
int host_tun_check_headroom(const struct host_tun *t, const char *text, struct report *report) MUST_USE;

/* Writes the packets to the interface and kills them; `sender` counts the drops and speaks. Any worker. */
void host_tun_send(struct host_tun *t, struct element *sender, const struct batch *batch);

int host_tun_read_name(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                       struct report *report);

#endif
