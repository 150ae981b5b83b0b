/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The log has no instructions in it, only figures and reasons (level 4), so that writing it costs no time.
 */
#include "tests/verify/linux_verifier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

enum { PROGRAMS_MOST = 16, LOG_SIZE = 1 << 16, LOG_LEVEL = 4 };

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) { return 0; }

/* The last line that tells a reason: not one of the figures behind it. */
static void find_reason(char *log, struct linux_verdict *verdict) {
  for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n"))
    if (strncmp(line, "processed ", 10) != 0 && strncmp(line, "verification time", 17) != 0 &&
        strncmp(line, "stack depth", 11) != 0)
      snprintf(verdict->why, sizeof verdict->why, "%s", line);
}

static void add_figures(const char *log, const struct bpf_program *program, struct linux_verdict *verdict) {
  const char *time = strstr(log, "verification time "), *processed = strstr(log, "processed ");
  if (time != NULL) verdict->microseconds += strtod(time + strlen("verification time "), NULL);
  if (processed != NULL) verdict->processed += (uint32_t)strtoul(processed + strlen("processed "), NULL, 10);
  verdict->instructions += (uint32_t)bpf_program__insn_cnt(program);
}

/* 0, or a negative errno. */
static int load(const char *file, struct linux_verdict *verdict) {
  char *logs[PROGRAMS_MOST] = {NULL};
  unsigned count = 0, i = 0;
  struct bpf_object *object = bpf_object__open(file);
  if (object == NULL) return -errno;
  struct bpf_program *program;
  bpf_object__for_each_program(program, object) {
    if (count == PROGRAMS_MOST || (logs[count] = calloc(1, LOG_SIZE)) == NULL) break;
    bpf_program__set_log_level(program, LOG_LEVEL);
    bpf_program__set_log_buf(program, logs[count++], LOG_SIZE);
  }
  int error = bpf_object__load(object);
  bpf_object__for_each_program(program, object) {
    if (i == count) break;
    if (error == 0)
      add_figures(logs[i], program, verdict);
    else if (bpf_program__fd(program) < 0 && verdict->why[0] == '\0')
      find_reason(logs[i], verdict);
    free(logs[i++]);
  }
  bpf_object__close(object);
  return error;
}

void linux_verify(const char *object, struct linux_verdict *verdict) {
  *verdict = (struct linux_verdict){.answer = LINUX_ACCEPTS};
  libbpf_set_print(quiet);
  int error = load(object, verdict);
  if (error == 0) return;
  bool silent = (error == -EPERM || error == -EACCES || error == -ENOSYS) && verdict->why[0] == '\0';
  verdict->answer = silent ? LINUX_SILENT : LINUX_REFUSES;
  if (verdict->why[0] == '\0') snprintf(verdict->why, sizeof verdict->why, "%s", strerror(-error));
}
