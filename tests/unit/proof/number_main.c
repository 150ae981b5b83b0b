/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs the test of proof/number.h.
 */
#include "tests/unit/proof/number_test.h"

int main(void) { return number_test(); }
