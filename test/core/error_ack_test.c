/* Error acks, each of the guide's and an unknown one: the status that is told
 * and what happens next. The table is the guide's meaning of each, not the
 * core's own. */
#include "scene.h"

typedef enum next_step {
  SENT_AGAIN, /* a new session, with the fragment */
  GIVEN_UP,   /* a new session without it, and it is reported */
  LOOKED_UP   /* DescribeStream first, then with the fragment */
} next_step;

static const struct {
  uint32_t id;
  kvs_status status;
  next_step next;
} rows[] = {
    {4000, KVS_STATUS_ACK_ERR_STREAM_READ_ERROR, SENT_AGAIN},
    {4001, KVS_STATUS_ACK_ERR_FRAGMENT_SIZE_REACHED, GIVEN_UP},
    {4002, KVS_STATUS_ACK_ERR_FRAGMENT_DURATION_REACHED, GIVEN_UP},
    {4003, KVS_STATUS_ACK_ERR_CONNECTION_DURATION_REACHED, SENT_AGAIN},
    {4004, KVS_STATUS_ACK_ERR_FRAGMENT_TIMECODE_NOT_MONOTONIC, GIVEN_UP},
    {4005, KVS_STATUS_ACK_ERR_MULTI_TRACK_MKV, GIVEN_UP},
    {4006, KVS_STATUS_ACK_ERR_INVALID_MKV_DATA, GIVEN_UP},
    {4007, KVS_STATUS_ACK_ERR_INVALID_PRODUCER_TIMESTAMP, GIVEN_UP},
    {4008, KVS_STATUS_ACK_ERR_STREAM_NOT_ACTIVE, LOOKED_UP},
    {4009, KVS_STATUS_ACK_ERR_FRAGMENT_METADATA_LIMIT_REACHED, GIVEN_UP},
    {4010, KVS_STATUS_ACK_ERR_TRACK_NUMBER_MISMATCH, GIVEN_UP},
    {4011, KVS_STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK, GIVEN_UP},
    {4012, KVS_STATUS_ACK_ERR_MORE_THAN_ALLOWED_TRACKS_FOUND, GIVEN_UP},
    {4500, KVS_STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED, LOOKED_UP},
    {4501, KVS_STATUS_ACK_ERR_KMS_KEY_DISABLED, LOOKED_UP},
    {4502, KVS_STATUS_ACK_ERR_KMS_KEY_VALIDATION_ERROR, LOOKED_UP},
    {4503, KVS_STATUS_ACK_ERR_KMS_KEY_UNAVAILABLE, LOOKED_UP},
    {4504, KVS_STATUS_ACK_ERR_KMS_KEY_INVALID_USAGE, LOOKED_UP},
    {4505, KVS_STATUS_ACK_ERR_KMS_KEY_INVALID_STATE, LOOKED_UP},
    {4506, KVS_STATUS_ACK_ERR_KMS_KEY_NOT_FOUND, LOOKED_UP},
    {4507, KVS_STATUS_ACK_ERR_STREAM_DELETED, LOOKED_UP},
    {5000, KVS_STATUS_ACK_ERR_ACK_INTERNAL_ERROR, SENT_AGAIN},
    {5001, KVS_STATUS_ACK_ERR_FRAGMENT_ARCHIVAL_ERROR, SENT_AGAIN},
    {4013, KVS_STATUS_ACK_ERR_UNKNOWN_ACK_ERROR, SENT_AGAIN},
    {5999, KVS_STATUS_ACK_ERR_UNKNOWN_ACK_ERROR, SENT_AGAIN},
    {1, KVS_STATUS_ACK_ERR_UNKNOWN_ACK_ERROR, LOOKED_UP},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void check_row(uint32_t i) {
  fake_host host;
  fake_body body;
  bool gives_up = rows[i].next == GIVEN_UP;
  uint32_t described;
  kvs_event told;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 4, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  described = fake_count(&host, KVS_EVENT_DESCRIBE_STREAM);
  uint64_t first = host.session;
  CHECK_EQ(scene_error(&host, stream, rows[i].id, 4000), KVS_OK);
  told = fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT);
  CHECK_EQ(told.u.stream_error_report.status, rows[i].status);
  CHECK_EQ(told.u.stream_error_report.result, rows[i].id);
  CHECK_EQ(told.u.stream_error_report.timecode, 4000 * MS);
  CHECK_EQ(told.u.stream_error_report.session, first);
  told = fake_last(&host, KVS_EVENT_FRAGMENT_ACK_RECEIVED);
  CHECK_EQ(told.u.fragment_ack_received.error, rows[i].id);
  CHECK_EQ(told.u.fragment_ack_received.status, rows[i].status);
  CHECK_EQ(fake_last(&host, KVS_EVENT_ABORT_STREAM).u.abort_stream.session,
           first);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT),
           gives_up ? 1 : 0);
  if (gives_up) {
    told = fake_last(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT);
    CHECK_EQ(told.u.dropped_fragment_report.timecode, 4000 * MS);
    CHECK_EQ(told.u.dropped_fragment_report.reason, rows[i].status);
    CHECK_EQ(told.u.dropped_fragment_report.frames, 5);
    CHECK_EQ(told.u.dropped_fragment_report.sent, 1);
  }
  CHECK_EQ(host.session, 0); /* none at once: it backs off */
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  CHECK(host.session > first);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM) - described,
           rows[i].next == LOOKED_UP ? 1 : 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, gives_up ? 2 : 3);
  CHECK_EQ(body.times[0], 2000);
  CHECK_EQ(body.times[1], gives_up ? 6000 : 4000);
  CHECK_EQ(scene_metrics(&host, stream).error_acks, 1);
  CHECK_EQ(scene_metrics(&host, stream).errors, 1);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, gives_up ? 5 : 0);
  scene_finish(&host);
}

static void each_error_has_its_status_and_its_next_step(void) {
  for (uint32_t i = 0; i < ROWS; i++) {
    check_row(i);
  }
}

static void an_error_of_no_fragment_gives_none_up(void) {
  for (uint32_t i = 0; i < ROWS; i++) {
    fake_host host;
    fake_body body;

    fake_host_init(&host, ARENA, 4);
    kvs_stream *stream = fake_stream(&host, "camera");
    scene_gops(&host, stream, 0, 2, 5);
    (void)fake_take(&host, stream);
    CHECK_EQ(scene_error(&host, stream, rows[i].id, 777), KVS_OK);
    CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 1);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 10);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    scene_finish(&host);
  }
}

static void an_error_without_a_time_is_the_sessions(void) {
  fake_host host;
  const kvs_ack error = {.type = KVS_ACK_ERROR, .error_id = 4006};

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_ack(stream, host.session, &error, host.now), KVS_OK);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.timecode,
           0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
  scene_finish(&host);
}

/* A session ends with an error that names no fragment, and the next begins. */
static void error_without_a_time(fake_host *host, kvs_stream *stream,
                                 uint32_t id) {
  const kvs_ack error = {.type = KVS_ACK_ERROR, .error_id = id};

  (void)fake_take(host, stream);
  CHECK_EQ(kvs_stream_ack(stream, host->session, &error, host->now), KVS_OK);
  fake_advance(host, BACK_OFF);
  fake_answer_all(host, stream);
}

static void the_third_error_in_a_row_is_of_the_oldest(void) {
  for (uint32_t i = 0; i < ROWS; i++) {
    bool gives_up = rows[i].next == GIVEN_UP;
    fake_host host;
    fake_body body;

    fake_host_init(&host, ARENA, 4);
    kvs_stream *stream = fake_stream(&host, "camera");
    scene_gops(&host, stream, 0, 3, 5);
    error_without_a_time(&host, stream, rows[i].id);
    error_without_a_time(&host, stream, rows[i].id);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    error_without_a_time(&host, stream, rows[i].id);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT),
             gives_up ? 1 : 0);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.times[0], gives_up ? 2000 : 0);
    CHECK_EQ(body.clusters, gives_up ? 2 : 3);
    scene_finish(&host);
  }
}

static void a_fragment_that_is_stored_between_two_errors_clears_the_next(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 3, 5);
  error_without_a_time(&host, stream, 4006);
  error_without_a_time(&host, stream, 4006);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  error_without_a_time(&host, stream, 4006);
  error_without_a_time(&host, stream, 4006);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  error_without_a_time(&host, stream, 4006);
  CHECK_EQ(fake_last(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT)
               .u.dropped_fragment_report.timecode,
           2000 * MS);
  scene_finish(&host);
}

static void the_open_fragment_given_up_takes_no_more_frames(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_error(&host, stream, 4006, 0), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 1);
  /* Its other frames are of no use without it. */
  CHECK_EQ(fake_put(&host, stream, 0, 200, 500), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 240, 500), KVS_OK);
  scene_gops(&host, stream, 1, 1, 5);
  CHECK_EQ(fake_last(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT)
               .u.skipped_frames_report.frames,
           2);
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  CHECK_EQ(body.times[0], 2000);
  scene_finish(&host);
}

static void a_fragment_that_lacks_a_track_goes_again_without_it(void) {
  fake_host host;
  fake_body body;

  kvs_stream *stream = scene_with_sound(&host);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "video", 5), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds_text(&host, "A_AAC"), 1);
  /* The service gave up waiting for audio before the fragment ended. */
  CHECK_EQ(scene_error(&host, stream, 4011, 0), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(scene_finds_text(&host, "A_AAC"), 0);
  CHECK_EQ(body.blocks, 1);
  scene_finish(&host);
}

static void what_follows_an_error_is_nobodys(void) {
  fake_host host;
  const char text[] =
      "{\"EventType\":\"ERROR\",\"ErrorId\":5000}"
      "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":0}";

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  uint64_t session = host.session;
  CHECK_EQ(kvs_stream_parse_ack(stream, session, (const uint8_t *)text,
                                sizeof(text) - 1, host.now),
           KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).persisted_acks, 0);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 2);
  CHECK_EQ(kvs_stream_ack(stream, session, &(kvs_ack){.type = KVS_ACK_IDLE},
                          host.now),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  scene_finish(&host);
}

static void acks_that_cannot_be_are_refused(void) {
  fake_host host;
  kvs_ack ack = {.type = KVS_ACK_PERSISTED, .has_timecode = true};

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  ack.number_len = KVS_MAX_FRAGMENT_NUMBER_LEN + 1;
  CHECK_EQ(kvs_stream_ack(stream, host.session, &ack, host.now),
           KVS_STATUS_INVALID_ARG_LEN);
  ack.number_len = 0;
  ack.type = (kvs_ack_type)0;
  CHECK_EQ(kvs_stream_ack(stream, host.session, &ack, host.now),
           KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  ack.type = (kvs_ack_type)6;
  CHECK_EQ(kvs_stream_ack(stream, host.session, &ack, host.now),
           KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  ack.type = KVS_ACK_PERSISTED;
  CHECK_EQ(kvs_stream_ack(stream, host.session + 1, &ack, host.now),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 2);
  CHECK_EQ(kvs_stream_ack(stream, host.session, &ack, host.now), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  /* One that cannot be read is told and passed over. */
  (void)fake_ack(&host, stream, "MAYBE", 2000);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.status,
           KVS_STATUS_INVALID_PARSED_ACK_TYPE);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  scene_finish(&host);
}

/* Sends the next session's body up to its first refusal, or its ack. */
static uint64_t meet_service(fake_host *host, kvs_stream *stream,
                             uint64_t refused, uint32_t error) {
  fake_body body;

  fake_advance(host, BACK_OFF);
  fake_answer_all(host, stream);
  (void)fake_take(host, stream);
  CHECK(fake_read_body(host, &body));
  for (uint32_t i = 0; i < body.clusters; i++) {
    if (body.times[i] == refused || refused == UINT64_MAX) {
      CHECK_EQ(scene_error(host, stream, error, body.times[i]), KVS_OK);
      break;
    }
    CHECK_EQ(fake_ack(host, stream, "PERSISTED", body.times[i]), KVS_OK);
  }
  return body.clusters == 0 ? UINT64_MAX : body.times[0];
}

/* S13: one fragment that is refused for ever, with a code that says that it may
 * go again, holds up nothing. */
static void one_that_is_always_refused_is_given_up(void) {
  static const uint32_t errors[] = {4000, 5000, 5001};

  for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
    fake_host host;
    kvs_stream_info info;
    kvs_event told;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.streaming_type = KVS_STREAMING_OFFLINE;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 1, 3, 10);
    for (uint32_t n = 0; n < 10; n++) {
      CHECK_EQ(meet_service(&host, stream, 2000, errors[i]), 2000);
      CHECK_EQ(scene_metrics(&host, stream).dropped_fragments, 0);
    }
    CHECK_EQ(meet_service(&host, stream, 2000, errors[i]), 4000);
    told = fake_last(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT);
    CHECK_EQ(told.u.dropped_fragment_report.timecode, 2000 * MS);
    CHECK_EQ(told.u.dropped_fragment_report.frames, 10);
    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    (void)fake_take(&host, stream);
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 6000), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
    CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 10);
    scene_finish(&host);
  }
}

/* The body that goes on behind it waits for its acks. */
static void a_body_that_steps_over_one_is_awaited(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 1, 3, 10);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  for (uint32_t n = 0; n < 10; n++) {
    CHECK_EQ(meet_service(&host, stream, 2000, 5000), 2000);
  }
  fake_advance(&host, BACK_OFF);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 4000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 6000), KVS_OK);
  scene_end(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 10);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  scene_finish(&host);
}

/* A service that refuses whatever it is sent costs nothing but time. */
static void what_is_refused_like_all_others_is_kept(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 1, 3, 10);
  for (uint32_t n = 0; n < 60; n++) {
    (void)meet_service(&host, stream, UINT64_MAX, 5000);
  }
  CHECK_EQ(scene_metrics(&host, stream).dropped_fragments, 0);
  for (uint32_t n = 0; n < 3; n++) {
    (void)meet_service(&host, stream, 0, 0);
  }
  CHECK_EQ(scene_metrics(&host, stream).dropped_fragments, 0);
  scene_finish(&host);
}

int main(void) {
  RUN(each_error_has_its_status_and_its_next_step);
  RUN(an_error_of_no_fragment_gives_none_up);
  RUN(an_error_without_a_time_is_the_sessions);
  RUN(the_third_error_in_a_row_is_of_the_oldest);
  RUN(a_fragment_that_is_stored_between_two_errors_clears_the_next);
  RUN(the_open_fragment_given_up_takes_no_more_frames);
  RUN(a_fragment_that_lacks_a_track_goes_again_without_it);
  RUN(what_follows_an_error_is_nobodys);
  RUN(acks_that_cannot_be_are_refused);
  RUN(one_that_is_always_refused_is_given_up);
  RUN(a_body_that_steps_over_one_is_awaited);
  RUN(what_is_refused_like_all_others_is_kept);
  return check_report();
}
