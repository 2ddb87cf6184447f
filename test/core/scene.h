/* What tests of streams do again and again, on a fake_host. */
#ifndef KVS_TEST_SCENE_H
#define KVS_TEST_SCENE_H

#include "check.h"
#include "core/client.h"
#include "fake_host.h"

#define ARENA (UINT64_C(10) * 1024 * 1024)
#define KEY KVS_FRAME_KEY
#define SECOND KVS_TICKS_PER_SECOND
#define MS KVS_TICKS_PER_MS
/* Longer than any back-off. */
#define BACK_OFF (11 * SECOND)

/* A stream of |info|, as far as the host's answers take it. Aborts when it is
 * refused. */
kvs_stream *scene_stream(fake_host *host, const kvs_stream_info *info);

/* The same of a video track 1 and an AAC track 2, on a host of its own. */
kvs_stream *scene_with_sound(fake_host *host);

/* |gops| fragments of |frames| frames of 500 bytes each, 2 s apart, the first
 * at |from| * 2 s. */
void scene_gops(fake_host *host, kvs_stream *stream, uint32_t from,
                uint32_t gops, uint32_t frames);

/* One frame of |track|; the status. */
kvs_status scene_put(fake_host *host, kvs_stream *stream, uint64_t track,
                     uint32_t flags, uint64_t ms, const void *bytes,
                     size_t len);

/* Sends an ERROR ack. */
kvs_status scene_error(fake_host *host, kvs_stream *stream, uint32_t id,
                       uint64_t timecode);

/* The connection is lost with |result|; goes on to where the next session may
 * be opened, with its answer. */
void scene_lose(fake_host *host, kvs_stream *stream, uint32_t result);

/* Takes the end of the body, which is whole, and ends the session. */
void scene_end(fake_host *host, kvs_stream *stream);

/* Persisted for every cluster time of the present body. */
void scene_persist(fake_host *host, kvs_stream *stream);

kvs_stream_metrics scene_metrics(const fake_host *host,
                                 const kvs_stream *stream);

/* How often |len| bytes stand in the body. */
uint32_t scene_finds(const fake_host *host, const void *bytes, size_t len);
uint32_t scene_finds_text(const fake_host *host, const char *text);

/* Everything is sound; every page comes back when the streams are freed. */
void scene_finish(fake_host *host);

#endif
