/* Failure as a dimension: a scene with everything that takes pages is played
 * with n pages left, for n = 0, 1, 2, ... until nothing fails any more. Each
 * call gives a status; what was accepted comes out or is reported; the stream
 * stays usable; every page comes back. */
#include <stdlib.h>
#include <string.h>

#include "scene.h"

enum { PUTS = 60, MOST = 120 };

typedef struct sweep {
  fake_host host;
  kvs_stream *filler; /* takes what is not left; keeps it */
  kvs_stream *stream;
  uint32_t failures;
} sweep;

static bool allowed(kvs_status status) {
  return status == KVS_OK || status == KVS_STATUS_STORE_OUT_OF_MEMORY;
}

static void note(sweep *s, kvs_status status) {
  CHECK(allowed(status));
  s->failures += status == KVS_OK ? 0 : 1;
}

static uint32_t pages_left(const sweep *s) {
  return kvs_heap_available(&s->host.client->host.heap);
}

/* Leaves just |pages| pages to whoever comes next. */
static void leave(sweep *s, uint32_t pages) {
  kvs_stream_info info;
  static uint8_t bytes[KVS_PAGE_DATA - 200];
  uint64_t ms = 0;

  fake_host_init(&s->host, ARENA, 4);
  s->host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "filler");
  info.streaming_type = KVS_STREAMING_OFFLINE;
  info.buffer_duration = 100000 * SECOND;
  s->filler = scene_stream(&s->host, &info);
  while (pages_left(s) > pages) {
    CHECK_EQ(scene_put(&s->host, s->filler, 1, KEY, ms, bytes, sizeof(bytes)),
             KVS_OK);
    ms += 1000;
  }
  s->host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
}

static void put_some(sweep *s, uint64_t from) {
  static uint8_t bytes[3000];

  for (uint64_t i = 0; i < PUTS; i++) {
    uint64_t ms = from + i * 100;

    note(s, scene_put(&s->host, s->stream, 1, i % 12 == 0 ? KEY : 0, ms, bytes,
                      i % 5 == 0 ? sizeof(bytes) : 700));
    if (i % 24 < 12 && i % 3 == 0) {
      note(s, scene_put(&s->host, s->stream, 2, 0, ms, bytes, 100));
    }
    if (i % 20 == 7) {
      kvs_status status = kvs_stream_put_event(s->stream, 3, NULL, s->host.now);

      CHECK(allowed(status) ||
            status == KVS_STATUS_DUPLICATE_STREAM_EVENT_TYPE ||
            status == KVS_STATUS_STREAM_NOT_STARTED);
      s->failures += status == KVS_STATUS_STORE_OUT_OF_MEMORY ? 1 : 0;
    }
    if (i == (from == 0 ? 9 : 39)) {
      memset(bytes, (int)i, sizeof(bytes));
      note(s, kvs_stream_format_changed(s->stream, 1, bytes,
                                        i == 9 ? 2900 : 2999, s->host.now));
    }
    CHECK_EQ(kvs_client_check(s->host.client), KVS_OK);
  }
}

/* Frames are where the figures say, all of them. */
static void accounts_balance(sweep *s) {
  kvs_stream_metrics m = scene_metrics(&s->host, s->stream);
  uint64_t reported = fake_count(&s->host, KVS_EVENT_DROPPED_FRAME_REPORT);
  uint64_t fragments = 0;

  for (uint32_t i = 0; i < s->host.event_count; i++) {
    const kvs_event *event = &s->host.events[i];

    if (event->type == KVS_EVENT_DROPPED_FRAGMENT_REPORT) {
      CHECK_EQ(event->stream, kvs_stream_id(s->stream));
      reported += event->u.dropped_fragment_report.frames;
      fragments += event->u.dropped_fragment_report.fragments;
    }
  }
  CHECK_EQ(m.dropped_frames, reported);
  CHECK_EQ(m.dropped_fragments, fragments);
  CHECK(m.total_frames >= m.buffered_frames);
}

static uint32_t play(uint32_t pages, kvs_overflow_policy policy) {
  sweep *s = calloc(1, sizeof(*s));
  kvs_stream_info info;
  kvs_status status;
  kvs_heap_stats stats;
  uint32_t failures;

  leave(s, pages);
  fake_stream_info(&info, "stream");
  info.overflow_policy = policy;
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[0].codec_private = calloc(1, 20000);
  info.tracks[0].codec_private_len = 20000;
  status = kvs_stream_create(s->host.client, &info, s->host.now, &s->stream);
  free((void *)(uintptr_t)info.tracks[0].codec_private);
  CHECK_EQ(status, pages < 3 ? KVS_STATUS_STORE_OUT_OF_MEMORY : KVS_OK);
  CHECK(status == KVS_OK || pages_left(s) == pages);
  if (status != KVS_OK) {
    scene_finish(&s->host);
    free(s);
    return 1;
  }
  fake_answer_all(&s->host, s->stream);
  put_some(s, 0);
  accounts_balance(s);
  (void)fake_take(&s->host, s->stream);
  put_some(s, PUTS * 100);
  accounts_balance(s);
  failures = s->failures;
  /* With room again everything works. */
  kvs_stream_free(s->filler);
  CHECK_EQ(scene_put(&s->host, s->stream, 1, KEY, 99000, "frame", 5), KVS_OK);
  CHECK_EQ(scene_put(&s->host, s->stream, 2, 0, 99010, "sound", 5), KVS_OK);
  CHECK_EQ(kvs_stream_stop(s->stream, s->host.now), KVS_OK);
  for (uint32_t i = 0;
       i < 40 && fake_count(&s->host, KVS_EVENT_STREAM_CLOSED) == 0; i++) {
    (void)fake_take(&s->host, s->stream);
    if (s->host.session != 0) {
      scene_persist(&s->host, s->stream);
    }
    if (s->host.session != 0 &&
        fake_take(&s->host, s->stream) == KVS_STATUS_END_OF_STREAM) {
      (void)kvs_stream_session_ended(s->stream, s->host.session, 200,
                                     s->host.now);
    }
    fake_answer_all(&s->host, s->stream);
    fake_advance(&s->host, BACK_OFF);
    fake_answer_all(&s->host, s->stream);
  }
  CHECK_EQ(fake_count(&s->host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(scene_metrics(&s->host, s->stream).buffered_frames, 0);
  kvs_stream_free(s->stream);
  kvs_heap_get_stats(&s->host.client->host.heap, &stats);
  CHECK_EQ(stats.used, 0);
  scene_finish(&s->host);
  free(s);
  return failures;
}

static void any_number_of_pages_will_do(void) {
  static const kvs_overflow_policy policies[] = {KVS_OVERFLOW_DROP_OLDEST,
                                                 KVS_OVERFLOW_REFUSE};

  for (uint32_t p = 0; p < 2; p++) {
    uint32_t pages = 0;
    uint32_t failed = 0;

    while (pages < MOST && play(pages, policies[p]) != 0) {
      pages++;
      failed++;
    }
    CHECK(failed > 2);   /* the sweep does make things fail */
    CHECK(pages < MOST); /* and comes to where nothing does */
  }
}

int main(void) {
  RUN(any_number_of_pages_will_do);
  return check_report();
}
