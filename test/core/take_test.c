/* The session, from outside: buffers of every size, both ways of resetting the
 * connection, deadlines, idle and stale sessions, results and what they mean,
 * streams without acks or retention. */
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static void every_buffer_size_takes_the_same_bytes(void) {
  static const size_t sizes[] = {1, 2, 3, 7, 16, 100, 1023, 4096, 100000};
  uint8_t *want = NULL;
  size_t want_len = 0;

  for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
    fake_host host;
    kvs_stream_info info;
    uint8_t *got = calloc(1, 100000);
    size_t len = 0;
    size_t taken = 0;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.tracks[0].codec_private = (const uint8_t *)"private";
    info.tracks[0].codec_private_len = 7;
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(kvs_stream_put_metadata(stream, "name", "value", true, host.now),
             KVS_OK);
    scene_gops(&host, stream, 0, 3, 5);
    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    for (;;) {
      size_t room = 100000 - len;
      kvs_status status =
          kvs_stream_take(stream, host.session, got + len,
                          sizes[i] < room ? sizes[i] : room, host.now, &taken);

      if (status != KVS_OK) {
        CHECK_EQ(status, KVS_STATUS_AWAITING_PERSISTED_ACK);
        CHECK_EQ(taken, 0);
        break;
      }
      CHECK(taken >= 1 && taken <= sizes[i]);
      len += taken;
    }
    CHECK_EQ(scene_metrics(&host, stream).transferred_bytes, len);
    if (i == 0) {
      want = got;
      want_len = len;
      CHECK(len > 15 * 500);
    } else {
      CHECK_EQ(len, want_len);
      CHECK_BYTES(got, want, len);
      free(got);
    }
    scene_finish(&host);
  }
  free(want);
}

static void a_taker_that_waits_is_told_once(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_PUT_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 2);
  /* Before the connection can be written there is nothing to take. */
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK_EQ(host.body_len, 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_DATA_AVAILABLE), 0);
  host.results[KVS_EVENT_PUT_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_DATA_AVAILABLE), 1);
  kvs_event told = fake_last(&host, KVS_EVENT_STREAM_DATA_AVAILABLE);
  CHECK(told.u.stream_data_available.bytes > 1000);
  CHECK_EQ(told.u.stream_data_available.duration, 80 * MS);
  scene_gops(&host, stream, 1, 1, 2); /* it has not taken: not told again */
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_DATA_AVAILABLE), 1);
  (void)fake_take(&host, stream);
  scene_gops(&host, stream, 2, 1, 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_DATA_AVAILABLE), 2);
  scene_finish(&host);
}

static void reset_connection_soft_waits_for_a_boundary(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 3);
  (void)fake_take(&host, stream);
  uint64_t first = host.session;
  CHECK_EQ(kvs_stream_reset_connection(stream, false, host.now), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 120, 500), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK_EQ(host.session, first);
  scene_gops(&host, stream, 1, 1, 3);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 4);
  CHECK_EQ(body.ends, 1);
  scene_persist(&host, stream);
  scene_end(&host, stream);
  CHECK_EQ(host.session, first + 1);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 3);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  scene_finish(&host);
}

static void reset_connection_hard_breaks_and_sends_again(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 3);
  (void)fake_take(&host, stream);
  uint64_t first = host.session;
  CHECK_EQ(kvs_stream_reset_connection(stream, true, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
  fake_answer_all(&host, stream);
  CHECK_EQ(host.session, first + 1);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 6);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  scene_finish(&host);
}

static void a_clean_answer_to_half_a_body_is_a_loss(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 3);
  (void)fake_take(&host, stream);
  scene_lose(&host, stream, 200);
  CHECK_EQ(fake_last(&host, KVS_EVENT_SESSION_ENDED).u.session_ended.result,
           598);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 6);
  scene_finish(&host);
}

static void sessions_that_fail_back_off_and_the_fifth_is_told(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 3);
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
    (void)fake_take(&host, stream);
    scene_lose(&host, stream, 503);
    CHECK(host.session != 0);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
  kvs_event told = fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT);
  CHECK_EQ(told.u.stream_error_report.status,
           KVS_STATUS_PUT_STREAM_CALL_FAILED);
  CHECK_EQ(told.u.stream_error_report.result, 503);
  CHECK_EQ(told.u.stream_error_report.attempts, 5);
  /* A fragment that is freed shows that all is well again. */
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  for (uint32_t i = 0; i < 4; i++) {
    scene_lose(&host, stream, 503);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
  scene_finish(&host);
}

static void a_stale_session_is_never_so_with_zero_patience(void) {
  for (uint32_t none = 0; none < 2; none++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.connection_staleness = none == 1 ? 0 : 10 * SECOND;
    info.idle_duration = 0;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 2, 3);
    (void)fake_take(&host, stream);
    fake_advance(&host, 2 * SECOND);
    if (none == 0) {
      CHECK_EQ(kvs_client_deadline(host.client), host.now.mono + 8 * SECOND);
    }
    for (uint32_t i = 0; i < 100; i++) {
      fake_advance(&host, SECOND);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE),
             none == 1 ? 0 : 1);
    CHECK_EQ(scene_metrics(&host, stream).stale_events, none == 1 ? 0 : 1);
    scene_finish(&host);
  }
}

static void bytes_that_nobody_takes_are_stale_too(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 3);
  fake_advance(&host, 29 * SECOND);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 0);
  fake_advance(&host, SECOND);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_ABORT_STREAM).u.abort_stream.status,
           KVS_STATUS_OPERATION_TIMED_OUT);
  scene_finish(&host);
}

static void a_whole_body_that_is_never_ended_is_given_up(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 3);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  (void)fake_take(&host, stream);
  scene_persist(&host, stream);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  fake_advance(&host, 31 * SECOND); /* the host forgot to say that it ended */
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_SESSION_ENDED), 1);
  CHECK_EQ(kvs_client_deadline(host.client), KVS_NEVER);
  scene_finish(&host);
}

static void acks_keep_a_session_alive(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.idle_duration = 0;
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 2, 3);
  (void)fake_take(&host, stream);
  for (uint32_t i = 0; i < 10; i++) {
    fake_advance(&host, 20 * SECOND);
    CHECK_EQ(kvs_stream_ack(stream, host.session,
                            &(kvs_ack){.type = KVS_ACK_IDLE}, host.now),
             KVS_OK);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 0);
  CHECK_EQ(scene_metrics(&host, stream).idle_acks, 10);
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_ACK_RECEIVED), 0);
  scene_finish(&host);
}

static void a_session_ends_before_the_service_ends_it(void) {
  fake_host host;
  kvs_stream_info info;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.session_duration = 100 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  uint64_t first = host.session;
  for (uint32_t i = 0; i < 60; i++) {
    scene_gops(&host, stream, i, 1, 2);
    if (fake_take(&host, stream) == KVS_STATUS_AWAITING_PERSISTED_ACK) {
      break;
    }
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", i * 2000), KVS_OK);
    first = first == 0 ? host.session : first;
    fake_advance(&host, 2 * SECOND);
  }
  /* The 49th began before 100 s had passed, the 50th would not have. */
  CHECK(fake_read_body(&host, &body));
  CHECK(body.clusters >= 49 && body.clusters <= 51);
  CHECK_EQ(host.session, first);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  scene_finish(&host);
}

static kvs_stream *without_retention(fake_host *host, bool acks) {
  kvs_stream_info info;

  fake_host_init(host, ARENA, 2);
  host->retention = acks ? 0 : 3600 * SECOND;
  fake_stream_info(&info, "camera");
  info.fragment_acks = acks;
  info.replay_duration = 10 * SECOND;
  return scene_stream(host, &info);
}

/* What the guide says of each result: whether the host had died, so that what
 * it had received may be lost where nothing is ever persisted. */
/* An intermittent camera: nothing is sent for longer than the token lives. */
static void a_token_that_ran_out_is_renewed_before_it_is_used(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  host.expiration = host.now.wall + 600 * SECOND;
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_STREAMING_TOKEN), 1);
  fake_advance(&host, 3600 * SECOND);
  host.expiration = KVS_NEVER;
  scene_gops(&host, stream, 0, 2, 5);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_STREAMING_TOKEN), 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_PUT_STREAM), 1);
  (void)fake_take(&host, stream);
  scene_persist(&host, stream);
  scene_finish(&host);
}

static void only_a_dead_host_gets_again_what_it_had(void) {
  static const struct {
    uint32_t result;
    bool dead;
  } rows[] = {{401, false},  {10000, false}, {10001, false}, {10002, false},
              {4000, false}, {4003, false},  {4008, false},  {4500, false},
              {4507, false}, {5000, false},  {5001, false},  {500, true},
              {503, true},   {504, true},    {598, true},    {599, true},
              {403, true},   {404, true},    {4508, true},   {9999, true},
              {10003, true}};

  for (uint32_t acks = 0; acks < 2; acks++) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
      fake_host host;
      fake_body body;
      kvs_stream *stream = without_retention(&host, acks == 1);

      scene_gops(&host, stream, 0, 3, 40);
      (void)fake_take(&host, stream);
      if (acks == 1) {
        CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 0), KVS_OK);
        CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 2000), KVS_OK);
      }
      scene_lose(&host, stream, rows[i].result);
      (void)fake_take(&host, stream);
      CHECK(fake_read_body(&host, &body));
      if (!CHECK_EQ(body.clusters, rows[i].dead ? 3 : 1)) {
        CHECK_EQ(rows[i].result, 0); /* which */
      }
      CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
      scene_finish(&host);
    }
  }
}

static void what_was_given_up_is_not_replayed(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream = without_retention(&host, true);

  scene_gops(&host, stream, 0, 4, 40);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 0), KVS_OK);
  CHECK_EQ(scene_error(&host, stream, 4006, 2000), KVS_OK);
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 4000), KVS_OK);
  scene_lose(&host, stream, 598);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  for (uint32_t i = 0; i < body.clusters; i++) {
    CHECK(body.times[i] != 2000);
  }
  CHECK(body.clusters >= 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 1);
  scene_finish(&host);
}

static void stop_without_acks_ends_with_the_last_byte(void) {
  fake_host host;
  kvs_stream *stream = without_retention(&host, false);

  scene_gops(&host, stream, 0, 3, 5);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           0);
  scene_end(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 0);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
  scene_finish(&host);
}

static void acks_of_an_older_session_are_not_an_error(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 3, 3);
  (void)fake_take(&host, stream);
  uint64_t first = host.session;
  scene_lose(&host, stream, 598);
  host.session = first;
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  CHECK_EQ(kvs_stream_session_ended(stream, first, 598, host.now),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  host.session = first + 1;
  /* Of a fragment that this session has not sent yet: no truth in it. */
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 4000), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 1);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 3);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  (void)fake_take(&host, stream);
  scene_persist(&host, stream);
  /* The open fragment is not whole: its ack is too early to be true. */
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  scene_finish(&host);
}

/* Two fragments whose times fall into one millisecond: the second ack is the
 * second one's. */
static void fragments_of_one_millisecond_are_told_apart(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.timecode_scale = 1;
  info.min_fragment_duration = 0;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 5; i++) {
    uint64_t at = SECOND + i * 3000 - (i == 0 ? 2 * MS : 0);
    kvs_frame frame = {KEY, 1, KVS_NEVER, at, 0, (const uint8_t *)"frame", 5};

    CHECK_EQ(kvs_stream_put(stream, &frame, host.now), KVS_OK);
    fake_answer_all(&host, stream);
  }
  (void)fake_take(&host, stream);
  /* 998.0, 1000.3, 1000.6, 1000.9 and, still open, 1001.2 ms. */
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 1000), KVS_OK);
    CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 5);
  }
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 998), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 0);
  scene_finish(&host);
}

int main(void) {
  RUN(every_buffer_size_takes_the_same_bytes);
  RUN(a_taker_that_waits_is_told_once);
  RUN(reset_connection_soft_waits_for_a_boundary);
  RUN(reset_connection_hard_breaks_and_sends_again);
  RUN(a_clean_answer_to_half_a_body_is_a_loss);
  RUN(sessions_that_fail_back_off_and_the_fifth_is_told);
  RUN(a_stale_session_is_never_so_with_zero_patience);
  RUN(bytes_that_nobody_takes_are_stale_too);
  RUN(a_whole_body_that_is_never_ended_is_given_up);
  RUN(acks_keep_a_session_alive);
  RUN(a_session_ends_before_the_service_ends_it);
  RUN(a_token_that_ran_out_is_renewed_before_it_is_used);
  RUN(only_a_dead_host_gets_again_what_it_had);
  RUN(what_was_given_up_is_not_replayed);
  RUN(stop_without_acks_ends_with_the_last_byte);
  RUN(acks_of_an_older_session_are_not_an_error);
  RUN(fragments_of_one_millisecond_are_told_apart);
  return check_report();
}
