/* SPDX-License-Identifier: Apache-2.0
 * What the start-code finders share.
 *
 * All of them look at 16-bit lanes, one load a vector. Of a start code
 * 00 00 01 at i, either i is the first byte of a lane, which then reads
 * "00 00", or i + 1 is, and the lane reads "00 01". So only lanes of bytes
 * {00, 00 or 01} matter: those that are zero once the lowest bit of their
 * second byte is cleared. In random bytes that is one lane of 32,768. */
#ifndef KVS_CORE_NAL_SCAN_H
#define KVS_CORE_NAL_SCAN_H

#include "core/cpu.h"
#include "core/nal.h"

#define KVS_NAL_HAS_X86 KVS_CPU_X86_64
#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__BYTE_ORDER__) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KVS_NAL_HAS_NEON 1
#elif defined(_M_ARM64)
#define KVS_NAL_HAS_NEON 1
#else
#define KVS_NAL_HAS_NEON 0
#endif

/* The mask that a lane is tested through, as a little-endian word. */
#define KVS_NAL_LANE_MASK 0xFEFFu

size_t kvs_nal_find_portable(const uint8_t *bytes, size_t from, size_t len);
#if KVS_NAL_HAS_X86
size_t kvs_nal_find_sse2(const uint8_t *bytes, size_t from, size_t len);
size_t kvs_nal_find_avx2(const uint8_t *bytes, size_t from, size_t len);
#endif
#if KVS_NAL_HAS_NEON
size_t kvs_nal_find_neon(const uint8_t *bytes, size_t from, size_t len);
#endif

/* The start code that the lane at |lane| belongs to, or |len|. The lane lies
 * within |len|; the bytes beside it may not. */
static inline size_t kvs_nal_at_lane(const uint8_t *bytes, size_t from,
                                     size_t lane, size_t len) {
  if (bytes[lane] != 0) {
    return len;
  }
  if (bytes[lane + 1] == 1) {
    return lane > from && bytes[lane - 1] == 0 ? lane - 1 : len;
  }
  return bytes[lane + 1] == 0 && len - lane > 2 && bytes[lane + 2] == 1 ? lane
                                                                        : len;
}

#endif
