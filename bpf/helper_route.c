/* SPDX-License-Identifier: BSD-3-Clause
 *
 * bpf_fib_lookup and bpf_check_mtu (Linux: net/core/filter.c): what the system knows of routes and interfaces comes from the
 * environment.
 */
#include "bpf/helper_list.h"
#include "bpf/window.h"
#include "lib/bytes.h"

enum { FIB_FLAGS = 0x3f, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, EAFNOSUPPORT = 97 };
enum { MTU_CHK_SEGS = 1, MTU_CHK_RET_SUCCESS = 0, MTU_CHK_RET_FRAG_NEEDED = 1, DEFAULT_MTU = 1500 };

uint64_t bpf_helper_fib_lookup(uint64_t context, uint64_t parameters, uint64_t size, uint64_t flags, uint64_t r5,
                               struct bpf_machine *m) {
  const struct bpf_environment *environment = m->environment;
  struct bpf_fib_lookup lookup;
  if ((uint32_t)size < sizeof lookup || ((uint32_t)flags & ~(uint32_t)FIB_FLAGS)) return (uint64_t)-BPF_EINVAL;
  /* A copy: the program's may be anywhere, and others may write to it. */
  memcpy(&lookup, (const void *)(uintptr_t)parameters, sizeof lookup);
  if (lookup.family != FAMILY_IPV4 && lookup.family != FAMILY_IPV6) return (uint64_t)-EAFNOSUPPORT;
  if (environment->fib_lookup == NULL) return (uint64_t)-BPF_EINVAL;
  int64_t result = environment->fib_lookup(environment->context, &lookup, (uint32_t)flags);
  memcpy((void *)(uintptr_t)parameters, &lookup, sizeof lookup);
  return (uint64_t)result;
}

/* *mtu_length on entry: a length from the IP header on to check instead of the packet's, unless 0; afterwards the MTU. */
uint64_t bpf_helper_check_mtu(uint64_t context, uint64_t ifindex, uint64_t mtu_length, uint64_t difference,
                              uint64_t flags, struct bpf_machine *m) {
  const struct bpf_environment *environment = m->environment;
  const uint64_t allowed = m->kind == BPF_PROGRAM_XDP ? 0 : MTU_CHK_SEGS;
  if (flags & ~allowed) return (uint64_t)-BPF_EINVAL;
  int64_t mtu = environment->mtu != NULL ? environment->mtu(environment->context, (uint32_t)ifindex) : DEFAULT_MTU;
  if (mtu < 0) return (uint64_t)mtu;
  const uint32_t given = load_le32((const void *)(uintptr_t)mtu_length);
  int64_t length = given != 0 ? (int64_t)given + BPF_LINK_HEADER : (int64_t)m->data_length;
  length += (int32_t)(uint32_t)difference;
  store_le32((void *)(uintptr_t)mtu_length, (uint32_t)mtu);
  return length > mtu + BPF_LINK_HEADER ? MTU_CHK_RET_FRAG_NEEDED : MTU_CHK_RET_SUCCESS;
}
