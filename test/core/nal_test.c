/* SPDX-License-Identifier: Apache-2.0
 * Access units: Annex-B to AVCC and back. The cases named after W13 are the
 * faults of other producers that this one must not have. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/nal.h"

enum { ROOM = 4096 };

#define ANNEXB KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA
#define AVCC KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA

typedef struct run {
  uint8_t bytes[ROOM];
  size_t len;
} run;

static void add(run *r, const void *bytes, size_t len) {
  memcpy(&r->bytes[r->len], bytes, len);
  r->len += len;
}

#define ADD(r, text) add((r), (text), sizeof(text) - 1)

static kvs_status plan_of(const run *in, kvs_nal_plan *plan) {
  return kvs_nal_plan_annexb(kvs_nal_select(), in->bytes, in->len, plan);
}

/* Converts |in| and returns what came out. */
static run to_avcc(const run *in) {
  run out = {{0}, 0};
  kvs_nal_plan plan;
  kvs_buffer_sink sink = kvs_make_buffer_sink(out.bytes, ROOM);

  if (CHECK_EQ(plan_of(in, &plan), KVS_OK)) {
    kvs_nal_write_avcc(kvs_nal_select(), in->bytes, in->len, &plan, &sink.sink);
    CHECK_EQ(sink.sink.written, plan.out_len);
    out.len = (size_t)sink.sink.written;
  }
  return out;
}

#define CHECK_AVCC(in, want)                         \
  do {                                               \
    run out_ = to_avcc(in);                          \
    CHECK_EQ(out_.len, sizeof(want) - 1);            \
    CHECK_BYTES(out_.bytes, want, sizeof(want) - 1); \
  } while (0)

static void long_and_short_codes(void) {
  run in = {{0}, 0};

  ADD(&in, "\0\0\0\1\x67\x42\0\0\1\x68\xCE\0\0\0\1\x65\x88\x84");
  CHECK_AVCC(&in, "\0\0\0\2\x67\x42\0\0\0\2\x68\xCE\0\0\0\3\x65\x88\x84");
}

static void plan_tells_each_unit(void) {
  run in = {{0}, 0};
  kvs_nal_plan plan;

  ADD(&in, "\0\0\1\x09\xF0\0\0\0\1\x65\x11\x22\x33");
  CHECK_EQ(plan_of(&in, &plan), KVS_OK);
  CHECK_EQ(plan.count, 2);
  CHECK_EQ(plan.listed, 2);
  CHECK_EQ(plan.out_len, 4 + 2 + 4 + 4);
  CHECK_EQ(plan.resume, in.len);
  CHECK_EQ(plan.spans[0].offset, 3);
  CHECK_EQ(plan.spans[0].len, 2);
  CHECK_EQ(plan.spans[1].offset, 9);
  CHECK_EQ(plan.spans[1].len, 4);
}

static void emulation_bytes_are_kept(void) {
  run in = {{0}, 0};

  ADD(&in, "\0\0\1\x65\0\0\3\0\0\3\1\0\0\2\x80");
  CHECK_AVCC(&in, "\0\0\0\x0C\x65\0\0\3\0\0\3\1\0\0\2\x80");
}

/* W13, 1: trailing_zero_8bits and cabac_zero_words before a start code made
 * the whole frame fail. */
static void w13_any_number_of_zeros_before_a_code(void) {
  for (size_t zeros = 0; zeros < 300; zeros++) {
    run in = {{0}, 0};
    ADD(&in, "\0\0\0\1\x41\x9A");
    in.len += zeros;
    ADD(&in, "\0\0\1\x41\x9B\0\0\3\0\0\3");
    in.len += zeros;
    ADD(&in, "\0\0\1\x41");
    CHECK_AVCC(&in,
               "\0\0\0\2\x41\x9A\0\0\0\x08\x41\x9B\0\0\3\0\0\3\0\0\0\1\x41");
  }
}

/* W13, 2: zeros at the end of a frame became part of the last unit. */
static void w13_zeros_at_the_end(void) {
  for (size_t zeros = 0; zeros < 100; zeros++) {
    run in = {{0}, 0};
    ADD(&in, "\0\0\1\x41\x9A\x80");
    in.len += zeros;
    CHECK_AVCC(&in, "\0\0\0\3\x41\x9A\x80");
  }
}

static void zeros_at_the_front(void) {
  for (size_t zeros = 0; zeros < 100; zeros++) {
    run in = {{0}, zeros};
    ADD(&in, "\0\0\1\x41\x9A\x80");
    CHECK_AVCC(&in, "\0\0\0\3\x41\x9A\x80");
  }
}

/* W13, 3: bytes before the first start code, and frames without any, were
 * passed through as they came. */
static void w13_bytes_before_the_first_code(void) {
  run in = {{0}, 0};
  kvs_nal_plan plan;

  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  ADD(&in, "\x41\x9A\x80\x11\x22");
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  ADD(&in, "\0\0\1\x41\x9A");
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  memset(in.bytes, 0, 4);
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  in.bytes[4] = 0;
  CHECK_EQ(plan_of(&in, &plan), KVS_OK);
}

/* W13, 4: AVCC given as Annex-B passed untouched or damaged, by its lengths.
 * Now it is refused wherever it can be told from Annex-B: everywhere but where
 * its first length itself begins with a start code, 00 00 01 xx, and then it is
 * read as what the stream says that it is. */
static void w13_lengths_are_no_start_codes(void) {
  static const uint32_t lens[] = {1, 2, 25, 255, 512, 1000, 3000};
  run in = {{0}, 0};
  kvs_nal_plan plan;

  memset(in.bytes, 0x77, sizeof in.bytes);
  for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
    kvs_put_be32(in.bytes, lens[i]);
    in.len = 4 + lens[i];
    CHECK_EQ(kvs_nal_check_avcc(in.bytes, in.len), KVS_OK);
    CHECK_EQ(plan_of(&in, &plan), lens[i] == 1 ? KVS_OK : ANNEXB);
  }
  /* As AVCC it is never searched for start codes. */
  kvs_put_be32(in.bytes, 300);
  in.len = 304;
  CHECK_EQ(kvs_nal_check_avcc(in.bytes, in.len), KVS_OK);
}

/* W13, 5: a start code at the end, or two without anything between. */
static void w13_empty_units_are_left_out(void) {
  run in = {{0}, 0};
  kvs_nal_plan plan;

  ADD(&in, "\0\0\1\0\0\0\1\x41\x9A\0\0\1\0\0\1\x41\x9B\0\0\0\1");
  CHECK_AVCC(&in, "\0\0\0\2\x41\x9A\0\0\0\2\x41\x9B");
  CHECK_EQ(plan_of(&in, &plan), KVS_OK);
  CHECK_EQ(plan.count, 2);
}

static void nothing_but_empty_units(void) {
  run in = {{0}, 0};
  kvs_nal_plan plan;

  ADD(&in, "\0\0\1");
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  ADD(&in, "\0\0\0\1\0\0");
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
  memset(in.bytes, 0, sizeof in.bytes);
  in.len = 100;
  CHECK_EQ(plan_of(&in, &plan), ANNEXB);
}

#if SIZE_MAX > UINT32_MAX
/* Only the length is looked at: nothing of that size need be there. */
static void too_long_for_a_length(void) {
  run in = {{0}, 0};
  kvs_nal_plan plan;

  CHECK_EQ(kvs_nal_plan_annexb(kvs_nal_select(), in.bytes,
                               (size_t)UINT32_MAX + 1, &plan),
           ANNEXB);
}
#endif

/* Around the number of spans that a plan lists; empty units between. */
static void more_units_than_spans(void) {
  for (uint32_t units = 1; units < 4 * KVS_NAL_SPANS; units++) {
    run in = {{0}, 0};
    run want = {{0}, 0};
    kvs_nal_plan plan;
    for (uint32_t i = 0; i < units; i++) {
      uint8_t head[4];
      kvs_put_be32(head, 1 + i % 7);
      add(&want, head, 4);
      add(&want, "abcdefg", 1 + i % 7);
      add(&in, "\0\0\0\0\1\0\0\1", i % 3 == 0 ? 8 : i % 3 == 1 ? 5 : 0);
      if (i % 3 == 2) {
        ADD(&in, "\0\0\1");
      }
      add(&in, "abcdefg", 1 + i % 7);
    }
    CHECK_EQ(plan_of(&in, &plan), KVS_OK);
    CHECK_EQ(plan.count, units);
    CHECK_EQ(plan.listed, units < KVS_NAL_SPANS ? units : KVS_NAL_SPANS);
    run out = to_avcc(&in);
    CHECK_EQ(out.len, want.len);
    CHECK_BYTES(out.bytes, want.bytes, want.len);
  }
}

static void checked_avcc(void) {
  run in = {{0}, 0};

  ADD(&in, "\0\0\0\2\x67\x42\0\0\0\3\x65\x88\x84");
  CHECK_EQ(kvs_nal_check_avcc(in.bytes, in.len), KVS_OK);
  for (size_t len = 0; len < in.len; len++) {
    CHECK_EQ(kvs_nal_check_avcc(in.bytes, len), len == 6 ? KVS_OK : AVCC);
  }
  in.bytes[3] = 3; /* then the next length is no length */
  CHECK_EQ(kvs_nal_check_avcc(in.bytes, in.len), AVCC);
  CHECK_EQ(kvs_nal_check_avcc((const uint8_t *)"\xFF\xFF\xFF\xFF\0", 5), AVCC);
  CHECK_EQ(kvs_nal_check_avcc((const uint8_t *)"\x7F\xFF\xFF\xFF\0", 5), AVCC);
}

/* Empty units may stand among others, but not alone. */
static void empty_units_of_avcc(void) {
  CHECK_EQ(kvs_nal_check_avcc((const uint8_t *)"\0\0\0\0", 4), AVCC);
  CHECK_EQ(kvs_nal_check_avcc((const uint8_t *)"\0\0\0\0\0\0\0\0", 8), AVCC);
  CHECK_EQ(kvs_nal_check_avcc((const uint8_t *)"\0\0\0\0\0\0\0\1A", 9), KVS_OK);
}

static void as_annexb(void) {
  run in = {{0}, 0};
  run out = {{0}, 0};
  kvs_buffer_sink sink = kvs_make_buffer_sink(out.bytes, ROOM);

  ADD(&in, "\0\0\0\2\x67\x42\0\0\0\0\0\0\0\3\x65\x88\x84");
  CHECK_EQ(kvs_nal_check_avcc(in.bytes, in.len), KVS_OK);
  kvs_nal_write_annexb(in.bytes, in.len, &sink.sink);
  CHECK_EQ(sink.sink.written, in.len);
  CHECK_BYTES(out.bytes, "\0\0\0\1\x67\x42\0\0\0\1\0\0\0\1\x65\x88\x84", 17);
}

/* Whatever units there are, of any length up to where lengths look like start
 * codes, they come back as they were. */
static void there_and_back(void) {
  uint64_t seed = 7;

  for (int round = 0; round < 3000; round++) {
    run in = {{0}, 0};
    run back = {{0}, 0};
    kvs_buffer_sink sink = kvs_make_buffer_sink(back.bytes, ROOM);
    uint64_t units = 1 + check_random(&seed) % 6;
    for (uint64_t i = 0; i < units; i++) {
      uint64_t len = 1 + check_random(&seed) % 600;
      ADD(&in, "\0\0\0\1");
      for (uint64_t n = 0; n < len; n++) {
        in.bytes[in.len++] = (uint8_t)(1 + check_random(&seed) % 255);
      }
    }
    run avcc = to_avcc(&in);
    CHECK_EQ(kvs_nal_check_avcc(avcc.bytes, avcc.len), KVS_OK);
    kvs_nal_write_annexb(avcc.bytes, avcc.len, &sink.sink);
    if (!CHECK_EQ(sink.sink.written, in.len) ||
        !CHECK_BYTES(back.bytes, in.bytes, in.len)) {
      return;
    }
  }
}

int main(void) {
  RUN(long_and_short_codes);
  RUN(plan_tells_each_unit);
  RUN(emulation_bytes_are_kept);
  RUN(w13_any_number_of_zeros_before_a_code);
  RUN(w13_zeros_at_the_end);
  RUN(zeros_at_the_front);
  RUN(w13_bytes_before_the_first_code);
  RUN(w13_lengths_are_no_start_codes);
  RUN(w13_empty_units_are_left_out);
  RUN(nothing_but_empty_units);
#if SIZE_MAX > UINT32_MAX
  RUN(too_long_for_a_length);
#endif
  RUN(more_units_than_spans);
  RUN(checked_avcc);
  RUN(empty_units_of_avcc);
  RUN(as_annexb);
  RUN(there_and_back);
  return check_report();
}
