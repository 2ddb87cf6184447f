/* SPDX-License-Identifier: Apache-2.0
 * The PutMedia session: when it begins, what breaks it, what it waits for. It
 * begins at the oldest fragment that is not freed (ruling 2); sessions never
 * overlap. */
#include "core/stream.h"

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
  stream->stepped = kvs_ack_steps_over(stream, view->current);
  if (stream->stepped) {
    kvs_view_pass(view);
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
  bool refused = session->phase == KVS_PHASE_END; /* all of it */

  stream->session_time += kvs_sub_u64(now.mono, session->opened_at);
  session->phase = KVS_PHASE_NONE;
  kvs_format_release(stream, session->header);
  if (failed && replays(stream) && (is_dead_host(result) || refused)) {
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
  kvs_queue *queue = &stream->host->queue;
  uint64_t session = stream->session.number;
  uint64_t duration = kvs_view_unread_duration(&stream->view);
  uint64_t bytes = stream->view.unread_bytes;
  kvs_event event;

  stream->session.waiting = false;
  if (KVS_USUALLY(!kvs_queue_waits(queue))) {
    kvs_queue_begin_data(queue, stream->id, session, duration, bytes);
    return;
  }
  event = kvs_event_make(KVS_EVENT_STREAM_DATA_AVAILABLE);
  event.u.stream_data_available.session = session;
  event.u.stream_data_available.duration = duration;
  event.u.stream_data_available.bytes = bytes;
  kvs_stream_emit(stream, &event);
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
  /* Without acks the answer alone says whether a body that was taken whole was
   * wanted at all. */
  whole = live->phase == KVS_PHASE_END &&
          (stream->info.fragment_acks || result == KVS_RESULT_OK);
  if (live->phase == KVS_PHASE_END && !whole) {
    kvs_state_report(stream, 0, KVS_STATUS_PUT_STREAM_CALL_FAILED, result, 1);
  }
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
  if (view->oldest != 0 && stream->info.fragment_acks &&
      kvs_ack_awaited(stream) != 0) {
    const kvs_fragment *oldest =
        kvs_view_fragment(view, kvs_ack_awaited(stream));

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
  const kvs_fragment *oldest;

  if (view->passed + view->gone < 2 || !kvs_session_live(stream) ||
      stream->session.missing || stream->info.connection_staleness == 0) {
    return KVS_NEVER;
  }
  oldest = kvs_view_fragment(view, view->oldest);
  return (oldest->state & KVS_FRAGMENT_SENT) == 0
             ? KVS_NEVER
             : kvs_add_u64(oldest->sent_at, stream->info.connection_staleness);
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
  return kvs_add_u64(stream->last_put, KVS_UNDERFLOW_AFTER);
}

static void tell_dry(kvs_stream *stream) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_UNDERFLOW_REPORT);

  stream->dry_told = true;
  event.u.stream_underflow_report.session = stream->session.number;
  kvs_stream_emit(stream, &event);
}

uint64_t kvs_session_deadline(const kvs_stream *stream) {
  uint64_t at = kvs_min_u64(stale_at(stream), missing_at(stream));

  return kvs_min_u64(at, kvs_min_u64(dry_at(stream), idle_at(stream)));
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
    stream->session.idle = false;
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
    stream->session.idle = true;
    kvs_put_shut_short(stream); /* the next frame may take that back */
    kvs_session_wake(stream);
  }
}
