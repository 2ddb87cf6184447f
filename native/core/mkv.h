/* SPDX-License-Identifier: Apache-2.0
 * The Matroska that PutMedia carries: a session header, then fragments of
 * [Tags...][Cluster header][SimpleBlock header][payload]... */
#ifndef KVS_CORE_MKV_H
#define KVS_CORE_MKV_H

#include "core/ebml.h"

/* What a session header says. Everything in |tracks| is resolved: no NULL
 * codec id where one is wanted, sizes and rates found, private data adapted.
 */
typedef struct kvs_mkv_header {
  uint64_t timecode_scale; /* ticks */
  uint8_t segment_uid[KVS_SEGMENT_UID_LEN];
  const char *client_id; /* may be NULL */
  uint32_t track_count;
  const kvs_track_info *tracks;
  uint32_t left_out; /* a bit for each track that has no entry */
  /* Writes the codec_private_len bytes of track |index|; NULL: they are at
   * codec_private. It may be called more than once for one header. */
  void (*write_private)(kvs_sink *sink, uint32_t index, void *user);
  void *user;
} kvs_mkv_header;

/* EBML head, Segment of unknown size, Info, Tracks. Write it to a counting
 * sink first to learn its length. */
void kvs_mkv_write_header(kvs_sink *sink, const kvs_mkv_header *header);

/* Ids, from the one table. */
enum {
#define KVS_MKV_ELEMENT(name, id, type, parent) KVS_MKV_ID_##name = id,
#include <kvs/mkv_elements.def>
};

/* Cluster of unknown size, Timecode in 8 bytes, Position 0. */
#define KVS_MKV_CLUSTER_LEN 18u
void kvs_mkv_write_cluster(uint8_t out[KVS_MKV_CLUSTER_LEN], uint64_t timecode);

/* SimpleBlock with a size of 4 bytes, no lacing. |payload| < 2^28 - 8. Flags
 * are KVS_FRAME_*. |track| is the track's number in the header, 1..126.
 *
 *   0    1         5                6               8       9
 *   | A3 | size, 4 | 0x80 | track   | timecode, s16 | flags | payload
 *
 * It stands here to be inlined: every frame has one. */
#define KVS_MKV_BLOCK_LEN 9u
#define KVS_MKV_MAX_PAYLOAD ((1u << 28) - 16u)
static inline void kvs_mkv_write_block(uint8_t *out, uint32_t track,
                                       int16_t timecode, uint32_t flags,
                                       uint32_t payload) {
  /* By KEY, DISCARDABLE and INVISIBLE: 0x80, 0x01, 0x08. */
  static const uint8_t bits[8] = {0, 0x80, 0x01, 0x81, 0x08, 0x88, 0x09, 0x89};

  KVS_ASSERT(track >= 1 && track <= 126 && payload <= KVS_MKV_MAX_PAYLOAD);
  out[0] = KVS_MKV_ID_SIMPLE_BLOCK;
  kvs_put_be32(out + 1, UINT32_C(0x10000000) | (payload + 4));
  out[5] = (uint8_t)(0x80 | track);
  kvs_put_be16(out + 6, (uint16_t)timecode);
  out[8] = bits[flags & 7u];
}

_Static_assert(KVS_FRAME_KEY == 1 && KVS_FRAME_DISCARDABLE == 2 &&
                   KVS_FRAME_INVISIBLE == 4,
               "the order of the flags in a block header");

/* One Tags element with one SimpleTag of a name and a string. */
void kvs_mkv_write_tag(kvs_sink *sink, kvs_bytes name, kvs_bytes value);

/* One Tags element whose one Tag has |count| SimpleTags. */
void kvs_mkv_write_tags(kvs_sink *sink, const kvs_bytes *names,
                        const kvs_bytes *values, uint32_t count);

/* Tags with AWS_KINESISVIDEO_END_OF_FRAGMENT; at most KVS_MKV_EOF_MAX bytes.
 */
#define KVS_MKV_EOF_MAX 128u
uint32_t kvs_mkv_write_end_of_fragment(uint8_t out[KVS_MKV_EOF_MAX]);

/* Sampling frequency and channels of an AAC AudioSpecificConfig.
 * KVS_STATUS_MKV_INVALID_AAC_CPD, _SAMPLING_FREQUENCY_INDEX,
 * _CHANNEL_CONFIG. */
KVS_MUST_CHECK kvs_status kvs_mkv_aac_config(kvs_bytes cpd, double *frequency,
                                             uint16_t *channels);

/* The same of a WAVEFORMATEX (A_MS/ACM: PCM A-law, mu-law), and bits a sample.
 * KVS_STATUS_MKV_INVALID_AMS_ACM_CPD. */
KVS_MUST_CHECK kvs_status kvs_mkv_acm_config(kvs_bytes cpd, double *frequency,
                                             uint16_t *channels,
                                             uint16_t *bit_depth);

#endif
