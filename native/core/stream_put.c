/* SPDX-License-Identifier: Apache-2.0
 * A frame comes in, by one of two ways. The long one has all the rules: a frame
 * is judged, planned and then stored (stream_store.c); everything that can fail
 * stands in the judging and planning, but for what may drop older media.
 *
 * Nearly every frame only makes the open fragment longer, within the page that
 * is begun, and its bytes are stored as they are. That one goes the short way,
 * which knows no rule but by a few figures (kvs_open) that the long way made of
 * all of them when the fragment began. Whatever is not surely such a frame goes
 * the long way; both leave the same behind (put_ways_test.c). */
#include "core/stream_put.h"

/* A stamp this little back is a mistake of the caller; more is a jump of the
 * clock (ruling 8). */
#define LARGEST_MISTAKE KVS_TICKS_PER_SECOND

static kvs_track *find_track(kvs_stream *stream, uint64_t id) {
  for (kvs_track *track = stream->tracks; track != stream->tracks_end;
       track++) {
    if (track->info.track_id == id) {
      return track;
    }
  }
  return NULL;
}

/* ---- the short way ---------------------------------------------------- */

/* Whether the frame does nothing but to make the open fragment longer, into
 * which its pts is |at| ticks: no rule of the long way has more to say. */
static inline bool only_extends(const kvs_stream *stream,
                                const kvs_frame *frame, const kvs_track *track,
                                uint64_t at, uint64_t dts) {
  return KVS_USUALLY(at < track->span[frame->flags & KVS_FRAME_KEY]) &&
         KVS_USUALLY(dts - track->last_dts <= stream->limits.ahead) &&
         KVS_USUALLY((frame->flags & KVS_FRAME_END_OF_FRAGMENT) == 0);
}

/* The block's time of a frame |at| ticks into the open fragment. */
static inline int16_t block_time(const kvs_stream *stream, uint64_t at) {
  const uint32_t usual = KVS_TICKS_PER_MS; /* no division at run time, then */
  uint64_t scale = stream->limits.scale;

  return (int16_t)(KVS_USUALLY(scale == usual) ? (uint32_t)at / usual
                                               : at / scale);
}

/* Stores a frame that only makes the open fragment longer, in the page that is
 * begun. False: it is to go the long way, and nothing changed. */
static inline bool put_short(kvs_stream *stream, const kvs_frame *frame,
                             kvs_time now) {
  kvs_view *view = &stream->view;
  kvs_fragment *fragment = kvs_view_fragment(view, view->newest);
  kvs_track *track = find_track(stream, frame->track_id);
  uint32_t size = (uint32_t)frame->size;
  bool own = stream->limits.own_times;
  uint64_t pts = own ? frame->pts : now.wall;
  uint64_t dts = own && frame->dts != KVS_NEVER ? frame->dts : pts;
  uint64_t at = pts - stream->open.zero;
  uint64_t grows;
  kvs_unit unit;
  uint8_t *body;

  if (!KVS_USUALLY(frame->data != NULL &&
                   frame->size - 1 < KVS_MAX_FRAME_SIZE) ||
      !KVS_USUALLY(frame->duration <= stream->limits.duration) ||
      !KVS_USUALLY(track != NULL && dts <= pts) ||
      !only_extends(stream, frame, track, at, dts) ||
      !KVS_USUALLY(fragment->bytes + size <= KVS_CUT_BYTES) ||
      !KVS_USUALLY(!kvs_clock_holds(stream, now))) {
    return false;
  }
  unit = kvs_put_unit((uint32_t)frame->duration, track, pts, KVS_MKV_BLOCK_LEN,
                      KVS_MKV_BLOCK_LEN + size);
  grows = kvs_view_growth(fragment, &unit);
  if (!KVS_USUALLY(view->duration + grows <= stream->limits.window)) {
    return false;
  }
  body = kvs_view_push_within(view, fragment, &unit, grows);
  if (!KVS_USUALLY(body != NULL)) {
    return false;
  }
  kvs_put_block(body, frame, track, track->all_key, block_time(stream, at),
                size);
  kvs_put_note(stream, track, pts, dts, now);
  /* Last: hardly anything is to be kept over the call, then. */
  memcpy(body + KVS_MKV_BLOCK_LEN, frame->data, frame->size);
  return true;
}

/* ---- the long way ----------------------------------------------------- */

static kvs_status judge_frame(kvs_stream *stream, const kvs_frame *frame,
                              kvs_put_plan *plan) {
  if (stream->stopping) {
    return kvs_put_refuse(stream, KVS_STATUS_STREAM_HAS_BEEN_STOPPED, 0, 0, 0);
  }
  if (frame->data == NULL || frame->size == 0) {
    return kvs_put_refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_DATA, 0, 0, 1);
  }
  if (frame->duration > stream->info.buffer_duration) {
    /* Let in, it would drop all that is held, and the next frame itself. */
    return kvs_put_refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_DATA,
                          frame->duration, 0, stream->info.buffer_duration);
  }
  if (frame->size > KVS_MAX_FRAME_SIZE) {
    return kvs_put_refuse(stream, KVS_STATUS_MKV_NUMBER_TOO_BIG, frame->size, 0,
                          KVS_MAX_FRAME_SIZE);
  }
  plan->frame = frame;
  plan->track = find_track(stream, frame->track_id);
  if (plan->track == NULL) {
    return kvs_put_refuse(stream, KVS_STATUS_MKV_TRACK_INFO_NOT_FOUND,
                          frame->track_id, 0, stream->info.track_count);
  }
  plan->payload = (uint32_t)frame->size;
  plan->key = (frame->flags & KVS_FRAME_KEY) != 0 || plan->track->all_key;
  return KVS_OK;
}

/* Whether media time ran ahead of the clock by more than a fragment, from the
 * newest frame of any track: a sparse one may rest for long. */
static bool ran_ahead(const kvs_stream *stream, uint64_t dts, kvs_time now) {
  const kvs_track *newest = NULL;
  uint64_t most = stream->info.max_fragment_duration;
  uint64_t media;
  uint64_t real;

  for (const kvs_track *track = stream->tracks; track != stream->tracks_end;
       track++) {
    if (track->has_last &&
        (newest == NULL || track->last_dts > newest->last_dts)) {
      newest = track;
    }
  }
  media = newest == NULL ? 0 : kvs_sub_u64(dts, newest->last_dts);
  real = newest == NULL ? 0 : kvs_sub_u64(now.mono, newest->last_mono);

  return media > most && media - most > real;
}

static kvs_status judge_times(kvs_stream *stream, kvs_put_plan *plan,
                              kvs_time now) {
  const kvs_frame *frame = plan->frame;
  const kvs_track *track = plan->track;
  bool own = stream->info.frame_timecodes;
  uint64_t pts = own ? frame->pts : now.wall;
  uint64_t dts = own && frame->dts != KVS_NEVER ? frame->dts : pts;

  plan->pts = pts;
  plan->dts = dts;
  plan->jump = false;
  if (pts > KVS_MAX_STAMP || dts > KVS_MAX_STAMP) {
    return kvs_put_refuse(stream, KVS_STATUS_MKV_MAX_FRAME_TIMECODE,
                          kvs_max_u64(pts, dts), 0, KVS_MAX_STAMP);
  }
  if (!track->has_last) {
    return KVS_OK;
  }
  if (dts > track->last_dts) {
    plan->jump = ran_ahead(stream, dts, now);
    return KVS_OK;
  }
  if (kvs_put_units(stream, dts) == kvs_put_units(stream, track->last_dts)) {
    return KVS_OK;
  }
  if (track->last_dts - dts <= LARGEST_MISTAKE) {
    if (!own) { /* the clock was set back a little: time stands meanwhile */
      plan->pts = track->last_dts;
      plan->dts = track->last_dts;
      return KVS_OK;
    }
    return kvs_put_refuse(stream, KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP, dts,
                          track->last_dts, LARGEST_MISTAKE);
  }
  plan->jump = true;
  return KVS_OK;
}

/* How long the GOP was that a key frame of the cutting track ends; unknown: as
 * long as the open fragment. */
static uint64_t last_gop(const kvs_stream *stream, const kvs_put_plan *plan,
                         uint64_t length) {
  if (plan->track->all_key) {
    return kvs_sub_u64(plan->dts, plan->track->last_dts);
  }
  return stream->has_key ? kvs_sub_u64(plan->pts, stream->key_pts) : length;
}

/* Whether a cut at this key frame waits for a frame of a track that the open
 * fragment lacks, since the next one most likely comes in time (ruling 11). */
static bool waits(const kvs_stream *stream, const kvs_put_plan *plan,
                  const kvs_fragment *open, uint64_t length) {
  return kvs_format_lacks(stream, open) &&
         length + last_gop(stream, plan, length) < stream->limits.cut_after;
}

static void plan_fragment(const kvs_stream *stream, kvs_put_plan *plan) {
  const kvs_fragment *open;
  uint64_t length;

  plan->cut = false;
  plan->begins = true;
  if (!stream->fragment_open || plan->jump) {
    return;
  }
  open = kvs_view_fragment(&stream->view, stream->view.newest);
  length = kvs_sub_u64(plan->pts, open->begin);
  if (plan->key && plan->track->cuts &&
      (kvs_format_turns(stream, open->header, plan->track) ||
       (length >= stream->limits.key_after &&
        !waits(stream, plan, open, length)))) {
    return; /* a key frame of the cutting track begins a fragment */
  }
  if ((kvs_format_at(stream, open->header)->tracks >> plan->track->index & 1) ==
      0) {
    return; /* the open one may not have a frame of this track */
  }
  /* The open one would pass the service's limits. */
  plan->begins = length >= stream->limits.cut_after ||
                 open->bytes + plan->payload > KVS_CUT_BYTES ||
                 kvs_room_tight(stream, plan->payload);
  plan->cut = plan->begins && !(plan->key && plan->track->cuts);
}

static bool skips(const kvs_stream *stream, const kvs_put_plan *plan) {
  return stream->await_key && !(plan->key && plan->track->cuts);
}

static void tell_no_key(kvs_stream *stream, uint64_t duration) {
  kvs_event event = kvs_event_make(KVS_EVENT_KEY_FRAME_MISSING_REPORT);

  stream->no_key_told = true;
  event.u.key_frame_missing_report.timecode = stream->skipped_at;
  event.u.key_frame_missing_report.frames = stream->skipped;
  event.u.key_frame_missing_report.duration = duration;
  kvs_stream_emit(stream, &event);
}

static void skip(kvs_stream *stream, const kvs_put_plan *plan, kvs_time now) {
  uint64_t lasted;

  if (stream->skipped == 0) {
    stream->skipped_at = plan->pts;
    stream->skipped_since = now.mono;
    stream->no_key_told = false;
  }
  stream->skipped++;
  stream->metrics.skipped_frames++;
  lasted = kvs_max_u64(kvs_sub_u64(now.mono, stream->skipped_since),
                       kvs_sub_u64(plan->pts, stream->skipped_at));
  if (lasted >= KVS_KEY_PATIENCE && !stream->no_key_told) {
    tell_no_key(stream, lasted);
  }
}

void kvs_put_tell_skipped(kvs_stream *stream) {
  kvs_event event = kvs_event_make(KVS_EVENT_SKIPPED_FRAMES_REPORT);
  event.u.skipped_frames_report.frames = stream->skipped;
  event.u.skipped_frames_report.timecode = stream->skipped_at;
  stream->skipped = 0;
  kvs_stream_emit(stream, &event);
}

/* Parameter sets in a frame become the newest. */
static kvs_status learn(kvs_stream *stream, kvs_put_plan *plan, kvs_time now,
                        bool *picture) {
  kvs_bytes bytes = {plan->frame->data, plan->frame->size};
  kvs_status status;

  plan->before = stream->full;
  kvs_format_hold(stream, plan->before);
  do {
    status = kvs_format_learn(stream, plan->track->index, bytes, picture);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  return status;
}

/* Finds the NAL units of a frame whose bytes are adapted. */
static kvs_status plan_units(kvs_stream *stream, kvs_put_plan *plan,
                             kvs_time now) {
  const kvs_frame *frame = plan->frame;
  bool picture;

  if ((plan->track->adaptation & KVS_NAL_ADAPTATION_AVCC_NALS) != 0) {
    return kvs_nal_check_avcc(frame->data, frame->size);
  }
  KVS_TRY(kvs_nal_plan_annexb(stream->host->find, frame->data, frame->size,
                              &plan->nal));
  plan->payload = (uint32_t)plan->nal.out_len;
  if (plan->track->gathered == 0 &&
      !(plan->track->has_nals &&
        kvs_nal_plan_may_have_sets(plan->track->codec, frame->data,
                                   &plan->nal))) {
    return KVS_OK;
  }
  plan_fragment(stream, plan);
  KVS_TRY(kvs_put_ask(stream, plan));
  return learn(stream, plan, now, &picture);
}

/* A frame before the first key frame: its parameter sets count all the same,
 * and one that has nothing else is no picture that is missed. */
static kvs_status pass_over(kvs_stream *stream, kvs_put_plan *plan,
                            kvs_time now) {
  bool picture = true;

  if (plan->track->has_nals &&
      (plan->track->adaptation & KVS_NAL_ADAPTATION_ANNEXB_NALS) != 0) {
    KVS_TRY(learn(stream, plan, now, &picture));
  }
  if (picture) {
    skip(stream, plan, now);
  }
  return KVS_OK;
}

/* Media came to a session that had sent all there was: from now on they wait,
 * and the end that it was to have for want of them is taken back. */
static void wake_idle(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;

  session->progress = now.mono;
  if (session->idle && session->phase == KVS_PHASE_BODY) {
    session->idle = false;
    session->close = false;
  }
}

/* After a frame was stored: the host is told, and calls are made. */
static void after_put(kvs_stream *stream, kvs_time now) {
  kvs_session_wake(stream);
  kvs_state_advance(stream, now);
  kvs_room_tell_pressure(stream, now);
  kvs_stream_note_deadline(stream);
}

/* A frame of no bytes, which only says that the fragment is at its end. */
static bool only_ends(const kvs_frame *frame) {
  return (frame->flags & KVS_FRAME_END_OF_FRAGMENT) != 0 && frame->size == 0;
}

static kvs_status put_end(kvs_stream *stream, kvs_time now) {
  kvs_status status;

  if (stream->stopping) {
    return kvs_put_refuse(stream, KVS_STATUS_STREAM_HAS_BEEN_STOPPED, 0, 0, 0);
  }
  if (!stream->fragment_open) {
    return kvs_put_refuse(stream, KVS_STATUS_MULTIPLE_CONSECUTIVE_EOFR, 0, 0,
                          0);
  }
  do {
    status = kvs_tags_end(stream);
  } while (status == KVS_STATUS_STORE_OUT_OF_MEMORY &&
           kvs_room_yield(stream, now));
  KVS_TRY(status);
  kvs_put_close(stream, now);
  after_put(stream, now);
  return KVS_OK;
}

static inline kvs_status put_judged(kvs_stream *stream, kvs_put_plan *plan,
                                    kvs_time now) {
  bool dry = stream->view.current == 0;

  if (skips(stream, plan)) {
    return pass_over(stream, plan, now);
  }
  if (plan->track->adaptation != 0) {
    KVS_TRY(plan_units(stream, plan, now));
  }
  plan_fragment(stream, plan);
  KVS_TRY(kvs_put_store(stream, plan, now));
  if (dry && stream->view.current != 0) {
    wake_idle(stream, now);
  }
  after_put(stream, now);
  return KVS_OK;
}

static kvs_status put_long(kvs_stream *stream, const kvs_frame *frame,
                           kvs_time now) {
  kvs_put_plan plan;
  kvs_status status;

  if (only_ends(frame)) {
    return put_end(stream, now);
  }
  kvs_clock_settle(stream, now); /* the clock may have been set since */
  plan.before = KVS_NO_HEADER;
  KVS_TRY(judge_frame(stream, frame, &plan));
  KVS_TRY(judge_times(stream, &plan, now));
  status = put_judged(stream, &plan, now);
  if (plan.before == KVS_NO_HEADER) {
    return status;
  }
  if (status != KVS_OK) {
    kvs_format_restore(stream, plan.before);
  } else {
    kvs_format_release(stream, plan.before);
  }
  return status;
}

/* The same; notes what a frame that is refused broke. */
static kvs_status put_or_refuse(kvs_stream *stream, const kvs_frame *frame,
                                kvs_time now) {
  kvs_refusal last = stream->refusal;
  kvs_status status;

  (void)kvs_put_refuse(stream, KVS_OK, 0, 0, 0);
  status = put_long(stream, frame, now);
  if (status == KVS_OK) {
    stream->refusal = last;
    return KVS_OK;
  }
  stream->refusal.status = status;
  stream->refusal.track_id = frame->track_id;
  stream->metrics.put_frame_errors++;
  kvs_stream_note_deadline(stream); /* older media may be gone */
  return status;
}

kvs_status kvs_stream_put(kvs_stream *stream, const kvs_frame *frame,
                          kvs_time now) {
  bool dry;

  if (!KVS_USUALLY(stream != NULL && frame != NULL)) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  dry = stream->view.current == 0;
  if (!KVS_USUALLY(put_short(stream, frame, now))) {
    return put_or_refuse(stream, frame, now);
  }
  if (!KVS_USUALLY(kvs_stream_flows(stream))) {
    if (dry) {
      wake_idle(stream, now);
    }
    after_put(stream, now);
    return KVS_OK;
  }
  if (dry) { /* no other deadline comes nearer while the session flows */
    stream->session.progress = now.mono;
    kvs_host_note_deadline(stream->host, kvs_session_unread_due(stream));
  }
  if (stream->session.waiting) {
    kvs_session_tell_data(stream);
  }
  kvs_room_tell_pressure(stream, now);
  return KVS_OK;
}

void kvs_stream_last_refusal(const kvs_stream *stream, kvs_refusal *refusal) {
  *refusal = stream->refusal;
}
