/* SPDX-License-Identifier: Apache-2.0
 * The client: owner of the arena, and the guide's client states. The client
 * itself lies at the arena's start, pages follow. Streams do not wait for the
 * client to hold media, only to talk to the service. */
#include "core/client.h"

#define S(name) ((uint32_t)KVS_CLIENT_STATE_##name)
/* Renew the token this long before it expires. */
#define GRACE (30 * KVS_TICKS_PER_SECOND)

static const kvs_state_row rows[] = {
    {S(NEW), S(NEW), KVS_NO_CALL, KVS_STATUS_INVALID_CLIENT_READY_STATE},
    {S(AUTH), S(NEW) | S(AUTH) | S(READY), KVS_EVENT_GET_SECURITY_TOKEN,
     KVS_STATUS_CLIENT_AUTH_CALL_FAILED},
    {S(CREATE), S(AUTH) | S(CREATE), KVS_EVENT_CREATE_DEVICE,
     KVS_STATUS_CREATE_CLIENT_CALL_FAILED},
    {S(READY), S(AUTH) | S(CREATE), KVS_NO_CALL,
     KVS_STATUS_CLIENT_READY_CALLBACK_FAILED},
};

#define ROW_COUNT ((uint32_t)(sizeof(rows) / sizeof(rows[0])))

static kvs_status check_storage(const kvs_storage_info *storage) {
  if (storage->version > KVS_STORAGE_INFO_VERSION) {
    return KVS_STATUS_INVALID_STORAGE_INFO_VERSION;
  }
  if (storage->type != KVS_STORAGE_IN_MEM) {
    return KVS_STATUS_NOT_IMPLEMENTED;
  }
  if (storage->storage_size < KVS_MIN_STORAGE_SIZE ||
      storage->storage_size > KVS_MAX_STORAGE_SIZE) {
    return KVS_STATUS_INVALID_STORAGE_SIZE;
  }
  if (storage->spill_ratio > 100) {
    return KVS_STATUS_INVALID_SPILL_RATIO;
  }
  if (kvs_bytes_of(storage->root_directory).len > KVS_MAX_ROOT_DIRECTORY_LEN) {
    return KVS_STATUS_INVALID_ROOT_DIRECTORY_LENGTH;
  }
  return KVS_OK;
}

static kvs_status check_info(const kvs_device_info *info) {
  if (info->version > KVS_DEVICE_INFO_VERSION) {
    return KVS_STATUS_INVALID_DEVICE_INFO_VERSION;
  }
  if (kvs_bytes_of(info->name).len > KVS_MAX_DEVICE_NAME_LEN) {
    return KVS_STATUS_INVALID_DEVICE_NAME_LENGTH;
  }
  if (kvs_bytes_of(info->client_id).len > KVS_MAX_CLIENT_ID_LEN) {
    return KVS_STATUS_INVALID_CLIENT_ID_STRING_LENGTH;
  }
  if (info->stream_count == 0) {
    return KVS_STATUS_MIN_STREAM_COUNT;
  }
  if (info->stream_count > KVS_MAX_STREAM_COUNT) {
    return KVS_STATUS_MAX_STREAM_COUNT;
  }
  if (info->tag_count > KVS_MAX_TAG_COUNT) {
    return KVS_STATUS_MAX_TAG_COUNT;
  }
  return check_storage(&info->storage);
}

static kvs_status check_callbacks(const kvs_callbacks *callbacks) {
  if (callbacks->version > KVS_CALLBACKS_VERSION) {
    return KVS_STATUS_INVALID_CALLBACKS_VERSION;
  }
  if (callbacks->random == NULL) {
    return KVS_STATUS_SERVICE_CALL_CALLBACKS_MISSING;
  }
  return KVS_OK;
}

static void note_deadline(kvs_client *client, uint64_t at) {
  client->host.deadline = kvs_min_u64(client->host.deadline, at);
}

/* When the token is to be renewed: only a client that is ready does so. */
static void note_token(kvs_client *client) {
  if (client->machine.state == S(READY)) {
    note_deadline(client, client->token_until);
  }
}

static void enter(kvs_client *client, uint32_t state, uint64_t delay,
                  kvs_time now) {
  kvs_status status =
      kvs_machine_enter(&client->machine, state, now.mono, delay);

  KVS_ASSERT(status == KVS_OK);
  (void)status;
}

static void make_call(kvs_client *client, kvs_time now) {
  const kvs_state_row *row = kvs_machine_row(&client->machine);
  kvs_event event;
  uint64_t call = 0;

  if (row->call != KVS_NO_CALL &&
      kvs_machine_begin_call(&client->machine, now.mono, &call)) {
    event = kvs_event_make(row->call);
    event.u.get_security_token.call = call; /* both calls begin alike */
    event.u.get_security_token.timeout = KVS_CALL_TIMEOUT;
    kvs_host_emit(&client->host, &event);
  }
  note_deadline(client, kvs_machine_deadline(&client->machine));
}

static void set_up(kvs_client *client, const kvs_device_info *info,
                   const kvs_callbacks *callbacks, kvs_time now) {
  kvs_bytes id = kvs_bytes_of(info->client_id);

  memset(client, 0, sizeof(*client));
  client->host.callbacks = *callbacks;
  client->host.find = kvs_nal_select();
  client->host.stream_limit = info->stream_count;
  client->host.deadline = KVS_NEVER;
  if (id.len != 0) {
    memcpy(client->host.client_id, id.ptr, id.len);
  }
  client->created_at = now.mono;
  client->token_until = KVS_NEVER;
  client->storage_size = info->storage.storage_size;
  kvs_machine_init(&client->machine, rows, ROW_COUNT, S(NEW));
}

kvs_status kvs_client_create(void *arena, size_t arena_len,
                             const kvs_device_info *info,
                             const kvs_callbacks *callbacks, kvs_time now,
                             kvs_client **client) {
  const size_t align = 64;
  uint8_t *base = arena;
  uint32_t slots;
  uint32_t pages;
  size_t at;

  if (arena == NULL || info == NULL || callbacks == NULL || client == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(check_info(info));
  KVS_TRY(check_callbacks(callbacks));
  if (arena_len != info->storage.storage_size) {
    return KVS_STATUS_INVALID_STORAGE_SIZE;
  }
  /* Whatever the allocator gave: the client and the pages are aligned. */
  at = (align - (uintptr_t)base % align) % align;
  *client = (kvs_client *)(void *)(base + at);
  set_up(*client, info, callbacks, now);
  at += (sizeof(kvs_client) + align - 1) / align * align;
  slots = kvs_queue_capacity(info->stream_count);
  kvs_queue_init(&(*client)->host.queue, (kvs_queue_slot *)(void *)(base + at),
                 slots);
  at += slots * sizeof(kvs_queue_slot);
  kvs_heap_init(&(*client)->host.heap, base + at, arena_len - at);
  pages = (*client)->host.heap.page_count;
  (*client)->host.low_pages =
      pages - (pages + KVS_PRESSURE_PART - 1) / KVS_PRESSURE_PART;
  enter(*client, S(AUTH), 0, now);
  make_call(*client, now);
  return KVS_OK;
}

void kvs_client_free(kvs_client *client) {
  if (client == NULL || client->host.in_callback) {
    return;
  }
  for (uint32_t i = 0; i < client->host.stream_limit; i++) {
    kvs_stream_free(client->host.streams[i]);
  }
  kvs_heap_done(&client->host.heap);
}

static void retry(kvs_client *client, uint32_t result, kvs_time now) {
  const kvs_state_row *row = kvs_machine_row(&client->machine);
  kvs_retry *tries = &client->machine.retry;
  uint64_t delay = kvs_retry_failed(tries, kvs_host_random(&client->host));
  kvs_event event = kvs_event_make(KVS_EVENT_CLIENT_ERROR_REPORT);

  if (kvs_retry_reports(tries)) {
    event.u.client_error_report.status = row->failed;
    event.u.client_error_report.result = result;
    event.u.client_error_report.attempts = tries->attempts;
    kvs_host_emit(&client->host, &event);
  }
  enter(client, row->state, delay, now);
}

static void become_ready(kvs_client *client, kvs_time now) {
  kvs_event event = kvs_event_make(KVS_EVENT_CLIENT_READY);
  bool first = !client->host.ready;

  enter(client, S(READY), 0, now);
  if (!first) {
    return;
  }
  client->host.ready = true;
  event.u.client_ready.uptime = kvs_sub_u64(now.mono, client->created_at);
  kvs_host_emit(&client->host, &event);
  for (uint32_t i = 0; i < client->host.stream_limit; i++) {
    if (client->host.streams[i] != NULL) {
      kvs_state_advance(client->host.streams[i], now);
      kvs_stream_note_deadline(client->host.streams[i]);
    }
  }
}

static void got_token(kvs_client *client, const kvs_answer *answer,
                      kvs_time now) {
  uint64_t life = kvs_sub_u64(answer->expiration, now.wall);

  if (life <= GRACE) {
    retry(client, KVS_RESULT_AUTH_FAILURE, now);
    return;
  }
  kvs_retry_succeeded(&client->machine.retry);
  client->token_until = answer->expiration == KVS_NEVER
                            ? KVS_NEVER
                            : kvs_add_u64(now.mono, life - GRACE);
  if (client->host.ready) {
    become_ready(client, now);
  } else {
    enter(client, S(CREATE), 0, now);
  }
}

kvs_status kvs_client_answer(kvs_client *client, const kvs_answer *answer,
                             kvs_time now) {
  if (client == NULL || answer == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  if (client->host.in_callback ||
      !kvs_machine_end_call(&client->machine, answer->call)) {
    return KVS_STATUS_INVALID_OPERATION;
  }
  if (answer->result != KVS_RESULT_OK) {
    retry(client, answer->result, now);
  } else if (client->machine.state == S(AUTH)) {
    got_token(client, answer, now);
  } else {
    kvs_retry_succeeded(&client->machine.retry);
    become_ready(client, now);
  }
  make_call(client, now);
  note_token(client);
  return KVS_OK;
}

static void step_client(kvs_client *client, kvs_time now) {
  if (kvs_machine_timed_out(&client->machine, now.mono)) {
    (void)kvs_machine_end_call(&client->machine, client->machine.calls);
    retry(client, KVS_RESULT_NETWORK_CONNECTION_TIMEOUT, now);
  }
  if (client->machine.state == S(READY) && client->token_until <= now.mono) {
    client->token_until = KVS_NEVER;
    enter(client, S(AUTH), 0, now);
  }
  make_call(client, now);
  note_token(client);
}

kvs_status kvs_client_step(kvs_client *client, kvs_time now) {
  if (client == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  if (client->host.in_callback) {
    return KVS_STATUS_INVALID_OPERATION;
  }
  client->host.deadline = KVS_NEVER;
  step_client(client, now);
  for (uint32_t i = 0; i < client->host.stream_limit; i++) {
    if (client->host.streams[i] != NULL) {
      kvs_stream_step(client->host.streams[i], now);
      kvs_stream_note_deadline(client->host.streams[i]);
    }
  }
  return KVS_OK;
}

const kvs_event *kvs_client_next_event(kvs_client *client) {
  return kvs_queue_next(&client->host.queue);
}

bool kvs_client_has_event(const kvs_client *client) {
  return kvs_queue_waits(&client->host.queue);
}

uint64_t kvs_client_deadline(const kvs_client *client) {
  return client->host.deadline;
}

kvs_status kvs_stream_create(kvs_client *client, const kvs_stream_info *info,
                             kvs_time now, kvs_stream **stream) {
  if (client == NULL || info == NULL || stream == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  if (client->host.in_callback) {
    return KVS_STATUS_INVALID_OPERATION;
  }
  return kvs_stream_open(&client->host, info, now, stream);
}

kvs_status kvs_client_get_metrics(const kvs_client *client, kvs_time now,
                                  kvs_client_metrics *metrics) {
  kvs_heap_stats heap;
  kvs_stream_metrics one;

  if (client == NULL || metrics == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  memset(metrics, 0, sizeof(*metrics));
  kvs_heap_get_stats(&client->host.heap, &heap);
  metrics->content_store_size = client->storage_size;
  metrics->content_store_available_size =
      (uint64_t)heap.available * KVS_PAGE_SIZE;
  metrics->content_store_allocated_size = (uint64_t)heap.used * KVS_PAGE_SIZE;
  metrics->api_call_retries = client->machine.retries;
  for (uint32_t i = 0; i < client->host.stream_limit; i++) {
    const kvs_stream *stream = client->host.streams[i];

    if (stream != NULL) {
      KVS_TRY(kvs_stream_get_metrics(stream, now, &one));
      metrics->total_content_views_size += one.overall_view_size;
      metrics->total_frame_rate += one.current_frame_rate;
      metrics->total_elementary_frame_rate += one.elementary_frame_rate;
      metrics->total_transfer_rate += one.current_transfer_rate;
      metrics->api_call_retries += one.api_call_retries;
      metrics->streams++;
    }
  }
  return KVS_OK;
}

kvs_status kvs_client_check(const kvs_client *client) {
  uint32_t pages = 0;
  uint32_t streams = 0;

  if (client == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  KVS_TRY(kvs_heap_check(&client->host.heap));
  for (uint32_t i = 0; i < client->host.stream_limit; i++) {
    if (client->host.streams[i] != NULL) {
      KVS_TRY(kvs_stream_check(client->host.streams[i], &pages));
      streams++;
    }
  }
  /* Every page that is taken belongs to something that was seen. */
  return pages == kvs_heap_used(&client->host.heap) &&
                 streams == client->host.stream_count &&
                 kvs_machine_row(&client->machine) != NULL
             ? KVS_OK
             : KVS_STATUS_HEAP_CORRUPTED;
}
