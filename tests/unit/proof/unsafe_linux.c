/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf(2). The lock in a value is told by BTF, which is written here type by type.
 */
#include "tests/unit/proof/unsafe_linux.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

enum { MAPS_MOST = 16, INSNS_MOST = 64, LOG_SIZE = 1 << 16, LOG_LEVEL = 4 };

static int files[MAPS_MOST];

static int make_locked(const struct unsafe_linux_map *map) {
  struct btf *btf = btf__new_empty();
  int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
  int lock = btf__add_struct(btf, "bpf_spin_lock", 4);
  btf__add_field(btf, "val", number, 0, 0);
  int rest = btf__add_array(btf, number, number, map->value_size / 4 - 1);
  int value = btf__add_struct(btf, "value", map->value_size);
  btf__add_field(btf, "lock", lock, 0, 0);
  btf__add_field(btf, "rest", rest, 32, 0);
  if (btf__load_into_kernel(btf) != 0) {
    btf__free(btf);
    return -errno;
  }
  LIBBPF_OPTS(bpf_map_create_opts, options, .btf_fd = (uint32_t)btf__fd(btf), .btf_key_type_id = (uint32_t)number,
              .btf_value_type_id = (uint32_t)value);
  int file = bpf_map_create((enum bpf_map_type)map->type, "", map->key_size, map->value_size, map->entries, &options);
  btf__free(btf);
  return file;
}

int unsafe_linux_open(const struct unsafe_linux_map *maps, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = maps[i].flags);
    files[i] = maps[i].locked ? make_locked(&maps[i])
                              : bpf_map_create((enum bpf_map_type)maps[i].type, "", maps[i].key_size,
                                               maps[i].value_size, maps[i].entries, &options);
    if (files[i] < 0) return files[i];
  }
  return 0;
}

int unsafe_linux_load(const void *insns, uint32_t count, char *why, uint32_t size) {
  static char log[LOG_SIZE];
  struct bpf_insn code[INSNS_MOST];
  if (count > INSNS_MOST) return -E2BIG;
  memcpy(code, insns, count * sizeof code[0]);
  for (uint32_t i = 0; i < count; i++) {
    if (code[i].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
    if (code[i].src_reg == BPF_PSEUDO_MAP_FD || code[i].src_reg == BPF_PSEUDO_MAP_VALUE)
      code[i].imm = files[code[i].imm];
    i++;
  }
  log[0] = '\0';
  LIBBPF_OPTS(bpf_prog_load_opts, options, .log_buf = log, .log_size = sizeof log, .log_level = LOG_LEVEL);
  int file = bpf_prog_load(BPF_PROG_TYPE_XDP, "", "GPL", code, count, &options);
  if (file >= 0) {
    close(file);
    return 0;
  }
  snprintf(why, size, "%s", strerror(-file));
  for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n"))
    if (strncmp(line, "processed ", 10) != 0 && strncmp(line, "verification time", 17) != 0 &&
        strncmp(line, "stack depth", 11) != 0)
      snprintf(why, size, "%s", line);
  return file;
}
