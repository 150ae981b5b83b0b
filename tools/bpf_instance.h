/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A linked program brought to life in this process, without bundle and element: its maps are made and filled, its programs prepared
 * and, if wanted, compiled. For `imago bpf` and tests.
 */
#ifndef IMAGO_TOOLS_BPF_INSTANCE_H
#define IMAGO_TOOLS_BPF_INSTANCE_H

#include "bpf/facts.h"
#include "bpf/program.h"
#include "verifier/link.h"

struct bpf_instance {
  struct bpf_program programs[LINK_MAX_PROGRAMS]; /* [0] is the entry */
  uint32_t program_count;
  struct bpf_map *maps[BPF_MAX_MAPS]; /* one reference each */
  uint32_t map_count;
};

/* `native`: compile all programs. 0 or a negative code after reporting; either way bpf_instance_free. */
int bpf_instance_make(struct bpf_instance *instance, const struct linked_program *linked, bool native,
                      struct report *report) MUST_USE;
/* What a proof shows of every instruction. Free `facts` with memory_free. */
struct bpf_proven {
  struct bpf_fact *facts;
  const struct bpf_fact *of[LINK_MAX_PROGRAMS]; /* in facts: those of program i */
};

/* Verifies the programs and checks the proof (bpf_prove.c). `object` is for messages. -ERROR_INVALID after reporting, as imago verify does,
 * when there is no proof. */
int bpf_prove(const struct linked_program *linked, const char *object, struct bpf_proven *proven,
              struct report *report) MUST_USE;
/* Compiles all programs of an instance that was made without, by a proof that they are safe: without checks. Otherwise as
 * bpf_prove. */
int bpf_instance_prove(struct bpf_instance *instance, const struct linked_program *linked, const char *object,
                       struct report *report) MUST_USE;
void bpf_instance_free(struct bpf_instance *instance);

/* The map of that name, or NULL. */
struct bpf_map *bpf_instance_map(const struct bpf_instance *instance, struct slice name);

/* Time, random numbers and trace output (standard error) of this process. */
extern const struct bpf_environment bpf_instance_environment;

#endif
