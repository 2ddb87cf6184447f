/* How much of a 64 MiB arena holds payload when a block is refused: blocks are
 * appended until one is refused and the oldest are given back until it fits,
 * over and over. A block is a head of 32 bytes, 9 of MKV and the payload; only
 * the payload counts. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "core/heap.h"

enum { HEAD = 32, MKV = 9, MAX_STREAMS = 16, MAX_BLOCKS = 1 << 19 };
#define ARENA ((size_t)64 * 1024 * 1024)

typedef struct ring {
  kvs_pos pos[MAX_BLOCKS];
  uint32_t len[MAX_BLOCKS];
  uint32_t first;
  uint32_t count;
  kvs_chain chain;
} ring;

static ring *rings[MAX_STREAMS];
static kvs_heap heap;
static uint64_t live;

static bool push(ring *r, uint32_t payload) {
  uint32_t at = (r->first + r->count) % MAX_BLOCKS;

  if (r->count == MAX_BLOCKS ||
      kvs_chain_append(&heap, &r->chain, HEAD, MKV + payload, &r->pos[at]) !=
          KVS_OK) {
    return false;
  }
  r->len[at] = payload;
  r->count++;
  live += payload;
  return true;
}

static void drop_oldest(ring *r) {
  live -= r->len[r->first];
  r->first = (r->first + 1) % MAX_BLOCKS;
  r->count--;
  kvs_chain_trim(&heap, &r->chain, r->count == 0 ? 0 : r->pos[r->first]);
}

/* The stream that holds most gives way. */
static ring *largest(uint32_t streams) {
  ring *most = rings[0];

  for (uint32_t i = 1; i < streams; i++) {
    most = rings[i]->chain.pages > most->chain.pages ? rings[i] : most;
  }
  return most;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Prints the shares at refusal over |blocks| appends; returns their median. */
static double measure(uint32_t streams, uint32_t least, uint32_t most,
                      uint32_t blocks) {
  double *shares = (double *)malloc(blocks * sizeof *shares);
  uint8_t *arena = (uint8_t *)malloc(ARENA);
  uint32_t count = 0;
  uint64_t seed = 20261123;

  live = 0;
  kvs_heap_init(&heap, arena, ARENA);
  for (uint32_t i = 0; i < streams; i++) {
    rings[i] = (ring *)calloc(1, sizeof *rings[i]);
    kvs_chain_init(&rings[i]->chain, i + 1);
  }
  for (uint32_t i = 0; i < blocks; i++) {
    uint32_t payload =
        least + (uint32_t)(check_random(&seed) % (most - least + 1));
    ring *r = rings[i % streams];
    if (!push(r, payload)) {
      shares[count++] = (double)live / (double)ARENA;
      do {
        drop_oldest(largest(streams));
      } while (!push(r, payload));
    }
  }
  qsort(shares, count, sizeof *shares, by_value);
  double median = count == 0 ? 0 : shares[count / 2];
  printf(
      "%2u streams, %u..%u bytes: median %.2f %%, 1 in 100 %.2f %%, least "
      "%.2f %% at %u refusals\n",
      streams, least, most, 100 * median, 100 * shares[count / 100],
      100 * shares[0], count);
  for (uint32_t i = 0; i < streams; i++) {
    kvs_chain_trim(&heap, &rings[i]->chain, 0);
    free(rings[i]);
  }
  CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
  CHECK_EQ(kvs_heap_available(&heap), ARENA / (KVS_PAGE_SIZE + KVS_PAGE_ENTRY));
  kvs_heap_done(&heap);
  free(arena);
  free(shares);
  return median;
}

static void one_stream(void) {
  CHECK(measure(1, 1024, 200 * 1024, 100000) >= 0.99);
}

static void sixteen_streams(void) {
  CHECK(measure(16, 1024, 200 * 1024, 100000) >= 0.98);
}

static void small_frames(void) {
  CHECK(measure(1, 200, 200, 500000) >= 0.78);
}

int main(void) {
  RUN(one_stream);
  RUN(sixteen_streams);
  RUN(small_frames);
  return check_report();
}
