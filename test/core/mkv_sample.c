#include "mkv_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "fake_host.h"
#include "nal_vectors.h"

/* Four frames of 64x48, blue, a key frame each second one:
 *   ffmpeg -f lavfi -i color=c=blue:size=64x48:rate=2 -frames:v 4
 *     -c:v libx264 -x264-params keyint=2:scenecut=0:bframes=0:info=0
 *     -bsf:v filter_units=remove_types=6 */
static const uint8_t AVC_PRIVATE[] = {
    0x01, 0x64, 0x00, 0x0a, 0xff, 0xe1, 0x00, 0x17, 0x67, 0x64, 0x00,
    0x0a, 0xac, 0xb4, 0x23, 0xd8, 0x08, 0x80, 0x00, 0x00, 0x03, 0x00,
    0x80, 0x00, 0x00, 0x03, 0x02, 0x07, 0x89, 0x13, 0x50, 0x01, 0x00,
    0x04, 0x68, 0xef, 0x0f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00};
static const uint8_t KEY_1[] = {
    0x00, 0x00, 0x00, 0x28, 0x65, 0x88, 0x84, 0x05, 0x3f, 0xe8, 0xff,
    0xc2, 0x55, 0x3e, 0x5d, 0xeb, 0x9a, 0x47, 0xff, 0xf5, 0xac, 0xd4,
    0x65, 0x70, 0x3d, 0x8d, 0xaf, 0x7c, 0x9f, 0xeb, 0x2a, 0xe9, 0x7f,
    0xa7, 0x46, 0xe4, 0x5b, 0x5a, 0x10, 0xaa, 0x9b, 0x22, 0xc3, 0x61};
static const uint8_t DELTA_1[] = {0x00, 0x00, 0x00, 0x0a, 0x41, 0x9a, 0x26,
                                  0x20, 0xa7, 0xff, 0xfe, 0xd6, 0x94, 0x2c};
static const uint8_t KEY_2[] = {
    0x00, 0x00, 0x00, 0x28, 0x65, 0x88, 0x82, 0x01, 0x5f, 0xea, 0xff,
    0xc2, 0x55, 0x3e, 0x75, 0xd3, 0x70, 0x17, 0xc3, 0xf0, 0x88, 0xee,
    0x49, 0xdc, 0x48, 0xec, 0xf7, 0xbe, 0xe5, 0x75, 0xbb, 0x99, 0x62,
    0x57, 0xd1, 0x12, 0x18, 0x56, 0x87, 0x2b, 0xa7, 0x29, 0x31, 0x99};
static const uint8_t DELTA_2[] = {0x00, 0x00, 0x00, 0x0a, 0x41, 0x9a, 0x26,
                                  0x20, 0x97, 0xff, 0xfe, 0xb5, 0x39, 0x58};

/* AAC-LC, 16 kHz, one channel, and a frame of silence. */
static const uint8_t AAC_PRIVATE[] = {0x14, 0x08};
static const uint8_t SILENCE[] = {0x01, 0x18, 0x20, 0x07};

/* A-law, one channel, 8 kHz, 8 bits: WAVEFORMATEX. */
static const uint8_t ALAW_PRIVATE[] = {0x06, 0x00, 0x01, 0x00, 0x40, 0x1f,
                                       0x00, 0x00, 0x40, 0x1f, 0x00, 0x00,
                                       0x01, 0x00, 0x08, 0x00, 0x00, 0x00};
static const uint8_t ALAW[] = {0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5, 0xd5};

/* The same of mu-law, at 16 kHz. */
static const uint8_t MULAW_PRIVATE[] = {0x07, 0x00, 0x01, 0x00, 0x80, 0x3e,
                                        0x00, 0x00, 0x80, 0x3e, 0x00, 0x00,
                                        0x01, 0x00, 0x08, 0x00, 0x00, 0x00};
static const uint8_t MULAW[] = {0xff, 0xff, 0xff, 0xff, 0x7f, 0x7f, 0x7f, 0x7f};
static const uint8_t HEVC_KEY[] = {0x00, 0x00, 0x00, 0x06, 0x26,
                                   0x01, 0xaf, 0x09, 0x40, 0x80};

#define BASE UINT64_C(1795408173486)

static const kvs_track_info VIDEO = {.track_id = 1,
                                     .type = KVS_TRACK_VIDEO,
                                     .codec_id = "V_MPEG4/ISO/AVC",
                                     .track_name = "kinesis_video",
                                     .codec_private = AVC_PRIVATE,
                                     .codec_private_len = sizeof AVC_PRIVATE,
                                     .pixel_width = 64,
                                     .pixel_height = 48};

static kvs_mkv_header header_of(const kvs_track_info *tracks, uint32_t count,
                                const char *client_id) {
  kvs_mkv_header header = {.timecode_scale = KVS_TICKS_PER_MS,
                           .client_id = client_id,
                           .track_count = count,
                           .tracks = tracks};

  for (uint8_t i = 0; i < KVS_SEGMENT_UID_LEN; i++) {
    header.segment_uid[i] = (uint8_t)(0xA0 + i);
  }
  return header;
}

static void cluster(kvs_sink *sink, uint64_t timecode) {
  uint8_t bytes[KVS_MKV_CLUSTER_LEN];

  kvs_mkv_write_cluster(bytes, timecode);
  kvs_sink_write(sink, bytes, sizeof bytes);
}

static void frame(kvs_sink *sink, uint32_t track, int16_t timecode,
                  uint32_t flags, const uint8_t *payload, uint32_t len) {
  uint8_t bytes[KVS_MKV_BLOCK_LEN];

  kvs_mkv_write_block(bytes, track, timecode, flags, len);
  kvs_sink_write(sink, bytes, sizeof bytes);
  kvs_sink_write(sink, payload, len);
}

static void end_of_fragment(kvs_sink *sink) {
  uint8_t bytes[KVS_MKV_EOF_MAX];
  uint32_t len = kvs_mkv_write_end_of_fragment(bytes);

  kvs_sink_write(sink, bytes, len);
}

/* One video track, two fragments, absolute times. */
static void write_video(kvs_sink *sink) {
  kvs_mkv_header header = header_of(&VIDEO, 1, NULL);

  kvs_mkv_write_header(sink, &header);
  cluster(sink, BASE);
  frame(sink, 1, 0, KVS_FRAME_KEY, KEY_1, sizeof KEY_1);
  frame(sink, 1, 500, KVS_FRAME_NONE, DELTA_1, sizeof DELTA_1);
  cluster(sink, BASE + 1000);
  frame(sink, 1, 0, KVS_FRAME_KEY, KEY_2, sizeof KEY_2);
  frame(sink, 1, 500, KVS_FRAME_NONE, DELTA_2, sizeof DELTA_2);
}

/* Video and AAC, a block before its cluster, a client id, end of fragment. */
static void write_audio_video(kvs_sink *sink) {
  kvs_track_info tracks[] = {VIDEO,
                             {.track_id = UINT64_C(0xFEDCBA9876543210),
                              .type = KVS_TRACK_AUDIO,
                              .codec_id = "A_AAC",
                              .track_name = "audio",
                              .codec_private = AAC_PRIVATE,
                              .codec_private_len = sizeof AAC_PRIVATE,
                              .sampling_frequency = 16000,
                              .channels = 1}};
  kvs_mkv_header header = header_of(tracks, 2, "door-camera");

  kvs_mkv_write_header(sink, &header);
  cluster(sink, 0);
  frame(sink, 1, 0, KVS_FRAME_KEY, KEY_1, sizeof KEY_1);
  frame(sink, 2, 0, KVS_FRAME_KEY, SILENCE, sizeof SILENCE);
  frame(sink, 2, 64, KVS_FRAME_KEY, SILENCE, sizeof SILENCE);
  frame(sink, 1, 500, KVS_FRAME_DISCARDABLE, DELTA_1, sizeof DELTA_1);
  cluster(sink, 1000);
  frame(sink, 2, -32, KVS_FRAME_KEY, SILENCE, sizeof SILENCE);
  frame(sink, 1, 0, KVS_FRAME_KEY, KEY_2, sizeof KEY_2);
  end_of_fragment(sink);
}

/* A-law audio and a track of any data, with fragment metadata. */
static void write_alaw_data(kvs_sink *sink) {
  kvs_track_info tracks[] = {{.track_id = 7,
                              .type = KVS_TRACK_AUDIO,
                              .codec_id = "A_MS/ACM",
                              .codec_private = ALAW_PRIVATE,
                              .codec_private_len = sizeof ALAW_PRIVATE,
                              .sampling_frequency = 8000,
                              .channels = 1,
                              .bit_depth = 8},
                             {.track_id = 8, .type = KVS_TRACK_DATA}};
  kvs_mkv_header header = header_of(tracks, 2, NULL);

  kvs_mkv_write_header(sink, &header);
  kvs_mkv_write_tag(sink, kvs_bytes_of("place"), kvs_bytes_of("front door"));
  kvs_mkv_write_tag(sink, kvs_bytes_of("empty"), kvs_bytes_of(""));
  cluster(sink, BASE);
  frame(sink, 1, 0, KVS_FRAME_KEY, ALAW, sizeof ALAW);
  frame(sink, 2, 0, KVS_FRAME_KEY | KVS_FRAME_INVISIBLE,
        (const uint8_t *)"{\"t\":21.5}", 10);
  end_of_fragment(sink);
}

static void event(kvs_sink *sink, const char *name, const char *prefix) {
  const kvs_bytes names[] = {kvs_bytes_of(name),
                             kvs_bytes_of("AWS_KINESISVIDEO_IMAGE_PREFIX"),
                             kvs_bytes_of("door")};
  const kvs_bytes values[] = {kvs_bytes_of(""), kvs_bytes_of(prefix),
                              kvs_bytes_of("open")};

  kvs_mkv_write_tags(sink, names, values, 3);
}

/* H.265 with mu-law at a tenth of a millisecond; both events of AWS. */
static void write_hevc_mulaw(kvs_sink *sink) {
  const nal_vector *sets = nal_vector_named(KVS_NAL_H265, "main");
  uint8_t record[NAL_VECTOR_ROOM];
  kvs_track_info tracks[] = {{.track_id = 1,
                              .type = KVS_TRACK_VIDEO,
                              .codec_id = "V_MPEGH/ISO/HEVC",
                              .codec_private = record,
                              .codec_private_len = (uint32_t)nal_unhex(
                                  sets->record, record, sizeof record),
                              .pixel_width = sets->width,
                              .pixel_height = sets->height},
                             {.track_id = 2,
                              .type = KVS_TRACK_AUDIO,
                              .codec_id = "A_MS/ACM",
                              .codec_private = MULAW_PRIVATE,
                              .codec_private_len = sizeof MULAW_PRIVATE,
                              .sampling_frequency = 16000,
                              .channels = 1,
                              .bit_depth = 8}};
  kvs_mkv_header header = header_of(tracks, 2, NULL);

  header.timecode_scale = KVS_TICKS_PER_MS / 10;
  kvs_mkv_write_header(sink, &header);
  event(sink, "AWS_KINESISVIDEO_IMAGE_GENERATION", "cam/");
  event(sink, "AWS_KINESISVIDEO_NOTIFICATION", "cam/");
  cluster(sink, BASE * 10);
  frame(sink, 1, 0, KVS_FRAME_KEY, HEVC_KEY, sizeof HEVC_KEY);
  frame(sink, 2, 5, KVS_FRAME_KEY, MULAW, sizeof MULAW);
  end_of_fragment(sink);
}

/* A video track of which nothing is known, at the finest scale. */
static void write_bare(kvs_sink *sink) {
  kvs_track_info track = {.track_id = 1, .type = KVS_TRACK_VIDEO};
  kvs_mkv_header header = header_of(&track, 1, "");

  header.timecode_scale = KVS_MIN_TIMECODE_SCALE;
  kvs_mkv_write_header(sink, &header);
  cluster(sink, UINT64_MAX);
  frame(sink, 1, INT16_MAX, KVS_FRAME_NONE, DELTA_1, sizeof DELTA_1);
  frame(sink, 1, INT16_MIN, KVS_FRAME_NONE, DELTA_1, sizeof DELTA_1);
}

static void must(kvs_status status) {
  if (status != KVS_OK) {
    fprintf(stderr, "sample: %s\n", kvs_status_name(status));
    abort();
  }
}

/* What a stream sends that is stopped while metadata and an event wait for a
 * fragment that will not come: they stand behind its last frame. */
static void write_stopped(kvs_sink *sink) {
  const kvs_event_metadata with = {"cam/", 1, {"door"}, {"open"}};
  const kvs_frame key = {KVS_FRAME_KEY,
                         1,
                         KVS_NEVER,
                         KVS_TICKS_PER_SECOND,
                         KVS_TICKS_PER_SECOND / 2,
                         KEY_1,
                         sizeof KEY_1};
  const kvs_frame delta = {KVS_FRAME_NONE,
                           1,
                           KVS_NEVER,
                           KVS_TICKS_PER_SECOND * 3 / 2,
                           KVS_TICKS_PER_SECOND / 2,
                           DELTA_1,
                           sizeof DELTA_1};
  kvs_stream_info info;
  fake_host host;

  fake_host_init(&host, KVS_MIN_STORAGE_SIZE, 1);
  fake_stream_info(&info, "camera");
  info.absolute_fragment_times = false;
  info.tracks[0].codec_private = AVC_PRIVATE;
  info.tracks[0].codec_private_len = sizeof AVC_PRIVATE;
  kvs_stream *stream = NULL;
  must(kvs_stream_create(host.client, &info, host.now, &stream));
  fake_answer_all(&host, stream);
  must(kvs_stream_put_metadata(stream, "place", "front door", false, host.now));
  must(kvs_stream_put(stream, &key, host.now));
  must(kvs_stream_put(stream, &delta, host.now));
  must(kvs_stream_put_metadata(stream, "mood", "calm", true, host.now));
  must(kvs_stream_put_metadata(stream, "seen", "a cat", false, host.now));
  must(kvs_stream_put_event(stream, KVS_STREAM_EVENT_NOTIFICATION, &with,
                            host.now));
  must(kvs_stream_stop(stream, host.now));
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  kvs_sink_write(sink, host.body, host.body_len);
  fake_host_free(&host);
}

const mkv_sample mkv_samples[MKV_SAMPLES] = {
    {"video", write_video},         {"audio-video", write_audio_video},
    {"alaw-data", write_alaw_data}, {"hevc-mulaw", write_hevc_mulaw},
    {"bare", write_bare},           {"stopped", write_stopped},
};
