/* Formats that change: which fragment goes out under which header, where the
 * parameter sets may stand, and who is told when there are none. */
#include <stdio.h>
#include <string.h>

#include "nal_frames.h"
#include "scene.h"

/* A stream of H.264 in Annex-B without private data; offline when |offline|. */
static kvs_stream *camera(fake_host *host, bool offline) {
  kvs_stream_info info;

  fake_host_init(host, ARENA, 2);
  if (offline) {
    host->results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  }
  kvs_stream_info_init(&info);
  info.name = "camera";
  return scene_stream(host, &info);
}

static void go_online(fake_host *host, kvs_stream *stream) {
  host->results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host->handled = 0;
  fake_answer_all(host, stream);
}

/* The present session is read to its end, and the next one begun. */
static void next_session(fake_host *host, kvs_stream *stream) {
  CHECK_EQ(fake_take(host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  scene_persist(host, stream);
  scene_end(host, stream);
  (void)fake_take(host, stream);
}

static uint32_t live_headers(const kvs_stream *stream) {
  uint32_t live = 0;

  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    live += stream->headers[i].live ? 1 : 0;
  }
  return live;
}

static void formats_that_come_again_are_the_same(void) {
  fake_host host;
  fake_body body;
  uint8_t frame[2][NAL_VECTOR_ROOM + 64];
  size_t len[2];
  sets s[2];

  s[0] = sets_of(KVS_NAL_H264, "main");
  s[1] = sets_of(KVS_NAL_H264, "high10");
  kvs_stream *stream = camera(&host, true);
  for (uint32_t i = 0; i < 2; i++) {
    len[i] = key_frame(&s[i], frame[i]);
  }
  for (uint32_t i = 0; i < 40; i++) {
    CHECK_EQ(
        scene_put(&host, stream, 1, KEY, i * 1000, frame[i % 2], len[i % 2]),
        KVS_OK);
  }
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 40);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK(live_headers(stream) <= 3);
  go_online(&host, stream);
  for (uint32_t i = 0; i < 40; i++) {
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.clusters, 1);
    CHECK_EQ(body.times[0], i * 1000);
    CHECK_EQ(scene_finds(&host, s[i % 2].record, s[i % 2].record_len), 1);
    scene_persist(&host, stream);
    if (i != 39) {
      scene_end(&host, stream);
    }
  }
  scene_finish(&host);
}

/* The same sets, once or twice in an access unit, are one format. */
static void sets_repeated_within_a_frame_are_no_change(void) {
  fake_host host;
  uint8_t frame[2 * NAL_VECTOR_ROOM + 64];
  sets s = sets_of(KVS_NAL_H264, "high");
  kvs_stream *stream = camera(&host, false);

  for (uint32_t i = 0; i < 10; i++) {
    size_t len = 0;

    if (i % 2 == 1) {
      memcpy(frame, s.annexb, s.annexb_len);
      len = s.annexb_len;
    }
    len += key_frame(&s, frame + len);
    CHECK_EQ(scene_put(&host, stream, 1, KEY, i * 2000, frame, len), KVS_OK);
    (void)fake_take(&host, stream);
  }
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
  CHECK_EQ(scene_finds(&host, s.record, s.record_len), 1);
  scene_finish(&host);
}

static void sets_of_any_length_are_learned(void) {
  fake_host host;
  static uint8_t frame[70000];
  static uint8_t pps[60000];
  sets s = sets_of(KVS_NAL_H264, "main");
  kvs_stream *stream = camera(&host, false);

  for (size_t len = 2000; len <= sizeof(pps); len += 29000) {
    size_t at = s.annexb_len;

    memset(pps, 0xA5, len);
    memcpy(frame, s.annexb, at);
    memcpy(frame + at, "\0\0\0\1\x68", 5);
    memcpy(frame + at + 5, pps, len);
    memcpy(frame + at + 5 + len, plain_key, sizeof(plain_key));
    CHECK_EQ(scene_put(&host, stream, 1, KEY, len, frame,
                       at + 5 + len + sizeof(plain_key)),
             KVS_OK);
    if (len == 2000) {
      (void)fake_take(&host, stream);
    } else {
      next_session(&host, stream);
    }
    /* In the header and in the frame. */
    CHECK_EQ(scene_finds(&host, pps, len), 2);
  }
  CHECK_EQ(fake_count(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT), 0);
  scene_finish(&host);
}

/* Sets in frames of their own, which nobody flags as key frames: all of them
 * in one, or each in one. */
static void sets_in_frames_of_their_own(void) {
  static const struct {
    kvs_nal_codec codec;
    const char *id;
    const char *name[2];
  } rows[] = {{KVS_NAL_H264, "V_MPEG4/ISO/AVC", {"high", "main"}},
              {KVS_NAL_H265, "V_MPEGH/ISO/HEVC", {"main", "main10"}}};
  static const uint8_t idr[2][9] = {{0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21, 0x3F},
                                    {0, 0, 0, 1, 0x26, 0x01, 0xAF, 0x11, 0x22}};

  for (uint32_t run = 0; run < 4; run++) {
    uint32_t row = run / 2;
    bool apart = run % 2 == 1;
    fake_host host;
    kvs_stream_info info;
    fake_body body;

    fake_host_init(&host, ARENA, 2);
    kvs_stream_info_init(&info);
    info.name = "camera";
    info.tracks[0].codec_id = rows[row].id;
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint32_t change = 0; change < 2; change++) {
      sets s = sets_of(rows[row].codec, rows[row].name[change]);
      uint64_t ms = change * 2000;
      kvs_nal_plan plan;

      CHECK_EQ(
          kvs_nal_plan_annexb(kvs_nal_select(), s.annexb, s.annexb_len, &plan),
          KVS_OK);
      for (uint32_t i = 0; apart && i < plan.count; i++) {
        CHECK_EQ(scene_put(&host, stream, 1, 0, ms,
                           s.annexb + plan.spans[i].offset - 4,
                           plan.spans[i].len + 4),
                 KVS_OK);
      }
      if (!apart) {
        CHECK_EQ(scene_put(&host, stream, 1, 0, ms, s.annexb, s.annexb_len),
                 KVS_OK);
      }
      CHECK_EQ(scene_put(&host, stream, 1, KEY, ms, idr[row], 9), KVS_OK);
      if (change == 0) {
        (void)fake_take(&host, stream);
      } else {
        next_session(&host, stream);
      }
      CHECK(fake_read_body(&host, &body));
      CHECK_EQ(body.clusters, 1);
      CHECK_EQ(body.times[0], ms);
      CHECK_EQ(scene_finds(&host, s.record, s.record_len), 1);
      CHECK_EQ(stream->tracks[0].gathered, 0);
    }
    CHECK_EQ(scene_metrics(&host, stream).skipped_frames, 0);
    CHECK_EQ(fake_count(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT), 0);
    scene_finish(&host);
  }
}

/* Half of the sets, and then a picture: they are forgotten, not put together
 * with those of another. */
static void half_of_the_sets_are_none(void) {
  fake_host host;
  sets a = sets_of(KVS_NAL_H264, "main");
  sets b = sets_of(KVS_NAL_H264, "high");
  kvs_stream *stream = camera(&host, false);
  kvs_nal_plan plan[2];

  CHECK_EQ(
      kvs_nal_plan_annexb(kvs_nal_select(), a.annexb, a.annexb_len, &plan[0]),
      KVS_OK);
  CHECK_EQ(
      kvs_nal_plan_annexb(kvs_nal_select(), b.annexb, b.annexb_len, &plan[1]),
      KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, 0, a.annexb,
                     plan[0].spans[0].offset + plan[0].spans[0].len),
           KVS_OK);
  CHECK(stream->tracks[0].gathered != 0);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, plain_key, 9), KVS_OK);
  CHECK_EQ(stream->tracks[0].gathered, 0);
  CHECK_EQ(
      scene_put(&host, stream, 1, 0, 40, b.annexb + plan[1].spans[1].offset - 4,
                plan[1].spans[1].len + 4),
      KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 2000, plain_key, 9), KVS_OK);
  CHECK_EQ(stream->versions, 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT), 1);
  CHECK_EQ(fake_last(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT)
               .u.codec_private_missing_report.track,
           1);
  /* Left over at the end: the page comes back. */
  CHECK_EQ(scene_put(&host, stream, 1, 0, 2040, a.annexb,
                     plan[0].spans[0].offset + plan[0].spans[0].len),
           KVS_OK);
  CHECK(stream->tracks[0].gathered != 0);
  scene_finish(&host);
}

static kvs_stream *plain_camera(fake_host *host) {
  fake_host_init(host, ARENA, 2);
  return fake_stream(host, "camera");
}

static void change(fake_host *host, kvs_stream *stream, uint64_t track,
                   const char *text) {
  CHECK_EQ(kvs_stream_format_changed(stream, track, (const uint8_t *)text,
                                     (uint32_t)strlen(text), host->now),
           KVS_OK);
}

/* A cut that is not at a key frame keeps the header of what goes on. */
static void frames_of_the_old_format_stay_under_its_header(void) {
  for (uint32_t how = 0; how < 2; how++) {
    fake_host host;
    fake_body body;
    kvs_stream *stream = plain_camera(&host);
    uint64_t ms = 0;

    change(&host, stream, 1, "version-old");
    CHECK_EQ(fake_put(&host, stream, KEY, 0, 100), KVS_OK);
    change(&host, stream, 1, "version-new");
    for (ms = 500; ms <= 12000; ms += 500) { /* cut at the limit of 10 s */
      bool end = how == 1 && ms == 3000;

      CHECK_EQ(
          fake_put(&host, stream, end ? KVS_FRAME_END_OF_FRAGMENT : 0, ms, 100),
          KVS_OK);
    }
    CHECK_EQ(fake_put(&host, stream, KEY, ms, 100), KVS_OK);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.clusters, 2);
    CHECK_EQ(body.blocks, 25);
    CHECK_EQ(scene_finds_text(&host, "version-old"), 1);
    CHECK_EQ(scene_finds_text(&host, "version-new"), 0);
    next_session(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.times[0], ms);
    CHECK_EQ(scene_finds_text(&host, "version-new"), 1);
    CHECK_EQ(scene_metrics(&host, stream).total_sessions, 2);
    scene_finish(&host);
  }
}

/* Taken back before a key frame came: nothing changes. */
static void a_change_that_is_taken_back(void) {
  fake_host host;
  kvs_stream *stream = plain_camera(&host);

  change(&host, stream, 1, "version-one");
  CHECK_EQ(fake_put(&host, stream, KEY, 0, 100), KVS_OK);
  change(&host, stream, 1, "version-two");
  CHECK_EQ(fake_put(&host, stream, 0, 100, 100), KVS_OK);
  change(&host, stream, 1, "version-one");
  for (uint64_t ms = 2000; ms < 10000; ms += 2000) {
    CHECK_EQ(fake_put(&host, stream, KEY, ms, 100), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
  CHECK_EQ(live_headers(stream), 1);
  scene_finish(&host);
}

/* Sound takes effect at the next cut, whatever makes it, and does not bring
 * the picture's newer data with it. */
static void sound_turns_at_the_next_cut(void) {
  fake_host host;
  kvs_stream *stream = scene_with_sound(&host);
  uint64_t ms;

  change(&host, stream, 1, "picture-1");
  change(&host, stream, 2, "sound-1");
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "v", 1), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 10, "a", 1), KVS_OK);
  change(&host, stream, 1, "picture-2");
  change(&host, stream, 2, "sound-2");
  for (ms = 500; ms <= 10000; ms += 500) {
    CHECK_EQ(scene_put(&host, stream, 1, 0, ms, "v", 1), KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 2, 0, ms + 10, "a", 1), KVS_OK);
  }
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds_text(&host, "picture-1"), 1);
  CHECK_EQ(scene_finds_text(&host, "sound-1"), 1);
  next_session(&host, stream); /* from the cut at the limit on */
  CHECK_EQ(scene_finds_text(&host, "picture-1"), 1);
  CHECK_EQ(scene_finds_text(&host, "sound-2"), 1);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, ms, "v", 1), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, ms + 10, "a", 1), KVS_OK);
  next_session(&host, stream);
  CHECK_EQ(scene_finds_text(&host, "picture-2"), 1);
  CHECK_EQ(scene_finds_text(&host, "sound-2"), 1);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 3);
  scene_finish(&host);
}

/* A second camera in the stream, which does not cut: its data turn at the first
 * cut behind a key frame of its own. */
static void a_second_picture_turns_behind_its_key_frame(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.track_count = 2;
  info.tracks[1] = info.tracks[0];
  info.tracks[1].track_id = 2;
  kvs_stream *stream = scene_stream(&host, &info);
  change(&host, stream, 1, "first-1");
  change(&host, stream, 2, "second-1");
  for (uint64_t gop = 0; gop < 4; gop++) {
    uint64_t ms = gop * 2000;

    if (gop == 1) {
      change(&host, stream, 2, "second-2");
    }
    CHECK_EQ(scene_put(&host, stream, 1, KEY, ms, "v", 1), KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 2, gop == 0 || gop == 2 ? KEY : 0,
                       ms + 10, "w", 1),
             KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 1, 0, ms + 40, "v", 1), KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 2, 0, ms + 50, "w", 1), KVS_OK);
  }
  fake_body body;
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3);
  CHECK_EQ(scene_finds_text(&host, "second-1"), 1);
  next_session(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], 6000);
  CHECK_EQ(scene_finds_text(&host, "first-1"), 1);
  CHECK_EQ(scene_finds_text(&host, "second-2"), 1);
  scene_finish(&host);
}

/* What a refused frame brought is not learned. */
static void a_refused_frame_changes_no_format(void) {
  fake_host host;
  kvs_stream_info info;
  static uint8_t frame[200000];
  sets s = sets_of(KVS_NAL_H264, "main");
  sets t = sets_of(KVS_NAL_H264, "high10");
  uint64_t ms = 2000;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream_info_init(&info);
  info.name = "camera";
  info.overflow_policy = KVS_OVERFLOW_REFUSE;
  info.buffer_duration = 1000 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, frame, key_frame(&s, frame)),
           KVS_OK);
  memset(frame, 0x11, sizeof(frame));
  memcpy(frame, plain_key, sizeof(plain_key));
  while (scene_put(&host, stream, 1, KEY, ms, frame, sizeof(frame)) == KVS_OK) {
    ms += 1000;
  }
  uint32_t full = stream->full;
  uint32_t refs = kvs_format_at(stream, full)->refs;
  (void)key_frame(&t, frame);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, ms, frame, sizeof(frame)),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(stream->full, full);
  CHECK_EQ(kvs_format_at(stream, full)->refs, refs);
  CHECK_EQ(live_headers(stream), 1);
  scene_finish(&host);
}

static void missing_private_data_are_told_once(void) {
  static const struct {
    const char *id;
    kvs_track_type type;
    const char *given;
    uint32_t told;
  } rows[] = {{"V_MPEG4/ISO/AVC", KVS_TRACK_VIDEO, "", 1},
              {"V_MPEGH/ISO/HEVC", KVS_TRACK_VIDEO, "", 1},
              {"V_MPEG4/ISO/AVC", KVS_TRACK_VIDEO, "given", 0},
              {"V_VP8", KVS_TRACK_VIDEO, "", 0},
              {"A_AAC", KVS_TRACK_AUDIO, "", 0}};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.tracks[0].codec_id = rows[i].id;
    info.tracks[0].type = rows[i].type;
    info.tracks[0].track_id = 9;
    info.tracks[0].codec_private = (const uint8_t *)rows[i].given;
    info.tracks[0].codec_private_len = (uint32_t)strlen(rows[i].given);
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint64_t ms = 0; ms < 10000; ms += 2000) {
      CHECK_EQ(scene_put(&host, stream, 9, KEY, ms, "frame", 5), KVS_OK);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT),
             rows[i].told);
    if (rows[i].told == 1) {
      CHECK_EQ(fake_last(&host, KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT)
                   .u.codec_private_missing_report.track,
               9);
    }
    scene_finish(&host);
  }
}

/* No frame is ever flagged as a key frame: told after 10 s, of media or of the
 * clock, once; and again when it comes to that again. */
static void no_key_frame_is_told(void) {
  for (uint32_t live = 0; live < 2; live++) {
    fake_host host;
    kvs_event event;
    kvs_stream *stream = plain_camera(&host);
    uint64_t ms = 0;

    for (; ms <= 30000; ms += 40) {
      CHECK_EQ(fake_put(&host, stream, 0, live == 1 ? ms / 1000 : ms, 100),
               KVS_OK);
      if (ms == 9960) {
        CHECK_EQ(fake_count(&host, KVS_EVENT_KEY_FRAME_MISSING_REPORT), 0);
      }
      if (live == 1) {
        fake_advance(&host, 40 * MS);
      }
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_KEY_FRAME_MISSING_REPORT), 1);
    event = fake_last(&host, KVS_EVENT_KEY_FRAME_MISSING_REPORT);
    CHECK_EQ(event.u.key_frame_missing_report.frames, 251);
    CHECK_EQ(event.u.key_frame_missing_report.duration, 10 * SECOND);
    CHECK_EQ(event.u.key_frame_missing_report.timecode, 0);
    ms = live == 1 ? 31 : ms;
    CHECK_EQ(fake_put(&host, stream, KEY, ms, 100), KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_SKIPPED_FRAMES_REPORT), 1);
    CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
    CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
    for (uint64_t i = 1; i < 20; i++) {
      CHECK_EQ(fake_put(&host, stream, 0, ms + i * 1000, 100), KVS_OK);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_KEY_FRAME_MISSING_REPORT), 2);
    scene_finish(&host);
  }
}

int main(void) {
  RUN(formats_that_come_again_are_the_same);
  RUN(sets_repeated_within_a_frame_are_no_change);
  RUN(sets_of_any_length_are_learned);
  RUN(sets_in_frames_of_their_own);
  RUN(half_of_the_sets_are_none);
  RUN(frames_of_the_old_format_stay_under_its_header);
  RUN(a_change_that_is_taken_back);
  RUN(sound_turns_at_the_next_cut);
  RUN(a_second_picture_turns_behind_its_key_frame);
  RUN(a_refused_frame_changes_no_format);
  RUN(missing_private_data_are_told_once);
  RUN(no_key_frame_is_told);
  return check_report();
}
