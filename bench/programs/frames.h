/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The packet that bench/bpf.c makes for all kernels: small frames behind each other.
 */
#ifndef IMAGO_BENCH_FRAMES_H
#define IMAGO_BENCH_FRAMES_H

enum { FRAMES = 16, FRAME_BYTES = 80, PACKET_BYTES = 1500 };

#endif
