/* Random operations over several chains against a naive model: for each chain
 * the blocks in it and how many bytes of which page the last one used. The
 * model counts pages by the rule of the header alone and says before each
 * append where it must begin and whether it must be refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "core/heap.h"

enum { CHAINS = 6, PAGES = 96, MAX_BLOCKS = 8192, STEPS = 60000 };

typedef struct block {
  kvs_pos pos;
  uint64_t page;   /* counted from the chain's first page ever */
  uint32_t offset; /* in it */
  uint64_t end_page;
  kvs_pos end;
  bool hole; /* behind it */
  uint32_t head;
  uint32_t body;
  uint64_t seed;
} block;

typedef struct model {
  kvs_chain chain;
  block blocks[MAX_BLOCKS];
  uint32_t first;
  uint32_t count;
  uint64_t end_page; /* page and offset behind the last block; offset 0: none */
  uint32_t end_offset;
  uint32_t pages;
} model;

static kvs_heap heap;
static model models[CHAINS];
static uint32_t refused;
static uint8_t bytes[4 * KVS_PAGE_SIZE];
static uint8_t want[4 * KVS_PAGE_SIZE];

static block *nth(model *m, uint32_t n) {
  return &m->blocks[(m->first + n) % MAX_BLOCKS];
}

static uint32_t model_free(void) {
  uint32_t used = 0;

  for (int i = 0; i < CHAINS; i++) {
    used += models[i].pages;
  }
  return PAGES - used;
}

/* Fills in where |b| begins, and the end behind it; returns its new pages. */
static uint32_t model_place(const model *m, block *b, uint64_t *end_page,
                            uint32_t *end_offset) {
  uint32_t taken = 0;
  uint32_t left = b->head + b->body;

  b->page = m->end_page;
  b->offset = (m->end_offset + 7) / 8 * 8;
  if (m->end_offset == 0 || KVS_PAGE_SIZE < b->offset + KVS_BLOCK_ROOM) {
    b->page = m->end_offset == 0 ? m->end_page : m->end_page + 1;
    b->offset = KVS_PAGE_GAP;
    taken = 1;
  }
  *end_page = b->page;
  *end_offset = b->offset;
  while (left > 0) {
    if (*end_offset == KVS_PAGE_SIZE) {
      (*end_page)++;
      *end_offset = KVS_PAGE_GAP;
      taken++;
    }
    uint32_t room = KVS_PAGE_SIZE - *end_offset;
    uint32_t piece = left < room ? left : room;
    left -= piece;
    *end_offset += piece;
  }
  return taken;
}

static void fill(uint8_t *to, uint32_t len, uint64_t seed) {
  for (uint32_t i = 0; i < len; i += 8) {
    uint64_t word = check_random(&seed);
    memcpy(to + i, &word, 8);
  }
}

static bool append(model *m, uint64_t *seed) {
  uint32_t small = check_random(seed) % 3 != 0;
  block b = {0};
  uint64_t end_page = 0;
  uint32_t end_offset = 0;
  kvs_pos pos = 0;

  b.head = 8 + (uint32_t)(check_random(seed) % (KVS_BLOCK_ROOM - 7));
  b.body =
      (uint32_t)(check_random(seed) % (small ? 600 : 3 * KVS_PAGE_SIZE + 1));
  b.seed = check_random(seed) | 1;
  if (m->count == MAX_BLOCKS) {
    return true;
  }
  uint32_t needs = model_place(m, &b, &end_page, &end_offset);
  bool ok = CHECK_EQ(kvs_chain_needs(&m->chain, b.head, b.body), needs);
  kvs_status status = kvs_chain_append(&heap, &m->chain, b.head, b.body, &pos);
  if (needs > model_free()) {
    refused++;
    return CHECK_EQ(status, KVS_STATUS_STORE_OUT_OF_MEMORY) && ok;
  }
  ok =
      CHECK_EQ(status, KVS_OK) && CHECK_EQ(pos % KVS_PAGE_SIZE, b.offset) && ok;
  b.pos = pos;
  fill(bytes, b.head + b.body, b.seed);
  memcpy(kvs_heap_at(&heap, pos), bytes, b.head);
  (void)kvs_heap_write(&heap, pos + b.head, bytes + b.head, b.body);
  b.end_page = end_page;
  b.end = m->chain.end;
  m->pages += needs;
  m->end_page = end_page;
  m->end_offset = end_offset;
  m->count++;
  *nth(m, m->count - 1) = b;
  return ok && CHECK_EQ(m->chain.pages, m->pages);
}

/* Block |n| holds its bytes, and the next one stands behind it. */
static bool inspect(model *m, uint32_t n) {
  const block *b = nth(m, n);
  kvs_pos follows = n + 1 < m->count ? nth(m, n + 1)->pos : 0;

  fill(want, b->head + b->body, b->seed);
  bool ok = CHECK_BYTES(kvs_heap_at(&heap, b->pos), want, b->head);
  kvs_pos end = kvs_heap_read(&heap, b->pos + b->head, bytes, b->body);
  ok = CHECK_BYTES(bytes, want + b->head, b->body) && ok;
  ok = CHECK_EQ(kvs_heap_skip(&heap, b->pos + b->head, b->body), end) && ok;
  ok = CHECK_EQ(end % KVS_PAGE_SIZE, b->end % KVS_PAGE_SIZE) && ok;
  return b->hole ||
         (CHECK_EQ(kvs_chain_next(&heap, &m->chain, end), follows) && ok);
}

/* Pages that have a byte of any block. */
static uint32_t count_pages(model *m) {
  uint64_t next = 0; /* not counted yet */
  uint32_t pages = 0;

  for (uint32_t n = 0; n < m->count; n++) {
    const block *b = nth(m, n);
    uint64_t from = b->page > next ? b->page : next;

    pages += b->end_page >= from ? (uint32_t)(b->end_page - from) + 1 : 0;
    next = b->end_page + 1 > next ? b->end_page + 1 : next;
  }
  return pages;
}

/* Takes |n| blocks out behind block |at|. */
static bool cut(model *m, uint32_t at, uint32_t n) {
  block *before = nth(m, at);
  kvs_pos to = at + 1 + n < m->count ? nth(m, at + 1 + n)->pos : 0;
  uint32_t pages = m->pages;
  uint32_t back = kvs_chain_cut(&heap, &m->chain, before->end, to);

  for (uint32_t i = at + 1; i + n < m->count; i++) {
    *nth(m, i) = *nth(m, i + n);
  }
  m->count -= n;
  before->hole = before->hole || n != 0;
  if (to == 0) { /* it is the end now */
    before->hole = false;
    m->end_page = before->end_page;
    m->end_offset = (uint32_t)((before->end - 1) % KVS_PAGE_SIZE) + 1;
  }
  m->pages = count_pages(m);
  return CHECK_EQ(back, pages - m->pages) && CHECK_EQ(m->chain.pages, m->pages);
}

/* Gives back the oldest |n| blocks. */
static bool trim(model *m, uint32_t n) {
  bool ok = m->count == 0 || inspect(m, 0);
  m->first = (m->first + n) % MAX_BLOCKS;
  m->count -= n;
  kvs_chain_trim(&heap, &m->chain, m->count == 0 ? 0 : nth(m, 0)->pos);
  if (m->count == 0) {
    m->pages = 0;
    m->end_offset = 0;
  } else {
    m->pages = count_pages(m);
  }
  return CHECK_EQ(m->chain.pages, m->pages) && ok;
}

static bool sound(void) {
  bool ok = CHECK_EQ(kvs_heap_check(&heap), KVS_OK) &&
            CHECK_EQ(kvs_heap_available(&heap), model_free());

  for (int i = 0; i < CHAINS; i++) {
    ok = CHECK_EQ(kvs_chain_check(&heap, &models[i].chain), KVS_OK) && ok;
  }
  return ok;
}

static bool step(uint64_t *seed) {
  model *m = &models[check_random(seed) % CHAINS];
  uint64_t what = check_random(seed) % 100;

  if (what < 55) {
    return append(m, seed);
  }
  if (what < 75) {
    return m->count == 0 ||
           inspect(m, (uint32_t)(check_random(seed) % m->count));
  }
  if (what < 82) {
    uint32_t at = m->count == 0 ? 0 : (uint32_t)(check_random(seed) % m->count);

    return m->count == 0 ||
           cut(m, at, (uint32_t)(check_random(seed) % 6 % (m->count - at)));
  }
  if (what < 98) {
    return trim(m, m->count == 0
                       ? 0
                       : (uint32_t)(check_random(seed) % 3 % (m->count + 1)));
  }
  return what == 98 ? trim(m, m->count) : sound();
}

static bool run(uint64_t seed) {
  size_t len = (size_t)PAGES * (KVS_PAGE_SIZE + KVS_PAGE_ENTRY);
  uint8_t *arena = (uint8_t *)malloc(len);
  bool ok = arena != NULL;

  printf("seed %" PRIu64 "\n", seed);
  kvs_heap_init(&heap, arena, len);
  memset(models, 0, sizeof models);
  for (uint32_t i = 0; i < CHAINS; i++) {
    kvs_chain_init(&models[i].chain, i + 1);
  }
  for (uint32_t i = 0; i < STEPS && ok; i++) {
    ok = step(&seed);
    if (!ok) {
      printf("step %" PRIu32 "\n", i);
    }
  }
  for (uint32_t i = 0; i < CHAINS; i++) {
    kvs_chain_trim(&heap, &models[i].chain, 0);
    models[i].pages = 0;
  }
  ok = sound() && CHECK_EQ(kvs_heap_available(&heap), PAGES) && ok;
  kvs_heap_done(&heap);
  free(arena);
  return ok;
}

/* heap_model_test [SEED]: without one, three that are always the same. */
int main(int argc, char **argv) {
  check_begin("model");
  if (argc > 1) {
    (void)run(strtoull(argv[1], NULL, 10));
    return check_report();
  }
  for (uint64_t seed = 1; seed <= 3; seed++) {
    (void)run(seed);
  }
  printf("%" PRIu32 " blocks refused\n", refused);
  CHECK(refused > 1000);
  return check_report();
}
