/* SPDX-License-Identifier: Apache-2.0
 * The long way of a frame that does more than make the open fragment longer:
 * it is planned to its end and stored. What may drop older media comes first;
 * from the push on nothing can fail. */
#include "core/stream_put.h"

/* What stream_put.c need not know of a frame. */
typedef struct store_plan {
  bool mended;
  uint64_t base;
  uint64_t cluster; /* units of the timecode scale */
  uint32_t tags;    /* bytes before the cluster */
  uint32_t suffix;  /* bytes behind the payload */
  int16_t relative; /* the block's time */
  uint32_t header;  /* slot of the fragment that begins, held */
  kvs_unit unit;
} store_plan;

void kvs_put_adapted(const kvs_stream *stream, const kvs_put_plan *plan,
                     kvs_pos at) {
  const kvs_frame *frame = plan->frame;
  kvs_heap_sink sink = kvs_make_heap_sink(&stream->host->heap, at);

  if ((plan->track->adaptation & KVS_NAL_ADAPTATION_ANNEXB_NALS) != 0) {
    kvs_nal_write_avcc(stream->host->find, frame->data, frame->size, &plan->nal,
                       &sink.sink);
  } else {
    kvs_nal_write_annexb(frame->data, frame->size, &sink.sink);
  }
}

/* ---- planning --------------------------------------------------------- */

static uint64_t cluster_time(const kvs_stream *stream, const kvs_put_plan *plan,
                             int64_t time, store_plan *how) {
  if (stream->has_cluster && !plan->jump &&
      time <= (int64_t)stream->last_cluster) {
    how->mended = true;
    return stream->last_cluster + 1;
  }
  return (uint64_t)time; /* the first one of a timeline is at its base */
}

/* Whether a frame is shown so long before or after it is decoded that no later
 * fragment could come after one which begins with it. */
static bool is_torn(const kvs_stream *stream, const kvs_put_plan *plan) {
  uint64_t apart = kvs_max_u64(kvs_sub_u64(plan->pts, plan->dts),
                               kvs_sub_u64(plan->dts, plan->pts));

  return apart > stream->info.max_fragment_duration;
}

static kvs_status plan_cluster(kvs_stream *stream, const kvs_put_plan *plan,
                               store_plan *how) {
  bool fresh = !stream->has_base || plan->jump;
  int64_t time;
  int64_t relative;

  if (plan->begins && is_torn(stream, plan)) {
    return kvs_put_refuse(stream, KVS_STATUS_MKV_PTS_DTS_ARE_NOT_SAME,
                          plan->pts, plan->dts,
                          stream->info.max_fragment_duration);
  }
  how->base = fresh ? plan->pts : stream->base;
  time = kvs_put_time(stream, plan->pts, how->base);
  how->cluster = plan->begins ? cluster_time(stream, plan, time, how)
                              : stream->last_cluster;
  relative = time - (int64_t)how->cluster;
  if (relative < INT16_MIN || relative > INT16_MAX) {
    int64_t scale = (int64_t)stream->info.timecode_scale;

    return kvs_put_refuse(stream, KVS_STATUS_MKV_LARGE_FRAME_TIMECODE,
                          plan->pts, plan->pts - (uint64_t)(relative * scale),
                          (uint64_t)(INT16_MAX * scale));
  }
  how->relative = (int16_t)relative;
  return KVS_OK;
}

static void plan_unit(const kvs_stream *stream, const kvs_put_plan *plan,
                      store_plan *how) {
  uint32_t prefix = KVS_MKV_BLOCK_LEN;
  uint8_t tag[KVS_MKV_EOF_MAX];

  if (plan->begins) {
    kvs_sink counter = kvs_counting_sink();

    kvs_tags_write(stream, &counter);
    how->tags = (uint32_t)counter.written;
    prefix += how->tags + KVS_MKV_CLUSTER_LEN;
  }
  if ((plan->frame->flags & KVS_FRAME_END_OF_FRAGMENT) != 0) {
    how->suffix = kvs_mkv_write_end_of_fragment(tag);
  }
  how->unit = kvs_put_unit(
      (uint32_t)kvs_min_u64(plan->frame->duration, UINT32_MAX), plan->track,
      plan->pts, prefix, prefix + plan->payload + how->suffix);
}

/* ---- storing ---------------------------------------------------------- */

/* What stands before the block of the first frame of a fragment. */
static kvs_pos write_begin(const kvs_stream *stream, const store_plan *how,
                           kvs_pos body) {
  uint8_t head[KVS_MKV_CLUSTER_LEN];
  kvs_heap_sink sink = kvs_make_heap_sink(&stream->host->heap, body);

  if (how->tags != 0) {
    kvs_tags_write(stream, &sink.sink);
  }
  kvs_mkv_write_cluster(head, how->cluster);
  return kvs_heap_write(sink.heap, sink.at, head, sizeof(head));
}

static void write_body(const kvs_stream *stream, const kvs_put_plan *plan,
                       const store_plan *how, kvs_pos body) {
  const kvs_frame *frame = plan->frame;
  kvs_heap *heap = &stream->host->heap;
  uint8_t block[KVS_MKV_BLOCK_LEN];
  uint8_t tag[KVS_MKV_EOF_MAX];

  if (plan->begins) {
    body = write_begin(stream, how, body);
  }
  kvs_put_block(block, frame, plan->track, plan->key, how->relative,
                plan->payload);
  body = kvs_heap_write(heap, body, block, sizeof(block));
  if (plan->track->adaptation == 0) {
    (void)kvs_heap_write(heap, body, frame->data, frame->size);
  } else {
    kvs_put_adapted(stream, plan, body);
  }
  if (how->suffix != 0) {
    uint32_t len = kvs_mkv_write_end_of_fragment(tag);

    body = kvs_heap_skip(heap, body, plan->payload);
    (void)kvs_heap_write(heap, body, tag, len);
  }
}

static kvs_status push(kvs_stream *stream, const kvs_put_plan *plan,
                       const store_plan *how, kvs_pos *body) {
  kvs_fragment fragment;

  if (!plan->begins) {
    return kvs_view_push(&stream->view, &how->unit, NULL, body);
  }
  memset(&fragment, 0, sizeof(fragment));
  fragment.cluster = how->cluster * stream->info.timecode_scale;
  fragment.base = how->base;
  fragment.header = how->header;
  fragment.state =
      plan->jump || stream->new_timeline ? KVS_FRAGMENT_TIMELINE : 0;
  return kvs_view_push(&stream->view, &how->unit, &fragment, body);
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

static uint64_t span_to(uint64_t zero, uint64_t end) {
  int64_t span = (int64_t)(end - zero);

  return span > 0 ? (uint64_t)span : 0;
}

/* What the short way may do with the fragment that begins at |pts|: as little
 * as each rule of the long way allows. */
static void open_short(kvs_stream *stream, uint64_t pts,
                       const store_plan *how) {
  kvs_open *open = &stream->open;
  const kvs_limits *limits = &stream->limits;
  uint64_t scale = stream->info.timecode_scale;
  uint64_t units = how->cluster;
  uint64_t longest = ((uint64_t)INT16_MAX + 1) * scale;

  if (!stream->info.absolute_fragment_times) {
    units += kvs_put_units(stream, how->base);
  }
  open->zero = units * scale - scale / 2;
  longest = kvs_min_u64(longest, span_to(open->zero, KVS_MAX_STAMP + 1));
  open->span =
      kvs_min_u64(longest, limits->cut_after == 0
                               ? 0
                               : span_to(open->zero, pts + limits->cut_after));
  open->key_span =
      limits->key_after == 0 ? 0 : span_to(open->zero, pts + limits->key_after);
  open->header = how->header;
  kvs_put_shut_tracks(stream);
}

_Static_assert(KVS_FRAME_KEY == 1, "the index of a span");

/* The open fragment has a frame of |track|: others may go the short way, if
 * they are stored as they are. */
static void open_track(const kvs_stream *stream, kvs_track *track) {
  const kvs_open *open = &stream->open;
  uint64_t key = open->span;

  if (track->adaptation != 0) {
    return;
  }
  if (kvs_format_turns(stream, open->header, track) &&
      (track->cuts || !track->all_key)) {
    key = 0;                /* a key frame is where newer data begin */
  } else if (track->cuts) { /* it may begin a fragment */
    key = kvs_min_u64(open->span, open->key_span);
  }
  if (track->cuts && !track->all_key && stream->info.track_count > 1) {
    key = 0; /* the long way measures GOPs */
  }
  track->span[0] = track->all_key ? key : open->span;
  track->span[1] = key;
}

static void begin_fragment(kvs_stream *stream, uint64_t pts,
                           const store_plan *how) {
  if (how->header != stream->header) { /* held once for the fragment */
    kvs_format_hold(stream, how->header);
    kvs_format_use(stream, how->header);
  }
  stream->fragment_open = true;
  stream->await_key = false;
  stream->new_timeline = false;
  stream->has_base = true;
  stream->base = how->base;
  stream->has_cluster = true;
  stream->last_cluster = how->cluster;
  stream->metrics.mended_timecodes += how->mended ? 1 : 0;
  open_short(stream, pts, how);
  kvs_tags_used(stream);
}

void kvs_put_close(kvs_stream *stream, kvs_time now) {
  kvs_view *view = &stream->view;

  kvs_view_close_newest(view);
  kvs_view_fragment(view, view->newest)->state |= KVS_FRAGMENT_ENDED;
  kvs_put_end_fragment(stream);
  (void)kvs_format_settle(stream, view->newest, now);
}

/* What holds from now on, after the frame is stored. */
static void commit(kvs_stream *stream, const kvs_put_plan *plan,
                   const store_plan *how, kvs_time now) {
  if (plan->begins) {
    begin_fragment(stream, plan->pts, how);
  }
  if (plan->jump) {
    for (uint32_t i = 0; i < stream->info.track_count; i++) {
      stream->tracks[i].has_last = false;
    }
  }
  kvs_put_note(stream, plan->track, plan->pts, plan->dts, now);
  plan->track->has_last = true;
  if (plan->jump) {
    stream->has_key = false;
  }
  if (plan->key && plan->track->cuts) {
    stream->has_key = true;
    stream->key_pts = plan->pts;
  }
  stream->cramped = false;
  if (plan->key && kvs_format_turns(stream, stream->open.header, plan->track)) {
    plan->track->turned =
        kvs_format_at(stream, stream->full)->version[plan->track->index];
  }
  open_track(stream, plan->track);
  if (kvs_clock_holds(stream, now)) {
    kvs_clock_note(stream, now);
  }
  if (how->suffix != 0) {
    kvs_put_close(stream, now);
  }
}

/* There is no room for the frame, or what it builds on was dropped to make
 * some: it is passed over, and so are those up to the next key frame. */
static kvs_status drop_frame(kvs_stream *stream, const kvs_put_plan *plan) {
  kvs_event event = kvs_event_make(KVS_EVENT_DROPPED_FRAME_REPORT);

  event.u.dropped_frame_report.timecode = plan->pts;
  event.u.dropped_frame_report.track = plan->frame->track_id;
  event.u.dropped_frame_report.bytes = plan->frame->size;
  event.u.dropped_frame_report.reason = KVS_STATUS_STORE_OUT_OF_MEMORY;
  stream->await_key = true;
  stream->metrics.dropped_frames++;
  kvs_stream_emit(stream, &event);
  return KVS_OK;
}

/* Finds the header of the fragment that the frame begins, and room for it;
 * |made| as kvs_room_make tells it. */
static kvs_status find_header(kvs_stream *stream, const kvs_put_plan *plan,
                              const kvs_room *room, store_plan *how,
                              kvs_time now, bool *made) {
  kvs_status status = KVS_OK;

  how->header = stream->header;
  if (stream->full == how->header) { /* it has every track, and no newer */
    kvs_format_hold(stream, how->header);
  } else {
    do {
      status = kvs_format_next(stream, plan->track, plan->key, &how->header);
    } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
             kvs_room_yield(stream, now));
    KVS_TRY(status);
  }
  /* A header that was made may have taken the last page. */
  status = kvs_room_make(room, now, made);
  if (status != KVS_OK || !*made) {
    kvs_format_release(stream, how->header);
  }
  return status;
}

kvs_status kvs_put_store(kvs_stream *stream, kvs_put_plan *plan, kvs_time now) {
  uint64_t last = plan->track->last_dts;
  store_plan how = {0};
  uint64_t cut_duration = 0;
  uint64_t cut_bytes = 0;
  kvs_room room = {stream, plan->begins, 0, 0};
  bool made = false;
  bool builds;
  kvs_pos body = 0;

  KVS_TRY(plan_cluster(stream, plan, &how));
  plan_unit(stream, plan, &how);
  room.len = how.unit.len;
  room.end = kvs_unit_end(&how.unit);
  builds = stream->fragment_open && (plan->cut || !plan->begins);
  KVS_TRY(kvs_room_make(&room, now, &made));
  if (!made || (builds && !stream->fragment_open)) {
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
    KVS_TRY(find_header(stream, plan, &room, &how, now, &made));
    if (!made) {
      return drop_frame(stream, plan);
    }
  }
  KVS_TRY(push(stream, plan, &how, &body));
  write_body(stream, plan, &how, body);
  commit(stream, plan, &how, now);
  kvs_put_report_skipped(stream);
  if (plan->begins && stream->header_new) {
    kvs_format_tell_bare(stream, plan->pts);
  }
  if (plan->jump) {
    tell_jump(stream, last, plan->dts);
  }
  if (plan->cut) {
    tell_cut(stream, plan->pts, cut_duration, cut_bytes);
  }
  return KVS_OK;
}
