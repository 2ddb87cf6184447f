// SPDX-License-Identifier: Apache-2.0
// NativeClient of lib/native/binding.ts: one kvs_client.
#ifndef KVS_ADDON_CLIENT_WRAP_H
#define KVS_ADDON_CLIENT_WRAP_H

#include "args.h"
#include "host.h"

namespace kvs_addon {

class ClientWrap : public Napi::ObjectWrap<ClientWrap> {
 public:
  static constexpr const char *kName = "a NativeClient";
  static constexpr napi_type_tag kTag = {0x6b76732d636c6965u,
                                         0x8f1d0c53a7e24b96u};

  static Napi::Function Define(Napi::Env env);

  explicit ClientWrap(const Napi::CallbackInfo &info);
  ~ClientWrap() override;

 private:
  napi_value CreateStream(Args *args);
  napi_value Step(Args *args);
  napi_value Deadline(Args *args);
  napi_value Events(Args *args);
  napi_value Answer(Args *args);
  napi_value Metrics(Args *args);
  napi_value Check(Args *args);
  napi_value Close(Args *args);

  napi_value Pack(const Args *args, kvs_status status) const;

  Host *host_ = nullptr;
};

}  // namespace kvs_addon

#endif
