/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Names of Linux's eBPF helpers and map types, so that a refusal can say what it refuses. Which of them are offered is the business
 * of bpf/proto.h and bpf/map.h.
 */
#ifndef IMAGO_VERIFIER_NAMES_H
#define IMAGO_VERIFIER_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* "map_lookup_elem" for 1, without "bpf_" in front; NULL when Linux 6.1 has no such helper. */
const char *linux_helper_name(uint32_t id);
/* "hash" for 1; NULL when Linux 6.1 has no such map type. */
const char *linux_map_type_name(uint32_t type);

#endif
