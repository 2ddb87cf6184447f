// SPDX-License-Identifier: Apache-2.0
// Only what C cannot hold is refused here; rules and their errors are the
// core's. Enumerations are bounded because a C++ enum holds no more.
#include "info.h"

#include "args.h"

namespace kvs_addon {
namespace {

constexpr double kMaxUint16 = 65535;
constexpr double kMaxEnum = KVS_TRACK_DATA;

// |codec_private| is the value to take the bytes from when no more user code
// can run.
void ReadTrack(Record *record, kvs_track_info *track,
               napi_value *codec_private) {
  track->track_id = record->Integer("trackId", kMaxSafeInteger);
  track->type =
      static_cast<kvs_track_type>(record->Integer("trackType", kMaxEnum));
  track->codec_id = record->TextOrNull("codecId");
  track->track_name = record->TextOrNull("trackName");
  track->pixel_width =
      static_cast<uint16_t>(record->Integer("pixelWidth", kMaxUint16));
  track->pixel_height =
      static_cast<uint16_t>(record->Integer("pixelHeight", kMaxUint16));
  track->sampling_frequency = record->Double("samplingFrequency");
  track->channels =
      static_cast<uint16_t>(record->Integer("channels", kMaxUint16));
  track->bit_depth =
      static_cast<uint16_t>(record->Integer("bitDepth", kMaxUint16));
  *codec_private = record->Value("codecPrivateData");
}

bool ReadCodecPrivate(napi_env env, napi_value value, kvs_track_info *track) {
  napi_valuetype type = napi_undefined;
  Bytes bytes = {};

  if (napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
    return true;
  }
  if (!ReadBytes(env, value, "codecPrivateData", Shared::kRefused, &bytes)) {
    return false;
  }
  if (bytes.len > UINT32_MAX) {
    ThrowRange(env, "codecPrivateData", "shorter than 4 GiB");
    return false;
  }
  track->codec_private = bytes.data;
  track->codec_private_len = static_cast<uint32_t>(bytes.len);
  return true;
}

bool ReadTracks(napi_env env, napi_value tracks, Texts *texts,
                kvs_stream_info *info) {
  napi_value codec_private[KVS_MAX_TRACKS] = {};

  if (napi_get_array_length(env, tracks, &info->track_count) != napi_ok) {
    ThrowType(env, "tracks", "an array");
    return false;
  }
  // The core refuses a count above its maximum before it looks at the tracks.
  uint32_t count =
      info->track_count < KVS_MAX_TRACKS ? info->track_count : KVS_MAX_TRACKS;
  for (uint32_t i = 0; i < count; i++) {
    napi_value track = nullptr;
    if (napi_get_element(env, tracks, i, &track) != napi_ok) {
      return false;
    }
    Record record(env, track, "track", texts);
    ReadTrack(&record, &info->tracks[i], &codec_private[i]);
    if (!record.ok()) {
      return false;
    }
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!ReadCodecPrivate(env, codec_private[i], &info->tracks[i])) {
      return false;
    }
  }
  return true;
}

void ReadDurations(Record *record, kvs_stream_info *info) {
  info->retention = record->TicksOrInfinity("retention");
  info->max_latency = record->TicksOrInfinity("maxLatency");
  info->fragment_duration = record->TicksOrInfinity("fragmentDuration");
  info->min_fragment_duration = record->TicksOrInfinity("minFragmentDuration");
  info->max_fragment_duration = record->TicksOrInfinity("maxFragmentDuration");
  info->timecode_scale = record->TicksOrInfinity("timecodeScale");
  info->buffer_duration = record->TicksOrInfinity("bufferDuration");
  info->replay_duration = record->TicksOrInfinity("replayDuration");
  info->connection_staleness = record->TicksOrInfinity("connectionStaleness");
  info->session_duration = record->TicksOrInfinity("sessionDuration");
  info->idle_duration = record->TicksOrInfinity("idleDuration");
}

void ReadSwitches(Record *record, kvs_stream_info *info) {
  info->key_frame_fragmentation = record->Boolean("keyFrameFragmentation");
  info->frame_timecodes = record->Boolean("frameTimecodes");
  info->absolute_fragment_times = record->Boolean("absoluteFragmentTimes");
  info->fragment_acks = record->Boolean("fragmentAcks");
  info->restart_on_error = record->Boolean("restartOnError");
  info->recalculate_metrics = record->Boolean("recalculateMetrics");
  info->allow_stream_creation = record->Boolean("allowStreamCreation");
}

bool ReadTexts(napi_env env, napi_value array, const char *name, Texts *texts,
               uint32_t *count, const char *(&read)[KVS_MAX_METADATA_COUNT]) {
  if (napi_get_array_length(env, array, count) != napi_ok) {
    ThrowType(env, name, "an array");
    return false;
  }
  // The core refuses a count above its maximum before it looks at the texts.
  for (uint32_t i = 0; i < *count && i < KVS_MAX_METADATA_COUNT; i++) {
    napi_value text = nullptr;
    if (napi_get_element(env, array, i, &text) != napi_ok) {
      return false;
    }
    read[i] = texts->Read(text, name);
    if (read[i] == nullptr) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool ReadDeviceInfo(napi_env env, napi_value value, Texts *texts,
                    kvs_device_info *info, uint64_t *seed) {
  Record record(env, value, "info", texts);

  *info = {};
  info->version = KVS_DEVICE_INFO_VERSION;
  info->storage.version = KVS_STORAGE_INFO_VERSION;
  info->storage.type = KVS_STORAGE_IN_MEM;
  info->name = record.TextOrNull("name");
  info->client_id = record.TextOrNull("clientId");
  info->stream_count = record.Uint32("streamCount");
  info->storage.storage_size = record.Integer("storageSize", kMaxSafeInteger);
  info->tag_count = record.Uint32("tagCount");
  uint64_t high = record.Uint32("seed0");
  *seed = high << 32 | record.Uint32("seed1");
  return record.ok();
}

bool ReadStreamInfo(napi_env env, napi_value value, Texts *texts,
                    kvs_stream_info *info) {
  Record record(env, value, "info", texts);

  *info = {};
  info->version = KVS_STREAM_INFO_VERSION;
  info->name = record.Text("name");
  info->content_type = record.TextOrNull("contentType");
  info->kms_key_id = record.TextOrNull("kmsKeyId");
  info->tag_count = record.Uint32("tagCount");
  info->streaming_type = static_cast<kvs_streaming_type>(
      record.Integer("streamingType", KVS_STREAMING_OFFLINE));
  info->overflow_policy = static_cast<kvs_overflow_policy>(
      record.Integer("overflowPolicy", KVS_OVERFLOW_REFUSE));
  info->nal_adaptation_flags = record.Uint32("nalAdaptationFlags");
  info->frame_rate = record.Uint32("frameRate");
  info->avg_bandwidth_bps = record.Uint32("avgBandwidthBps");
  ReadDurations(&record, info);
  ReadSwitches(&record, info);
  napi_value tracks = record.Value("tracks");
  return record.ok() && ReadTracks(env, tracks, texts, info);
}

bool ReadEventMetadata(napi_env env, napi_value prefix, napi_value names,
                       napi_value values, Texts *texts,
                       kvs_event_metadata *metadata) {
  uint32_t value_count = 0;

  *metadata = {};
  metadata->image_prefix = texts->Read(prefix, "imagePrefix");
  if (metadata->image_prefix == nullptr ||
      !ReadTexts(env, names, "names", texts, &metadata->count,
                 metadata->names) ||
      !ReadTexts(env, values, "values", texts, &value_count,
                 metadata->values)) {
    return false;
  }
  if (value_count != metadata->count) {
    ThrowRange(env, "values", "as many as names");
    return false;
  }
  return true;
}

}  // namespace kvs_addon
