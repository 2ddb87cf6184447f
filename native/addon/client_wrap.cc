// SPDX-License-Identifier: Apache-2.0
// Each method: read, guard, call, convert. The guard comes after the reading,
// since reading an object may run user code, which may close the client.
#include "client_wrap.h"

#include "addon.h"
#include "info.h"
#include "method.h"
#include "metrics.h"
#include "stream_wrap.h"

namespace kvs_addon {

Napi::Function ClientWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "NativeClient",
      {Method<ClientWrap, &ClientWrap::CreateStream>("createStream"),
       Method<ClientWrap, &ClientWrap::Step>("step"),
       Method<ClientWrap, &ClientWrap::Deadline>("deadline"),
       Method<ClientWrap, &ClientWrap::Events>("events"),
       Method<ClientWrap, &ClientWrap::Answer>("answer"),
       Method<ClientWrap, &ClientWrap::Metrics>("metrics"),
       Method<ClientWrap, &ClientWrap::Check>("check"),
       Method<ClientWrap, &ClientWrap::Close>("close")});
}

ClientWrap::ClientWrap(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<ClientWrap>(info) {
  Args args(info.Env(), static_cast<napi_callback_info>(info));
  Texts texts(info.Env());
  kvs_device_info device = {};
  uint64_t seed = 0;
  kvs_status status = KVS_OK;

  if (!ReadDeviceInfo(info.Env(), args.Value(0), &texts, &device, &seed)) {
    return;
  }
  kvs_time now = args.Time(1);
  if (!args.ok()) {
    return;
  }
  host_ = Host::Create(device, seed, now, &status);
  if (host_ == nullptr) {
    ThrowStatus(info.Env(), status);
    return;
  }
  napi_type_tag_object(info.Env(), info.This(), &kTag);
}

ClientWrap::~ClientWrap() {
  if (host_ != nullptr) {
    host_->Release();
  }
}

// status * 4 + flags, as lib/native/packed.ts takes it apart.
napi_value ClientWrap::Pack(const Args *args, kvs_status status) const {
  return NumberOf(args->env(),
                  static_cast<double>(status) * 4 + host_->Flags());
}

napi_value ClientWrap::CreateStream(Args *args) {
  Texts texts(args->env());
  kvs_stream_info info;
  kvs_stream *stream = nullptr;
  kvs_time now = args->Time(1);

  if (!args->ok() ||
      !ReadStreamInfo(args->env(), args->Value(0), &texts, &info)) {
    return nullptr;
  }
  kvs_status status = KVS_STATUS_INVALID_OPERATION;
  if (host_->client() != nullptr) {
    status = kvs_stream_create(host_->client(), &info, now, &stream);
  }
  if (status != KVS_OK) {
    ThrowStatus(args->env(), status);
    return nullptr;
  }
  return StreamWrap::New(args->env(), host_, stream);
}

napi_value ClientWrap::Step(Args *args) {
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  if (host_->client() == nullptr) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  kvs_status status = kvs_client_step(host_->client(), now);
  // A timer that came early has been used up, and needs to be set again.
  host_->ForgetDeadline();
  return Pack(args, status);
}

napi_value ClientWrap::Deadline(Args *args) {
  return NumberOf(args->env(), MsOfTicks(host_->TellDeadline()));
}

napi_value ClientWrap::Events(Args *args) {
  return host_->events().Take(args->env());
}

napi_value ClientWrap::Answer(Args *args) {
  kvs_answer answer = {};

  answer.call = args->Integer(0, "call");
  answer.result = args->Uint32(1, "result");
  answer.expiration = args->TicksOrInfinity(2, "expiration");
  kvs_time now = args->Time(3);
  if (!args->ok()) {
    return nullptr;
  }
  if (host_->client() == nullptr) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_client_answer(host_->client(), &answer, now));
}

napi_value ClientWrap::Metrics(Args *args) {
  kvs_client_metrics metrics = {};
  kvs_status status = KVS_STATUS_INVALID_OPERATION;
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  if (host_->client() != nullptr) {
    status = kvs_client_get_metrics(host_->client(), now, &metrics);
  }
  if (status != KVS_OK) {
    ThrowStatus(args->env(), status);
    return nullptr;
  }
  return ObjectOfClientMetrics(args->env(), metrics);
}

napi_value ClientWrap::Check(Args *args) {
  kvs_status status =
      host_->client() == nullptr
          ? static_cast<kvs_status>(KVS_STATUS_INVALID_OPERATION)
          : kvs_client_check(host_->client());

  return NumberOf(args->env(), status);
}

napi_value ClientWrap::Close(Args *args) {
  host_->Close();
  return UndefinedOf(args->env());
}

}  // namespace kvs_addon
