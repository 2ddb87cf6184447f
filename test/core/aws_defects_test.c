/* Known weaknesses of AWS's producer client, each named by what it does wrong:
 * ours does not. W5 (locks) and W10 (timer callback) are absent by design: the
 * core has neither locks, timers nor threads. Costs in nanoseconds and
 * instructions are held by bench/core; here they are counted. */
#include <stdlib.h>
#include <string.h>

#include "core/nal.h"
#include "nal_vectors.h"
#include "scene.h"

/* W1: three passes over every byte of a frame to adapt it. */
static uint64_t found;
static kvs_nal_find real_find;

static size_t counting_find(const uint8_t *bytes, size_t from, size_t len) {
  size_t at = real_find(bytes, from, len);

  found += at - from;
  return at;
}

static void w1_scans_every_frame_three_times(void) {
  fake_host host;
  kvs_stream_info info;
  static uint8_t frame[200000];

  fake_host_init(&host, ARENA, 2);
  real_find = host.client->host.find;
  host.client->host.find = counting_find;
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  memset(frame, 0x55, sizeof(frame));
  for (uint32_t i = 0; i < 4; i++) {
    memcpy(frame + i * 50000, "\0\0\0\1\x41", 5);
  }
  memcpy(frame, "\0\0\0\1\x65", 5);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, frame, sizeof(frame)), KVS_OK);
  memcpy(frame, "\0\0\0\1\x41", 5);
  found = 0;
  CHECK_EQ(scene_put(&host, stream, 1, 0, 40, frame, sizeof(frame)), KVS_OK);
  CHECK(found > 0 && found <= sizeof(frame));
  scene_finish(&host);
}

/* W2: private data are searched for in each key frame, twice, and overwrite
 * what the application gave by a change of format. */
static void w2_extracts_private_data_from_each_key_frame_anew(void) {
  fake_host host;
  kvs_stream_info info;
  uint8_t frame[NAL_VECTOR_ROOM];
  size_t len =
      nal_unhex(nal_vector_named(KVS_NAL_H264, "high")->annexb, frame, 2000);
  kvs_heap_stats stats;

  memcpy(frame + len, "\0\0\0\1\x65\x88\x84\x21", 8);
  len += 8;
  fake_host_init(&host, ARENA, 2);
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, frame, len), KVS_OK);
  kvs_heap_get_stats(&host.client->host.heap, &stats);
  uint32_t formats = stream->versions;
  for (uint64_t i = 1; i < 20; i++) {
    uint64_t before = stats.allocs;

    CHECK_EQ(scene_put(&host, stream, 1, KEY, i * 2000, frame, len), KVS_OK);
    kvs_heap_get_stats(&host.client->host.heap, &stats);
    CHECK_EQ(stats.allocs, before + 1);
  }
  CHECK_EQ(stream->versions, formats); /* one header, made once */
  /* A format that was given stays while frames bring no other. */
  size_t given = nal_unhex(nal_vector_named(KVS_NAL_H264, "main")->annexb,
                           frame, sizeof(frame));
  CHECK_EQ(
      kvs_stream_format_changed(stream, 1, frame, (uint32_t)given, host.now),
      KVS_OK);
  formats = stream->versions;
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 50000, "\0\0\0\1\x65\x88\x84", 7),
           KVS_OK);
  CHECK_EQ(stream->versions, formats);
  scene_finish(&host);
}

/* W3: each put sums all unsent frames. Here the sums run with the work: with
 * 100 or 20,000 frames behind it a put touches the same pages. */
static void w3_put_grows_with_the_backlog(void) {
  fake_host host;
  kvs_stream_info info;
  uint64_t before;
  kvs_stream_metrics m;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100000 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 20000; i++) {
    before = host.client->host.heap.allocs;
    CHECK_EQ(fake_put(&host, stream, i % 50 == 0 ? KEY : 0, i * 40, 100),
             KVS_OK);
    if (!CHECK_EQ(host.client->host.heap.allocs, before + 1)) {
      break;
    }
  }
  m = scene_metrics(&host, stream);
  CHECK_EQ(m.buffered_frames, 20000);
  CHECK_EQ(m.current_view_size, m.overall_view_size);
  /* No walk: units behind the newest fragment may be unreadable to a put. */
  kvs_unit *first = kvs_view_unit(&stream->view, stream->view.tail);
  KVS_POISON(first, sizeof(*first));
  CHECK_EQ(fake_put(&host, stream, 0, 20000 * 40, 100), KVS_OK);
  KVS_UNPOISON(first, sizeof(*first));
  scene_finish(&host);
}

/* W4: every evicted frame is reported as dropped, sent or not. */
static void w4_reports_what_was_delivered_as_dropped(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  host.retention = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 20 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint32_t i = 0; i < 40; i++) {
    scene_gops(&host, stream, i, 1, 50);
    (void)fake_take(&host, stream);
    if (i != 0) {
      CHECK_EQ(fake_ack(&host, stream, "RECEIVED", (i - 1) * 2000), KVS_OK);
    }
  }
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
  CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAME_REPORT), 0);
  scene_finish(&host);
}

/* W6: after one oversized frame every later put fails, or hangs. */
static void w6_is_poisoned_by_one_oversized_frame(void) {
  for (uint32_t refuse = 0; refuse < 2; refuse++) {
    fake_host host;
    kvs_stream_info info;
    uint8_t *huge = calloc(1, (size_t)ARENA * 2);

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.overflow_policy =
        refuse == 1 ? KVS_OVERFLOW_REFUSE : KVS_OVERFLOW_DROP_OLDEST;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 3, 10);
    for (uint32_t i = 0; i < 3; i++) {
      CHECK_EQ(scene_put(&host, stream, 1, KEY, 8000, huge, (size_t)ARENA * 2),
               KVS_STATUS_STORE_OUT_OF_MEMORY);
      CHECK_EQ(scene_put(&host, stream, 1, KEY, 8000, huge, (size_t)ARENA),
               KVS_STATUS_STORE_OUT_OF_MEMORY);
    }
    scene_gops(&host, stream, 4, 10, 10);
    CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 130);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    scene_finish(&host);
    free(huge);
  }
}

/* W7: a failed answer to putStream wedges the stream for good. */
static void w7_is_wedged_by_a_failed_put_stream(void) {
  static const uint32_t results[] = {401, 403, 404, 408, 500, 503, 504, 599, 7};

  for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
    fake_host host;
    fake_body body;

    fake_host_init(&host, ARENA, 2);
    host.results[KVS_EVENT_PUT_STREAM] = results[i];
    kvs_stream *stream = fake_stream(&host, "camera");
    scene_gops(&host, stream, 0, 2, 5);
    for (uint32_t n = 0; n < 7; n++) {
      fake_advance(&host, BACK_OFF);
      fake_answer_all(&host, stream);
    }
    CHECK(fake_count(&host, KVS_EVENT_PUT_STREAM) >= 4);
    host.results[KVS_EVENT_PUT_STREAM] = 200;
    for (uint32_t n = 0; n < 2; n++) {
      fake_advance(&host, BACK_OFF);
      fake_answer_all(&host, stream);
    }
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 10);
    scene_finish(&host);
  }
}

/* W8: a long key written over several calls runs over the parser's buffer;
 * nesting does not survive a split; one bad ack loses the good ones. */
static void w8_overflows_on_a_long_ack_in_pieces(void) {
  fake_host host;
  const char good[] =
      "{\"EventType\":\"PERSISTED\",\"Extra\":{\"a\":{\"b\":[1,{}]}},"
      "\"FragmentTimecode\":0}";

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  (void)kvs_stream_parse_ack(stream, host.session, (const uint8_t *)"{\"", 2,
                             host.now);
  for (uint32_t i = 0; i < 4000; i++) {
    (void)kvs_stream_parse_ack(stream, host.session, (const uint8_t *)"A", 1,
                               host.now);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  (void)kvs_stream_parse_ack(stream, host.session, (const uint8_t *)"\":1}", 4,
                             host.now);
  for (size_t i = 0; i + 1 < sizeof(good); i++) {
    CHECK_EQ(kvs_stream_parse_ack(stream, host.session,
                                  (const uint8_t *)good + i, 1, host.now),
             KVS_OK);
  }
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  scene_finish(&host);
}

/* W8 too: one parser for two sessions mixes their halves. */
static void w8_mixes_the_acks_of_two_sessions(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_parse_ack(stream, host.session,
                                (const uint8_t *)"{\"EventType\":\"PERS", 18,
                                host.now),
           KVS_OK);
  scene_lose(&host, stream, 598);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).persisted_acks, 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  scene_finish(&host);
}

/* W9: that the last ack did not come is never told: the stream counts as
 * closed although nobody knows that its end is stored. */
static void w9_closes_without_the_last_ack(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 2, 5);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  scene_lose(&host, stream, 200); /* the service ended without the last ack */
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 0);
  CHECK(host.session != 0);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.times[0], 2000);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 2000), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  scene_finish(&host);
}

/* W11: the caller's private data are read again after the call. */
static void w11_keeps_the_callers_pointers(void) {
  fake_host host;
  kvs_stream_info info;
  char *text = malloc(64);

  fake_host_init(&host, ARENA, 2);
  strcpy(text, "private-data");
  fake_stream_info(&info, "camera");
  info.tracks[0].codec_private = (const uint8_t *)text;
  info.tracks[0].codec_private_len = 12;
  info.tracks[0].codec_id = strcpy(text + 20, "V_OWN");
  info.tracks[0].track_name = strcpy(text + 30, "front");
  info.name = strcpy(text + 40, "camera");
  kvs_stream *stream = scene_stream(&host, &info);
  memset(text, 'X', 64);
  free(text);
  text = malloc(8);
  memcpy(text, "data", 4);
  CHECK_EQ(
      kvs_stream_put_metadata(stream, strcpy(text, "tag"), "1", true, host.now),
      KVS_OK);
  free(text);
  scene_gops(&host, stream, 0, 1, 3);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds_text(&host, "private-data"), 1);
  CHECK_EQ(scene_finds_text(&host, "V_OWN"), 1);
  CHECK_EQ(scene_finds_text(&host, "front"), 1);
  scene_finish(&host);
}

/* W12: a header longer than 64 KiB is cut wrongly when it is sent again. */
static void w12_cuts_long_headers_wrongly_on_replay(void) {
  static const uint32_t lens[] = {65000, 65535, 65536, 70000, 1024 * 1024};

  for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
    fake_host host;
    kvs_stream_info info;
    uint8_t *first;
    size_t first_len;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.tracks[0].codec_private = calloc(1, lens[i]);
    info.tracks[0].codec_private_len = lens[i];
    kvs_stream *stream = scene_stream(&host, &info);
    free((void *)(uintptr_t)info.tracks[0].codec_private);
    scene_gops(&host, stream, 0, 2, 5);
    (void)fake_take(&host, stream);
    first = malloc(host.body_len);
    memcpy(first, host.body, host.body_len);
    first_len = host.body_len;
    scene_lose(&host, stream, 598);
    (void)fake_take(&host, stream);
    CHECK_EQ(host.body_len, first_len);
    CHECK_BYTES(host.body, first, first_len);
    free(first);
    scene_finish(&host);
  }
}

/* W13: NAL edges: zeros at the end, empty units, three-byte codes first. */
static void w13_mishandles_the_edges_of_nal_units(void) {
  static const struct {
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
  } rows[] = {
      {"\0\0\1\x65\x88", 5, "\0\0\0\2\x65\x88", 6},
      {"\0\0\0\0\0\1\x65\x88\0\0\0", 11, "\0\0\0\2\x65\x88", 6},
      {"\0\0\1\0\0\1\x65\x88", 8, "\0\0\0\2\x65\x88", 6},
      {"\0\0\1\x65\0\0\3\1\0\0\1\x41", 12, "\0\0\0\5\x65\0\0\3\1\0\0\0\1\x41",
       14},
      {"\0\0\1\x65\x88\0\0\1", 8, "\0\0\0\2\x65\x88", 6},
  };

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    kvs_stream_info_init(&info);
    info.name = "camera";
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, rows[i].in, rows[i].in_len),
             KVS_OK);
    (void)fake_take(&host, stream);
    CHECK(host.body_len > rows[i].out_len);
    CHECK_BYTES(host.body + host.body_len - rows[i].out_len, rows[i].out,
                rows[i].out_len);
    /* The block's size, four bytes before track, time and flags. */
    CHECK_EQ(host.body[host.body_len - rows[i].out_len - 5],
             rows[i].out_len + 4);
    scene_finish(&host);
  }
}

/* W14: frames are looked up by presentation time though they lie in decoding
 * order, so that B-frames hide the fragment of an ack. */
static void w14_loses_acks_among_b_frames(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 40; i++) {
    static const uint64_t order[] = {80, 240, 120, 160};
    kvs_frame frame = {0};

    frame.flags = i % 4 == 0 ? KEY : 0;
    frame.track_id = 1;
    frame.pts = (i / 4 * 1200 + order[i % 4]) * MS;
    frame.dts = (i / 4 * 1200 + i % 4 * 40) * MS;
    frame.data = (const uint8_t *)"frame";
    frame.size = 5;
    CHECK_EQ(kvs_stream_put(stream, &frame, host.now), KVS_OK);
    fake_answer_all(&host, stream);
  }
  (void)fake_take(&host, stream);
  scene_persist(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).unmatched_acks, 0);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  scene_finish(&host);
}

/* W15: a persisted ack frees everything older, acknowledged or not. */
static void w15_frees_what_was_not_acknowledged(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 5, 5);
  (void)fake_take(&host, stream);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 6000), KVS_OK);
  scene_lose(&host, stream, 598);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 4);
  CHECK_EQ(body.times[0], 0);
  scene_finish(&host);
}

/* W16: an end-of-fragment frame that is refused leaves its tag behind. */
static void w16_leaves_the_tag_of_a_refused_end(void) {
  fake_host host;
  fake_body body;
  uint8_t *huge = calloc(1, (size_t)ARENA);

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(kvs_stream_put_metadata(stream, "once", "1", false, host.now),
           KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY | KVS_FRAME_END_OF_FRAGMENT, 0, huge,
                     (size_t)ARENA),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(fake_put(&host, stream, KEY, 0, 100), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KVS_FRAME_END_OF_FRAGMENT, 40, huge,
                     (size_t)ARENA),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(fake_put(&host, stream, 0, 40, 100), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 0);
  CHECK_EQ(body.clusters, 1);
  CHECK_EQ(body.blocks, 2);
  CHECK_EQ(body.tags, 1); /* the tag of the first try went with the second */
  scene_finish(&host);
  free(huge);
}

/* W17: the application runs in the middle of the work, and what it answers
 * fails a put whose frame is stored already. Here it asks when the work is
 * done: what it hears of losses and what the figures say is the same. */
static kvs_status put_only(const fake_host *host, kvs_stream *stream,
                           uint64_t ms, size_t size) {
  kvs_frame frame = {0};
  uint8_t *data = calloc(1, size);
  kvs_status status;

  frame.flags = KEY;
  frame.track_id = 1;
  frame.pts = ms * MS;
  frame.dts = KVS_NEVER;
  frame.duration = 40 * MS;
  frame.data = data;
  frame.size = size;
  status = kvs_stream_put(stream, &frame, host->now);
  free(data);
  return status;
}

static void w17_calls_back_in_mid_work(void) {
  fake_host host;
  kvs_stream_info info;
  const kvs_event *event;
  uint64_t told = 0;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 60; i++) {
    CHECK_EQ(put_only(&host, stream, i * 2000, 400000), KVS_OK);
    CHECK_EQ(kvs_client_check(host.client), KVS_OK);
    while ((event = kvs_client_next_event(host.client)) != NULL) {
      told += event->type == KVS_EVENT_DROPPED_FRAGMENT_REPORT
                  ? event->u.dropped_fragment_report.frames
                  : 0;
      CHECK_EQ(kvs_client_check(host.client), KVS_OK);
    }
    CHECK_EQ(scene_metrics(&host, stream).dropped_frames, told);
    CHECK_EQ(scene_metrics(&host, stream).buffered_frames + told, i + 1);
  }
  CHECK(told > 20);
  scene_finish(&host);
}

/* ---- what users of AWS's client reported -------------------------------- */

/* After an ack that cannot be read, put blocks. */
static void put_goes_on_after_an_ack_that_cannot_be_read(void) {
  static const char *const texts[] = {"{\"EventType\":7}", "]", "{{}}", "\xFF",
                                      "{\"EventType\":\"ERROR\"}"};
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    scene_gops(&host, stream, i, 1, 5);
    (void)fake_take(&host, stream);
    (void)kvs_stream_parse_ack(stream, host.session, (const uint8_t *)texts[i],
                               strlen(texts[i]), host.now);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), i + 1);
    if (i != 0) {
      CHECK_EQ(fake_ack(&host, stream, "PERSISTED", (i - 1) * 2000), KVS_OK);
    }
    CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 1);
  }
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
  scene_finish(&host);
}

/* One track far ahead of the other is refused. */
static void one_track_may_run_far_ahead(void) {
  fake_host host;
  fake_body body;

  kvs_stream *stream = scene_with_sound(&host);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "video", 5), KVS_OK);
  for (uint64_t i = 0; i < 400; i++) { /* 8 s of sound, then the pictures */
    CHECK_EQ(scene_put(&host, stream, 2, 0, i * 20, "sound", 5), KVS_OK);
  }
  for (uint64_t i = 1; i < 200; i++) {
    CHECK_EQ(
        scene_put(&host, stream, 1, i % 50 == 0 ? KEY : 0, i * 40, "video", 5),
        KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK(body.blocks > 400);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 600);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  scene_finish(&host);
}

/* A long time without a key frame ends in STATUS_MKV_LARGE_FRAME_TIMECODE, and
 * pictures before their key frame in STATUS_MKV_INVALID_FRAME_TIMESTAMP. */
static void long_and_open_gops_are_taken(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint64_t i = 0; i < 120; i++) { /* a minute and one key frame */
    CHECK_EQ(fake_put(&host, stream, i == 0 ? KEY : 0, i * 500, 50), KVS_OK);
  }
  for (uint64_t i = 0; i < 3; i++) { /* shown before the key frame */
    kvs_frame frame = {.flags = i == 0 ? KEY : 0,
                       .track_id = 1,
                       .dts = (60000 + i * 40) * MS,
                       .pts = (60120 - i * 80) * MS,
                       .data = (const uint8_t *)"frame",
                       .size = 5};

    CHECK_EQ(kvs_stream_put(stream, &frame, host.now), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 123);
  scene_finish(&host);
}

/* Reset while a session is open never comes back. */
static void reset_in_mid_session_begins_another(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint32_t i = 0; i < 5; i++) {
    scene_gops(&host, stream, i, 1, 5);
    (void)fake_take(&host, stream);
    CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
    fake_answer_all(&host, stream);
  }
  scene_gops(&host, stream, 9, 1, 5);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 5);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 6);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 25);
  scene_finish(&host);
}

int main(void) {
  RUN(w1_scans_every_frame_three_times);
  RUN(w2_extracts_private_data_from_each_key_frame_anew);
  RUN(w3_put_grows_with_the_backlog);
  RUN(w4_reports_what_was_delivered_as_dropped);
  RUN(w6_is_poisoned_by_one_oversized_frame);
  RUN(w7_is_wedged_by_a_failed_put_stream);
  RUN(w8_overflows_on_a_long_ack_in_pieces);
  RUN(w8_mixes_the_acks_of_two_sessions);
  RUN(w9_closes_without_the_last_ack);
  RUN(w11_keeps_the_callers_pointers);
  RUN(w12_cuts_long_headers_wrongly_on_replay);
  RUN(w13_mishandles_the_edges_of_nal_units);
  RUN(w14_loses_acks_among_b_frames);
  RUN(w15_frees_what_was_not_acknowledged);
  RUN(w16_leaves_the_tag_of_a_refused_end);
  RUN(w17_calls_back_in_mid_work);
  RUN(put_goes_on_after_an_ack_that_cannot_be_read);
  RUN(one_track_may_run_far_ahead);
  RUN(long_and_open_gops_are_taken);
  RUN(reset_in_mid_session_begins_another);
  return check_report();
}
