// SPDX-License-Identifier: Apache-2.0
// Values between JavaScript and C: numbers, times, bytes, objects.
#ifndef KVS_ADDON_CONVERT_H
#define KVS_ADDON_CONVERT_H

#include <kvs/kvs.h>
#include <napi.h>

namespace kvs_addon {

// 2^43 ms, the year 2248: up to here a double of milliseconds is within half a
// microsecond of what was meant.
constexpr double kMaxMs = 8796093022208.0;
// 2^39 ms, 17 years: below it a double is within half a tick.
constexpr double kMaxExactMs = 549755813888.0;
constexpr double kMaxUint32 = 4294967295.0;
constexpr double kMaxSafeInteger = 9007199254740991.0;

// |ms| is 0 to kMaxMs.
uint64_t TicksOfMs(double ms);
// Infinity for KVS_NEVER; the inverse of TicksOfMs for whole microseconds.
double MsOfTicks(uint64_t ticks);

// What Infinity means where a time is asked for.
enum class Forever { kRefused, kNever };
// Whether the bytes may lie on a SharedArrayBuffer. Another thread could change
// them while the core, which looks at its input twice, reads them.
enum class Shared { kRefused, kAllowed };

// Bytes of a Uint8Array, valid until JavaScript runs again.
struct Bytes {
  uint8_t *data;
  size_t len;
};

// Readers of one value. When it does not fit they throw an error that calls it
// |name| and return false; Node-API keeps the first of several errors.
bool ReadTicks(napi_env env, napi_value value, const char *name,
               Forever forever, uint64_t *ticks);
// NaN gives KVS_NEVER: "not given".
bool ReadTicksOrNaN(napi_env env, napi_value value, const char *name,
                    uint64_t *ticks);
bool ReadInteger(napi_env env, napi_value value, const char *name, double max,
                 uint64_t *integer);
bool ReadDouble(napi_env env, napi_value value, const char *name,
                double *number);
bool ReadBoolean(napi_env env, napi_value value, const char *name,
                 bool *boolean);
bool ReadBytes(napi_env env, napi_value value, const char *name, Shared shared,
               Bytes *bytes);

void ThrowType(napi_env env, const char *name, const char *wanted);
void ThrowRange(napi_env env, const char *name, const char *wanted);
// An Error with the status's name as message and its number as |code|.
void ThrowStatus(napi_env env, kvs_status status);

napi_value NumberOf(napi_env env, double number);
napi_value BooleanOf(napi_env env, bool boolean);
napi_value TextOf(napi_env env, const char *text, size_t len);
napi_value UndefinedOf(napi_env env);

// Texts of one call as C strings.
class Texts {
 public:
  explicit Texts(napi_env env) : env_(env) {
  }
  ~Texts();
  Texts(const Texts &) = delete;
  Texts &operator=(const Texts &) = delete;

  // Lives as long as this. NULL after a failure, which has been thrown; a text
  // with a zero character is one, since C would see another text than
  // JavaScript does.
  const char *Read(napi_value value, const char *name);

 private:
  struct Node {
    Node *next;
  };

  napi_env env_;
  Node *head_ = nullptr;
};

// Makes an object of own data properties. Setters on Object.prototype are not
// run, so that no user code runs inside a native call.
class Fields {
 public:
  static constexpr size_t kMax = 64;

  explicit Fields(napi_env env) : env_(env) {
  }
  // |name| must live until Object(). A NULL |value| makes Object() fail, too.
  void Add(const char *name, napi_value value);
  // NULL when an exception is pending.
  napi_value Object() const;

 private:
  napi_env env_;
  size_t count_ = 0;
  bool failed_ = false;
  napi_property_descriptor properties_[kMax];
};

}  // namespace kvs_addon

#endif
