/* Every state of a stream: what each answer, no answer, stop and reset lead
 * to. Whatever the service says, the media put before come out whole. */
#include <stdio.h>

#include "scene.h"

static const uint32_t calls[] = {
    KVS_EVENT_DESCRIBE_STREAM,     KVS_EVENT_CREATE_STREAM,
    KVS_EVENT_TAG_RESOURCE,        KVS_EVENT_GET_STREAMING_ENDPOINT,
    KVS_EVENT_GET_STREAMING_TOKEN, KVS_EVENT_PUT_STREAM};
enum { CALLS = sizeof(calls) / sizeof(calls[0]), FRAMES = 10 };

static const uint32_t results[] = {400, 401, 403, 404,   408,   413,
                                   429, 500, 503, 504,   598,   599,
                                   777, 0,   1,   10003, 10007, 10400};
enum { RESULTS = sizeof(results) / sizeof(results[0]) };

static uint32_t state_of(uint32_t call) {
  switch (call) {
    case KVS_EVENT_DESCRIBE_STREAM:
      return KVS_STREAM_STATE_DESCRIBE;
    case KVS_EVENT_CREATE_STREAM:
      return KVS_STREAM_STATE_CREATE;
    case KVS_EVENT_TAG_RESOURCE:
      return KVS_STREAM_STATE_TAG_STREAM;
    case KVS_EVENT_GET_STREAMING_ENDPOINT:
      return KVS_STREAM_STATE_GET_ENDPOINT;
    case KVS_EVENT_GET_STREAMING_TOKEN:
      return KVS_STREAM_STATE_GET_TOKEN;
    default:
      return KVS_STREAM_STATE_PUT_STREAM;
  }
}

static kvs_status failure_of(uint32_t call) {
  switch (call) {
    case KVS_EVENT_DESCRIBE_STREAM:
      return KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED;
    case KVS_EVENT_CREATE_STREAM:
      return KVS_STATUS_CREATE_STREAM_CALL_FAILED;
    case KVS_EVENT_TAG_RESOURCE:
      return KVS_STATUS_TAG_STREAM_CALL_FAILED;
    case KVS_EVENT_GET_STREAMING_ENDPOINT:
      return KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED;
    case KVS_EVENT_GET_STREAMING_TOKEN:
      return KVS_STATUS_GET_STREAMING_TOKEN_CALL_FAILED;
    default:
      return KVS_STATUS_PUT_STREAM_CALL_FAILED;
  }
}

/* The state that one failed answer leads to. */
static uint32_t state_after(uint32_t call, uint32_t result) {
  if (call == KVS_EVENT_DESCRIBE_STREAM && result == 404) {
    return KVS_STREAM_STATE_CREATE;
  }
  if (call == KVS_EVENT_CREATE_STREAM && result == 10003) {
    return KVS_STREAM_STATE_DESCRIBE;
  }
  if (call == KVS_EVENT_GET_STREAMING_ENDPOINT && result == 404) {
    return KVS_STREAM_STATE_DESCRIBE;
  }
  if (call != KVS_EVENT_PUT_STREAM) {
    return state_of(call);
  }
  switch (result) {
    case 401:
    case 403:
    case 10007:
      return KVS_STREAM_STATE_GET_TOKEN;
    case 408:
    case 429:
    case 500:
    case 503:
    case 504:
    case 598:
    case 599:
      return KVS_STREAM_STATE_GET_ENDPOINT;
    default:
      return KVS_STREAM_STATE_DESCRIBE;
  }
}

/* A stream that waits for the answer to |call|, with media unless |empty|. */
static kvs_stream *waiting_for(fake_host *host, uint32_t call, bool restart,
                               bool empty) {
  kvs_stream_info info;
  kvs_stream *stream;

  fake_host_init(host, ARENA, 4);
  host->results[call] = 0;
  if (call == KVS_EVENT_CREATE_STREAM) {
    host->results[KVS_EVENT_DESCRIBE_STREAM] = 404;
  }
  fake_stream_info(&info, "camera");
  info.tag_count = 1;
  info.restart_on_error = restart;
  stream = scene_stream(host, &info);
  if (!empty) {
    scene_gops(host, stream, 0, 2, FRAMES / 2);
  }
  host->results[KVS_EVENT_DESCRIBE_STREAM] =
      call == KVS_EVENT_DESCRIBE_STREAM ? 0 : 200;
  CHECK_EQ(scene_metrics(host, stream).state, state_of(call));
  CHECK_EQ(fake_count(host, call), 1);
  return stream;
}

/* Answers the newest |call|. */
static kvs_status answer(fake_host *host, kvs_stream *stream, uint32_t call,
                         uint32_t result) {
  kvs_answer given = {0};

  given.call = fake_last(host, call).u.fields[0];
  given.result = result;
  given.stream_status = KVS_STREAM_STATUS_ACTIVE;
  given.retention = host->retention;
  given.expiration = KVS_NEVER;
  return kvs_stream_answer(stream, &given, host->now);
}

/* From now on the service is well: all media come out, once. */
static void comes_out_whole(fake_host *host, kvs_stream *stream) {
  fake_body body;

  for (uint32_t i = 0; i < KVS_EVENT_COUNT; i++) {
    host->results[i] = 200;
  }
  host->handled = 0;
  for (uint32_t i = 0; i < 4 && host->session == 0; i++) {
    fake_answer_all(host, stream);
    fake_advance(host, BACK_OFF);
  }
  fake_answer_all(host, stream);
  CHECK_EQ(fake_take(host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK(fake_read_body(host, &body));
  CHECK_EQ(body.blocks, FRAMES);
  CHECK_EQ(fake_count(host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
}

static void each_result_of_each_call_has_its_next_state(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    for (uint32_t r = 0; r < RESULTS; r++) {
      fake_host host;
      kvs_stream *stream = waiting_for(&host, calls[c], true, false);
      uint64_t call = fake_last(&host, calls[c]).u.fields[0];

      CHECK_EQ(answer(&host, stream, calls[c], results[r]), KVS_OK);
      if (!CHECK_EQ(scene_metrics(&host, stream).state,
                    state_after(calls[c], results[r]))) {
        fprintf(stderr, "    call %u result %u\n", calls[c], results[r]);
      }
      /* Once is no reason to trouble anybody. */
      CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
      /* The answer was taken; it cannot be taken back. */
      CHECK_EQ(kvs_stream_answer(stream, &(kvs_answer){.call = call}, host.now),
               KVS_STATUS_INVALID_OPERATION);
      comes_out_whole(&host, stream);
      scene_finish(&host);
    }
  }
}

static void the_fifth_failure_in_a_row_is_told_by_its_own_name(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], true, false);
    kvs_event told;

    for (uint32_t i = 0; i < 5; i++) {
      CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
      CHECK_EQ(answer(&host, stream, calls[c], 500), KVS_OK);
      fake_answer_all(&host, stream);
      fake_advance(&host, BACK_OFF);
      fake_answer_all(&host, stream);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
    told = fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT);
    CHECK_EQ(told.u.stream_error_report.status, failure_of(calls[c]));
    CHECK_EQ(told.u.stream_error_report.result, 500);
    CHECK_EQ(told.u.stream_error_report.attempts, 5);
    if (calls[c] == KVS_EVENT_TAG_RESOURCE) { /* goes on without tags */
      CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_READY), 1);
      CHECK_EQ(fake_count(&host, KVS_EVENT_TAG_RESOURCE), 5);
    } else {
      CHECK_EQ(fake_count(&host, calls[c]), 6);
    }
    comes_out_whole(&host, stream);
    scene_finish(&host);
  }
}

static void a_call_without_an_answer_is_made_again(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], true, false);
    uint64_t first = fake_last(&host, calls[c]).u.fields[0];
    kvs_answer late = {0};

    CHECK_EQ(fake_last(&host, calls[c]).u.fields[1], KVS_CALL_TIMEOUT);
    fake_advance(&host, KVS_CALL_TIMEOUT + KVS_CALL_SLACK - 1);
    CHECK_EQ(fake_count(&host, calls[c]), 1);
    CHECK_EQ(kvs_client_deadline(host.client), host.now.mono + 1);
    fake_advance(&host, 1);
    fake_answer_all(&host, stream);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    CHECK_EQ(fake_count(&host, calls[c]), 2);
    late.call = first;
    late.result = 200;
    CHECK_EQ(kvs_stream_answer(stream, &late, host.now),
             KVS_STATUS_INVALID_OPERATION);
    comes_out_whole(&host, stream);
    scene_finish(&host);
  }
}

static void without_restart_the_first_failure_is_final(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], false, false);

    CHECK_EQ(answer(&host, stream, calls[c], 403), KVS_OK);
    if (calls[c] == KVS_EVENT_TAG_RESOURCE) { /* tags are an ornament */
      CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
      comes_out_whole(&host, stream);
    } else {
      kvs_event closed = fake_last(&host, KVS_EVENT_STREAM_CLOSED);

      CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
      CHECK_EQ(closed.u.stream_closed.status, failure_of(calls[c]));
      CHECK_EQ(closed.u.stream_closed.dropped, FRAMES);
      CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
      CHECK_EQ(fake_put(&host, stream, KEY, 99000, 10),
               KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
      fake_advance(&host, 60 * SECOND);
      CHECK_EQ(fake_count(&host, calls[c]), 1);
    }
    scene_finish(&host);
  }
}

static void stop_in_each_state_sends_what_is_buffered(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], true, false);
    fake_body body;

    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
    for (uint32_t i = 0; i < KVS_EVENT_COUNT; i++) {
      host.results[i] = 200;
    }
    host.handled = 0;
    fake_answer_all(&host, stream);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, FRAMES);
    CHECK_EQ(body.ends, 1);
    scene_persist(&host, stream);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
    scene_end(&host, stream);
    CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
    scene_finish(&host);
  }
}

static void stop_in_each_state_with_nothing_is_done_at_once(void) {
  for (uint32_t c = 0; c + 1 < CALLS; c++) { /* no session without media */
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], true, true);

    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
    CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
    CHECK_EQ(answer(&host, stream, calls[c], 200),
             KVS_STATUS_INVALID_OPERATION);
    fake_advance(&host, 100 * SECOND);
    CHECK_EQ(fake_count(&host, calls[c]), 1);
    CHECK_EQ(kvs_client_deadline(host.client), KVS_NEVER);
    scene_finish(&host);
  }
}

static void reset_in_each_state_begins_anew(void) {
  for (uint32_t c = 0; c < CALLS; c++) {
    fake_host host;
    kvs_stream *stream = waiting_for(&host, calls[c], true, false);
    uint32_t described = fake_count(&host, KVS_EVENT_DESCRIBE_STREAM);

    CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 2);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), described + 1);
    CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM),
             calls[c] == KVS_EVENT_PUT_STREAM ? 1 : 0);
    CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_DESCRIBE);
    scene_gops(&host, stream, 0, 2, FRAMES / 2);
    host.event_count = 0; /* the dropped ones were told */
    host.handled = 0;
    fake_advance(&host, KVS_CALL_TIMEOUT + KVS_CALL_SLACK);
    comes_out_whole(&host, stream);
    scene_finish(&host);
  }
}

static void stop_while_streaming_and_while_backing_off(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 598, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 10);
  scene_persist(&host, stream);
  scene_end(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  /* A stopped stream takes frames again after a reset. */
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  scene_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  scene_finish(&host);
}

static void answer_status(fake_host *host, kvs_stream *stream,
                          kvs_stream_status status) {
  kvs_answer given = {0};

  given.call = fake_last(host, KVS_EVENT_DESCRIBE_STREAM).u.fields[0];
  given.result = 200;
  given.stream_status = status;
  given.retention = host->retention;
  CHECK_EQ(kvs_stream_answer(stream, &given, host->now), KVS_OK);
}

static void a_stream_that_is_not_active_is_waited_for(void) {
  static const struct {
    kvs_stream_status status;
    kvs_status told; /* after the fifth */
  } rows[] = {
      {KVS_STREAM_STATUS_CREATING, KVS_OK},
      {KVS_STREAM_STATUS_UPDATING, KVS_OK},
      {KVS_STREAM_STATUS_DELETING, KVS_STATUS_STREAM_IS_BEING_DELETED_ERROR},
      {(kvs_stream_status)9, KVS_STATUS_INVALID_DESCRIBE_STREAM_RESPONSE},
  };

  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream *stream =
        waiting_for(&host, KVS_EVENT_DESCRIBE_STREAM, true, false);

    for (uint32_t n = 0; n < 5; n++) {
      answer_status(&host, stream, rows[i].status);
      CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_DESCRIBE);
      fake_advance(&host, BACK_OFF);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), 6);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT),
             rows[i].told == KVS_OK ? 0 : 1);
    CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
                 .u.stream_error_report.status,
             rows[i].told);
    comes_out_whole(&host, stream);
    scene_finish(&host);
  }
}

static void a_stream_that_may_not_be_made_is_looked_for(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 404;
  fake_stream_info(&info, "camera");
  info.allow_stream_creation = false;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint32_t i = 0; i < 5; i++) {
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_CREATE_STREAM), 0);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.result,
           404);
  scene_finish(&host);
}

static void a_token_that_is_about_to_expire_is_not_taken(void) {
  fake_host host;
  kvs_stream *stream =
      waiting_for(&host, KVS_EVENT_GET_STREAMING_TOKEN, true, false);
  kvs_answer given = {0};

  for (uint32_t i = 0; i < 5; i++) {
    given.call = fake_last(&host, KVS_EVENT_GET_STREAMING_TOKEN).u.fields[0];
    given.result = 200;
    given.expiration = host.now.wall + 30 * SECOND;
    CHECK_EQ(kvs_stream_answer(stream, &given, host.now), KVS_OK);
    CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_GET_TOKEN);
    fake_advance(&host, BACK_OFF);
  }
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.status,
           KVS_STATUS_INVALID_TOKEN_EXPIRATION);
  given.call = fake_last(&host, KVS_EVENT_GET_STREAMING_TOKEN).u.fields[0];
  given.expiration = host.now.wall + 30 * SECOND + 1;
  CHECK_EQ(kvs_stream_answer(stream, &given, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_READY), 1);
  comes_out_whole(&host, stream);
  scene_finish(&host);
}

static void a_session_that_finds_nothing_to_send_is_not_opened(void) {
  fake_host host;
  kvs_stream_info info;
  uint64_t before;

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 1, 5);
  (void)fake_take(&host, stream);
  before = host.session;
  /* The connection is refused, and while it backs off all media go. */
  CHECK_EQ(kvs_stream_session_ended(stream, before, 5000, host.now), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_PUT_STREAM);
  fake_answer_all(&host, stream);
  kvs_room_drop_all(stream, KVS_STATUS_STORE_OUT_OF_MEMORY);
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  CHECK_EQ(host.session, 0);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_READY);
  CHECK_EQ(scene_metrics(&host, stream).total_active_sessions, 0);
  scene_gops(&host, stream, 1, 1, 5);
  CHECK(host.session > before);
  scene_finish(&host);
}

int main(void) {
  RUN(each_result_of_each_call_has_its_next_state);
  RUN(the_fifth_failure_in_a_row_is_told_by_its_own_name);
  RUN(a_call_without_an_answer_is_made_again);
  RUN(without_restart_the_first_failure_is_final);
  RUN(stop_in_each_state_sends_what_is_buffered);
  RUN(stop_in_each_state_with_nothing_is_done_at_once);
  RUN(reset_in_each_state_begins_anew);
  RUN(stop_while_streaming_and_while_backing_off);
  RUN(a_stream_that_is_not_active_is_waited_for);
  RUN(a_stream_that_may_not_be_made_is_looked_for);
  RUN(a_token_that_is_about_to_expire_is_not_taken);
  RUN(a_session_that_finds_nothing_to_send_is_not_opened);
  return check_report();
}
