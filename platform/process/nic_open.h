/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NICs by name, for the driver: FromDevice(eth0) and ToDevice(eth0) name a device of the host, and the right kind of NIC is made for
 * it when the graph asks first.
 */
#ifndef IMAGO_PLATFORM_PROCESS_NIC_OPEN_H
#define IMAGO_PLATFORM_PROCESS_NIC_OPEN_H

#include "lib/report.h"
#include "packet/nic.h"

/* Opens the device `name`: with the prefix of a kind ("pcap:IN,OUT", "unix:LOCAL,REMOTE", "tap:NAME" ...), or an interface of the
 * host: the other end of a tap where it is one that we may open, and otherwise through AF_PACKET. `method` is FromDevice's METHOD, in
 * upper or lower case: "TAP", "AF_PACKET" ...; NULL or "": the kind that the name suggests. 0 and *nic, which lives until nic_close
 * and whose name, MAC, MTU, link and queues the kind may have left zero, or a negative code after reporting. */
int nic_open(const char *name, const char *method, struct nic **nic, struct report *report) MUST_USE;
void nic_close(struct nic *nic);
/* Whether `method` (may be NULL or "") names another kind than the one that `nic` is of. Unknown names do. */
bool nic_is_other_kind(const struct nic *nic, const char *method);

#endif
