/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Links one program out of clang's eBPF object: picks the entry function, pulls in the subprograms it calls, the programs that it tail
 * calls and the maps it uses, turns references to maps and global data into map references, and refuses whatever the unikernel does
 * not offer, by name. docs/bundle.md describes what an object may contain.
 */
#ifndef IMAGO_VERIFIER_LINK_H
#define IMAGO_VERIFIER_LINK_H

#include "bpf/context.h"
#include "bundle/writer.h"
#include "proof/plan.h"
#include "verifier/lines.h"
#include "verifier/type_table.h"

enum { LINK_MAX_PROGRAMS = BUNDLE_MAX_PROGRAMS, LINK_MAX_ENTRIES = BUNDLE_MAX_ENTRIES };

struct link_options {
  const char *file;        /* the object's name, for messages */
  const char *name;        /* program name: global data becomes the maps NAME.data, NAME.rodata, NAME.bss */
  const char *program;     /* ELF section or function; NULL: the only program there is */
  const char *const *sets; /* "NAME=VALUE": what constants (const volatile) are to be */
  unsigned set_count;
  const char *const *tunables; /* "NAME=MIN..MAX": what may be chosen later, with what the object declares */
  unsigned tunable_count;
};

/* A function that is not static, and may be verified alone. */
struct linked_function {
  const char *name; /* in the object's bytes */
  uint32_t start;   /* in the program's instructions */
  bool typed;       /* the object says what it takes, and it can be told: */
  struct proof_argument argument[PROOF_ARGUMENTS];
};

/* An entry function with all functions that it calls. */
struct linked_code {
  char section[BUNDLE_NAME_MAX];
  char function[BUNDLE_NAME_MAX];
  enum bpf_program_kind kind;
  struct bpf_insn *insns;
  uint32_t insn_count;
  struct linked_function *functions;
  uint32_t function_count;
  struct line_table lines;
};

/* Owns everything it points to. All code has passed bpf_check. */
struct linked_program {
  struct linked_code code[LINK_MAX_PROGRAMS]; /* [0] is the program that was chosen, the others are tail called */
  uint32_t code_count;
  struct bpf_map_def maps[BPF_MAX_MAPS]; /* those that any of them refers to, in order of first reference */
  struct slice
      initial[BPF_MAX_MAPS]; /* initial value of entry 0: in the object's bytes, zeros, or own[]; length 0: none */
  char *own[BPF_MAX_MAPS];   /* copies, where constants were set */
  uint32_t map_count;
  struct bundle_entry *entries;
  uint32_t entry_count;
  struct type_table types;
  struct bundle_map_types map_types[BPF_MAX_MAPS]; /* of keys and values */
  struct bundle_tunable tunables[BUNDLE_MAX_TUNABLES];
  uint32_t tunable_count;
};

/* Links the object in bytes, which must outlive the program. Untrusted bytes are fine. On success *program is freed by link_free;
 * on failure it is left alone and the report says why, with the source line where the object has line information. */
int link_object(const uint8_t *bytes, size_t length, const struct link_options *options,
                struct linked_program **program, struct report *report) MUST_USE;
void link_free(struct linked_program *program);
/* Of all programs together. */
uint32_t link_insn_count(const struct linked_program *program);

#endif
