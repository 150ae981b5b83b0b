/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Records are struct bpf_core_relo of Linux: instruction offset in bytes, type id, access string, kind. Clang has already put the
 * compiled-in answer into the instruction for fields and enumerators; for questions about types it has put the type id there.
 */
#include "verifier/core_relo.h"

#include "lib/bytes.h"

/* enum bpf_core_relo_kind of Linux. */
enum core_kind {
  CORE_FIELD_BYTE_OFFSET,
  CORE_FIELD_BYTE_SIZE,
  CORE_FIELD_EXISTS,
  CORE_FIELD_SIGNED,
  CORE_FIELD_LSHIFT_U64,
  CORE_FIELD_RSHIFT_U64,
  CORE_TYPE_ID_LOCAL,
  CORE_TYPE_ID_TARGET,
  CORE_TYPE_EXISTS,
  CORE_TYPE_SIZE,
  CORE_ENUM_EXISTS,
  CORE_ENUM_VALUE,
  CORE_TYPE_MATCHES,
  CORE_KIND_COUNT
};

enum { RECORD_SIZE = 16 };

static int resolve(const char *where, const struct btf *btf, uint32_t type, uint32_t kind, struct bpf_insn *insn,
                   struct report *report) {
  int64_t answer = 1;
  switch (kind) {
    case CORE_FIELD_BYTE_OFFSET:
    case CORE_FIELD_BYTE_SIZE:
    case CORE_FIELD_EXISTS:
    case CORE_FIELD_SIGNED:
    case CORE_FIELD_LSHIFT_U64:
    case CORE_FIELD_RSHIFT_U64:
    case CORE_ENUM_EXISTS:
    case CORE_ENUM_VALUE:
      return 0;
    case CORE_TYPE_EXISTS:
    case CORE_TYPE_MATCHES:
      break;
    case CORE_TYPE_SIZE:
      answer = btf__resolve_size(btf, type);
      break;
    case CORE_TYPE_ID_LOCAL:
    case CORE_TYPE_ID_TARGET:
      return report_error(
          report, ERROR_UNSUPPORTED,
          "%s: asks for a BTF type id, which means nothing outside a Linux kernel; remove bpf_core_type_id", where);
    default:
      return report_error(report, ERROR_UNSUPPORTED, "%s: CO-RE relocation of unknown kind %u", where, kind);
  }
  if (answer < 0 || answer > INT32_MAX || insn->code != (BPF_ALU64 | BPF_MOV | BPF_K))
    return report_error(report, ERROR_INVALID, "%s: malformed CO-RE relocation; compile it again", where);
  insn->imm = (int32_t)answer;
  return 0;
}

int core_relocate(const struct layout *layout, const struct btf *btf, struct bpf_insn *insns, uint32_t count,
                  struct report *report) {
  struct type_info_walk walk;
  int error = type_info_walk(&walk, layout->object, btf, TYPE_INFO_CORE, RECORD_SIZE, report);
  while (!error && type_info_next(&walk)) {
    uint32_t offset = load_le32(walk.record), type = load_le32(walk.record + 4), kind = load_le32(walk.record + 12);
    uint32_t place = layout_place(layout, walk.section, offset);
    if (place >= count) continue;
    char where[160];
    format_text(where, sizeof(where), "%s: section %s, byte %u", layout->object->file, walk.section, offset);
    error = resolve(where, btf, type, kind, &insns[place], report);
  }
  return error;
}
