/* No allocation on the hot path: put takes exactly one block; take, acks,
 * eviction and steps take none. */
#include "scene.h"

static uint64_t allocs(const fake_host *host) {
  kvs_heap_stats stats;

  kvs_heap_get_stats(&host->client->host.heap, &stats);
  return stats.allocs;
}

static void put_takes_one_block_and_the_rest_none(void) {
  fake_host host;
  kvs_stream_info info;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 500; i++) {
    uint64_t before = allocs(&host);

    CHECK_EQ(fake_put(&host, stream, i % 25 == 0 ? KEY : 0, i * 40,
                      i % 25 == 0 ? 100000 : 900),
             KVS_OK);
    CHECK_EQ(allocs(&host), before + 1);
    (void)fake_take(&host, stream);
    fake_advance(&host, 40 * MS);
    CHECK_EQ(allocs(&host), before + 1);
    if (i % 25 == 24) {
      CHECK_EQ(fake_ack(&host, stream, "BUFFERING", (i - 24) * 40), KVS_OK);
      CHECK_EQ(fake_ack(&host, stream, "PERSISTED", (i - 24) * 40), KVS_OK);
      CHECK_EQ(allocs(&host), before + 1);
    }
  }
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 500);
  scene_finish(&host);
}

static void eviction_lost_sessions_and_refusals_take_none(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 60; i++) { /* three arenas full */
    uint64_t before = allocs(&host);

    CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, 500000), KVS_OK);
    CHECK_EQ(allocs(&host), before + 1);
  }
  CHECK(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT) > 30);
  uint64_t before = allocs(&host);
  (void)fake_take(&host, stream);
  scene_lose(&host, stream, 598);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_put(&host, stream, 0, 58500, 100),
           KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 1, 100), KVS_OK); /* skipped */
  CHECK_EQ(allocs(&host), before);
  scene_finish(&host);
}

static void adapted_frames_take_one_block_too(void) {
  static const uint8_t frame[] = {0, 0, 1, 0x65, 0x88, 0x84,
                                  0, 0, 1, 0x41, 0x9A, 0x21};
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 50; i++) {
    uint64_t before = allocs(&host);

    CHECK_EQ(scene_put(&host, stream, 1, i % 10 == 0 ? KEY : 0, i * 200, frame,
                       sizeof(frame)),
             KVS_OK);
    CHECK_EQ(allocs(&host), before + 1);
  }
  scene_finish(&host);
}

int main(void) {
  RUN(put_takes_one_block_and_the_rest_none);
  RUN(eviction_lost_sessions_and_refusals_take_none);
  RUN(adapted_frames_take_one_block_too);
  return check_report();
}
