/* What the model makes of events: which may come, and when. */
#include "session_model.h"

#define S(name) ((uint32_t)KVS_STREAM_STATE_##name)

/* The guide's diagram of states, and what ends a session. */
static bool may_follow(const model *m, uint32_t from, uint32_t to) {
  const uint32_t after_session =
      S(READY) | S(GET_TOKEN) | S(GET_ENDPOINT) | S(DESCRIBE);

  if (to == S(STOPPED)) {
    return (m->stopping || m->resetting || !m->info.restart_on_error) &&
           model_held(m, m->first) == m->count;
  }
  if (m->resetting && (to == S(DESCRIBE) || from == S(STOPPED))) {
    return to == S(DESCRIBE) || to == S(NEW);
  }
  switch (from) {
    case S(NEW):
      return to == S(DESCRIBE);
    case S(DESCRIBE):
      return (to & (S(CREATE) | S(TAG_STREAM) | S(GET_ENDPOINT))) != 0;
    case S(CREATE):
      return to == S(DESCRIBE);
    case S(TAG_STREAM):
      return to == S(GET_ENDPOINT);
    case S(GET_ENDPOINT):
      return (to & (S(GET_TOKEN) | S(DESCRIBE))) != 0;
    case S(GET_TOKEN):
      return to == S(READY);
    case S(READY):
      return to == S(PUT_STREAM);
    case S(PUT_STREAM):
      return to == S(STREAMING) || (to & after_session) != 0;
    case S(STREAMING):
      return (to & after_session) != 0;
    default:
      return false;
  }
}

static void forget_session(model *m) {
  for (uint32_t i = m->first; i < m->count; i++) {
    m->list[i].begun = false;
    m->list[i].over = false;
    m->list[i].out = 0;
    m->list[i].tail_out = 0;
  }
  m->body_len = 0;
  m->waiting = false;
  m->finish = false;
  m->close = false;
  m->missing = false;
  m->reason = false;
  m->any = false;
  m->eof = false;
  m->head = 0;
  m->header = 0;
  m->tags_out = 0;
}

static void begin_session(model *m, const kvs_event *event, kvs_time now) {
  uint64_t number = event->u.put_stream.session;
  uint64_t most = now.mono + m->info.session_duration;

  model_require(m, !m->live, "sessions never overlap");
  model_require(m, number > m->session, "session numbers grow");
  model_require(m, now.mono < m->token_until,
                "a session is asked for with a token that lives");
  m->session = number;
  m->live = true;
  m->opened = false;
  m->until = m->token_until < most ? m->token_until : most;
  forget_session(m);
  m->next = model_held(m, m->first);
  m->start = event->u.put_stream.start;
  m->start_due = m->next == m->count && m->putting;
  if (!m->start_due) { /* else of the frame that is being put */
    model_check_start(m);
  }
}

/* Whether bytes came that may be those of a fragment not yet known. */
static bool partly(const model *m) {
  const model_fragment *f =
      m->next < m->count && m->list[m->next].begun ? &m->list[m->next] : NULL;

  return m->live && m->head == 4 && (f == NULL || model_all_out(f)) &&
         (m->body_len != 0 || m->tags_out != 0);
}

/* The oldest of which no byte was taken in the present session: the others are
 * in flight (ruling 7). */
static uint32_t not_begun(const model *m, uint64_t timecode) {
  uint32_t i = model_held(m, m->first);

  while (i < m->count && m->list[i].begun) {
    i = model_held(m, i + 1);
  }
  return i < m->count && m->list[i].begin != timecode && partly(m)
             ? model_held(m, i + 1)
             : i;
}

/* One of the fragments that the event tells of; the frames of it. */
static uint64_t drop_fragment(model *m, uint32_t i) {
  bool policy = m->putting && m->info.streaming_type != KVS_STREAMING_OFFLINE &&
                m->info.overflow_policy == KVS_OVERFLOW_DROP_OLDEST;
  model_fragment *f;

  if (i >= m->count) {
    model_require(m, false, "only what is held is dropped");
    return 0;
  }
  f = &m->list[i];
  model_require(
      m, policy || m->accused >= 0 || m->resetting || !m->info.restart_on_error,
      "nothing is dropped without a reason");
  if (f->timeline && !f->begun) { /* the next one begins it */
    m->new_timeline = m->new_timeline || i + 1 == m->count;
    if (i + 1 < m->count) {
      m->list[i + 1].timeline = true;
    }
  }
  f->fate = MODEL_DROPPED;
  f->closed = true;
  m->dropped += f->count;
  m->accused = -1;
  if (i == m->count - 1) {
    m->open = false;
    m->await_key = true;
  }
  return f->count;
}

/* Those that follow each other are told as one. */
static void drop_fragments(model *m, const kvs_event *event) {
  const kvs_event_dropped_fragment_report *told =
      &event->u.dropped_fragment_report;
  uint32_t i =
      m->accused >= 0 ? (uint32_t)m->accused : not_begun(m, told->timecode);
  uint64_t frames = 0;

  model_require(m, i < m->count && told->timecode == m->list[i].begin,
                "the oldest not begun goes, or the one that was refused");
  for (uint64_t k = 0; k < told->fragments && m->fault == NULL; k++) {
    frames += drop_fragment(m, i);
    i = model_held(m, i + 1);
  }
  model_require(m, told->frames == frames, "every frame of them is told");
}

static void close_stream(model *m) {
  model_require(m, m->stopping || !m->info.restart_on_error,
                "only what was stopped is closed");
  model_require(m, !m->closed, "a stream is closed once");
  /* While bytes are taken, which may free, it is known only afterwards. */
  model_require(m, m->taking || model_held(m, m->first) == m->count,
                "nothing is held when a stream is closed");
  if (!m->stopping) { /* it gives up, and tells that they are gone */
    m->tags = 0;
  }
  m->stopping = true;
  m->closed = true;
}

void model_event(model *m, const kvs_event *event, kvs_time now) {
  switch (event->type) {
    case KVS_EVENT_PUT_STREAM:
      begin_session(m, event, now);
      break;
    case KVS_EVENT_ABORT_STREAM:
      if (m->taking && event->u.abort_stream.status ==
                           KVS_STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK) {
        model_close_last(m); /* the body was to end with a track missing */
      }
      break;
    case KVS_EVENT_SESSION_ENDED:
      model_require(m, m->live, "only an open session ends");
      m->live = false;
      forget_session(m);
      break;
    case KVS_EVENT_STREAM_DATA_AVAILABLE:
      model_require(m, m->live && m->opened, "data are for an open session");
      m->waiting = false;
      break;
    case KVS_EVENT_STREAM_STATE_CHANGED:
      model_require(m, event->u.stream_state_changed.from == m->state,
                    "a state is left that was entered");
      model_require(
          m,
          may_follow(m, m->state, (uint32_t)event->u.stream_state_changed.to),
          "states go along the guide's transitions");
      m->state = (uint32_t)event->u.stream_state_changed.to;
      break;
    case KVS_EVENT_DROPPED_FRAGMENT_REPORT:
      drop_fragments(m, event);
      break;
    case KVS_EVENT_DROPPED_FRAME_REPORT:
      model_require(m, m->putting && !m->frame_gone, "a frame is dropped once");
      m->frame_gone = true;
      m->dropped++;
      break;
    case KVS_EVENT_SKIPPED_FRAMES_REPORT:
      m->skipped_told += event->u.skipped_frames_report.frames;
      break;
    case KVS_EVENT_STREAM_CONNECTION_STALE:
      model_require(m,
                    event->u.stream_connection_stale.since >=
                        m->info.connection_staleness,
                    "a session is stale no sooner than it may be");
      break;
    case KVS_EVENT_STREAM_ERROR_REPORT:
      if (event->u.stream_error_report.status ==
              KVS_STATUS_STORE_OUT_OF_MEMORY &&
          m->count != 0) {
        m->list[m->count - 1].tail = 0;
      }
      m->tags_told = true;
      break;
    case KVS_EVENT_STREAM_CLOSED:
      close_stream(m);
      break;
    default:
      break;
  }
}
