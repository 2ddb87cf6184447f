/* SPDX-License-Identifier: Apache-2.0
 * Codec private data from parameter sets: AVCDecoderConfigurationRecord and
 * HEVCDecoderConfigurationRecord of ISO/IEC 14496-15. The sets are walked once
 * to count them and once more for each kind that is written; nothing is kept,
 * and as the walk ends at the first slice it is short. */
#include "core/nal_sps.h"

enum {
  AVCC_MAX_SPS = 31,
  AVCC_MAX_PPS = 255,
  HVCC_HEAD = 23,
  LENGTH_SIZE_MINUS_ONE = 3
};

/* What a source of parameter sets holds. */
typedef struct survey {
  uint32_t vps;
  uint32_t sps;
  uint32_t pps;
  uint32_t sps_ext;
  bool too_long; /* a set that no 16-bit length can tell */
  kvs_bytes first_sps;
} survey;

static uint32_t *counter(survey *found, kvs_nal_codec codec, uint32_t type) {
  if (codec == KVS_NAL_H264) {
    return type == KVS_NAL_H264_SPS       ? &found->sps
           : type == KVS_NAL_H264_PPS     ? &found->pps
           : type == KVS_NAL_H264_SPS_EXT ? &found->sps_ext
                                          : NULL;
  }
  return type == KVS_NAL_H265_VPS   ? &found->vps
         : type == KVS_NAL_H265_SPS ? &found->sps
         : type == KVS_NAL_H265_PPS ? &found->pps
                                    : NULL;
}

static survey look(kvs_nal_units units) {
  survey found = {0, 0, 0, 0, false, {NULL, 0}};
  kvs_bytes unit;

  while (kvs_nal_units_next(&units, &unit)) {
    uint32_t *count =
        counter(&found, units.codec, kvs_nal_type(units.codec, unit));
    if (count == NULL) {
      continue;
    }
    (*count)++;
    found.too_long = found.too_long || unit.len > UINT16_MAX;
    if (count == &found.sps && found.sps == 1) {
      found.first_sps = unit;
    }
  }
  return found;
}

static void write_sets(kvs_nal_units units, uint32_t type, kvs_sink *sink) {
  kvs_bytes unit;
  uint8_t len[2];

  while (kvs_nal_units_next(&units, &unit)) {
    if (kvs_nal_type(units.codec, unit) == type) {
      kvs_put_be16(len, (uint16_t)unit.len);
      kvs_sink_write(sink, len, sizeof len);
      kvs_sink_write(sink, unit.ptr, unit.len);
    }
  }
}

static void write_byte(kvs_sink *sink, uint32_t value) {
  uint8_t byte = (uint8_t)value;

  kvs_sink_write(sink, &byte, 1);
}

static kvs_status check_avc(const survey *found) {
  if (found->sps == 0) {
    return KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD;
  }
  if (found->pps == 0) {
    return KVS_STATUS_MKV_MISSING_PPS_FROM_H264_CPD;
  }
  if (found->too_long || found->sps > AVCC_MAX_SPS ||
      found->pps > AVCC_MAX_PPS || found->sps_ext > UINT8_MAX) {
    return KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS;
  }
  return KVS_OK;
}

static kvs_status make_avcc(const kvs_nal_units *units, kvs_sink *sink) {
  survey found = look(*units);
  kvs_nal_sps sps;

  KVS_TRY(check_avc(&found));
  KVS_TRY(kvs_nal_parse_sps(KVS_NAL_H264, found.first_sps, &sps));
  write_byte(sink, 1); /* configurationVersion */
  kvs_sink_write(sink, &found.first_sps.ptr[1], 3);
  write_byte(sink, 0xFC | LENGTH_SIZE_MINUS_ONE);
  write_byte(sink, 0xE0 | found.sps);
  write_sets(*units, KVS_NAL_H264_SPS, sink);
  write_byte(sink, found.pps);
  write_sets(*units, KVS_NAL_H264_PPS, sink);
  if (sps.high) {
    write_byte(sink, 0xFC | sps.chroma_format);
    write_byte(sink, 0xF8 | (sps.luma_depth - 8));
    write_byte(sink, 0xF8 | (sps.chroma_depth - 8));
    write_byte(sink, found.sps_ext);
    write_sets(*units, KVS_NAL_H264_SPS_EXT, sink);
  }
  return KVS_OK;
}

static kvs_status check_hevc(const survey *found) {
  if (found->sps == 0) {
    return KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING;
  }
  if (found->vps == 0 || found->pps == 0) {
    return KVS_STATUS_MKV_ANNEXB_CPD_MISSING_NALUS;
  }
  if (found->too_long || found->vps > UINT16_MAX || found->sps > UINT16_MAX ||
      found->pps > UINT16_MAX) {
    return KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS;
  }
  return KVS_OK;
}

static void write_array(const kvs_nal_units *units, uint32_t type,
                        uint32_t count, kvs_sink *sink) {
  uint8_t head[3] = {0, 0, 0};

  head[0] = (uint8_t)type; /* array_completeness 0: more may be in the stream */
  kvs_put_be16(&head[1], (uint16_t)count);
  kvs_sink_write(sink, head, sizeof head);
  write_sets(*units, type, sink);
}

/*   0 version 1      1 profile, tier and level, 12 bytes
 *  13 segmentation  15 parallelism   16 chroma   17, 18 depths
 *  19 frame rate    21 layers, nesting, length size    22 arrays */
static void fill_hvcc_head(uint8_t head[HVCC_HEAD], const kvs_nal_sps *sps) {
  memset(head, 0, HVCC_HEAD);
  head[0] = 1;
  memcpy(&head[1], sps->ptl, KVS_NAL_PTL_LEN);
  kvs_put_be16(&head[13], (uint16_t)(0xF000u | sps->segmentation));
  head[15] = 0xFC; /* any kind of parallel decoding, or none */
  head[16] = (uint8_t)(0xFCu | sps->chroma_format);
  head[17] = (uint8_t)(0xF8u | (sps->luma_depth - 8));
  head[18] = (uint8_t)(0xF8u | (sps->chroma_depth - 8));
  head[21] = (uint8_t)(sps->sub_layers << 3 | (sps->nested ? 4u : 0u) |
                       LENGTH_SIZE_MINUS_ONE);
  head[22] = 3;
}

static kvs_status make_hvcc(const kvs_nal_units *units, kvs_sink *sink) {
  survey found = look(*units);
  uint8_t head[HVCC_HEAD];
  kvs_nal_sps sps;

  KVS_TRY(check_hevc(&found));
  KVS_TRY(kvs_nal_parse_sps(KVS_NAL_H265, found.first_sps, &sps));
  fill_hvcc_head(head, &sps);
  kvs_sink_write(sink, head, sizeof head);
  write_array(units, KVS_NAL_H265_VPS, found.vps, sink);
  write_array(units, KVS_NAL_H265_SPS, found.sps, sink);
  write_array(units, KVS_NAL_H265_PPS, found.pps, sink);
  return KVS_OK;
}

kvs_status kvs_nal_make_cpd(kvs_nal_find find, kvs_nal_codec codec,
                            kvs_bytes annexb, kvs_sink *sink) {
  kvs_nal_units units;

  KVS_TRY(kvs_nal_units_annexb(&units, find, codec, annexb));
  return codec == KVS_NAL_H264 ? make_avcc(&units, sink)
                               : make_hvcc(&units, sink);
}

kvs_status kvs_nal_make_cpd_avcc(kvs_nal_codec codec, kvs_bytes avcc,
                                 kvs_sink *sink) {
  kvs_nal_units units;

  KVS_TRY(kvs_nal_check_avcc(avcc.ptr, avcc.len));
  kvs_nal_units_avcc(&units, codec, avcc);
  return codec == KVS_NAL_H264 ? make_avcc(&units, sink)
                               : make_hvcc(&units, sink);
}

bool kvs_nal_has_parameter_sets(kvs_nal_find find, kvs_nal_codec codec,
                                kvs_bytes frame, bool avcc) {
  kvs_nal_units units;
  survey found;

  if (avcc) {
    kvs_nal_units_avcc(&units, codec, frame);
  } else if (kvs_nal_units_annexb(&units, find, codec, frame) != KVS_OK) {
    return false;
  }
  found = look(units);
  return found.sps != 0 && found.pps != 0 &&
         (codec == KVS_NAL_H264 || found.vps != 0);
}
