/* SPDX-License-Identifier: Apache-2.0
 * Planning and writing access units. An Annex-B access unit is searched once;
 * the plan keeps where its units lie, so that writing is copying. A unit is
 * what stands between one start code and the next without the zero bytes at
 * its end: those are the first byte of a 4-byte start code, or
 * trailing_zero_8bits, of which there may be any number. */
#include "core/nal.h"

#include "core/nal_unit.h"

enum { CODE_LEN = 3, LENGTH_LEN = 4 };

static const uint8_t long_code[LENGTH_LEN] = {0, 0, 0, 1};

size_t kvs_nal_unit_end(const uint8_t *bytes, size_t start, size_t end) {
  while (end > start && bytes[end - 1] == 0) {
    end--;
  }
  return end;
}

size_t kvs_nal_first(kvs_nal_find find, const uint8_t *bytes, size_t len) {
  size_t first = find(bytes, 0, len);

  return kvs_nal_unit_end(bytes, 0, first) == 0 ? first : len;
}

static void add_span(kvs_nal_plan *plan, size_t code, size_t start,
                     size_t end) {
  plan->out_len += LENGTH_LEN + (end - start);
  plan->count++;
  if (plan->listed < KVS_NAL_SPANS) {
    plan->spans[plan->listed].offset = (uint32_t)start;
    plan->spans[plan->listed].len = (uint32_t)(end - start);
    plan->listed++;
  } else if (plan->count == KVS_NAL_SPANS + 1) {
    plan->resume = code;
  }
}

kvs_status kvs_nal_plan_annexb(kvs_nal_find find, const uint8_t *bytes,
                               size_t len, kvs_nal_plan *plan) {
  size_t code = 0;

  plan->out_len = 0;
  plan->count = 0;
  plan->listed = 0;
  plan->resume = len;
#if SIZE_MAX > UINT32_MAX
  if (len > UINT32_MAX) {
    return KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA;
  }
#endif
  code = kvs_nal_first(find, bytes, len);
  while (code < len) {
    size_t start = code + CODE_LEN;
    size_t next = find(bytes, start, len);
    size_t end = kvs_nal_unit_end(bytes, start, next);
    if (end > start) {
      add_span(plan, code, start, end);
    }
    code = next;
  }
  return plan->count == 0 ? KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA
                          : KVS_OK;
}

static void write_unit(kvs_sink *sink, const uint8_t *unit, size_t len) {
  uint8_t prefix[LENGTH_LEN];

  kvs_put_be32(prefix, (uint32_t)len);
  kvs_sink_write(sink, prefix, LENGTH_LEN);
  kvs_sink_write(sink, unit, len);
}

void kvs_nal_write_avcc(kvs_nal_find find, const uint8_t *bytes, size_t len,
                        const kvs_nal_plan *plan, kvs_sink *sink) {
  size_t code = plan->resume;

  for (size_t i = 0; i < plan->listed; i++) {
    write_unit(sink, &bytes[plan->spans[i].offset], plan->spans[i].len);
  }
  while (code < len) {
    size_t start = code + CODE_LEN;
    size_t next = find(bytes, start, len);
    size_t end = kvs_nal_unit_end(bytes, start, next);
    if (end > start) {
      write_unit(sink, &bytes[start], end - start);
    }
    code = next;
  }
}

kvs_status kvs_nal_check_avcc(const uint8_t *bytes, size_t len) {
  bool holds = false;
  size_t at = 0;

  while (len - at >= LENGTH_LEN) {
    size_t unit = kvs_get_be32(&bytes[at]);
    at += LENGTH_LEN;
    if (unit > len - at) {
      return KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA;
    }
    holds = holds || unit != 0;
    at += unit;
  }
  return at == len && holds ? KVS_OK
                            : KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA;
}

void kvs_nal_write_annexb(const uint8_t *bytes, size_t len, kvs_sink *sink) {
  size_t at = 0;

  while (at < len) {
    size_t unit = kvs_get_be32(&bytes[at]);
    at += LENGTH_LEN;
    kvs_sink_write(sink, long_code, LENGTH_LEN);
    kvs_sink_write(sink, &bytes[at], unit);
    at += unit;
  }
}
