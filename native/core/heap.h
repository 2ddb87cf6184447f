/* SPDX-License-Identifier: Apache-2.0
 * The store for media: an arena cut into equal pages. Each owner appends
 * blocks to a chain of pages and gives them back in the order in which they
 * were written, so that every operation is O(1) a page and nothing fragments.
 *
 *   arena  [link of page 0]...[entry of page 0]...[page 0][page 1]...
 *   page   [gap 8][block ...][block ...]            KVS_PAGE_SIZE bytes
 *   block  [head, contiguous, 8-aligned][body, may cross pages]
 *
 * A block begins at the next 8-aligned byte of the chain, or at the next page
 * when fewer than KVS_BLOCK_ROOM bytes are left in this one, so that the place
 * of the next block follows from the end of the last. A page's link says what
 * follows it, its entry who owns it and where its first block began, under a
 * checksum over both. They lie together because headers one page apart share
 * the same few sets of every cache, and the links apart from the entries
 * because following them is what everything waits for. Links are page numbers
 * and places are offsets, so that no media can lead out of the arena. The
 * client and its streams lie in it too, and they do hold pointers, to each
 * other and to what the host gave: an arena is of use where it is, to the
 * process it is in.
 *
 * Pages are given back all at once, whatever they are: of them only the first
 * says that it has no owner. A page has one if its order is not below that of
 * the first page of its owner's chain. Those that are cut out of the middle of
 * a chain say so one by one. */
#ifndef KVS_CORE_HEAP_H
#define KVS_CORE_HEAP_H

#include "core/bytes.h"

#define KVS_PAGE_SIZE 16384u
/* Unused, so that the end of a page is not the place where the next begins. */
#define KVS_PAGE_GAP 8u
#define KVS_PAGE_DATA (KVS_PAGE_SIZE - KVS_PAGE_GAP)
#define KVS_PAGE_NONE UINT32_MAX
/* What a page takes of the arena beside itself: link and entry. */
#define KVS_PAGE_ENTRY 24u
/* The longest block head; a head never crosses a page. */
#define KVS_BLOCK_ROOM 112u

/* A place in the heap: page number * KVS_PAGE_SIZE + offset. 0 is nowhere. */
typedef uint64_t kvs_pos;

/*   0       4       8      12      16      20
 *   | owner | first | prev | order | check | */
typedef struct kvs_page_entry {
  uint32_t owner; /* 0: the first page of the free list */
  uint32_t first; /* offset of the first block that began here; 0: none */
  uint32_t prev;  /* the page before it in the chain */
  uint32_t order; /* pages that the chain had got before it, ever */
  uint32_t check;
} kvs_page_entry;

_Static_assert(sizeof(uint32_t) + sizeof(kvs_page_entry) == KVS_PAGE_ENTRY,
               "24 bytes a page");

typedef struct kvs_heap {
  uint32_t *links;         /* one a page: the next in a chain, or free */
  kvs_page_entry *entries; /* one a page */
  uint8_t *base;           /* page 0; 8-aligned */
  uint32_t page_count;
  uint32_t fresh;      /* pages from here on were never used (or touched) */
  uint32_t free_first; /* last-in first-out list of pages given back */
  uint32_t free_count; /* pages on that list */
  uint64_t allocs;     /* blocks and single pages ever taken */
} kvs_heap;

/* One owner's pages, in writing order. All zero-initialised by
 * kvs_chain_init only. */
typedef struct kvs_chain {
  uint32_t owner; /* stands in each page's entry; not 0 */
  uint32_t first; /* KVS_PAGE_NONE: holds nothing */
  uint32_t last;
  uint32_t pages;
  uint32_t appended; /* pages ever, counted round */
  uint32_t cut;  /* pages cut out behind the first: orders that are missing */
  kvs_pos end;   /* where the last block's body ended; 0 when empty */
  kvs_pos limit; /* the end of the last page if a block began there, or 0 */
} kvs_chain;

/* Bytes from |at| to the end of its page. The end of a page and offset 0 of the
 * next are the same number and no data stand at offset 0: it means the end. */
static inline uint32_t kvs_heap_room(kvs_pos at) {
  return (uint32_t)(0 - at) & (KVS_PAGE_SIZE - 1);
}

/* Where the next block of |chain| begins in its last page, or 0: in a page that
 * is not yet taken. */
static inline kvs_pos kvs_chain_begin(const kvs_chain *chain) {
  kvs_pos begin = (chain->end + 7) & ~(kvs_pos)7;

  return kvs_heap_room(begin) >= KVS_BLOCK_ROOM ? begin : 0;
}

/* Makes pages of |len| bytes at |base| [lent]; touches none of them, nor their
 * links and entries. */
void kvs_heap_init(kvs_heap *heap, uint8_t *base, size_t len);

/* Forgets all pages; the bytes are the caller's again, for ASan too. */
void kvs_heap_done(kvs_heap *heap);

/* Pages that can still be taken. */
static inline uint32_t kvs_heap_available(const kvs_heap *heap) {
  return heap->page_count - heap->fresh + heap->free_count;
}

/* Pages taken now. */
static inline uint32_t kvs_heap_used(const kvs_heap *heap) {
  return heap->fresh - heap->free_count;
}

/* One page for an object of at most KVS_PAGE_DATA bytes, not zeroed.
 * KVS_STATUS_STORE_OUT_OF_MEMORY: none left. */
KVS_MUST_CHECK kvs_status kvs_heap_take_page(kvs_heap *heap, uint32_t owner,
                                             kvs_pos *object);
void kvs_heap_give_page(kvs_heap *heap, kvs_pos object);

/* The object of the page that |at| lies in. */
static inline kvs_pos kvs_heap_page_of(kvs_pos at) {
  return at - at % KVS_PAGE_SIZE + KVS_PAGE_GAP;
}

void kvs_chain_init(kvs_chain *chain, uint32_t owner);

/* kvs_chain_needs, for a block that does not fit in the last page. */
uint32_t kvs_chain_needs_pages(const kvs_chain *chain, uint64_t total);

/* Pages beyond those it has that a block of |head| + |body| bytes would take.
 */
static inline uint32_t kvs_chain_needs(const kvs_chain *chain, size_t head,
                                       uint64_t body) {
  uint64_t total = kvs_add_u64(body, head);
  kvs_pos begin = kvs_chain_begin(chain);

  return begin != 0 && total <= kvs_heap_room(begin)
             ? 0
             : kvs_chain_needs_pages(chain, total);
}

/* Lends the |total| bytes of a new block at |at| to its owner, for debuggers
 * and ASan. */
#if defined(KVS_DEBUG) || defined(KVS_HAS_ASAN)
void kvs_heap_lend(const kvs_heap *heap, kvs_pos at, uint64_t total);
#else
static inline void kvs_heap_lend(const kvs_heap *heap, kvs_pos at,
                                 uint64_t total) {
  (void)heap;
  (void)at;
  (void)total;
}
#endif

/* kvs_chain_append, where an entry is to be written. */
KVS_MUST_CHECK kvs_status kvs_chain_append_pages(kvs_heap *heap,
                                                 kvs_chain *chain,
                                                 uint64_t total,
                                                 kvs_pos *block);

/* Appends a block of |total| bytes (below 2^32) where it fits in the last page,
 * behind another one: nothing but the chain changes. False: it does not fit. */
static inline bool kvs_chain_append_within(kvs_heap *heap, kvs_chain *chain,
                                           uint64_t total, kvs_pos *block) {
  kvs_pos begin = (chain->end + 7) & ~(kvs_pos)7;

  if (begin + kvs_max_u64(total, KVS_BLOCK_ROOM) > chain->limit) {
    return false;
  }
  chain->end = begin + total;
  heap->allocs++;
  kvs_heap_lend(heap, begin, total);
  *block = begin;
  return true;
}

/* Appends a block of at least 1 byte; its bytes are not set. |head| is at most
 * KVS_BLOCK_ROOM. Takes all its pages or none
 * (KVS_STATUS_STORE_OUT_OF_MEMORY). */
KVS_MUST_CHECK static inline kvs_status
kvs_chain_append(kvs_heap *heap, kvs_chain *chain, size_t head, uint64_t body,
                 kvs_pos *block) {
  uint64_t total = kvs_add_u64(body, head);

  KVS_ASSERT(total > 0 && head <= KVS_BLOCK_ROOM);
  if (total <= KVS_PAGE_SIZE &&
      kvs_chain_append_within(heap, chain, total, block)) {
    return KVS_OK;
  }
  return kvs_chain_append_pages(heap, chain, total, block);
}

/* Where the page after that of |end| has its first block. */
kvs_pos kvs_chain_next_page(const kvs_heap *heap, kvs_pos end);

/* Where the block after the one that ends at |end| begins; |end| is what
 * kvs_heap_skip gave for the end of its body. 0: that was the last. */
static inline kvs_pos kvs_chain_next(const kvs_heap *heap,
                                     const kvs_chain *chain, kvs_pos end) {
  kvs_pos begin = (end + 7) & ~(kvs_pos)7;

  if (end == chain->end) {
    return 0;
  }
  return kvs_heap_room(begin) >= KVS_BLOCK_ROOM
             ? begin
             : kvs_chain_next_page(heap, end);
}

/* Gives back every block before |keep|, the place of a block, with the pages
 * that this empties; all of them when |keep| is 0. */
void kvs_chain_trim(kvs_heap *heap, kvs_chain *chain, kvs_pos keep);

/* Gives back the pages wholly between two blocks that stay: |from|, where the
 * first of them ends, and |to|, where the other begins; those between them are
 * gone, and nothing finds its way from |from| to |to| any more but who knows
 * both. With |to| 0 all blocks behind |from| go, and the chain ends there.
 * Returns how many pages came back. */
uint32_t kvs_chain_cut(kvs_heap *heap, kvs_chain *chain, kvs_pos from,
                       kvs_pos to);

/* Pages from that of |at|, the place of a block, to that of |end|, where a
 * block ends, with nothing cut out between them. */
uint32_t kvs_heap_span(const kvs_heap *heap, kvs_pos at, kvs_pos end);

/* Whether a block that ends at |end| and one at |at| share a page. */
bool kvs_heap_share(kvs_pos end, kvs_pos at);

/* The contiguous bytes of a block head at |at|. */
static inline void *kvs_heap_at(const kvs_heap *heap, kvs_pos at) {
  return heap->base + at;
}

/* What the three functions below do beyond the end of a page, or with nothing.
 */
kvs_pos kvs_heap_write_across(kvs_heap *heap, kvs_pos at, const uint8_t *bytes,
                              size_t len);
kvs_pos kvs_heap_read_across(const kvs_heap *heap, kvs_pos at, uint8_t *out,
                             size_t len);
kvs_pos kvs_heap_skip_across(const kvs_heap *heap, kvs_pos at, uint64_t len);

/* Copies |len| bytes to or from |at|, across pages; returns the place after
 * them. The bytes lie within one block's body. */
static inline kvs_pos kvs_heap_write(kvs_heap *heap, kvs_pos at,
                                     const uint8_t *bytes, size_t len) {
  if (len == 0 || len > kvs_heap_room(at)) {
    return kvs_heap_write_across(heap, at, bytes, len);
  }
  memcpy(heap->base + at, bytes, len);
  return at + len;
}

static inline kvs_pos kvs_heap_read(const kvs_heap *heap, kvs_pos at,
                                    uint8_t *out, size_t len) {
  if (len == 0 || len > kvs_heap_room(at)) {
    return kvs_heap_read_across(heap, at, out, len);
  }
  memcpy(out, heap->base + at, len);
  return at + len;
}

/* The place |len| bytes after |at|, across pages, within one block. */
static inline kvs_pos kvs_heap_skip(const kvs_heap *heap, kvs_pos at,
                                    uint64_t len) {
  return len > kvs_heap_room(at) ? kvs_heap_skip_across(heap, at, len)
                                 : at + len;
}

/* A sink that writes from |at| on. */
typedef struct kvs_heap_sink {
  kvs_sink sink;
  kvs_heap *heap;
  kvs_pos at;
} kvs_heap_sink;

kvs_heap_sink kvs_make_heap_sink(kvs_heap *heap, kvs_pos at);

typedef struct kvs_heap_stats {
  uint32_t pages;     /* all */
  uint32_t used;      /* taken now */
  uint32_t available; /* kvs_heap_available */
  uint64_t allocs;
} kvs_heap_stats;

void kvs_heap_get_stats(const kvs_heap *heap, kvs_heap_stats *stats);

/* Walks the free list; KVS_STATUS_HEAP_CORRUPTED unless every page on it is
 * sound and counted. */
KVS_MUST_CHECK kvs_status kvs_heap_check(const kvs_heap *heap);

/* The same for a chain: entries, links, owner, count. */
KVS_MUST_CHECK kvs_status kvs_chain_check(const kvs_heap *heap,
                                          const kvs_chain *chain);

#endif
