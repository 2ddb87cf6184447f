/* SPDX-License-Identifier: Apache-2.0
 * Session headers. One is made whole and then never written again: each
 * fragment names the one it needs, and a header goes when nothing names it any
 * more. The private data of the tracks lie in it and nowhere else; a new header
 * copies them from those before. No two are equal.
 *
 * The first few stand in the stream's own page, with their bytes where these
 * are few; any number more have pages of their own, one chain each:
 *
 *   page   [gap 8][kvs_header][bytes ...]
 *
 * and are named by the number of their first page. */
#include "core/stream_format.h"

#define COPY_CHUNK 256u

/* ---- their places ----------------------------------------------------- */

static kvs_pos page_of(uint32_t slot) {
  return (kvs_pos)(slot - KVS_HEADER_SLOTS) * KVS_PAGE_SIZE + KVS_PAGE_GAP;
}

kvs_header *kvs_header_at(const kvs_stream *stream, uint32_t slot) {
  KVS_ASSERT(slot != KVS_NO_HEADER);
  if (slot < KVS_HEADER_SLOTS) {
    /* The stream is not const: it lies in the arena. */
    kvs_stream *self = kvs_heap_at(&stream->host->heap, stream->object);

    return &self->headers[slot];
  }
  return kvs_heap_at(&stream->host->heap, page_of(slot));
}

/* The live header behind |slot|, beginning with KVS_NO_HEADER; KVS_NO_HEADER
 * after the last. */
static uint32_t next_live(const kvs_stream *stream, uint32_t slot) {
  uint32_t next = slot == KVS_NO_HEADER ? 0 : slot + 1;

  if (slot != KVS_NO_HEADER && slot >= KVS_HEADER_SLOTS) {
    return kvs_format_at(stream, slot)->next;
  }
  while (next < KVS_HEADER_SLOTS && !stream->headers[next].live) {
    next++;
  }
  return next < KVS_HEADER_SLOTS ? next : stream->more_headers;
}

static uint32_t free_slot(const kvs_stream *stream) {
  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    if (!stream->headers[i].live) {
      return i;
    }
  }
  return KVS_NO_HEADER;
}

static uint32_t free_slab(const kvs_stream *stream, uint64_t len) {
  bool used[KVS_SLABS + 1] = {false};
  uint32_t slab = 0;

  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    if (stream->headers[i].live) {
      used[stream->headers[i].slab] = true;
    }
  }
  while (slab < KVS_SLABS && used[slab]) {
    slab++;
  }
  return len <= KVS_SLAB_LEN ? slab : KVS_SLABS;
}

/* Finds a place for the |len| bytes of a header in the stream's page: there as
 * well, or in pages of their own. */
static kvs_status place_bytes(kvs_stream *stream, kvs_header *header,
                              uint64_t len) {
  header->slab = free_slab(stream, len);
  if (header->slab < KVS_SLABS) {
    header->at = stream->object + offsetof(struct kvs_stream, slabs) +
                 header->slab * KVS_SLAB_LEN;
    return KVS_OK;
  }
  KVS_TRY(kvs_chain_append(&stream->host->heap, &header->chain, sizeof(len),
                           len, &header->at));
  memcpy(kvs_heap_at(&stream->host->heap, header->at), &len, sizeof(len));
  header->at += sizeof(len);
  return KVS_OK;
}

_Static_assert(sizeof(kvs_header) <= KVS_PAGE_DATA - KVS_BLOCK_ROOM &&
                   sizeof(kvs_header) % 8 == 0,
               "a header stands in one page, its bytes right behind it");

/* Finds a place for the header and its |len| bytes in pages of their own. */
static kvs_status place_whole(kvs_stream *stream, kvs_header *header,
                              uint64_t len, uint32_t *slot) {
  kvs_pos at = 0;

  header->slab = KVS_SLABS;
  KVS_TRY(kvs_chain_append(&stream->host->heap, &header->chain, KVS_BLOCK_ROOM,
                           sizeof(*header) - KVS_BLOCK_ROOM + len, &at));
  KVS_ASSERT(kvs_heap_page_of(at) == at);
  *slot = KVS_HEADER_SLOTS + (uint32_t)(at / KVS_PAGE_SIZE);
  header->at = at + sizeof(*header);
  return KVS_OK;
}

static kvs_status place(kvs_stream *stream, kvs_header *header, uint64_t len,
                        uint32_t *slot) {
  header->len = (uint32_t)len;
  kvs_chain_init(&header->chain, stream->id);
  *slot = free_slot(stream);
  return *slot == KVS_NO_HEADER ? place_whole(stream, header, len, slot)
                                : place_bytes(stream, header, len);
}

/* Links a header with pages of its own into the stream's list. */
static void link_header(kvs_stream *stream, kvs_header *header, uint32_t slot) {
  header->next = stream->more_headers;
  header->prev = KVS_NO_HEADER;
  if (header->next != KVS_NO_HEADER) {
    kvs_header_at(stream, header->next)->prev = slot;
  }
  stream->more_headers = slot;
}

static void unlink_header(kvs_stream *stream, const kvs_header *header) {
  if (header->prev == KVS_NO_HEADER) {
    stream->more_headers = header->next;
  } else {
    kvs_header_at(stream, header->prev)->next = header->next;
  }
  if (header->next != KVS_NO_HEADER) {
    kvs_header_at(stream, header->next)->prev = header->prev;
  }
}

static void forget(kvs_stream *stream, uint32_t slot) {
  kvs_header *header = kvs_header_at(stream, slot);
  kvs_chain chain = header->chain; /* the header may lie in it */

  header->live = false;
  if (slot >= KVS_HEADER_SLOTS) {
    unlink_header(stream, header);
  }
  kvs_chain_trim(&stream->host->heap, &chain, 0);
}

void kvs_header_free_all(kvs_stream *stream) {
  uint32_t slot = next_live(stream, KVS_NO_HEADER);

  while (slot != KVS_NO_HEADER) {
    forget(stream, slot);
    slot = next_live(stream, KVS_NO_HEADER);
  }
}

void kvs_format_hold(kvs_stream *stream, uint32_t slot) {
  kvs_header_at(stream, slot)->refs++;
}

void kvs_format_release(kvs_stream *stream, uint32_t slot) {
  kvs_header *header = kvs_header_at(stream, slot);

  KVS_ASSERT(header->live && header->refs != 0);
  header->refs--;
  if (header->refs == 0) {
    forget(stream, slot);
  }
}

/* ---- their bytes ------------------------------------------------------ */

kvs_status kvs_private_write(const kvs_stream *stream, const kvs_private *data,
                             kvs_sink *sink) {
  if (data->sets) {
    return kvs_nal_make_cpd(stream->host->find, data->codec, data->bytes, sink);
  }
  kvs_sink_write(sink, data->bytes.ptr, data->bytes.len);
  return KVS_OK;
}

/* Copies the private data of a track out of another header. */
static void copy_private(const kvs_stream *stream, const kvs_header *from,
                         uint32_t track, kvs_sink *sink) {
  uint8_t chunk[COPY_CHUNK];
  const kvs_heap *heap = &stream->host->heap;
  uint32_t left = from->cpd[track].len;
  kvs_pos at = kvs_heap_skip(heap, from->at, from->cpd[track].offset);

  while (left != 0) {
    uint32_t n = left < COPY_CHUNK ? left : COPY_CHUNK;

    at = kvs_heap_read(heap, at, chunk, n);
    kvs_sink_write(sink, chunk, n);
    left -= n;
  }
}

/* While a header is written: notes where the private data went. */
typedef struct header_watch {
  const kvs_stream *stream;
  const kvs_recipe *recipe;
  kvs_header *header;
} header_watch;

static void write_and_note(kvs_sink *sink, uint32_t track, void *user) {
  const header_watch *watch = user;
  uint32_t slot = watch->recipe->track[track].slot;

  watch->header->cpd[track].offset = (uint32_t)sink->written;
  if (slot == KVS_NO_HEADER) {
    kvs_status status =
        kvs_private_write(watch->stream, watch->recipe->fresh, sink);

    KVS_ASSERT(status == KVS_OK); /* it was measured before */
    (void)status;
  } else {
    copy_private(watch->stream, kvs_format_at(watch->stream, slot), track,
                 sink);
  }
  watch->header->cpd[track].len =
      (uint32_t)sink->written - watch->header->cpd[track].offset;
}

static void apply_details(kvs_track_info *info,
                          const kvs_track_details *details) {
  info->sampling_frequency = details->sampling_frequency;
  info->pixel_width = details->pixel_width;
  info->pixel_height = details->pixel_height;
  info->channels = details->channels;
  info->bit_depth = details->bit_depth;
}

static void write_header(const kvs_stream *stream, kvs_sink *sink,
                         const kvs_recipe *recipe, kvs_header *header) {
  kvs_track_info tracks[KVS_MAX_TRACKS];
  header_watch watch = {stream, recipe, header};
  kvs_mkv_header mkv = {0};

  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    tracks[i] = stream->tracks[i].info;
    apply_details(&tracks[i], &recipe->track[i].details);
    tracks[i].codec_private = NULL;
    tracks[i].codec_private_len = recipe->track[i].len;
  }
  mkv.timecode_scale = stream->info.timecode_scale;
  memcpy(mkv.segment_uid, stream->segment_uid, KVS_SEGMENT_UID_LEN);
  mkv.client_id = stream->host->client_id;
  mkv.track_count = stream->info.track_count;
  mkv.tracks = tracks;
  mkv.left_out = ~recipe->tracks;
  mkv.write_private = write_and_note;
  mkv.user = &watch;
  kvs_mkv_write_header(sink, &mkv);
}

/* ---- finding and making them ------------------------------------------ */

static bool same_details(const kvs_track_details *a,
                         const kvs_track_details *b) {
  /* Frequencies are copied, never computed: equal ones are equal bits. */
  return memcmp(&a->sampling_frequency, &b->sampling_frequency,
                sizeof(a->sampling_frequency)) == 0 &&
         a->pixel_width == b->pixel_width &&
         a->pixel_height == b->pixel_height && a->channels == b->channels &&
         a->bit_depth == b->bit_depth;
}

/* Compares what is written with bytes of the heap. */
typedef struct compare_sink {
  kvs_sink sink; /* first */
  const kvs_heap *heap;
  kvs_pos at;
  uint64_t left;
  bool same;
} compare_sink;

static void compare(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  compare_sink *to = (compare_sink *)(void *)sink;
  uint8_t chunk[COPY_CHUNK];

  to->same = to->same && len <= to->left;
  while (to->same && len != 0) {
    size_t n = len < COPY_CHUNK ? len : COPY_CHUNK;

    to->at = kvs_heap_read(to->heap, to->at, chunk, n);
    to->same = memcmp(chunk, bytes, n) == 0;
    to->left -= n;
    bytes += n;
    len -= n;
  }
}

bool kvs_header_has(const kvs_stream *stream, uint32_t slot, uint32_t track,
                    const kvs_private *data) {
  const kvs_header *header = kvs_format_at(stream, slot);
  const kvs_heap *heap = &stream->host->heap;
  compare_sink to = {{compare, 0}, heap, 0, header->cpd[track].len, true};

  to.at = kvs_heap_skip(heap, header->at, header->cpd[track].offset);
  return kvs_private_write(stream, data, &to.sink) == KVS_OK && to.same &&
         to.left == 0;
}

uint32_t kvs_header_with(const kvs_stream *stream, const kvs_recipe *recipe,
                         uint32_t track) {
  uint32_t slot = next_live(stream, KVS_NO_HEADER);

  while (slot != KVS_NO_HEADER) {
    const kvs_header *header = kvs_format_at(stream, slot);

    if ((header->tracks >> track & 1) != 0 &&
        header->cpd[track].len == recipe->track[track].len &&
        header->digest[track] == recipe->track[track].digest &&
        same_details(&header->details[track], &recipe->track[track].details) &&
        kvs_header_has(stream, slot, track, recipe->fresh)) {
      return slot;
    }
    slot = next_live(stream, slot);
  }
  return KVS_NO_HEADER;
}

void kvs_recipe_take(const kvs_stream *stream, kvs_recipe *recipe,
                     uint32_t track, uint32_t slot) {
  const kvs_header *from = kvs_format_at(stream, slot);

  recipe->tracks |= UINT32_C(1) << track;
  recipe->track[track].slot = slot;
  recipe->track[track].version = from->version[track];
  recipe->track[track].len = from->cpd[track].len;
  recipe->track[track].digest = from->digest[track];
  recipe->track[track].details = from->details[track];
}

static bool is_made_of(const kvs_header *header, const kvs_recipe *recipe) {
  bool same = header->tracks == recipe->tracks;

  for (uint32_t i = 0; i < KVS_MAX_TRACKS; i++) {
    same = same && ((recipe->tracks >> i & 1) == 0 ||
                    header->version[i] == recipe->track[i].version);
  }
  return same;
}

uint32_t kvs_header_sum(const kvs_header *header) {
  uint32_t sum = kvs_check32(header->at, header->tracks,
                             (uint64_t)header->slab << 32 | header->len);

  for (uint32_t i = 0; i < KVS_MAX_TRACKS; i++) {
    const kvs_track_details *details = &header->details[i];
    uint64_t frequency;

    memcpy(&frequency, &details->sampling_frequency, sizeof(frequency));
    sum = kvs_check32(sum, header->version[i], header->digest[i]);
    sum = kvs_check32(sum, header->cpd[i].offset, header->cpd[i].len);
    sum =
        kvs_check32(sum, frequency,
                    (uint64_t)details->pixel_width << 48 |
                        (uint64_t)details->pixel_height << 32 |
                        (uint64_t)details->channels << 16 | details->bit_depth);
  }
  return sum;
}

static kvs_status build(kvs_stream *stream, const kvs_recipe *recipe,
                        uint32_t *slot) {
  kvs_header header = {0};
  kvs_sink counter = kvs_counting_sink();
  kvs_heap_sink sink;

  header.live = true;
  header.tracks = recipe->tracks;
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    header.version[i] = recipe->track[i].version;
    header.digest[i] = recipe->track[i].digest;
    header.details[i] = recipe->track[i].details;
  }
  write_header(stream, &counter, recipe, &header);
  KVS_TRY(place(stream, &header, counter.written, slot));
  sink = kvs_make_heap_sink(&stream->host->heap, header.at);
  write_header(stream, &sink.sink, recipe, &header);
  header.check = kvs_header_sum(&header);
  if (*slot >= KVS_HEADER_SLOTS) {
    link_header(stream, &header, *slot);
  }
  *kvs_header_at(stream, *slot) = header;
  return KVS_OK;
}

kvs_status kvs_header_get(kvs_stream *stream, const kvs_recipe *recipe,
                          uint32_t *slot) {
  *slot = next_live(stream, KVS_NO_HEADER);
  while (*slot != KVS_NO_HEADER &&
         !is_made_of(kvs_format_at(stream, *slot), recipe)) {
    *slot = next_live(stream, *slot);
  }
  if (*slot == KVS_NO_HEADER) {
    KVS_TRY(build(stream, recipe, slot));
  }
  kvs_format_hold(stream, *slot);
  return KVS_OK;
}
