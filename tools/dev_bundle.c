/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The same steps as `imago bundle`, without files in between.
 */
#include "tools/dev_bundle.h"

#include <sodium.h>

#include "tools/bundle_request.h"
#include "tools/file.h"
#include "verifier/link_bundle.h"

int dev_key_make(struct dev_key *key, struct report *report) {
  if (sodium_init() < 0) return report_error(report, ERROR_IO, "the system has no source of random numbers");
  crypto_sign_keypair(key->public_key, key->secret_key);
  return 0;
}

bool dev_bundle_is_object(const char *path) { return path_has_suffix(path, ".o"); }

int dev_bundle_make(const char *path, const struct dev_key *key, struct text *out, struct report *report) {
  struct bundle_request request = {.object = path, .meta = {.version = 1, .audience = "*"}};
  struct linked_program *linked = NULL;
  struct text object = {0};
  const struct slice name = bundle_request_default_name(path);
  if (name.length >= sizeof(request.meta.name))
    return report_error(report, ERROR_TOO_BIG, "%s: the name is longer than %zu characters; rename the file", path,
                        sizeof(request.meta.name) - 1);
  memcpy(request.meta.name, name.data, name.length);
  int error = bundle_request_link(&request, &object, &linked, report);
  if (error == 0) error = link_bundle(linked, &request.meta, (struct slice){NULL, 0}, key->secret_key, out, report);
  link_free(linked);
  text_free(&object);
  return error;
}
