/* SPDX-License-Identifier: Apache-2.0
 * Within the nal module: reading bits of a NAL unit, emulation prevention
 * bytes (the 03 of 00 00 03) left out on the way. */
#ifndef KVS_CORE_NAL_BITS_H
#define KVS_CORE_NAL_BITS_H

#include "core/bytes.h"

typedef struct kvs_nal_bits {
  kvs_bytes unit;
  size_t at;      /* the next byte of |unit| */
  uint32_t zeros; /* zero bytes just before it, at most 2 */
  uint32_t left;  /* bits of |byte| not read yet */
  uint8_t byte;
  bool failed; /* read past the end, or a code too long; sticks */
} kvs_nal_bits;

kvs_nal_bits kvs_nal_bits_of(kvs_bytes unit);

/* |count| bits, at most 32. After the end: zeros, and |failed| is set. */
uint32_t kvs_nal_read(kvs_nal_bits *bits, uint32_t count);
bool kvs_nal_flag(kvs_nal_bits *bits);
void kvs_nal_skip(kvs_nal_bits *bits, uint32_t count);

/* Exp-Golomb codes ue(v), at most 2^32 - 2, and se(v). */
uint32_t kvs_nal_ue(kvs_nal_bits *bits);
int32_t kvs_nal_se(kvs_nal_bits *bits);
void kvs_nal_skip_ue(kvs_nal_bits *bits, uint32_t codes);

#endif
