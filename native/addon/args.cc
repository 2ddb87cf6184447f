// SPDX-License-Identifier: Apache-2.0
// Every reader does nothing once one has failed, so that a method reads all it
// needs and asks ok() once.
#include "args.h"

namespace kvs_addon {

Args::Args(napi_env env, napi_callback_info info) : env_(env) {
  size_t count = kMax;

  // Arguments that were not given are set to undefined.
  ok_ =
      napi_get_cb_info(env, info, &count, values_, &self_, nullptr) == napi_ok;
}

uint64_t Args::Ticks(size_t at, const char *name) {
  uint64_t ticks = 0;

  ok_ = ok_ && ReadTicks(env_, values_[at], name, Forever::kRefused, &ticks);
  return ticks;
}

uint64_t Args::TicksOrInfinity(size_t at, const char *name) {
  uint64_t ticks = 0;

  ok_ = ok_ && ReadTicks(env_, values_[at], name, Forever::kNever, &ticks);
  return ticks;
}

uint64_t Args::TicksOrNaN(size_t at, const char *name) {
  uint64_t ticks = 0;

  ok_ = ok_ && ReadTicksOrNaN(env_, values_[at], name, &ticks);
  return ticks;
}

uint64_t Args::Integer(size_t at, const char *name) {
  uint64_t integer = 0;

  ok_ = ok_ && ReadInteger(env_, values_[at], name, kMaxSafeInteger, &integer);
  return integer;
}

uint32_t Args::Uint32(size_t at, const char *name) {
  uint64_t integer = 0;

  ok_ = ok_ && ReadInteger(env_, values_[at], name, kMaxUint32, &integer);
  return static_cast<uint32_t>(integer);
}

bool Args::Boolean(size_t at, const char *name) {
  bool boolean = false;

  ok_ = ok_ && ReadBoolean(env_, values_[at], name, &boolean);
  return boolean;
}

Bytes Args::Uint8Array(size_t at, const char *name, Shared shared) {
  Bytes bytes = {};

  ok_ = ok_ && ReadBytes(env_, values_[at], name, shared, &bytes);
  return bytes;
}

kvs_time Args::Time(size_t at) {
  uint64_t mono = Ticks(at, "mono");
  uint64_t wall = Ticks(at + 1, "wall");

  return {mono, wall};
}

Record::Record(napi_env env, napi_value object, const char *name, Texts *texts)
    : env_(env), object_(object), texts_(texts) {
  napi_valuetype type = napi_undefined;

  ok_ = napi_typeof(env, object, &type) == napi_ok && type == napi_object;
  if (!ok_) {
    ThrowType(env, name, "an object");
  }
}

napi_value Record::Value(const char *name) {
  napi_value value = nullptr;

  ok_ = ok_ && napi_get_named_property(env_, object_, name, &value) == napi_ok;
  return value;
}

uint64_t Record::Ticks(const char *name) {
  uint64_t ticks = 0;
  napi_value value = Value(name);

  ok_ = ok_ && ReadTicks(env_, value, name, Forever::kRefused, &ticks);
  return ticks;
}

uint64_t Record::TicksOrInfinity(const char *name) {
  uint64_t ticks = 0;
  napi_value value = Value(name);

  ok_ = ok_ && ReadTicks(env_, value, name, Forever::kNever, &ticks);
  return ticks;
}

uint64_t Record::Integer(const char *name, double max) {
  uint64_t integer = 0;
  napi_value value = Value(name);

  ok_ = ok_ && ReadInteger(env_, value, name, max, &integer);
  return integer;
}

uint32_t Record::Uint32(const char *name) {
  return static_cast<uint32_t>(Integer(name, kMaxUint32));
}

double Record::Double(const char *name) {
  double number = 0;
  napi_value value = Value(name);

  ok_ = ok_ && ReadDouble(env_, value, name, &number);
  return number;
}

bool Record::Boolean(const char *name) {
  bool boolean = false;
  napi_value value = Value(name);

  ok_ = ok_ && ReadBoolean(env_, value, name, &boolean);
  return boolean;
}

const char *Record::Text(const char *name) {
  napi_value value = Value(name);
  const char *text = ok_ ? texts_->Read(value, name) : nullptr;

  ok_ = text != nullptr;
  return text;
}

const char *Record::TextOrNull(const char *name) {
  const char *text = Text(name);

  return text == nullptr || *text == '\0' ? nullptr : text;
}

}  // namespace kvs_addon
