/* Codec private data, wherever they come from, and the versions of the session
 * header that they make: each fragment goes out under its own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nal_frames.h"
#include "scene.h"

static bool header_says_size(const fake_host *host, uint16_t width,
                             uint16_t height) {
  uint8_t text[8];
  size_t len = 0;

  text[len++] = 0xB0;
  text[len++] = 0x82;
  text[len++] = (uint8_t)(width >> 8);
  text[len++] = (uint8_t)width;
  text[len++] = 0xBA;
  text[len++] = 0x82;
  text[len++] = (uint8_t)(height >> 8);
  text[len++] = (uint8_t)height;
  return scene_finds(host, text, len) == 1;
}

/* The present session ends at the change; the next one is open. */
static void next_session(fake_host *host, kvs_stream *stream) {
  uint64_t before = host->session;

  CHECK_EQ(fake_take(host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  scene_persist(host, stream);
  scene_end(host, stream);
  CHECK(host->session > before);
  (void)fake_take(host, stream);
}

static void private_data_at_create_are_adapted(void) {
  static const struct {
    kvs_nal_codec codec;
    const char *id;
    const char *name;
  } rows[] = {{KVS_NAL_H264, "V_MPEG4/ISO/AVC", "high"},
              {KVS_NAL_H264, "V_MPEG4/ISO/AVC", "baseline"},
              {KVS_NAL_H265, "V_MPEGH/ISO/HEVC", "main"},
              {KVS_NAL_H265, "V_MPEGH/ISO/HEVC", "everything"}};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    for (uint32_t adapt = 0; adapt < 2; adapt++) {
      fake_host host;
      kvs_stream_info info;
      sets s = sets_of(rows[i].codec, rows[i].name);

      fake_host_init(&host, ARENA, 2);
      fake_stream_info(&info, "camera");
      info.nal_adaptation_flags =
          adapt == 1 ? KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS : 0;
      info.tracks[0].codec_id = rows[i].id;
      info.tracks[0].codec_private = adapt == 1 ? s.annexb : s.record;
      info.tracks[0].codec_private_len =
          (uint32_t)(adapt == 1 ? s.annexb_len : s.record_len);
      kvs_stream *stream = scene_stream(&host, &info);
      scene_gops(&host, stream, 0, 1, 2);
      (void)fake_take(&host, stream);
      CHECK_EQ(scene_finds(&host, s.record, s.record_len), 1);
      CHECK(header_says_size(&host, s.width, s.height));
      scene_finish(&host);
    }
  }
}

static void private_data_that_cannot_be_adapted_make_no_stream(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  kvs_heap_stats stats;
  static uint8_t long_sets[70000];
  sets s = sets_of(KVS_NAL_H264, "high");

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.nal_adaptation_flags = KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;
  info.tracks[0].codec_private = (const uint8_t *)"\0\0\1\x09\x10";
  info.tracks[0].codec_private_len = 5;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream),
           KVS_STATUS_MKV_MISSING_SPS_FROM_H264_CPD);
  /* One so long that no record can tell it. */
  memset(long_sets, 0xFF, sizeof(long_sets));
  memcpy(long_sets, s.annexb, s.annexb_len);
  memcpy(long_sets + s.annexb_len, "\0\0\1\x68", 4);
  info.tracks[0].codec_private = long_sets;
  info.tracks[0].codec_private_len = sizeof(long_sets);
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream),
           KVS_STATUS_MKV_INVALID_ANNEXB_CPD_NALUS);
  kvs_heap_get_stats(&host.client->host.heap, &stats);
  CHECK_EQ(stats.used, 0);
  /* The name is free. */
  info.tracks[0].codec_private_len = (uint32_t)s.annexb_len;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  scene_finish(&host);
}

static void private_data_that_tell_nothing_are_carried(void) {
  static const struct {
    kvs_track_type type;
    const char *id;
  } rows[] = {{KVS_TRACK_VIDEO, "V_MPEG4/ISO/AVC"},
              {KVS_TRACK_VIDEO, "V_MPEGH/ISO/HEVC"},
              {KVS_TRACK_VIDEO, "V_VP8"},
              {KVS_TRACK_AUDIO, "A_AAC"},
              {KVS_TRACK_AUDIO, "A_MS/ACM"},
              {KVS_TRACK_AUDIO, "A_OPUS"},
              {KVS_TRACK_AUDIO, "V_MPEG4/ISO/AVC"},
              {KVS_TRACK_DATA, "application/x-gps"}};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    /* Adaptation is for H.264 and H.265 video alone. */
    info.nal_adaptation_flags =
        i >= 2 ? KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS : KVS_NAL_ADAPTATION_NONE;
    info.tracks[0].type = rows[i].type;
    info.tracks[0].codec_id = rows[i].id;
    info.tracks[0].codec_private = (const uint8_t *)"\xF7nonsense";
    info.tracks[0].codec_private_len = 9;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 1, 2);
    (void)fake_take(&host, stream);
    CHECK_EQ(scene_finds_text(&host, "\xF7nonsense"), 1);
    CHECK_EQ(scene_finds_text(&host, rows[i].id), 1);
    scene_finish(&host);
  }
}

static void audio_rates_come_from_the_private_data(void) {
  fake_host host;
  kvs_stream_info info;
  /* WAVEFORMATEX of 8 kHz mono A-law. */
  static const uint8_t alaw[18] = {6,    0, 1, 0, 0x40, 0x1F, 0, 0, 0x40,
                                   0x1F, 0, 0, 1, 0,    8,    0, 0, 0};
  static const uint8_t rate_44100[] = {0xB5, 0x88, 0x40, 0xE5, 0x88,
                                       0x80, 0,    0,    0,    0};
  static const uint8_t rate_8000[] = {0xB5, 0x88, 0x40, 0xBF, 0x40,
                                      0,    0,    0,    0,    0};

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.track_count = 2;
  info.tracks[0].type = KVS_TRACK_AUDIO;
  info.tracks[0].codec_id = "A_AAC";
  info.tracks[0].codec_private = (const uint8_t *)"\x12\x10";
  info.tracks[0].codec_private_len = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_MS/ACM";
  info.tracks[1].codec_private = alaw;
  info.tracks[1].codec_private_len = sizeof(alaw);
  kvs_stream *stream = scene_stream(&host, &info);
  /* Without video, track 1 cuts, and each of its frames is a key frame. */
  CHECK_EQ(scene_put(&host, stream, 2, 0, 0, "early", 5), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, 0, "aac", 3), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 10, "alaw", 4), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, 1100, "aac", 3), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds(&host, rate_44100, sizeof(rate_44100)), 1);
  CHECK_EQ(scene_finds(&host, rate_8000, sizeof(rate_8000)), 1);
  CHECK_EQ(scene_finds(&host, alaw, sizeof(alaw)), 1);
  CHECK_EQ(scene_finds_text(&host, "early"), 0);
  fake_body body;
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.blocks, 3);
  scene_finish(&host);
}

static void private_data_by_format_change_before_the_first_frame(void) {
  fake_host host;
  kvs_stream_info info;
  sets s = sets_of(KVS_NAL_H264, "high422");

  fake_host_init(&host, ARENA, 2);
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(kvs_stream_format_changed(stream, 7, s.annexb,
                                     (uint32_t)s.annexb_len, host.now),
           KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, s.annexb,
                                     (uint32_t)s.annexb_len, host.now),
           KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, plain_key, sizeof(plain_key)),
           KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds(&host, s.record, s.record_len), 1);
  CHECK(header_says_size(&host, s.width, s.height));
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 1);
  scene_finish(&host);
}

static void
a_change_in_mid_stream_begins_a_session_at_the_next_key_frame(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 5);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, (const uint8_t *)"fresh", 5,
                                     host.now),
           KVS_OK);
  CHECK_EQ(fake_put(&host, stream, 0, 200, 100), KVS_OK); /* the old one */
  /* Within the least duration of a fragment: cut all the same. */
  CHECK_EQ(fake_put(&host, stream, KEY, 400, 100), KVS_OK);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, (const uint8_t *)"fresh", 5,
                                     host.now),
           KVS_OK); /* the same once more: nothing changes */
  scene_gops(&host, stream, 1, 1, 5);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 6);
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(scene_finds_text(&host, "fresh"), 0);
  next_session(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 6);
  CHECK_EQ(body.clusters, 2);
  CHECK_EQ(body.times[0], 400);
  CHECK_EQ(scene_finds_text(&host, "fresh"), 1);
  CHECK_EQ(scene_metrics(&host, stream).total_sessions, 2);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  scene_finish(&host);
}

static void a_change_that_is_refused_changes_nothing(void) {
  fake_host host;
  kvs_stream_info info;
  sets s = sets_of(KVS_NAL_H264, "high");
  static uint8_t huge[KVS_MAX_CODEC_PRIVATE_LEN + 1];

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.nal_adaptation_flags = KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;
  info.tracks[0].codec_private = s.annexb;
  info.tracks[0].codec_private_len = (uint32_t)s.annexb_len;
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, huge, sizeof(huge), host.now),
           KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, huge, 100, host.now),
           KVS_STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD);
  scene_gops(&host, stream, 0, 1, 2);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds(&host, s.record, s.record_len), 1);
  scene_finish(&host);
}

static void private_data_are_found_in_key_frames(void) {
  fake_host host;
  kvs_stream_info info;
  uint8_t frame[NAL_VECTOR_ROOM + 64];
  sets first = sets_of(KVS_NAL_H264, "main");
  sets second = sets_of(KVS_NAL_H264, "high10");
  size_t len = key_frame(&first, frame);

  fake_host_init(&host, ARENA, 2);
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, frame, len), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, 40, plain_key, 9), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 2000, frame, len), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 4000, plain_key, 9), KVS_OK);
  len = key_frame(&second, frame);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 6000, frame, len), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(scene_finds(&host, first.record, first.record_len), 1);
  CHECK(header_says_size(&host, first.width, first.height));
  fake_body body;
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.clusters, 3); /* the same sets again are no change */
  next_session(&host, stream);
  CHECK_EQ(scene_finds(&host, second.record, second.record_len), 1);
  CHECK(header_says_size(&host, second.width, second.height));
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], 6000);
  scene_finish(&host);
}

static void a_megabyte_of_private_data(void) {
  fake_host host;
  kvs_stream_info info;
  uint8_t *huge = malloc(KVS_MAX_CODEC_PRIVATE_LEN);
  uint64_t seed = 3;
  kvs_heap_stats stats;

  for (uint32_t i = 0; i < KVS_MAX_CODEC_PRIVATE_LEN; i++) {
    huge[i] = (uint8_t)check_random(&seed);
  }
  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.tracks[0].codec_private = huge;
  info.tracks[0].codec_private_len = KVS_MAX_CODEC_PRIVATE_LEN;
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_DATA;
  info.tracks[1].codec_id = "data";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "one", 3), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 10, "uno", 3), KVS_OK);
  (void)fake_take(&host, stream);
  CHECK_EQ(scene_finds(&host, huge, KVS_MAX_CODEC_PRIVATE_LEN), 1);
  /* The other track changes: the megabyte is copied into its header. */
  CHECK_EQ(kvs_stream_format_changed(stream, 2, (const uint8_t *)"tell", 4,
                                     host.now),
           KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 2000, "two", 3), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 2010, "due", 3), KVS_OK);
  next_session(&host, stream);
  CHECK_EQ(scene_finds(&host, huge, KVS_MAX_CODEC_PRIVATE_LEN), 1);
  CHECK_EQ(scene_finds_text(&host, "tell"), 1);
  /* The first version is gone with its fragment. */
  kvs_heap_get_stats(&host.client->host.heap, &stats);
  CHECK(stats.used < 2 * KVS_MAX_CODEC_PRIVATE_LEN / KVS_PAGE_SIZE);
  /* One that differs in its last byte is another. */
  huge[KVS_MAX_CODEC_PRIVATE_LEN - 1] ^= 1;
  CHECK_EQ(kvs_stream_format_changed(stream, 1, huge, KVS_MAX_CODEC_PRIVATE_LEN,
                                     host.now),
           KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 4000, "three", 5), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 4010, "tre", 3), KVS_OK);
  next_session(&host, stream);
  CHECK_EQ(scene_finds(&host, huge, KVS_MAX_CODEC_PRIVATE_LEN), 1);
  scene_finish(&host);
  free(huge);
}

static void change(fake_host *host, kvs_stream *stream, uint32_t version,
                   kvs_status want) {
  char text[16];

  snprintf(text, sizeof(text), "version-%03u", (unsigned)version);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, (const uint8_t *)text, 11,
                                     host->now),
           want);
}

/* More than have their place in the stream's page. */
enum { VERSIONS = 2 * KVS_HEADER_SLOTS };

static void versions_live_as_long_as_their_fragments(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0; /* offline */
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint32_t i = 0; i < VERSIONS; i++) {
    change(&host, stream, i, KVS_OK);
    scene_gops(&host, stream, i, 1, 3);
  }
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  for (uint32_t i = 0; i < VERSIONS; i++) {
    char text[16];

    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 3);
    CHECK_EQ(body.times[0], i * 2000);
    CHECK_EQ(scene_finds_text(&host, "version-"), 1);
    snprintf(text, sizeof(text), "version-%03u", (unsigned)i);
    CHECK_EQ(scene_finds_text(&host, text), 1);
    scene_persist(&host, stream);
    if (i + 1 < VERSIONS) {
      scene_end(&host, stream);
    }
  }
  scene_finish(&host);
}

/* Changes without end while nothing can be sent: as many formats may wait as
 * the arena has room for, whatever the policy. */
static void as_many_versions_as_there_is_room_for(void) {
  for (uint32_t refuse = 0; refuse < 2; refuse++) {
    fake_host host;
    kvs_stream_info info;
    kvs_stream_metrics m;

    fake_host_init(&host, ARENA, 2);
    host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
    fake_stream_info(&info, "camera");
    info.buffer_duration = 1000 * SECOND;
    info.overflow_policy =
        refuse == 1 ? KVS_OVERFLOW_REFUSE : KVS_OVERFLOW_DROP_OLDEST;
    kvs_stream *stream = scene_stream(&host, &info);
    for (uint32_t i = 0; i < 200; i++) {
      change(&host, stream, i, KVS_OK);
      scene_gops(&host, stream, i, 1, 3);
    }
    m = scene_metrics(&host, stream);
    CHECK_EQ(m.buffered_fragments, 200);
    CHECK_EQ(m.dropped_frames, 0);
    CHECK_EQ(kvs_client_check(host.client), KVS_OK);
    scene_finish(&host);
  }
}

/* The same for sets found in key frames, which nobody can be asked about. */
static void key_frames_with_ever_new_parameter_sets_are_taken(void) {
  static const char *const names[] = {
      "baseline",   "main",    "high",    "high_odd_width", "high_gray",
      "high10",     "high422", "high444", "interlaced",     "interlaced_1080",
      "poc_type_2", "cavlc444"};
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  kvs_stream_info_init(&info);
  info.name = "camera";
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    uint8_t frame[NAL_VECTOR_ROOM + 64];
    sets s = sets_of(KVS_NAL_H264, names[i]);

    CHECK_EQ(
        scene_put(&host, stream, 1, KEY, i * 2000, frame, key_frame(&s, frame)),
        KVS_OK);
    CHECK_EQ(scene_put(&host, stream, 1, 0, i * 2000 + 40, plain_key, 9),
             KVS_OK);
  }
  CHECK_EQ(scene_metrics(&host, stream).put_frame_errors, 0);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments,
           sizeof(names) / sizeof(names[0]));
  scene_finish(&host);
}

/* Fills the arena with whole fragments of |stream|, up to the last page. */
static uint64_t fill(fake_host *host, kvs_stream *stream) {
  uint64_t ms = 0;

  while (kvs_heap_available(&host->client->host.heap) != 0) {
    CHECK_EQ(fake_put(host, stream, KEY, ms, 14000), KVS_OK);
    ms += 1000;
  }
  return ms;
}

static void a_change_finds_room_in_a_full_arena(void) {
  fake_host host;
  kvs_stream_info info;
  static uint8_t large[100000];

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100000 * SECOND;
  kvs_stream *stream = scene_stream(&host, &info);
  uint64_t ms = fill(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  CHECK_EQ(kvs_stream_format_changed(stream, 1, large, sizeof(large), host.now),
           KVS_OK);
  CHECK(scene_metrics(&host, stream).dropped_frames >= 6);
  CHECK(scene_metrics(&host, stream).dropped_frames <= 10);
  CHECK_EQ(fake_put(&host, stream, KEY, ms, 14000), KVS_OK);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  /* One that the whole arena would not hold with a frame drops nothing more. */
  scene_finish(&host);
}

static void a_track_that_comes_back_finds_room_in_a_full_arena(void) {
  fake_host host;
  kvs_stream_info info;
  static uint8_t large[KVS_SLAB_LEN + 1];

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100000 * SECOND;
  info.tracks[0].codec_private = large; /* each header takes a page */
  info.tracks[0].codec_private_len = sizeof(large);
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_AAC";
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 0, "video", 5), KVS_OK);
  uint64_t ms = 2000 + fill(&host, stream);
  for (uint32_t i = 0; i < 300; i++) {
    bool audio = (i / 3) % 2 == 1;

    CHECK_EQ(scene_put(&host, stream, 1, KEY, ms, large, sizeof(large)),
             KVS_OK);
    if (audio) {
      CHECK_EQ(scene_put(&host, stream, 2, 0, ms + 10, large, sizeof(large)),
               KVS_OK);
    }
    ms += 1000;
  }
  CHECK_EQ(scene_metrics(&host, stream).put_frame_errors, 0);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  scene_finish(&host);
}

int main(void) {
  RUN(private_data_at_create_are_adapted);
  RUN(private_data_that_cannot_be_adapted_make_no_stream);
  RUN(private_data_that_tell_nothing_are_carried);
  RUN(audio_rates_come_from_the_private_data);
  RUN(private_data_by_format_change_before_the_first_frame);
  RUN(a_change_in_mid_stream_begins_a_session_at_the_next_key_frame);
  RUN(a_change_that_is_refused_changes_nothing);
  RUN(private_data_are_found_in_key_frames);
  RUN(a_megabyte_of_private_data);
  RUN(versions_live_as_long_as_their_fragments);
  RUN(as_many_versions_as_there_is_room_for);
  RUN(key_frames_with_ever_new_parameter_sets_are_taken);
  RUN(a_change_finds_room_in_a_full_arena);
  RUN(a_track_that_comes_back_finds_room_in_a_full_arena);
  return check_report();
}
