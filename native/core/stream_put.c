/* SPDX-License-Identifier: Apache-2.0
 * A frame comes in: it is judged, planned and then stored. Everything that can
 * fail stands in the judging and planning, but for what may drop older media.
 *
 * Nearly every frame only makes the open fragment longer: that one is stored
 * here, by few steps; the others go the long way of stream_store.c. */
#include "core/stream_put.h"

/* A stamp this little back is a mistake of the caller; more is a jump of the
 * clock (ruling 8). */
#define LARGEST_MISTAKE KVS_TICKS_PER_SECOND
/* Cut before the service's limits (ruling 10). */
#define CUT_EARLY (500 * KVS_TICKS_PER_MS)
#define CUT_BYTES (45u * 1024u * 1024u)
/* Nanoseconds of a stamp fit 63 bits. */
#define MAX_STAMP ((uint64_t)INT64_MAX / 100)

/* A stamp in units of the timecode scale, rounded (ruling 9). */
static uint64_t units(const kvs_stream *stream, uint64_t ticks) {
  const uint64_t usual = KVS_TICKS_PER_MS; /* no division at run time */
  uint64_t scale = stream->info.timecode_scale;

  return scale == usual ? (ticks + usual / 2) / usual
                        : (ticks + scale / 2) / scale;
}

static kvs_status refuse(kvs_stream *stream, kvs_status status, uint64_t value,
                         uint64_t previous, uint64_t limit) {
  stream->refusal.value = value;
  stream->refusal.previous = previous;
  stream->refusal.limit = limit;
  return status;
}

static kvs_status judge_frame(kvs_stream *stream, kvs_put_plan *plan) {
  const kvs_frame *frame = plan->frame;

  stream->refusal.track_id = frame->track_id;
  (void)refuse(stream, KVS_OK, 0, 0, 0); /* the figures of the last one go */
  if (stream->stopping) {
    return refuse(stream, KVS_STATUS_STREAM_HAS_BEEN_STOPPED, 0, 0, 0);
  }
  if (frame->data == NULL || frame->size == 0) {
    return refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_DATA, 0, 0, 1);
  }
  if (frame->duration > stream->info.buffer_duration) {
    /* Let in, it would drop all that is held, and the next frame itself. */
    return refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_DATA, frame->duration, 0,
                  stream->info.buffer_duration);
  }
  if (frame->size > KVS_MKV_MAX_PAYLOAD / 2) {
    return refuse(stream, KVS_STATUS_MKV_NUMBER_TOO_BIG, frame->size, 0,
                  KVS_MKV_MAX_PAYLOAD / 2);
  }
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    if (stream->tracks[i].info.track_id == frame->track_id) {
      plan->track = i;
      /* Every frame of audio and data can be begun at. */
      plan->key = (frame->flags & KVS_FRAME_KEY) != 0 ||
                  stream->tracks[i].info.type != KVS_TRACK_VIDEO;
      return KVS_OK;
    }
  }
  return refuse(stream, KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND, frame->track_id, 0,
                stream->info.track_count);
}

/* Whether media time ran ahead of the clock by more than a fragment. */
static bool ran_ahead(const kvs_stream *stream, const kvs_track *track,
                      uint64_t dts, kvs_time now) {
  uint64_t media = dts - track->last_dts;
  uint64_t real = kvs_sub_u64(now.mono, track->last_mono);
  uint64_t most = stream->info.max_fragment_duration;

  return media > most && kvs_sub_u64(media, real) > most;
}

static kvs_status judge_times(kvs_stream *stream, kvs_put_plan *plan,
                              kvs_time now) {
  const kvs_frame *frame = plan->frame;
  const kvs_track *track = &stream->tracks[plan->track];
  bool own = stream->info.frame_timecodes;

  plan->pts = own ? frame->pts : now.wall;
  plan->dts = own && frame->dts != KVS_NEVER ? frame->dts : plan->pts;
  if (plan->pts > MAX_STAMP || plan->dts > MAX_STAMP) {
    return refuse(stream, KVS_STATUS_MKV_MAX_FRAME_TIMECODE,
                  kvs_max_u64(plan->pts, plan->dts), 0, MAX_STAMP);
  }
  if (!track->has_last) {
    return KVS_OK;
  }
  if (plan->dts > track->last_dts) {
    plan->jump = ran_ahead(stream, track, plan->dts, now);
    return KVS_OK;
  }
  if (units(stream, plan->dts) == units(stream, track->last_dts)) {
    return KVS_OK;
  }
  if (track->last_dts - plan->dts <= LARGEST_MISTAKE) {
    if (!own) { /* the clock was set back a little: time stands meanwhile */
      plan->pts = track->last_dts;
      plan->dts = track->last_dts;
      return KVS_OK;
    }
    return refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP, plan->dts,
                  track->last_dts, LARGEST_MISTAKE);
  }
  plan->jump = true;
  return KVS_OK;
}

static bool skips(const kvs_stream *stream, const kvs_put_plan *plan) {
  return stream->await_key && !(plan->key && plan->track == stream->cut_track);
}

static void skip(kvs_stream *stream, const kvs_put_plan *plan) {
  if (stream->skipped == 0) {
    stream->skipped_at = plan->pts;
  }
  stream->skipped++;
  stream->metrics.skipped_frames++;
}

void kvs_put_tell_skipped(kvs_stream *stream) {
  kvs_event event = kvs_event_make(KVS_EVENT_SKIPPED_FRAMES_REPORT);
  event.u.skipped_frames_report.frames = stream->skipped;
  event.u.skipped_frames_report.timecode = stream->skipped_at;
  stream->skipped = 0;
  kvs_stream_emit(stream, &event);
}

static kvs_status plan_payload(kvs_stream *stream, kvs_put_plan *plan) {
  const kvs_frame *frame = plan->frame;
  uint32_t flags = stream->info.nal_adaptation_flags;
  bool video = stream->tracks[plan->track].info.type == KVS_TRACK_VIDEO;

  plan->payload = (uint32_t)frame->size;
  plan->annexb = video && (flags & KVS_NAL_ADAPTATION_ANNEXB_NALS) != 0;
  plan->avcc = video && (flags & KVS_NAL_ADAPTATION_AVCC_NALS) != 0;
  if (plan->annexb) {
    KVS_TRY(kvs_nal_plan_annexb(stream->host->find, frame->data, frame->size,
                                plan->nal));
    plan->payload = (uint32_t)plan->nal->out_len;
  } else if (plan->avcc) {
    KVS_TRY(kvs_nal_check_avcc(frame->data, frame->size));
  }
  return KVS_OK;
}

/* Whether a key frame of the cutting track begins a fragment. */
static bool key_begins(const kvs_stream *stream, const kvs_put_plan *plan,
                       const kvs_fragment *open) {
  uint64_t length = kvs_sub_u64(plan->pts, open->begin);
  uint64_t least = stream->info.key_frame_fragmentation
                       ? stream->info.min_fragment_duration
                       : stream->info.fragment_duration;

  return plan->key && plan->track == stream->cut_track &&
         (length >= least || open->header != stream->header);
}

/* Whether the open fragment would pass the service's limits. */
static bool must_cut(const kvs_stream *stream, const kvs_put_plan *plan,
                     const kvs_fragment *open) {
  return kvs_sub_u64(plan->pts, open->begin) + CUT_EARLY >=
             stream->info.max_fragment_duration ||
         open->bytes + plan->payload > CUT_BYTES;
}

static void plan_fragment(const kvs_stream *stream, kvs_put_plan *plan) {
  const kvs_fragment *open;

  if (!stream->fragment_open || plan->jump) {
    plan->begins = true;
    return;
  }
  open = kvs_view_fragment(&stream->view, stream->view.newest);
  plan->begins = key_begins(stream, plan, open) ||
                 (stream->headers[open->header].tracks >> plan->track & 1) == 0;
  if (!plan->begins && must_cut(stream, plan, open)) {
    plan->begins = true;
    plan->cut = !plan->key || plan->track != stream->cut_track;
  }
}

static uint64_t cluster_time(const kvs_stream *stream, kvs_put_plan *plan,
                             uint64_t time) {
  if (stream->has_cluster && !plan->jump && time <= stream->last_cluster) {
    plan->mended = true;
    return stream->last_cluster + 1;
  }
  return time;
}

/* Whether a frame is shown so long before or after it is decoded that no later
 * fragment could come after one which begins with it. */
static bool is_torn(const kvs_stream *stream, const kvs_put_plan *plan) {
  uint64_t apart = kvs_max_u64(kvs_sub_u64(plan->pts, plan->dts),
                               kvs_sub_u64(plan->dts, plan->pts));

  return apart > stream->info.max_fragment_duration;
}

static kvs_status plan_cluster(kvs_stream *stream, kvs_put_plan *plan) {
  bool fresh = !stream->has_base || plan->jump;
  uint64_t time = units(stream, plan->pts);
  int64_t relative;

  if (plan->begins && is_torn(stream, plan)) {
    return refuse(stream, KVS_STATUS_MKV_PTS_DTS_ARE_NOT_SAME, plan->pts,
                  plan->dts, stream->info.max_fragment_duration);
  }
  plan->base = fresh ? plan->pts : stream->base;
  if (!stream->info.absolute_fragment_times) {
    time = kvs_sub_u64(time, units(stream, plan->base));
  }
  plan->cluster =
      plan->begins ? cluster_time(stream, plan, time) : stream->last_cluster;
  relative = (int64_t)time - (int64_t)plan->cluster;
  if (relative < INT16_MIN || relative > INT16_MAX) {
    return refuse(stream, KVS_STATUS_MKV_LARGE_FRAME_TIMECODE, plan->pts,
                  plan->cluster * stream->info.timecode_scale,
                  (uint64_t)INT16_MAX * stream->info.timecode_scale);
  }
  plan->relative = (int16_t)relative;
  return KVS_OK;
}

static void plan_len(const kvs_stream *stream, kvs_put_plan *plan) {
  uint8_t tag[KVS_MKV_EOF_MAX];

  if (plan->begins) {
    kvs_sink counter = kvs_counting_sink();

    kvs_tags_write(stream, &counter);
    plan->tags = (uint32_t)counter.written;
  }
  if ((plan->frame->flags & KVS_FRAME_END_OF_FRAGMENT) != 0) {
    plan->suffix = kvs_mkv_write_end_of_fragment(tag);
  }
  plan->len = plan->tags + (plan->begins ? KVS_MKV_CLUSTER_LEN : 0) +
              KVS_MKV_BLOCK_LEN + plan->payload + plan->suffix;
}

/* Parameter sets in a key frame become current. */
static kvs_status learn(kvs_stream *stream, uint32_t track,
                        const kvs_frame *frame, kvs_time now) {
  kvs_bytes bytes = {frame->data, frame->size};
  kvs_status status;

  do {
    status = kvs_format_learn(stream, track, bytes);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  return status;
}

/* Whether the frame goes to the end of the open fragment, where there is room
 * for it. */
static bool is_plain(const kvs_stream *stream, const kvs_put_plan *plan) {
  return !plan->begins && plan->suffix == 0 &&
         kvs_room_has(stream, false, plan->len,
                      kvs_add_u64(plan->pts, plan->frame->duration));
}

static kvs_status extend(kvs_stream *stream, const kvs_put_plan *plan,
                         kvs_time now) {
  kvs_heap *heap = &stream->host->heap;
  kvs_unit unit = kvs_put_unit(plan);
  kvs_pos body = 0;

  KVS_TRY(kvs_view_push(&stream->view, &unit, NULL, &body));
  body = kvs_put_block(heap, plan, body);
  kvs_put_payload(stream, plan, body);
  kvs_put_note(stream, plan, now);
  return KVS_OK;
}

static kvs_status put(kvs_stream *stream, const kvs_frame *frame,
                      kvs_time now) {
  kvs_nal_plan nal;
  kvs_put_plan plan = {0};

  plan.frame = frame;
  plan.nal = &nal;
  KVS_TRY(judge_frame(stream, &plan));
  KVS_TRY(judge_times(stream, &plan, now));
  if (skips(stream, &plan)) {
    skip(stream, &plan);
    return KVS_OK;
  }
  KVS_TRY(plan_payload(stream, &plan));
  if (plan.key && (stream->info.nal_adaptation_flags &
                   KVS_NAL_ADAPTATION_ANNEXB_NALS) != 0) {
    KVS_TRY(learn(stream, plan.track, frame, now));
  }
  plan_fragment(stream, &plan);
  KVS_TRY(plan_cluster(stream, &plan));
  plan_len(stream, &plan);
  if (is_plain(stream, &plan)) {
    KVS_TRY(extend(stream, &plan, now));
  } else {
    kvs_put_plan whole = plan; /* a copy: the plan itself has no address */

    KVS_TRY(kvs_put_store(stream, &whole, now));
  }
  kvs_session_wake(stream);
  kvs_state_advance(stream, now);
  kvs_room_tell_pressure(stream, now);
  return KVS_OK;
}

/* What a put can bring nearer of the stream's deadlines. |tail| and |current|
 * are the view's from before it. */
static void note_deadline(kvs_stream *stream, kvs_pos tail, kvs_pos current) {
  if (!kvs_stream_flows(stream) || stream->view.tail != tail) {
    kvs_stream_note_deadline(stream);
  } else if (current == 0 && stream->view.current != 0) {
    kvs_host_note_deadline(stream->host, kvs_session_unread_due(stream));
  }
}

kvs_status kvs_stream_put(kvs_stream *stream, const kvs_frame *frame,
                          kvs_time now) {
  kvs_status status;
  kvs_pos tail;
  kvs_pos current;

  if (stream == NULL || frame == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  tail = stream->view.tail;
  current = stream->view.current;
  status = put(stream, frame, now);
  if (status != KVS_OK) {
    stream->refusal.status = status;
    stream->metrics.put_frame_errors++;
  }
  note_deadline(stream, tail, current);
  return status;
}

void kvs_stream_last_refusal(const kvs_stream *stream, kvs_refusal *refusal) {
  *refusal = stream->refusal;
}
