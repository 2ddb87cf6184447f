/* The client: its states, its arguments, its metrics, and the one rule of its
 * callbacks. */
#include <stdlib.h>
#include <string.h>

#include "scene.h"

/* A client whose own calls wait for the test. */
static void silent(fake_host *host, uint32_t call) {
  kvs_device_info info = {0};
  kvs_callbacks callbacks;

  fake_host_init(host, ARENA, 2);
  callbacks = host->client->host.callbacks;
  kvs_client_free(host->client);
  host->event_count = 0;
  host->handled = 0;
  host->results[call] = 0;
  info.name = "device";
  info.client_id = "tests/1";
  info.stream_count = 2;
  info.storage.storage_size = ARENA;
  CHECK_EQ(kvs_client_create(host->arena, ARENA, &info, &callbacks, host->now,
                             &host->client),
           KVS_OK);
  fake_answer_all(host, NULL);
}

static kvs_status answer(fake_host *host, uint32_t call, uint32_t result,
                         uint64_t expiration) {
  kvs_answer given = {0};

  given.call = fake_last(host, call).u.fields[0];
  given.result = result;
  given.expiration = expiration;
  return kvs_client_answer(host->client, &given, host->now);
}

static void fails_until_it_is_told(uint32_t call, kvs_status status) {
  fake_host host;
  kvs_event told;

  silent(&host, call);
  CHECK_EQ(fake_count(&host, call), 1);
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_count(&host, KVS_EVENT_CLIENT_ERROR_REPORT), 0);
    CHECK_EQ(answer(&host, call, 503, 0), KVS_OK);
    CHECK_EQ(answer(&host, call, 503, 0), KVS_STATUS_INVALID_OPERATION);
    CHECK(kvs_client_deadline(host.client) > host.now.mono);
    fake_advance(&host, BACK_OFF);
    CHECK_EQ(fake_count(&host, call), i + 2);
  }
  told = fake_last(&host, KVS_EVENT_CLIENT_ERROR_REPORT);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CLIENT_ERROR_REPORT), 1);
  CHECK_EQ(told.u.client_error_report.status, status);
  CHECK_EQ(told.u.client_error_report.result, 503);
  CHECK_EQ(told.u.client_error_report.attempts, 5);
  CHECK_EQ(answer(&host, call, 200, KVS_NEVER), KVS_OK);
  fake_answer_all(&host, NULL);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CLIENT_READY), 1);
  scene_finish(&host);
}

static void its_calls_are_retried_for_ever_and_told(void) {
  fails_until_it_is_told(KVS_EVENT_GET_SECURITY_TOKEN,
                         KVS_STATUS_CLIENT_AUTH_CALL_FAILED);
  fails_until_it_is_told(KVS_EVENT_CREATE_DEVICE,
                         KVS_STATUS_CREATE_CLIENT_CALL_FAILED);
}

static void a_call_without_an_answer_is_made_again(void) {
  fake_host host;

  silent(&host, KVS_EVENT_GET_SECURITY_TOKEN);
  fake_advance(&host, KVS_CALL_TIMEOUT + KVS_CALL_SLACK - 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 1);
  fake_advance(&host, 1);
  fake_advance(&host, BACK_OFF);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 2);
  scene_finish(&host);
}

static void a_token_that_is_about_to_expire_is_not_taken(void) {
  fake_host host;

  silent(&host, KVS_EVENT_GET_SECURITY_TOKEN);
  CHECK_EQ(answer(&host, KVS_EVENT_GET_SECURITY_TOKEN, 200,
                  host.now.wall + 30 * SECOND),
           KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CREATE_DEVICE), 0);
  fake_advance(&host, BACK_OFF);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 2);
  scene_finish(&host);
}

static void tokens_are_renewed_and_streams_do_not_notice(void) {
  fake_host host;

  silent(&host, KVS_EVENT_GET_SECURITY_TOKEN);
  CHECK_EQ(answer(&host, KVS_EVENT_GET_SECURITY_TOKEN, 200,
                  host.now.wall + 100 * SECOND),
           KVS_OK);
  fake_answer_all(&host, NULL);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(fake_count(&host, KVS_EVENT_CLIENT_READY), 1);
  fake_advance(&host, 70 * SECOND - 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 1);
  CHECK_EQ(kvs_client_deadline(host.client), host.now.mono + 1);
  /* A wall clock that is set back does not keep the old token alive. */
  host.now.wall -= 3600 * SECOND;
  fake_advance(&host, 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 2);
  scene_gops(&host, stream, 0, 1, 5);
  CHECK(host.session != 0);
  CHECK_EQ(answer(&host, KVS_EVENT_GET_SECURITY_TOKEN, 200, KVS_NEVER), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CLIENT_READY), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CREATE_DEVICE), 1);
  CHECK_EQ(host.client->machine.state, KVS_CLIENT_STATE_READY);
  scene_finish(&host);
}

static void streams_wait_for_it_and_hold_media_meanwhile(void) {
  fake_host host;
  fake_body body;

  silent(&host, KVS_EVENT_CREATE_DEVICE);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_NEW);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), 0);
  /* Neither step nor reset makes a call before the client is ready. */
  fake_advance(&host, SECOND);
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 2);
  scene_gops(&host, stream, 0, 2, 5);
  CHECK_EQ(answer(&host, KVS_EVENT_CREATE_DEVICE, 200, 0), KVS_OK);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 10);
  CHECK_EQ(scene_finds_text(&host, "tests/1"), 1); /* WritingApp */
  scene_finish(&host);
}

static void a_stream_that_was_stopped_before_it_was_ready_stays_so(void) {
  fake_host host;

  silent(&host, KVS_EVENT_CREATE_DEVICE);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(answer(&host, KVS_EVENT_CREATE_DEVICE, 200, 0), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), 0);
  scene_finish(&host);
}

static void metrics_add_up_over_streams(void) {
  fake_host host;
  kvs_client_metrics m;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 4);
  CHECK_EQ(kvs_client_get_metrics(host.client, host.now, &m), KVS_OK);
  CHECK_EQ(m.content_store_size, ARENA);
  CHECK_EQ(m.content_store_allocated_size, 0);
  CHECK_EQ(m.streams, 0);
  CHECK_EQ(m.total_content_views_size, 0);
  kvs_stream *one = fake_stream(&host, "one");
  fake_stream_info(&info, "two");
  info.min_fragment_duration = 0;
  kvs_stream *two = scene_stream(&host, &info);
  for (uint32_t i = 0; i < 100; i++) { /* 25 frames a second, 4 s */
    CHECK_EQ(fake_put(&host, one, i == 0 ? KEY : 0, i * 40, 1000), KVS_OK);
    CHECK_EQ(fake_put(&host, two, KEY, i * 40, 2000), KVS_OK);
    fake_advance(&host, 40 * MS);
  }
  CHECK_EQ(kvs_client_get_metrics(host.client, host.now, &m), KVS_OK);
  CHECK_EQ(m.streams, 2);
  CHECK_EQ(m.total_content_views_size,
           scene_metrics(&host, one).overall_view_size +
               scene_metrics(&host, two).overall_view_size);
  CHECK(m.total_content_views_size > 100 * 3000);
  CHECK_EQ(m.content_store_allocated_size + m.content_store_available_size,
           (uint64_t)host.client->host.heap.page_count * KVS_PAGE_SIZE);
  CHECK(m.content_store_allocated_size >= m.total_content_views_size);
  CHECK_EQ(m.total_frame_rate, 50);
  CHECK_EQ(m.total_elementary_frame_rate, 50);
  CHECK_EQ(m.api_call_retries, 0);
  scene_finish(&host);
}

static void arguments_are_checked(void) {
  fake_host host;
  kvs_client *other = NULL;
  kvs_stream *stream = NULL;
  kvs_stream_info info;
  kvs_device_info device = {0};
  kvs_callbacks callbacks = {0};
  kvs_client_metrics m;
  const kvs_answer none = {0};

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  CHECK_EQ(
      kvs_client_create(NULL, ARENA, &device, &callbacks, host.now, &other),
      KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_create(&m, ARENA, NULL, &callbacks, host.now, &other),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_create(&m, ARENA, &device, NULL, host.now, &other),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_create(&m, ARENA, &device, &callbacks, host.now, NULL),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_answer(NULL, &none, host.now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_answer(host.client, NULL, host.now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_step(NULL, host.now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_check(NULL), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_get_metrics(NULL, host.now, &m), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_client_get_metrics(host.client, host.now, NULL),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_create(NULL, &info, host.now, &stream),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_create(host.client, NULL, host.now, &stream),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, NULL),
           KVS_STATUS_NULL_ARG);
  info.name = "";
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream),
           KVS_STATUS_INVALID_STREAM_NAME_LENGTH);
  kvs_client_free(NULL);
  kvs_stream_free(NULL);
  scene_finish(&host);
}

static void stream_arguments_are_checked(void) {
  fake_host host;
  uint8_t byte = 0;
  size_t taken = 0;
  const kvs_frame frame = {0};
  const kvs_ack ack = {0};
  const kvs_answer given = {0};
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  kvs_time now = host.now;
  kvs_stream *s = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_put(NULL, &frame, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_put(s, NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_put_metadata(NULL, "a", "b", false, now),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_put_metadata(s, NULL, "b", false, now),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_put_metadata(s, "a", NULL, false, now),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_put_event(NULL, 1, NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_format_changed(NULL, 1, &byte, 1, now),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_format_changed(s, 1, NULL, 1, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_answer(NULL, &given, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_answer(s, NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_take(NULL, 1, &byte, 1, now, &taken),
           KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_take(s, 1, NULL, 1, now, &taken), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_take(s, 1, &byte, 1, now, NULL), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_take(s, 1, &byte, 0, now, &taken),
           KVS_STATUS_BUFFER_TOO_SMALL);
  CHECK_EQ(kvs_stream_take(s, 1, &byte, 1, now, &taken),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  CHECK_EQ(kvs_stream_parse_ack(NULL, 1, &byte, 1, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_parse_ack(s, 1, NULL, 1, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_parse_ack(s, 1, NULL, 0, now),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  CHECK_EQ(kvs_stream_ack(NULL, 1, &ack, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_ack(s, 1, NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_session_ended(NULL, 1, 200, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_session_ended(s, 1, 200, now),
           KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  CHECK_EQ(kvs_stream_stop(NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_start(NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_start(s, now), KVS_STATUS_INVALID_OPERATION);
  CHECK_EQ(kvs_stream_reset(NULL, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_reset_connection(NULL, false, now), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_reset_connection(s, true, now), KVS_OK);
  CHECK_EQ(kvs_stream_get_metrics(NULL, now, &m), KVS_STATUS_NULL_ARG);
  CHECK_EQ(kvs_stream_get_metrics(s, now, NULL), KVS_STATUS_NULL_ARG);
  CHECK_EQ(scene_metrics(&host, s).put_frame_errors, 0);
  scene_finish(&host);
}

/* A host that keeps to the deadline would call without an end. */
static void a_token_that_expires_too_early_does_not_keep_the_host_busy(void) {
  fake_host host;

  silent(&host, KVS_EVENT_GET_SECURITY_TOKEN);
  host.results[KVS_EVENT_CREATE_DEVICE] = 0;
  CHECK_EQ(answer(&host, KVS_EVENT_GET_SECURITY_TOKEN, 200,
                  host.now.wall + 31 * SECOND),
           KVS_OK);
  fake_advance(&host, 5 * SECOND); /* one second is beyond the grace */
  CHECK(kvs_client_deadline(host.client) > host.now.mono);
  CHECK_EQ(answer(&host, KVS_EVENT_CREATE_DEVICE, 200, 0), KVS_OK);
  CHECK(kvs_client_deadline(host.client) <= host.now.mono);
  fake_advance(&host, 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_SECURITY_TOKEN), 2);
  CHECK(kvs_client_deadline(host.client) > host.now.mono);
  scene_finish(&host);
}

/* Closed with nothing to send, and started again, while nobody has answered:
 * the client's readiness finds it as if it were new. */
static void a_stream_is_stopped_and_started_before_the_client_is_ready(void) {
  fake_host host;

  silent(&host, KVS_EVENT_GET_SECURITY_TOKEN);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
  scene_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(answer(&host, KVS_EVENT_GET_SECURITY_TOKEN, 200, KVS_NEVER), KVS_OK);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STREAMING);
  scene_finish(&host);
}

/* ---- calls from within a callback ---------------------------------------- */

enum { INNER = 14 };

typedef struct meddler {
  kvs_client *client;
  kvs_stream *stream;
  kvs_time now;
  uint32_t rounds;
  kvs_status got[INNER];
} meddler;

static void meddle(meddler *m) {
  static const uint8_t bytes[4] = {0};
  const kvs_frame frame = {KEY, 1, 0, 0, 0, bytes, sizeof(bytes)};
  const kvs_ack ack = {.type = KVS_ACK_IDLE};
  const kvs_answer given = {.call = 1, .result = 200};
  uint8_t out[8];
  size_t taken = 0;
  kvs_stream_info info;
  kvs_stream *other = NULL;
  uint32_t i = 0;

  fake_stream_info(&info, "other");
  m->got[i++] = kvs_stream_put(m->stream, &frame, m->now);
  m->got[i++] = kvs_stream_put_metadata(m->stream, "a", "b", true, m->now);
  m->got[i++] = kvs_stream_put_event(m->stream, 1, NULL, m->now);
  m->got[i++] = kvs_stream_format_changed(m->stream, 1, bytes, 4, m->now);
  m->got[i++] = kvs_stream_answer(m->stream, &given, m->now);
  m->got[i++] = kvs_stream_take(m->stream, 1, out, 8, m->now, &taken);
  m->got[i++] = kvs_stream_parse_ack(m->stream, 1, bytes, 4, m->now);
  m->got[i++] = kvs_stream_ack(m->stream, 1, &ack, m->now);
  m->got[i++] = kvs_stream_session_ended(m->stream, 1, 200, m->now);
  m->got[i++] = kvs_stream_stop(m->stream, m->now);
  m->got[i++] = kvs_stream_start(m->stream, m->now);
  m->got[i++] = kvs_stream_reset(m->stream, m->now);
  m->got[i++] = kvs_stream_create(m->client, &info, m->now, &other);
  m->got[i++] = kvs_client_step(m->client, m->now);
  CHECK_EQ(i, INNER);
  CHECK_EQ(kvs_stream_reset_connection(m->stream, true, m->now),
           KVS_STATUS_INVALID_OPERATION);
  CHECK_EQ(kvs_client_answer(m->client, &given, m->now),
           KVS_STATUS_INVALID_OPERATION);
  for (i = 0; i < INNER; i++) {
    CHECK_EQ(m->got[i], KVS_STATUS_INVALID_OPERATION);
  }
  kvs_stream_free(m->stream); /* nothing happens */
  kvs_client_free(m->client);
  m->rounds++;
}

static uint32_t on_random(void *user) {
  meddler *m = user;

  if (m->stream != NULL) {
    meddle(m);
  }
  return 4;
}

static void a_callback_may_not_call_back(void) {
  meddler m = {0};
  kvs_device_info device = {0};
  const kvs_callbacks callbacks = {0, &m, on_random};
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  void *arena = malloc((size_t)ARENA);
  kvs_answer given = {0};

  device.stream_count = 2;
  device.storage.storage_size = ARENA;
  m.now.mono = SECOND;
  m.now.wall = UINT64_C(1795400000) * SECOND;
  CHECK_EQ(
      kvs_client_create(arena, ARENA, &device, &callbacks, m.now, &m.client),
      KVS_OK);
  fake_stream_info(&info, "camera");
  CHECK_EQ(kvs_stream_create(m.client, &info, m.now, &stream), KVS_OK);
  m.stream = stream;
  given.call = 1;
  given.result = 200;
  given.expiration = KVS_NEVER;
  CHECK_EQ(kvs_client_answer(m.client, &given, m.now), KVS_OK);
  given.call = 2;
  CHECK_EQ(kvs_client_answer(m.client, &given, m.now), KVS_OK);
  given.call = 1;
  given.result = 500; /* asks for a random number */
  CHECK_EQ(kvs_stream_answer(stream, &given, m.now), KVS_OK);
  CHECK_EQ(m.rounds, 1);
  CHECK_EQ(kvs_client_check(m.client), KVS_OK);
  m.stream = NULL;
  kvs_client_free(m.client);
  free(arena);
}

int main(void) {
  RUN(its_calls_are_retried_for_ever_and_told);
  RUN(a_call_without_an_answer_is_made_again);
  RUN(a_token_that_expires_too_early_does_not_keep_the_host_busy);
  RUN(a_stream_is_stopped_and_started_before_the_client_is_ready);
  RUN(a_token_that_is_about_to_expire_is_not_taken);
  RUN(tokens_are_renewed_and_streams_do_not_notice);
  RUN(streams_wait_for_it_and_hold_media_meanwhile);
  RUN(a_stream_that_was_stopped_before_it_was_ready_stays_so);
  RUN(metrics_add_up_over_streams);
  RUN(arguments_are_checked);
  RUN(stream_arguments_are_checked);
  RUN(a_callback_may_not_call_back);
  return check_report();
}
