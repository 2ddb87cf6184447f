/* SPDX-License-Identifier: Apache-2.0
 * What stream_put.c finds out about a frame and stream_store.c does. */
#ifndef KVS_CORE_STREAM_PUT_H
#define KVS_CORE_STREAM_PUT_H

#include "core/stream.h"

/* Frames that are passed over for so long tell that there may be no key frame
 * ever. */
#define KVS_KEY_PATIENCE (10 * KVS_TICKS_PER_SECOND)

/* Twice as many bytes, should each NAL unit grow by as much as can be. */
#define KVS_MAX_FRAME_SIZE (KVS_MKV_MAX_PAYLOAD / 2)
/* Fragments are cut before they are this long (ruling 10). */
#define KVS_CUT_BYTES (45u * 1024u * 1024u)

typedef struct kvs_put_plan {
  const kvs_frame *frame;
  kvs_track *track;
  bool key;
  bool jump;   /* a new timeline */
  bool begins; /* a new fragment */
  bool cut;    /* at no key frame of the track that cuts */
  int16_t relative;
  uint32_t payload;
  uint32_t before; /* slot, held: the newest formats before the frame's sets
                      were learned; KVS_NO_HEADER: they were not */
  uint64_t dts;
  uint64_t pts;
  kvs_nal_plan nal; /* where the bytes are adapted from Annex-B */
} kvs_put_plan;

/* Stores a frame as planned: makes room, begins a fragment where it is to. */
KVS_MUST_CHECK kvs_status kvs_put_store(kvs_stream *stream, kvs_put_plan *plan,
                                        kvs_time now);

/* Refuses a frame for which there will be no room, before anything is learned
 * from it. */
KVS_MUST_CHECK kvs_status kvs_put_ask(kvs_stream *stream,
                                      const kvs_put_plan *plan);

/* The open fragment has its END_OF_FRAGMENT. */
void kvs_put_close(kvs_stream *stream, kvs_time now);

/* The figures of a refusal; returns |status|. */
static inline kvs_status kvs_put_refuse(kvs_stream *stream, kvs_status status,
                                        uint64_t value, uint64_t previous,
                                        uint64_t limit) {
  stream->refusal.value = value;
  stream->refusal.previous = previous;
  stream->refusal.limit = limit;
  stream->refusal.window = 0;
  return status;
}

/* A stamp in units of the timecode scale, rounded (ruling 9). */
static inline uint64_t kvs_put_units(const kvs_stream *stream, uint64_t ticks) {
  uint64_t scale = stream->info.timecode_scale;

  return (ticks + scale / 2) / scale;
}

/* The same, as the stream counts it: from the epoch, or from |base|, before
 * which frames of another track may stand. */
static inline int64_t kvs_put_time(const kvs_stream *stream, uint64_t pts,
                                   uint64_t base) {
  int64_t time = (int64_t)kvs_put_units(stream, pts);

  return stream->info.absolute_fragment_times
             ? time
             : time - (int64_t)kvs_put_units(stream, base);
}

/* The frame as it lies in the arena: |len| bytes, of which |prefix| stand
 * before its payload. */
static inline kvs_unit kvs_put_unit(uint32_t duration, const kvs_track *track,
                                    uint64_t pts, uint32_t prefix,
                                    uint32_t len) {
  kvs_unit unit;

  unit.check = 0;
  unit.len = len;
  unit.pts = pts;
  unit.duration = duration;
  unit.prefix = (uint16_t)prefix;
  unit.track = track->index;
  unit.flags = 0;
  return unit;
}

/* Writes the block header of the frame. */
static inline void kvs_put_block(uint8_t *out, const kvs_frame *frame,
                                 const kvs_track *track, bool key,
                                 int16_t relative, uint32_t payload) {
  kvs_mkv_write_block(out, track->index + 1u, relative,
                      frame->flags | (key ? KVS_FRAME_KEY : 0u), payload);
}

/* Writes the bytes of the frame at |at|, its NAL units adapted. */
void kvs_put_adapted(const kvs_stream *stream, const kvs_put_plan *plan,
                     kvs_pos at);

/* What every stored frame changes. */
static inline void kvs_put_note(kvs_stream *stream, kvs_track *track,
                                uint64_t pts, uint64_t dts, kvs_time now) {
  track->last_dts = dts;
  track->last_mono = now.mono;
  stream->last_put = now.mono;
  stream->dry_told = false;
  if (now.mono >= stream->rates.due) {
    kvs_metrics_close_window(stream, pts, now);
  }
  stream->put_frames++;
}

#endif
