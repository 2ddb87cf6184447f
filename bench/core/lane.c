/* SPDX-License-Identifier: Apache-2.0 */
#include "lane.h"

#include <stdlib.h>
#include <string.h>

#define BASE_MS UINT64_C(1795400000000)

/* High profile, 1920x1080. */
static const uint8_t parameter_sets[] = {
    0,    0,    0,    1,    0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40,
    0x78, 0x02, 0x27, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04,
    0x00, 0x00, 0x03, 0x00, 0xc8, 0x3c, 0x60, 0xc6, 0x58, 0,    0,
    0,    1,    0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0};

static uint64_t next_random(uint64_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return *seed;
}

/* Random bytes in which no emulation byte is wanted: a third byte after two
 * zeros is above 3. */
static void fill_payload(uint8_t *bytes, size_t len, uint64_t *seed) {
  for (size_t i = 0; i < len; i++) {
    uint8_t byte = (uint8_t)(next_random(seed) >> 24);
    bool third = i >= 2 && bytes[i - 1] == 0 && bytes[i - 2] == 0;
    bytes[i] = third && byte <= 3 ? 4 : byte;
  }
  bytes[len - 1] |= 0x80;
}

/* |slices| units of about the same length, to |len| bytes in all. */
static void fill_slices(uint8_t *bytes, size_t len, uint32_t slices,
                        uint8_t header, uint64_t *seed) {
  size_t at = 0;

  for (uint32_t i = 0; i < slices; i++) {
    size_t end = len * (i + 1) / slices;
    memcpy(&bytes[at], "\0\0\0\1", 4);
    bytes[at + 4] = header;
    fill_payload(&bytes[at + 5], end - at - 5, seed);
    at = end;
  }
}

static uint8_t *new_bytes(size_t len) {
  uint8_t *bytes = (uint8_t *)malloc(len);

  rig_must(bytes != NULL, "no memory for frames");
  return bytes;
}

static void make_key(load *l, uint32_t i, size_t len, uint64_t *seed) {
  const size_t sets = sizeof parameter_sets;

  l->each[i].data = new_bytes(len);
  l->each[i].len = len;
  memcpy(l->each[i].data, parameter_sets, sets);
  fill_slices(&l->each[i].data[sets], len - sets, 2, 0x65, seed);
}

static void make_plain(load *l, uint32_t i, size_t len, uint32_t slices,
                       uint64_t *seed) {
  l->each[i].data = new_bytes(len);
  l->each[i].len = len;
  if (slices == 0) {
    fill_payload(l->each[i].data, len, seed);
  } else {
    fill_slices(l->each[i].data, len, slices, 0x41, seed);
  }
}

/* 4-byte start codes become lengths in their place. */
static void turn_to_avcc(uint8_t *bytes, size_t len) {
  size_t last = len;

  for (size_t at = len - 4; at != SIZE_MAX; at--) {
    if (memcmp(&bytes[at], "\0\0\0\1", 4) == 0) {
      size_t unit = last - at - 4;
      for (uint32_t i = 0; i < 4; i++) {
        bytes[at + i] = (uint8_t)(unit >> (24 - 8 * i));
      }
      last = at;
    }
  }
}

void load_make(load *l, load_name name) {
  uint64_t seed = 20180601;

  memset(l, 0, sizeof *l);
  l->name = name;
  if (name == LOAD_B) {
    l->frames = LOAD_FRAMES;
    l->key_every = 48;
    l->step = 21 * KVS_TICKS_PER_MS;
  } else if (name == LOAD_C) {
    l->frames = 2;
    l->key_every = 1;
    l->step = 40 * KVS_TICKS_PER_MS;
  } else {
    l->frames = LOAD_FRAMES;
    l->key_every = LOAD_FRAMES;
    l->step = 34 * KVS_TICKS_PER_MS;
  }
  for (uint32_t i = 0; i < l->frames; i++) {
    if (name == LOAD_B) {
      make_plain(l, i, 200, 0, &seed);
    } else if (name == LOAD_C) {
      make_key(l, i, 1024 * 1024, &seed);
    } else if (i == 0) {
      make_key(l, i, 100 * 1024, &seed);
    } else {
      make_plain(l, i, 10 * 1024, 1 + i % 4, &seed);
    }
    if (name == LOAD_A_AVCC) {
      turn_to_avcc(l->each[i].data, l->each[i].len);
    }
    l->window += 2 * l->each[i].len;
  }
  if (name == LOAD_C) {
    l->window /= 2; /* one fragment is one frame */
  } else if (name == LOAD_B) {
    l->window = (uint64_t)2 * l->key_every * 200;
  }
}

void load_free(load *l) {
  for (uint32_t i = 0; i < l->frames; i++) {
    free(l->each[i].data);
  }
}

void load_info(const load *l, bool learn, kvs_stream_info *info) {
  kvs_track_info *track = &info->tracks[0];

  kvs_stream_info_init(info);
  info->connection_staleness = 0;
  info->session_duration = KVS_NEVER;
  info->buffer_duration = 100000 * KVS_TICKS_PER_SECOND;
  info->idle_duration = 0;
  if (l->name == LOAD_C) {
    info->min_fragment_duration = 0;
  }
  if (l->name == LOAD_B) {
    track->type = KVS_TRACK_AUDIO;
    track->codec_id = "A_AAC";
    track->track_name = "audio";
    track->codec_private = (const uint8_t *)"\x11\x90";
    track->codec_private_len = 2;
    info->nal_adaptation_flags = KVS_NAL_ADAPTATION_NONE;
  } else if (!learn) {
    track->codec_private = parameter_sets;
    track->codec_private_len = sizeof parameter_sets;
  }
  if (l->name == LOAD_A_AVCC) {
    info->nal_adaptation_flags = KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS;
  }
}

void lane_open(lane *n, rig *r, const load *l, bool learn) {
  kvs_stream_info info;

  memset(n, 0, sizeof *n);
  n->r = r;
  n->l = l;
  n->tick = l->step;
  n->drain = new_bytes(DRAIN_LEN);
  load_info(l, learn, &info);
  n->frame.track_id = 1;
  n->frame.pts = BASE_MS * KVS_TICKS_PER_MS;
  n->frame.dts = KVS_NEVER;
  n->frame.duration = l->step;
  n->stream = rig_stream(r, &info);
  n->id = kvs_stream_id(n->stream);
}

void lane_close(lane *n) {
  free(n->drain);
}

uint64_t lane_fragment(const lane *n, uint64_t count) {
  uint64_t first = count / n->l->key_every * n->l->key_every;

  return BASE_MS + first * n->l->step / KVS_TICKS_PER_MS;
}

/* What is counted and timed here is the core: of its own the loop does as
 * little as it can, no division above all. */
bool lane_put(lane *n) {
  const load *l = n->l;
  rig *r = n->r;
  bool begins = n->left == 0;
  const kvs_event *event;

  n->frame.flags = begins ? KVS_FRAME_KEY : KVS_FRAME_NONE;
  n->frame.data = l->each[n->next].data;
  n->frame.size = l->each[n->next].len;
  r->now.mono += n->tick;
  r->now.wall += n->tick;
  if (kvs_stream_put(n->stream, &n->frame, r->now) != KVS_OK) {
    rig_must(false, "a frame was refused");
  }
  n->frame.pts += l->step;
  n->count++;
  n->next = n->next + 1 == l->frames ? 0 : n->next + 1;
  n->left = (begins ? l->key_every : n->left) - 1;
  while ((event = kvs_client_next_event(r->client)) != NULL) {
    if (event->type <= KVS_EVENT_PUT_STREAM) {
      rig_note(r, event);
    }
  }
  if (r->call_count != 0) {
    rig_answer(r);
  }
  return begins;
}

void lane_drain(lane *n) {
  kvs_status status = KVS_OK;

  while (status == KVS_OK) {
    size_t taken;

    status = kvs_stream_take(n->stream, n->r->sessions[n->id], n->drain,
                             DRAIN_LEN, n->r->now, &taken);
    n->taken += taken;
  }
  if (status != KVS_STATUS_NO_MORE_DATA_AVAILABLE) {
    rig_must(false, "take failed");
  }
}

void lane_take(lane *n, size_t most) {
  while (most != 0) {
    size_t taken = 0;

    rig_must(kvs_stream_take(n->stream, n->r->sessions[n->id], n->drain, most,
                             n->r->now, &taken) == KVS_OK,
             "take failed");
    n->taken += taken;
    most -= taken;
  }
}

void lane_ack(lane *n, uint64_t ms) {
  char text[] =
      "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":0000000000000,"
      "\"FragmentNumber\":\"91343852333181432392682062607743920146264094976\"}"
      "\n";
  size_t digit = strlen("{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":") +
                 strlen("0000000000000");

  for (; ms != 0; ms /= 10) {
    text[--digit] = (char)('0' + ms % 10);
  }
  rig_must(kvs_stream_parse_ack(n->stream, n->r->sessions[n->id],
                                (const uint8_t *)text, sizeof text - 1,
                                n->r->now) == KVS_OK,
           "an ack was refused");
}

void lane_step(lane *n) {
  uint64_t count = n->count;
  bool begins = lane_put(n);

  lane_drain(n);
  if (begins && count != 0) {
    lane_ack(n, lane_fragment(n, count - 1));
  }
}
