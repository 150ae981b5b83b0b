/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layouts: Documentation/bpf/btf.rst of Linux, sections 2 and 4.
 */
#include "verifier/type_info.h"

#include "lib/bytes.h"

/* As in bpf/libbpf.h, which would bring Linux's instruction set macros; they collide with bpf/isa.h. */
typedef int (*libbpf_print_fn_t)(int level, const char *format, va_list arguments);
libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t print);

static int malformed(const struct object *object, struct report *report, const char *what) {
  return report_error(report, ERROR_INVALID, "%s: malformed type information (%s); compile it again with -g",
                      object->file, what);
}

/* libbpf trusts hdr_len; it must be the known size. */
static bool btf_header_ok(struct slice data) {
  struct btf_header header;
  if (data.length < sizeof(header)) return false;
  memcpy(&header, data.data, sizeof(header));
  uint64_t room = data.length - sizeof(header);
  return header.magic == BTF_MAGIC && header.version == BTF_VERSION && header.hdr_len == sizeof(header) &&
         header.type_off % 4 == 0 && (uint64_t)header.type_off + header.type_len <= header.str_off &&
         (uint64_t)header.str_off + header.str_len <= room && header.str_len > 0;
}

int type_info_load(const struct object *object, struct btf **btf, struct report *report) {
  *btf = NULL;
  uint32_t index = object_find_section(object, BTF_ELF_SEC);
  if (index == 0) return 0;
  struct slice data = object->sections[index].data;
  if (!btf_header_ok(data)) return malformed(object, report, ".BTF header");
  libbpf_set_print(NULL);
  struct btf *loaded = btf__new(data.data, (uint32_t)data.length);
  if (!loaded || (uintptr_t)loaded >= (uintptr_t)-4095) return malformed(object, report, ".BTF");
  *btf = loaded;
  return 0;
}

int type_info_walk(struct type_info_walk *walk, const struct object *object, const struct btf *btf,
                   enum type_info_kind kind, uint32_t minimum, struct report *report) {
  *walk = (struct type_info_walk){.btf = btf};
  uint32_t index = object_find_section(object, BTF_EXT_ELF_SEC);
  if (index == 0 || !btf) return 0;
  struct slice data = object->sections[index].data;
  /* magic u16, version u8, flags u8, header length u32, then offset and length of functions, lines and CO-RE records. */
  enum { FIXED = 8, PAIR = 8 };
  if (data.length < FIXED || load_le16(data.data) != BTF_MAGIC || data.data[2] != BTF_VERSION)
    return malformed(object, report, ".BTF.ext header");
  uint32_t header = load_le32(data.data + 4);
  if (header > data.length || header < FIXED + 2 * PAIR) return malformed(object, report, ".BTF.ext header");
  uint32_t pair = FIXED + PAIR * (uint32_t)kind;
  if (pair + PAIR > header) return 0; /* an older producer: no CO-RE records */
  uint64_t at = (uint64_t)header + load_le32(data.data + pair), length = load_le32(data.data + pair + 4);
  if (at > data.length || length > data.length - at) return malformed(object, report, ".BTF.ext leaves its section");
  if (length == 0) return 0;
  if (length < 4) return malformed(object, report, ".BTF.ext records");
  walk->record_size = load_le32(data.data + at);
  if (walk->record_size < minimum || walk->record_size % 4 != 0) return malformed(object, report, ".BTF.ext records");
  walk->rest = (struct slice){data.data + at + 4, length - 4};
  return 0;
}

bool type_info_next(struct type_info_walk *walk) {
  enum { BLOCK = 8 }; /* section name u32, record count u32 */
  while (walk->records_left == 0) {
    if (walk->rest.length < BLOCK) return false;
    walk->section = btf__name_by_offset(walk->btf, load_le32(walk->rest.data));
    walk->records_left = load_le32(walk->rest.data + 4);
    walk->rest.data += BLOCK;
    walk->rest.length -= BLOCK;
    if (!walk->section || ++walk->blocks > OBJECT_MAX_SECTIONS) return false;
  }
  if (walk->rest.length < walk->record_size) return false;
  walk->record = (const uint8_t *)walk->rest.data;
  walk->rest.data += walk->record_size;
  walk->rest.length -= walk->record_size;
  walk->records_left--;
  return true;
}
