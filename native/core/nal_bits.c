/* SPDX-License-Identifier: Apache-2.0
 * A bit reader that cannot fail half-way: what lies past the end reads as zero
 * and leaves a mark, so that a parser asks once, at its end. Every loop over
 * what was read needs a bound of its own for that reason. */
#include "core/nal_bits.h"

kvs_nal_bits kvs_nal_bits_of(kvs_bytes unit) {
  kvs_nal_bits bits = {unit, 0, 0, 0, 0, false};

  return bits;
}

static void next_byte(kvs_nal_bits *bits) {
  const kvs_bytes unit = bits->unit;

  if (bits->zeros == 2 && bits->at < unit.len && unit.ptr[bits->at] == 3) {
    bits->at++;
    bits->zeros = 0;
  }
  if (bits->at == unit.len) {
    bits->failed = true;
    bits->byte = 0;
  } else {
    bits->byte = unit.ptr[bits->at++];
    bits->zeros = bits->byte != 0 ? 0 : bits->zeros < 2 ? bits->zeros + 1 : 2;
  }
  bits->left = 8;
}

uint32_t kvs_nal_read(kvs_nal_bits *bits, uint32_t count) {
  uint64_t value = 0;

  while (count > 0) {
    if (bits->left == 0) {
      next_byte(bits);
    }
    uint32_t take = count < bits->left ? count : bits->left;
    uint32_t rest = bits->left - take;
    value = value << take | ((uint32_t)bits->byte >> rest & ((1u << take) - 1));
    bits->left = rest;
    count -= take;
  }
  return (uint32_t)value;
}

bool kvs_nal_flag(kvs_nal_bits *bits) {
  return kvs_nal_read(bits, 1) != 0;
}

void kvs_nal_skip(kvs_nal_bits *bits, uint32_t count) {
  for (; count > 32; count -= 32) {
    (void)kvs_nal_read(bits, 32);
  }
  (void)kvs_nal_read(bits, count);
}

uint32_t kvs_nal_ue(kvs_nal_bits *bits) {
  uint32_t zeros = 0;

  while (zeros < 32 && !kvs_nal_flag(bits)) {
    zeros++;
  }
  if (zeros == 32) {
    bits->failed = true;
    return 0;
  }
  return (uint32_t)(((uint64_t)1 << zeros) - 1) + kvs_nal_read(bits, zeros);
}

int32_t kvs_nal_se(kvs_nal_bits *bits) {
  uint32_t code = kvs_nal_ue(bits);
  int64_t half = ((int64_t)code + 1) / 2;

  return (int32_t)((code & 1) != 0 ? half : -half);
}

void kvs_nal_skip_ue(kvs_nal_bits *bits, uint32_t codes) {
  for (uint32_t i = 0; i < codes; i++) {
    (void)kvs_nal_ue(bits);
  }
}
