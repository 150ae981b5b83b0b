/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An element that does nothing but take room in the image's memory, for the test of large images with little RAM.
 */
#include "click/element.h"

struct ballast {
  struct element element;
};

static volatile uint8_t load[3 << 19]; /* 1.5 MiB that no file holds */

static int initialize(struct element *e, struct report *report) {
  load[sizeof load - 1] = 1;
  return load[0];
}

static const struct element_class ballast_class = {.name = "Ballast",
                                                   .purpose = "makes an image large, for tests",
                                                   .ports = "0/0",
                                                   .processing = "a/a",
                                                   .size = sizeof(struct ballast),
                                                   .initialize = initialize};
ELEMENT(Ballast, ballast_class);
