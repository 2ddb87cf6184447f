/* SPDX-License-Identifier: Apache-2.0
 * The content view: a stream's buffered media, as fragments of frames.
 *
 *   tail            current                newest
 *    │ sent, unacked  │ still to send        │ being written
 *    ▼                ▼                      ▼
 *   [fragment]─next─►[fragment]─next─►...─►[fragment]─►0
 *
 * Each frame is one block of the heap: a kvs_unit (and, where it begins a
 * fragment, a kvs_fragment) as its head, then the bytes that go on the wire.
 * The blocks of a fragment follow each other; behind its |stop| there may be a
 * hole, where fragments were that are gone, and |next| leads over it.
 * The view owns its chain of pages and nothing else. */
#ifndef KVS_CORE_VIEW_H
#define KVS_CORE_VIEW_H

#include "core/heap.h"

enum {
  KVS_UNIT_FRAGMENT = 1u << 0, /* a kvs_fragment follows */
  KVS_UNIT_TAIL = 1u << 1      /* no frame: bytes behind those of a fragment */
};

/* One frame as it lies in the arena. Its decoding time is that of its place. */
typedef struct kvs_unit {
  uint32_t check;    /* over the rest */
  uint32_t len;      /* bytes on the wire */
  uint64_t pts;      /* ticks */
  uint32_t duration; /* ticks; UINT32_MAX: longer */
  uint16_t prefix;   /* of |len|: tags, cluster and block headers */
  uint8_t track;     /* index into the stream's tracks */
  uint8_t flags;     /* KVS_UNIT_* */
} kvs_unit;

_Static_assert(sizeof(kvs_unit) == 24, "40 bytes a frame is the budget");

enum {
  KVS_FRAGMENT_CLOSED = 1u << 0,    /* no more frames will be added */
  KVS_FRAGMENT_TAKEN = 1u << 1,     /* its first byte was taken */
  KVS_FRAGMENT_SENT = 1u << 2,      /* its last byte was taken */
  KVS_FRAGMENT_BUFFERING = 1u << 3, /* acks of the present session */
  KVS_FRAGMENT_RECEIVED = 1u << 4,
  KVS_FRAGMENT_PERSISTED = 1u << 5,
  KVS_FRAGMENT_FREED = 1u << 6,    /* need not be sent (again) */
  KVS_FRAGMENT_TIMELINE = 1u << 7, /* begins a timeline: a session of its own */
  KVS_FRAGMENT_LOST = 1u << 8,     /* given up: counts as freed, was reported */
  KVS_FRAGMENT_ENDED = 1u << 9,    /* carries its END_OF_FRAGMENT tag */
  KVS_FRAGMENT_WENT_OUT = 1u << 10 /* was sent whole, in whatever session */
};

typedef struct kvs_fragment {
  uint64_t cluster; /* timecode as written, ticks */
  uint64_t begin;   /* pts of the first frame */
  uint64_t end;     /* latest pts + duration */
  kvs_pos next;     /* 0: the newest */
  uint64_t bytes;   /* on the wire */
  uint64_t base;    /* ticks that cluster times count from */
  uint64_t sent_at; /* mono: when the last byte was taken */
  uint64_t taken_at;
  uint32_t frames;
  uint32_t header; /* slot of the session header it needs */
  uint32_t state;  /* KVS_FRAGMENT_* */
  uint32_t tracks; /* a bit for each track that has a frame in it */
  kvs_pos stop;    /* where its last block ends, once a later one has begun */
} kvs_fragment;

_Static_assert(sizeof(kvs_unit) + sizeof(kvs_fragment) <= KVS_BLOCK_ROOM,
               "a block head never crosses a page");

typedef struct kvs_view {
  kvs_heap *heap;
  kvs_chain chain;
  kvs_pos tail;   /* oldest fragment, 0: empty */
  kvs_pos oldest; /* oldest fragment that is not freed, 0: all are */
  kvs_pos newest;
  uint32_t fragments; /* in the view */
  uint32_t passed;    /* of these, freed and newer than |oldest| */
  uint32_t gone;      /* such that were, and have left the view since */
  uint64_t frames;
  uint64_t bytes;
  uint64_t duration; /* sum of the fragments' */
  /* The reader. */
  kvs_pos current;  /* unit to read next, 0: none yet */
  kvs_pos fragment; /* fragment of |current|, or the last one read; 0: none */
  kvs_pos at;       /* next byte of |current|; 0: at its start */
  uint32_t left;    /* bytes of |current| still to read */
  uint64_t unread_bytes;
} kvs_view;

void kvs_view_init(kvs_view *view, kvs_heap *heap, uint32_t owner);

/* The unit or fragment at |at|. */
static inline kvs_unit *kvs_view_unit(const kvs_view *view, kvs_pos at) {
  return (kvs_unit *)kvs_heap_at(view->heap, at);
}

static inline kvs_fragment *kvs_view_fragment(const kvs_view *view,
                                              kvs_pos at) {
  return (kvs_fragment *)kvs_heap_at(view->heap, at + sizeof(kvs_unit));
}

/* Bytes of the head of a block that does or does not begin a fragment. */
static inline size_t kvs_view_head_len(bool begins) {
  return sizeof(kvs_unit) + (begins ? sizeof(kvs_fragment) : 0);
}

/* Pages to be free for a unit of |len| bytes that does or does not begin a
 * fragment. */
static inline uint32_t kvs_view_needs(const kvs_view *view, bool begins,
                                      uint32_t len) {
  return kvs_chain_needs(&view->chain, kvs_view_head_len(begins), len);
}

/* Appends |unit| [read] (without |check|), beginning |fragment| [read] where
 * it is given. |body| [filled] is where its unit->len bytes go: write them all
 * before anything else. STORE_OUT_OF_MEMORY: nothing changed. */
KVS_MUST_CHECK kvs_status kvs_view_push(kvs_view *view, const kvs_unit *unit,
                                        const kvs_fragment *fragment,
                                        kvs_pos *body);

static inline uint32_t kvs_unit_check(const kvs_unit *unit) {
  uint64_t size = ((uint64_t)unit->len << 32) | unit->duration;
  uint64_t kind = ((uint64_t)unit->prefix << 16) |
                  ((uint64_t)unit->track << 8) | unit->flags;

  return kvs_check32(size, unit->pts, kind);
}

/* Media time at which the unit ends: stamps leave room for it. */
static inline uint64_t kvs_unit_end(const kvs_unit *unit) {
  KVS_ASSERT(unit->pts <= INT64_MAX);
  return unit->pts + unit->duration;
}

/* By how much the unit makes |fragment|, the newest, longer. */
static inline uint64_t kvs_view_growth(const kvs_fragment *fragment,
                                       const kvs_unit *unit) {
  return kvs_sub_u64(kvs_unit_end(unit), fragment->end);
}

/* Counts the unit at |at|, the newest of |fragment|, the newest. The end of a
 * fragment only moves on, and the view |grows| by as much. */
static inline void kvs_view_count(kvs_view *view, kvs_fragment *fragment,
                                  const kvs_unit *unit, uint64_t grows,
                                  kvs_pos at) {
  fragment->end += grows;
  fragment->frames++;
  fragment->bytes += unit->len;
  view->duration += grows;
  view->frames++;
  view->bytes += unit->len;
  view->unread_bytes += unit->len;
  if (view->current == 0) {
    KVS_ASSERT(view->at == 0);
    view->current = at;
  }
}

/* As kvs_view_push to |fragment|, the newest, which it makes longer by |grows|
 * and which has a frame of the same track, where the unit fits in the page that
 * is begun. Returns its unit->len bytes
 * [lent], in one piece; NULL: it does not fit and nothing changed. */
static inline uint8_t *kvs_view_push_within(kvs_view *view,
                                            kvs_fragment *fragment,
                                            const kvs_unit *unit,
                                            uint64_t grows) {
  kvs_unit *stored;
  kvs_pos at;

  KVS_ASSERT((fragment->tracks >> unit->track & 1) != 0);
  if (!kvs_chain_append_within(view->heap, &view->chain,
                               sizeof(kvs_unit) + unit->len, &at)) {
    return NULL;
  }
  stored = kvs_view_unit(view, at);
  *stored = *unit;
  stored->check = kvs_unit_check(unit);
  kvs_view_count(view, fragment, unit, grows, at);
  return (uint8_t *)(stored + 1);
}

/* Appends |len| bytes that are no frame behind the newest fragment, which is
 * there and not closed: they are sent, sent again, counted as bytes and
 * forgotten with it. As kvs_view_push. */
KVS_MUST_CHECK kvs_status kvs_view_push_tail(kvs_view *view, uint32_t len,
                                             kvs_pos *body);

/* No more frames for the newest fragment. */
void kvs_view_close_newest(kvs_view *view);

/* Marks a fragment as one that need not be sent (again). */
void kvs_view_free(kvs_view *view, kvs_pos at);

/* Takes that back for all fragments but those given up as lost, and forgets
 * what was taken and acknowledged of them; to be followed by kvs_view_rewind.
 */
void kvs_view_unfree(kvs_view *view);

/* Forgets the oldest fragment and gives its pages back. The view is not empty
 * and the reader is not within it (kvs_view_reading). */
void kvs_view_pop(kvs_view *view);

/* A fragment that may leave the view, and the one before it (0: none). */
typedef struct kvs_victim {
  kvs_pos at;
  kvs_pos before;
} kvs_victim;

/* Which fragment gives way to newer media (ruling 7): one that is freed, the
 * oldest of them; else the oldest that was not begun, of which no byte was
 * taken in the present session. The newest is no candidate while it is |open|.
 * False: there is none, only begun ones and the open one remain. */
bool kvs_view_victim(const kvs_view *view, bool open, kvs_victim *victim);

/* Whether the reader has not come to the fragment at |at| yet. */
bool kvs_view_is_ahead(const kvs_view *view, kvs_pos at);

/* Forgets that fragment, wherever it stands; the pages come back that it had
 * for itself and those of holes beside it. */
void kvs_view_remove(kvs_view *view, const kvs_victim *victim);

/* Pages that come back when every such fragment goes. */
uint32_t kvs_view_removable(const kvs_view *view, bool open);

/* Whether the fragment is being sent, or was sent and is not freed: it stays.
 */
static inline bool kvs_fragment_in_flight(const kvs_fragment *fragment) {
  return (fragment->state & (KVS_FRAGMENT_TAKEN | KVS_FRAGMENT_FREED)) ==
         KVS_FRAGMENT_TAKEN;
}

static inline bool kvs_fragment_is_freed(const kvs_fragment *fragment) {
  return (fragment->state & KVS_FRAGMENT_FREED) != 0;
}

/* Forgets everything. */
void kvs_view_clear(kvs_view *view);

/* Whether the reader has begun the fragment at |at| and not yet left it. */
static inline bool kvs_view_reading(const kvs_view *view, kvs_pos at) {
  if (view->fragment != at || at == 0) {
    return false;
  }
  if (view->current == 0) {
    /* All read; it is left only when it cannot grow. */
    return (kvs_view_fragment(view, at)->state & KVS_FRAGMENT_CLOSED) == 0;
  }
  return (kvs_view_unit(view, view->current)->flags & KVS_UNIT_FRAGMENT) == 0 ||
         view->current == at;
}

/* Puts the reader on the first unit of the oldest fragment that is not freed
 * and forgets what was taken and acknowledged of that and all later ones. */
void kvs_view_rewind(kvs_view *view);

/* Moves the reader from the start of a fragment to the start of the next, over
 * it. */
void kvs_view_pass(kvs_view *view);

/* Whether the reader stands at the first byte of a fragment. */
static inline bool kvs_view_at_fragment_start(const kvs_view *view) {
  return view->current != 0 && view->at == 0 &&
         (kvs_view_unit(view, view->current)->flags & KVS_UNIT_FRAGMENT) != 0;
}

/* Makes the reader begin the fragment at whose first byte it stands. */
void kvs_view_enter(kvs_view *view);

/* Lends up to |most| (at least 1) of the next bytes, of one unit and of one
 * page, as |*bytes| until the next call, and passes them. The view holds some.
 * 0: the reader stands at the start of a fragment. */
static inline size_t kvs_view_piece(kvs_view *view, size_t most,
                                    const uint8_t **bytes) {
  const kvs_unit *unit = kvs_view_unit(view, view->current);
  kvs_pos at = view->at;
  size_t left = view->left;
  size_t n;

  if (at == 0) {
    if ((unit->flags & KVS_UNIT_FRAGMENT) != 0) {
      return 0;
    }
    at = view->current + sizeof(kvs_unit);
    left = unit->len;
  }
  if (kvs_heap_room(at) == 0) {
    at = kvs_chain_next_page(view->heap, at);
  }
  n = kvs_heap_room(at);
  n = left < n ? left : n;
  n = most < n ? most : n;
  *bytes = (const uint8_t *)kvs_heap_at(view->heap, at);
  at += n;
  left -= n;
  view->unread_bytes -= n;
  if (left == 0) {
    const kvs_fragment *fragment = kvs_view_fragment(view, view->fragment);

    view->current = at == fragment->stop
                        ? fragment->next
                        : kvs_chain_next(view->heap, &view->chain, at);
    at = 0;
  }
  view->at = at;
  view->left = (uint32_t)left;
  return n;
}

/* Copies the next bytes of the fragment that the reader is in. 0: nothing to
 * read, or the start of another fragment. */
static inline size_t kvs_view_read_on(kvs_view *view, uint8_t *out,
                                      size_t len) {
  const uint8_t *bytes = NULL;
  size_t done = 0;

  while (done < len && view->current != 0) {
    size_t n = kvs_view_piece(view, len - done, &bytes);

    if (n == 0) {
      break;
    }
    memcpy(out + done, bytes, n);
    done += n;
  }
  return done;
}

/* Copies the next bytes, up to the end of the fragment that the reader is in
 * or begins with them. 0: nothing to read. */
size_t kvs_view_read(kvs_view *view, uint8_t *out, size_t len);

/* The fragment whose cluster time in whole milliseconds is |timecode|, among
 * those that the reader has begun: the oldest that is not freed, since two may
 * share a millisecond, or else the oldest; 0: none. */
kvs_pos kvs_view_find(const kvs_view *view, uint64_t timecode);

/* Adds |by| to the stamps of the frames of the fragment at |at|. */
void kvs_view_shift_units(kvs_view *view, kvs_pos at, uint64_t by);

/* Media time still to read, ticks. */
static inline uint64_t kvs_view_unread_duration(const kvs_view *view) {
  uint64_t ahead;

  if (view->current == 0) {
    return 0;
  }
  ahead = kvs_sub_u64(kvs_view_fragment(view, view->newest)->end,
                      kvs_view_unit(view, view->current)->pts);
  /* After a jump of media time the difference says nothing: then the sum of
   * what the view holds bounds it. */
  return kvs_min_u64(ahead, view->duration);
}

/* HEAP_CORRUPTED unless links, checksums and counters agree. */
KVS_MUST_CHECK kvs_status kvs_view_check(const kvs_view *view);

#endif
