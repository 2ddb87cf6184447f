/* SPDX-License-Identifier: Apache-2.0
 * The life of a stream: create, free, stop, reset, and its deadlines. */
#include "core/stream.h"

void kvs_stream_emit(kvs_stream *stream, kvs_event *event) {
  event->stream = stream->id;
  kvs_host_emit(stream->host, event);
}

uint32_t kvs_host_random(kvs_host *host) {
  uint32_t value;

  host->in_callback = true;
  value = host->callbacks.random(host->callbacks.user);
  host->in_callback = false;
  return value;
}

uint64_t kvs_stream_deadline(const kvs_stream *stream) {
  uint64_t at = kvs_min_u64(kvs_machine_deadline(&stream->machine),
                            kvs_session_deadline(stream));

  return kvs_min_u64(at, stream->held_due);
}

void kvs_stream_note_deadline(kvs_stream *stream) {
  kvs_host_note_deadline(stream->host, kvs_stream_deadline(stream));
}

void kvs_stream_step(kvs_stream *stream, kvs_time now) {
  if (kvs_machine_timed_out(&stream->machine, now.mono)) {
    kvs_state_timed_out(stream, now);
  }
  kvs_session_step(stream, now);
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
}

uint32_t kvs_stream_id(const kvs_stream *stream) {
  return stream->id;
}

static bool same_name(const char *a, const char *b) {
  kvs_bytes x = kvs_bytes_of(a);
  kvs_bytes y = kvs_bytes_of(b);

  return x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0;
}

/* A free place among the client's streams, whose name |name| is not taken. */
static kvs_status find_place(const kvs_host *host, const char *name,
                             uint32_t *place) {
  *place = host->stream_limit;
  for (uint32_t i = 0; i < host->stream_limit; i++) {
    if (host->streams[i] == NULL) {
      *place = *place == host->stream_limit ? i : *place;
    } else if (same_name(host->streams[i]->name, name)) {
      return KVS_STATUS_DUPLICATE_STREAM_NAME;
    }
  }
  return *place == host->stream_limit ? KVS_STATUS_MAX_STREAM_COUNT : KVS_OK;
}

_Static_assert(KVS_PAGE_DATA - sizeof(kvs_stream) >= 16 * 64,
               "streams stand at 16 different places or more");

/* Where in its page a stream stands. If all stood at the same place, each of
 * their fields would fall into the same few sets of every cache: so each begins
 * some lines behind the one before. */
static kvs_pos place_in(const kvs_heap *heap, kvs_pos page, uint32_t id) {
  const uint32_t line = 64;
  const uint32_t places = (KVS_PAGE_DATA - sizeof(kvs_stream)) / line;
  uint32_t skew = (uint32_t)(0 - (uintptr_t)kvs_heap_at(heap, page)) % line;

  return page + skew + id % places * line;
}

static void set_up(kvs_stream *stream, kvs_host *host, kvs_pos object,
                   const kvs_stream_info *info, kvs_time now) {
  kvs_bytes name = kvs_bytes_of(info->name);

  memset(stream, 0, sizeof(*stream));
  stream->host = host;
  stream->object = object;
  stream->id = ++host->last_id;
  memcpy(stream->name, name.ptr, name.len);
  stream->info = *info;
  if (stream->info.timecode_scale == 0) {
    stream->info.timecode_scale = KVS_TICKS_PER_MS;
  }
  kvs_limits_init(&stream->limits, &stream->info);
  stream->await_key = true;
  stream->retention = info->retention;
  stream->created_at = now.mono;
  stream->persisted_at = now.mono;
  stream->last_put = now.mono;
  stream->rates.since = now.mono;
  stream->rates.due = info->recalculate_metrics
                          ? kvs_add_u64(now.mono, KVS_RATES_WINDOW)
                          : KVS_NEVER;
  stream->token_until = KVS_NEVER;
  stream->held_due = KVS_NEVER;
  kvs_view_init(&stream->view, &host->heap, stream->id);
  kvs_state_init(stream);
}

kvs_status kvs_stream_open(kvs_host *host, const kvs_stream_info *info,
                           kvs_time now, kvs_stream **out) {
  uint32_t place = 0;
  kvs_pos page = 0;
  kvs_pos object;
  kvs_stream *stream;
  kvs_status status;

  KVS_TRY(kvs_stream_info_check(info));
  KVS_TRY(find_place(host, info->name, &place));
  KVS_TRY(kvs_heap_take_page(&host->heap, host->last_id + 1, &page));
  object = place_in(&host->heap, page, host->last_id + 1);
  stream = kvs_heap_at(&host->heap, object);
  set_up(stream, host, object, info, now);
  status = kvs_format_init(stream, info);
  if (status != KVS_OK) {
    kvs_heap_give_page(&host->heap, page);
    return status;
  }
  host->streams[place] = stream;
  host->stream_count++;
  *out = stream;
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

void kvs_stream_free(kvs_stream *stream) {
  kvs_host *host;

  if (stream == NULL || stream->host->in_callback) {
    return;
  }
  host = stream->host;
  for (uint32_t i = 0; i < host->stream_limit; i++) {
    if (host->streams[i] == stream) {
      host->streams[i] = NULL;
      host->stream_count--;
    }
  }
  kvs_view_clear(&stream->view);
  kvs_tags_free(stream);
  kvs_format_free(stream);
  kvs_heap_give_page(&host->heap, kvs_heap_page_of(stream->object));
}

void kvs_stream_close(kvs_stream *stream, kvs_time now) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_CLOSED);

  stream->closed = true;
  event.u.stream_closed.session = stream->session.number;
  event.u.stream_closed.status = KVS_OK;
  event.u.stream_closed.dropped =
      stream->metrics.dropped_frames - stream->dropped_at_stop;
  kvs_session_wake(stream); /* the body is whole: the host ends it */
  if (!kvs_session_live(stream)) {
    kvs_state_force(stream, KVS_STREAM_STATE_STOPPED, now);
  }
  kvs_stream_emit(stream, &event);
}

kvs_status kvs_stream_stop(kvs_stream *stream, kvs_time now) {
  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (stream->stopping) {
    return KVS_STATUS_STREAM_HAS_BEEN_STOPPED;
  }
  stream->stopping = true;
  kvs_put_shut_short(stream);
  stream->dropped_at_stop = stream->metrics.dropped_frames;
  kvs_put_report_skipped(stream);
  kvs_tags_finish(stream);
  kvs_room_trim(stream); /* nothing is kept to be replayed any more */
  kvs_session_wake(stream);
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

/* Frames come again, from a key frame on, on a timeline of their own. */
static void begin_anew(kvs_stream *stream) {
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    stream->tracks[i].has_last = false;
  }
  stream->stopping = false;
  stream->closed = false;
  stream->await_key = true;
  stream->new_timeline = true;
  stream->has_base = false;
  stream->has_cluster = false;
  stream->has_key = false;
}

kvs_status kvs_stream_start(kvs_stream *stream, kvs_time now) {
  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (!stream->stopping) {
    return KVS_STATUS_INVALID_OPERATION;
  }
  if (stream->closed) { /* nothing is held, and its machine may be at its end */
    return kvs_stream_reset(stream, now);
  }
  if (stream->fragment_open) {
    kvs_view_close_newest(&stream->view);
    kvs_put_end_fragment(stream);
    (void)kvs_format_settle(stream, stream->view.newest, now);
  }
  begin_anew(stream);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

kvs_status kvs_stream_reset(kvs_stream *stream, kvs_time now) {
  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  stream->stopping = true; /* nothing begins anew while everything goes */
  if (kvs_session_live(stream)) {
    kvs_session_abort(stream, KVS_STATUS_UPLOAD_HANDLE_ABORTED, KVS_RESULT_OK,
                      false, now);
  }
  kvs_room_drop_all(stream, KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  kvs_put_report_skipped(stream);
  begin_anew(stream);
  kvs_retry_succeeded(&stream->session_retry);
  kvs_state_begin_anew(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

kvs_status kvs_stream_reset_connection(kvs_stream *stream, bool hard,
                                       kvs_time now) {
  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (!kvs_session_live(stream)) {
    return KVS_OK;
  }
  if (hard) {
    kvs_session_abort(stream, KVS_STATUS_UPLOAD_HANDLE_ABORTED, KVS_RESULT_OK,
                      false, now);
  } else {
    stream->session.finish = true;
  }
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

kvs_status kvs_stream_format_changed(kvs_stream *stream, uint64_t track_id,
                                     const uint8_t *cpd, uint32_t cpd_len,
                                     kvs_time now) {
  kvs_bytes bytes = {cpd, cpd_len};
  uint32_t track = 0;
  kvs_status status;

  if (stream == NULL || (cpd == NULL && cpd_len != 0)) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  while (track < stream->info.track_count &&
         stream->tracks[track].info.track_id != track_id) {
    track++;
  }
  if (track == stream->info.track_count) {
    return KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND;
  }
  do {
    status = kvs_format_set(stream, track, bytes);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  kvs_stream_note_deadline(stream);
  return status;
}
