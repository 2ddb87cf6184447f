/* SPDX-License-Identifier: Apache-2.0
 * Defaults of the guide's StreamDefinition and the limits of each field, each
 * with its own status. */
#include "core/stream.h"

#define SECONDS(n) ((uint64_t)(n)*KVS_TICKS_PER_SECOND)
/* Fragments are cut this long before the service's limit (ruling 10). */
#define CUT_EARLY (500 * KVS_TICKS_PER_MS)

void kvs_stream_info_init(kvs_stream_info *info) {
  memset(info, 0, sizeof(*info));
  info->version = KVS_STREAM_INFO_VERSION;
  info->content_type = "video/h264";
  info->retention = SECONDS(3600);
  info->nal_adaptation_flags =
      KVS_NAL_ADAPTATION_ANNEXB_NALS | KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;
  info->frame_rate = 25;
  info->avg_bandwidth_bps = 4 * 1024 * 1024;
  info->fragment_duration = SECONDS(2);
  info->min_fragment_duration = SECONDS(1);
  info->max_fragment_duration = SECONDS(10);
  info->timecode_scale = KVS_TICKS_PER_MS;
  info->buffer_duration = SECONDS(120);
  info->replay_duration = SECONDS(40);
  info->connection_staleness = SECONDS(30);
  info->session_duration = SECONDS(40 * 60);
  info->idle_duration = SECONDS(20);
  info->key_frame_fragmentation = true;
  info->frame_timecodes = true;
  info->absolute_fragment_times = true;
  info->fragment_acks = true;
  info->restart_on_error = true;
  info->recalculate_metrics = true;
  info->allow_stream_creation = true;
  info->track_count = 1;
  info->tracks[0].track_id = 1;
  info->tracks[0].type = KVS_TRACK_VIDEO;
  info->tracks[0].codec_id = "V_MPEG4/ISO/AVC";
  info->tracks[0].track_name = "kinesis_video";
}

static bool is_name_byte(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

static kvs_status check_name(const char *name) {
  kvs_bytes bytes = kvs_bytes_of(name);

  if (bytes.len == 0 || bytes.len > KVS_MAX_STREAM_NAME_LEN) {
    return KVS_STATUS_INVALID_STREAM_NAME_LENGTH;
  }
  for (size_t i = 0; i < bytes.len; i++) {
    if (!is_name_byte(bytes.ptr[i])) {
      return KVS_STATUS_INVALID_ARG;
    }
  }
  return KVS_OK;
}

static kvs_status check_track(const kvs_track_info *track) {
  if (track->track_id == 0) {
    return KVS_STATUS_MKV_INVALID_TRACK_UID;
  }
  if (track->type != KVS_TRACK_VIDEO && track->type != KVS_TRACK_AUDIO &&
      track->type != KVS_TRACK_DATA) {
    return KVS_STATUS_INVALID_ARG;
  }
  if (!(track->sampling_frequency >= 0)) { /* a NaN is neither */
    return KVS_STATUS_INVALID_ARG;
  }
  if (kvs_bytes_of(track->codec_id).len > KVS_MAX_CODEC_ID_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_ID_LENGTH;
  }
  if (kvs_bytes_of(track->track_name).len > KVS_MAX_TRACK_NAME_LEN) {
    return KVS_STATUS_MKV_INVALID_TRACK_NAME_LENGTH;
  }
  if (track->codec_private_len > KVS_MAX_CODEC_PRIVATE_LEN) {
    return KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH;
  }
  if (track->codec_private_len != 0 && track->codec_private == NULL) {
    return KVS_STATUS_MKV_CODEC_PRIVATE_NULL;
  }
  return KVS_OK;
}

static kvs_status check_tracks(const kvs_stream_info *info) {
  if (info->track_count == 0) {
    return KVS_STATUS_TRACK_INFO_MISSING;
  }
  if (info->track_count > KVS_MAX_TRACKS) {
    return KVS_STATUS_MAX_TRACK_COUNT_EXCEEDED;
  }
  for (uint32_t i = 0; i < info->track_count; i++) {
    KVS_TRY(check_track(&info->tracks[i]));
    for (uint32_t j = 0; j < i; j++) {
      if (info->tracks[i].track_id == info->tracks[j].track_id) {
        return KVS_STATUS_DUPLICATE_TRACK_ID_FOUND;
      }
    }
  }
  return KVS_OK;
}

static kvs_status check_durations(const kvs_stream_info *info) {
  if (info->retention % KVS_MIN_RETENTION != 0 ||
      info->retention > KVS_MAX_RETENTION) {
    return KVS_STATUS_INVALID_RETENTION_PERIOD;
  }
  if (info->timecode_scale != 0 &&
      (info->timecode_scale < KVS_MIN_TIMECODE_SCALE ||
       info->timecode_scale > KVS_MAX_TIMECODE_SCALE)) {
    return KVS_STATUS_MKV_INVALID_TIMECODE_SCALE;
  }
  if (!info->key_frame_fragmentation &&
      (info->fragment_duration < KVS_MIN_FRAGMENT_DURATION ||
       info->fragment_duration > KVS_MAX_FRAGMENT_DURATION)) {
    return KVS_STATUS_MKV_INVALID_CLUSTER_DURATION;
  }
  if (info->max_fragment_duration < KVS_MIN_FRAGMENT_DURATION ||
      info->max_fragment_duration > KVS_MAX_FRAGMENT_DURATION ||
      info->min_fragment_duration >= info->max_fragment_duration) {
    return KVS_STATUS_MKV_INVALID_CLUSTER_DURATION;
  }
  if (info->buffer_duration < KVS_MIN_BUFFER_DURATION) {
    return KVS_STATUS_INVALID_CONTENT_VIEW_DURATION;
  }
  if (info->session_duration == 0 ||
      (info->session_duration > KVS_MAX_SESSION_DURATION &&
       info->session_duration != KVS_NEVER)) {
    return KVS_STATUS_INVALID_ARG;
  }
  return KVS_OK;
}

static kvs_status check_choices(const kvs_stream_info *info) {
  const uint32_t both =
      KVS_NAL_ADAPTATION_ANNEXB_NALS | KVS_NAL_ADAPTATION_AVCC_NALS;
  const uint32_t all = both | KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;

  if ((uint32_t)info->streaming_type > KVS_STREAMING_OFFLINE ||
      (uint32_t)info->overflow_policy > KVS_OVERFLOW_REFUSE ||
      (info->nal_adaptation_flags & ~all) != 0) {
    return KVS_STATUS_INVALID_ARG;
  }
  if ((info->nal_adaptation_flags & both) == both) {
    return KVS_STATUS_MKV_BOTH_ANNEXB_AND_AVCC_SPECIFIED;
  }
  if (info->streaming_type == KVS_STREAMING_OFFLINE &&
      (info->retention == 0 || !info->fragment_acks)) {
    return KVS_STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION;
  }
  return KVS_OK;
}

kvs_status kvs_stream_info_check(const kvs_stream_info *info) {
  if (info == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  if (info->version > KVS_STREAM_INFO_VERSION) {
    return KVS_STATUS_INVALID_STREAM_INFO_VERSION;
  }
  KVS_TRY(check_name(info->name));
  if (kvs_bytes_of(info->content_type).len > KVS_MAX_CONTENT_TYPE_LEN) {
    return KVS_STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH;
  }
  if (kvs_bytes_of(info->kms_key_id).len > KVS_MAX_KMS_KEY_ID_LEN) {
    return KVS_STATUS_INVALID_ARG_LEN;
  }
  if (info->tag_count > KVS_MAX_TAG_COUNT) {
    return KVS_STATUS_MAX_TAG_COUNT;
  }
  KVS_TRY(check_choices(info));
  KVS_TRY(check_durations(info));
  return check_tracks(info);
}

void kvs_limits_init(kvs_limits *limits, const kvs_stream_info *info) {
  uint64_t window = info->buffer_duration;
  uint64_t idle = info->idle_duration;
  uint64_t patience = info->connection_staleness;

  limits->scale = info->timecode_scale;
  limits->ahead = info->max_fragment_duration;
  limits->window = window;
  limits->duration = kvs_min_u64(window, UINT32_MAX);
  limits->latency = info->max_latency;
  limits->own_times = info->frame_timecodes;
  limits->key_after = info->key_frame_fragmentation
                          ? info->min_fragment_duration
                          : info->fragment_duration;
  limits->cut_after = kvs_sub_u64(info->max_fragment_duration, CUT_EARLY);
  limits->low_buffer = window - window / KVS_PRESSURE_PART;
  limits->patience = patience == 0 ? KVS_NEVER : patience;
  limits->quiet_after =
      idle == 0 ? KVS_UNDERFLOW_AFTER : kvs_min_u64(idle, KVS_UNDERFLOW_AFTER);
  limits->clock_set = info->absolute_fragment_times ? KVS_CLOCK_IS_SET : 0;
}
