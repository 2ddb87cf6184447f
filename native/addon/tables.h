// SPDX-License-Identifier: Apache-2.0
// Names in JavaScript's case and units of the core's tables, made at compile
// time from the same .def files as the core's structs.
#ifndef KVS_ADDON_TABLES_H
#define KVS_ADDON_TABLES_H

#include <stddef.h>

#include "convert.h"

namespace kvs_addon {

// The units of events.def and metrics.def.
enum class Unit { TICKS, BYTES, COUNT, NUMBER, STATUS, FLAG };

constexpr size_t kMaxName = 40;

struct Name {
  char text[kMaxName];
};

// "ack_type" becomes "ackType".
template <size_t N>
constexpr Name CamelCase(const char (&name)[N]) {
  static_assert(N <= kMaxName, "a name of the tables is longer than kMaxName");
  Name camel = {};
  size_t len = 0;
  bool upper = false;

  for (size_t i = 0; i + 1 < N; i++) {
    char letter = name[i];
    if (letter == '_') {
      upper = true;
      continue;
    }
    camel.text[len++] = upper && letter >= 'a' && letter <= 'z'
                            ? static_cast<char>(letter - 'a' + 'A')
                            : letter;
    upper = false;
  }
  return camel;
}

struct Field {
  Name name;
  Unit unit;
};

// Milliseconds for TICKS, a boolean for FLAG, Infinity for KVS_NEVER.
inline napi_value ValueOf(napi_env env, Unit unit, uint64_t value) {
  if (unit == Unit::FLAG) {
    return BooleanOf(env, value != 0);
  }
  return NumberOf(env, unit == Unit::TICKS || value == KVS_NEVER
                           ? MsOfTicks(value)
                           : static_cast<double>(value));
}

}  // namespace kvs_addon

#endif
