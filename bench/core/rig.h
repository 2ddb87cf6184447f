/* SPDX-License-Identifier: Apache-2.0
 * A host for benchmarks: it answers every service call at once, keeps nothing
 * and allocates nothing while frames run. */
#ifndef KVS_BENCH_RIG_H
#define KVS_BENCH_RIG_H

#include <kvs/kvs.h>

enum { RIG_CALLS = 1024, RIG_STREAMS = KVS_MAX_STREAM_COUNT };

/* A service call that waits for its answer. */
typedef struct rig_call {
  uint32_t type;
  uint32_t stream;
  uint64_t call;
} rig_call;

typedef struct rig {
  uint8_t *arena;
  uint64_t arena_len;
  kvs_client *client;
  kvs_time now;
  rig_call calls[RIG_CALLS];
  uint32_t call_count;
  kvs_stream *streams[RIG_STREAMS + 1]; /* by id */
  uint64_t sessions[RIG_STREAMS + 1];
  uint32_t random;
} rig;

/* Stops the program unless |ok|. */
void rig_must(bool ok, const char *what);

/* The arena is mapped and, where |touch|, written once, so that no page fault
 * falls into a measurement. */
void rig_open(rig *r, uint64_t arena_len, uint32_t streams, bool touch);
void rig_close(rig *r);

/* A stream of |info|, through all its calls but the session's. */
kvs_stream *rig_stream(rig *r, kvs_stream_info *info);

/* Notes a service call. */
void rig_note(rig *r, const kvs_event *event);

/* Asks for the events; as every host does after each call. */
void rig_poll(rig *r);

/* The same, and answers what waits with 200. */
void rig_answer(rig *r);

/* Bytes of the arena that are not free. */
uint64_t rig_used(const rig *r);

/* Monotonic time in nanoseconds. */
uint64_t rig_clock(void);

#endif
