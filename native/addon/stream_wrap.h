// SPDX-License-Identifier: Apache-2.0
// NativeStream of lib/native/binding.ts: one kvs_stream.
#ifndef KVS_ADDON_STREAM_WRAP_H
#define KVS_ADDON_STREAM_WRAP_H

#include "args.h"
#include "host.h"

namespace kvs_addon {

class StreamWrap : public Napi::ObjectWrap<StreamWrap> {
 public:
  static constexpr const char *kName = "a NativeStream";
  static constexpr napi_type_tag kTag = {0x6b76732d73747265u,
                                         0x5ad2b46e91f03c87u};

  static Napi::Function Define(Napi::Env env);
  // Wraps |stream|, which it owns from then on, even when it fails: then it
  // returns NULL, and an exception is pending.
  static napi_value New(napi_env env, Host *host, kvs_stream *stream);

  explicit StreamWrap(const Napi::CallbackInfo &info);
  ~StreamWrap() override;

 private:
  napi_value Id(Args *args);
  napi_value Put(Args *args);
  napi_value Take(Args *args);
  napi_value ParseAck(Args *args);
  napi_value Answer(Args *args);
  napi_value SessionEnded(Args *args);
  napi_value PutMetadata(Args *args);
  napi_value PutEvent(Args *args);
  napi_value FormatChanged(Args *args);
  napi_value Stop(Args *args);
  napi_value Start(Args *args);
  napi_value Reset(Args *args);
  napi_value ResetConnection(Args *args);
  napi_value Metrics(Args *args);
  napi_value LastRefusal(Args *args);
  napi_value Free(Args *args);

  bool IsGone() const {
    return link_.core == nullptr;
  }
  napi_value Pack(const Args *args, kvs_status status) const;

  Host *host_ = nullptr;
  StreamLink link_;
  uint32_t id_ = 0;
};

}  // namespace kvs_addon

#endif
