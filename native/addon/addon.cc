// SPDX-License-Identifier: Apache-2.0
// The addon's entry, once for each environment. There is no clean-up hook:
// Node-API runs the finalizers of all wraps when an environment ends, whichever
// way it does, and those free the arenas.
#include "addon.h"

#include "client_wrap.h"
#include "stream_wrap.h"

namespace kvs_addon {
namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  Addon *addon = new Addon();

  addon->stream_class = Napi::Persistent(StreamWrap::Define(env));
  env.SetInstanceData(addon);
  exports.Set("NativeClient", ClientWrap::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(kinesis_video, Init)

}  // namespace kvs_addon
