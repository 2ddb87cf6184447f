/* SPDX-License-Identifier: Apache-2.0
 * The one module that moves pointers over wire bytes. */
#include "core/bytes.h"

kvs_bytes kvs_bytes_of(const char *text) {
  kvs_bytes bytes = {(const uint8_t *)text, text == NULL ? 0 : strlen(text)};

  return bytes;
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
