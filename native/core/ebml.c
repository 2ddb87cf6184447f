/* SPDX-License-Identifier: Apache-2.0
 * An EBML element is an id, whose marker bit tells its own length, a size
 * whose leading zero bits tell the size's length, and that many bytes. A size
 * of all ones means "unknown" and is never written for a known one. */
#include "core/ebml.h"

/* Bytes that hold |value|: 1..8. */
static uint32_t uint_len(uint64_t value) {
  uint32_t len = 1;

  for (value >>= 8; value != 0; value >>= 8) {
    len++;
  }
  return len;
}

/* Writes the low |width| bytes of |value|. */
static void put_be(uint8_t *at, uint64_t value, uint32_t width) {
  for (uint32_t i = width; i > 0; i--) {
    at[i - 1] = (uint8_t)value;
    value >>= 8;
  }
}

uint32_t kvs_ebml_id_len(uint32_t id) {
  return uint_len(id);
}

uint32_t kvs_ebml_size_len(uint64_t size) {
  uint32_t len = 1;

  while (len < 8 && size >= (UINT64_C(1) << (7 * len)) - 1) {
    len++;
  }
  return len;
}

void kvs_ebml_put_size(uint8_t *at, uint64_t size, uint32_t width) {
  KVS_ASSERT(width >= kvs_ebml_size_len(size) && width <= 8);
  put_be(at, size | (UINT64_C(1) << (7 * width)), width);
}

void kvs_ebml_header(kvs_sink *sink, uint32_t id, uint64_t size,
                     uint32_t width) {
  uint8_t bytes[4 + 8];
  uint32_t id_len = kvs_ebml_id_len(id);
  uint32_t size_len = width == 0 ? kvs_ebml_size_len(size) : width;

  put_be(bytes, id, id_len);
  kvs_ebml_put_size(bytes + id_len, size, size_len);
  kvs_sink_write(sink, bytes, id_len + size_len);
}

void kvs_ebml_unknown(kvs_sink *sink, uint32_t id) {
  uint8_t bytes[4 + 1];
  uint32_t id_len = kvs_ebml_id_len(id);

  put_be(bytes, id, id_len);
  bytes[id_len] = 0xFF;
  kvs_sink_write(sink, bytes, id_len + 1);
}

void kvs_ebml_uint(kvs_sink *sink, uint32_t id, uint64_t value,
                   uint32_t width) {
  uint8_t bytes[8];
  uint32_t len = width == 0 ? uint_len(value) : width;

  KVS_ASSERT(len >= uint_len(value) && len <= 8);
  put_be(bytes, value, len);
  kvs_ebml_bytes(sink, id, bytes, len);
}

void kvs_ebml_float(kvs_sink *sink, uint32_t id, double value) {
  uint8_t bytes[8];
  uint64_t bits = 0;

  _Static_assert(sizeof bits == sizeof value, "a double is 8 bytes");
  memcpy(&bits, &value, sizeof bits);
  put_be(bytes, bits, 8);
  kvs_ebml_bytes(sink, id, bytes, 8);
}

void kvs_ebml_bytes(kvs_sink *sink, uint32_t id, const uint8_t *bytes,
                    size_t len) {
  kvs_ebml_header(sink, id, len, 0);
  if (len > 0) {
    kvs_sink_write(sink, bytes, len);
  }
}

void kvs_ebml_string(kvs_sink *sink, uint32_t id, const char *text) {
  kvs_bytes bytes = kvs_bytes_of(text);

  kvs_ebml_bytes(sink, id, bytes.ptr, bytes.len);
}

uint64_t kvs_ebml_element_len(uint32_t id, uint64_t len) {
  return kvs_ebml_id_len(id) + kvs_ebml_size_len(len) + len;
}
