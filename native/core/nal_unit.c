/* SPDX-License-Identifier: Apache-2.0
 * Walking over the units before the first slice. The type of a unit is known
 * before its end is searched for. */
#include "core/nal_unit.h"

enum { CODE_LEN = 3, LENGTH_LEN = 4 };

uint32_t kvs_nal_type(kvs_nal_codec codec, kvs_bytes unit) {
  return codec == KVS_NAL_H264 ? unit.ptr[0] & 0x1Fu
                               : (unit.ptr[0] >> 1) & 0x3Fu;
}

/* Whether a slice begins at |start|. The second byte of an H.265 unit is never
 * zero; where it is, an empty unit stands before zero bytes. */
static bool is_slice(const kvs_nal_units *units, size_t start) {
  size_t left = units->bytes.len - start;
  kvs_bytes unit = {&units->bytes.ptr[start], left};
  uint32_t type = left == 0 ? 0 : kvs_nal_type(units->codec, unit);

  if (units->codec == KVS_NAL_H264) {
    return type >= 1 && type <= 5;
  }
  return left >= 2 && type < 32 && unit.ptr[1] != 0;
}

kvs_status kvs_nal_units_annexb(kvs_nal_units *units, kvs_nal_find find,
                                kvs_nal_codec codec, kvs_bytes bytes) {
  units->find = find;
  units->codec = codec;
  units->bytes = bytes;
  units->at = kvs_nal_first(find, bytes.ptr, bytes.len);
  return units->at < bytes.len ? KVS_OK
                               : KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD;
}

void kvs_nal_units_avcc(kvs_nal_units *units, kvs_nal_codec codec,
                        kvs_bytes bytes) {
  units->find = NULL;
  units->codec = codec;
  units->bytes = bytes;
  units->at = 0;
}

static bool next_annexb(kvs_nal_units *units, kvs_bytes *unit) {
  const kvs_bytes all = units->bytes;

  while (units->at < all.len) {
    size_t start = units->at + CODE_LEN;
    if (is_slice(units, start)) {
      return false;
    }
    units->at = units->find(all.ptr, start, all.len);
    unit->ptr = &all.ptr[start];
    unit->len = kvs_nal_unit_end(all.ptr, start, units->at) - start;
    if (unit->len != 0) {
      return true;
    }
  }
  return false;
}

static bool next_avcc(kvs_nal_units *units, kvs_bytes *unit) {
  const kvs_bytes all = units->bytes;

  while (all.len - units->at >= LENGTH_LEN) {
    size_t start = units->at + LENGTH_LEN;
    size_t len = kvs_get_be32(&all.ptr[units->at]);
    if (len > all.len - start || (len != 0 && is_slice(units, start))) {
      return false;
    }
    units->at = start + len;
    unit->ptr = &all.ptr[start];
    unit->len = len;
    if (len != 0) {
      return true;
    }
  }
  return false;
}

/* Whether the unit is one of a picture's base layer: those of other layers
 * (scalability, other views) are for decoders that know how to use them, and
 * their sets mean nothing to the others. */
static bool is_base(const kvs_nal_units *units, kvs_bytes unit) {
  return units->codec == KVS_NAL_H264 ||
         ((unit.ptr[0] & 1) == 0 && (unit.len < 2 || unit.ptr[1] >> 3 == 0));
}

bool kvs_nal_units_next(kvs_nal_units *units, kvs_bytes *unit) {
  bool more = true;

  do {
    more =
        units->find == NULL ? next_avcc(units, unit) : next_annexb(units, unit);
  } while (more && !is_base(units, *unit));
  return more;
}
