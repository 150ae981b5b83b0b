/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A good bundle with something of everything, and bad ones made of its parts: each is given a right hash and signature again, so that it is
 * bad in one way only.
 */
#ifndef IMAGO_TESTS_BUNDLE_GOOD_BUNDLE_H
#define IMAGO_TESTS_BUNDLE_GOOD_BUNDLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "bundle/wire.h"
#include "bundle/writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What it has. TAIL: the first instruction of the program that is tail called. */
enum { TAIL = 3 };
extern const struct bpf_insn good_insns[5];
extern const struct bundle_program good_programs[2];
extern const struct bundle_entry good_entries[2];
extern const struct bpf_map_def good_maps[6];
extern const struct slice good_initial[6];
extern const struct bundle_line good_lines[2];
extern const struct bpf_type good_types[3];
extern const struct bpf_type_member good_members[3];
extern const char good_names[9];
extern const struct bundle_map_types good_map_types[6];
extern const struct bundle_tunable good_tunables[2];
struct bundle_description good_description(void);

/* For cmocka: writes it, signed with good_secret, and frees it. */
extern uint8_t good_secret[BUNDLE_SECRET_KEY_SIZE];
extern struct bundle_key good_key;
extern struct text good;
int good_set_up(void **state);
int good_tear_down(void **state);

/* Aligned copy of exactly this length, so that sanitizers see a read past the end. */
uint8_t *good_copy_of(const void *bytes, size_t length);
/* Offset of the n-th section of a type, and its size with its header. */
size_t good_section_at(uint32_t type, unsigned n);
size_t good_section_size(uint32_t type, unsigned n);
/* Gives it a right hash and signature. */
void good_seal(uint8_t *bytes, size_t length);
/* Parses and expects the error (0: none) and that the report says so. */
void expect_parse(const char *what, const uint8_t *bytes, size_t length, int error, const char *says);

#endif
