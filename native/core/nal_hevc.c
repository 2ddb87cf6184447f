/* SPDX-License-Identifier: Apache-2.0
 * H.265 sequence parameter sets (ITU-T H.265, 7.3.2.2). The picture size, the
 * chroma format and the depths stand at the front. The spatial segmentation
 * stands near the end: everything between is read only to be passed over, and
 * where that cannot be made out, 0 (nothing said) is as good an answer. */
#include "core/nal_sps.h"

enum {
  MAX_SUB_LAYERS = 7,
  MAX_REF_SETS = 64,
  MAX_REF_PICTURES = 16,
  MAX_LONG_TERM = 32,
  MAX_CPB = 32,
  MAX_SEGMENTATION = 4095,
  EXTENDED_SAR = 255
};

/* profile_tier_level() without its first, general part. */
static void skip_sub_layer_levels(kvs_nal_bits *bits, uint32_t sub_layers) {
  uint32_t lower = sub_layers - 1;
  uint32_t present = 0;

  if (lower == 0) {
    return;
  }
  present = kvs_nal_read(bits, 16); /* two flags for each of 8 layers */
  for (uint32_t i = 0; i < lower; i++) {
    kvs_nal_skip(bits, (present & (0x8000u >> 2 * i)) != 0 ? 88 : 0);
    kvs_nal_skip(bits, (present & (0x4000u >> 2 * i)) != 0 ? 8 : 0);
  }
}

static void skip_sub_layer_ordering(kvs_nal_bits *bits, uint32_t sub_layers) {
  bool each = kvs_nal_flag(bits);

  kvs_nal_skip_ue(bits, 3 * (each ? sub_layers : 1));
}

static void skip_scaling_list(kvs_nal_bits *bits, uint32_t size_id) {
  uint32_t entries = size_id == 0 ? 16 : 64;

  if (!kvs_nal_flag(bits)) {
    kvs_nal_skip_ue(bits, 1);
  } else {
    kvs_nal_skip_ue(bits, entries + (size_id > 1 ? 1 : 0));
  }
}

static void skip_scaling_lists(kvs_nal_bits *bits) {
  if (!kvs_nal_flag(bits)) {
    return; /* sps_scaling_list_data_present_flag: the default lists */
  }
  for (uint32_t size_id = 0; size_id < 4; size_id++) {
    for (uint32_t matrix = 0; matrix < 6; matrix += size_id == 3 ? 3 : 1) {
      skip_scaling_list(bits, size_id);
    }
  }
}

/* A set told by the one before it, of |before| pictures. */
static uint32_t skip_predicted_set(kvs_nal_bits *bits, uint32_t before) {
  uint32_t pictures = 0;

  kvs_nal_skip(bits, 1);
  kvs_nal_skip_ue(bits, 1);
  for (uint32_t i = 0; i <= before; i++) {
    bool used = kvs_nal_flag(bits);
    pictures += used || kvs_nal_flag(bits) ? 1 : 0;
  }
  return pictures;
}

static uint32_t skip_plain_set(kvs_nal_bits *bits) {
  uint32_t negative = kvs_nal_ue(bits);
  uint32_t positive = kvs_nal_ue(bits);

  if (negative > MAX_REF_PICTURES || positive > MAX_REF_PICTURES) {
    bits->failed = true;
    return 0;
  }
  for (uint32_t i = 0; i < negative + positive; i++) {
    kvs_nal_skip_ue(bits, 1);
    kvs_nal_skip(bits, 1);
  }
  return negative + positive;
}

static void skip_short_term_sets(kvs_nal_bits *bits) {
  uint32_t sets = kvs_nal_ue(bits);
  uint32_t pictures = 0;

  bits->failed = bits->failed || sets > MAX_REF_SETS;
  for (uint32_t i = 0; i < sets && !bits->failed; i++) {
    pictures = i != 0 && kvs_nal_flag(bits) ? skip_predicted_set(bits, pictures)
                                            : skip_plain_set(bits);
    bits->failed = bits->failed || pictures > MAX_REF_PICTURES;
  }
}

static void skip_long_term(kvs_nal_bits *bits, uint32_t order_bits) {
  uint32_t pictures = kvs_nal_flag(bits) ? kvs_nal_ue(bits) : 0;

  bits->failed = bits->failed || pictures > MAX_LONG_TERM;
  if (!bits->failed) {
    kvs_nal_skip(bits, pictures * (order_bits + 1));
  }
}

static void skip_sub_layer_hrd(kvs_nal_bits *bits, uint32_t cpb_count,
                               bool sub_pictures) {
  for (uint32_t i = 0; i < cpb_count; i++) {
    kvs_nal_skip_ue(bits, sub_pictures ? 4 : 2);
    kvs_nal_skip(bits, 1);
  }
}

/* The number of CPBs of one sub-layer. */
static uint32_t read_cpb_count(kvs_nal_bits *bits) {
  bool fixed_general = kvs_nal_flag(bits);
  bool fixed = fixed_general || kvs_nal_flag(bits);
  bool low_delay = false;
  uint32_t count = 0;

  if (fixed) {
    kvs_nal_skip_ue(bits, 1);
  } else {
    low_delay = kvs_nal_flag(bits);
  }
  count = low_delay ? 0 : kvs_nal_ue(bits);
  if (count >= MAX_CPB) {
    bits->failed = true;
    return 0;
  }
  return count + 1;
}

static void skip_hrd(kvs_nal_bits *bits, uint32_t sub_layers) {
  bool nal = kvs_nal_flag(bits);
  bool vcl = kvs_nal_flag(bits);
  bool sub_pictures = false;

  if (nal || vcl) {
    sub_pictures = kvs_nal_flag(bits);
    kvs_nal_skip(bits, sub_pictures ? 19 : 0);
    kvs_nal_skip(bits, 8);
    kvs_nal_skip(bits, sub_pictures ? 4 : 0);
    kvs_nal_skip(bits, 15);
  }
  for (uint32_t i = 0; i < sub_layers && !bits->failed; i++) {
    uint32_t count = read_cpb_count(bits);
    skip_sub_layer_hrd(bits, nal ? count : 0, sub_pictures);
    skip_sub_layer_hrd(bits, vcl ? count : 0, sub_pictures);
  }
}

/* vui_parameters() as far as the display window. */
static void skip_vui_picture(kvs_nal_bits *bits) {
  if (kvs_nal_flag(bits) && kvs_nal_read(bits, 8) == EXTENDED_SAR) {
    kvs_nal_skip(bits, 32);
  }
  if (kvs_nal_flag(bits)) { /* overscan_info_present_flag */
    kvs_nal_skip(bits, 1);
  }
  if (kvs_nal_flag(bits)) { /* video_signal_type_present_flag */
    kvs_nal_skip(bits, 4);
    kvs_nal_skip(bits, kvs_nal_flag(bits) ? 24 : 0);
  }
  if (kvs_nal_flag(bits)) { /* chroma_loc_info_present_flag */
    kvs_nal_skip_ue(bits, 2);
  }
  kvs_nal_skip(bits, 3);
  if (kvs_nal_flag(bits)) { /* default_display_window_flag */
    kvs_nal_skip_ue(bits, 4);
  }
}

static uint32_t read_vui_segmentation(kvs_nal_bits *bits, uint32_t sub_layers) {
  skip_vui_picture(bits);
  if (kvs_nal_flag(bits)) { /* vui_timing_info_present_flag */
    kvs_nal_skip(bits, 64);
    if (kvs_nal_flag(bits)) {
      kvs_nal_skip_ue(bits, 1);
    }
    if (kvs_nal_flag(bits)) {
      skip_hrd(bits, sub_layers);
    }
  }
  if (!kvs_nal_flag(bits)) { /* bitstream_restriction_flag */
    return 0;
  }
  kvs_nal_skip(bits, 3);
  return kvs_nal_ue(bits);
}

/* From behind the depths to the VUI. */
static uint32_t read_segmentation(kvs_nal_bits *bits, uint32_t sub_layers) {
  uint32_t order_bits = kvs_nal_ue(bits) + 4;
  uint32_t segmentation = 0;

  if (order_bits > 16) {
    return 0;
  }
  skip_sub_layer_ordering(bits, sub_layers);
  kvs_nal_skip_ue(bits, 6); /* sizes and depths of blocks */
  if (kvs_nal_flag(bits)) { /* scaling_list_enabled_flag */
    skip_scaling_lists(bits);
  }
  kvs_nal_skip(bits, 2);
  if (kvs_nal_flag(bits)) { /* pcm_enabled_flag */
    kvs_nal_skip(bits, 8);
    kvs_nal_skip_ue(bits, 2);
    kvs_nal_skip(bits, 1);
  }
  skip_short_term_sets(bits);
  skip_long_term(bits, order_bits);
  kvs_nal_skip(bits, 2);
  if (kvs_nal_flag(bits)) { /* vui_parameters_present_flag */
    segmentation = read_vui_segmentation(bits, sub_layers);
  }
  return bits->failed || segmentation > MAX_SEGMENTATION ? 0 : segmentation;
}

static kvs_status read_layers(kvs_nal_bits *bits, kvs_nal_sps *sps) {
  kvs_nal_skip(bits, 16 + 4); /* header, sps_video_parameter_set_id */
  sps->sub_layers = kvs_nal_read(bits, 3) + 1;
  if (sps->sub_layers > MAX_SUB_LAYERS) {
    return KVS_STATUS_MKV_INVALID_HEVC_SPS_RESERVED;
  }
  sps->nested = kvs_nal_flag(bits);
  for (uint32_t i = 0; i < KVS_NAL_PTL_LEN; i++) {
    sps->ptl[i] = (uint8_t)kvs_nal_read(bits, 8);
  }
  skip_sub_layer_levels(bits, sps->sub_layers);
  kvs_nal_skip_ue(bits, 1);
  return KVS_OK;
}

/* Chroma format, size, window and depths. */
static kvs_status read_picture(kvs_nal_bits *bits, kvs_nal_sps *sps) {
  bool separate = false;
  uint64_t x = 0;
  uint64_t y = 0;

  sps->chroma_format = kvs_nal_ue(bits);
  if (sps->chroma_format > 3) {
    return KVS_STATUS_MKV_INVALID_HEVC_SPS_CHROMA_FORMAT_IDC;
  }
  if (sps->chroma_format == 3) {
    separate = kvs_nal_flag(bits);
  }
  sps->width = kvs_nal_ue(bits);
  sps->height = kvs_nal_ue(bits);
  if (kvs_nal_flag(bits)) { /* conformance_window_flag */
    x = (uint64_t)kvs_nal_ue(bits) + kvs_nal_ue(bits);
    y = (uint64_t)kvs_nal_ue(bits) + kvs_nal_ue(bits);
  }
  uint32_t luma = kvs_nal_ue(bits);
  uint32_t chroma = kvs_nal_ue(bits);
  if (bits->failed) {
    return KVS_STATUS_MKV_INVALID_HEVC_SPS_NALU_SIZE;
  }
  if (luma > 8 || chroma > 8) {
    return KVS_STATUS_MKV_INVALID_H264_H265_SPS_NALU;
  }
  sps->luma_depth = luma + 8;
  sps->chroma_depth = chroma + 8;
  x *=
      !separate && (sps->chroma_format == 1 || sps->chroma_format == 2) ? 2 : 1;
  y *= !separate && sps->chroma_format == 1 ? 2 : 1;
  return kvs_nal_crop(sps, x, y);
}

kvs_status kvs_nal_parse_hevc_sps(kvs_bytes unit, kvs_nal_sps *sps) {
  kvs_nal_bits bits = kvs_nal_bits_of(unit);

  KVS_TRY(read_layers(&bits, sps));
  KVS_TRY(read_picture(&bits, sps));
  sps->segmentation = read_segmentation(&bits, sps->sub_layers);
  return KVS_OK;
}
