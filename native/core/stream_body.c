/* SPDX-License-Identifier: Apache-2.0
 * The body of the PutMedia session, from its header to its end.
 *
 *   HEADER ─► BODY ─► EOF ─► AWAIT ─► END        (any) ─► NONE by abort
 *
 * A body ends at a fragment boundary: with END_OF_FRAGMENT, then it stays open
 * for the freeing ack (ruling 4). */
#include "core/stream.h"

void kvs_body_note_sent(kvs_stream *stream, kvs_time now) {
  kvs_view *view = &stream->view;
  kvs_pos at = view->fragment;
  kvs_fragment *fragment;

  if (at == 0 || kvs_view_reading(view, at)) {
    return;
  }
  fragment = kvs_view_fragment(view, at);
  if ((fragment->state & (KVS_FRAGMENT_SENT | KVS_FRAGMENT_FREED)) != 0) {
    return;
  }
  fragment->state |= KVS_FRAGMENT_SENT | KVS_FRAGMENT_WENT_OUT;
  fragment->sent_at = now.mono;
  if (!stream->info.fragment_acks) {
    kvs_ack_free(stream, at, now);
  }
}

/* Whether every fragment that was sent is freed (or given up waiting for). */
static bool all_freed(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  const kvs_session *session = &stream->session;
  kvs_pos at = session->missing ? session->last : kvs_ack_awaited(stream);

  return at == 0 ||
         (kvs_view_fragment(view, at)->state &
          (KVS_FRAGMENT_SENT | KVS_FRAGMENT_FREED)) != KVS_FRAGMENT_SENT;
}

static void finish_body(kvs_stream *stream) {
  stream->session.phase = all_freed(stream) ? KVS_PHASE_END : KVS_PHASE_AWAIT;
}

/* Whether the last fragment sent brought its END_OF_FRAGMENT along. */
static bool has_end(const kvs_stream *stream) {
  const kvs_session *session = &stream->session;

  return session->last == 0
             ? session->ended
             : (kvs_view_fragment(&stream->view, session->last)->state &
                KVS_FRAGMENT_ENDED) != 0;
}

/* Whether to end the body now is to break it: its last fragment lacks a track,
 * and is to go again. What was read before has to go out first, since it may
 * be freed already. */
static bool breaks(const kvs_stream *stream) {
  const kvs_view *view = &stream->view;
  kvs_pos last = stream->session.last;

  return last != 0 && last == view->newest &&
         kvs_format_lacks(stream, kvs_view_fragment(view, last));
}

/* Ends the body after the fragment that the reader has just left. */
static void enter_eof(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;
  kvs_view *view = &stream->view;

  if (!session->sent_any) {
    finish_body(stream);
    return;
  }
  if (session->last != 0 && session->last == view->newest) {
    kvs_view_close_newest(view);
    kvs_put_end_fragment(stream);
    if (kvs_format_settle(stream, view->newest, now)) {
      return; /* the session is broken: it goes again with another header */
    }
  }
  session->phase = KVS_PHASE_EOF;
  session->offset = 0;
  if (has_end(stream)) {
    kvs_body_note_sent(stream, now);
    finish_body(stream);
  }
}

/* Whether the session may not carry the fragment that comes next. */
static bool must_end(const kvs_stream *stream, const kvs_fragment *next,
                     kvs_time now) {
  const kvs_session *session = &stream->session;

  if (next->header != session->header) {
    return true;
  }
  return session->sent_any && ((next->state & KVS_FRAGMENT_TIMELINE) != 0 ||
                               session->finish || now.mono >= session->until);
}

static void begin_fragment(kvs_stream *stream, kvs_time now) {
  kvs_session *session = &stream->session;

  session->last = stream->view.current;
  session->sent_any = true;
  kvs_view_fragment(&stream->view, session->last)->taken_at = now.mono;
}

/* At a fragment's first byte: true when the caller is to look again. */
static bool at_boundary(kvs_stream *stream, kvs_time now) {
  kvs_view *view = &stream->view;
  const kvs_fragment *next = kvs_view_fragment(view, view->current);

  if (kvs_fragment_is_freed(next) ||
      kvs_ack_steps_over(stream, view->current)) {
    stream->stepped = stream->stepped || !kvs_fragment_is_freed(next);
    kvs_room_hand_on(stream, next);
    kvs_view_pass(view);
    kvs_room_trim(stream);
    return true;
  }
  if (must_end(stream, next, now)) {
    if (now.mono >= stream->session.until) {
      stream->session.result = KVS_RESULT_TOKEN_ROTATION;
    }
    enter_eof(stream, now);
    return true;
  }
  begin_fragment(stream, now);
  return false;
}

/* |first|: nothing was taken by this call yet. */
static size_t take_body(kvs_stream *stream, uint8_t *buf, size_t len,
                        bool first, kvs_time now, bool *again) {
  kvs_view *view = &stream->view;
  size_t n;

  if (view->current == 0 || kvs_view_at_fragment_start(view)) {
    kvs_body_note_sent(stream, now);
    if (view->current != 0 && at_boundary(stream, now)) {
      *again = true;
      return 0;
    }
  }
  n = kvs_view_read(view, buf, len);
  if (n == 0 && view->current == 0 && kvs_room_end_open(stream, now)) {
    *again = true;
    return 0;
  }
  if (n == 0 && kvs_session_ends_dry(stream) && (first || !breaks(stream))) {
    enter_eof(stream, now);
    *again = true;
  }
  return n;
}

static size_t take_header(kvs_stream *stream, uint8_t *buf, size_t len) {
  kvs_session *session = &stream->session;
  const kvs_header *header = kvs_format_at(stream, session->header);
  const kvs_heap *heap = &stream->host->heap;
  uint32_t left = header->len - session->offset;
  size_t n = len < left ? len : left;

  (void)kvs_heap_read(heap, kvs_heap_skip(heap, header->at, session->offset),
                      buf, n);
  session->offset += (uint32_t)n;
  if (session->offset == header->len) {
    session->phase = KVS_PHASE_BODY;
  }
  return n;
}

static size_t take_tag(kvs_stream *stream, uint8_t *buf, size_t len,
                       kvs_time now) {
  kvs_session *session = &stream->session;
  uint8_t tag[KVS_MKV_EOF_MAX];
  uint32_t whole = kvs_mkv_write_end_of_fragment(tag);
  uint32_t left = whole - session->offset;
  size_t n = len < left ? len : left;

  memcpy(buf, tag + session->offset, n);
  session->offset += (uint32_t)n;
  if (session->offset == whole) {
    kvs_body_note_sent(stream, now);
    finish_body(stream);
  }
  return n;
}

static size_t take_bytes(kvs_stream *stream, uint8_t *buf, size_t len,
                         bool first, kvs_time now) {
  size_t done = 0;
  bool more = true;

  while (more && done < len) {
    bool again = false;
    size_t n = 0;

    switch (stream->session.phase) {
      case KVS_PHASE_HEADER:
        n = take_header(stream, buf + done, len - done);
        break;
      case KVS_PHASE_BODY:
        n = take_body(stream, buf + done, len - done, first && done == 0, now,
                      &again);
        break;
      case KVS_PHASE_EOF:
        n = take_tag(stream, buf + done, len - done, now);
        break;
      case KVS_PHASE_AWAIT:
        finish_body(stream);
        break;
      case KVS_PHASE_NONE:
      case KVS_PHASE_END:
        break;
    }
    done += n;
    more = n != 0 || again;
  }
  return done;
}

/* Counts bytes that were taken, or waits for more. */
static inline kvs_status account(kvs_stream *stream, size_t taken,
                                 kvs_time now) {
  kvs_session *session = &stream->session;

  if (taken != 0) {
    session->progress = now.mono;
    stream->taken_bytes += taken;
    return KVS_OK;
  }
  if (session->phase == KVS_PHASE_END) {
    return KVS_STATUS_END_OF_STREAM;
  }
  session->waiting = true;
  return session->phase == KVS_PHASE_AWAIT ? KVS_STATUS_AWAITING_PERSISTED_ACK
                                           : KVS_STATUS_NO_MORE_DATA_AVAILABLE;
}

kvs_status kvs_body_take(kvs_stream *stream, uint64_t session, uint8_t *buf,
                         size_t len, kvs_time now, size_t *taken) {
  kvs_status status = KVS_STATUS_UPLOAD_HANDLE_ABORTED;

  if (stream->session.opened) {
    *taken += take_bytes(stream, buf + *taken, len - *taken, *taken == 0, now);
  }
  if (stream->session.number == session && kvs_session_live(stream)) {
    status = account(stream, *taken, now);
  } else {
    *taken = 0;
  }
  kvs_stream_close_if_done(stream, now);
  kvs_state_advance(stream, now);
  kvs_stream_note_deadline(stream);
  return status;
}

/* Nearly every call finds the reader within a fragment, and takes bytes of that
 * alone: as many as wanted, or all that there are. They put every deadline off
 * but that of a session without media. */
kvs_status kvs_body_take_on(kvs_stream *stream, uint64_t session, uint8_t *buf,
                            size_t len, kvs_time now, size_t *taken) {
  size_t n = kvs_view_read_on(&stream->view, buf, len);

  *taken = n;
  if (n != len && !kvs_session_dry(stream)) {
    return kvs_body_take(stream, session, buf, len, now, taken);
  }
  if (stream->view.current == 0) {
    kvs_host_note_deadline(stream->host, kvs_session_quiet_due(stream));
  }
  return account(stream, n, now);
}
