/* SPDX-License-Identifier: Apache-2.0
 * A paged store. Pages never taken stand behind |fresh| and are not touched;
 * pages given back form a last-in first-out list through their headers, so
 * that the warmest page is taken next. A chain links its pages in writing
 * order; it only grows at |last| and shrinks at |first|, which makes every
 * operation O(1) a page and leaves no hole between pages.
 *
 * A page header says all that is needed to find the blocks again in a mapped
 * file: which page belongs to whom, what follows it, where its first block
 * begins. The checksum covers the header and the page's own number, so that a
 * header that was torn or stands in a wrong place is found. */
#include "core/heap.h"

#define PAGE_MAGIC UINT32_C(0x4B765067)

/*   0      4      8      12     16     20           32
 *   | magic | owner | next | first | check | zero ... | data */
typedef struct page {
  uint32_t magic;
  uint32_t owner; /* 0: on the free list */
  uint32_t next;  /* in the chain or on the free list */
  uint32_t first; /* offset of the first block that begins here; 0: none */
  uint32_t check;
  uint32_t zero[3];
} page;

_Static_assert(sizeof(page) == KVS_PAGE_HEADER, "the header is 32 bytes");
_Static_assert(KVS_PAGE_HEADER % 8 == 0, "data begin 8-aligned");
_Static_assert(KVS_PAGE_SIZE % 8 == 0, "pages begin 8-aligned");
_Static_assert(KVS_BLOCK_ROOM % 8 == 0, "a begin that fits is 8-aligned");

/* A kvs_pos taken apart. The end of a page and offset 0 of the next are the
 * same number and no data stand at offset 0, so that it always means the
 * former: |offset| is 1..KVS_PAGE_SIZE. */
typedef struct place {
  uint32_t page;
  uint32_t offset;
} place;

static place place_of(kvs_pos pos) {
  place at = {(uint32_t)((pos - 1) / KVS_PAGE_SIZE),
              (uint32_t)((pos - 1) % KVS_PAGE_SIZE) + 1};

  return at;
}

static kvs_pos pos_of(uint32_t number, uint32_t offset) {
  return (kvs_pos)number * KVS_PAGE_SIZE + offset;
}

static page *page_at(const kvs_heap *heap, uint32_t number) {
  KVS_ASSERT(number < heap->fresh);
  return (page *)(void *)(heap->base + (size_t)number * KVS_PAGE_SIZE);
}

static uint32_t checksum(const page *header, uint32_t number) {
  uint64_t who = ((uint64_t)header->owner << 32) | header->next;
  uint64_t where = ((uint64_t)header->first << 32) | number;

  return kvs_mix32(kvs_mix32(header->magic, who), where);
}

static void seal(page *header, uint32_t number) {
  header->check = checksum(header, number);
}

static bool is_sound(const page *header, uint32_t number) {
  return header->magic == PAGE_MAGIC &&
         header->check == checksum(header, number);
}

/* Marks bytes as somebody's, so that a debugger and ASan tell fresh bytes
 * from written ones. */
static void lend(uint8_t *bytes, size_t len) {
  KVS_UNPOISON(bytes, len);
#if defined(KVS_DEBUG)
  memset(bytes, 0xAA, len);
#endif
}

/* Marks bytes as nobody's. */
static void reclaim(uint8_t *bytes, size_t len) {
#if defined(KVS_DEBUG)
  KVS_UNPOISON(bytes, len);
  memset(bytes, 0x55, len);
#endif
  KVS_POISON(bytes, len);
}

void kvs_heap_init(kvs_heap *heap, uint8_t *base, size_t len) {
  size_t skew = (size_t)(-(uintptr_t)base & 7u);
  size_t pages = len < skew ? 0 : (len - skew) / KVS_PAGE_SIZE;

  heap->base = base + (len < skew ? 0 : skew);
  heap->page_count =
      (uint32_t)kvs_min_u64((uint64_t)pages, (uint64_t)KVS_PAGE_NONE - 1);
  heap->fresh = 0;
  heap->free_first = KVS_PAGE_NONE;
  heap->free_count = 0;
  heap->allocs = 0;
  KVS_POISON(heap->base, (size_t)heap->page_count * KVS_PAGE_SIZE);
}

void kvs_heap_done(kvs_heap *heap) {
  KVS_UNPOISON(heap->base, (size_t)heap->page_count * KVS_PAGE_SIZE);
  heap->page_count = 0;
  heap->fresh = 0;
  heap->free_first = KVS_PAGE_NONE;
  heap->free_count = 0;
}

uint32_t kvs_heap_available(const kvs_heap *heap) {
  return heap->page_count - heap->fresh + heap->free_count;
}

/* Takes one of the pages that kvs_heap_available counted. */
static uint32_t take(kvs_heap *heap, uint32_t owner, uint32_t first) {
  uint32_t number = heap->free_first;

  KVS_ASSERT(owner != 0 && kvs_heap_available(heap) > 0);
  if (number != KVS_PAGE_NONE) {
    heap->free_first = page_at(heap, number)->next;
    heap->free_count--;
  } else {
    number = heap->fresh;
    heap->fresh++;
  }
  page *header = page_at(heap, number);
  KVS_UNPOISON(header, sizeof *header);
  header->magic = PAGE_MAGIC;
  header->owner = owner;
  header->next = KVS_PAGE_NONE;
  header->first = first;
  memset(header->zero, 0, sizeof header->zero);
  seal(header, number);
  return number;
}

/* Puts a page on the free list; returns the one that followed it. */
static uint32_t give(kvs_heap *heap, uint32_t number) {
  page *header = page_at(heap, number);
  uint32_t next = header->next;

  KVS_ASSERT(is_sound(header, number) && header->owner != 0);
  header->owner = 0;
  header->next = heap->free_first;
  header->first = 0;
  seal(header, number);
  heap->free_first = number;
  heap->free_count++;
  reclaim((uint8_t *)header + KVS_PAGE_HEADER, KVS_PAGE_DATA);
  return next;
}

kvs_status kvs_heap_take_page(kvs_heap *heap, uint32_t owner, kvs_pos *object) {
  if (kvs_heap_available(heap) == 0) {
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  *object = pos_of(take(heap, owner, KVS_PAGE_HEADER), KVS_PAGE_HEADER);
  heap->allocs++;
  lend(heap->base + *object, KVS_PAGE_DATA);
  return KVS_OK;
}

void kvs_heap_give_page(kvs_heap *heap, kvs_pos object) {
  KVS_ASSERT(object % KVS_PAGE_SIZE == KVS_PAGE_HEADER);
  (void)give(heap, place_of(object).page);
}

void kvs_chain_init(kvs_chain *chain, uint32_t owner) {
  chain->owner = owner;
  chain->first = KVS_PAGE_NONE;
  chain->last = KVS_PAGE_NONE;
  chain->pages = 0;
  chain->end = 0;
}

/* Where a block begins in the page in which the last one ended at |offset|,
 * or 0 when it begins in the next page. */
static uint32_t begin_after(uint32_t offset) {
  uint32_t begin = (offset + 7) & ~UINT32_C(7);

  return begin <= KVS_PAGE_SIZE - KVS_BLOCK_ROOM ? begin : 0;
}

/* Where the next block begins in |last|, or 0: in a page not yet taken. */
static uint32_t next_begin(const kvs_chain *chain) {
  return chain->end == 0 ? 0 : begin_after(place_of(chain->end).offset);
}

/* Pages to take for |total| bytes that begin at |begin| (see next_begin). */
static uint32_t pages_for(uint32_t begin, uint64_t total) {
  uint64_t room = begin == 0 ? 0 : KVS_PAGE_SIZE - begin;
  uint64_t rest = kvs_sub_u64(total, room);
  uint64_t pages = rest / KVS_PAGE_DATA + (rest % KVS_PAGE_DATA != 0);

  return (uint32_t)kvs_min_u64(pages, KVS_PAGE_NONE);
}

uint32_t kvs_chain_needs(const kvs_chain *chain, size_t head, uint64_t body) {
  return pages_for(next_begin(chain), kvs_add_u64(body, head));
}

/* Links one more page to the end. */
static void extend(kvs_heap *heap, kvs_chain *chain, uint32_t first) {
  uint32_t number = take(heap, chain->owner, first);

  if (chain->last == KVS_PAGE_NONE) {
    chain->first = number;
  } else {
    page *before = page_at(heap, chain->last);
    before->next = number;
    seal(before, chain->last);
  }
  chain->last = number;
  chain->pages++;
}

#if defined(KVS_DEBUG) || defined(KVS_HAS_ASAN)
/* Lends the |len| bytes of a new block at |at|, page by page. */
static void lend_block(const kvs_heap *heap, place at, uint64_t len) {
  while (len > 0) {
    uint32_t piece = (uint32_t)kvs_min_u64(len, KVS_PAGE_SIZE - at.offset);
    lend(heap->base + pos_of(at.page, at.offset), piece);
    len -= piece;
    at.page = page_at(heap, at.page)->next;
    at.offset = KVS_PAGE_HEADER;
  }
}
#endif

/* The end of a block of |total| bytes that begins at |at|, in a chain that has
 * all the block's pages. */
static kvs_pos block_end(const kvs_chain *chain, place at, uint64_t total) {
  uint64_t room = KVS_PAGE_SIZE - at.offset;

  if (total <= room) {
    return pos_of(at.page, at.offset) + total;
  }
  return pos_of(chain->last, KVS_PAGE_HEADER + 1) +
         (total - room - 1) % KVS_PAGE_DATA;
}

kvs_status kvs_chain_append(kvs_heap *heap, kvs_chain *chain, size_t head,
                            uint64_t body, kvs_pos *block) {
  uint64_t total = kvs_add_u64(body, head);
  place at = {chain->last, next_begin(chain)};
  uint32_t needs = pages_for(at.offset, total);

  KVS_ASSERT(head > 0 && head <= KVS_BLOCK_ROOM);
  if (needs > kvs_heap_available(heap)) {
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  if (at.offset == 0) {
    extend(heap, chain, KVS_PAGE_HEADER);
    at.page = chain->last;
    at.offset = KVS_PAGE_HEADER;
    needs--;
  } else if (page_at(heap, at.page)->first == 0) {
    page_at(heap, at.page)->first = at.offset;
    seal(page_at(heap, at.page), at.page);
  }
  for (; needs > 0; needs--) {
    extend(heap, chain, 0);
  }
  chain->end = block_end(chain, at, total);
  heap->allocs++;
#if defined(KVS_DEBUG) || defined(KVS_HAS_ASAN)
  lend_block(heap, at, total);
#endif
  *block = pos_of(at.page, at.offset);
  return KVS_OK;
}

kvs_pos kvs_chain_next(const kvs_heap *heap, const kvs_chain *chain,
                       kvs_pos end) {
  if (end == chain->end) {
    return 0;
  }
  place at = place_of(end);
  uint32_t begin = begin_after(at.offset);
  return begin != 0 ? pos_of(at.page, begin)
                    : pos_of(page_at(heap, at.page)->next, KVS_PAGE_HEADER);
}

void kvs_chain_trim(kvs_heap *heap, kvs_chain *chain, kvs_pos keep) {
  uint32_t stop = keep == 0 ? KVS_PAGE_NONE : place_of(keep).page;

  while (chain->first != stop) {
    chain->first = give(heap, chain->first);
    chain->pages--;
  }
  if (keep == 0) {
    kvs_chain_init(chain, chain->owner);
    return;
  }
  page *header = page_at(heap, stop);
  uint32_t offset = place_of(keep).offset;
  if (header->first < offset) {
    header->first = offset;
    seal(header, stop);
    reclaim((uint8_t *)header + KVS_PAGE_HEADER, offset - KVS_PAGE_HEADER);
  }
}

void *kvs_heap_at(const kvs_heap *heap, kvs_pos at) {
  return heap->base + at;
}

/* Steps over a page's end, so that at least one byte can be had at |at|. */
static place at_byte(const kvs_heap *heap, place at) {
  if (at.offset == KVS_PAGE_SIZE) {
    at.page = page_at(heap, at.page)->next;
    at.offset = KVS_PAGE_HEADER;
  }
  return at;
}

kvs_pos kvs_heap_write(kvs_heap *heap, kvs_pos at, const uint8_t *bytes,
                       size_t len) {
  place to = place_of(at);

  while (len > 0) {
    to = at_byte(heap, to);
    uint32_t piece = (uint32_t)kvs_min_u64(len, KVS_PAGE_SIZE - to.offset);
    memcpy(heap->base + pos_of(to.page, to.offset), bytes, piece);
    bytes += piece;
    len -= piece;
    to.offset += piece;
  }
  return pos_of(to.page, to.offset);
}

kvs_pos kvs_heap_read(const kvs_heap *heap, kvs_pos at, uint8_t *out,
                      size_t len) {
  place from = place_of(at);

  while (len > 0) {
    from = at_byte(heap, from);
    uint32_t piece = (uint32_t)kvs_min_u64(len, KVS_PAGE_SIZE - from.offset);
    memcpy(out, heap->base + pos_of(from.page, from.offset), piece);
    out += piece;
    len -= piece;
    from.offset += piece;
  }
  return pos_of(from.page, from.offset);
}

kvs_pos kvs_heap_skip(const kvs_heap *heap, kvs_pos at, uint64_t len) {
  place to = place_of(at);

  while (len > 0) {
    to = at_byte(heap, to);
    uint32_t piece = (uint32_t)kvs_min_u64(len, KVS_PAGE_SIZE - to.offset);
    len -= piece;
    to.offset += piece;
  }
  return pos_of(to.page, to.offset);
}

static void write_to_heap(kvs_sink *sink, const uint8_t *bytes, size_t len) {
  kvs_heap_sink *to = (kvs_heap_sink *)(void *)sink;

  to->at = kvs_heap_write(to->heap, to->at, bytes, len);
}

kvs_heap_sink kvs_make_heap_sink(kvs_heap *heap, kvs_pos at) {
  kvs_heap_sink sink = {{write_to_heap, 0}, heap, at};

  return sink;
}

void kvs_heap_get_stats(const kvs_heap *heap, kvs_heap_stats *stats) {
  stats->pages = heap->page_count;
  stats->used = heap->fresh - heap->free_count;
  stats->available = kvs_heap_available(heap);
  stats->allocs = heap->allocs;
}

kvs_status kvs_heap_check(const kvs_heap *heap) {
  uint32_t number = heap->free_first;

  if (heap->fresh > heap->page_count || heap->free_count > heap->fresh) {
    return KVS_STATUS_HEAP_CORRUPTED;
  }
  for (uint32_t i = 0; i < heap->free_count; i++) {
    if (number >= heap->fresh) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    const page *header = page_at(heap, number);
    if (!is_sound(header, number) || header->owner != 0) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    number = header->next;
  }
  return number == KVS_PAGE_NONE ? KVS_OK : KVS_STATUS_HEAP_CORRUPTED;
}

/* Whether a page's header is that of a page of |owner|. */
static bool belongs(const page *header, uint32_t number, uint32_t owner) {
  return is_sound(header, number) && header->owner == owner &&
         (header->first == 0 ||
          (header->first >= KVS_PAGE_HEADER && header->first % 8 == 0 &&
           header->first <= KVS_PAGE_SIZE - KVS_BLOCK_ROOM));
}

kvs_status kvs_chain_check(const kvs_heap *heap, const kvs_chain *chain) {
  uint32_t number = chain->first;
  uint32_t last = KVS_PAGE_NONE;

  for (uint32_t i = 0; i < chain->pages; i++) {
    if (number >= heap->fresh ||
        !belongs(page_at(heap, number), number, chain->owner)) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    last = number;
    number = page_at(heap, number)->next;
  }
  if (number != KVS_PAGE_NONE || last != chain->last) {
    return KVS_STATUS_HEAP_CORRUPTED;
  }
  bool ends = chain->pages == 0
                  ? chain->end == 0
                  : chain->end != 0 && place_of(chain->end).page == last;
  return ends ? KVS_OK : KVS_STATUS_HEAP_CORRUPTED;
}
