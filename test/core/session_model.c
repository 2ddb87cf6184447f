#include "session_model.h"

#include <stdlib.h>
#include <string.h>

void model_require(model *m, bool ok, const char *what) {
  if (!ok && m->fault == NULL) {
    m->fault = what;
  }
}

void model_init(model *m, kvs_stream *stream, const kvs_stream_info *info) {
  memset(m, 0, sizeof(*m));
  m->stream = stream;
  m->info = *info;
  m->retention = info->retention;
  m->await_key = true;
  m->accused = -1;
  m->declared = (1u << info->track_count) - 1;
  m->token_until = KVS_NEVER;
  m->state = KVS_STREAM_STATE_NEW;
}

void model_done(model *m) {
  free(m->frames);
  free(m->list);
  free(m->body);
  memset(m, 0, sizeof(*m));
}

void model_bytes(uint32_t id, uint32_t len, uint8_t *out) {
  for (uint32_t i = 0; i < len; i++) {
    out[i] = (uint8_t)(id >> (i % 4 * 8)) ^ (uint8_t)(i * 7u + (i >> 8));
  }
}

uint64_t model_units(const model *m, uint64_t pts, uint64_t base) {
  uint64_t scale = m->info.timecode_scale;
  uint64_t time = (pts + scale / 2) / scale;

  return m->info.absolute_fragment_times ? time
                                         : time - (base + scale / 2) / scale;
}

uint64_t model_ms(const model *m, uint32_t i) {
  return m->list[i].cluster * m->info.timecode_scale / KVS_TICKS_PER_MS;
}

uint32_t model_held(const model *m, uint32_t i) {
  while (i < m->count && m->list[i].fate != MODEL_HELD) {
    i++;
  }
  return i;
}

bool model_all_out(const model_fragment *f) {
  return f->out == f->count && f->tail_out == f->tail && (!f->ended || f->over);
}

bool model_whole(const model *m, uint32_t i) {
  const model_fragment *f = &m->list[i];

  return f->begun && f->closed && model_all_out(f);
}

/* Ruling 11: a fragment declares the tracks that it has, and the next one
 * begins with the same. */
static void settle(model *m, model_fragment *f) {
  if (f->tracks != f->declared) {
    m->declared = m->declared == f->declared ? f->tracks : m->declared;
    f->declared = f->tracks;
  }
}

void model_close_last(model *m) {
  if (m->open) {
    settle(m, &m->list[m->count - 1]);
  }
  if (m->count != 0) {
    m->list[m->count - 1].closed = true;
  }
  m->open = false;
}

void model_check_start(model *m) {
  const model_fragment *f = &m->list[m->next];

  if (m->next == m->count) {
    model_require(m, false, "a session has something to send");
    return;
  }
  model_require(m,
                m->start == (m->info.absolute_fragment_times
                                 ? f->cluster * m->info.timecode_scale
                                 : f->base),
                "a session tells the time that its fragments count from");
}

/* Ten tags a fragment, those before it and those behind its last frame. */
static uint32_t model_tail(const model *m, const model_fragment *f) {
  uint32_t most = KVS_MAX_METADATA_COUNT - f->tags;

  return m->tags < most ? m->tags : most;
}

/* ---- put ---------------------------------------------------------------- */

static uint64_t decoded_at(const kvs_frame *frame) {
  return frame->dts == KVS_NEVER ? frame->pts : frame->dts;
}

/* Rulings 8 and 9: whether the stamp is refused, or begins a timeline. */
static kvs_status judge_stamp(const model *m, const kvs_frame *frame,
                              kvs_time now, bool *jump) {
  const model_track *track = &m->tracks[frame->track_id - 1];
  const model_track *newest = track;
  uint64_t scale = m->info.timecode_scale;
  uint64_t dts = decoded_at(frame);

  if (!track->has_last) {
    return KVS_OK;
  }
  if (dts > track->last_dts) {
    for (uint32_t i = 0; i < m->info.track_count; i++) {
      const model_track *other = &m->tracks[i];

      newest = other->has_last && other->last_dts > newest->last_dts ? other
                                                                     : newest;
    }
    *jump = dts > newest->last_dts &&
            dts - newest->last_dts >
                now.mono - newest->last_mono + m->info.max_fragment_duration;
    return KVS_OK;
  }
  if ((dts + scale / 2) / scale == (track->last_dts + scale / 2) / scale) {
    return KVS_OK;
  }
  if (track->last_dts - dts <= KVS_TICKS_PER_SECOND) {
    return KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP;
  }
  *jump = true;
  return KVS_OK;
}

/* A key frame of the first track, which is video. */
static bool cuts(const kvs_frame *frame) {
  return frame->track_id == 1 && (frame->flags & KVS_FRAME_KEY) != 0;
}

/* Ruling 11: a key frame waits for the tracks that the open fragment lacks,
 * unless the next one would come too late. */
static bool waits(const model *m, const kvs_frame *frame, uint64_t length) {
  const model_fragment *open = &m->list[m->count - 1];
  uint64_t gop = !m->has_key               ? length
                 : frame->pts > m->key_pts ? frame->pts - m->key_pts
                                           : 0;

  return open->tracks != open->declared &&
         length + gop + 500 * KVS_TICKS_PER_MS < m->info.max_fragment_duration;
}

/* Rulings 10 and 11. */
static bool begins_fragment(const model *m, const kvs_frame *frame) {
  const model_fragment *open;
  uint64_t length;
  uint64_t least = m->info.key_frame_fragmentation
                       ? m->info.min_fragment_duration
                       : m->info.fragment_duration;

  if (!m->open) {
    return true;
  }
  open = &m->list[m->count - 1];
  length = frame->pts > open->begin ? frame->pts - open->begin : 0;
  return (cuts(frame) && (open->declared != m->declared ||
                          (length >= least && !waits(m, frame, length)))) ||
         (open->declared >> (frame->track_id - 1) & 1) == 0 || m->tight ||
         length + 500 * KVS_TICKS_PER_MS >= m->info.max_fragment_duration;
}

static uint64_t cluster_time(const model *m, const kvs_frame *frame,
                             const model_put *plan) {
  bool fresh = !m->has_base || plan->jump;
  uint64_t time = model_units(m, frame->pts, fresh ? frame->pts : m->base);

  if (!plan->begins) {
    return m->last_cluster;
  }
  return m->has_cluster && !plan->jump &&
                 (int64_t)time <= (int64_t)m->last_cluster
             ? m->last_cluster + 1
             : time;
}

model_put model_plan(const model *m, const kvs_frame *frame, kvs_time now) {
  model_put plan = {KVS_OK, false, false, false};
  int64_t relative;

  if (m->stopping) {
    plan.status = KVS_STATUS_STREAM_HAS_BEEN_STOPPED;
    return plan;
  }
  plan.status = judge_stamp(m, frame, now, &plan.jump);
  plan.skips = m->await_key && !cuts(frame);
  if (plan.status != KVS_OK || plan.skips) {
    return plan;
  }
  plan.begins = plan.jump || begins_fragment(m, frame);
  relative =
      (int64_t)model_units(m, frame->pts,
                           plan.jump || !m->has_base ? frame->pts : m->base) -
      (int64_t)cluster_time(m, frame, &plan);
  if (relative < INT16_MIN || relative > INT16_MAX) {
    plan.status = KVS_STATUS_MKV_LARGE_FRAME_TIMECODE;
  }
  return plan;
}

static void begin_fragment(model *m, const kvs_frame *frame,
                           const model_put *plan) {
  model_fragment fresh = {0};

  model_close_last(m);
  fresh.cluster = cluster_time(m, frame, plan);
  fresh.base = !m->has_base || plan->jump ? frame->pts : m->base;
  fresh.first = m->frame_count;
  fresh.begin = frame->pts;
  fresh.timeline = plan->jump || m->new_timeline;
  fresh.tags = m->tags;
  m->declared |= 1u << (frame->track_id - 1);
  fresh.declared = m->declared;
  m->tags = 0;
  m->list = realloc(m->list, (m->count + 1) * sizeof(fresh));
  m->list[m->count++] = fresh;
  m->open = true;
  m->await_key = false;
  m->new_timeline = false;
  m->has_base = true;
  m->base = fresh.base;
  m->has_cluster = true;
  m->last_cluster = fresh.cluster;
  if (plan->jump) {
    m->has_key = false;
    memset(m->tracks, 0, sizeof(m->tracks));
  }
}

static void store_frame(model *m, const kvs_frame *frame, kvs_time now) {
  model_fragment *f = &m->list[m->count - 1];
  model_track *track = &m->tracks[frame->track_id - 1];
  model_frame one = {(uint32_t)frame->size, frame->pts,
                     (uint32_t)frame->track_id,
                     frame->track_id != 1 || cuts(frame)};

  m->frames = realloc(m->frames, (m->frame_count + 1) * sizeof(one));
  m->frames[m->frame_count++] = one;
  f->count++;
  f->tracks |= 1u << (frame->track_id - 1);
  track->has_last = true;
  if (cuts(frame)) {
    m->has_key = true;
    m->key_pts = frame->pts;
  }
  track->last_dts = decoded_at(frame);
  track->last_mono = now.mono;
  m->last_mono = now.mono;
  if ((frame->flags & KVS_FRAME_END_OF_FRAGMENT) != 0) {
    f->ended = true;
    model_close_last(m);
  }
}

void model_put_done(model *m, const kvs_frame *frame, const model_put *plan,
                    kvs_status status, kvs_time now) {
  if (status != KVS_OK) {
    model_require(m, !m->frame_gone, "a refused frame is not dropped, too");
    return;
  }
  m->accepted++;
  if (plan->skips) {
    m->skipped++;
    return;
  }
  if (m->frame_gone) { /* there was no room for it */
    model_require(m, !m->open, "frames are missing: the fragment is ended");
    m->frame_gone = false;
    m->await_key = true;
    return;
  }
  model_require(m, plan->begins || m->open,
                "a frame whose fragment was dropped goes with it");
  model_require(m, m->skipped == m->skipped_told,
                "skipped frames are told when a frame is stored");
  if (plan->begins) {
    begin_fragment(m, frame, plan);
  }
  store_frame(m, frame, now);
  if (m->start_due) {
    m->start_due = false;
    model_check_start(m);
  }
}

void model_end_open(model *m, bool closes) {
  m->list[m->count - 1].ended = !closes;
  m->close = m->close || closes;
  model_close_last(m);
}

kvs_status model_end_plan(const model *m) {
  if (m->stopping) {
    return KVS_STATUS_STREAM_HAS_BEEN_STOPPED;
  }
  return m->open ? KVS_OK : KVS_STATUS_MULTIPLE_CONSECUTIVE_EOFR;
}

void model_ended(model *m) {
  model_fragment *f = &m->list[m->count - 1];

  f->tail = model_tail(m, f);
  m->tags -= f->tail;
  f->ended = true;
  model_close_last(m);
}

/* ---- what the service says ---------------------------------------------- */

/* The errors that the same bytes would meet again (guide: Error acks). */
static bool gives_up(uint32_t error) {
  return error == 4001 || error == 4002 || (error >= 4004 && error <= 4007) ||
         (error >= 4009 && error <= 4012);
}

static uint32_t named_by(const model *m, uint64_t ms) {
  for (uint32_t i = m->first; i < m->count && i <= m->next; i++) {
    if (m->list[i].begun && m->list[i].fate == MODEL_HELD &&
        model_ms(m, i) == ms) {
      return i;
    }
  }
  return m->count;
}

static void accuse(model *m, const kvs_ack *ack) {
  uint32_t i;

  if (!gives_up(ack->error_id)) {
    return;
  }
  if (ack->has_timecode) {
    i = named_by(m, ack->timecode);
    if (ack->error_id == 4011 && i != m->count &&
        m->list[i].tracks != m->list[i].declared) {
      settle(m, &m->list[i]); /* it goes again, without what it lacks */
      return;
    }
  } else {
    m->unnamed++;
    i = m->unnamed < 3 || !m->any ? m->count : model_held(m, m->first);
  }
  if (i != m->count) {
    m->accused = i;
    m->unnamed = 0;
  }
}

void model_ack(model *m, const kvs_ack *ack) {
  bool durable = ack->type == KVS_ACK_PERSISTED ||
                 (ack->type == KVS_ACK_RECEIVED && m->retention == 0);
  uint32_t i;

  if (!m->info.fragment_acks && m->next < m->count && model_whole(m, m->next)) {
    m->list[m->next].fate = MODEL_FREED;
    m->unnamed = 0;
  }
  if (ack->type == KVS_ACK_ERROR) {
    accuse(m, ack);
  } else if (durable && ack->has_timecode) {
    i = named_by(m, ack->timecode);
    if (i != m->count && model_whole(m, i)) {
      m->list[i].fate = MODEL_FREED;
      m->unnamed = 0;
    }
  }
}

/* ---- between calls ------------------------------------------------------ */

/* Tags that no fragment took go behind the open one, ten a fragment. */
void model_stop(model *m) {
  model_fragment *f = m->open ? &m->list[m->count - 1] : NULL;

  m->stopping = true;
  m->tags_told = false;
  if (f != NULL) {
    f->tail = model_tail(m, f);
  }
}

void model_stopped(model *m) {
  const model_fragment *f = m->open ? &m->list[m->count - 1] : NULL;

  model_require(m, m->tags_told == (m->tags > (f == NULL ? 0 : f->tail)),
                "tags that cannot go are told");
  m->tags = 0;
}

void model_anew(model *m) {
  model_close_last(m);
  m->stopping = false;
  m->closed = false;
  m->await_key = true;
  m->new_timeline = true;
  memset(m->tracks, 0, sizeof(m->tracks));
  m->has_base = false;
  m->has_cluster = false;
  m->has_key = false;
}

void model_stepped(model *m, kvs_time now) {
  uint32_t oldest = model_held(m, m->first);
  uint32_t passed = 0;

  if (now.mono - m->last_mono >= m->info.idle_duration) {
    m->close = true;
  }
  for (uint32_t i = oldest; i < m->count; i++) {
    passed += m->list[i].fate != MODEL_HELD ? 1 : 0;
  }
  if (passed >= 2 && model_whole(m, oldest) &&
      now.mono >=
          m->list[oldest].out_at + m->info.connection_staleness) { /* 3 */
    m->missing = true;
    m->finish = true;
    m->close = true;
  }
}

static void check_figures(model *m, kvs_time now) {
  kvs_stream_metrics metrics;
  uint64_t frames = 0;

  if (kvs_stream_get_metrics(m->stream, now, &metrics) != KVS_OK) {
    model_require(m, false, "metrics can be had");
    return;
  }
  for (uint32_t i = m->first; i < m->count; i++) {
    frames += m->list[i].fate == MODEL_HELD ? m->list[i].count : 0;
  }
  model_require(m, metrics.buffered_frames >= frames, "what is held is there");
  model_require(m, metrics.total_frames == m->frame_count,
                "every stored frame is counted");
  model_require(m, metrics.dropped_frames == m->dropped,
                "every dropped frame was told");
  model_require(m, metrics.skipped_frames == m->skipped,
                "every skipped frame is counted");
  model_require(m, metrics.state == m->state, "every change of state was told");
}

/* Whether take would give bytes, or an answer that ends the body. */
static bool has_news(const model *m) {
  uint32_t i = m->next;

  if (m->eof) {
    for (i = m->first; i < m->count; i++) {
      if (m->list[i].fate == MODEL_HELD && model_whole(m, i)) {
        return false;
      }
    }
    return true;
  }
  if (i < m->count && m->list[i].begun) {
    if (!model_all_out(&m->list[i])) {
      return true;
    }
    i++;
  }
  return m->stopping || model_held(m, i) < m->count;
}

void model_check(model *m, kvs_time now) {
  uint32_t first = model_held(m, m->first);

  if (m->putting || m->resetting) {
    model_require(m, false, "a call is over");
  }
  model_require(m, m->accused < 0, "what is given up is told");
  model_require(m, !m->closed || first == m->count,
                "nothing is held when a stream is closed");
  model_require(m, !m->start_due, "a session has something to send");
  m->first = m->first + 64 < first ? first - 64 : m->first;
  model_require(m, !m->stopping || first < m->count || m->closed,
                "a stopped stream is closed when nothing is held");
  model_require(m, !m->live || !m->opened || !m->waiting || !has_news(m),
                "who waits for data is told");
  check_figures(m, now);
}
