/* SPDX-License-Identifier: BSD-3-Clause
 *
 * State of one link, shared by the parts of the linker: link.c chooses programs and places functions, link_resolve.c resolves what
 * instructions refer to, link_functions.c says what global functions take, link_maps.c makes maps of declarations and of global data,
 * link_set.c and link_tunables.c look after constants. Private to verifier/.
 */
#ifndef IMAGO_VERIFIER_LINKER_H
#define IMAGO_VERIFIER_LINKER_H

#include "verifier/layout.h"
#include "verifier/link.h"
#include "verifier/type_info.h"

enum { INSN_SIZE = sizeof(struct bpf_insn) };

struct placed_function {
  const struct object_symbol *symbol;
  uint32_t start, count; /* in the program that is being linked */
};

struct linker {
  const struct link_options *options;
  struct report *report;
  struct object object;
  struct btf *btf;
  struct layout layout;
  struct linked_program *program;
  struct linked_code *code; /* the one of program->code that is being linked */
  struct placed_function *functions;
  uint32_t function_count;
  uint32_t capacity; /* of functions and instructions */
  /* Which variable in .maps or maps, or which data section (offset 0), each map of the program stands for. */
  struct {
    uint32_t section;
    uint64_t offset;
  } map_origin[BPF_MAX_MAPS];
  const struct object_symbol *entries[LINK_MAX_PROGRAMS]; /* of program->code */
};

/* One instruction on its way into the program. */
struct site {
  const struct placed_function *function;
  uint32_t index; /* in the function */
  struct bpf_insn *insn;
  const struct layout_slot *slot;
};

/* Byte offset of the instruction in its section. */
static inline uint64_t site_offset(const struct site *site) {
  return site->function->symbol->value + (uint64_t)site->index * INSN_SIZE;
}

/* An error at an instruction: source line when known, otherwise object, function and byte. */
int linker_refuse(const struct linker *l, const struct site *site, enum error code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The function that starts at a byte offset of a section, placed: *start is its first instruction. (link.c) */
int linker_place(struct linker *l, const struct site *site, uint32_t section, uint64_t offset,
                 uint32_t *start) MUST_USE;
/* The number of the program whose entry is that function; it is linked later if it is new. (link.c) */
int linker_program(struct linker *l, const struct site *site, const struct object_symbol *entry,
                   uint32_t *number) MUST_USE;

/* Resolves all references of the function's instructions. (link_resolve.c) */
int linker_resolve(struct linker *l, struct placed_function function) MUST_USE;

/* Collects the global functions of l->code, once all are placed. -ERROR_NO_MEMORY. (link_functions.c) */
int linker_describe_functions(struct linker *l) MUST_USE;

/* The map for the variable at that place of .maps or maps, or for a section of global data. (link_maps.c) */
int linker_declared_map(struct linker *l, const struct site *site, uint32_t section, uint64_t offset,
                        uint32_t *index) MUST_USE;
int linker_data_map(struct linker *l, const struct site *site, uint32_t section, uint32_t *index) MUST_USE;
/* True for .data, .rodata and .bss, and such names with a suffix. */
bool linker_is_data(const char *section);
/* A number among the object's constants. */
struct constant {
  uint32_t map; /* index; UINT32_MAX: in a section that the program doesn't refer to */
  uint32_t offset, size;
  bool is_signed, is_bool, is_volatile;
};
/* What can be set under that name; it lies inside the initial value of its map. Otherwise reports why not. (link_set.c) */
int linker_find_constant(const struct linker *l, struct slice name, struct constant *constant) MUST_USE;
/* Gives constants the values of options->sets, once all maps are there. (link_set.c) */
int linker_set_constants(struct linker *l) MUST_USE;
/* Collects the tunables that the object declares and options->tunables adds, once constants have their values. (link_tunables.c) */
int linker_declare_tunables(struct linker *l) MUST_USE;

#endif
