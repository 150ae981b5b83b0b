/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Types of map keys and values, as much of BTF as printing and reading them needs: a table in which a type refers to earlier ones
 * only, made by the linker and carried in bundles. Formatting and parsing of values by type.
 */
#ifndef IMAGO_BPF_TYPES_H
#define IMAGO_BPF_TYPES_H

#include "lib/report.h"

enum bpf_type_kind {
  BPF_TYPE_BYTES,    /* anything that is not described: hexadecimal */
  BPF_TYPE_UNSIGNED, /* 1, 2, 4 or 8 bytes */
  BPF_TYPE_SIGNED,   /* the same */
  BPF_TYPE_BOOL,     /* 1 byte */
  BPF_TYPE_CHAR,     /* 1 byte; an array of them is text */
  BPF_TYPE_ENUM,     /* as BPF_TYPE_SIGNED, with names: members are the enumerators */
  BPF_TYPE_STRUCT,   /* also unions: members may overlap */
  BPF_TYPE_ARRAY,    /* `count` elements of type `first` */
};

/* 16 bytes, as it stands in a bundle. */
struct bpf_type {
  uint8_t kind; /* enum bpf_type_kind */
  uint8_t zero[3];
  uint32_t size;  /* bytes */
  uint32_t first; /* struct, enum: index of its first member; array: type of the elements */
  uint32_t count; /* members, elements */
};

/* 16 bytes, as it stands in a bundle. */
struct bpf_type_member {
  uint32_t name;     /* offset into the names */
  uint32_t type;     /* of a struct: below the index of the struct; of an enumerator: 0 */
  uint32_t position; /* of a struct: bits from its start; of an enumerator: its value */
  uint32_t bits;     /* width of a bit-field, 0: a whole member */
};

struct bpf_types {
  const struct bpf_type *types;
  const struct bpf_type_member *members;
  const char *names; /* NUL-terminated each, the last byte is NUL */
  uint32_t type_count, member_count, names_length;
};

enum {
  BPF_TYPES_MAX = 4096,
  BPF_TYPES_MAX_DEPTH = 16, /* structs and arrays inside one another */
  BPF_TYPES_MAX_ELEMENTS = 65536,
};
#define BPF_NO_TYPE UINT32_MAX

/* Everything inside its bounds, every type made of earlier ones, sizes that add up. Must pass before anything below. 0 or
 * -ERROR_INVALID, -ERROR_TOO_BIG. */
int bpf_types_check(const struct bpf_types *types, struct report *report) MUST_USE;

enum bpf_text_style { BPF_STYLE_TEXT, BPF_STYLE_JSON };

/* Adds the value, size bytes, of that type; BPF_NO_TYPE (types may then be NULL), or a type of another size: hexadecimal. Text:
 * 5, -1, true, "eth0", [1 2], {packets 3 bytes 180}, 0a0b0c; JSON: the same in its notation, bytes as "0x0a0b0c". */
void bpf_types_format(struct text *out, const struct bpf_types *types, uint32_t type, const void *value, uint32_t size,
                      enum bpf_text_style style);
/* Reads a value, size bytes, from its JSON, from hexadecimal bytes (0x0a0b0c in memory order, exactly `size` of them), or, when
 * it is a number or has no type and at most 8 bytes, from a decimal number. Members that are not named are 0. 0 or
 * -ERROR_INVALID with the reason; then the value is undefined. */
int bpf_types_parse(struct slice text, const struct bpf_types *types, uint32_t type, void *value, uint32_t size,
                    struct report *report) MUST_USE;

#endif
