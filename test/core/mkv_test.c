/* Single elements of a session; whole sessions are in mkv_golden_test.c. */
#include "core/mkv.h"

#include <stdlib.h>

#include "check.h"
#include "mkv_dump.h"

enum { ROOM = 8192 };

static uint8_t room[ROOM];
static char text[4 * ROOM];

/* The header of |tracks| as text; "" when it is not sound MKV. */
static const char *dumped(const kvs_track_info *tracks, uint32_t count,
                          const char *client_id) {
  kvs_mkv_header header = {.timecode_scale = KVS_TICKS_PER_MS,
                           .client_id = client_id,
                           .track_count = count,
                           .tracks = tracks};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);

  kvs_mkv_write_header(&buffer.sink, &header);
  CHECK(buffer.sink.written <= ROOM);
  bool ok = mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text);
  return CHECK(ok) ? text : "";
}

static bool has(const char *dump, const char *what) {
  return strstr(dump, what) != NULL;
}

/* ---- header ------------------------------------------------------------ */

static void unknown_sizes_leave_out_video(void) {
  kvs_track_info track = {.track_id = 1, .type = KVS_TRACK_VIDEO};

  CHECK(!has(dumped(&track, 1, NULL), "VIDEO"));
  track.pixel_width = 640;
  CHECK(!has(dumped(&track, 1, NULL), "VIDEO"));
  track.pixel_height = 480;
  const char *dump = dumped(&track, 1, NULL);
  CHECK(has(dump, "PIXEL_WIDTH 640 (2)"));
  CHECK(has(dump, "PIXEL_HEIGHT 480 (2)"));
  track.type = KVS_TRACK_DATA;
  dump = dumped(&track, 1, NULL);
  CHECK(!has(dump, "VIDEO") && has(dump, "TRACK_TYPE 33 "));
}

static void unknown_rates_leave_out_audio(void) {
  kvs_track_info track = {.track_id = 1, .type = KVS_TRACK_AUDIO};

  CHECK(!has(dumped(&track, 1, NULL), "AUDIO"));
  track.sampling_frequency = 44100;
  CHECK(!has(dumped(&track, 1, NULL), "AUDIO"));
  track.channels = 2;
  const char *dump = dumped(&track, 1, NULL);
  CHECK(has(dump, "SAMPLING_FREQUENCY 44100.000"));
  CHECK(has(dump, "CHANNELS 2 (1)"));
  CHECK(!has(dump, "BIT_DEPTH"));
  track.bit_depth = 16;
  CHECK(has(dumped(&track, 1, NULL), "BIT_DEPTH 16 (1)"));
}

static void texts_may_be_missing(void) {
  kvs_track_info track = {.track_id = 1, .type = KVS_TRACK_VIDEO};
  const char *dump = dumped(&track, 1, NULL);

  CHECK(!has(dump, "NAME") && !has(dump, "CODEC"));
  track.track_name = "";
  track.codec_id = "";
  dump = dumped(&track, 1, "");
  CHECK(!has(dump, "NAME") && !has(dump, "CODEC"));
  CHECK(has(dump, "WRITING_APP \"kinesis-video/0.1.0\""));
  track.track_name = "front";
  track.codec_id = "V_VP8";
  dump = dumped(&track, 1, "camera 7");
  CHECK(has(dump, " NAME \"front\"") && has(dump, "CODEC_ID \"V_VP8\""));
  CHECK(has(dump, "WRITING_APP \"kinesis-video/0.1.0 camera 7\""));
  CHECK(has(dump, "MUXING_APP \"kinesis-video\""));
}

static void tracks_are_numbered_from_1(void) {
  kvs_track_info tracks[3] = {{.track_id = 9, .type = KVS_TRACK_VIDEO},
                              {.track_id = 8, .type = KVS_TRACK_AUDIO},
                              {.track_id = 7, .type = KVS_TRACK_DATA}};
  const char *dump = dumped(tracks, 3, NULL);

  CHECK(has(dump, "TRACK_NUMBER 1 ") && has(dump, "TRACK_UID 9 (8)"));
  CHECK(has(dump, "TRACK_NUMBER 2 ") && has(dump, "TRACK_UID 8 (8)"));
  CHECK(has(dump, "TRACK_NUMBER 3 ") && has(dump, "TRACK_UID 7 (8)"));
  CHECK(has(dumped(tracks, 0, NULL), "TRACKS 0\n"));
}

/* A track that is left out keeps its number for those behind it. */
static void tracks_may_be_left_out(void) {
  kvs_track_info tracks[3] = {{.track_id = 9, .type = KVS_TRACK_VIDEO},
                              {.track_id = 8, .type = KVS_TRACK_AUDIO},
                              {.track_id = 7, .type = KVS_TRACK_DATA}};
  kvs_mkv_header header = {.timecode_scale = KVS_TICKS_PER_MS,
                           .track_count = 3,
                           .tracks = tracks,
                           .left_out = 1u << 1};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);

  kvs_mkv_write_header(&buffer.sink, &header);
  CHECK(mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text));
  CHECK(has(text, "TRACK_NUMBER 1 ") && has(text, "TRACK_UID 9 (8)"));
  CHECK(!has(text, "TRACK_NUMBER 2 ") && !has(text, "TRACK_UID 8 (8)"));
  CHECK(has(text, "TRACK_NUMBER 3 ") && has(text, "TRACK_UID 7 (8)"));
}

/* The longest texts that the limits allow, and scales at both ends. */
static void longest_texts(void) {
  char client[KVS_MAX_CLIENT_ID_LEN + 1];
  char name[KVS_MAX_TRACK_NAME_LEN + 1];
  kvs_track_info track = {
      .track_id = UINT64_MAX, .type = KVS_TRACK_VIDEO, .track_name = name};

  memset(client, 'c', sizeof client - 1);
  client[sizeof client - 1] = '\0';
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  const char *dump = dumped(&track, 1, client);
  CHECK(has(dump, client) && has(dump, name));
  kvs_mkv_header header = {.timecode_scale = KVS_MAX_TIMECODE_SCALE,
                           .track_count = 1,
                           .tracks = &track};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);
  kvs_mkv_write_header(&buffer.sink, &header);
  CHECK(mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text));
  CHECK(has(text, "TIMESTAMP_SCALE 1000000000 (8)"));
}

static void count_private(kvs_sink *sink, uint32_t index, void *user) {
  uint32_t *calls = (uint32_t *)user;

  calls[index]++;
  kvs_sink_write(sink, (const uint8_t *)(index == 0 ? "first" : "second"),
                 index == 0 ? 5 : 6);
}

/* Private data of any length, at codec_private or written by a function. */
static void private_data_come_last(void) {
  size_t len = 20000;
  uint8_t *bytes = (uint8_t *)malloc(len);
  kvs_track_info tracks[2] = {{.track_id = 1, .type = KVS_TRACK_VIDEO},
                              {.track_id = 2, .type = KVS_TRACK_DATA}};
  uint32_t calls[2] = {0, 0};
  kvs_sink counted = kvs_counting_sink();
  kvs_mkv_header header = {
      .timecode_scale = KVS_TICKS_PER_MS, .track_count = 1, .tracks = tracks};

  memset(bytes, 1, len);
  kvs_mkv_write_header(&counted, &header);
  tracks[0].codec_private = bytes;
  tracks[0].codec_private_len = (uint32_t)len;
  uint64_t before = counted.written;
  counted = kvs_counting_sink();
  kvs_mkv_write_header(&counted, &header);
  CHECK_EQ(counted.written, before + kvs_ebml_element_len(0x63A2, len));
  free(bytes);

  tracks[0].codec_private = NULL;
  tracks[0].codec_private_len = 5;
  tracks[1].codec_private_len = 6;
  header.track_count = 2;
  header.write_private = count_private;
  header.user = calls;
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);
  kvs_mkv_write_header(&buffer.sink, &header);
  CHECK(mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text));
  CHECK(has(text, "CODEC_PRIVATE 6669727374\n"));
  CHECK(has(text, "CODEC_PRIVATE 7365636f6e64\n"));
  CHECK(calls[0] > 0 && calls[1] > 0);
}

/* ---- fragments --------------------------------------------------------- */

static void cluster_bytes(void) {
  uint8_t out[KVS_MKV_CLUSTER_LEN + 1];

  out[KVS_MKV_CLUSTER_LEN] = 0xEE;
  kvs_mkv_write_cluster(out, UINT64_C(0x0102030405060708));
  CHECK_BYTES(out,
              "\x1F\x43\xB6\x75\xFF\xE7\x88\x01\x02\x03\x04\x05\x06\x07\x08"
              "\xA7\x81\x00\xEE",
              KVS_MKV_CLUSTER_LEN + 1);
}

static void block_bytes(void) {
  uint8_t out[KVS_MKV_BLOCK_LEN + 1];

  out[KVS_MKV_BLOCK_LEN] = 0xEE;
  kvs_mkv_write_block(out, 1, 258, KVS_FRAME_KEY, 200);
  CHECK_BYTES(out, "\xA3\x10\x00\x00\xCC\x81\x01\x02\x80\xEE", 10);
  kvs_mkv_write_block(out, 126, -1, KVS_FRAME_NONE, 0);
  CHECK_BYTES(out, "\xA3\x10\x00\x00\x04\xFE\xFF\xFF\x00\xEE", 10);
  kvs_mkv_write_block(out, 3, INT16_MIN, KVS_FRAME_INVISIBLE,
                      KVS_MKV_MAX_PAYLOAD);
  CHECK_BYTES(out, "\xA3\x1F\xFF\xFF\xF4\x83\x80\x00\x08\xEE", 10);
  kvs_mkv_write_block(out, 2, INT16_MAX,
                      KVS_FRAME_DISCARDABLE | KVS_FRAME_END_OF_FRAGMENT, 1);
  CHECK_BYTES(out, "\xA3\x10\x00\x00\x05\x82\x7F\xFF\x01\xEE", 10);
  kvs_mkv_write_block(
      out, 2, 0, KVS_FRAME_KEY | KVS_FRAME_INVISIBLE | KVS_FRAME_DISCARDABLE,
      1);
  CHECK_EQ(out[8], 0x89);
}

/* ---- tags -------------------------------------------------------------- */

static void tags_of_every_length(void) {
  static const char longest[] =
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";
  static const uint8_t segment[] = {0x18, 0x53, 0x80, 0x67, 0xFF};
  uint8_t value[KVS_MAX_TAG_VALUE_LEN];

  memset(value, 'v', sizeof value);
  for (size_t n = 1; n <= KVS_MAX_METADATA_NAME_LEN; n += 9) {
    for (size_t v = 0; v <= sizeof value; v += v < 130 ? 1 : 64) {
      kvs_bytes name = {(const uint8_t *)longest, n};
      kvs_bytes held = {value, v};
      kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);
      kvs_sink_write(&buffer.sink, segment, sizeof segment);
      kvs_mkv_write_tag(&buffer.sink, name, held);
      if (!CHECK(
              mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text))) {
        return;
      }
      char *found = strstr(text, "TAG_STRING \"");
      CHECK(found != NULL && strlen(found) == 12 + v + 2);
      CHECK(strstr(text, "TAG_NAME \"n") != NULL);
    }
  }
}

static void several_tags_in_one(void) {
  static const uint8_t segment[] = {0x18, 0x53, 0x80, 0x67, 0xFF};
  kvs_bytes names[3] = {kvs_bytes_of("a"), kvs_bytes_of("bb"),
                        kvs_bytes_of("c")};
  kvs_bytes values[3] = {kvs_bytes_of("1"), kvs_bytes_of(""),
                         kvs_bytes_of("333")};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room);

  kvs_sink_write(&buffer.sink, segment, sizeof segment);
  kvs_mkv_write_tags(&buffer.sink, names, values, 3);
  CHECK(mkv_dump(room, (size_t)buffer.sink.written, text, sizeof text));
  CHECK_STR(text,
            "    0 SEGMENT unknown\n"
            "    5   TAGS 38\n"
            "   10     TAG 35\n"
            "   13       SIMPLE_TAG 8\n"
            "   16         TAG_NAME \"a\"\n"
            "   20         TAG_STRING \"1\"\n"
            "   24       SIMPLE_TAG 8\n"
            "   27         TAG_NAME \"bb\"\n"
            "   32         TAG_STRING \"\"\n"
            "   35       SIMPLE_TAG 10\n"
            "   38         TAG_NAME \"c\"\n"
            "   42         TAG_STRING \"333\"\n");
}

static void end_of_fragment_fits(void) {
  uint8_t out[KVS_MKV_EOF_MAX];
  static const uint8_t want[] =
      "\x12\x54\xC3\x67\xAC\x73\x73\xA9\x67\xC8\xA6\x45\xA3\xA0"
      "AWS_KINESISVIDEO_END_OF_FRAGMENT\x44\x87\x80";
  uint32_t len = kvs_mkv_write_end_of_fragment(out);

  CHECK_EQ(len, sizeof want - 1);
  CHECK_BYTES(out, want, sizeof want - 1);
}

/* ---- audio ------------------------------------------------------------- */

typedef struct aac_row {
  const char *bytes;
  size_t len;
  kvs_status status;
  double frequency;
  uint16_t channels;
} aac_row;

static void aac_configurations(void) {
  static const kvs_status bad = KVS_STATUS_MKV_INVALID_AAC_CPD;
  static const kvs_status rate =
      KVS_STATUS_MKV_INVALID_AAC_CPD_SAMPLING_FREQUENCY_INDEX;
  static const kvs_status config =
      KVS_STATUS_MKV_INVALID_AAC_CPD_CHANNEL_CONFIG;
  static const aac_row rows[] = {
      {"\x12\x10", 2, KVS_OK, 44100, 2},
      {"\x11\x90", 2, KVS_OK, 48000, 2},
      {"\x14\x08", 2, KVS_OK, 16000, 1},
      {"\x10\x08", 2, KVS_OK, 96000, 1},
      {"\x16\x30", 2, KVS_OK, 7350, 6},
      {"\x11\xB8", 2, KVS_OK, 48000, 8},
      {"\x11\xD8", 2, KVS_OK, 48000, 7},
      {"\x11\xE8", 2, KVS_OK, 48000, 24},
      {"\x11\xF0", 2, KVS_OK, 48000, 8},
      {"\x2B\x8A\x08\x00", 4, KVS_OK, 22050, 1},     /* HE-AAC, index 7 */
      {"\x17\x80\x5D\xC0\x10", 5, KVS_OK, 48000, 2}, /* 24 bits of Hz */
      {"\xF9\x46\x40", 3, KVS_OK, 48000, 2},         /* type 32 + 10 */
      {"", 0, bad, 0, 0},
      {"\x12", 1, bad, 0, 0},
      {"\x17\x80", 2, bad, 0, 0},
      {"\x17\x80\x5D\xC0", 4, bad, 0, 0},
      {"\xF9\x46", 2, bad, 0, 0},
      {"\x16\x90", 2, rate, 0, 0},
      {"\x17\x10", 2, rate, 0, 0},
      {"\x17\x80\x00\x00\x10", 5, rate, 0, 0},
      {"\x12\x00", 2, config, 0, 0},
      {"\x12\x40", 2, config, 0, 0},
      {"\x12\x78", 2, config, 0, 0}};

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    kvs_bytes cpd = {(const uint8_t *)rows[i].bytes, rows[i].len};
    double frequency = 0;
    uint16_t channels = 0;
    CHECK_EQ(kvs_mkv_aac_config(cpd, &frequency, &channels), rows[i].status);
    CHECK(frequency == rows[i].frequency);
    CHECK_EQ(channels, rows[i].channels);
  }
  kvs_bytes none = {NULL, 0};
  double frequency = 0;
  uint16_t channels = 0;
  CHECK_EQ(kvs_mkv_aac_config(none, &frequency, &channels), bad);
}

static void acm_configurations(void) {
  uint8_t bytes[18] = {0x07, 0x00, 0x02, 0x00, 0x80, 0xbb, 0x01, 0x00, 0x00,
                       0x77, 0x03, 0x00, 0x02, 0x00, 0x08, 0x00, 0x00, 0x00};
  kvs_bytes cpd = {bytes, sizeof bytes};
  double frequency = 0;
  uint16_t channels = 0;
  uint16_t depth = 0;

  CHECK_EQ(kvs_mkv_acm_config(cpd, &frequency, &channels, &depth), KVS_OK);
  CHECK(frequency == 0x1bb80);
  CHECK_EQ(channels, 2);
  CHECK_EQ(depth, 8);
  for (cpd.len = 0; cpd.len <= sizeof bytes; cpd.len++) {
    CHECK_EQ(kvs_mkv_acm_config(cpd, &frequency, &channels, &depth),
             cpd.len < 16 ? KVS_STATUS_MKV_INVALID_AMS_ACM_CPD : KVS_OK);
  }
  cpd.len = sizeof bytes;
  bytes[2] = 0;
  CHECK_EQ(kvs_mkv_acm_config(cpd, &frequency, &channels, &depth),
           KVS_STATUS_MKV_INVALID_AMS_ACM_CPD);
  bytes[2] = 1;
  memset(bytes + 4, 0, 4);
  CHECK_EQ(kvs_mkv_acm_config(cpd, &frequency, &channels, &depth),
           KVS_STATUS_MKV_INVALID_AMS_ACM_CPD);
  kvs_bytes none = {NULL, 18};
  CHECK_EQ(kvs_mkv_acm_config(none, &frequency, &channels, &depth),
           KVS_STATUS_MKV_INVALID_AMS_ACM_CPD);
}

int main(void) {
  RUN(unknown_sizes_leave_out_video);
  RUN(unknown_rates_leave_out_audio);
  RUN(texts_may_be_missing);
  RUN(tracks_are_numbered_from_1);
  RUN(tracks_may_be_left_out);
  RUN(longest_texts);
  RUN(private_data_come_last);
  RUN(cluster_bytes);
  RUN(block_bytes);
  RUN(tags_of_every_length);
  RUN(several_tags_in_one);
  RUN(end_of_fragment_fits);
  RUN(aac_configurations);
  RUN(acm_configurations);
  return check_report();
}
