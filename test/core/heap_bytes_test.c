/* What is written into blocks, and what the checks find when it is damaged. */
#include <stdlib.h>

#include "check.h"
#include "core/heap.h"

enum { OWNER = 7, HEAD = 32, PAGES = 8 };

static uint8_t *arena;
static kvs_heap heap;
static kvs_chain chain;

static void open_heap(void) {
  size_t len = (size_t)PAGES * (KVS_PAGE_SIZE + KVS_PAGE_ENTRY);

  arena = (uint8_t *)malloc(len);
  kvs_heap_init(&heap, arena, len);
  kvs_chain_init(&chain, OWNER);
}

static void close_heap(void) {
  kvs_chain_trim(&heap, &chain, 0);
  CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
  CHECK_EQ(kvs_heap_available(&heap), PAGES);
  kvs_heap_done(&heap);
  free(arena);
}

static kvs_pos append(uint64_t body) {
  kvs_pos block = 0;

  CHECK_EQ(kvs_chain_append(&heap, &chain, HEAD, body, &block), KVS_OK);
  return block;
}

static void fill(uint8_t *bytes, size_t len, uint64_t seed) {
  for (size_t i = 0; i < len; i++) {
    bytes[i] = (uint8_t)check_random(&seed);
  }
}

/* ---- bytes ------------------------------------------------------------ */

/* Bodies of many lengths, each written in pieces of its own length, read in
 * pieces of another: the same bytes, and places that skip agrees with. */
static void pieces_of_any_length(void) {
  static const size_t pieces[] = {1,    9, 1000, KVS_PAGE_DATA, KVS_PAGE_SIZE,
                                  50000};
  enum { COUNT = sizeof pieces / sizeof pieces[0], LEN = 50000 };
  static uint8_t from[LEN];
  static uint8_t to[LEN];

  for (size_t w = 0; w < COUNT; w++) {
    for (size_t r = 0; r < COUNT; r++) {
      open_heap();
      append(1 + 2000 * w + 300 * r);
      kvs_pos body = append(LEN) + HEAD;
      kvs_pos end = chain.end;
      kvs_pos at = body;
      fill(from, LEN, w * COUNT + r + 1);
      for (size_t done = 0; done < LEN; done += pieces[w]) {
        size_t len = (size_t)kvs_min_u64(pieces[w], LEN - done);
        CHECK_EQ(kvs_heap_skip(&heap, body, done), at);
        at = kvs_heap_write(&heap, at, from + done, len);
      }
      CHECK_EQ(at, end);
      memset(to, 0, LEN);
      at = body;
      for (size_t done = 0; done < LEN; done += pieces[r]) {
        size_t len = (size_t)kvs_min_u64(pieces[r], LEN - done);
        at = kvs_heap_read(&heap, at, to + done, len);
      }
      CHECK_EQ(at, end);
      CHECK_BYTES(to, from, LEN);
      CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
      close_heap();
    }
  }
}

static void nothing_moves_nothing(void) {
  open_heap();
  kvs_pos full = append(KVS_PAGE_DATA - HEAD) + KVS_PAGE_DATA;
  CHECK_EQ(chain.end, full);
  CHECK_EQ(kvs_heap_write(&heap, full, NULL, 0), full);
  CHECK_EQ(kvs_heap_read(&heap, full, NULL, 0), full);
  CHECK_EQ(kvs_heap_skip(&heap, full, 0), full);
  close_heap();
}

/* A head that ends with its page: the body begins in the next one. */
static void body_begins_behind_a_page(void) {
  uint8_t out[5] = {0, 0, 0, 0, 0};
  kvs_pos block = 0;

  open_heap();
  append(KVS_PAGE_DATA - HEAD - KVS_BLOCK_ROOM);
  CHECK_EQ(kvs_chain_append(&heap, &chain, KVS_BLOCK_ROOM, 5, &block), KVS_OK);
  kvs_pos body = block + KVS_BLOCK_ROOM;
  CHECK_EQ(body % KVS_PAGE_SIZE, 0);
  memset(kvs_heap_at(&heap, block), 1, KVS_BLOCK_ROOM);
  CHECK_EQ(kvs_heap_write(&heap, body, (const uint8_t *)"hello", 5), chain.end);
  CHECK_EQ(kvs_heap_read(&heap, body, out, 5), chain.end);
  CHECK_BYTES(out, "hello", 5);
  CHECK_EQ(kvs_heap_skip(&heap, body, 5), chain.end);
  CHECK_EQ(chain.end % KVS_PAGE_SIZE, KVS_PAGE_GAP + 5);
  close_heap();
}

static void sink_writes_on(void) {
  static uint8_t from[40000];
  static uint8_t to[40000];

  open_heap();
  kvs_pos body = append(sizeof from) + HEAD;
  kvs_heap_sink sink = kvs_make_heap_sink(&heap, body);
  fill(from, sizeof from, 5);
  kvs_sink_write(&sink.sink, from, 18);
  kvs_sink_write(&sink.sink, from + 18, 0);
  kvs_sink_write(&sink.sink, from + 18, sizeof from - 18);
  CHECK_EQ(sink.sink.written, sizeof from);
  CHECK_EQ(sink.at, chain.end);
  CHECK_EQ(kvs_heap_read(&heap, body, to, sizeof to), chain.end);
  CHECK_BYTES(to, from, sizeof from);
  close_heap();
}

static void heads_keep_their_bytes(void) {
  kvs_pos blocks[100];

  open_heap();
  for (size_t i = 0; i < 100; i++) {
    blocks[i] = append(i * 13);
    memset(kvs_heap_at(&heap, blocks[i]), (int)i, HEAD);
    CHECK_EQ((uintptr_t)kvs_heap_at(&heap, blocks[i]) % 8, 0);
  }
  for (size_t i = 0; i < 100; i++) {
    uint8_t want[HEAD];
    memset(want, (int)i, HEAD);
    CHECK_BYTES(kvs_heap_at(&heap, blocks[i]), want, HEAD);
  }
  close_heap();
}

/* ---- damage ----------------------------------------------------------- */

/* Byte |byte| of what the arena says of a page: its link, then its entry. */
static uint8_t *entry_at(uint32_t number, uint32_t byte) {
  return byte < sizeof(uint32_t)
             ? (uint8_t *)&heap.links[number] + byte
             : (uint8_t *)&heap.entries[number] + byte - sizeof(uint32_t);
}

/* Each bit of a page's entry, on the free list and in a chain: the check finds
 * it and, once it is mended, does not any more. */
static void every_damaged_bit_is_found(void) {
  for (uint32_t bit = 0; bit < KVS_PAGE_ENTRY * 8; bit++) {
    open_heap();
    append(3 * KVS_PAGE_SIZE);
    kvs_chain_trim(&heap, &chain, 0);
    append(KVS_PAGE_SIZE);
    uint32_t in_chain = chain.last;
    uint32_t on_list = heap.free_first;
    uint8_t *byte = entry_at(in_chain, bit / 8);
    *byte ^= (uint8_t)(1u << bit % 8);
    CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_STATUS_HEAP_CORRUPTED);
    CHECK_EQ(kvs_heap_check(&heap), KVS_OK);
    *byte ^= (uint8_t)(1u << bit % 8);
    CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
    byte = entry_at(on_list, bit / 8);
    *byte ^= (uint8_t)(1u << bit % 8);
    CHECK_EQ(kvs_heap_check(&heap), KVS_STATUS_HEAP_CORRUPTED);
    CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
    *byte ^= (uint8_t)(1u << bit % 8);
    close_heap();
  }
}

static void wrong_counts_are_found(void) {
  open_heap();
  append(4 * KVS_PAGE_SIZE);
  kvs_pos keep = append(10);
  kvs_chain_trim(&heap, &chain, keep);
  append(KVS_PAGE_SIZE);
  kvs_chain other = chain;
  uint32_t free_count = heap.free_count;

  CHECK(free_count > 1 && chain.pages > 1);
  other.pages++;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other.pages = chain.pages - 1;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.owner++;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.last = chain.first;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.first = PAGES;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.end = keep;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other.end = 0;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.appended++;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  other = chain;
  other.limit = chain.limit == 0 ? KVS_PAGE_SIZE : 0;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);
  kvs_chain_init(&other, OWNER);
  other.end = keep;
  CHECK_EQ(kvs_chain_check(&heap, &other), KVS_STATUS_HEAP_CORRUPTED);

  heap.free_count = free_count + 1;
  CHECK_EQ(kvs_heap_check(&heap), KVS_STATUS_HEAP_CORRUPTED);
  heap.free_count = free_count - 1;
  CHECK_EQ(kvs_heap_check(&heap), KVS_STATUS_HEAP_CORRUPTED);
  heap.free_count = PAGES + 1;
  CHECK_EQ(kvs_heap_check(&heap), KVS_STATUS_HEAP_CORRUPTED);
  heap.free_count = free_count;
  uint32_t fresh = heap.fresh;
  heap.fresh = PAGES + 1;
  CHECK_EQ(kvs_heap_check(&heap), KVS_STATUS_HEAP_CORRUPTED);
  heap.fresh = fresh;
  close_heap();
}

/* A page that somebody owns is sound, but not on the free list. */
static void owned_page_on_the_list_is_found(void) {
  open_heap();
  append(100);
  kvs_heap broken = heap;
  broken.free_first = chain.first;
  broken.free_count = 1;
  CHECK_EQ(kvs_heap_check(&broken), KVS_STATUS_HEAP_CORRUPTED);
  close_heap();
}

/* An entry copied from another page is sound in itself, but not there. */
static void strayed_entry_is_found(void) {
  open_heap();
  append(3 * KVS_PAGE_SIZE);
  uint32_t last = chain.last;
  uint32_t link = heap.links[last];
  kvs_page_entry kept = heap.entries[last];
  heap.links[last] = heap.links[last - 1];
  heap.entries[last] = heap.entries[last - 1];
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_STATUS_HEAP_CORRUPTED);
  heap.links[last] = link;
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_STATUS_HEAP_CORRUPTED);
  heap.entries[last] = kept;
  CHECK_EQ(kvs_chain_check(&heap, &chain), KVS_OK);
  close_heap();
}

/* ---- what Debug and ASan see ------------------------------------------- */

#if defined(KVS_DEBUG)
static void fresh_bytes_are_marked(void) {
  uint8_t bytes[64];

  open_heap();
  kvs_pos body = append(sizeof bytes) + HEAD;
  (void)kvs_heap_read(&heap, body, bytes, sizeof bytes);
  for (size_t i = 0; i < sizeof bytes; i++) {
    CHECK_EQ(bytes[i], 0xAA);
  }
  const uint8_t *pages = heap.base;
  kvs_chain_trim(&heap, &chain, 0);
  kvs_heap_done(&heap);
  CHECK_EQ(pages[body], 0x55);
  CHECK_EQ(pages[body + 63], 0x55);
  free(arena);
}
#endif

#if defined(KVS_HAS_ASAN)
int __asan_address_is_poisoned(void const volatile *addr);

static bool forbidden(kvs_pos at) {
  return __asan_address_is_poisoned(heap.base + at) != 0;
}

static void only_blocks_may_be_touched(void) {
  open_heap();
  CHECK(forbidden(KVS_PAGE_SIZE));
  kvs_pos a = append(3);
  kvs_pos b = append(KVS_PAGE_SIZE);
  CHECK(!forbidden(a) && !forbidden(a + HEAD + 2));
  CHECK(forbidden(a + HEAD + 3));
  CHECK(!forbidden(b) && !forbidden(KVS_PAGE_SIZE - 1));
  CHECK(!forbidden(chain.end - 1) && forbidden(chain.end));
  kvs_chain_trim(&heap, &chain, b);
  CHECK(forbidden(a) && forbidden(b - 1) && !forbidden(b));
  kvs_chain_trim(&heap, &chain, 0);
  CHECK(forbidden(b) && forbidden(chain.end + KVS_PAGE_SIZE + 100));
  kvs_heap_done(&heap);
  CHECK(!forbidden(a) && !forbidden(7 * KVS_PAGE_SIZE));
  free(arena);
}
#endif

int main(void) {
  RUN(pieces_of_any_length);
  RUN(nothing_moves_nothing);
  RUN(body_begins_behind_a_page);
  RUN(sink_writes_on);
  RUN(heads_keep_their_bytes);
  RUN(every_damaged_bit_is_found);
  RUN(wrong_counts_are_found);
  RUN(owned_page_on_the_list_is_found);
  RUN(strayed_entry_is_found);
#if defined(KVS_DEBUG)
  RUN(fresh_bytes_are_marked);
#endif
#if defined(KVS_HAS_ASAN)
  RUN(only_blocks_may_be_touched);
#endif
  return check_report();
}
