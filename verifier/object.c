/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libelf finds the headers; since it is lenient, everything they say is checked here against the file before it is used.
 */
#include "verifier/object.h"

#include <elf.h>
#include <libelf.h>

#include "lib/memory.h"

/* Linux's linux/elf-em.h; glibc has it as EM_BPF since 2.26. */
_Static_assert(EM_BPF == 247, "machine number of eBPF");

static int malformed(const struct object *object, struct report *report, const char *what) {
  return report_error(report, ERROR_INVALID, "%s: malformed object: %s; compile it again", object->file, what);
}

static int check_identity(const struct object *object, const uint8_t *bytes, size_t length, struct report *report) {
  if (length < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
    return report_error(report, ERROR_INVALID,
                        "%s: not an ELF object; compile the source with `clang -target bpf -O2 -g -c`", object->file);
  if (length > OBJECT_MAX_SIZE)
    return report_error(report, ERROR_TOO_BIG, "%s: %zu bytes; objects are at most %u", object->file, length,
                        (unsigned)OBJECT_MAX_SIZE);
  if (bytes[EI_DATA] == ELFDATA2MSB)
    return report_error(report, ERROR_UNSUPPORTED, "%s: big-endian object; compile with -target bpf or bpfel",
                        object->file);
  Elf64_Ehdr header;
  memcpy(&header, bytes, sizeof(header));
  if (bytes[EI_CLASS] != ELFCLASS64 || bytes[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_BPF)
    return report_error(report, ERROR_UNSUPPORTED, "%s: not an eBPF object (ELF machine %u); compile with -target bpf",
                        object->file, header.e_machine);
  if (header.e_type != ET_REL)
    return report_error(report, ERROR_UNSUPPORTED, "%s: not a relocatable object; compile with -c", object->file);
  if (header.e_shoff == 0 || header.e_shoff >= length || header.e_shnum == 0 ||
      (length - header.e_shoff) / sizeof(Elf64_Shdr) < header.e_shnum)
    return report_error(report, ERROR_TRUNCATED, "%s: ends before its section headers; is the file complete?",
                        object->file);
  if (header.e_shnum > OBJECT_MAX_SECTIONS) return malformed(object, report, "too many sections");
  /* libelf hands out the headers where they are. */
  if (header.e_shoff % _Alignof(Elf64_Shdr) != 0) return malformed(object, report, "section headers are not aligned");
  return 0;
}

/* The NUL-terminated string at offset of a string table; NULL when it leaves the table. */
static const char *string_at(struct slice table, uint64_t offset) {
  if (offset >= table.length) return NULL;
  return memchr(table.data + offset, '\0', table.length - offset) ? table.data + offset : NULL;
}

/* Sections must not overlap: their sum is bounded by the file, and so is all work over them. */
static int read_sections(struct object *object, Elf *elf, struct slice file, struct report *report) {
  size_t count = 0, names = 0;
  uint64_t total = 0;
  if (elf_getshdrnum(elf, &count) != 0 || elf_getshdrstrndx(elf, &names) != 0 || count == 0 ||
      count > OBJECT_MAX_SECTIONS || names >= count)
    return malformed(object, report, "section headers");
  object->sections = memory_alloc(count * sizeof(*object->sections));
  Elf64_Shdr *headers = memory_alloc(count * sizeof(*headers));
  int error = object->sections && headers ? 0 : -ERROR_NO_MEMORY;
  for (size_t i = 1; i < count && !error; i++) {
    Elf64_Shdr *header = elf64_getshdr(elf_getscn(elf, i));
    if (!header) {
      error = malformed(object, report, "section headers");
      break;
    }
    headers[i] = *header;
    struct object_section *section = &object->sections[i];
    section->type = header->sh_type;
    section->flags = header->sh_flags;
    section->size = header->sh_size;
    section->info = header->sh_info;
    if (header->sh_type == SHT_NOBITS || header->sh_type == SHT_NULL) continue;
    if (header->sh_offset > file.length || header->sh_size > file.length - header->sh_offset)
      error = report_error(report, ERROR_TRUNCATED, "%s: section %zu leaves the file; is the file complete?",
                           object->file, i);
    else if ((total += header->sh_size) > file.length)
      error = malformed(object, report, "sections overlap");
    else if (header->sh_flags & SHF_COMPRESSED)
      error = malformed(object, report, "a section is compressed");
    else
      section->data = (struct slice){file.data + header->sh_offset, header->sh_size};
  }
  for (size_t i = 1; i < count && !error; i++) {
    object->sections[i].name = string_at(object->sections[names].data, headers[i].sh_name);
    if (!object->sections[i].name) error = malformed(object, report, "a section has no name");
  }
  if (!error) {
    object->sections[0].name = "";
    object->section_count = (uint32_t)count;
  }
  memory_free(headers);
  return error;
}

static int read_symbols(struct object *object, Elf *elf, struct report *report) {
  uint32_t table = 0;
  for (uint32_t i = 1; i < object->section_count; i++)
    if (object->sections[i].type == SHT_SYMTAB) table = table ? UINT32_MAX : i;
  if (table == 0 || table == UINT32_MAX) return malformed(object, report, "it needs exactly one symbol table");
  const Elf64_Shdr *header = elf64_getshdr(elf_getscn(elf, table));
  if (!header || header->sh_link == 0 || header->sh_link >= object->section_count)
    return malformed(object, report, "the symbol table has no names");
  struct slice names = object->sections[header->sh_link].data, data = object->sections[table].data;
  if (data.length == 0 || data.length % sizeof(Elf64_Sym) != 0) return malformed(object, report, "symbol table size");
  uint32_t count = (uint32_t)(data.length / sizeof(Elf64_Sym));
  object->symbols = memory_alloc(count * sizeof(*object->symbols));
  if (!object->symbols) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < count; i++) {
    Elf64_Sym raw;
    memcpy(&raw, data.data + i * sizeof(raw), sizeof(raw));
    struct object_symbol *symbol = &object->symbols[i];
    symbol->name = string_at(names, raw.st_name);
    symbol->type = ELF64_ST_TYPE(raw.st_info);
    symbol->binding = ELF64_ST_BIND(raw.st_info);
    symbol->visibility = ELF64_ST_VISIBILITY(raw.st_other);
    symbol->section = raw.st_shndx;
    symbol->value = raw.st_value;
    symbol->size = raw.st_size;
    if (!symbol->name) return malformed(object, report, "a symbol has no name");
    if (symbol->section >= object->section_count && symbol->section < SHN_LORESERVE)
      return malformed(object, report, "a symbol is in no section");
    /* Section symbols carry no name; messages want one. */
    if (symbol->type == STT_SECTION && symbol->section < object->section_count)
      symbol->name = object->sections[symbol->section].name;
  }
  object->symbol_count = count;
  return 0;
}

int object_open(struct object *object, const uint8_t *bytes, size_t length, const char *file, struct report *report) {
  *object = (struct object){.file = file};
  int error = check_identity(object, bytes, length, report);
  if (error) return error;
  if (elf_version(EV_CURRENT) == EV_NONE)
    return report_error(report, ERROR_UNSUPPORTED, "%s: this libelf is too old", file);
  /* libelf only reads an image in the host's byte order, but its prototype wants it writable. */
  Elf *elf = elf_memory((char *)(uintptr_t)bytes, length);
  if (!elf || elf_kind(elf) != ELF_K_ELF || !elf64_getehdr(elf))
    error = malformed(object, report, "ELF header");
  else
    error = read_sections(object, elf, (struct slice){(const char *)bytes, length}, report);
  if (!error) error = read_symbols(object, elf, report);
  if (elf) elf_end(elf);
  if (error) object_close(object);
  return error;
}

void object_close(struct object *object) {
  memory_free(object->sections);
  memory_free(object->symbols);
  *object = (struct object){0};
}

uint32_t object_find_section(const struct object *object, const char *name) {
  for (uint32_t i = 1; i < object->section_count; i++)
    if (strcmp(object->sections[i].name, name) == 0) return i;
  return 0;
}

bool object_is_code(const struct object_section *section) {
  return section->type == SHT_PROGBITS && (section->flags & SHF_EXECINSTR) && section->size > 0;
}

int object_relocations(const struct object *object, uint32_t index, struct object_relocation **relocations,
                       uint32_t *count, struct report *report) {
  *relocations = NULL;
  *count = 0;
  uint32_t table = 0;
  for (uint32_t i = 1; i < object->section_count; i++) {
    const struct object_section *section = &object->sections[i];
    if ((section->type != SHT_REL && section->type != SHT_RELA) || section->info != index) continue;
    if (table || section->type == SHT_RELA) return malformed(object, report, "relocation sections");
    table = i;
  }
  if (!table) return 0;
  struct slice data = object->sections[table].data;
  if (data.length % sizeof(Elf64_Rel) != 0) return malformed(object, report, "relocation section size");
  if (data.length == 0) return 0;
  uint32_t n = (uint32_t)(data.length / sizeof(Elf64_Rel));
  struct object_relocation *list = memory_alloc(n * sizeof(*list));
  if (!list) return -ERROR_NO_MEMORY;
  for (uint32_t i = 0; i < n; i++) {
    Elf64_Rel raw;
    memcpy(&raw, data.data + i * sizeof(raw), sizeof(raw));
    list[i] =
        (struct object_relocation){raw.r_offset, (uint32_t)ELF64_R_TYPE(raw.r_info), (uint32_t)ELF64_R_SYM(raw.r_info)};
    if (list[i].symbol >= object->symbol_count) {
      memory_free(list);
      return malformed(object, report, "a relocation has no symbol");
    }
  }
  *relocations = list;
  *count = n;
  return 0;
}
