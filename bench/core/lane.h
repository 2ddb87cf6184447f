/* SPDX-License-Identifier: Apache-2.0
 * The three loads and the loop that one stream runs through: put a frame, take
 * all there is, and acknowledge the fragment before when a new one begins.
 *
 *   a  30 frames a second, Annex-B: key frames of 100 KiB (SPS, PPS, two
 *      slices), 29 frames of 10 KiB of 1 to 4 slices, 13,312 bytes on average
 *   b  200 bytes of audio, no adaptation, 48 frames a fragment
 *   c  key frames of 1 MiB, Annex-B, one a fragment */
#ifndef KVS_BENCH_LANE_H
#define KVS_BENCH_LANE_H

#include "rig.h"

enum { LOAD_FRAMES = 30, DRAIN_LEN = 256 * 1024 };

typedef enum load_name { LOAD_A, LOAD_A_AVCC, LOAD_B, LOAD_C } load_name;

typedef struct load {
  load_name name;
  uint32_t frames; /* then from the first again */
  uint32_t key_every;
  uint64_t step;   /* ticks from frame to frame */
  uint64_t window; /* payload of the fragments that wait for an ack */
  struct {
    uint8_t *data;
    size_t len;
  } each[LOAD_FRAMES];
} load;

void load_make(load *l, load_name name);
void load_free(load *l);

/* What a stream for |l| is: private data given, unless |learn|. */
void load_info(const load *l, bool learn, kvs_stream_info *info);

typedef struct lane {
  rig *r;
  const load *l;
  kvs_stream *stream;
  uint32_t id;
  kvs_frame frame; /* the next one, but for its bytes */
  uint64_t count;  /* frames put */
  uint64_t tick;   /* by which the clocks go on with each */
  uint32_t next;   /* of the load's frames */
  uint32_t left;   /* frames that the open fragment is still to get */
  uint8_t *drain;
  uint64_t taken;
} lane;

void lane_open(lane *n, rig *r, const load *l, bool learn);
void lane_close(lane *n);

/* Puts the next frame; true when it begins a fragment (by the load's plan). */
bool lane_put(lane *n);

/* Takes until nothing is left. */
void lane_drain(lane *n);

/* Takes |most| bytes, which are there. */
void lane_take(lane *n, size_t most);

/* A Persisted ack, as JSON, for the fragment at |ms|. */
void lane_ack(lane *n, uint64_t ms);

/* Put, take, and ack the fragment before. */
void lane_step(lane *n);

/* Cluster time of the fragment that the |count|th frame belongs to, ms. */
uint64_t lane_fragment(const lane *n, uint64_t count);

#endif
