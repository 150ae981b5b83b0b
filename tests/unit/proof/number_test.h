/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The test of proof/number.h's soundness, which also runs with bugs planted in it.
 */
#ifndef IMAGO_TESTS_PROOF_NUMBER_TEST_H
#define IMAGO_TESTS_PROOF_NUMBER_TEST_H

/* 0: all is sound. */
int number_test(void);

#endif
