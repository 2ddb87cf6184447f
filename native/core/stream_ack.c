/* SPDX-License-Identifier: Apache-2.0
 * Acks come in. A fragment leaves the buffer when the ack that frees it has
 * come (ruling 1) and every older one is freed too; an ack marks its own
 * fragment alone (ruling 3). */
#include "core/stream.h"

bool kvs_ack_frees(const kvs_stream *stream, kvs_ack_type type) {
  if (stream->retention == 0) {
    return type == KVS_ACK_RECEIVED || type == KVS_ACK_PERSISTED;
  }
  return type == KVS_ACK_PERSISTED;
}

/* Gives a fragment up that the service will never take. */
static void lose(kvs_stream *stream, kvs_pos at, kvs_status reason) {
  kvs_view *view = &stream->view;
  kvs_fragment *fragment = kvs_view_fragment(view, at);

  fragment->state |= KVS_FRAGMENT_LOST | KVS_FRAGMENT_CLOSED;
  kvs_view_free(view, at);
  if (at == view->newest) {
    kvs_put_end_fragment(stream);
    stream->await_key = true;
  }
  kvs_room_report_dropped(stream, fragment, reason);
}

/* The fragment that was stepped over is at fault: one behind it was taken. */
static void give_up_refused(kvs_stream *stream) {
  kvs_pos at = stream->refused;

  stream->stepped = false;
  stream->refusals = 0;
  stream->refused = 0;
  lose(stream, at, stream->refusing);
}

void kvs_ack_free(kvs_stream *stream, kvs_pos at, kvs_time now) {
  if (stream->stepped && at != stream->refused) {
    give_up_refused(stream);
  }
  kvs_view_free(&stream->view, at);
  stream->persisted_at = now.mono;
  stream->unnamed = 0;
  kvs_retry_succeeded(&stream->session_retry);
  kvs_room_trim(stream);
}

static void tell_ack(kvs_stream *stream, const kvs_ack *ack, kvs_status status,
                     bool matched) {
  kvs_event event = kvs_event_make(KVS_EVENT_FRAGMENT_ACK_RECEIVED);

  event.u.fragment_ack_received.session = stream->session.number;
  event.u.fragment_ack_received.ack_type = (uint64_t)ack->type;
  event.u.fragment_ack_received.timecode = ack->timecode;
  event.u.fragment_ack_received.error = ack->error_id;
  event.u.fragment_ack_received.status = status;
  event.u.fragment_ack_received.matched = matched ? 1 : 0;
  event.text = ack->number;
  event.text_len = ack->number_len;
  kvs_stream_emit(stream, &event);
}

/* Marks what the ack says of its fragment. */
static void mark(kvs_stream *stream, const kvs_ack *ack, kvs_pos at,
                 kvs_time now) {
  kvs_fragment *fragment = kvs_view_fragment(&stream->view, at);

  switch (ack->type) {
    case KVS_ACK_BUFFERING:
      fragment->state |= KVS_FRAGMENT_BUFFERING;
      kvs_metrics_smooth(&stream->metrics.buffering_latency,
                         kvs_sub_u64(now.mono, fragment->taken_at));
      break;
    case KVS_ACK_RECEIVED:
      fragment->state |= KVS_FRAGMENT_RECEIVED;
      kvs_metrics_smooth(&stream->metrics.received_latency,
                         kvs_sub_u64(now.mono, fragment->sent_at));
      break;
    case KVS_ACK_PERSISTED:
      fragment->state |= KVS_FRAGMENT_PERSISTED;
      kvs_metrics_smooth(&stream->metrics.persisted_latency,
                         kvs_sub_u64(now.mono, fragment->sent_at));
      break;
    case KVS_ACK_ERROR:
    case KVS_ACK_IDLE:
      break;
  }
  /* Only what was sent whole can be durable, whatever the ack says. */
  if (kvs_ack_frees(stream, ack->type) &&
      (fragment->state & KVS_FRAGMENT_SENT) != 0) {
    kvs_ack_free(stream, at, now);
  }
}

/* A fragment that is refused for no fault of its own is sent again; so often,
 * and then the next is tried. If that is taken, it was the fragment, and it is
 * given up; if not, it is the service, and nothing was learned (ruling 40). */
#define REFUSALS 10

bool kvs_ack_steps_over(const kvs_stream *stream, kvs_pos at) {
  return at != 0 && at == stream->refused && stream->refusals >= REFUSALS &&
         kvs_view_fragment(&stream->view, at)->next != 0;
}

kvs_pos kvs_ack_awaited(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  kvs_pos at = view->oldest;

  while (at != 0 && stream->stepped &&
         (at == stream->refused ||
          kvs_fragment_is_freed(kvs_view_fragment(view, at)))) {
    at = kvs_view_fragment(view, at)->next;
  }
  return at;
}

static void note_refusal(kvs_stream *stream, kvs_pos at, kvs_status why) {
  if (at == 0) {
    return;
  }
  if (stream->stepped) {
    stream->stepped = false;
    stream->refusals = 0;
    return;
  }
  stream->refusals = at == stream->refused ? stream->refusals + 1 : 1;
  stream->refused = at;
  stream->refusing = why;
}

/* An error that names no fragment is the session's, and all goes again. When it
 * has come so often in a row that chance is out of the question it can but be
 * the oldest one's, which every session begins with: sent on and on, it would
 * hold up all that follow, in an offline stream for ever. */
#define UNNAMED_ERRORS 3

static kvs_pos accused(kvs_stream *stream) {
  const kvs_session *session = &stream->session;

  stream->unnamed++;
  return stream->unnamed < UNNAMED_ERRORS || !session->sent_any
             ? 0
             : stream->view.oldest;
}

static void handle_error(kvs_stream *stream, const kvs_ack *ack, kvs_pos at,
                         kvs_time now) {
  kvs_status status = kvs_ack_error_status(ack->error_id);
  /* A service may say anything: what ticks cannot tell is "never". */
  uint64_t timecode = !ack->has_timecode ? 0
                      : ack->timecode > KVS_NEVER / KVS_TICKS_PER_MS
                          ? KVS_NEVER
                          : ack->timecode * KVS_TICKS_PER_MS;

  kvs_state_report(stream, timecode, status, ack->error_id,
                   stream->session_retry.attempts + 1);
  if (at != 0 &&
      (kvs_view_fragment(&stream->view, at)->state & KVS_FRAGMENT_FREED) != 0) {
    at = 0; /* it is stored, or was given up before: nothing is to be done */
  }
  if (at != 0 && status == KVS_STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK &&
      kvs_format_settle(stream, at, now)) {
    return; /* it goes again, without the track that it lacks */
  }
  if (kvs_ack_error_remedy(ack->error_id) == KVS_REMEDY_SKIP_FRAGMENT) {
    if (!ack->has_timecode) {
      at = accused(stream);
    }
    if (at != 0) {
      lose(stream, at, status);
      stream->unnamed = 0;
      kvs_retry_succeeded(&stream->session_retry);
    }
  } else if (kvs_ack_error_remedy(ack->error_id) == KVS_REMEDY_RESEND) {
    note_refusal(stream, at, status);
  }
  kvs_session_abort(stream, status, ack->error_id, true, now);
}

static void count_ack(kvs_stream *stream, kvs_ack_type type) {
  kvs_stream_metrics *metrics = &stream->metrics;

  switch (type) {
    case KVS_ACK_BUFFERING:
      metrics->buffered_acks++;
      break;
    case KVS_ACK_RECEIVED:
      metrics->received_acks++;
      break;
    case KVS_ACK_PERSISTED:
      metrics->persisted_acks++;
      break;
    case KVS_ACK_ERROR:
      metrics->error_acks++;
      break;
    case KVS_ACK_IDLE:
      metrics->idle_acks++;
      break;
  }
}

static void handle_ack(kvs_stream *stream, const kvs_ack *ack, kvs_time now) {
  kvs_pos at = 0;

  /* The next take would note it, but an ack may be faster. */
  kvs_body_note_sent(stream, now);
  stream->session.acked_at = now.mono;
  stream->session.progress = now.mono;
  count_ack(stream, ack->type);
  if (ack->has_timecode) {
    at = kvs_view_find(&stream->view, ack->timecode);
  }
  if (ack->type != KVS_ACK_IDLE) {
    stream->metrics.unmatched_acks += at == 0 ? 1 : 0;
    tell_ack(stream, ack,
             ack->type == KVS_ACK_ERROR ? kvs_ack_error_status(ack->error_id)
                                        : KVS_OK,
             at != 0);
  }
  if (ack->type == KVS_ACK_ERROR) {
    handle_error(stream, ack, at, now);
  } else if (at != 0) {
    mark(stream, ack, at, now);
  }
}

/* After acks: the body may be whole now, the stream done, a session due. */
static void after_acks(kvs_stream *stream, kvs_time now) {
  if (stream->session.phase == KVS_PHASE_AWAIT) {
    kvs_session_wake(stream);
  }
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
}

static kvs_status feed(kvs_stream *stream, const uint8_t *bytes, size_t len,
                       kvs_time now) {
  uint64_t number = stream->session.number;
  kvs_status last = KVS_OK;
  size_t at = 0;

  /* An Error ack ends the session: what follows it is nobody's. */
  while (at < len && kvs_session_live(stream) &&
         stream->session.number == number) {
    bool complete = false;
    size_t used = 0;
    kvs_ack ack;

    last = kvs_ack_parse(&stream->session.acks, bytes + at, len - at, &used,
                         &complete, &ack);
    at += used;
    if (last != KVS_OK) {
      kvs_state_report(stream, 0, last, 0, 1);
    } else if (complete) {
      handle_ack(stream, &ack, now);
    }
  }
  return last;
}

kvs_status kvs_stream_parse_ack(kvs_stream *stream, uint64_t session,
                                const uint8_t *bytes, size_t len,
                                kvs_time now) {
  kvs_status status;

  if (stream == NULL || (bytes == NULL && len != 0)) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (!kvs_session_live(stream) || stream->session.number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  status = feed(stream, bytes, len, now);
  after_acks(stream, now);
  return status;
}

kvs_status kvs_stream_ack(kvs_stream *stream, uint64_t session,
                          const kvs_ack *ack, kvs_time now) {
  if (stream == NULL || ack == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (ack->type < KVS_ACK_BUFFERING || ack->type > KVS_ACK_IDLE) {
    return KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE;
  }
  if (ack->number_len > KVS_MAX_FRAGMENT_NUMBER_LEN) {
    return KVS_STATUS_INVALID_ARG_LEN;
  }
  if (!kvs_session_live(stream) || stream->session.number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  handle_ack(stream, ack, now);
  after_acks(stream, now);
  return KVS_OK;
}
