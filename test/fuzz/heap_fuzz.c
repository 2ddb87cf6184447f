/* The input is a list of calls on three chains and a few single pages in a
 * small arena. After each call the counts agree, every block holds its bytes
 * when it goes, and at the end all pages are back. */
#include <stdlib.h>
#include <string.h>

#include "core/heap.h"

enum { PAGES = 24, CHAINS = 3, MAX_BLOCKS = 4096, MAX_PAGES = 8 };

typedef struct block {
  kvs_pos pos;
  uint32_t head;
  uint32_t body;
  uint8_t mark;
} block;

typedef struct owner {
  kvs_chain chain;
  block blocks[MAX_BLOCKS];
  uint32_t first;
  uint32_t count;
} owner;

typedef struct script {
  const uint8_t *bytes;
  size_t len;
} script;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint64_t room[PAGES * (KVS_PAGE_SIZE + KVS_PAGE_ENTRY) / 8];
static kvs_heap heap;
static owner owners[CHAINS];
static kvs_pos pages[MAX_PAGES];
static uint32_t page_count;

static void require(bool ok) {
  if (!ok) {
    abort();
  }
}

static uint8_t next_byte(script *s) {
  if (s->len == 0) {
    return 0;
  }
  s->len--;
  return *s->bytes++;
}

static uint32_t used_pages(void) {
  uint32_t used = page_count;

  for (uint32_t i = 0; i < CHAINS; i++) {
    used += owners[i].chain.pages;
  }
  return used;
}

static void append(owner *o, script *s) {
  static uint8_t bytes[16 * KVS_PAGE_SIZE];
  block b = {0, 8 + next_byte(s) % (KVS_BLOCK_ROOM - 7u), 0, next_byte(s)};

  b.body = (uint32_t)next_byte(s) << (next_byte(s) % 11u);
  uint32_t available = kvs_heap_available(&heap);
  uint32_t needs = kvs_chain_needs(&o->chain, b.head, b.body);
  uint32_t pages_before = o->chain.pages;
  kvs_pos end = o->chain.end;
  if (o->count == MAX_BLOCKS) {
    return;
  }
  kvs_status status =
      kvs_chain_append(&heap, &o->chain, b.head, b.body, &b.pos);
  require((status == KVS_OK) == (needs <= available));
  if (status != KVS_OK) {
    require(status == KVS_STATUS_STORE_OUT_OF_MEMORY);
    require(o->chain.pages == pages_before && o->chain.end == end);
    require(kvs_heap_available(&heap) == available);
    return;
  }
  require(o->chain.pages == pages_before + needs && b.pos % 8 == 0);
  require(end == 0 || kvs_chain_next(&heap, &o->chain, end) == b.pos);
  memset(kvs_heap_at(&heap, b.pos), b.mark, b.head);
  memset(bytes, b.mark, b.body);
  kvs_pos behind = kvs_heap_write(&heap, b.pos + b.head, bytes, b.body);
  require(behind == o->chain.end);
  require(kvs_heap_skip(&heap, b.pos + b.head, b.body) == behind);
  o->blocks[(o->first + o->count) % MAX_BLOCKS] = b;
  o->count++;
}

static void inspect(const block *b) {
  static uint8_t bytes[16 * KVS_PAGE_SIZE];
  const uint8_t *head = (const uint8_t *)kvs_heap_at(&heap, b->pos);

  (void)kvs_heap_read(&heap, b->pos + b->head, bytes, b->body);
  for (uint32_t i = 0; i < b->head; i++) {
    require(head[i] == b->mark);
  }
  for (uint32_t i = 0; i < b->body; i++) {
    require(bytes[i] == b->mark);
  }
}

static void trim(owner *o, uint32_t count) {
  for (; count > 0 && o->count > 0; count--) {
    inspect(&o->blocks[o->first]);
    o->first = (o->first + 1) % MAX_BLOCKS;
    o->count--;
  }
  kvs_chain_trim(&heap, &o->chain, o->count == 0 ? 0 : o->blocks[o->first].pos);
}

static void take_page(void) {
  if (page_count < MAX_PAGES) {
    bool any = kvs_heap_available(&heap) > 0;
    kvs_status status = kvs_heap_take_page(&heap, 99, &pages[page_count]);
    require((status == KVS_OK) == any);
    if (any) {
      memset(kvs_heap_at(&heap, pages[page_count]), 9, KVS_PAGE_DATA);
      page_count++;
    }
  }
}

static void give_page(void) {
  if (page_count > 0) {
    page_count--;
    kvs_heap_give_page(&heap, pages[page_count]);
  }
}

static void step(script *s) {
  uint8_t what = next_byte(s);
  owner *o = &owners[what % CHAINS];

  switch (what / CHAINS % 8) {
    case 0:
      trim(o, 1 + next_byte(s) % 4u);
      break;
    case 1:
      trim(o, what < 200 ? 2 : MAX_BLOCKS);
      break;
    case 2:
      what < 128 ? take_page() : give_page();
      break;
    default:
      append(o, s);
  }
  require(kvs_heap_available(&heap) == PAGES - used_pages());
  require(kvs_heap_check(&heap) == KVS_OK);
  require(kvs_chain_check(&heap, &o->chain) == KVS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  script s = {data, len};

  kvs_heap_init(&heap, (uint8_t *)room, sizeof room);
  page_count = 0;
  for (uint32_t i = 0; i < CHAINS; i++) {
    kvs_chain_init(&owners[i].chain, i + 1);
    owners[i].first = 0;
    owners[i].count = 0;
  }
  while (s.len > 0) {
    step(&s);
  }
  for (uint32_t i = 0; i < CHAINS; i++) {
    trim(&owners[i], MAX_BLOCKS);
  }
  while (page_count > 0) {
    give_page();
  }
  require(kvs_heap_available(&heap) == PAGES);
  require(kvs_heap_check(&heap) == KVS_OK);
  kvs_heap_done(&heap);
  return 0;
}
