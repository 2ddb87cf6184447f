/* The end of a stream: it is told once, when nothing is held any more, whoever
 * it was that took the last of it. */
#include "scene.h"

/* All is persisted, but the host has not ended the body yet. */
static void a_closed_stream_may_lose_its_connection(void) {
  for (uint32_t restart = 0; restart < 2; restart++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.restart_on_error = restart != 0;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 1, 5);
    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
    CHECK_EQ(kvs_stream_session_ended(stream, host.session, 598, host.now),
             KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
    CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.status,
             KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
    CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
    scene_finish(&host);
  }
}

static void frames_that_were_skipped_are_told_when_it_gives_up(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.restart_on_error = false;
  host.results[KVS_EVENT_GET_STREAMING_TOKEN] = 0;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 3; i++) { /* no key frame came yet */
    CHECK_EQ(fake_put(&host, stream, 0, i * 40, 100), KVS_OK);
  }
  host.results[KVS_EVENT_GET_STREAMING_TOKEN] = 403;
  fake_advance(&host, KVS_CALL_TIMEOUT + KVS_CALL_SLACK);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT)
               .u.skipped_frames_report.frames,
           3);
  CHECK_EQ(kvs_stream_stop(stream, host.now),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  CHECK_EQ(fake_count(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT), 1);
  scene_finish(&host);
}

/* One fragment of 5 frames. */
static void put_most_of_the_arena(fake_host *host, kvs_stream *stream) {
  for (uint32_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_put(host, stream, i == 0 ? KEY : 0, i * 40, 1600000), KVS_OK);
  }
}

/* Its last fragment, which nobody could be sent, goes to make room for another
 * stream: nobody will take, put or acknowledge anything that could tell. */
static void a_stopped_stream_that_gives_way_is_closed(void) {
  fake_host host;
  uint64_t ms = 0;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  put_most_of_the_arena(&host, stream);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, KVS_FRAME_END_OF_FRAGMENT, 0, 0),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  kvs_stream *other = fake_stream(&host, "other");
  while (scene_metrics(&host, stream).dropped_fragments < 1 && ms < 100000) {
    CHECK_EQ(fake_put(&host, other, ms % 2000 == 0 ? KEY : 0, ms, 200000),
             KVS_OK);
    ms += 200;
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           5);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STOPPED);
  scene_finish(&host);
}

/* What was sent and waits for its ack never gives way. */
static void a_body_that_waits_for_its_ack_gets_it(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  put_most_of_the_arena(&host, stream);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  uint64_t session = host.session;
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0; /* the other only holds */
  kvs_stream *other = fake_stream(&host, "other");
  for (uint64_t ms = 0; ms < 100000; ms += 200) {
    CHECK_EQ(fake_put(&host, other, ms % 2000 == 0 ? KEY : 0, ms, 200000),
             KVS_OK);
  }
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK(scene_metrics(&host, other).dropped_frames > 0);
  host.session = session;
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  scene_end(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           0);
  scene_finish(&host);
}

/* Without acks a fragment is freed by its last byte; the body has its
 * END_OF_FRAGMENT all the same (ruling 4), and one alone. */
static void a_body_without_acks_has_its_end(void) {
  for (uint32_t own = 0; own < 2; own++) {
    fake_host host;
    kvs_stream_info info;
    fake_body body;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.fragment_acks = false;
    info.replay_duration = 0;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 2, 5);
    if (own != 0) {
      CHECK_EQ(fake_put(&host, stream, KVS_FRAME_END_OF_FRAGMENT, 2400, 500),
               KVS_OK);
    }
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
    scene_gops(&host, stream, 2, 1, 1);
    CHECK_EQ(kvs_stream_reset_connection(stream, false, host.now), KVS_OK);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.clusters, 2);
    CHECK_EQ(body.ends, 1);
    scene_finish(&host);
  }
}

/* Without acks a fragment is freed by its last byte: the bytes must have gone
 * out, then. The last fragment lacks its sound, so that the session is broken
 * and that one goes alone. */
static void a_session_that_is_broken_at_its_end_loses_no_bytes(void) {
  static uint8_t out[65536];
  fake_host host;
  kvs_stream_info info;
  size_t taken = 0;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.fragment_acks = false;
  info.replay_duration = 0;
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_AAC";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "picture", 7), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 10, "tone", 4), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 2000, "later", 5), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(
      kvs_stream_take(stream, host.session, out, sizeof(out), host.now, &taken),
      KVS_OK);
  CHECK(taken != 0);
  CHECK_EQ(
      kvs_stream_take(stream, host.session, out, sizeof(out), host.now, &taken),
      KVS_STATUS_UPLOAD_HANDLE_ABORTED);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(scene_finds_text(&host, "picture"), 0);
  CHECK_EQ(scene_finds_text(&host, "later"), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  scene_finish(&host);
}

/* What the policy dropped while the stream ran is no part of what its end
 * cost. */
static void a_stream_that_gives_up_tells_what_that_cost(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.restart_on_error = false;
  info.buffer_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 300, 3); /* the window drops most of them */
  uint64_t before = scene_metrics(&host, stream).dropped_frames;
  uint64_t held = scene_metrics(&host, stream).buffered_frames;
  CHECK(before != 0 && held != 0);
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 500, host.now),
           KVS_OK);
  CHECK_EQ(fake_last(&host, KVS_EVENT_STREAM_CLOSED).u.stream_closed.dropped,
           held);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, before + held);
  scene_finish(&host);
}

int main(void) {
  RUN(a_stream_that_gives_up_tells_what_that_cost);
  RUN(a_session_that_is_broken_at_its_end_loses_no_bytes);
  RUN(a_stopped_stream_that_gives_way_is_closed);
  RUN(a_body_that_waits_for_its_ack_gets_it);
  RUN(a_body_without_acks_has_its_end);
  RUN(frames_that_were_skipped_are_told_when_it_gives_up);
  RUN(a_closed_stream_may_lose_its_connection);
  return check_report();
}
