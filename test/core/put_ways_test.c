/* The short way of a put (stream_put.c) is a shortcut and nothing else: two
 * streams get the same calls, one of them with the short way shut before every
 * frame, and are the same after each step, to the byte that they send. */
#include <stdlib.h>
#include <string.h>

#include "core/stream_put.h"
#include "scene.h"

enum { STEPS = 20000, LONGEST = 20000 };

/* What kind of stream, and how wild its clocks are. */
typedef struct setting {
  const char *name;
  uint64_t scale;
  uint32_t pages; /* that it has, 0: all */
  uint64_t window;
  uint64_t min_fragment;
  uint64_t max_fragment;
  uint64_t step;  /* ticks from frame to frame, about */
  uint64_t start; /* first stamp, 0: now */
  kvs_streaming_type type;
  uint32_t tracks;
  bool audio; /* no video */
  bool avcc;
  bool relative;
  bool clock_times;
  bool by_duration; /* key_frame_fragmentation false */
  bool lasts;       /* a session without media is not ended */
} setting;

static const setting settings[] = {
    {.name = "video"},
    {.name = "audio", .audio = true},
    {.name = "both", .tracks = 2},
    {.name = "three", .tracks = 3, .step = 9 * MS},
    {.name = "avcc", .avcc = true, .tracks = 2},
    {.name = "relative", .relative = true, .tracks = 2},
    {.name = "clock", .clock_times = true},
    {.name = "duration", .by_duration = true, .tracks = 2},
    {.name = "finest", .scale = 1, .step = 500},
    {.name = "fine", .scale = 100, .step = 3000},
    {.name = "last", .start = KVS_MAX_STAMP - 200 * SECOND, .step = 15 * MS},
    {.name = "waiting", .lasts = true},
    {.name = "coarsest", .scale = SECOND, .step = 700 * MS},
    {.name = "odd", .scale = 9999999, .relative = true},
    {.name = "short", .min_fragment = 0, .max_fragment = SECOND, .tracks = 2},
    {.name = "window", .window = KVS_MIN_BUFFER_DURATION, .tracks = 2},
    {.name = "full", .pages = 30, .tracks = 2},
    {.name = "offline", .pages = 30, .type = KVS_STREAMING_OFFLINE},
};

typedef struct side {
  fake_host host;
  kvs_stream *stream;
  uint32_t seen; /* events compared */
  kvs_status status;
  kvs_pos pages[ARENA / KVS_PAGE_SIZE]; /* that the stream does not get */
  uint32_t page_count;
} side;

static side sides[2]; /* the second has no short way */
static uint64_t seed;
static uint64_t media[3]; /* dts of the next frame of each track */
static uint32_t shorts;   /* frames that went the short way */
static uint8_t bytes[LONGEST];

static uint64_t below(uint64_t limit) {
  return check_random(&seed) % limit;
}

static bool one_in(uint64_t n) {
  return below(n) == 0;
}

static void open_side(side *s, const setting *how) {
  kvs_stream_info info;

  fake_host_init(&s->host, ARENA, 2);
  fake_stream_info(&info, "camera");
  info.track_count = how->tracks == 0 ? 1 : how->tracks;
  for (uint32_t i = 0; i < info.track_count; i++) {
    info.tracks[i] = info.tracks[0];
    info.tracks[i].track_id = i + 1;
    if (i != 0 || how->audio) {
      info.tracks[i].type = KVS_TRACK_AUDIO;
      info.tracks[i].codec_id = "A_AAC";
    }
  }
  if (how->avcc) {
    info.nal_adaptation_flags = KVS_NAL_ADAPTATION_AVCC_NALS;
  }
  info.timecode_scale = how->scale == 0 ? MS : how->scale;
  info.buffer_duration = how->window == 0 ? info.buffer_duration : how->window;
  if (how->max_fragment != 0) {
    info.min_fragment_duration = how->min_fragment;
    info.max_fragment_duration = how->max_fragment;
  }
  info.absolute_fragment_times = !how->relative;
  info.frame_timecodes = !how->clock_times;
  info.key_frame_fragmentation = !how->by_duration;
  info.streaming_type = how->type;
  info.idle_duration = how->lasts ? 0 : info.idle_duration;
  info.max_latency = how->tracks == 3 ? 3 * SECOND : 0;
  s->stream = scene_stream(&s->host, &info);
  s->seen = 0;
  s->page_count = 0;
  while (how->pages != 0 &&
         kvs_heap_available(&s->host.client->host.heap) > how->pages) {
    CHECK_EQ(kvs_heap_take_page(&s->host.client->host.heap, 999,
                                &s->pages[s->page_count++]),
             KVS_OK);
  }
}

static void close_side(side *s) {
  while (s->page_count != 0) {
    kvs_heap_give_page(&s->host.client->host.heap, s->pages[--s->page_count]);
  }
  scene_finish(&s->host);
}

/* A length-prefixed unit, so that adapted streams take it, too. */
static size_t fill_frame(void) {
  size_t len = one_in(30) ? below(LONGEST) : below(400);

  if (one_in(40)) {
    return 0;
  }
  len = len < 5 ? 5 : len;
  for (size_t i = 4; i < len; i++) {
    bytes[i] = (uint8_t)(len + i);
  }
  bytes[0] = 0;
  bytes[1] = (uint8_t)((len - 4) >> 16);
  bytes[2] = (uint8_t)((len - 4) >> 8);
  bytes[3] = (uint8_t)(len - 4 + (one_in(50) ? 1 : 0));
  return len;
}

/* The next stamp of a track: mostly on by a step, at times anywhere. */
static uint64_t next_dts(uint32_t track, uint64_t step) {
  static const int64_t jumps[] = {
      0,  -1,         1,           -(int64_t)(500 * MS), -3 * (int64_t)SECOND,
      MS, 9 * SECOND, 11 * SECOND, 100 * SECOND,         40 * SECOND};
  uint64_t by = step / 2 + below(step + 1);

  if (one_in(60)) {
    return media[track] + (uint64_t)jumps[below(10)];
  }
  return media[track] + by;
}

static void make_frame(kvs_frame *frame, const setting *how) {
  static const uint64_t durations[] = {0, 20 * MS, 40 * MS, UINT64_MAX, SECOND};
  uint32_t tracks = how->tracks == 0 ? 1 : how->tracks;
  uint32_t track = (uint32_t)below(tracks);
  uint64_t step = (how->step == 0 ? 40 * MS : how->step) * tracks;

  memset(frame, 0, sizeof(*frame));
  frame->track_id = one_in(100) ? 9 : track + 1;
  frame->flags = one_in(12) ? KVS_FRAME_KEY : 0;
  frame->flags |= one_in(20) ? KVS_FRAME_DISCARDABLE : 0;
  frame->flags |= one_in(20) ? KVS_FRAME_INVISIBLE : 0;
  frame->flags |= one_in(150) ? KVS_FRAME_END_OF_FRAGMENT : 0;
  frame->pts = next_dts(track, step);
  frame->dts = KVS_NEVER;
  if (one_in(3)) { /* shown later than decoded, or even earlier */
    frame->dts = frame->pts;
    frame->pts += one_in(20) ? 0 - below(2 * step) : below(3 * step);
  }
  frame->duration = durations[one_in(30) ? below(5) : 1];
  frame->size = fill_frame();
  frame->data = one_in(200) ? NULL : bytes;
}

/* Whether the frame is one for the short way, as far as can be told. */
static bool looks_short(const kvs_frame *frame) {
  const kvs_stream *stream = sides[0].stream;
  const kvs_track *track = &stream->tracks[(frame->track_id - 1) % 3];

  return frame->track_id <= stream->info.track_count &&
         stream->info.frame_timecodes &&
         frame->pts - stream->open.zero <
             track->span[frame->flags & KVS_FRAME_KEY];
}

static bool put_both(const setting *how) {
  kvs_frame frame;
  bool is_short;

  make_frame(&frame, how);
  is_short = looks_short(&frame);
  kvs_put_shut_short(sides[1].stream);
  for (uint32_t i = 0; i < 2; i++) {
    side *s = &sides[i];

    s->status = kvs_stream_put(s->stream, &frame, s->host.now);
  }
  if (sides[0].status == KVS_OK && frame.track_id != 9) {
    uint64_t dts = frame.dts == KVS_NEVER ? frame.pts : frame.dts;

    media[frame.track_id - 1] = dts;
    shorts += is_short ? 1 : 0;
  }
  return CHECK_EQ(sides[0].status, sides[1].status);
}

static void move_clocks(const setting *how) {
  uint64_t ticks = below(how->step == 0 ? 40 * MS : how->step);

  ticks += how->lasts && one_in(100) ? 3 * SECOND : 0;
  for (uint32_t i = 0; i < 2; i++) {
    fake_host *host = &sides[i].host;

    host->now.mono += ticks;
    host->now.wall += ticks;
    if (kvs_client_deadline(host->client) <= host->now.mono) {
      fake_advance(host, 0);
      fake_answer_all(host, sides[i].stream);
    }
  }
  if (one_in(2000)) { /* the clock is lost, and set again */
    bool lost = sides[0].host.now.wall < 1000000 * SECOND;
    for (uint32_t i = 0; i < 2; i++) {
      kvs_time *now = &sides[i].host.now;
      now->wall = lost ? UINT64_C(1795500000) * SECOND : 1000 * SECOND;
    }
  }
}

/* Something else than a put, the same on both sides. */
static void something(uint32_t what, uint64_t which) {
  for (uint32_t i = 0; i < 2; i++) {
    fake_host *host = &sides[i].host;
    kvs_stream *stream = sides[i].stream;

    switch (what) {
      case 0:
        fake_advance(host, 0);
        break;
      case 1:
        sides[i].status = kvs_stream_put_metadata(stream, "place", "roof",
                                                  which % 2 == 0, host->now);
        break;
      case 2:
        sides[i].status =
            kvs_stream_format_changed(stream, 1, (const uint8_t *)"\1\2\3",
                                      (uint32_t)(which % 4), host->now);
        break;
      case 3:
        if (host->session != 0) {
          (void)kvs_stream_session_ended(stream, host->session, 503, host->now);
        }
        break;
      case 4:
        (void)kvs_stream_reset_connection(stream, which % 2 == 0, host->now);
        break;
      case 5:
        if (which % 8 == 0) {
          (void)kvs_stream_stop(stream, host->now);
          sides[i].status = kvs_stream_reset(stream, host->now);
        }
        break;
      default:
        fake_advance(host, which % 2 == 0 ? BACK_OFF : SECOND / 3);
        break;
    }
    fake_answer_all(host, stream);
  }
  CHECK_EQ(sides[0].status, sides[1].status);
}

static void take_and_ack(uint64_t which) {
  for (uint32_t i = 0; i < 2; i++) {
    fake_host *host = &sides[i].host;
    kvs_stream *stream = sides[i].stream;
    kvs_pos at = stream->view.oldest;

    if (host->session == 0) {
      continue;
    }
    sides[i].status = fake_take(host, stream);
    if (sides[i].status == KVS_STATUS_END_OF_STREAM) {
      (void)kvs_stream_session_ended(stream, host->session, 200, host->now);
    } else if (which % 4 == 0 && at != 0) {
      uint64_t cluster = kvs_view_fragment(&stream->view, at)->cluster;

      (void)fake_ack(host, stream, "PERSISTED", cluster / MS);
    }
    fake_answer_all(host, stream);
  }
}

static bool same_events(void) {
  fake_host *a = &sides[0].host;
  fake_host *b = &sides[1].host;
  bool same = CHECK_EQ(a->event_count, b->event_count);

  for (uint32_t i = sides[0].seen; same && i < a->event_count; i++) {
    same = CHECK_EQ(a->events[i].type, b->events[i].type) &&
           CHECK_BYTES(&a->events[i].u, &b->events[i].u, sizeof(a->events->u));
  }
  sides[0].seen = a->event_count;
  if (a->event_count > FAKE_EVENTS / 2) {
    a->event_count = b->event_count = 0;
    a->handled = b->handled = sides[0].seen = 0;
  }
  return same;
}

/* Both are the same, and neither has a deadline that nobody knows of. */
static bool same_sides(void) {
  kvs_stream_metrics a = scene_metrics(&sides[0].host, sides[0].stream);
  kvs_stream_metrics b = scene_metrics(&sides[1].host, sides[1].stream);
  kvs_refusal x;
  kvs_refusal y;
  bool same = same_events() && CHECK_BYTES(&a, &b, sizeof(a));

  kvs_stream_last_refusal(sides[0].stream, &x);
  kvs_stream_last_refusal(sides[1].stream, &y);
  same = same && CHECK_EQ(x.status, y.status) && CHECK_EQ(x.value, y.value) &&
         CHECK_EQ(x.limit, y.limit);
  same = same && CHECK_EQ(sides[0].host.body_len, sides[1].host.body_len) &&
         CHECK_EQ(sides[0].stream->held, sides[1].stream->held) &&
         CHECK_EQ(sides[0].stream->held_due, sides[1].stream->held_due);
  for (uint32_t i = 0; i < 2; i++) {
    uint64_t due = kvs_stream_deadline(sides[i].stream);
    same = same && CHECK(kvs_client_deadline(sides[i].host.client) <= due);
  }
  return same;
}

/* All that is stored; the pages that the test keeps are nobody's. */
static bool is_sound(const side *s) {
  const kvs_heap *heap = &s->host.client->host.heap;
  uint32_t pages = s->page_count;

  return CHECK_EQ(kvs_heap_check(heap), KVS_OK) &&
         CHECK_EQ(kvs_stream_check(s->stream, &pages), KVS_OK) &&
         CHECK_EQ(pages, kvs_heap_used(heap));
}

/* The bytes sent so far, and all that is stored. */
static bool same_bytes(void) {
  const fake_host *a = &sides[0].host;
  const fake_host *b = &sides[1].host;

  return (a->body_len == 0 || CHECK_BYTES(a->body, b->body, a->body_len)) &&
         is_sound(&sides[0]) && is_sound(&sides[1]);
}

static void run(const setting *how) {
  bool same = true;

  seed = 1 + (uint64_t)(how - settings) * 7919;
  shorts = 0;
  open_side(&sides[0], how);
  open_side(&sides[1], how);
  for (uint32_t i = 0; i < 3; i++) {
    media[i] = how->start == 0 ? sides[0].host.now.wall : how->start;
  }
  for (uint32_t i = 0; i < STEPS && same; i++) {
    uint64_t which = below(1000);

    move_clocks(how);
    same = put_both(how);
    fake_answer_all(&sides[0].host, sides[0].stream);
    fake_answer_all(&sides[1].host, sides[1].stream);
    if (one_in(3)) {
      take_and_ack(which);
    }
    if (one_in(100)) {
      something((uint32_t)below(7), which);
    }
    same = same && same_sides() && (i % 500 != 0 || same_bytes());
    if (!same) {
      CHECK_STR(how->name, "the same at each step");
    }
  }
  for (uint32_t i = 0; i < 2; i++) {
    CHECK_EQ(kvs_stream_stop(sides[i].stream, sides[i].host.now), KVS_OK);
  }
  same = same && put_both(how) && same_sides() && same_bytes();
  CHECK_EQ(sides[0].status, KVS_STATUS_STREAM_HAS_BEEN_STOPPED);
  /* Adapted frames never go the short way, the others of the stream do. */
  CHECK(how->clock_times || shorts > STEPS / 20);
  close_side(&sides[0]);
  close_side(&sides[1]);
}

static void both_ways_leave_the_same(void) {
  for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
    run(&settings[i]);
  }
}

int main(void) {
  RUN(both_ways_leave_the_same);
  return check_report();
}
