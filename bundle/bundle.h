/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bundle: one signed file that carries one linked eBPF program. docs/bundle.md is the format's specification. The reader
 * (this header, freestanding) looks at nothing but the fixed header before the signature holds, and afterwards parses the
 * very bytes that were signed.
 */
#ifndef IMAGO_BUNDLE_BUNDLE_H
#define IMAGO_BUNDLE_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/context.h"
#include "bpf/isa.h"
#include "bpf/map.h"
#include "bpf/types.h"
#include "lib/report.h"

/* Header, little-endian, BUNDLE_HEADER_SIZE bytes:
 *    0  8  magic "IMAGOBPF"
 *    8  4  format version, 2
 *   12  4  total length in bytes: header, sections and the 64-byte signature at the end
 *   16 16  key id: the first 16 bytes of SHA-512 of the signer's raw 32-byte public key
 * then sections, each: 4 bytes type, 4 bytes length of the payload, payload, zero bytes up to a multiple of 8; then the
 * Ed25519 signature over everything before it. */
enum {
  BUNDLE_HEADER_SIZE = 32,
  BUNDLE_SIGNATURE_SIZE = 64,
  BUNDLE_KEY_ID_SIZE = 16,
  BUNDLE_PUBLIC_KEY_SIZE = 32,
  BUNDLE_HASH_SIZE = 32,
  BUNDLE_MAX_SIZE = 4 << 20,
  BUNDLE_NAME_MAX = 64,      /* with the NUL */
  BUNDLE_AUDIENCE_MAX = 128, /* with the NUL */
  BUNDLE_MAX_PROGRAMS = 32,
  BUNDLE_MAX_ENTRIES = 4096,
  BUNDLE_MAX_TUNABLES = 64,
};
#define BUNDLE_MAGIC "IMAGOBPF"

/* Sections stand in ascending order of type, and DATA sections in ascending order of map index, so that one content has one
 * form. META, INSNS and HASH must be there. Layouts of the payloads: bundle/wire.h. */
enum bundle_section {
  BUNDLE_SECTION_META = 1,  /* struct bundle_meta_wire */
  BUNDLE_SECTION_MAPS = 2,  /* array of struct bundle_map_wire */
  BUNDLE_SECTION_INSNS = 3, /* array of struct bpf_insn: all programs, one behind the other */
  BUNDLE_SECTION_DATA =
      4, /* struct bundle_data_wire, then the initial value of entry 0 of that array map; may repeat */
  BUNDLE_SECTION_LINES = 5, /* struct bundle_lines_wire, struct bundle_line_wire ..., file names; for messages only */
  BUNDLE_SECTION_PROGRAMS = 6, /* array of struct bundle_program_wire: the programs behind the entry */
  BUNDLE_SECTION_ENTRIES = 7,  /* array of struct bundle_entry_wire: what stands in maps of programs and of maps */
  BUNDLE_SECTION_TYPES = 8,    /* struct bundle_types_wire, struct bpf_type ..., struct bpf_type_member ..., per map a
                                  struct bundle_map_types, names; for handlers that show maps */
  BUNDLE_SECTION_TUNABLES = 9, /* array of struct bundle_tunable_wire: constants that may be chosen, and their ranges */
  BUNDLE_SECTION_PROOF = 10,   /* the proof that its programs are safe, for all of them: docs/proof.md */
  BUNDLE_SECTION_HASH = 255,   /* content hash: first 32 bytes of SHA-512 over all sections before it */
};

/* A key the system trusts. */
struct bundle_key {
  uint8_t public_key[BUNDLE_PUBLIC_KEY_SIZE];
  uint8_t id[BUNDLE_KEY_ID_SIZE];
  char name[32]; /* file name in the boot archive, for messages */
};

struct bundle_meta {
  char name[BUNDLE_NAME_MAX];         /* program name: [A-Za-z0-9_.-]+ */
  uint64_t version;                   /* 1 or more */
  char audience[BUNDLE_AUDIENCE_MAX]; /* glob over element names; "*" is any */
  char section[BUNDLE_NAME_MAX];      /* ELF section, for example "xdp" */
  enum bpf_program_kind kind;         /* of all its programs */
};

/* One program of a bundle: the slots start..start + count of its instructions. */
struct bundle_program {
  char function[BUNDLE_NAME_MAX]; /* the name of its entry function; of the first program, which is the entry: "" */
  uint32_t start, count;
};

/* What stands in a program array (target: number of a program) or a map of maps (target: number of a map) at the start. */
struct bundle_entry {
  uint32_t map, index, target;
};

/* Types of a map's keys and values: index in the bundle's types, or BPF_NO_TYPE. */
struct bundle_map_types {
  uint32_t key, value;
};

/* A constant of the programs whose value may be chosen within a range, when they are loaded and while they run (bundle/tunable.h).
 * Its map is constant but for its tunables (bundle_map_is_constant). */
struct bundle_tunable {
  char name[BUNDLE_NAME_MAX]; /* the variable's */
  uint32_t map;
  uint32_t offset; /* in the map's value; a multiple of size */
  uint32_t size;   /* 1, 2, 4 or 8 bytes */
  bool is_signed;
  uint64_t least, most; /* the range, both included; sign-extended to 64 bits if it is signed */
};

/* What bundle_parse gives: views into the bytes and small copies. Valid as long as the bytes are. */
struct bundle {
  struct bundle_meta meta;
  uint8_t key_id[BUNDLE_KEY_ID_SIZE];
  uint8_t hash[BUNDLE_HASH_SIZE];
  const struct bundle_key *key; /* the trusted key that signed it; bundle_parse leaves NULL, the caller fills in */
  const struct bpf_insn *insns; /* aligned to 8 in the bytes */
  uint32_t insn_count;          /* of all programs */
  struct bundle_program programs[BUNDLE_MAX_PROGRAMS]; /* at least one */
  uint32_t program_count;
  struct slice entries; /* raw BUNDLE_SECTION_ENTRIES payload: bundle_entry_at */
  uint32_t entry_count;
  uint32_t map_count;
  struct bpf_map_def maps[BPF_MAX_MAPS];
  struct slice initial[BPF_MAX_MAPS]; /* initial value of entry 0; length 0: none */
  struct bpf_types types;             /* of keys and values; none when types.type_count is 0 */
  struct bundle_map_types map_types[BPF_MAX_MAPS];
  struct bundle_tunable tunables[BUNDLE_MAX_TUNABLES]; /* ascending by map and offset; they do not overlap */
  uint32_t tunable_count;
  struct slice proof; /* raw BUNDLE_SECTION_PROOF payload; length 0: the programs come without proof */
  struct slice lines; /* raw BUNDLE_SECTION_LINES payload, may be empty */
  uint32_t size;      /* total length */
};

/* Fills key->id from key->public_key. */
void bundle_key_identify(struct bundle_key *key);

/* Only the fixed header and, by the key it names, the signature: 0, -ERROR_INVALID (magic, format, length), -ERROR_TRUNCATED,
 * -ERROR_TOO_BIG, -ERROR_KEY (unknown key), -ERROR_SIGNATURE. On success *key is the signer. */
int bundle_verify(const uint8_t *bytes, size_t length, const struct bundle_key *keys, unsigned key_count,
                  const struct bundle_key **key, struct report *report) MUST_USE;

/* Bounds-checked parsing of the sections of a bundle whose signature holds (call bundle_verify first, on the same bytes).
 * bytes must be aligned to 8. Does not judge instructions: bpf_check does. Errors as bundle_verify, and -ERROR_UNSUPPORTED
 * for map types not offered. `bundle` is about 24 KiB: allocate it. */
int bundle_parse(const uint8_t *bytes, size_t length, struct bundle *bundle, struct report *report) MUST_USE;

/* Whether nothing ever changes the one value of that map but the tunables in it: it has an initial value, and programs only read it. */
bool bundle_map_is_constant(const struct bundle *bundle, uint32_t map);

/* Entry `index`, below entry_count. */
struct bundle_entry bundle_entry_at(const struct bundle *bundle, uint32_t index);

/* Source position of an instruction, counted through all programs, from BUNDLE_SECTION_LINES: "block_dns.bpf.c:41" into buffer; false when unknown. */
bool bundle_source_line(const struct bundle *bundle, uint32_t insn, char *buffer, size_t size);

#endif
