// SPDX-License-Identifier: Apache-2.0
// What the core told since JavaScript last asked.
#ifndef KVS_ADDON_EVENTS_H
#define KVS_ADDON_EVENTS_H

#include <kvs/kvs.h>
#include <napi.h>

namespace kvs_addon {

// Copies of events, oldest first, in one growing block of memory.
class EventLog {
 public:
  EventLog() = default;
  ~EventLog();
  EventLog(const EventLog &) = delete;
  EventLog &operator=(const EventLog &) = delete;

  bool IsEmpty() const {
    return len_ == 0;
  }
  // Aborts the process when there is no memory: an event that is a service
  // call and gets lost would leave its stream waiting for ever.
  void Append(const kvs_event *event);
  void Clear();
  // An array of NativeEvent; empties the log. NULL when an exception is
  // pending.
  napi_value Take(napi_env env);

 private:
  void Reserve(size_t more);

  unsigned char *bytes_ = nullptr;
  size_t len_ = 0;
  size_t capacity_ = 0;
};

}  // namespace kvs_addon

#endif
