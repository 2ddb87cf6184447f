/* SPDX-License-Identifier: Apache-2.0
 * avcC and hvcC of parameter sets, against records that others made. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/nal.h"
#include "nal_vectors.h"

enum { ROOM = 70000 };

typedef struct made {
  kvs_status status;
  uint8_t bytes[NAL_VECTOR_ROOM];
  size_t len;
} made;

static made make(kvs_nal_codec codec, const uint8_t *bytes, size_t len) {
  made out = {KVS_OK, {0}, 0};
  kvs_buffer_sink sink = kvs_make_buffer_sink(out.bytes, NAL_VECTOR_ROOM);
  kvs_bytes annexb = {bytes, len};

  out.status = kvs_nal_make_cpd(kvs_nal_select(), codec, annexb, &sink.sink);
  out.len = (size_t)sink.sink.written;
  return out;
}

/* The same units behind 4-byte lengths. */
static size_t as_avcc(const uint8_t *annexb, size_t len, uint8_t *out) {
  kvs_buffer_sink sink = kvs_make_buffer_sink(out, NAL_VECTOR_ROOM);
  kvs_nal_plan plan;

  CHECK_EQ(kvs_nal_plan_annexb(kvs_nal_select(), annexb, len, &plan), KVS_OK);
  kvs_nal_write_avcc(kvs_nal_select(), annexb, len, &plan, &sink.sink);
  return (size_t)sink.sink.written;
}

static void check_record(const nal_vector *v, const uint8_t *bytes,
                         size_t len) {
  uint8_t want[NAL_VECTOR_ROOM];
  size_t want_len = nal_unhex(v->record, want, sizeof want);

  if (!CHECK_EQ(len, want_len) || !CHECK_BYTES(bytes, want, want_len)) {
    CHECK_STR("", v->name);
  }
}

static void records_of_real_streams(void) {
  for (size_t i = 0; nal_vector_at(i) != NULL; i++) {
    const nal_vector *v = nal_vector_at(i);
    uint8_t annexb[NAL_VECTOR_ROOM];
    size_t len = nal_unhex(v->annexb, annexb, sizeof annexb);
    made out = make(v->codec, annexb, len);
    CHECK_EQ(out.status, KVS_OK);
    if (v->record[0] != '\0') {
      check_record(v, out.bytes, out.len);
    }
  }
}

static void the_same_from_lengths(void) {
  for (size_t i = 0; nal_vector_at(i) != NULL; i++) {
    const nal_vector *v = nal_vector_at(i);
    uint8_t annexb[NAL_VECTOR_ROOM];
    uint8_t avcc[NAL_VECTOR_ROOM];
    uint8_t record[NAL_VECTOR_ROOM];
    size_t len = nal_unhex(v->annexb, annexb, sizeof annexb);
    kvs_bytes bytes = {avcc, as_avcc(annexb, len, avcc)};
    kvs_buffer_sink sink = kvs_make_buffer_sink(record, sizeof record);
    made want = make(v->codec, annexb, len);
    CHECK_EQ(kvs_nal_make_cpd_avcc(v->codec, bytes, &sink.sink), KVS_OK);
    CHECK_EQ(sink.sink.written, want.len);
    CHECK_BYTES(record, want.bytes, want.len);
    CHECK(kvs_nal_has_parameter_sets(NULL, v->codec, bytes, true));
  }
}

/* What a vector's units are: VPS (H.265 only), SPS, PPS. */
typedef struct sets {
  uint8_t bytes[NAL_VECTOR_ROOM];
  kvs_bytes unit[3];
} sets;

static void load(sets *s, kvs_nal_codec codec, const char *name) {
  const nal_vector *v = nal_vector_named(codec, name);
  size_t len = nal_unhex(v->annexb, s->bytes, sizeof s->bytes);
  kvs_nal_plan plan;

  CHECK_EQ(kvs_nal_plan_annexb(kvs_nal_select(), s->bytes, len, &plan), KVS_OK);
  for (size_t i = 0; i < 3; i++) {
    s->unit[i].ptr = i < plan.count ? &s->bytes[plan.spans[i].offset] : NULL;
    s->unit[i].len = i < plan.count ? plan.spans[i].len : 0;
  }
}

typedef struct stream {
  uint8_t bytes[ROOM];
  size_t len;
} stream;

static void put(stream *s, const void *unit, size_t len) {
  memcpy(&s->bytes[s->len], "\0\0\0\1", 4);
  memcpy(&s->bytes[s->len + 4], unit, len);
  s->len += 4 + len;
}

/* The same with a byte more, by which the |n|th differs from the others. */
static void put_other(stream *s, const void *unit, size_t len, size_t n) {
  put(s, unit, len);
  s->bytes[s->len++] = (uint8_t)(n / 100 + 1);
  s->bytes[s->len++] = (uint8_t)(n % 100 + 1);
}

static made make_of(kvs_nal_codec codec, const stream *s) {
  return make(codec, s->bytes, s->len);
}

static bool has_sets(kvs_nal_codec codec, const stream *s) {
  kvs_bytes bytes = {s->bytes, s->len};

  return kvs_nal_has_parameter_sets(kvs_nal_select(), codec, bytes, false);
}

/* A key frame: delimiter, sets, SEI, slices; a set behind a slice belongs to
 * the next access unit, and slices are not searched. */
static void sets_of_a_key_frame(void) {
  static stream frame;
  sets a;
  uint8_t want[NAL_VECTOR_ROOM];

  load(&a, KVS_NAL_H264, "high");
  frame.len = 0;
  put(&frame, "\x09\xF0", 2);
  put(&frame, a.unit[0].ptr, a.unit[0].len);
  put(&frame, a.unit[1].ptr, a.unit[1].len);
  put(&frame, "\x06\x05\x01\x80", 4);
  put(&frame, "\x65\x88\x84\x21", 4);
  put(&frame, "\x68\x11", 2);
  made out = make_of(KVS_NAL_H264, &frame);
  CHECK_EQ(out.status, KVS_OK);
  CHECK_EQ(out.len, nal_unhex(nal_vector_named(KVS_NAL_H264, "high")->record,
                              want, sizeof want));
  CHECK_BYTES(out.bytes, want, out.len);
  CHECK(has_sets(KVS_NAL_H264, &frame));
}

static void all_sets_not_the_first_alone(void) {
  static stream cpd;
  sets a;
  sets b;

  load(&a, KVS_NAL_H264, "high");
  load(&b, KVS_NAL_H264, "high10");
  b.bytes[b.unit[1].ptr + b.unit[1].len - 1 - b.bytes] ^= 0x20; /* not as a's */
  cpd.len = 0;
  put(&cpd, a.unit[1].ptr, a.unit[1].len); /* any order */
  put(&cpd, a.unit[0].ptr, a.unit[0].len);
  put(&cpd, b.unit[0].ptr, b.unit[0].len);
  put(&cpd, b.unit[1].ptr, b.unit[1].len);
  put(&cpd, "\x6D\x01\x80", 3); /* SPS extension */
  made out = make_of(KVS_NAL_H264, &cpd);
  CHECK_EQ(out.status, KVS_OK);
  size_t at = 5;
  CHECK_EQ(out.bytes[1], 100);
  CHECK_EQ(out.bytes[at++], 0xE2);
  CHECK_EQ(kvs_get_be16(&out.bytes[at]), a.unit[0].len);
  CHECK_BYTES(&out.bytes[at + 2], a.unit[0].ptr, a.unit[0].len);
  at += 2 + a.unit[0].len;
  CHECK_EQ(kvs_get_be16(&out.bytes[at]), b.unit[0].len);
  CHECK_BYTES(&out.bytes[at + 2], b.unit[0].ptr, b.unit[0].len);
  at += 2 + b.unit[0].len;
  CHECK_EQ(out.bytes[at++], 2);
  CHECK_BYTES(&out.bytes[at + 2], a.unit[1].ptr, a.unit[1].len);
  at += 2 + a.unit[1].len;
  CHECK_BYTES(&out.bytes[at + 2], b.unit[1].ptr, b.unit[1].len);
  at += 2 + b.unit[1].len;
  CHECK_BYTES(&out.bytes[at], "\xFD\xF8\xF8\x01\0\x03\x6D\x01\x80", 9);
  CHECK_EQ(out.len, at + 9);
}

static void hevc_sets_in_any_order(void) {
  static stream cpd;
  sets a;
  uint8_t want[NAL_VECTOR_ROOM];

  load(&a, KVS_NAL_H265, "main10");
  cpd.len = 0;
  put(&cpd, a.unit[2].ptr, a.unit[2].len);
  put(&cpd, a.unit[1].ptr, a.unit[1].len);
  put(&cpd, "\x4E\x01\x05\x80", 4); /* SEI prefix */
  put(&cpd, a.unit[0].ptr, a.unit[0].len);
  put(&cpd, "\x26\x01\x80", 3); /* IDR slice */
  made out = make_of(KVS_NAL_H265, &cpd);
  CHECK_EQ(out.status, KVS_OK);
  CHECK_EQ(out.len, nal_unhex(nal_vector_named(KVS_NAL_H265, "main10")->record,
                              want, sizeof want));
  CHECK_BYTES(out.bytes, want, out.len);
  CHECK(has_sets(KVS_NAL_H265, &cpd));
}

/* An empty H.265 unit reads like the header of a slice. */
static void empty_units_do_not_end_the_search(void) {
  static stream cpd;
  sets a;

  load(&a, KVS_NAL_H265, "main");
  cpd.len = 0;
  put(&cpd, "", 0);
  put(&cpd, a.unit[0].ptr, a.unit[0].len);
  put(&cpd, "\0\0\0", 3);
  put(&cpd, a.unit[1].ptr, a.unit[1].len);
  put(&cpd, a.unit[2].ptr, a.unit[2].len);
  CHECK_EQ(make_of(KVS_NAL_H265, &cpd).status, KVS_OK);
}

static void missing_sets(void) {
  static stream cpd;
  sets a;

  load(&a, KVS_NAL_H264, "main");
  cpd.len = 0;
  put(&cpd, a.unit[1].ptr, a.unit[1].len);
  CHECK_EQ(make_of(KVS_NAL_H264, &cpd).status,
           KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD);
  CHECK(!has_sets(KVS_NAL_H264, &cpd));
  cpd.len = 0;
  put(&cpd, a.unit[0].ptr, a.unit[0].len);
  CHECK_EQ(make_of(KVS_NAL_H264, &cpd).status,
           KVS_STATUS_MKV_MISSING_PPS_FROM_H264_CPD);
  CHECK(!has_sets(KVS_NAL_H264, &cpd));
  put(&cpd, "\x65\x88", 2);
  put(&cpd, a.unit[1].ptr, a.unit[1].len); /* too late */
  CHECK_EQ(make_of(KVS_NAL_H264, &cpd).status,
           KVS_STATUS_MKV_MISSING_PPS_FROM_H264_CPD);
  CHECK(!has_sets(KVS_NAL_H264, &cpd));
}

static void missing_hevc_sets(void) {
  static const kvs_status want[] = {KVS_STATUS_MKV_ANNEXB_CPD_MISSING_NALUS,
                                    KVS_STATUS_MKV_HEVC_SPS_NALU_MISSING,
                                    KVS_STATUS_MKV_ANNEXB_CPD_MISSING_NALUS};
  static stream cpd;
  sets a;

  load(&a, KVS_NAL_H265, "main");
  for (size_t without = 0; without < 3; without++) {
    cpd.len = 0;
    for (size_t i = 0; i < 3; i++) {
      if (i != without) {
        put(&cpd, a.unit[i].ptr, a.unit[i].len);
      }
    }
    CHECK_EQ(make_of(KVS_NAL_H265, &cpd).status, want[without]);
    CHECK(!has_sets(KVS_NAL_H265, &cpd));
  }
}

static void no_annexb(void) {
  const uint8_t none[] = {1, 0x64, 0, 0x28, 0xFF, 0xE1};
  const uint8_t before[] = {7, 0, 0, 1, 0x67, 0x64, 0, 0x28, 0, 0, 1, 0x68, 1};

  for (int codec = 0; codec < 2; codec++) {
    CHECK_EQ(make((kvs_nal_codec)codec, none, sizeof none).status,
             KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD);
    CHECK_EQ(make((kvs_nal_codec)codec, before, sizeof before).status,
             KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD);
    CHECK_EQ(make((kvs_nal_codec)codec, none, 0).status,
             KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD);
  }
}

static void no_avcc(void) {
  kvs_bytes bytes = {(const uint8_t *)"\0\0\0\4\x67\x64\0", 7};
  kvs_sink sink = kvs_counting_sink();

  CHECK_EQ(kvs_nal_make_cpd_avcc(KVS_NAL_H264, bytes, &sink),
           KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA);
  CHECK_EQ(sink.written, 0);
  CHECK(!kvs_nal_has_parameter_sets(NULL, KVS_NAL_H264, bytes, true));
}

/* Counts and lengths that a record cannot tell are refused, not cut. */
static void more_than_a_record_holds(void) {
  static stream cpd;
  static uint8_t long_set[UINT16_MAX + 1];
  sets a;

  load(&a, KVS_NAL_H264, "baseline");
  for (size_t count = 31; count <= 32; count++) {
    cpd.len = 0;
    for (size_t i = 0; i < count; i++) {
      put_other(&cpd, a.unit[0].ptr, a.unit[0].len, i);
    }
    put(&cpd, a.unit[1].ptr, a.unit[1].len);
    CHECK_EQ(make_of(KVS_NAL_H264, &cpd).status,
             count == 31 ? KVS_OK : KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS);
  }
  for (size_t count = 255; count <= 256; count++) {
    cpd.len = 0;
    put(&cpd, a.unit[0].ptr, a.unit[0].len);
    for (size_t i = 0; i < count; i++) {
      put_other(&cpd, "\x68\xCB", 2, i);
    }
    CHECK_EQ(make_of(KVS_NAL_H264, &cpd).status,
             count == 255 ? KVS_OK : KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS);
  }
  memset(long_set, 0x68, sizeof long_set);
  for (size_t len = UINT16_MAX; len <= sizeof long_set; len++) {
    cpd.len = 0;
    put(&cpd, a.unit[0].ptr, a.unit[0].len);
    put(&cpd, long_set, len);
    CHECK_EQ(
        make_of(KVS_NAL_H264, &cpd).status,
        len == UINT16_MAX ? KVS_OK : KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS);
  }
}

/* Encoders repeat their sets as they like: the record is the same. */
static void sets_that_are_repeated_are_one(void) {
  static stream once;
  static stream often;
  sets a;

  for (int codec = 0; codec < 2; codec++) {
    size_t units = 2 + (size_t)codec;

    load(&a, (kvs_nal_codec)codec, "main");
    once.len = 0;
    often.len = 0;
    for (size_t i = 0; i < units; i++) {
      put(&once, a.unit[i].ptr, a.unit[i].len);
    }
    for (size_t i = 0; i < 7 * units; i++) {
      put(&often, a.unit[i % units].ptr, a.unit[i % units].len);
    }
    made want = make_of((kvs_nal_codec)codec, &once);
    made got = make_of((kvs_nal_codec)codec, &often);
    CHECK_EQ(want.status, KVS_OK);
    CHECK_EQ(got.status, KVS_OK);
    CHECK_EQ(got.len, want.len);
    CHECK_BYTES(got.bytes, want.bytes, want.len);
  }
}

/* A unit that is nothing but sets costs no more than a thousand of them. */
static void sets_without_end(void) {
  static uint8_t bytes[4000000];
  size_t len = 0;
  sets a;

  load(&a, KVS_NAL_H264, "main");
  while (len + 64 < sizeof bytes) {
    kvs_bytes unit = a.unit[len / 32 % 2];

    memcpy(&bytes[len], "\0\0\0\1", 4);
    memcpy(&bytes[len + 4], unit.ptr, unit.len);
    len += 4 + unit.len;
  }
  CHECK_EQ(make(KVS_NAL_H264, bytes, len).status,
           KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS);
}

/* Sets of other layers (nuh_layer_id above 0) are not those of the picture
 * that a decoder of the base layer makes. */
static void sets_of_other_layers_are_left_out(void) {
  static stream cpd;
  sets a;
  uint8_t other[NAL_VECTOR_ROOM];
  uint8_t want[NAL_VECTOR_ROOM];

  load(&a, KVS_NAL_H265, "main10");
  cpd.len = 0;
  for (size_t i = 0; i < 6; i++) {
    kvs_bytes unit = a.unit[i / 2];

    memcpy(other, unit.ptr, unit.len);
    if (i % 2 == 0) { /* before that of the base layer; 1 and 32 and 33 */
      other[0] |= i >= 2 ? 1 : 0;
      other[1] |= i >= 2 && i < 4 ? 0 : 1 << 3;
      other[unit.len - 1] ^= 0x40;
    }
    put(&cpd, other, unit.len);
  }
  made out = make_of(KVS_NAL_H265, &cpd);
  CHECK_EQ(out.status, KVS_OK);
  CHECK_EQ(out.len, nal_unhex(nal_vector_named(KVS_NAL_H265, "main10")->record,
                              want, sizeof want));
  CHECK_BYTES(out.bytes, want, out.len);
  CHECK(has_sets(KVS_NAL_H265, &cpd));
  cpd.len = 0;
  memcpy(other, a.unit[0].ptr, a.unit[0].len);
  other[1] |= 1 << 3;
  put(&cpd, other, a.unit[0].len);
  put(&cpd, a.unit[1].ptr, a.unit[1].len);
  put(&cpd, a.unit[2].ptr, a.unit[2].len);
  CHECK_EQ(make_of(KVS_NAL_H265, &cpd).status,
           KVS_STATUS_MKV_ANNEXB_CPD_MISSING_NALUS);
  CHECK(!has_sets(KVS_NAL_H265, &cpd));
}

/* A record has 3 bits for the depths: 16 bits are told as the most that these
 * can say, not as 8. */
static void sixteen_bits_are_not_eight(void) {
  static stream cpd;
  static const uint8_t sps[] = {0x42, 0x01, 0x01, 4,    8,    0x11, 0x11,
                                0x90, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                0x5A, 0xA0, 0x20, 0x81, 0x04, 0x24, 0x4C};
  sets a;

  load(&a, KVS_NAL_H265, "main");
  cpd.len = 0;
  put(&cpd, a.unit[0].ptr, a.unit[0].len);
  put(&cpd, sps, sizeof sps);
  put(&cpd, a.unit[2].ptr, a.unit[2].len);
  made out = make_of(KVS_NAL_H265, &cpd);
  CHECK_EQ(out.status, KVS_OK);
  CHECK_EQ(out.bytes[16], 0xFD); /* chroma format 1 */
  CHECK_EQ(out.bytes[17], 0xFF);
  CHECK_EQ(out.bytes[18], 0xFF);
}

/* What a frame is made of, for those who look for sets in any frame. */
static void what_stands_before_the_picture(void) {
  static stream frame;
  kvs_bytes bytes = {frame.bytes, 0};
  sets a;

  load(&a, KVS_NAL_H264, "high");
  frame.len = 0;
  put(&frame, "\x09\xF0", 2);
  put(&frame, a.unit[0].ptr, a.unit[0].len);
  bytes.len = frame.len;
  CHECK_EQ(kvs_nal_sets_of(kvs_nal_select(), KVS_NAL_H264, bytes, false), 1);
  put(&frame, a.unit[1].ptr, a.unit[1].len);
  bytes.len = frame.len;
  CHECK_EQ(kvs_nal_sets_of(kvs_nal_select(), KVS_NAL_H264, bytes, false), 3);
  put(&frame, "\x41\x9A", 2);
  bytes.len = frame.len;
  CHECK_EQ(kvs_nal_sets_of(kvs_nal_select(), KVS_NAL_H264, bytes, false),
           3 | KVS_NAL_HAS_PICTURE);
  bytes.ptr = &frame.bytes[5];
  CHECK_EQ(kvs_nal_sets_of(kvs_nal_select(), KVS_NAL_H264, bytes, false), 0);
}

/* Nothing is written unless the whole record can be. */
static void a_broken_sps_writes_nothing(void) {
  static stream cpd;
  sets a;

  for (int codec = 0; codec < 2; codec++) {
    size_t sps = (size_t)codec;
    load(&a, (kvs_nal_codec)codec, "main");
    for (size_t len = 1; len < (codec == 0 ? 8u : 20u); len++) {
      kvs_sink sink = kvs_counting_sink();
      kvs_bytes bytes = {cpd.bytes, 0};
      cpd.len = 0;
      for (size_t i = 0; i < 2 + sps; i++) {
        put(&cpd, a.unit[i].ptr, i == sps ? len : a.unit[i].len);
      }
      bytes.len = cpd.len;
      CHECK(kvs_nal_make_cpd(kvs_nal_select(), (kvs_nal_codec)codec, bytes,
                             &sink) != KVS_OK);
      CHECK_EQ(sink.written, 0);
    }
  }
}

int main(void) {
  RUN(records_of_real_streams);
  RUN(the_same_from_lengths);
  RUN(sets_of_a_key_frame);
  RUN(all_sets_not_the_first_alone);
  RUN(hevc_sets_in_any_order);
  RUN(empty_units_do_not_end_the_search);
  RUN(missing_sets);
  RUN(missing_hevc_sets);
  RUN(no_annexb);
  RUN(no_avcc);
  RUN(more_than_a_record_holds);
  RUN(sets_that_are_repeated_are_one);
  RUN(sets_without_end);
  RUN(sets_of_other_layers_are_left_out);
  RUN(sixteen_bits_are_not_eight);
  RUN(what_stands_before_the_picture);
  RUN(a_broken_sps_writes_nothing);
  return check_report();
}
