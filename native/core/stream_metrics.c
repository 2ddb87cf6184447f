/* SPDX-License-Identifier: Apache-2.0
 * Figures of a stream. Counters run with the work; rates are taken over
 * windows of at least a second, so that no call reads a clock. */
#include "core/stream.h"

static uint64_t per_second(uint64_t count, uint64_t ticks) {
  return ticks == 0 ? 0 : (count * KVS_TICKS_PER_SECOND + ticks / 2) / ticks;
}

/* Latencies are told as a moving average of eight. */
#define SMOOTH 8

void kvs_metrics_smooth(uint64_t *average, uint64_t value) {
  *average =
      *average == 0 ? value : *average - *average / SMOOTH + value / SMOOTH;
}

static void make_rates(const kvs_stream *stream, kvs_time now,
                       kvs_stream_metrics *metrics) {
  const kvs_rates *rates = &stream->rates;
  uint64_t elapsed = kvs_sub_u64(now.mono, rates->since);

  metrics->current_frame_rate =
      per_second(stream->put_frames - rates->frames, elapsed);
  metrics->current_transfer_rate =
      per_second(stream->taken_bytes - rates->bytes, elapsed);
}

void kvs_metrics_close_window(kvs_stream *stream, uint64_t pts, kvs_time now) {
  kvs_rates *rates = &stream->rates;

  make_rates(stream, now, &stream->metrics);
  stream->metrics.elementary_frame_rate = per_second(
      stream->put_frames - rates->frames, kvs_sub_u64(pts, rates->first_pts));
  rates->since = now.mono;
  rates->due = kvs_add_u64(now.mono, KVS_RATES_WINDOW);
  rates->frames = stream->put_frames;
  rates->bytes = stream->taken_bytes;
  rates->first_pts = pts;
}

static uint64_t session_average(const kvs_stream *stream, kvs_time now) {
  uint64_t time = stream->session_time;

  if (kvs_session_live(stream)) {
    time += kvs_sub_u64(now.mono, stream->session.opened_at);
  }
  return stream->metrics.total_sessions == 0
             ? 0
             : time / stream->metrics.total_sessions;
}

kvs_status kvs_stream_get_metrics(const kvs_stream *stream, kvs_time now,
                                  kvs_stream_metrics *metrics) {
  const kvs_view *view;

  if (stream == NULL || metrics == NULL) {
    return KVS_STATUS_NULL_ARG;
  }
  view = &stream->view;
  *metrics = stream->metrics;
  metrics->total_frames = stream->put_frames;
  metrics->transferred_bytes = stream->taken_bytes;
  /* A window that no frame closed says that fewer come. */
  if (stream->info.recalculate_metrics &&
      kvs_sub_u64(now.mono, stream->rates.since) >= 2 * KVS_RATES_WINDOW) {
    make_rates(stream, now, metrics);
  }
  metrics->current_view_duration = kvs_view_unread_duration(view);
  metrics->overall_view_duration = view->duration;
  metrics->current_view_size = view->unread_bytes;
  metrics->overall_view_size = view->bytes;
  metrics->uptime = kvs_sub_u64(now.mono, stream->created_at);
  metrics->total_active_sessions = kvs_session_live(stream) ? 1 : 0;
  metrics->avg_session_duration = session_average(stream, now);
  metrics->since_persisted = kvs_sub_u64(now.mono, stream->persisted_at);
  metrics->state = stream->machine.state;
  metrics->buffered_frames = view->frames;
  metrics->buffered_fragments = view->fragments;
  return KVS_OK;
}
