/* SPDX-License-Identifier: Apache-2.0
 * H.264 sequence parameter sets (ITU-T H.264, 7.3.2.1.1), as far as the frame
 * cropping, and the picture size of any codec private data. */
#include "core/nal_sps.h"

enum {
  MAX_SIZE = UINT16_MAX,
  MAX_REF_CYCLE = 255,
  AVCC_SPS_COUNT = 5,
  AVCC_SETS = 6,
  HVCC_ARRAY_COUNT = 22,
  HVCC_ARRAYS = 23
};

static const uint8_t high_profiles[] = {100, 110, 122, 244, 44,  83,  86,
                                        118, 128, 138, 139, 134, 135, 144};

static bool is_high(uint32_t profile) {
  return memchr(high_profiles, (int)profile, sizeof high_profiles) != NULL;
}

static void skip_scaling_list(kvs_nal_bits *bits, uint32_t entries) {
  int64_t last = 8;
  int64_t next = 8;

  for (uint32_t i = 0; i < entries && next != 0; i++) {
    next = (last + kvs_nal_se(bits)) & 0xFF;
    last = next == 0 ? last : next;
  }
}

static void skip_scaling_matrix(kvs_nal_bits *bits, uint32_t chroma_format) {
  uint32_t lists = chroma_format == 3 ? 12 : 8;

  for (uint32_t i = 0; i < lists; i++) {
    if (kvs_nal_flag(bits)) {
      skip_scaling_list(bits, i < 6 ? 16 : 64);
    }
  }
}

/* Returns ChromaArrayType. */
static uint32_t read_chroma(kvs_nal_bits *bits, kvs_nal_sps *sps) {
  bool separate = false;

  sps->chroma_format = kvs_nal_ue(bits);
  if (sps->chroma_format == 3) {
    separate = kvs_nal_flag(bits);
  }
  sps->luma_depth = kvs_nal_ue(bits);
  sps->chroma_depth = kvs_nal_ue(bits);
  if (sps->chroma_format > 3 || sps->luma_depth > 6 || sps->chroma_depth > 6) {
    bits->failed = true;
  }
  sps->luma_depth += 8;
  sps->chroma_depth += 8;
  kvs_nal_skip(bits, 1); /* qpprime_y_zero_transform_bypass_flag */
  if (kvs_nal_flag(bits)) {
    skip_scaling_matrix(bits, sps->chroma_format);
  }
  return separate ? 0 : sps->chroma_format;
}

static void skip_picture_order(kvs_nal_bits *bits) {
  uint32_t type = kvs_nal_ue(bits);

  if (type == 0) {
    kvs_nal_skip_ue(bits, 1);
  } else if (type == 1) {
    kvs_nal_skip(bits, 1);
    kvs_nal_skip_ue(bits, 2); /* se(v) codes are as long as ue(v) ones */
    uint32_t cycle = kvs_nal_ue(bits);
    bits->failed = bits->failed || cycle > MAX_REF_CYCLE;
    kvs_nal_skip_ue(bits, cycle > MAX_REF_CYCLE ? 0 : cycle);
  } else if (type != 2) {
    bits->failed = true;
  }
}

kvs_status kvs_nal_crop(kvs_nal_sps *sps, uint64_t x, uint64_t y) {
  if (x >= sps->width || sps->width - x > MAX_SIZE) {
    return KVS_STATUS_MKV_INVALID_H264_H265_SPS_WIDTH;
  }
  if (y >= sps->height || sps->height - y > MAX_SIZE) {
    return KVS_STATUS_MKV_INVALID_H264_H265_SPS_HEIGHT;
  }
  sps->width -= x;
  sps->height -= y;
  return KVS_OK;
}

static kvs_status read_size(kvs_nal_bits *bits, kvs_nal_sps *sps,
                            uint32_t chroma_array) {
  uint64_t width = (uint64_t)kvs_nal_ue(bits) + 1;
  uint64_t height = (uint64_t)kvs_nal_ue(bits) + 1;
  uint64_t fields = kvs_nal_flag(bits) ? 1 : 2; /* frame_mbs_only_flag */
  uint64_t x = 0;
  uint64_t y = 0;

  kvs_nal_skip(bits, fields == 2 ? 2 : 1);
  if (kvs_nal_flag(bits)) {
    x = (uint64_t)kvs_nal_ue(bits) + kvs_nal_ue(bits);
    y = (uint64_t)kvs_nal_ue(bits) + kvs_nal_ue(bits);
  }
  if (bits->failed) {
    return KVS_STATUS_MKV_INVALID_H264_H265_SPS_NALU;
  }
  sps->width = width * 16;
  sps->height = height * 16 * fields;
  x *= chroma_array == 1 || chroma_array == 2 ? 2 : 1;
  y *= fields * (chroma_array == 1 ? 2 : 1);
  return kvs_nal_crop(sps, x, y);
}

static kvs_status parse_avc_sps(kvs_bytes unit, kvs_nal_sps *sps) {
  kvs_nal_bits bits = kvs_nal_bits_of(unit);
  uint32_t chroma_array = 1;

  kvs_nal_skip(&bits, 8);
  uint32_t profile = kvs_nal_read(&bits, 8);
  kvs_nal_skip(&bits, 16);
  kvs_nal_skip_ue(&bits, 1);
  sps->high = is_high(profile);
  if (sps->high) {
    chroma_array = read_chroma(&bits, sps);
  }
  kvs_nal_skip_ue(&bits, 1); /* log2_max_frame_num_minus4 */
  skip_picture_order(&bits);
  kvs_nal_skip_ue(&bits, 1); /* max_num_ref_frames */
  kvs_nal_skip(&bits, 1);
  return read_size(&bits, sps, chroma_array);
}

kvs_status kvs_nal_parse_sps(kvs_nal_codec codec, kvs_bytes unit,
                             kvs_nal_sps *sps) {
  memset(sps, 0, sizeof *sps);
  sps->chroma_format = 1;
  sps->luma_depth = 8;
  sps->chroma_depth = 8;
  return codec == KVS_NAL_H264 ? parse_avc_sps(unit, sps)
                               : kvs_nal_parse_hevc_sps(unit, sps);
}

/* The unit behind a 16-bit length at |at|, or none. */
static kvs_bytes sized_unit(kvs_bytes cpd, size_t at) {
  kvs_bytes unit = {NULL, 0};

  if (at <= cpd.len && cpd.len - at >= 2) {
    size_t len = kvs_get_be16(&cpd.ptr[at]);
    if (len != 0 && len <= cpd.len - at - 2) {
      unit.ptr = &cpd.ptr[at + 2];
      unit.len = len;
    }
  }
  return unit;
}

static kvs_status avcc_sps(kvs_bytes cpd, kvs_bytes *sps) {
  if (cpd.len < AVCC_SETS) {
    return KVS_STATUS_MKV_INVALID_H264_H265_CPD;
  }
  if ((cpd.ptr[AVCC_SPS_COUNT] & 0x1F) == 0) {
    return KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD;
  }
  *sps = sized_unit(cpd, AVCC_SETS);
  return sps->ptr == NULL ? KVS_STATUS_MKV_INVALID_H264_H265_CPD : KVS_OK;
}

/* The first unit of the array at |*at|, which is moved behind the array. */
static kvs_status hvcc_array(kvs_bytes cpd, size_t *at, uint32_t *type,
                             kvs_bytes *first) {
  if (cpd.len - *at < 3) {
    return KVS_STATUS_MKV_INVALID_HEVC_FORMAT;
  }
  uint32_t count = kvs_get_be16(&cpd.ptr[*at + 1]);
  *type = cpd.ptr[*at] & 0x3Fu;
  *at += 3;
  first->ptr = NULL;
  first->len = 0;
  for (uint32_t i = 0; i < count; i++) {
    kvs_bytes unit = sized_unit(cpd, *at);
    if (unit.ptr == NULL) {
      return KVS_STATUS_MKV_INVALID_HEVC_NALU_COUNT;
    }
    *at += 2 + unit.len;
    *first = i == 0 ? unit : *first;
  }
  return KVS_OK;
}

static kvs_status hvcc_sps(kvs_bytes cpd, kvs_bytes *sps) {
  size_t at = HVCC_ARRAYS;

  if (cpd.len < HVCC_ARRAYS) {
    return KVS_STATUS_MKV_INVALID_HEVC_FORMAT;
  }
  for (uint32_t i = 0; i < cpd.ptr[HVCC_ARRAY_COUNT]; i++) {
    uint32_t type = 0;
    KVS_TRY(hvcc_array(cpd, &at, &type, sps));
    if (type == KVS_NAL_H265_SPS && sps->ptr != NULL) {
      return KVS_OK;
    }
  }
  return KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING;
}

static kvs_status annexb_sps(kvs_nal_find find, kvs_nal_codec codec,
                             kvs_bytes cpd, kvs_bytes *sps) {
  uint32_t wanted = codec == KVS_NAL_H264 ? KVS_NAL_H264_SPS : KVS_NAL_H265_SPS;
  kvs_nal_units units;

  KVS_TRY(kvs_nal_units_annexb(&units, find, codec, cpd));
  while (kvs_nal_units_next(&units, sps)) {
    if (kvs_nal_type(codec, *sps) == wanted) {
      return KVS_OK;
    }
  }
  return codec == KVS_NAL_H264 ? KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD
                               : KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING;
}

kvs_status kvs_nal_picture_size(kvs_nal_find find, kvs_nal_codec codec,
                                kvs_bytes cpd, uint16_t *width,
                                uint16_t *height) {
  kvs_bytes unit = {NULL, 0};
  kvs_nal_sps sps;

  if (cpd.len == 0) {
    return KVS_STATUS_MKV_INVALID_H264_H265_CPD;
  }
  /* A configuration record begins with its version, 1; Annex-B with zeros. */
  if (cpd.ptr[0] == 0 && kvs_nal_first(find, cpd.ptr, cpd.len) < cpd.len) {
    KVS_TRY(annexb_sps(find, codec, cpd, &unit));
  } else if (cpd.ptr[0] != 1) {
    return KVS_STATUS_MKV_INVALID_H264_H265_CPD;
  } else if (codec == KVS_NAL_H264) {
    KVS_TRY(avcc_sps(cpd, &unit));
  } else {
    KVS_TRY(hvcc_sps(cpd, &unit));
  }
  KVS_TRY(kvs_nal_parse_sps(codec, unit, &sps));
  *width = (uint16_t)sps.width;
  *height = (uint16_t)sps.height;
  return KVS_OK;
}
