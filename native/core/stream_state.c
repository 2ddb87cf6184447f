/* SPDX-License-Identifier: Apache-2.0
 * The stream's state machine: the guide's states, one service call each.
 *
 *   NEW ─► DESCRIBE ─► [CREATE ─► DESCRIBE] ─► [TAG_STREAM] ─► GET_ENDPOINT
 *       ─► GET_TOKEN ─► READY ─► PUT_STREAM ─► STREAMING ─► ... ─► STOPPED
 *
 * Everything that a service can answer is retried for ever with a capped,
 * jittered back-off, and told after each fifth failure in a row; only
 * restart_on_error = false makes a service error final (ruling 12). Answers
 * that lead round in a circle are failures, too: each round counts as one. */
#include "core/stream.h"

#define S(name) ((uint32_t)KVS_STREAM_STATE_##name)
#define ANY                                                          \
  (S(NEW) | S(DESCRIBE) | S(CREATE) | S(TAG_STREAM) | S(GET_TOKEN) | \
   S(GET_ENDPOINT) | S(READY) | S(PUT_STREAM) | S(STREAMING) | S(STOPPED))
/* States that a session can be left from. */
#define SESSION (S(PUT_STREAM) | S(STREAMING) | S(READY))

static const kvs_state_row rows[] = {
    {S(NEW), S(STOPPED), KVS_NO_CALL, KVS_STATUS_INVALID_STREAM_READY_STATE},
    {S(DESCRIBE), ANY, KVS_EVENT_DESCRIBE_STREAM,
     KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED},
    {S(CREATE), S(DESCRIBE) | S(CREATE), KVS_EVENT_CREATE_STREAM,
     KVS_STATUS_CREATE_STREAM_CALL_FAILED},
    {S(TAG_STREAM), S(DESCRIBE) | S(TAG_STREAM), KVS_EVENT_TAG_RESOURCE,
     KVS_STATUS_TAG_STREAM_CALL_FAILED},
    {S(GET_ENDPOINT),
     S(DESCRIBE) | S(TAG_STREAM) | S(GET_ENDPOINT) | S(GET_TOKEN) | SESSION,
     KVS_EVENT_GET_STREAMING_ENDPOINT,
     KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED},
    {S(GET_TOKEN), S(GET_ENDPOINT) | S(GET_TOKEN) | SESSION,
     KVS_EVENT_GET_STREAMING_TOKEN, KVS_STATUS_GET_STREAMING_TOKEN_CALL_FAILED},
    {S(READY), S(GET_TOKEN) | SESSION, KVS_NO_CALL,
     KVS_STATUS_STREAM_READY_CALLBACK_FAILED},
    {S(PUT_STREAM), S(READY) | S(PUT_STREAM) | S(STREAMING),
     KVS_EVENT_PUT_STREAM, KVS_STATUS_PUT_STREAM_CALL_FAILED},
    {S(STREAMING), S(PUT_STREAM), KVS_NO_CALL,
     KVS_STATUS_PUT_STREAM_CALL_FAILED},
    {S(STOPPED), ANY, KVS_NO_CALL, KVS_STATUS_STREAM_HAS_BEEN_STOPPED},
};

#define ROW_COUNT ((uint32_t)(sizeof(rows) / sizeof(rows[0])))

void kvs_state_init(kvs_stream *stream) {
  kvs_machine_init(&stream->machine, rows, ROW_COUNT, S(NEW));
}

static void tell_state(kvs_stream *stream, uint32_t from) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_STATE_CHANGED);

  if (from == stream->machine.state) {
    return;
  }
  event.u.stream_state_changed.from = from;
  event.u.stream_state_changed.to = stream->machine.state;
  kvs_stream_emit(stream, &event);
}

static void enter(kvs_stream *stream, uint32_t state, uint64_t delay,
                  kvs_time now) {
  uint32_t from = stream->machine.state;
  kvs_status status =
      kvs_machine_enter(&stream->machine, state, now.mono, delay);

  KVS_ASSERT(status == KVS_OK);
  (void)status;
  tell_state(stream, from);
}

/* Goes on after a success. */
static void go(kvs_stream *stream, uint32_t state, kvs_time now) {
  kvs_retry_succeeded(&stream->machine.retry);
  enter(stream, state, 0, now);
}

void kvs_state_report(kvs_stream *stream, uint64_t timecode, kvs_status status,
                      uint32_t result, uint32_t attempts) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_ERROR_REPORT);

  stream->metrics.errors++;
  event.u.stream_error_report.session = stream->session.number;
  event.u.stream_error_report.timecode = timecode;
  event.u.stream_error_report.status = status;
  event.u.stream_error_report.result = result;
  event.u.stream_error_report.attempts = attempts;
  kvs_stream_emit(stream, &event);
}

/* A service error that restart_on_error = false makes final. */
static void give_up(kvs_stream *stream, kvs_status status, uint32_t result,
                    kvs_time now) {
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_CLOSED);

  kvs_state_report(stream, 0, status, result, 1);
  if (!stream->stopping) {
    stream->dropped_at_stop = stream->metrics.dropped_frames;
  }
  stream->stopping = true;
  stream->closed = true;
  kvs_put_report_skipped(stream);
  kvs_tags_lose(stream, status);
  kvs_room_drop_all(stream, status);
  enter(stream, S(STOPPED), 0, now);
  event.u.stream_closed.session = stream->session.number;
  event.u.stream_closed.status = status;
  event.u.stream_closed.dropped =
      stream->metrics.dropped_frames - stream->dropped_at_stop;
  kvs_stream_emit(stream, &event);
}

/* Enters |state| after a failure, as |retry| counts it. */
static void back_off(kvs_stream *stream, kvs_retry *retry, uint32_t state,
                     kvs_status status, uint32_t result, kvs_time now) {
  uint64_t delay;

  if (!stream->info.restart_on_error) {
    give_up(stream, status, result, now);
    return;
  }
  delay = kvs_room_pause(
      stream, kvs_retry_failed(retry, kvs_host_random(stream->host)), result);
  stream->metrics.api_call_retries++;
  if (kvs_retry_reports(retry)) {
    kvs_state_report(stream, 0, status, result, retry->attempts);
  }
  enter(stream, state, delay, now);
}

/* Makes the present state's call again after it failed. */
static void again(kvs_stream *stream, kvs_status status, uint32_t result,
                  kvs_time now) {
  back_off(stream, &stream->machine.retry, stream->machine.state, status,
           result, now);
}

/* Goes to |state|, of another call, by an answer of the present one. Calls that
 * succeed one by one may still lead nowhere: a stream that is made and never
 * found, an endpoint of a stream that is not there. To come back to a call that
 * was answered before is a failure, therefore, up to where a session can be
 * opened; but that a stream which was just made is looked for once more. */
static void lead(kvs_stream *stream, uint32_t state, kvs_status status,
                 uint32_t result, kvs_time now) {
  uint32_t from = stream->machine.state;

  if (from == S(CREATE)) {
    stream->answered &= ~S(DESCRIBE);
  }
  stream->answered |= from;
  if ((stream->answered & state) == 0) {
    go(stream, state, now);
    return;
  }
  stream->answered = 0;
  kvs_retry_succeeded(&stream->machine.retry);
  back_off(stream, &stream->rounds, state, status, result, now);
}

static void end_rounds(kvs_stream *stream) {
  stream->answered = 0;
  kvs_retry_succeeded(&stream->rounds);
}

/* The next stream of this name is another one: what was done to the last is to
 * be done to it. Its retention and endpoint are asked for on the way. */
static void is_another(kvs_stream *stream) {
  stream->tagged = false;
}

/* Waits for a stream that is being made or changed; no failure. */
static void poll(kvs_stream *stream, kvs_time now) {
  uint64_t delay =
      kvs_retry_failed(&stream->machine.retry, kvs_host_random(stream->host));

  enter(stream, S(DESCRIBE), delay, now);
}

static void described(kvs_stream *stream, const kvs_answer *answer,
                      kvs_time now) {
  switch (answer->stream_status) {
    case KVS_STREAM_STATUS_ACTIVE:
      stream->retention = answer->retention;
      lead(stream,
           stream->info.tag_count != 0 && !stream->tagged ? S(TAG_STREAM)
                                                          : S(GET_ENDPOINT),
           kvs_machine_row(&stream->machine)->failed, answer->result, now);
      return;
    case KVS_STREAM_STATUS_CREATING:
    case KVS_STREAM_STATUS_UPDATING:
      poll(stream, now);
      return;
    case KVS_STREAM_STATUS_DELETING:
      is_another(stream);
      again(stream, KVS_STATUS_STREAM_IS_BEING_DELETED_ERROR, answer->result,
            now);
      return;
  }
  again(stream, KVS_STATUS_INVALID_DESCRIBE_STREAM_RESPONSE, answer->result,
        now);
}

static void describe_failed(kvs_stream *stream, uint32_t result, kvs_time now) {
  if (result == KVS_RESULT_RESOURCE_NOT_FOUND &&
      stream->info.allow_stream_creation) {
    lead(stream, S(CREATE), kvs_machine_row(&stream->machine)->failed, result,
         now);
    return;
  }
  again(stream, kvs_machine_row(&stream->machine)->failed, result, now);
}

static void create_failed(kvs_stream *stream, uint32_t result, kvs_time now) {
  if (result == KVS_RESULT_RESOURCE_IN_USE) {
    is_another(stream);
    lead(stream, S(DESCRIBE), kvs_machine_row(&stream->machine)->failed, result,
         now); /* somebody else made it */
    return;
  }
  again(stream, kvs_machine_row(&stream->machine)->failed, result, now);
}

/* Tags are an ornament: after five tries the stream goes on without. */
static void tag_failed(kvs_stream *stream, uint32_t result, kvs_time now) {
  kvs_retry *retry = &stream->machine.retry;
  uint64_t delay = kvs_retry_failed(retry, kvs_host_random(stream->host));

  if (kvs_retry_reports(retry)) {
    kvs_state_report(stream, 0, KVS_STATUS_TAG_STREAM_CALL_FAILED, result,
                     retry->attempts);
    stream->tagged = true;
    lead(stream, S(GET_ENDPOINT), KVS_STATUS_TAG_STREAM_CALL_FAILED, result,
         now);
    return;
  }
  enter(stream, S(TAG_STREAM), delay, now);
}

static void got_token(kvs_stream *stream, const kvs_answer *answer,
                      kvs_time now) {
  /* Renewed half a minute before it expires, however the wall clock steps
   * from now on; but not more often than so. */
  const uint64_t early = 30 * KVS_TICKS_PER_SECOND;
  const uint64_t least = 10 * KVS_TICKS_PER_SECOND;
  uint64_t life = kvs_sub_u64(answer->expiration, now.wall);
  kvs_event event = kvs_event_make(KVS_EVENT_STREAM_READY);

  if (life <= early) {
    again(stream, KVS_STATUS_INVALID_TOKEN_EXPIRATION, answer->result, now);
    return;
  }
  stream->token_until =
      answer->expiration == KVS_NEVER
          ? KVS_NEVER
          : kvs_add_u64(now.mono, kvs_max_u64(life - early, least));
  end_rounds(stream);
  go(stream, S(READY), now);
  if (!stream->ready_told) {
    stream->ready_told = true;
    event.u.stream_ready.uptime = now.mono - stream->created_at;
    kvs_stream_emit(stream, &event);
  }
}

static void answered_well(kvs_stream *stream, const kvs_answer *answer,
                          kvs_time now) {
  kvs_status failed = kvs_machine_row(&stream->machine)->failed;

  switch (stream->machine.state) {
    case S(DESCRIBE):
      described(stream, answer, now);
      return;
    case S(CREATE):
      is_another(stream);
      lead(stream, S(DESCRIBE), failed, answer->result, now);
      return;
    case S(TAG_STREAM):
      stream->tagged = true;
      lead(stream, S(GET_ENDPOINT), failed, answer->result, now);
      return;
    case S(GET_ENDPOINT):
      lead(stream, S(GET_TOKEN), failed, answer->result, now);
      return;
    case S(GET_TOKEN):
      got_token(stream, answer, now);
      return;
    default: /* PUT_STREAM: no other state has a call */
      stream->session.opened = true;
      stream->session.opened_at = now.mono;
      stream->session.progress = now.mono;
      stream->session.acked_at = now.mono;
      go(stream, S(STREAMING), now);
      kvs_session_wake(stream);
      return;
  }
}

static void answered_badly(kvs_stream *stream, uint32_t result, kvs_time now) {
  switch (stream->machine.state) {
    case S(DESCRIBE):
      describe_failed(stream, result, now);
      return;
    case S(CREATE):
      create_failed(stream, result, now);
      return;
    case S(TAG_STREAM):
      tag_failed(stream, result, now);
      return;
    case S(GET_ENDPOINT):
      if (result == KVS_RESULT_RESOURCE_NOT_FOUND) {
        is_another(stream);
        lead(stream, S(DESCRIBE), KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED,
             result, now);
        return;
      }
      again(stream, kvs_machine_row(&stream->machine)->failed, result, now);
      return;
    case S(GET_TOKEN):
      again(stream, kvs_machine_row(&stream->machine)->failed, result, now);
      return;
    default:
      kvs_session_abort(stream, KVS_STATUS_PUT_STREAM_CALL_FAILED, result, true,
                        now);
      return;
  }
}

kvs_status kvs_stream_answer(kvs_stream *stream, const kvs_answer *answer,
                             kvs_time now) {
  uint64_t waited;

  if (stream == NULL || answer == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  waited = kvs_machine_waited(&stream->machine, now.mono);
  if (!kvs_machine_end_call(&stream->machine, answer->call)) {
    return KVS_STATUS_INVALID_OPERATION;
  }
  kvs_metrics_smooth(stream->machine.state == S(PUT_STREAM)
                         ? &stream->metrics.data_api_call_latency
                         : &stream->metrics.cpl_api_call_latency,
                     waited);
  if (answer->result == KVS_RESULT_OK) {
    answered_well(stream, answer, now);
  } else {
    answered_badly(stream, answer->result, now);
  }
  kvs_state_advance(stream, now);
  kvs_state_call(stream, now);
  kvs_stream_note_deadline(stream);
  return KVS_OK;
}

void kvs_state_timed_out(kvs_stream *stream, kvs_time now) {
  stream->machine.calling = false;
  stream->machine.call_until = KVS_NEVER;
  answered_badly(stream, KVS_RESULT_NETWORK_CONNECTION_TIMEOUT, now);
}

void kvs_state_move(kvs_stream *stream, kvs_time now) {
  kvs_clock_settle(stream, now);
  if (stream->machine.state == S(NEW) && stream->host->ready &&
      !stream->closed) {
    go(stream, S(DESCRIBE), now);
  }
  if (stream->machine.state == S(READY) && stream->view.oldest != 0 &&
      !kvs_session_live(stream) && !kvs_clock_waits(stream, now)) {
    uint64_t delay = stream->session_retry.attempts == 0
                         ? 0
                         : kvs_sub_u64(stream->session_due, now.mono);

    enter(stream, S(PUT_STREAM), delay, now);
  }
  kvs_state_call(stream, now);
}

static void put_stream_event(kvs_stream *stream, kvs_event *event,
                             uint64_t call) {
  const kvs_view *view = &stream->view;
  const kvs_fragment *first = kvs_view_fragment(view, view->current);
  bool absolute = stream->info.absolute_fragment_times;

  event->u.put_stream.call = call;
  event->u.put_stream.timeout = KVS_CALL_TIMEOUT;
  event->u.put_stream.session = stream->session.number;
  /* Absolute times count from the epoch; the header field is still wanted. */
  event->u.put_stream.start = absolute ? first->cluster : first->base;
  event->u.put_stream.absolute = absolute ? 1 : 0;
  event->u.put_stream.acks = stream->info.fragment_acks ? 1 : 0;
}

/* A token that ran out while there was nothing to send, or while the session
 * waited for its turn, is renewed before it is used. */
static void renew_token(kvs_stream *stream, kvs_time now) {
  const kvs_machine *machine = &stream->machine;

  if (machine->state == S(PUT_STREAM) && machine->due <= now.mono &&
      stream->token_until <= now.mono) {
    enter(stream, S(GET_ENDPOINT), 0, now);
  }
}

void kvs_state_call(kvs_stream *stream, kvs_time now) {
  const kvs_state_row *row;
  kvs_event event;
  uint64_t call = 0;

  renew_token(stream, now);
  row = kvs_machine_row(&stream->machine);
  if (row->call == KVS_NO_CALL ||
      !kvs_machine_begin_call(&stream->machine, now.mono, &call)) {
    return;
  }
  event = kvs_event_make(row->call);
  if (row->call == KVS_EVENT_PUT_STREAM) {
    kvs_session_begin(stream, now);
    if (!kvs_session_live(stream)) { /* nothing is left to send */
      (void)kvs_machine_end_call(&stream->machine, call);
      enter(stream, S(STREAMING), 0, now);
      enter(stream, S(READY), 0, now);
      return;
    }
    put_stream_event(stream, &event, call);
  } else {
    event.u.describe_stream.call = call; /* all calls begin with these two */
    event.u.describe_stream.timeout = KVS_CALL_TIMEOUT;
  }
  kvs_stream_emit(stream, &event);
}

/* The state that a lost session's result leads to. */
static uint32_t state_for(uint32_t result) {
  switch (result) {
    case KVS_RESULT_OK:
      return S(READY);
    case KVS_RESULT_NOT_AUTHORIZED:
    case KVS_RESULT_FORBIDDEN:
    case KVS_RESULT_AUTH_FAILURE:
      return S(GET_TOKEN);
    case KVS_RESULT_TOKEN_ROTATION:
    case KVS_RESULT_CLIENT_LIMIT:
    case KVS_RESULT_REQUEST_TIMEOUT:
    case KVS_RESULT_INTERNAL_ERROR:
    case KVS_RESULT_SERVICE_UNAVAILABLE:
    case KVS_RESULT_GATEWAY_TIMEOUT:
    case KVS_RESULT_NETWORK_READ_TIMEOUT:
    case KVS_RESULT_NETWORK_CONNECTION_TIMEOUT:
      return S(GET_ENDPOINT);
    default:
      break;
  }
  if (result >= 4000 && result < 6000) {
    switch (kvs_ack_error_remedy(result)) {
      case KVS_REMEDY_RESEND:
      case KVS_REMEDY_SKIP_FRAGMENT:
        return S(READY);
      case KVS_REMEDY_DESCRIBE:
        return S(DESCRIBE);
    }
  }
  return S(DESCRIBE);
}

void kvs_state_after_session(kvs_stream *stream, uint32_t result, bool failed,
                             kvs_time now) {
  kvs_retry *retry = &stream->session_retry;
  uint64_t delay = 0;

  if (result == KVS_RESULT_RESOURCE_NOT_FOUND ||
      result == KVS_RESULT_RESOURCE_DELETED ||
      kvs_ack_error_status(result) == KVS_STATUS_ACK_ERR_STREAM_DELETED) {
    is_another(stream);
  }
  failed = failed && !stream->closed; /* then there is nothing to be lost */
  if (failed && !stream->info.restart_on_error) {
    give_up(stream, KVS_STATUS_PUT_STREAM_CALL_FAILED, result, now);
    return;
  }
  if (failed) {
    delay = kvs_room_pause(
        stream, kvs_retry_failed(retry, kvs_host_random(stream->host)), result);
    stream->metrics.api_call_retries++;
    if (kvs_retry_reports(retry)) {
      kvs_state_report(stream, 0, KVS_STATUS_PUT_STREAM_CALL_FAILED, result,
                       retry->attempts);
    }
  }
  stream->session_due = kvs_add_u64(now.mono, delay);
  if (stream->stopping && stream->view.oldest == 0) {
    enter(stream, S(STOPPED), 0, now);
    return;
  }
  if (stream->machine.state == S(STOPPED)) {
    return;
  }
  if (!failed && stream->token_until <= now.mono) {
    result = KVS_RESULT_TOKEN_ROTATION;
  }
  enter(stream, state_for(result), delay, now);
}

void kvs_state_begin_anew(kvs_stream *stream, kvs_time now) {
  if (stream->host->ready) {
    kvs_state_force(stream, S(DESCRIBE), now);
  } else if (stream->machine.state == S(STOPPED)) {
    kvs_state_force(stream, S(NEW), now); /* it waits for the client again */
  }
}

void kvs_state_force(kvs_stream *stream, uint32_t state, kvs_time now) {
  end_rounds(stream);
  kvs_retry_succeeded(&stream->machine.retry);
  enter(stream, state, 0, now);
}
