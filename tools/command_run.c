/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago run: options, and from them the plan of what is started.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/build.h"
#include "tools/command.h"
#include "tools/file.h"
#include "tools/qemu.h"
#include "tools/run.h"

static const char help[] =
    "usage: imago run [OPTIONS] IMAGE.elf | FILE.click\n"
    "\n"
    "Starts a network function: IMAGE.elf, made by 'imago build', with the boot archive IMAGE.cpio beside it; or FILE.click, which\n"
    "is built first. It runs in a virtual machine (QEMU, microvm), or with --process as a process of this host. Shows what it\n"
    "prints until it ends; Ctrl-C stops it cleanly. With --detach returns as soon as its control port answers.\n"
    "\n"
    "  -n, --name NAME        what other commands call it (default: from the file's name)\n"
    "  -d, --detach           leave it running in the background\n"
    "  -i, --nic SPEC         add a network interface: eth0, eth1 ... in order. In a virtual machine:\n"
    "                           dgram:LOCAL,REMOTE  unix datagram sockets, one frame a datagram (LOCAL is made)\n"
    "                           stream:PATH         unix stream socket that somebody listens on\n"
    "                           tap:INTERFACE       a tap interface of this host that is there\n"
    "                           user                QEMU's user-mode network\n"
    "                         as a process:\n"
    "                           packet:INTERFACE    an interface of this host, which sees the frames too (AF_PACKET)\n"
    "                           xdp:INTERFACE       the same for us alone (AF_XDP)\n"
    "                           tap:NAME            a tap interface of this host, made if it is not there\n"
    "                           memory:NAME         one end of a cable inside; the second of that name is the other\n"
    "                           unix:LOCAL,REMOTE   as dgram, which is accepted too\n"
    "                           pcap:IN,OUT         frames from one capture file, to another; either may be empty\n"
    "                           replay:IN,OUT       the same, with the distances in time of the capture\n"
    "  -k, --key PUB.pem      for FILE.click: trust bundles signed with this key; see 'imago build --help'\n"
    "  -b, --bundle [NAME=]F  for FILE.click: put this bundle into the boot archive\n"
    "      --dev              for FILE.click: its bundles, and those of --bundle, may also be objects (FILE prog.bpf.o), which\n"
    "                         are linked, and signed with a key that is made for this run and thrown away\n"
    "      --allow-unproven   for FILE.click: take bundles without proof too; see 'imago build --help'\n"
    "      --archive FILE     use this boot archive instead of the one beside the image\n"
    "      --timeout SECONDS  detached: wait so long for the control port (default 20); otherwise: stop it after so long\n"
    "  -h, --help             this text\n"
    "\n"
    "Virtual machine:\n"
    "  -m, --memory MIB       its RAM (default 32; 8 is enough for small graphs)\n"
    "      --accel WHICH      kvm, tcg, or auto (default): KVM if a trial start succeeds\n"
    "      --append TEXT      kernel command line\n"
    "      --gdb[=PORT]       wait for a debugger on 127.0.0.1:PORT (default 1234) before the first instruction\n"
    "      --print            print the exact QEMU command line, ready for a shell, and do nothing else\n"
    "\n"
    "Process:\n"
    "      --process          run as a process; needs no QEMU, and no privilege but for interfaces of the host\n"
    "      --stop-when-finished  end when every capture file is read and no packet moves any more\n"
    "\n"
    "  imago run --nic dgram:a,b --nic dgram:c,d firewall.elf\n"
    "  imago run --detach --name fw --key signer.pub.pem firewall.click\n"
    "  imago run --process --dev --nic tap:im0 filter.click\n"
    "  imago run --process --nic pcap:in.pcap, --nic pcap:,out.pcap --stop-when-finished --key signer.pub.pem firewall.click\n"
    "  imago run --print firewall.elf > firewall.sh\n"
    "\n"
    "Files: the run directory holds the control socket, console, log and what QEMU said; see 'imago ps --help'.\n"
    "Exit status: 0 when it ended cleanly (detached: when it runs); 1 when it panicked, refused its configuration, was killed\n"
    "or could not start, with the reason on standard error.\n";

enum {
  LIST_MAX = 256,
  NICS_MAX = 16,
  MEMORY_MAX_MIB = 1 << 20,
  TIMEOUT_MAX_S = 7 * 86400,
  DETACH_TIMEOUT_S = 20,
  GDB_PORT = 1234,
};

struct run_options {
  const char *name, *operand, *archive, *append;
  const char *nics[NICS_MAX], *keys[LIST_MAX], *bundles[LIST_MAX];
  unsigned nic_count, key_count, bundle_count;
  bool detach, dev, allow_unproven, process, print, stop_when_finished, machine_option;
  enum accelerator accelerator;
  uint32_t memory_mib, gdb_port, timeout_s;
};

static bool add(const char **list, unsigned *count, unsigned limit, const char *value) {
  if (*count == limit) return false;
  list[(*count)++] = value;
  return true;
}

static bool parse_number(const char *text, uint32_t min, uint32_t max, uint32_t *value) {
  uint64_t parsed;
  if (slice_to_u64(slice_of(text), max, &parsed) != 0 || parsed < min) return false;
  *value = (uint32_t)parsed;
  return true;
}

static bool parse_accelerator(const char *text, enum accelerator *accelerator) {
  static const char *const names[] = {
      [ACCELERATOR_AUTO] = "auto", [ACCELERATOR_KVM] = "kvm", [ACCELERATOR_TCG] = "tcg"};
  for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (strcmp(text, names[i]) == 0) {
      *accelerator = (enum accelerator)i;
      return true;
    }
  }
  return false;
}

enum { ACCEL = 256, ALLOW_UNPROVEN, APPEND, ARCHIVE, DEV, GDB, PRINT, PROCESS, STOP_WHEN_FINISHED, TIMEOUT };

/* True to go on; otherwise *status is the exit status. */
static bool parse_options(int argc, char **argv, struct run_options *o, int *status) {
  static const struct option options[] = {{"accel", required_argument, NULL, ACCEL},
                                          {"allow-unproven", no_argument, NULL, ALLOW_UNPROVEN},
                                          {"append", required_argument, NULL, APPEND},
                                          {"archive", required_argument, NULL, ARCHIVE},
                                          {"bundle", required_argument, NULL, 'b'},
                                          {"detach", no_argument, NULL, 'd'},
                                          {"dev", no_argument, NULL, DEV},
                                          {"gdb", optional_argument, NULL, GDB},
                                          {"help", no_argument, NULL, 'h'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"memory", required_argument, NULL, 'm'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"nic", required_argument, NULL, 'i'},
                                          {"print", no_argument, NULL, PRINT},
                                          {"process", no_argument, NULL, PROCESS},
                                          {"stop-when-finished", no_argument, NULL, STOP_WHEN_FINISHED},
                                          {"timeout", required_argument, NULL, TIMEOUT},
                                          {NULL, 0, NULL, 0}};
  *o = (struct run_options){.append = "", .memory_mib = 32};
  const char *wrong = NULL;
  for (int option; wrong == NULL && (option = getopt_long(argc, argv, "b:dhi:k:m:n:", options, NULL)) != -1;) {
    o->machine_option =
        o->machine_option || option == 'm' || option == ACCEL || option == APPEND || option == GDB || option == PRINT;
    const char *value = optarg != NULL ? optarg : ""; /* --gdb may go without */
    switch (option) {
      case 'b':
        if (!add(o->bundles, &o->bundle_count, LIST_MAX, value)) wrong = "--bundle: at most 256";
        break;
      case 'i':
        if (!add(o->nics, &o->nic_count, NICS_MAX, value)) wrong = "--nic: at most 16";
        break;
      case 'k':
        if (!add(o->keys, &o->key_count, LIST_MAX, value)) wrong = "--key: at most 256";
        break;
      case 'm':
        if (!parse_number(value, QEMU_MEMORY_MIN_MIB, MEMORY_MAX_MIB, &o->memory_mib)) {
          wrong = "--memory takes a number of MiB, 8 or more";
        }
        break;
      case 'd':
        o->detach = true;
        break;
      case 'n':
        o->name = value;
        break;
      case ACCEL:
        if (!parse_accelerator(value, &o->accelerator)) wrong = "--accel takes kvm, tcg or auto";
        break;
      case ALLOW_UNPROVEN:
        o->allow_unproven = true;
        break;
      case APPEND:
        o->append = value;
        break;
      case ARCHIVE:
        o->archive = value;
        break;
      case DEV:
        o->dev = true;
        break;
      case GDB:
        o->gdb_port = GDB_PORT;
        if (value[0] != '\0' && !parse_number(value, 1, 65535, &o->gdb_port)) wrong = "--gdb takes a port, 1 to 65535";
        break;
      case PRINT:
        o->print = true;
        break;
      case PROCESS:
        o->process = true;
        break;
      case STOP_WHEN_FINISHED:
        o->stop_when_finished = true;
        break;
      case TIMEOUT:
        if (!parse_number(value, 1, TIMEOUT_MAX_S, &o->timeout_s)) wrong = "--timeout takes a number of seconds";
        break;
      case 'h':
        *status = command_help(help);
        return false;
      default:
        *status = command_usage(argv[0], NULL);
        return false;
    }
  }
  if (wrong == NULL && argc - optind != 1) wrong = argc == optind ? "which image or Click file?" : "one at a time";
  if (wrong == NULL && o->process && o->machine_option) {
    wrong = "--memory, --accel, --append, --gdb and --print are for virtual machines, not for --process";
  }
  if (wrong == NULL && o->stop_when_finished && !o->process) wrong = "--stop-when-finished needs --process";
  if (wrong != NULL) {
    *status = command_usage(argv[0], "%s", wrong);
    return false;
  }
  o->operand = argv[optind];
  if (o->detach && o->timeout_s == 0) o->timeout_s = DETACH_TIMEOUT_S;
  return true;
}

/* The file's name without its suffix, made a name that a run may have; "run" if nothing of it will do. */
static void default_name(const char *operand, char name[RUN_NAME_MAX]) {
  static const char *const suffixes[] = {".click", ".elf", ".cpio"};
  const char *base = path_base(operand);
  size_t length = strlen(base);
  for (unsigned i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
    if (path_has_suffix(base, suffixes[i])) length -= strlen(suffixes[i]);
  }
  while (length > 0 && (!char_is_word(*base) || *base == '_')) {
    base++;
    length--;
  }
  if (length == 0) {
    base = "run";
    length = strlen(base);
  }
  format_text(name, RUN_NAME_MAX, "%.*s", (int)length, base);
  for (char *c = name; *c != '\0'; c++) {
    if (!char_is_word(*c) && *c != '.' && *c != '-') *c = '-';
  }
}

/* Where the image and the archive are: what the operand names, or after building a Click file, in the run directory. */
static int find_files(const struct run_options *o, const struct rundir *dir, struct build_result *files,
                      struct report *report) {
  int error;
  if (path_has_suffix(o->operand, ".click")) {
    char output[PATH_MAX];
    rundir_file(dir, "image", output);
    struct build_options build_options = {.click = o->operand,
                                          .bundles = o->bundles,
                                          .bundle_count = o->bundle_count,
                                          .keys = o->keys,
                                          .key_count = o->key_count,
                                          .dev = o->dev,
                                          .allow_unproven = o->allow_unproven,
                                          .output = output,
                                          .archive_only = o->process};
    error = build(&build_options, files, report);
    if (error != 0) return error;
  } else {
    if (o->key_count > 0 || o->bundle_count > 0 || o->dev || o->allow_unproven) {
      return report_error(report, ERROR_INVALID,
                          "--key, --bundle, --dev and --allow-unproven belong to a Click file; %s has its archive "
                          "already: give them to 'imago build'",
                          o->operand);
    }
    char stem[PATH_MAX];
    size_t length = strlen(o->operand) - (path_has_suffix(o->operand, ".cpio") ? strlen(".cpio") : 0);
    format_text(stem, sizeof(stem), "%.*s", (int)length, o->operand);
    error = build_paths(stem, files, report);
    if (error != 0) return error;
    /* An image may be called anything, as long as its archive goes by the same name. */
    if (length == strlen(o->operand)) format_text(files->image, sizeof(files->image), "%s", o->operand);
  }
  if (o->archive != NULL) format_text(files->archive, sizeof(files->archive), "%s", o->archive);
  if (!o->process && access(files->image, R_OK) != 0) {
    return report_error(report, ERROR_NOT_FOUND, "%s: %s; 'imago build FILE.click' makes an image", files->image,
                        strerror(errno));
  }
  if (access(files->archive, R_OK) != 0) {
    return report_error(report, ERROR_NOT_FOUND,
                        "%s: %s; the boot archive must lie beside the image, or be named with "
                        "--archive",
                        files->archive, strerror(errno));
  }
  return 0;
}

static int qemu_plan(struct run_options *o, const struct build_result *files, struct run_plan *plan,
                     struct report *report) {
  int error = qemu_accelerator(&o->accelerator, report);
  if (error != 0) return error;
  const struct qemu_options qemu = {.image = files->image,
                                    .archive = files->archive,
                                    .append = o->append,
                                    .accelerator = o->accelerator,
                                    .memory_mib = o->memory_mib,
                                    .nics = o->nics,
                                    .nic_count = o->nic_count,
                                    .gdb_port = o->gdb_port};
  return qemu_arguments(&qemu, &plan->dir, &plan->qemu, report);
}

static int print_line(struct run_options *o, struct run_plan *plan, struct report *report) {
  struct build_result files;
  if (path_has_suffix(o->operand, ".click")) {
    return report_error(report, ERROR_INVALID, "--print needs an image: make it with 'imago build %s' first",
                        o->operand);
  }
  int error = find_files(o, &plan->dir, &files, report);
  if (error == 0) error = qemu_plan(o, &files, plan, report);
  if (error != 0) return error;
  struct text line = {0};
  text_add(&line, "mkdir -p -m 700 ");
  shell_quote(plan->dir.path, &line);
  text_add(&line, " && \\\n");
  arguments_to_shell(&plan->qemu, &line);
  fputs(text_string(&line), stdout);
  text_free(&line);
  return 0;
}

/* What other commands want to know about the run. */
static int record(const struct run_options *o, char **argv, const struct run_plan *plan, struct report *report) {
  struct text line = {0};
  if (o->process) {
    text_add(&line, argv[0]);
    for (unsigned i = 1; argv[i] != NULL; i++) {
      text_add(&line, " ");
      shell_quote(argv[i], &line);
    }
    text_add(&line, "\n");
  } else {
    arguments_to_shell(&plan->qemu, &line);
  }
  int error = rundir_write(&plan->dir, "command", text_string(&line), report);
  if (error == 0) error = rundir_write(&plan->dir, "platform", o->process ? "process\n" : "vm\n", report);
  if (error == 0) error = rundir_write(&plan->dir, "image", plan->image, report);
  text_free(&line);
  return error;
}

/* The process platform says unix: for what QEMU says dgram: for. */
static void use_process_names(struct run_options *o, struct text names[NICS_MAX]) {
  for (unsigned i = 0; o->process && i < o->nic_count; i++) {
    if (!slice_starts_with(slice_of(o->nics[i]), "dgram:")) continue;
    text_addf(&names[i], "unix:%s", o->nics[i] + strlen("dgram:"));
    o->nics[i] = text_string(&names[i]);
  }
}

static int start(struct run_options *o, char **argv) {
  struct report report = {0};
  struct text nic_names[NICS_MAX] = {0};
  struct run_plan plan = {.process = o->process, .timeout_s = o->timeout_s, .answers = o->gdb_port == 0};
  struct build_result files;
  char name[RUN_NAME_MAX], image[PATH_MAX];
  int status = 1;
  default_name(o->operand, name);
  if (rundir_locate(o->name != NULL ? o->name : name, &plan.dir, &report) != 0) return command_report(argv[0], &report);
  if (o->print) {
    if (print_line(o, &plan, &report) == 0) status = 0;
    goto done;
  }
  plan.claim = rundir_claim(&plan.dir, &report);
  if (plan.claim < 0) goto done;
  int error = find_files(o, &plan.dir, &files, &report);
  if (error == 0) {
    const char *main_file = o->process ? files.archive : files.image;
    plan.image = realpath(main_file, image);
    plan.archive_path = files.archive;
    if (plan.image == NULL) error = report_error(&report, ERROR_NOT_FOUND, "%s: %s", main_file, strerror(errno));
  }
  if (error == 0 && !o->process) error = qemu_plan(o, &files, &plan, &report);
  if (error == 0) error = record(o, argv, &plan, &report);
  if (error != 0) {
    rundir_remove(&plan.dir);
    close(plan.claim);
    goto done;
  }
  use_process_names(o, nic_names);
  plan.process_options =
      (struct process_options){.nics = o->nics, .nic_count = o->nic_count, .stop_when_finished = o->stop_when_finished};
  if (o->gdb_port != 0) {
    fprintf(stderr, "%s: waiting for a debugger: gdb -ex 'target remote 127.0.0.1:%u' %s\n", argv[0], o->gdb_port,
            files.image);
  }
  status = o->detach ? run_detached(&plan, argv[0]) : run_foreground(&plan, argv[0]);
done:
  for (unsigned i = 0; i < NICS_MAX; i++)
    text_free(&nic_names[i]);
  arguments_free(&plan.qemu);
  return command_report(argv[0], &report) | status;
}

int command_run(int argc, char **argv) {
  struct run_options options;
  int status;
  if (!parse_options(argc, argv, &options, &status)) return status;
  return start(&options, argv);
}
