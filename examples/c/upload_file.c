/* SPDX-License-Identifier: Apache-2.0
 *
 * The core in a C program, without Node:
 *   upload_file [IN.h264 [OUT.mkv]]
 * Frames of a raw H.264 file (25 a second, no B-frames; a made-up clip when no
 * file is given) go into a stream; what a PutMedia connection would carry is
 * written to OUT.mkv; a pretended service acknowledges each fragment as
 * persisted. A real host differs in pump(), which would use a socket, and in
 * answer(), which would make the service calls. */
#define _POSIX_C_SOURCE 199309L

#include <kvs/kvs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARENA = 32 * 1024 * 1024, QUEUE = 64, FRAME_MS = 40 };

typedef struct host {
  kvs_client *client;
  kvs_stream *stream;
  kvs_event queue[QUEUE]; /* an event handler must not call back: keep it */
  unsigned queued;
  FILE *out;
  uint64_t session; /* 0: no connection */
  uint64_t window;  /* the last eight bytes that were sent */
  uint64_t cluster_time;
  unsigned time_bytes; /* of a cluster time still to come */
  bool cluster_open;
  unsigned fragments;
  unsigned bytes;
  bool closed;
} host;

static uint64_t ticks(clockid_t which) {
  struct timespec t = {0};

  clock_gettime(which, &t);
  return (uint64_t)t.tv_sec * KVS_TICKS_PER_SECOND + (uint64_t)t.tv_nsec / 100;
}

static kvs_time now(void) {
  return (kvs_time){ticks(CLOCK_MONOTONIC), ticks(CLOCK_REALTIME)};
}

static void must(kvs_status status, const char *what) {
  if (status != KVS_OK) {
    fprintf(stderr, "%s: %s\n", what, kvs_status_name(status));
    exit(1);
  }
}

static void on_event(void *user, const kvs_event *event) {
  host *h = user;

  if (h->queued == QUEUE) {
    fprintf(stderr, "more than %d events at once\n", QUEUE);
    exit(1);
  }
  h->queue[h->queued++] = *event;
}

static uint32_t on_random(void *user) {
  (void)user;
  return (uint32_t)rand();
}

/* ---- the pretended service -------------------------------------------- */

static void acknowledge(host *h) {
  kvs_ack ack = {.type = KVS_ACK_PERSISTED, .has_timecode = true};

  if (!h->cluster_open) {
    return;
  }
  h->cluster_open = false;
  h->fragments++;
  ack.timecode = h->cluster_time;
  ack.number_len =
      (uint32_t)snprintf(ack.number, sizeof ack.number, "%u", h->fragments);
  must(kvs_stream_ack(h->stream, h->session, &ack, now()), "ack");
}

/* A fragment begins with a Cluster of unknown size and its time code:
 * 1F 43 B6 75 FF E7 88, then eight bytes. The one before it is whole then. */
static void receive(host *h, const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    h->window = h->window << 8 | bytes[i];
    if (h->time_bytes > 0 && --h->time_bytes == 0) {
      h->cluster_time = h->window;
      h->cluster_open = true;
    } else if ((h->window & 0xFFFFFFFFFFFFFF) == 0x1F43B675FFE788) {
      acknowledge(h);
      h->time_bytes = 8;
    }
  }
  h->bytes += (unsigned)len;
  fwrite(bytes, 1, len, h->out);
}

static void answer(host *h, const kvs_event *event) {
  kvs_answer a = {.result = KVS_RESULT_OK,
                  .stream_status = KVS_STREAM_STATUS_ACTIVE,
                  .retention = 24 * 3600 * KVS_TICKS_PER_SECOND,
                  .expiration = KVS_NEVER};

  a.call = event->u.fields[0]; /* every call's first field */
  switch (event->type) {
    case KVS_EVENT_GET_SECURITY_TOKEN:
    case KVS_EVENT_CREATE_DEVICE:
      must(kvs_client_answer(h->client, &a, now()), "client answer");
      break;
    case KVS_EVENT_PUT_STREAM:
      h->session = event->u.put_stream.session;
      must(kvs_stream_answer(h->stream, &a, now()), "stream answer");
      break;
    case KVS_EVENT_DESCRIBE_STREAM:
    case KVS_EVENT_CREATE_STREAM:
    case KVS_EVENT_TAG_RESOURCE:
    case KVS_EVENT_GET_STREAMING_ENDPOINT:
    case KVS_EVENT_GET_STREAMING_TOKEN:
      must(kvs_stream_answer(h->stream, &a, now()), "stream answer");
      break;
    case KVS_EVENT_SESSION_ENDED:
      h->session = 0;
      break;
    case KVS_EVENT_STREAM_CLOSED:
      h->closed = true;
      break;
    default: /* things to know: a real host logs them */
      break;
  }
}

/* ---- the host's loop --------------------------------------------------- */

/* Sends what there is; the body's end also ends the session. */
static void send_body(host *h) {
  uint8_t buf[16 * 1024];
  size_t taken = 0;
  kvs_status status = KVS_OK;

  while (h->session != 0 && status == KVS_OK) {
    status =
        kvs_stream_take(h->stream, h->session, buf, sizeof buf, now(), &taken);
    if (status == KVS_OK) {
      receive(h, buf, taken);
    }
  }
  if (status == KVS_STATUS_AWAITING_PERSISTED_ACK) {
    acknowledge(h);
  }
  if (status == KVS_STATUS_END_OF_STREAM) {
    uint64_t ended = h->session;
    h->session = 0;
    must(kvs_stream_session_ended(h->stream, ended, KVS_RESULT_OK, now()),
         "session end");
  }
}

static void pump(host *h) {
  do {
    while (h->queued > 0) {
      kvs_event first = h->queue[0];
      h->queued--;
      memmove(h->queue, h->queue + 1, h->queued * sizeof first);
      answer(h, &first);
    }
    send_body(h);
  } while (h->queued > 0);
}

static void put(host *h, const uint8_t *data, size_t size, bool key,
                uint64_t pts) {
  kvs_frame frame = {.track_id = 1,
                     .flags = key ? KVS_FRAME_KEY : KVS_FRAME_NONE,
                     .pts = pts,
                     .dts = KVS_NEVER,
                     .duration = FRAME_MS * KVS_TICKS_PER_MS,
                     .data = data,
                     .size = size};

  must(kvs_stream_put(h->stream, &frame, now()), "put");
  pump(h);
}

/* ---- frames ------------------------------------------------------------ */

/* The next 00 00 01 at or after |at|, or |len|. */
static size_t next_start(const uint8_t *bytes, size_t len, size_t at) {
  while (at + 3 <= len) {
    if (bytes[at] == 0 && bytes[at + 1] == 0 && bytes[at + 2] == 1) {
      return at;
    }
    at++;
  }
  return len;
}

/* Puts each access unit: it ends before the first parameter set or slice that
 * begins the next picture (first_mb_in_slice is 0: its first bit is set). */
static unsigned put_file(host *h, const uint8_t *bytes, size_t len) {
  uint64_t pts = ticks(CLOCK_REALTIME);
  size_t from = next_start(bytes, len, 0);
  bool has_slice = false;
  bool key = false;
  unsigned frames = 0;

  for (size_t at = from; at < len; at = next_start(bytes, len, at + 3)) {
    uint8_t type = at + 3 < len ? bytes[at + 3] & 0x1F : 0;
    bool slice = type == 1 || type == 5;
    bool begins = slice ? at + 4 < len && (bytes[at + 4] & 0x80) != 0
                        : type >= 6 && type <= 9;
    if (has_slice && begins) {
      put(h, bytes + from, at - from, key, pts);
      pts += FRAME_MS * KVS_TICKS_PER_MS;
      frames++;
      from = at;
      has_slice = key = false;
    }
    has_slice |= slice;
    key |= type == 5;
  }
  if (has_slice) {
    put(h, bytes + from, len - from, key, pts);
    frames++;
  }
  return frames;
}

/* Four seconds, a key frame each; the slices hold no picture. */
static uint8_t *make_clip(size_t *len) {
  static const uint8_t head[] = {
      0,    0,    0,    1, 0x67, 0x42, 0xC0, 0x1E, 0xDA, 2,    0x80, 0xBF, 0xE5,
      0xC0, 0x44, 0,    0, 3,    0,    4,    0,    0,    3,    0,    0xC8, 0x3C,
      0x58, 0xBA, 0x80, 0, 0,    0,    1,    0x68, 0xCE, 0x3C, 0x80};
  uint8_t *clip = calloc(100, 2000);
  size_t at = 0;

  for (unsigned i = 0; clip != NULL && i < 100; i++) {
    if (i % 25 == 0) {
      memcpy(clip + at, head, sizeof head);
      at += sizeof head;
    }
    clip[at + 2] = 1;
    clip[at + 3] = i % 25 == 0 ? 0x65 : 0x41;
    memset(clip + at + 4, 0x80 + (int)(i % 100), 1000);
    at += 1004;
  }
  *len = at;
  return clip;
}

static uint8_t *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  long size = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
  uint8_t *bytes = size > 0 ? malloc((size_t)size) : NULL;

  if (bytes != NULL) {
    rewind(file);
    *len = fread(bytes, 1, (size_t)size, file);
  }
  if (file != NULL) {
    fclose(file);
  }
  return bytes;
}

static void create(host *h, void *arena) {
  kvs_device_info device = {
      .version = KVS_DEVICE_INFO_VERSION,
      .name = "example",
      .stream_count = 1,
      .storage = {.version = KVS_STORAGE_INFO_VERSION, .storage_size = ARENA}};
  kvs_callbacks callbacks = {.version = KVS_CALLBACKS_VERSION,
                             .user = h,
                             .event = on_event,
                             .random = on_random};
  kvs_stream_info info;

  must(kvs_client_create(arena, ARENA, &device, &callbacks, now(), &h->client),
       "create client");
  kvs_stream_info_init(&info);
  info.name = "example";
  info.nal_adaptation_flags =
      KVS_NAL_ADAPTATION_ANNEXB_NALS | KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;
  must(kvs_stream_create(h->client, &info, now(), &h->stream), "create stream");
  pump(h);
}

int main(int argc, char **argv) {
  static host h;
  size_t len = 0;
  uint8_t *clip = argc > 1 ? read_file(argv[1], &len) : make_clip(&len);
  void *arena = malloc(ARENA);

  h.out = argc > 2 ? fopen(argv[2], "wb") : tmpfile();
  if (clip == NULL || arena == NULL || h.out == NULL) {
    fprintf(stderr, "usage: upload_file [IN.h264 [OUT.mkv]]: cannot open\n");
    return 2;
  }
  create(&h, arena);
  unsigned frames = put_file(&h, clip, len);
  must(kvs_stream_stop(h.stream, now()), "stop");
  pump(&h);
  kvs_stream_free(h.stream);
  kvs_client_free(h.client);
  free(arena);
  free(clip);
  fclose(h.out);
  printf("%u frames, %u fragments, %u bytes, %s\n", frames, h.fragments,
         h.bytes, h.closed ? "all of it stored" : "NOT all of it stored");
  return h.closed && frames > 0 ? 0 : 1;
}
