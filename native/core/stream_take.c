/* SPDX-License-Identifier: Apache-2.0
 * Bytes of the PutMedia session go out.
 *
 * Nearly every call finds the session within a fragment and takes bytes of its
 * frames alone, as many as wanted or all that there are: that is done here, by
 * few steps; stream_body.c does everything else. */
#include "core/stream.h"

/* Takes what is to be had within the fragment that the reader is in. */
static inline size_t take_within(kvs_view *view, uint8_t *buf, size_t len) {
  const uint8_t *bytes = NULL;
  size_t done = 0;

  while (done < len && view->current != 0) {
    size_t n = kvs_view_piece(view, len - done, &bytes);

    if (n == 0) {
      break;
    }
    memcpy(buf + done, bytes, n);
    done += n;
  }
  return done;
}

/* Whether nothing is left to read of a fragment that may still grow. */
static inline bool is_dry(const kvs_stream *stream) {
  return stream->view.current == 0 && stream->view.fragment != 0 &&
         stream->fragment_open && !kvs_session_ends_dry(stream);
}

/* Counts bytes that were taken, or waits for more. */
static inline kvs_status account(kvs_stream *stream, size_t taken,
                                 kvs_time now) {
  if (taken == 0) {
    stream->session.waiting = true;
    return KVS_STATUS_NO_MORE_DATA_AVAILABLE;
  }
  stream->session.progress = now.mono;
  stream->metrics.transferred_bytes += taken;
  return KVS_OK;
}

/* The same in any phase of the body. */
static kvs_status account_phase(kvs_stream *stream, size_t taken,
                                kvs_time now) {
  if (taken == 0 && stream->session.phase == KVS_PHASE_END) {
    return KVS_STATUS_END_OF_STREAM;
  }
  if (taken == 0 && stream->session.phase == KVS_PHASE_AWAIT) {
    stream->session.waiting = true;
    return KVS_STATUS_AWAITING_PERSISTED_ACK;
  }
  return account(stream, taken, now);
}

/* Takes through all phases of the body; |*taken| bytes were taken already. */
static kvs_status take_through(kvs_stream *stream, uint8_t *buf, size_t len,
                               kvs_time now, size_t *taken) {
  kvs_session *session = &stream->session;
  uint64_t number = session->number;
  kvs_status status;

  if (session->opened) {
    *taken += kvs_body_take(stream, buf + *taken, len - *taken, now);
  }
  if (session->number == number && kvs_session_live(stream)) {
    status = account_phase(stream, *taken, now);
  } else {
    *taken = 0;
    status = KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return status;
}

kvs_status kvs_stream_take(kvs_stream *stream, uint64_t session, uint8_t *buf,
                           size_t len, kvs_time now, size_t *taken) {
  size_t done;

  if (stream == NULL || buf == NULL || taken == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  *taken = 0;
  KVS_TRY(kvs_stream_guard(stream));
  if (len == 0) {
    return KVS_STATUS_BUFFER_TOO_SMALL;
  }
  if (!kvs_session_live(stream) || stream->session.number != session) {
    return KVS_STATUS_UPLOAD_HANDLE_ABORTED;
  }
  if (kvs_stream_flows(stream)) {
    done = take_within(&stream->view, buf, len);
    *taken = done;
    if (done == len) {
      return account(stream, done, now);
    }
    if (is_dry(stream)) {
      /* Bytes put every deadline off but that of a session without media. */
      if (done != 0) {
        kvs_host_note_deadline(stream->host, kvs_session_quiet_due(stream));
      }
      return account(stream, done, now);
    }
  }
  return take_through(stream, buf, len, now, taken);
}
