#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

kvs_stream *scene_stream(fake_host *host, const kvs_stream_info *info) {
  kvs_stream *stream = NULL;
  kvs_status status = kvs_stream_create(host->client, info, host->now, &stream);

  if (status != KVS_OK) {
    fprintf(stderr, "scene: no stream: %s\n", kvs_status_name(status));
    abort();
  }
  fake_answer_all(host, stream);
  return stream;
}

kvs_stream *scene_with_sound(fake_host *host) {
  kvs_stream_info info;

  fake_host_init(host, ARENA, 4);
  fake_stream_info(&info, "camera");
  info.track_count = 2;
  info.tracks[1].track_id = 2;
  info.tracks[1].type = KVS_TRACK_AUDIO;
  info.tracks[1].codec_id = "A_AAC";
  return scene_stream(host, &info);
}

void scene_gops(fake_host *host, kvs_stream *stream, uint32_t from,
                uint32_t gops, uint32_t frames) {
  for (uint32_t g = 0; g < gops; g++) {
    for (uint32_t f = 0; f < frames; f++) {
      uint64_t ms = (uint64_t)(from + g) * 2000 + (uint64_t)f * 40;

      CHECK_EQ(fake_put(host, stream, f == 0 ? KEY : 0, ms, 500), KVS_OK);
    }
  }
}

kvs_status scene_put(fake_host *host, kvs_stream *stream, uint64_t track,
                     uint32_t flags, uint64_t ms, const void *bytes,
                     size_t len) {
  kvs_frame frame = {0};
  kvs_status status;

  frame.track_id = track;
  frame.flags = flags;
  frame.pts = ms * MS;
  frame.dts = KVS_NEVER;
  frame.duration = 20 * MS;
  frame.data = bytes;
  frame.size = len;
  status = kvs_stream_put(stream, &frame, host->now);
  fake_answer_all(host, stream);
  return status;
}

kvs_status scene_error(fake_host *host, kvs_stream *stream, uint32_t id,
                       uint64_t timecode) {
  char text[256];
  int len = snprintf(text, sizeof(text),
                     "{\"EventType\":\"ERROR\",\"FragmentTimecode\":%llu,"
                     "\"FragmentNumber\":\"7\",\"ErrorId\":%u}",
                     (unsigned long long)timecode, (unsigned)id);
  kvs_status status = kvs_stream_parse_ack(
      stream, host->session, (const uint8_t *)text, (size_t)len, host->now);

  fake_answer_all(host, stream);
  return status;
}

void scene_lose(fake_host *host, kvs_stream *stream, uint32_t result) {
  CHECK_EQ(kvs_stream_session_ended(stream, host->session, result, host->now),
           KVS_OK);
  fake_answer_all(host, stream);
  fake_advance(host, BACK_OFF);
  fake_answer_all(host, stream);
}

void scene_end(fake_host *host, kvs_stream *stream) {
  CHECK_EQ(fake_take(host, stream), KVS_STATUS_END_OF_STREAM);
  CHECK_EQ(kvs_stream_session_ended(stream, host->session, 200, host->now),
           KVS_OK);
  fake_answer_all(host, stream);
}

void scene_persist(fake_host *host, kvs_stream *stream) {
  fake_body body;

  CHECK(fake_read_body(host, &body));
  for (uint32_t i = 0; i < body.clusters; i++) {
    CHECK_EQ(fake_ack(host, stream, "PERSISTED", body.times[i]), KVS_OK);
  }
}

kvs_stream_metrics scene_metrics(const fake_host *host,
                                 const kvs_stream *stream) {
  kvs_stream_metrics metrics = {0};

  CHECK_EQ(kvs_stream_get_metrics(stream, host->now, &metrics), KVS_OK);
  return metrics;
}

uint32_t scene_finds(const fake_host *host, const void *bytes, size_t len) {
  uint32_t count = 0;

  for (size_t i = 0; i + len <= host->body_len; i++) {
    count += memcmp(host->body + i, bytes, len) == 0 ? 1 : 0;
  }
  return count;
}

uint32_t scene_finds_text(const fake_host *host, const char *text) {
  return scene_finds(host, text, strlen(text));
}

void scene_finish(fake_host *host) {
  kvs_heap_stats stats;

  CHECK_EQ(kvs_client_check(host->client), KVS_OK);
  for (uint32_t i = 0; i < host->client->host.stream_limit; i++) {
    kvs_stream_free(host->client->host.streams[i]);
  }
  kvs_heap_get_stats(&host->client->host.heap, &stats);
  CHECK_EQ(stats.used, 0);
  CHECK_EQ(kvs_client_check(host->client), KVS_OK);
  fake_host_free(host);
}
