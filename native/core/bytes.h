/* SPDX-License-Identifier: Apache-2.0
 * Bytes in network order, and sinks that bytes are written to. */
#ifndef KVS_CORE_BYTES_H
#define KVS_CORE_BYTES_H

#include <string.h>

#include "core/base.h"

/* Reads and writes big-endian numbers at |at|, of any alignment. */
uint16_t kvs_get_be16(const uint8_t *at);
uint32_t kvs_get_be32(const uint8_t *at);
uint64_t kvs_get_be64(const uint8_t *at);
void kvs_put_be16(uint8_t *at, uint16_t value);
void kvs_put_be32(uint8_t *at, uint32_t value);
void kvs_put_be64(uint8_t *at, uint64_t value);

/* A run of bytes that somebody else owns. */
typedef struct kvs_bytes {
  const uint8_t *ptr;
  size_t len;
} kvs_bytes;

/* The bytes of a C string; none for NULL. */
kvs_bytes kvs_bytes_of(const char *text);

/* Where a writer puts its bytes, in order. A sink cannot fail: whoever makes
 * one has room for what will come, counted first with a counting sink. */
typedef struct kvs_sink {
  void (*write)(struct kvs_sink *sink, const uint8_t *bytes, size_t len);
  uint64_t written;
} kvs_sink;

void kvs_sink_write(kvs_sink *sink, const uint8_t *bytes, size_t len);

/* Counts only. */
kvs_sink kvs_counting_sink(void);

/* Writes into a caller's buffer; what does not fit is counted, not written. */
typedef struct kvs_buffer_sink {
  kvs_sink sink; /* first: a kvs_sink * to it is one to the whole */
  uint8_t *ptr;
  size_t cap;
} kvs_buffer_sink;

kvs_buffer_sink kvs_make_buffer_sink(uint8_t *ptr, size_t cap);

/* A 32-bit mix of words for header checksums: not cryptographic, catches torn
 * and stray writes. */
static inline uint32_t kvs_mix32(uint32_t seed, uint64_t word) {
  uint64_t mixed = ((uint64_t)seed ^ word) * UINT64_C(0x9E3779B97F4A7C15);

  return (uint32_t)(mixed >> 32) ^ (uint32_t)mixed;
}

#endif
