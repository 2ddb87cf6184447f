/* SPDX-License-Identifier: Apache-2.0
 * The stream, seen from inside the core: its parts, and what the files
 * stream*.c offer each other.
 *
 *   stream.c         create, free, stop, reset, deadlines
 *   stream_info.c    defaults and limits of kvs_stream_info
 *   stream_format.c  tracks, codec private data, versions of the header
 *   stream_put.c     a frame comes in: it is judged and planned
 *   stream_store.c   and stored
 *   stream_clock.c   media put before the wall clock was set
 *   stream_event.c   fragment metadata and events
 *   stream_room.c    what goes when the arena or the window is full
 *   stream_state.c   the state machine and the service's answers
 *   stream_session.c the session: its begin, its end, what it waits for
 *   stream_take.c    bytes go out
 *   stream_ack.c     acks come in; what they free
 *   stream_metrics.c figures */
#ifndef KVS_CORE_STREAM_H
#define KVS_CORE_STREAM_H

#include "core/ack.h"
#include "core/machine.h"
#include "core/mkv.h"
#include "core/nal.h"
#include "core/view.h"

/* What the streams of a client share. */
typedef struct kvs_host {
  kvs_heap heap;
  kvs_callbacks callbacks;
  kvs_nal_find find;
  kvs_stream *streams[KVS_MAX_STREAM_COUNT]; /* NULL: a free place */
  uint32_t stream_limit;
  uint32_t stream_count;
  uint32_t last_id;
  bool ready;    /* the client's machine has been ready */
  bool in_event; /* the host is being told something: no calls now */
  uint64_t deadline;
  uint64_t pressure_at; /* mono: when storage pressure may be told again */
  char client_id[KVS_MAX_CLIENT_ID_LEN + 1];
} kvs_host;

/* Versions of the session header that may live at once. */
#define KVS_HEADER_SLOTS 8u
#define KVS_NO_HEADER UINT32_MAX
/* Room in the stream's own page for small session headers, and for one
 * adapted piece of codec private data. */
#define KVS_SLABS 2u
#define KVS_SLAB_LEN 3072u
#define KVS_SCRATCH_LEN 2048u

/* What a header says of a track beyond its names. */
typedef struct kvs_track_details {
  double sampling_frequency;
  uint16_t pixel_width;
  uint16_t pixel_height;
  uint16_t channels;
  uint16_t bit_depth;
} kvs_track_details;

/* One version of the session header. */
typedef struct kvs_header {
  bool live;
  uint32_t format; /* equal: made from the same private data */
  uint32_t tracks; /* a bit for each track that it has */
  kvs_track_details details[KVS_MAX_TRACKS];
  uint32_t slab;   /* KVS_SLABS: it has pages of its own */
  uint32_t refs;   /* fragments that name it, and 1 while it is current */
  uint32_t len;    /* bytes */
  kvs_pos at;      /* its first byte */
  kvs_chain chain; /* its pages, where it has its own */
  struct {
    uint32_t offset; /* of the codec private data */
    uint32_t len;
  } cpd[KVS_MAX_TRACKS];
} kvs_header;

typedef struct kvs_track {
  kvs_track_info info; /* strings point at the two below, cpd is NULL */
  char codec_id[KVS_MAX_CODEC_ID_LEN + 1];
  char name[KVS_MAX_TRACK_NAME_LEN + 1];
  bool has_last;
  uint64_t last_dts; /* ticks, of the present timeline */
  uint64_t last_mono;
} kvs_track;

typedef struct kvs_metadata {
  bool used;
  bool persistent;
  uint8_t name_len;
  uint16_t value_len;
  char name[KVS_MAX_METADATA_NAME_LEN];
  char value[KVS_MAX_METADATA_VALUE_LEN];
} kvs_metadata;

/* An event that waits for the next fragment. */
typedef struct kvs_pending_event {
  uint32_t len; /* 0: none */
  kvs_pos at;   /* its Tags element, ready to be sent */
  kvs_chain chain;
} kvs_pending_event;

typedef enum kvs_phase {
  KVS_PHASE_NONE = 0, /* no session */
  KVS_PHASE_HEADER,   /* the session header is going out */
  KVS_PHASE_BODY,     /* frames are */
  KVS_PHASE_EOF,      /* the END_OF_FRAGMENT tag is */
  KVS_PHASE_AWAIT,    /* all is out; the last fragment is not freed yet */
  KVS_PHASE_END       /* the body is whole */
} kvs_phase;

typedef struct kvs_session {
  uint64_t number; /* counts up over the client's life; 0: none yet */
  kvs_phase phase;
  bool opened;        /* the host answered PUT_STREAM */
  bool waiting;       /* take had nothing: tell when there is something */
  bool finish;        /* end at the next fragment boundary */
  bool close;         /* end as soon as nothing is left to read */
  bool missing;       /* an old fragment's ack is given up: do not await it */
  bool sent_any;      /* a fragment was taken in it */
  bool freed_any;     /* and one was freed */
  uint32_t header;    /* slot */
  uint32_t offset;    /* next byte of header or tag */
  uint32_t result;    /* why it ends, for the state after it */
  uint64_t opened_at; /* mono */
  uint64_t until;     /* mono: rotate from here on */
  uint64_t progress;  /* mono: last byte taken or ack seen */
  uint64_t acked_at;  /* mono: last ack seen, or when it opened */
  kvs_pos last;       /* fragment that the body ends with, 0: freed */
  kvs_ack_parser acks;
} kvs_session;

typedef struct kvs_rates {
  uint64_t since; /* mono: begin of the present window */
  uint64_t frames;
  uint64_t bytes;
  uint64_t first_pts;
} kvs_rates;

struct kvs_stream {
  kvs_host *host;
  kvs_pos object; /* its own page */
  uint32_t id;
  char name[KVS_MAX_STREAM_NAME_LEN + 1];
  kvs_stream_info info; /* pointers in it are not to be used */
  kvs_track tracks[KVS_MAX_TRACKS];
  uint32_t cut_track; /* index of the track whose key frames cut */
  kvs_header headers[KVS_HEADER_SLOTS];
  uint32_t full;    /* slot of the newest one with every track */
  uint32_t header;  /* slot of the one that the next fragment takes */
  uint32_t formats; /* counts changes of private data */
  uint8_t segment_uid[KVS_SEGMENT_UID_LEN];
  kvs_metadata metadata[KVS_MAX_METADATA_COUNT];
  kvs_pending_event events[KVS_EVENT_KINDS];

  kvs_view view;
  bool fragment_open; /* frames may be added to the newest fragment */
  bool await_key;     /* frames are skipped up to the next key frame */
  bool new_timeline;  /* the next fragment begins one */
  bool has_base;
  bool has_cluster;
  bool cut_reported;
  uint64_t base;         /* pts of the timeline's first frame, ticks */
  uint64_t last_cluster; /* in units of the timecode scale */
  uint64_t skipped;      /* frames, not yet reported */
  uint64_t skipped_at;   /* pts of the first of them */
  uint64_t last_put;     /* mono */
  bool dry_told;         /* underflow, since the last frame */
  bool held;             /* media wait for the wall clock to be set */
  kvs_time held_at;      /* the clocks when they were put */
  uint64_t held_due;     /* mono: when to look at the clock again */
  kvs_refusal refusal;

  kvs_machine machine;
  kvs_retry session_retry;
  uint64_t session_due; /* mono: not before this */
  bool ready_told;
  bool tagged;
  bool stopping;
  bool closed; /* STREAM_CLOSED was told */
  uint64_t retention;
  uint64_t token_until; /* mono: the streaming token is to be renewed */
  kvs_session session;

  uint64_t created_at; /* mono */
  uint64_t latency_at; /* mono: when each pressure may be told again */
  uint64_t buffer_at;
  uint64_t dropped_at_stop; /* dropped frames when stop was called */
  uint64_t persisted_at;    /* mono: last freeing ack, or creation */
  uint64_t session_time;    /* of ended sessions, ticks */
  kvs_rates rates;
  kvs_stream_metrics metrics;

  uint8_t scratch[KVS_SCRATCH_LEN];
  uint8_t slabs[KVS_SLABS][KVS_SLAB_LEN];
};

_Static_assert(sizeof(struct kvs_stream) <= KVS_PAGE_DATA,
               "a stream that holds nothing costs one page");

/* ---- stream.c --------------------------------------------------------- */

/* kvs_stream_create, for the client. */
KVS_MUST_CHECK kvs_status kvs_stream_open(kvs_host *host,
                                          const kvs_stream_info *info,
                                          kvs_time now, kvs_stream **out);

static inline kvs_event kvs_event_make(uint32_t type) {
  kvs_event event;

  /* Field by field: compilers clear a struct of this size with a string
   * instruction, which costs more than all the rest of telling it. */
  event.type = type;
  event.stream = 0;
  event.text = NULL;
  event.text_len = 0;
  for (uint32_t i = 0; i < KVS_EVENT_MAX_FIELDS; i++) {
    event.u.fields[i] = 0;
  }
  return event;
}

/* Tells the host; nothing may be half done. */
void kvs_stream_emit(kvs_stream *stream, kvs_event *event);
uint32_t kvs_host_random(kvs_host *host);
void kvs_host_emit(kvs_host *host, kvs_event *event);

/* INVALID_OPERATION while the host is being told something. */
KVS_MUST_CHECK static inline kvs_status
kvs_stream_guard(const kvs_stream *stream) {
  return stream->host->in_event ? KVS_STATUS_INVALID_OPERATION : KVS_OK;
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

/* ---- stream_format.c -------------------------------------------------- */

/* Takes over tracks and makes the first header from |info| [read]. */
KVS_MUST_CHECK kvs_status kvs_format_init(kvs_stream *stream,
                                          const kvs_stream_info *info);
void kvs_format_free(kvs_stream *stream);

/* Makes |cpd| [read] the private data of a track, adapting it by the stream's
 * flags; a new header version is current if it differs. */
KVS_MUST_CHECK kvs_status kvs_format_set(kvs_stream *stream, uint32_t track,
                                         kvs_bytes cpd);

/* Looks for parameter sets in a key frame and makes them current. */
KVS_MUST_CHECK kvs_status kvs_format_learn(kvs_stream *stream, uint32_t track,
                                           kvs_bytes frame);

/* The slot of a header of the same format as |slot| with just |tracks|; made
 * if there is none. Held by nobody yet. */
KVS_MUST_CHECK kvs_status kvs_format_with(kvs_stream *stream, uint32_t slot,
                                          uint32_t tracks, uint32_t *out);

/* Gives the next fragment a header with |track| in it. */
KVS_MUST_CHECK kvs_status kvs_format_want(kvs_stream *stream, uint32_t track);

/* A fragment of several tracks is whole: a track that has no frame in it is
 * left out of its header and of the next one's, since the service refuses a
 * fragment that lacks a declared track (ruling 11). If it was being sent, the
 * session is broken and it goes again. True if its header changed. */
bool kvs_format_settle(kvs_stream *stream, kvs_pos fragment, kvs_time now);

void kvs_format_hold(kvs_stream *stream, uint32_t slot);
void kvs_format_release(kvs_stream *stream, uint32_t slot);

/* ---- stream_put.c ----------------------------------------------------- */

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

/* Gives back the pages of waiting events. */
void kvs_tags_free(kvs_stream *stream);

/* ---- stream_clock.c --------------------------------------------------- */

/* 2017-01-01, before which no clock that was ever set can stand. */
#define KVS_CLOCK_IS_SET (UINT64_C(1483228800) * KVS_TICKS_PER_SECOND)

/* Whether media are held back because the wall clock is not set (ruling 8). */
static inline bool kvs_clock_holds(const kvs_stream *stream, kvs_time now) {
  return stream->info.absolute_fragment_times && now.wall < KVS_CLOCK_IS_SET;
}

/* Notes that media were put while the clock was not set: they are held. */
void kvs_clock_note(kvs_stream *stream, kvs_time now);

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

/* kvs_room_make, where something has to go. */
KVS_MUST_CHECK kvs_status kvs_room_clear(kvs_stream *stream, bool begins,
                                         uint32_t len, uint64_t end,
                                         kvs_time now);

/* Whether there is room for a unit of |len| bytes ending at |end|. */
static inline bool kvs_room_has(const kvs_stream *stream, bool begins,
                                uint32_t len, uint64_t end) {
  const kvs_view *view = &stream->view;

  return kvs_room_duration(view, begins, end) <= stream->info.buffer_duration &&
         kvs_view_needs(view, begins, len) <=
             kvs_heap_available(&stream->host->heap);
}

/* Makes room for a unit of |len| bytes ending at |end|, by policy. */
KVS_MUST_CHECK static inline kvs_status kvs_room_make(kvs_stream *stream,
                                                      bool begins, uint32_t len,
                                                      uint64_t end,
                                                      kvs_time now) {
  if (kvs_room_has(stream, begins, len, end)) {
    return KVS_OK;
  }
  return kvs_room_clear(stream, begins, len, end, now);
}

/* Makes room for one more session header: drops one whole fragment, by policy.
 * False: there is none to drop. */
bool kvs_room_yield(kvs_stream *stream, kvs_time now);

/* Counts and tells a fragment that is given up for |reason|. */
void kvs_room_report_dropped(kvs_stream *stream, const kvs_fragment *fragment,
                             kvs_status reason);

/* Drops the oldest fragment, reporting it if it was not freed; breaks the
 * session first if it is half sent. */
void kvs_room_drop_oldest(kvs_stream *stream, kvs_status reason, kvs_time now);

/* Drops everything. */
void kvs_room_drop_all(kvs_stream *stream, kvs_status reason, kvs_time now);

/* Pressure is told from where less than this is left. */
#define KVS_PRESSURE_PERCENT 5u

static inline bool kvs_room_low_storage(const kvs_heap *heap) {
  return (uint64_t)kvs_heap_available(heap) * 100 <
         (uint64_t)heap->page_count * KVS_PRESSURE_PERCENT;
}

static inline bool kvs_room_low_buffer(const kvs_stream *stream) {
  uint64_t window = stream->info.buffer_duration;

  return kvs_sub_u64(window, stream->view.duration) <=
         window / 100 * KVS_PRESSURE_PERCENT;
}

/* Tells latency, buffer and storage pressure, at most once a second each. */
void kvs_room_tell(kvs_stream *stream, kvs_time now);

/* Does so if there is any. */
static inline void kvs_room_tell_pressure(kvs_stream *stream, kvs_time now) {
  if (stream->info.max_latency != 0 ||
      kvs_room_low_storage(&stream->host->heap) ||
      kvs_room_low_buffer(stream)) {
    kvs_room_tell(stream, now);
  }
}

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

/* Goes to |state| whatever stood before (reset, stop). */
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
uint64_t kvs_session_unread_due(const kvs_stream *stream);

/* When a session of which all is read is to be looked after, or KVS_NEVER. */
uint64_t kvs_session_quiet_due(const kvs_stream *stream);

/* ---- stream_take.c ---------------------------------------------------- */

/* Marks the fragment that the reader has left as sent. */
void kvs_take_note_sent(kvs_stream *stream, kvs_time now);

/* ---- stream_ack.c ----------------------------------------------------- */

/* Marks a fragment as not needed any more and forgets what can be. */
void kvs_ack_free(kvs_stream *stream, kvs_pos fragment, kvs_time now);

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
