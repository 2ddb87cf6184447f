/* The reader of the model: what a session sends, element by element. */
#include <stdlib.h>
#include <string.h>

#include "session_model.h"

#define END_OF_FRAGMENT "AWS_KINESISVIDEO_END_OF_FRAGMENT"

typedef struct element {
  uint64_t id;
  uint64_t size; /* UINT64_MAX: not told */
  const uint8_t *data;
  size_t len; /* of all of it that is read at once */
} element;

static bool read_number(const uint8_t *at, size_t len, bool marker,
                        size_t *used, uint64_t *out) {
  uint32_t width = 1;

  if (len == 0 || at[0] == 0) {
    return false;
  }
  while ((at[0] & (0x80u >> (width - 1))) == 0) {
    width++;
  }
  if (width > len) {
    return false;
  }
  *out = marker ? at[0] : at[0] & (0xFFu >> width);
  for (uint32_t i = 1; i < width; i++) {
    *out = *out << 8 | at[i];
  }
  if (!marker && *out == (UINT64_C(1) << (7 * width)) - 1) {
    *out = UINT64_MAX;
  }
  *used += width;
  return true;
}

/* False: it is not whole yet. */
static bool read_element(const uint8_t *at, size_t len, element *out) {
  size_t used = 0;

  if (!read_number(at, len, true, &used, &out->id) ||
      !read_number(at + used, len - used, false, &used, &out->size)) {
    return false;
  }
  out->data = at + used;
  out->len = used;
  if (out->size == UINT64_MAX) { /* Segment, Cluster: their children follow */
    return true;
  }
  out->len += (size_t)out->size;
  return out->size <= len - used;
}

static bool holds(const element *e, const char *text) {
  size_t n = strlen(text);

  for (size_t i = 0; i + n <= e->size; i++) {
    if (memcmp(e->data + i, text, n) == 0) {
      return true;
    }
  }
  return false;
}

/* The fragment that is being read, or NULL. */
static model_fragment *reading(model *m) {
  return m->next < m->count && m->list[m->next].begun ? &m->list[m->next]
                                                      : NULL;
}

/* What was read of the fragment so far may be followed by another one. */
static bool all_out(const model_fragment *f) {
  return f == NULL || model_all_out(f);
}

/* ---- elements ----------------------------------------------------------- */

/* A bit for each track that is declared: its number comes first. */
static uint32_t read_tracks(const uint8_t *at, size_t len) {
  uint32_t tracks = 0;
  element entry;
  element number;

  while (len != 0 && read_element(at, len, &entry) && entry.id == 0xAE &&
         read_element(entry.data, (size_t)entry.size, &number) &&
         number.id == 0xD7 && number.size == 1) {
    tracks |= 1u << (number.data[0] - 1);
    at += entry.len;
    len -= entry.len;
  }
  return tracks;
}

static void on_head(model *m, const element *e) {
  static const uint64_t order[] = {0x1A45DFA3, 0x18538067, 0x1549A966,
                                   0x1654AE6B};

  model_require(m, e->id == order[m->head], "a session has one header first");
  if (e->id == 0x1654AE6B) {
    m->header = read_tracks(e->data, (size_t)e->size);
  }
  m->head++;
}

/* A fragment begins: the one that is next, whole, and no other. */
static void on_cluster(model *m, const element *e) {
  model_fragment *f = reading(m);
  uint64_t time = 0;

  for (uint64_t i = 0; i < e->size; i++) {
    time = time << 8 | e->data[i];
  }
  model_require(m, all_out(f), "a fragment goes out whole");
  if (f != NULL) {
    model_require(m, time > f->cluster, "time codes of a session grow");
    if (!m->info.fragment_acks) {
      f->fate = MODEL_FREED;
      m->unnamed = 0;
    }
  }
  for (uint32_t i = f == NULL ? m->next : m->next + 1;
       i + 1 < m->count && m->list[i].fate != MODEL_HELD; i++) {
    m->list[i + 1].timeline = m->list[i + 1].timeline || m->list[i].timeline;
  }
  m->next = model_held(m, f == NULL ? m->next : m->next + 1);
  if (m->next == m->count) {
    model_require(m, false, "nothing that is freed or dropped goes out");
    return;
  }
  f = &m->list[m->next];
  model_require(m, f->cluster == time, "fragments go out in order");
  model_require(m, !m->any || !f->timeline, "a timeline has its own session");
  model_require(m, !m->any || m->begin_at < m->until,
                "a session takes no fragment beyond its time");
  model_require(m, f->declared == m->header,
                "a session declares the tracks of its fragments");
  model_require(m, f->tags == m->tags_out, "tags go with their fragment");
  m->tags_out = 0;
  m->any = true;
  f->begun = true;
}

static void on_block(model *m, const element *e, kvs_time now) {
  static uint8_t want[MODEL_MAX_FRAME];
  model_fragment *f = reading(m);
  const model_frame *frame;
  int16_t relative;
  int64_t time;

  if (f == NULL || f->out == f->count || e->size < 5) {
    model_require(m, false, "only frames that were put go out, once each");
    return;
  }
  frame = &m->frames[f->first + f->out];
  relative = (int16_t)(e->data[1] << 8 | e->data[2]);
  time = (int64_t)model_units(m, frame->pts, f->base);
  model_bytes(f->first + f->out, frame->len, want);
  model_require(m, e->data[0] == (0x80 | frame->track),
                "a block names its track");
  model_require(m, (int64_t)f->cluster + relative == time,
                "a block has the time of its frame");
  model_require(m, (e->data[3] & 0x80) != 0 ? frame->key : !frame->key,
                "a block is key as its frame is");
  model_require(
      m,
      e->size - 4 == frame->len && memcmp(e->data + 4, want, frame->len) == 0,
      "a block has the bytes of its frame");
  f->out++;
  f->out_at = now.mono;
}

/* The body may end here. */
static bool may_end(const model *m, kvs_time now) {
  uint32_t i =
      model_held(m, reading((model *)m) == NULL ? m->next : m->next + 1);

  return m->stopping || (i < m->count && m->list[i].declared != m->header) ||
         m->close || m->finish || now.mono >= m->until ||
         (i < m->count && m->list[i].timeline);
}

static void on_tags(model *m, const element *e) {
  model_fragment *f = reading(m);

  if (!holds(e, END_OF_FRAGMENT)) {
    if (f != NULL && f->out == f->count && f->tail_out < f->tail) {
      f->tail_out++;
      return;
    }
    model_require(m, all_out(f), "tags stand between fragments");
    m->tags_out++;
    return;
  }
  if (f != NULL && f->ended && !f->over && f->out == f->count) {
    f->over = true;
    return;
  }
  model_require(m, f != NULL && all_out(f), "an end comes behind a fragment");
  m->eof = true;
}

static void on_element(model *m, const element *e, uint64_t since,
                       kvs_time now) {
  bool begins = e->id == 0x1F43B675 || e->id == 0x1254C367;

  model_require(m, !m->eof, "nothing comes behind the end");
  if (m->head < 4) {
    on_head(m, e);
    return;
  }
  if (begins && m->tags_out == 0) {
    m->begin_at = since;
  }
  switch (e->id) {
    case 0x1F43B675: /* its time tells which it is */
    case 0xA7:
      break;
    case 0xE7:
      on_cluster(m, e);
      break;
    case 0xA3:
      on_block(m, e, now);
      break;
    case 0x1254C367:
      on_tags(m, e);
      break;
    default:
      model_require(m, false, "only known elements go out");
      break;
  }
}

/* ---- what take answered ------------------------------------------------- */

static void read_body(model *m, const uint8_t *bytes, size_t len,
                      kvs_time now) {
  uint64_t since = m->from;
  size_t at = 0;
  element e;

  if (m->body_cap < m->body_len + len) {
    m->body_cap = 2 * (m->body_len + len);
    m->body = realloc(m->body, m->body_cap);
  }
  if (m->body_len == 0) {
    since = now.mono;
  }
  memcpy(m->body + m->body_len, bytes, len);
  m->body_len += len;
  while (m->fault == NULL && read_element(m->body + at, m->body_len - at, &e)) {
    on_element(m, &e, since, now);
    since = now.mono;
    at += e.len;
  }
  m->from = since;
  m->body_len -= at;
  memmove(m->body, m->body + at, m->body_len);
}

/* Ruling 11: the service refuses a fragment that lacks a declared track. */
static void check_tracks(model *m, const model_fragment *f) {
  model_require(m, f->tracks == m->header,
                "every declared track has a frame in each fragment");
}

/* The fragment that was read to its end: whether it is closed, and freed. */
static void note_left(model *m, bool had_room) {
  model_fragment *f = reading(m);
  bool more = m->body_len != 0;

  if (f == NULL || !all_out(f)) {
    return;
  }
  if ((more || m->eof) && !f->closed) { /* what follows is the body's end */
    f->cut_off = true;
    model_close_last(m);
  }
  if (!model_whole(m, m->next)) {
    return;
  }
  check_tracks(m, f);
  if (!m->info.fragment_acks &&
      (m->eof || (!f->cut_off && (more || had_room)))) {
    f->fate = MODEL_FREED;
    m->unnamed = 0;
  }
}

/* Whether a fragment from |i| on that was sent in this session is held. */
static bool awaits(const model *m, uint32_t i) {
  for (; i < m->count && i <= m->next; i++) {
    if (m->list[i].fate == MODEL_HELD && model_whole(m, i)) {
      return true;
    }
  }
  return false;
}

/* The body is at its end: it has its END_OF_FRAGMENT, for a reason. */
static void judge_end(model *m) {
  const model_fragment *f = reading(m);

  model_require(m, m->body_len == 0 && all_out(f), "a body ends whole");
  model_require(m, m->reason, "a session ends for a reason");
  model_require(m, m->eof || f == NULL || f->ended, "a body has its end");
  m->eof = true;
}

static void judge(model *m, kvs_status status) {
  const model_fragment *f = reading(m);
  uint32_t i = model_held(m, f == NULL ? m->next : m->next + 1);

  switch (status) {
    case KVS_OK:
      break;
    case KVS_STATUS_NO_MORE_DATA_AVAILABLE:
      m->waiting = true;
      if (m->opened) {
        model_require(m, m->body_len == 0 && all_out(f) && i == m->count,
                      "all there is can be taken");
        model_require(m, !m->stopping && !m->eof, "a body comes to its end");
      }
      break;
    case KVS_STATUS_AWAITING_PERSISTED_ACK:
      m->waiting = true;
      judge_end(m);
      model_require(m, awaits(m, m->first), "only what was sent is awaited");
      break;
    case KVS_STATUS_END_OF_STREAM:
      judge_end(m);
      model_require(m, !awaits(m, m->missing ? m->next : m->first),
                    "a body stays open for the freeing ack");
      break;
    default:
      model_require(m, !m->live, "take knows its session");
      break;
  }
}

void model_take(model *m, const uint8_t *bytes, size_t len, size_t room,
                kvs_status status, kvs_time now) {
  model_require(m, (status == KVS_OK) == (len != 0), "take gives bytes or not");
  if (!m->live) {
    model_require(m, status == KVS_STATUS_UPLOAD_HANDLE_ABORTED,
                  "what is over gives nothing");
    return;
  }
  model_require(m, m->opened || len == 0, "only an open session gives bytes");
  if (len != 0) {
    m->waiting = false;
    read_body(m, bytes, len, now);
  }
  m->reason = m->reason || may_end(m, now);
  model_require(m, !m->eof || m->reason, "a session ends for a reason");
  note_left(m, len < room);
  judge(m, status);
  note_left(m, len < room);
}
