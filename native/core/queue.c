/* SPDX-License-Identifier: Apache-2.0
 * Two events become one in two ways. While there is room, only those that mean
 * the same together: data to take of one session, and dropped fragments that
 * follow each other. When there is none, everything of a stream that must not
 * be lost is folded into one event of its kind, which bounds how many of them
 * can be in the ring: so there is always a slot for the next one.
 *
 * The event that the host holds is out of the ring, in the slot before it,
 * which stays free: it is never changed nor moved. */
#include "core/queue.h"

#include "core/bytes.h"

static kvs_queue_slot *slot_at(const kvs_queue *queue, uint32_t i) {
  uint32_t at = (uint32_t)(queue->first - queue->slots) + i;

  return &queue->slots[at < queue->capacity ? at : at - queue->capacity];
}

void kvs_queue_init(kvs_queue *queue, kvs_queue_slot *slots,
                    uint32_t capacity) {
  queue->slots = slots;
  queue->end = slots + capacity;
  queue->first = slots;
  queue->capacity = capacity;
  queue->count = 0;
}

static bool is_call(uint32_t type) {
  return type <= KVS_EVENT_PUT_STREAM;
}

_Static_assert(KVS_EVENT_ABORT_STREAM == KVS_EVENT_PUT_STREAM + 1,
               "the calls come first in the table");

/* ---- folding ------------------------------------------------------------ */

/* Stamps this far apart still follow each other: durations are rounded. */
#define SLACK KVS_TICKS_PER_MS

static void add_dropped(kvs_event *to, const kvs_event *more) {
  kvs_event_dropped_fragment_report *all = &to->u.dropped_fragment_report;
  const kvs_event_dropped_fragment_report *one =
      &more->u.dropped_fragment_report;

  all->timecode = kvs_min_u64(all->timecode, one->timecode);
  all->end = kvs_max_u64(all->end, one->end);
  all->frames += one->frames;
  all->bytes += one->bytes;
  all->fragments += one->fragments;
}

/* Makes |event| part of |last|, the one before it, if it goes on with it. What
 * was sent is told one by one: its ack may come yet. */
static bool goes_on(kvs_event *last, const kvs_event *event) {
  kvs_event_dropped_fragment_report *before = &last->u.dropped_fragment_report;
  const kvs_event_dropped_fragment_report *next =
      &event->u.dropped_fragment_report;

  if (last->type != KVS_EVENT_DROPPED_FRAGMENT_REPORT ||
      last->stream != event->stream || before->reason != next->reason ||
      before->sent != 0 || next->sent != 0 ||
      next->timecode < before->timecode ||
      next->timecode > before->end + SLACK) {
    return false;
  }
  add_dropped(last, event);
  return true;
}

/* Makes |event| part of one of the same session that tells of data. */
static bool tells_again(kvs_queue *queue, const kvs_event *event) {
  for (uint32_t i = queue->count; i != 0; i--) {
    kvs_event *old = &slot_at(queue, i - 1)->event;

    if (old->type == event->type && old->stream == event->stream &&
        old->u.stream_data_available.session ==
            event->u.stream_data_available.session) {
      old->u = event->u;
      return true;
    }
  }
  return false;
}

/* ---- a full ring -------------------------------------------------------- */

/* A dropped frame is told as a dropped fragment of that frame. */
static void widen(kvs_event *event) {
  kvs_event wide = kvs_event_make(KVS_EVENT_DROPPED_FRAGMENT_REPORT);
  const kvs_event_dropped_frame_report *one = &event->u.dropped_frame_report;

  wide.stream = event->stream;
  wide.u.dropped_fragment_report.timecode = one->timecode;
  wide.u.dropped_fragment_report.end = one->timecode;
  wide.u.dropped_fragment_report.frames = 1;
  wide.u.dropped_fragment_report.bytes = one->bytes;
  wide.u.dropped_fragment_report.reason = one->reason;
  *event = wide;
}

/* Whether |old| need not be told on its own since |later| will be; what must
 * not be lost of it is in |later| then. */
static bool fold(const kvs_event *old, kvs_event *later) {
  if (old->stream != later->stream) {
    return false;
  }
  if (is_call(old->type)) {
    return is_call(later->type); /* overtaken: no one waits for its answer */
  }
  if (old->type != later->type) {
    return false;
  }
  switch (old->type) {
    case KVS_EVENT_DROPPED_FRAGMENT_REPORT:
      add_dropped(later, old);
      return true;
    case KVS_EVENT_SKIPPED_FRAMES_REPORT:
      later->u.skipped_frames_report.timecode =
          old->u.skipped_frames_report.timecode;
      later->u.skipped_frames_report.frames +=
          old->u.skipped_frames_report.frames;
      return true;
    case KVS_EVENT_ABORT_STREAM:
    case KVS_EVENT_SESSION_ENDED:
      /* Sessions never overlap, and the host knows of none that began
       * later: it is the oldest that it needs to hear of. */
      later->u = old->u;
      return true;
    case KVS_EVENT_STREAM_DATA_AVAILABLE:
    case KVS_EVENT_STREAM_CLOSED:
    case KVS_EVENT_CLIENT_READY:
      return true;
    default:
      return false;
  }
}

static bool must_stay(uint32_t type) {
  return is_call(type) || type == KVS_EVENT_ABORT_STREAM ||
         type == KVS_EVENT_SESSION_ENDED ||
         type == KVS_EVENT_STREAM_DATA_AVAILABLE ||
         type == KVS_EVENT_STREAM_CLOSED || type == KVS_EVENT_CLIENT_READY ||
         type == KVS_EVENT_DROPPED_FRAGMENT_REPORT ||
         type == KVS_EVENT_SKIPPED_FRAMES_REPORT;
}

/* Whether slot |i| is folded into a later one. */
static bool folded(kvs_queue *queue, uint32_t i) {
  const kvs_event *old = &slot_at(queue, i)->event;

  for (uint32_t k = i + 1; k < queue->count; k++) {
    if (fold(old, &slot_at(queue, k)->event)) {
      return true;
    }
  }
  return false;
}

static void move(kvs_queue_slot *to, const kvs_queue_slot *from) {
  if (to == from) {
    return;
  }
  to->event = from->event;
  memcpy(to->text, from->text, sizeof(to->text));
  to->event.text = from->event.text == NULL ? NULL : to->text;
}

/* Folds what can be, and lets notes before the one at |notes| go. */
static void squeeze(kvs_queue *queue, uint32_t notes) {
  uint32_t kept = 0;

  for (uint32_t i = 0; i < queue->count; i++) {
    uint32_t type = slot_at(queue, i)->event.type;

    if (must_stay(type) ? !folded(queue, i) : i >= notes) {
      move(slot_at(queue, kept), slot_at(queue, i));
      kept++;
    }
  }
  queue->count = kept;
}

/* But for the slot that is the host's. */
static bool is_full(const kvs_queue *queue) {
  return queue->count + 1 == queue->capacity;
}

/* Afterwards one slot is free at least. */
static void make_room(kvs_queue *queue) {
  for (uint32_t i = 0; i < queue->count; i++) {
    if (slot_at(queue, i)->event.type == KVS_EVENT_DROPPED_FRAME_REPORT) {
      widen(&slot_at(queue, i)->event);
    }
  }
  squeeze(queue, queue->count / 2);
  if (is_full(queue)) {
    squeeze(queue, queue->count);
  }
  if (is_full(queue)) { /* all of streams that are gone */
    for (uint32_t i = 0; i + 1 < queue->count; i++) {
      move(slot_at(queue, i), slot_at(queue, i + 1));
    }
    queue->count--;
  }
}

void kvs_queue_push(kvs_queue *queue, const kvs_event *event) {
  kvs_queue_slot *slot;

  if (kvs_queue_waits(queue)) {
    if (event->type == KVS_EVENT_STREAM_DATA_AVAILABLE
            ? tells_again(queue, event)
            : event->type == KVS_EVENT_DROPPED_FRAGMENT_REPORT &&
                  goes_on(&slot_at(queue, queue->count - 1)->event, event)) {
      return;
    }
    if (is_full(queue)) {
      make_room(queue);
    }
  }
  slot = slot_at(queue, queue->count);
  slot->event = *event;
  if (event->text != NULL) {
    KVS_ASSERT(event->text_len <= sizeof(slot->text));
    memcpy(slot->text, event->text, event->text_len);
    slot->event.text = slot->text;
  }
  queue->count++;
}
