#include "fake_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(fake_host *host, const kvs_event *event) {
  if (host->event_count < FAKE_EVENTS) {
    host->events[host->event_count] = *event;
    host->events[host->event_count].text = NULL;
    host->event_count++;
  }
  if (event->type == KVS_EVENT_PUT_STREAM) {
    host->session = event->u.put_stream.session;
    host->body_len = 0;
  }
  if (event->type == KVS_EVENT_SESSION_ENDED) {
    host->session = 0;
  }
}

void fake_poll(fake_host *host) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(host->client)) != NULL) {
    note(host, event);
  }
}

static uint32_t next_random(void *user) {
  fake_host *host = user;

  host->seed = host->seed * 1664525u + 1013904223u;
  return host->seed;
}

void fake_host_init(fake_host *host, uint64_t arena_len, uint32_t streams) {
  kvs_device_info info = {0};
  kvs_callbacks callbacks = {0};

  memset(host, 0, sizeof(*host));
  host->arena = malloc((size_t)arena_len);
  host->arena_len = arena_len;
  host->seed = 7;
  host->now.mono = 1000 * KVS_TICKS_PER_SECOND;
  host->now.wall = UINT64_C(1795400000) * KVS_TICKS_PER_SECOND;
  host->retention = 3600 * KVS_TICKS_PER_SECOND;
  host->expiration = KVS_NEVER;
  host->stream_status = KVS_STREAM_STATUS_ACTIVE;
  for (uint32_t i = 0; i < KVS_EVENT_COUNT; i++) {
    host->results[i] = KVS_RESULT_OK;
  }
  info.name = "device";
  info.stream_count = streams;
  info.storage.storage_size = arena_len;
  callbacks.user = host;
  callbacks.random = next_random;
  if (host->arena == NULL ||
      kvs_client_create(host->arena, (size_t)arena_len, &info, &callbacks,
                        host->now, &host->client) != KVS_OK) {
    fprintf(stderr, "fake host: no client\n");
    abort();
  }
  fake_answer_all(host, NULL);
}

void fake_host_free(fake_host *host) {
  kvs_client_free(host->client);
  free(host->arena);
  free(host->body);
}

void fake_stream_info(kvs_stream_info *info, const char *name) {
  kvs_stream_info_init(info);
  info->name = name;
  info->nal_adaptation_flags = KVS_NAL_ADAPTATION_NONE;
}

kvs_stream *fake_stream(fake_host *host, const char *name) {
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_stream_info(&info, name);
  if (kvs_stream_create(host->client, &info, host->now, &stream) != KVS_OK) {
    fprintf(stderr, "fake host: no stream\n");
    abort();
  }
  fake_answer_all(host, stream);
  return stream;
}

void fake_advance(fake_host *host, uint64_t ticks) {
  host->now.mono += ticks;
  host->now.wall += ticks;
  (void)kvs_client_step(host->client, host->now);
  fake_poll(host);
}

static bool is_call(uint32_t type) {
  return type <= KVS_EVENT_PUT_STREAM;
}

static bool is_client_call(uint32_t type) {
  return type == KVS_EVENT_GET_SECURITY_TOKEN ||
         type == KVS_EVENT_CREATE_DEVICE;
}

void fake_answer_all(fake_host *host, kvs_stream *stream) {
  fake_poll(host);
  while (host->handled < host->event_count) {
    kvs_event event = host->events[host->handled++];
    kvs_answer answer = {0};

    if (!is_call(event.type) || host->results[event.type] == 0) {
      continue;
    }
    answer.call = event.u.fields[0];
    answer.result = host->results[event.type];
    answer.stream_status = host->stream_status;
    answer.retention = host->retention;
    answer.expiration = host->expiration;
    if (is_client_call(event.type)) {
      (void)kvs_client_answer(host->client, &answer, host->now);
    } else if (stream != NULL && event.stream == kvs_stream_id(stream)) {
      (void)kvs_stream_answer(stream, &answer, host->now);
    }
    fake_poll(host);
  }
}

kvs_status fake_put(fake_host *host, kvs_stream *stream, uint32_t flags,
                    uint64_t ms, size_t size) {
  uint8_t *data = malloc(size + 1);
  kvs_frame frame = {0};
  kvs_status status;

  memset(data, (int)(ms & 0xFF), size + 1);
  frame.flags = flags;
  frame.track_id = 1;
  frame.pts = ms * KVS_TICKS_PER_MS;
  frame.dts = KVS_NEVER;
  frame.duration = 40 * KVS_TICKS_PER_MS;
  frame.data = data;
  frame.size = size;
  status = kvs_stream_put(stream, &frame, host->now);
  free(data);
  fake_answer_all(host, stream);
  return status;
}

kvs_status fake_take(fake_host *host, kvs_stream *stream) {
  kvs_status status = KVS_OK;

  while (status == KVS_OK) {
    uint8_t chunk[1000];
    size_t taken = 0;

    status = kvs_stream_take(stream, host->session, chunk, sizeof(chunk),
                             host->now, &taken);
    if (host->body_len + taken > host->body_cap) {
      host->body_cap = host->body_len * 2 + taken + 4096;
      host->body = realloc(host->body, host->body_cap);
    }
    if (taken != 0) {
      memcpy(host->body + host->body_len, chunk, taken);
    }
    host->body_len += taken;
    fake_poll(host);
  }
  return status;
}

kvs_status fake_ack(fake_host *host, kvs_stream *stream, const char *type,
                    uint64_t timecode) {
  char text[256];
  int len = snprintf(text, sizeof(text),
                     "{\"EventType\":\"%s\",\"FragmentTimecode\":%llu,"
                     "\"FragmentNumber\":\"9134\"}",
                     type, (unsigned long long)timecode);
  kvs_status status = kvs_stream_parse_ack(
      stream, host->session, (const uint8_t *)text, (size_t)len, host->now);

  fake_answer_all(host, stream);
  return status;
}

uint32_t fake_count(fake_host *host, uint32_t type) {
  uint32_t count = 0;

  fake_poll(host);
  for (uint32_t i = 0; i < host->event_count; i++) {
    count += host->events[i].type == type ? 1 : 0;
  }
  return count;
}

kvs_event fake_last(fake_host *host, uint32_t type) {
  kvs_event event = {0};

  fake_poll(host);
  for (uint32_t i = 0; i < host->event_count; i++) {
    if (host->events[i].type == type) {
      event = host->events[i];
    }
  }
  return event;
}

/* ---- the body --------------------------------------------------------- */

typedef struct cursor {
  const uint8_t *at;
  size_t left;
} cursor;

static bool read_number(cursor *c, bool keep_marker, uint64_t *value) {
  uint32_t width = 1;
  uint64_t v;

  if (c->left == 0 || c->at[0] == 0) {
    return false;
  }
  while ((c->at[0] & (0x80u >> (width - 1))) == 0) {
    width++;
  }
  if (width > c->left) {
    return false;
  }
  v = keep_marker ? c->at[0] : c->at[0] & (0xFFu >> width);
  for (uint32_t i = 1; i < width; i++) {
    v = v << 8 | c->at[i];
  }
  if (!keep_marker && v == (UINT64_C(1) << (7 * width)) - 1) {
    v = UINT64_MAX;
  }
  c->at += width;
  c->left -= width;
  *value = v;
  return true;
}

static bool holds(const uint8_t *bytes, size_t len, const char *text) {
  size_t n = strlen(text);

  for (size_t i = 0; i + n <= len; i++) {
    if (memcmp(bytes + i, text, n) == 0) {
      return true;
    }
  }
  return false;
}

static uint64_t big_endian(const uint8_t *at, uint64_t len) {
  uint64_t v = 0;

  for (uint64_t i = 0; i < len; i++) {
    v = v << 8 | at[i];
  }
  return v;
}

static void count_element(fake_body *out, uint64_t id, const uint8_t *data,
                          uint64_t size) {
  if (id == 0x1A45DFA3) {
    out->headers++;
  } else if (id == 0xE7) {
    out->times[out->clusters % 256] = big_endian(data, size);
    out->clusters++;
  } else if (id == 0xA3) {
    out->blocks++;
  } else if (id == 0x1254C367) {
    if (holds(data, size, "AWS_KINESISVIDEO_END_OF_FRAGMENT")) {
      out->ends++;
    } else {
      out->tags++;
    }
  }
}

bool fake_read_body(const fake_host *host, fake_body *out) {
  cursor c = {host->body, host->body_len};

  memset(out, 0, sizeof(*out));
  while (c.left != 0) {
    uint64_t id = 0;
    uint64_t size = 0;

    if (!read_number(&c, true, &id) || !read_number(&c, false, &size)) {
      return false;
    }
    if (size == UINT64_MAX) { /* Segment, Cluster: their children follow */
      continue;
    }
    if (size > c.left) {
      return false;
    }
    count_element(out, id, c.at, size);
    c.at += size;
    c.left -= (size_t)size;
  }
  return true;
}
