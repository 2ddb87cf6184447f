/* SPDX-License-Identifier: Apache-2.0
 * What goes when the arena or a stream's window is full (ruling 7): the oldest
 * whole fragment of the stream that exceeds its share of the arena most. A
 * half-sent fragment goes together with its connection (ruling 4). */
#include "core/stream.h"

#define PRESSURE_INTERVAL KVS_TICKS_PER_SECOND

/* Forgets the oldest fragment, whatever its state. */
static void forget_oldest(kvs_stream *stream) {
  kvs_view *view = &stream->view;
  kvs_pos at = view->tail;
  uint32_t header = kvs_view_fragment(view, at)->header;

  if (at == view->newest) {
    kvs_put_end_fragment(stream);
  }
  if (stream->session.last == at) {
    stream->session.last = 0;
    stream->session.ended =
        (kvs_view_fragment(view, at)->state & KVS_FRAGMENT_ENDED) != 0;
  }
  kvs_view_pop(view);
  kvs_format_release(stream, header);
}

void kvs_room_trim(kvs_stream *stream) {
  const uint32_t done = KVS_FRAGMENT_FREED | KVS_FRAGMENT_CLOSED;
  kvs_view *view = &stream->view;

  while (view->tail != 0 && !kvs_view_reading(view, view->tail) &&
         (kvs_view_fragment(view, view->tail)->state & done) == done &&
         !kvs_session_keeps(stream, kvs_view_fragment(view, view->tail))) {
    forget_oldest(stream);
  }
}

void kvs_room_report_dropped(kvs_stream *stream, const kvs_fragment *fragment,
                             kvs_status reason) {
  kvs_event event = kvs_event_make(KVS_EVENT_DROPPED_FRAGMENT_REPORT);

  stream->metrics.dropped_fragments++;
  stream->metrics.dropped_frames += fragment->frames;
  event.u.dropped_fragment_report.timecode = fragment->begin;
  event.u.dropped_fragment_report.end = fragment->end;
  event.u.dropped_fragment_report.frames = fragment->frames;
  event.u.dropped_fragment_report.bytes = fragment->bytes;
  event.u.dropped_fragment_report.sent =
      (fragment->state & KVS_FRAGMENT_SENT) != 0 ? 1 : 0;
  event.u.dropped_fragment_report.reason = reason;
  event.u.dropped_fragment_report.fragments = 1;
  kvs_stream_emit(stream, &event);
}

void kvs_room_drop_oldest(kvs_stream *stream, kvs_status reason, kvs_time now) {
  kvs_view *view = &stream->view;
  bool aborted = false;
  kvs_fragment gone;

  KVS_ASSERT(view->tail != 0);
  gone = *kvs_view_fragment(view, view->tail);
  if (view->tail == view->newest) {
    stream->await_key = true;
  }
  if (kvs_view_reading(view, view->tail)) {
    if (kvs_session_live(stream)) {
      kvs_session_abort(stream, reason, KVS_RESULT_OK, false, now);
      aborted = true;
    } else {
      kvs_view_rewind(view);
    }
  }
  forget_oldest(stream);
  if ((gone.state & KVS_FRAGMENT_FREED) == 0) {
    kvs_room_report_dropped(stream, &gone, reason);
  }
  if (aborted) {
    kvs_state_advance(stream, now);
  }
}

void kvs_room_drop_all(kvs_stream *stream, kvs_status reason, kvs_time now) {
  while (stream->view.tail != 0) {
    kvs_room_drop_oldest(stream, reason, now);
  }
}

/* Whether older media may go to make room for newer. */
static bool may_drop(const kvs_stream *stream) {
  return stream->info.streaming_type != KVS_STREAMING_OFFLINE &&
         stream->info.overflow_policy == KVS_OVERFLOW_DROP_OLDEST;
}

/* Whether the oldest fragment is whole: nothing will be added to it. */
static bool has_whole(const kvs_stream *stream) {
  return stream->view.tail != 0 &&
         (stream->view.tail != stream->view.newest || !stream->fragment_open);
}

/* The stream that exceeds its share most, of those with something to give. */
static kvs_stream *find_victim(const kvs_host *host) {
  uint64_t share = host->heap.page_count / kvs_max_u64(host->stream_count, 1);
  kvs_stream *victim = NULL;
  int64_t most = INT64_MIN;

  for (uint32_t i = 0; i < host->stream_limit; i++) {
    kvs_stream *stream = host->streams[i];
    int64_t excess;

    if (stream == NULL || !has_whole(stream) || !may_drop(stream)) {
      continue;
    }
    excess = (int64_t)stream->view.chain.pages - (int64_t)share;
    if (excess > most) {
      most = excess;
      victim = stream;
    }
  }
  return victim;
}

/* Drops the oldest fragment of |victim|, of whatever stream, to make room. Its
 * host may be waiting for that very fragment's ack, and the stream for nothing
 * else. */
static void sacrifice(kvs_stream *victim, kvs_status reason, kvs_time now) {
  kvs_room_drop_oldest(victim, reason, now);
  if (victim->session.phase == KVS_PHASE_AWAIT) {
    kvs_session_wake(victim);
  }
  kvs_stream_close_if_done(victim, now);
  kvs_stream_note_deadline(victim);
}

/* Whether every version of the session header is in use. */
static bool lacks_slot(const kvs_stream *stream) {
  uint32_t live = 0;

  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    live += stream->headers[i].live ? 1 : 0;
  }
  return live == KVS_HEADER_SLOTS;
}

bool kvs_room_yield(kvs_stream *stream, kvs_time now) {
  kvs_stream *victim = NULL;

  if (!may_drop(stream)) {
    return false;
  }
  if (!lacks_slot(stream)) {
    victim = find_victim(stream->host);
  } else if (has_whole(stream)) {
    victim = stream; /* only its own fragments hold slots */
  }
  if (victim == NULL) {
    return false;
  }
  sacrifice(victim, KVS_STATUS_STORE_OUT_OF_MEMORY, now);
  return true;
}

/* At least the pages that whole fragments hold: the open one, which stays, may
 * have its frames' heads and an unused end in each page. */
static uint64_t whole_pages(const kvs_stream *stream) {
  const uint64_t least = KVS_PAGE_DATA - KVS_BLOCK_ROOM;
  const kvs_fragment *open;
  uint64_t bytes;

  if (!has_whole(stream)) {
    return 0;
  }
  if (!stream->fragment_open) {
    return stream->view.chain.pages;
  }
  open = kvs_view_fragment(&stream->view, stream->view.newest);
  bytes = open->bytes + open->frames * (sizeof(kvs_unit) + sizeof(uint64_t)) +
          sizeof(kvs_fragment);
  return kvs_sub_u64(stream->view.chain.pages, bytes / least + 2);
}

/* Whether dropping all that may be dropped would make room at all. */
static bool could_fit(const kvs_stream *stream, uint32_t len) {
  const kvs_host *host = stream->host;
  uint64_t pages = kvs_heap_available(&host->heap);

  for (uint32_t i = 0; i < host->stream_limit; i++) {
    const kvs_stream *other = host->streams[i];

    if (other != NULL && may_drop(other)) {
      pages += other == stream ? other->view.chain.pages : whole_pages(other);
    }
  }
  return len / KVS_PAGE_DATA + 2 <= pages;
}

static kvs_status make_pages(kvs_stream *stream, bool begins, uint32_t len,
                             kvs_time now) {
  const kvs_heap *heap = &stream->host->heap;

  if (kvs_view_needs(&stream->view, begins, len) <= kvs_heap_available(heap)) {
    return KVS_OK;
  }
  if (!may_drop(stream) || !could_fit(stream, len)) {
    stream->refusal.value = len;
    stream->refusal.limit = (uint64_t)heap->page_count * KVS_PAGE_DATA;
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  while (kvs_view_needs(&stream->view, begins, len) >
         kvs_heap_available(heap)) {
    kvs_stream *victim = find_victim(stream->host);

    if (victim == NULL && stream->view.tail != 0) {
      victim = stream; /* only open fragments remain: its own goes */
    }
    if (victim == NULL) {
      stream->refusal.value = len;
      stream->refusal.limit = (uint64_t)heap->page_count * KVS_PAGE_DATA;
      return KVS_STATUS_STORE_OUT_OF_MEMORY;
    }
    sacrifice(victim, KVS_STATUS_STORE_OUT_OF_MEMORY, now);
  }
  return KVS_OK;
}

static kvs_status make_window(kvs_stream *stream, bool begins, uint64_t end,
                              kvs_time now) {
  const kvs_view *view = &stream->view;

  while (kvs_room_duration(view, begins, end) > stream->info.buffer_duration &&
         (begins ? view->tail != 0 : view->tail != view->newest)) {
    if (!may_drop(stream)) {
      stream->refusal.value = kvs_room_duration(view, begins, end);
      stream->refusal.limit = stream->info.buffer_duration;
      return KVS_STATUS_STORE_OUT_OF_MEMORY;
    }
    sacrifice(stream, KVS_STATUS_INVALID_CONTENT_VIEW_DURATION, now);
  }
  return KVS_OK;
}

kvs_status kvs_room_clear(kvs_stream *stream, bool begins, uint32_t len,
                          uint64_t end, kvs_time now) {
  KVS_TRY(make_window(stream, begins, end, now));
  return make_pages(stream, begins, len, now);
}

/* Whether |*at| has come; if so it is set one interval on. */
static bool may_tell(uint64_t *at, kvs_time now) {
  if (now.mono < *at) {
    return false;
  }
  *at = kvs_add_u64(now.mono, PRESSURE_INTERVAL);
  return true;
}

static void tell_storage(kvs_stream *stream, kvs_time now) {
  kvs_host *host = stream->host;
  uint64_t available = kvs_heap_available(&host->heap);
  kvs_event event;

  if (!kvs_room_low_storage(host) || !may_tell(&host->pressure_at, now)) {
    return;
  }
  event = kvs_event_make(KVS_EVENT_STORAGE_OVERFLOW_PRESSURE);
  event.u.storage_overflow_pressure.remaining = available * KVS_PAGE_SIZE;
  stream->metrics.storage_pressures++;
  kvs_host_emit(host, &event);
}

static void tell_latency(kvs_stream *stream, kvs_time now) {
  uint64_t duration;
  kvs_event event;

  if (stream->info.max_latency == 0 ||
      stream->info.streaming_type == KVS_STREAMING_OFFLINE) {
    return;
  }
  duration = kvs_view_unread_duration(&stream->view);
  if (duration <= stream->info.max_latency ||
      !may_tell(&stream->latency_at, now)) {
    return;
  }
  event = kvs_event_make(KVS_EVENT_STREAM_LATENCY_PRESSURE);
  event.u.stream_latency_pressure.duration = duration;
  stream->metrics.latency_pressures++;
  kvs_stream_emit(stream, &event);
}

static void tell_buffer(kvs_stream *stream, kvs_time now) {
  uint64_t left =
      kvs_sub_u64(stream->info.buffer_duration, stream->view.duration);
  kvs_event event;

  if (stream->info.streaming_type == KVS_STREAMING_OFFLINE ||
      !kvs_room_low_buffer(stream) || !may_tell(&stream->buffer_at, now)) {
    return;
  }
  event = kvs_event_make(KVS_EVENT_BUFFER_DURATION_OVERFLOW_PRESSURE);
  event.u.buffer_duration_overflow_pressure.remaining = left;
  stream->metrics.buffer_pressures++;
  kvs_stream_emit(stream, &event);
}

void kvs_room_tell(kvs_stream *stream, kvs_time now) {
  tell_storage(stream, now);
  tell_latency(stream, now);
  tell_buffer(stream, now);
}
