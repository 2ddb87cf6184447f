/* SPDX-License-Identifier: Apache-2.0
 * A frame comes in: it is judged, planned and then stored. Everything that can
 * fail stands in the judging and planning; what may drop older media comes
 * last of it; storing cannot fail. */
#include "core/stream.h"

/* A stamp this little back is a mistake of the caller; more is a jump of the
 * clock (ruling 8). */
#define LARGEST_MISTAKE KVS_TICKS_PER_SECOND
/* Cut before the service's limits (ruling 10). */
#define CUT_EARLY (500 * KVS_TICKS_PER_MS)
#define CUT_BYTES (45u * 1024u * 1024u)
/* Nanoseconds of a stamp fit 63 bits. */
#define MAX_STAMP ((uint64_t)INT64_MAX / 100)

typedef struct put_plan {
  const kvs_frame *frame;
  uint32_t track;
  bool key;
  bool jump;   /* a new timeline */
  bool begins; /* a new fragment */
  bool cut;    /* at a frame that is no key frame */
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
} put_plan;

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

static kvs_status judge_frame(kvs_stream *stream, put_plan *plan) {
  const kvs_frame *frame = plan->frame;

  stream->refusal.track_id = frame->track_id;
  (void)refuse(stream, KVS_OK, 0, 0, 0); /* the figures of the last one go */
  if (stream->stopping) {
    return refuse(stream, KVS_STATUS_STREAM_HAS_BEEN_STOPPED, 0, 0, 0);
  }
  if (frame->data == NULL || frame->size == 0) {
    return refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_DATA, 0, 0, 1);
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

static kvs_status judge_times(kvs_stream *stream, put_plan *plan,
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
    return refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP, plan->dts,
                  track->last_dts, LARGEST_MISTAKE);
  }
  plan->jump = true;
  return KVS_OK;
}

static bool skips(const kvs_stream *stream, const put_plan *plan) {
  return stream->await_key && !(plan->key && plan->track == stream->cut_track);
}

static void skip(kvs_stream *stream, const put_plan *plan) {
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

static kvs_status plan_payload(kvs_stream *stream, put_plan *plan) {
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
static bool key_begins(const kvs_stream *stream, const put_plan *plan,
                       const kvs_fragment *open) {
  uint64_t length = kvs_sub_u64(plan->pts, open->begin);
  uint64_t least = stream->info.key_frame_fragmentation
                       ? stream->info.min_fragment_duration
                       : stream->info.fragment_duration;

  return plan->key && plan->track == stream->cut_track &&
         (length >= least || open->header != stream->header);
}

/* Whether the open fragment would pass the service's limits. */
static bool must_cut(const kvs_stream *stream, const put_plan *plan,
                     const kvs_fragment *open) {
  return kvs_sub_u64(plan->pts, open->begin) + CUT_EARLY >=
             stream->info.max_fragment_duration ||
         open->bytes + plan->payload > CUT_BYTES;
}

static void plan_fragment(const kvs_stream *stream, put_plan *plan) {
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
    plan->cut = !plan->key;
  }
}

static uint64_t cluster_time(const kvs_stream *stream, put_plan *plan,
                             uint64_t time) {
  if (stream->has_cluster && !plan->jump && time <= stream->last_cluster) {
    plan->mended = true;
    return stream->last_cluster + 1;
  }
  return time;
}

static kvs_status plan_cluster(kvs_stream *stream, put_plan *plan) {
  bool fresh = !stream->has_base || plan->jump;
  uint64_t time = units(stream, plan->pts);
  int64_t relative;

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

static void plan_len(const kvs_stream *stream, put_plan *plan) {
  uint8_t tag[KVS_MKV_EOF_MAX];
  kvs_sink counter = kvs_counting_sink();

  if (plan->begins) {
    kvs_tags_write(stream, &counter);
    plan->tags = (uint32_t)counter.written;
  }
  if ((plan->frame->flags & KVS_FRAME_END_OF_FRAGMENT) != 0) {
    plan->suffix = kvs_mkv_write_end_of_fragment(tag);
  }
  plan->len = plan->tags + (plan->begins ? KVS_MKV_CLUSTER_LEN : 0) +
              KVS_MKV_BLOCK_LEN + plan->payload + plan->suffix;
}

static void write_payload(const kvs_stream *stream, const put_plan *plan,
                          kvs_heap_sink *sink) {
  const kvs_frame *frame = plan->frame;

  if (plan->annexb) {
    kvs_nal_write_avcc(stream->host->find, frame->data, frame->size, plan->nal,
                       &sink->sink);
  } else if (plan->avcc) {
    kvs_nal_write_annexb(frame->data, frame->size, &sink->sink);
  } else {
    sink->at = kvs_heap_write(sink->heap, sink->at, frame->data, frame->size);
  }
}

/* What stands before the block of the first frame of a fragment. */
static kvs_pos write_begin(const kvs_stream *stream, const put_plan *plan,
                           kvs_pos body) {
  uint8_t head[KVS_MKV_CLUSTER_LEN];
  kvs_heap_sink sink = kvs_make_heap_sink(&stream->host->heap, body);

  if (plan->tags != 0) {
    kvs_tags_write(stream, &sink.sink);
  }
  kvs_mkv_write_cluster(head, plan->cluster);
  return kvs_heap_write(sink.heap, sink.at, head, sizeof(head));
}

static void write_body(const kvs_stream *stream, const put_plan *plan,
                       kvs_pos body) {
  kvs_heap *heap = &stream->host->heap;
  uint8_t head[KVS_MKV_BLOCK_LEN];
  uint8_t tag[KVS_MKV_EOF_MAX];
  uint32_t flags = plan->frame->flags | (plan->key ? KVS_FRAME_KEY : 0u);
  kvs_heap_sink sink;

  if (plan->begins) {
    body = write_begin(stream, plan, body);
  }
  kvs_mkv_write_block(head, plan->track + 1, plan->relative, flags,
                      plan->payload);
  sink = kvs_make_heap_sink(
      heap, kvs_heap_write(heap, body, head, KVS_MKV_BLOCK_LEN));
  write_payload(stream, plan, &sink);
  if (plan->suffix != 0) {
    kvs_sink_write(&sink.sink, tag, kvs_mkv_write_end_of_fragment(tag));
  }
}

static kvs_status push(kvs_stream *stream, const put_plan *plan,
                       kvs_pos *body) {
  uint64_t duration = plan->frame->duration;
  kvs_unit unit = {0};
  kvs_fragment fragment;

  unit.len = plan->len;
  unit.pts = plan->pts;
  unit.duration = duration < UINT32_MAX ? (uint32_t)duration : UINT32_MAX;
  unit.prefix = (uint16_t)(plan->len - plan->payload - plan->suffix);
  unit.track = (uint8_t)plan->track;
  unit.flags = plan->key ? KVS_UNIT_KEY : 0;
  if (!plan->begins) {
    return kvs_view_push(&stream->view, &unit, NULL, body);
  }
  memset(&fragment, 0, sizeof(fragment));
  fragment.cluster = plan->cluster * stream->info.timecode_scale;
  fragment.base = plan->base;
  fragment.header = stream->header;
  fragment.state =
      plan->jump || stream->new_timeline ? KVS_FRAGMENT_TIMELINE : 0;
  return kvs_view_push(&stream->view, &unit, &fragment, body);
}

static void tell_jump(kvs_stream *stream, uint64_t from, uint64_t to) {
  kvs_event event = kvs_event_make(KVS_EVENT_TIMELINE_CHANGED);

  event.u.timeline_changed.from = from;
  event.u.timeline_changed.to = to;
  stream->metrics.timeline_changes++;
  kvs_stream_emit(stream, &event);
}

static void tell_cut(kvs_stream *stream, uint64_t pts, uint64_t duration,
                     uint64_t bytes) {
  kvs_event event = kvs_event_make(KVS_EVENT_FRAGMENT_CUT_REPORT);

  if (stream->cut_reported) {
    return;
  }
  stream->cut_reported = true;
  event.u.fragment_cut_report.timecode = pts;
  event.u.fragment_cut_report.duration = duration;
  event.u.fragment_cut_report.bytes = bytes;
  kvs_stream_emit(stream, &event);
}

static void begin_fragment(kvs_stream *stream, const put_plan *plan) {
  kvs_format_hold(stream, stream->header);
  stream->fragment_open = true;
  stream->await_key = false;
  stream->new_timeline = false;
  stream->has_base = true;
  stream->base = plan->base;
  stream->has_cluster = true;
  stream->last_cluster = plan->cluster;
  stream->metrics.mended_timecodes += plan->mended ? 1 : 0;
  kvs_tags_used(stream);
}

/* What holds from now on, after the frame is stored. */
static void commit(kvs_stream *stream, const put_plan *plan, kvs_time now) {
  kvs_track *track = &stream->tracks[plan->track];

  if (plan->begins) {
    begin_fragment(stream, plan);
  }
  if (plan->jump) {
    for (uint32_t i = 0; i < stream->info.track_count; i++) {
      stream->tracks[i].has_last = false;
    }
  }
  track->has_last = true;
  track->last_dts = plan->dts;
  track->last_mono = now.mono;
  stream->last_put = now.mono;
  stream->dry_told = false;
  if (plan->suffix != 0) {
    kvs_view_close_newest(&stream->view);
    kvs_view_fragment(&stream->view, stream->view.newest)->state |=
        KVS_FRAGMENT_ENDED;
    stream->fragment_open = false;
    (void)kvs_format_settle(stream, stream->view.newest, now);
  }
  if (kvs_clock_holds(stream, now)) {
    kvs_clock_note(stream, now);
  }
  kvs_metrics_put(stream, plan->pts, now);
}

/* The fragment that the frame belonged to was dropped to make room: it goes
 * with it. */
static kvs_status drop_frame(kvs_stream *stream, const put_plan *plan) {
  kvs_event event = kvs_event_make(KVS_EVENT_DROPPED_FRAME_REPORT);

  event.u.dropped_frame_report.timecode = plan->pts;
  event.u.dropped_frame_report.track = plan->frame->track_id;
  event.u.dropped_frame_report.bytes = plan->frame->size;
  event.u.dropped_frame_report.reason = KVS_STATUS_STORE_OUT_OF_MEMORY;
  stream->metrics.dropped_frames++;
  kvs_stream_emit(stream, &event);
  return KVS_OK;
}

/* The next fragment takes a header with the track in it. */
static kvs_status want_track(kvs_stream *stream, uint32_t track, kvs_time now) {
  kvs_status status;

  do {
    status = kvs_format_want(stream, track);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  return status;
}

/* Parameter sets in a key frame become current. */
static kvs_status learn(kvs_stream *stream, const put_plan *plan,
                        kvs_time now) {
  kvs_bytes bytes = {plan->frame->data, plan->frame->size};
  kvs_status status;

  do {
    status = kvs_format_learn(stream, plan->track, bytes);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  return status;
}

static kvs_status store(kvs_stream *stream, put_plan *plan, kvs_time now) {
  uint64_t last = stream->tracks[plan->track].last_dts;
  uint64_t cut_duration = 0;
  uint64_t cut_bytes = 0;
  kvs_pos body = 0;

  KVS_TRY(kvs_room_make(stream, plan->begins, plan->len,
                        kvs_add_u64(plan->pts, plan->frame->duration), now));
  if (!plan->begins && !stream->fragment_open) {
    return drop_frame(stream, plan);
  }
  if (plan->begins) {
    if (plan->cut && stream->view.newest != 0) {
      const kvs_fragment *before =
          kvs_view_fragment(&stream->view, stream->view.newest);

      cut_duration = kvs_sub_u64(before->end, before->begin);
      cut_bytes = before->bytes;
    }
    if (stream->fragment_open) {
      (void)kvs_format_settle(stream, stream->view.newest, now);
    }
    KVS_TRY(want_track(stream, plan->track, now));
    /* A header that was made may have taken the last page. */
    KVS_TRY(kvs_room_make(stream, true, plan->len,
                          kvs_add_u64(plan->pts, plan->frame->duration), now));
  }
  KVS_TRY(push(stream, plan, &body));
  write_body(stream, plan, body);
  commit(stream, plan, now);
  kvs_put_report_skipped(stream);
  if (plan->jump) {
    tell_jump(stream, last, plan->dts);
  }
  if (plan->cut) {
    tell_cut(stream, plan->pts, cut_duration, cut_bytes);
  }
  return KVS_OK;
}

static kvs_status put(kvs_stream *stream, const kvs_frame *frame,
                      kvs_time now) {
  kvs_nal_plan nal;
  put_plan plan = {0};

  plan.frame = frame;
  plan.nal = &nal;
  KVS_TRY(judge_frame(stream, &plan));
  KVS_TRY(judge_times(stream, &plan, now));
  if (skips(stream, &plan)) {
    skip(stream, &plan);
    return KVS_OK;
  }
  KVS_TRY(plan_payload(stream, &plan));
  if (plan.key) {
    KVS_TRY(learn(stream, &plan, now));
  }
  plan_fragment(stream, &plan);
  KVS_TRY(plan_cluster(stream, &plan));
  plan_len(stream, &plan);
  KVS_TRY(store(stream, &plan, now));
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
