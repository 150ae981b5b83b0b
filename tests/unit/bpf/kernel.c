/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The bpf system call, as bpf(2) has it.
 */
#include "tests/unit/bpf/kernel.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long call(enum bpf_cmd command, union bpf_attr *attr) {
  long result = syscall(__NR_bpf, command, attr, sizeof *attr);
  return result < 0 ? -errno : result;
}

int kernel_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries, uint32_t flags) {
  static bool told;
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.map_type = type;
  attr.key_size = key_size;
  attr.value_size = value_size;
  attr.max_entries = entries;
  attr.map_flags = flags;
  long map = call(BPF_MAP_CREATE, &attr);
  if (map < 0 && !told) {
    fprintf(stderr, "no comparison with Linux: bpf(BPF_MAP_CREATE): %s\n", strerror((int)-map));
    told = true;
  }
  return map < 0 ? -1 : (int)map;
}

static union bpf_attr element(int map, const void *key, const void *value, uint64_t flags) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.map_fd = (uint32_t)map;
  attr.key = (uint64_t)(uintptr_t)key;
  attr.value = (uint64_t)(uintptr_t)value;
  attr.flags = flags;
  return attr;
}

long kernel_map_update(int map, const void *key, const void *value, uint64_t flags) {
  union bpf_attr attr = element(map, key, value, flags);
  return call(BPF_MAP_UPDATE_ELEM, &attr);
}

long kernel_map_lookup(int map, const void *key, void *value) {
  union bpf_attr attr = element(map, key, value, 0);
  return call(BPF_MAP_LOOKUP_ELEM, &attr);
}

long kernel_map_delete(int map, const void *key) {
  union bpf_attr attr = element(map, key, NULL, 0);
  return call(BPF_MAP_DELETE_ELEM, &attr);
}

long kernel_map_pop(int map, void *value) {
  union bpf_attr attr = element(map, NULL, value, 0);
  return call(BPF_MAP_LOOKUP_AND_DELETE_ELEM, &attr);
}

long kernel_map_freeze(int map) {
  union bpf_attr attr = element(map, NULL, NULL, 0);
  return call(BPF_MAP_FREEZE, &attr);
}

void kernel_map_close(int map) {
  if (map >= 0) close(map);
}

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

int kernel_program_load(bool tc, const void *bytes, uint32_t count, const int *maps, const char **log) {
  enum { INSNS_MAX = 256 };
  static char words[65536];
  struct bpf_insn insns[INSNS_MAX];
  union bpf_attr attr;
  *log = words;
  words[0] = 0;
  if (count > INSNS_MAX) return -E2BIG;
  memcpy(insns, bytes, count * sizeof *insns);
  for (uint32_t i = 0; i + 1 < count; i++) {
    if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
    if (insns[i].src_reg == BPF_PSEUDO_MAP_FD || insns[i].src_reg == BPF_PSEUDO_MAP_VALUE)
      insns[i].imm = maps[insns[i].imm];
    i++;
  }
  memset(&attr, 0, sizeof attr);
  attr.prog_type = tc ? BPF_PROG_TYPE_SCHED_CLS : BPF_PROG_TYPE_XDP;
  attr.insn_cnt = count;
  attr.insns = address(insns);
  attr.license = address("GPL");
  attr.log_level = 1;
  attr.log_buf = address(words);
  attr.log_size = sizeof words;
  return (int)call(BPF_PROG_LOAD, &attr);
}

void kernel_program_close(int program) {
  if (program >= 0) close(program);
}

long kernel_program_run(int program, const void *packet, uint32_t length, void *out, uint32_t *out_length,
                        uint32_t *r0) {
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.test.prog_fd = (uint32_t)program;
  attr.test.data_in = address(packet);
  attr.test.data_size_in = length;
  attr.test.data_out = address(out);
  attr.test.data_size_out = *out_length;
  attr.test.repeat = 1;
  long result = call(BPF_PROG_TEST_RUN, &attr);
  *out_length = attr.test.data_size_out;
  *r0 = attr.test.retval;
  return result;
}

/* "0-3" */
uint32_t kernel_processors(void) {
  unsigned first = 0, last = 1;
  FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
  if (file == NULL) return 2;
  int fields = fscanf(file, "%u-%u", &first, &last);
  fclose(file);
  return fields == 2 ? last + 1 : 1;
}
