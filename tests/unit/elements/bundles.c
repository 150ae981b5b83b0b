/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/elements/bundles.h"

#include <sodium.h>

static struct bundle_key keys[1];
static uint8_t secret[2][BUNDLE_SECRET_KEY_SIZE];
static struct text texts[2];

static void make_keys(void) {
  for (unsigned i = 0; i < 2; i++) {
    uint8_t seed[crypto_sign_SEEDBYTES] = {(uint8_t)(i + 1)}, public_key[BUNDLE_PUBLIC_KEY_SIZE];
    assert_int_equal(crypto_sign_seed_keypair(public_key, secret[i], seed), 0);
    if (i > 0) continue;
    memcpy(keys[0].public_key, public_key, sizeof public_key);
    bundle_key_identify(&keys[0]);
    memcpy(keys[0].name, "demo", sizeof "demo");
  }
}

struct slice bundles_bake(unsigned slot, struct recipe r) {
  struct bundle_description d = {.insns = r.insns,
                                 .insn_count = r.count,
                                 .programs = r.programs,
                                 .program_count = r.program_count,
                                 .maps = r.maps,
                                 .initial = r.initial,
                                 .map_count = r.map_count,
                                 .lines = r.lines,
                                 .line_count = r.line_count,
                                 .tunables = r.tunables,
                                 .tunable_count = r.tunable_count,
                                 .proof = r.proof};
  format_text(d.meta.name, sizeof d.meta.name, "%s", r.name);
  d.meta.version = r.version;
  d.meta.kind = r.kind;
  format_text(d.meta.audience, sizeof d.meta.audience, "%s", r.audience ? r.audience : "*");
  format_text(d.meta.section, sizeof d.meta.section, "%s", r.section ? r.section : "xdp");
  struct report report = {0};
  text_free(&texts[slot]);
  if (bundle_write(&d, secret[r.signer], &texts[slot], &report)) fail_msg("%s", text_string(&report.text));
  report_free(&report);
  return (struct slice){texts[slot].data, texts[slot].length};
}

void bundles_open(struct recipe first) {
  harness_open();
  make_keys();
  harness.services.keys = keys;
  harness.services.key_count = 1;
  harness.files[0].name = "first";
  harness.files[0].bytes = bundles_bake(0, first);
}

void bundles_start(struct recipe first, const char *config) {
  bundles_open(first);
  harness_build(config);
}

int bundles_load(const char *handler, struct recipe r) {
  struct slice bytes = bundles_bake(1, r);
  return harness_write(handler, bytes.data, bytes.length);
}

void bundles_expect_load(const char *handler, struct recipe r) {
  if (bundles_load(handler, r)) fail_msg("%s", harness_message());
}

int bundles_release(void **state) {
  text_free(&texts[0]);
  text_free(&texts[1]);
  return 0;
}
