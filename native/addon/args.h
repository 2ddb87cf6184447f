// SPDX-License-Identifier: Apache-2.0
// The arguments of one call, and the fields of an object that is one.
#ifndef KVS_ADDON_ARGS_H
#define KVS_ADDON_ARGS_H

#include "convert.h"

namespace kvs_addon {

// Reads arguments without any allocation. The first one that does not fit is
// told to JavaScript by name; from then on ok() is false, and what the readers
// return is harmless but means nothing.
class Args {
 public:
  static constexpr size_t kMax = 8;

  Args(napi_env env, napi_callback_info info);

  napi_env env() const {
    return env_;
  }
  napi_value self() const {
    return self_;
  }
  bool ok() const {
    return ok_;
  }
  void Fail() {
    ok_ = false;
  }
  napi_value Value(size_t at) const {
    return values_[at];
  }

  uint64_t Ticks(size_t at, const char *name);
  uint64_t TicksOrInfinity(size_t at, const char *name);
  uint64_t TicksOrNaN(size_t at, const char *name);
  uint64_t Integer(size_t at, const char *name);
  uint32_t Uint32(size_t at, const char *name);
  bool Boolean(size_t at, const char *name);
  Bytes Uint8Array(size_t at, const char *name, Shared shared);
  // Mono at |at|, wall after it.
  kvs_time Time(size_t at);

 private:
  napi_env env_;
  napi_value self_ = nullptr;
  napi_value values_[kMax];
  bool ok_;
};

// Reads fields in the same manner. A field may be a getter: user code runs, so
// that handles are looked at only after the last field has been read.
class Record {
 public:
  // |name| is what |object| is called when it is none.
  Record(napi_env env, napi_value object, const char *name, Texts *texts);

  bool ok() const {
    return ok_;
  }
  napi_value Value(const char *name);
  uint64_t Ticks(const char *name);
  uint64_t TicksOrInfinity(const char *name);
  uint64_t Integer(const char *name, double max);
  uint32_t Uint32(const char *name);
  double Double(const char *name);
  bool Boolean(const char *name);
  const char *Text(const char *name);
  // NULL for an empty text, too.
  const char *TextOrNull(const char *name);

 private:
  napi_env env_;
  napi_value object_;
  Texts *texts_;
  bool ok_;
};

}  // namespace kvs_addon

#endif
