/* What waits for the host to ask: order, what becomes one, and what a ring that
 * nobody empties keeps. */
#include "core/queue.h"

#include <string.h>

#include "check.h"

enum { SLOTS = 64 };
#define MS KVS_TICKS_PER_MS

static kvs_queue_slot slots[SLOTS];
static kvs_queue queue;

static kvs_event note(uint32_t type, uint32_t stream, uint64_t first) {
  kvs_event event = kvs_event_make(type);

  event.stream = stream;
  event.u.fields[0] = first;
  return event;
}

static void push(uint32_t type, uint32_t stream, uint64_t first) {
  kvs_event event = note(type, stream, first);

  kvs_queue_push(&queue, &event);
}

static void drop(uint32_t stream, uint64_t from, uint64_t to, bool sent,
                 uint64_t reason) {
  kvs_event event = note(KVS_EVENT_DROPPED_FRAGMENT_REPORT, stream, from * MS);

  event.u.dropped_fragment_report.end = to * MS;
  event.u.dropped_fragment_report.frames = 10;
  event.u.dropped_fragment_report.bytes = 1000;
  event.u.dropped_fragment_report.sent = sent ? 1 : 0;
  event.u.dropped_fragment_report.reason = reason;
  event.u.dropped_fragment_report.fragments = 1;
  kvs_queue_push(&queue, &event);
}

static void begin(void) {
  kvs_queue_init(&queue, slots, SLOTS);
}

static void they_come_in_order_and_stay_until_the_next(void) {
  begin();
  CHECK(!kvs_queue_waits(&queue));
  CHECK(kvs_queue_next(&queue) == NULL);
  for (uint64_t i = 0; i < 1000; i++) { /* round and round */
    const kvs_event *event;

    push(KVS_EVENT_STREAM_READY, 1, i);
    push(KVS_EVENT_STREAM_READY, 2, i);
    CHECK(kvs_queue_waits(&queue));
    event = kvs_queue_next(&queue);
    CHECK_EQ(event->stream, 1);
    push(KVS_EVENT_STREAM_READY, 3, i); /* while it is held */
    CHECK_EQ(event->stream, 1);
    CHECK_EQ(event->u.stream_ready.uptime, i);
    CHECK_EQ(kvs_queue_next(&queue)->stream, 2);
    CHECK_EQ(kvs_queue_next(&queue)->stream, 3);
    CHECK(!kvs_queue_waits(&queue));
    CHECK(kvs_queue_next(&queue) == NULL);
  }
}

static void a_text_is_kept(void) {
  char text[KVS_MAX_FRAGMENT_NUMBER_LEN];
  kvs_event event = note(KVS_EVENT_FRAGMENT_ACK_RECEIVED, 1, 0);
  const kvs_event *got;

  begin();
  memset(text, '9', sizeof(text));
  event.text = text;
  event.text_len = sizeof(text);
  kvs_queue_push(&queue, &event);
  memset(text, '0', sizeof(text));
  got = kvs_queue_next(&queue);
  CHECK_EQ(got->text_len, sizeof(text));
  CHECK_EQ(got->text[0], '9');
  CHECK_EQ(got->text[sizeof(text) - 1], '9');
}

static void data_of_a_session_are_told_once(void) {
  begin();
  for (uint64_t i = 0; i < 5; i++) {
    kvs_event event = note(KVS_EVENT_STREAM_DATA_AVAILABLE, 1, 7);

    event.u.stream_data_available.bytes = i;
    kvs_queue_push(&queue, &event);
    push(KVS_EVENT_STREAM_DATA_AVAILABLE, 2, 7);
  }
  push(KVS_EVENT_STREAM_DATA_AVAILABLE, 1, 8); /* of another session */
  CHECK_EQ(queue.count, 3);
  CHECK_EQ(kvs_queue_next(&queue)->u.stream_data_available.bytes, 4);
  /* What the host holds does not change under it. */
  push(KVS_EVENT_STREAM_DATA_AVAILABLE, 1, 7);
  CHECK_EQ(queue.count, 3);
}

static void losses_that_follow_each_other_are_one(void) {
  const kvs_event *event;

  begin();
  drop(1, 0, 2000, false, 5);
  drop(1, 2000, 4000, false, 5);
  drop(1, 4001, 6000, false, 5); /* rounded */
  event = kvs_queue_next(&queue);
  CHECK_EQ(event->u.dropped_fragment_report.timecode, 0);
  CHECK_EQ(event->u.dropped_fragment_report.end, 6000 * MS);
  CHECK_EQ(event->u.dropped_fragment_report.frames, 30);
  CHECK_EQ(event->u.dropped_fragment_report.bytes, 3000);
  CHECK_EQ(event->u.dropped_fragment_report.fragments, 3);
  CHECK(kvs_queue_next(&queue) == NULL);
}

static void other_losses_are_not(void) {
  begin();
  drop(1, 0, 2000, false, 5);
  drop(2, 2000, 4000, false, 5); /* of another stream */
  drop(2, 4000, 6000, false, 6); /* for another reason */
  drop(2, 8000, 9000, false, 6); /* with something between */
  drop(2, 9000, 9500, true, 6);  /* its ack may come */
  drop(2, 9500, 9900, true, 6);
  drop(2, 1000, 2000, false, 6); /* before it */
  push(KVS_EVENT_STREAM_READY, 2, 0);
  drop(2, 2000, 3000, false, 6); /* behind something else */
  CHECK_EQ(queue.count, 9);
}

/* What the events of the ring say. */
typedef struct sums {
  uint64_t frames;
  uint64_t skipped;
  uint64_t calls;
  uint64_t call; /* the newest */
  uint64_t aborted;
  uint64_t closed;
  uint64_t data;
} sums;

static sums ask_all(void) {
  sums all = {0};
  const kvs_event *event;

  while ((event = kvs_queue_next(&queue)) != NULL) {
    switch (event->type) {
      case KVS_EVENT_DROPPED_FRAGMENT_REPORT:
        all.frames += event->u.dropped_fragment_report.frames;
        break;
      case KVS_EVENT_DROPPED_FRAME_REPORT:
        all.frames++;
        break;
      case KVS_EVENT_SKIPPED_FRAMES_REPORT:
        all.skipped += event->u.skipped_frames_report.frames;
        break;
      case KVS_EVENT_DESCRIBE_STREAM:
        all.calls++;
        all.call = event->u.describe_stream.call;
        break;
      case KVS_EVENT_ABORT_STREAM:
        if (all.aborted == 0) { /* of those in the ring */
          all.aborted = event->u.abort_stream.session;
        }
        break;
      case KVS_EVENT_STREAM_CLOSED:
        all.closed = event->u.stream_closed.dropped;
        break;
      case KVS_EVENT_STREAM_DATA_AVAILABLE:
        all.data = event->u.stream_data_available.session;
        break;
      default:
        break;
    }
  }
  return all;
}

static void a_ring_that_nobody_empties_loses_no_loss(void) {
  uint64_t frames = 0;
  uint64_t skipped = 0;
  sums all;

  begin();
  push(KVS_EVENT_ABORT_STREAM, 1, 3); /* the one that the host has open */
  for (uint64_t i = 0; i < 5000; i++) {
    push(KVS_EVENT_STREAM_STATE_CHANGED, 1, i);
    push(KVS_EVENT_DESCRIBE_STREAM, 1, i);
    push(KVS_EVENT_ABORT_STREAM, 1, 4 + i);
    drop(1 + (uint32_t)(i % 3), i * 5000, i * 5000 + 100, i % 2 == 0, i % 4);
    push(KVS_EVENT_DROPPED_FRAME_REPORT, 1, i);
    push(KVS_EVENT_STREAM_ERROR_REPORT, 1, i);
    push(KVS_EVENT_STREAM_DATA_AVAILABLE, 1, i);
    {
      kvs_event event = note(KVS_EVENT_SKIPPED_FRAMES_REPORT, 1, 2);
      kvs_event end = note(KVS_EVENT_STREAM_CLOSED, 1, 0);

      end.u.stream_closed.dropped = i;
      kvs_queue_push(&queue, &event);
      kvs_queue_push(&queue, &end);
    }
    frames += 11;
    skipped += 2;
    if (!CHECK(queue.count < SLOTS)) {
      return;
    }
  }
  all = ask_all();
  CHECK_EQ(all.frames, frames);
  CHECK_EQ(all.skipped, skipped);
  CHECK_EQ(all.call, 4999);
  CHECK(all.calls < SLOTS);
  CHECK_EQ(all.aborted, 3);
  CHECK_EQ(all.closed, 4999);
  CHECK_EQ(all.data, 4999);
}

static void a_ring_full_of_streams_that_are_gone_goes_on(void) {
  const kvs_event *held;

  begin();
  push(KVS_EVENT_STREAM_READY, 7, 42);
  held = kvs_queue_next(&queue);
  for (uint32_t i = 1; i < 1000; i++) {
    push(KVS_EVENT_STREAM_CLOSED, i, 0);
    if (!CHECK(queue.count < SLOTS)) {
      return;
    }
  }
  CHECK_EQ(queue.count, SLOTS - 1);
  CHECK_EQ(held->stream, 7); /* as it was given */
  CHECK_EQ(held->u.stream_ready.uptime, 42);
}

int main(void) {
  RUN(they_come_in_order_and_stay_until_the_next);
  RUN(a_text_is_kept);
  RUN(data_of_a_session_are_told_once);
  RUN(losses_that_follow_each_other_are_one);
  RUN(other_losses_are_not);
  RUN(a_ring_that_nobody_empties_loses_no_loss);
  RUN(a_ring_full_of_streams_that_are_gone_goes_on);
  return check_report();
}
