/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago bpf run: runs a program on packets, as Linux's BPF_PROG_TEST_RUN does.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>

#include "lib/memory.h"
#include "packet/packet.h"
#include "platform/process/pcap.h"
#include "tools/bpf_instance.h"
#include "tools/bpf_print.h"
#include "tools/bpf_timers.h"
#include "tools/command.h"
#include "tools/file.h"

static const char help[] =
    "usage: imago bpf run OBJECT.bpf.o --packet FILE.pcap [OPTIONS]\n"
    "\n"
    "Links a program and runs it on each packet of a capture, one after the other with the same maps. Prints the verdicts, what\n"
    "became of the packets, and how long a run took.\n"
    "\n"
    "  -i, --packet FILE       packets: pcap or pcapng\n"
    "  -x, --hex FILE          packets: one a line, in hexadecimal; '-' is standard input\n"
    "  -p, --program NAME      function or section, when the object has several programs\n"
    "  -s, --set NAME=VALUE    value of a constant (const volatile); may be given several times\n"
    "  -m, --map MAP:KEY=VALUE an entry that stands in a map at the start, bytes in hexadecimal; may be given several times\n"
    "  -r, --repeat N          run N times on each packet, for the time; what the first run did is what is shown (1)\n"
    "  -o, --output FILE       write the packets as the program left them, those dropped left out\n"
    "  -t, --timers MS         how far the clock moves on after the packets (1000): timers that fall due meanwhile run, in the order of\n"
    "                          their times, and each is told. Nobody waits: the clock jumps from one to the next. 0: none\n"
    "      --maps              print what the maps hold in the end\n"
    "      --jit               compile the program, with every access checked (the default)\n"
    "      --prove             prove it safe, and compile it without checks\n"
    "      --interpret         interpret it\n"
    "      --json              print everything as JSON\n"
    "  -h, --help              this text\n"
    "\n"
    "ingress_ifindex is 1.\n"
    "Exit status: 0; 1 when the program cannot be run, or faulted.\n"
    "\n"
    "Example:\n"
    "  clang -target bpf -O2 -g -c block.bpf.c -o block.bpf.o\n"
    "  imago bpf run block.bpf.o --packet traffic.pcap --repeat 1000 --maps\n";

enum { MAX_OPTIONS = 4096, BUFFER_SIZE = 8192, SHOWN_PACKETS = 20 };

struct request {
  const char *object, *packets, *hex, *program, *output;
  const char *sets[MAX_OPTIONS], *entries[MAX_OPTIONS];
  unsigned set_count, entry_count;
  uint64_t repeat, timers_ms;
  bool interpret, prove, json, maps;
};

struct session {
  const struct request *request;
  const struct linked_program *linked;
  struct bpf_instance instance;
  struct bpf_clock clock;
  struct bpf_environment environment;
  struct report *report;
  uint8_t *buffer; /* low memory: headroom, packet, tailroom */
  FILE *output;
  uint64_t packets, ns, runs, faults;
  uint64_t verdicts[256]; /* those that fit */
};

/* --- map entries from the command line --- */

/* Bytes of hexadecimal text, exactly `size` of them. */
static bool parse_hex(struct slice text, uint8_t *bytes, size_t size) {
  size_t count = 0;
  const char *end = NULL;
  if (text.length != 2 * size) return false;
  if (size == 0) return true;
  return sodium_hex2bin(bytes, size, text.data, text.length, NULL, &count, &end) == 0 && count == size;
}

static int put_entry(const struct bpf_instance *instance, const char *argument, struct report *report) {
  const char *colon = strchr(argument, ':'), *equals = colon ? strchr(colon, '=') : NULL;
  if (!equals) return report_error(report, ERROR_INVALID, "--map %s: write MAP:KEY=VALUE", argument);
  struct slice name = {argument, (size_t)(colon - argument)}, key = {colon + 1, (size_t)(equals - colon - 1)};
  struct bpf_map *map = bpf_instance_map(instance, name);
  if (!map)
    return report_error(report, ERROR_NOT_FOUND, "--map %s: the program has no map '%.*s'", argument, (int)name.length,
                        name.data);
  const struct bpf_map_def *def = &map->def;
  uint8_t key_bytes[BPF_MAP_MAX_KEY], *value = memory_alloc(def->value_size + 1u);
  int error = value ? 0 : -ERROR_NO_MEMORY;
  if (!error && !(parse_hex(key, key_bytes, def->key_size) && parse_hex(slice_of(equals + 1), value, def->value_size)))
    error =
        report_error(report, ERROR_INVALID, "--map %s: map %s has keys of %u and values of %u bytes, two digits each",
                     argument, def->name, def->key_size, def->value_size);
  if (!error) {
    long result = map->ops->update(map, key_bytes, value, BPF_ANY, 0);
    if (result < 0)
      error = report_error(report, ERROR_INVALID, "--map %s: the map refuses it (error %ld)", argument, -result);
  }
  memory_free(value);
  return error;
}

/* --- packets --- */

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Ethernet type of the frame as struct __sk_buff has it, in network byte order. */
static uint32_t protocol_of(const uint8_t *frame, size_t length) {
  return length >= 14 ? frame[12] | (uint32_t)frame[13] << 8 : 0;
}

static void print_packet(const struct session *s, const struct bpf_result *result, const uint8_t *frame, size_t before,
                         size_t length, const uint8_t *original) {
  const struct bpf_program *program = &s->instance.programs[0];
  if (s->request->json) {
    printf("%s{\"verdict\": %d, \"data\": \"", s->packets == 1 ? "" : ", ", (int)(uint32_t)result->r0);
    bpf_print_hex(stdout, frame, length);
    printf("\"");
    if (result->redirect.kind == BPF_REDIRECT_PORT) printf(", \"redirect\": %u", result->redirect.target);
    if (result->fault != BPF_FAULT_NONE)
      printf(", \"fault\": \"instruction %u: %s\"", result->fault_insn, bpf_fault_text(result->fault));
    printf("}");
    return;
  }
  if (s->packets > SHOWN_PACKETS) return;
  if (s->packets == 1) printf("packet  verdict        length  packet\n");
  const char *changed = length != before || memcmp(frame, original, length) != 0 ? "changed" : "";
  char verdict[32], to[32] = "";
  bpf_verdict_text(program->kind, result->r0, verdict, sizeof(verdict));
  if (length != before) snprintf(to, sizeof(to), ", was %zu", before);
  if (result->fault != BPF_FAULT_NONE)
    printf("%6llu  fault at instruction %u: %s\n", (unsigned long long)s->packets, result->fault_insn,
           bpf_fault_text(result->fault));
  else
    printf("%6llu  %-13s %7zu  %s%s\n", (unsigned long long)s->packets, verdict, length, changed, to);
}

static void run_packet(struct session *s, const uint8_t *frame, size_t length) {
  const struct bpf_program *program = &s->instance.programs[0];
  uint8_t *data = s->buffer + PACKET_HEADROOM;
  struct bpf_skb skb = {.protocol = protocol_of(frame, length), .ingress_ifindex = 1, .ifindex = 1};
  const struct bpf_input input = {.data = (uint64_t)(uintptr_t)data,
                                  .data_end = (uint64_t)(uintptr_t)data + length,
                                  .ingress_ifindex = 1,
                                  .buffer_start = (uint64_t)(uintptr_t)s->buffer,
                                  .buffer_end = (uint64_t)(uintptr_t)s->buffer + BUFFER_SIZE,
                                  .skb = program->kind == BPF_PROGRAM_TC ? &skb : NULL};
  struct bpf_result result, again;
  memset(s->buffer, 0, BUFFER_SIZE);
  memcpy(data, frame, length);
  uint64_t begin = now();
  bpf_run(program, &s->environment, &input, &result);
  s->ns += now() - begin;
  s->runs++;
  s->packets++;
  bool gone = result.fault != BPF_FAULT_NONE;
  s->faults += gone;
  if (!gone && (uint32_t)result.r0 < 256) s->verdicts[(uint32_t)result.r0]++;
  const uint8_t *after = (const uint8_t *)(uintptr_t)result.data;
  size_t length_after = (size_t)(result.data_end - result.data);
  print_packet(s, &result, after, length, length_after, frame);
  gone |= (uint32_t)result.r0 == (program->kind == BPF_PROGRAM_TC ? (uint32_t)TC_ACT_SHOT : XDP_DROP) ||
          (program->kind == BPF_PROGRAM_XDP && result.r0 == XDP_ABORTED);
  if (s->output && !gone) (void)!pcap_write(s->output, 0, after, (uint32_t)length_after);
  if (s->request->repeat == 1) return;
  begin = now();
  for (uint64_t i = 1; i < s->request->repeat; i++)
    bpf_run(program, &s->environment, &input, &again);
  s->ns += now() - begin;
  s->runs += s->request->repeat - 1;
}

enum { FRAME_MAX = BUFFER_SIZE - PACKET_HEADROOM - 512 };

static int run_capture(struct session *s) {
  static uint8_t frame[FRAME_MAX];
  struct pcap_reader reader;
  uint32_t length = 0;
  int error = pcap_reader_open(&reader, s->request->packets, s->report), more;
  if (error) return error;
  while ((more = pcap_read(&reader, frame, sizeof(frame), &length)) > 0) {
    if (length > sizeof(frame)) {
      more = report_error(s->report, ERROR_TOO_BIG, "%s: packet %llu has %u bytes; at most %zu fit",
                          s->request->packets, (unsigned long long)s->packets + 1, length, sizeof(frame));
      break;
    }
    run_packet(s, frame, length);
  }
  if (more < 0 && s->report->errors == 0)
    (void)report_error(s->report, ERROR_INVALID, "%s: damaged behind packet %llu", s->request->packets,
                       (unsigned long long)s->packets);
  pcap_reader_close(&reader);
  return more;
}

static int run_hex(struct session *s) {
  static uint8_t frame[FRAME_MAX];
  struct text text = {0};
  int error = file_read(s->request->hex, 64 << 20, &text, s->report);
  struct slice rest = {text.data, text.length};
  while (!error && rest.length > 0) {
    const char *end = memchr(rest.data, '\n', rest.length);
    struct slice line = {rest.data, end ? (size_t)(end - rest.data) : rest.length};
    size_t taken = line.length + (end ? 1 : 0);
    rest = (struct slice){rest.data + taken, rest.length - taken};
    line = slice_trim(line);
    if (line.length == 0) continue;
    if (line.length / 2 > sizeof(frame) || !parse_hex(line, frame, line.length / 2))
      error = report_error(s->report, ERROR_INVALID, "%s: packet %llu is not in hexadecimal, or longer than %zu bytes",
                           s->request->hex, (unsigned long long)s->packets + 1, sizeof(frame));
    else
      run_packet(s, frame, line.length / 2);
  }
  text_free(&text);
  return error;
}

/* --- the whole --- */

static void print_summary(const struct session *s) {
  if (s->request->json) {
    printf("], \"ns_per_packet\": %.1f", s->runs ? (double)s->ns / (double)s->runs : 0.0);
    return;
  }
  if (s->packets > SHOWN_PACKETS) printf("   ...  (%llu more)\n", (unsigned long long)s->packets - SHOWN_PACKETS);
  printf("\n%llu packets", (unsigned long long)s->packets);
  for (unsigned i = 0; i < 256; i++) {
    char verdict[32];
    bpf_verdict_text(s->instance.programs[0].kind, i, verdict, sizeof(verdict));
    if (s->verdicts[i]) printf(", %s %llu", verdict, (unsigned long long)s->verdicts[i]);
  }
  if (s->faults) printf(", faulted %llu", (unsigned long long)s->faults);
  const char *engine = s->request->interpret ? "interpreted, checked"
                       : s->request->prove   ? "compiled, proven"
                                             : "compiled, checked";
  printf("\n%.1f ns a packet, %s (%llu runs)\n", s->runs ? (double)s->ns / (double)s->runs : 0.0, engine,
         (unsigned long long)s->runs);
}

static void print_maps(const struct session *s) {
  if (s->request->json) {
    printf(", \"maps\": ");
    bpf_print_maps_json(stdout, s->instance.maps, s->instance.map_count);
    printf("}\n");
  } else if (s->request->maps) {
    bpf_print_maps(stdout, s->linked, s->instance.maps);
  }
}

static int run_linked(struct session *s, const struct linked_program *linked) {
  const struct request *request = s->request;
  s->linked = linked;
  s->environment = bpf_clock_environment(&s->clock);
  int error = bpf_instance_make(&s->instance, linked, !request->interpret && !request->prove, s->report);
  if (!error && request->prove) error = bpf_instance_prove(&s->instance, linked, request->object, s->report);
  for (unsigned i = 0; i < request->entry_count && !error; i++)
    error = put_entry(&s->instance, request->entries[i], s->report);
  s->buffer = memory_alloc_low(BUFFER_SIZE, 4096);
  if (!error && s->buffer == NULL) error = report_error(s->report, ERROR_NO_MEMORY, "out of memory");
  if (!error && request->output) {
    s->output = pcap_writer_open(request->output, s->report);
    if (s->output == NULL) error = -ERROR_IO;
  }
  if (!error) {
    if (request->json) printf("{\"packets\": [");
    error = request->packets ? run_capture(s) : run_hex(s);
    print_summary(s);
    s->faults += bpf_timers_play(stdout, request->json, &s->instance, linked, &s->environment, &s->clock,
                                 request->timers_ms * 1000000);
    print_maps(s);
  }
  if (s->output && fclose(s->output) != 0 && !error)
    error = report_error(s->report, ERROR_IO, "%s: cannot be written", request->output);
  if (s->buffer) memory_free_low(s->buffer, BUFFER_SIZE);
  bpf_instance_free(&s->instance);
  return error;
}

static int run(const struct request *request, struct report *report) {
  struct text object = {0};
  struct linked_program *linked = NULL;
  const struct link_options options = {.file = path_base(request->object),
                                       .name = "",
                                       .program = request->program,
                                       .sets = request->sets,
                                       .set_count = request->set_count};
  struct session session = {.request = request, .report = report};
  int error = file_read(request->object, OBJECT_MAX_SIZE, &object, report);
  if (!error) error = link_object((const uint8_t *)object.data, object.length, &options, &linked, report);
  if (!error) error = run_linked(&session, linked);
  link_free(linked);
  text_free(&object);
  return error || session.faults > 0;
}

enum { OPTION_JIT = 256, OPTION_INTERPRET, OPTION_PROVE, OPTION_JSON, OPTION_MAPS };

int command_bpf_run(int argc, char **argv) {
  static const struct option options[] = {
      {"packet", required_argument, NULL, 'i'},
      {"hex", required_argument, NULL, 'x'},
      {"program", required_argument, NULL, 'p'},
      {"set", required_argument, NULL, 's'},
      {"map", required_argument, NULL, 'm'},
      {"repeat", required_argument, NULL, 'r'},
      {"timers", required_argument, NULL, 't'},
      {"output", required_argument, NULL, 'o'},
      {"maps", no_argument, NULL, OPTION_MAPS},
      {"jit", no_argument, NULL, OPTION_JIT},
      {"interpret", no_argument, NULL, OPTION_INTERPRET},
      {"prove", no_argument, NULL, OPTION_PROVE},
      {"json", no_argument, NULL, OPTION_JSON},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  static struct request request = {.repeat = 1, .timers_ms = 1000};
  for (int option; (option = getopt_long(argc, argv, "i:x:p:s:m:r:t:o:h", options, NULL)) != -1;) {
    switch (option) {
      case 'i':
        request.packets = optarg;
        break;
      case 'x':
        request.hex = optarg;
        break;
      case 'p':
        request.program = optarg;
        break;
      case 's':
        if (request.set_count == MAX_OPTIONS) return command_usage(argv[0], "more than %d constants", MAX_OPTIONS);
        request.sets[request.set_count++] = optarg;
        break;
      case 'm':
        if (request.entry_count == MAX_OPTIONS) return command_usage(argv[0], "more than %d entries", MAX_OPTIONS);
        request.entries[request.entry_count++] = optarg;
        break;
      case 'r':
        if (slice_to_u64(slice_of(optarg), 1000000000, &request.repeat) != 0 || request.repeat == 0)
          return command_usage(argv[0], "--repeat %s: a number from 1 to 1000000000 is expected", optarg);
        break;
      case 't':
        if (slice_to_u64(slice_of(optarg), 1000000000, &request.timers_ms) != 0)
          return command_usage(argv[0], "--timers %s: milliseconds, from 0 to 1000000000, are expected", optarg);
        break;
      case 'o':
        request.output = optarg;
        break;
      case OPTION_MAPS:
        request.maps = true;
        break;
      case OPTION_JIT:
        request.interpret = request.prove = false;
        break;
      case OPTION_PROVE:
        request.interpret = false;
        request.prove = true;
        break;
      case OPTION_INTERPRET:
        request.interpret = true;
        request.prove = false;
        break;
      case OPTION_JSON:
        request.json = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind != argc - 1) return command_usage(argv[0], optind < argc ? "one object at a time" : "no object given");
  request.object = argv[optind];
  if ((request.packets == NULL) == (request.hex == NULL))
    return command_usage(argv[0], "give packets with --packet FILE.pcap or --hex FILE");
  struct report report = {0};
  int status = run(&request, &report);
  return command_report(argv[0], &report) || status;
}
