/* SPDX-License-Identifier: Apache-2.0
 * What the core costs. `bench_core NAME [COUNT]` prints one line, the figures
 * as JSON; index.mjs runs all of them and makes the table. "run-X" measures
 * nothing itself: it is for counting instructions, twice with different COUNT,
 * so that what is common falls out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/client.h"
#include "core/nal.h"
#include "lane.h"
#include "store.h"

/* Many short rounds: some of them find the machine doing nothing else. */
enum { ROUNDS = 101 };

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

static double median(double *values, uint32_t count) {
  qsort(values, count, sizeof *values, by_value);
  return values[count / 2];
}

/* For times alone: other work on the machine only adds to them. Ratios are
 * taken within a round, which is short, and their median counts. */
static double least(const double *values, uint32_t count) {
  double value = values[0];

  for (uint32_t i = 1; i < count; i++) {
    value = values[i] < value ? values[i] : value;
  }
  return value;
}

/* The same frames into a ring as large as the media that wait for an ack, and
 * from there into the buffer that is drained. */
typedef struct copier {
  uint8_t *ring;
  uint64_t at;
  uint64_t count;
} copier;

static void copy_frame(copier *c, const lane *n) {
  const load *l = n->l;
  const uint8_t *data = l->each[c->count % l->frames].data;
  size_t len = l->each[c->count % l->frames].len;

  if (l->window - c->at < len) {
    c->at = 0;
  }
  memcpy(&c->ring[c->at], data, len);
  for (size_t done = 0; done < len; done += DRAIN_LEN) {
    size_t part = len - done < DRAIN_LEN ? len - done : DRAIN_LEN;
    memcpy(n->drain, &c->ring[c->at + done], part);
    __asm__ volatile("" : : "r"(n->drain) : "memory");
  }
  c->at += len;
  c->count++;
}

/* Put, take and ack against two copies, in the same rounds. Start codes are
 * found by |find|, where it is given. */
static void bench_loop(load_name name, kvs_nal_find find, uint64_t frames) {
  double ns[ROUNDS];
  double ratio[ROUNDS];
  copier copy = {NULL, 0, 0};
  load l;
  rig r;
  lane n;

  load_make(&l, name);
  rig_open(&r, (uint64_t)128 << 20, 1, false);
  if (find != NULL) {
    r.client->host.find = find;
  }
  lane_open(&n, &r, &l, false);
  copy.ring = (uint8_t *)malloc((size_t)l.window);
  rig_must(copy.ring != NULL, "no memory");
  memset(copy.ring, 0, (size_t)l.window);
  for (uint32_t i = 0; i < 4 * l.key_every; i++) {
    lane_step(&n);
    copy_frame(&copy, &n);
  }
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint64_t begin = rig_clock();
    for (uint64_t i = 0; i < frames; i++) {
      lane_step(&n);
    }
    uint64_t middle = rig_clock();
    for (uint64_t i = 0; i < frames; i++) {
      copy_frame(&copy, &n);
    }
    uint64_t end = rig_clock();
    ns[round] = (double)(middle - begin) / (double)frames;
    ratio[round] = (double)(middle - begin) / (double)(end - middle);
  }
  printf("{\"ns\":%.1f,\"medianNs\":%.1f,", least(ns, ROUNDS),
         median(ns, ROUNDS));
  printf("\"ratio\":%.3f}\n", median(ratio, ROUNDS));
  free(copy.ring);
  lane_close(&n);
  rig_close(&r);
  load_free(&l);
}

/* The loop alone, to be counted. */
static void run_loop(load_name name, uint64_t frames) {
  load l;
  rig r;
  lane n;

  load_make(&l, name);
  rig_open(&r, (uint64_t)128 << 20, 1, false);
  lane_open(&n, &r, &l, false);
  for (uint64_t i = 0; i < frames; i++) {
    lane_step(&n);
  }
  printf("{\"frames\":%llu}\n", (unsigned long long)frames);
  lane_close(&n);
  rig_close(&r);
  load_free(&l);
}

/* Put of a 100 KiB key frame that brings its own private data. */
static void bench_key_frame(void) {
  enum { FRAMES = 400 };
  double us[FRAMES];
  load l;
  rig r;
  lane n;

  load_make(&l, LOAD_A);
  rig_open(&r, (uint64_t)128 << 20, 1, false);
  lane_open(&n, &r, &l, true);
  for (uint32_t key = 0; key < FRAMES; key++) {
    uint64_t begin = rig_clock();
    (void)lane_put(&n);
    us[key] = (double)(rig_clock() - begin) / 1000;
    lane_drain(&n);
    if (key != 0) {
      lane_ack(&n, lane_fragment(&n, n.count - 2));
    }
    for (uint32_t i = 1; i < l.key_every; i++) {
      lane_step(&n);
    }
  }
  printf("{\"putUs\":%.2f}\n", median(us, FRAMES));
  lane_close(&n);
  rig_close(&r);
  load_free(&l);
}

static double scan_speed(kvs_nal_find find, const uint8_t *bytes, size_t len) {
  enum { PASSES = 300 };
  double speed[ROUNDS];

  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint64_t begin = rig_clock();
    for (uint32_t pass = 0; pass < PASSES; pass++) {
      size_t found = find(bytes, 0, len);
      rig_must(found == len - 3, "a start code was missed");
    }
    speed[round] = (double)len * PASSES / (double)(rig_clock() - begin);
  }
  return median(speed, ROUNDS);
}

/* 32 KiB without a start code but at the end, in the first cache. */
static void bench_scan(void) {
  enum { LEN = 32 * 1024 };
  uint8_t *bytes = (uint8_t *)malloc(LEN);
  load l;

  rig_must(bytes != NULL, "no memory");
  load_make(&l, LOAD_A);
  memcpy(bytes, &l.each[0].data[64], LEN - 3);
  memcpy(&bytes[LEN - 3], "\0\0\1", 3);
  printf("{\"gbPerSec\":%.1f,\"portable\":%.1f",
         scan_speed(kvs_nal_select(), bytes, LEN),
         scan_speed(kvs_nal_portable(), bytes, LEN));
  for (uint32_t i = 0; kvs_nal_simd(i) != NULL; i++) {
    printf(",\"simd%u\":%.1f", (unsigned)i,
           scan_speed(kvs_nal_simd(i), bytes, LEN));
  }
  printf("}\n");
  load_free(&l);
  free(bytes);
}

/* Something of which there may be few or many, and frames that run in its
 * presence. */
typedef struct growth {
  uint64_t size;
  load l;
  rig r;
  lane lanes[RIG_STREAMS];
} growth;

typedef struct growth_kind {
  void (*open)(growth *g);
  void (*round)(growth *g);
  uint32_t frames; /* of a round */
  uint32_t lanes;  /* at most */
} growth_kind;

enum { BACKLOG_FRAMES = 48 * 100, STREAM_FRAMES = 48 * 128 };

/* Callgrind counts what is within these two by their names. */
#define COUNTED __attribute__((noinline))

/* Takes exactly the bytes of the frame put |ago| frames before. */
static void take_one(lane *n, uint64_t index) {
  const size_t block = 9;
  const size_t cluster = 18;

  lane_take(n, 200 + block + (index % n->l->key_every == 0 ? cluster : 0));
}

static void open_backlog(growth *g) {
  lane *n = &g->lanes[0];

  rig_open(&g->r, (uint64_t)512 << 20, 1, true);
  lane_open(n, &g->r, &g->l, false);
  (void)lane_put(n);
  lane_drain(n); /* the header, the first frame */
  for (uint64_t i = 0; i < g->size; i++) {
    (void)lane_put(n);
  }
}

/* Puts a frame, takes one and, a fragment at a time, acks, with as many frames
 * put and not yet taken. */
COUNTED static void backlog_round(growth *g) {
  lane *n = &g->lanes[0];

  for (uint32_t i = 0; i < BACKLOG_FRAMES; i++) {
    (void)lane_put(n);
    uint64_t index = n->count - 1 - g->size;
    take_one(n, index);
    if (index % g->l.key_every == 0 && index != 0) {
      lane_ack(n, lane_fragment(n, index - 1));
    }
  }
}

/* They are not in step: else all would be at the same place in their pages, in
 * the same few sets of every cache. */
static void open_streams(growth *g) {
  rig_open(&g->r, (uint64_t)128 << 20, (uint32_t)g->size, true);
  for (uint64_t i = 0; i < g->size; i++) {
    lane_open(&g->lanes[i], &g->r, &g->l, false);
    g->lanes[i].tick = g->l.step / g->size; /* each runs in real time */
    for (uint64_t step = 0; step < i * 7 % 73; step++) {
      lane_step(&g->lanes[i]);
    }
  }
}

/* Put, take and ack, over the streams in turn. */
COUNTED static void stream_round(growth *g) {
  for (uint32_t i = 0; i < STREAM_FRAMES; i++) {
    lane_step(&g->lanes[i % g->size]);
  }
}

static const growth_kind BACKLOG = {open_backlog, backlog_round, BACKLOG_FRAMES,
                                    1};
static const growth_kind STREAMS = {open_streams, stream_round, STREAM_FRAMES,
                                    RIG_STREAMS};

/* ns a frame at |size|: the least of |rounds|. */
static double growth_cost(const growth_kind *kind, uint64_t size,
                          uint32_t rounds) {
  static growth g;
  double ns[ROUNDS];

  memset(&g, 0, sizeof g);
  g.size = size;
  load_make(&g.l, LOAD_B);
  kind->open(&g);
  for (uint32_t round = 0; round < rounds; round++) {
    uint64_t begin = rig_clock();
    kind->round(&g);
    ns[round] = (double)(rig_clock() - begin) / kind->frames;
  }
  for (uint32_t i = 0; i < kind->lanes; i++) {
    lane_close(&g.lanes[i]);
  }
  rig_close(&g.r);
  load_free(&g.l);
  return least(ns, rounds);
}

static void bench_growth(const growth_kind *kind, const uint64_t *sizes,
                         uint32_t count) {
  double first = 0;
  double last = 0;

  printf("{");
  for (uint32_t i = 0; i < count; i++) {
    last = growth_cost(kind, sizes[i], ROUNDS);
    first = i == 0 ? last : first;
    printf("\"at%llu\":%.1f,", (unsigned long long)sizes[i], last);
  }
  printf("\"growth\":%.3f}\n", last / first);
}

static void bench_backlog(void) {
  static const uint64_t sizes[] = {100, 1000, 10000, 100000, 1000000};

  bench_growth(&BACKLOG, sizes, 5);
}

static void bench_streams(void) {
  static const uint64_t sizes[] = {1, 8, 32, 128};

  bench_growth(&STREAMS, sizes, 4);
}

/* One round at |size|, to be counted; tells of how many frames. */
static bool run_growth(const char *name, uint64_t size) {
  bool backlog = strcmp(name, "run-backlog") == 0;
  const growth_kind *kind = backlog ? &BACKLOG : &STREAMS;

  if (size == 0 || (!backlog && strcmp(name, "run-streams") != 0)) {
    return false;
  }
  (void)growth_cost(kind, size, 1);
  printf("{\"frames\":%u}\n", (unsigned)kind->frames);
  return true;
}

static bool run_named(const char *name, uint64_t count) {
  const struct {
    const char *name;
    load_name load;
    uint64_t frames;
    kvs_nal_find find;
  } loops[] = {{"a", LOAD_A, 300, NULL},
               {"a-portable", LOAD_A, 300, kvs_nal_portable()},
               {"a-avcc", LOAD_A_AVCC, 300, NULL},
               {"b", LOAD_B, 4800, NULL},
               {"c", LOAD_C, 10, NULL}};

  for (uint32_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
    if (strcmp(name, loops[i].name) == 0) {
      bench_loop(loops[i].load, loops[i].find,
                 count == 0 ? loops[i].frames : count);
      return true;
    }
    if (strncmp(name, "run-", 4) == 0 && strcmp(name + 4, loops[i].name) == 0) {
      run_loop(loops[i].load, count == 0 ? loops[i].frames : count);
      return true;
    }
  }
  return false;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } others[] = {{"key-frame", bench_key_frame}, {"scan", bench_scan},
                {"backlog", bench_backlog},     {"streams", bench_streams},
                {"pair", bench_pair},           {"usable", bench_usable},
                {"sizes", bench_sizes}};
  const char *name = argc > 1 ? argv[1] : "";

  uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;

  if (run_named(name, count) || run_growth(name, count)) {
    return 0;
  }
  for (uint32_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (strcmp(name, others[i].name) == 0) {
      others[i].run();
      return 0;
    }
  }
  fprintf(stderr, "usage: bench_core NAME [COUNT]\n");
  return 2;
}
