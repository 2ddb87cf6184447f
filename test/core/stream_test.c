/* The stream's promises: what goes out, what frees, what comes again. */
#include <string.h>

#include "check.h"
#include "core/client.h"
#include "fake_host.h"

#define ARENA (UINT64_C(10) * 1024 * 1024)
#define KEY KVS_FRAME_KEY
#define SECOND KVS_TICKS_PER_SECOND

/* |gops| fragments of |frames| frames each, 2 s apart, from |from| s on. */
static void put_gops(fake_host *host, kvs_stream *stream, uint32_t from,
                     uint32_t gops, uint32_t frames) {
  for (uint32_t g = 0; g < gops; g++) {
    for (uint32_t f = 0; f < frames; f++) {
      uint64_t ms = (uint64_t)(from + g) * 2000 + (uint64_t)f * 40;

      CHECK_EQ(fake_put(host, stream, f == 0 ? KEY : 0, ms, 500), KVS_OK);
    }
  }
}

static void finish(fake_host *host) {
  CHECK_EQ(kvs_client_check(host->client), KVS_OK);
  fake_host_free(host);
}

static void a_stream_goes_out_whole(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 3, 10);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.headers, 1);
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(body.blocks, 30);
  CHECK_EQ(body.ends, 0);
  CHECK_EQ(body.times[2], 4000);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
  for (uint64_t i = 0; i < 3; i++) {
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", i * 2000), KVS_OK);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           0);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 200, host.now),
           KVS_OK);
  kvs_stream_metrics m;
  CHECK_EQ(kvs_stream_get_metrics(stream, host.now, &m), KVS_OK);
  CHECK_EQ(m.state, KVS_STREAM_STATE_STOPPED);
  CHECK_EQ(m.buffered_frames, 0);
  CHECK_EQ(m.total_frames, 30);
  CHECK_EQ(fake_put(&host, stream, KEY, 99000, 10),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  finish(&host);
}

static void persisted_frees_its_own_fragment_alone(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 4, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 0), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_fragments, 4); /* the oldest is not freed */
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_fragments, 2); /* the marked one goes with it */
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.unmatched_acks, 1);
  CHECK_EQ(m.persisted_acks, 3);
  finish(&host);
}

static void received_frees_where_nothing_is_retained(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  host.retention = 0;
  fake_stream_info(&info, "camera");
  info.replay_duration = 0;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  put_gops(&host, stream, 0, 3, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "BUFFERING", 0), KVS_OK);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_fragments, 3);
  CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 0), KVS_OK);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_fragments, 2);
  finish(&host);
}

static void without_acks_the_last_byte_frees(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  info.fragment_acks = false;
  info.replay_duration = 0;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  put_gops(&host, stream, 0, 3, 5);
  (void)fake_take(&host, stream);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_fragments, 1);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  finish(&host);
}

static void a_lost_connection_sends_again_what_is_not_freed(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 4, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 4000), KVS_OK);
  uint64_t first = host.session;
  CHECK_EQ(kvs_stream_session_ended(stream, first, 598, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  CHECK_EQ(host.session, 0); /* it backs off */
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  CHECK(host.session > first);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.headers, 1);
  CHECK_EQ(body.clusters, 2); /* 2000 and 6000: 4000 was freed */
  CHECK_EQ(body.times[0], 2000);
  CHECK_EQ(body.times[1], 6000);
  CHECK_EQ(
      kvs_stream_parse_ack(stream, first, (const uint8_t *)"{", 1, host.now),
      KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  finish(&host);
}

static void a_half_sent_fragment_is_sent_whole_again(void) {
  fake_host host;
  fake_body body;
  uint8_t some[700];
  size_t taken = 0;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(kvs_stream_take(stream, host.session, some, sizeof(some), host.now,
                           &taken),
           KVS_OK);
  CHECK_EQ(taken, sizeof(some));
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 500, host.now),
           KVS_OK);
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  finish(&host);
}

static void frames_before_the_key_frame_are_skipped_and_told_once(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 7; i++) {
    CHECK_EQ(fake_put(&host, stream, 0, i * 40, 100), KVS_OK);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT), 0);
  CHECK_EQ(fake_put(&host, stream, KEY, 400, 100), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT)
               .u.skipped_frames_report.frames,
           7);
  finish(&host);
}

static void bad_frames_are_refused_and_change_nothing(void) {
  fake_host host;
  kvs_stream_metrics m;
  kvs_refusal refusal;
  kvs_frame frame = {0};

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(fake_put(&host, stream, 0, 100, 10),
           KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  kvs_stream_last_refusal(stream, &refusal);
  CHECK_EQ(refusal.status, KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  CHECK_EQ(refusal.value, 100 * KVS_TICKS_PER_MS);
  CHECK_EQ(refusal.previous, 160 * KVS_TICKS_PER_MS);
  CHECK_EQ(fake_put(&host, stream, 0, 200, 0),
           KVS_STATUS_MKV_INVALID_FRAME_DATA);
  frame.track_id = 9;
  frame.data = (const uint8_t *)"x";
  frame.size = 1;
  CHECK_EQ(kvs_stream_put(stream, &frame, host.now),
           KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND);
  frame.track_id = 1;
  frame.pts = UINT64_MAX - 1;
  CHECK_EQ(kvs_stream_put(stream, &frame, host.now),
           KVS_STATUS_MKV_MAX_FRAME_TIMECODE);
  CHECK_EQ(kvs_stream_put(NULL, &frame, host.now), KVS_STATUS_NULL_ARG);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.put_frame_errors, 4);
  CHECK_EQ(m.buffered_frames, 5);
  finish(&host);
}

static void an_oversized_frame_harms_nothing(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 2, 5);
  CHECK_EQ(fake_put(&host, stream, KEY, 8000, 11 * 1024 * 1024),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.buffered_frames, 10);
  CHECK_EQ(m.dropped_frames, 0);
  CHECK_EQ(fake_put(&host, stream, KEY, 8000, 100), KVS_OK);
  finish(&host);
}

static void a_full_arena_drops_the_oldest_and_tells(void) {
  fake_host host;
  kvs_stream_metrics m;
  uint64_t told = 0;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0; /* no network */
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 40; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 2000, 500000), KVS_OK);
  }
  for (uint32_t i = 0; i < host.event_count; i++) {
    if (host.events[i].type == KVS_EVENT_DROPPED_FRAGMENT_REPORT) {
      CHECK_EQ(host.events[i].u.dropped_fragment_report.timecode,
               told * 2000 * KVS_TICKS_PER_MS);
      CHECK_EQ(host.events[i].u.dropped_fragment_report.reason,
               KVS_STATUS_STORE_OUT_OF_MEMORY);
      told++;
    }
  }
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK(m.buffered_frames >= 20);
  CHECK_EQ(m.buffered_frames + told, 40);
  CHECK_EQ(m.dropped_frames, told);
  CHECK(fake_count(&host, KVS_EVENT_STORAGE_OVERFLOW_PRESSURE) > 0);
  finish(&host);
}

static void the_window_drops_the_oldest(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 90, 50); /* 180 s into a window of 120 s */
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK(m.overall_view_duration <= 120 * SECOND);
  CHECK(m.overall_view_duration >= 116 * SECOND);
  CHECK_EQ(m.buffered_frames + m.dropped_frames, 90 * 50);
  CHECK_EQ(fake_last(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT)
               .u.dropped_fragment_report.reason,
           KVS_STATUS_INVALID_CONTENT_VIEW_DURATION);
  finish(&host);
}

static void a_fragment_is_given_up_after_an_error_ack_of_its_own(void) {
  fake_host host;
  fake_body body;
  const char *error =
      "{\"EventType\":\"ERROR\",\"FragmentTimecode\":2000,"
      "\"FragmentNumber\":\"1\",\"ErrorId\":4004,"
      "\"ErrorCode\":\"FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS\"}";

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 3, 5);
  (void)fake_take(&host, stream);
  (void)kvs_stream_parse_ack(stream, host.session, (const uint8_t *)error,
                             strlen(error), host.now);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.status,
           KVS_STATUS_ACK_ERR_FRAGMENT_TIMECODE_NOT_MONOTONIC);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 1);
  fake_answer_all(&host, stream);
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.times[0], 0);
  CHECK_EQ(body.times[1], 4000);
  finish(&host);
}

static void stale_connections_are_broken(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK(kvs_client_deadline(host.client) <= host.now.mono + 30 * SECOND);
  fake_advance(&host, 29 * SECOND);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 0);
  fake_advance(&host, 2 * SECOND);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
  finish(&host);
}

static void an_idle_stream_ends_its_session_and_begins_another(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 1, 5);
  (void)fake_take(&host, stream);
  fake_advance(&host, 21 * SECOND);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  uint64_t first = host.session;
  CHECK_EQ(kvs_stream_session_ended(stream, first, 200, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  put_gops(&host, stream, 20, 1, 5);
  CHECK_EQ(host.session, first + 1);
  finish(&host);
}

static void rotation_crosses_a_fragment_boundary_without_a_gap(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  host.expiration = host.now.wall + 600 * SECOND;
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  /* The token is renewed 30 s early, at the next fragment. */
  for (uint32_t i = 0; i < 30; i++) {
    fake_advance(&host, 19 * SECOND);
    CHECK_EQ(kvs_stream_ack(stream, host.session,
                            &(kvs_ack){.type = KVS_ACK_IDLE}, host.now),
             KVS_OK);
    CHECK_EQ(fake_put(&host, stream, 0, 2200 + i * 40, 100), KVS_OK);
    (void)fake_take(&host, stream);
  }
  host.expiration = host.now.wall + 600 * SECOND;
  CHECK_EQ(fake_put(&host, stream, KEY, 6000, 100), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  uint32_t tokens = fake_count(&host, KVS_EVENT_GET_STREAMING_TOKEN);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 200, host.now),
           KVS_OK);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_GET_STREAMING_TOKEN), tokens + 1);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.times[0], 6000);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  finish(&host);
}

static void equal_fragment_times_are_mended(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  info.min_fragment_duration = 0;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  for (int i = 0; i < 3; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, 5000, 100), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(body.times[0], 5000);
  CHECK_EQ(body.times[1], 5001);
  CHECK_EQ(body.times[2], 5002);
  (void)kvs_stream_get_metrics(stream, host.now, &m);
  CHECK_EQ(m.mended_timecodes, 2);
  finish(&host);
}

static void a_jump_begins_a_session_and_a_timeline(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 1800, 2, 5); /* an hour in */
  (void)fake_take(&host, stream);
  put_gops(&host, stream, 0, 1, 5); /* and back to zero */
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 1);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 3600000), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 3602000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 200, host.now),
           KVS_OK);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.times[0], 0);
  finish(&host);
}

static void a_long_gop_is_cut_and_told_once(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 1000; i++) { /* 40 s, one key frame */
    CHECK_EQ(fake_put(&host, stream, i == 0 ? KEY : 0, i * 40, 100), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 1000);
  CHECK(body.clusters >= 4 && body.clusters <= 6);
  CHECK(body.times[1] <= 9540);
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 1);
  finish(&host);
}

static void relative_times_count_from_the_first_frame(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  info.absolute_fragment_times = false;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  put_gops(&host, stream, 500, 2, 5);
  kvs_event put = fake_last(&host, KVS_EVENT_PUT_STREAM);
  CHECK_EQ(put.u.put_stream.start, 1000000 * KVS_TICKS_PER_MS);
  CHECK_EQ(put.u.put_stream.absolute, 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], 0);
  CHECK_EQ(body.times[1], 2000);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 598, host.now),
           KVS_OK);
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  put = fake_last(&host, KVS_EVENT_PUT_STREAM);
  CHECK_EQ(put.u.put_stream.start, 1000000 * KVS_TICKS_PER_MS);
  finish(&host);
}

static void metadata_stand_before_their_fragment(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_put_metadata(stream, "once", "1", false, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, "always", "2", true, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, "AWS_x", "2", true, host.now),
           KVS_STATUS_INVALID_METADATA_NAME);
  CHECK_EQ(kvs_stream_put_metadata(stream, "", "2", true, host.now),
           KVS_STATUS_MKV_INVALID_TAG_NAME_LENGTH);
  put_gops(&host, stream, 0, 3, 2);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.tags, 4);
  CHECK_EQ(body.clusters, 3);
  finish(&host);
}

static void stop_with_nothing_is_done_at_once(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(kvs_stream_stop(stream, host.now),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  finish(&host);
}

static void failing_calls_are_retried_for_ever_and_told(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 503;
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 2, 5);
  for (uint32_t i = 0; i < 60; i++) {
    fake_advance(&host, 10 * SECOND);
    fake_answer_all(&host, stream);
  }
  CHECK(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM) > 50);
  CHECK(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT) >= 10);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_ERROR_REPORT)
               .u.stream_error_report.status,
           KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  fake_advance(&host, 10 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  fake_body body;
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 10);
  finish(&host);
}

static void a_stream_that_does_not_exist_is_made(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 404;
  host.results[KVS_EVENT_CREATE_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(fake_count(&host, KVS_EVENT_CREATE_STREAM), 1);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host.results[KVS_EVENT_CREATE_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_READY), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DESCRIBE_STREAM), 2);
  finish(&host);
}

static void without_restart_an_error_is_final(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_host_init(&host, ARENA, 4);
  host.results[KVS_EVENT_GET_STREAMING_ENDPOINT] = 0;
  fake_stream_info(&info, "camera");
  info.restart_on_error = false;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  put_gops(&host, stream, 0, 1, 5);
  host.results[KVS_EVENT_GET_STREAMING_ENDPOINT] = 500;
  host.handled = 0;
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           5);
  CHECK_EQ(fake_put(&host, stream, KEY, 9000, 10),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  finish(&host);
}

static void reset_drops_all_and_begins_anew(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 2);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_put(&host, stream, 0, 0, 10), KVS_OK); /* skipped */
  put_gops(&host, stream, 0, 1, 5);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  put_gops(&host, stream, 0, 1, 5);
  finish(&host);
}

static void a_stream_started_again_keeps_what_it_holds(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 5, 2, 5);
  (void)fake_take(&host, stream);
  uint64_t first = host.session;
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 0, 10), KVS_OK); /* skipped */
  put_gops(&host, stream, 0, 1, 5); /* ten seconds before the last one */
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 10);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 10000), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 12000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, first, 200, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  CHECK(host.session != first);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  CHECK_EQ(body.times[0], 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
  finish(&host);
}

static void a_closed_stream_is_started_again(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  put_gops(&host, stream, 0, 1, 5);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  finish(&host);
}

static void an_old_fragment_that_is_passed_over_is_sent_alone(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 5, 3);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 4000), KVS_OK);
  fake_advance(&host, 15 * SECOND);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 6000), KVS_OK);
  fake_advance(&host, 16 * SECOND);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 8000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 200, host.now),
           KVS_OK);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.times[0], 0);
  CHECK_EQ(body.blocks, 3);
  finish(&host);
}

static void a_dead_host_gets_the_replay_duration_again(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_host_init(&host, ARENA, 4);
  host.retention = 0;
  fake_stream_info(&info, "camera");
  info.replay_duration = 5 * SECOND;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  put_gops(&host, stream, 0, 10, 50);
  (void)fake_take(&host, stream);
  for (uint64_t i = 0; i < 9; i++) {
    CHECK_EQ(fake_ack(&host, stream, "RECEIVED", i * 2000), KVS_OK);
  }
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 504, host.now),
           KVS_OK);
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(body.times[0], 14000);
  for (uint64_t i = 7; i < 9; i++) {
    CHECK_EQ(fake_ack(&host, stream, "RECEIVED", i * 2000), KVS_OK);
  }
  /* A living host has what it said that it received. */
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 401, host.now),
           KVS_OK);
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.times[0], 18000);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  finish(&host);
}

static kvs_stream *two_tracks(fake_host *host) {
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_stream_info(&info, "camera");
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_AAC";
  info.tracks[1].codec_private = (const uint8_t *)"\x12\x10";
  info.tracks[1].codec_private_len = 2;
  CHECK_EQ(kvs_stream_create(host->client, &info, host->now, &stream), KVS_OK);
  fake_answer_all(host, stream);
  return stream;
}

static void put_track(fake_host *host, kvs_stream *stream, uint64_t track,
                      uint32_t flags, uint64_t ms) {
  kvs_frame frame = {0};

  frame.track_id = track;
  frame.flags = flags;
  frame.pts = ms * KVS_TICKS_PER_MS;
  frame.dts = KVS_NEVER;
  frame.duration = 20 * KVS_TICKS_PER_MS;
  frame.data = (const uint8_t *)"media";
  frame.size = 5;
  CHECK_EQ(kvs_stream_put(stream, &frame, host->now), KVS_OK);
  fake_answer_all(host, stream);
}

/* How often |what| stands in the body. */
static uint32_t occurrences(const fake_host *host, const char *what) {
  size_t len = strlen(what);
  uint32_t count = 0;

  for (size_t i = 0; i + len <= host->body_len; i++) {
    count += memcmp(host->body + i, what, len) == 0 ? 1 : 0;
  }
  return count;
}

static void a_silent_track_is_left_out_and_comes_back(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = two_tracks(&host);
  put_track(&host, stream, 1, KEY, 0);
  put_track(&host, stream, 2, 0, 10);
  put_track(&host, stream, 1, KEY, 2000); /* no audio in this one */
  (void)fake_take(&host, stream);
  CHECK_EQ(occurrences(&host, "A_AAC"), 1);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  uint64_t first = host.session;
  put_track(&host, stream, 1, KEY, 8000); /* the next is too late to wait for */
  CHECK(host.session > first); /* broken: it goes again without audio */
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(occurrences(&host, "A_AAC"), 0);
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.times[0], 2000);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  put_track(&host, stream, 2, 0, 9000); /* audio is back */
  put_track(&host, stream, 1, 0, 9040);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 8000), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 200, host.now),
           KVS_OK);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(occurrences(&host, "A_AAC"), 1);
  CHECK_EQ(body.times[0], 9000);
  CHECK_EQ(body.blocks, 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  finish(&host);
}

static void stop_with_a_track_that_never_spoke(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = two_tracks(&host);
  put_track(&host, stream, 1, KEY, 0);
  put_track(&host, stream, 1, 0, 40);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(occurrences(&host, "A_AAC"), 0);
  CHECK_EQ(body.blocks, 2);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  finish(&host);
}

static void media_wait_for_the_clock_and_are_shifted(void) {
  fake_host host;
  fake_body body;
  const uint64_t set = UINT64_C(1795400000000); /* ms */

  fake_host_init(&host, ARENA, 4);
  host.now.wall = 5 * SECOND; /* 1970 */
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_put_metadata(stream, "a", "b", true, host.now), KVS_OK);
  put_gops(&host, stream, 0, 2, 50);
  CHECK_EQ(host.session, 0);
  fake_advance(&host, 10 * SECOND);
  CHECK_EQ(host.session, 0);
  host.now.wall = set * KVS_TICKS_PER_MS;
  fake_advance(&host, 2 * SECOND);
  fake_answer_all(&host, stream);
  CHECK(host.session != 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  /* What was 5 s into 1970 was 10 s before the clock was set. */
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.times[0], set - 10000 - 5000);
  CHECK_EQ(body.times[1], set - 10000 - 3000);
  CHECK_EQ(fake_put(&host, stream, KEY, set - 10000 + 1000, 10), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 0);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", set - 15000), KVS_OK);
  CHECK_EQ(fake_last(&host, KVS_EVENT_FRAGMENT_ACK_RECEIVED)
               .u.fragment_ack_received.matched,
           1);
  finish(&host);
}

static void events_go_with_the_next_fragment(void) {
  fake_host host;
  kvs_event_metadata metadata = {0};
  char prefix[300];

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_put_event(stream, KVS_STREAM_EVENT_NOTIFICATION, NULL,
                                host.now),
           KVS_STATUS_STREAM_NOT_STARTED);
  put_gops(&host, stream, 0, 1, 2);
  CHECK_EQ(kvs_stream_put_event(stream, 0, NULL, host.now),
           KVS_STATUS_INVALID_ARG);
  CHECK_EQ(kvs_stream_put_event(stream, 4, NULL, host.now),
           KVS_STATUS_INVALID_ARG);
  memset(prefix, 'p', sizeof(prefix));
  prefix[257] = 0;
  metadata.image_prefix = prefix;
  CHECK_EQ(kvs_stream_put_event(stream, 1, &metadata, host.now),
           KVS_STATUS_INVALID_IMAGE_PREFIX_LENGTH);
  prefix[256] = 0;
  metadata.count = 1;
  metadata.names[0] = "";
  metadata.values[0] = "front-door";
  CHECK_EQ(kvs_stream_put_event(stream, 1, &metadata, host.now),
           KVS_STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH);
  metadata.names[0] = "where";
  CHECK_EQ(kvs_stream_put_event(stream, 3, &metadata, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_put_event(stream, 2, &metadata, host.now),
           KVS_STATUS_DUPLICATE_STREAM_EVENT_TYPE);
  put_gops(&host, stream, 1, 2, 2);
  (void)fake_take(&host, stream);
  CHECK_EQ(occurrences(&host, "AWS_KINESISVIDEO_IMAGE_GENERATION"), 1);
  CHECK_EQ(occurrences(&host, "AWS_KINESISVIDEO_NOTIFICATION"), 1);
  CHECK_EQ(occurrences(&host, "front-door"), 2);
  CHECK_EQ(occurrences(&host, prefix), 2);
  finish(&host);
}

static void a_session_without_media_runs_dry_once(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 4);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_gops(&host, stream, 0, 1, 2);
  (void)fake_take(&host, stream);
  for (int i = 0; i < 5; i++) {
    fake_advance(&host, SECOND);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_UNDERFLOW_REPORT), 1);
  put_gops(&host, stream, 1, 1, 2);
  (void)fake_take(&host, stream);
  fake_advance(&host, 2 * SECOND);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_UNDERFLOW_REPORT), 2);
  finish(&host);
}

int main(void) {
  RUN(a_dead_host_gets_the_replay_duration_again);
  RUN(a_silent_track_is_left_out_and_comes_back);
  RUN(stop_with_a_track_that_never_spoke);
  RUN(media_wait_for_the_clock_and_are_shifted);
  RUN(events_go_with_the_next_fragment);
  RUN(a_session_without_media_runs_dry_once);
  RUN(a_stream_goes_out_whole);
  RUN(persisted_frees_its_own_fragment_alone);
  RUN(received_frees_where_nothing_is_retained);
  RUN(without_acks_the_last_byte_frees);
  RUN(a_lost_connection_sends_again_what_is_not_freed);
  RUN(a_half_sent_fragment_is_sent_whole_again);
  RUN(frames_before_the_key_frame_are_skipped_and_told_once);
  RUN(bad_frames_are_refused_and_change_nothing);
  RUN(an_oversized_frame_harms_nothing);
  RUN(a_full_arena_drops_the_oldest_and_tells);
  RUN(the_window_drops_the_oldest);
  RUN(a_fragment_is_given_up_after_an_error_ack_of_its_own);
  RUN(stale_connections_are_broken);
  RUN(an_idle_stream_ends_its_session_and_begins_another);
  RUN(rotation_crosses_a_fragment_boundary_without_a_gap);
  RUN(equal_fragment_times_are_mended);
  RUN(a_jump_begins_a_session_and_a_timeline);
  RUN(a_long_gop_is_cut_and_told_once);
  RUN(relative_times_count_from_the_first_frame);
  RUN(metadata_stand_before_their_fragment);
  RUN(stop_with_nothing_is_done_at_once);
  RUN(failing_calls_are_retried_for_ever_and_told);
  RUN(a_stream_that_does_not_exist_is_made);
  RUN(without_restart_an_error_is_final);
  RUN(reset_drops_all_and_begins_anew);
  RUN(a_stream_started_again_keeps_what_it_holds);
  RUN(a_closed_stream_is_started_again);
  RUN(an_old_fragment_that_is_passed_over_is_sent_alone);
  return check_report();
}
