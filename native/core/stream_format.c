/* SPDX-License-Identifier: Apache-2.0
 * Tracks and their formats. The newest private data of every track stand in
 * the |full| header; a fragment takes them track by track: a track's newer data
 * begin with a key frame of it, and whatever else is cut keeps what the
 * fragment before it had (ruling 27). */
#include "core/stream_format.h"

static bool is_codec(const kvs_track *track, const char *id) {
  kvs_bytes want = kvs_bytes_of(id);
  kvs_bytes have = kvs_bytes_of(track->codec_id);

  return want.len == have.len && memcmp(want.ptr, have.ptr, want.len) == 0;
}

/* ---- new private data ------------------------------------------------- */

/* Fills in what the private data tell: a failure leaves the fields as they
 * were, since the media can be carried without them. */
static void learn_details(const kvs_stream *stream, const kvs_track *track,
                          const kvs_private *data, kvs_track_details *details) {
  uint16_t a = 0;
  uint16_t b = 0;
  double frequency = 0;

  if (track->has_nals) {
    if (kvs_nal_picture_size(stream->host->find, track->codec, data->bytes, &a,
                             &b) == KVS_OK) {
      details->pixel_width = a;
      details->pixel_height = b;
    }
  } else if (is_codec(track, "A_AAC")) {
    if (kvs_mkv_aac_config(data->bytes, &frequency, &a) == KVS_OK) {
      details->sampling_frequency = frequency;
      details->channels = a;
    }
  } else if (is_codec(track, "A_MS/ACM")) {
    if (kvs_mkv_acm_config(data->bytes, &frequency, &a, &b) == KVS_OK) {
      details->sampling_frequency = frequency;
      details->channels = a;
      details->bit_depth = b;
    }
  }
}

/* FNV-1a of what is written: formats of equal digests are compared, others
 * are not. */
typedef struct digest_sink {
  kvs_sink sink; /* first */
  uint32_t digest;
} digest_sink;

static void digest(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  digest_sink *to = (digest_sink *)(void *)sink;

  for (size_t i = 0; i < len; i++) {
    to->digest = (to->digest ^ bytes[i]) * UINT32_C(16777619);
  }
}

static kvs_status measure(const kvs_stream *stream, kvs_recipe *recipe,
                          uint32_t track) {
  digest_sink to = {{digest, 0}, UINT32_C(2166136261)};

  KVS_TRY(kvs_private_write(stream, recipe->fresh, &to.sink));
  if (to.sink.written > KVS_MAX_CODEC_PRIVATE_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH;
  }
  recipe->track[track].len = (uint32_t)to.sink.written;
  recipe->track[track].digest = to.digest;
  return KVS_OK;
}

/* Puts |slot|, held, in the place that |which| names. */
static void replace(kvs_stream *stream, uint32_t *which, uint32_t slot) {
  uint32_t before = *which;

  *which = slot;
  kvs_put_shut_tracks(stream); /* the next key frame may want the new one */
  if (before != KVS_NO_HEADER) {
    kvs_format_release(stream, before);
  }
}

/* Makes |data| the newest of |track|, if they differ from what is. */
static kvs_status adopt(kvs_stream *stream, uint32_t track,
                        const kvs_private *data) {
  const kvs_header *full = kvs_format_at(stream, stream->full);
  kvs_recipe recipe = {0};
  uint32_t slot;

  if (kvs_header_has(stream, stream->full, track, data)) {
    return KVS_OK; /* what nearly every key frame brings */
  }
  recipe.fresh = data;
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    kvs_recipe_take(stream, &recipe, i, stream->full);
  }
  KVS_TRY(measure(stream, &recipe, track));
  learn_details(stream, &stream->tracks[track], data,
                &recipe.track[track].details);
  slot = kvs_header_with(stream, &recipe, track);
  recipe.track[track].slot = slot;
  recipe.track[track].version = stream->versions + 1;
  if (slot != KVS_NO_HEADER) {
    recipe.track[track].version = kvs_format_at(stream, slot)->version[track];
  }
  if (recipe.track[track].version == full->version[track]) {
    return KVS_OK;
  }
  KVS_TRY(kvs_header_get(stream, &recipe, &slot));
  stream->versions += recipe.track[track].version > stream->versions ? 1 : 0;
  replace(stream, &stream->full, slot);
  return KVS_OK;
}

kvs_status kvs_format_set(kvs_stream *stream, uint32_t track, kvs_bytes cpd) {
  const kvs_track *of = &stream->tracks[track];
  kvs_private data = {cpd, false, of->codec};

  data.sets = of->has_nals && (stream->info.nal_adaptation_flags &
                               KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS) != 0;
  if (cpd.len > KVS_MAX_CODEC_PRIVATE_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH;
  }
  return adopt(stream, track, &data);
}

/* ---- parameter sets within frames ------------------------------------- */

/* Some sources give each set, or all of them, in frames of their own: they
 * are kept, up to the picture that they belong to. */
static kvs_status gather(kvs_stream *stream, kvs_track *track,
                         kvs_bytes frame) {
  kvs_sink counter = kvs_counting_sink();
  kvs_buffer_sink sink;

  kvs_nal_copy_sets(stream->host->find, track->codec, frame, &counter);
  if (counter.written > KVS_PAGE_DATA - track->gathered_len) {
    track->gathered_len = 0; /* so much is none of the usual */
  }
  if (counter.written > KVS_PAGE_DATA) {
    return KVS_OK;
  }
  if (track->gathered == 0) {
    KVS_TRY(
        kvs_heap_take_page(&stream->host->heap, stream->id, &track->gathered));
  }
  sink = kvs_make_buffer_sink(
      (uint8_t *)kvs_heap_at(&stream->host->heap, track->gathered) +
          track->gathered_len,
      KVS_PAGE_DATA - track->gathered_len);
  kvs_nal_copy_sets(stream->host->find, track->codec, frame, &sink.sink);
  track->gathered_len += (uint32_t)counter.written;
  return KVS_OK;
}

static void forget_gathered(kvs_stream *stream, kvs_track *track) {
  if (track->gathered != 0) {
    kvs_heap_give_page(&stream->host->heap, track->gathered);
    track->gathered = 0;
    track->gathered_len = 0;
  }
}

/* Makes the sets in |bytes| the newest, where they are all that it takes. What
 * cannot be read is nothing to learn: the frame itself is judged elsewhere. */
static kvs_status learn_from(kvs_stream *stream, uint32_t track,
                             kvs_bytes bytes) {
  kvs_private data = {bytes, true, stream->tracks[track].codec};
  kvs_status status = adopt(stream, track, &data);

  return status == KVS_STATUS_STORE_OUT_OF_MEMORY ? status : KVS_OK;
}

kvs_status kvs_format_learn(kvs_stream *stream, uint32_t index, kvs_bytes frame,
                            bool *picture) {
  kvs_track *track = &stream->tracks[index];
  uint32_t found =
      kvs_nal_sets_of(stream->host->find, track->codec, frame, false);
  kvs_status status = KVS_OK;

  *picture = found == 0 || (found & KVS_NAL_HAS_PICTURE) != 0;
  if (kvs_nal_sets_suffice(track->codec, found)) {
    status = learn_from(stream, index, frame);
  } else if ((found & ~KVS_NAL_HAS_PICTURE) != 0) {
    KVS_TRY(gather(stream, track, frame));
    kvs_bytes all = {kvs_heap_at(&stream->host->heap, track->gathered),
                     track->gathered_len};

    if (track->gathered_len != 0 &&
        kvs_nal_has_parameter_sets(stream->host->find, track->codec, all,
                                   false)) {
      status = learn_from(stream, index, all);
    }
  }
  if (*picture) {
    forget_gathered(stream, track);
  }
  return status;
}

void kvs_format_restore(kvs_stream *stream, uint32_t full) {
  replace(stream, &stream->full, full);
}

/* ---- the header of a fragment ------------------------------------------ */

/* Whether the next fragment, which begins with a frame of |first|, a key frame
 * if |key|, takes the newest data of |track|. */
static bool turns(const kvs_stream *stream, const kvs_track *track,
                  const kvs_track *first, bool key) {
  const kvs_header *full = kvs_format_at(stream, stream->full);

  if (!stream->has_base) {
    return true; /* nothing is under way */
  }
  return track == first
             ? key
             : track->all_key || track->turned == full->version[track->index];
}

kvs_status kvs_format_next(kvs_stream *stream, const kvs_track *first, bool key,
                           uint32_t *slot) {
  uint32_t had = kvs_format_at(stream, stream->header)->tracks;
  kvs_recipe recipe = {0};

  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    const kvs_track *track = &stream->tracks[i];
    bool has = (had >> i & 1) != 0;

    if (has || track == first) {
      kvs_recipe_take(stream, &recipe, i,
                      !has || turns(stream, track, first, key)
                          ? stream->full
                          : stream->header);
    }
  }
  return kvs_header_get(stream, &recipe, slot);
}

void kvs_format_use(kvs_stream *stream, uint32_t slot) {
  replace(stream, &stream->header, slot);
  stream->header_new = true;
}

bool kvs_format_settle(kvs_stream *stream, kvs_pos at, kvs_time now) {
  kvs_fragment *fragment = kvs_view_fragment(&stream->view, at);
  uint32_t had = fragment->header;
  kvs_recipe recipe = {0};
  uint32_t slot = KVS_NO_HEADER;

  if (!kvs_format_lacks(stream, fragment)) {
    return false;
  }
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    if ((fragment->tracks >> i & 1) != 0) {
      kvs_recipe_take(stream, &recipe, i, had);
    }
  }
  if (kvs_header_get(stream, &recipe, &slot) != KVS_OK) {
    return false; /* no room: the service's error ack decides */
  }
  if (stream->header == had) {
    kvs_format_hold(stream, slot);
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

void kvs_format_tell_bare(kvs_stream *stream, uint64_t pts) {
  const kvs_header *header = kvs_format_at(stream, stream->header);

  stream->header_new = false;
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    kvs_track *track = &stream->tracks[i];

    if ((header->tracks >> i & 1) != 0 && track->has_nals &&
        header->cpd[i].len == 0 && !track->bare_told) {
      kvs_event event = kvs_event_make(KVS_EVENT_CODEC_PRIVATE_MISSING_REPORT);

      track->bare_told = true;
      event.u.codec_private_missing_report.timecode = pts;
      event.u.codec_private_missing_report.track = track->info.track_id;
      kvs_stream_emit(stream, &event);
    }
  }
}

/* ---- tracks ----------------------------------------------------------- */

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
  track->codec =
      is_codec(track, "V_MPEGH/ISO/HEVC") ? KVS_NAL_H265 : KVS_NAL_H264;
  track->has_nals = video && (track->codec == KVS_NAL_H265 ||
                              is_codec(track, "V_MPEG4/ISO/AVC"));
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

/* The first header, of every track without private data. */
static kvs_status make_first(kvs_stream *stream) {
  const kvs_private none = {{stream->segment_uid, 0}, false, KVS_NAL_H264};
  kvs_recipe recipe = {0};

  recipe.fresh = &none;
  stream->versions = 1;
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    const kvs_track_info *info = &stream->tracks[i].info;
    kvs_track_details details = {info->sampling_frequency, info->pixel_width,
                                 info->pixel_height, info->channels,
                                 info->bit_depth};

    recipe.tracks |= UINT32_C(1) << i;
    recipe.track[i].slot = KVS_NO_HEADER;
    recipe.track[i].version = stream->versions;
    recipe.track[i].details = details;
    KVS_TRY(measure(stream, &recipe, i));
  }
  KVS_TRY(kvs_header_get(stream, &recipe, &stream->full));
  stream->header = stream->full;
  stream->header_new = true;
  kvs_format_hold(stream, stream->header);
  return KVS_OK;
}

kvs_status kvs_format_init(kvs_stream *stream, const kvs_stream_info *info) {
  stream->more_headers = KVS_NO_HEADER;
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
  KVS_TRY(make_first(stream));
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
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    forget_gathered(stream, &stream->tracks[i]);
  }
  kvs_header_free_all(stream);
}
