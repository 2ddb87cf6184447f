/* SPDX-License-Identifier: Apache-2.0
 * Parameter sets of real streams, and what others make of them. */
#ifndef KVS_TEST_NAL_VECTORS_H
#define KVS_TEST_NAL_VECTORS_H

#include "core/nal.h"

enum { NAL_VECTOR_ROOM = 2048 };

typedef struct nal_vector {
  const char *name;
  kvs_nal_codec codec;
  uint16_t width;
  uint16_t height;
  const char *annexb; /* hexadecimal */
  const char *record; /* avcC or hvcC; "" where nobody can tell */
} nal_vector;

/* NULL after the last. */
const nal_vector *nal_vector_at(size_t index);

/* Aborts when there is none. */
const nal_vector *nal_vector_named(kvs_nal_codec codec, const char *name);

/* Returns the number of bytes; aborts when they do not fit. */
size_t nal_unhex(const char *hex, uint8_t *out, size_t cap);

#endif
