/* The input plays the host, the clock and the service: it chooses the calls,
 * how far time moves, what each service call answers, what is taken and what
 * is acknowledged. After each step:
 *   - the arena and both views are sound;
 *   - every accepted frame is buffered, freed, or was reported as dropped or
 *     skipped, exactly;
 *   - only the ack that makes a fragment durable frees, that one alone, and
 *     only when every frame of it went out in the present session (or, without
 *     acks, its last byte does);
 *   - within one session's body the cluster times grow and every element is
 *     whole, and no two sessions overlap. */
#include <stdlib.h>
#include <string.h>

#include "core/client.h"
#include "nal_vectors.h"

#define CLOCK_IS_SET (UINT64_C(1795400000) * KVS_TICKS_PER_SECOND)
enum { STREAMS = 2, BODY = 1 << 18, MAX_CALLS = 64, CLUSTERS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

typedef struct script {
  const uint8_t *bytes;
  size_t len;
} script;

typedef struct call {
  uint32_t stream;
  uint32_t type;
  uint64_t number;
} call;

typedef struct watched {
  kvs_stream *stream;
  uint64_t session;
  bool live;         /* a session that was asked for has not ended */
  uint64_t accepted; /* frames that put took */
  uint64_t dropped;  /* frames of dropped fragments */
  uint64_t refused;  /* frames that went before they were stored */
  uint64_t skipped;  /* frames that were told as skipped */
  uint64_t freed;
  uint64_t media; /* ms, of the next frame */
  bool acks;
  bool replays; /* freed media may stay a while, to be sent again */
  struct {
    uint64_t ms;        /* its time, as acks name it */
    uint64_t blocks;    /* that went out so far */
  } clusters[CLUSTERS]; /* of the session, most recent */
  uint32_t cluster_count;
  uint8_t *body;
  size_t body_len;
  bool body_full;
} watched;

typedef struct world {
  script in;
  void *arena;
  kvs_client *client;
  kvs_time now;
  watched streams[STREAMS];
  call calls[MAX_CALLS];
  uint32_t call_count;
} world;

static void require(bool ok) {
  if (!ok) {
    abort();
  }
}

/* A step may be refused: what matters is what holds afterwards. */
static void any(kvs_status status) {
  (void)status;
}

static uint8_t next_byte(script *s) {
  if (s->len == 0) {
    return 0;
  }
  s->len--;
  return *s->bytes++;
}

static uint32_t next_word(script *s) {
  uint32_t high = next_byte(s);

  return high << 8 | next_byte(s);
}

static watched *find_stream(world *w, uint32_t id) {
  for (uint32_t i = 0; i < STREAMS; i++) {
    if (w->streams[i].stream != NULL &&
        kvs_stream_id(w->streams[i].stream) == id) {
      return &w->streams[i];
    }
  }
  return NULL;
}

static void forget_calls(world *w, uint32_t stream) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < w->call_count; i++) {
    if (w->calls[i].stream != stream) {
      w->calls[kept++] = w->calls[i];
    }
  }
  w->call_count = kept;
}

static void note(world *w, const kvs_event *event) {
  watched *s = find_stream(w, event->stream);

  if (event->type <= KVS_EVENT_PUT_STREAM) {
    forget_calls(w, event->stream); /* one call at a time */
    w->calls[w->call_count++] =
        (call){event->stream, event->type, event->u.fields[0]};
  }
  if (s == NULL) {
    return;
  }
  if (event->type == KVS_EVENT_PUT_STREAM) {
    require(!s->live && event->u.put_stream.session > s->session);
    s->live = true;
    s->session = event->u.put_stream.session;
    s->body_len = 0;
    s->body_full = false;
    s->cluster_count = 0;
  } else if (event->type == KVS_EVENT_SESSION_ENDED) {
    require(s->live && event->u.session_ended.session == s->session);
    s->live = false;
  } else if (event->type == KVS_EVENT_SKIPPED_FRAMES_REPORT) {
    s->skipped += event->u.skipped_frames_report.frames;
  } else if (event->type == KVS_EVENT_DROPPED_FRAGMENT_REPORT) {
    s->dropped += event->u.dropped_fragment_report.frames;
  } else if (event->type == KVS_EVENT_DROPPED_FRAME_REPORT) {
    s->refused++;
  }
}

/* What the last call told, if the host asks: it may do so much later. */
static void poll(world *w) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(w->client)) != NULL) {
    note(w, event);
  }
}

static uint32_t next_random(void *user) {
  world *w = user;

  return next_word(&w->in) << 16 | next_word(&w->in);
}

/* ---- what went out ------------------------------------------------------ */

static bool number(const watched *s, size_t *at, bool marker, uint64_t *out) {
  uint32_t width = 1;

  if (*at >= s->body_len || s->body[*at] == 0) {
    return false;
  }
  while ((s->body[*at] & (0x80u >> (width - 1))) == 0) {
    width++;
  }
  if (width > s->body_len - *at) {
    return false;
  }
  *out = marker ? s->body[*at] : s->body[*at] & (0xFFu >> width);
  for (uint32_t i = 1; i < width; i++) {
    *out = *out << 8 | s->body[*at + i];
  }
  if (!marker && *out == (UINT64_C(1) << (7 * width)) - 1) {
    *out = UINT64_MAX;
  }
  *at += width;
  return true;
}

static bool known(uint64_t id) {
  static const uint64_t ids[] = {0x1A45DFA3, 0x18538067, 0x1549A966,
                                 0x1654AE6B, 0x1F43B675, 0xE7,
                                 0xA7,       0xA3,       0x1254C367};

  for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
    if (ids[i] == id) {
      return true;
    }
  }
  return false;
}

/* Walks the session's body so far; a tail that is not whole is allowed unless
 * |whole|. */
static void check_body(watched *s, bool whole) {
  size_t at = 0;
  uint64_t last = 0;
  uint32_t clusters = 0;

  while (!s->body_full && at < s->body_len) {
    uint64_t id = 0;
    uint64_t size = 0;

    if (!number(s, &at, true, &id) || !number(s, &at, false, &size) ||
        (size != UINT64_MAX && size > s->body_len - at)) {
      require(!whole);
      break;
    }
    require(known(id));
    if (size == UINT64_MAX) {
      continue;
    }
    if (id == 0xE7) {
      uint64_t time = 0;

      for (uint64_t i = 0; i < size; i++) {
        time = time << 8 | s->body[at + i];
      }
      require(clusters == 0 || time > last);
      last = time;
      s->clusters[clusters % CLUSTERS].ms =
          time * s->stream->info.timecode_scale / KVS_TICKS_PER_MS;
      s->clusters[clusters % CLUSTERS].blocks = 0;
      clusters++;
    } else if (id == 0xA3) {
      require(clusters != 0);
      s->clusters[(clusters - 1) % CLUSTERS].blocks++;
    }
    at += size;
  }
  if (!s->body_full) {
    s->cluster_count = clusters;
  }
}

static void keep_body(watched *s, const uint8_t *bytes, size_t len) {
  if (s->body_full || len > BODY - s->body_len) {
    s->body_full = true;
    return;
  }
  memcpy(s->body + s->body_len, bytes, len);
  s->body_len += len;
}

/* ---- steps -------------------------------------------------------------- */

static void make_stream(world *w, uint32_t i) {
  static const char *const names[STREAMS] = {"one", "two"};
  watched *s = &w->streams[i];
  kvs_stream_info info;
  uint8_t shape = next_byte(&w->in);
  uint8_t more = next_byte(&w->in);
  uint8_t *body = s->body;

  memset(s, 0, sizeof(*s));
  s->body = body;
  kvs_stream_info_init(&info);
  info.name = names[i];
  info.nal_adaptation_flags =
      (shape & 1) != 0 ? info.nal_adaptation_flags : KVS_NAL_ADAPTATION_NONE;
  info.absolute_fragment_times = (shape & 2) != 0;
  info.fragment_acks = (shape & 4) == 0;
  info.restart_on_error = (shape & 8) == 0;
  info.streaming_type = (shape & 16) != 0 && info.fragment_acks
                            ? KVS_STREAMING_OFFLINE
                            : KVS_STREAMING_REALTIME;
  info.min_fragment_duration =
      (shape & 32) != 0 ? 0 : info.min_fragment_duration;
  info.key_frame_fragmentation = (shape & 64) == 0;
  info.tag_count = (shape & 128) != 0 ? 1 : 0;
  info.max_latency = 5 * KVS_TICKS_PER_SECOND;
  info.track_count = 1 + more % KVS_MAX_TRACKS;
  for (uint32_t track = 1; track < KVS_MAX_TRACKS; track++) {
    info.tracks[track].track_id = track + 1;
    info.tracks[track].type = track == 1 ? KVS_TRACK_AUDIO : KVS_TRACK_DATA;
    info.tracks[track].codec_id = track == 1 ? "A_AAC" : "data";
  }
  info.overflow_policy =
      (more & 4) != 0 ? KVS_OVERFLOW_REFUSE : KVS_OVERFLOW_DROP_OLDEST;
  info.frame_timecodes = (more & 0x18) != 0x18;
  info.timecode_scale = (more & 0x20) != 0 ? 1000 : KVS_TICKS_PER_MS;
  info.buffer_duration =
      (more & 0x40) != 0 ? 20 * KVS_TICKS_PER_SECOND : info.buffer_duration;
  if ((more & 0x80) != 0) {
    info.nal_adaptation_flags = KVS_NAL_ADAPTATION_AVCC_NALS;
  }
  info.replay_duration = i == 0 ? 0 : info.replay_duration;
  s->replays = i != 0;
  s->acks = info.fragment_acks;
  require(kvs_stream_create(w->client, &info, w->now, &s->stream) == KVS_OK);
  poll(w);
}

static void put(world *w, watched *s) {
  static uint8_t frame_bytes[300000];
  uint8_t kind = next_byte(&w->in);
  uint32_t size = 6 + next_word(&w->in) * ((kind & 3) == 3 ? 4u : 1u) / 4;
  kvs_frame frame = {0};

  s->media += next_byte(&w->in) % 64;
  if ((kind & 0xF0) == 0xF0) { /* a mistake, or a jump */
    s->media = (uint64_t)next_word(&w->in) * 100;
  }
  memset(frame_bytes, 0x55, size);
  if ((kind & 0x60) == 0x60) { /* parameter sets before the picture */
    const nal_vector *sets = nal_vector_at(size % 12);

    size += (uint32_t)nal_unhex(sets->annexb, frame_bytes, NAL_VECTOR_ROOM);
    memcpy(frame_bytes + size - 6, "\0\0\1\x65\x88\0", 6);
  } else {
    memcpy(frame_bytes, "\0\0\0\1\x65\x88", 6);
    if (size < 256) { /* several units, or AVCC, or nonsense */
      frame_bytes[3] = (kind & 1) != 0 ? 1 : (uint8_t)(size - 4);
      memcpy(frame_bytes + size - 4, "\0\0\1\x41", 4);
    }
  }
  frame.flags = (kind & 4) != 0 ? KVS_FRAME_KEY : KVS_FRAME_NONE;
  frame.flags |= (kind & 0x18) == 0x18 ? KVS_FRAME_END_OF_FRAGMENT : 0u;
  frame.track_id = (kind & 8) != 0 ? 2u + (kind >> 4 & 1u) : 1;
  frame.pts = s->media * KVS_TICKS_PER_MS;
  frame.dts = KVS_NEVER;
  frame.duration = 33 * KVS_TICKS_PER_MS;
  if (size % 16 == 3) { /* shown later than decoded, or much later */
    frame.dts = frame.pts;
    frame.pts += next_word(&w->in) * KVS_TICKS_PER_MS;
  } else if (size % 16 == 5) {
    frame.duration = next_word(&w->in) * KVS_TICKS_PER_MS * 10;
  }
  frame.data = frame_bytes;
  frame.size = size;
  s->accepted += kvs_stream_put(s->stream, &frame, w->now) == KVS_OK ? 1 : 0;
}

static void take(world *w, watched *s) {
  static uint8_t out[65536];
  size_t len = (size_t)next_word(&w->in) + 1;
  size_t taken = 0;
  kvs_status status = kvs_stream_take(
      s->stream, s->session, out, len > 65536 ? 65536 : len, w->now, &taken);

  require(status != KVS_OK || taken != 0);
  require(status == KVS_OK || taken == 0);
  keep_body(s, out, taken);
  check_body(s, status == KVS_STATUS_END_OF_STREAM);
}

/* Whether every frame of |fragment| went out in the present session. */
static bool went_out(const watched *s, const kvs_fragment *fragment) {
  uint64_t ms = fragment->cluster / KVS_TICKS_PER_MS;

  for (uint32_t i = 0; i < s->cluster_count && i < CLUSTERS; i++) {
    if (s->clusters[i].ms == ms && s->clusters[i].blocks == fragment->frames) {
      return true;
    }
  }
  /* Not to be told: it was not kept, or is no longer among the most recent. */
  return s->body_full || s->cluster_count > CLUSTERS;
}

static uint64_t freed_frames(const watched *s);

/* Frames of each fragment that an ack of |ms| may free: it is not freed yet
 * and went out. */
static uint32_t list_freeable(const watched *s, uint64_t ms,
                              uint64_t counts[CLUSTERS]) {
  const kvs_view *view = &s->stream->view;
  uint32_t count = 0;

  for (kvs_pos at = view->oldest; at != 0 && count < CLUSTERS;
       at = kvs_view_fragment(view, at)->next) {
    const kvs_fragment *fragment = kvs_view_fragment(view, at);

    if ((fragment->state & KVS_FRAGMENT_FREED) == 0 &&
        fragment->cluster / KVS_TICKS_PER_MS == ms && went_out(s, fragment)) {
      counts[count++] = fragment->frames;
    }
  }
  return count;
}

/* An ack that makes durable frees the fragment that it names, and no other. */
static void ack_one(world *w, watched *s, const kvs_ack *parsed) {
  bool durable =
      parsed->type == KVS_ACK_PERSISTED ||
      (parsed->type == KVS_ACK_RECEIVED && s->stream->retention == 0);
  uint64_t counts[CLUSTERS];
  uint32_t count = list_freeable(s, parsed->timecode, counts);
  uint64_t before = freed_frames(s);
  bool right;

  (void)kvs_stream_ack(s->stream, s->session, parsed, w->now);
  poll(w);
  right = !s->acks || s->replays || freed_frames(s) == before;
  for (uint32_t i = 0; i < count; i++) {
    right = right || (durable && freed_frames(s) - before == counts[i]);
  }
  require(right);
}

static void ack(world *w, watched *s) {
  static const uint32_t errors[] = {4000, 4003, 4004, 4008, 4500, 5000, 9999};
  uint8_t kind = next_byte(&w->in);
  kvs_ack parsed = {0};

  parsed.type = (kvs_ack_type)(1 + kind % 5);
  if (parsed.type == KVS_ACK_ERROR && (kind & 0x80) == 0) {
    parsed.type = KVS_ACK_PERSISTED;
  }
  parsed.has_timecode = true;
  parsed.error_id = errors[kind % 7];
  if (s->cluster_count != 0) {
    parsed.timecode = s->clusters[next_byte(&w->in) % CLUSTERS].ms;
  }
  ack_one(w, s, &parsed);
}

static void raw_ack(world *w, watched *s) {
  uint8_t text[64];
  size_t len = next_byte(&w->in) % sizeof(text);

  for (size_t i = 0; i < len; i++) {
    text[i] = next_byte(&w->in);
  }
  (void)kvs_stream_parse_ack(s->stream, s->session, text, len, w->now);
}

static void answer(world *w) {
  static const uint32_t results[] = {200, 200, 200, 200, 200,   404, 403,
                                     500, 599, 400, 429, 10003, 777};
  uint8_t kind = next_byte(&w->in);
  kvs_answer answer = {0};
  call made;

  if (w->call_count == 0) {
    return;
  }
  made = w->calls[kind % w->call_count];
  answer.call = made.number;
  answer.result = results[next_byte(&w->in) % 13];
  answer.stream_status = (kind & 0x70) == 0x70 ? KVS_STREAM_STATUS_UPDATING
                                               : KVS_STREAM_STATUS_ACTIVE;
  answer.retention = (kind & 0x80) != 0 ? 0 : 3600 * KVS_TICKS_PER_SECOND;
  answer.expiration =
      (kind & 8) != 0 ? w->now.wall + 100 * KVS_TICKS_PER_SECOND : KVS_NEVER;
  if (made.stream == 0) {
    (void)kvs_client_answer(w->client, &answer, w->now);
  } else {
    watched *s = find_stream(w, made.stream);

    if (s != NULL) {
      (void)kvs_stream_answer(s->stream, &answer, w->now);
    }
  }
}

static void advance(world *w) {
  uint64_t ticks = (uint64_t)next_word(&w->in) * 10 * KVS_TICKS_PER_MS;

  w->now.mono += ticks;
  w->now.wall += ticks;
  (void)kvs_client_step(w->client, w->now);
}

/* The wall clock is set: forth, back, or to where it stands at boot. */
static void set_wall(world *w, uint8_t kind) {
  uint64_t by = next_word(&w->in) * KVS_TICKS_PER_SECOND / 16;

  if ((kind & 0xC0) == 0xC0) {
    w->now.wall = by;
  } else if ((kind & 0x40) != 0) {
    w->now.wall = CLOCK_IS_SET + by;
  } else if ((kind & 0x80) != 0) {
    w->now.wall += by;
  } else {
    w->now.wall -= by < w->now.wall ? by : 0;
  }
}

static void odd_call(world *w, watched *s) {
  static uint8_t private_data[6000];
  uint8_t kind = next_byte(&w->in);
  uint32_t len = 0;

  switch (kind % 8) {
    case 0:
      (void)kvs_stream_stop(s->stream, w->now);
      break;
    case 1:
      (void)((kind & 0x80) != 0 ? kvs_stream_start(s->stream, w->now)
                                : kvs_stream_reset(s->stream, w->now));
      break;
    case 2:
      (void)kvs_stream_reset_connection(s->stream, (kind & 0x80) != 0, w->now);
      break;
    case 3:
      any(kvs_stream_put_metadata(s->stream, (kind & 0x10) != 0 ? "a" : "name",
                                  (kind & 0x20) != 0 ? "" : "value",
                                  (kind & 0x80) != 0, w->now));
      break;
    case 4:
      len = next_word(&w->in) % sizeof(private_data);
      memset(private_data, kind, len);
      any(kvs_stream_format_changed(s->stream, 1 + kind / 64, private_data, len,
                                    w->now));
      break;
    case 5:
      any(kvs_stream_put_event(s->stream, kind / 64, NULL, w->now));
      break;
    case 6:
      set_wall(w, kind);
      break;
    default:
      (void)kvs_stream_session_ended(s->stream, s->session,
                                     (kind & 0x80) != 0 ? 200 : 598, w->now);
      break;
  }
}

/* ---- what holds after each step ----------------------------------------- */

/* Frames in fragments that are still to be made durable. */
static uint64_t unfreed_frames(const watched *s) {
  const kvs_view *view = &s->stream->view;
  uint64_t frames = 0;

  for (kvs_pos at = view->oldest; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    const kvs_fragment *fragment = kvs_view_fragment(view, at);

    if ((fragment->state & KVS_FRAGMENT_FREED) == 0) {
      frames += fragment->frames;
    }
  }
  return frames;
}

/* Frames that were stored and are neither to be made durable nor dropped. */
static uint64_t freed_frames(const watched *s) {
  uint64_t gone = unfreed_frames(s) + s->dropped;
  kvs_stream_metrics m;

  require(kvs_stream_get_metrics(s->stream, (kvs_time){0}, &m) == KVS_OK);
  require(m.total_frames >= gone);
  return m.total_frames - gone;
}

static void check_counts(watched *s, bool frees, kvs_time now) {
  kvs_stream_metrics m;
  uint64_t freed = freed_frames(s);

  require(kvs_stream_get_metrics(s->stream, now, &m) == KVS_OK);
  require(m.dropped_frames == s->dropped + s->refused);
  require(m.skipped_frames == s->skipped + s->stream->skipped);
  require(s->accepted == m.total_frames + m.skipped_frames + s->refused);
  if (!s->replays) {
    require(frees ? freed >= s->freed : freed == s->freed);
  }
  s->freed = freed;
}

static void step(world *w) {
  uint8_t op = next_byte(&w->in);
  watched *s = &w->streams[(op >> 7) % STREAMS];
  bool frees = false;

  switch (op % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      put(w, s);
      break;
    case 5:
    case 6:
    case 7:
      take(w, s);
      frees = !s->acks;
      break;
    case 8:
    case 9:
      ack(w, s);
      frees = true;
      break;
    case 10:
    case 11:
    case 12:
      answer(w);
      break;
    case 13:
      advance(w);
      break;
    case 14:
      raw_ack(w, s);
      frees = true;
      break;
    default:
      odd_call(w, s);
      break;
  }
  poll(w);
  require(kvs_client_check(w->client) == KVS_OK);
  for (uint32_t i = 0; i < STREAMS; i++) {
    check_counts(&w->streams[i], frees, w->now);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static world w;
  static uint64_t arena[KVS_MIN_STORAGE_SIZE / 8];
  kvs_device_info info = {0};
  kvs_callbacks callbacks = {0};
  kvs_heap_stats stats;

  memset(&w, 0, sizeof(w));
  w.in = (script){data, len};
  w.arena = arena;
  w.now.mono = KVS_TICKS_PER_SECOND;
  w.now.wall = CLOCK_IS_SET;
  info.stream_count = STREAMS;
  info.storage.storage_size = KVS_MIN_STORAGE_SIZE;
  callbacks.user = &w;
  callbacks.random = next_random;
  require(kvs_client_create(w.arena, KVS_MIN_STORAGE_SIZE, &info, &callbacks,
                            w.now, &w.client) == KVS_OK);
  poll(&w);
  for (uint32_t i = 0; i < STREAMS; i++) {
    w.streams[i].body = malloc(BODY);
    make_stream(&w, i);
  }
  while (w.in.len != 0) {
    step(&w);
  }
  for (uint32_t i = 0; i < STREAMS; i++) {
    kvs_stream_free(w.streams[i].stream);
    free(w.streams[i].body);
  }
  kvs_heap_get_stats(&w.client->host.heap, &stats);
  require(stats.used == 0);
  require(kvs_client_check(w.client) == KVS_OK);
  kvs_client_free(w.client);
  return 0;
}
