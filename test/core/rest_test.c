/* What happens when media rest for a while: one track beside another, all of
 * them, or the wall clock. */
#include "scene.h"

/* S4: a track of which a frame comes now and then, faster than real time. */
static void a_sparse_track_is_no_jump(void) {
  fake_host host;

  kvs_stream *stream = scene_with_sound(&host);
  for (uint64_t i = 0; i < 1500; i++) { /* a minute at once */
    CHECK_EQ(
        scene_put(&host, stream, 1, i % 25 == 0 ? KEY : 0, i * 40, "frame", 5),
        KVS_OK);
    if (i % 375 == 0) { /* every 15 s */
      CHECK_EQ(scene_put(&host, stream, 2, 0, i * 40, "sound", 5), KVS_OK);
    }
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 0);
  /* A jump is one all the same. */
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 60000 + 11000, "frame", 5), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 1);
  scene_finish(&host);
}

/* Takes what there is and persists what is whole of the 20 s before |second|:
 * fragments begin at whole ones. */
static void persist_some(fake_host *host, kvs_stream *stream, uint64_t second) {
  (void)fake_take(host, stream);
  for (uint64_t at = second < 20 ? 0 : second - 20; at <= second; at++) {
    CHECK_EQ(fake_ack(host, stream, "PERSISTED", at * 1000), KVS_OK);
  }
}

/* S3: 1-s GOPs for ten minutes; a frame of the other track every 3 s, or for 3
 * s of 6. One session, no broken connection, and no frame lost. */
static void a_track_that_rests_costs_no_session(void) {
  for (uint32_t way = 0; way < 2; way++) {
    fake_host host;
    uint64_t others = 0;
    kvs_stream *stream = scene_with_sound(&host);

    for (uint64_t i = 0; i < 3005; i++) { /* 5 frames a second */
      bool other = way == 0 ? i % 15 == 0 : i % 30 < 15;

      CHECK_EQ(scene_put(&host, stream, 1, i % 5 == 0 ? KEY : 0, i * 200,
                         "frame", 5),
               KVS_OK);
      if (other) {
        CHECK_EQ(scene_put(&host, stream, 2, 0, i * 200 + 1, "sound", 5),
                 KVS_OK);
        others++;
      }
      fake_advance(&host, 200 * MS);
      if (i % 50 == 49) {
        persist_some(&host, stream, i / 5);
      }
    }
    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    (void)fake_take(&host, stream);
    CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
    CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 0);
    CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
    CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
    CHECK_EQ(scene_finds(&host, "sound", 5), others);
    CHECK_EQ(scene_finds(&host, "frame", 5), 3005);
    scene_finish(&host);
  }
}

/* A track that is silent for a whole fragment is left out, at a key frame. */
static void a_silent_track_is_left_out_at_a_key_frame(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream = scene_with_sound(&host);

  for (uint64_t i = 0; i < 120; i++) { /* GOPs of 2 s */
    CHECK_EQ(
        scene_put(&host, stream, 1, i % 10 == 0 ? KEY : 0, i * 200, "frame", 5),
        KVS_OK);
    if (i == 0) {
      CHECK_EQ(scene_put(&host, stream, 2, 0, 1, "sound", 5), KVS_OK);
    }
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 0);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  scene_persist(&host, stream);
  scene_end(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK(body.clusters > 2);
  CHECK_EQ(body.times[0], 2000);
  CHECK_EQ(body.times[1], 10000); /* it waited for four GOPs */
  CHECK_EQ(body.times[2], 12000); /* and no more */
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  scene_finish(&host);
}

static kvs_stream *resting_stream(fake_host *host) {
  kvs_stream_info info;

  fake_host_init(host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.idle_duration = 100 * SECOND;
  return scene_stream(host, &info);
}

/* S6: bytes are stale when they have waited, not when none came for long. */
static void a_pause_makes_no_connection_stale(void) {
  fake_host host;
  kvs_stream *stream = resting_stream(&host);

  scene_gops(&host, stream, 0, 1, 10);
  (void)fake_take(&host, stream);
  for (uint32_t way = 0; way < 2; way++) { /* the long one, and the short */
    fake_advance(&host, 40 * SECOND);
    CHECK_EQ(fake_put(&host, stream, way == 0 ? KEY : 0, 42000 + way * 40, 50),
             KVS_OK);
    fake_advance(&host, 29 * SECOND);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 0);
    (void)fake_take(&host, stream);
    if (way == 0) {
      CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
    }
  }
  CHECK_EQ(fake_put(&host, stream, 0, 42100, 50), KVS_OK);
  fake_advance(&host, 31 * SECOND); /* now they have */
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CONNECTION_STALE), 1);
  scene_finish(&host);
}

/* S9: media that come before the idle session has ended go on in it. */
static void media_take_an_idle_end_back(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream = resting_stream(&host);

  scene_gops(&host, stream, 0, 1, 10);
  (void)fake_take(&host, stream);
  fake_advance(&host, 101 * SECOND);
  for (uint64_t i = 0; i < 10; i++) {
    CHECK_EQ(fake_put(&host, stream, 0, 400 + i * 40, 50), KVS_OK);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  }
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 0);
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.blocks, 20);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
  /* Without media it ends as ever. */
  fake_advance(&host, 101 * SECOND);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  scene_finish(&host);
}

/* S5: the clock is set, and a frame comes before the core has looked. */
static void a_clock_that_is_set_between_two_frames_is_no_jump(void) {
  fake_host host;
  fake_body body;
  uint64_t set;

  fake_host_init(&host, ARENA, 2);
  set = host.now.wall;
  host.now.wall = 100 * SECOND; /* 1970 */
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 50; i++) {
    if (i == 10) {
      host.now.wall = set;
    }
    CHECK_EQ(fake_put(&host, stream, i == 0 ? KEY : 0, host.now.wall / MS, 50),
             KVS_OK);
    host.now.mono += 40 * MS;
    host.now.wall += 40 * MS;
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.blocks, 50);
  scene_finish(&host);
}

/* S5: and one that is set back before there is anything to send. */
static void a_clock_that_falls_back_is_waited_for(void) {
  fake_host host;
  uint64_t set;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 5);
  CHECK(host.session != 0);
  set = host.now.wall;
  host.now.wall = 100 * SECOND;
  CHECK_EQ(kvs_stream_session_ended(stream, host.session, 599, host.now),
           KVS_OK);
  for (uint32_t i = 0; i < 30; i++) {
    fake_answer_all(&host, stream);
    fake_advance(&host, SECOND);
  }
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_READY);
  CHECK(kvs_client_deadline(host.client) <= host.now.mono + SECOND);
  host.now.wall = set;
  fake_advance(&host, SECOND);
  fake_answer_all(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_STREAMING);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 2);
  scene_finish(&host);
}

int main(void) {
  RUN(a_sparse_track_is_no_jump);
  RUN(a_track_that_rests_costs_no_session);
  RUN(a_silent_track_is_left_out_at_a_key_frame);
  RUN(a_pause_makes_no_connection_stale);
  RUN(media_take_an_idle_end_back);
  RUN(a_clock_that_is_set_between_two_frames_is_no_jump);
  RUN(a_clock_that_falls_back_is_waited_for);
  return check_report();
}
