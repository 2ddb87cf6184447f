/* SPDX-License-Identifier: Apache-2.0
 * A planned frame is stored. What may drop older media comes first; from the
 * push on nothing can fail. */
#include "core/stream_put.h"

void kvs_put_adapted(const kvs_stream *stream, const kvs_frame *frame,
                     const kvs_nal_plan *nal, kvs_pos at) {
  kvs_heap_sink sink = kvs_make_heap_sink(&stream->host->heap, at);

  if (nal != NULL) {
    kvs_nal_write_avcc(stream->host->find, frame->data, frame->size, nal,
                       &sink.sink);
  } else {
    kvs_nal_write_annexb(frame->data, frame->size, &sink.sink);
  }
}

/* What stands before the block of the first frame of a fragment. */
static kvs_pos write_begin(const kvs_stream *stream, const kvs_put_plan *plan,
                           kvs_pos body) {
  uint8_t head[KVS_MKV_CLUSTER_LEN];
  kvs_heap_sink sink = kvs_make_heap_sink(&stream->host->heap, body);

  if (plan->tags != 0) {
    kvs_tags_write(stream, &sink.sink);
  }
  kvs_mkv_write_cluster(head, plan->cluster);
  return kvs_heap_write(sink.heap, sink.at, head, sizeof(head));
}

static void write_body(const kvs_stream *stream, const kvs_put_plan *plan,
                       kvs_pos body) {
  kvs_heap *heap = &stream->host->heap;
  uint8_t tag[KVS_MKV_EOF_MAX];

  if (plan->begins) {
    body = write_begin(stream, plan, body);
  }
  body = kvs_put_block(heap, plan, body);
  kvs_put_payload(stream, plan, body);
  if (plan->suffix != 0) {
    uint32_t len = kvs_mkv_write_end_of_fragment(tag);

    body = kvs_heap_skip(heap, body, plan->payload);
    (void)kvs_heap_write(heap, body, tag, len);
  }
}

static kvs_status push(kvs_stream *stream, const kvs_put_plan *plan,
                       kvs_pos *body) {
  kvs_unit unit = kvs_put_unit(plan);
  kvs_fragment fragment;

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

static void begin_fragment(kvs_stream *stream, const kvs_put_plan *plan) {
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
static void commit(kvs_stream *stream, const kvs_put_plan *plan, kvs_time now) {
  if (plan->begins) {
    begin_fragment(stream, plan);
  }
  if (plan->jump) {
    for (uint32_t i = 0; i < stream->info.track_count; i++) {
      stream->tracks[i].has_last = false;
    }
  }
  kvs_put_note(stream, plan, now);
  if (plan->suffix != 0) {
    kvs_view_close_newest(&stream->view);
    kvs_view_fragment(&stream->view, stream->view.newest)->state |=
        KVS_FRAGMENT_ENDED;
    stream->fragment_open = false;
    (void)kvs_format_settle(stream, stream->view.newest, now);
  }
}

/* The fragment that the frame belonged to was dropped to make room: it goes
 * with it. */
static kvs_status drop_frame(kvs_stream *stream, const kvs_put_plan *plan) {
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

kvs_status kvs_put_store(kvs_stream *stream, const kvs_put_plan *plan,
                         kvs_time now) {
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
