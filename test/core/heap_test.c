#include "core/heap.h"

#include <stdlib.h>

#include "check.h"

enum { OWNER = 7, HEAD = 32 };

static uint8_t *arena;
static kvs_heap heap;

/* Bytes of an arena with |pages| pages. */
static size_t arena_len(uint32_t pages) {
  return (size_t)pages * (KVS_PAGE_SIZE + KVS_PAGE_ENTRY);
}

static void open_heap(uint32_t pages) {
  arena = (uint8_t *)malloc(arena_len(pages));
  kvs_heap_init(&heap, arena, arena_len(pages));
  CHECK_EQ(kvs_heap_available(&heap), pages);
}

/* Every case ends with a sound heap in which nothing is taken. */
static void close_heap(void) {
  kvs_heap_stats stats;

  CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
  kvs_heap_get_stats(&heap, &stats);
  CHECK_EQ(stats.used, 0);
  CHECK_EQ(stats.available, stats.pages);
  kvs_heap_done(&heap);
  free(arena);
}

static uint32_t used(void) {
  kvs_heap_stats stats;

  kvs_heap_get_stats(&heap, &stats);
  return stats.used;
}

static kvs_pos append(kvs_chain *chain, size_t head, uint64_t body) {
  kvs_pos block = 0;

  CHECK_EQ(kvs_chain_append(&heap, chain, head, body, &block), KVS_OK);
  CHECK_EQ(kvs_chain_check(&heap, chain), KVS_OK);
  return block;
}

static uint32_t offset_of(kvs_pos pos) {
  return (uint32_t)(pos % KVS_PAGE_SIZE);
}

/* ---- pages ------------------------------------------------------------ */

/* Taking a page touches that page and its entry, nothing else. */
static void init_touches_nothing(void) {
  size_t len = arena_len(4);
  uint8_t *bytes = (uint8_t *)malloc(len);
  kvs_pos object = 0;

  memset(bytes, 0x3C, len);
  kvs_heap_init(&heap, bytes, len);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &object), KVS_OK);
  uint8_t *first = (uint8_t *)kvs_heap_at(&heap, object);
  size_t from = (size_t)(first - bytes);
  kvs_heap_done(&heap);
  size_t link = (size_t)((uint8_t *)heap.links - bytes);
  size_t entry = (size_t)((uint8_t *)heap.entries - bytes);
  size_t touched = 0;
  for (size_t i = 0; i < len; i++) {
    bool its = (i >= from && i < from + KVS_PAGE_DATA) ||
               (i >= link && i < link + sizeof *heap.links) ||
               (i >= entry && i < entry + sizeof *heap.entries);
    touched += bytes[i] != 0x3C && !its;
  }
  CHECK_EQ(touched, 0);
  CHECK_EQ(heap.entries[0].owner, OWNER);
  free(bytes);
}

static void init_takes_any_length(void) {
  uint8_t *bytes = (uint8_t *)malloc(arena_len(2));

  for (size_t len = 0; len <= arena_len(2); len += 8) {
    kvs_heap_init(&heap, bytes, len);
    CHECK_EQ(kvs_heap_available(&heap), len < arena_len(1)   ? 0
                                        : len < arena_len(2) ? 1
                                                             : 2);
    CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
    kvs_heap_done(&heap);
    CHECK_EQ(kvs_heap_available(&heap), 0);
  }
  free(bytes);
}

static void init_aligns_the_base(void) {
  uint8_t *bytes = (uint8_t *)malloc(arena_len(2));
  kvs_pos object = 0;

  for (size_t skew = 1; skew < 8; skew++) {
    kvs_heap_init(&heap, bytes + skew, arena_len(2) - skew);
    CHECK_EQ(kvs_heap_available(&heap), 1);
    CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &object), KVS_OK);
    CHECK_EQ((uintptr_t)kvs_heap_at(&heap, object) % 8, 0);
    kvs_heap_done(&heap);
  }
  kvs_heap_init(&heap, bytes + 1, 3);
  CHECK_EQ(kvs_heap_available(&heap), 0);
  kvs_heap_done(&heap);
  free(bytes);
}

static void page_holds_an_object(void) {
  kvs_pos objects[4] = {0, 0, 0, 0};
  kvs_pos none = 99;

  open_heap(4);
  for (int i = 0; i < 4; i++) {
    CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &objects[i]), KVS_OK);
    CHECK(objects[i] != 0);
    CHECK_EQ(objects[i] % 8, 0);
    memset(kvs_heap_at(&heap, objects[i]), i, KVS_PAGE_DATA);
  }
  CHECK_EQ(used(), 4);
  CHECK_EQ(kvs_heap_available(&heap), 0);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &none),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(none, 99);
  for (int i = 0; i < 4; i++) {
    const uint8_t *bytes = (const uint8_t *)kvs_heap_at(&heap, objects[i]);
    CHECK(bytes[0] == i && bytes[KVS_PAGE_DATA - 1] == i);
    kvs_heap_give_page(&heap, objects[i]);
  }
  close_heap();
}

static void last_page_given_is_first_taken(void) {
  kvs_pos a = 0;
  kvs_pos b = 0;
  kvs_pos again = 0;

  open_heap(4);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &a), KVS_OK);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &b), KVS_OK);
  kvs_heap_give_page(&heap, a);
  kvs_heap_give_page(&heap, b);
  CHECK_EQ(kvs_heap_available(&heap), 4);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &again), KVS_OK);
  CHECK_EQ(again, b);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &again), KVS_OK);
  CHECK_EQ(again, a);
  kvs_heap_give_page(&heap, a);
  kvs_heap_give_page(&heap, b);
  close_heap();
}

static void stats_count_what_is_taken(void) {
  kvs_heap_stats stats;
  kvs_chain chain;
  kvs_pos object = 0;

  open_heap(8);
  kvs_chain_init(&chain, OWNER);
  CHECK_EQ(kvs_heap_take_page(&heap, OWNER, &object), KVS_OK);
  append(&chain, HEAD, 2 * KVS_PAGE_SIZE);
  append(&chain, HEAD, 10);
  kvs_heap_get_stats(&heap, &stats);
  CHECK_EQ(stats.pages, 8);
  CHECK_EQ(stats.used, 4);
  CHECK_EQ(stats.available, 4);
  CHECK_EQ(stats.allocs, 3);
  kvs_chain_trim(&heap, &chain, 0);
  kvs_heap_give_page(&heap, object);
  kvs_heap_get_stats(&heap, &stats);
  CHECK_EQ(stats.allocs, 3);
  close_heap();
}

/* ---- where blocks begin and end --------------------------------------- */

static void first_block_begins_a_page(void) {
  kvs_chain chain;

  open_heap(2);
  kvs_chain_init(&chain, OWNER);
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
  CHECK_EQ(kvs_chain_needs(&chain, HEAD, 0), 1);
  CHECK_EQ(offset_of(append(&chain, HEAD, 0)), KVS_PAGE_GAP);
  CHECK_EQ(chain.pages, 1);
  kvs_chain_trim(&heap, &chain, 0);
  CHECK_EQ(chain.first, KVS_PAGE_NONE);
  CHECK_EQ(chain.end, 0);
  close_heap();
}

static void blocks_begin_8_aligned(void) {
  kvs_chain chain;

  open_heap(2);
  kvs_chain_init(&chain, OWNER);
  for (uint64_t body = 0; body < 20; body++) {
    kvs_pos before = chain.end;
    kvs_pos block = append(&chain, HEAD, body);
    CHECK_EQ(block % 8, 0);
    CHECK(before == 0 || (block >= before && block < before + 8));
    CHECK_EQ(chain.end, block + HEAD + body);
  }
  CHECK_EQ(chain.pages, 1);
  kvs_chain_trim(&heap, &chain, 0);
  close_heap();
}

/* For each number of bytes left in a page: the next block begins in it exactly
 * when KVS_BLOCK_ROOM bytes are left from the next 8-aligned byte on. */
static void blocks_begin_where_a_head_fits(void) {
  open_heap(4);
  for (uint32_t left = 0; left < 3 * KVS_BLOCK_ROOM; left++) {
    kvs_chain chain;
    kvs_chain_init(&chain, OWNER);
    kvs_pos first = append(&chain, HEAD, KVS_PAGE_DATA - HEAD - left);
    CHECK_EQ(chain.pages, 1);
    bool fits = left / 8 * 8 >= KVS_BLOCK_ROOM;
    CHECK_EQ(kvs_chain_needs(&chain, KVS_BLOCK_ROOM, 0), fits ? 0 : 1);
    kvs_pos end = chain.end;
    kvs_pos block = append(&chain, KVS_BLOCK_ROOM, 0);
    CHECK_EQ(chain.pages, fits ? 1 : 2);
    CHECK_EQ(kvs_chain_next(&heap, &chain, end), block);
    CHECK_EQ(kvs_heap_skip(&heap, first + HEAD, KVS_PAGE_DATA - HEAD - left),
             end);
    CHECK(fits || offset_of(block) == KVS_PAGE_GAP);
    kvs_chain_trim(&heap, &chain, 0);
  }
  close_heap();
}

/* A block of every length around one and two pages: pages and end as counted
 * by hand, and the next block is found behind it. */
static void blocks_cross_pages(void) {
  open_heap(8);
  for (uint32_t around = 1; around <= 2; around++) {
    for (int32_t off = -200; off <= 200; off++) {
      uint64_t total = (uint64_t)((int64_t)around * KVS_PAGE_DATA + off);
      uint32_t pages = (uint32_t)((total + KVS_PAGE_DATA - 1) / KVS_PAGE_DATA);
      kvs_chain chain;
      kvs_chain_init(&chain, OWNER);
      CHECK_EQ(kvs_chain_needs(&chain, HEAD, total - HEAD), pages);
      kvs_pos block = append(&chain, HEAD, total - HEAD);
      CHECK_EQ(chain.pages, pages);
      CHECK_EQ(kvs_heap_skip(&heap, block + HEAD, total - HEAD), chain.end);
      kvs_pos end = chain.end;
      CHECK_EQ(kvs_chain_next(&heap, &chain, end), 0);
      kvs_pos next = append(&chain, HEAD, 100);
      if (!CHECK_EQ(kvs_chain_next(&heap, &chain, end), next)) {
        return;
      }
      CHECK_EQ(kvs_chain_next(&heap, &chain, chain.end), 0);
      kvs_chain_trim(&heap, &chain, 0);
    }
  }
  close_heap();
}

static void refused_block_changes_nothing(void) {
  kvs_chain chain;
  kvs_pos block = 99;

  memset(&chain, 0, sizeof chain); /* its padding, too, is compared below */
  open_heap(3);
  kvs_chain_init(&chain, OWNER);
  append(&chain, HEAD, 100);
  kvs_chain before = chain;
  kvs_heap heap_before = heap;
  CHECK_EQ(kvs_chain_append(&heap, &chain, HEAD, 3 * KVS_PAGE_SIZE, &block),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(kvs_chain_append(&heap, &chain, HEAD, UINT64_MAX, &block),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(block, 99);
  CHECK(memcmp(&before, &chain, sizeof chain) == 0);
  CHECK(memcmp(&heap_before, &heap, sizeof heap) == 0);
  CHECK_EQ(kvs_chain_needs(&chain, HEAD, UINT64_MAX), KVS_PAGE_NONE);
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
  append(&chain, HEAD, 2 * KVS_PAGE_DATA);
  CHECK_EQ(used(), 3);
  kvs_chain_trim(&heap, &chain, 0);
  close_heap();
}

/* A block without a head may begin wherever one with a head may. */
static void blocks_without_a_head(void) {
  kvs_chain chain;

  open_heap(4);
  kvs_chain_init(&chain, OWNER);
  kvs_pos block = append(&chain, 0, 1);
  CHECK_EQ(offset_of(block), KVS_PAGE_GAP);
  CHECK_EQ(kvs_heap_skip(&heap, block, 1), chain.end);
  block = append(&chain, 0, 2 * KVS_PAGE_SIZE);
  CHECK_EQ(kvs_heap_skip(&heap, block, 2 * KVS_PAGE_SIZE), chain.end);
  CHECK_EQ(chain.pages, 3);
  kvs_chain_trim(&heap, &chain, 0);
  close_heap();
}

/* Pages from the free list and fresh ones in one block, in every mixture. */
static void blocks_of_listed_and_fresh_pages(void) {
  for (uint32_t listed = 0; listed <= 4; listed++) {
    for (uint32_t pages = 1; pages <= 8; pages++) {
      kvs_chain chain;
      open_heap(8);
      kvs_chain_init(&chain, OWNER);
      if (listed > 0) {
        append(&chain, HEAD, (uint64_t)listed * KVS_PAGE_DATA - HEAD);
        kvs_chain_trim(&heap, &chain, 0);
      }
      append(&chain, HEAD, (uint64_t)pages * KVS_PAGE_DATA - HEAD);
      CHECK_EQ(chain.pages, pages);
      CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
      CHECK_EQ(kvs_heap_available(&heap), 8 - pages);
      kvs_chain_trim(&heap, &chain, 0);
      close_heap();
    }
  }
}

/* ---- giving back ------------------------------------------------------ */

static void trim_gives_pages_before_the_kept_block(void) {
  kvs_pos blocks[40];
  kvs_chain chain;

  open_heap(16);
  kvs_chain_init(&chain, OWNER);
  for (int i = 0; i < 40; i++) {
    blocks[i] = append(&chain, HEAD, 5000);
  }
  CHECK_EQ(chain.pages, used());
  for (int i = 0; i < 40; i++) {
    uint32_t first = (uint32_t)(blocks[i] / KVS_PAGE_SIZE);
    kvs_chain_trim(&heap, &chain, blocks[i]);
    CHECK_EQ(chain.first, first);
    CHECK_EQ(chain.pages, used());
    CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
    CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
  }
  CHECK_EQ(chain.pages,
           (chain.end - 1) / KVS_PAGE_SIZE - blocks[39] / KVS_PAGE_SIZE + 1);
  kvs_chain_trim(&heap, &chain, blocks[39]);
  kvs_chain_trim(&heap, &chain, 0);
  kvs_chain_trim(&heap, &chain, 0);
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
  close_heap();
}

/* A heap full of one block each of n pages, for every n: the next allocation
 * fails, and after a trim the same one succeeds. */
static void every_allocation_may_be_the_last(void) {
  for (uint32_t pages = 1; pages <= 24; pages++) {
    kvs_chain chain;
    kvs_pos block = 0;
    kvs_pos oldest = 0;
    uint32_t failures = 0;
    open_heap(pages);
    kvs_chain_init(&chain, OWNER);
    for (uint32_t i = 0; i < 200; i++) {
      uint64_t body = (i * UINT64_C(7919)) % (pages * KVS_PAGE_DATA - HEAD);
      while (kvs_chain_append(&heap, &chain, HEAD, body, &block) != KVS_OK) {
        failures++;
        CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
        CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
        kvs_chain_trim(&heap, &chain, oldest == 0 ? 0 : block);
        oldest = 0;
      }
      oldest = block;
    }
    CHECK(failures > 0);
    kvs_chain_trim(&heap, &chain, 0);
    close_heap();
  }
}

int main(void) {
  RUN(init_touches_nothing);
  RUN(init_takes_any_length);
  RUN(init_aligns_the_base);
  RUN(page_holds_an_object);
  RUN(last_page_given_is_first_taken);
  RUN(stats_count_what_is_taken);
  RUN(first_block_begins_a_page);
  RUN(blocks_begin_8_aligned);
  RUN(blocks_begin_where_a_head_fits);
  RUN(blocks_cross_pages);
  RUN(refused_block_changes_nothing);
  RUN(blocks_without_a_head);
  RUN(blocks_of_listed_and_fresh_pages);
  RUN(trim_gives_pages_before_the_kept_block);
  RUN(every_allocation_may_be_the_last);
  return check_report();
}
