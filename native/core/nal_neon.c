/* SPDX-License-Identifier: Apache-2.0
 * The start-code finder with NEON, which every 64-bit ARM has. */
#include "core/nal_scan.h"

#if KVS_NAL_HAS_NEON

#include <arm_neon.h>

enum { VECTOR = 16, BLOCK = 4 * VECTOR };

static inline uint16x8_t masked(const uint8_t *bytes, size_t at) {
  uint16x8_t lanes = vreinterpretq_u16_u8(vld1q_u8(&bytes[at]));

  return vandq_u16(lanes, vdupq_n_u16(KVS_NAL_LANE_MASK));
}

/* Eight bits for each zero lane. */
static inline uint64_t zero_lanes(uint16x8_t lanes) {
  uint8x8_t zero = vmovn_u16(vceqq_u16(lanes, vdupq_n_u16(0)));

  return vget_lane_u64(vreinterpret_u64_u8(zero), 0);
}

static inline size_t in_vector(const uint8_t *bytes, size_t from, size_t at,
                               size_t len) {
  uint64_t zero = zero_lanes(masked(bytes, at));
  size_t found = len;

  while (zero != 0 && found == len) {
    uint32_t bit = kvs_lowest_bit(zero);
    found = kvs_nal_at_lane(bytes, from, at + bit / 4, len);
    zero &= ~(UINT64_C(0xFF) << bit);
  }
  return found;
}

static inline bool block_has_zero(const uint8_t *bytes, size_t at) {
  uint16x8_t low = vminq_u16(masked(bytes, at), masked(bytes, at + VECTOR));
  uint16x8_t high =
      vminq_u16(masked(bytes, at + 2 * VECTOR), masked(bytes, at + 3 * VECTOR));

  return vminvq_u16(vminq_u16(low, high)) == 0;
}

size_t kvs_nal_find_neon(const uint8_t *bytes, size_t from, size_t len) {
  size_t at = from;

  if (from >= len || len - from < VECTOR) {
    return kvs_nal_find_portable(bytes, from, len);
  }
  while (len - at >= BLOCK) {
    size_t end = at + BLOCK;
    bool look = block_has_zero(bytes, at);
    for (; look && at < end; at += VECTOR) {
      size_t found = in_vector(bytes, from, at, len);
      if (found != len) {
        return found;
      }
    }
    at = end;
  }
  for (; len - at >= VECTOR; at += VECTOR) {
    size_t found = in_vector(bytes, from, at, len);
    if (found != len) {
      return found;
    }
  }
  /* The rest by a vector that overlaps what was searched. */
  return in_vector(bytes, from, len - VECTOR, len);
}

#endif

/* A translation unit holds a declaration on every architecture. */
typedef int kvs_nal_neon_unit;
