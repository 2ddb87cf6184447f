// SPDX-License-Identifier: Apache-2.0
// The log is a sequence of records, each a fixed head and its text, padded to
// 8 bytes. What the core tells is recorded after each call, so that its queue
// never fills; the objects are made later, in Take.
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "tables.h"

namespace kvs_addon {
namespace {

struct Record {
  uint32_t type;
  uint32_t stream;
  uint64_t text_len;
  uint64_t fields[KVS_EVENT_MAX_FIELDS];
};

// A log that grew beyond this in a storm of events is not kept.
constexpr size_t kKeptCapacity = 64 * 1024;

struct EventRow {
  Name type;
  size_t field_count;
  Field fields[KVS_EVENT_MAX_FIELDS];
};

template <size_t N>
constexpr EventRow Row(Name type, const Field (&fields)[N]) {
  static_assert(N <= KVS_EVENT_MAX_FIELDS, "an event has too many fields");
  EventRow row = {};

  row.type = type;
  row.field_count = N;
  for (size_t i = 0; i < N; i++) {
    row.fields[i] = fields[i];
  }
  return row;
}

constexpr EventRow kEvents[] = {
#define KVS_F(name, unit) Field{CamelCase(#name), Unit::unit},
#define KVS_EVENT(NAME, name, kind, fields) Row(CamelCase(#name), {fields}),
#include <kvs/events.def>
#undef KVS_EVENT
#undef KVS_F
};
static_assert(sizeof kEvents / sizeof kEvents[0] == KVS_EVENT_COUNT,
              "one row for each event");

constexpr size_t PaddedLen(size_t text_len) {
  return (text_len + 7) / 8 * 8;
}

napi_value ObjectOf(napi_env env, const Record &record, const char *text) {
  const EventRow &row = kEvents[record.type];
  Fields fields(env);

  fields.Add("type", TextOf(env, row.type.text, strlen(row.type.text)));
  fields.Add("stream", NumberOf(env, record.stream));
  for (size_t i = 0; i < row.field_count; i++) {
    fields.Add(row.fields[i].name.text,
               ValueOf(env, row.fields[i].unit, record.fields[i]));
  }
  if (record.type == KVS_EVENT_FRAGMENT_ACK_RECEIVED) {
    fields.Add("text", TextOf(env, text, record.text_len));
  }
  return fields.Object();
}

napi_value ArrayOf(napi_env env, const unsigned char *bytes, size_t len) {
  napi_value array = nullptr;
  uint32_t count = 0;

  if (napi_create_array(env, &array) != napi_ok) {
    return nullptr;
  }
  for (size_t at = 0; at < len; count++) {
    // An event is some 1 us of work and several handles: one scope for each.
    Napi::HandleScope scope(env);
    Record record;
    memcpy(&record, bytes + at, sizeof record);
    const char *text =
        reinterpret_cast<const char *>(bytes + at) + sizeof record;
    napi_value event = ObjectOf(env, record, text);
    if (event == nullptr ||
        napi_set_element(env, array, count, event) != napi_ok) {
      return nullptr;
    }
    at += sizeof record + PaddedLen(record.text_len);
  }
  return array;
}

}  // namespace

EventLog::~EventLog() {
  free(bytes_);
}

void EventLog::Reserve(size_t more) {
  if (more <= capacity_ - len_) {
    return;
  }
  size_t capacity = capacity_ == 0 ? 1024 : capacity_;
  while (more > capacity - len_) {
    capacity *= 2;
  }
  void *grown = realloc(bytes_, capacity);
  if (grown == nullptr) {
    abort();
  }
  bytes_ = static_cast<unsigned char *>(grown);
  capacity_ = capacity;
}

void EventLog::Append(const kvs_event *event) {
  size_t text_len = event->text == nullptr ? 0 : event->text_len;
  Record record = {event->type, event->stream, text_len, {}};

  if (event->type >= KVS_EVENT_COUNT) {
    return;
  }
  memcpy(record.fields, event->u.fields,
         kEvents[event->type].field_count * sizeof record.fields[0]);
  Reserve(sizeof record + PaddedLen(text_len));
  memcpy(bytes_ + len_, &record, sizeof record);
  if (text_len > 0) {
    memcpy(bytes_ + len_ + sizeof record, event->text, text_len);
  }
  len_ += sizeof record + PaddedLen(text_len);
}

void EventLog::Clear() {
  len_ = 0;
  if (capacity_ > kKeptCapacity) {
    free(bytes_);
    bytes_ = nullptr;
    capacity_ = 0;
  }
}

napi_value EventLog::Take(napi_env env) {
  napi_value array = ArrayOf(env, bytes_, len_);

  Clear();
  return array;
}

}  // namespace kvs_addon
