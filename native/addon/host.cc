// SPDX-License-Identifier: Apache-2.0
// The arena is plain malloc memory of the size that the user asked for. The
// system commits its pages when the core first writes to them, so nothing here
// touches it, and V8 is not told of it as external memory: at 128 MiB a client,
// mostly untouched, the garbage collector would run for memory that is not in
// use and that it could not free.
#include "host.h"

#include <stdint.h>
#include <stdlib.h>

namespace kvs_addon {
namespace {

constexpr uint32_t kFlagEvents = 1;
constexpr uint32_t kFlagDeadline = 2;

}  // namespace

uint32_t Host::OnRandom(void *user) {
  return static_cast<Host *>(user)->random_.Next();
}

Host *Host::Create(const kvs_device_info &info, uint64_t seed, kvs_time now,
                   kvs_status *status) {
  Host *host = new Host();

  *status = host->Open(info, seed, now);
  if (*status == KVS_OK) {
    return host;
  }
  host->Release();
  return nullptr;
}

kvs_status Host::Open(const kvs_device_info &info, uint64_t seed,
                      kvs_time now) {
  uint64_t size = info.storage.storage_size;
  const kvs_callbacks callbacks = {KVS_CALLBACKS_VERSION, this, OnRandom};

  // The core checks this, too, but memory is asked for before it is called.
  if (size < KVS_MIN_STORAGE_SIZE || size > KVS_MAX_STORAGE_SIZE) {
    return KVS_STATUS_INVALID_STORAGE_SIZE;
  }
  arena_ = size <= SIZE_MAX ? malloc(static_cast<size_t>(size)) : nullptr;
  if (arena_ == nullptr) {
    return KVS_STATUS_NOT_ENOUGH_MEMORY;
  }
  random_.Seed(seed);
  return kvs_client_create(arena_, static_cast<size_t>(size), &info, &callbacks,
                           now, &client_);
}

Host::~Host() {
  Close();
}

void Host::Hold() {
  references_++;
}

void Host::Release() {
  if (--references_ == 0) {
    delete this;
  }
}

void Host::Close() {
  for (StreamLink *link = streams_; link != nullptr; link = link->next) {
    link->core = nullptr;
  }
  if (client_ != nullptr) {
    kvs_client_free(client_);
    client_ = nullptr;
  }
  free(arena_);
  arena_ = nullptr;
  events_.Clear();
}

void Host::Link(StreamLink *link, kvs_stream *stream) {
  link->core = stream;
  link->previous = nullptr;
  link->next = streams_;
  if (streams_ != nullptr) {
    streams_->previous = link;
  }
  streams_ = link;
}

void Host::Unlink(StreamLink *link) {
  if (link->core != nullptr) {
    kvs_stream_free(link->core);
    link->core = nullptr;
  }
  if (link->next != nullptr) {
    link->next->previous = link->previous;
  }
  if (link->previous != nullptr) {
    link->previous->next = link->next;
  } else if (streams_ == link) {
    streams_ = link->next;
  }
  link->previous = nullptr;
  link->next = nullptr;
}

EventLog &Host::events() {
  if (client_ != nullptr) {
    while (const kvs_event *event = kvs_client_next_event(client_)) {
      events_.Append(event);
    }
  }
  return events_;
}

uint64_t Host::TellDeadline() {
  told_deadline_ =
      client_ == nullptr ? KVS_NEVER : kvs_client_deadline(client_);
  return told_deadline_;
}

uint32_t Host::Flags() {
  uint32_t flags = events().IsEmpty() ? 0 : kFlagEvents;

  if (client_ != nullptr && kvs_client_deadline(client_) < told_deadline_) {
    flags |= kFlagDeadline;
  }
  return flags;
}

}  // namespace kvs_addon
