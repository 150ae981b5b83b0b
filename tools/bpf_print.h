/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Verdicts, bytes and maps as text and as JSON.
 */
#ifndef IMAGO_TOOLS_BPF_PRINT_H
#define IMAGO_TOOLS_BPF_PRINT_H

#include <stdio.h>

#include "bpf/context.h"
#include "verifier/link.h"

/* "XDP_PASS", "TC_ACT_OK", or the number. */
void bpf_verdict_text(enum bpf_program_kind kind, uint64_t verdict, char *buffer, size_t size);
/* Two digits a byte. */
void bpf_print_hex(FILE *to, const void *bytes, size_t count);
/* Every map of the program: a heading, then an entry a line, as the program's types say. */
void bpf_print_maps(FILE *to, const struct linked_program *linked, struct bpf_map *const *maps);
/* {"MAP": [["KEY", "VALUE"], ...], ...} with bytes in hexadecimal. What a ring buffer holds is taken out, and has empty keys. */
void bpf_print_maps_json(FILE *to, struct bpf_map *const *maps, uint32_t count);

#endif
