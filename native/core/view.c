/* SPDX-License-Identifier: Apache-2.0
 * Every operation is O(1), but for kvs_view_pop (the pages of one fragment),
 * kvs_view_rewind and kvs_view_find (the fragments between tail and reader),
 * and what makes room, which looks at the fragments: nothing else grows with
 * what is still to be sent. Counters are kept running.
 *
 * Invariant: tail == 0 exactly when newest == 0; the reader's fragment lies
 * between tail and newest; current == 0 means that everything was read. */
#include "core/view.h"

#define FRESH_MARKS                                                  \
  (KVS_FRAGMENT_TAKEN | KVS_FRAGMENT_SENT | KVS_FRAGMENT_BUFFERING | \
   KVS_FRAGMENT_RECEIVED | KVS_FRAGMENT_PERSISTED)

void kvs_view_init(kvs_view *view, kvs_heap *heap, uint32_t owner) {
  memset(view, 0, sizeof(*view));
  view->heap = heap;
  kvs_chain_init(&view->chain, owner);
}

static size_t unit_head_len(const kvs_unit *unit) {
  return kvs_view_head_len((unit->flags & KVS_UNIT_FRAGMENT) != 0);
}

static uint64_t span(const kvs_fragment *fragment) {
  return kvs_sub_u64(fragment->end, fragment->begin);
}

/* Where the unit of |fragment| after the one at |at| begins, or the next
 * fragment, or 0. */
static kvs_pos unit_after(const kvs_view *view, const kvs_fragment *fragment,
                          kvs_pos at) {
  const kvs_unit *unit = kvs_view_unit(view, at);
  kvs_pos body = at + unit_head_len(unit);
  kvs_pos end = kvs_heap_skip(view->heap, body, unit->len);

  return end == fragment->stop ? fragment->next
                               : kvs_chain_next(view->heap, &view->chain, end);
}

/* |end| is where the blocks before it end. */
static void link_fragment(kvs_view *view, kvs_pos at, kvs_pos end) {
  if (view->newest == 0) {
    view->tail = at;
  } else {
    kvs_view_close_newest(view);
    kvs_view_fragment(view, view->newest)->next = at;
    kvs_view_fragment(view, view->newest)->stop = end;
  }
  view->newest = at;
  view->oldest = view->oldest == 0 ? at : view->oldest;
  view->fragments++;
}

static void begin_fragment(kvs_view *view, kvs_pos at, uint64_t pts,
                           const kvs_fragment *fragment, kvs_pos end) {
  kvs_fragment *begun = kvs_view_fragment(view, at);

  *begun = *fragment;
  begun->next = 0;
  begun->begin = pts;
  begun->end = pts;
  begun->frames = 0;
  begun->bytes = 0;
  begun->tracks = 0;
  begun->stop = 0;
  link_fragment(view, at, end);
}

kvs_status kvs_view_push(kvs_view *view, const kvs_unit *unit,
                         const kvs_fragment *fragment, kvs_pos *body) {
  size_t head = kvs_view_head_len(fragment != NULL);
  kvs_pos end = view->chain.end;
  kvs_pos at = 0;
  kvs_unit *stored;
  kvs_fragment *newest;

  KVS_ASSERT(fragment != NULL || view->newest != 0);
  KVS_TRY(kvs_chain_append(view->heap, &view->chain, head, unit->len, &at));
  stored = kvs_view_unit(view, at);
  *stored = *unit;
  if (fragment != NULL) {
    stored->flags |= KVS_UNIT_FRAGMENT;
    begin_fragment(view, at, unit->pts, fragment, end);
  }
  stored->check = kvs_unit_check(stored);
  newest = kvs_view_fragment(view, view->newest);
  newest->tracks |= UINT32_C(1) << stored->track;
  kvs_view_count(view, newest, stored, kvs_view_growth(newest, stored), at);
  *body = at + head;
  return KVS_OK;
}

kvs_status kvs_view_push_tail(kvs_view *view, uint32_t len, kvs_pos *body) {
  kvs_fragment *newest = kvs_view_fragment(view, view->newest);
  kvs_unit unit = {0};

  KVS_ASSERT((newest->state & KVS_FRAGMENT_CLOSED) == 0);
  unit.len = len;
  unit.pts = newest->end;
  unit.track = kvs_view_unit(view, view->newest)->track;
  unit.flags = KVS_UNIT_TAIL;
  KVS_TRY(kvs_view_push(view, &unit, NULL, body));
  newest->frames--;
  view->frames--;
  return KVS_OK;
}

void kvs_view_close_newest(kvs_view *view) {
  if (view->newest != 0) {
    kvs_view_fragment(view, view->newest)->state |= KVS_FRAGMENT_CLOSED;
  }
}

/* Moves |oldest| on to a fragment that is not freed. */
static void skip_freed(kvs_view *view) {
  while (view->oldest != 0) {
    const kvs_fragment *fragment = kvs_view_fragment(view, view->oldest);

    if ((fragment->state & KVS_FRAGMENT_FREED) == 0) {
      return;
    }
    view->passed--;
    view->gone = 0; /* who knows whether they were newer than the next */
    view->oldest = fragment->next;
  }
}

void kvs_view_free(kvs_view *view, kvs_pos at) {
  kvs_fragment *fragment = kvs_view_fragment(view, at);

  view->passed += (fragment->state & KVS_FRAGMENT_FREED) == 0 ? 1 : 0;
  fragment->state |= KVS_FRAGMENT_FREED;
  skip_freed(view);
}

void kvs_view_unfree(kvs_view *view) {
  view->passed = 0;
  view->gone = 0;
  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    kvs_fragment *fragment = kvs_view_fragment(view, at);

    if ((fragment->state & KVS_FRAGMENT_LOST) == 0) {
      fragment->state &= ~(uint32_t)(KVS_FRAGMENT_FREED | FRESH_MARKS);
    } else {
      view->passed++;
    }
  }
  view->oldest = view->tail;
  skip_freed(view);
}

/* Whether no byte of the fragment at |at|, the oldest, was read. */
static bool unread(const kvs_view *view, kvs_pos at) {
  return view->current == at && view->at == 0;
}

/* Takes the fragment at |at|, behind |before|, out of all that is counted; the
 * reader is not within it. */
static void uncount(kvs_view *view, kvs_pos at, kvs_pos before) {
  const kvs_fragment *fragment = kvs_view_fragment(view, at);

  if (unread(view, at)) {
    view->current = fragment->next;
  }
  KVS_ASSERT(view->fragment != at || view->at == 0);
  if (view->fragment == at) {
    view->fragment = before;
  }
  view->frames -= fragment->frames;
  view->bytes -= fragment->bytes;
  view->duration -= span(fragment);
  view->fragments--;
  if (view->oldest == at) {
    view->oldest = fragment->next;
    skip_freed(view);
  }
}

/* Whether |a| is met no later than |b| on the way from the tail. */
static bool comes_first(const kvs_view *view, kvs_pos a, kvs_pos b) {
  kvs_pos at = view->tail;

  while (at != a && at != b && at != 0) {
    at = kvs_view_fragment(view, at)->next;
  }
  return at == a && a != 0;
}

/* The first fragment that the reader has not begun, or 0. */
static kvs_pos first_unread(const kvs_view *view) {
  if (view->current == 0 || kvs_view_at_fragment_start(view)) {
    return view->current;
  }
  return kvs_view_fragment(view, view->fragment)->next;
}

bool kvs_view_is_ahead(const kvs_view *view, kvs_pos at) {
  return comes_first(view, first_unread(view), at);
}

void kvs_view_pop(kvs_view *view) {
  kvs_pos at = view->tail;
  kvs_pos next = kvs_view_fragment(view, at)->next;

  KVS_ASSERT(at != 0);
  if (unread(view, at)) {
    view->unread_bytes -= kvs_view_fragment(view, at)->bytes;
  }
  uncount(view, at, 0);
  view->tail = next;
  if (next == 0) {
    view->newest = 0;
    view->current = 0;
  }
  kvs_chain_trim(view->heap, &view->chain, next);
}

bool kvs_view_victim(const kvs_view *view, bool open, kvs_victim *victim) {
  bool freed = view->passed != 0 || view->tail != view->oldest;
  bool found = false;
  kvs_pos before = 0;

  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    const kvs_fragment *fragment = kvs_view_fragment(view, at);
    bool free = kvs_fragment_is_freed(fragment);

    if (kvs_view_reading(view, at) || (open && at == view->newest) ||
        kvs_fragment_in_flight(fragment)) {
      before = at;
      continue;
    }
    if (free || !found) {
      victim->at = at;
      victim->before = before;
      found = true;
    }
    if (free || !freed) {
      return true; /* none that is freed comes behind it */
    }
    before = at;
  }
  return found;
}

void kvs_view_remove(kvs_view *view, const kvs_victim *victim) {
  kvs_pos next = kvs_view_fragment(view, victim->at)->next;
  kvs_fragment *before;

  if (victim->before == 0) {
    kvs_view_pop(view);
    return;
  }
  if (kvs_view_is_ahead(view, victim->at)) {
    view->unread_bytes -= kvs_view_fragment(view, victim->at)->bytes;
  }
  if (kvs_fragment_is_freed(kvs_view_fragment(view, victim->at)) &&
      comes_first(view, view->oldest, victim->at)) {
    view->passed--;
    view->gone++;
  }
  uncount(view, victim->at, victim->before);
  before = kvs_view_fragment(view, victim->before);
  before->next = next;
  if (next == 0) {
    view->newest = victim->before;
  }
  (void)kvs_chain_cut(view->heap, &view->chain, before->stop, next);
  if (next == 0) {
    before->stop = 0; /* the chain ends with it */
  }
}

uint32_t kvs_view_removable(const kvs_view *view, bool open) {
  uint32_t kept = 0;
  kvs_pos end = 0; /* of the last that stays */

  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    const kvs_fragment *fragment = kvs_view_fragment(view, at);
    kvs_pos stop = fragment->stop == 0 ? view->chain.end : fragment->stop;

    if (!kvs_view_reading(view, at) && !(open && at == view->newest) &&
        !kvs_fragment_in_flight(fragment)) {
      continue;
    }
    kept += kvs_heap_span(view->heap, at, stop);
    kept -= end != 0 && kvs_heap_share(end, at) ? 1 : 0;
    end = stop;
  }
  return view->chain.pages - kept;
}

void kvs_view_clear(kvs_view *view) {
  kvs_chain chain = view->chain;
  kvs_heap *heap = view->heap;

  kvs_chain_trim(heap, &chain, 0);
  kvs_view_init(view, heap, chain.owner);
}

void kvs_view_rewind(kvs_view *view) {
  kvs_pos at = view->tail;

  view->unread_bytes = view->bytes;
  view->fragment = 0;
  view->at = 0;
  view->left = 0;
  view->current = view->oldest;
  for (; at != view->oldest; at = kvs_view_fragment(view, at)->next) {
    view->unread_bytes -= kvs_view_fragment(view, at)->bytes;
  }
  for (; at != 0; at = kvs_view_fragment(view, at)->next) {
    kvs_fragment *fragment = kvs_view_fragment(view, at);

    if ((fragment->state & (KVS_FRAGMENT_FREED | KVS_FRAGMENT_TAKEN)) == 0) {
      break; /* nothing beyond was ever read */
    }
    if ((fragment->state & KVS_FRAGMENT_FREED) == 0) {
      fragment->state &= ~(uint32_t)FRESH_MARKS;
    }
  }
}

void kvs_view_pass(kvs_view *view) {
  const kvs_fragment *fragment = kvs_view_fragment(view, view->current);

  KVS_ASSERT(kvs_view_at_fragment_start(view));
  view->unread_bytes -= fragment->bytes;
  view->fragment = view->current;
  view->current = fragment->next;
}

void kvs_view_enter(kvs_view *view) {
  const kvs_unit *unit = kvs_view_unit(view, view->current);

  KVS_ASSERT(kvs_view_at_fragment_start(view));
  view->fragment = view->current;
  kvs_view_fragment(view, view->fragment)->state |= KVS_FRAGMENT_TAKEN;
  view->at = view->current + kvs_view_head_len(true);
  view->left = unit->len;
}

size_t kvs_view_read(kvs_view *view, uint8_t *out, size_t len) {
  if (len != 0 && kvs_view_at_fragment_start(view)) {
    kvs_view_enter(view);
  }
  return kvs_view_read_on(view, out, len);
}

kvs_pos kvs_view_find(const kvs_view *view, uint64_t timecode) {
  kvs_pos at = view->fragment == 0 ? 0 : view->tail;
  kvs_pos freed = 0;

  while (at != 0) {
    const kvs_fragment *fragment = kvs_view_fragment(view, at);

    if ((fragment->state & KVS_FRAGMENT_TAKEN) != 0 &&
        fragment->cluster / KVS_TICKS_PER_MS == timecode) {
      if ((fragment->state & KVS_FRAGMENT_FREED) == 0) {
        return at;
      }
      freed = freed == 0 ? at : freed;
    }
    at = at == view->fragment ? 0 : fragment->next;
  }
  return freed;
}

void kvs_view_shift_units(kvs_view *view, kvs_pos at, uint64_t by) {
  const kvs_fragment *fragment = kvs_view_fragment(view, at);
  kvs_pos end = fragment->next;

  while (at != end) {
    kvs_unit *unit = kvs_view_unit(view, at);

    unit->pts += by;
    unit->check = kvs_unit_check(unit);
    at = unit_after(view, fragment, at);
  }
}

static bool fragment_is_sound(const kvs_view *view, kvs_pos at,
                              uint64_t *frames, uint64_t *bytes) {
  const kvs_fragment *fragment = kvs_view_fragment(view, at);
  uint64_t unit_bytes = 0;
  uint32_t units = 0;
  kvs_pos unit_at = at;

  while (unit_at != 0 && unit_at != fragment->next) {
    const kvs_unit *unit = kvs_view_unit(view, unit_at);
    bool begins = (unit->flags & KVS_UNIT_FRAGMENT) != 0;

    if (unit->check != kvs_unit_check(unit) || begins != (unit_at == at)) {
      return false;
    }
    units += (unit->flags & KVS_UNIT_TAIL) != 0 ? 0 : 1;
    unit_bytes += unit->len;
    unit_at = unit_after(view, fragment, unit_at);
  }
  *frames += units;
  *bytes += unit_bytes;
  return units == fragment->frames && unit_bytes == fragment->bytes &&
         unit_at == fragment->next;
}

kvs_status kvs_view_check(const kvs_view *view) {
  uint64_t frames = 0;
  uint64_t bytes = 0;
  uint64_t duration = 0;
  uint32_t fragments = 0;
  uint32_t passed = 0;
  kvs_pos oldest = 0;

  KVS_TRY(kvs_chain_check(view->heap, &view->chain));
  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    if (!fragment_is_sound(view, at, &frames, &bytes)) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    if ((kvs_view_fragment(view, at)->state & KVS_FRAGMENT_FREED) != 0) {
      passed += oldest == 0 ? 0 : 1;
    } else if (oldest == 0) {
      oldest = at;
    }
    duration += span(kvs_view_fragment(view, at));
    fragments++;
  }
  return frames == view->frames && bytes == view->bytes &&
                 duration == view->duration && fragments == view->fragments &&
                 passed == view->passed && oldest == view->oldest
             ? KVS_OK
             : KVS_STATUS_HEAP_CORRUPTED;
}
