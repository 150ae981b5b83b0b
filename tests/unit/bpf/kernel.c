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

void kernel_map_close(int map) {
  if (map >= 0) close(map);
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
