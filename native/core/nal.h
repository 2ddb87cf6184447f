/* SPDX-License-Identifier: Apache-2.0
 * H.264 and H.265 byte streams: Annex-B to AVCC and back, codec private data,
 * picture size. Start codes are found with the widest loads the CPU has. */
#ifndef KVS_CORE_NAL_H
#define KVS_CORE_NAL_H

#include "core/bytes.h"

/* The offset of the first 00 00 01 at or after |from|, or |len|. */
typedef size_t (*kvs_nal_find)(const uint8_t *bytes, size_t from, size_t len);

/* The fastest for this CPU; chosen once, at client create. */
kvs_nal_find kvs_nal_select(void);

/* The portable one, and those of other CPUs where they were built: for tests
 * and benches. NULL when this CPU does not have it. */
kvs_nal_find kvs_nal_portable(void);
kvs_nal_find kvs_nal_simd(uint32_t index); /* 0, 1, ... until NULL */

#define KVS_NAL_SPANS 24u

/* Where the NAL units of an Annex-B access unit lie. The first KVS_NAL_SPANS
 * are listed; |resume| is where to go on looking for the others. */
typedef struct kvs_nal_plan {
  size_t out_len; /* as AVCC: 4 bytes and the unit, each */
  size_t count;   /* all units, empty ones not counted */
  size_t listed;
  size_t resume;
  struct {
    uint32_t offset;
    uint32_t len;
  } spans[KVS_NAL_SPANS];
} kvs_nal_plan;

/* Scans once. 3- and 4-byte start codes; zero bytes before a start code and at
 * the end are not part of a unit; empty units are left out.
 * The bytes are taken as what the stream says that they are: AVCC whose first
 * length is 256 to 511 reads as Annex-B. |resume| is |len| when all units are
 * listed.
 * MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA: no start code, bytes other than zero
 * before the first one, no unit that holds anything, or len >= 2^32. */
KVS_MUST_CHECK kvs_status kvs_nal_plan_annexb(kvs_nal_find find,
                                              const uint8_t *bytes, size_t len,
                                              kvs_nal_plan *plan);

/* Writes plan->out_len bytes of AVCC. */
void kvs_nal_write_avcc(kvs_nal_find find, const uint8_t *bytes, size_t len,
                        const kvs_nal_plan *plan, kvs_sink *sink);

/* AVCC (4-byte lengths) whole and nothing left over, and at least one unit
 * that holds anything, or MKV_INVALID_AVCC_NALU_IN_FRAME_DATA. */
KVS_MUST_CHECK kvs_status kvs_nal_check_avcc(const uint8_t *bytes, size_t len);

/* Writes checked AVCC as Annex-B with 4-byte start codes: same length. */
void kvs_nal_write_annexb(const uint8_t *bytes, size_t len, kvs_sink *sink);

typedef enum kvs_nal_codec { KVS_NAL_H264 = 0, KVS_NAL_H265 = 1 } kvs_nal_codec;

/* avcC or hvcC of the parameter sets found in Annex-B bytes (CPD as given, or
 * a key frame), each of them once, High-profile extension bytes included; of
 * H.265 those of the base layer.
 * MKV_INVALID_ANNEXB_NALU_IN_CPD, MKV_MISSING_SPS_FROM_H264_CPD,
 * MKV_MISSING_PPS_FROM_H264_CPD, MKV_HEVC_SPS_NALU_MISSING,
 * MKV_ANNEXB_CPD_MISSING_NALUS (no VPS or PPS for H.265),
 * MKV_INVALID_ANNEXB_CPD_NALUS (more sets, or longer ones, than a record can
 * tell), and what kvs_nal_picture_size says of an SPS. A key frame is searched
 * as far as its first slice. Nothing is written on failure. */
KVS_MUST_CHECK kvs_status kvs_nal_make_cpd(kvs_nal_find find,
                                           kvs_nal_codec codec,
                                           kvs_bytes annexb, kvs_sink *sink);

/* What an Annex-B (or AVCC, by |avcc|) access unit carries before its first
 * slice: a bit for each kind of parameter sets, and KVS_NAL_HAS_PICTURE where a
 * slice follows. 0: it is none. */
#define KVS_NAL_HAS_PICTURE (1u << 3)
uint32_t kvs_nal_sets_of(kvs_nal_find find, kvs_nal_codec codec,
                         kvs_bytes frame, bool avcc);

/* Whether |sets| are those of |codec| that a decoder cannot do without: SPS and
 * PPS, and VPS for H.265. */
bool kvs_nal_sets_suffice(kvs_nal_codec codec, uint32_t sets);

/* Writes the parameter sets of an Annex-B access unit, and nothing else of it,
 * as Annex-B. */
void kvs_nal_copy_sets(kvs_nal_find find, kvs_nal_codec codec, kvs_bytes annexb,
                       kvs_sink *sink);

/* Whether the access unit of |plan| may have parameter sets before its first
 * slice: nothing is searched. */
bool kvs_nal_plan_may_have_sets(kvs_nal_codec codec, const uint8_t *bytes,
                                const kvs_nal_plan *plan);

/* Whether it carries those of |codec| that a decoder cannot do without: SPS
 * and PPS, and VPS for H.265. */
bool kvs_nal_has_parameter_sets(kvs_nal_find find, kvs_nal_codec codec,
                                kvs_bytes frame, bool avcc);

/* The same as kvs_nal_make_cpd from an AVCC access unit;
 * MKV_INVALID_AVCC_NALU_IN_FRAME_DATA where it is none. */
KVS_MUST_CHECK kvs_status kvs_nal_make_cpd_avcc(kvs_nal_codec codec,
                                                kvs_bytes avcc, kvs_sink *sink);

/* Picture width and height from codec private data: avcC, hvcC, or Annex-B
 * parameter sets. MKV_INVALID_H264_H265_CPD, MKV_INVALID_H264_H265_SPS_NALU,
 * _SPS_WIDTH, _SPS_HEIGHT and the HEVC statuses of the table. */
KVS_MUST_CHECK kvs_status kvs_nal_picture_size(kvs_nal_find find,
                                               kvs_nal_codec codec,
                                               kvs_bytes cpd, uint16_t *width,
                                               uint16_t *height);

#endif
