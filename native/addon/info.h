// SPDX-License-Identifier: Apache-2.0
// NativeDeviceInfo and NativeStreamInfo as the structs of kvs.h.
#ifndef KVS_ADDON_INFO_H
#define KVS_ADDON_INFO_H

#include "convert.h"

namespace kvs_addon {

// All return false when an exception is pending. The texts of |info| live as
// long as |texts|, its codec private data until JavaScript runs again.
bool ReadDeviceInfo(napi_env env, napi_value value, Texts *texts,
                    kvs_device_info *info, uint64_t *seed);
bool ReadStreamInfo(napi_env env, napi_value value, Texts *texts,
                    kvs_stream_info *info);
// |names| and |values| are arrays of one length.
bool ReadEventMetadata(napi_env env, napi_value prefix, napi_value names,
                       napi_value values, Texts *texts,
                       kvs_event_metadata *metadata);

}  // namespace kvs_addon

#endif
