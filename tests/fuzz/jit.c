/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fuzz target: the engines against each other. The input chooses what the generator does; its first byte whether the program is safe.
 */
#include "tests/differential/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  if (size == 0) return 0;
  struct choices c = {bytes + 1, size - 1, 0};
  compare_engines(&c, (bytes[0] & 1) != 0, 0);
  return 0;
}
