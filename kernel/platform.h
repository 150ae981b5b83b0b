/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The contract of a platform: what kernel/ needs from platform/vm and platform/process. Only kernel/ includes this. Unless said
 * otherwise, functions are called from any worker, block never, and cannot fail.
 */
#ifndef IMAGO_KERNEL_PLATFORM_H
#define IMAGO_KERNEL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "click/host.h"
#include "lib/report.h"
#include "lib/string.h"
#include "lib/text.h"
#include "packet/nic.h"

/* --- output that needs nothing --- */

/* Writes to the console of last resort (serial port, standard error). Works in every state. Slow: only for failures. */
void platform_early_write(const char *text, size_t length);

/* --- time --- */

uint64_t platform_now(void);  /* monotonic nanoseconds, 0 at the first instruction */
uint64_t platform_wall(void); /* nanoseconds since 1970-01-01, 0 when the platform has no wall clock */
/* Cryptographic quality where the platform has it. */
void platform_random(void *bytes, size_t length);

/* --- events --- */

/* Returns at `deadline` (platform_now time; UINT64_MAX: never) or when a NIC armed before or a channel has something, or for
 * no reason. */
void platform_sleep(uint64_t deadline);
/* Ends the platform_sleep of a worker, or its next one. From any thread or signal handler. */
void platform_wake(unsigned worker);
/* Gives way for a moment: in loops that wait for another worker. */
void platform_relax(void);

/* Worker 0, between two rounds: gives what the platform itself watches (sockets, taps) its turn. True if there was anything. */
bool platform_poll(void);

/* --- the host around the system --- */

/* NULL where there is none: in a VM. */
const struct host *platform_host(void);

/* --- what the system was started with --- */

struct slice platform_archive(void);      /* boot archive: newc cpio; data NULL when there is none */
struct slice platform_command_line(void); /* "" when there is none */
const char *platform_name(void);          /* "vm" or "process" */

/* --- memory --- */

/* Hands over at least `least` bytes more (over 0), and says in *length how many: zeroed and writable, never executable, in whole pages, where
 * possible right behind what it handed over before. NULL: there is not so much. VM: physical memory, below 2 GiB first. */
void *platform_memory_grow(size_t least, size_t *length);
uint64_t platform_memory_total(void); /* bytes of RAM the system has (-m); process: 0 */

/* --- devices --- */

unsigned platform_nic_count(void);
struct nic *platform_nic(unsigned index); /* in stable order: eth0 first */
/* The device that the host knows by `name`, opened when it was not yet: 0 and *nic, which platform_nic has from then on (and whose
 * pool is NULL when it is new), or a negative code after reporting, as where it is open by another `method`, which may be NULL. VM:
 * its devices are all there from the start, and of one kind. */
int platform_nic_open(const char *name, const char *method, struct nic **nic, struct report *report);
/* Brings up devices that are not needed for the first packet (consoles). Called once, after the graph runs. */
void platform_late_start(void);

/* --- channels: byte streams of the control port and the log port --- */

enum platform_channel { PLATFORM_CHANNEL_CONTROL, PLATFORM_CHANNEL_LOG, PLATFORM_CHANNEL_COUNT };

/* True while a client is connected. *generation changes with every new client, so that a session can be reset even when a close
 * and an open fall between two polls. */
bool platform_channel_open(enum platform_channel channel, uint32_t *generation);
/* Takes up to size bytes that the client sent. 0: none now. What a former client had sent is not among them. */
size_t platform_channel_read(enum platform_channel channel, void *bytes, size_t size);
/* Takes at most length bytes for the client; returns how many. Fewer: it is full, try again later. */
size_t platform_channel_write(enum platform_channel channel, const void *bytes, size_t length);
/* Hands written bytes to the client: one doorbell for many writes. */
void platform_channel_flush(enum platform_channel channel);
/* Drops the client after what was written has gone out. VM: cannot; the next generation comes when the client closes. */
void platform_channel_close(enum platform_channel channel);

/* --- workers --- */

unsigned platform_worker_count(void); /* how many the platform offers */
/* Runs run(worker) on a processor or thread of its own; worker 0 is the caller of kernel_run. 0 or a negative code. */
int platform_worker_start(unsigned worker, void (*run)(unsigned worker)) MUST_USE;
/* Returns when all that were started have returned. */
void platform_worker_join(void);

/* --- boot chart and facts for handlers --- */

/* Stamps of what the platform did before kernel_run, as lines "MICROSECONDS NAME". */
void platform_boot_chart(struct text *out);
/* Lines "NAME VALUE" for the handler `platform`: accelerator, CPU, nucleus calls, register accesses, features. */
void platform_facts(struct text *out);
/* Lines for the handler `security`: what isolation holds here and what does not. */
void platform_security(struct text *out);

/* --- the end --- */

/* Ends the system: status 0 is a clean shutdown. Does not return. */
_Noreturn void platform_shutdown(int status);
/* Prints `why`, registers where there are any, the running element and a backtrace, and ends with the panic status. */
_Noreturn void platform_panic(const char *why);

#endif
