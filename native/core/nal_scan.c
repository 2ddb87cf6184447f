/* SPDX-License-Identifier: Apache-2.0
 * The portable start-code finder, 8 bytes at a time, and the choice among all
 * finders. A word has a zero lane exactly when (word - 0001...) & ~word has the
 * top bit of some lane set. */
#include "core/nal_scan.h"

enum { WORD = 8, BLOCK = 4 * WORD };

static const uint8_t lane_mask[WORD] = {0xFF, 0xFE, 0xFF, 0xFE,
                                        0xFF, 0xFE, 0xFF, 0xFE};

static uint64_t zero_lanes(const uint8_t *bytes, size_t at, uint64_t mask) {
  uint64_t word;

  memcpy(&word, &bytes[at], WORD);
  word &= mask;
  return (word - UINT64_C(0x0001000100010001)) & ~word;
}

static size_t by_lane(const uint8_t *bytes, size_t from, size_t at, size_t end,
                      size_t len) {
  size_t found = len;

  for (size_t lane = at; lane < end && found == len; lane += 2) {
    found = kvs_nal_at_lane(bytes, from, lane, len);
  }
  return found;
}

size_t kvs_nal_find_portable(const uint8_t *bytes, size_t from, size_t len) {
  size_t at = from;
  uint64_t mask;

  if (from >= len) {
    return len;
  }
  memcpy(&mask, lane_mask, WORD);
  for (; len - at >= BLOCK; at += BLOCK) {
    uint64_t zero = zero_lanes(bytes, at, mask) |
                    zero_lanes(bytes, at + WORD, mask) |
                    zero_lanes(bytes, at + 2 * WORD, mask) |
                    zero_lanes(bytes, at + 3 * WORD, mask);
    if ((zero & UINT64_C(0x8000800080008000)) != 0) {
      size_t found = by_lane(bytes, from, at, at + BLOCK, len);
      if (found != len) {
        return found;
      }
    }
  }
  /* A last odd byte can only end a start code that the lane before it tells. */
  return by_lane(bytes, from, at, len - ((len - at) & 1), len);
}

kvs_nal_find kvs_nal_portable(void) {
  return kvs_nal_find_portable;
}

kvs_nal_find kvs_nal_simd(uint32_t index) {
  (void)index;
#if KVS_NAL_HAS_X86
  if (index == 0) {
    return kvs_nal_find_sse2;
  }
  if (index == 1 && kvs_cpu_has_avx2()) {
    return kvs_nal_find_avx2;
  }
#endif
#if KVS_NAL_HAS_NEON
  if (index == 0) {
    return kvs_nal_find_neon;
  }
#endif
  return NULL;
}

kvs_nal_find kvs_nal_select(void) {
  kvs_nal_find best = kvs_nal_find_portable;

  /* Listed from the narrowest to the widest. */
  for (uint32_t i = 0; kvs_nal_simd(i) != NULL; i++) {
    best = kvs_nal_simd(i);
  }
  return best;
}
