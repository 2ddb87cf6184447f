/* SPDX-License-Identifier: Apache-2.0
 * What a stream consists of. */
#ifndef KVS_CORE_STREAM_TYPES_H
#define KVS_CORE_STREAM_TYPES_H

#include "core/ack.h"
#include "core/machine.h"
#include "core/mkv.h"
#include "core/nal.h"
#include "core/queue.h"
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
  bool ready;       /* the client's machine has been ready */
  bool in_callback; /* of the host: no calls now */
  kvs_queue queue;  /* what the host is to be told */
  uint64_t deadline;
  uint32_t low_pages;   /* with more in use there is storage pressure */
  uint64_t pressure_at; /* mono: when it may be told again */
  char client_id[KVS_MAX_CLIENT_ID_LEN + 1];
} kvs_host;

/* Session headers that stand in the stream's own page; what more there are
 * have pages of their own. */
#define KVS_HEADER_SLOTS 8u
#define KVS_NO_HEADER UINT32_MAX
/* Room there for the bytes of small ones. */
#define KVS_SLABS 2u
#define KVS_SLAB_LEN 2560u

/* What a header says of a track beyond its names. */
typedef struct kvs_track_details {
  double sampling_frequency;
  uint16_t pixel_width;
  uint16_t pixel_height;
  uint16_t channels;
  uint16_t bit_depth;
} kvs_track_details;

/* One session header. */
typedef struct kvs_header {
  bool live;
  uint32_t check;                   /* over what never changes of it */
  uint32_t tracks;                  /* a bit for each track that it has */
  uint32_t version[KVS_MAX_TRACKS]; /* of its data: equal: the same */
  uint32_t digest[KVS_MAX_TRACKS];  /* of the private data */
  kvs_track_details details[KVS_MAX_TRACKS];
  uint32_t slab;   /* KVS_SLABS: it has pages of its own */
  uint32_t refs;   /* fragments and others that name it */
  uint32_t len;    /* bytes */
  uint32_t next;   /* where it stands in a page of its own: the one before it */
  uint32_t prev;   /* and behind it, or KVS_NO_HEADER */
  kvs_pos at;      /* its first byte */
  kvs_chain chain; /* its pages, where it has its own */
  struct {
    uint32_t offset; /* of the codec private data */
    uint32_t len;
  } cpd[KVS_MAX_TRACKS];
} kvs_header;

typedef struct kvs_track {
  uint8_t index;       /* of it in the stream */
  bool all_key;        /* every frame can be begun at: audio and data */
  bool cuts;           /* its key frames begin fragments */
  uint64_t span[2];    /* ticks into the open fragment of the first pts that
                          the short way does not take: of no key frame, and
                          of a key frame; 0: it is shut */
  bool has_last;       /* of the present timeline, the frame before: */
  uint32_t adaptation; /* of its frames: KVS_NAL_ADAPTATION_* */
  uint32_t turned;     /* version of its data that a key frame brought */
  bool has_nals;       /* it is H.264 or H.265, as |codec| tells */
  bool bare_told;      /* that it goes out without private data */
  kvs_nal_codec codec;
  kvs_pos
      gathered; /* a page of parameter sets whose picture is to come, or 0 */
  uint32_t gathered_len;
  uint64_t last_dts; /* ticks */
  uint64_t last_mono;
  kvs_track_info info; /* strings point at the two below, cpd is NULL; as at
                          create, what was learned since is in the headers */
  char codec_id[KVS_MAX_CODEC_ID_LEN + 1];
  char name[KVS_MAX_TRACK_NAME_LEN + 1];
} kvs_track;

typedef struct kvs_metadata {
  bool used;
  bool persistent;
  bool taken; /* by a fragment */
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
  uint64_t number;   /* counts up over the client's life; 0: none yet */
  uint64_t progress; /* mono: last byte taken or ack seen */
  kvs_phase phase;
  bool opened;        /* the host answered PUT_STREAM */
  bool waiting;       /* take had nothing: tell when there is something */
  bool finish;        /* end at the next fragment boundary */
  bool close;         /* end as soon as nothing is left to read */
  bool idle;          /* for want of media alone: those that come undo it */
  bool missing;       /* an old fragment's ack is given up: do not await it */
  bool sent_any;      /* a fragment was taken in it */
  bool ended;         /* |last| was forgotten: it had its END_OF_FRAGMENT */
  uint32_t header;    /* slot */
  uint32_t offset;    /* next byte of header or tag */
  uint32_t result;    /* why it ends, for the state after it */
  uint64_t opened_at; /* mono */
  uint64_t until;     /* mono: rotate from here on */
  uint64_t acked_at;  /* mono: last ack seen, or when it opened */
  kvs_pos last;       /* fragment that the body ends with, 0: freed */
  kvs_ack_parser acks;
} kvs_session;

/* The window that rates are taken over. */
typedef struct kvs_rates {
  uint64_t due;    /* mono: its end; KVS_NEVER: rates are not wanted */
  uint64_t since;  /* mono: its begin */
  uint64_t frames; /* put, and bytes taken, before it */
  uint64_t bytes;
  uint64_t first_pts;
} kvs_rates;

/* The open fragment, as the frames that may make it longer are compared with it
 * (the short way of stream_put.c): made when it begins, nothing but |span| ever
 * changes after that. */
typedef struct kvs_open {
  uint64_t zero;     /* pts that is the first of block time 0 */
  uint64_t span;     /* ticks from there to the first pts that it does not take;
                        0: the short way stays shut */
  uint64_t key_span; /* the same for a key frame of the cutting track */
  uint32_t header;   /* slot */
} kvs_open;

/* What kvs_stream_info says, as each frame is compared with it: ticks. */
typedef struct kvs_limits {
  uint64_t scale;       /* of timecodes */
  uint64_t ahead;       /* that media time may run of the clock */
  uint64_t window;      /* of the view */
  uint64_t duration;    /* of a frame: longer ones are looked at twice */
  uint64_t low_buffer;  /* of the view: from here on there is pressure */
  uint64_t latency;     /* max_latency; 0: it is not told */
  uint64_t patience;    /* with bytes that nobody takes; KVS_NEVER */
  uint64_t quiet_after; /* a put: the session without media is looked after */
  uint64_t clock_set;   /* wall: from here on the clock counts as set */
  uint64_t key_after;   /* of a fragment: from here on a key frame ends it */
  uint64_t cut_after;   /* and any frame */
  bool own_times;       /* stamps are the frames' own */
} kvs_limits;

struct kvs_stream {
  /* What nearly every put and take look at stands together, on few lines of
   * the cache. */
  kvs_host *host;
  kvs_track *tracks_end; /* behind the last track */
  uint32_t id;
  uint32_t header;      /* slot of the one that the next fragment takes */
  bool fragment_open;   /* frames may be added to the newest fragment */
  bool cramped;         /* a frame was refused that it has no room for */
  bool await_key;       /* frames are skipped up to the next key frame */
  bool dry_told;        /* underflow, since the last frame */
  bool held;            /* media wait for the wall clock to be set */
  bool stopping;        /* no more frames come */
  bool tagged_next;     /* metadata or events stand before the next fragment */
  uint64_t last_put;    /* mono */
  uint64_t put_frames;  /* ever */
  uint64_t taken_bytes; /* ever */
  kvs_open open;
  kvs_view view;
  kvs_limits limits;
  kvs_rates rates;
  kvs_machine machine;
  kvs_session session; /* first what is looked at, last the parser */
  kvs_track tracks[KVS_MAX_TRACKS];

  kvs_pos object; /* it itself, in a page of its own */
  char name[KVS_MAX_STREAM_NAME_LEN + 1];
  kvs_stream_info info; /* pointers in it are not to be used */
  uint32_t cut_track;   /* index of the track whose key frames cut */
  kvs_header headers[KVS_HEADER_SLOTS];
  bool header_new;       /* since a fragment was looked at for what it lacks */
  uint32_t full;         /* slot of the newest data of every track */
  uint32_t more_headers; /* the newest one with a page of its own */
  uint32_t versions;     /* of private data, ever */
  uint8_t segment_uid[KVS_SEGMENT_UID_LEN];
  kvs_metadata metadata[KVS_MAX_METADATA_COUNT];
  kvs_pending_event events[KVS_EVENT_KINDS];
  uint32_t fragment_tags; /* metadata that the newest fragment took */

  bool new_timeline; /* the next fragment begins one */
  bool has_base;
  bool has_cluster;
  bool cut_reported;
  bool has_key;           /* of the present timeline: */
  uint64_t key_pts;       /* the newest key frame of the cutting track */
  uint64_t base;          /* pts of the timeline's first frame, ticks */
  uint64_t last_cluster;  /* in units of the timecode scale */
  uint64_t skipped;       /* frames, not yet reported */
  uint64_t skipped_at;    /* pts of the first of them */
  uint64_t skipped_since; /* mono: when it was put */
  bool no_key_told;
  kvs_time held_at;  /* the clocks when held media were put */
  uint64_t held_due; /* mono: when to look at the clock again */
  kvs_refusal refusal;

  kvs_retry rounds;  /* of answers that lead back to a call answered before */
  uint32_t answered; /* states whose calls were, in this round */
  kvs_retry session_retry;
  uint64_t session_due; /* mono: not before this */
  uint32_t unnamed;     /* errors of no fragment since one was freed */
  kvs_pos refused;   /* fragment that the service refuses for no fault, or 0 */
  uint32_t refusals; /* of it, in a row */
  kvs_status refusing; /* why, the last time */
  bool stepped;        /* the session goes on behind it, to see what is wrong */
  bool ready_told;
  bool tagged;
  bool closed; /* STREAM_CLOSED was told */
  uint64_t retention;
  uint64_t token_until; /* mono: the streaming token is to be renewed */

  uint64_t created_at; /* mono */
  uint64_t latency_at; /* mono: when each pressure may be told again */
  uint64_t buffer_at;
  uint64_t dropped_at_stop; /* dropped frames when stop was called */
  uint64_t persisted_at;    /* mono: last freeing ack, or creation */
  uint64_t session_time;    /* of ended sessions, ticks */
  kvs_stream_metrics metrics;

  uint8_t slabs[KVS_SLABS][KVS_SLAB_LEN];
};

_Static_assert(sizeof(struct kvs_stream) <= KVS_PAGE_DATA,
               "a stream that holds nothing costs one page");

#endif
