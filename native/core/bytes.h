/* SPDX-License-Identifier: Apache-2.0
 * Bytes in network order, and sinks that bytes are written to. */
#ifndef KVS_CORE_BYTES_H
#define KVS_CORE_BYTES_H

#include <string.h>

#include "core/base.h"

/* Reads and writes big-endian numbers at |at|, of any alignment. They and the
 * sink's write stand here to be inlined: every frame needs a dozen of them. */
static inline uint16_t kvs_get_be16(const uint8_t *at) {
  return (uint16_t)((at[0] << 8) | at[1]);
}

static inline uint32_t kvs_get_be32(const uint8_t *at) {
  return ((uint32_t)kvs_get_be16(at) << 16) | kvs_get_be16(at + 2);
}

static inline uint64_t kvs_get_be64(const uint8_t *at) {
  return ((uint64_t)kvs_get_be32(at) << 32) | kvs_get_be32(at + 4);
}

static inline void kvs_put_be16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

static inline void kvs_put_be32(uint8_t *at, uint32_t value) {
  kvs_put_be16(at, (uint16_t)(value >> 16));
  kvs_put_be16(at + 2, (uint16_t)value);
}

static inline void kvs_put_be64(uint8_t *at, uint64_t value) {
  kvs_put_be32(at, (uint32_t)(value >> 32));
  kvs_put_be32(at + 4, (uint32_t)value);
}

/* Eight bytes as one word, the first lowest. */
static inline uint64_t kvs_get_le64(const uint8_t *at) {
  uint64_t low = (uint32_t)at[0] | (uint32_t)at[1] << 8 |
                 (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
  uint64_t high = (uint32_t)at[4] | (uint32_t)at[5] << 8 |
                  (uint32_t)at[6] << 16 | (uint32_t)at[7] << 24;

  return high << 32 | low;
}

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

static inline void kvs_sink_write(kvs_sink *sink, const uint8_t *bytes,
                                  size_t len) {
  sink->write(sink, bytes, len);
  sink->written += len;
}

/* Counts only. */
kvs_sink kvs_counting_sink(void);

/* Writes into a caller's buffer; what does not fit is counted, not written. */
typedef struct kvs_buffer_sink {
  kvs_sink sink; /* first: a kvs_sink * to it is one to the whole */
  uint8_t *ptr;
  size_t cap;
} kvs_buffer_sink;

kvs_buffer_sink kvs_make_buffer_sink(uint8_t *ptr, size_t cap);

/* A 32-bit checksum of three words: not cryptographic, catches torn and stray
 * writes. One product for each word, so that none waits for another; every bit
 * of a word reaches the upper half of its product. */
static inline uint32_t kvs_check32(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t sum = (a ^ 0x4B565355u) * UINT64_C(0x9E3779B97F4A7C15) +
                 b * UINT64_C(0xC2B2AE3D27D4EB4F) +
                 c * UINT64_C(0xD6E8FEB86659FD93);

  return (uint32_t)(sum >> 32);
}

#endif
