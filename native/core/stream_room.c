/* SPDX-License-Identifier: Apache-2.0
 * What goes when the arena or a stream's window is full (ruling 7). Which
 * fragment of a stream may go is kvs_view_victim's to say; here it is decided
 * which stream gives one, and what happens when none can: then an open fragment
 * is ended, so that it can be acknowledged, and the frames of the stream that
 * puts are passed over up to its next key frame. What is being sent, or waits
 * for its ack, stays. */
#include "core/stream_put.h"

#define PRESSURE_INTERVAL KVS_TICKS_PER_SECOND

void kvs_room_hand_on(kvs_stream *stream, const kvs_fragment *gone) {
  if ((gone->state & KVS_FRAGMENT_TIMELINE) == 0) {
    return;
  }
  if (gone->next != 0) {
    kvs_view_fragment(&stream->view, gone->next)->state |=
        KVS_FRAGMENT_TIMELINE;
  } else {
    stream->new_timeline = true;
  }
}

/* Forgets a fragment that is not being read. */
static void forget(kvs_stream *stream, const kvs_victim *victim) {
  kvs_view *view = &stream->view;
  const kvs_fragment *fragment = kvs_view_fragment(view, victim->at);
  uint32_t header = fragment->header;

  if (victim->at == view->newest) {
    kvs_put_end_fragment(stream);
  }
  if (kvs_view_is_ahead(view, victim->at)) {
    kvs_room_hand_on(stream, fragment);
  }
  if (stream->session.last == victim->at) {
    stream->session.last = 0;
    stream->session.ended = (fragment->state & KVS_FRAGMENT_ENDED) != 0;
  }
  if (stream->refused == victim->at) {
    stream->refused = 0;
    stream->refusals = 0;
    stream->stepped = false;
  }
  kvs_view_remove(view, victim);
  kvs_format_release(stream, header);
}

static void forget_oldest(kvs_stream *stream) {
  kvs_victim victim = {stream->view.tail, 0};

  forget(stream, &victim);
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
      (fragment->state & KVS_FRAGMENT_WENT_OUT) != 0 ? 1 : 0;
  event.u.dropped_fragment_report.reason = reason;
  event.u.dropped_fragment_report.fragments = 1;
  kvs_stream_emit(stream, &event);
}

/* The same, and tells it if it was not freed. */
static void drop(kvs_stream *stream, const kvs_victim *victim,
                 kvs_status reason) {
  kvs_fragment gone = *kvs_view_fragment(&stream->view, victim->at);

  if (victim->at == stream->view.newest) {
    stream->await_key = true;
  }
  forget(stream, victim);
  if (!kvs_fragment_is_freed(&gone)) {
    kvs_room_report_dropped(stream, &gone, reason);
  }
}

void kvs_room_drop_all(kvs_stream *stream, kvs_status reason) {
  KVS_ASSERT(!kvs_session_live(stream));
  while (stream->view.tail != 0) {
    kvs_victim victim = {stream->view.tail, 0};

    drop(stream, &victim, reason);
  }
}

/* Whether older media may go to make room for newer. */
static bool may_drop(const kvs_stream *stream) {
  return stream->info.streaming_type != KVS_STREAMING_OFFLINE &&
         stream->info.overflow_policy == KVS_OVERFLOW_DROP_OLDEST;
}

/* Whether frames may still be added to the newest fragment. */
static bool may_grow(const kvs_stream *stream) {
  return stream->fragment_open && !stream->stopping;
}

/* The same; not so when the frame that is being put begins another. */
static bool has_open(const kvs_stream *stream, const kvs_room *room) {
  return may_grow(stream) && !(stream == room->stream && room->begins);
}

static int64_t excess_of(const kvs_stream *stream) {
  const kvs_host *host = stream->host;
  uint64_t share = host->heap.page_count / kvs_max_u64(host->stream_count, 1);

  return (int64_t)stream->view.chain.pages - (int64_t)share;
}

/* The stream that exceeds its share most, of those with something to give. */
static kvs_stream *find_giver(const kvs_host *host, const kvs_room *room,
                              kvs_victim *victim) {
  kvs_stream *giver = NULL;

  for (uint32_t i = 0; i < host->stream_limit; i++) {
    kvs_stream *stream = host->streams[i];
    kvs_victim found;

    if (stream == NULL || !may_drop(stream) ||
        (giver != NULL && excess_of(stream) <= excess_of(giver)) ||
        !kvs_view_victim(&stream->view, has_open(stream, room), &found)) {
      continue;
    }
    giver = stream;
    *victim = found;
  }
  return giver;
}

/* Drops a fragment of |giver|, of whatever stream, to make room. The stream may
 * have been waiting for nothing else. */
static void sacrifice(kvs_stream *giver, const kvs_victim *victim,
                      kvs_status reason, kvs_time now) {
  drop(giver, victim, reason);
  kvs_stream_close_if_done(giver, now);
  kvs_stream_note_deadline(giver);
}

bool kvs_room_yield(kvs_stream *stream, kvs_time now) {
  kvs_room room = {stream, false, 0, 0};
  kvs_stream *giver = NULL;
  kvs_victim victim;

  if (!may_drop(stream)) {
    return false;
  }
  giver = find_giver(stream->host, &room, &victim);
  if (giver == NULL) {
    return false;
  }
  sacrifice(giver, &victim, KVS_STATUS_STORE_OUT_OF_MEMORY, now);
  return true;
}

/* Whether dropping all that may be dropped would make room. */
static bool could_fit(const kvs_room *room) {
  const kvs_host *host = room->stream->host;
  uint64_t pages = kvs_heap_available(&host->heap);

  for (uint32_t i = 0; i < host->stream_limit; i++) {
    const kvs_stream *other = host->streams[i];

    if (other != NULL && may_drop(other)) {
      pages += kvs_view_removable(&other->view, has_open(other, room));
    }
  }
  return room->len / KVS_PAGE_DATA + 2 <= pages;
}

static kvs_status refuse(kvs_stream *stream, uint64_t value, uint64_t limit) {
  stream->refusal.value = value;
  stream->refusal.limit = limit;
  return KVS_STATUS_STORE_OUT_OF_MEMORY;
}

/* ---- when nothing can go ------------------------------------------------ */

/* Ends the open fragment, so that it can be acknowledged: with a tag, if there
 * is room for one, or with the session's body. */
static void end_open(kvs_stream *stream, kvs_time now) {
  uint8_t tag[KVS_MKV_EOF_MAX];
  uint32_t len = kvs_mkv_write_end_of_fragment(tag);
  kvs_pos body = 0;

  if (kvs_view_push_tail(&stream->view, len, &body) == KVS_OK) {
    (void)kvs_heap_write(&stream->host->heap, body, tag, len);
    kvs_put_close(stream, now);
  } else {
    kvs_view_close_newest(&stream->view);
    kvs_put_end_fragment(stream);
    stream->session.close = kvs_session_live(stream);
    stream->session.idle = false;
  }
  kvs_session_wake(stream);
}

/* Of the streams that have an open fragment the one that exceeds its share
 * most.
 */
static kvs_stream *find_open(const kvs_stream *putting) {
  const kvs_host *host = putting->host;
  kvs_stream *largest = NULL;

  for (uint32_t i = 0; i < host->stream_limit; i++) {
    kvs_stream *stream = host->streams[i];

    if (stream != NULL && may_grow(stream) &&
        (largest == NULL || excess_of(stream) > excess_of(largest))) {
      largest = stream;
    }
  }
  return largest;
}

bool kvs_room_end_open(kvs_stream *stream, kvs_time now) {
  if (!stream->cramped || !stream->fragment_open) {
    return false;
  }
  stream->cramped = false;
  end_open(stream, now);
  return true;
}

/* A stream that keeps what it has is refused; but if all that it has is an open
 * fragment, that is ended when all of it was sent: room comes with its ack. */
static kvs_status keep(kvs_stream *stream, uint64_t value, uint64_t limit) {
  if (stream->fragment_open && stream->view.oldest == stream->view.newest) {
    stream->cramped = true;
    kvs_session_wake(stream);
  }
  return refuse(stream, value, limit);
}

/* ---- making room -------------------------------------------------------- */

static bool fits(const kvs_room *room) {
  const kvs_stream *stream = room->stream;

  return kvs_view_needs(&stream->view, room->begins, room->len) <=
         kvs_heap_available(&stream->host->heap);
}

/* Whether the window has room. A fragment that is alone in it may grow. */
static bool lasts(const kvs_room *room) {
  const kvs_view *view = &room->stream->view;

  return kvs_room_lasts(room->stream, room->begins, room->end) ||
         view->tail == 0 || (!room->begins && view->tail == view->newest);
}

static uint64_t whole_arena(const kvs_room *room) {
  return (uint64_t)room->stream->host->heap.page_count * KVS_PAGE_DATA;
}

/* Whether it could never be stored, or nothing may go for it: then nothing has
 * happened. */
static kvs_status judge(const kvs_room *room) {
  kvs_stream *stream = room->stream;
  uint64_t whole = whole_arena(room);

  if (room->len / KVS_PAGE_DATA + 2 > stream->host->heap.page_count) {
    return refuse(stream, room->len, whole);
  }
  if (!may_drop(stream) && !fits(room)) {
    return keep(stream, room->len, whole);
  }
  if (!may_drop(stream)) {
    uint64_t lasts = kvs_room_duration(&stream->view, room->begins, room->end);
    bool full = !kvs_room_lasts(stream, room->begins, room->end);

    stream->refusal.window = full ? stream->info.buffer_duration : 0;
    return full ? keep(stream, lasts, stream->info.buffer_duration) : KVS_OK;
  }
  return fits(room) || could_fit(room) || find_open(stream) != NULL
             ? KVS_OK
             : refuse(stream, room->len, whole); /* others keep it all */
}

kvs_status kvs_put_ask(kvs_stream *stream, const kvs_put_plan *plan) {
  kvs_room room = {stream, plan->begins, KVS_MKV_BLOCK_LEN + plan->payload,
                   plan->pts + plan->frame->duration};

  return fits(&room) && lasts(&room) ? KVS_OK : judge(&room);
}

/* Drops what stands beyond the window. */
static void clear_window(const kvs_room *room, kvs_time now) {
  kvs_stream *stream = room->stream;
  kvs_victim victim;

  while (!lasts(room) &&
         kvs_view_victim(&stream->view, has_open(stream, room), &victim)) {
    sacrifice(stream, &victim, KVS_STATUS_INVALID_CONTENT_VIEW_DURATION, now);
  }
}

static void clear_pages(const kvs_room *room, kvs_time now) {
  kvs_stream *giver;
  kvs_victim victim;

  while (!fits(room) &&
         (giver = find_giver(room->stream->host, room, &victim)) != NULL) {
    sacrifice(giver, &victim, KVS_STATUS_STORE_OUT_OF_MEMORY, now);
  }
}

kvs_status kvs_room_clear(const kvs_room *room, kvs_time now, bool *made) {
  KVS_TRY(judge(room));
  clear_window(room, now);
  if (lasts(room)) {
    if (!fits(room) && could_fit(room)) {
      clear_pages(room, now);
    }
    *made = fits(room);
    if (!*made && find_open(room->stream) != NULL) {
      end_open(find_open(room->stream), now);
    }
  }
  if (!*made && room->stream->fragment_open) {
    end_open(room->stream, now);
  }
  return KVS_OK;
}

bool kvs_room_tight(const kvs_stream *stream, uint32_t payload) {
  const kvs_heap *heap = &stream->host->heap;
  const kvs_view *view = &stream->view;
  uint64_t bytes = kvs_view_fragment(view, view->newest)->bytes + payload;
  uint32_t quarter = heap->page_count / 4;

  return kvs_heap_available(heap) < quarter &&
         kvs_view_needs(view, false, KVS_MKV_BLOCK_LEN + payload) != 0 &&
         bytes > (uint64_t)quarter / stream->host->stream_count * KVS_PAGE_DATA;
}

/* How long the room lasts that is left, by what the view holds now. */
static uint64_t time_left(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  uint64_t window = kvs_sub_u64(stream->info.buffer_duration, view->duration);
  uint64_t room = (uint64_t)kvs_heap_available(&stream->host->heap) /
                  stream->host->stream_count * KVS_PAGE_DATA;
  uint64_t ms = view->duration / KVS_TICKS_PER_MS;

  return view->bytes == 0 || ms == 0
             ? window
             : kvs_min_u64(window, room * ms / view->bytes * KVS_TICKS_PER_MS);
}

uint64_t kvs_room_pause(const kvs_stream *stream, uint64_t delay,
                        uint32_t result) {
  bool silent = result == KVS_RESULT_NETWORK_READ_TIMEOUT ||
                result == KVS_RESULT_NETWORK_CONNECTION_TIMEOUT || result == 0;

  return silent ? kvs_min_u64(delay, kvs_max_u64(time_left(stream) / 3,
                                                 KVS_TICKS_PER_SECOND))
                : delay;
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
