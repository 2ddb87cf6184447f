/* SPDX-License-Identifier: Apache-2.0
 * What the core has to tell, in order, until the host asks (ruling 14).
 *
 * The queue is a ring in the client's block. A host that asks after each call
 * never fills it. One that does not loses no more than it must: when the ring
 * is full, calls that were overtaken go, what was told twice is told once,
 * losses of a stream are told as one, and only then old notes go. Calls, data
 * to take, ends of sessions and losses always stay. */
#ifndef KVS_CORE_QUEUE_H
#define KVS_CORE_QUEUE_H

#include "core/base.h"

/* Events that a full ring keeps for each stream, at most: one each of what
 * must_stay of queue.c tells. */
#define KVS_QUEUE_KEPT 8u

typedef struct kvs_queue_slot {
  kvs_event event; /* its text is |text| */
  char text[KVS_MAX_FRAGMENT_NUMBER_LEN];
} kvs_queue_slot;

typedef struct kvs_queue {
  kvs_queue_slot *slots; /* in the client's block */
  kvs_queue_slot *end;   /* behind the last slot */
  kvs_queue_slot *first; /* the oldest; the slot before it is the host's */
  uint32_t capacity;
  uint32_t count;
} kvs_queue;

/* Slots for a client of |streams| streams. */
static inline uint32_t kvs_queue_capacity(uint32_t streams) {
  return 192 + KVS_QUEUE_KEPT * streams;
}

void kvs_queue_init(kvs_queue *queue, kvs_queue_slot *slots, uint32_t capacity);

/* Makes |event| [filled] one without anything to tell yet. */
static inline void kvs_event_init(kvs_event *event, uint32_t type) {
  /* Field by field: compilers clear a struct of this size with a string
   * instruction, which costs more than all the rest of telling it. */
  event->type = type;
  event->stream = 0;
  event->text = NULL;
  event->text_len = 0;
  for (uint32_t i = 0; i < KVS_EVENT_MAX_FIELDS; i++) {
    event->u.fields[i] = 0;
  }
}

static inline kvs_event kvs_event_make(uint32_t type) {
  kvs_event event;

  kvs_event_init(&event, type);
  return event;
}

/* Adds |event| [read], or makes it part of one that waits. */
void kvs_queue_push(kvs_queue *queue, const kvs_event *event);

/* Adds STREAM_DATA_AVAILABLE, which comes with nearly every frame, to an empty
 * queue: it is made in its place. */
static inline void kvs_queue_begin_data(kvs_queue *queue, uint32_t stream,
                                        uint64_t session, uint64_t duration,
                                        uint64_t bytes) {
  kvs_event *event = &queue->first->event;

  kvs_event_init(event, KVS_EVENT_STREAM_DATA_AVAILABLE);
  event->stream = stream;
  event->u.stream_data_available.session = session;
  event->u.stream_data_available.duration = duration;
  event->u.stream_data_available.bytes = bytes;
  queue->count = 1;
}

/* The oldest event [lent] until the next call; NULL: there is none. */
static inline const kvs_event *kvs_queue_next(kvs_queue *queue) {
  const kvs_queue_slot *slot = queue->first;

  if (queue->count == 0) {
    return NULL;
  }
  queue->first++;
  if (queue->first == queue->end) {
    queue->first = queue->slots;
  }
  queue->count--;
  return &slot->event;
}

static inline bool kvs_queue_waits(const kvs_queue *queue) {
  return queue->count != 0;
}

#endif
