/* SPDX-License-Identifier: Apache-2.0
 * Tracks and session headers. A header is made whole whenever the private data
 * of a track change, and then never written again: each fragment names the
 * version it needs, and a version goes when no fragment and no future one
 * needs it. The private data lie inside the header and nowhere else; a new
 * version copies those of the other tracks from the version before. */
#include "core/stream.h"

#define COPY_CHUNK 256u

static bool is_codec(const kvs_track *track, const char *id) {
  kvs_bytes want = kvs_bytes_of(id);
  kvs_bytes have = kvs_bytes_of(track->codec_id);

  return want.len == have.len && memcmp(want.ptr, have.ptr, want.len) == 0;
}

/* Whether the track is H.264 or H.265, and which. */
static bool nal_codec(const kvs_track *track, kvs_nal_codec *codec) {
  *codec = is_codec(track, "V_MPEGH/ISO/HEVC") ? KVS_NAL_H265 : KVS_NAL_H264;
  return track->info.type == KVS_TRACK_VIDEO &&
         (*codec == KVS_NAL_H265 || is_codec(track, "V_MPEG4/ISO/AVC"));
}

/* Where the private data of one track come from while a header is made. */
typedef struct format_source {
  kvs_stream *stream;
  uint32_t track;  /* the track that changes */
  kvs_bytes fresh; /* its new data */
  const kvs_header *old;
} format_source;

static void copy_old(kvs_sink *sink, const format_source *source,
                     uint32_t track) {
  uint8_t chunk[COPY_CHUNK];
  const kvs_heap *heap = &source->stream->host->heap;
  uint32_t left = source->old->cpd[track].len;
  kvs_pos at =
      kvs_heap_skip(heap, source->old->at, source->old->cpd[track].offset);

  while (left != 0) {
    uint32_t n = left < COPY_CHUNK ? left : COPY_CHUNK;

    at = kvs_heap_read(heap, at, chunk, n);
    kvs_sink_write(sink, chunk, n);
    left -= n;
  }
}

static void write_private(kvs_sink *sink, uint32_t track, void *user) {
  const format_source *source = user;

  if (track == source->track) {
    kvs_sink_write(sink, source->fresh.ptr, source->fresh.len);
  } else {
    copy_old(sink, source, track);
  }
}

/* Notes where each track's private data went. */
typedef struct format_watch {
  format_source source; /* first */
  kvs_header *header;
} format_watch;

static void write_and_note(kvs_sink *sink, uint32_t track, void *user) {
  format_watch *watch = user;

  watch->header->cpd[track].offset = (uint32_t)sink->written;
  write_private(sink, track, user);
  watch->header->cpd[track].len =
      (uint32_t)sink->written - watch->header->cpd[track].offset;
}

static uint32_t all_tracks(const kvs_stream *stream) {
  return (UINT32_C(1) << stream->info.track_count) - 1;
}

static void apply_details(kvs_track_info *info,
                          const kvs_track_details *details) {
  info->sampling_frequency = details->sampling_frequency;
  info->pixel_width = details->pixel_width;
  info->pixel_height = details->pixel_height;
  info->channels = details->channels;
  info->bit_depth = details->bit_depth;
}

static void write_header(kvs_stream *stream, kvs_sink *sink,
                         format_watch *watch) {
  kvs_track_info tracks[KVS_MAX_TRACKS];
  kvs_mkv_header header = {0};

  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    bool changed = i == watch->source.track;

    tracks[i] = stream->tracks[i].info;
    apply_details(&tracks[i], &watch->header->details[i]);
    tracks[i].codec_private = NULL;
    tracks[i].codec_private_len =
        changed
            ? (uint32_t)watch->source.fresh.len
            : (watch->source.old == NULL ? 0 : watch->source.old->cpd[i].len);
  }
  header.timecode_scale = stream->info.timecode_scale;
  memcpy(header.segment_uid, stream->segment_uid, KVS_SEGMENT_UID_LEN);
  header.client_id = stream->host->client_id;
  header.track_count = stream->info.track_count;
  header.tracks = tracks;
  header.left_out = all_tracks(stream) & ~watch->header->tracks;
  header.write_private = write_and_note;
  header.user = watch;
  kvs_mkv_write_header(sink, &header);
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

/* Finds a place for |len| bytes: in the stream's page, or in pages of its own.
 */
static kvs_status place_header(kvs_stream *stream, kvs_header *header,
                               uint64_t len) {
  header->slab = free_slab(stream, len);
  header->len = (uint32_t)len;
  kvs_chain_init(&header->chain, stream->id);
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

/* Writes |header|, whose tracks and details are set, into a slot. On failure
 * nothing changed. */
static kvs_status build(kvs_stream *stream, kvs_header *header,
                        format_watch *watch, uint32_t *slot) {
  kvs_sink counter = kvs_counting_sink();
  kvs_heap_sink sink;

  *slot = free_slot(stream);
  if (*slot == KVS_NO_HEADER) {
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  write_header(stream, &counter, watch);
  KVS_TRY(place_header(stream, header, counter.written));
  sink = kvs_make_heap_sink(&stream->host->heap, header->at);
  write_header(stream, &sink.sink, watch);
  header->live = true;
  stream->headers[*slot] = *header;
  return KVS_OK;
}

/* Puts |slot| in the place that |which| names. */
static void replace(kvs_stream *stream, uint32_t *which, uint32_t slot) {
  uint32_t before = *which;

  kvs_format_hold(stream, slot);
  *which = slot;
  kvs_put_shut_tracks(stream); /* the next key frame may want the new one */
  if (before != KVS_NO_HEADER) {
    kvs_format_release(stream, before);
  }
}

/* Makes a header of every track with |fresh| as the private data of |track|
 * and makes it current. On failure nothing changed. */
static kvs_status make_header(kvs_stream *stream, uint32_t track,
                              kvs_bytes fresh) {
  kvs_header header = {0};
  format_watch watch = {{stream, track, fresh, NULL}, &header};
  uint32_t slot = KVS_NO_HEADER;

  header.format = stream->formats + 1;
  header.tracks = all_tracks(stream);
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    const kvs_track_info *info = &stream->tracks[i].info;
    kvs_track_details details = {info->sampling_frequency, info->pixel_width,
                                 info->pixel_height, info->channels,
                                 info->bit_depth};

    header.details[i] = details;
  }
  if (stream->full != KVS_NO_HEADER) {
    watch.source.old = &stream->headers[stream->full];
  }
  KVS_TRY(build(stream, &header, &watch, &slot));
  stream->formats++;
  replace(stream, &stream->full, slot);
  replace(stream, &stream->header, slot);
  return KVS_OK;
}

kvs_status kvs_format_with(kvs_stream *stream, uint32_t slot, uint32_t tracks,
                           uint32_t *out) {
  const kvs_header *from = &stream->headers[slot];
  kvs_bytes none = {stream->scratch, 0};
  kvs_header header = {0};
  /* No track changes: all private data are copied. */
  format_watch watch = {{stream, KVS_MAX_TRACKS, none, from}, &header};

  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    if (stream->headers[i].live && stream->headers[i].format == from->format &&
        stream->headers[i].tracks == tracks) {
      *out = i;
      return KVS_OK;
    }
  }
  header.format = from->format;
  header.tracks = tracks;
  memcpy(header.details, from->details, sizeof(header.details));
  return build(stream, &header, &watch, out);
}

kvs_status kvs_format_want(kvs_stream *stream, uint32_t track) {
  uint32_t tracks = stream->headers[stream->header].tracks;
  uint32_t slot = KVS_NO_HEADER;

  if ((tracks >> track & 1) != 0) {
    return KVS_OK;
  }
  KVS_TRY(kvs_format_with(stream, stream->full, tracks | UINT32_C(1) << track,
                          &slot));
  replace(stream, &stream->header, slot);
  return KVS_OK;
}

bool kvs_format_settle(kvs_stream *stream, kvs_pos at, kvs_time now) {
  kvs_fragment *fragment = kvs_view_fragment(&stream->view, at);
  uint32_t had = fragment->header;
  uint32_t slot = KVS_NO_HEADER;

  if (!kvs_format_lacks(stream, fragment)) {
    return false;
  }
  if (kvs_format_with(stream, had, fragment->tracks, &slot) != KVS_OK) {
    return false; /* no room: the service's error ack decides */
  }
  kvs_format_hold(stream, slot);
  if (stream->header == had) {
    replace(stream, &stream->header, slot);
  }
  fragment->header = slot;
  kvs_format_release(stream, had);
  if (kvs_session_live(stream) && (fragment->state & KVS_FRAGMENT_TAKEN) != 0) {
    kvs_session_abort(stream, KVS_STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK,
                      KVS_RESULT_OK, false, now);
  }
  return true;
}

void kvs_format_hold(kvs_stream *stream, uint32_t slot) {
  stream->headers[slot].refs++;
}

void kvs_format_release(kvs_stream *stream, uint32_t slot) {
  kvs_header *header = &stream->headers[slot];

  KVS_ASSERT(header->live && header->refs != 0);
  header->refs--;
  if (header->refs == 0) {
    kvs_chain_trim(&stream->host->heap, &header->chain, 0);
    header->live = false;
  }
}

/* Fills in what the private data tell: a failure leaves the fields as they
 * were, since the media can be carried without them. */
static void learn_details(kvs_stream *stream, kvs_track *track, kvs_bytes cpd) {
  kvs_track_info *info = &track->info;
  kvs_nal_codec codec;
  uint16_t a = 0;
  uint16_t b = 0;
  double frequency = 0;

  if (nal_codec(track, &codec)) {
    if (kvs_nal_picture_size(stream->host->find, codec, cpd, &a, &b) ==
        KVS_OK) {
      info->pixel_width = a;
      info->pixel_height = b;
    }
  } else if (is_codec(track, "A_AAC")) {
    if (kvs_mkv_aac_config(cpd, &frequency, &a) == KVS_OK) {
      info->sampling_frequency = frequency;
      info->channels = a;
    }
  } else if (is_codec(track, "A_MS/ACM")) {
    if (kvs_mkv_acm_config(cpd, &frequency, &a, &b) == KVS_OK) {
      info->sampling_frequency = frequency;
      info->channels = a;
      info->bit_depth = b;
    }
  }
}

static bool same_private(const kvs_stream *stream, uint32_t track,
                         kvs_bytes cpd) {
  uint8_t chunk[COPY_CHUNK];
  const kvs_header *header = &stream->headers[stream->full];
  const kvs_heap *heap = &stream->host->heap;
  kvs_pos at = kvs_heap_skip(heap, header->at, header->cpd[track].offset);
  size_t done = 0;

  if (header->cpd[track].len != cpd.len) {
    return false;
  }
  while (done < cpd.len) {
    size_t n = cpd.len - done < COPY_CHUNK ? cpd.len - done : COPY_CHUNK;

    at = kvs_heap_read(heap, at, chunk, n);
    if (memcmp(chunk, cpd.ptr + done, n) != 0) {
      return false;
    }
    done += n;
  }
  return true;
}

/* Makes adapted private data current, if they differ from what is. */
static kvs_status adopt(kvs_stream *stream, uint32_t track, kvs_bytes cpd) {
  kvs_track_info before = stream->tracks[track].info;
  kvs_status status;

  if (same_private(stream, track, cpd)) {
    return KVS_OK;
  }
  learn_details(stream, &stream->tracks[track], cpd);
  status = make_header(stream, track, cpd);
  if (status != KVS_OK) {
    stream->tracks[track].info = before;
  }
  return status;
}

kvs_status kvs_format_set(kvs_stream *stream, uint32_t track, kvs_bytes cpd) {
  kvs_nal_codec codec;
  kvs_buffer_sink sink = kvs_make_buffer_sink(stream->scratch, KVS_SCRATCH_LEN);
  kvs_bytes adapted = {stream->scratch, 0};

  if (cpd.len > KVS_MAX_CODEC_PRIVATE_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH;
  }
  if ((stream->info.nal_adaptation_flags &
       KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS) == 0 ||
      !nal_codec(&stream->tracks[track], &codec)) {
    return adopt(stream, track, cpd);
  }
  KVS_TRY(kvs_nal_make_cpd(stream->host->find, codec, cpd, &sink.sink));
  if (sink.sink.written > KVS_SCRATCH_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH;
  }
  adapted.len = (size_t)sink.sink.written;
  return adopt(stream, track, adapted);
}

kvs_status kvs_format_learn(kvs_stream *stream, uint32_t track,
                            kvs_bytes frame) {
  kvs_nal_codec codec;
  kvs_buffer_sink sink = kvs_make_buffer_sink(stream->scratch, KVS_SCRATCH_LEN);
  kvs_bytes adapted = {stream->scratch, 0};

  if ((stream->info.nal_adaptation_flags & KVS_NAL_ADAPTATION_ANNEXB_NALS) ==
          0 ||
      !nal_codec(&stream->tracks[track], &codec) ||
      !kvs_nal_has_parameter_sets(stream->host->find, codec, frame, false) ||
      kvs_nal_make_cpd(stream->host->find, codec, frame, &sink.sink) !=
          KVS_OK ||
      sink.sink.written > KVS_SCRATCH_LEN) {
    return KVS_OK; /* nothing to learn: the frame itself is judged elsewhere */
  }
  adapted.len = (size_t)sink.sink.written;
  return adopt(stream, track, adapted);
}

static void copy_text(char *to, size_t cap, const char *from) {
  kvs_bytes text = kvs_bytes_of(from);

  KVS_ASSERT(text.len < cap);
  (void)cap;
  if (text.len != 0) {
    memcpy(to, text.ptr, text.len);
  }
  to[text.len] = 0;
}

static void take_track(kvs_track *track, uint32_t index,
                       const kvs_track_info *info, uint32_t nal_flags) {
  const uint32_t frames =
      KVS_NAL_ADAPTATION_ANNEXB_NALS | KVS_NAL_ADAPTATION_AVCC_NALS;
  bool video = info->type == KVS_TRACK_VIDEO;

  track->info = *info;
  track->index = (uint8_t)index;
  track->all_key = !video;
  track->adaptation = video ? nal_flags & frames : 0;
  track->info.codec_private = NULL;
  track->info.codec_private_len = 0;
  copy_text(track->codec_id, sizeof(track->codec_id), info->codec_id);
  copy_text(track->name, sizeof(track->name), info->track_name);
  track->info.codec_id = track->codec_id;
  track->info.track_name = track->name;
}

/* The first video track cuts fragments, or track 1 where there is none. */
static uint32_t find_cut_track(const kvs_stream *stream) {
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    if (stream->tracks[i].info.type == KVS_TRACK_VIDEO) {
      return i;
    }
  }
  return 0;
}

kvs_status kvs_format_init(kvs_stream *stream, const kvs_stream_info *info) {
  kvs_bytes none = {stream->scratch, 0};

  stream->header = KVS_NO_HEADER;
  stream->full = KVS_NO_HEADER;
  for (uint32_t i = 0; i < KVS_SEGMENT_UID_LEN; i += 4) {
    kvs_put_be32(stream->segment_uid + i, kvs_host_random(stream->host));
  }
  stream->segment_uid[0] |= 1; /* all zero is not allowed */
  for (uint32_t i = 0; i < info->track_count; i++) {
    take_track(&stream->tracks[i], i, &info->tracks[i],
               info->nal_adaptation_flags);
  }
  stream->tracks_end = &stream->tracks[info->track_count];
  stream->cut_track = find_cut_track(stream);
  stream->tracks[stream->cut_track].cuts = true;
  KVS_TRY(make_header(stream, 0, none));
  for (uint32_t i = 0; i < info->track_count; i++) {
    kvs_bytes cpd = {info->tracks[i].codec_private,
                     info->tracks[i].codec_private_len};

    if (cpd.len != 0) {
      kvs_status status = kvs_format_set(stream, i, cpd);

      if (status != KVS_OK) {
        kvs_format_free(stream);
        return status;
      }
    }
  }
  return KVS_OK;
}

void kvs_format_free(kvs_stream *stream) {
  for (uint32_t i = 0; i < KVS_HEADER_SLOTS; i++) {
    if (stream->headers[i].live) {
      kvs_chain_trim(&stream->host->heap, &stream->headers[i].chain, 0);
      stream->headers[i].live = false;
    }
  }
}
