/* SPDX-License-Identifier: Apache-2.0
 * A paged store. Pages never taken stand behind |fresh| and are not touched;
 * pages given back form a last-in first-out list through their links, so
 * that the warmest page is taken next. A chain links its pages in writing
 * order; it grows at |last| and shrinks at |first|, which makes taking them
 * O(1) a page. Giving them back is O(1) for all: they stay linked to each
 * other, so that only the last one gets another link, and who comes before that
 * page and how many they are stands in the entry of the page that stays. Pages
 * that are cut out of the middle are visited one by one, and so are, later,
 * those before the hole: their orders do not count them any more.
 *
 * Taking a page touches its link and entry alone. They say all that is needed
 * to find the blocks again in a mapped file; the checksum covers the page's own
 * number too, so that one that was torn or stands in a wrong place is found. */
#include "core/heap.h"

typedef kvs_page_entry entry;

_Static_assert(KVS_PAGE_GAP % 8 == 0, "data begin 8-aligned");
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

static entry *entry_of(const kvs_heap *heap, uint32_t number) {
  KVS_ASSERT(number < heap->fresh);
  return &heap->entries[number];
}

/* The checksum is a sum of one product for each word, so that a change of one
 * word changes it by the product of the change, without a look at the others.
 * Every bit of a word changes its product, since the factors are odd. */
enum { OF_OWNER, OF_FIRST, OF_PREV, OF_ORDER, OF_LINK, OF_NUMBER, WORDS };
static const uint32_t factors[WORDS] = {0x9E3779B1u, 0x85EBCA6Bu, 0x165667B1u,
                                        0x5851F42Du, 0xC2B2AE35u, 0x27D4EB2Fu};
#define CHECK_OF_NOTHING UINT32_C(0x4B765067)

static inline uint32_t checksum(const entry *page, uint32_t link,
                                uint32_t number) {
  return CHECK_OF_NOTHING + page->owner * factors[OF_OWNER] +
         page->first * factors[OF_FIRST] + page->prev * factors[OF_PREV] +
         page->order * factors[OF_ORDER] + link * factors[OF_LINK] +
         number * factors[OF_NUMBER];
}

static bool is_sound(const kvs_heap *heap, uint32_t number) {
  const entry *page = &heap->entries[number];

  return page->check == checksum(page, heap->links[number], number);
}

static uint32_t link_of(const kvs_heap *heap, uint32_t number) {
  KVS_ASSERT(number < heap->fresh);
  return heap->links[number];
}

static void set_link(kvs_heap *heap, uint32_t number, uint32_t link) {
  entry_of(heap, number)->check +=
      (link - heap->links[number]) * factors[OF_LINK];
  heap->links[number] = link;
}

static void set_first(entry *page, uint32_t first) {
  page->check += (first - page->first) * factors[OF_FIRST];
  page->first = first;
}

/* Makes the page nobody's: the first of the free list. */
static void disown(entry *page) {
  page->check -= page->owner * factors[OF_OWNER];
  page->owner = 0;
}

/* Marks bytes as somebody's, so that a debugger and ASan tell fresh bytes
 * from written ones. */
static void lend(uint8_t *bytes, size_t len) {
  KVS_UNPOISON(bytes, len);
#if defined(KVS_DEBUG)
  memset(bytes, 0xAA, len);
#endif
}

void kvs_heap_init(kvs_heap *heap, uint8_t *base, size_t len) {
  size_t skew = (size_t)(-(uintptr_t)base & 7u);
  size_t room = len < skew ? 0 : len - skew;
  uint64_t pages = room / (KVS_PAGE_SIZE + KVS_PAGE_ENTRY);

  skew = len < skew ? 0 : skew;
  heap->page_count = (uint32_t)kvs_min_u64(pages, KVS_PAGE_NONE - 1);
  heap->links = (uint32_t *)(void *)(base + skew);
  heap->entries = (entry *)(void *)(heap->links + heap->page_count);
  heap->base = base + skew + (size_t)heap->page_count * KVS_PAGE_ENTRY;
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

/* A run of pages that is being taken for |owner|. */
typedef struct run {
  uint32_t owner;
  uint32_t order; /* of the next page */
  uint32_t last;  /* the page before it */
} run;

/* Writes the entry of the next page, whose link is |link| already. */
static inline void add_page(kvs_heap *heap, run *to, uint32_t number,
                            uint32_t link) {
  entry page = {to->owner, 0, to->last, to->order, 0};

  page.check = checksum(&page, link, number);
  *entry_of(heap, number) = page;
  to->order++;
  to->last = number;
}

/* Takes |count| pages off the list, as many as are on it at most; they are
 * linked to each other already. */
static void take_listed(kvs_heap *heap, run *to, uint32_t count) {
  uint32_t number = heap->free_first;
  run now = *to; /* in registers */

  heap->free_count -= count;
  for (; count > 0; count--) {
    uint32_t link = link_of(heap, number);

    KVS_ASSERT(is_sound(heap, number));
    add_page(heap, &now, number, link);
    number = link;
  }
  *to = now;
  heap->free_first = number;
  if (number != KVS_PAGE_NONE) {
    disown(entry_of(heap, number));
  }
}

/* Takes |count| pages that were never used. */
static void take_fresh(kvs_heap *heap, run *to, uint32_t count) {
  uint32_t number = heap->fresh;

  heap->fresh += count;
  for (; number < heap->fresh; number++) {
    heap->links[number] = number + 1;
    add_page(heap, to, number, number + 1);
  }
}

/* Takes |count| of the pages that kvs_heap_available counted, at least 1,
 * linked to each other, behind those that |to| [read] tells of. Returns the
 * first of them; to->last [filled] is the last one. */
static uint32_t take(kvs_heap *heap, run *to, uint32_t count) {
  uint32_t listed = (uint32_t)kvs_min_u64(count, heap->free_count);
  uint32_t number = listed > 0 ? heap->free_first : heap->fresh;

  KVS_ASSERT(to->owner != 0 && count > 0 && count <= kvs_heap_available(heap));
  if (listed > 0) {
    take_listed(heap, to, listed);
  }
  if (listed < count) {
    if (listed > 0) {
      set_link(heap, to->last, heap->fresh);
    }
    take_fresh(heap, to, count - listed);
  }
  set_link(heap, to->last, KVS_PAGE_NONE);
  return number;
}

/* Marks the bytes of the pages from |number| up to |stop| as nobody's, for
 * debuggers and ASan: nobody else has to visit them. */
static void reclaim(const kvs_heap *heap, uint32_t number, uint32_t stop) {
#if defined(KVS_DEBUG) || defined(KVS_HAS_ASAN)
  for (; number != stop; number = link_of(heap, number)) {
    uint8_t *bytes = heap->base + pos_of(number, KVS_PAGE_GAP);

    KVS_ASSERT(is_sound(heap, number) && entry_of(heap, number)->owner != 0);
    KVS_UNPOISON(bytes, KVS_PAGE_DATA);
#if defined(KVS_DEBUG)
    memset(bytes, 0x55, KVS_PAGE_DATA);
#endif
    KVS_POISON(bytes, KVS_PAGE_DATA);
  }
#else
  (void)heap;
  (void)number;
  (void)stop;
#endif
}

/* Puts the |count| pages from |number| to |last|, at least 1, on the free list.
 */
static void give(kvs_heap *heap, uint32_t number, uint32_t last,
                 uint32_t count) {
  reclaim(heap, number, link_of(heap, last));
  disown(entry_of(heap, number));
  set_link(heap, last, heap->free_first);
  heap->free_first = number;
  heap->free_count += count;
}

kvs_status kvs_heap_take_page(kvs_heap *heap, uint32_t owner, kvs_pos *object) {
  if (kvs_heap_available(heap) == 0) {
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  run to = {owner, 0, KVS_PAGE_NONE};
  uint32_t number = take(heap, &to, 1);
  set_first(entry_of(heap, number), KVS_PAGE_GAP);
  heap->allocs++;
  *object = pos_of(number, KVS_PAGE_GAP);
  lend(heap->base + *object, KVS_PAGE_DATA);
  return KVS_OK;
}

void kvs_heap_give_page(kvs_heap *heap, kvs_pos object) {
  KVS_ASSERT(object % KVS_PAGE_SIZE == KVS_PAGE_GAP);
  uint32_t number = place_of(object).page;
  give(heap, number, number, 1);
}

void kvs_chain_init(kvs_chain *chain, uint32_t owner) {
  chain->owner = owner;
  chain->first = KVS_PAGE_NONE;
  chain->last = KVS_PAGE_NONE;
  chain->pages = 0;
  chain->appended = 0;
  chain->cut = 0;
  chain->end = 0;
  chain->limit = 0;
}

/* The offset at which the next block begins in |last|, or 0: in a page not yet
 * taken. */
static uint32_t next_begin(const kvs_chain *chain) {
  return (uint32_t)(kvs_chain_begin(chain) % KVS_PAGE_SIZE);
}

/* Pages to take for |total| bytes that begin at |begin| (see next_begin), and
 * where in the last of them they end: 0 where none is taken. */
static uint32_t pages_for(uint32_t begin, uint64_t total, uint32_t *end) {
  uint64_t room = begin == 0 ? 0 : KVS_PAGE_SIZE - begin;
  uint64_t rest = kvs_sub_u64(total, room);

  *end = 0;
  if (rest == 0) {
    return 0;
  }
  *end = KVS_PAGE_GAP + 1 + (uint32_t)((rest - 1) % KVS_PAGE_DATA);
  return (uint32_t)kvs_min_u64((rest - 1) / KVS_PAGE_DATA + 1, KVS_PAGE_NONE);
}

uint32_t kvs_chain_needs_pages(const kvs_chain *chain, uint64_t total) {
  uint32_t end;

  return pages_for(next_begin(chain), total, &end);
}

/* Links |count| more pages, at least 1, to the end. Returns the first one. */
static uint32_t extend(kvs_heap *heap, kvs_chain *chain, uint32_t count) {
  run to = {chain->owner, chain->appended, chain->last};
  uint32_t number = take(heap, &to, count);

  if (chain->last == KVS_PAGE_NONE) {
    chain->first = number;
  } else {
    set_link(heap, chain->last, number);
  }
  chain->last = to.last;
  chain->appended = to.order;
  chain->pages += count;
  return number;
}

#if defined(KVS_DEBUG) || defined(KVS_HAS_ASAN)
void kvs_heap_lend(const kvs_heap *heap, kvs_pos begin, uint64_t total) {
  place at = place_of(begin);

  while (total > 0) {
    uint32_t piece = (uint32_t)kvs_min_u64(total, KVS_PAGE_SIZE - at.offset);
    lend(heap->base + pos_of(at.page, at.offset), piece);
    total -= piece;
    at.page = link_of(heap, at.page);
    at.offset = KVS_PAGE_GAP;
  }
}
#endif

kvs_status kvs_chain_append_pages(kvs_heap *heap, kvs_chain *chain,
                                  uint64_t total, kvs_pos *block) {
  place at = {chain->last, next_begin(chain)};
  uint32_t end;
  uint32_t needs = pages_for(at.offset, total, &end);
  entry *page;

  if (needs > kvs_heap_available(heap)) {
    return KVS_STATUS_STORE_OUT_OF_MEMORY;
  }
  if (at.offset == 0) {
    at.page = extend(heap, chain, needs);
    at.offset = KVS_PAGE_GAP;
  } else if (needs > 0) {
    (void)extend(heap, chain, needs);
  }
  page = entry_of(heap, at.page);
  if (page->first == 0) { /* no other block began here */
    set_first(page, at.offset);
  }
  *block = pos_of(at.page, at.offset);
  chain->end = needs == 0 ? *block + total : pos_of(chain->last, end);
  chain->limit = at.page == chain->last ? pos_of(at.page, KVS_PAGE_SIZE) : 0;
  heap->allocs++;
  kvs_heap_lend(heap, *block, total);
  return KVS_OK;
}

kvs_pos kvs_chain_next_page(const kvs_heap *heap, kvs_pos end) {
  return pos_of(link_of(heap, place_of(end).page), KVS_PAGE_GAP);
}

/* Pages of |chain| before |stop|. Where some were cut out they are counted, and
 * the orders that are missing among them forgotten. */
static uint32_t pages_before(const kvs_heap *heap, kvs_chain *chain,
                             uint32_t stop) {
  uint32_t first = chain->appended - chain->pages - chain->cut;
  uint32_t orders = entry_of(heap, stop)->order - first;
  uint32_t count = 0;

  if (chain->cut == 0) {
    return orders;
  }
  for (uint32_t at = chain->first; at != stop; at = link_of(heap, at)) {
    count++;
  }
  chain->cut -= orders - count;
  return count;
}

void kvs_chain_trim(kvs_heap *heap, kvs_chain *chain, kvs_pos keep) {
  uint32_t stop;
  uint32_t count;

  if (keep == 0) {
    if (chain->pages > 0) {
      give(heap, chain->first, chain->last, chain->pages);
    }
    kvs_chain_init(chain, chain->owner);
    return;
  }
  stop = place_of(keep).page;
  count = pages_before(heap, chain, stop);
  if (count > 0) {
    give(heap, chain->first, entry_of(heap, stop)->prev, count);
    chain->first = stop;
    chain->pages -= count;
  }
  KVS_POISON(heap->base + pos_of(stop, KVS_PAGE_GAP),
             place_of(keep).offset - KVS_PAGE_GAP);
}

/* Marks the |count| pages from |number| on, linked to each other, as nobody's,
 * each. They are on the free list already. */
static void disown_all(kvs_heap *heap, uint32_t number, uint32_t count) {
  for (; count > 0; count--) {
    disown(entry_of(heap, number));
    number = link_of(heap, number);
  }
}

/* How many pages are linked from |number| up to |stop|; |last| [filled]. */
static uint32_t count_pages(const kvs_heap *heap, uint32_t number,
                            uint32_t stop, uint32_t *last) {
  uint32_t count = 0;

  for (; number != stop; number = link_of(heap, number)) {
    *last = number;
    count++;
  }
  return count;
}

static void set_prev(entry *page, uint32_t prev) {
  page->check += (prev - page->prev) * factors[OF_PREV];
  page->prev = prev;
}

/* Blocks that began in the page behind |offset| are gone. */
static void forget_first(const kvs_heap *heap, place from, uint32_t now) {
  entry *page = entry_of(heap, from.page);

  if (page->first >= from.offset) {
    set_first(page, now);
  }
}

/* The chain ends at |from|. */
static void end_at(const kvs_heap *heap, kvs_chain *chain, place from) {
  chain->last = from.page;
  chain->end = pos_of(from.page, from.offset);
  chain->limit = entry_of(heap, from.page)->first == 0
                     ? 0
                     : pos_of(from.page, KVS_PAGE_SIZE);
  chain->appended = entry_of(heap, from.page)->order + 1;
}

uint32_t kvs_chain_cut(kvs_heap *heap, kvs_chain *chain, kvs_pos from,
                       kvs_pos to) {
  place before = place_of(from);
  place after = {KVS_PAGE_NONE, 0};
  uint32_t next = link_of(heap, before.page);
  uint32_t last = KVS_PAGE_NONE;
  uint32_t count;

  if (to != 0) {
    after = place_of(to);
  }
  if (before.page == after.page) { /* no page lies between them */
    forget_first(heap, before, after.offset);
    KVS_POISON(heap->base + from, to - from);
    return 0;
  }
  forget_first(heap, before, 0);
  KVS_POISON(heap->base + from, KVS_PAGE_SIZE - before.offset);
  count = count_pages(heap, next, after.page, &last);
  if (to != 0) {
    chain->cut += count;
    set_first(entry_of(heap, after.page), after.offset);
    KVS_POISON(heap->base + pos_of(after.page, KVS_PAGE_GAP),
               after.offset - KVS_PAGE_GAP);
    set_prev(entry_of(heap, after.page), before.page);
  } else {
    uint32_t orders = chain->appended - 1 - entry_of(heap, before.page)->order;

    chain->cut -= orders - count; /* holes that were behind it */
    end_at(heap, chain, before);
  }
  chain->pages -= count;
  set_link(heap, before.page, after.page);
  if (count > 0) {
    give(heap, next, last, count);
    disown_all(heap, next, count);
  }
  return count;
}

uint32_t kvs_heap_span(const kvs_heap *heap, kvs_pos at, kvs_pos end) {
  return entry_of(heap, place_of(end).page)->order -
         entry_of(heap, place_of(at).page)->order + 1;
}

bool kvs_heap_share(kvs_pos end, kvs_pos at) {
  return place_of(end).page == place_of(at).page;
}

/* Steps over a page's end, so that at least one byte can be had at |at|. */
static place at_byte(const kvs_heap *heap, place at) {
  if (at.offset == KVS_PAGE_SIZE) {
    at.page = link_of(heap, at.page);
    at.offset = KVS_PAGE_GAP;
  }
  return at;
}

kvs_pos kvs_heap_write_across(kvs_heap *heap, kvs_pos at, const uint8_t *bytes,
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

kvs_pos kvs_heap_read_across(const kvs_heap *heap, kvs_pos at, uint8_t *out,
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

kvs_pos kvs_heap_skip_across(const kvs_heap *heap, kvs_pos at, uint64_t len) {
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
  stats->used = kvs_heap_used(heap);
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
    if (!is_sound(heap, number) ||
        (i == 0 && entry_of(heap, number)->owner != 0)) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    number = link_of(heap, number);
  }
  return number == KVS_PAGE_NONE ? KVS_OK : KVS_STATUS_HEAP_CORRUPTED;
}

/* Whether an entry is that of a page of |owner|. */
static bool belongs(const kvs_heap *heap, uint32_t number, uint32_t owner) {
  const entry *page = entry_of(heap, number);

  return is_sound(heap, number) && page->owner == owner &&
         (page->first == 0 ||
          (page->first >= KVS_PAGE_GAP && page->first % 8 == 0 &&
           page->first <= KVS_PAGE_SIZE - KVS_BLOCK_ROOM));
}

/* Whether what the chain says of its end is true of its last page. */
static bool ends_well(const kvs_heap *heap, const kvs_chain *chain) {
  kvs_pos limit = 0;

  if (chain->pages == 0) {
    return chain->end == 0 && chain->limit == 0;
  }
  if (entry_of(heap, chain->last)->first != 0) {
    limit = pos_of(chain->last, KVS_PAGE_SIZE);
  }
  return chain->end != 0 && place_of(chain->end).page == chain->last &&
         chain->limit == limit;
}

kvs_status kvs_chain_check(const kvs_heap *heap, const kvs_chain *chain) {
  uint32_t number = chain->first;
  uint32_t last = KVS_PAGE_NONE;
  uint32_t order = chain->appended - chain->pages - chain->cut;
  uint32_t cut = 0;

  for (uint32_t i = 0; i < chain->pages; i++) {
    uint32_t skipped;

    if (number >= heap->fresh || !belongs(heap, number, chain->owner)) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    skipped = entry_of(heap, number)->order - order;
    if (skipped > chain->cut - cut || (i == 0 && skipped != 0) ||
        (i > 0 && entry_of(heap, number)->prev != last)) {
      return KVS_STATUS_HEAP_CORRUPTED;
    }
    cut += skipped;
    order = entry_of(heap, number)->order + 1;
    last = number;
    number = link_of(heap, number);
  }
  if (number != KVS_PAGE_NONE || last != chain->last || cut != chain->cut) {
    return KVS_STATUS_HEAP_CORRUPTED;
  }
  return ends_well(heap, chain) ? KVS_OK : KVS_STATUS_HEAP_CORRUPTED;
}
