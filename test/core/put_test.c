/* Frames come in: NAL units adapted both ways, stamps in every time code
 * scale, where fragments are cut, flags, and what is refused. */
#include <string.h>

#include "scene.h"

static kvs_stream *with_flags(fake_host *host, uint32_t flags) {
  kvs_stream_info info;

  fake_host_init(host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.nal_adaptation_flags = flags;
  return scene_stream(host, &info);
}

/* ---- NAL units ------------------------------------------------------------
 */

static const uint8_t annexb[] = {0, 0, 0,    1,    0x65, 0x88, 0x84, 0,
                                 0, 1, 0x41, 0x9A, 0,    0,    0,    0,
                                 0, 1, 0x41, 0x9B, 0x9C, 0,    0};
static const uint8_t avcc[] = {0, 0, 0, 3,    0x65, 0x88, 0x84,
                               0, 0, 0, 2,    0x41, 0x9A, 0,
                               0, 0, 3, 0x41, 0x9B, 0x9C};
static const uint8_t annexb_of_avcc[] = {0, 0, 0, 1,    0x65, 0x88, 0x84,
                                         0, 0, 0, 1,    0x41, 0x9A, 0,
                                         0, 0, 1, 0x41, 0x9B, 0x9C};

static void each_adaptation_gives_its_bytes(void) {
  static const struct {
    uint32_t flags;
    const uint8_t *in;
    size_t in_len;
    const uint8_t *out;
    size_t out_len;
    kvs_status refused; /* of the other format */
    const uint8_t *other;
    size_t other_len;
  } rows[] = {
      {KVS_NAL_ADAPTATION_NONE, annexb, sizeof(annexb), annexb, sizeof(annexb),
       KVS_OK, avcc, sizeof(avcc)},
      {KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS, annexb, sizeof(annexb), annexb,
       sizeof(annexb), KVS_OK, avcc, sizeof(avcc)},
      {KVS_NAL_ADAPTATION_ANNEXB_NALS, annexb, sizeof(annexb), avcc,
       sizeof(avcc), KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA, avcc,
       sizeof(avcc)},
      {KVS_NAL_ADAPTATION_ANNEXB_NALS | KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS,
       annexb, sizeof(annexb), avcc, sizeof(avcc),
       KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA, avcc, sizeof(avcc)},
      {KVS_NAL_ADAPTATION_AVCC_NALS, avcc, sizeof(avcc), annexb_of_avcc,
       sizeof(annexb_of_avcc), KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA,
       annexb, sizeof(annexb)},
      {KVS_NAL_ADAPTATION_AVCC_NALS | KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS, avcc,
       sizeof(avcc), annexb_of_avcc, sizeof(annexb_of_avcc),
       KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA, annexb, sizeof(annexb)},
  };

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    fake_body body;
    kvs_stream *stream = with_flags(&host, rows[i].flags);

    CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, rows[i].in, rows[i].in_len),
             KVS_OK);
    CHECK_EQ(
        scene_put(&host, stream, 1, 0, 40, rows[i].other, rows[i].other_len),
        rows[i].refused);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, rows[i].refused == KVS_OK ? 2 : 1);
    CHECK_EQ(scene_finds(&host, rows[i].out, rows[i].out_len), 1);
    /* Its block is as long as the adapted frame, to the byte. */
    CHECK_EQ(memcmp(host.body + host.body_len - rows[i].out_len, rows[i].out,
                    rows[i].out_len) == 0,
             body.blocks == 1);
    scene_finish(&host);
  }
}

static void only_video_is_adapted(void) {
  static const uint32_t flags[] = {KVS_NAL_ADAPTATION_ANNEXB_NALS,
                                   KVS_NAL_ADAPTATION_AVCC_NALS};

  for (uint32_t i = 0; i < 2; i++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.nal_adaptation_flags = flags[i];
    info.track_count = 3;
    info.tracks[1].track_id = 2;
    info.tracks[1].type = KVS_TRACK_AUDIO;
    info.tracks[2].track_id = 3;
    info.tracks[2].type = KVS_TRACK_DATA;
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, i == 0 ? annexb : avcc,
                       i == 0 ? sizeof(annexb) : sizeof(avcc)),
             KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 2, KEY, 1, "\0\0\1sound", 8), KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 3, 0, 2, "position", 8), KVS_OK);
    (void)fake_take(&host, stream);
    CHECK_EQ(scene_finds(&host, "\0\0\1sound", 8), 1);
    CHECK_EQ(scene_finds_text(&host, "position"), 1);
    scene_finish(&host);
  }
}

/* ---- tracks ----------------------------------------------------------------
 */

static void three_tracks_go_out_in_the_order_of_put(void) {
  fake_host host;
  kvs_stream_info info;
  fake_body body;
  uint8_t want[3] = {0x81, 0x82, 0x83};
  uint32_t seen = 0;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.track_count = 3;
  info.tracks[0].track_id = UINT64_MAX; /* ids are any number */
  info.tracks[1].track_id = 77;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[2].track_id = 5;
  info.tracks[2].type = KVS_TRACK_DATA;
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, UINT64_MAX, KEY, 1000, "vvvv", 4), KVS_OK);
  for (uint64_t i = 1; i < 50; i++) {
    /* Audio lags by half a second; each track has its own clock. */
    CHECK_EQ(scene_put(&host, stream, 77, 0, 500 + i * 20, "aaaa", 4), KVS_OK);
    CHECK_EQ(scene_put(&host, stream, UINT64_MAX, 0, 1000 + i * 20, "vvvv", 4),
             KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 5, 0, 1000 + i * 20, "dddd", 4), KVS_OK);
  }
  CHECK_EQ(scene_put(&host, stream, 4, 0, 3000, "none", 4),
           KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 1 + 49 * 3);
  CHECK_EQ(body.clusters, 1);
  /* A block before its cluster has a negative time: 520 ms is 1000 - 480. */
  for (size_t i = 0; i + 8 < host.body_len; i++) {
    if (memcmp(host.body + i + 4, "aaaa", 4) == 0 && seen == 0) {
      CHECK_EQ(host.body[i], want[1]);
      CHECK_EQ((int16_t)(host.body[i + 1] << 8 | host.body[i + 2]), -480);
      seen++;
    }
  }
  CHECK_EQ(seen, 1);
  scene_finish(&host);
}

static void block_flags_say_what_the_frame_said(void) {
  static const struct {
    uint32_t flags;
    uint8_t block;
  } rows[] = {{KEY, 0x80},
              {0, 0x00},
              {KVS_FRAME_DISCARDABLE, 0x01},
              {KVS_FRAME_INVISIBLE, 0x08},
              {KEY | KVS_FRAME_DISCARDABLE | KVS_FRAME_INVISIBLE, 0x89}};
  fake_host host;

  kvs_stream *stream = with_flags(&host, 0);
  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char text[5] = {'f', 'l', 'g', (char)('0' + i), 0};
    uint8_t want[8] = {0x81, 0, (uint8_t)(i * 10), rows[i].block};

    memcpy(want + 4, text, 4);
    CHECK_EQ(scene_put(&host, stream, 1, rows[i].flags, i * 10, text, 4),
             KVS_OK);
    (void)fake_take(&host, stream);
    CHECK_EQ(scene_finds(&host, want, 8), 1);
  }
  scene_finish(&host);
}

/* ---- stamps ----------------------------------------------------------------
 */

static kvs_status put_at(fake_host *host, kvs_stream *stream, uint32_t flags,
                         uint64_t pts, uint64_t dts) {
  kvs_frame frame = {flags, 1, dts, pts, 0, (const uint8_t *)"frame", 5};
  kvs_status status = kvs_stream_put(stream, &frame, host->now);

  fake_answer_all(host, stream);
  return status;
}

static void every_scale_counts_in_its_own_units(void) {
  static const uint64_t scales[] = {1,          10,          1000,    0,
                                    10 * 10000, 100 * 10000, 10000000};

  for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
    fake_host host;
    fake_body body;
    kvs_stream_info info;
    uint64_t scale = scales[i] == 0 ? MS : scales[i]; /* 0: the default */
    uint64_t first = 1000 * scale;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.timecode_scale = scales[i];
    info.max_fragment_duration = 20 * SECOND;
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(put_at(&host, stream, KEY, first, first), KVS_OK);
    /* Stamps are rounded to the nearest unit. */
    CHECK_EQ(put_at(&host, stream, 0, first + scale * 3 / 2, KVS_NEVER),
             KVS_OK);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 2);
    CHECK_EQ(body.times[0], 1000);
    CHECK_EQ(host.body[host.body_len - 7], scale == 1 ? 1 : 2);
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", first / MS), KVS_OK);
    CHECK_EQ(fake_last(&host, KVS_EVENT_FRAGMENT_ACK_RECEIVED)
                 .u.fragment_ack_received.matched,
             1);
    scene_finish(&host);
  }
}

static void a_block_too_far_from_its_cluster_is_refused(void) {
  static const uint64_t scales[] = {1, 10, 1000};

  for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
    fake_host host;
    kvs_stream_info info;
    kvs_refusal refusal;
    uint64_t scale = scales[i];
    uint64_t first = 100 * SECOND;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.timecode_scale = scale;
    kvs_stream *stream = scene_stream(&host, &info);
    CHECK_EQ(put_at(&host, stream, KEY, first, KVS_NEVER), KVS_OK);
    CHECK_EQ(put_at(&host, stream, 0, first + 32767 * scale, KVS_NEVER),
             KVS_OK);
    CHECK_EQ(put_at(&host, stream, 0, first + 32768 * scale, KVS_NEVER),
             KVS_STATUS_MKV_LARGE_FRAME_TIMECODE);
    kvs_stream_last_refusal(stream, &refusal);
    CHECK_EQ(refusal.status, KVS_STATUS_MKV_LARGE_FRAME_TIMECODE);
    CHECK_EQ(refusal.value, first + 32768 * scale);
    CHECK_EQ(refusal.previous, first);
    CHECK_EQ(refusal.limit, 32767 * scale);
    /* Shown long before its fragment, decoded in order. */
    CHECK_EQ(
        put_at(&host, stream, 0, first - 32768 * scale, first + 32767 * scale),
        KVS_OK);
    CHECK_EQ(
        put_at(&host, stream, 0, first - 32769 * scale, first + 32767 * scale),
        KVS_STATUS_MKV_LARGE_FRAME_TIMECODE);
    CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 3);
    scene_finish(&host);
  }
}

static void stamps_have_an_end(void) {
  fake_host host;
  const uint64_t most = (uint64_t)INT64_MAX / 100;
  kvs_stream *stream = with_flags(&host, 0);

  CHECK_EQ(put_at(&host, stream, KEY, most + 1, 0),
           KVS_STATUS_MKV_MAX_FRAME_TIMECODE);
  CHECK_EQ(put_at(&host, stream, KEY, 0, most + 1),
           KVS_STATUS_MKV_MAX_FRAME_TIMECODE);
  CHECK_EQ(put_at(&host, stream, KEY, most, KVS_NEVER), KVS_OK);
  CHECK_EQ(put_at(&host, stream, 0, most, KVS_NEVER), KVS_OK);
  scene_finish(&host);
}

static void frames_out_of_order_of_presentation(void) {
  /* I P B B: decoded in order, shown in another. */
  static const uint64_t pts[] = {80, 200, 120, 160};
  fake_host host;
  fake_body body;
  kvs_stream *stream = with_flags(&host, 0);

  for (uint64_t i = 0; i < 4; i++) {
    CHECK_EQ(put_at(&host, stream, i == 0 ? KEY : 0, pts[i] * MS, i * 40 * MS),
             KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], 80);
  CHECK_EQ(body.blocks, 4);
  CHECK_EQ(scene_finds(&host,
                       "\x81\x00\x28\x00"
                       "frame",
                       9),
           1);
  CHECK_EQ(scene_finds(&host,
                       "\x81\x00\x50\x00"
                       "frame",
                       9),
           1);
  CHECK_EQ(scene_finds(&host,
                       "\x81\x00\x78\x00"
                       "frame",
                       9),
           1);
  scene_finish(&host);
}

static void without_frame_timecodes_the_clock_stamps(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.frame_timecodes = false;
  kvs_stream *stream = scene_stream(&host, &info);
  uint64_t began = host.now.wall / MS;
  for (uint32_t i = 0; i < 5; i++) {
    /* Stamps of the frames themselves are not looked at. */
    CHECK_EQ(put_at(&host, stream, i % 2 == 0 ? KEY : 0, UINT64_MAX - 9, 3),
             KVS_OK);
    fake_advance(&host, SECOND);
    fake_answer_all(&host, stream);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(body.times[0], began);
  CHECK_EQ(body.times[2], began + 4000);
  scene_finish(&host);
}

/* A wall clock that is set back a little is nobody's mistake: the frames go on
 * from the last stamp until the clock has caught up. */
static void a_clock_set_back_refuses_no_frame_that_it_stamps(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.frame_timecodes = false;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint32_t i = 0; i < 100; i++) {
    if (i == 50) {
      host.now.wall -= SECOND / 2;
    }
    CHECK_EQ(put_at(&host, stream, i % 25 == 0 ? KEY : 0, 0, 3), KVS_OK);
    fake_advance(&host, 40 * MS);
    fake_answer_all(&host, stream);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 100);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 0);
  for (uint32_t i = 1; i < body.clusters; i++) {
    CHECK(body.times[i] > body.times[i - 1]);
  }
  /* Half a minute is a jump, as for frames with stamps of their own. */
  host.now.wall -= 30 * SECOND;
  CHECK_EQ(put_at(&host, stream, KEY, 0, 3), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 1);
  scene_finish(&host);
}

/* Ruling 10: with sound beside it, a long GOP is cut at whatever comes first,
 * most often a frame of sound. */
static void a_long_gop_with_sound_is_cut_and_told_once(void) {
  fake_host host;
  fake_body body;

  kvs_stream *stream = scene_with_sound(&host);
  for (uint64_t i = 0; i < 1500; i++) { /* 30 s, one key frame */
    CHECK_EQ(scene_put(&host, stream, 1 + i % 2, i == 0 ? KEY : 0, i * 20,
                       "frame", 5),
             KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 1500);
  CHECK(body.clusters >= 3 && body.clusters <= 5);
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_FRAGMENT_CUT_REPORT)
               .u.fragment_cut_report.timecode,
           9500 * MS); /* a frame of sound */
  scene_finish(&host);
}

/* One frame with a figure that cannot be harms none of those around it. */
static void figures_that_cannot_be_poison_nothing(void) {
  static const struct {
    uint64_t dts;
    uint64_t pts;
    uint64_t duration;
    kvs_status status;
  } rows[] = {
      /* No window can hold it: to let it in would drop all that is held. */
      {40000 * MS, 40000 * MS, KVS_NEVER, KVS_STATUS_MKV_INVALID_FRAME_DATA},
      {40000 * MS, 40000 * MS, 120 * SECOND + 1,
       KVS_STATUS_MKV_INVALID_FRAME_DATA},
      /* Every later fragment would have to come after it. */
      {40000 * MS, 3640000 * MS, 0, KVS_STATUS_MKV_PTS_DTS_ARE_NOT_SAME},
      {40000 * MS, 0, 0, KVS_STATUS_MKV_LARGE_FRAME_TIMECODE},
      {40000 * MS, 52000 * MS, 0, KVS_STATUS_MKV_PTS_DTS_ARE_NOT_SAME},
      /* B-frames keep them a little apart. */
      {40000 * MS, 40080 * MS, 40 * MS, KVS_OK},
  };

  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    fake_body body;
    kvs_refusal refusal;
    kvs_frame frame = {.flags = KEY,
                       .track_id = 1,
                       .dts = rows[i].dts,
                       .pts = rows[i].pts,
                       .duration = rows[i].duration,
                       .data = (const uint8_t *)"frame",
                       .size = 5};

    fake_host_init(&host, ARENA, 2);
    kvs_stream *stream = fake_stream(&host, "camera");
    scene_gops(&host, stream, 0, 20, 50);
    CHECK_EQ(kvs_stream_put(stream, &frame, host.now), rows[i].status);
    kvs_stream_last_refusal(stream, &refusal);
    CHECK_EQ(refusal.status, rows[i].status);
    scene_gops(&host, stream, 21, 5, 50);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 0);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 1250 + (rows[i].status == KVS_OK ? 1u : 0u));
    CHECK_EQ(body.times[body.clusters - 1], 50000);
    scene_finish(&host);
  }
}

static void a_mistake_is_refused_and_a_jump_is_taken(void) {
  fake_host host;
  kvs_stream *stream = with_flags(&host, 0);

  CHECK_EQ(put_at(&host, stream, KEY, 100 * SECOND, KVS_NEVER), KVS_OK);
  CHECK_EQ(put_at(&host, stream, 0, 99 * SECOND, KVS_NEVER),
           KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  CHECK_EQ(put_at(&host, stream, KEY, 99 * SECOND - 1, KVS_NEVER), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 1);
  /* Forwards: as far as the clock went, or a fragment more, is no jump. */
  CHECK_EQ(put_at(&host, stream, KEY, 109 * SECOND - 1, KVS_NEVER), KVS_OK);
  fake_advance(&host, 50 * SECOND);
  CHECK_EQ(put_at(&host, stream, KEY, 159 * SECOND, KVS_NEVER), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 1);
  CHECK_EQ(put_at(&host, stream, KEY, 500 * SECOND, KVS_NEVER), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 2);
  CHECK_EQ(fake_last(&host, KVS_EVENT_TIMELINE_CHANGED).u.timeline_changed.from,
           159 * SECOND);
  CHECK_EQ(fake_last(&host, KVS_EVENT_TIMELINE_CHANGED).u.timeline_changed.to,
           500 * SECOND);
  CHECK_EQ(scene_metrics(&host, stream).timeline_changes, 2);
  scene_finish(&host);
}

/* ---- fragments -------------------------------------------------------------
 */

static void without_key_frame_fragmentation_time_cuts(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.key_frame_fragmentation = false;
  info.fragment_duration = 3 * SECOND;
  info.min_fragment_duration = 0;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 20; i++) { /* key frames each second */
    CHECK_EQ(fake_put(&host, stream, i % 2 == 0 ? KEY : 0, i * 500, 50),
             KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 4);
  CHECK_EQ(body.times[1], 3000);
  CHECK_EQ(body.times[3], 9000);
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 0);
  scene_finish(&host);
}

static void key_frames_close_together_share_a_fragment(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream = with_flags(&host, 0);

  for (uint64_t i = 0; i < 12; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 250, 50), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(body.times[1], 1000);
  scene_finish(&host);
}

static void a_frame_may_end_its_fragment(void) {
  fake_host host;
  fake_body body;
  kvs_stream *stream = with_flags(&host, 0);
  uint32_t end = KVS_FRAME_END_OF_FRAGMENT;

  CHECK_EQ(fake_put(&host, stream, KEY, 0, 50), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, end, 40, 50), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  /* The next frame begins a fragment, whatever it is. */
  CHECK_EQ(fake_put(&host, stream, 0, 80, 50), KVS_OK);
  CHECK_EQ(fake_put(&host, stream, KEY | end, 120, 50), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.ends, 2);
  /* A body that ends there has no second tag. */
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 2);
  scene_persist(&host, stream);
  scene_end(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  scene_finish(&host);
}

static void a_fragment_is_cut_before_it_is_too_large(void) {
  fake_host host;
  fake_body body;
  kvs_stream_info info;
  static uint8_t frame[1024 * 1024];

  fake_host_init(&host, UINT64_C(100) * 1024 * 1024, 2);
  fake_stream_info(&info, "camera");
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; i < 60; i++) {
    CHECK_EQ(scene_put(&host, stream, 1, i == 0 ? KEY : 0, i * 10, frame,
                       sizeof(frame)),
             KVS_OK);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_FRAGMENT_CUT_REPORT), 1);
  kvs_event cut = fake_last(&host, KVS_EVENT_FRAGMENT_CUT_REPORT);
  CHECK(cut.u.fragment_cut_report.bytes <= 45u * 1024 * 1024);
  CHECK(cut.u.fragment_cut_report.bytes > 43u * 1024 * 1024);
  CHECK_EQ(cut.u.fragment_cut_report.timecode, 440 * MS);
  CHECK_EQ(cut.u.fragment_cut_report.duration, 450 * MS);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.blocks, 60);
  scene_finish(&host);
}

static void sizes_that_no_block_can_have_are_refused(void) {
  fake_host host;
  kvs_frame frame = {KEY, 1, KVS_NEVER, 0, SECOND, (const uint8_t *)"x", 1};
  kvs_stream *stream = with_flags(&host, 0);

  CHECK_EQ(kvs_stream_put(stream, &frame, host.now), KVS_OK);
  frame.size = KVS_MKV_MAX_PAYLOAD / 2 + 1;
  CHECK_EQ(kvs_stream_put(stream, &frame, host.now),
           KVS_STATUS_MKV_NUMBER_TOO_BIG);
  frame.size = 1;
  frame.data = NULL;
  CHECK_EQ(kvs_stream_put(stream, &frame, host.now),
           KVS_STATUS_MKV_INVALID_FRAME_DATA);
  CHECK_EQ(scene_metrics(&host, stream).put_frame_errors, 2);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  fake_host_free(&host);
}

static void a_refusal_names_its_own_figures(void) {
  fake_host host;
  kvs_refusal refusal;
  kvs_stream *stream = with_flags(&host, KVS_NAL_ADAPTATION_AVCC_NALS);

  kvs_stream_last_refusal(stream, &refusal);
  CHECK_EQ(refusal.status, KVS_OK);
  CHECK_EQ(put_at(&host, stream, KEY, UINT64_MAX / 100, KVS_NEVER),
           KVS_STATUS_MKV_MAX_FRAME_TIMECODE);
  kvs_stream_last_refusal(stream, &refusal);
  CHECK(refusal.value != 0);
  CHECK_EQ(put_at(&host, stream, KEY, 0, KVS_NEVER),
           KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA);
  kvs_stream_last_refusal(stream, &refusal);
  CHECK_EQ(refusal.status, KVS_STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA);
  CHECK_EQ(refusal.track_id, 1);
  CHECK_EQ(refusal.value, 0); /* not those of the one before */
  CHECK_EQ(refusal.limit, 0);
  scene_finish(&host);
}

/* Sound that begins a little before the picture, in relative times: its block
 * stands before its cluster, and nowhere else. */
static void times_before_the_first_frame_are_kept(void) {
  static const char relative[] = "\x82\xFF\xEC"; /* track 2, -20 */
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 4);
  fake_stream_info(&info, "camera");
  info.absolute_fragment_times = false;
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_AAC";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 1000, "picture", 7), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 980, "tone", 4), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds(&host, relative, 3), 1);
  scene_finish(&host);
}

int main(void) {
  RUN(times_before_the_first_frame_are_kept);
  RUN(each_adaptation_gives_its_bytes);
  RUN(only_video_is_adapted);
  RUN(three_tracks_go_out_in_the_order_of_put);
  RUN(block_flags_say_what_the_frame_said);
  RUN(every_scale_counts_in_its_own_units);
  RUN(a_block_too_far_from_its_cluster_is_refused);
  RUN(stamps_have_an_end);
  RUN(frames_out_of_order_of_presentation);
  RUN(without_frame_timecodes_the_clock_stamps);
  RUN(a_clock_set_back_refuses_no_frame_that_it_stamps);
  RUN(a_long_gop_with_sound_is_cut_and_told_once);
  RUN(figures_that_cannot_be_poison_nothing);
  RUN(a_mistake_is_refused_and_a_jump_is_taken);
  RUN(without_key_frame_fragmentation_time_cuts);
  RUN(key_frames_close_together_share_a_fragment);
  RUN(a_frame_may_end_its_fragment);
  RUN(a_fragment_is_cut_before_it_is_too_large);
  RUN(sizes_that_no_block_can_have_are_refused);
  RUN(a_refusal_names_its_own_figures);
  return check_report();
}
