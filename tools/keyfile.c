/* SPDX-License-Identifier: BSD-3-Clause
 *
 * OpenSSL knows the file formats; libsodium, which signs, makes its 64-byte form from the seed that the files hold. OpenSSL is loaded
 * when a key is read or written: its 20,000 relocations would take longer than all else that `imago click` does before its first
 * packet.
 */
#include "tools/keyfile.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/file.h"

/* A key file is about 120 bytes; whatever is much longer is something else. */
enum { KEYFILE_MAX = 16384 };

#define OPENSSL_LIBRARY "libcrypto.so.3"
#define OPENSSL_FUNCTIONS(use)                                                                         \
  use(BIO_new_mem_buf) use(BIO_free) use(ERR_clear_error) use(OBJ_nid2ln) use(PEM_read_bio_PrivateKey) \
      use(PEM_read_bio_PUBKEY) use(PEM_write_PKCS8PrivateKey) use(PEM_write_PUBKEY) use(EVP_PKEY_free) \
          use(EVP_PKEY_get_base_id) use(EVP_PKEY_get_raw_private_key) use(EVP_PKEY_get_raw_public_key) \
              use(EVP_PKEY_new_raw_private_key) use(EVP_PKEY_new_raw_public_key)

/* OpenSSL's functions under their own names. */
static struct {
#define MEMBER(name) __typeof__(&name) name;
  OPENSSL_FUNCTIONS(MEMBER)
#undef MEMBER
} openssl;

static int load_openssl(struct report *report) {
  static void *library;
  if (library) return 0;
  library = dlopen(OPENSSL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
#define FIND(name) openssl.name = library ? (__typeof__(&name))dlsym(library, #name) : NULL;
  OPENSSL_FUNCTIONS(FIND)
#undef FIND
#define CHECK(name) &&openssl.name
  if (library OPENSSL_FUNCTIONS(CHECK)) return 0;
#undef CHECK
  library = NULL;
  return report_error(report, ERROR_UNSUPPORTED, "OpenSSL, which reads keys, cannot be loaded: %s; install libssl3",
                      dlerror());
}

/* Never asks: a program in a pipeline must not wait for a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context) { return -1; }

/* The first key of the PEM file, NULL when there is none of that kind. */
static EVP_PKEY *parse(const struct text *pem, bool private_key) {
  BIO *bio = openssl.BIO_new_mem_buf(pem->data, (int)pem->length);
  if (!bio) return NULL;
  EVP_PKEY *key = private_key ? openssl.PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)
                              : openssl.PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
  openssl.BIO_free(bio);
  openssl.ERR_clear_error();
  return key;
}

/* What is in the file instead of the key that is wanted. */
static int wrong_key(const char *path, const struct text *pem, EVP_PKEY *key, const char *wanted,
                     struct report *report) {
  if (key)
    return report_error(report, ERROR_KEY, "%s: a key for %s, not Ed25519; make one with `imago keygen`", path,
                        openssl.OBJ_nid2ln(openssl.EVP_PKEY_get_base_id(key)));
  if (strstr(text_string(pem), "ENCRYPTED"))
    return report_error(report, ERROR_KEY, "%s: encrypted; decrypt it with `openssl pkey -in %s -out NEW`", path, path);
  return report_error(report, ERROR_KEY, "%s: not a %s key in PEM; make a pair with `imago keygen`", path, wanted);
}

int keyfile_read_private(const char *path, uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct report *report) {
  struct text pem = {0};
  uint8_t seed[crypto_sign_ed25519_SEEDBYTES], public_key[BUNDLE_PUBLIC_KEY_SIZE];
  size_t length = sizeof(seed);
  int error = load_openssl(report);
  if (error) return error;
  error = file_read(path, KEYFILE_MAX, &pem, report);
  if (error) {
    text_free(&pem);
    return error;
  }
  EVP_PKEY *key = parse(&pem, true);
  if (key && openssl.EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
      openssl.EVP_PKEY_get_raw_private_key(key, seed, &length) == 1 && length == sizeof(seed))
    crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed);
  else
    error = wrong_key(path, &pem, key, "private", report);
  sodium_memzero(seed, sizeof(seed));
  if (pem.data) sodium_memzero(pem.data, pem.capacity);
  openssl.EVP_PKEY_free(key);
  text_free(&pem);
  return error;
}

static void set_name(struct bundle_key *key, const char *path) {
  static const char *const suffixes[] = {".pem", ".pub", ".key"};
  const char *base = path_base(path);
  size_t length = strlen(base);
  for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
    size_t tail = strlen(suffixes[i]);
    if (length > tail && strncmp(base + length - tail, suffixes[i], tail) == 0) length -= tail;
  }
  format_text(key->name, sizeof(key->name), "%.*s", (int)length, base);
}

int keyfile_read_public(const char *path, struct bundle_key *out, struct report *report) {
  struct text pem = {0};
  size_t length = sizeof(out->public_key);
  int error = load_openssl(report);
  if (error) return error;
  error = file_read(path, KEYFILE_MAX, &pem, report);
  if (error) {
    text_free(&pem);
    return error;
  }
  EVP_PKEY *key = parse(&pem, false);
  if (!key) key = parse(&pem, true);
  if (key && openssl.EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
      openssl.EVP_PKEY_get_raw_public_key(key, out->public_key, &length) == 1 && length == sizeof(out->public_key)) {
    bundle_key_identify(out);
    set_name(out, path);
  } else {
    error = wrong_key(path, &pem, key, "public", report);
  }
  if (pem.data) sodium_memzero(pem.data, pem.capacity); /* it may have been a private one */
  openssl.EVP_PKEY_free(key);
  text_free(&pem);
  return error;
}

/* O_EXCL: an existing key is worth more than the new one. */
static int write_new(const char *path, mode_t mode, EVP_PKEY *key, bool private_key, struct report *report) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0 && errno == EEXIST)
    return report_error(report, ERROR_EXISTS, "%s: exists and is not overwritten; choose another name with -o", path);
  if (fd < 0) return report_error(report, ERROR_IO, "%s: cannot create: %s", path, strerror(errno));
  FILE *file = fdopen(fd, "w");
  if (!file) close(fd);
  bool good = file && (private_key ? openssl.PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
                                   : openssl.PEM_write_PUBKEY(file, key)) == 1;
  if (file && fclose(file) != 0) good = false;
  if (good) return 0;
  unlink(path);
  return report_error(report, ERROR_IO, "%s: cannot write", path);
}

int keyfile_write_private(const char *path, const uint8_t secret_key[BUNDLE_SECRET_KEY_SIZE], struct report *report) {
  int error = load_openssl(report);
  if (error) return error;
  EVP_PKEY *key =
      openssl.EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret_key, crypto_sign_ed25519_SEEDBYTES);
  if (!key) return report_error(report, ERROR_UNSUPPORTED, "%s: this OpenSSL has no Ed25519", path);
  error = write_new(path, 0600, key, true, report);
  openssl.EVP_PKEY_free(key);
  return error;
}

int keyfile_write_public(const char *path, const uint8_t public_key[BUNDLE_PUBLIC_KEY_SIZE], struct report *report) {
  int error = load_openssl(report);
  if (error) return error;
  EVP_PKEY *key = openssl.EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, BUNDLE_PUBLIC_KEY_SIZE);
  if (!key) return report_error(report, ERROR_UNSUPPORTED, "%s: this OpenSSL has no Ed25519", path);
  error = write_new(path, 0644, key, false, report);
  openssl.EVP_PKEY_free(key);
  return error;
}
