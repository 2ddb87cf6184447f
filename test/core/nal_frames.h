/* Frames of Annex-B with parameter sets of real streams. */
#ifndef KVS_TEST_NAL_FRAMES_H
#define KVS_TEST_NAL_FRAMES_H

#include "nal_vectors.h"

typedef struct sets {
  uint8_t annexb[NAL_VECTOR_ROOM];
  size_t annexb_len;
  uint8_t record[NAL_VECTOR_ROOM]; /* avcC or hvcC */
  size_t record_len;
  uint16_t width;
  uint16_t height;
} sets;

sets sets_of(kvs_nal_codec codec, const char *name);

/* An IDR slice of H.264 alone, and one that is none. */
extern const uint8_t plain_key[9];
extern const uint8_t plain_frame[9];

/* A key frame of H.264 that begins with the parameter sets of |s|. */
size_t key_frame(const sets *s, uint8_t *out);

#endif
