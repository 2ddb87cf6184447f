/* SPDX-License-Identifier: Apache-2.0
 * Within the nal module: what a sequence parameter set says. */
#ifndef KVS_CORE_NAL_SPS_H
#define KVS_CORE_NAL_SPS_H

#include "core/nal_bits.h"
#include "core/nal_unit.h"

#define KVS_NAL_PTL_LEN 12u

typedef struct kvs_nal_sps {
  uint32_t chroma_format; /* 0..3 */
  uint32_t luma_depth;    /* 8.. */
  uint32_t chroma_depth;
  uint64_t width; /* of the picture, cropped; 1..65535 once parsed */
  uint64_t height;
  /* H.264 */
  bool high; /* of a profile whose SPS tells chroma format and depths */
  /* H.265 */
  uint8_t ptl[KVS_NAL_PTL_LEN]; /* general profile, tier, flags, level */
  uint32_t sub_layers;          /* 1..7 */
  bool nested;                  /* sps_temporal_id_nesting_flag */
  uint32_t segmentation;        /* min_spatial_segmentation_idc, or 0 */
} kvs_nal_sps;

/* |unit| with its header. MKV_INVALID_H264_H265_SPS_NALU,
 * MKV_INVALID_H264_H265_SPS_WIDTH, _SPS_HEIGHT; for H.265 also
 * MKV_INVALID_HEVC_SPS_NALU_SIZE (it ends too early),
 * MKV_INVALID_HEVC_SPS_CHROMA_FORMAT_IDC, MKV_INVALID_HEVC_SPS_RESERVED. */
KVS_MUST_CHECK kvs_status kvs_nal_parse_sps(kvs_nal_codec codec, kvs_bytes unit,
                                            kvs_nal_sps *sps);

/* The part of H.265 (nal_hevc.c). */
KVS_MUST_CHECK kvs_status kvs_nal_parse_hevc_sps(kvs_bytes unit,
                                                 kvs_nal_sps *sps);

/* Takes |x| and |y| luma samples off the picture and checks what is left. */
KVS_MUST_CHECK kvs_status kvs_nal_crop(kvs_nal_sps *sps, uint64_t x,
                                       uint64_t y);

#endif
