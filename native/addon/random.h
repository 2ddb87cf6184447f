// SPDX-License-Identifier: Apache-2.0
// xoshiro128** seeded by splitmix64: for jitter and segment numbers, nothing
// secret. Every client has its own, so that a seed repeats a client's life.
#ifndef KVS_ADDON_RANDOM_H
#define KVS_ADDON_RANDOM_H

#include <stdint.h>

namespace kvs_addon {

class Random {
 public:
  void Seed(uint64_t seed) {
    for (uint32_t i = 0; i < 4; i += 2) {
      uint64_t word = Spread(seed += 0x9e3779b97f4a7c15u);
      state_[i] = static_cast<uint32_t>(word);
      state_[i + 1] = static_cast<uint32_t>(word >> 32);
    }
  }

  uint32_t Next() {
    uint32_t *s = state_;
    uint32_t result = RotateLeft(s[1] * 5, 7) * 9;
    uint32_t shifted = s[1] << 9;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = RotateLeft(s[3], 11);
    return result;
  }

 private:
  // Different inputs give different outputs, so the state is never all zero.
  static uint64_t Spread(uint64_t word) {
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9u;
    word = (word ^ word >> 27) * 0x94d049bb133111ebu;
    return word ^ word >> 31;
  }
  static uint32_t RotateLeft(uint32_t word, int bits) {
    return word << bits | word >> (32 - bits);
  }

  uint32_t state_[4] = {};
};

}  // namespace kvs_addon

#endif
