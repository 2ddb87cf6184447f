// SPDX-License-Identifier: Apache-2.0
// Tables of names and units beside the values in table order.
#include "metrics.h"

#include "tables.h"

namespace kvs_addon {
namespace {

#define METRIC(name, unit) Field{CamelCase(#name), Unit::unit},
constexpr Field kClientFields[] = {
#define KVS_CLIENT_METRIC METRIC
#include <kvs/metrics.def>
};
constexpr Field kStreamFields[] = {
#define KVS_STREAM_METRIC METRIC
#include <kvs/metrics.def>
};
#undef METRIC

// |fields| and |values| are of one length, so that they cannot differ.
template <size_t N>
napi_value ObjectOf(napi_env env, const Field (&fields)[N],
                    const uint64_t (&values)[N]) {
  static_assert(N <= Fields::kMax, "more metrics than Fields::kMax");
  Fields object(env);

  for (size_t i = 0; i < N; i++) {
    object.Add(fields[i].name.text, ValueOf(env, fields[i].unit, values[i]));
  }
  return object.Object();
}

// What |value|, |previous| and |limit| of a refusal are.
Unit UnitOfRefusal(kvs_status status) {
  switch (status) {
    case KVS_STATUS_MKV_INVALID_FRAME_DATA: /* its duration */
    case KVS_STATUS_MKV_PTS_DTS_ARE_NOT_SAME:
    case KVS_STATUS_MKV_INVALID_FRAME_TIMESTAMP:
    case KVS_STATUS_MKV_LARGE_FRAME_TIMECODE:
    case KVS_STATUS_MKV_MAX_FRAME_TIMECODE:
      return Unit::TICKS;
    default:
      return Unit::NUMBER;
  }
}

}  // namespace

napi_value ObjectOfClientMetrics(napi_env env,
                                 const kvs_client_metrics &metrics) {
  const uint64_t values[] = {
#define KVS_CLIENT_METRIC(name, unit) metrics.name,
#include <kvs/metrics.def>
  };
  return ObjectOf(env, kClientFields, values);
}

napi_value ObjectOfStreamMetrics(napi_env env,
                                 const kvs_stream_metrics &metrics) {
  const uint64_t values[] = {
#define KVS_STREAM_METRIC(name, unit) metrics.name,
#include <kvs/metrics.def>
  };
  return ObjectOf(env, kStreamFields, values);
}

napi_value ObjectOfRefusal(napi_env env, const kvs_refusal &refusal) {
  Unit unit = UnitOfRefusal(refusal.status);
  Fields object(env);

  object.Add("status", NumberOf(env, refusal.status));
  object.Add("trackId", ValueOf(env, Unit::NUMBER, refusal.track_id));
  object.Add("value", ValueOf(env, unit, refusal.value));
  object.Add("previous", ValueOf(env, unit, refusal.previous));
  object.Add("limit", ValueOf(env, unit, refusal.limit));
  object.Add("window", ValueOf(env, Unit::TICKS, refusal.window));
  return object.Object();
}

}  // namespace kvs_addon
