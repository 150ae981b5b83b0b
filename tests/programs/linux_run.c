/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs an XDP program in the Linux kernel on the packets of standard input, as `imago bpf run` runs it here, and prints what came of it
 * as JSON: verdicts, packets, maps. Only for tests: Linux is what our engine is compared with.
 *
 * usage: linux-run OBJECT FUNCTION [MAP:KEY=VALUE]...   (keys and values as hexadecimal bytes)
 * Standard input: one packet a line, as hexadecimal bytes. Exit status 77: the kernel, or who may use it, does not allow this.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

enum { PACKET_MAX = 4096, VALUE_MAX = 65536, REFUSED = 77 };

static _Noreturn void fail(const char *what, const char *which, int error) {
  fprintf(stderr, "linux-run: %s %s: %s\n", what, which, strerror(error));
  exit(error == EPERM || error == EACCES || error == ENOSYS ? REFUSED : 1);
}

/* Bytes of the hexadecimal digits from `text` on. */
static size_t read_hex(const char *text, uint8_t *bytes, size_t size) {
  size_t count = 0;
  unsigned byte;
  while (count < size && sscanf(text, "%2x", &byte) == 1 && strspn(text, "0123456789abcdefABCDEF") >= 2) {
    bytes[count++] = (uint8_t)byte;
    text += 2;
  }
  return count;
}

static void print_hex(const uint8_t *bytes, size_t count) {
  putchar('"');
  for (size_t i = 0; i < count; i++)
    printf("%02x", bytes[i]);
  putchar('"');
}

static size_t value_bytes(const struct bpf_map *map) {
  size_t size = bpf_map__value_size(map);
  switch (bpf_map__type(map)) {
    case BPF_MAP_TYPE_PERCPU_HASH:
    case BPF_MAP_TYPE_PERCPU_ARRAY:
    case BPF_MAP_TYPE_LRU_PERCPU_HASH:
      return (size + 7) / 8 * 8 * (size_t)libbpf_num_possible_cpus();
    default:
      return size;
  }
}

static void set_entry(const struct bpf_object *object, const char *argument) {
  char name[64];
  uint8_t key[512];
  static uint8_t value[VALUE_MAX];
  const char *colon = strchr(argument, ':'), *equals = strchr(argument, '=');
  if (colon == NULL || equals == NULL || (size_t)(colon - argument) >= sizeof name) fail("argument", argument, EINVAL);
  snprintf(name, sizeof name, "%.*s", (int)(colon - argument), argument);
  const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
  if (map == NULL) fail("map", name, ENOENT);
  size_t keys = read_hex(colon + 1, key, sizeof key), values = read_hex(equals + 1, value, sizeof value);
  if (keys != bpf_map__key_size(map) || values != bpf_map__value_size(map)) fail("size of entry", argument, EINVAL);
  if (bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY)) fail("map", name, errno);
}

static int print_record(void *context, void *data, size_t size) {
  bool *first = context;
  printf("%s[\"\", ", *first ? "" : ", ");
  *first = false;
  print_hex(data, size);
  putchar(']');
  return 0;
}

static void print_map(const struct bpf_map *map) {
  uint8_t key[512], next[512];
  static uint8_t value[VALUE_MAX * 4];
  bool first = true;
  if (bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF) {
    struct ring_buffer *ring = ring_buffer__new(bpf_map__fd(map), print_record, &first, NULL);
    if (ring != NULL) ring_buffer__consume(ring);
    ring_buffer__free(ring);
    return;
  }
  for (const void *from = NULL; bpf_map_get_next_key(bpf_map__fd(map), from, next) == 0; from = key) {
    memcpy(key, next, bpf_map__key_size(map));
    if (bpf_map_lookup_elem(bpf_map__fd(map), key, value)) continue;
    printf("%s[", first ? "" : ", ");
    first = false;
    print_hex(key, bpf_map__key_size(map));
    printf(", ");
    print_hex(value, value_bytes(map));
    putchar(']');
  }
}

static void run_packets(int program) {
  static char line[2 * PACKET_MAX + 2];
  static uint8_t in[PACKET_MAX], out[2 * PACKET_MAX];
  for (bool first = true; fgets(line, sizeof line, stdin) != NULL; first = false) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = in, .data_size_in = (uint32_t)read_hex(line, in, sizeof in),
                .data_out = out, .data_size_out = sizeof out, .repeat = 1);
    if (bpf_prog_test_run_opts(program, &options)) fail("BPF_PROG_TEST_RUN", "", errno);
    printf("%s{\"verdict\": %u, \"data\": ", first ? "" : ", ", options.retval);
    print_hex(out, options.data_size_out);
    putchar('}');
  }
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments) {
  return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: linux-run OBJECT FUNCTION [MAP:KEY=VALUE]... <packets\n");
    return 1;
  }
  libbpf_set_print(quiet);
  struct bpf_object *object = bpf_object__open(arguments[1]);
  if (object == NULL) fail("object", arguments[1], errno);
  if (bpf_object__load(object)) fail("load", arguments[1], errno);
  const struct bpf_program *program = bpf_object__find_program_by_name(object, arguments[2]);
  if (program == NULL) fail("program", arguments[2], ENOENT);
  for (int i = 3; i < count; i++)
    set_entry(object, arguments[i]);
  printf("{\"packets\": [");
  run_packets(bpf_program__fd(program));
  printf("], \"maps\": {");
  const struct bpf_map *map;
  bool first = true;
  bpf_object__for_each_map(map, object) {
    printf("%s\"%s\": [", first ? "" : ", ", bpf_map__name(map));
    print_map(map);
    putchar(']');
    first = false;
  }
  printf("}}\n");
  bpf_object__close(object);
  return 0;
}
