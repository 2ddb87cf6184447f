/* SPDX-License-Identifier: Apache-2.0
 * What stream_put.c finds out about a frame and stream_store.c does. */
#ifndef KVS_CORE_STREAM_PUT_H
#define KVS_CORE_STREAM_PUT_H

#include "core/stream.h"

typedef struct kvs_put_plan {
  const kvs_frame *frame;
  uint32_t track;
  bool key;
  bool jump;   /* a new timeline */
  bool begins; /* a new fragment */
  bool cut;    /* at no key frame of the track that cuts */
  bool mended;
  bool annexb; /* to be adapted */
  bool avcc;
  uint64_t dts;
  uint64_t pts;
  uint64_t base;
  uint64_t cluster; /* units of the timecode scale */
  int16_t relative;
  uint32_t payload;
  uint32_t tags;
  uint32_t suffix;
  uint32_t len;
  kvs_nal_plan *nal; /* apart, so that the rest may live in registers */
} kvs_put_plan;

/* Stores a frame as planned: makes room, begins a fragment where it is to. */
KVS_MUST_CHECK kvs_status kvs_put_store(kvs_stream *stream,
                                        const kvs_put_plan *plan, kvs_time now);

/* The frame as it lies in the arena. */
static inline kvs_unit kvs_put_unit(const kvs_put_plan *plan) {
  uint64_t duration = plan->frame->duration;
  kvs_unit unit = {0};

  unit.len = plan->len;
  unit.pts = plan->pts;
  unit.duration = duration < UINT32_MAX ? (uint32_t)duration : UINT32_MAX;
  unit.prefix = (uint16_t)(plan->len - plan->payload - plan->suffix);
  unit.track = (uint8_t)plan->track;
  unit.flags = plan->key ? KVS_UNIT_KEY : 0;
  return unit;
}

/* Writes the block header of the frame at |at|; returns the place after it. */
static inline kvs_pos kvs_put_block(kvs_heap *heap, const kvs_put_plan *plan,
                                    kvs_pos at) {
  uint8_t head[KVS_MKV_BLOCK_LEN];
  uint32_t flags = plan->frame->flags | (plan->key ? KVS_FRAME_KEY : 0u);

  kvs_mkv_write_block(head, plan->track + 1, plan->relative, flags,
                      plan->payload);
  return kvs_heap_write(heap, at, head, KVS_MKV_BLOCK_LEN);
}

/* Writes |frame| at |at| with its NAL units adapted: to AVCC by |nal|, or to
 * Annex-B where that is NULL. */
void kvs_put_adapted(const kvs_stream *stream, const kvs_frame *frame,
                     const kvs_nal_plan *nal, kvs_pos at);

/* Writes the bytes of the frame at |at|, as the stream wants them. */
static inline void kvs_put_payload(const kvs_stream *stream,
                                   const kvs_put_plan *plan, kvs_pos at) {
  const kvs_frame *frame = plan->frame;

  if (plan->annexb || plan->avcc) {
    kvs_put_adapted(stream, frame, plan->annexb ? plan->nal : NULL, at);
  } else {
    (void)kvs_heap_write(&stream->host->heap, at, frame->data, frame->size);
  }
}

/* Counts a frame. */
static inline void kvs_metrics_put(kvs_stream *stream, uint64_t pts,
                                   kvs_time now) {
  stream->metrics.total_frames++;
  if (stream->info.recalculate_metrics) {
    if (now.mono - stream->rates.since >= KVS_RATES_WINDOW) {
      kvs_metrics_close_window(stream, pts, now);
    }
    stream->rates.frames++;
  }
}

/* What every stored frame changes. */
static inline void kvs_put_note(kvs_stream *stream, const kvs_put_plan *plan,
                                kvs_time now) {
  kvs_track *track = &stream->tracks[plan->track];

  track->has_last = true;
  track->last_dts = plan->dts;
  track->last_mono = now.mono;
  stream->last_put = now.mono;
  stream->dry_told = false;
  if (kvs_clock_holds(stream, now)) {
    kvs_clock_note(stream, now);
  }
  kvs_metrics_put(stream, plan->pts, now);
}

#endif
