/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago inspect: what a bundle holds, and whether its signature and its proof do.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>

#include "bundle/proof_input.h"
#include "bundle/tunable.h"
#include "bundle/wire.h"
#include "lib/memory.h"
#include "tools/command.h"
#include "tools/file.h"
#include "tools/keyfile.h"
#include "verifier/disasm.h"
#include "verifier/names.h"

static const char help[] =
    "usage: imago inspect FILE.imb [--key SIGNER.pub.pem]... [--dump]\n"
    "\n"
    "Prints what a bundle holds: signer, name, version, audience, maps, sizes, content hash, and whether\n"
    "its proof holds.\n"
    "\n"
    "  -k, --key FILE   a public key to check the signature with (PEM; may be given several times). A private key\n"
    "                   stands for its public half.\n"
    "  -d, --dump       the instructions too, with source lines\n"
    "  -h, --help       this text\n"
    "\n"
    "The line 'signature' says: good, and by which key; WRONG: the bytes were changed after signing; unknown key: none of\n"
    "those given signed it; or not checked, when no key was given.\n"
    "\n"
    "Exit status: 0; 1 when the file is no well-formed bundle, or keys were given and the signature is not good.\n";

enum { MAX_KEYS = 64 };

static void print_maps(const struct bundle *bundle) {
  for (uint32_t i = 0; i < bundle->map_count; i++) {
    const struct bpf_map_def *def = &bundle->maps[i];
    printf("map       %s: %s, key %u, value %u, %u %s%s%s%s\n", def->name, linux_map_type_name(def->type),
           def->key_size, def->value_size, def->max_entries, def->max_entries == 1 ? "entry" : "entries",
           def->flags & BPF_F_RDONLY_PROG ? ", read-only" : "", def->flags & BPF_F_WRONLY_PROG ? ", write-only" : "",
           bundle->initial[i].length > 0 ? ", with initial value" : "");
  }
}

static void print_tunables(const struct bundle *bundle) {
  struct text line = {0};
  for (uint32_t i = 0; i < bundle->tunable_count; i++) {
    const struct bundle_tunable *t = &bundle->tunables[i];
    text_clear(&line);
    tunable_add_range(&line, t);
    text_add(&line, ", unless chosen ");
    tunable_add_number(&line, tunable_load(t, bundle->initial[t->map].data), t->is_signed);
    printf("tunable   %s: %s\n", t->name, text_string(&line));
  }
  text_free(&line);
}

/* Checks the proof as the unikernel does. */
static void print_proof(const struct bundle *bundle) {
  const size_t length = bundle->proof.length;
  if (length == 0) {
    printf("proof     none: runs only where it was allowed to, with every access checked\n");
    return;
  }
  struct bundle_proof_input *in = memory_alloc(sizeof(*in));
  struct proof_verdict *verdict = memory_alloc(sizeof(*verdict));
  struct bpf_fact *facts = NULL;
  int error = -ERROR_NO_MEMORY;
  if (in && verdict) {
    bundle_proof_input(bundle, BPF_MAX_EXECUTED, in);
    error = bundle_check_proof(&in->input, bundle->proof, &facts, verdict);
  }
  if (error == 0) {
    printf("proof     %zu bytes, holds: at most %u instructions executed for one packet\n", length,
           verdict->root[0].cost.insns);
  } else if (error == -ERROR_INVALID) {
    printf("proof     %zu bytes, DOES NOT HOLD: no function takes this bundle\n", length);
  } else {
    printf("proof     %zu bytes, not checked: no memory\n", length);
  }
  memory_free(facts);
  memory_free(verdict);
  memory_free(in);
}

static void print_bundle(const struct bundle *bundle, const char *signature) {
  char id[2 * BUNDLE_KEY_ID_SIZE + 1], hash[2 * BUNDLE_HASH_SIZE + 1];
  sodium_bin2hex(id, sizeof(id), bundle->key_id, sizeof(bundle->key_id));
  sodium_bin2hex(hash, sizeof(hash), bundle->hash, sizeof(bundle->hash));
  printf("program   %s\n", bundle->meta.name);
  printf("version   %llu\n", (unsigned long long)bundle->meta.version);
  printf("audience  %s\n", bundle->meta.audience);
  printf("section   %s\n", bundle->meta.section);
  printf("size      %u bytes: %u instructions, %u maps, %zu bytes of line information\n", bundle->size,
         bundle->insn_count, bundle->map_count, bundle->lines.length);
  print_maps(bundle);
  print_tunables(bundle);
  print_proof(bundle);
  printf("hash      %s\n", hash);
  printf("key id    %s\n", id);
  printf("signature %s\n", signature);
}

static void print_code(const struct bundle *bundle) {
  const struct disassembly code = {bundle->insns, bundle->insn_count, bundle->maps, bundle->map_count};
  struct text line = {0};
  char where[160], before[160] = "";
  for (uint32_t i = 0; i < bundle->insn_count;) {
    if (bundle_source_line(bundle, i, where, sizeof(where)) && strcmp(where, before) != 0) {
      printf("; %s\n", where);
      memcpy(before, where, sizeof(before));
    }
    text_clear(&line);
    uint32_t slots = disassemble(&code, i, &line);
    printf("%6u: %s\n", i, text_string(&line));
    i += slots;
  }
  text_free(&line);
}

/* Prints the bundle; 0, or 1 when it is not what it should be. */
static int inspect(const char *path, const struct bundle_key *keys, unsigned key_count, bool dump,
                   struct report *report) {
  struct text bytes = {0};
  struct bundle *bundle = memory_alloc(sizeof(*bundle));
  int error = bundle ? file_read(path, BUNDLE_MAX_SIZE, &bytes, report) : -ERROR_NO_MEMORY;
  if (!error) {
    char signature[80] = "not checked: give the signer's public key with --key";
    const struct bundle_key *signer = NULL;
    int verdict = 0;
    if (key_count > 0) {
      verdict = bundle_verify((const uint8_t *)bytes.data, bytes.length, keys, key_count, &signer, NULL);
      if (verdict == -ERROR_KEY)
        format_text(signature, sizeof(signature), "unknown key");
      else if (verdict == -ERROR_SIGNATURE)
        format_text(signature, sizeof(signature), "WRONG: the bytes were changed after signing");
      else if (signer)
        format_text(signature, sizeof(signature), "good, by %s", signer->name);
    }
    error = bundle_parse((const uint8_t *)bytes.data, bytes.length, bundle, report);
    if (!error) {
      print_bundle(bundle, signature);
      if (dump) print_code(bundle);
      error = verdict;
    } else if (verdict == -ERROR_SIGNATURE) {
      report_note(report, "bundle: signature WRONG: the bytes were changed after signing");
    }
  }
  memory_free(bundle);
  text_free(&bytes);
  return error != 0;
}

int command_inspect(int argc, char **argv) {
  static const struct option options[] = {{"key", required_argument, NULL, 'k'},
                                          {"dump", no_argument, NULL, 'd'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  struct bundle_key keys[MAX_KEYS] = {{.name = ""}};
  struct report report = {0};
  unsigned key_count = 0;
  bool dump = false;
  for (int option; (option = getopt_long(argc, argv, "k:dh", options, NULL)) != -1;) {
    switch (option) {
      case 'k':
        if (key_count == MAX_KEYS) return command_usage(argv[0], "more than %d keys", MAX_KEYS);
        if (keyfile_read_public(optarg, &keys[key_count++], &report) != 0) return command_report(argv[0], &report);
        break;
      case 'd':
        dump = true;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind != argc - 1) return command_usage(argv[0], optind < argc ? "one bundle at a time" : "no bundle given");
  int status = inspect(argv[optind], keys, key_count, dump, &report);
  return command_report(argv[0], &report) || status;
}
