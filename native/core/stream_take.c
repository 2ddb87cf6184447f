/* SPDX-License-Identifier: Apache-2.0
 * The PutMedia session: what goes out and when the body ends.
 *
 *   HEADER ─► BODY ─► EOF ─► AWAIT ─► END        (any) ─► NONE by abort
 *
 * A session begins at the oldest fragment that is not freed (ruling 2) and
 * ends at a fragment boundary: with END_OF_FRAGMENT, then the body stays open
 * for the freeing ack (ruling 4). Sessions never overlap. */
#include "core/stream.h"

/* A session without media for this long is told to run dry. */
#define UNDERFLOW_AFTER KVS_TICKS_PER_SECOND

void kvs_session_begin(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;
  uint64_t number = session->number + 1;
  kvs_view *view = &stream->view;

  kvs_view_rewind(view);
  memset(session, 0, sizeof(*session));
  session->number = number;
  if (view->current == 0) {
    return;
  }
  session->phase = KVS_PHASE_HEADER;
  session->header = kvs_view_fragment(view, view->current)->header;
  session->result = KVS_RESULT_OK;
  session->opened_at = now.mono;
  session->progress = now.mono;
  session->acked_at = now.mono;
  session->until =
      kvs_min_u64(kvs_add_u64(now.mono, stream->info.session_duration),
                  stream->token_until);
  kvs_ack_parser_init(&session->acks);
  kvs_format_hold(stream, session->header);
  stream->metrics.total_sessions++;
}

/* Whether the service may have lost what it had received: any result but those
 * that only a living host gives (guide: replay_duration). */
static bool is_dead_host(uint32_t result) {
  return !(result == KVS_RESULT_OK || result == KVS_RESULT_NOT_AUTHORIZED ||
           (result >= 10000 && result <= 10002) || result == 4000 ||
           result == 4003 || result == 4008 ||
           (result >= 4500 && result <= 4507) || result == 5000 ||
           result == 5001);
}

/* Whether freed media are kept to be sent again, because no ack ever says that
 * they are durable (ruling 2). */
static bool replays(const kvs_stream *stream) {
  return stream->info.replay_duration != 0 &&
         (stream->retention == 0 || !stream->info.fragment_acks);
}

bool kvs_session_keeps(const kvs_stream *stream, const kvs_fragment *oldest) {
  uint64_t window =
      kvs_min_u64(stream->info.replay_duration, stream->info.buffer_duration);

  return replays(stream) && !stream->stopping &&
         (oldest->state & KVS_FRAGMENT_LOST) == 0 &&
         stream->view.duration - kvs_sub_u64(oldest->end, oldest->begin) <
             window;
}

/* The session is over; media that were not freed will be sent again. */
static void session_over(kvs_stream *stream, kvs_status status, uint32_t result,
                         bool failed, kvs_time now) {
  kvs_session *session = &stream->session;
  kvs_event event = kvs_event_make(KVS_EVENT_SESSION_ENDED);

  stream->session_time += kvs_sub_u64(now.mono, session->opened_at);
  session->phase = KVS_PHASE_NONE;
  kvs_format_release(stream, session->header);
  if (failed && replays(stream) && is_dead_host(result)) {
    kvs_view_unfree(&stream->view);
  }
  kvs_view_rewind(&stream->view);
  kvs_room_trim(stream);
  event.u.session_ended.session = session->number;
  event.u.session_ended.status = status;
  event.u.session_ended.result = result;
  kvs_stream_emit(stream, &event);
  kvs_state_after_session(stream, result, failed, now);
}

void kvs_session_abort(kvs_stream *stream, kvs_status status, uint32_t result,
                       bool failed, kvs_time now) {
  kvs_event event = kvs_event_make(KVS_EVENT_ABORT_STREAM);

  event.u.abort_stream.session = stream->session.number;
  event.u.abort_stream.status = status;
  kvs_stream_emit(stream, &event);
  session_over(stream, status, result, failed, now);
}

void kvs_session_tell_data(kvs_stream *stream) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_DATA_AVAILABLE);

  stream->session.waiting = false;
  event.u.stream_data_available.session = stream->session.number;
  event.u.stream_data_available.duration =
      kvs_view_unread_duration(&stream->view);
  event.u.stream_data_available.bytes = stream->view.unread_bytes;
  kvs_stream_emit(stream, &event);
}

/* Marks the fragment that the reader has left as sent. */
static void note_sent(kvs_stream *stream, kvs_time now) {
  kvs_view *view = &stream->view;
  kvs_pos at = view->fragment;
  kvs_fragment *fragment;

  if (at == 0 || kvs_view_reading(view, at)) {
    return;
  }
  fragment = kvs_view_fragment(view, at);
  if ((fragment->state & (KVS_FRAGMENT_SENT | KVS_FRAGMENT_FREED)) != 0) {
    return;
  }
  fragment->state |= KVS_FRAGMENT_SENT;
  fragment->sent_at = now.mono;
  if (!stream->info.fragment_acks) {
    kvs_ack_free(stream, at, now);
  }
}

/* Whether every fragment that was sent is freed (or given up waiting for). */
static bool all_freed(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  const kvs_session *session = &stream->session;
  kvs_pos at = session->missing ? session->last : view->oldest;

  return at == 0 ||
         (kvs_view_fragment(view, at)->state &
          (KVS_FRAGMENT_SENT | KVS_FRAGMENT_FREED)) != KVS_FRAGMENT_SENT;
}

static void finish_body(kvs_stream *stream) {
  stream->session.phase = all_freed(stream) ? KVS_PHASE_END : KVS_PHASE_AWAIT;
}

/* Ends the body after the fragment that the reader has just left. */
static void enter_eof(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;
  kvs_view *view = &stream->view;

  if (session->last == 0) { /* nothing was sent, or all of it is freed */
    session->phase = session->sent_any ? KVS_PHASE_AWAIT : KVS_PHASE_END;
    finish_body(stream);
    return;
  }
  if (session->last == view->newest) {
    kvs_view_close_newest(view);
    stream->fragment_open = false;
    if (kvs_format_settle(stream, view->newest, now)) {
      return; /* the session is broken: it goes again with another header */
    }
  }
  session->phase = KVS_PHASE_EOF;
  session->offset = 0;
  if ((kvs_view_fragment(view, session->last)->state & KVS_FRAGMENT_ENDED) !=
      0) {
    note_sent(stream, now);
    finish_body(stream);
  }
}

/* Whether the session may not carry the fragment that comes next. */
static bool must_end(const kvs_stream *stream, const kvs_fragment *next,
                     kvs_time now) {
  const kvs_session *session = &stream->session;

  if (next->header != session->header) {
    return true;
  }
  return session->sent_any && ((next->state & KVS_FRAGMENT_TIMELINE) != 0 ||
                               session->finish || now.mono >= session->until);
}

/* Whether the body ends when everything is read. */
static bool ends_when_read(const kvs_stream *stream) {
  return stream->stopping || stream->session.close;
}

static void begin_fragment(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;

  session->last = stream->view.current;
  session->sent_any = true;
  kvs_view_fragment(&stream->view, session->last)->taken_at = now.mono;
}

/* At a fragment's first byte: true when the caller is to look again. */
static bool at_boundary(kvs_stream *stream, kvs_time now) {
  kvs_view *view = &stream->view;
  const kvs_fragment *next = kvs_view_fragment(view, view->current);

  if ((next->state & KVS_FRAGMENT_FREED) != 0) {
    kvs_view_pass(view);
    kvs_room_trim(stream);
    return true;
  }
  if (must_end(stream, next, now)) {
    if (now.mono >= stream->session.until) {
      stream->session.result = KVS_RESULT_TOKEN_ROTATION;
    }
    enter_eof(stream, now);
    return true;
  }
  begin_fragment(stream, now);
  return false;
}

static size_t take_body(kvs_stream *stream, uint8_t *buf, size_t len,
                        kvs_time now, bool *again) {
  kvs_view *view = &stream->view;
  size_t n;

  if (view->current == 0 || kvs_view_at_fragment_start(view)) {
    note_sent(stream, now);
    if (view->current != 0 && at_boundary(stream, now)) {
      *again = true;
      return 0;
    }
  }
  n = kvs_view_read(view, buf, len);
  if (n == 0 && ends_when_read(stream)) {
    enter_eof(stream, now);
    *again = true;
  }
  return n;
}

static size_t take_header(kvs_stream *stream, uint8_t *buf, size_t len) {
  kvs_session *session = &stream->session;
  const kvs_header *header = &stream->headers[session->header];
  const kvs_heap *heap = &stream->host->heap;
  uint32_t left = header->len - session->offset;
  size_t n = len < left ? len : left;

  (void)kvs_heap_read(heap, kvs_heap_skip(heap, header->at, session->offset),
                      buf, n);
  session->offset += (uint32_t)n;
  if (session->offset == header->len) {
    session->phase = KVS_PHASE_BODY;
  }
  return n;
}

static size_t take_tag(kvs_stream *stream, uint8_t *buf, size_t len,
                       kvs_time now) {
  kvs_session *session = &stream->session;
  uint8_t tag[KVS_MKV_EOF_MAX];
  uint32_t whole = kvs_mkv_write_end_of_fragment(tag);
  uint32_t left = whole - session->offset;
  size_t n = len < left ? len : left;

  memcpy(buf, tag + session->offset, n);
  session->offset += (uint32_t)n;
  if (session->offset == whole) {
    note_sent(stream, now);
    finish_body(stream);
  }
  return n;
}

static size_t take_bytes(kvs_stream *stream, uint8_t *buf, size_t len,
                         kvs_time now) {
  size_t done = 0;
  bool more = true;

  while (more && done < len) {
    bool again = false;
    size_t n = 0;

    switch (stream->session.phase) {
      case KVS_PHASE_HEADER:
        n = take_header(stream, buf + done, len - done);
        break;
      case KVS_PHASE_BODY:
        n = take_body(stream, buf + done, len - done, now, &again);
        break;
      case KVS_PHASE_EOF:
        n = take_tag(stream, buf + done, len - done, now);
        break;
      case KVS_PHASE_AWAIT:
        finish_body(stream);
        break;
      case KVS_PHASE_NONE:
      case KVS_PHASE_END:
        break;
    }
    done += n;
    more = n != 0 || again;
  }
  return done;
}

/* Bytes that were taken, or that there were none. */
static kvs_status account(kvs_stream *stream, size_t taken, kvs_time now) {
  kvs_session *session = &stream->session;

  if (taken != 0) {
    session->progress = now.mono;
    stream->metrics.transferred_bytes += taken;
    stream->rates.bytes += taken;
    return KVS_OK;
  }
  if (session->phase == KVS_PHASE_END) {
    return KVS_STATUS_END_OF_STREAM;
  }
  session->waiting = true;
  return session->phase == KVS_PHASE_AWAIT ? KVS_STATUS_AWAITING_PERSISTED_ACK
                                           : KVS_STATUS_NO_MORE_DATA_AVAILABLE;
}

/* |*taken| bytes were taken already. */
static kvs_status take(kvs_stream *stream, uint8_t *buf, size_t len,
                       kvs_time now, size_t *taken) {
  kvs_session *session = &stream->session;
  uint64_t number = session->number;

  if (!session->opened) {
    session->waiting = true;
    return KVS_STATUS_NO_MORE_DATA_AVAILABLE;
  }
  *taken += take_bytes(stream, buf + *taken, len - *taken, now);
  if (session->number != number || !kvs_session_live(stream)) {
    *taken = 0;
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  return account(stream, *taken, now);
}

static uint64_t idle_at(const kvs_stream *stream) {
  const kvs_session *session = &stream->session;

  if (stream->info.idle_duration == 0 || !session->opened ||
      session->phase != KVS_PHASE_BODY || session->close ||
      stream->view.current != 0) {
    return KVS_NEVER;
  }
  return kvs_add_u64(stream->last_put, stream->info.idle_duration);
}

/* When a session that waits for media is told to have run dry. */
static uint64_t dry_at(const kvs_stream *stream) {
  if (!stream->session.opened || stream->dry_told ||
      stream->session.phase != KVS_PHASE_BODY || stream->view.current != 0) {
    return KVS_NEVER;
  }
  return kvs_add_u64(stream->last_put, UNDERFLOW_AFTER);
}

/* When a session without media is to be looked after. */
static uint64_t quiet_at(const kvs_stream *stream) {
  return stream->view.current != 0
             ? KVS_NEVER
             : kvs_min_u64(dry_at(stream), idle_at(stream));
}

/* Whether all is read of a fragment that may still grow. */
static bool is_dry(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;

  return view->current == 0 && kvs_view_reading(view, view->fragment) &&
         !ends_when_read(stream);
}

/* Within a fragment only bytes move, and they put every deadline off but that
 * of a session without media. True: that was all that there is to do. */
static bool take_within(kvs_stream *stream, uint8_t *buf, size_t len,
                        size_t *taken) {
  if (stream->view.current != 0) {
    if (kvs_view_at_fragment_start(&stream->view)) {
      return false;
    }
    *taken = kvs_view_read(&stream->view, buf, len);
  }
  if (*taken != len && !is_dry(stream)) {
    return false;
  }
  kvs_host_note_deadline(stream->host, quiet_at(stream));
  return true;
}

kvs_status kvs_stream_take(kvs_stream *stream, uint64_t session, uint8_t *buf,
                           size_t len, kvs_time now, size_t *taken) {
  kvs_status status;

  if (stream == NULL || buf == NULL || taken == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  *taken = 0;
  KVS_TRY(kvs_stream_guard(stream));
  if (len == 0) {
    return KVS_STATUS_BUFFER_TOO_SMALL;
  }
  if (!kvs_session_live(stream) || stream->session.number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  if (kvs_stream_flows(stream) && take_within(stream, buf, len, taken)) {
    return account(stream, *taken, now);
  }
  status = take(stream, buf, len, now, taken);
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return status;
}

kvs_status kvs_stream_session_ended(kvs_stream *stream, uint64_t session,
                                    uint32_t result, kvs_time now) {
  kvs_session *live;
  bool whole;

  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  live = &stream->session;
  if (!kvs_session_live(stream) || live->number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  (void)kvs_machine_end_call(&stream->machine, stream->machine.calls);
  whole = live->phase == KVS_PHASE_END;
  if (whole) {
    session_over(stream, KVS_OK, live->result, false, now);
  } else {
    /* A clean answer to half a body is a lost connection all the same. */
    session_over(
        stream, KVS_STATUS_PUT_STREAM_CALL_FAILED,
        result == KVS_RESULT_OK ? KVS_RESULT_NETWORK_READ_TIMEOUT : result,
        true, now);
  }
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

uint64_t kvs_session_unread_due(const kvs_stream *stream) {
  const kvs_session *session = &stream->session;
  uint64_t patience = stream->info.connection_staleness;

  return patience == 0
             ? KVS_NEVER
             : kvs_add_u64(kvs_max_u64(session->progress, session->acked_at),
                           patience);
}

/* When the session counts as stale, or KVS_NEVER: a fragment that was sent
 * whole and brought no ack, or bytes that nobody takes. */
static uint64_t stale_at(const kvs_stream *stream) {
  const kvs_session *session = &stream->session;
  const kvs_view *view = &stream->view;
  uint64_t patience = stream->info.connection_staleness;
  uint64_t at = KVS_NEVER;

  if (patience == 0 || !kvs_session_live(stream) || !session->opened) {
    return KVS_NEVER;
  }
  if (view->current != 0 || session->phase == KVS_PHASE_HEADER) {
    at = kvs_session_unread_due(stream);
  }
  if (view->oldest != 0 && stream->info.fragment_acks) {
    const kvs_fragment *oldest = kvs_view_fragment(view, view->oldest);

    if ((oldest->state & KVS_FRAGMENT_SENT) != 0) {
      uint64_t since = kvs_max_u64(oldest->sent_at, session->acked_at);

      at = kvs_min_u64(at, kvs_add_u64(since, patience));
    }
  }
  if (session->phase == KVS_PHASE_END) {
    /* The host was told to end the body and has not said that it did. */
    at = kvs_session_unread_due(stream);
  }
  return at;
}

/* When the oldest fragment, passed over by two newer acks, is given up waiting
 * for (ruling 3), or KVS_NEVER. */
static uint64_t missing_at(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  uint32_t newer = 0;
  const kvs_fragment *oldest;
  kvs_pos at;

  if (view->oldest == 0 || !kvs_session_live(stream) ||
      stream->session.missing || stream->info.connection_staleness == 0) {
    return KVS_NEVER;
  }
  oldest = kvs_view_fragment(view, view->oldest);
  if ((oldest->state & (KVS_FRAGMENT_SENT | KVS_FRAGMENT_FREED)) !=
      KVS_FRAGMENT_SENT) {
    return KVS_NEVER;
  }
  for (at = oldest->next; at != 0 && newer < 2;
       at = kvs_view_fragment(view, at)->next) {
    if ((kvs_view_fragment(view, at)->state & KVS_FRAGMENT_FREED) == 0) {
      return KVS_NEVER; /* only what stands right behind it counts: O(1) */
    }
    newer++;
  }
  return newer < 2
             ? KVS_NEVER
             : kvs_add_u64(oldest->sent_at, stream->info.connection_staleness);
}

static void tell_dry(kvs_stream *stream) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_UNDERFLOW_REPORT);

  stream->dry_told = true;
  event.u.stream_underflow_report.session = stream->session.number;
  kvs_stream_emit(stream, &event);
}

uint64_t kvs_session_deadline(const kvs_stream *stream) {
  uint64_t at = kvs_min_u64(stale_at(stream), missing_at(stream));

  return kvs_min_u64(at, quiet_at(stream));
}

static void go_stale(kvs_stream *stream, kvs_time now) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_CONNECTION_STALE);

  event.u.stream_connection_stale.session = stream->session.number;
  event.u.stream_connection_stale.since =
      kvs_sub_u64(now.mono, stream->session.acked_at);
  stream->metrics.stale_events++;
  kvs_stream_emit(stream, &event);
  if (stream->session.phase == KVS_PHASE_END) {
    session_over(stream, KVS_OK, stream->session.result, false, now);
    return;
  }
  kvs_session_abort(stream, KVS_STATUS_OPERATION_TIMED_OUT,
                    KVS_RESULT_NETWORK_READ_TIMEOUT, true, now);
}

void kvs_session_step(kvs_stream *stream, kvs_time now) {
  if (!kvs_session_live(stream)) {
    return;
  }
  if (missing_at(stream) <= now.mono) {
    stream->session.missing = true;
    stream->session.finish = true;
    stream->session.close = true;
    kvs_session_wake(stream);
  }
  if (stale_at(stream) <= now.mono) {
    go_stale(stream, now);
    return;
  }
  if (dry_at(stream) <= now.mono) {
    tell_dry(stream);
  }
  if (idle_at(stream) <= now.mono) {
    stream->session.close = true;
    kvs_session_wake(stream);
  }
}
