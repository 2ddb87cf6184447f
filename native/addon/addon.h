// SPDX-License-Identifier: Apache-2.0
// What one environment (the main thread or a worker) holds of this addon.
#ifndef KVS_ADDON_ADDON_H
#define KVS_ADDON_ADDON_H

#include "host.h"

namespace kvs_addon {

// The instance data of an environment; nothing in the addon is static.
struct Addon {
  Napi::FunctionReference stream_class;
  // What createStream hands to the constructor of NativeStream, which takes
  // it; else NULL, so that JavaScript cannot construct one.
  Host *new_host = nullptr;
  kvs_stream *new_stream = nullptr;
};

}  // namespace kvs_addon

#endif
