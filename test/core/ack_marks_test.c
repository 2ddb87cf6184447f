/* What an ack may say of a fragment that is marked already, that waits behind
 * an older one, or that the host has only just sent. */
#include "scene.h"

/* A stream whose second of |gops| fragments is Persisted, the first not. */
static kvs_stream *second_is_persisted(fake_host *host, uint32_t gops) {
  fake_host_init(host, ARENA, 2);
  kvs_stream *stream = fake_stream(host, "camera");
  scene_gops(host, stream, 0, gops, 5);
  (void)fake_take(host, stream);
  CHECK_EQ(fake_ack(host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(scene_metrics(host, stream).buffered_fragments, gops);
  return stream;
}

static void an_error_for_what_is_persisted_loses_nothing(void) {
  static const uint32_t ids[] = {4001, 4004, 4006, 4011, 5000};

  for (uint32_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
    fake_host host;
    fake_body body;
    kvs_stream *stream = second_is_persisted(&host, 3);

    CHECK_EQ(scene_error(&host, stream, ids[i], 2000), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
    /* The service ended the connection all the same. */
    CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 1);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.clusters, 2);
    CHECK_EQ(body.times[0], 0);
    CHECK_EQ(body.times[1], 4000);
    scene_finish(&host);
  }
}

static void the_newest_persisted_stays_open_after_an_error(void) {
  fake_host host;
  kvs_stream *stream;

  fake_host_init(&host, ARENA, 2);
  stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(scene_put(&host, stream, 1, KEY | KVS_FRAME_END_OF_FRAGMENT, 2000,
                     "end", 3),
           KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(scene_error(&host, stream, 4004, 2000), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(scene_metrics(&host, stream).dropped_fragments, 0);
  scene_finish(&host);
}

static void a_loss_is_told_once(void) {
  fake_host host;
  kvs_stream *stream;

  fake_host_init(&host, ARENA, 2);
  stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 3, 5);
  (void)fake_take(&host, stream);
  for (uint32_t i = 0; i < 3; i++) {
    CHECK_EQ(scene_error(&host, stream, 4006, 2000), KVS_OK);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    (void)fake_take(&host, stream);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 1);
  CHECK_EQ(scene_metrics(&host, stream).dropped_fragments, 1);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 5);
  scene_finish(&host);
}

static void marks_come_in_any_order_and_any_number(void) {
  static const uint64_t order[] = {6000, 2000, 2000, 4000, 6000, 0, 2000, 0};
  static const uint64_t left[] = {5, 5, 5, 5, 5, 1, 1, 1};
  fake_host host;
  kvs_stream *stream;

  fake_host_init(&host, ARENA, 2);
  stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 5, 5);
  (void)fake_take(&host, stream);
  for (uint32_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", order[i]), KVS_OK);
    CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, left[i]);
  }
  /* The last two met nothing: they had left the view. */
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  scene_finish(&host);
}

/* The last byte of a whole fragment filled the host's buffer, and the ack was
 * faster than the next take. */
static void an_ack_may_come_before_the_next_take(void) {
  uint8_t bytes[4096];
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream;
  size_t all;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "one", 3), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KVS_FRAME_END_OF_FRAGMENT, 40, "two", 3),
           KVS_OK);
  (void)fake_take(&host, stream);
  all = host.body_len;
  scene_lose(&host, stream, KVS_RESULT_NETWORK_READ_TIMEOUT);
  for (size_t len = 1; len <= 2; len++) {
    size_t done = 0;
    size_t taken = 0;

    while (done < all) { /* no take asks for more than there is */
      size_t n = all - done < 100 / len ? all - done : 100 / len;

      CHECK_EQ(
          kvs_stream_take(stream, host.session, bytes, n, host.now, &taken),
          KVS_OK);
      done += taken;
    }
    if (len == 1) {
      scene_lose(&host, stream, KVS_RESULT_NETWORK_READ_TIMEOUT);
    }
  }
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 0);
  scene_finish(&host);
}

/* Ruling 3, where not one but several old fragments brought no ack. */
static void all_old_fragments_that_are_passed_over_are_sent_again(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream;

  fake_host_init(&host, ARENA, 2);
  stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 4, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 4000), KVS_OK);
  for (uint32_t i = 4; i < 30; i++) { /* newer ones keep coming and are kept */
    fake_advance(&host, 2 * SECOND);
    scene_gops(&host, stream, i, 1, 5);
    (void)fake_take(&host, stream);
    (void)fake_ack(&host, stream, "PERSISTED", (uint64_t)(i - 1) * 2000);
    if (fake_count(&host, KVS_EVENT_SESSION_ENDED) != 0) {
      break;
    }
    if (fake_take(&host, stream) == KVS_STATUS_END_OF_STREAM) {
      scene_end(&host, stream);
    }
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_SESSION_ENDED), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], 0);
  CHECK_EQ(body.times[1], 2000);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK(scene_metrics(&host, stream).buffered_fragments <= 2);
  scene_finish(&host);
}

int main(void) {
  RUN(an_error_for_what_is_persisted_loses_nothing);
  RUN(the_newest_persisted_stays_open_after_an_error);
  RUN(a_loss_is_told_once);
  RUN(marks_come_in_any_order_and_any_number);
  RUN(an_ack_may_come_before_the_next_take);
  RUN(all_old_fragments_that_are_passed_over_are_sent_again);
  return check_report();
}
