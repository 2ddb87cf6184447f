/* Each figure of a stream, against what was done to it. */
#include "scene.h"

static void figures_follow_the_work(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  fake_advance(&host, 3 * SECOND);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.uptime, 3 * SECOND);
  CHECK_EQ(m.since_persisted, 3 * SECOND);
  CHECK_EQ(m.total_sessions, 0);
  CHECK_EQ(m.total_active_sessions, 0);
  CHECK_EQ(m.avg_session_duration, 0);
  CHECK_EQ(m.current_view_duration, 0);
  CHECK_EQ(fake_put(&host, stream, 0, 0, 500), KVS_OK); /* skipped */
  scene_gops(&host, stream, 0, 3, 25);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.total_frames, 75);
  CHECK_EQ(m.skipped_frames, 1);
  CHECK_EQ(m.buffered_frames, 75);
  CHECK_EQ(m.buffered_fragments, 3);
  CHECK_EQ(m.current_view_duration, 3 * SECOND); /* media, without gaps */
  CHECK_EQ(m.overall_view_duration, 3 * SECOND);
  CHECK_EQ(m.current_view_size, m.overall_view_size);
  CHECK_EQ(m.overall_view_size, 75 * 509 + 3 * 18);
  CHECK_EQ(m.total_active_sessions, 1);
  CHECK_EQ(m.state, KVS_STREAM_STATE_STREAMING);
  (void)fake_take(&host, stream);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.current_view_duration, 0);
  CHECK_EQ(m.current_view_size, 0);
  CHECK_EQ(m.transferred_bytes, host.body_len);
  fake_advance(&host, 2 * SECOND);
  CHECK_EQ(fake_ack(&host, stream, "BUFFERING", 0), KVS_OK);
  fake_advance(&host, SECOND);
  CHECK_EQ(fake_ack(&host, stream, "RECEIVED", 0), KVS_OK);
  fake_advance(&host, SECOND);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.buffered_acks, 1);
  CHECK_EQ(m.received_acks, 1);
  CHECK_EQ(m.persisted_acks, 1);
  CHECK_EQ(m.buffering_latency, 2 * SECOND);
  CHECK_EQ(m.received_latency, 3 * SECOND);
  CHECK_EQ(m.persisted_latency, 4 * SECOND);
  CHECK_EQ(m.since_persisted, 0);
  /* A moving average of eight. */
  fake_advance(&host, 8 * SECOND);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.persisted_latency, 4 * SECOND - SECOND / 2 + 12 * SECOND / 8);
  CHECK_EQ(m.buffered_fragments, 1);
  scene_finish(&host);
}

static void sessions_are_averaged_over_their_time(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 3);
  (void)fake_take(&host, stream);
  fake_advance(&host, 6 * SECOND);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.avg_session_duration, 6 * SECOND);
  scene_lose(&host, stream, 598);
  uint64_t began = host.now.mono;
  fake_advance(&host, 2 * SECOND);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.total_sessions, 2);
  CHECK_EQ(m.total_active_sessions, 1);
  CHECK_EQ(m.avg_session_duration, (6 * SECOND + host.now.mono - began) / 2);
  CHECK_EQ(m.api_call_retries, 1);
  scene_finish(&host);
}

static void rates_are_of_the_last_second_or_none(void) {
  for (uint32_t none = 0; none < 2; none++) {
    fake_host host;
    kvs_stream_info info;
    kvs_stream_metrics m;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.recalculate_metrics = none == 0;
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint64_t i = 0; i < 150; i++) {
      /* Media of half a second come in each second. */
      CHECK_EQ(
          fake_put(&host, stream, i % 30 == 0 ? KEY : 0, i * 500 / 30, 991),
          KVS_OK);
      (void)fake_take(&host, stream);
      fake_advance(&host, SECOND / 30);
    }
    m = scene_metrics(&host, stream);
    CHECK_EQ(m.total_frames, 150);
    if (none == 1) {
      CHECK_EQ(m.current_frame_rate, 0);
      CHECK_EQ(m.elementary_frame_rate, 0);
    } else {
      CHECK(m.current_frame_rate >= 29 && m.current_frame_rate <= 31);
      CHECK(m.elementary_frame_rate >= 58 && m.elementary_frame_rate <= 62);
      CHECK(m.current_transfer_rate >= 29000 &&
            m.current_transfer_rate <= 31000);
    }
    scene_finish(&host);
  }
}

static void rates_fall_when_nothing_comes(void) {
  fake_host host;
  kvs_stream_metrics m;
  kvs_client_metrics all;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 75; i++) {
    CHECK_EQ(fake_put(&host, stream, i % 25 == 0 ? KEY : 0, i * 40, 991),
             KVS_OK);
    (void)fake_take(&host, stream);
    fake_advance(&host, 40 * MS);
  }
  CHECK_EQ(scene_metrics(&host, stream).current_frame_rate, 25);
  CHECK_EQ(scene_metrics(&host, stream).elementary_frame_rate, 25);
  fake_advance(&host, 99 * SECOND);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.current_frame_rate, 0);
  CHECK(m.current_transfer_rate < 300);
  /* What was in the media does not change by waiting. */
  CHECK_EQ(m.elementary_frame_rate, 25);
  CHECK_EQ(kvs_client_get_metrics(host.client, host.now, &all), KVS_OK);
  CHECK_EQ(all.total_frame_rate, 0);
  CHECK_EQ(all.total_transfer_rate, m.current_transfer_rate);
  scene_finish(&host);
}

static void calls_are_timed(void) {
  fake_host host;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  host.results[KVS_EVENT_GET_STREAMING_ENDPOINT] = 0;
  host.results[KVS_EVENT_PUT_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(scene_metrics(&host, stream).cpl_api_call_latency, 0);
  fake_advance(&host, 2 * SECOND);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).cpl_api_call_latency, 2 * SECOND);
  fake_advance(&host, 4 * SECOND);
  host.results[KVS_EVENT_GET_STREAMING_ENDPOINT] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  /* A moving average of eight, and the token was there at once. */
  CHECK_EQ(scene_metrics(&host, stream).cpl_api_call_latency,
           (2 * SECOND * 7 / 8 + 4 * SECOND / 8) / 8 * 7);
  fake_advance(&host, SECOND);
  host.results[KVS_EVENT_PUT_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.data_api_call_latency, SECOND);
  CHECK_EQ(m.state, KVS_STREAM_STATE_STREAMING);
  scene_finish(&host);
}

static void a_view_after_a_jump_is_not_longer_than_what_it_holds(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 25);
  scene_gops(&host, stream, 100000, 1, 25);
  CHECK_EQ(scene_metrics(&host, stream).timeline_changes, 1);
  CHECK_EQ(scene_metrics(&host, stream).current_view_duration, 2 * SECOND);
  scene_finish(&host);
}

int main(void) {
  RUN(figures_follow_the_work);
  RUN(sessions_are_averaged_over_their_time);
  RUN(rates_are_of_the_last_second_or_none);
  RUN(rates_fall_when_nothing_comes);
  RUN(calls_are_timed);
  RUN(a_view_after_a_jump_is_not_longer_than_what_it_holds);
  return check_report();
}
