/* SPDX-License-Identifier: Apache-2.0
 * The start-code finder with 32-byte vectors; entered only when the processor
 * has AVX2. Four vectors a round: the smallest of each lane over the four is
 * zero when any of them is. */
#include "core/nal_scan.h"

#if KVS_NAL_HAS_X86

#include <immintrin.h>

#if defined(__GNUC__)
#define AVX2 __attribute__((target("avx2")))
#else
#define AVX2
#endif

enum { VECTOR = 32, BLOCK = 4 * VECTOR, AHEAD = 512 };

AVX2 static inline __m256i masked(const uint8_t *bytes, size_t at) {
  __m256i lanes = _mm256_loadu_si256((const __m256i *)(const void *)&bytes[at]);

  return _mm256_and_si256(lanes, _mm256_set1_epi16((short)KVS_NAL_LANE_MASK));
}

/* Two bits for each zero lane. */
AVX2 static inline uint32_t zero_lanes(__m256i lanes) {
  __m256i zero = _mm256_cmpeq_epi16(lanes, _mm256_setzero_si256());

  return (uint32_t)_mm256_movemask_epi8(zero);
}

AVX2 static inline size_t in_vector(const uint8_t *bytes, size_t from,
                                    size_t at, size_t len) {
  uint32_t zero = zero_lanes(masked(bytes, at));
  size_t found = len;

  while (zero != 0 && found == len) {
    uint32_t lane = kvs_lowest_bit(zero);
    found = kvs_nal_at_lane(bytes, from, at + lane, len);
    zero &= ~(UINT32_C(3) << lane);
  }
  return found;
}

AVX2 static inline bool block_has_zero(const uint8_t *bytes, size_t at) {
  __m256i low = _mm256_min_epu16(masked(bytes, at), masked(bytes, at + VECTOR));
  __m256i high = _mm256_min_epu16(masked(bytes, at + 2 * VECTOR),
                                  masked(bytes, at + 3 * VECTOR));

  return zero_lanes(_mm256_min_epu16(low, high)) != 0;
}

AVX2 static inline size_t in_block(const uint8_t *bytes, size_t from, size_t at,
                                   size_t len) {
  size_t found = len;

  if (block_has_zero(bytes, at)) {
    for (size_t i = 0; i < BLOCK && found == len; i += VECTOR) {
      found = in_vector(bytes, from, at + i, len);
    }
  }
  return found;
}

/* From the first aligned vector on, since one that crosses a cache line costs
 * two; and asking for lines ahead, which the processor alone does too late. */
AVX2 static size_t find_long(const uint8_t *bytes, size_t from, size_t len) {
  size_t at = from + VECTOR - ((uintptr_t)&bytes[from] & (VECTOR - 1));
  size_t found = in_vector(bytes, from, from, len);

  for (; len - at >= AHEAD + BLOCK && found == len; at += BLOCK) {
    _mm_prefetch((const char *)&bytes[at + AHEAD], _MM_HINT_T0);
    _mm_prefetch((const char *)&bytes[at + AHEAD + BLOCK / 2], _MM_HINT_T0);
    found = in_block(bytes, from, at, len);
  }
  for (; len - at >= BLOCK && found == len; at += BLOCK) {
    found = in_block(bytes, from, at, len);
  }
  /* The rest by a block that overlaps what was searched. */
  return found != len ? found : in_block(bytes, from, len - BLOCK, len);
}

AVX2 size_t kvs_nal_find_avx2(const uint8_t *bytes, size_t from, size_t len) {
  size_t found = len;

  if (from >= len || len - from < VECTOR) {
    return kvs_nal_find_portable(bytes, from, len);
  }
  if (len - from >= 2 * BLOCK) {
    return find_long(bytes, from, len);
  }
  for (size_t at = from; len - at >= VECTOR && found == len; at += VECTOR) {
    found = in_vector(bytes, from, at, len);
  }
  return found != len ? found : in_vector(bytes, from, len - VECTOR, len);
}

#endif

/* A translation unit holds a declaration on every architecture. */
typedef int kvs_nal_avx2_unit;
