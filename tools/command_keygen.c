/* SPDX-License-Identifier: BSD-3-Clause
 *
 * imago keygen: makes a pair of signing keys.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/keyfile.h"

static const char help[] =
    "usage: imago keygen [[-o] PREFIX]\n"
    "\n"
    "Makes an Ed25519 key pair for signing bundles:\n"
    "  PREFIX.pem       private: signs ('imago verify --key'). Mode 0600; keep it off the machines that run network functions.\n"
    "  PREFIX.pub.pem   public: whoever trusts it takes what the private key signed.\n"
    "Existing files are never overwritten.\n"
    "\n"
    "  -o, --output PREFIX   path and beginning of the file names (default: signer)\n"
    "  -h, --help            this text\n"
    "\n"
    "Both files are PEM (PKCS#8, SubjectPublicKeyInfo), so openssl reads them, and its keys do as well:\n"
    "  openssl genpkey -algorithm ed25519 -out PREFIX.pem\n"
    "  openssl pkey -in PREFIX.pem -pubout -out PREFIX.pub.pem\n"
    "\n"
    "Exit status: 0, or 1 when there are no new keys.\n";

int command_keygen(int argc, char **argv) {
  static const struct option options[] = {
      {"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  const char *prefix = "signer";
  for (int option; (option = getopt_long(argc, argv, "o:h", options, NULL)) != -1;) {
    switch (option) {
      case 'o':
        prefix = optarg;
        break;
      case 'h':
        return command_help(help);
      default:
        return command_usage(argv[0], NULL);
    }
  }
  if (optind < argc) prefix = argv[optind++];
  if (optind < argc) return command_usage(argv[0], "unexpected '%s'", argv[optind]);
  if (sodium_init() < 0) return command_fail(argv[0], "the system has no source of random numbers");

  struct report report = {0};
  struct text private_path = {0}, public_path = {0};
  struct bundle_key key = {.name = ""};
  uint8_t secret[BUNDLE_SECRET_KEY_SIZE];
  text_addf(&private_path, "%s.pem", prefix);
  text_addf(&public_path, "%s.pub.pem", prefix);
  crypto_sign_ed25519_keypair(key.public_key, secret);
  bundle_key_identify(&key);
  /* The public file first: a private key without its public half can be completed, the reverse is useless and removed. */
  int error = keyfile_write_public(text_string(&public_path), key.public_key, &report);
  if (!error) {
    error = keyfile_write_private(text_string(&private_path), secret, &report);
    if (error) unlink(text_string(&public_path));
  }
  sodium_memzero(secret, sizeof(secret));
  if (!error) {
    char id[2 * BUNDLE_KEY_ID_SIZE + 1];
    sodium_bin2hex(id, sizeof(id), key.id, sizeof(key.id));
    printf("%s  private key, keep it secret\n%s  public key, id %s\n", text_string(&private_path),
           text_string(&public_path), id);
  }
  text_free(&private_path);
  text_free(&public_path);
  return command_report(argv[0], &report);
}
