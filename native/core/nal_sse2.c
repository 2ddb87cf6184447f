/* SPDX-License-Identifier: Apache-2.0
 * The start-code finder with 16-byte vectors, which every x86-64 has. */
#include "core/nal_scan.h"

#if KVS_NAL_HAS_X86

#include <emmintrin.h>

enum { VECTOR = 16, BLOCK = 4 * VECTOR };

/* All ones in each lane that may belong to a start code. */
static inline __m128i zero_lanes(const uint8_t *bytes, size_t at) {
  __m128i lanes = _mm_loadu_si128((const __m128i *)(const void *)&bytes[at]);

  lanes = _mm_and_si128(lanes, _mm_set1_epi16((short)KVS_NAL_LANE_MASK));
  return _mm_cmpeq_epi16(lanes, _mm_setzero_si128());
}

static inline size_t in_vector(const uint8_t *bytes, size_t from, size_t at,
                               size_t len) {
  uint32_t zero = (uint32_t)_mm_movemask_epi8(zero_lanes(bytes, at));
  size_t found = len;

  while (zero != 0 && found == len) {
    uint32_t lane = kvs_lowest_bit(zero);
    found = kvs_nal_at_lane(bytes, from, at + lane, len);
    zero &= ~(UINT32_C(3) << lane);
  }
  return found;
}

static inline bool block_has_zero(const uint8_t *bytes, size_t at) {
  __m128i low =
      _mm_or_si128(zero_lanes(bytes, at), zero_lanes(bytes, at + VECTOR));
  __m128i high = _mm_or_si128(zero_lanes(bytes, at + 2 * VECTOR),
                              zero_lanes(bytes, at + 3 * VECTOR));

  return _mm_movemask_epi8(_mm_or_si128(low, high)) != 0;
}

size_t kvs_nal_find_sse2(const uint8_t *bytes, size_t from, size_t len) {
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
typedef int kvs_nal_sse2_unit;
