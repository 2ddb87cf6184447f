/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS = 1024, PACKET_LEN = 1460, CALL_MS = 30, DRAIN_MS = 60000 };

/* A service call that waits for its answer. */
typedef struct call {
  kvs_event event;
  uint64_t due; /* mono */
} call;

struct world {
  const plan *p;
  kvs_client *client;
  kvs_time now;
  uint32_t random;
  uint8_t *arena;
  uint8_t *frame;
  call calls[CALLS];
  uint32_t call_count;
  camera cameras[WORLD_STREAMS];
  double credit; /* bytes that the link may pass now */
  uint32_t turn;
  bool begun;    /* the first Persisted was seen */
  bool draining; /* the plan is over; the link has no limit */
  world_result first;
  world_result sum; /* since the very beginning */
  world_result last;
};

static void must(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "bench_pressure: %s\n", what);
    exit(1);
  }
}

static void add_span(spans *list, span item) {
  if (list->count == list->cap) {
    list->cap = list->cap == 0 ? 256 : 2 * list->cap;
    list->items = (span *)realloc(list->items, list->cap * sizeof(span));
    must(list->items != NULL, "no memory");
  }
  list->items[list->count++] = item;
}

static bool has_begin(const spans *list, uint64_t begin) {
  for (size_t i = list->count; i-- != 0;) {
    if (list->items[i].begin == begin) {
      return true;
    }
  }
  return false;
}

/* ---- what the core says -------------------------------------------------- */

static camera *camera_of(world *w, uint32_t id) {
  for (uint32_t i = 0; i < w->p->streams; i++) {
    if (w->cameras[i].stream != NULL &&
        kvs_stream_id(w->cameras[i].stream) == id) {
      return &w->cameras[i];
    }
  }
  return NULL;
}

static void forget_session(camera *c) {
  c->session = 0;
  c->opened = false;
  c->ending = false;
  c->held = 0;
}

static void on_note(world *w, const kvs_event *event) {
  camera *c = camera_of(w, event->stream);

  if (c == NULL) {
    return;
  }
  if (event->type == KVS_EVENT_ABORT_STREAM) {
    w->sum.breaks++;
    forget_session(c);
  } else if (event->type == KVS_EVENT_DROPPED_FRAGMENT_REPORT) {
    const kvs_event_dropped_fragment_report *told =
        &event->u.dropped_fragment_report;
    span lost = {told->timecode / KVS_TICKS_PER_MS,
                 told->end / KVS_TICKS_PER_MS, told->frames};

    add_span(&c->dropped, lost);
    w->sum.dropped += told->frames;
  } else if (event->type == KVS_EVENT_SKIPPED_FRAMES_REPORT) {
    w->sum.dropped += event->u.skipped_frames_report.frames;
  } else if (event->type == KVS_EVENT_DROPPED_FRAME_REPORT) {
    w->sum.dropped++;
  }
}

static void note(world *w, const kvs_event *event) {
  if (event->type > KVS_EVENT_PUT_STREAM) { /* the calls come first */
    on_note(w, event);
    return;
  }
  must(w->call_count < CALLS, "too many calls wait");
  w->calls[w->call_count].event = *event;
  w->calls[w->call_count].due = w->now.mono + CALL_MS * KVS_TICKS_PER_MS;
  w->call_count++;
}

/* After each call: what it told. */
static void ask(world *w) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(w->client)) != NULL) {
    note(w, event);
  }
}

static uint32_t next_random(void *user) {
  world *w = (world *)user;

  w->random = w->random * 1664525u + 1013904223u;
  return w->random;
}

/* ---- the service --------------------------------------------------------- */

static void send_ack(camera *c, const char *type, uint64_t timecode) {
  char json[160];
  int len = snprintf(json, sizeof json,
                     "{\"EventType\":\"%s\",\"FragmentTimecode\":%llu,"
                     "\"FragmentNumber\":\"%llu\"}\r\n",
                     type, (unsigned long long)timecode,
                     (unsigned long long)(c->persisted.count + 1));

  (void)kvs_stream_parse_ack(c->stream, c->session, (const uint8_t *)json,
                             (size_t)len, c->w->now);
  ask(c->w);
}

static void on_fragment(void *user, const far_fragment *fragment) {
  camera *c = (camera *)user;
  world *w = c->w;

  if (!has_begin(&c->persisted, fragment->timecode)) {
    span kept = {fragment->timecode, fragment->timecode, fragment->frames};

    add_span(&c->persisted, kept);
    w->sum.persisted += fragment->payload;
  }
  if (!w->begun) {
    w->begun = true;
    w->first = w->sum;
  }
  send_ack(c, "RECEIVED", fragment->timecode);
  send_ack(c, "PERSISTED", fragment->timecode);
}

static void open_session(camera *c, uint64_t session) {
  forget_session(c);
  c->session = session;
  c->opened = true;
  far_open(&c->far, on_fragment, c);
  c->w->sum.sessions++;
}

static void answer(world *w, const kvs_event *event) {
  camera *c = camera_of(w, event->stream);
  kvs_answer said = {0};

  said.call = event->u.fields[0]; /* all calls begin with it */
  said.result = KVS_RESULT_OK;
  said.stream_status = KVS_STREAM_STATUS_ACTIVE;
  said.retention = 3600 * KVS_TICKS_PER_SECOND;
  said.expiration = KVS_NEVER;
  if (event->stream == 0) {
    (void)kvs_client_answer(w->client, &said, w->now);
    return;
  }
  if (c == NULL) {
    return;
  }
  if (kvs_stream_answer(c->stream, &said, w->now) == KVS_OK &&
      event->type == KVS_EVENT_PUT_STREAM) {
    open_session(c, event->u.put_stream.session);
  }
}

static void answer_due(world *w) {
  for (uint32_t i = 0; i < w->call_count;) {
    call due = w->calls[i];

    if (due.due > w->now.mono) {
      i++;
      continue;
    }
    w->call_count--;
    memmove(&w->calls[i], &w->calls[i + 1],
            (w->call_count - i) * sizeof(w->calls[0]));
    answer(w, &due.event);
    ask(w);
  }
}

/* ---- the link ------------------------------------------------------------ */

/* Fills the socket buffer with what the session has. */
static void fill_socket(camera *c) {
  while (c->session != 0 && c->opened && !c->ending && c->held < SOCKET_LEN) {
    uint32_t to = (c->from + c->held) % SOCKET_LEN;
    uint32_t room = to >= c->from ? SOCKET_LEN - to : c->from - to;
    size_t taken = 0;
    kvs_status status = kvs_stream_take(
        c->stream, c->session, &c->socket[to],
        room < SOCKET_LEN - c->held ? room : SOCKET_LEN - c->held, c->w->now,
        &taken);

    ask(c->w);
    if (status == KVS_STATUS_END_OF_STREAM) {
      c->ending = true;
    } else if (status != KVS_OK) {
      return;
    }
    c->held += (uint32_t)taken;
  }
}

static void end_session(camera *c) {
  uint64_t session = c->session;

  far_close(&c->far);
  if (c->session == session) {
    forget_session(c);
    (void)kvs_stream_session_ended(c->stream, session, KVS_RESULT_OK,
                                   c->w->now);
    ask(c->w);
  }
}

/* One packet of |c|; whether it had one. */
static bool pass_packet(camera *c) {
  uint32_t n = c->held < PACKET_LEN ? c->held : PACKET_LEN;
  uint32_t from = c->from;

  if (c->session == 0 || n == 0) {
    return false;
  }
  n = n < SOCKET_LEN - from ? n : SOCKET_LEN - from;
  c->from = (from + n) % SOCKET_LEN;
  c->held -= n;
  c->w->credit -= n;
  c->w->sum.passed += n;
  far_feed(&c->far, &c->socket[from], n);
  if (c->session != 0 && c->ending && c->held == 0) {
    end_session(c);
  }
  fill_socket(c);
  return true;
}

static void run_link(world *w) {
  double rate = w->p->link * (double)w->p->streams * (double)w->p->frame_len /
                FRAME_MS * TICK_MS;
  uint32_t idle = 0;

  rate *= w->draining ? 1000 : 1;
  w->credit = w->credit + rate < rate + PACKET_LEN ? w->credit + rate
                                                   : rate + PACKET_LEN;
  for (uint32_t i = 0; i < w->p->streams; i++) {
    fill_socket(&w->cameras[i]);
    if (w->cameras[i].ending && w->cameras[i].held == 0) {
      end_session(&w->cameras[i]);
    }
  }
  while (w->credit > 0 && idle < w->p->streams) {
    idle = pass_packet(&w->cameras[w->turn]) ? 0 : idle + 1;
    w->turn = (w->turn + 1) % w->p->streams;
  }
}

/* ---- the cameras ----------------------------------------------------------
 */

static void put_frame(camera *c, uint64_t n) {
  world *w = c->w;
  kvs_frame frame = {0};

  frame.flags = n % w->p->gop == 0 ? KVS_FRAME_KEY : KVS_FRAME_NONE;
  frame.track_id = 1;
  frame.pts = w->now.wall;
  frame.dts = KVS_NEVER;
  frame.duration = FRAME_MS * KVS_TICKS_PER_MS;
  frame.data = w->frame;
  frame.size = (size_t)w->p->frame_len;
  w->sum.frames++;
  w->sum.offered += w->p->frame_len;
  if (kvs_stream_put(c->stream, &frame, w->now) != KVS_OK) {
    w->sum.refused++;
  }
  ask(w);
}

static void open_world(world *w, const plan *p) {
  kvs_device_info info = {0};
  kvs_callbacks callbacks = {0};

  memset(w, 0, sizeof *w);
  w->p = p;
  w->random = 7;
  w->arena = (uint8_t *)malloc((size_t)p->arena_len);
  w->frame = (uint8_t *)malloc((size_t)p->frame_len);
  must(w->arena != NULL && w->frame != NULL, "no memory");
  memset(w->frame, 0x5A, (size_t)p->frame_len);
  w->now.mono = 1000 * KVS_TICKS_PER_SECOND;
  w->now.wall = UINT64_C(1795400000) * KVS_TICKS_PER_SECOND;
  info.name = "pressure";
  info.stream_count = p->streams;
  info.storage.storage_size = p->arena_len;
  callbacks.user = w;
  callbacks.random = next_random;
  must(kvs_client_create(w->arena, (size_t)p->arena_len, &info, &callbacks,
                         w->now, &w->client) == KVS_OK,
       "no client");
}

static void open_camera(world *w, uint32_t i) {
  camera *c = &w->cameras[i];
  kvs_stream_info info;
  char name[32];

  snprintf(name, sizeof name, "camera-%u", (unsigned)i);
  kvs_stream_info_init(&info);
  info.name = name;
  info.nal_adaptation_flags = KVS_NAL_ADAPTATION_NONE;
  info.buffer_duration = w->p->window;
  info.streaming_type =
      w->p->offline ? KVS_STREAMING_OFFLINE : KVS_STREAMING_REALTIME;
  c->w = w;
  must(kvs_stream_create(w->client, &info, w->now, &c->stream) == KVS_OK,
       "no stream");
}

static void close_world(world *w) {
  kvs_client_free(w->client);
  for (uint32_t i = 0; i < w->p->streams; i++) {
    free(w->cameras[i].persisted.items);
    free(w->cameras[i].dropped.items);
  }
  free(w->arena);
  free(w->frame);
}

/* Frames of persisted fragments that begin within a span told as lost. */
static uint64_t false_drops(const camera *c) {
  uint64_t frames = 0;

  for (size_t i = 0; i < c->dropped.count; i++) {
    const span *lost = &c->dropped.items[i];

    for (size_t k = 0; k < c->persisted.count; k++) {
      uint64_t begin = c->persisted.items[k].begin;

      frames += begin >= lost->begin && begin < lost->end
                    ? c->persisted.items[k].frames
                    : 0;
    }
  }
  return frames;
}

static void run_tick(world *w) {
  if (kvs_client_deadline(w->client) <= w->now.mono) {
    (void)kvs_client_step(w->client, w->now);
    ask(w);
  }
  answer_due(w);
  run_link(w);
  w->now.mono += TICK_MS * KVS_TICKS_PER_MS;
  w->now.wall += TICK_MS * KVS_TICKS_PER_MS;
}

/* What the streams still hold goes out over a link without a limit, so that
 * every frame can be accounted for. */
static void drain(world *w) {
  w->draining = true;
  for (uint32_t i = 0; i < w->p->streams; i++) {
    (void)kvs_stream_stop(w->cameras[i].stream, w->now);
  }
  ask(w);
  for (uint32_t tick = 0; tick < DRAIN_MS / TICK_MS; tick++) {
    run_tick(w);
  }
}

static world_result result_of(const world *w) {
  world_result r = w->sum;
  uint64_t known = w->sum.dropped + w->sum.refused;

  r.offered = w->last.offered - w->first.offered;
  r.passed = w->last.passed - w->first.passed;
  r.persisted = w->last.persisted - w->first.persisted;
  if (!w->begun || w->last.passed < w->first.passed) {
    r.offered = w->last.offered; /* nothing at all came before the end */
    r.passed = w->last.passed;
    r.persisted = 0;
  }
  r.false_drops = 0;
  for (uint32_t i = 0; i < w->p->streams; i++) {
    const camera *c = &w->cameras[i];

    r.false_drops += false_drops(c);
    for (size_t k = 0; k < c->persisted.count; k++) {
      known += c->persisted.items[k].frames;
    }
  }
  r.silent_losses = w->sum.frames > known ? w->sum.frames - known : 0;
  return r;
}

world_result world_run(const plan *p) {
  world *w = (world *)malloc(sizeof *w);
  world_result result;
  uint64_t frames = p->seconds * 1000 / FRAME_MS;

  must(w != NULL, "no memory");
  open_world(w, p);
  for (uint32_t i = 0; i < p->streams; i++) {
    open_camera(w, i);
  }
  for (uint64_t n = 0; n < frames; n++) {
    /* Cameras do not make their key frames all at once. */
    for (uint32_t i = 0; i < p->streams; i++) {
      put_frame(&w->cameras[i], n + i * 7);
    }
    for (uint32_t tick = 0; tick < FRAME_MS / TICK_MS; tick++) {
      run_tick(w);
    }
  }
  w->last = w->sum;
  drain(w);
  result = result_of(w);
  close_world(w);
  free(w);
  return result;
}
