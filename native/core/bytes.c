/* SPDX-License-Identifier: Apache-2.0
 * The one module that moves pointers over wire bytes. */
#include "core/bytes.h"

uint16_t kvs_get_be16(const uint8_t *at) {
  return (uint16_t)((at[0] << 8) | at[1]);
}

uint32_t kvs_get_be32(const uint8_t *at) {
  return ((uint32_t)kvs_get_be16(at) << 16) | kvs_get_be16(at + 2);
}

uint64_t kvs_get_be64(const uint8_t *at) {
  return ((uint64_t)kvs_get_be32(at) << 32) | kvs_get_be32(at + 4);
}

void kvs_put_be16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

void kvs_put_be32(uint8_t *at, uint32_t value) {
  kvs_put_be16(at, (uint16_t)(value >> 16));
  kvs_put_be16(at + 2, (uint16_t)value);
}

void kvs_put_be64(uint8_t *at, uint64_t value) {
  kvs_put_be32(at, (uint32_t)(value >> 32));
  kvs_put_be32(at + 4, (uint32_t)value);
}

kvs_bytes kvs_bytes_of(const char *text) {
  kvs_bytes bytes = {(const uint8_t *)text, text == NULL ? 0 : strlen(text)};

  return bytes;
}

void kvs_sink_write(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  sink->write(sink, bytes, len);
  sink->written += len;
}

static void count(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  (void)sink;
  (void)bytes;
  (void)len;
}

kvs_sink kvs_counting_sink(void) {
  kvs_sink sink = {count, 0};

  return sink;
}

static void fill(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  kvs_buffer_sink *buffer = (kvs_buffer_sink *)(void *)sink;

  if (sink->written <= buffer->cap && len <= buffer->cap - sink->written) {
    memcpy(buffer->ptr + sink->written, bytes, len);
  }
}

kvs_buffer_sink kvs_make_buffer_sink(uint8_t *ptr, size_t cap) {
  kvs_buffer_sink buffer = {{fill, 0}, ptr, cap};

  return buffer;
}
