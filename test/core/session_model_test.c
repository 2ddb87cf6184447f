/* The session machine against a naive model: random sequences of everything
 * that a host and a service may do, to two streams of one arena, each step
 * followed by what must hold. At the end of each round the service is kind, the
 * host keeps to the deadlines alone, and every frame that was accepted must
 * have been acknowledged, or told as dropped or skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/client.h"
#include "session_model.h"

enum {
  ROUNDS = 60,
  STEPS = 1200,
  STREAMS = 2,
  ARENA = 10 * 1024 * 1024,
  MAX_CALLS = 8
};
#define MS KVS_TICKS_PER_MS
#define SECOND KVS_TICKS_PER_SECOND

typedef struct call {
  uint32_t stream; /* 0: the client; UINT32_MAX: none */
  uint32_t type;
  uint64_t number;
} call;

static uint8_t arena[ARENA];
static uint64_t seed;
static kvs_client *client;
static kvs_time now;
static model models[STREAMS];
static uint64_t media[STREAMS]; /* stamp of the next frame */
static uint32_t until_key[STREAMS];
static uint32_t gop[STREAMS];  /* at most so many frames */
static bool sound_on[STREAMS]; /* the second track is not silent */
static uint32_t large;         /* the largest frame */
static bool reorders; /* there are frames that are shown later than others */
static call calls[STREAMS + 1]; /* the one of each, of the client last */

static uint32_t below(uint32_t limit) {
  return (uint32_t)(check_random(&seed) % limit);
}

static bool one_in(uint32_t n) {
  return below(n) == 0;
}

static model *model_of(uint32_t stream) {
  for (uint32_t i = 0; i < STREAMS; i++) {
    if (models[i].stream != NULL && kvs_stream_id(models[i].stream) == stream) {
      return &models[i];
    }
  }
  return NULL;
}

static void note(const kvs_event *event) {
  model *m = model_of(event->stream);
  call *slot = m == NULL ? &calls[STREAMS] : &calls[m - models];

  if (event->type <= KVS_EVENT_PUT_STREAM) {
    *slot = (call){event->stream, event->type, event->u.fields[0]};
  }
  if (m != NULL) {
    model_event(m, event, now);
  }
}

/* What the last call told. */
static void poll(void) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(client)) != NULL) {
    note(event);
  }
}

static uint32_t next_random(void *user) {
  (void)user;
  return (uint32_t)check_random(&seed);
}

/* ---- a round begins ------------------------------------------------------ */

static void shape(kvs_stream_info *info, const char *name) {
  static const uint64_t scales[] = {MS, MS, MS / 10, 1, SECOND};

  kvs_stream_info_init(info);
  info->name = name;
  info->nal_adaptation_flags = KVS_NAL_ADAPTATION_NONE;
  info->timecode_scale = scales[below(5)];
  info->absolute_fragment_times = !one_in(3);
  info->key_frame_fragmentation = !one_in(4);
  info->min_fragment_duration = one_in(3) ? 0 : SECOND;
  info->fragment_acks = !one_in(4);
  info->retention = one_in(4) ? 0 : 3600 * SECOND;
  /* Where acks say what is durable, nothing is ever replayed. */
  info->replay_duration =
      info->retention != 0 && info->fragment_acks ? info->replay_duration : 0;
  info->restart_on_error = !one_in(8);
  info->overflow_policy =
      one_in(4) ? KVS_OVERFLOW_REFUSE : KVS_OVERFLOW_DROP_OLDEST;
  info->streaming_type =
      one_in(4) && info->retention != 0 && info->fragment_acks
          ? KVS_STREAMING_OFFLINE
          : KVS_STREAMING_REALTIME;
  info->buffer_duration = (20 + below(3) * 50) * SECOND;
  info->idle_duration = one_in(3) ? 5 * SECOND : 20 * SECOND;
  info->session_duration = one_in(3) ? 30 * SECOND : 2400 * SECOND;
  info->tag_count = one_in(3) ? 1 : 0;
  info->tracks[1].track_id = 2;
  info->tracks[1].type = KVS_TRACK_AUDIO;
  info->tracks[1].codec_id = "A_AAC";
}

static void begin_round(void) {
  static const char *const names[STREAMS] = {"one", "two"};
  kvs_device_info device = {0};
  kvs_callbacks callbacks = {0};
  uint32_t tracks = 1 + below(2);

  device.name = "device";
  device.stream_count = STREAMS;
  device.storage.storage_size = ARENA;
  callbacks.random = next_random;
  now.mono = 1000 * SECOND;
  now.wall = UINT64_C(1795400000) * SECOND;
  CHECK_EQ(kvs_client_create(arena, ARENA, &device, &callbacks, now, &client),
           KVS_OK);
  /* In a full arena it is not to be foretold which header finds room. */
  reorders = one_in(3);
  large = tracks == 1 ? MODEL_MAX_FRAME : 5000;
  for (uint32_t i = 0; i < STREAMS; i++) {
    kvs_stream_info info;
    kvs_stream *stream = NULL;

    shape(&info, names[i]);
    info.track_count = tracks;
    calls[i].stream = UINT32_MAX;
    CHECK_EQ(kvs_stream_create(client, &info, now, &stream), KVS_OK);
    model_init(&models[i], stream, &info);
    models[i].last_mono = now.mono;
    media[i] = now.wall;
    gop[i] = one_in(3) ? 2 : 30;
    until_key[i] = below(4);
    poll();
  }
}

/* ---- steps --------------------------------------------------------------- */

/* Media time goes on, or makes a mistake, or jumps. */
static void move_media(uint32_t i) {
  if (one_in(300)) {
    media[i] += (uint64_t)below(60) * SECOND;
  } else if (one_in(300)) {
    media[i] -= (uint64_t)below(60000) * MS;
  } else if (one_in(40)) {
    media[i] += below(3) * MS / 4;
  } else {
    media[i] += one_in(50) ? below(4000) * MS : (20 + below(60)) * MS;
  }
}

/* STORE_OUT_OF_MEMORY is for a stream that may not drop what it has, or where
 * others, which may not, have it all. */
static bool may_refuse(const model *m, size_t size) {
  bool keeps = m->info.streaming_type == KVS_STREAMING_OFFLINE ||
               m->info.overflow_policy == KVS_OVERFLOW_REFUSE;
  kvs_client_metrics metrics;

  CHECK_EQ(kvs_client_get_metrics(client, now, &metrics), KVS_OK);
  return keeps || metrics.content_store_available_size <
                      size + 3 * (uint64_t)KVS_PAGE_SIZE;
}

/* What was ended for want of room. */
static void note_ended(bool tag_alone) {
  for (uint32_t k = 0; k < STREAMS; k++) {
    const kvs_stream *stream = models[k].stream;
    bool tag = !stream->fragment_open && stream->view.newest != 0 &&
               (kvs_view_fragment(&stream->view, stream->view.newest)->state &
                KVS_FRAGMENT_ENDED) != 0;

    if (models[k].open && !stream->fragment_open && (tag || !tag_alone)) {
      model_end_open(&models[k], !tag);
    }
  }
}

static void put(uint32_t i) {
  static uint8_t bytes[MODEL_MAX_FRAME];
  model *m = &models[i];
  kvs_frame frame = {0};
  model_put plan;
  kvs_status status;

  frame.track_id = m->info.track_count == 2 && sound_on[i] && one_in(2) ? 2 : 1;
  sound_on[i] = one_in(25) ? !sound_on[i] : sound_on[i];
  frame.flags =
      frame.track_id == 1 && until_key[i] == 0 ? KVS_FRAME_KEY : KVS_FRAME_NONE;
  frame.flags |= one_in(40) ? KVS_FRAME_END_OF_FRAGMENT : 0u;
  frame.pts = media[i];
  frame.dts = KVS_NEVER;
  if (reorders && frame.track_id == 1) { /* shown later than decoded */
    frame.dts = media[i];
    frame.pts += below(4) * 40 * MS;
  }
  frame.duration = 40 * MS;
  frame.data = bytes;
  frame.size = 1 + (one_in(3) ? below(large) : below(5000));
  if (frame.track_id == 1) {
    until_key[i] = until_key[i] == 0 ? below(gop[i]) : until_key[i] - 1;
  }
  model_bytes(m->frame_count, (uint32_t)frame.size, bytes);
  m->tight = m->open && kvs_room_tight(m->stream, (uint32_t)frame.size);
  plan = model_plan(m, &frame, now);
  for (uint32_t k = 0; k < STREAMS; k++) { /* it may cost the other one, too */
    models[k].putting = true;
  }
  status = kvs_stream_put(m->stream, &frame, now);
  poll();
  for (uint32_t k = 0; k < STREAMS; k++) {
    models[k].putting = false;
  }
  if (status != plan.status) {
    model_require(m,
                  status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
                      plan.status == KVS_OK && may_refuse(m, frame.size),
                  "put answers as the rulings say");
  }
  if (m->frame_gone) {
    note_ended(false);
  }
  model_put_done(m, &frame, &plan, status, now);
  move_media(i);
}

/* A frame of no bytes: the fragment ends. */
static void put_end(uint32_t i) {
  model *m = &models[i];
  kvs_status plan = model_end_plan(m);
  kvs_frame frame = {0};
  kvs_status status;

  frame.flags = KVS_FRAME_END_OF_FRAGMENT;
  frame.track_id = 1;
  for (uint32_t k = 0; k < STREAMS; k++) {
    models[k].putting = true;
  }
  status = kvs_stream_put(m->stream, &frame, now);
  poll();
  for (uint32_t k = 0; k < STREAMS; k++) {
    models[k].putting = false;
  }
  if (status == KVS_OK && plan == KVS_OK) {
    model_ended(m);
  } else {
    model_require(m,
                  status == plan || (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
                                     may_refuse(m, 1000)),
                  "an end without a frame is for an open fragment");
  }
}

static void take(uint32_t i, uint32_t most) {
  static uint8_t out[100000];
  model *m = &models[i];
  size_t room = 1 + below(most < sizeof(out) ? most : sizeof(out));
  size_t taken = 0;
  uint64_t session = one_in(50) ? m->session - 1 : m->session;
  kvs_status status;

  m->taking = true;
  status = kvs_stream_take(m->stream, session, out, room, now, &taken);
  poll();
  m->taking = false;
  note_ended(true);
  if (session == m->session) {
    model_take(m, out, taken, room, status, now);
  } else {
    model_require(m, status == KVS_STATUS_UPLOAD_HANDLE_ABORTED && taken == 0,
                  "an old session takes nothing");
  }
}

static void give_ack(model *m, uint64_t session, const kvs_ack *ack) {
  static const char *const types[] = {"BUFFERING", "RECEIVED", "PERSISTED",
                                      "ERROR", "IDLE"};
  char text[256];
  int len = snprintf(text, sizeof(text), "{\"EventType\":\"%s\"",
                     types[ack->type - KVS_ACK_BUFFERING]);
  size_t at = 0;

  if (one_in(2)) {
    (void)kvs_stream_ack(m->stream, session, ack, now);
    poll();
    return;
  }
  if (ack->has_timecode) {
    len += snprintf(text + len, sizeof(text) - (size_t)len,
                    ",\"FragmentTimecode\":%llu",
                    (unsigned long long)ack->timecode);
  }
  len += snprintf(text + len, sizeof(text) - (size_t)len, ",\"ErrorId\":%u}",
                  (unsigned)ack->error_id);
  while (at < (size_t)len) {
    size_t n = 1 + below((uint32_t)((size_t)len - at));

    (void)kvs_stream_parse_ack(m->stream, session, (const uint8_t *)text + at,
                               n, now);
    poll();
    at += n;
  }
}

/* Any ack: of what was sent or will be, in any order, once or again, of this
 * session or another. */
static void ack(uint32_t i) {
  static const uint32_t errors[] = {4000, 4001, 4002, 4003, 4004, 4005, 4006,
                                    4007, 4008, 4009, 4010, 4011, 4012, 4500,
                                    4503, 4507, 5000, 5001, 9999};
  model *m = &models[i];
  uint64_t session = one_in(20) ? m->session - 1 : m->session;
  kvs_ack one = {0};

  one.type = (kvs_ack_type)(KVS_ACK_BUFFERING + below(3));
  one.type = one_in(30) ? KVS_ACK_ERROR : one.type;
  one.type = one_in(60) ? KVS_ACK_IDLE : one.type;
  one.error_id = one.type == KVS_ACK_ERROR ? errors[below(19)] : 0;
  one.has_timecode = one.type == KVS_ACK_ERROR ? !one_in(3) : !one_in(50);
  if (m->count != 0 && !one_in(20)) {
    uint32_t newest = m->next < m->count ? m->next : m->count - 1;
    uint32_t back = below(5);

    one.timecode = model_ms(m, newest > back ? newest - back : 0);
  }
  if (session == m->session && m->live) {
    model_ack(m, &one);
  }
  give_ack(m, session, &one);
}

static void end_session(uint32_t i) {
  static const uint32_t results[] = {
      200, 400, 401,   403,   404,  408,  413,  429,   500,   503,   504,
      598, 599, 10000, 10003, 4000, 4004, 4500, 10007, 10400, 10401, 0};
  model *m = &models[i];

  (void)kvs_stream_session_ended(m->stream,
                                 one_in(10) ? m->session - 1 : m->session,
                                 results[below(22)], now);
  poll();
}

static void answer(uint32_t slot, bool kind) {
  static const uint32_t results[] = {404, 403, 500, 599, 400, 429, 10003, 777};
  call made = calls[slot];
  kvs_answer given = {0};
  model *m = model_of(made.stream);

  if (made.stream == UINT32_MAX) {
    return;
  }
  calls[slot].stream = UINT32_MAX;
  given.call = made.number;
  given.result = kind || !one_in(5) ? KVS_RESULT_OK : results[below(8)];
  given.stream_status = kind || !one_in(10) ? KVS_STREAM_STATUS_ACTIVE
                                            : (kvs_stream_status)below(4);
  given.expiration =
      !kind && one_in(3)
          ? now.wall + (31 + below(one_in(2) ? 10 : 300)) * SECOND
          : KVS_NEVER;
  if (m == NULL) {
    (void)kvs_client_answer(client, &given, now);
    poll();
    return;
  }
  given.retention = m->info.retention;
  if (given.result == KVS_RESULT_OK &&
      made.type == KVS_EVENT_GET_STREAMING_TOKEN) {
    uint64_t life = given.expiration - now.wall - 30 * SECOND;

    m->token_until = given.expiration == KVS_NEVER
                         ? KVS_NEVER
                         : now.mono + (life < 10 * SECOND ? 10 * SECOND : life);
  }
  m->opened = m->opened || (given.result == KVS_RESULT_OK &&
                            made.type == KVS_EVENT_PUT_STREAM);
  (void)kvs_stream_answer(m->stream, &given, now);
  poll();
}

static void pass_time(uint64_t ticks) {
  now.mono += ticks;
  now.wall += ticks;
  for (uint32_t i = 0; i < STREAMS; i++) {
    model_stepped(&models[i], now);
  }
  (void)kvs_client_step(client, now);
  poll();
  CHECK(kvs_client_deadline(client) > now.mono); /* what was due is done */
}

static void stop(uint32_t i) {
  if (!models[i].stopping) {
    model_stop(&models[i]);
    CHECK_EQ(kvs_stream_stop(models[i].stream, now), KVS_OK);
    poll();
    model_stopped(&models[i]);
  }
}

static void odd_call(uint32_t i) {
  model *m = &models[i];
  bool hard = one_in(2);

  switch (below(8)) {
    case 0:
      stop(i);
      break;
    case 1:
      m->resetting = true;
      (void)kvs_stream_reset(m->stream, now);
      poll();
      m->resetting = false;
      model_anew(m);
      break;
    case 2:
    case 3:
      m->finish = m->finish || (m->live && !hard);
      (void)kvs_stream_reset_connection(m->stream, hard, now);
      poll();
      break;
    default:
      if (m->stopping) {
        m->resetting = m->closed;
        CHECK_EQ(kvs_stream_start(m->stream, now), KVS_OK);
        poll();
        m->resetting = false;
        model_anew(m);
      }
      break;
  }
}

static void put_tag(uint32_t i) {
  model *m = &models[i];
  static uint32_t number;
  char name[16];
  kvs_status status;

  (void)snprintf(name, sizeof(name), "tag%u", (unsigned)number++);
  status = kvs_stream_put_metadata(m->stream, name, "value", false, now);
  poll();

  if (m->stopping) {
    model_require(m, status == KVS_STATUS_STREAM_HAS_BEEN_STOPPED,
                  "a stopped stream takes no tags");
  } else if (m->tags == KVS_MAX_METADATA_COUNT) {
    model_require(m, status == KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT,
                  "ten tags and no more");
  } else {
    model_require(m, status == KVS_OK, "a tag is taken");
    m->tags++;
  }
}

static void step(void) {
  uint32_t i = below(STREAMS);
  uint32_t what = below(1000);

  if (what < 422) {
    put(i);
  } else if (what < 430) {
    put_end(i);
  } else if (what < 700) {
    take(i, one_in(10) ? 64 : 100000);
  } else if (what < 820) {
    ack(i);
  } else if (what < 880) {
    answer(below(STREAMS + 1), false);
  } else if (what < 960) {
    pass_time(one_in(30) ? below(60) * SECOND : below(400) * MS);
  } else if (what < 975) {
    put_tag(i);
  } else if (what < 990) {
    end_session(i);
  } else {
    odd_call(i);
  }
}

/* ---- a round ends -------------------------------------------------------- */

/* A kind service: everything is answered, read and acknowledged. */
static void serve(uint32_t i) {
  model *m = &models[i];

  while (calls[i].stream != UINT32_MAX) {
    answer(i, true);
  }
  for (uint32_t k = 0; k < 50 && m->live && m->fault == NULL; k++) {
    take(i, 100000);
  }
  for (uint32_t k = m->first; m->live && k < m->count; k++) {
    kvs_ack one = {0};

    if (m->list[k].fate == MODEL_HELD && model_whole(m, k)) {
      one.type = KVS_ACK_PERSISTED;
      one.has_timecode = true;
      one.timecode = model_ms(m, k);
      model_ack(m, &one);
      give_ack(m, m->session, &one);
    }
  }
  if (m->live && m->eof) {
    (void)kvs_stream_session_ended(m->stream, m->session, 200, now);
    poll();
  }
}

static bool sound(void) {
  bool ok = CHECK_EQ(kvs_client_check(client), KVS_OK);

  for (uint32_t i = 0; i < STREAMS; i++) {
    /* A host that keeps to the one deadline misses none. */
    ok = CHECK(kvs_client_deadline(client) <=
               kvs_stream_deadline(models[i].stream)) &&
         ok;
    model_check(&models[i], now);
    if (models[i].fault != NULL) {
      fprintf(stderr, "stream %u: not so: %s\n", i, models[i].fault);
      ok = CHECK(models[i].fault == NULL);
    }
  }
  return ok;
}

/* Only deadlines move time; all is closed in the end. */
static bool drain(void) {
  bool ok = true;
  uint32_t open = STREAMS;

  for (uint32_t i = 0; i < STREAMS; i++) {
    stop(i);
  }
  for (uint32_t turn = 0; ok && open != 0 && turn < 3000; turn++) {
    uint64_t due;

    while (calls[STREAMS].stream != UINT32_MAX) {
      answer(STREAMS, true);
    }
    open = 0;
    for (uint32_t i = 0; i < STREAMS; i++) {
      serve(i);
      open += models[i].closed ? 0 : 1;
    }
    ok = sound();
    due = kvs_client_deadline(client);
    if (due != KVS_NEVER) {
      pass_time(due > now.mono ? due - now.mono : 0);
    }
  }
  return CHECK_EQ(open, 0) && ok;
}

/* Nothing that was accepted is gone without a word. */
static void account(void) {
  for (uint32_t i = 0; i < STREAMS; i++) {
    const model *m = &models[i];
    uint64_t freed = 0;

    for (uint32_t k = 0; k < m->count; k++) {
      freed += m->list[k].fate == MODEL_FREED ? m->list[k].count : 0;
    }
    CHECK_EQ(m->accepted, freed + m->dropped + m->skipped);
    CHECK_EQ(m->skipped, m->skipped_told);
  }
}

static bool play(uint32_t round) {
  bool ok = true;
  uint32_t k = 0;

  begin_round();
  for (; ok && k < STEPS; k++) {
    step();
    ok = sound();
  }
  ok = ok && drain();
  if (ok) {
    account();
  } else {
    fprintf(stderr, "round %u, step %u\n", round, k);
  }
  kvs_client_free(client);
  for (uint32_t i = 0; i < STREAMS; i++) {
    model_done(&models[i]);
  }
  return ok;
}

static void the_session_does_what_the_rulings_say(void) {
  for (uint32_t round = 0; round < ROUNDS && play(round); round++) {
  }
}

int main(int argc, char **argv) {
  seed = argc > 1 ? strtoull(argv[1], NULL, 10) : UINT64_C(20181126);
  printf("seed %llu\n", (unsigned long long)seed);
  RUN(the_session_does_what_the_rulings_say);
  return check_report();
}
