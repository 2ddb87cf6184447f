/* SPDX-License-Identifier: Apache-2.0
 * EBML numbers and elements, written to a sink. */
#ifndef KVS_CORE_EBML_H
#define KVS_CORE_EBML_H

#include "core/bytes.h"

/* Bytes of |id| as written (its marker bit is part of it): 1..4. */
uint32_t kvs_ebml_id_len(uint32_t id);

/* Bytes of the shortest size field for |size|: 1..8. */
uint32_t kvs_ebml_size_len(uint64_t size);

/* Writes |size| in |width| bytes (1..8, enough for it). */
void kvs_ebml_put_size(uint8_t *at, uint64_t size, uint32_t width);

/* Writes the id, then the size in |width| bytes; width 0 takes the shortest.
 */
void kvs_ebml_header(kvs_sink *sink, uint32_t id, uint64_t size,
                     uint32_t width);

/* Id and the one-byte unknown size. */
void kvs_ebml_unknown(kvs_sink *sink, uint32_t id);

/* Whole elements, shortest size. |width| of uint: 1..8 bytes, 0 shortest. */
void kvs_ebml_uint(kvs_sink *sink, uint32_t id, uint64_t value, uint32_t width);
void kvs_ebml_float(kvs_sink *sink, uint32_t id, double value);
void kvs_ebml_bytes(kvs_sink *sink, uint32_t id, const uint8_t *bytes,
                    size_t len);
void kvs_ebml_string(kvs_sink *sink, uint32_t id, const char *text);

/* Length of a whole element that holds |len| bytes, shortest size. */
uint64_t kvs_ebml_element_len(uint32_t id, uint64_t len);

#endif
