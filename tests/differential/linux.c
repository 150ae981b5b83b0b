/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/differential/linux.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { INSNS_MAX = 4096, PACKET_MAX = 4096 };

static int fds[LINUX_MAPS];
static struct linux_map shapes[LINUX_MAPS];
static char verifier_log[65536];

/* Not through libbpf, some of whose functions are called as ours are. */
static int call_bpf(int command, union bpf_attr *attributes) {
  return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

static bool map_command(int command, unsigned map, const void *key, void *value) {
  union bpf_attr a = {0};
  a.map_fd = (uint32_t)fds[map];
  a.key = address(key);
  a.value = address(value); /* or next_key, which is in the same place */
  return call_bpf(command, &a) == 0;
}

bool linux_begin(const struct linux_map maps[LINUX_MAPS], const char **why) {
  for (unsigned i = 0; i < LINUX_MAPS; i++) {
    shapes[i] = maps[i];
    union bpf_attr a = {.map_type = maps[i].type,
                        .key_size = maps[i].key_size,
                        .value_size = maps[i].value_size,
                        .max_entries = maps[i].max_entries};
    fds[i] = call_bpf(BPF_MAP_CREATE, &a);
    if (fds[i] < 0) {
      *why = strerror(errno);
      return false;
    }
  }
  return true;
}

static void empty_maps(void) {
  uint8_t key[64], value[256] = {0};
  for (unsigned i = 0; i < LINUX_MAPS; i++) {
    if (shapes[i].type == BPF_MAP_TYPE_ARRAY) {
      for (uint32_t k = 0; k < shapes[i].max_entries; k++)
        (void)map_command(BPF_MAP_UPDATE_ELEM, i, &k, value);
    } else if (shapes[i].type != BPF_MAP_TYPE_PROG_ARRAY) {
      while (map_command(BPF_MAP_GET_NEXT_KEY, i, NULL, key))
        (void)map_command(BPF_MAP_DELETE_ELEM, i, key, NULL);
    }
  }
}

/* Indices of maps become file descriptors, as the kernel wants them. */
static void name_maps(struct bpf_insn *insns, uint32_t count) {
  for (uint32_t at = 0; at + 1 < count; at++) {
    if (insns[at].code != (BPF_LD | BPF_IMM | BPF_DW)) continue;
    if (insns[at].src_reg == BPF_PSEUDO_MAP_FD || insns[at].src_reg == BPF_PSEUDO_MAP_VALUE)
      insns[at].imm = fds[insns[at].imm];
    at++;
  }
}

static int load(const struct bpf_insn *insns, uint32_t count) {
  verifier_log[0] = '\0';
  union bpf_attr a = {
      .prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = count, .insns = address(insns), .license = address("GPL")};
  a.log_level = 1;
  a.log_buf = address(verifier_log);
  a.log_size = sizeof verifier_log;
  return call_bpf(BPF_PROG_LOAD, &a);
}

bool linux_put_program(unsigned map, uint32_t index, const void *insns, uint32_t count, const char **why) {
  int fd = load(insns, count);
  bool good = fd >= 0 && map_command(BPF_MAP_UPDATE_ELEM, map, &index, &fd);
  if (!good) *why = strerror(errno);
  if (fd >= 0) close(fd); /* the map keeps it */
  return good;
}

int linux_run(const void *bytes, uint32_t count, uint8_t *packet, uint32_t *length, uint32_t *r0) {
  static struct bpf_insn insns[INSNS_MAX];
  static uint8_t out[PACKET_MAX];
  memcpy(insns, bytes, count * sizeof insns[0]);
  name_maps(insns, count);
  empty_maps();
  int fd = load(insns, count);
  if (fd < 0) return 0;
  union bpf_attr run = {0};
  run.test.prog_fd = (uint32_t)fd;
  run.test.data_in = address(packet);
  run.test.data_size_in = *length;
  run.test.data_out = address(out);
  run.test.data_size_out = sizeof out;
  run.test.repeat = 1;
  int error = call_bpf(BPF_PROG_TEST_RUN, &run);
  close(fd);
  if (error != 0) return 0;
  memcpy(packet, out, run.test.data_size_out);
  *length = run.test.data_size_out;
  *r0 = run.test.retval;
  return 1;
}

const char *linux_refusal(void) { return verifier_log; }

bool linux_lookup(unsigned map, const void *key, void *value) {
  return map_command(BPF_MAP_LOOKUP_ELEM, map, key, value);
}

uint32_t linux_count(unsigned map) {
  uint8_t key[64], next[64];
  uint32_t count = 0;
  for (const void *at = NULL; map_command(BPF_MAP_GET_NEXT_KEY, map, at, next); count++) {
    memcpy(key, next, sizeof key);
    at = key;
  }
  return count;
}
