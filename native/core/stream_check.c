/* SPDX-License-Identifier: Apache-2.0
 * Whether everything that a stream holds is sound: what it says of itself
 * agrees with what lies in the arena. */
#include "core/stream_format.h"

#define SOUND(what)                     \
  do {                                  \
    if (!(what)) {                      \
      return KVS_STATUS_HEAP_CORRUPTED; \
    }                                   \
  } while (0)

/* Whether |slot| is one of the stream's headers. */
static bool is_header(const kvs_stream *stream, uint32_t slot) {
  const kvs_heap *heap = &stream->host->heap;
  uint32_t at = stream->more_headers;

  if (slot < KVS_HEADER_SLOTS) {
    return stream->headers[slot].live;
  }
  for (uint32_t i = 0; i < heap->page_count && at != slot; i++) {
    if (at == KVS_NO_HEADER || at - KVS_HEADER_SLOTS >= heap->fresh) {
      return false;
    }
    at = kvs_format_at(stream, at)->next;
  }
  return at == slot;
}

/* How many name |slot|. */
static uint32_t count_refs(const kvs_stream *stream, uint32_t slot) {
  const kvs_view *view = &stream->view;
  uint32_t refs =
      (stream->header == slot ? 1u : 0u) + (stream->full == slot ? 1u : 0u) +
      (kvs_session_live(stream) && stream->session.header == slot ? 1u : 0u);

  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    refs += kvs_view_fragment(view, at)->header == slot ? 1u : 0u;
  }
  return refs;
}

static kvs_status check_header(const kvs_stream *stream, uint32_t slot,
                               uint32_t *pages) {
  const kvs_header *header = kvs_format_at(stream, slot);

  SOUND(header->live && header->refs == count_refs(stream, slot));
  SOUND(header->check == kvs_header_sum(header));
  SOUND((header->slab == KVS_SLABS) == (header->chain.pages != 0));
  KVS_TRY(kvs_chain_check(&stream->host->heap, &header->chain));
  *pages += header->chain.pages;
  return KVS_OK;
}

static kvs_status check_headers(const kvs_stream *stream, uint32_t *pages) {
  const kvs_view *view = &stream->view;
  uint32_t prev = KVS_NO_HEADER;

  SOUND(is_header(stream, stream->header) && is_header(stream, stream->full));
  SOUND(!kvs_session_live(stream) || is_header(stream, stream->session.header));
  for (kvs_pos at = view->tail; at != 0;
       at = kvs_view_fragment(view, at)->next) {
    SOUND(is_header(stream, kvs_view_fragment(view, at)->header));
  }
  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    if (stream->headers[i].live) {
      KVS_TRY(check_header(stream, i, pages));
    }
  }
  for (uint32_t slot = stream->more_headers; slot != KVS_NO_HEADER;
       slot = kvs_format_at(stream, slot)->next) {
    SOUND(slot >= KVS_HEADER_SLOTS &&
          slot - KVS_HEADER_SLOTS < stream->host->heap.fresh);
    SOUND(kvs_format_at(stream, slot)->prev == prev);
    KVS_TRY(check_header(stream, slot, pages));
    prev = slot;
  }
  return KVS_OK;
}

static kvs_status check_tracks(const kvs_stream *stream, uint32_t *pages) {
  SOUND(stream->info.track_count >= 1 &&
        stream->info.track_count <= KVS_MAX_TRACKS);
  SOUND(stream->tracks_end == &stream->tracks[stream->info.track_count]);
  SOUND(stream->cut_track < stream->info.track_count);
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    const kvs_track *track = &stream->tracks[i];

    SOUND(track->index == i && track->cuts == (i == stream->cut_track));
    SOUND(track->gathered_len <= KVS_PAGE_DATA);
    *pages += track->gathered == 0 ? 0 : 1;
  }
  return KVS_OK;
}

static kvs_status check_tags(const kvs_stream *stream, uint32_t *pages) {
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    SOUND(!stream->metadata[i].used ||
          (stream->metadata[i].name_len <= KVS_MAX_METADATA_NAME_LEN &&
           stream->metadata[i].value_len <= KVS_MAX_METADATA_VALUE_LEN));
  }
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    if (stream->events[i].len != 0) {
      KVS_TRY(kvs_chain_check(&stream->host->heap, &stream->events[i].chain));
      *pages += stream->events[i].chain.pages;
    }
  }
  return KVS_OK;
}

kvs_status kvs_stream_check(const kvs_stream *stream, uint32_t *pages) {
  SOUND(kvs_heap_at(&stream->host->heap, stream->object) == stream);
  SOUND(kvs_machine_row(&stream->machine) != NULL);
  SOUND(stream->session.phase <= KVS_PHASE_END);
  KVS_TRY(kvs_view_check(&stream->view));
  KVS_TRY(check_tracks(stream, pages));
  KVS_TRY(check_headers(stream, pages));
  KVS_TRY(check_tags(stream, pages));
  *pages += 1 + stream->view.chain.pages;
  return KVS_OK;
}
