/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

void rig_must(bool ok, const char *what) {
  if (!ok) {
    fprintf(stderr, "bench_core: %s\n", what);
    exit(1);
  }
}

uint64_t rig_clock(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void rig_note(rig *r, const kvs_event *event) {
  if (event->type > KVS_EVENT_PUT_STREAM) {
    return; /* the calls come first in the table */
  }
  if (event->type == KVS_EVENT_PUT_STREAM) {
    r->sessions[event->stream] = event->u.put_stream.session;
  }
  rig_must(r->call_count < RIG_CALLS, "too many calls wait");
  rig_call *call = &r->calls[r->call_count++];
  call->type = event->type;
  call->stream = event->stream;
  call->call = event->u.fields[0]; /* all calls begin with it */
}

void rig_poll(rig *r) {
  const kvs_event *event;

  while ((event = kvs_client_next_event(r->client)) != NULL) {
    rig_note(r, event);
  }
}

static uint32_t next_random(void *user) {
  rig *r = (rig *)user;

  r->random = r->random * 1664525u + 1013904223u;
  return r->random;
}

/* Answers make new calls; when none is left the stream is ready. */
void rig_answer(rig *r) {
  rig_poll(r);
  while (r->call_count != 0) {
    rig_call call = r->calls[--r->call_count];
    kvs_answer answer = {0};
    answer.call = call.call;
    answer.result = KVS_RESULT_OK;
    answer.stream_status = KVS_STREAM_STATUS_ACTIVE;
    answer.retention = 3600 * KVS_TICKS_PER_SECOND;
    answer.expiration = KVS_NEVER;
    if (call.stream == 0) {
      (void)kvs_client_answer(r->client, &answer, r->now);
    } else {
      (void)kvs_stream_answer(r->streams[call.stream], &answer, r->now);
    }
    rig_poll(r);
  }
}

void rig_open(rig *r, uint64_t arena_len, uint32_t streams, bool touch) {
  kvs_device_info info = {0};
  kvs_callbacks callbacks = {0};

  memset(r, 0, sizeof *r);
  r->arena = (uint8_t *)mmap(NULL, arena_len, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  rig_must(r->arena != MAP_FAILED, "no memory for the arena");
  if (touch) {
    memset(r->arena, 0, arena_len);
  }
  r->arena_len = arena_len;
  r->now.mono = 1000 * KVS_TICKS_PER_SECOND;
  r->now.wall = UINT64_C(1795400000) * KVS_TICKS_PER_SECOND;
  info.name = "bench";
  info.stream_count = streams;
  info.storage.storage_size = arena_len;
  callbacks.user = r;
  callbacks.random = next_random;
  rig_must(kvs_client_create(r->arena, arena_len, &info, &callbacks, r->now,
                             &r->client) == KVS_OK,
           "no client");
  rig_answer(r);
}

void rig_close(rig *r) {
  kvs_client_free(r->client);
  munmap(r->arena, r->arena_len);
}

kvs_stream *rig_stream(rig *r, kvs_stream_info *info) {
  kvs_stream *stream = NULL;
  char name[32];

  snprintf(name, sizeof name, "stream-%u", (unsigned)r->random);
  info->name = name;
  (void)next_random(r);
  rig_must(kvs_stream_create(r->client, info, r->now, &stream) == KVS_OK,
           "no stream");
  r->streams[kvs_stream_id(stream)] = stream;
  rig_answer(r);
  return stream;
}

uint64_t rig_used(const rig *r) {
  kvs_client_metrics metrics;

  rig_must(kvs_client_get_metrics(r->client, r->now, &metrics) == KVS_OK,
           "no metrics");
  return metrics.content_store_size - metrics.content_store_available_size;
}
