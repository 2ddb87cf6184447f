/* A naive model of the session: what one stream was given, as lists that are
 * searched from end to end, and what must follow. It is told every call and
 * every event and reads every byte that goes out; it never looks into the core.
 *
 * It knows the rulings and nothing of how they are kept: where fragments are
 * cut, that only the freeing ack of a fragment that went out whole frees it,
 * that a session begins at the oldest that is not freed, and which states may
 * follow each other. */
#ifndef KVS_TEST_SESSION_MODEL_H
#define KVS_TEST_SESSION_MODEL_H

#include <kvs/kvs.h>

#include "check.h"

#define MODEL_MAX_FRAME 400000u

typedef enum model_fate {
  MODEL_HELD = 0,
  MODEL_FREED,  /* by the ack that frees */
  MODEL_DROPPED /* and reported */
} model_fate;

typedef struct model_frame {
  uint32_t len;
  uint64_t pts;
  uint32_t track; /* number: 1 is video, others can be begun at */
  bool key;
} model_frame;

/* Of one track, on the present timeline. */
typedef struct model_track {
  bool has_last;
  uint64_t last_dts;
  uint64_t last_mono;
} model_track;

typedef struct model_fragment {
  uint32_t first; /* number of its first frame; the others follow */
  uint32_t count;
  uint64_t begin;
  uint64_t end;
  uint64_t cluster; /* units of the timecode scale */
  uint64_t base;
  bool closed;       /* nothing is added to it */
  bool ended;        /* its last frame had the END_OF_FRAGMENT flag */
  bool cut_off;      /* it was closed by the end of a session's body */
  bool timeline;     /* begins one */
  uint32_t tags;     /* that stand before it */
  uint32_t tail;     /* tags behind its last frame */
  uint32_t tracks;   /* a bit for each that has a frame in it */
  uint32_t declared; /* that its header has */
  model_fate fate;
  /* In the present session: */
  uint32_t out; /* frames that went out */
  uint32_t tail_out;
  bool begun;
  bool over;       /* the tag of its END_OF_FRAGMENT flag went out, too */
  uint64_t out_at; /* mono: of the last of them */
} model_fragment;

typedef struct model {
  kvs_stream *stream;
  kvs_stream_info info;
  uint64_t retention;
  const char *fault; /* the first, NULL: none */

  model_frame *frames;
  uint32_t frame_count;
  model_fragment *list;
  uint32_t count;
  uint32_t first; /* no older one is held */
  bool open;      /* the last one may grow */

  bool stopping;
  bool closed;
  bool resetting; /* a call that drops everything is under way */
  bool putting;   /* a call that may drop by policy is */
  bool taking;    /* bytes are taken that it was not told yet */
  bool await_key;
  model_track tracks[KVS_MAX_TRACKS];
  uint32_t declared;  /* tracks that the next fragment's header has */
  uint64_t last_mono; /* of the last frame */
  bool has_key;       /* of the first track, on the present timeline */
  uint64_t key_pts;
  bool has_base;
  uint64_t base;
  bool has_cluster;
  uint64_t last_cluster;
  bool new_timeline;
  uint64_t skipped;
  uint64_t skipped_told;
  uint64_t accepted; /* frames that put took */
  uint64_t dropped;  /* frames told as dropped */
  bool frame_gone;   /* the frame that is being put was told as dropped */
  bool tight;        /* there is so little room that a fragment is cut */
  int64_t accused;   /* fragment that an Error ack gives up; -1: none */

  uint32_t tags;  /* that wait for the next fragment */
  bool tags_told; /* some could not go */

  uint32_t unnamed; /* Error acks in a row that name no fragment */

  uint32_t state;
  uint64_t session;
  bool live;
  bool opened;
  bool waiting;         /* take had nothing, and nothing was told since */
  uint64_t start;       /* that it was told to count from */
  bool start_due;       /* and is to be compared */
  uint64_t until;       /* mono: no further fragment is begun */
  uint64_t token_until; /* mono */
  bool finish;          /* it may end at a boundary */
  bool close;           /* it may end when all is read */
  bool missing;         /* it may end without the ack of an old one */
  bool reason;          /* it had one to end when bytes were taken last */
  uint32_t next;        /* fragment that is read, or is to be read next */
  bool any;             /* a fragment was begun in it */
  bool eof;             /* the body has its end */
  uint32_t header;      /* tracks that it declares */
  uint32_t head;        /* elements of the session header that came */
  uint32_t tags_out;    /* tags since the last block */
  uint64_t begin_at;    /* mono: when the fragment's first byte was taken */
  uint64_t from;        /* mono: when the first byte of |body| was */
  uint8_t *body;        /* what was taken and is not read yet */
  size_t body_len;
  size_t body_cap;
} model;

void model_init(model *m, kvs_stream *stream, const kvs_stream_info *info);
void model_done(model *m);

/* The bytes of frame |id|: |len| of them. */
void model_bytes(uint32_t id, uint32_t len, uint8_t *out);

/* An event of the stream. |now| is that of the call that is under way. */
void model_event(model *m, const kvs_event *event, kvs_time now);

/* What put must do: to be called before it. |frame| is the next one. */
typedef struct model_put {
  kvs_status status; /* or STORE_OUT_OF_MEMORY, if there is no room */
  bool skips;
  bool begins;
  bool jump;
} model_put;
model_put model_plan(const model *m, const kvs_frame *frame, kvs_time now);
/* And after it: what it answered. */
void model_put_done(model *m, const kvs_frame *frame, const model_put *plan,
                    kvs_status status, kvs_time now);

/* Whether a frame of no bytes may end a fragment, and that it did. */
kvs_status model_end_plan(const model *m);
void model_ended(model *m);

/* Before an ack: frees what it frees, or notes what it gives up. */
void model_ack(model *m, const kvs_ack *ack);

/* Bytes that were taken of |room|, and what take answered. */
void model_take(model *m, const uint8_t *bytes, size_t len, size_t room,
                kvs_status status, kvs_time now);

/* After a step of time: what may have become due. */
void model_stepped(model *m, kvs_time now);
/* Around stop. */
void model_stop(model *m);
void model_stopped(model *m);
/* After start, or reset. */
void model_anew(model *m);

/* What holds between any two calls. */
void model_check(model *m, kvs_time now);

/* Notes what is wrong, if it is the first. */
void model_require(model *m, bool ok, const char *what);

/* The oldest fragment from |i| on that is held; |count|: none is. */
uint32_t model_held(const model *m, uint32_t i);

/* A stamp in units of the timecode scale, as cluster times count. */
uint64_t model_units(const model *m, uint64_t pts, uint64_t base);

/* Whether all that fragment |f| has was read. */
bool model_all_out(const model_fragment *f);

/* A session tells the time that its first fragment counts from. */
void model_check_start(model *m);

/* The last fragment was ended for want of room: with a tag of its own, or the
 * session's body |closes| with it. */
void model_end_open(model *m, bool closes);

/* Nothing more is added to the last fragment. */
void model_close_last(model *m);

/* Whether fragment |i| went out whole in the present session. */
bool model_whole(const model *m, uint32_t i);

/* The wire time of fragment |i|, milliseconds. */
uint64_t model_ms(const model *m, uint32_t i);

#endif
