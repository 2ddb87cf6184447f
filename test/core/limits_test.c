/* Every limit of the producer, a row each: the value that is just allowed and
 * the one that is not, with the status that refuses it. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "fake_host.h"

#define SECOND KVS_TICKS_PER_SECOND
#define TEXT (KVS_MAX_ROOT_DIRECTORY_LEN + 8u)
#define HOUR (3600 * SECOND)

static char text[TEXT];

/* A string of |len| letters, good until the next call. */
static const char *letters(uint64_t len) {
  memset(text, 'a', sizeof(text));
  text[len] = 0;
  return text;
}

static uint8_t private_data[4];

/* ---- StreamInfo --------------------------------------------------------- */

typedef struct stream_row {
  const char *what;
  void (*set)(kvs_stream_info *info, uint64_t value);
  uint64_t good;
  uint64_t bad;
  kvs_status status;
} stream_row;

static void set_version(kvs_stream_info *info, uint64_t value) {
  info->version = (uint32_t)value;
}
static void set_name_len(kvs_stream_info *info, uint64_t value) {
  info->name = letters(value);
}
static void set_name_byte(kvs_stream_info *info, uint64_t value) {
  text[0] = (char)value;
  text[1] = 0;
  info->name = text;
}
static void set_content_type(kvs_stream_info *info, uint64_t value) {
  info->content_type = letters(value);
}
static void set_kms_key(kvs_stream_info *info, uint64_t value) {
  info->kms_key_id = letters(value);
}
static void set_tags(kvs_stream_info *info, uint64_t value) {
  info->tag_count = (uint32_t)value;
}
static void set_retention(kvs_stream_info *info, uint64_t value) {
  info->retention = value;
}
static void set_flags(kvs_stream_info *info, uint64_t value) {
  info->nal_adaptation_flags = (uint32_t)value;
}
static void set_scale(kvs_stream_info *info, uint64_t value) {
  info->timecode_scale = value;
}
static void set_fragment_duration(kvs_stream_info *info, uint64_t value) {
  info->key_frame_fragmentation = false;
  info->fragment_duration = value;
}
static void set_max_fragment(kvs_stream_info *info, uint64_t value) {
  info->min_fragment_duration = 0;
  info->max_fragment_duration = value;
}
static void set_min_fragment(kvs_stream_info *info, uint64_t value) {
  info->min_fragment_duration = value;
}
static void set_buffer(kvs_stream_info *info, uint64_t value) {
  info->buffer_duration = value;
}
static void set_session(kvs_stream_info *info, uint64_t value) {
  info->session_duration = value;
}
static void set_streaming_type(kvs_stream_info *info, uint64_t value) {
  info->streaming_type = (kvs_streaming_type)value;
}
static void set_policy(kvs_stream_info *info, uint64_t value) {
  info->overflow_policy = (kvs_overflow_policy)value;
}
static void set_frequency(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].sampling_frequency = (double)value - 1;
}
static void set_offline_retention(kvs_stream_info *info, uint64_t value) {
  info->streaming_type = KVS_STREAMING_OFFLINE;
  info->retention = value;
}
static void set_offline_acks(kvs_stream_info *info, uint64_t value) {
  info->streaming_type = KVS_STREAMING_OFFLINE;
  info->fragment_acks = value != 0;
}
static void set_track_count(kvs_stream_info *info, uint64_t value) {
  info->track_count = (uint32_t)value;
  for (uint32_t i = 1; i < KVS_MAX_TRACKS; i++) {
    info->tracks[i] = info->tracks[0];
    info->tracks[i].track_id = i + 1;
  }
}
static void set_second_track(kvs_stream_info *info, uint64_t value) {
  set_track_count(info, 2);
  info->tracks[1].track_id = value;
}
static void set_track_id(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].track_id = value;
}
static void set_track_type(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].type = (kvs_track_type)value;
}
static void set_codec_id(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].codec_id = letters(value);
}
static void set_track_name(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].track_name = letters(value);
}
static void set_private_len(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].codec_private = private_data;
  info->tracks[0].codec_private_len = (uint32_t)value;
}
static void set_private(kvs_stream_info *info, uint64_t value) {
  info->tracks[0].codec_private = value == 0 ? NULL : private_data;
  info->tracks[0].codec_private_len = 4;
}

static const stream_row stream_rows[] = {
    {"version", set_version, 0, 1, KVS_STATUS_INVALID_STREAM_INFO_VERSION},
    {"name, short", set_name_len, 1, 0, KVS_STATUS_INVALID_STREAM_NAME_LENGTH},
    {"name, long", set_name_len, 256, 257,
     KVS_STATUS_INVALID_STREAM_NAME_LENGTH},
    {"name, slash", set_name_byte, '_', '/', KVS_STATUS_INVALID_ARG},
    {"name, space", set_name_byte, '.', ' ', KVS_STATUS_INVALID_ARG},
    {"name, not ASCII", set_name_byte, '-', 0xC3, KVS_STATUS_INVALID_ARG},
    {"content type", set_content_type, 128, 129,
     KVS_STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH},
    {"KMS key", set_kms_key, 2048, 2049, KVS_STATUS_INVALID_ARG_LEN},
    {"tags", set_tags, 50, 51, KVS_STATUS_MAX_TAG_COUNT},
    {"retention, part of an hour", set_retention, 3600 * SECOND,
     3600 * SECOND + 1, KVS_STATUS_INVALID_RETENTION_PERIOD},
    {"retention, under an hour", set_retention, 0, 1800 * SECOND,
     KVS_STATUS_INVALID_RETENTION_PERIOD},
    {"retention, long", set_retention, 10 * 365 * 24 * HOUR,
     (10 * 365 * 24 + 1) * HOUR, KVS_STATUS_INVALID_RETENTION_PERIOD},
    {"streaming type", set_streaming_type, KVS_STREAMING_NEAR_REALTIME, 3,
     KVS_STATUS_INVALID_ARG},
    {"overflow policy", set_policy, KVS_OVERFLOW_REFUSE, 2,
     KVS_STATUS_INVALID_ARG},
    {"NAL flags, unknown", set_flags, 8 + 32, 4, KVS_STATUS_INVALID_ARG},
    {"NAL flags", set_flags, KVS_NAL_ADAPTATION_AVCC_NALS,
     KVS_NAL_ADAPTATION_AVCC_NALS | KVS_NAL_ADAPTATION_ANNEXB_NALS,
     KVS_STATUS_MKV_BOTH_ANNEXB_AND_AVCC_SPECIFIED},
    {"timecode scale", set_scale, SECOND, SECOND + 1,
     KVS_STATUS_MKV_INVALID_TIMECODE_SCALE},
    {"fragment duration, short", set_fragment_duration, SECOND, SECOND - 1,
     KVS_STATUS_MKV_INVALID_CLUSTER_DURATION},
    {"fragment duration, long", set_fragment_duration, 20 * SECOND,
     20 * SECOND + 1, KVS_STATUS_MKV_INVALID_CLUSTER_DURATION},
    {"service's fragment limit, short", set_max_fragment, SECOND, SECOND - 1,
     KVS_STATUS_MKV_INVALID_CLUSTER_DURATION},
    {"service's fragment limit, long", set_max_fragment, 20 * SECOND,
     20 * SECOND + 1, KVS_STATUS_MKV_INVALID_CLUSTER_DURATION},
    {"least fragment", set_min_fragment, 10 * SECOND - 1, 10 * SECOND,
     KVS_STATUS_MKV_INVALID_CLUSTER_DURATION},
    {"buffer duration", set_buffer, 20 * SECOND, 20 * SECOND - 1,
     KVS_STATUS_INVALID_CONTENT_VIEW_DURATION},
    {"session duration, long", set_session, 45 * 60 * SECOND,
     45 * 60 * SECOND + 1, KVS_STATUS_INVALID_ARG},
    {"session duration, endless", set_session, KVS_NEVER, KVS_NEVER - 1,
     KVS_STATUS_INVALID_ARG},
    {"session duration, none", set_session, 1, 0, KVS_STATUS_INVALID_ARG},
    {"offline without retention", set_offline_retention, 3600 * SECOND, 0,
     KVS_STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION},
    {"offline without acks", set_offline_acks, 1, 0,
     KVS_STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION},
    {"no track", set_track_count, 1, 0, KVS_STATUS_TRACK_INFO_MISSING},
    {"tracks", set_track_count, 3, 4, KVS_STATUS_MAX_TRACK_COUNT_EXCEEDED},
    {"same track id", set_second_track, 2, 1,
     KVS_STATUS_DUPLICATE_TRACK_ID_FOUND},
    {"track id 0", set_track_id, 1, 0, KVS_STATUS_MKV_INVALID_TRACK_UID},
    {"track type", set_track_type, KVS_TRACK_DATA, 4, KVS_STATUS_INVALID_ARG},
    {"sampling frequency", set_frequency, 1, 0, KVS_STATUS_INVALID_ARG},
    {"codec id", set_codec_id, 32, 33, KVS_STATUS_MKV_INVALID_CODEC_ID_LENGTH},
    {"track name", set_track_name, 32, 33,
     KVS_STATUS_MKV_INVALID_TRACK_NAME_LENGTH},
    {"codec private data, long", set_private_len, 1024 * 1024, 1024 * 1024 + 1,
     KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH},
    {"codec private data, none", set_private, 1, 0,
     KVS_STATUS_MKV_CODEC_PRIVATE_NULL},
};

static void each_limit_of_a_stream(void) {
  for (size_t i = 0; i < sizeof(stream_rows) / sizeof(stream_rows[0]); i++) {
    const stream_row *row = &stream_rows[i];
    kvs_stream_info info;

    fake_stream_info(&info, "camera");
    row->set(&info, row->good);
    check_equal(kvs_stream_info_check(&info), KVS_OK, __FILE__, __LINE__,
                row->what);
    fake_stream_info(&info, "camera");
    row->set(&info, row->bad);
    check_equal(kvs_stream_info_check(&info), row->status, __FILE__, __LINE__,
                row->what);
  }
  CHECK_EQ(kvs_stream_info_check(NULL), KVS_STATUS_NULL_ARG);
}

/* ---- DeviceInfo and callbacks ------------------------------------------- */

typedef struct device {
  kvs_device_info info;
  kvs_callbacks callbacks;
  uint64_t arena_len;
} device;

typedef struct device_row {
  const char *what;
  void (*set)(device *d, uint64_t value);
  uint64_t good;
  uint64_t bad;
  kvs_status status;
} device_row;

static uint32_t four(void *user) {
  (void)user;
  return 4;
}
static void set_device_version(device *d, uint64_t value) {
  d->info.version = (uint32_t)value;
}
static void set_storage_version(device *d, uint64_t value) {
  d->info.storage.version = (uint32_t)value;
}
static void set_storage_type(device *d, uint64_t value) {
  d->info.storage.type = (kvs_storage_type)value;
}
static void set_storage_size(device *d, uint64_t value) {
  d->info.storage.storage_size = value;
  d->arena_len = value;
}
static void set_arena_len(device *d, uint64_t value) {
  d->arena_len = value;
}
static void set_spill(device *d, uint64_t value) {
  d->info.storage.spill_ratio = (uint32_t)value;
}
static void set_root(device *d, uint64_t value) {
  d->info.storage.root_directory = letters(value);
}
static void set_device_name(device *d, uint64_t value) {
  d->info.name = letters(value);
}
static void set_client_id(device *d, uint64_t value) {
  d->info.client_id = letters(value);
}
static void set_streams(device *d, uint64_t value) {
  d->info.stream_count = (uint32_t)value;
}
static void set_device_tags(device *d, uint64_t value) {
  d->info.tag_count = (uint32_t)value;
}
static void set_callbacks_version(device *d, uint64_t value) {
  d->callbacks.version = (uint32_t)value;
}
static void set_random(device *d, uint64_t value) {
  d->callbacks.random = value == 0 ? NULL : four;
}

static const device_row device_rows[] = {
    {"version", set_device_version, 0, 1,
     KVS_STATUS_INVALID_DEVICE_INFO_VERSION},
    {"storage version", set_storage_version, 0, 1,
     KVS_STATUS_INVALID_STORAGE_INFO_VERSION},
    {"storage type", set_storage_type, KVS_STORAGE_IN_MEM,
     KVS_STORAGE_HYBRID_FILE, KVS_STATUS_NOT_IMPLEMENTED},
    {"storage, small", set_storage_size, KVS_MIN_STORAGE_SIZE,
     KVS_MIN_STORAGE_SIZE - 1, KVS_STATUS_INVALID_STORAGE_SIZE},
    {"storage, large", set_storage_size, KVS_MIN_STORAGE_SIZE,
     KVS_MAX_STORAGE_SIZE + 1, KVS_STATUS_INVALID_STORAGE_SIZE},
    {"arena of another size", set_arena_len, KVS_MIN_STORAGE_SIZE,
     KVS_MIN_STORAGE_SIZE + 1, KVS_STATUS_INVALID_STORAGE_SIZE},
    {"spill ratio", set_spill, 100, 101, KVS_STATUS_INVALID_SPILL_RATIO},
    {"root directory", set_root, 4096, 4097,
     KVS_STATUS_INVALID_ROOT_DIRECTORY_LENGTH},
    {"device name", set_device_name, 128, 129,
     KVS_STATUS_INVALID_DEVICE_NAME_LENGTH},
    {"client id", set_client_id, 128, 129,
     KVS_STATUS_INVALID_CLIENT_ID_STRING_LENGTH},
    {"no stream", set_streams, 1, 0, KVS_STATUS_MIN_STREAM_COUNT},
    {"streams", set_streams, 128, 129, KVS_STATUS_MAX_STREAM_COUNT},
    {"tags", set_device_tags, 50, 51, KVS_STATUS_MAX_TAG_COUNT},
    {"callbacks version", set_callbacks_version, 0, 1,
     KVS_STATUS_INVALID_CALLBACKS_VERSION},
    {"random callback", set_random, 1, 0,
     KVS_STATUS_SERVICE_CALL_CALLBACKS_MISSING},
};

static void good_device(device *d) {
  memset(d, 0, sizeof(*d));
  d->info.stream_count = 1;
  d->info.storage.storage_size = KVS_MIN_STORAGE_SIZE;
  d->arena_len = KVS_MIN_STORAGE_SIZE;
  d->callbacks.random = four;
}

static void each_limit_of_a_device(void) {
  void *arena = malloc((size_t)KVS_MIN_STORAGE_SIZE + 1);
  kvs_time now = {1, 1};
  kvs_client *client = NULL;
  device d;

  for (size_t i = 0; i < sizeof(device_rows) / sizeof(device_rows[0]); i++) {
    const device_row *row = &device_rows[i];

    good_device(&d);
    row->set(&d, row->good);
    check_equal(kvs_client_create(arena, (size_t)d.arena_len, &d.info,
                                  &d.callbacks, now, &client),
                KVS_OK, __FILE__, __LINE__, row->what);
    kvs_client_free(client);
    good_device(&d);
    row->set(&d, row->bad);
    check_equal(kvs_client_create(arena, (size_t)d.arena_len, &d.info,
                                  &d.callbacks, now, &client),
                row->status, __FILE__, __LINE__, row->what);
  }
  good_device(&d);
  CHECK_EQ(kvs_client_create(NULL, 0, &d.info, &d.callbacks, now, &client),
           KVS_STATUS_NULL_ARG);
  free(arena);
}

/* ---- what a client and its streams refuse ------------------------------- */

static void a_client_refuses_too_many_streams_and_equal_names(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;
  kvs_stream *first;

  fake_host_init(&host, KVS_MIN_STORAGE_SIZE, 2);
  first = fake_stream(&host, "one");
  fake_stream_info(&info, "one");
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream),
           KVS_STATUS_DUPLICATE_STREAM_NAME);
  (void)fake_stream(&host, "two");
  fake_stream_info(&info, "three");
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream),
           KVS_STATUS_MAX_STREAM_COUNT);
  kvs_stream_free(first);
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  CHECK_EQ(kvs_stream_id(stream), 3);
  CHECK_EQ(kvs_stream_create(NULL, &info, host.now, &stream),
           KVS_STATUS_NULL_ARG);
  fake_host_free(&host);
}

static void metadata_have_limits(void) {
  fake_host host;
  kvs_stream *stream;
  char name[8] = "name0";

  fake_host_init(&host, KVS_MIN_STORAGE_SIZE, 1);
  stream = fake_stream(&host, "one");
  CHECK_EQ(kvs_stream_put_metadata(stream, letters(128), "", false, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, letters(129), "", false, host.now),
           KVS_STATUS_MKV_INVALID_TAG_NAME_LENGTH);
  CHECK_EQ(kvs_stream_put_metadata(stream, "v", letters(256), false, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, "v", letters(257), false, host.now),
           KVS_STATUS_MKV_INVALID_TAG_VALUE_LENGTH);
  for (char i = 0; i < 8; i++) {
    name[4] = (char)('0' + i);
    CHECK_EQ(kvs_stream_put_metadata(stream, name, "x", true, host.now),
             KVS_OK);
  }
  CHECK_EQ(kvs_stream_put_metadata(stream, "one more", "x", true, host.now),
           KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT);
  /* The same name again takes the place of the old one; empty gives it back. */
  CHECK_EQ(kvs_stream_put_metadata(stream, name, "y", true, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, name, "", true, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, "not there", "", true, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, "one more", "x", true, host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_metadata(stream, NULL, "x", true, host.now),
           KVS_STATUS_NULL_ARG);
  fake_host_free(&host);
}

int main(void) {
  RUN(each_limit_of_a_stream);
  RUN(each_limit_of_a_device);
  RUN(a_client_refuses_too_many_streams_and_equal_names);
  RUN(metadata_have_limits);
  return check_report();
}
