/* SPDX-License-Identifier: Apache-2.0
 * The nal module on any bytes: all finders give what a byte-wise one gives,
 * Annex-B comes back from AVCC unit by unit, records agree with the parameter
 * sets they were made of. Outputs lie in blocks of exactly the length that was
 * announced. */
#include <stdlib.h>
#include <string.h>

#include "core/nal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(bool ok) {
  if (!ok) {
    abort();
  }
}

static size_t naive(const uint8_t *bytes, size_t from, size_t len) {
  for (size_t i = from; i + 2 < len; i++) {
    if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
      return i;
    }
  }
  return len;
}

/* Walks through all start codes, and from a few odd places. */
static void check_finder(kvs_nal_find find, const uint8_t *bytes, size_t len) {
  size_t from = 0;

  while (from < len) {
    size_t found = find(bytes, from, len);
    must(found == naive(bytes, from, len));
    from = found + 1;
  }
  for (from = 0; from < len && from < 70; from += 7) {
    must(find(bytes, from, len) == naive(bytes, from, len));
  }
  must(find(bytes, len, len) == len);
}

typedef struct block {
  uint8_t *ptr;
  size_t len;
} block;

static block make_block(size_t len) {
  block b = {(uint8_t *)malloc(len == 0 ? 1 : len), len};

  must(b.ptr != NULL);
  return b;
}

/* AVCC of Annex-B; |plan| is of these bytes. */
static block avcc_of(kvs_nal_find find, const uint8_t *bytes, size_t len,
                     const kvs_nal_plan *plan) {
  block out = make_block(plan->out_len);
  kvs_buffer_sink sink = kvs_make_buffer_sink(out.ptr, out.len);

  kvs_nal_write_avcc(find, bytes, len, plan, &sink.sink);
  must(sink.sink.written == out.len);
  must(kvs_nal_check_avcc(out.ptr, out.len) == KVS_OK);
  return out;
}

static block annexb_of(const block *avcc) {
  block out = make_block(avcc->len);
  kvs_buffer_sink sink = kvs_make_buffer_sink(out.ptr, out.len);

  kvs_nal_write_annexb(avcc->ptr, avcc->len, &sink.sink);
  must(sink.sink.written == out.len);
  return out;
}

static void check_round_trip(kvs_nal_find find, const uint8_t *bytes,
                             size_t len) {
  kvs_nal_plan plan;
  kvs_nal_plan again;

  if (kvs_nal_plan_annexb(find, bytes, len, &plan) != KVS_OK) {
    return;
  }
  block avcc = avcc_of(find, bytes, len, &plan);
  block annexb = annexb_of(&avcc);
  must(kvs_nal_plan_annexb(kvs_nal_portable(), annexb.ptr, annexb.len,
                           &again) == KVS_OK);
  must(again.count == plan.count && again.out_len == plan.out_len);
  block back = avcc_of(kvs_nal_portable(), annexb.ptr, annexb.len, &again);
  must(back.len == avcc.len && memcmp(back.ptr, avcc.ptr, back.len) == 0);
  free(avcc.ptr);
  free(annexb.ptr);
  free(back.ptr);
}

static void check_size(kvs_nal_codec codec, kvs_bytes cpd, uint16_t *width,
                       uint16_t *height) {
  kvs_status status =
      kvs_nal_picture_size(kvs_nal_select(), codec, cpd, width, height);

  must(status != KVS_OK || (*width != 0 && *height != 0));
}

/* A record is as long as a counting sink said, and tells the same size. */
static void check_cpd(kvs_nal_codec codec, kvs_bytes in) {
  kvs_sink counter = kvs_counting_sink();
  uint16_t size[4] = {0, 0, 0, 0};

  check_size(codec, in, &size[0], &size[1]);
  if (kvs_nal_make_cpd(kvs_nal_select(), codec, in, &counter) != KVS_OK) {
    must(counter.written == 0);
    return;
  }
  block record = make_block((size_t)counter.written);
  kvs_buffer_sink sink = kvs_make_buffer_sink(record.ptr, record.len);
  must(kvs_nal_make_cpd(kvs_nal_portable(), codec, in, &sink.sink) == KVS_OK);
  must(sink.sink.written == record.len);
  must(kvs_nal_has_parameter_sets(kvs_nal_select(), codec, in, false));
  kvs_bytes made = {record.ptr, record.len};
  check_size(codec, made, &size[2], &size[3]);
  must(size[0] != 0 && size[0] == size[2] && size[1] == size[3]);
  free(record.ptr);
}

static void check_avcc(kvs_bytes in) {
  kvs_sink counter = kvs_counting_sink();
  kvs_bytes none = {in.ptr, 0};

  for (int codec = 0; codec < 2; codec++) {
    (void)kvs_nal_has_parameter_sets(NULL, (kvs_nal_codec)codec, in, true);
    must(!kvs_nal_has_parameter_sets(NULL, (kvs_nal_codec)codec, none, true));
    if (kvs_nal_make_cpd_avcc((kvs_nal_codec)codec, in, &counter) == KVS_OK) {
      must(kvs_nal_has_parameter_sets(NULL, (kvs_nal_codec)codec, in, true));
    }
  }
  if (kvs_nal_check_avcc(in.ptr, in.len) == KVS_OK) {
    block whole = {make_block(in.len).ptr, in.len};
    memcpy(whole.ptr, in.ptr, in.len);
    free(annexb_of(&whole).ptr);
    free(whole.ptr);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  kvs_bytes in = {data, len};

  check_finder(kvs_nal_portable(), data, len);
  check_round_trip(kvs_nal_portable(), data, len);
  for (uint32_t i = 0; kvs_nal_simd(i) != NULL; i++) {
    check_finder(kvs_nal_simd(i), data, len);
    check_round_trip(kvs_nal_simd(i), data, len);
  }
  check_cpd(KVS_NAL_H264, in);
  check_cpd(KVS_NAL_H265, in);
  check_avcc(in);
  return 0;
}
