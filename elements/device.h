/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What FromDevice and ToDevice share: finding the NIC (packet/nic.h), and showing its counters.
 */
#ifndef IMAGO_ELEMENTS_DEVICE_H
#define IMAGO_ELEMENTS_DEVICE_H

#include "click/element.h"
#include "click/router.h"

/* Measured through FromDevice, Counter, Queue and ToDevice on a NIC of memory: a packet costs about 230 ns in bursts
 * of 1, 60 in bursts of 32, and larger bursts gain little more, while they make the first packet wait longer. */
enum { DEVICE_BURST = 32 };

/* Configuration that both elements share; the first member of each. */
struct device {
  struct element element;
  char *name;
  char *method; /* NULL: what the name suggests */
  uint32_t burst;
  struct nic *nic;
};

#define DEVICE_NAME_HELP "the interface: of the host, pcap:IN,OUT, unix:LOCAL,REMOTE ...; of an image eth0, eth1 ..."
#define DEVICE_METHOD_HELP \
  "the kind of interface: TAP, AF_PACKET (or LINUX), AF_XDP, PCAP, REPLAY, UNIX, MEMORY (what the name suggests)"

/* Checks BURST. 0 or a negative code after reporting. */
int device_check_burst(const struct device *d, struct report *report) MUST_USE;
/* Finds the NIC, or opens it. A queue belongs to one element in each direction: two readers would take turns in stealing packets,
 * and two writers would clear each other's nic->tx_waiting; `fix` says what to do instead. 0 or a negative code after reporting. */
int device_take(struct device *d, const char *fix, struct report *report) MUST_USE;
/* The NIC of that index, if an element of the router has it; otherwise NULL. Once all are initialized. */
const struct nic *device_nic(const struct router *router, unsigned index);
/* d->nic->stats, as new as can be. */
const struct nic_stats *device_stats(const struct device *d);
/* Handler `stats`. The owner is a struct device. */
int device_read_stats(void *owner, const struct handler *handler, struct slice parameter, struct text *out,
                      struct report *report);

#endif
