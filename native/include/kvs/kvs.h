/* SPDX-License-Identifier: Apache-2.0
 *
 * The producer core of Kinesis Video Streams.
 *
 * The core does no I/O: it never reads a clock, opens a socket, takes a lock,
 * logs or allocates. Bytes, times and answers come in; bytes and events go
 * out. The life of a stream, in call order:
 *
 *   kvs_client_create(arena, ...)   the arena is all the memory it ever uses
 *   kvs_stream_create(...)          works without network or credentials
 *   kvs_stream_put(...)             one frame; copied into the arena
 *   kvs_client_next_event(...)      service calls to make, things to know
 *   kvs_stream_answer(...)          the answer to a service call
 *   kvs_stream_take(...)            bytes for the PutMedia body
 *   kvs_stream_parse_ack(...)       bytes of the PutMedia answer
 *   kvs_client_step(...)            when the deadline has come
 *   kvs_stream_stop, _free, kvs_client_free
 *
 * Rules for all functions. One thread at a time per client. Every call that
 * may act takes the time: |mono| never steps back and drives deadlines, |wall|
 * is the clock of media time stamps; both in ticks of 100 ns. What the host is
 * to do or to know waits in a queue, and is to be asked for after each call,
 * when its work is done. A refused call changes nothing unless its comment
 * says so.
 *
 * Ownership words: [read] used during the call only; [filled] written by the
 * callee into the caller's memory; [lent] valid until the event named;
 * [moved] belongs to the callee from then on. */
#ifndef KVS_KVS_H
#define KVS_KVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kvs/version.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define KVS_API
#else
#define KVS_API __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define KVS_MUST_CHECK __attribute__((warn_unused_result))
#else
#define KVS_MUST_CHECK
#endif

/* ---- status ----------------------------------------------------------- */

/* 0, or one of KVS_STATUS_*: the guide's STATUS_* codes. */
typedef uint32_t kvs_status;

#define KVS_OK ((kvs_status)0)

enum {
#define KVS_STATUS(name, code, library, in_guide) KVS_STATUS_##name = code,
#include <kvs/status.def>
#undef KVS_STATUS
  KVS_STATUS_SUCCESS = 0
};

/* The guide's name ("STATUS_..."), or "STATUS_UNKNOWN". Static text. */
KVS_API const char *kvs_status_name(kvs_status status);

/* ---- units and limits ------------------------------------------------- */

#define KVS_TICKS_PER_MS ((uint64_t)10000)
#define KVS_TICKS_PER_SECOND ((uint64_t)10000000)
/* "Not given", "never". */
#define KVS_NEVER UINT64_MAX

/* Limits of the producer (guide: limits of the producer library). Lengths are
 * bytes without a terminating zero. */
#define KVS_MAX_STREAM_COUNT 128u
#define KVS_MAX_DEVICE_NAME_LEN 128u
#define KVS_MAX_ROOT_DIRECTORY_LEN 4096u
#define KVS_MAX_STREAM_NAME_LEN 256u
#define KVS_MAX_CONTENT_TYPE_LEN 128u
#define KVS_MAX_CLIENT_ID_LEN 128u
#define KVS_MAX_KMS_KEY_ID_LEN 2048u
#define KVS_MAX_TAG_COUNT 50u
#define KVS_MAX_TAG_NAME_LEN 128u
#define KVS_MAX_TAG_VALUE_LEN 1024u
#define KVS_MAX_CODEC_ID_LEN 32u
#define KVS_MAX_TRACK_NAME_LEN 32u
#define KVS_MAX_CODEC_PRIVATE_LEN (1024u * 1024u)
#define KVS_MAX_TRACKS 3u
#define KVS_MIN_STORAGE_SIZE ((uint64_t)10 * 1024 * 1024)
#define KVS_MAX_STORAGE_SIZE ((uint64_t)10 * 1024 * 1024 * 1024)
#define KVS_MIN_TIMECODE_SCALE ((uint64_t)1)
#define KVS_MAX_TIMECODE_SCALE KVS_TICKS_PER_SECOND
#define KVS_MIN_FRAGMENT_DURATION KVS_TICKS_PER_SECOND
#define KVS_MAX_FRAGMENT_DURATION (20 * KVS_TICKS_PER_SECOND)
#define KVS_MIN_RETENTION (3600 * KVS_TICKS_PER_SECOND)
#define KVS_MAX_RETENTION (87600 * KVS_MIN_RETENTION) /* ten years */
#define KVS_MIN_BUFFER_DURATION (20 * KVS_TICKS_PER_SECOND)
#define KVS_MAX_SESSION_DURATION (45 * 60 * KVS_TICKS_PER_SECOND)
/* Fragment metadata: items a fragment, name and value length. */
#define KVS_MAX_METADATA_COUNT 10u
#define KVS_MAX_METADATA_NAME_LEN 128u
#define KVS_MAX_METADATA_VALUE_LEN 256u
/* A PutMedia ack: bytes of one JSON object, digits of a fragment number. */
#define KVS_MAX_ACK_LEN 1024u
#define KVS_MAX_FRAGMENT_NUMBER_LEN 128u
#define KVS_MAX_IMAGE_PREFIX_LEN 256u
#define KVS_SEGMENT_UID_LEN 16u

/* What the host knows of time, ticks. |mono| never steps back. */
typedef struct kvs_time {
  uint64_t mono;
  uint64_t wall; /* since 1970 UTC */
} kvs_time;

/* ---- configuration ---------------------------------------------------- */

#define KVS_DEVICE_INFO_VERSION 0u
#define KVS_STORAGE_INFO_VERSION 0u
#define KVS_STREAM_INFO_VERSION 0u
#define KVS_CALLBACKS_VERSION 0u

typedef enum kvs_storage_type {
  KVS_STORAGE_IN_MEM = 0,
  KVS_STORAGE_HYBRID_FILE = 1 /* refused: not available */
} kvs_storage_type;

/* Guide: StorageInfo. |storage_size| is the arena's length, 10 MiB to 10 GiB
 * (KVS_STATUS_INVALID_STORAGE_SIZE). */
typedef struct kvs_storage_info {
  uint32_t version;
  kvs_storage_type type;
  uint64_t storage_size;
  uint32_t spill_ratio;       /* 0..100, unused (INVALID_SPILL_RATIO) */
  const char *root_directory; /* unused, may be NULL; at most 4096 */
} kvs_storage_info;

/* Guide: DeviceInfo. */
typedef struct kvs_device_info {
  uint32_t version;
  const char *name;      /* at most 128 bytes; NULL for none */
  const char *client_id; /* stands in WritingApp; at most 128; NULL for none */
  uint32_t tag_count;    /* at most 50; only counted: unused by the service */
  uint32_t stream_count; /* 1..128 */
  kvs_storage_info storage;
} kvs_device_info;

typedef enum kvs_streaming_type {
  KVS_STREAMING_REALTIME = 0,
  KVS_STREAMING_NEAR_REALTIME = 1,
  KVS_STREAMING_OFFLINE = 2
} kvs_streaming_type;

/* What goes when the arena or the window is full. */
typedef enum kvs_overflow_policy {
  KVS_OVERFLOW_DROP_OLDEST = 0, /* the oldest fragment not begun (ruling 7) */
  KVS_OVERFLOW_REFUSE = 1       /* put answers STORE_OUT_OF_MEMORY */
} kvs_overflow_policy;

/* Guide: NAL adaptation flags. */
enum {
  KVS_NAL_ADAPTATION_NONE = 0,
  KVS_NAL_ADAPTATION_ANNEXB_NALS = 1u << 3,
  KVS_NAL_ADAPTATION_AVCC_NALS = 1u << 4,
  KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS = 1u << 5
};

typedef enum kvs_track_type {
  KVS_TRACK_VIDEO = 1,
  KVS_TRACK_AUDIO = 2,
  KVS_TRACK_DATA = 0x21 /* Matroska: metadata; any timed data */
} kvs_track_type;

/* One track. Strings may be NULL: then the guide's defaults
 * ("V_MPEG4/ISO/AVC", "kinesis_video") or, for audio and data, none. */
typedef struct kvs_track_info {
  uint64_t track_id; /* unique, not 0 */
  kvs_track_type type;
  const char *codec_id;
  const char *track_name;
  const uint8_t *codec_private;
  uint32_t codec_private_len; /* at most 1 MiB */
  uint16_t pixel_width;       /* 0: from the codec private data */
  uint16_t pixel_height;
  double sampling_frequency; /* Hz; 0: from the codec private data */
  uint16_t channels;
  uint16_t bit_depth;
} kvs_track_info;

/* Guide: StreamDefinition, StreamInfo and StreamCaps. Durations in ticks.
 * kvs_stream_info_init fills in the guide's defaults. */
typedef struct kvs_stream_info {
  uint32_t version;
  const char *name;         /* 1..256 of [a-zA-Z0-9_.-] */
  const char *content_type; /* at most 128 */
  const char *kms_key_id;   /* at most 2048; NULL: aws/kinesisvideo */
  uint32_t tag_count;       /* at most 50; the host holds the tags */
  uint64_t retention;       /* 0 or whole hours, up to ten years */
  kvs_streaming_type streaming_type;
  kvs_overflow_policy overflow_policy;
  uint32_t nal_adaptation_flags;
  uint32_t frame_rate;        /* estimate, for metrics and sizing */
  uint32_t avg_bandwidth_bps; /* estimate, for sizing */
  uint64_t max_latency;       /* 0: no latency pressure */
  uint64_t fragment_duration; /* used where key_frame_fragmentation is false */
  uint64_t min_fragment_duration;
  uint64_t max_fragment_duration; /* up to 20 s, the service's limit; 10 s */
  uint64_t timecode_scale;        /* 100 ns .. 1 s; 0: 1 ms */
  uint64_t buffer_duration;       /* at least 20 s */
  uint64_t replay_duration;
  uint64_t connection_staleness; /* 0: never stale */
  uint64_t session_duration;     /* up to 45 min, when the service ends it;
                                    KVS_NEVER where it does not */
  uint64_t idle_duration;        /* close a session without frames; 0: never */
  bool key_frame_fragmentation;
  bool frame_timecodes; /* false: frames are stamped with |wall| */
  bool absolute_fragment_times;
  bool fragment_acks;
  bool restart_on_error;
  bool recalculate_metrics;
  bool allow_stream_creation;
  uint32_t track_count; /* 1..3 */
  kvs_track_info tracks[KVS_MAX_TRACKS];
} kvs_stream_info;

/* Guide: frame flags. */
enum {
  KVS_FRAME_NONE = 0,
  KVS_FRAME_KEY = 1u << 0,
  KVS_FRAME_DISCARDABLE = 1u << 1,
  KVS_FRAME_INVISIBLE = 1u << 2,
  KVS_FRAME_END_OF_FRAGMENT = 1u << 3
};

/* Guide: Frame. Times in ticks; |dts| may be KVS_NEVER: the same as |pts|. */
typedef struct kvs_frame {
  uint32_t flags;
  uint64_t track_id;
  uint64_t dts;
  uint64_t pts;
  uint64_t duration;
  const uint8_t *data;
  size_t size;
} kvs_frame;

/* ---- events ----------------------------------------------------------- */

enum {
#define KVS_EVENT(NAME, name, kind, fields) KVS_EVENT_##NAME,
#include <kvs/events.def>
#undef KVS_EVENT
  KVS_EVENT_COUNT
};

/* kvs_event_put_stream and so on: the fields of each event, in table order. */
#define KVS_F(name, unit) uint64_t name;
#define KVS_EVENT(NAME, name, kind, fields) \
  typedef struct kvs_event_##name {         \
    fields                                  \
  } kvs_event_##name;
#include <kvs/events.def>
#undef KVS_EVENT
#undef KVS_F

#define KVS_EVENT_MAX_FIELDS 8u

/* |fields| is the same memory as the named struct: a host may copy events
 * without knowing them. |text| is lent as long as the event is. */
typedef struct kvs_event {
  uint32_t type;   /* KVS_EVENT_* */
  uint32_t stream; /* kvs_stream_id, 0 for the client */
  const char *text;
  size_t text_len;
  union {
    uint64_t fields[KVS_EVENT_MAX_FIELDS];
#define KVS_EVENT(NAME, name, kind, fields) kvs_event_##name name;
#include <kvs/events.def>
#undef KVS_EVENT
  } u;
} kvs_event;

/* |random| gives 32 random bits. It must not call back into the client: that is
 * refused (KVS_STATUS_INVALID_OPERATION), and to free it or a stream does
 * nothing. */
typedef struct kvs_callbacks {
  uint32_t version;
  void *user;
  uint32_t (*random)(void *user);
} kvs_callbacks;

/* Results of service calls: the guide's SERVICE_CALL_RESULT numbers, which
 * are HTTP statuses where there is one. Any other number is "unknown". */
enum {
  KVS_RESULT_OK = 200,
  KVS_RESULT_INVALID_ARG = 400,
  KVS_RESULT_NOT_AUTHORIZED = 401,
  KVS_RESULT_FORBIDDEN = 403,
  KVS_RESULT_RESOURCE_NOT_FOUND = 404,
  KVS_RESULT_REQUEST_TIMEOUT = 408,
  KVS_RESULT_CLIENT_LIMIT = 429,
  KVS_RESULT_INTERNAL_ERROR = 500,
  KVS_RESULT_SERVICE_UNAVAILABLE = 503,
  KVS_RESULT_GATEWAY_TIMEOUT = 504,
  KVS_RESULT_NETWORK_READ_TIMEOUT = 598,
  KVS_RESULT_NETWORK_CONNECTION_TIMEOUT = 599,
  KVS_RESULT_RESOURCE_IN_USE = 10003,
  KVS_RESULT_AUTH_FAILURE = 10007,
  KVS_RESULT_RESOURCE_DELETED = 10400,
  KVS_RESULT_TOKEN_ROTATION = 10401
};

typedef enum kvs_stream_status {
  KVS_STREAM_STATUS_CREATING = 0,
  KVS_STREAM_STATUS_ACTIVE = 1,
  KVS_STREAM_STATUS_UPDATING = 2,
  KVS_STREAM_STATUS_DELETING = 3
} kvs_stream_status;

/* The answer to a service call. Fields beyond |call| and |result| count only
 * with KVS_RESULT_OK and for the calls named. */
typedef struct kvs_answer {
  uint64_t call;                   /* of the event */
  uint32_t result;                 /* KVS_RESULT_* */
  kvs_stream_status stream_status; /* DESCRIBE_STREAM */
  uint64_t retention;              /* DESCRIBE_STREAM: ticks */
  uint64_t expiration;             /* GET_SECURITY_TOKEN, GET_STREAMING_TOKEN:
                                      wall ticks, or KVS_NEVER */
} kvs_answer;

/* ---- client ----------------------------------------------------------- */

typedef struct kvs_client kvs_client;
typedef struct kvs_stream kvs_stream;

/* Makes a client in |arena|, which it uses until kvs_client_free and never
 * leaves; only pages that hold something are ever written. |arena_len| must
 * be info->storage.storage_size. |info| and |callbacks| are copied. Emits
 * GET_SECURITY_TOKEN.
 *   |arena| [lent] until kvs_client_free   |info| [read]
 *   |callbacks| [read]                     |client| [filled]
 * NULL_ARG, INVALID_DEVICE_INFO_VERSION, INVALID_STORAGE_INFO_VERSION,
 * INVALID_STORAGE_SIZE, INVALID_SPILL_RATIO, INVALID_ROOT_DIRECTORY_LENGTH,
 * NOT_IMPLEMENTED (another storage type), INVALID_DEVICE_NAME_LENGTH,
 * INVALID_CLIENT_ID_STRING_LENGTH, MIN_STREAM_COUNT, MAX_STREAM_COUNT,
 * MAX_TAG_COUNT, INVALID_CALLBACKS_VERSION, SERVICE_CALL_CALLBACKS_MISSING. */
KVS_API KVS_MUST_CHECK kvs_status kvs_client_create(
    void *arena, size_t arena_len, const kvs_device_info *info,
    const kvs_callbacks *callbacks, kvs_time now, kvs_client **client);

/* The oldest event that was not asked for yet, [lent] until the next call of
 * this function or kvs_client_free; NULL when there is none. Other functions
 * may be called meanwhile. Ask until NULL after each call: the queue is made
 * for that. In one that is not emptied, what has become obsolete goes, losses
 * of a stream are told as one, and the oldest notes that are no loss go last.
 *   |client| [read] */
KVS_API const kvs_event *kvs_client_next_event(kvs_client *client);

/* Whether kvs_client_next_event has one.   |client| [read] */
KVS_API bool kvs_client_has_event(const kvs_client *client);

/* Frees every stream and forgets the client; emits nothing. The arena is the
 * caller's again.   |client| [moved] */
KVS_API void kvs_client_free(kvs_client *client);

/* Does what the deadline was for: retries, rotations, staleness, idleness.
 * Early or late calls do no harm.   |client| [read] */
KVS_API kvs_status kvs_client_step(kvs_client *client, kvs_time now);

/* The mono time at which kvs_client_step is to be called, or KVS_NEVER. Any
 * call on the client or its streams may bring it forward.   |client| [read] */
KVS_API uint64_t kvs_client_deadline(const kvs_client *client);

/* Answers a client call. INVALID_OPERATION: no such call is open (answered,
 * timed out or overtaken); harmless.   |client| [read]   |answer| [read] */
KVS_API kvs_status kvs_client_answer(kvs_client *client,
                                     const kvs_answer *answer, kvs_time now);

typedef struct kvs_client_metrics {
#define KVS_CLIENT_METRIC(name, unit) uint64_t name;
#include <kvs/metrics.def>
} kvs_client_metrics;

/* |client| [read]   |metrics| [filled] */
KVS_API kvs_status kvs_client_get_metrics(const kvs_client *client,
                                          kvs_time now,
                                          kvs_client_metrics *metrics);

/* Walks everything in the arena. KVS_STATUS_HEAP_CORRUPTED: of a page or a
 * frame, its checksum or links; of a fragment, its counts, its place and its
 * header; of a session header, its checksum, who names it, its lists and
 * pages; of a stream, its sums of frames, bytes and
 * time, its tracks, its state and the pages of what waits; or a page that is
 * taken and nobody's is not as all the rest says.   |client| [read] */
KVS_API kvs_status kvs_client_check(const kvs_client *client);

/* ---- stream ----------------------------------------------------------- */

/* Fills |info| with the guide's defaults and one H.264 track.
 *   |info| [filled] */
KVS_API void kvs_stream_info_init(kvs_stream_info *info);

/* Checks |info| alone: the status of the first rule it breaks.
 *   |info| [read] */
KVS_API KVS_MUST_CHECK kvs_status
kvs_stream_info_check(const kvs_stream_info *info);

/* Adds a stream; frames may be put at once. Emits DESCRIBE_STREAM when the
 * client is ready. Codec private data are copied into the arena.
 *   |client| [read]   |info| [read]   |stream| [filled]
 * What kvs_stream_info_check says; MAX_STREAM_COUNT, DUPLICATE_STREAM_NAME,
 * STORE_OUT_OF_MEMORY. */
KVS_API KVS_MUST_CHECK kvs_status kvs_stream_create(kvs_client *client,
                                                    const kvs_stream_info *info,
                                                    kvs_time now,
                                                    kvs_stream **stream);

/* Number of the stream within its client, 1 and up, never used again; the
 * |stream| of its events.   |stream| [read] */
KVS_API uint32_t kvs_stream_id(const kvs_stream *stream);

/* Frees the stream and everything it holds, stopped or not; emits nothing.
 *   |stream| [moved] */
KVS_API void kvs_stream_free(kvs_stream *stream);

/* Copies one frame into the arena, adapting NAL units on the way. May drop
 * the oldest fragments by policy, each reported: never one that is being sent,
 * or was sent and waits for its ack. Where those and open ones have all the
 * room, an open one is ended, so that it can be acknowledged, and the frame is
 * passed over: KVS_OK, and a DROPPED_FRAME_REPORT. A frame before the first key
 * frame, or behind one passed over, is skipped: KVS_OK, and one
 * SKIPPED_FRAMES_REPORT later. One of no
 * bytes with KVS_FRAME_END_OF_FRAGMENT is no frame: it ends the open fragment,
 * and metadata that wait go with it. |stream| [read]   |frame| [read]
 * MKV_INVALID_FRAME_DATA (empty, or longer than buffer_duration),
 * MKV_PTS_DTS_ARE_NOT_SAME (begins a fragment, and its times are farther apart
 * than max_fragment_duration), MKV_TRACK_INFO_NOT_FOUND,
 * MKV_INVALID_FRAME_TIMESTAMP (up to 1 s back on its track),
 * MKV_LARGE_FRAME_TIMECODE, MKV_MAX_FRAME_TIMECODE,
 * MULTIPLE_CONSECUTIVE_EOFR (no fragment is open that could be ended),
 * MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA, MKV_INVALID_AVCC_NALU_IN_FRAME_DATA,
 * STORE_OUT_OF_MEMORY (larger than the arena holds, or the policy refuses),
 * STREAM_HAS_BEEN_STOPPED. A refused frame leaves the stream as it was. */
KVS_API KVS_MUST_CHECK kvs_status kvs_stream_put(kvs_stream *stream,
                                                 const kvs_frame *frame,
                                                 kvs_time now);

/* Adds a tag to the next fragment, or to every one from there on
 * (|persistent|; an empty value ends it). One of either kind takes the place of
 * that of the same name; where there are both, the next fragment has the one
 * that is for it alone. Fragment metadata of the guide.
 * kvs_stream_stop sees to one that no fragment took.
 *   |stream| [read]   |name| [read]   |value| [read]
 * MKV_INVALID_TAG_NAME_LENGTH, MKV_INVALID_TAG_VALUE_LENGTH,
 * INVALID_METADATA_NAME (begins with AWS), MAX_FRAGMENT_METADATA_COUNT,
 * STREAM_HAS_BEEN_STOPPED. */
KVS_API KVS_MUST_CHECK kvs_status kvs_stream_put_metadata(kvs_stream *stream,
                                                          const char *name,
                                                          const char *value,
                                                          bool persistent,
                                                          kvs_time now);

/* Events of a fragment, a bit each. */
enum {
  KVS_STREAM_EVENT_IMAGE_GENERATION = 1u << 0,
  KVS_STREAM_EVENT_NOTIFICATION = 1u << 1
};
#define KVS_EVENT_KINDS 2u

/* What goes with an event. Strings are C strings. */
typedef struct kvs_event_metadata {
  const char *image_prefix; /* at most 256 bytes; NULL for none */
  uint32_t count;           /* pairs: at most 10 */
  const char *names[KVS_MAX_METADATA_COUNT];  /* 1..128 bytes */
  const char *values[KVS_MAX_METADATA_COUNT]; /* at most 256 */
} kvs_event_metadata;

/* Attaches events (KVS_STREAM_EVENT_*) to the next fragment: the service makes
 * an image of it or sends a notification. |metadata| may be NULL.
 *   |stream| [read]   |metadata| [read]
 * INVALID_ARG (no event, or an unknown one), STREAM_NOT_STARTED (no frame was
 * put yet), DUPLICATE_STREAM_EVENT_TYPE (one waits already),
 * MAX_FRAGMENT_METADATA_COUNT, INVALID_IMAGE_PREFIX_LENGTH,
 * INVALID_IMAGE_METADATA_KEY_LENGTH, INVALID_IMAGE_METADATA_VALUE_LENGTH,
 * STORE_OUT_OF_MEMORY, STREAM_HAS_BEEN_STOPPED. */
KVS_API KVS_MUST_CHECK kvs_status
kvs_stream_put_event(kvs_stream *stream, uint32_t events,
                     const kvs_event_metadata *metadata, kvs_time now);

/* New codec private data of a track, from its next key frame on: whatever else
 * is cut before keeps the old ones. Equal ones are one format. Like a frame,
 * they may drop the oldest fragments by policy, each reported.
 *   |stream| [read]   |cpd| [read]
 * MKV_TRACK_INFO_NOT_FOUND, MKV_INVALID_CODEC_PRIVATE_LENGTH,
 * MKV_INVALID_ANNEXB_NALU_IN_CPD, STORE_OUT_OF_MEMORY. */
KVS_API KVS_MUST_CHECK kvs_status kvs_stream_format_changed(kvs_stream *stream,
                                                            uint64_t track_id,
                                                            const uint8_t *cpd,
                                                            uint32_t cpd_len,
                                                            kvs_time now);

/* Answers a stream call. INVALID_OPERATION: no such call is open; harmless.
 *   |stream| [read]   |answer| [read] */
KVS_API kvs_status kvs_stream_answer(kvs_stream *stream,
                                     const kvs_answer *answer, kvs_time now);

/* Copies the next bytes of the session's body into |buf|.
 * KVS_OK: |taken| bytes, at least 1.
 * NO_MORE_DATA_AVAILABLE: none now; STREAM_DATA_AVAILABLE will come.
 * AWAITING_PERSISTED_ACK: none now; the body stays open for the last ack.
 * END_OF_STREAM: the body is whole; end it with the terminating chunk.
 * UPLOAD_HANDLE_ABORTED: the session is over; break the connection.
 *   |stream| [read]   |buf| [filled]   |taken| [filled] */
KVS_API KVS_MUST_CHECK kvs_status kvs_stream_take(kvs_stream *stream,
                                                  uint64_t session,
                                                  uint8_t *buf, size_t len,
                                                  kvs_time now, size_t *taken);

typedef enum kvs_ack_type {
  KVS_ACK_BUFFERING = 1,
  KVS_ACK_RECEIVED = 2,
  KVS_ACK_PERSISTED = 3,
  KVS_ACK_ERROR = 4,
  KVS_ACK_IDLE = 5
} kvs_ack_type;

/* A parsed PutMedia ack. */
typedef struct kvs_ack {
  kvs_ack_type type;
  bool has_timecode;
  uint64_t timecode; /* milliseconds, as sent */
  uint32_t error_id; /* ERROR: 4000.. ; else 0 */
  uint32_t number_len;
  char number[KVS_MAX_FRAGMENT_NUMBER_LEN];
} kvs_ack;

/* Feeds bytes of the PutMedia answer, in any split. An ack that cannot be
 * read is counted, reported by STREAM_ERROR_REPORT and passed over; its
 * status is returned when it was the last thing in |bytes|. An Error ack ends
 * the session, and its fragment goes again or is given up, by its id; one that
 * names no fragment means the oldest when it is the third such in a row. One
 * that goes again and was refused ten times is stepped over: if a later one is
 * freed then, it is given up.
 *   |stream| [read]   |bytes| [read]
 * UPLOAD_HANDLE_ABORTED: the session is over; the bytes are ignored. */
KVS_API kvs_status kvs_stream_parse_ack(kvs_stream *stream, uint64_t session,
                                        const uint8_t *bytes, size_t len,
                                        kvs_time now);

/* The same for an ack that the host has parsed.
 *   |stream| [read]   |ack| [read] */
KVS_API kvs_status kvs_stream_ack(kvs_stream *stream, uint64_t session,
                                  const kvs_ack *ack, kvs_time now);

/* Tells that the session's connection is gone: |result| is the HTTP status of
 * its answer or what the network said (KVS_RESULT_*). Media not freed are sent
 * again in the next session.   |stream| [read] */
KVS_API kvs_status kvs_stream_session_ended(kvs_stream *stream,
                                            uint64_t session, uint32_t result,
                                            kvs_time now);

/* Stops: no more frames are taken, what is buffered is sent, and when the
 * last fragment is freed STREAM_CLOSED comes. Metadata and events that no
 * fragment took go out behind the last frame, as part of the last fragment.
 * Those for one fragment that cannot are dropped, and STREAM_ERROR_REPORT tells
 * why: MKV_INVALID_GENERATOR_STATE_TAGS (no fragment is open),
 * MAX_FRAGMENT_METADATA_COUNT (it has as many as may be), STORE_OUT_OF_MEMORY.
 * STREAM_HAS_BEEN_STOPPED when it was stopped before.   |stream| [read] */
KVS_API kvs_status kvs_stream_stop(kvs_stream *stream, kvs_time now);

/* Takes frames again after kvs_stream_stop, from a key frame on and at any
 * times. What is buffered still is sent before them. INVALID_OPERATION when it
 * was not stopped.   |stream| [read] */
KVS_API kvs_status kvs_stream_start(kvs_stream *stream, kvs_time now);

/* Drops everything buffered (reported), breaks the session and begins anew
 * from DESCRIBE_STREAM; a stopped stream takes frames again.
 *   |stream| [read] */
KVS_API kvs_status kvs_stream_reset(kvs_stream *stream, kvs_time now);

/* Ends the session at the next fragment boundary and opens another, or at
 * once when |hard|; nothing is lost.   |stream| [read] */
KVS_API kvs_status kvs_stream_reset_connection(kvs_stream *stream, bool hard,
                                               kvs_time now);

typedef struct kvs_stream_metrics {
#define KVS_STREAM_METRIC(name, unit) uint64_t name;
#include <kvs/metrics.def>
} kvs_stream_metrics;

/* |stream| [read]   |metrics| [filled] */
KVS_API kvs_status kvs_stream_get_metrics(const kvs_stream *stream,
                                          kvs_time now,
                                          kvs_stream_metrics *metrics);

/* States of the two machines. */
enum {
#define KVS_CLIENT_STATE(name, bit) KVS_CLIENT_STATE_##name = bit,
#define KVS_STREAM_STATE(name, bit) KVS_STREAM_STATE_##name = bit,
#include <kvs/states.def>
  KVS_STATE_NONE = 0
};

/* What the last refused put broke, for an error text: ticks unless the status
 * says otherwise. Zeroes when nothing was refused. */
typedef struct kvs_refusal {
  kvs_status status;
  uint64_t track_id;
  uint64_t value;    /* what was given */
  uint64_t previous; /* what stood before it */
  uint64_t limit;
  uint64_t window; /* STORE_OUT_OF_MEMORY: the stream's buffer_duration, where
                      that is full, not the arena; else 0. Ticks */
} kvs_refusal;

/* |stream| [read]   |refusal| [filled] */
KVS_API void kvs_stream_last_refusal(const kvs_stream *stream,
                                     kvs_refusal *refusal);

#ifdef __cplusplus
}
#endif

#endif
