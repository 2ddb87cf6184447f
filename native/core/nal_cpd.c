/* SPDX-License-Identifier: Apache-2.0
 * Codec private data from parameter sets: AVCDecoderConfigurationRecord and
 * HEVCDecoderConfigurationRecord of ISO/IEC 14496-15. The sets are walked once
 * to count them and once more for each kind that is written; nothing is kept,
 * and as the walk ends at the first slice it is short. A set that stands there
 * more than once is one set: encoders repeat theirs as they like, and a record
 * must not differ for it. */
#include "core/nal_sps.h"

enum {
  AVCC_MAX_SPS = 31,
  AVCC_MAX_PPS = 255,
  HVCC_HEAD = 23,
  HVCC_MAX_DEPTH = 7, /* what 3 bits hold beyond the least depth */
  LENGTH_SIZE_MINUS_ONE = 3,
  KINDS = 3,
  /* Sets with their repetitions: comparing them must come to an end. */
  MAX_UNITS = 1024
};

/* The kinds of sets that a record has, in its order. */
static const uint8_t kinds[2][KINDS] = {
    {KVS_NAL_H264_SPS, KVS_NAL_H264_PPS, KVS_NAL_H264_SPS_EXT},
    {KVS_NAL_H265_VPS, KVS_NAL_H265_SPS, KVS_NAL_H265_PPS}};
enum { AVC_SPS = 0, AVC_PPS = 1, AVC_EXT = 2 };
enum { HEVC_VPS = 0, HEVC_SPS = 1, HEVC_PPS = 2 };

/* What a source of parameter sets holds. */
typedef struct survey {
  uint32_t count[KINDS]; /* sets of each kind, each of them once */
  bool too_much;         /* more, or longer ones, than a record can tell */
  kvs_bytes first_sps;
} survey;

/* The kind of a unit, or KINDS: it is none of these. */
static uint32_t kind_of(kvs_nal_codec codec, kvs_bytes unit) {
  uint32_t type = kvs_nal_type(codec, unit);
  uint32_t kind = 0;

  while (kind < KINDS && kinds[codec][kind] != type) {
    kind++;
  }
  return kind;
}

/* Whether the same unit stands before |unit| among |units|, a fresh walk. */
static bool is_repeated(kvs_nal_units units, kvs_bytes unit) {
  kvs_bytes before = {NULL, 0};

  while (kvs_nal_units_next(&units, &before) && before.ptr != unit.ptr) {
    if (before.len == unit.len && memcmp(before.ptr, unit.ptr, unit.len) == 0) {
      return true;
    }
  }
  return false;
}

static survey look(const kvs_nal_units *source) {
  survey found = {{0, 0, 0}, false, {NULL, 0}};
  kvs_nal_units units = *source;
  uint32_t sps = units.codec == KVS_NAL_H264 ? AVC_SPS : HEVC_SPS;
  uint32_t seen = 0;
  kvs_bytes unit;

  while (!found.too_much && kvs_nal_units_next(&units, &unit)) {
    uint32_t kind = kind_of(units.codec, unit);

    if (kind == KINDS || is_repeated(*source, unit)) {
      seen += kind == KINDS ? 0 : 1;
      found.too_much = seen > MAX_UNITS;
      continue;
    }
    seen++;
    found.count[kind]++;
    found.too_much =
        seen > MAX_UNITS || unit.len > UINT16_MAX ||
        (size_t)(unit.ptr - units.bytes.ptr) > KVS_MAX_CODEC_PRIVATE_LEN;
    if (kind == sps && found.count[kind] == 1) {
      found.first_sps = unit;
    }
  }
  return found;
}

static void write_sets(const kvs_nal_units *source, uint32_t kind,
                       kvs_sink *sink) {
  kvs_nal_units units = *source;
  kvs_bytes unit;
  uint8_t len[2];

  while (kvs_nal_units_next(&units, &unit)) {
    if (kind_of(units.codec, unit) == kind && !is_repeated(*source, unit)) {
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
  if (found->count[AVC_SPS] == 0) {
    return KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD;
  }
  if (found->count[AVC_PPS] == 0) {
    return KVS_STATUS_MKV_MISSING_PPS_FROM_H264_CPD;
  }
  if (found->too_much || found->count[AVC_SPS] > AVCC_MAX_SPS ||
      found->count[AVC_PPS] > AVCC_MAX_PPS ||
      found->count[AVC_EXT] > UINT8_MAX) {
    return KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS;
  }
  return KVS_OK;
}

static kvs_status make_avcc(const kvs_nal_units *units, kvs_sink *sink) {
  survey found = look(units);
  kvs_nal_sps sps;

  KVS_TRY(check_avc(&found));
  KVS_TRY(kvs_nal_parse_sps(KVS_NAL_H264, found.first_sps, &sps));
  write_byte(sink, 1); /* configurationVersion */
  kvs_sink_write(sink, &found.first_sps.ptr[1], 3);
  write_byte(sink, 0xFC | LENGTH_SIZE_MINUS_ONE);
  write_byte(sink, 0xE0 | found.count[AVC_SPS]);
  write_sets(units, AVC_SPS, sink);
  write_byte(sink, found.count[AVC_PPS]);
  write_sets(units, AVC_PPS, sink);
  if (sps.high) {
    write_byte(sink, 0xFC | sps.chroma_format);
    write_byte(sink, 0xF8 | (sps.luma_depth - 8));
    write_byte(sink, 0xF8 | (sps.chroma_depth - 8));
    write_byte(sink, found.count[AVC_EXT]);
    write_sets(units, AVC_EXT, sink);
  }
  return KVS_OK;
}

static kvs_status check_hevc(const survey *found) {
  if (found->count[HEVC_SPS] == 0) {
    return KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING;
  }
  if (found->count[HEVC_VPS] == 0 || found->count[HEVC_PPS] == 0) {
    return KVS_STATUS_MKV_ANNEXB_CPD_MISSING_NALUS;
  }
  return found->too_much ? KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS : KVS_OK;
}

static void write_array(const kvs_nal_units *units, uint32_t kind,
                        uint32_t count, kvs_sink *sink) {
  uint8_t head[3] = {0, 0, 0};

  /* array_completeness 0: more may be in the stream */
  head[0] = kinds[KVS_NAL_H265][kind];
  kvs_put_be16(&head[1], (uint16_t)count);
  kvs_sink_write(sink, head, sizeof head);
  write_sets(units, kind, sink);
}

/* A depth as a record tells it: of 16 bits, the most that H.265 has, it can
 * only say "as deep as can be said"; decoders read the SPS. */
static uint8_t hvcc_depth(uint32_t depth) {
  return (uint8_t)(0xF8u |
                   (depth - 8 < HVCC_MAX_DEPTH ? depth - 8 : HVCC_MAX_DEPTH));
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
  head[17] = hvcc_depth(sps->luma_depth);
  head[18] = hvcc_depth(sps->chroma_depth);
  head[21] = (uint8_t)(sps->sub_layers << 3 | (sps->nested ? 4u : 0u) |
                       LENGTH_SIZE_MINUS_ONE);
  head[22] = 3;
}

static kvs_status make_hvcc(const kvs_nal_units *units, kvs_sink *sink) {
  survey found = look(units);
  uint8_t head[HVCC_HEAD];
  kvs_nal_sps sps;

  KVS_TRY(check_hevc(&found));
  KVS_TRY(kvs_nal_parse_sps(KVS_NAL_H265, found.first_sps, &sps));
  fill_hvcc_head(head, &sps);
  kvs_sink_write(sink, head, sizeof head);
  for (uint32_t kind = 0; kind < KINDS; kind++) {
    write_array(units, kind, found.count[kind], sink);
  }
  return KVS_OK;
}

static kvs_status make(const kvs_nal_units *units, kvs_sink *sink) {
  return units->codec == KVS_NAL_H264 ? make_avcc(units, sink)
                                      : make_hvcc(units, sink);
}

kvs_status kvs_nal_make_cpd(kvs_nal_find find, kvs_nal_codec codec,
                            kvs_bytes annexb, kvs_sink *sink) {
  kvs_nal_units units;

  KVS_TRY(kvs_nal_units_annexb(&units, find, codec, annexb));
  return make(&units, sink);
}

kvs_status kvs_nal_make_cpd_avcc(kvs_nal_codec codec, kvs_bytes avcc,
                                 kvs_sink *sink) {
  kvs_nal_units units;

  KVS_TRY(kvs_nal_check_avcc(avcc.ptr, avcc.len));
  kvs_nal_units_avcc(&units, codec, avcc);
  return make(&units, sink);
}

uint32_t kvs_nal_sets_of(kvs_nal_find find, kvs_nal_codec codec,
                         kvs_bytes frame, bool avcc) {
  uint32_t sets = 0;
  kvs_nal_units units;
  kvs_bytes unit;

  if (avcc) {
    kvs_nal_units_avcc(&units, codec, frame);
  } else if (kvs_nal_units_annexb(&units, find, codec, frame) != KVS_OK) {
    return 0;
  }
  while (kvs_nal_units_next(&units, &unit)) {
    uint32_t kind = kind_of(codec, unit);

    sets |= kind == KINDS ? 0 : UINT32_C(1) << kind;
  }
  if (units.at < frame.len) {
    sets |= KVS_NAL_HAS_PICTURE;
  }
  return sets;
}

bool kvs_nal_sets_suffice(kvs_nal_codec codec, uint32_t sets) {
  uint32_t all = codec == KVS_NAL_H264 ? 3u : 7u;

  return (sets & all) == all;
}

bool kvs_nal_has_parameter_sets(kvs_nal_find find, kvs_nal_codec codec,
                                kvs_bytes frame, bool avcc) {
  return kvs_nal_sets_suffice(codec, kvs_nal_sets_of(find, codec, frame, avcc));
}

void kvs_nal_copy_sets(kvs_nal_find find, kvs_nal_codec codec, kvs_bytes annexb,
                       kvs_sink *sink) {
  static const uint8_t code[] = {0, 0, 0, 1};
  kvs_nal_units units;
  kvs_bytes unit;

  if (kvs_nal_units_annexb(&units, find, codec, annexb) != KVS_OK) {
    return;
  }
  while (kvs_nal_units_next(&units, &unit)) {
    if (kind_of(codec, unit) != KINDS) {
      kvs_sink_write(sink, code, sizeof code);
      kvs_sink_write(sink, unit.ptr, unit.len);
    }
  }
}

bool kvs_nal_plan_may_have_sets(kvs_nal_codec codec, const uint8_t *bytes,
                                const kvs_nal_plan *plan) {
  for (size_t i = 0; i < plan->listed; i++) {
    kvs_bytes unit = {&bytes[plan->spans[i].offset], plan->spans[i].len};
    uint32_t type = kvs_nal_type(codec, unit);

    if (codec == KVS_NAL_H264 ? type >= 1 && type <= 5
                              : type < 32 && unit.len >= 2) {
      return false;
    }
    if (kind_of(codec, unit) != KINDS) {
      return true;
    }
  }
  return plan->listed < plan->count;
}
