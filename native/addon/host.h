// SPDX-License-Identifier: Apache-2.0
// What one kvs_client needs around it: its arena, its events, its streams.
#ifndef KVS_ADDON_HOST_H
#define KVS_ADDON_HOST_H

#include "events.h"
#include "random.h"

namespace kvs_addon {

// A stream's place in the list of its host. |core| is NULL once the stream or
// its client is gone.
struct StreamLink {
  kvs_stream *core = nullptr;
  StreamLink *previous = nullptr;
  StreamLink *next = nullptr;
};

// Shared by the wrap of the client and those of its streams, which JavaScript
// may let go in any order: the last one frees it, Close frees the core at once.
class Host {
 public:
  // NULL with |status| set. The caller holds one reference.
  static Host *Create(const kvs_device_info &info, uint64_t seed, kvs_time now,
                      kvs_status *status);
  Host(const Host &) = delete;
  Host &operator=(const Host &) = delete;

  void Hold();
  void Release();
  // Frees client, streams and arena. May be called again.
  void Close();

  // NULL after Close.
  kvs_client *client() const {
    return client_;
  }
  // With what the core had to tell until now.
  EventLog &events();

  void Link(StreamLink *link, kvs_stream *stream);
  // Frees the stream, if it is still there, and forgets the link.
  void Unlink(StreamLink *link);

  // The next deadline; from now on IsDeadlineNews compares with it.
  uint64_t TellDeadline();
  // Whatever deadline there is will be news.
  void ForgetDeadline() {
    told_deadline_ = KVS_NEVER;
  }
  // PACKED_EVENTS and PACKED_DEADLINE of lib/native/binding.ts.
  uint32_t Flags();

 private:
  Host() = default;
  ~Host();

  // What the core calls; it must not be called back.
  static uint32_t OnRandom(void *user);

  kvs_status Open(const kvs_device_info &info, uint64_t seed, kvs_time now);

  uint32_t references_ = 1;
  void *arena_ = nullptr;
  kvs_client *client_ = nullptr;
  StreamLink *streams_ = nullptr;
  EventLog events_;
  uint64_t told_deadline_ = KVS_NEVER;
  Random random_;
};

}  // namespace kvs_addon

#endif
