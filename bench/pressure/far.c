/* SPDX-License-Identifier: Apache-2.0
 * Element heads are collected byte by byte, contents are passed over. The core
 * writes Segment and Cluster with the unknown size: their children follow. */
#include "far.h"

#include <string.h>

enum {
  ID_SEGMENT = 0x18538067,
  ID_CLUSTER = 0x1F43B675,
  ID_TIMECODE = 0xE7,
  ID_SIMPLE_BLOCK = 0xA3,
  ID_TAGS = 0x1254C367,
  BLOCK_HEAD = 4 /* track number, time, flags: before a frame's bytes */
};

void far_open(far_end *far, far_on_fragment on_fragment, void *user) {
  memset(far, 0, sizeof *far);
  far->on_fragment = on_fragment;
  far->user = user;
}

static void end_fragment(far_end *far) {
  if (far->has_cluster) {
    far->on_fragment(far->user, &far->now);
  }
  far->has_cluster = false;
}

void far_close(far_end *far) {
  if (far->head_len == 0 && far->pass == 0) {
    end_fragment(far);
  }
}

static uint32_t width_of(uint8_t first) {
  uint32_t width = 1;

  while (width < 8 && (first & (0x80u >> (width - 1))) == 0) {
    width++;
  }
  return width;
}

static uint64_t number(const uint8_t *at, uint64_t len) {
  uint64_t value = 0;

  for (uint64_t i = 0; i < len; i++) {
    value = value << 8 | at[i];
  }
  return value;
}

static void begin_element(far_end *far, uint64_t id, uint64_t size,
                          const uint8_t *content) {
  far->pass = size;
  if (id == ID_SEGMENT || id == ID_CLUSTER) {
    far->pass = 0;
  }
  if (id == ID_CLUSTER || id == ID_TAGS) {
    /* Tags stand between fragments: END_OF_FRAGMENT, or the next one's. */
    end_fragment(far);
  } else if (id == ID_TIMECODE) {
    far->pass = 0;
    far->has_cluster = true;
    memset(&far->now, 0, sizeof far->now);
    far->now.timecode = number(content, size);
  } else if (id == ID_SIMPLE_BLOCK) {
    far->now.payload += size - BLOCK_HEAD;
    far->now.frames++;
  }
}

/* Whether |head| is a whole element head (and, of a time, its content). */
static bool read_head(far_end *far) {
  uint32_t id_len = width_of(far->head[0]);
  uint32_t size_len;
  uint32_t need;
  uint64_t id;
  uint64_t size;

  if (far->head_len <= id_len) {
    return false;
  }
  size_len = width_of(far->head[id_len]);
  if (far->head_len < id_len + size_len) {
    return false;
  }
  id = number(far->head, id_len);
  size = number(far->head + id_len, size_len) &
         ((UINT64_C(1) << (7 * size_len)) - 1);
  need = id_len + size_len + (id == ID_TIMECODE ? (uint32_t)size : 0);
  if (far->head_len < need) {
    return false;
  }
  begin_element(far, id, size, far->head + id_len + size_len);
  far->head_len = 0;
  return true;
}

void far_feed(far_end *far, const uint8_t *bytes, size_t len) {
  while (len != 0) {
    if (far->pass != 0) {
      size_t n = far->pass < len ? (size_t)far->pass : len;

      far->pass -= n;
      bytes += n;
      len -= n;
      continue;
    }
    far->head[far->head_len++] = *bytes++;
    len--;
    (void)read_head(far);
  }
}
