#ifndef KVS_TEST_MKV_SAMPLE_H
#define KVS_TEST_MKV_SAMPLE_H

#include "core/mkv.h"

/* Small whole sessions, as the goldens hold them. Each writes to |sink|. */
typedef struct mkv_sample {
  const char *name;
  void (*write)(kvs_sink *sink);
} mkv_sample;

#define MKV_SAMPLES 6u
extern const mkv_sample mkv_samples[MKV_SAMPLES];

#endif
