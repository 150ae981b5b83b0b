/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Nothing: what entering a program and leaving it costs.
 */
#include "kernel.h"

KERNEL(empty) { return XDP_PASS; }
