/* SPDX-License-Identifier: Apache-2.0
 * Media put before the wall clock was set (ruling 8). A device without a
 * battery-backed clock boots in 1970. With absolute times its first frames
 * would be filed there: so nothing is sent while the clock stands before 2017,
 * and when it is set, what was stamped with the wrong clock is moved by as
 * much as the clock was. Both clocks were noted at the put, so that the shift
 * is exact whatever happened between. */
#include "core/stream.h"

#define POLL KVS_TICKS_PER_SECOND

void kvs_clock_note(kvs_stream *stream, kvs_time now) {
  stream->held = true;
  stream->held_at = now;
  stream->held_due = kvs_add_u64(now.mono, POLL);
}

bool kvs_clock_waits(kvs_stream *stream, kvs_time now) {
  bool waits = kvs_clock_holds(stream, now);

  if (waits) {
    stream->held_due = kvs_add_u64(now.mono, POLL);
  } else if (!stream->held) {
    stream->held_due = KVS_NEVER;
  }
  return waits;
}

/* The timecode of the stored cluster, 8 bytes big-endian, follows 7 bytes of
 * ids and sizes in the cluster header, which ends where the block header
 * begins. */
static void rewrite_cluster(kvs_stream *stream, kvs_pos at) {
  const kvs_unit *unit = kvs_view_unit(&stream->view, at);
  const kvs_fragment *fragment = kvs_view_fragment(&stream->view, at);
  kvs_heap *heap = &stream->host->heap;
  uint8_t head[KVS_MKV_CLUSTER_LEN];
  kvs_pos body = at + sizeof(kvs_unit) + sizeof(kvs_fragment);
  uint32_t before = unit->prefix - KVS_MKV_BLOCK_LEN - KVS_MKV_CLUSTER_LEN;

  kvs_mkv_write_cluster(head, fragment->cluster / stream->info.timecode_scale);
  (void)kvs_heap_write(heap, kvs_heap_skip(heap, body, before), head,
                       sizeof(head));
}

static void shift_fragment(kvs_stream *stream, kvs_pos at, uint64_t by) {
  kvs_fragment *fragment = kvs_view_fragment(&stream->view, at);

  fragment->cluster += by;
  fragment->begin += by;
  fragment->end += by;
  fragment->base += by;
  kvs_view_shift_units(&stream->view, at, by);
  rewrite_cluster(stream, at);
}

static void shift_stream(kvs_stream *stream, uint64_t by) {
  for (uint32_t i = 0; i < stream->info.track_count; i++) {
    if (stream->tracks[i].last_dts < KVS_CLOCK_IS_SET) {
      stream->tracks[i].last_dts += by;
    }
  }
  stream->base += by;
  stream->last_cluster += by / stream->info.timecode_scale;
}

void kvs_clock_settle(kvs_stream *stream, kvs_time now) {
  uint64_t scale = stream->info.timecode_scale;
  uint64_t real = kvs_sub_u64(now.mono, stream->held_at.mono);
  uint64_t seen = kvs_sub_u64(now.wall, stream->held_at.wall);
  uint64_t by;

  if (!stream->held) {
    return;
  }
  if (kvs_clock_holds(stream, now)) {
    stream->held_due = kvs_add_u64(now.mono, POLL);
    return;
  }
  stream->held = false;
  stream->held_due = KVS_NEVER;
  kvs_put_shut_short(stream); /* what it compares with moves */
  /* Not beyond what a stamp can be, whatever the clock says; in whole units, so
   * that times within a fragment stay as they are. */
  by = kvs_min_u64(kvs_sub_u64(seen, real), KVS_MAX_STAMP - KVS_CLOCK_IS_SET);
  by = by / scale * scale;
  for (kvs_pos at = stream->view.tail; at != 0;
       at = kvs_view_fragment(&stream->view, at)->next) {
    if (kvs_view_fragment(&stream->view, at)->begin < KVS_CLOCK_IS_SET) {
      shift_fragment(stream, at, by);
    }
  }
  if (stream->last_cluster < KVS_CLOCK_IS_SET / scale) {
    shift_stream(stream, by);
  }
  if (stream->fragment_open) { /* it and the newest fragment say the same */
    stream->last_cluster =
        kvs_view_fragment(&stream->view, stream->view.newest)->cluster / scale;
  }
}
