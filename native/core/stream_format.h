/* SPDX-License-Identifier: Apache-2.0
 * Within the stream: private data on their way into a session header. */
#ifndef KVS_CORE_STREAM_FORMAT_H
#define KVS_CORE_STREAM_FORMAT_H

#include "core/stream.h"

/* Private data of a track as they come in. */
typedef struct kvs_private {
  kvs_bytes bytes; /* [lent] */
  bool sets;       /* Annex-B parameter sets, of which a record is made */
  kvs_nal_codec codec;
} kvs_private;

/* Writes them as they stand in a header. What kvs_nal_make_cpd says. */
KVS_MUST_CHECK kvs_status kvs_private_write(const kvs_stream *stream,
                                            const kvs_private *data,
                                            kvs_sink *sink);

/* What a header is to be made of. */
typedef struct kvs_recipe {
  uint32_t tracks; /* a bit for each track that it has */
  struct {
    uint32_t slot; /* of the header that its data come from, or
                      KVS_NO_HEADER: they are |fresh| */
    uint32_t version;
    uint32_t len; /* bytes of private data */
    uint32_t digest;
    kvs_track_details details;
  } track[KVS_MAX_TRACKS];
  const kvs_private *fresh;
} kvs_recipe;

/* Takes the data of |track| from the header |slot|. */
void kvs_recipe_take(const kvs_stream *stream, kvs_recipe *recipe,
                     uint32_t track, uint32_t slot);

/* The header that |recipe| [read] describes: one that there is, or a new one.
 * |slot| [filled] is held for the caller. STORE_OUT_OF_MEMORY: nothing changed.
 */
KVS_MUST_CHECK kvs_status kvs_header_get(kvs_stream *stream,
                                         const kvs_recipe *recipe,
                                         uint32_t *slot);

/* Whether the private data of |track| in the header |slot| are |data|. */
bool kvs_header_has(const kvs_stream *stream, uint32_t slot, uint32_t track,
                    const kvs_private *data);

/* A header whose |track| has just the data and details of |recipe|, or
 * KVS_NO_HEADER. */
uint32_t kvs_header_with(const kvs_stream *stream, const kvs_recipe *recipe,
                         uint32_t track);

/* What its check is to be. */
uint32_t kvs_header_sum(const kvs_header *header);

/* Forgets all headers. */
void kvs_header_free_all(kvs_stream *stream);

#endif
