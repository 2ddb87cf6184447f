// SPDX-License-Identifier: Apache-2.0
// Figures of the core as objects. All return NULL when an exception is pending.
#ifndef KVS_ADDON_METRICS_H
#define KVS_ADDON_METRICS_H

#include <kvs/kvs.h>
#include <napi.h>

namespace kvs_addon {

napi_value ObjectOfClientMetrics(napi_env env,
                                 const kvs_client_metrics &metrics);
napi_value ObjectOfStreamMetrics(napi_env env,
                                 const kvs_stream_metrics &metrics);
napi_value ObjectOfRefusal(napi_env env, const kvs_refusal &refusal);

}  // namespace kvs_addon

#endif
