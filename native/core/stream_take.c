/* SPDX-License-Identifier: Apache-2.0
 * Bytes of the PutMedia session go out. Every other call only learns that there
 * are none now: it stands apart from the others (stream_body.c), so that it
 * costs next to nothing. */
#include "core/stream.h"

kvs_status kvs_stream_take(kvs_stream *stream, uint64_t session, uint8_t *buf,
                           size_t len, kvs_time now, size_t *taken) {
  if (!KVS_USUALLY(stream != NULL) || !KVS_USUALLY(buf != NULL) ||
      !KVS_USUALLY(taken != NULL)) {
    return KVS_STATUS_NULL_ARG;
  }
  *taken = 0;
  KVS_TRY(kvs_stream_guard(stream));
  if (len == 0) {
    return KVS_STATUS_BUFFER_TOO_SMALL;
  }
  if (stream->session.number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  if (!kvs_stream_flows(stream)) {
    return kvs_session_live(stream)
               ? kvs_body_take(stream, session, buf, len, now, taken)
               : KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  if (!kvs_session_dry(stream)) {
    return kvs_body_take_on(stream, session, buf, len, now, taken);
  }
  stream->session.waiting = true;
  return KVS_STATUS_NO_MORE_DATA_AVAILABLE;
}
