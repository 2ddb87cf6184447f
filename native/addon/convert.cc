// SPDX-License-Identifier: Apache-2.0
// A time crosses as a double of milliseconds. Today's wall time is 1.7e12 ms or
// 1.7e16 ticks, more than the 53 bits of a double: so whole milliseconds and
// their fraction are converted apart, and where the double itself is coarser
// than a tick the fraction is rounded to microseconds, which it still holds.
#include "convert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <limits>

namespace kvs_addon {
namespace {

constexpr size_t kMaxMessage = 160;

bool ReadNumber(napi_env env, napi_value value, const char *name,
                double *number) {
  if (napi_get_value_double(env, value, number) == napi_ok) {
    return true;
  }
  ThrowType(env, name, "a number");
  return false;
}

}  // namespace

uint64_t TicksOfMs(double ms) {
  uint64_t whole = static_cast<uint64_t>(ms);
  double fraction = ms - static_cast<double>(whole);
  uint64_t ticks = ms < kMaxExactMs
                       ? static_cast<uint64_t>(fraction * 1e4 + 0.5)
                       : static_cast<uint64_t>(fraction * 1e3 + 0.5) * 10;

  return whole * KVS_TICKS_PER_MS + ticks;
}

double MsOfTicks(uint64_t ticks) {
  if (ticks == KVS_NEVER) {
    return std::numeric_limits<double>::infinity();
  }
  // Whole microseconds fit in 53 bits, so that one rounding remains, the same
  // as that of a literal in JavaScript.
  return ticks % 10 == 0 ? static_cast<double>(ticks / 10) / 1e3
                         : static_cast<double>(ticks) / 1e4;
}

bool ReadTicks(napi_env env, napi_value value, const char *name,
               Forever forever, uint64_t *ticks) {
  double ms = 0;

  if (!ReadNumber(env, value, name, &ms)) {
    return false;
  }
  if (ms >= 0 && ms <= kMaxMs) {
    *ticks = TicksOfMs(ms);
    return true;
  }
  if (forever == Forever::kNever &&
      ms == std::numeric_limits<double>::infinity()) {
    *ticks = KVS_NEVER;
    return true;
  }
  ThrowRange(env, name, "0 to 8796093022208 ms");
  return false;
}

bool ReadTicksOrNaN(napi_env env, napi_value value, const char *name,
                    uint64_t *ticks) {
  double ms = 0;

  if (!ReadNumber(env, value, name, &ms)) {
    return false;
  }
  if (ms != ms) {
    *ticks = KVS_NEVER;
    return true;
  }
  return ReadTicks(env, value, name, Forever::kRefused, ticks);
}

bool ReadInteger(napi_env env, napi_value value, const char *name, double max,
                 uint64_t *integer) {
  double number = 0;

  if (!ReadNumber(env, value, name, &number)) {
    return false;
  }
  if (number >= 0 && number <= max) {
    *integer = static_cast<uint64_t>(number);
    if (static_cast<double>(*integer) == number) {
      return true;
    }
  }
  char wanted[64];
  snprintf(wanted, sizeof wanted, "a whole number from 0 to %.0f", max);
  ThrowRange(env, name, wanted);
  return false;
}

bool ReadDouble(napi_env env, napi_value value, const char *name,
                double *number) {
  if (!ReadNumber(env, value, name, number)) {
    return false;
  }
  if (*number >= 0 && *number <= std::numeric_limits<double>::max()) {
    return true;
  }
  ThrowRange(env, name, "a finite number of at least 0");
  return false;
}

bool ReadBoolean(napi_env env, napi_value value, const char *name,
                 bool *boolean) {
  if (napi_get_value_bool(env, value, boolean) == napi_ok) {
    return true;
  }
  ThrowType(env, name, "a boolean");
  return false;
}

bool ReadBytes(napi_env env, napi_value value, const char *name, Shared shared,
               Bytes *bytes) {
  napi_typedarray_type type = napi_int8_array;
  napi_value buffer = nullptr;
  void *data = nullptr;
  bool owned = true;

  if (napi_get_typedarray_info(env, value, &type, &bytes->len, &data, &buffer,
                               nullptr) != napi_ok ||
      type != napi_uint8_array) {
    ThrowType(env, name, "a Uint8Array");
    return false;
  }
  if (shared == Shared::kRefused &&
      (napi_is_arraybuffer(env, buffer, &owned) != napi_ok || !owned)) {
    ThrowType(env, name, "a Uint8Array that is not on a SharedArrayBuffer");
    return false;
  }
  bytes->data = static_cast<uint8_t *>(data);
  return true;
}

void ThrowType(napi_env env, const char *name, const char *wanted) {
  char message[kMaxMessage];

  snprintf(message, sizeof message, "%s must be %s", name, wanted);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
}

void ThrowRange(napi_env env, const char *name, const char *wanted) {
  char message[kMaxMessage];

  snprintf(message, sizeof message, "%s must be %s", name, wanted);
  napi_throw_range_error(env, "ERR_OUT_OF_RANGE", message);
}

void ThrowStatus(napi_env env, kvs_status status) {
  napi_value error = nullptr;
  const char *name = kvs_status_name(status);

  if (napi_create_error(env, nullptr, TextOf(env, name, strlen(name)),
                        &error) != napi_ok) {
    return;
  }
  napi_property_descriptor code = {};
  code.utf8name = "code";
  code.value = NumberOf(env, status);
  code.attributes = napi_default_jsproperty;
  if (napi_define_properties(env, error, 1, &code) == napi_ok) {
    napi_throw(env, error);
  }
}

napi_value NumberOf(napi_env env, double number) {
  napi_value value = nullptr;

  return napi_create_double(env, number, &value) == napi_ok ? value : nullptr;
}

napi_value BooleanOf(napi_env env, bool boolean) {
  napi_value value = nullptr;

  return napi_get_boolean(env, boolean, &value) == napi_ok ? value : nullptr;
}

napi_value TextOf(napi_env env, const char *text, size_t len) {
  napi_value value = nullptr;

  return napi_create_string_utf8(env, text, len, &value) == napi_ok ? value
                                                                    : nullptr;
}

napi_value UndefinedOf(napi_env env) {
  napi_value value = nullptr;

  return napi_get_undefined(env, &value) == napi_ok ? value : nullptr;
}

Texts::~Texts() {
  while (head_ != nullptr) {
    Node *next = head_->next;
    free(head_);
    head_ = next;
  }
}

const char *Texts::Read(napi_value value, const char *name) {
  size_t len = 0;

  if (napi_get_value_string_utf8(env_, value, nullptr, 0, &len) != napi_ok) {
    ThrowType(env_, name, "a string");
    return nullptr;
  }
  void *block = malloc(sizeof(Node) + len + 1);
  if (block == nullptr) {
    ThrowStatus(env_, KVS_STATUS_NOT_ENOUGH_MEMORY);
    return nullptr;
  }
  head_ = new (block) Node{head_};
  char *text = static_cast<char *>(block) + sizeof(Node);
  if (napi_get_value_string_utf8(env_, value, text, len + 1, &len) != napi_ok) {
    ThrowType(env_, name, "a string");
    return nullptr;
  }
  if (strlen(text) != len) {
    ThrowRange(env_, name, "a string without zero characters");
    return nullptr;
  }
  return text;
}

void Fields::Add(const char *name, napi_value value) {
  if (value == nullptr || count_ == kMax) {
    failed_ = true;
    return;
  }
  napi_property_descriptor &property = properties_[count_];
  property = {};
  property.utf8name = name;
  property.value = value;
  property.attributes = napi_default_jsproperty;
  count_++;
}

napi_value Fields::Object() const {
  napi_value object = nullptr;

  if (failed_ || napi_create_object(env_, &object) != napi_ok ||
      napi_define_properties(env_, object, count_, properties_) != napi_ok) {
    return nullptr;
  }
  return object;
}

}  // namespace kvs_addon
