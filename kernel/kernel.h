/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The system as a whole: start-up order and the worker's loop. A platform calls kernel_run once, when memory, time, archive and
 * NICs are there; it returns only when the system is to end.
 */
#ifndef IMAGO_KERNEL_KERNEL_H
#define IMAGO_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the boot archive (config.click, bundles, keys/), builds the graph, runs it until somebody asks it to stop. Returns the exit
 * status: 0 after a clean stop, 1 when the configuration is refused (messages have gone to the console). */
int kernel_run(void);
/* Asks the running system to stop at the next quiescent point. From any thread or signal handler. */
void kernel_stop(void);
/* Stamps the boot chart, "MICROSECONDS NAME" in handler `boot`. `name` must live for ever. */
void kernel_boot_stamp(const char *name);
/* For fault reports: name, class and place of the element that runs in this thread: "fw :: BPFilter (fw.click:4)"; false when none. */
bool kernel_running_element(char *buffer, size_t size);
/* For fault reports: the symbol at or below address from the symbol file of the boot archive: "name+0x12"; false when unknown. */
bool kernel_symbol(unsigned long address, char *buffer, size_t size);

#endif
