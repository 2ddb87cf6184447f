/* SPDX-License-Identifier: Apache-2.0
 * The far end of one PutMedia session: it reads the body as it comes, in any
 * split, and says when a fragment is whole. */
#ifndef KVS_BENCH_FAR_H
#define KVS_BENCH_FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fragment that came whole: its cluster time in milliseconds, the bytes of
 * its frames alone, and how many there are. */
typedef struct far_fragment {
  uint64_t timecode;
  uint64_t payload;
  uint64_t frames;
} far_fragment;

typedef void (*far_on_fragment)(void *user, const far_fragment *fragment);

typedef struct far_end {
  far_on_fragment on_fragment;
  void *user;
  uint64_t pass; /* bytes of the present element still to pass over */
  uint8_t head[32];
  uint32_t head_len;
  bool has_cluster; /* |now| has its time */
  far_fragment now;
} far_end;

void far_open(far_end *far, far_on_fragment on_fragment, void *user);
void far_feed(far_end *far, const uint8_t *bytes, size_t len);
/* The body ended as it should: what is open is whole. */
void far_close(far_end *far);

#endif
