/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Symbol files: made from an image's ELF symbol table, read back to put names into fault reports.
 */
#define _GNU_SOURCE
#include "tools/symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/memory.h"
#include "tools/file.h"

/* No function is longer; an address further behind a symbol belongs to something else. */
enum { FUNCTION_MAX = 65536, SYMBOL_FILE_MAX = 16 << 20, ADDRESS_DIGITS = 16 };

struct elf_file {
  int fd;
  Elf *elf;
};

static int elf_file_open(struct elf_file *file, const char *path, struct report *report) {
  elf_version(EV_CURRENT);
  file->elf = NULL;
  file->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (file->fd < 0) return report_error(report, ERROR_NOT_FOUND, "%s: %s", path, strerror(errno));
  file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
  if (file->elf == NULL || elf_kind(file->elf) != ELF_K_ELF || gelf_getclass(file->elf) != ELFCLASS64) {
    elf_end(file->elf);
    close(file->fd);
    return report_error(report, ERROR_INVALID, "%s: not a 64-bit ELF file", path);
  }
  return 0;
}

static void elf_file_close(struct elf_file *file) {
  elf_end(file->elf);
  close(file->fd);
}

int elf_build_id(const char *path, char id[BUILD_ID_TEXT], struct report *report) {
  struct elf_file file;
  int error = elf_file_open(&file, path, report);
  if (error != 0) return error;
  id[0] = '\0';
  for (Elf_Scn *section = NULL; id[0] == '\0' && (section = elf_nextscn(file.elf, section)) != NULL;) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == NULL || header.sh_type != SHT_NOTE) continue;
    Elf_Data *data = elf_getdata(section, NULL);
    size_t at = 0, next, name, description;
    GElf_Nhdr note;
    while (data != NULL && (next = gelf_getnote(data, at, &note, &name, &description)) > 0) {
      at = next;
      const unsigned char *bytes = (const unsigned char *)data->d_buf;
      if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || memcmp(bytes + name, "GNU", 4) != 0) continue;
      if (note.n_descsz > (BUILD_ID_TEXT - 1) / 2) continue;
      for (size_t i = 0; i < note.n_descsz; i++)
        format_text(id + 2 * i, 3, "%02x", bytes[description + i]);
    }
  }
  elf_file_close(&file);
  return id[0] != '\0' ? 0 : report_error(report, ERROR_NOT_FOUND, "%s: has no build id", path);
}

static int compare_symbols(const void *a, const void *b) {
  const struct symbol *left = a, *right = b;
  if (left->address != right->address) return left->address < right->address ? -1 : 1;
  return strcmp(left->name, right->name);
}

static bool is_code(Elf *elf, const GElf_Sym *symbol) {
  int type = GELF_ST_TYPE(symbol->st_info);
  if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE) return false;
  if (type != STT_FUNC && type != STT_NOTYPE) return false;
  GElf_Shdr header;
  Elf_Scn *section = elf_getscn(elf, symbol->st_shndx);
  return section != NULL && gelf_getshdr(section, &header) != NULL && (header.sh_flags & SHF_EXECINSTR) != 0;
}

int elf_symbols(const char *path, struct text *out, struct report *report) {
  struct elf_file file;
  int error = elf_file_open(&file, path, report);
  if (error != 0) return error;
  struct symbol *table = NULL;
  size_t count = 0;
  GElf_Shdr header;
  Elf_Scn *section = NULL;
  while ((section = elf_nextscn(file.elf, section)) != NULL) {
    if (gelf_getshdr(section, &header) != NULL && header.sh_type == SHT_SYMTAB && header.sh_entsize != 0) break;
  }
  Elf_Data *data = section != NULL ? elf_getdata(section, NULL) : NULL;
  if (data == NULL) {
    error = report_error(report, ERROR_NOT_FOUND, "%s: has no symbol table", path);
    goto done;
  }
  size_t entries = header.sh_size / header.sh_entsize;
  table = memory_alloc((entries + 1) * sizeof(*table));
  if (table == NULL) {
    error = report_error(report, ERROR_NO_MEMORY, "%s: no memory for its symbols", path);
    goto done;
  }
  for (size_t i = 0; i < entries; i++) {
    GElf_Sym symbol;
    if (gelf_getsym(data, (int)i, &symbol) == NULL || !is_code(file.elf, &symbol)) continue;
    const char *name = elf_strptr(file.elf, header.sh_link, symbol.st_name);
    if (name == NULL || name[0] == '\0') continue;
    table[count++] = (struct symbol){.address = symbol.st_value, .name = name};
  }
  qsort(table, count, sizeof(*table), compare_symbols);
  for (size_t i = 0; i < count; i++) {
    text_addf(out, "%016llx %s\n", (unsigned long long)table[i].address, table[i].name);
  }
  if (out->failed) error = report_error(report, ERROR_NO_MEMORY, "%s: no memory for its symbols", path);
done:
  memory_free(table);
  elf_file_close(&file);
  return error;
}

/* Sixteen hexadecimal digits and nothing like them behind. */
static bool parse_address(const char *s, size_t length, uint64_t *address) {
  if (length < ADDRESS_DIGITS || (length > ADDRESS_DIGITS && char_is_word(s[ADDRESS_DIGITS]))) return false;
  uint64_t value = 0;
  for (unsigned i = 0; i < ADDRESS_DIGITS; i++) {
    int digit = char_hex_value(s[i]);
    if (digit < 0) return false;
    value = value << 4 | (unsigned)digit;
  }
  *address = value;
  return true;
}

void symbols_parse(struct symbols *symbols, struct text *text) {
  memset(symbols, 0, sizeof(*symbols));
  symbols->text = *text;
  memset(text, 0, sizeof(*text));
  size_t lines = 0;
  for (size_t i = 0; i < symbols->text.length; i++)
    lines += symbols->text.data[i] == '\n';
  symbols->table = memory_alloc((lines + 1) * sizeof(*symbols->table));
  if (symbols->table == NULL) return;
  char *line = symbols->text.data;
  for (size_t i = 0; i < lines; i++) {
    char *end = strchr(line, '\n');
    if (end == NULL) break; /* a NUL stands in the file */
    *end = '\0';
    uint64_t address;
    if (parse_address(line, (size_t)(end - line), &address) && line[ADDRESS_DIGITS] == ' ') {
      symbols->table[symbols->count++] = (struct symbol){.address = address, .name = line + ADDRESS_DIGITS + 1};
    }
    line = end + 1;
  }
  qsort(symbols->table, symbols->count, sizeof(*symbols->table), compare_symbols);
}

void symbols_load(struct symbols *symbols, const char *image) {
  memset(symbols, 0, sizeof(*symbols));
  char id[BUILD_ID_TEXT];
  if (elf_build_id(image, id, NULL) != 0) return;
  struct text path = {0}, text = {0};
  text_addf(&path, "%.*s%s.sym", (int)(path_base(image) - image), image, id);
  if (file_read(text_string(&path), SYMBOL_FILE_MAX, &text, NULL) == 0) symbols_parse(symbols, &text);
  text_free(&path);
  text_free(&text);
}

void symbols_free(struct symbols *symbols) {
  memory_free(symbols->table);
  text_free(&symbols->text);
  memset(symbols, 0, sizeof(*symbols));
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset) {
  size_t low = 0, high = symbols->count; /* table[low - 1] <= address < table[high] */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (symbols->table[middle].address <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0 || address - symbols->table[low - 1].address >= FUNCTION_MAX) return NULL;
  *offset = address - symbols->table[low - 1].address;
  return symbols->table[low - 1].name;
}

/* "#12" or "rip". */
static bool introduces_code(struct slice word) {
  if (slice_equals(word, "rip")) return true;
  if (word.length < 2 || word.data[0] != '#') return false;
  for (size_t i = 1; i < word.length; i++) {
    if (!char_is_digit(word.data[i])) return false;
  }
  return true;
}

static bool is_location(struct slice word) {
  for (size_t i = 0; i + 2 < word.length; i++) {
    if (memcmp(word.data + i, "+0x", 3) == 0) return true;
  }
  return false;
}

void symbols_annotate(const struct symbols *symbols, struct slice line, struct text *out) {
  struct slice rest = line, word, before = {NULL, 0};
  const char *written = line.data;
  while ((word = slice_next_word(&rest)).length > 0) {
    uint64_t address, offset;
    const char *name = NULL;
    if (introduces_code(before) && word.length == ADDRESS_DIGITS && parse_address(word.data, word.length, &address)) {
      name = symbols_find(symbols, address, &offset);
    }
    struct slice ahead = rest;
    if (name != NULL && !is_location(slice_next_word(&ahead))) {
      const char *end = word.data + word.length;
      text_add_bytes(out, written, (size_t)(end - written));
      text_addf(out, " %s+0x%llx", name, (unsigned long long)offset);
      written = end;
    }
    before = word;
  }
  text_add_bytes(out, written, (size_t)(line.data + line.length - written));
}
