/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/heap.h"
#include "lane.h"

enum { ROUNDS = 101, MAX_FRAGMENTS = 1 << 16, STREAMS = 16 };
#define ARENA ((uint64_t)64 << 20)

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed >> 11;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

/* ---- pairs ------------------------------------------------------------- */

static double pair_cost(uint64_t least, uint64_t most) {
  enum { RING = 1 << 19, PAIRS = 8000 };
  kvs_pos *ring = (kvs_pos *)calloc(RING, sizeof *ring);
  uint8_t *arena = (uint8_t *)aligned_alloc(4096, ARENA);
  uint64_t head = 0;
  uint64_t tail = 0;
  uint64_t seed = 4711;
  uint32_t *bodies = (uint32_t *)calloc(PAIRS, sizeof *bodies);
  kvs_heap heap;
  kvs_chain chain;
  double ns[ROUNDS];

  rig_must(ring != NULL && arena != NULL && bodies != NULL, "no memory");
  memset(arena, 0, ARENA);
  kvs_heap_init(&heap, arena, ARENA);
  kvs_chain_init(&chain, 1);
  for (uint32_t i = 0; i < PAIRS; i++) {
    bodies[i] = (uint32_t)(least + next_random(&seed) % (most - least + 1));
  }
  while (kvs_heap_available(&heap) > heap.page_count / 2) {
    rig_must(kvs_chain_append(&heap, &chain, 32, bodies[head % PAIRS],
                              &ring[head % RING]) == KVS_OK,
             "full");
    head++;
  }
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint64_t begin = rig_clock();
    for (uint32_t i = 0; i < PAIRS; i++) {
      kvs_status status =
          kvs_chain_append(&heap, &chain, 32, bodies[i], &ring[head % RING]);
      if (status != KVS_OK) {
        rig_must(false, "full");
      }
      head++;
      tail++;
      kvs_chain_trim(&heap, &chain, ring[tail % RING]);
    }
    ns[round] = (double)(rig_clock() - begin) / PAIRS;
  }
  qsort(ns, ROUNDS, sizeof *ns, by_value);
  free(bodies);
  kvs_chain_trim(&heap, &chain, 0);
  free(ring);
  free(arena);
  return ns[0]; /* the least: other work on the machine only adds */
}

void bench_pair(void) {
  printf("{\"pairNs\":%.1f,\"gopNs\":%.1f,\"smallNs\":%.1f}\n",
         pair_cost(1024, 200 * 1024), pair_cost(10 * 1024, 10 * 1024),
         pair_cost(200, 200));
}

/* ---- usable share ------------------------------------------------------ */

/* One stream's fragments, oldest first. */
typedef struct queue {
  uint64_t payload[MAX_FRAGMENTS];
  uint64_t first;
  uint64_t count;
  uint64_t live;
} queue;

typedef struct trial {
  rig r;
  lane lanes[STREAMS];
  queue *queues;
  uint32_t streams;
  uint32_t per_fragment;
  uint64_t live;
} trial;

static kvs_status put_one(trial *t, uint32_t stream, const uint8_t *data,
                          uint64_t len) {
  lane *n = &t->lanes[stream];
  queue *q = &t->queues[stream];
  bool begins = n->count % t->per_fragment == 0;
  kvs_frame frame = {0};
  kvs_status status;

  frame.flags = begins ? KVS_FRAME_KEY : KVS_FRAME_NONE;
  frame.track_id = 1;
  frame.pts = lane_fragment(n, 0) * KVS_TICKS_PER_MS + n->count * n->l->step;
  frame.dts = KVS_NEVER;
  frame.duration = n->l->step;
  frame.data = data;
  frame.size = (size_t)len;
  status = kvs_stream_put(n->stream, &frame, t->r.now);
  rig_answer(&t->r);
  if (status != KVS_OK) {
    return status;
  }
  if (begins) {
    rig_must(q->count < MAX_FRAGMENTS, "too many fragments");
    q->payload[(q->first + q->count) % MAX_FRAGMENTS] = 0;
    q->count++;
  }
  q->payload[(q->first + q->count - 1) % MAX_FRAGMENTS] += len;
  q->live += len;
  t->live += len;
  n->count++;
  return KVS_OK;
}

/* Sends and frees the oldest whole fragment of the stream that holds most. */
static void free_oldest(trial *t) {
  uint32_t most = 0;

  for (uint32_t i = 1; i < t->streams; i++) {
    bool more = t->queues[i].live > t->queues[most].live;
    most = t->queues[i].count > 1 && more ? i : most;
  }
  queue *q = &t->queues[most];
  lane *n = &t->lanes[most];
  rig_must(q->count > 1, "nothing to free");
  lane_drain(n);
  lane_ack(n, lane_fragment(n, q->first * t->per_fragment));
  q->live -= q->payload[q->first % MAX_FRAGMENTS];
  t->live -= q->payload[q->first % MAX_FRAGMENTS];
  q->first++;
  q->count--;
}

static void open_trial(trial *t, load *l, uint32_t streams, uint32_t least,
                       uint32_t most) {
  memset(t, 0, sizeof *t);
  load_make(l, LOAD_A_AVCC);
  t->streams = streams;
  t->per_fragment = most > 1000 ? 4 : 48;
  l->key_every = t->per_fragment;
  l->step = 10 * KVS_TICKS_PER_MS;
  t->queues = (queue *)calloc(streams, sizeof *t->queues);
  rig_must(t->queues != NULL && least <= most, "no memory");
  rig_open(&t->r, ARENA, streams, false);
  for (uint32_t i = 0; i < streams; i++) {
    lane *n = &t->lanes[i];
    kvs_stream_info info;
    memset(n, 0, sizeof *n);
    n->r = &t->r;
    n->l = l;
    n->drain = (uint8_t *)malloc(DRAIN_LEN);
    rig_must(n->drain != NULL, "no memory");
    load_info(l, false, &info);
    info.min_fragment_duration = 0;
    info.overflow_policy = KVS_OVERFLOW_REFUSE;
    n->stream = rig_stream(&t->r, &info);
    n->id = kvs_stream_id(n->stream);
  }
}

static void close_trial(trial *t, load *l) {
  for (uint32_t i = 0; i < t->streams; i++) {
    lane_close(&t->lanes[i]);
  }
  rig_close(&t->r);
  free(t->queues);
  load_free(l);
}

/* Median share of payload at refusal over |steps| puts. */
static double usable(uint32_t streams, uint32_t least, uint32_t most,
                     uint32_t steps) {
  static trial t;
  static load l;
  double *shares = (double *)malloc(steps * sizeof *shares);
  uint8_t *data = (uint8_t *)calloc(1, most);
  uint32_t count = 0;
  uint64_t seed = 99;

  rig_must(shares != NULL && data != NULL, "no memory");
  open_trial(&t, &l, streams, least, most);
  for (uint32_t i = 0; i < steps; i++) {
    uint64_t len = least + next_random(&seed) % (most - least + 1);
    uint32_t stream = (uint32_t)(next_random(&seed) % streams);
    if (put_one(&t, stream, data, len) != KVS_OK) {
      shares[count++] = (double)t.live / (double)ARENA;
      do {
        free_oldest(&t);
      } while (put_one(&t, stream, data, len) != KVS_OK);
    }
    t.r.now.mono += l.step;
    t.r.now.wall += l.step;
  }
  rig_must(kvs_client_check(t.r.client) == KVS_OK, "the arena is damaged");
  rig_must(count > 10, "hardly ever full");
  qsort(shares, count, sizeof *shares, by_value);
  double median = shares[count / 2];
  close_trial(&t, &l);
  free(data);
  free(shares);
  return median;
}

void bench_usable(void) {
  printf("{\"usable1\":%.4f,\"usable16\":%.4f,\"usable200B\":%.4f}\n",
         usable(1, 1024, 200 * 1024, 100000),
         usable(16, 1024, 200 * 1024, 100000), usable(1, 200, 200, 1000000));
}

/* ---- sizes ------------------------------------------------------------- */

void bench_sizes(void) {
  enum { FRAMES = 200000 };
  kvs_stream_metrics metrics;
  load l;
  rig r;
  lane n;

  load_make(&l, LOAD_B);
  rig_open(&r, (uint64_t)128 << 20, 1, false);
  uint64_t before = rig_used(&r);
  lane_open(&n, &r, &l, false);
  uint64_t empty = rig_used(&r);
  for (uint32_t i = 0; i < FRAMES; i++) {
    (void)lane_put(&n);
  }
  rig_must(kvs_stream_get_metrics(n.stream, r.now, &metrics) == KVS_OK &&
               metrics.buffered_frames == FRAMES,
           "frames are missing");
  double book = (double)(rig_used(&r) - empty - metrics.overall_view_size);
  printf("{\"emptyStreamBytes\":%llu,\"bytesPerFrame\":%.1f}\n",
         (unsigned long long)(empty - before), book / FRAMES);
  lane_close(&n);
  rig_close(&r);
  load_free(&l);
}
