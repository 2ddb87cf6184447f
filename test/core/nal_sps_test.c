/* SPDX-License-Identifier: Apache-2.0
 * Picture sizes of codec private data in its three forms, and what is said of
 * data that is broken. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/nal_sps.h"
#include "nal_vectors.h"

static kvs_status size_of(kvs_nal_codec codec, const uint8_t *bytes, size_t len,
                          uint16_t *width, uint16_t *height) {
  kvs_bytes cpd = {bytes, len};

  *width = 0;
  *height = 0;
  return kvs_nal_picture_size(kvs_nal_select(), codec, cpd, width, height);
}

static void check_size(const nal_vector *v, const char *hex) {
  uint8_t bytes[NAL_VECTOR_ROOM];
  size_t len = nal_unhex(hex, bytes, sizeof bytes);
  uint16_t width;
  uint16_t height;
  bool same = CHECK_EQ(size_of(v->codec, bytes, len, &width, &height), KVS_OK);

  same = CHECK_EQ(width, v->width) && same;
  same = CHECK_EQ(height, v->height) && same;
  if (!same) {
    CHECK_STR("", v->name);
  }
}

static void sizes_of_real_streams(void) {
  for (size_t i = 0; nal_vector_at(i) != NULL; i++) {
    const nal_vector *v = nal_vector_at(i);
    check_size(v, v->annexb);
    if (v->record[0] != '\0') {
      check_size(v, v->record);
    }
  }
}

/* Any cut of a record gives a status, or the size where the cut is behind the
 * SPS; never a read outside it (the copies are of exactly that length). */
static void every_cut(void) {
  for (size_t i = 0; nal_vector_at(i) != NULL; i++) {
    const nal_vector *v = nal_vector_at(i);
    const char *forms[] = {v->annexb, v->record};
    for (size_t f = 0; f < 2; f++) {
      uint8_t bytes[NAL_VECTOR_ROOM];
      size_t len = nal_unhex(forms[f], bytes, sizeof bytes);
      for (size_t cut = 0; cut < len; cut++) {
        uint8_t *copy = (uint8_t *)malloc(cut == 0 ? 1 : cut);
        uint16_t width;
        uint16_t height;
        memcpy(copy, bytes, cut);
        if (size_of(v->codec, copy, cut, &width, &height) == KVS_OK) {
          CHECK_EQ(width, v->width);
          CHECK_EQ(height, v->height);
        } else {
          CHECK_EQ(width, 0);
        }
        free(copy);
      }
    }
  }
}

/* Each bit turned: a status or a size above zero. */
static void every_bit_turned(void) {
  for (size_t i = 0; nal_vector_at(i) != NULL; i++) {
    const nal_vector *v = nal_vector_at(i);
    uint8_t bytes[NAL_VECTOR_ROOM];
    size_t len = nal_unhex(v->annexb, bytes, sizeof bytes);
    for (size_t bit = 0; bit < 8 * len; bit++) {
      uint16_t width;
      uint16_t height;
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
      if (size_of(v->codec, bytes, len, &width, &height) == KVS_OK) {
        CHECK(width != 0 && height != 0);
      }
      bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
  }
}

static void what_an_sps_says(void) {
  const nal_vector *v = nal_vector_named(KVS_NAL_H265, "everything");
  uint8_t bytes[NAL_VECTOR_ROOM];
  size_t len = nal_unhex(v->annexb, bytes, sizeof bytes);
  kvs_nal_plan plan;
  kvs_nal_sps sps;

  CHECK_EQ(kvs_nal_plan_annexb(kvs_nal_select(), bytes, len, &plan), KVS_OK);
  kvs_bytes unit = {&bytes[plan.spans[1].offset], plan.spans[1].len};
  CHECK_EQ(kvs_nal_parse_sps(KVS_NAL_H265, unit, &sps), KVS_OK);
  CHECK_EQ(sps.segmentation, 200);
  CHECK_EQ(sps.sub_layers, 3);
  CHECK(sps.nested);
  CHECK_EQ(sps.chroma_format, 1);
  /* Cut anywhere behind the depths it is as good, but for the segmentation. */
  unit.len = 60;
  CHECK_EQ(kvs_nal_parse_sps(KVS_NAL_H265, unit, &sps), KVS_OK);
  CHECK_EQ(sps.segmentation, 0);
  CHECK_EQ(sps.width, v->width);
}

typedef struct broken {
  kvs_nal_codec codec;
  const char *hex;
  kvs_status want;
} broken;

#define CPD KVS_STATUS_MKV_INVALID_H264_H265_CPD
#define SPS KVS_STATUS_MKV_INVALID_H264_H265_SPS_NALU

static const broken faults[] = {
    {KVS_NAL_H264, "", CPD},
    {KVS_NAL_H264, "02", CPD},
    {KVS_NAL_H264, "0000", CPD},
    {KVS_NAL_H264, "0164001e", CPD},
    {KVS_NAL_H264, "0164001effe0", KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD},
    {KVS_NAL_H264, "0164001effe1", CPD},
    {KVS_NAL_H264, "0164001effe10000", CPD},
    {KVS_NAL_H264, "0164001effe1000267", CPD},
    {KVS_NAL_H264, "0164001effe1000167", SPS},
    {KVS_NAL_H264, "0000000168ebe3", KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD},
    /* 42 00 1e: id 0, 2^4, type 3, which there is none of */
    {KVS_NAL_H264, "000000016742001ef21000", SPS},
    /* 64 00 1e: chroma format 4; then depth 15 */
    {KVS_NAL_H264, "000000016764001e9460000000ff", SPS},
    {KVS_NAL_H264, "000000016764001ea082000000ff", SPS},
    {KVS_NAL_H265, "01", KVS_STATUS_MKV_INVALID_HEVC_FORMAT},
    {KVS_NAL_H265,
     "010160000000900000000000"
     "5df000fcfdf8f800000f00",
     KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING},
    {KVS_NAL_H265,
     "010160000000900000000000"
     "5df000fcfdf8f800000f0121",
     KVS_STATUS_MKV_INVALID_HEVC_FORMAT},
    {KVS_NAL_H265,
     "010160000000900000000000"
     "5df000fcfdf8f800000f01210001",
     KVS_STATUS_MKV_INVALID_HEVC_NALU_COUNT},
    {KVS_NAL_H265,
     "010160000000900000000000"
     "5df000fcfdf8f800000f01210000",
     KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING},
    {KVS_NAL_H265, "000001440140", KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING},
    {KVS_NAL_H265, "000001420101", KVS_STATUS_MKV_INVALID_HEVC_SPS_NALU_SIZE},
    {KVS_NAL_H265, "00000142010f", KVS_STATUS_MKV_INVALID_HEVC_SPS_RESERVED},
    /* id 0, chroma format 4 */
    {KVS_NAL_H265, "0000014201010160aaaa90aaaaaaaaaaaa5d94ffffffff",
     KVS_STATUS_MKV_INVALID_HEVC_SPS_CHROMA_FORMAT_IDC},
};

static void what_is_broken(void) {
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
    uint8_t bytes[NAL_VECTOR_ROOM];
    size_t len = nal_unhex(faults[i].hex, bytes, sizeof bytes);
    uint16_t width;
    uint16_t height;
    if (!CHECK_EQ(size_of(faults[i].codec, bytes, len, &width, &height),
                  faults[i].want)) {
      CHECK_STR("", faults[i].hex);
    }
  }
}

/* Writes bits, most significant first. */
typedef struct bit_writer {
  uint8_t bytes[64];
  size_t bits;
} bit_writer;

static void bit(bit_writer *w, unsigned value) {
  w->bytes[w->bits / 8] |= (uint8_t)(value << (7 - w->bits % 8));
  w->bits++;
}

static void ue(bit_writer *w, uint64_t value) {
  unsigned len = 0;

  while ((value + 1) >> (len + 1) != 0) {
    bit(w, 0);
    len++;
  }
  for (unsigned i = len + 1; i > 0; i--) {
    bit(w, (unsigned)((value + 1) >> (i - 1)) & 1);
  }
}

/* A Main-profile SPS of that many macroblocks, so much cropped right and
 * at the bottom. */
static kvs_status coded_size(uint64_t mbs_wide, uint64_t mbs_high, uint64_t x,
                             uint64_t y, uint16_t *width, uint16_t *height) {
  bit_writer w = {{0, 0, 1, 0x67, 77, 1, 40}, 56};
  const uint64_t before[] = {0, 4, 2, 1};

  for (size_t i = 0; i < 4; i++) {
    ue(&w, before[i]);
  }
  bit(&w, 0);
  ue(&w, mbs_wide - 1);
  ue(&w, mbs_high - 1);
  bit(&w, 1); /* frames only */
  bit(&w, 1);
  bit(&w, 1); /* cropping */
  ue(&w, 0);
  ue(&w, x / 2);
  ue(&w, 0);
  ue(&w, y / 2);
  bit(&w, 0);
  bit(&w, 1);
  return size_of(KVS_NAL_H264, w.bytes, w.bits / 8 + 1, width, height);
}

#define WIDTH KVS_STATUS_MKV_INVALID_H264_H265_SPS_WIDTH
#define HEIGHT KVS_STATUS_MKV_INVALID_H264_H265_SPS_HEIGHT

static void sizes_at_the_limits(void) {
  uint16_t width;
  uint16_t height;

  CHECK_EQ(coded_size(4096, 4096, 2, 2, &width, &height), KVS_OK);
  CHECK_EQ(width, 65534);
  CHECK_EQ(height, 65534);
  CHECK_EQ(coded_size(4096, 1, 0, 0, &width, &height), WIDTH);
  CHECK_EQ(coded_size(1, 4096, 0, 0, &width, &height), HEIGHT);
  CHECK_EQ(coded_size(UINT32_MAX, 1, 0, 0, &width, &height), WIDTH);
  CHECK_EQ(coded_size(1, UINT32_MAX, 0, 0, &width, &height), HEIGHT);
  CHECK_EQ(coded_size(1, 1, 14, 14, &width, &height), KVS_OK);
  CHECK_EQ(width, 2);
  CHECK_EQ(coded_size(1, 1, 16, 0, &width, &height), WIDTH);
  CHECK_EQ(coded_size(1, 1, 0, 16, &width, &height), HEIGHT);
  CHECK_EQ(coded_size(1, 1, 2 * (uint64_t)UINT32_MAX - 2, 0, &width, &height),
           WIDTH);
}

static void bits_are_read_past_emulation_bytes(void) {
  const uint8_t bytes[] = {0, 0, 3, 1, 0, 0, 3, 0, 0, 3, 0x80, 3, 0, 3};
  const uint8_t want[] = {0, 0, 1, 0, 0, 0, 0, 0x80, 3, 0, 3};
  kvs_bytes unit = {bytes, sizeof bytes};
  kvs_nal_bits bits = kvs_nal_bits_of(unit);

  for (size_t i = 0; i < sizeof want; i++) {
    CHECK_EQ(kvs_nal_read(&bits, 8), want[i]);
  }
  CHECK(!bits.failed);
  CHECK_EQ(kvs_nal_read(&bits, 1), 0);
  CHECK(bits.failed);
}

static void codes(void) {
  const uint64_t values[] = {0, 1, 2, 3, 255, 65535, 1u << 30, 0xFFFFFFFE};

  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    bit_writer w = {{0}, 0};
    kvs_bytes unit = {w.bytes, sizeof w.bytes};
    ue(&w, values[i]);
    bit(&w, 1);
    kvs_nal_bits bits = kvs_nal_bits_of(unit);
    CHECK_EQ(kvs_nal_ue(&bits), values[i]);
    CHECK(kvs_nal_flag(&bits));
    CHECK(!bits.failed);
    bits = kvs_nal_bits_of(unit);
    int64_t half = (int64_t)((values[i] + 1) / 2);
    int64_t want = values[i] % 2 == 1 ? half : -half;
    CHECK_EQ((int64_t)kvs_nal_se(&bits), want);
  }
  const uint8_t zeros[] = {0, 0, 0, 0, 0x80, 0, 0, 0, 0};
  kvs_bytes unit = {zeros, sizeof zeros};
  kvs_nal_bits bits = kvs_nal_bits_of(unit);
  CHECK_EQ(kvs_nal_ue(&bits), 0); /* 32 zeros: longer than any code */
  CHECK(bits.failed);
}

int main(void) {
  RUN(sizes_of_real_streams);
  RUN(every_cut);
  RUN(every_bit_turned);
  RUN(what_an_sps_says);
  RUN(what_is_broken);
  RUN(sizes_at_the_limits);
  RUN(bits_are_read_past_emulation_bytes);
  RUN(codes);
  return check_report();
}
