/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/bpf_linux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

struct linux_program {
  struct bpf_object *object;
  int file;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) { return 0; }

struct linux_program *linux_program_load(const char *object, const char *name, char *why, unsigned size) {
  struct linux_program *program = calloc(1, sizeof *program);
  if (program == NULL) return NULL;
  libbpf_set_print(quiet);
  program->object = bpf_object__open(object);
  const struct bpf_program *found = NULL;
  if (program->object != NULL && bpf_object__load(program->object) == 0) {
    found = bpf_object__find_program_by_name(program->object, name);
  }
  if (found == NULL) {
    snprintf(why, size, "%s", strerror(errno));
    linux_program_free(program);
    return NULL;
  }
  program->file = bpf_program__fd(found);
  return program;
}

void linux_program_free(struct linux_program *program) {
  if (program != NULL) bpf_object__close(program->object);
  free(program);
}

bool linux_program_put(const struct linux_program *program, const char *map, const void *key, const void *value) {
  int file = bpf_object__find_map_fd_by_name(program->object, map);
  return file >= 0 && bpf_map_update_elem(file, key, value, BPF_ANY) == 0;
}

bool linux_program_run(const struct linux_program *program, const void *packet, uint32_t length, uint32_t runs,
                       uint32_t *verdict) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = length, .repeat = (int)runs);
  if (bpf_prog_test_run_opts(program->file, &options) != 0) return false;
  *verdict = options.retval;
  return true;
}

uint32_t linux_program_code(const struct linux_program *program) {
  struct bpf_prog_info info = {0};
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program->file, &info, &size) == 0 ? info.jited_prog_len : 0;
}
