/* The view's own check finds every kind of damage; its edges. */
#include <string.h>

#include "check.h"
#include "core/view.h"

enum { HEAP = 40 * KVS_PAGE_SIZE };

static uint8_t arena[HEAP];
static kvs_heap heap;
static kvs_view view;

static void push(bool begins, uint32_t len) {
  static uint8_t zeroes[60000];
  kvs_unit unit = {0};
  kvs_fragment fragment = {0};
  kvs_pos body = 0;

  unit.len = len;
  unit.pts = 1000;
  unit.duration = 10;
  CHECK_EQ(kvs_view_push(&view, &unit, begins ? &fragment : NULL, &body),
           KVS_OK);
  (void)kvs_heap_write(&heap, body, zeroes, len);
}

static void set_up(void) {
  kvs_heap_init(&heap, arena, sizeof(arena));
  kvs_view_init(&view, &heap, 1);
  kvs_view_close_newest(&view); /* of nothing: nothing */
  push(true, 100);
  push(false, 20000);
  push(true, 50);
  push(false, 10);
  CHECK_EQ(kvs_view_check(&view), KVS_OK);
}

static void damage_is_found(void) {
  for (uint32_t kind = 0; kind < 12; kind++) {
    kvs_unit *unit;
    kvs_fragment *fragment;

    set_up();
    unit = kvs_view_unit(&view, view.tail);
    fragment = kvs_view_fragment(&view, view.tail);
    switch (kind) {
      case 0:
        unit->len ^= 1;
        break;
      case 1:
        unit->pts ^= 1u << 20;
        break;
      case 2:
        unit->duration++;
        break;
      case 3:
        unit->flags ^= 2;
        break;
      case 4:
        unit->check ^= 0x80000000u;
        break;
      case 5:
        fragment->frames++;
        break;
      case 6:
        fragment->bytes++;
        break;
      case 7:
        fragment->frames--;
        break;
      case 8:
        view.frames++;
        break;
      case 9:
        view.duration++;
        break;
      case 10:
        view.fragments++;
        break;
      default:
        view.oldest = 0;
        break;
    }
    CHECK_EQ(kvs_view_check(&view), KVS_STATUS_HEAP_CORRUPTED);
    kvs_heap_done(&heap);
  }
}

static void counters_and_links_are_compared_too(void) {
  set_up();
  view.bytes--;
  CHECK_EQ(kvs_view_check(&view), KVS_STATUS_HEAP_CORRUPTED);
  view.bytes++;
  view.passed++;
  CHECK_EQ(kvs_view_check(&view), KVS_STATUS_HEAP_CORRUPTED);
  view.passed--;
  kvs_view_fragment(&view, view.tail)->next = 0;
  CHECK_EQ(kvs_view_check(&view), KVS_STATUS_HEAP_CORRUPTED);
  kvs_heap_done(&heap);
  set_up();
  view.chain.pages++;
  CHECK_EQ(kvs_view_check(&view), KVS_STATUS_HEAP_CORRUPTED);
  kvs_heap_done(&heap);
}

static void nothing_is_read_from_nothing(void) {
  uint8_t out[4];

  kvs_heap_init(&heap, arena, sizeof(arena));
  kvs_view_init(&view, &heap, 1);
  CHECK_EQ(kvs_view_read(&view, out, sizeof(out)), 0);
  CHECK(!kvs_view_reading(&view, 0));
  CHECK(!kvs_view_at_fragment_start(&view));
  CHECK_EQ(kvs_view_find(&view, 0), 0);
  kvs_view_rewind(&view);
  kvs_view_unfree(&view);
  kvs_view_clear(&view);
  CHECK_EQ(kvs_view_check(&view), KVS_OK);
  kvs_heap_done(&heap);
}

static void a_push_that_finds_no_room_changes_nothing(void) {
  kvs_view before;
  kvs_unit unit = {0};
  kvs_fragment fragment = {0};
  kvs_pos body = 0;

  set_up();
  before = view;
  unit.len = HEAP;
  CHECK_EQ(kvs_view_push(&view, &unit, &fragment, &body),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_EQ(kvs_view_push(&view, &unit, NULL, &body),
           KVS_STATUS_STORE_OUT_OF_MEMORY);
  CHECK_BYTES(&view, &before, sizeof(view));
  CHECK_EQ(kvs_view_check(&view), KVS_OK);
  kvs_heap_done(&heap);
}

int main(void) {
  RUN(damage_is_found);
  RUN(counters_and_links_are_compared_too);
  RUN(nothing_is_read_from_nothing);
  RUN(a_push_that_finds_no_room_changes_nothing);
  return check_report();
}
