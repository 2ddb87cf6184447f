/* SPDX-License-Identifier: Apache-2.0
 * A world in simulated time: cameras that put frames when they are due, one
 * link with a rate that all sessions share, a socket buffer for each, and a
 * service that acknowledges a fragment as soon as it is whole. Nothing in it
 * fails: whatever is lost or broken, the core gave up. */
#ifndef KVS_BENCH_WORLD_H
#define KVS_BENCH_WORLD_H

#include <kvs/kvs.h>

#include "far.h"

enum {
  WORLD_STREAMS = 16,
  SOCKET_LEN = 64 * 1024,
  FRAME_MS = 40, /* 25 frames a second */
  TICK_MS = 10
};

typedef struct plan {
  const char *name;
  uint32_t streams;
  uint64_t frame_len;
  uint32_t gop; /* frames */
  double link;  /* its rate, as a share of what the cameras make */
  uint64_t arena_len;
  uint64_t window; /* buffer_duration, ticks */
  uint64_t seconds;
  bool offline;
} plan;

typedef struct span {
  uint64_t begin; /* ms */
  uint64_t end;
  uint64_t frames;
} span;

typedef struct spans {
  span *items;
  size_t count;
  size_t cap;
} spans;

typedef struct world world;

typedef struct camera {
  world *w;
  kvs_stream *stream;
  uint64_t session; /* the open one, 0: none */
  bool opened;      /* its answer was given */
  bool ending;      /* the body is whole; the buffer drains */
  uint8_t socket[SOCKET_LEN];
  uint32_t from; /* ring of the socket buffer */
  uint32_t held;
  far_end far;
  spans persisted;
  spans dropped;
} camera;

typedef struct world_result {
  uint64_t
      offered;     /* payload bytes put, from the first Persisted to the end of
                      the plan: a core that stops delivering must not gain by it */
  uint64_t passed; /* bytes that the link carried, in the same time */
  uint64_t persisted; /* payload bytes of different fragments, likewise */
  uint64_t breaks;    /* connections that the core broke */
  uint64_t sessions;
  uint64_t refused;       /* puts, other than for want of a key frame */
  uint64_t false_drops;   /* frames told as lost and persisted */
  uint64_t dropped;       /* frames told as lost */
  uint64_t frames;        /* put */
  uint64_t silent_losses; /* frames neither persisted nor told, at the end */
} world_result;

/* Runs |plan| from begin to end. */
world_result world_run(const plan *p);

#endif
