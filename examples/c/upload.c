/* Uploads an H.264 file through the core, without Node and without a network:
 *
 *   upload [IN.h264 [OUT.mkv]]
 *
 * IN is an Annex-B stream (a made-up one when it is left out), OUT gets the
 * bytes that a PutMedia request would have carried. The program plays the two
 * parts that a host has to play: it answers the core's service calls, and it
 * is the service, which acknowledges every fragment as persisted.
 *
 * Build: cc -Inative/include examples/c/upload.c build-core/release/libkvs.a
 * Exit status: 0 when every frame went out and every fragment was freed. */
#include <kvs/kvs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LEN ((size_t)16 * 1024 * 1024)
#define FRAME_MS 40u
/* A body of more fragments than this at once is not expected here. */
#define PENDING_CALLS 16u

typedef struct host {
  kvs_client *client;
  kvs_stream *stream;
  kvs_time now;
  uint64_t session; /* 0: none is open */
  kvs_event calls[PENDING_CALLS];
  uint32_t call_count;
  uint64_t dropped;
  bool closed;
  FILE *out;
  uint64_t body_len;
  uint64_t fragments;
  /* The service's reader: the bytes of an element header or timecode that is
   * not whole yet, and how many bytes of content to pass over. */
  uint8_t part[32];
  size_t part_len;
  uint64_t pass;
  uint64_t cluster;
  bool in_cluster;
} host;

static void fail(const char *what, kvs_status status) {
  fprintf(stderr, "upload: %s: %s\n", what, kvs_status_name(status));
  exit(1);
}

/* ---- what the core tells, and asks for ---------------------------------- */

static void note(host *h, const kvs_event *event) {
  switch (event->type) {
    case KVS_EVENT_STREAM_CLOSED:
      h->closed = true;
      break;
    case KVS_EVENT_DROPPED_FRAGMENT_REPORT:
      h->dropped += event->u.dropped_fragment_report.frames;
      break;
    default:
      if (event->type <= KVS_EVENT_PUT_STREAM &&
          h->call_count < PENDING_CALLS) {
        h->calls[h->call_count++] = *event;
      }
      break;
  }
}

/* To be done after each call, or after a few. */
static void poll_events(host *h) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(h->client)) != NULL) {
    note(h, event);
  }
}

static uint32_t next_random(void *user) {
  (void)user;
  return (uint32_t)rand() ^ ((uint32_t)rand() << 16);
}

/* Answers every service call with success, as a service would that has the
 * stream and gives a token that never expires. */
static void answer_calls(host *h) {
  poll_events(h);
  while (h->call_count != 0) {
    kvs_event event = h->calls[0];
    kvs_answer answer = {0};

    h->call_count--;
    memmove(h->calls, h->calls + 1, h->call_count * sizeof(event));
    answer.call = event.u.fields[0]; /* every call begins with its number */
    answer.result = KVS_RESULT_OK;
    answer.stream_status = KVS_STREAM_STATUS_ACTIVE;
    answer.retention = 24 * 3600 * KVS_TICKS_PER_SECOND;
    answer.expiration = KVS_NEVER;
    if (event.type == KVS_EVENT_PUT_STREAM) {
      h->session = event.u.put_stream.session;
    }
    if (event.stream == 0) {
      (void)kvs_client_answer(h->client, &answer, h->now);
    } else {
      (void)kvs_stream_answer(h->stream, &answer, h->now);
    }
    poll_events(h);
  }
}

/* ---- the service -------------------------------------------------------- */

static void acknowledge(host *h, uint64_t timecode) {
  char json[128];
  int len = snprintf(json, sizeof(json),
                     "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":%llu,"
                     "\"FragmentNumber\":\"%llu\"}\r\n",
                     (unsigned long long)timecode,
                     (unsigned long long)++h->fragments);
  kvs_status status = kvs_stream_parse_ack(
      h->stream, h->session, (const uint8_t *)json, (size_t)len, h->now);

  if (status != KVS_OK) {
    fail("ack", status);
  }
}

/* Bytes of a number whose first byte is |first| (EBML: leading zero bits). */
static size_t width_of(uint8_t first) {
  size_t width = 1;

  while (width < 8 && (first & (0x80u >> (width - 1))) == 0) {
    width++;
  }
  return width;
}

static uint64_t big_endian(const uint8_t *at, size_t len) {
  uint64_t value = 0;

  for (size_t i = 0; i < len; i++) {
    value = value << 8 | at[i];
  }
  return value;
}

/* An element of the body: a Cluster or Tags ends the fragment before it. */
static void on_element(host *h, uint64_t id, uint64_t timecode) {
  if (id == 0x1F43B675 || id == 0x1254C367) {
    if (h->in_cluster) {
      acknowledge(h, h->cluster);
    }
    h->in_cluster = false;
  } else if (id == 0xE7) {
    h->cluster = timecode;
    h->in_cluster = true;
  }
}

/* Whether |part| holds a whole element header (and the timecode's content). */
static bool read_header(host *h) {
  size_t id_len;
  size_t size_len;
  uint64_t id;
  uint64_t size;

  if (h->part_len < 2) {
    return false;
  }
  id_len = width_of(h->part[0]);
  if (h->part_len <= id_len) {
    return false;
  }
  size_len = width_of(h->part[id_len]);
  if (h->part_len < id_len + size_len) {
    return false;
  }
  id = big_endian(h->part, id_len);
  size = big_endian(h->part + id_len, size_len) &
         ((UINT64_C(1) << (7 * size_len)) - 1);
  if (id == 0x18538067 || id == 0x1F43B675) {
    size = 0; /* unknown: its children follow */
  }
  if (id == 0xE7 && h->part_len < id_len + size_len + size) {
    return false;
  }
  h->pass = id == 0xE7 ? 0 : size;
  on_element(
      h, id,
      big_endian(h->part + id_len + size_len, id == 0xE7 ? (size_t)size : 0));
  h->part_len = 0;
  return true;
}

static void receive(host *h, const uint8_t *bytes, size_t len) {
  if (h->out != NULL && fwrite(bytes, 1, len, h->out) != len) {
    fail("write", KVS_STATUS_WRITE_TO_FILE_FAILED);
  }
  h->body_len += len;
  while (len != 0) {
    if (h->pass != 0) {
      size_t n = h->pass < len ? (size_t)h->pass : len;

      h->pass -= n;
      bytes += n;
      len -= n;
      continue;
    }
    h->part[h->part_len++] = *bytes++;
    len--;
    (void)read_header(h);
  }
}

/* Takes what the session has and gives it to the service. */
static void pump(host *h) {
  uint8_t chunk[4096];
  size_t taken = 0;

  answer_calls(h);
  while (h->session != 0) {
    kvs_status status = kvs_stream_take(h->stream, h->session, chunk,
                                        sizeof(chunk), h->now, &taken);

    if (status == KVS_OK) {
      receive(h, chunk, taken);
    } else if (status == KVS_STATUS_END_OF_STREAM) {
      /* Here a host writes the terminating chunk. */
      uint64_t session = h->session;

      h->session = 0;
      (void)kvs_stream_session_ended(h->stream, session, KVS_RESULT_OK, h->now);
    } else {
      break; /* nothing now */
    }
    answer_calls(h);
  }
}

/* ---- the source: access units of an Annex-B stream ---------------------- */

typedef struct source {
  uint8_t *bytes;
  size_t len;
  size_t at;
} source;

/* Offset of the next 00 00 01 at or after |from|, or |len|. */
static size_t next_start(const source *s, size_t from) {
  for (size_t i = from; i + 3 <= s->len; i++) {
    if (s->bytes[i] == 0 && s->bytes[i + 1] == 0 && s->bytes[i + 2] == 1) {
      return i;
    }
  }
  return s->len;
}

/* Whether the unit at |at| begins an access unit, if a slice came before. */
static bool begins_unit(const source *s, size_t at) {
  uint8_t type = s->bytes[at + 3] & 0x1F;

  if (type == 1 || type == 5) { /* a slice: the first of its picture */
    return at + 4 < s->len && (s->bytes[at + 4] & 0x80) != 0;
  }
  return type >= 6 && type <= 9; /* SEI, SPS, PPS, delimiter */
}

/* The next access unit: its length, 0 at the end. |key| [filled]. */
static size_t next_unit(source *s, size_t *begin, bool *key) {
  size_t at = next_start(s, s->at);
  bool slice = false;

  *begin = at;
  *key = false;
  while (at + 3 < s->len) {
    uint8_t type = s->bytes[at + 3] & 0x1F;

    if (slice && begins_unit(s, at)) {
      break;
    }
    slice = slice || type == 1 || type == 5;
    *key = *key || type == 5;
    at = next_start(s, at + 3);
  }
  s->at = at < s->len ? at : s->len;
  return s->at - *begin;
}

static void read_file(source *s, const char *path) {
  FILE *file = fopen(path, "rb");
  size_t cap = 1 << 20;
  size_t n;

  if (file == NULL) {
    fail(path, KVS_STATUS_OPEN_FILE_FAILED);
  }
  s->bytes = malloc(cap);
  while (s->bytes != NULL &&
         (n = fread(s->bytes + s->len, 1, cap - s->len, file)) != 0) {
    s->len += n;
    if (s->len == cap) {
      cap *= 2;
      s->bytes = realloc(s->bytes, cap);
    }
  }
  fclose(file);
  if (s->bytes == NULL) {
    fail("memory", KVS_STATUS_NOT_ENOUGH_MEMORY);
  }
}

static void append(source *s, const char *bytes, size_t len) {
  memcpy(s->bytes + s->len, bytes, len);
  s->len += len;
}

/* 100 pictures, a key frame with parameter sets every 50. The slices are not
 * decodable; everything around them is real. */
static void make_up(source *s) {
  static const char sps[] = "\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\x84";
  static const char pps[] = "\0\0\0\1\x68\xce\x3c\x80";

  s->bytes = malloc(100 * 256);
  if (s->bytes == NULL) {
    fail("memory", KVS_STATUS_NOT_ENOUGH_MEMORY);
  }
  for (int i = 0; i < 100; i++) {
    char slice[64];

    memset(slice, 0x55 + i, sizeof(slice));
    if (i % 50 == 0) {
      append(s, sps, sizeof(sps) - 1);
      append(s, pps, sizeof(pps) - 1);
    }
    append(s, i % 50 == 0 ? "\0\0\0\1\x65\x88" : "\0\0\0\1\x41\x9a", 6);
    append(s, slice, sizeof(slice));
  }
}

/* ---- the program -------------------------------------------------------- */

static void set_up(host *h, void *arena) {
  kvs_device_info device = {0};
  kvs_callbacks callbacks = {0};
  kvs_stream_info info;
  kvs_status status;

  device.name = "example";
  device.stream_count = 1;
  device.storage.storage_size = ARENA_LEN;
  callbacks.user = h;
  callbacks.random = next_random;
  h->now.wall = UINT64_C(1795400000) * KVS_TICKS_PER_SECOND;
  status = kvs_client_create(arena, ARENA_LEN, &device, &callbacks, h->now,
                             &h->client);
  if (status != KVS_OK) {
    fail("client", status);
  }
  kvs_stream_info_init(&info); /* the guide's defaults: Annex-B H.264 */
  info.name = "example-stream";
  status = kvs_stream_create(h->client, &info, h->now, &h->stream);
  if (status != KVS_OK) {
    fail("stream", status);
  }
}

static uint64_t put_all(host *h, source *s) {
  uint64_t frames = 0;
  size_t begin = 0;
  bool key = false;
  size_t size;

  while ((size = next_unit(s, &begin, &key)) != 0) {
    kvs_frame frame = {0};
    kvs_status status;

    frame.flags = key ? KVS_FRAME_KEY : KVS_FRAME_NONE;
    frame.track_id = 1;
    frame.pts = h->now.wall;
    frame.dts = KVS_NEVER;
    frame.duration = FRAME_MS * KVS_TICKS_PER_MS;
    frame.data = s->bytes + begin;
    frame.size = size;
    status = kvs_stream_put(h->stream, &frame, h->now);
    if (status != KVS_OK) {
      fail("put", status);
    }
    frames++;
    pump(h);
    h->now.mono += frame.duration;
    h->now.wall += frame.duration;
    if (kvs_client_deadline(h->client) <= h->now.mono) {
      (void)kvs_client_step(h->client, h->now);
    }
  }
  return frames;
}

int main(int argc, char **argv) {
  static host h;
  source s = {0};
  void *arena = malloc(ARENA_LEN);
  uint64_t frames;

  if (arena == NULL) {
    fail("memory", KVS_STATUS_NOT_ENOUGH_MEMORY);
  }
  if (argc > 1) {
    read_file(&s, argv[1]);
  } else {
    make_up(&s);
  }
  if (argc > 2 && (h.out = fopen(argv[2], "wb")) == NULL) {
    fail(argv[2], KVS_STATUS_OPEN_FILE_FAILED);
  }
  set_up(&h, arena);
  frames = put_all(&h, &s);
  (void)kvs_stream_stop(h.stream, h.now);
  pump(&h);
  printf("%llu frames, %llu fragments, %llu bytes, %llu dropped, %s\n",
         (unsigned long long)frames, (unsigned long long)h.fragments,
         (unsigned long long)h.body_len, (unsigned long long)h.dropped,
         h.closed ? "all persisted" : "NOT all persisted");
  kvs_client_free(h.client);
  if (h.out != NULL) {
    fclose(h.out);
  }
  free(arena);
  free(s.bytes);
  return h.closed && h.dropped == 0 && frames != 0 ? 0 : 1;
}
