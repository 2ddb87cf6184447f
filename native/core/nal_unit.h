/* SPDX-License-Identifier: Apache-2.0
 * Within the nal module: walking over NAL units, and what their types mean. */
#ifndef KVS_CORE_NAL_UNIT_H
#define KVS_CORE_NAL_UNIT_H

#include "core/nal.h"

enum {
  KVS_NAL_H264_SPS = 7,
  KVS_NAL_H264_PPS = 8,
  KVS_NAL_H264_SPS_EXT = 13,
  KVS_NAL_H265_VPS = 32,
  KVS_NAL_H265_SPS = 33,
  KVS_NAL_H265_PPS = 34
};

/* The units of codec private data, or those of an access unit before its
 * first slice: parameter sets never come later, and the slices, which are
 * nearly all of the bytes, are not searched. */
typedef struct kvs_nal_units {
  kvs_nal_find find; /* NULL: 4-byte lengths */
  kvs_nal_codec codec;
  kvs_bytes bytes;
  size_t at; /* the next start code or length */
} kvs_nal_units;

/* KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD: no start code, or bytes other
 * than zero before the first one. */
KVS_MUST_CHECK kvs_status kvs_nal_units_annexb(kvs_nal_units *units,
                                               kvs_nal_find find,
                                               kvs_nal_codec codec,
                                               kvs_bytes bytes);
void kvs_nal_units_avcc(kvs_nal_units *units, kvs_nal_codec codec,
                        kvs_bytes bytes);

/* The next unit of the base layer (H.265: nuh_layer_id 0), never an empty one;
 * false after the last. A length that does not fit ends the walk. */
bool kvs_nal_units_next(kvs_nal_units *units, kvs_bytes *unit);

/* nal_unit_type of a unit that is not empty. */
uint32_t kvs_nal_type(kvs_nal_codec codec, kvs_bytes unit);

/* Where the unit that ends before |end| really ends: zero bytes after it are
 * stuffing, since a unit never ends with one. */
size_t kvs_nal_unit_end(const uint8_t *bytes, size_t start, size_t end);

/* The first start code when only zero bytes stand before it, or |len|. */
size_t kvs_nal_first(kvs_nal_find find, const uint8_t *bytes, size_t len);

#endif
