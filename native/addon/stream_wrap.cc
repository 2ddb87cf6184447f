// SPDX-License-Identifier: Apache-2.0
// Each method: read, guard, call, convert. A stream whose client is closed, or
// that was freed, answers STATUS_INVALID_OPERATION.
#include "stream_wrap.h"

#include "addon.h"
#include "info.h"
#include "method.h"
#include "metrics.h"

namespace kvs_addon {
namespace {

// TAKE_* of lib/native/binding.ts.
enum Outcome : uint32_t {
  kData = 0,
  kNoMoreData = 1,
  kAwaitingAck = 2,
  kEnd = 3,
  kAborted = 4
};

Outcome OutcomeOf(kvs_status status) {
  switch (status) {
    case KVS_OK:
      return kData;
    case KVS_STATUS_NO_MORE_DATA_AVAILABLE:
      return kNoMoreData;
    case KVS_STATUS_AWAITING_PERSISTED_ACK:
      return kAwaitingAck;
    case KVS_STATUS_END_OF_STREAM:
      return kEnd;
    default:
      return kAborted;
  }
}

}  // namespace

Napi::Function StreamWrap::Define(Napi::Env env) {
  return DefineClass(
      env, "NativeStream",
      {Getter<StreamWrap, &StreamWrap::Id>("id"),
       Method<StreamWrap, &StreamWrap::Put>("put"),
       Method<StreamWrap, &StreamWrap::Take>("take"),
       Method<StreamWrap, &StreamWrap::ParseAck>("parseAck"),
       Method<StreamWrap, &StreamWrap::Answer>("answer"),
       Method<StreamWrap, &StreamWrap::SessionEnded>("sessionEnded"),
       Method<StreamWrap, &StreamWrap::PutMetadata>("putMetadata"),
       Method<StreamWrap, &StreamWrap::PutEvent>("putEvent"),
       Method<StreamWrap, &StreamWrap::FormatChanged>("formatChanged"),
       Method<StreamWrap, &StreamWrap::Stop>("stop"),
       Method<StreamWrap, &StreamWrap::Start>("start"),
       Method<StreamWrap, &StreamWrap::Reset>("reset"),
       Method<StreamWrap, &StreamWrap::ResetConnection>("resetConnection"),
       Method<StreamWrap, &StreamWrap::Metrics>("metrics"),
       Method<StreamWrap, &StreamWrap::LastRefusal>("lastRefusal"),
       Method<StreamWrap, &StreamWrap::Free>("free")});
}

napi_value StreamWrap::New(napi_env env, Host *host, kvs_stream *stream) {
  Addon *addon = Napi::Env(env).GetInstanceData<Addon>();

  addon->new_host = host;
  addon->new_stream = stream;
  Napi::Object wrap = addon->stream_class.New({});
  if (addon->new_stream != nullptr) {
    // The constructor was not reached: the environment is being torn down.
    addon->new_stream = nullptr;
    kvs_stream_free(stream);
  }
  return wrap;
}

StreamWrap::StreamWrap(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<StreamWrap>(info) {
  Addon *addon = info.Env().GetInstanceData<Addon>();

  if (addon->new_stream == nullptr) {
    ThrowType(info.Env(), "a NativeStream", "made by createStream");
    return;
  }
  host_ = addon->new_host;
  host_->Hold();
  host_->Link(&link_, addon->new_stream);
  id_ = kvs_stream_id(link_.core);
  addon->new_stream = nullptr;
  napi_type_tag_object(info.Env(), info.This(), &kTag);
}

StreamWrap::~StreamWrap() {
  if (host_ != nullptr) {
    host_->Unlink(&link_);
    host_->Release();
  }
}

// status * 4 + flags, as lib/native/packed.ts takes it apart.
napi_value StreamWrap::Pack(const Args *args, kvs_status status) const {
  return NumberOf(args->env(),
                  static_cast<double>(status) * 4 + host_->Flags());
}

napi_value StreamWrap::Id(Args *args) {
  return NumberOf(args->env(), id_);
}

napi_value StreamWrap::Put(Args *args) {
  kvs_frame frame;
  Bytes data = args->Uint8Array(0, "frameData", Shared::kRefused);

  frame.data = data.data;
  frame.size = data.len;
  frame.flags = args->Uint32(1, "flags");
  frame.track_id = args->Integer(2, "trackId");
  frame.dts = args->TicksOrNaN(3, "decodingTs");
  frame.pts = args->Ticks(4, "presentationTs");
  frame.duration = args->Ticks(5, "duration");
  kvs_time now = args->Time(6);
  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_put(link_.core, &frame, now));
}

napi_value StreamWrap::Take(Args *args) {
  size_t taken = 0;
  uint64_t session = args->Integer(0, "session");
  Bytes into = args->Uint8Array(1, "into", Shared::kAllowed);
  kvs_time now = args->Time(2);
  kvs_status status = KVS_STATUS_INVALID_OPERATION;

  if (!args->ok()) {
    return nullptr;
  }
  if (into.len == 0) {
    ThrowRange(args->env(), "into", "at least 1 byte long");
    return nullptr;
  }
  if (!IsGone()) {
    status =
        kvs_stream_take(link_.core, session, into.data, into.len, now, &taken);
  }
  uint32_t low = OutcomeOf(status) * 4u + host_->Flags();
  return NumberOf(args->env(), static_cast<double>(taken) * 32 + low);
}

napi_value StreamWrap::ParseAck(Args *args) {
  uint64_t session = args->Integer(0, "session");
  Bytes bytes = args->Uint8Array(1, "bytes", Shared::kRefused);
  kvs_time now = args->Time(2);

  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_parse_ack(link_.core, session, bytes.data,
                                         bytes.len, now));
}

napi_value StreamWrap::Answer(Args *args) {
  kvs_answer answer = {};

  answer.call = args->Integer(0, "call");
  answer.result = args->Uint32(1, "result");
  answer.stream_status =
      static_cast<kvs_stream_status>(args->Uint32(2, "streamStatus") & 3);
  answer.retention = args->TicksOrInfinity(3, "retention");
  answer.expiration = args->TicksOrInfinity(4, "expiration");
  kvs_time now = args->Time(5);
  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_answer(link_.core, &answer, now));
}

napi_value StreamWrap::SessionEnded(Args *args) {
  uint64_t session = args->Integer(0, "session");
  uint32_t result = args->Uint32(1, "result");
  kvs_time now = args->Time(2);

  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_session_ended(link_.core, session, result, now));
}

napi_value StreamWrap::PutMetadata(Args *args) {
  Texts texts(args->env());
  const char *name = texts.Read(args->Value(0), "name");
  const char *value =
      name == nullptr ? nullptr : texts.Read(args->Value(1), "value");

  if (value == nullptr) {
    return nullptr;
  }
  bool persistent = args->Boolean(2, "persistent");
  kvs_time now = args->Time(3);
  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(
      args, kvs_stream_put_metadata(link_.core, name, value, persistent, now));
}

napi_value StreamWrap::PutEvent(Args *args) {
  Texts texts(args->env());
  kvs_event_metadata metadata;
  uint32_t events = args->Uint32(0, "events");
  kvs_time now = args->Time(4);

  if (!args->ok() ||
      !ReadEventMetadata(args->env(), args->Value(1), args->Value(2),
                         args->Value(3), &texts, &metadata)) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_put_event(link_.core, events, &metadata, now));
}

napi_value StreamWrap::FormatChanged(Args *args) {
  uint64_t track = args->Integer(0, "trackId");
  Bytes cpd = args->Uint8Array(1, "codecPrivateData", Shared::kRefused);
  kvs_time now = args->Time(2);

  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  if (cpd.len > KVS_MAX_CODEC_PRIVATE_LEN) {
    // Longer than the 32 bits that the core takes, perhaps: its answer is ours.
    return Pack(args, KVS_STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH);
  }
  return Pack(args,
              kvs_stream_format_changed(link_.core, track, cpd.data,
                                        static_cast<uint32_t>(cpd.len), now));
}

napi_value StreamWrap::Stop(Args *args) {
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  return Pack(args, IsGone()
                        ? static_cast<kvs_status>(KVS_STATUS_INVALID_OPERATION)
                        : kvs_stream_stop(link_.core, now));
}

napi_value StreamWrap::Start(Args *args) {
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  return Pack(args, IsGone()
                        ? static_cast<kvs_status>(KVS_STATUS_INVALID_OPERATION)
                        : kvs_stream_start(link_.core, now));
}

napi_value StreamWrap::Reset(Args *args) {
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  return Pack(args, IsGone()
                        ? static_cast<kvs_status>(KVS_STATUS_INVALID_OPERATION)
                        : kvs_stream_reset(link_.core, now));
}

napi_value StreamWrap::ResetConnection(Args *args) {
  bool hard = args->Boolean(0, "hard");
  kvs_time now = args->Time(1);

  if (!args->ok()) {
    return nullptr;
  }
  if (IsGone()) {
    return Pack(args, KVS_STATUS_INVALID_OPERATION);
  }
  return Pack(args, kvs_stream_reset_connection(link_.core, hard, now));
}

napi_value StreamWrap::Metrics(Args *args) {
  kvs_stream_metrics metrics = {};
  kvs_status status = KVS_STATUS_INVALID_OPERATION;
  kvs_time now = args->Time(0);

  if (!args->ok()) {
    return nullptr;
  }
  if (!IsGone()) {
    status = kvs_stream_get_metrics(link_.core, now, &metrics);
  }
  if (status != KVS_OK) {
    ThrowStatus(args->env(), status);
    return nullptr;
  }
  return ObjectOfStreamMetrics(args->env(), metrics);
}

napi_value StreamWrap::LastRefusal(Args *args) {
  kvs_refusal refusal = {};

  if (IsGone()) {
    refusal.status = KVS_STATUS_INVALID_OPERATION;
  } else {
    kvs_stream_last_refusal(link_.core, &refusal);
  }
  return ObjectOfRefusal(args->env(), refusal);
}

napi_value StreamWrap::Free(Args *args) {
  host_->Unlink(&link_);
  return UndefinedOf(args->env());
}

}  // namespace kvs_addon
