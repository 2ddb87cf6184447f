/* SPDX-License-Identifier: Apache-2.0
 * Fragment metadata and events: tags that stand before the cluster of the next
 * fragment. Metadata lie in the stream itself; an event, which may be long,
 * lies ready-made in pages of its own until a fragment takes it. */
#include "core/stream.h"

#define COPY_CHUNK 256u

static void write_event(const kvs_stream *stream, kvs_sink *sink,
                        const kvs_pending_event *event) {
  uint8_t chunk[COPY_CHUNK];
  uint32_t left = event->len;
  kvs_pos at = event->at;

  while (left != 0) {
    uint32_t n = left < COPY_CHUNK ? left : COPY_CHUNK;

    at = kvs_heap_read(&stream->host->heap, at, chunk, n);
    kvs_sink_write(sink, chunk, n);
    left -= n;
  }
}

static bool same_tag(const kvs_metadata *item, kvs_bytes name) {
  return item->name_len == name.len &&
         memcmp(item->name, name.ptr, name.len) == 0;
}

/* Whether the next fragment has |item|, a persistent one, but that another of
 * its name is for this fragment alone. */
static bool is_replaced(const kvs_stream *stream, const kvs_metadata *item) {
  kvs_bytes name = {(const uint8_t *)item->name, item->name_len};
  bool replaced = false;

  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT && item->persistent; i++) {
    const kvs_metadata *other = &stream->metadata[i];

    replaced = replaced ||
               (other->used && !other->persistent && same_tag(other, name));
  }
  return replaced;
}

static void write_metadata(kvs_sink *sink, const kvs_metadata *item) {
  kvs_bytes name = {(const uint8_t *)item->name, item->name_len};
  kvs_bytes value = {(const uint8_t *)item->value, item->value_len};

  kvs_mkv_write_tag(sink, name, value);
}

static void write_events(const kvs_stream *stream, kvs_sink *sink) {
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    write_event(stream, sink, &stream->events[i]);
  }
}

/* Notes whether the next fragment has anything to begin with. */
static void note_next(kvs_stream *stream) {
  stream->tagged_next = false;
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    stream->tagged_next = stream->tagged_next || stream->metadata[i].used;
  }
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    stream->tagged_next = stream->tagged_next || stream->events[i].len != 0;
  }
}

void kvs_tags_write(const kvs_stream *stream, kvs_sink *sink) {
  if (!stream->tagged_next) {
    return;
  }
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    if (stream->metadata[i].used &&
        !is_replaced(stream, &stream->metadata[i])) {
      write_metadata(sink, &stream->metadata[i]);
    }
  }
  write_events(stream, sink);
}

static void drop_event(kvs_stream *stream, kvs_pending_event *event) {
  kvs_chain_trim(&stream->host->heap, &event->chain, 0);
  event->len = 0;
}

/* A fragment took the metadata. */
static void mark_taken(kvs_metadata *item) {
  item->taken = true;
  item->used = item->persistent;
}

void kvs_tags_used(kvs_stream *stream) {
  stream->fragment_tags = 0;
  if (!stream->tagged_next) {
    return;
  }
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    stream->fragment_tags +=
        stream->metadata[i].used && !is_replaced(stream, &stream->metadata[i])
            ? 1
            : 0;
  }
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    if (stream->metadata[i].used) {
      mark_taken(&stream->metadata[i]);
    }
  }
  kvs_tags_free(stream);
  note_next(stream);
}

/* Drops those of |events| that wait. */
static void drop_events(kvs_stream *stream, uint32_t events) {
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    if ((events >> i & 1) != 0 && stream->events[i].len != 0) {
      drop_event(stream, &stream->events[i]);
    }
  }
}

void kvs_tags_free(kvs_stream *stream) {
  drop_events(stream, UINT32_MAX);
}

/* ---- when no fragment follows ------------------------------------------- */

static bool is_waiting(const kvs_metadata *item) {
  return item->used && !item->taken;
}

/* As many metadata as the open fragment may still take: the service refuses
 * one with more. */
static uint32_t most_more(const kvs_stream *stream) {
  return KVS_MAX_METADATA_COUNT - stream->fragment_tags;
}

/* Writes the metadata that wait, as far as they may go, the events, and |end|
 * of the fragment. */
static void write_tail(const kvs_stream *stream, kvs_bytes end,
                       kvs_sink *sink) {
  uint32_t most = most_more(stream);

  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT && most != 0; i++) {
    if (is_waiting(&stream->metadata[i]) &&
        !is_replaced(stream, &stream->metadata[i])) {
      write_metadata(sink, &stream->metadata[i]);
      most--;
    }
  }
  write_events(stream, sink);
  kvs_sink_write(sink, end.ptr, end.len);
}

/* Puts that behind the open fragment. */
static kvs_status push_tail(kvs_stream *stream, kvs_bytes end) {
  uint32_t most = most_more(stream);
  kvs_sink counter = kvs_counting_sink();
  kvs_heap_sink sink;
  kvs_pos body = 0;

  write_tail(stream, end, &counter);
  if (counter.written == 0) {
    return KVS_OK;
  }
  KVS_TRY(kvs_view_push_tail(&stream->view, (uint32_t)counter.written, &body));
  sink = kvs_make_heap_sink(&stream->host->heap, body);
  write_tail(stream, end, &sink.sink);
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT && most != 0; i++) {
    if (is_waiting(&stream->metadata[i])) {
      mark_taken(&stream->metadata[i]);
      most--;
    }
  }
  kvs_tags_free(stream);
  note_next(stream);
  return KVS_OK;
}

kvs_status kvs_tags_end(kvs_stream *stream) {
  uint8_t tag[KVS_MKV_EOF_MAX];
  kvs_bytes end = {tag, kvs_mkv_write_end_of_fragment(tag)};

  return push_tail(stream, end);
}

void kvs_tags_finish(kvs_stream *stream) {
  kvs_status status = KVS_STATUS_MKV_INVALID_GENERATOR_STATE_TAGS;
  kvs_bytes end = {NULL, 0};

  if (stream->fragment_open) {
    status = push_tail(stream, end);
    status = status == KVS_OK ? KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT : status;
  }
  kvs_tags_lose(stream, status);
}

void kvs_tags_lose(kvs_stream *stream, kvs_status status) {
  bool lost = false;

  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    kvs_metadata *item = &stream->metadata[i];

    if (is_waiting(item) && !item->persistent) {
      item->used = false;
      lost = true;
    }
  }
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    lost = lost || stream->events[i].len != 0;
  }
  kvs_tags_free(stream);
  note_next(stream);
  if (lost) {
    kvs_state_report(stream, 0, status, 0, 1);
  }
}

/* ---- what the host gives ------------------------------------------------ */

static kvs_metadata *find_metadata(kvs_stream *stream, kvs_bytes name,
                                   bool persistent) {
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    kvs_metadata *item = &stream->metadata[i];

    if (item->used && item->persistent == persistent && same_tag(item, name)) {
      return item;
    }
  }
  return NULL;
}

static kvs_metadata *free_metadata(kvs_stream *stream) {
  for (uint32_t i = 0; i < KVS_MAX_METADATA_COUNT; i++) {
    if (!stream->metadata[i].used) {
      return &stream->metadata[i];
    }
  }
  return NULL;
}

static kvs_status judge_metadata(kvs_bytes name, kvs_bytes value) {
  if (name.len == 0 || name.len > KVS_MAX_METADATA_NAME_LEN) {
    return KVS_STATUS_MKV_INVALID_TAG_NAME_LENGTH;
  }
  if (value.len > KVS_MAX_METADATA_VALUE_LEN) {
    return KVS_STATUS_MKV_INVALID_TAG_VALUE_LENGTH;
  }
  if (name.len >= 3 && memcmp(name.ptr, "AWS", 3) == 0) {
    return KVS_STATUS_INVALID_METADATA_NAME;
  }
  return KVS_OK;
}

kvs_status kvs_stream_put_metadata(kvs_stream *stream, const char *name,
                                   const char *value, bool persistent,
                                   kvs_time now) {
  kvs_bytes key = kvs_bytes_of(name);
  kvs_bytes text = kvs_bytes_of(value);
  kvs_metadata *item;

  (void)now;
  if (stream == NULL || name == NULL || value == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  if (stream->stopping) {
    return KVS_STATUS_STREAM_HAS_BEEN_STOPPED;
  }
  KVS_TRY(judge_metadata(key, text));
  item = find_metadata(stream, key, persistent);
  if (persistent && text.len == 0) {
    if (item != NULL) {
      item->used = false;
      note_next(stream);
    }
    return KVS_OK;
  }
  if (item == NULL) {
    item = free_metadata(stream);
  }
  if (item == NULL) {
    return KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT;
  }
  item->used = true;
  item->taken = false;
  item->persistent = persistent;
  item->name_len = (uint8_t)key.len;
  item->value_len = (uint16_t)text.len;
  memcpy(item->name, key.ptr, key.len);
  memcpy(item->value, text.ptr, text.len);
  stream->tagged_next = true;
  return KVS_OK;
}

/* ---- events ------------------------------------------------------------- */

/* Arrays, not pointers: those would have to be relocated at load time. */
static const char event_names[KVS_EVENT_KINDS][40] = {
    "AWS_KINESISVIDEO_IMAGE_GENERATION",
    "AWS_KINESISVIDEO_NOTIFICATION",
};

static kvs_status judge_pairs(const kvs_event_metadata *metadata) {
  if (metadata->count > KVS_MAX_METADATA_COUNT) {
    return KVS_STATUS_MAX_FRAGMENT_METADATA_COUNT;
  }
  if (kvs_bytes_of(metadata->image_prefix).len > KVS_MAX_IMAGE_PREFIX_LEN) {
    return KVS_STATUS_INVALID_IMAGE_PREFIX_LENGTH;
  }
  for (uint32_t i = 0; i < metadata->count; i++) {
    size_t name = kvs_bytes_of(metadata->names[i]).len;

    if (name == 0 || name > KVS_MAX_METADATA_NAME_LEN) {
      return KVS_STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH;
    }
    if (kvs_bytes_of(metadata->values[i]).len > KVS_MAX_METADATA_VALUE_LEN) {
      return KVS_STATUS_INVALID_IMAGE_METADATA_VALUE_LENGTH;
    }
  }
  return KVS_OK;
}

static void serialize(kvs_sink *sink, const char *name,
                      const kvs_event_metadata *metadata) {
  kvs_bytes names[KVS_MAX_METADATA_COUNT + 2];
  kvs_bytes values[KVS_MAX_METADATA_COUNT + 2];
  uint32_t count = 0;

  names[count] = kvs_bytes_of(name);
  values[count++] = kvs_bytes_of("");
  if (kvs_bytes_of(metadata->image_prefix).len != 0) {
    names[count] = kvs_bytes_of("AWS_KINESISVIDEO_IMAGE_PREFIX");
    values[count++] = kvs_bytes_of(metadata->image_prefix);
  }
  for (uint32_t i = 0; i < metadata->count; i++) {
    names[count] = kvs_bytes_of(metadata->names[i]);
    values[count++] = kvs_bytes_of(metadata->values[i]);
  }
  kvs_mkv_write_tags(sink, names, values, count);
}

static kvs_status add_event(kvs_stream *stream, uint32_t kind,
                            const kvs_event_metadata *metadata) {
  kvs_pending_event *event = &stream->events[kind];
  kvs_sink counter = kvs_counting_sink();
  kvs_heap_sink sink;
  uint64_t len;

  serialize(&counter, event_names[kind], metadata);
  len = counter.written;
  kvs_chain_init(&event->chain, stream->id);
  KVS_TRY(kvs_chain_append(&stream->host->heap, &event->chain, sizeof(len), len,
                           &event->at));
  memcpy(kvs_heap_at(&stream->host->heap, event->at), &len, sizeof(len));
  event->at += sizeof(len);
  sink = kvs_make_heap_sink(&stream->host->heap, event->at);
  serialize(&sink.sink, event_names[kind], metadata);
  event->len = (uint32_t)len;
  return KVS_OK;
}

kvs_status kvs_stream_put_event(kvs_stream *stream, uint32_t events,
                                const kvs_event_metadata *metadata,
                                kvs_time now) {
  const kvs_event_metadata none = {0};

  (void)now;
  if (stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_stream_guard(stream));
  metadata = metadata == NULL ? &none : metadata;
  if (events == 0 || events >= UINT32_C(1) << KVS_EVENT_KINDS) {
    return KVS_STATUS_INVALID_ARG;
  }
  if (stream->stopping) {
    return KVS_STATUS_STREAM_HAS_BEEN_STOPPED;
  }
  if (stream->put_frames == 0) {
    return KVS_STATUS_STREAM_NOT_STARTED;
  }
  KVS_TRY(judge_pairs(metadata));
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    if ((events >> i & 1) != 0 && stream->events[i].len != 0) {
      return KVS_STATUS_DUPLICATE_STREAM_EVENT_TYPE;
    }
  }
  for (uint32_t i = 0; i < KVS_EVENT_KINDS; i++) {
    if ((events >> i & 1) != 0) {
      kvs_status status = add_event(stream, i, metadata);

      if (status != KVS_OK) {
        drop_events(stream, events & ((UINT32_C(1) << i) - 1));
        return status;
      }
    }
  }
  stream->tagged_next = true;
  return KVS_OK;
}
