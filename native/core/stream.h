/* SPDX-License-Identifier: Apache-2.0
 * The stream, seen from inside the core: what the files stream*.c offer each
 * other. What it consists of stands in stream_types.h.
 *
 *   stream.c         create, free, stop, reset, deadlines
 *   stream_info.c    defaults and limits of kvs_stream_info
 *   stream_format.c  tracks, codec private data, what a fragment takes of them
 *   stream_header.c  session headers
 *   stream_put.c     a frame comes in: the short way, the long one begins
 *   stream_store.c   and ends: the frame is stored
 *   stream_clock.c   media put before the wall clock was set
 *   stream_event.c   fragment metadata and events
 *   stream_room.c    what goes when the arena or the window is full
 *   stream_state.c   the state machine and the service's answers
 *   stream_session.c the session: its begin, its end, what it waits for
 *   stream_take.c    bytes go out
 *   stream_body.c    the session's body, from its header to its end
 *   stream_ack.c     acks come in; what they free
 *   stream_check.c   whether all of it is sound
 *   stream_metrics.c figures */
#ifndef KVS_CORE_STREAM_H
#define KVS_CORE_STREAM_H

#include "core/stream_types.h"

/* ---- stream.c --------------------------------------------------------- */

/* kvs_stream_create, for the client. */
KVS_MUST_CHECK kvs_status kvs_stream_open(kvs_host *host,
                                          const kvs_stream_info *info,
                                          kvs_time now, kvs_stream **out);

/* Tells the host, when it asks. */
static inline void kvs_host_emit(kvs_host *host, const kvs_event *event) {
  kvs_queue_push(&host->queue, event);
}

void kvs_stream_emit(kvs_stream *stream, kvs_event *event);
uint32_t kvs_host_random(kvs_host *host);

/* INVALID_OPERATION while the host is asked something. */
KVS_MUST_CHECK static inline kvs_status
kvs_stream_guard(const kvs_stream *stream) {
  return stream->host->in_callback ? KVS_STATUS_INVALID_OPERATION : KVS_OK;
}

/* Where nearly every frame finds its stream: the body of a session is open, so
 * that no call is due and no state is left by a put or a take. */
static inline bool kvs_stream_flows(const kvs_stream *stream) {
  return stream->machine.state == KVS_STREAM_STATE_STREAMING &&
         stream->session.phase == KVS_PHASE_BODY && !stream->held;
}

/* Brings the client's deadline forward to |at|. */
static inline void kvs_host_note_deadline(kvs_host *host, uint64_t at) {
  host->deadline = kvs_min_u64(host->deadline, at);
}

/* Brings the client's deadline forward to the stream's. */
void kvs_stream_note_deadline(kvs_stream *stream);
uint64_t kvs_stream_deadline(const kvs_stream *stream);

/* Makes calls that are due, sees to staleness, rotation and idleness. */
void kvs_stream_step(kvs_stream *stream, kvs_time now);

/* Tells STREAM_CLOSED, once. */
void kvs_stream_close(kvs_stream *stream, kvs_time now);

/* Does so if the stream is stopping and holds nothing unfreed. */
static inline void kvs_stream_close_if_done(kvs_stream *stream, kvs_time now) {
  if (stream->stopping && !stream->closed && stream->view.oldest == 0) {
    kvs_stream_close(stream, now);
  }
}

/* ---- stream_check.c ---------------------------------------------------- */

/* HEAP_CORRUPTED unless what the stream says of itself agrees with what lies in
 * the arena. Adds the |pages| [filled] that it has. */
KVS_MUST_CHECK kvs_status kvs_stream_check(const kvs_stream *stream,
                                           uint32_t *pages);

/* ---- stream_info.c ---------------------------------------------------- */

void kvs_limits_init(kvs_limits *limits, const kvs_stream_info *info);

/* ---- stream_format.c -------------------------------------------------- */

/* Takes over tracks and makes the first header from |info| [read]. */
KVS_MUST_CHECK kvs_status kvs_format_init(kvs_stream *stream,
                                          const kvs_stream_info *info);
void kvs_format_free(kvs_stream *stream);

/* Makes |cpd| [read] the newest private data of a track, adapting it by the
 * stream's flags. */
KVS_MUST_CHECK kvs_status kvs_format_set(kvs_stream *stream, uint32_t track,
                                         kvs_bytes cpd);

/* Looks for parameter sets in an Annex-B frame and makes them the newest.
 * |picture| [filled]: whether the frame has anything but sets. */
KVS_MUST_CHECK kvs_status kvs_format_learn(kvs_stream *stream, uint32_t track,
                                           kvs_bytes frame, bool *picture);

/* Makes |full|, held, the newest again: what was learned since was of a frame
 * that is refused. */
void kvs_format_restore(kvs_stream *stream, uint32_t full);

/* The header of the next fragment, which begins with a frame of |first|, a key
 * frame if |key|: held for the caller. */
KVS_MUST_CHECK kvs_status kvs_format_next(kvs_stream *stream,
                                          const kvs_track *first, bool key,
                                          uint32_t *slot);

/* The next fragment goes on with |slot|, held. */
void kvs_format_use(kvs_stream *stream, uint32_t slot);

/* Tells, once each, which tracks of the newest fragment go out without the
 * private data that no decoder can do without. */
void kvs_format_tell_bare(kvs_stream *stream, uint64_t pts);

/* A fragment of several tracks is whole: a track that has no frame in it is
 * left out of its header and of the next one's, since the service refuses a
 * fragment that lacks a declared track (ruling 11). If it was being sent, the
 * session is broken and it goes again. True if its header changed. */
bool kvs_format_settle(kvs_stream *stream, kvs_pos fragment, kvs_time now);

kvs_header *kvs_header_at(const kvs_stream *stream, uint32_t slot);

/* The session header that a fragment names as |slot|. */
static inline const kvs_header *kvs_format_at(const kvs_stream *stream,
                                              uint32_t slot) {
  return slot < KVS_HEADER_SLOTS ? &stream->headers[slot]
                                 : kvs_header_at(stream, slot);
}

/* Whether |track| has newer data than the header |slot|, where it has it. */
static inline bool kvs_format_turns(const kvs_stream *stream, uint32_t slot,
                                    const kvs_track *track) {
  return slot != stream->full &&
         kvs_format_at(stream, slot)->version[track->index] !=
             kvs_format_at(stream, stream->full)->version[track->index];
}

/* Whether it lacks a track that its header has. */
static inline bool kvs_format_lacks(const kvs_stream *stream,
                                    const kvs_fragment *fragment) {
  return fragment->tracks != kvs_format_at(stream, fragment->header)->tracks;
}

void kvs_format_hold(kvs_stream *stream, uint32_t slot);
void kvs_format_release(kvs_stream *stream, uint32_t slot);

/* ---- stream_put.c ----------------------------------------------------- */

/* The next frame of each track goes the long way, and opens the short one. */
static inline void kvs_put_shut_tracks(kvs_stream *stream) {
  for (kvs_track *track = stream->tracks; track != stream->tracks_end;
       track++) {
    track->span[0] = 0;
    track->span[1] = 0;
  }
}

/* From now on every frame goes the long way, up to the next fragment. */
static inline void kvs_put_shut_short(kvs_stream *stream) {
  stream->open.span = 0;
  kvs_put_shut_tracks(stream);
}

/* Adds no more frames to the newest fragment. */
static inline void kvs_put_end_fragment(kvs_stream *stream) {
  stream->fragment_open = false;
  kvs_put_shut_short(stream);
}

/* Reports frames that were skipped before a key frame. */
void kvs_put_tell_skipped(kvs_stream *stream);

/* Does so if there are any. */
static inline void kvs_put_report_skipped(kvs_stream *stream) {
  if (stream->skipped != 0) {
    kvs_put_tell_skipped(stream);
  }
}

/* ---- stream_event.c --------------------------------------------------- */

/* Writes the tags that the next fragment begins with. */
void kvs_tags_write(const kvs_stream *stream, kvs_sink *sink);

/* A fragment took them: those that were for one are gone. */
void kvs_tags_used(kvs_stream *stream);

/* No fragment will follow: what none took goes out behind the open one, as far
 * as it may and there is room; what is lost is told. */
void kvs_tags_finish(kvs_stream *stream);

/* Puts what waits behind the open fragment, as far as it may, and its
 * END_OF_FRAGMENT. STORE_OUT_OF_MEMORY: nothing changed. */
KVS_MUST_CHECK kvs_status kvs_tags_end(kvs_stream *stream);

/* Forgets what was for one fragment and no fragment took; tells |status| if
 * there was any. */
void kvs_tags_lose(kvs_stream *stream, kvs_status status);

/* Gives back the pages of waiting events. */
void kvs_tags_free(kvs_stream *stream);

/* ---- stream_clock.c --------------------------------------------------- */

/* Nanoseconds of a stamp fit 63 bits. */
#define KVS_MAX_STAMP ((uint64_t)INT64_MAX / 100)

/* 2017-01-01, before which no clock that was ever set can stand. */
#define KVS_CLOCK_IS_SET (UINT64_C(1483228800) * KVS_TICKS_PER_SECOND)

/* Whether media are held back because the wall clock is not set (ruling 8). */
static inline bool kvs_clock_holds(const kvs_stream *stream, kvs_time now) {
  return now.wall < stream->limits.clock_set;
}

/* Notes that media were put while the clock was not set: they are held. */
void kvs_clock_note(kvs_stream *stream, kvs_time now);

/* Whether media wait for the clock; looks again in a while. */
bool kvs_clock_waits(kvs_stream *stream, kvs_time now);

/* Shifts held media once the clock is set. */
void kvs_clock_settle(kvs_stream *stream, kvs_time now);

/* ---- stream_room.c ---------------------------------------------------- */

/* How long the view would be with media up to |end|. */
static inline uint64_t kvs_room_duration(const kvs_view *view, bool begins,
                                         uint64_t end) {
  return begins || view->newest == 0
             ? view->duration
             : view->duration +
                   kvs_sub_u64(end, kvs_view_fragment(view, view->newest)->end);
}

/* What is to be stored. */
typedef struct kvs_room {
  kvs_stream *stream;
  bool begins;  /* a fragment */
  uint32_t len; /* bytes */
  uint64_t end; /* media time */
} kvs_room;

/* kvs_room_make, where something has to go. |made| is false. */
KVS_MUST_CHECK kvs_status kvs_room_clear(const kvs_room *room, kvs_time now,
                                         bool *made);

/* Whether the window has room for media up to |end|. */
static inline bool kvs_room_lasts(const kvs_stream *stream, bool begins,
                                  uint64_t end) {
  return kvs_room_duration(&stream->view, begins, end) <= stream->limits.window;
}

/* Makes room by policy. |made| false: what is in flight or open has it all; the
 * open fragment was ended, and the frame is to be passed over.
 * STORE_OUT_OF_MEMORY: nothing changed. */
KVS_MUST_CHECK static inline kvs_status
kvs_room_make(const kvs_room *room, kvs_time now, bool *made) {
  const kvs_view *view = &room->stream->view;

  *made = kvs_room_lasts(room->stream, room->begins, room->end) &&
          kvs_view_needs(view, room->begins, room->len) <=
              kvs_heap_available(view->heap);
  return *made ? KVS_OK : kvs_room_clear(room, now, made);
}

/* Whether the open fragment is to be cut before |payload| more bytes, for which
 * it would take another page: at a quarter of the stream's share, while less
 * than a quarter of the arena is free. */
bool kvs_room_tight(const kvs_stream *stream, uint32_t payload);

/* The pause before the next try: |delay|, but where |result| says that nobody
 * answered not longer than a third of the time that the room lasts (1 s at
 * least). */
uint64_t kvs_room_pause(const kvs_stream *stream, uint64_t delay,
                        uint32_t result);

/* Ends the open fragment, all of which was sent, if a frame was refused for
 * want of room. */
bool kvs_room_end_open(kvs_stream *stream, kvs_time now);

/* Makes room for one more session header: drops one whole fragment, by policy.
 * False: there is none to drop. */
bool kvs_room_yield(kvs_stream *stream, kvs_time now);

/* Counts and tells a fragment that is given up for |reason|. */
void kvs_room_report_dropped(kvs_stream *stream, const kvs_fragment *fragment,
                             kvs_status reason);

/* Drops everything. No session is live. */
void kvs_room_drop_all(kvs_stream *stream, kvs_status reason);

/* Pressure is told from where less than one part in so many is left. */
#define KVS_PRESSURE_PART 20u

static inline bool kvs_room_low_storage(const kvs_host *host) {
  return kvs_heap_used(&host->heap) > host->low_pages;
}

static inline bool kvs_room_low_buffer(const kvs_stream *stream) {
  return stream->view.duration >= stream->limits.low_buffer;
}

/* Tells latency, buffer and storage pressure, at most once a second each. */
void kvs_room_tell(kvs_stream *stream, kvs_time now);

/* Does so if there is any. */
static inline void kvs_room_tell_pressure(kvs_stream *stream, kvs_time now) {
  if (stream->limits.latency != 0 || kvs_room_low_storage(stream->host) ||
      kvs_room_low_buffer(stream)) {
    kvs_room_tell(stream, now);
  }
}

/* What follows |gone|, a fragment that is not sent in the session, begins the
 * timeline that it would have begun. */
void kvs_room_hand_on(kvs_stream *stream, const kvs_fragment *gone);

/* Forgets freed fragments at the tail. */
void kvs_room_trim(kvs_stream *stream);

/* ---- stream_state.c --------------------------------------------------- */

void kvs_state_init(kvs_stream *stream);

/* Settles held media; moves on from NEW when the client is ready, from READY
 * when there is something to send; makes the call that is due. */
void kvs_state_move(kvs_stream *stream, kvs_time now);

/* The same, at no cost while media stream: there is nothing to do then. */
static inline void kvs_state_advance(kvs_stream *stream, kvs_time now) {
  if (stream->machine.state != KVS_STREAM_STATE_STREAMING || stream->held) {
    kvs_state_move(stream, now);
  }
}

/* Makes the present state's call if it is due. */
void kvs_state_call(kvs_stream *stream, kvs_time now);

/* Chooses the state after a session by its result; |failed| backs off. The
 * caller advances when it is done. */
void kvs_state_after_session(kvs_stream *stream, uint32_t result, bool failed,
                             kvs_time now);

/* The call that is open did not answer in time. */
void kvs_state_timed_out(kvs_stream *stream, kvs_time now);

/* Goes to where a stream begins: DESCRIBE, or NEW until the client is ready. */
void kvs_state_begin_anew(kvs_stream *stream, kvs_time now);

/* Goes to |state| whatever stood before (stop). */
void kvs_state_force(kvs_stream *stream, uint32_t state, kvs_time now);

/* Tells an error of the stream. */
void kvs_state_report(kvs_stream *stream, uint64_t timecode, kvs_status status,
                      uint32_t result, uint32_t attempts);

/* ---- stream_session.c ------------------------------------------------- */

static inline bool kvs_session_live(const kvs_stream *stream) {
  return stream->session.phase != KVS_PHASE_NONE;
}

/* Whether the oldest fragment, freed, is kept to be replayed (ruling 2). */
bool kvs_session_keeps(const kvs_stream *stream, const kvs_fragment *oldest);

/* Starts the session that PUT_STREAM asked for. */
void kvs_session_begin(kvs_stream *stream, kvs_time now);

/* Breaks the connection: ABORT_STREAM, then the next state by |result|. */
void kvs_session_abort(kvs_stream *stream, kvs_status status, uint32_t result,
                       bool failed, kvs_time now);

/* A session without media for this long is told to run dry. */
#define KVS_UNDERFLOW_AFTER KVS_TICKS_PER_SECOND

/* Tells the host that there is something to take. */
void kvs_session_tell_data(kvs_stream *stream);

/* Does so if the host waits for it. */
static inline void kvs_session_wake(kvs_stream *stream) {
  if (stream->session.waiting && stream->session.opened &&
      kvs_session_live(stream)) {
    kvs_session_tell_data(stream);
  }
}

/* Staleness, rotation, idleness of the session. */
void kvs_session_step(kvs_stream *stream, kvs_time now);
uint64_t kvs_session_deadline(const kvs_stream *stream);

/* When bytes that wait in an open session count as stale, or KVS_NEVER. */
static inline uint64_t kvs_session_unread_due(const kvs_stream *stream) {
  return kvs_add_u64(stream->session.progress, stream->limits.patience);
}

/* When a session is to be looked after of which all has just been read: not
 * later, and at most one wake-up too early. */
static inline uint64_t kvs_session_quiet_due(const kvs_stream *stream) {
  return kvs_add_u64(stream->last_put, stream->limits.quiet_after);
}

/* Whether the session's body ends when everything is read. */
static inline bool kvs_session_ends_dry(const kvs_stream *stream) {
  return stream->stopping || stream->session.close;
}

/* Whether all is read of a fragment that may still grow. */
static inline bool kvs_session_dry(const kvs_stream *stream) {
  return stream->view.current == 0 && stream->view.fragment != 0 &&
         stream->fragment_open && !stream->cramped &&
         !kvs_session_ends_dry(stream);
}

/* ---- stream_body.c ---------------------------------------------------- */

/* Marks the fragment that the reader has left as sent. */
void kvs_body_note_sent(kvs_stream *stream, kvs_time now);

/* kvs_stream_take of |session|, which is live, with arguments that are valid;
 * |*taken| bytes of |buf| were taken already. The arguments stand as there: the
 * call costs nothing, then. */
KVS_MUST_CHECK kvs_status kvs_body_take(kvs_stream *stream, uint64_t session,
                                        uint8_t *buf, size_t len, kvs_time now,
                                        size_t *taken);

/* The same where the session flows and is not dry, from the first byte. */
KVS_MUST_CHECK kvs_status kvs_body_take_on(kvs_stream *stream, uint64_t session,
                                           uint8_t *buf, size_t len,
                                           kvs_time now, size_t *taken);

/* ---- stream_ack.c ----------------------------------------------------- */

/* Marks a fragment as not needed any more and forgets what can be. */
void kvs_ack_free(kvs_stream *stream, kvs_pos fragment, kvs_time now);

/* Whether the fragment at |at|, refused often enough, is stepped over: if one
 * behind it is taken, it is given up (ruling 40). */
bool kvs_ack_steps_over(const kvs_stream *stream, kvs_pos at);

/* The oldest fragment that is not freed nor stepped over, or 0. */
kvs_pos kvs_ack_awaited(const kvs_stream *stream);

/* Whether an ack of |type| frees (ruling 1). */
bool kvs_ack_frees(const kvs_stream *stream, kvs_ack_type type);

/* ---- stream_metrics.c ------------------------------------------------- */

/* Rates are taken over windows of at least this. */
#define KVS_RATES_WINDOW KVS_TICKS_PER_SECOND

/* Brings a moving average up to date. */
void kvs_metrics_smooth(uint64_t *average, uint64_t value);

/* Makes the rates of the window that ends now and begins the next one. */
void kvs_metrics_close_window(kvs_stream *stream, uint64_t pts, kvs_time now);

#endif
