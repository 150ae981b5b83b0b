/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NICs by name, for the driver: FromDevice(eth0) and ToDevice(eth0) name a device of the host, and the right kind of NIC is made for
 * it when the graph asks first.
 */
#ifndef IMAGO_PLATFORM_PROCESS_NIC_OPEN_H
#define IMAGO_PLATFORM_PROCESS_NIC_OPEN_H

#include "lib/report.h"
#include "packet/nic.h"

/* Opens the device `name`: "pcap:IN,OUT", "unix:LOCAL,REMOTE", or what else a kind takes (a tap, an interface of the host). `method`
 * is FromDevice's METHOD, in upper or lower case: "PCAP", "UNIX" ...; NULL or "": the kind that name and privilege suggest. 0 and
 * *nic, which lives until nic_close and whose name, MAC, MTU, link and queues the kind may have left zero, or a negative code after
 * reporting. */
int nic_open(const char *name, const char *method, struct nic **nic, struct report *report) MUST_USE;
void nic_close(struct nic *nic);

#endif
