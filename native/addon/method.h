// SPDX-License-Identifier: Apache-2.0
// How JavaScript gets to a method of a wrap class.
#ifndef KVS_ADDON_METHOD_H
#define KVS_ADDON_METHOD_H

#include "args.h"

namespace kvs_addon {

// One call: reads the arguments, proves by its type tag that |this| is a Wrap,
// calls. In place of Napi::CallbackInfo, which allocates above six arguments.
template <typename Wrap, napi_value (Wrap::*kMethod)(Args *)>
napi_value Call(napi_env env, napi_callback_info info) {
  Args args(env, info);
  void *wrap = nullptr;
  bool tagged = false;

  if (!args.ok() ||
      napi_check_object_type_tag(env, args.self(), &Wrap::kTag, &tagged) !=
          napi_ok ||
      !tagged || napi_unwrap(env, args.self(), &wrap) != napi_ok) {
    ThrowType(env, "this", Wrap::kName);
    return nullptr;
  }
  return (static_cast<Wrap *>(wrap)->*kMethod)(&args);
}

template <typename Wrap, napi_value (Wrap::*kMethod)(Args *)>
napi_property_descriptor Method(const char *name) {
  napi_property_descriptor method = {};

  method.utf8name = name;
  method.method = Call<Wrap, kMethod>;
  method.attributes = napi_default_method;
  return method;
}

template <typename Wrap, napi_value (Wrap::*kGetter)(Args *)>
napi_property_descriptor Getter(const char *name) {
  napi_property_descriptor getter = {};

  getter.utf8name = name;
  getter.getter = Call<Wrap, kGetter>;
  getter.attributes = napi_default;
  return getter;
}

}  // namespace kvs_addon

#endif
