/* What goes when arena or window are full: whose frames, in which order, and
 * what each policy answers (ruling 7). */
#include <stdlib.h>
#include <string.h>

#include "scene.h"

enum { LARGE = 500000 };

static kvs_stream *offline_stream(fake_host *host, const char *name,
                                  kvs_streaming_type type,
                                  kvs_overflow_policy policy) {
  kvs_stream_info info;

  host->results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, name);
  info.streaming_type = type;
  info.overflow_policy = policy;
  info.buffer_duration = 1000 * SECOND;
  return scene_stream(host, &info);
}

static void connect(fake_host *host, kvs_stream *stream) {
  host->results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host->handled = 0;
  fake_answer_all(host, stream);
}

/* Frames of dropped fragments, of one stream. */
static uint64_t dropped(fake_host *host, const kvs_stream *stream) {
  uint64_t frames = 0;

  fake_poll(host);
  for (uint32_t i = 0; i < host->event_count; i++) {
    if (host->events[i].type == KVS_EVENT_DROPPED_FRAGMENT_REPORT &&
        host->events[i].stream == kvs_stream_id(stream)) {
      frames += host->events[i].u.dropped_fragment_report.frames;
    }
  }
  return frames;
}

/* Puts fragments of one frame until one is refused. */
static kvs_status put_until_refused(fake_host *host, kvs_stream *stream,
                                    uint64_t from, uint64_t *frames) {
  kvs_status status = KVS_OK;

  for (*frames = 0; status == KVS_OK && *frames < 1000; (*frames)++) {
    status = fake_put(host, stream, KEY, from + *frames * 1000, LARGE);
  }
  (*frames)--;
  return status;
}

static void policies_that_keep_say_full_and_lose_nothing(void) {
  static const struct {
    kvs_streaming_type type;
    kvs_overflow_policy policy;
  } rows[] = {{KVS_STREAMING_OFFLINE, KVS_OVERFLOW_DROP_OLDEST},
              {KVS_STREAMING_OFFLINE, KVS_OVERFLOW_REFUSE},
              {KVS_STREAMING_REALTIME, KVS_OVERFLOW_REFUSE},
              {KVS_STREAMING_NEAR_REALTIME, KVS_OVERFLOW_REFUSE}};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    fake_body body;
    kvs_refusal refusal;
    uint64_t frames = 0;

    fake_host_init(&host, ARENA, 2);
    kvs_stream *stream =
        offline_stream(&host, "camera", rows[i].type, rows[i].policy);
    CHECK_EQ(put_until_refused(&host, stream, 0, &frames),
             KVS_STATUS_STORE_OUT_OF_MEMORY);
    CHECK(frames >= 20);
    kvs_stream_last_refusal(stream, &refusal);
    CHECK(refusal.value > LARGE);
    CHECK(refusal.limit > 9000000 && refusal.limit < ARENA);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    connect(&host, stream);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, frames);
    /* Room comes with the acks, and the same frame is then taken. */
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
    CHECK_EQ(fake_put(&host, stream, KEY, frames * 1000, LARGE), KVS_OK);
    scene_finish(&host);
  }
}

static void a_window_that_keeps_says_full_too(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_refusal refusal;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.streaming_type = KVS_STREAMING_OFFLINE;
  info.buffer_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 10; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 2000, 100), KVS_OK);
    CHECK_EQ(fake_put(&host, stream, 0, i * 2000 + 1960, 100), KVS_OK);
  }
  CHECK_EQ(fake_put(&host, stream, KEY, 20000, 100), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 20040, 100),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  kvs_stream_last_refusal(stream, &refusal);
  CHECK_EQ(refusal.limit, 20 * SECOND);
  CHECK(refusal.value > 20 * SECOND);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 21);
  CHECK_EQ(fake_count(&host, KVS_EVENT_BUFFER_DURATION_OVERFLOW_PRESSURE), 0);
  scene_finish(&host);
}

/* Fragments end below 20 s, the shortest window, but for their last frame. */
static void a_window_shorter_than_a_fragment_keeps_the_open_one(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 20 * SECOND;
  info.max_fragment_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t gop = 0; gop < 3; gop++) { /* of 25 s each */
    for (uint64_t i = 0; i < 20; i++) {
      kvs_frame frame = {0};

      frame.flags = i == 0 ? KEY : 0;
      frame.track_id = 1;
      frame.dts = KVS_NEVER;
      frame.pts = (gop * 25 + i) * SECOND;
      frame.duration = (i == 19 ? 6 : 1) * SECOND;
      frame.data = (const uint8_t *)"frame";
      frame.size = 5;
      CHECK_EQ(kvs_stream_put(stream, &frame, host.now), KVS_OK);
      fake_answer_all(&host, stream);
    }
  }
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 20);
  CHECK_EQ(dropped(&host, stream), 40);
  scene_finish(&host);
}

static void the_stream_above_its_share_gives(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 3);
  kvs_stream *small = offline_stream(&host, "small", KVS_STREAMING_REALTIME,
                                     KVS_OVERFLOW_DROP_OLDEST);
  kvs_stream *greedy = offline_stream(&host, "greedy", KVS_STREAMING_REALTIME,
                                      KVS_OVERFLOW_DROP_OLDEST);
  for (uint64_t i = 0; i < 4; i++) {
    CHECK_EQ(fake_put(&host, small, KEY, i * 1000, LARGE), KVS_OK);
  }
  for (uint64_t i = 0; i < 40; i++) {
    CHECK_EQ(fake_put(&host, greedy, KEY, i * 1000, LARGE), KVS_OK);
  }
  CHECK_EQ(dropped(&host, small), 0);
  CHECK(dropped(&host, greedy) > 0);
  /* The small one takes its share, from the greedy one alone. */
  for (uint64_t i = 4; i < 9; i++) {
    CHECK_EQ(fake_put(&host, small, KEY, i * 1000, LARGE), KVS_OK);
  }
  CHECK_EQ(dropped(&host, small), 0);
  CHECK_EQ(scene_metrics(&host, small).buffered_frames, 9);
  CHECK_EQ(
      dropped(&host, greedy) + scene_metrics(&host, greedy).buffered_frames,
      40);
  scene_finish(&host);
}

static void a_stream_that_keeps_gives_nothing_to_others(void) {
  fake_host host;
  uint64_t frames = 0;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *keeper = offline_stream(&host, "keeper", KVS_STREAMING_OFFLINE,
                                      KVS_OVERFLOW_DROP_OLDEST);
  kvs_stream *other = offline_stream(&host, "other", KVS_STREAMING_REALTIME,
                                     KVS_OVERFLOW_DROP_OLDEST);
  CHECK_EQ(put_until_refused(&host, keeper, 0, &frames),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  /* Nothing that may go is there: the other is passed over, the keeper intact.
   */
  CHECK_EQ(fake_put(&host, other, KEY, 0, LARGE), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAME_REPORT), 1);
  CHECK_EQ(scene_metrics(&host, keeper).buffered_frames, frames);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  /* A keeper takes from nobody either. */
  CHECK_EQ(fake_put(&host, other, KEY, 0, 1000), KVS_OK);
  CHECK_EQ(fake_put(&host, keeper, KEY, 900000, LARGE),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(scene_metrics(&host, other).buffered_frames, 1);
  scene_finish(&host);
}

/* Sends what there is of the body, up to |most| bytes. */
static void take_some(fake_host *host, kvs_stream *stream, size_t most) {
  uint8_t some[1000];
  size_t taken = 1;

  while (taken != 0 && most != 0) {
    size_t room = most < sizeof(some) ? most : sizeof(some);

    if (kvs_stream_take(stream, host->session, some, room, host->now, &taken) !=
        KVS_OK) {
      return;
    }
    host->body = realloc(host->body, host->body_len + taken);
    memcpy(host->body + host->body_len, some, taken);
    host->body_len += taken;
    host->body_cap = host->body_len;
    most -= taken;
  }
}

/* R1: an eviction that broke the connection would throw away what the link had
 * carried, and the next fragment would meet the same fate. */
static void what_is_begun_is_finished(void) {
  for (uint32_t window = 0; window < 2; window++) {
    fake_host host;
    fake_body body;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.buffer_duration = (window == 0 ? 1000 : 20) * SECOND;
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(fake_put(&host, stream, KEY, 0, LARGE), KVS_OK);
    take_some(&host, stream, 2000);
    uint64_t first = host.session;
    for (uint64_t i = 1; i < 60; i++) {
      CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, LARGE), KVS_OK);
      CHECK_EQ(fake_put(&host, stream, 0, i * 1000 + 960, 100), KVS_OK);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_ABORT_STREAM), 0);
    CHECK_EQ(host.session, first);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.headers, 1);
    CHECK_EQ(body.times[0], 0); /* then those that were not dropped */
    CHECK(body.times[1] > 30000);
    CHECK_EQ(body.times[body.clusters - 1], 59000);
    CHECK_EQ(body.blocks, scene_metrics(&host, stream).buffered_frames);
    CHECK_EQ(body.blocks + dropped(&host, stream), 119);
    scene_persist(&host, stream);
    CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
    scene_finish(&host);
  }
}

/* R3: those that were sent are not told as lost while their acks may come. */
static void what_waits_for_its_ack_stays(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.buffer_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 5, 50);
  (void)fake_take(&host, stream);
  scene_gops(&host, stream, 5, 15, 50);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 10 * 50);
  for (uint64_t i = 0; i < 5; i++) {
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", i * 2000), KVS_OK);
  }
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 0);
  for (uint32_t i = 0; i < host.event_count; i++) {
    if (host.events[i].type == KVS_EVENT_DROPPED_FRAGMENT_REPORT) {
      CHECK(host.events[i].u.dropped_fragment_report.timecode >=
            10000 * MS); /* none that was persisted */
    }
  }
  scene_finish(&host);
}

/* One that is marked behind one that is not holds no room (ruling 3). */
static void what_is_marked_goes_before_what_is_not(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.buffer_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 9, 50);
  (void)fake_take(&host, stream);
  for (uint64_t i = 1; i < 8; i++) { /* not the first */
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", i * 2000), KVS_OK);
  }
  scene_gops(&host, stream, 9, 7, 50);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK(scene_metrics(&host, stream).buffered_fragments < 12);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 0);
  scene_finish(&host);
}

/* R2: a fragment that is open cannot be acknowledged, whatever it fills. */
static void an_open_fragment_is_cut_while_there_is_little_room(void) {
  for (uint32_t offline = 0; offline < 2; offline++) {
    fake_host host;
    kvs_stream_info info;
    uint64_t persisted = 0;

    fake_host_init(&host, ARENA, 1);
    fake_stream_info(&info, "camera");
    info.streaming_type =
        offline == 1 ? KVS_STREAMING_OFFLINE : KVS_STREAMING_REALTIME;
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint64_t i = 0; i < 2250; i++) { /* ten GOPs of 9 s, 13.5 MB each */
      fake_body body;

      CHECK_EQ(fake_put(&host, stream, i % 225 == 0 ? KEY : 0, i * 40, 60000),
               KVS_OK);
      (void)fake_take(&host, stream);
      CHECK(fake_read_body(&host, &body));
      while (persisted + 1 < body.clusters && body.clusters < 200) {
        CHECK_EQ(fake_ack(&host, stream, "PERSISTED", body.times[persisted]),
                 KVS_OK);
        persisted++;
      }
      if (body.blocks != i + 1 || i > 700) { /* three will do */
        CHECK_EQ(body.blocks, i + 1);
        break;
      }
    }
    CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
    CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 1);
    CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
    scene_finish(&host);
  }
}

/* When open fragments have it all, one is ended and frames are passed over up
 * to the next key frame; what was sent of it is acknowledged. */
static void the_open_one_is_ended_before_anything_goes(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 1);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(fake_put(&host, stream, KEY, 0, 6000000), KVS_OK);
  take_some(&host, stream, 5000);
  CHECK_EQ(fake_put(&host, stream, 0, 40, 6000000), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAME_REPORT), 1);
  CHECK_EQ(fake_put(&host, stream, 0, 80, 100), KVS_OK); /* passed over */
  CHECK_EQ(scene_metrics(&host, stream).skipped_frames, 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, KEY, 2000, 6000000), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.headers, 1);
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 1);
  scene_finish(&host);
}

/* A stream that keeps what it has comes to its room again, though what it has
 * is one open fragment. */
static void a_keeper_is_refused_until_its_open_fragment_is_acknowledged(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 1);
  fake_stream_info(&info, "camera");
  info.streaming_type = KVS_STREAMING_OFFLINE;
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(fake_put(&host, stream, KEY, 0, 6000000), KVS_OK);
  for (uint32_t i = 0; i < 20; i++) {
    kvs_stream_metrics before = scene_metrics(&host, stream);
    kvs_stream_metrics after;

    CHECK_EQ(fake_put(&host, stream, 0, 40, 6000000),
             KVS_STATUS_STORE_OUT_OF_MEMORY);
    after = scene_metrics(&host, stream);
    before.put_frame_errors++;
    CHECK_BYTES(&after, &before, sizeof(after));
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 40, 6000000), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 2);
  CHECK_EQ(body.headers, 1);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  scene_finish(&host);
}

/* R4: what is asked first is whether it could ever fit. */
static void a_refused_frame_changes_nothing(void) {
  static const char sets[] =
      "\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\x84"
      "\0\0\0\1\x68\xce\x3c\x80\0\0\0\1\x65\x88";
  uint8_t *huge = calloc(1, (size_t)ARENA + 1000000);

  memset(huge, 0x55, (size_t)ARENA + 1000000);
  for (uint32_t offline = 0; offline < 2; offline++) {
    fake_host host;
    kvs_stream_info info;
    kvs_refusal refusal;
    size_t size = offline == 1 ? (size_t)ARENA / 2 : (size_t)ARENA + 1000000;

    fake_host_init(&host, ARENA, 1);
    host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
    fake_stream_info(&info, "camera");
    info.nal_adaptation_flags = KVS_NAL_ADAPTATION_ANNEXB_NALS;
    info.streaming_type =
        offline == 1 ? KVS_STREAMING_OFFLINE : KVS_STREAMING_REALTIME;
    kvs_stream *stream = scene_stream(&host, &info);
    memcpy(huge, sets, 4);
    for (uint64_t i = 0; i < 500; i++) {
      huge[4] = 0x41;
      CHECK_EQ(scene_put(&host, stream, 1, i % 50 == 0 ? KEY : 0, i * 40, huge,
                         15000),
               KVS_OK);
    }
    memcpy(huge, sets, sizeof(sets) - 1); /* it would be a new format, too */
    for (uint32_t i = 0; i < 100; i++) {
      kvs_stream_metrics before = scene_metrics(&host, stream);
      kvs_view view = stream->view;
      uint32_t formats = stream->versions;
      uint32_t used = kvs_heap_used(&host.client->host.heap);
      kvs_stream_metrics after;

      CHECK_EQ(scene_put(&host, stream, 1, KEY, 20000, huge, size),
               KVS_STATUS_STORE_OUT_OF_MEMORY);
      after = scene_metrics(&host, stream);
      before.put_frame_errors++;
      CHECK_BYTES(&after, &before, sizeof(after));
      CHECK_BYTES(&view, &stream->view, sizeof(view));
      CHECK_EQ(formats, stream->versions);
      CHECK_EQ(used, kvs_heap_used(&host.client->host.heap));
    }
    kvs_stream_last_refusal(stream, &refusal);
    CHECK_EQ(refusal.status, KVS_STATUS_STORE_OUT_OF_MEMORY);
    CHECK(refusal.value >= size);
    CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 500);
    scene_finish(&host);
  }
  free(huge);
}

/* R7: the pause between tries, while nobody answers, is a third of the time
 * that the room lasts. */
static void the_pause_is_short_while_room_runs_out(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 1);
  fake_stream_info(&info, "camera");
  info.buffer_duration = 30 * SECOND;
  host.results[KVS_EVENT_PUT_STREAM] = 599;
  kvs_stream *stream = scene_stream(&host, &info);
  uint64_t longest = 0;
  uint64_t since = host.now.mono;
  uint32_t calls = 0;
  for (uint64_t i = 0; i < 2000; i++) { /* 80 s of 10 KB frames */
    uint32_t made;

    CHECK_EQ(fake_put(&host, stream, i % 50 == 0 ? KEY : 0, i * 40, 10000),
             KVS_OK);
    fake_advance(&host, 40 * MS);
    fake_answer_all(&host, stream);
    made = fake_count(&host, KVS_EVENT_PUT_STREAM);
    if (made != calls) {
      calls = made;
      since = host.now.mono;
    }
    longest = i > 1200 && host.now.mono - since > longest
                  ? host.now.mono - since
                  : longest;
  }
  CHECK(longest <= 1100 * MS);
  /* Where somebody answers, the back-off is as long as ever. */
  host.results[KVS_EVENT_PUT_STREAM] = 503;
  fake_advance(&host, 11 * SECOND);
  fake_answer_all(&host, stream);
  calls = fake_count(&host, KVS_EVENT_PUT_STREAM);
  for (uint32_t i = 0; i < 100; i++) {
    fake_advance(&host, SECOND / 10);
    fake_answer_all(&host, stream);
  }
  CHECK(fake_count(&host, KVS_EVENT_PUT_STREAM) <= calls + 2);
  scene_finish(&host);
}

static void freed_fragments_go_first_and_unreported(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream;

  fake_host_init(&host, ARENA, 2);
  host.retention = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 20 * SECOND;
  info.replay_duration = 20 * SECOND;
  stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 60; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 2000, 100), KVS_OK);
    CHECK_EQ(fake_put(&host, stream, 0, i * 2000 + 1000, 100), KVS_OK);
    (void)fake_take(&host, stream);
    if (i != 0) {
      CHECK_EQ(fake_ack(&host, stream, "RECEIVED", (i - 1) * 2000), KVS_OK);
    }
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK(scene_metrics(&host, stream).buffered_fragments > 5);
  scene_finish(&host);
}

static void a_frame_larger_than_all_drops_nothing(void) {
  fake_host host;
  uint8_t *huge = calloc(1, (size_t)ARENA);

  fake_host_init(&host, ARENA, 2);
  kvs_stream *a = offline_stream(&host, "a", KVS_STREAMING_REALTIME,
                                 KVS_OVERFLOW_DROP_OLDEST);
  kvs_stream *b = offline_stream(&host, "b", KVS_STREAMING_REALTIME,
                                 KVS_OVERFLOW_DROP_OLDEST);
  for (uint64_t i = 0; i < 30; i++) {
    CHECK_EQ(fake_put(&host, i % 2 == 0 ? a : b, KEY, i * 1000, LARGE), KVS_OK);
  }
  uint32_t before = fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT);
  CHECK_EQ(scene_put(&host, a, 1, KEY, 99000, huge, (size_t)ARENA),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), before);
  CHECK_EQ(scene_metrics(&host, a).put_frame_errors, 1);
  /* One that fits only if the other's open fragment went is passed over; that
   * one is ended, and goes for the next. */
  CHECK_EQ(scene_put(&host, a, 1, KEY, 99000, huge, (size_t)ARENA - 300000),
           KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), before);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAME_REPORT), 1);
  CHECK_EQ(scene_put(&host, a, 1, KEY, 99000, huge, (size_t)ARENA - 300000),
           KVS_OK);
  CHECK_EQ(scene_metrics(&host, a).buffered_frames, 1);
  CHECK_EQ(scene_metrics(&host, b).buffered_frames, 0);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  scene_finish(&host);
  free(huge);
}

/* ---- pressure --------------------------------------------------------------
 */

static void latency_is_told_once_a_second_and_not_offline(void) {
  for (uint32_t offline = 0; offline < 2; offline++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
    fake_stream_info(&info, "camera");
    info.max_latency = 3 * SECOND;
    info.streaming_type =
        offline == 1 ? KVS_STREAMING_OFFLINE : KVS_STREAMING_REALTIME;
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint64_t i = 0; i < 100; i++) { /* 10 s */
      CHECK_EQ(fake_put(&host, stream, i % 20 == 0 ? KEY : 0, i * 100, 50),
               KVS_OK);
      CHECK(i * 100 > 2900 ||
            fake_count(&host, KVS_EVENT_STREAM_LATENCY_PRESSURE) == 0);
      fake_advance(&host, SECOND / 10);
    }
    uint32_t told = fake_count(&host, KVS_EVENT_STREAM_LATENCY_PRESSURE);
    CHECK_EQ(told, offline == 1 ? 0 : 7);
    CHECK_EQ(scene_metrics(&host, stream).latency_pressures, told);
    if (offline == 0) {
      CHECK(fake_last(&host, KVS_EVENT_STREAM_LATENCY_PRESSURE)
                .u.stream_latency_pressure.duration > 8 * SECOND);
    }
    scene_finish(&host);
  }
}

static void the_window_is_told_before_it_is_full(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  uint64_t i = 0;
  for (; fake_count(&host, KVS_EVENT_BUFFER_DURATION_OVERFLOW_PRESSURE) == 0 &&
         i < 1000;
       i++) {
    CHECK_EQ(fake_put(&host, stream, i % 2 == 0 ? KEY : 0, i * 1000, 50),
             KVS_OK);
    fake_advance(&host, SECOND);
  }
  CHECK_EQ(dropped(&host, stream), 0);
  kvs_event told =
      fake_last(&host, KVS_EVENT_BUFFER_DURATION_OVERFLOW_PRESSURE);
  CHECK(told.u.buffer_duration_overflow_pressure.remaining <= 5 * SECOND);
  CHECK(told.u.buffer_duration_overflow_pressure.remaining > 0);
  CHECK_EQ(scene_metrics(&host, stream).buffer_pressures, 1);
  scene_finish(&host);
}

static void storage_is_told_by_the_client_below_five_percent(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = offline_stream(&host, "camera", KVS_STREAMING_REALTIME,
                                      KVS_OVERFLOW_DROP_OLDEST);
  const kvs_heap *heap = &host.client->host.heap;
  for (uint64_t i = 0; i < 700; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, 15000), KVS_OK);
    uint64_t left = kvs_heap_available(heap);
    if (!CHECK_EQ(
            fake_count(&host, KVS_EVENT_STORAGE_OVERFLOW_PRESSURE),
            left * 100 < heap->page_count * 5u ||
                    fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT) != 0
                ? 1
                : 0)) {
      break;
    }
  }
  kvs_event told = fake_last(&host, KVS_EVENT_STORAGE_OVERFLOW_PRESSURE);
  CHECK_EQ(told.stream, 0);
  CHECK(told.u.storage_overflow_pressure.remaining < ARENA / 20);
  fake_advance(&host, SECOND);
  CHECK_EQ(fake_put(&host, stream, KEY, 700000, 15000), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STORAGE_OVERFLOW_PRESSURE), 2);
  CHECK_EQ(scene_metrics(&host, stream).storage_pressures, 2);
  scene_finish(&host);
}

int main(void) {
  RUN(policies_that_keep_say_full_and_lose_nothing);
  RUN(a_window_that_keeps_says_full_too);
  RUN(a_window_shorter_than_a_fragment_keeps_the_open_one);
  RUN(the_stream_above_its_share_gives);
  RUN(a_stream_that_keeps_gives_nothing_to_others);
  RUN(what_is_begun_is_finished);
  RUN(what_waits_for_its_ack_stays);
  RUN(what_is_marked_goes_before_what_is_not);
  RUN(an_open_fragment_is_cut_while_there_is_little_room);
  RUN(the_open_one_is_ended_before_anything_goes);
  RUN(a_keeper_is_refused_until_its_open_fragment_is_acknowledged);
  RUN(a_refused_frame_changes_nothing);
  RUN(the_pause_is_short_while_room_runs_out);
  RUN(freed_fragments_go_first_and_unreported);
  RUN(a_frame_larger_than_all_drops_nothing);
  RUN(latency_is_told_once_a_second_and_not_offline);
  RUN(the_window_is_told_before_it_is_full);
  RUN(storage_is_told_by_the_client_below_five_percent);
  return check_report();
}
