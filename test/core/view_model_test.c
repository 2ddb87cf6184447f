/* The content view against a list of what was put in it: 100,000 random steps,
 * each followed by a comparison of everything that either of them knows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/view.h"

enum { STEPS = 100000, FRAGMENTS = 24, FRAMES = 16, HEAP = 2 * 1024 * 1024 };
#define MS KVS_TICKS_PER_MS

typedef struct frame {
  uint32_t len;
  uint32_t id; /* its bytes follow from it */
  uint64_t pts;
} frame;

typedef struct fragment {
  kvs_pos at;
  uint64_t cluster;
  uint64_t begin;
  uint64_t end;
  bool taken;
  bool freed;
  bool lost;
  bool closed;
  uint32_t count;
  frame frames[FRAMES];
} fragment;

/* Fragments, oldest first. The reader stands before byte |offset| of frame
 * |frame| of fragment |reader|; |reader| == |count|: everything is read. */
typedef struct model {
  fragment list[FRAGMENTS];
  uint32_t count;
  uint32_t reader;
  uint32_t frame;
  uint32_t offset;
  int32_t last; /* the fragment last begun by the reader, -1: none */
  uint32_t next_id;
  uint64_t clock;
} model;

static uint8_t arena[HEAP];
static kvs_heap heap;
static kvs_view view;
static model m;
static uint64_t seed;

static uint32_t below(uint32_t limit) {
  return (uint32_t)(check_random(&seed) % limit);
}

static uint8_t byte_of(uint32_t id, uint32_t at) {
  return (uint8_t)(id * 31u + at * 7u + (at >> 8));
}

static uint64_t span(const fragment *f) {
  return f->end > f->begin ? f->end - f->begin : 0;
}

/* ---- what the model knows --------------------------------------------------
 */

static bool all_read(void) {
  return m.reader == m.count;
}

static bool model_reading(uint32_t i) {
  if (m.last != (int32_t)i) {
    return false;
  }
  return all_read() ? !m.list[i].closed : m.reader == i;
}

static kvs_pos model_oldest(void) {
  for (uint32_t i = 0; i < m.count; i++) {
    if (!m.list[i].freed) {
      return m.list[i].at;
    }
  }
  return 0;
}

static uint64_t model_duration(void) {
  uint64_t sum = 0;

  for (uint32_t i = 0; i < m.count; i++) {
    sum += span(&m.list[i]);
  }
  return sum;
}

static uint64_t model_unread_duration(void) {
  const fragment *newest;
  uint64_t pts;

  if (all_read()) {
    return 0;
  }
  newest = &m.list[m.count - 1];
  pts = m.list[m.reader].frames[m.frame].pts;
  return kvs_min_u64(newest->end > pts ? newest->end - pts : 0,
                     model_duration());
}

static void count_frames(bool unread, uint64_t *frames, uint64_t *bytes) {
  *frames = 0;
  *bytes = 0;
  for (uint32_t i = unread ? m.reader : 0; i < m.count; i++) {
    uint32_t from = unread && i == m.reader ? m.frame : 0;

    for (uint32_t k = from; k < m.list[i].count; k++) {
      *frames += 1;
      *bytes += m.list[i].frames[k].len;
    }
  }
  *bytes -= unread && !all_read() ? m.offset : 0;
}

static kvs_pos model_find(uint64_t timecode) {
  kvs_pos freed = 0;

  for (int32_t i = 0; i <= m.last; i++) {
    const fragment *f = &m.list[i];

    if (f->taken && f->cluster / MS == timecode) {
      if (!f->freed) {
        return f->at;
      }
      freed = freed == 0 ? f->at : freed;
    }
  }
  return freed;
}

static bool compare(void) {
  uint64_t frames = 0;
  uint64_t bytes = 0;
  bool same = CHECK_EQ(kvs_view_check(&view), KVS_OK);

  count_frames(false, &frames, &bytes);
  same &= CHECK_EQ(view.frames, frames);
  same &= CHECK_EQ(view.bytes, bytes);
  count_frames(true, &frames, &bytes);
  same &= CHECK_EQ(view.unread_bytes, bytes);
  same &= CHECK_EQ(view.fragments, m.count);
  same &= CHECK_EQ(view.tail, m.count == 0 ? 0 : m.list[0].at);
  same &= CHECK_EQ(view.newest, m.count == 0 ? 0 : m.list[m.count - 1].at);
  same &= CHECK_EQ(view.oldest, model_oldest());
  same &= CHECK_EQ(view.duration, model_duration());
  same &= CHECK_EQ(kvs_view_unread_duration(&view), model_unread_duration());
  same &= CHECK_EQ(kvs_view_at_fragment_start(&view),
                   !all_read() && m.frame == 0 && m.offset == 0);
  for (uint32_t i = 0; i < m.count; i++) {
    const kvs_fragment *f = kvs_view_fragment(&view, m.list[i].at);

    same &= CHECK_EQ(kvs_view_reading(&view, m.list[i].at), model_reading(i));
    same &= CHECK_EQ((f->state & KVS_FRAGMENT_FREED) != 0, m.list[i].freed);
    same &= CHECK_EQ((f->state & KVS_FRAGMENT_TAKEN) != 0, m.list[i].taken);
  }
  if (m.count != 0) {
    uint64_t time = m.list[below(m.count)].cluster / MS;

    same &= CHECK_EQ(kvs_view_find(&view, time), model_find(time));
  }
  return same & CHECK_EQ(kvs_view_find(&view, UINT64_MAX), 0);
}

/* ---- steps -----------------------------------------------------------------
 */

static void write_bytes(kvs_pos at, const frame *f) {
  static uint8_t bytes[65536];

  for (uint32_t i = 0; i < f->len; i++) {
    bytes[i] = byte_of(f->id, i);
  }
  (void)kvs_heap_write(&heap, at, bytes, f->len);
}

static void push(void) {
  fragment *newest = m.count == 0 ? NULL : &m.list[m.count - 1];
  bool begins = newest == NULL || newest->closed || newest->count == FRAMES ||
                below(6) == 0;
  uint32_t len = below(8) == 0 ? 1 + below(40000) : 1 + below(900);
  kvs_unit unit = {0};
  kvs_fragment begun = {0};
  kvs_heap_stats before;
  kvs_heap_stats after;
  uint32_t needs;
  kvs_pos body = 0;
  kvs_status status;
  bool was_read = all_read();

  if (begins && m.count == FRAGMENTS) {
    return;
  }
  m.clock += below(60) * MS;
  unit.len = len;
  unit.pts = m.clock + below(3) * 20 * MS; /* not in order */
  unit.duration = below(50) * (uint32_t)MS;
  begun.cluster = (m.clock / (3 * MS)) * 3 * MS / 2; /* times that collide */
  kvs_heap_get_stats(&heap, &before);
  needs = kvs_view_needs(&view, begins, len);
  status = kvs_view_push(&view, &unit, begins ? &begun : NULL, &body);
  kvs_heap_get_stats(&heap, &after);
  CHECK_EQ(status,
           needs > before.available ? KVS_STATUS_STORE_OUT_OF_MEMORY : KVS_OK);
  CHECK_EQ(after.used - before.used, status == KVS_OK ? needs : 0);
  if (status != KVS_OK) {
    return;
  }
  if (begins) {
    if (newest != NULL) {
      newest->closed = true;
    }
    newest = &m.list[m.count++];
    memset(newest, 0, sizeof(*newest));
    newest->at = view.newest;
    newest->cluster = begun.cluster;
    newest->begin = unit.pts;
    newest->end = unit.pts;
  }
  if (was_read) {
    m.reader = m.count - 1;
    m.frame = newest->count;
    m.offset = 0;
  }
  newest->frames[newest->count] = (frame){len, m.next_id++, unit.pts};
  write_bytes(body, &newest->frames[newest->count++]);
  newest->end = kvs_max_u64(newest->end, unit.pts + unit.duration);
}

/* Steps the model's reader over |len| bytes of |bytes|; false: other bytes. */
static bool follow(const uint8_t *bytes, uint32_t len) {
  for (uint32_t i = 0; i < len; i++) {
    fragment *f = &m.list[m.reader];
    frame *unit = &f->frames[m.frame];

    if (bytes[i] != byte_of(unit->id, m.offset++)) {
      return false;
    }
    if (m.offset == unit->len) {
      m.offset = 0;
      m.frame++;
    }
    if (m.frame == f->count) {
      m.frame = 0;
      m.reader++;
    }
  }
  return true;
}

/* Up to the end of the fragment that the reader stands in, never beyond. */
static void read(void) {
  static uint8_t out[50000];
  uint32_t room = below(3) == 0 ? 1 + below(20) : 1 + below(sizeof(out) - 1);
  size_t got = kvs_view_read(&view, out, room);
  uint64_t left = 0;
  fragment *f;

  if (all_read()) {
    CHECK_EQ(got, 0);
    return;
  }
  f = &m.list[m.reader];
  if (m.frame == 0 && m.offset == 0) {
    f->taken = true;
    m.last = (int32_t)m.reader;
  }
  for (uint32_t k = m.frame; k < f->count; k++) {
    left += f->frames[k].len;
  }
  CHECK_EQ(got, kvs_min_u64(room, left - m.offset));
  CHECK(follow(out, (uint32_t)got));
}

static void free_one(void) {
  uint32_t i;

  if (m.count == 0) {
    return;
  }
  i = below(m.count);
  if (!m.list[i].closed || !m.list[i].taken) {
    return; /* only what is whole and was sent can be freed */
  }
  m.list[i].freed = true;
  if (below(8) == 0) {
    m.list[i].lost = true;
    kvs_view_fragment(&view, m.list[i].at)->state |= KVS_FRAGMENT_LOST;
  }
  kvs_view_free(&view, m.list[i].at);
}

static void pop(void) {
  if (m.count == 0 || kvs_view_reading(&view, view.tail)) {
    return;
  }
  kvs_view_pop(&view);
  memmove(&m.list[0], &m.list[1], (m.count - 1) * sizeof(m.list[0]));
  m.count--;
  if (m.reader > 0) {
    m.reader--;
  } else {
    m.frame = 0; /* it was unread: the reader goes to the next */
    m.offset = 0;
  }
  m.last = m.last > 0 ? m.last - 1 : -1;
}

/* Ruling 7, in the model's words. */
static int32_t model_victim(bool open) {
  int32_t first = -1;

  for (uint32_t i = 0; i < m.count; i++) {
    const fragment *f = &m.list[i];
    bool stays = model_reading(i) || (open && i + 1 == m.count) ||
                 (f->taken && !f->freed);

    if (!stays && f->freed) {
      return (int32_t)i;
    }
    first = first < 0 && !stays ? (int32_t)i : first;
  }
  return first;
}

static void remove_one(void) {
  bool open = below(2) == 0;
  int32_t want = model_victim(open);
  kvs_victim victim = {0, 0};
  uint32_t pages = view.chain.pages;
  uint32_t may = kvs_view_removable(&view, open);
  uint32_t i = (uint32_t)want;

  CHECK_EQ(kvs_view_victim(&view, open, &victim), want >= 0);
  if (want < 0) {
    CHECK_EQ(may, 0);
    return;
  }
  CHECK_EQ(victim.at, m.list[i].at);
  CHECK_EQ(victim.before, i == 0 ? 0 : m.list[i - 1].at);
  kvs_view_remove(&view, &victim);
  CHECK(pages - view.chain.pages <= may);
  memmove(&m.list[i], &m.list[i + 1], (m.count - i - 1) * sizeof(m.list[0]));
  m.count--;
  if (m.reader > i) {
    m.reader--;
  }
  m.last = m.last >= want ? m.last - 1 : m.last;
  if (m.count != 0) {
    m.list[m.count - 1].closed =
        m.list[m.count - 1].closed || i == m.count; /* it was, before */
  }
}

/* Everything that may go does, and just the pages that were told come back. */
static void remove_all(void) {
  uint32_t pages = view.chain.pages;
  uint32_t may = kvs_view_removable(&view, true);

  while (model_victim(true) >= 0) {
    kvs_victim victim;
    uint32_t i = (uint32_t)model_victim(true);

    if (!CHECK(kvs_view_victim(&view, true, &victim))) {
      return;
    }
    kvs_view_remove(&view, &victim);
    memmove(&m.list[i], &m.list[i + 1], (m.count - i - 1) * sizeof(m.list[0]));
    m.count--;
    m.reader -= m.reader > i ? 1 : 0;
    m.last = m.last >= (int32_t)i ? m.last - 1 : m.last;
  }
  CHECK_EQ(pages - view.chain.pages, may);
}

static void rewind_reader(void) {
  kvs_view_rewind(&view);
  m.reader = 0;
  while (m.reader < m.count && m.list[m.reader].freed) {
    m.reader++;
  }
  for (uint32_t i = m.reader; i < m.count; i++) {
    m.list[i].taken = m.list[i].taken && m.list[i].freed;
  }
  m.frame = 0;
  m.offset = 0;
  m.last = -1;
}

static void pass(void) {
  if (!kvs_view_at_fragment_start(&view) || !m.list[m.reader].freed) {
    return; /* only what is freed is passed over */
  }
  kvs_view_pass(&view);
  m.last = (int32_t)m.reader;
  m.reader++;
}

static void unfree(void) {
  kvs_view_unfree(&view);
  for (uint32_t i = 0; i < m.count; i++) {
    m.list[i].freed = m.list[i].lost;
  }
  rewind_reader(); /* as the stream does: the reader may be beyond them */
}

static void step(void) {
  switch (below(64)) {
    case 0:
      rewind_reader();
      break;
    case 1:
      pass();
      break;
    case 2:
      kvs_view_close_newest(&view);
      if (m.count != 0) {
        m.list[m.count - 1].closed = true;
      }
      break;
    case 3:
      if (below(4) == 0) {
        unfree();
      }
      break;
    case 5:
    case 6:
    case 7:
      remove_one();
      break;
    case 8:
      if (below(20) == 0) {
        remove_all();
      }
      break;
    case 4:
      if (below(50) == 0) {
        kvs_view_clear(&view);
        m.count = 0;
        m.reader = 0;
        m.frame = 0;
        m.offset = 0;
        m.last = -1;
      }
      break;
    default:
      if (below(100) < 38) {
        push();
      } else if (below(100) < 75) {
        read();
      } else if (below(2) == 0) {
        free_one();
      } else {
        pop();
      }
      break;
  }
}

static void the_view_equals_a_list(void) {
  kvs_heap_init(&heap, arena, sizeof(arena));
  kvs_view_init(&view, &heap, 1);
  m.last = -1;
  m.clock = 1000 * MS;
  for (uint32_t i = 0; i < STEPS; i++) {
    step();
    if (!compare()) {
      fprintf(stderr, "step %u\n", i);
      break;
    }
  }
  kvs_view_clear(&view);
  CHECK_EQ(heap.page_count, kvs_heap_available(&heap));
  kvs_heap_done(&heap);
}

int main(int argc, char **argv) {
  seed = argc > 1 ? strtoull(argv[1], NULL, 10) : UINT64_C(20181126);
  printf("seed %llu\n", (unsigned long long)seed);
  RUN(the_view_equals_a_list);
  return check_report();
}
