/* Fragment metadata and events, and media that wait for the clock: what is
 * written before a fragment, and each limit. */
#include <string.h>

#include "scene.h"

/* The body of one fragment more. */
static void one_more(fake_host *host, kvs_stream *stream, uint32_t gop) {
  host->body_len = 0;
  scene_gops(host, stream, gop, 1, 2);
  (void)fake_take(host, stream);
}

static kvs_status put_tag(fake_host *host, kvs_stream *stream, const char *name,
                          const char *value, bool persistent) {
  return kvs_stream_put_metadata(stream, name, value, persistent, host->now);
}

static void persistent_tags_are_replaced_and_ended(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(put_tag(&host, stream, "where", "door", true), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "once", "now", false), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "empty", "", false), KVS_OK);
  one_more(&host, stream, 0);
  CHECK_EQ(scene_finds_text(&host, "door"), 1);
  CHECK_EQ(scene_finds_text(&host, "once"), 1);
  CHECK_EQ(scene_finds_text(&host, "empty"), 1);
  CHECK_EQ(put_tag(&host, stream, "where", "gate", true), KVS_OK);
  one_more(&host, stream, 1);
  CHECK_EQ(scene_finds_text(&host, "where"), 1);
  CHECK_EQ(scene_finds_text(&host, "gate"), 1);
  CHECK_EQ(scene_finds_text(&host, "once"), 0);
  CHECK_EQ(put_tag(&host, stream, "where", "", true), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "nobody", "", true), KVS_OK);
  one_more(&host, stream, 2);
  CHECK_EQ(scene_finds_text(&host, "where"), 0);
  CHECK_EQ(scene_finds_text(&host, "nobody"), 0);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "late", "x", false),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  CHECK_EQ(kvs_stream_put_event(stream, 1, NULL, host.now),
           KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  scene_finish(&host);
}

/* One that is for the next fragment alone stands there in place of a
 * persistent one of its name, which goes on behind it. */
static void a_tag_for_one_fragment_ends_no_persistent_one(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(put_tag(&host, stream, "where", "door", true), KVS_OK);
  one_more(&host, stream, 0);
  CHECK_EQ(put_tag(&host, stream, "where", "gate", false), KVS_OK);
  one_more(&host, stream, 1);
  CHECK_EQ(scene_finds_text(&host, "where"), 1);
  CHECK_EQ(scene_finds_text(&host, "gate"), 1);
  CHECK_EQ(stream->fragment_tags, 1);
  one_more(&host, stream, 2);
  CHECK_EQ(scene_finds_text(&host, "door"), 1);
  /* The other way round, and ended while one waits. */
  CHECK_EQ(put_tag(&host, stream, "where", "roof", false), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "where", "", true), KVS_OK);
  one_more(&host, stream, 3);
  CHECK_EQ(scene_finds_text(&host, "roof"), 1);
  one_more(&host, stream, 4);
  CHECK_EQ(scene_finds_text(&host, "where"), 0);
  scene_finish(&host);
}

static void ten_tags_and_no_more(void) {
  fake_host host;
  fake_body body;
  char name[KVS_MAX_METADATA_NAME_LEN + 2];
  char value[KVS_MAX_METADATA_VALUE_LEN + 2];

  memset(name, 'n', sizeof(name));
  memset(value, 'v', sizeof(value));
  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  name[KVS_MAX_METADATA_NAME_LEN + 1] = 0;
  value[KVS_MAX_METADATA_VALUE_LEN] = 0;
  CHECK_EQ(put_tag(&host, stream, name, value, true),
           KVS_STATUS_MKV_INVALID_TAG_NAME_LENGTH);
  name[KVS_MAX_METADATA_NAME_LEN] = 0;
  value[KVS_MAX_METADATA_VALUE_LEN] = 'v';
  value[KVS_MAX_METADATA_VALUE_LEN + 1] = 0;
  CHECK_EQ(put_tag(&host, stream, name, value, true),
           KVS_STATUS_MKV_INVALID_TAG_VALUE_LENGTH);
  value[KVS_MAX_METADATA_VALUE_LEN] = 0;
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    name[0] = (char)('a' + i);
    CHECK_EQ(put_tag(&host, stream, name, value, i % 2 == 0), KVS_OK);
  }
  CHECK_EQ(put_tag(&host, stream, "more", "x", true),
           KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT);
  CHECK_EQ(put_tag(&host, stream, name, "again", false), KVS_OK); /* replaced */
  one_more(&host, stream, 0);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.tags, 10);
  CHECK_EQ(scene_finds_text(&host, value), 9);
  CHECK_EQ(put_tag(&host, stream, "more", "x", true), KVS_OK);
  one_more(&host, stream, 1);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.tags, 6);
  scene_finish(&host);
}

/* ---- stop ---------------------------------------------------------------- */

static kvs_event last_error(fake_host *host) {
  return fake_last(host, KVS_EVENT_STREAM_ERROR_REPORT);
}

/* Behind the last frame and before the end: the service counts them to the
 * last fragment. They are lost and sent again with it. */
static void what_no_fragment_took_goes_behind_the_last_frame(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(put_tag(&host, stream, "where", "door", true), KVS_OK);
  one_more(&host, stream, 0);
  CHECK_EQ(put_tag(&host, stream, "once", "late", false), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "mood", "calm", true), KVS_OK);
  CHECK_EQ(kvs_stream_put_event(stream, 3, NULL, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 2);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  for (uint32_t again = 0; again < 2; again++) {
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.clusters, 1);
    CHECK_EQ(body.blocks, 2);
    CHECK_EQ(body.tags, 1 + 2 + 2);
    CHECK_EQ(body.ends, 1);
    CHECK_EQ(scene_finds_text(&host, "where"), 1);
    CHECK_EQ(scene_finds_text(&host, "late"), 1);
    CHECK_EQ(scene_finds_text(&host, "calm"), 1);
    scene_lose(&host, stream, 599);
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  }
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  scene_end(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_CLOSED), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 0);
  CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  one_more(&host, stream, 5); /* only what persists goes on */
  CHECK_EQ(scene_finds_text(&host, "where"), 1);
  CHECK_EQ(scene_finds_text(&host, "calm"), 1);
  CHECK_EQ(scene_finds_text(&host, "late"), 0);
  scene_finish(&host);
}

/* The service refuses a fragment of more than ten, whole. */
static void a_fragment_has_ten_tags_at_its_end_as_well(void) {
  fake_host host;
  fake_body body;
  char name[] = "a";

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  for (uint32_t i = 0; i < 7; i++) {
    name[0] = (char)('a' + i);
    CHECK_EQ(put_tag(&host, stream, name, "first", false), KVS_OK);
  }
  scene_gops(&host, stream, 0, 1, 2);
  for (uint32_t i = 0; i < 4; i++) {
    name[0] = (char)('a' + i);
    CHECK_EQ(put_tag(&host, stream, name, "second", false), KVS_OK);
  }
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
  CHECK_EQ(last_error(&host).u.stream_error_report.status,
           KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.tags, 10);
  CHECK_EQ(scene_finds_text(&host, "second"), 3);
  scene_finish(&host);
}

static kvs_status put_end(fake_host *host, kvs_stream *stream) {
  kvs_frame frame = {0};
  kvs_status status;

  frame.flags = KVS_FRAME_END_OF_FRAGMENT;
  status = kvs_stream_put(stream, &frame, host->now);
  fake_answer_all(host, stream);
  return status;
}

/* A frame of no bytes ends the fragment, behind the metadata that wait: the
 * service has it at once. */
static void an_end_without_a_frame_takes_what_waits(void) {
  fake_host host;
  fake_body body;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(put_end(&host, stream), KVS_STATUS_MULTIPLE_CONSECUTIVE_EOFR);
  one_more(&host, stream, 0);
  CHECK_EQ(put_tag(&host, stream, "once", "late", false), KVS_OK);
  CHECK_EQ(put_end(&host, stream), KVS_OK);
  CHECK_EQ(put_end(&host, stream), KVS_STATUS_MULTIPLE_CONSECUTIVE_EOFR);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1);
  CHECK_EQ(body.tags, 1);
  CHECK_EQ(scene_metrics(&host, stream).total_frames, 2);
  CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_fragments, 0);
  one_more(&host, stream, 1);
  CHECK_EQ(scene_finds_text(&host, "late"), 0);
  CHECK_EQ(put_end(&host, stream), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(put_end(&host, stream), KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.ends, 1); /* not a second one for the session */
  scene_finish(&host);
}

/* Older media give way to it, by policy, or it is refused. */
static void an_end_finds_room_or_is_refused(void) {
  for (uint32_t refuse = 0; refuse < 2; refuse++) {
    fake_host host;
    kvs_stream_info info;
    uint64_t i = 0;

    fake_host_init(&host, ARENA, 2);
    host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
    fake_stream_info(&info, "camera");
    info.buffer_duration = 100000 * SECOND;
    info.overflow_policy =
        refuse != 0 ? KVS_OVERFLOW_REFUSE : KVS_OVERFLOW_DROP_OLDEST;
    kvs_stream *stream = scene_stream(&host, &info);
    for (; kvs_heap_available(&host.client->host.heap) != 0; i++) {
      CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, 16200), KVS_OK);
    }
    CHECK_EQ(put_end(&host, stream),
             refuse != 0 ? KVS_STATUS_STORE_OUT_OF_MEMORY : KVS_OK);
    CHECK_EQ(fake_count(&host, KVS_EVENT_DROPPED_FRAGMENT_REPORT), 1 - refuse);
    CHECK_EQ(fake_put(&host, stream, 0, i * 1000 - 960, 10),
             refuse != 0 ? KVS_STATUS_STORE_OUT_OF_MEMORY : KVS_OK);
    scene_finish(&host);
  }
}

static void what_cannot_go_is_told(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  CHECK_EQ(put_tag(&host, stream, "once", "early", false), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "where", "door", true), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK); /* not one frame */
  CHECK_EQ(last_error(&host).u.stream_error_report.status,
           KVS_STATUS_MKV_INVALID_GENERATOR_STATE_TAGS);
  CHECK_EQ(kvs_stream_start(stream, host.now), KVS_OK);
  fake_answer_all(&host, stream);
  one_more(&host, stream, 0);
  CHECK_EQ(scene_finds_text(&host, "early"), 0);
  CHECK_EQ(scene_finds_text(&host, "door"), 1);
  CHECK_EQ(fake_put(&host, stream, KVS_FRAME_END_OF_FRAGMENT, 80, 100), KVS_OK);
  CHECK_EQ(kvs_stream_put_event(stream, 1, NULL, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK); /* it has its end */
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 2);
  scene_finish(&host);

  fake_host_init(&host, ARENA, 2); /* no room */
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100000 * SECOND;
  info.overflow_policy = KVS_OVERFLOW_REFUSE;
  stream = scene_stream(&host, &info);
  for (uint64_t i = 0; kvs_heap_available(&host.client->host.heap) != 0; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, 16200), KVS_OK);
  }
  CHECK_EQ(put_tag(&host, stream, "once", "late", false), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  CHECK_EQ(last_error(&host).u.stream_error_report.status,
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  scene_finish(&host);

  fake_host_init(&host, ARENA, 2); /* the stream gives up */
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 403;
  info.restart_on_error = false;
  stream = NULL;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  CHECK_EQ(put_tag(&host, stream, "once", "late", false), KVS_OK);
  fake_answer_all(&host, stream);
  CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 2);
  CHECK_EQ(last_error(&host).u.stream_error_report.status,
           KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED);
  scene_finish(&host);
}

/* A clock that is set moves the last frame's tail, too. */
static void tags_at_the_end_wait_for_the_clock(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  uint64_t set = host.now.wall;
  host.now.wall = 50 * SECOND;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 20, 1, 2);
  CHECK_EQ(put_tag(&host, stream, "once", "late", false), KVS_OK);
  CHECK_EQ(kvs_stream_stop(stream, host.now), KVS_OK);
  host.now.wall = set;
  fake_advance(&host, SECOND);
  fake_answer_all(&host, stream);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_AWAITING_PERSISTED_ACK);
  CHECK_EQ(scene_finds_text(&host, "late"), 1);
  scene_finish(&host);
}

/* Whatever nonsense the clock is set to, held media stay whole. */
static void a_clock_beyond_all_stamps_breaks_nothing(void) {
  fake_host host;

  fake_host_init(&host, ARENA, 2);
  host.now.wall = 5 * SECOND;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 20, 2, 2);
  /* By so much that the first fragment would begin before the end of all time
   * and end behind it. */
  host.now.wall += UINT64_MAX - 40 * SECOND - 20 * MS;
  (void)kvs_client_step(host.client, host.now);
  fake_answer_all(&host, stream);
  CHECK_EQ(kvs_client_check(host.client), KVS_OK);
  CHECK_EQ(scene_metrics(&host, stream).buffered_frames, 4);
  (void)fake_take(&host, stream);
  CHECK_EQ(kvs_stream_reset(stream, host.now), KVS_OK);
  scene_finish(&host);
}

static void events_have_their_limits(void) {
  fake_host host;
  kvs_event_metadata with = {0};
  char text[300];

  memset(text, 't', sizeof(text));
  fake_host_init(&host, ARENA, 2);
  kvs_stream *stream = fake_stream(&host, "camera");
  one_more(&host, stream, 0);
  with.count = KVS_MAX_METADATA_COUNT + 1;
  CHECK_EQ(kvs_stream_put_event(stream, 1, &with, host.now),
           KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT);
  with.count = 1;
  text[KVS_MAX_METADATA_NAME_LEN + 1] = 0;
  with.names[0] = text;
  with.values[0] = "value";
  CHECK_EQ(kvs_stream_put_event(stream, 1, &with, host.now),
           KVS_STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH);
  text[KVS_MAX_METADATA_NAME_LEN + 1] = 't';
  text[KVS_MAX_METADATA_VALUE_LEN + 1] = 0;
  with.names[0] = "name";
  with.values[0] = text;
  CHECK_EQ(kvs_stream_put_event(stream, 1, &with, host.now),
           KVS_STATUS_INVALID_IMAGE_METADATA_VALUE_LENGTH);
  with.values[0] = "value";
  CHECK_EQ(kvs_stream_put_event(stream, KVS_STREAM_EVENT_NOTIFICATION, &with,
                                host.now),
           KVS_OK);
  CHECK_EQ(kvs_stream_put_event(stream, KVS_STREAM_EVENT_IMAGE_GENERATION, NULL,
                                host.now),
           KVS_OK);
  one_more(&host, stream, 1);
  CHECK_EQ(scene_finds_text(&host, "AWS_KINESISVIDEO_NOTIFICATION"), 1);
  CHECK_EQ(scene_finds_text(&host, "AWS_KINESISVIDEO_IMAGE_GENERATION"), 1);
  CHECK_EQ(scene_finds_text(&host, "AWS_KINESISVIDEO_IMAGE_PREFIX"), 0);
  one_more(&host, stream, 2); /* they were for one fragment */
  CHECK_EQ(scene_finds_text(&host, "AWS_KINESISVIDEO"), 0);
  /* One that no fragment took goes with the stream. */
  CHECK_EQ(kvs_stream_put_event(stream, 3, NULL, host.now), KVS_OK);
  scene_finish(&host);
}

static void an_event_that_finds_no_room_leaves_none_behind(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_heap_stats stats;

  fake_host_init(&host, ARENA, 2);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 0;
  fake_stream_info(&info, "camera");
  info.buffer_duration = 100000 * SECOND;
  info.overflow_policy = KVS_OVERFLOW_REFUSE;
  kvs_stream *stream = scene_stream(&host, &info);
  for (uint64_t i = 0; kvs_heap_available(&host.client->host.heap) > 1; i++) {
    CHECK_EQ(fake_put(&host, stream, KEY, i * 1000, 14000), KVS_OK);
  }
  /* One page is left, and two events want one each. */
  CHECK_EQ(kvs_stream_put_event(stream, 3, NULL, host.now),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  kvs_heap_get_stats(&host.client->host.heap, &stats);
  CHECK_EQ(stats.available, 1);
  CHECK_EQ(kvs_stream_put_event(stream, 1, NULL, host.now), KVS_OK);
  CHECK_EQ(kvs_stream_put_event(stream, 2, NULL, host.now),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  scene_finish(&host);
}

/* ---- media before the clock was set -------------------------------------- */

static void media_on_both_sides_of_the_setting_of_the_clock(void) {
  fake_host host;
  fake_body body;
  const uint64_t set = UINT64_C(1795400000000); /* ms */

  fake_host_init(&host, ARENA, 2);
  host.now.wall = 0;
  kvs_stream *stream = fake_stream(&host, "camera");
  scene_gops(&host, stream, 0, 1, 3);
  /* The clock is set between two frames: the second has a true stamp. */
  host.now.mono += 2 * SECOND;
  host.now.wall = set * MS;
  CHECK_EQ(fake_put(&host, stream, KEY, set, 500), KVS_OK);
  fake_advance(&host, 2 * SECOND);
  fake_answer_all(&host, stream);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], set - 2000);
  while (body.clusters < 2 && host.session != 0) { /* a timeline of its own */
    scene_persist(&host, stream);
    scene_end(&host, stream);
    (void)fake_take(&host, stream);
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.times[0], set);
    break;
  }
  CHECK_EQ(scene_metrics(&host, stream).dropped_frames, 0);
  scene_finish(&host);
}

static void relative_times_wait_for_no_clock(void) {
  fake_host host;
  kvs_stream_info info;

  fake_host_init(&host, ARENA, 2);
  host.now.wall = 0;
  fake_stream_info(&info, "camera");
  info.absolute_fragment_times = false;
  kvs_stream *stream = scene_stream(&host, &info);
  scene_gops(&host, stream, 0, 1, 3);
  CHECK(host.session != 0);
  scene_finish(&host);
}

static void several_tracks_are_shifted_alike(void) {
  fake_host host;
  kvs_stream_info info;
  fake_body body;
  const uint64_t set = UINT64_C(1795400000000);

  fake_host_init(&host, ARENA, 2);
  host.now.wall = 100 * SECOND;
  fake_stream_info(&info, "camera");
  info.track_count = 2;
  info.timecode_scale = 10 * MS;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  kvs_stream *stream = scene_stream(&host, &info);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 100000, "video", 5), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 2, 0, 100020, "sound", 5), KVS_OK);
  fake_advance(&host, 5 * SECOND);
  host.now.wall = set * MS;
  fake_advance(&host, SECOND);
  fake_answer_all(&host, stream);
  CHECK_EQ(scene_put(&host, stream, 2, 0, set - 4960, "sound", 5), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, set - 4960, "video", 5), KVS_OK);
  CHECK_EQ(scene_put(&host, stream, 1, 0, set - 5500, "video", 5),
           KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  (void)fake_take(&host, stream);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.times[0], (set - 5000) / 10);
  CHECK_EQ(body.blocks, 4);
  CHECK_EQ(scene_finds(&host, "\x82\x00\x02\x80sound", 9), 1);
  CHECK_EQ(scene_finds(&host, "\x82\x00\x04\x80sound", 9), 1);
  CHECK_EQ(fake_count(&host, KVS_EVENT_TIMELINE_CHANGED), 0);
  scene_finish(&host);
}

int main(void) {
  RUN(persistent_tags_are_replaced_and_ended);
  RUN(a_tag_for_one_fragment_ends_no_persistent_one);
  RUN(ten_tags_and_no_more);
  RUN(what_no_fragment_took_goes_behind_the_last_frame);
  RUN(a_fragment_has_ten_tags_at_its_end_as_well);
  RUN(an_end_without_a_frame_takes_what_waits);
  RUN(an_end_finds_room_or_is_refused);
  RUN(what_cannot_go_is_told);
  RUN(tags_at_the_end_wait_for_the_clock);
  RUN(a_clock_beyond_all_stamps_breaks_nothing);
  RUN(events_have_their_limits);
  RUN(an_event_that_finds_no_room_leaves_none_behind);
  RUN(media_on_both_sides_of_the_setting_of_the_clock);
  RUN(relative_times_wait_for_no_clock);
  RUN(several_tracks_are_shifted_alike);
  return check_report();
}
