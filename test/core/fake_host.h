/* A host for tests of streams and clients: it keeps every event, answers
 * service calls as told, takes what a session sends, and plays a service that
 * reads the body and acknowledges fragments. Time is driven by hand. */
#ifndef KVS_TEST_FAKE_HOST_H
#define KVS_TEST_FAKE_HOST_H

#include <kvs/kvs.h>

#define FAKE_EVENTS 4096u

typedef struct fake_host {
  void *arena;
  uint64_t arena_len;
  kvs_client *client;
  kvs_time now;
  uint32_t seed;
  kvs_event events[FAKE_EVENTS]; /* all, oldest first; text is not kept */
  uint32_t event_count;
  uint32_t handled; /* events that fake_answer_all has seen */
  uint64_t retention;
  uint64_t expiration;
  uint32_t results[KVS_EVENT_COUNT]; /* answer of each call, 0: no answer */
  kvs_stream_status stream_status;
  uint64_t session; /* the open one, 0: none */
  uint8_t *body;    /* what the present session sent */
  size_t body_len;
  size_t body_cap;
} fake_host;

/* A client in an arena of |arena_len| bytes that answers every call with 200.
 */
void fake_host_init(fake_host *host, uint64_t arena_len, uint32_t streams);
void fake_host_free(fake_host *host);

/* A stream with the guide's defaults named |name|, AVCC frames as they are. */
kvs_stream *fake_stream(fake_host *host, const char *name);
/* The info that fake_stream uses, to be changed before kvs_stream_create. */
void fake_stream_info(kvs_stream_info *info, const char *name);

/* Moves both clocks on and steps the client. */
void fake_advance(fake_host *host, uint64_t ticks);

/* Asks for what there is to know; what reads the events does so first. */
void fake_poll(fake_host *host);

/* Answers every call that waits, and those that follow from the answers. */
void fake_answer_all(fake_host *host, kvs_stream *stream);

/* Puts a frame of |size| bytes at |ms|; the status. */
kvs_status fake_put(fake_host *host, kvs_stream *stream, uint32_t flags,
                    uint64_t ms, size_t size);

/* Takes everything there is into |body|; the last status. */
kvs_status fake_take(fake_host *host, kvs_stream *stream);

/* Sends one ack as JSON text. */
kvs_status fake_ack(fake_host *host, kvs_stream *stream, const char *type,
                    uint64_t timecode);

/* How many events of |type| came, and the last of them (zeroes: none). */
uint32_t fake_count(fake_host *host, uint32_t type);
kvs_event fake_last(fake_host *host, uint32_t type);

/* Counts what the body holds: clusters and blocks, by walking its elements
 * one by one; false when it is not well formed. |times| [filled] the cluster
 * times, at most |cap|. */
typedef struct fake_body {
  uint32_t headers;
  uint32_t clusters;
  uint32_t blocks;
  uint32_t ends; /* END_OF_FRAGMENT tags */
  uint32_t tags; /* other tags */
  uint64_t times[256];
} fake_body;
bool fake_read_body(const fake_host *host, fake_body *out);

#endif
