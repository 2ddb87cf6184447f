/* kvs_client_check: each kind of field that its comment names is turned, and
 * found. */
#include <string.h>

#include "scene.h"

typedef struct subject {
  fake_host host;
  kvs_stream *stream;
} subject;

/* A stream of two tracks in the middle of a session, with more formats than
 * stand in its page, and an event that waits. */
static void set_up(subject *s) {
  s->stream = scene_with_sound(&s->host);
  for (uint32_t i = 0; i < KVS_HEADER_SLOTS + 4; i++) {
    uint8_t text[2] = {'v', (uint8_t)('a' + i)};

    CHECK_EQ(kvs_stream_format_changed(s->stream, 1, text, 2, s->host.now),
             KVS_OK);
    CHECK_EQ(scene_put(&s->host, s->stream, 1, KEY, i * 2000, "video", 5),
             KVS_OK);
    CHECK_EQ(scene_put(&s->host, s->stream, 2, 0, i * 2000 + 5, "sound", 5),
             KVS_OK);
  }
  CHECK_EQ(kvs_stream_put_event(s->stream, KVS_STREAM_EVENT_NOTIFICATION, NULL,
                                s->host.now),
           KVS_OK);
  CHECK(s->stream->more_headers != KVS_NO_HEADER);
  (void)fake_take(&s->host, s->stream);
  CHECK_EQ(kvs_client_check(s->host.client), KVS_OK);
}

/* Turns bits of |bytes| one by one: each must be found. */
static void turn(subject *s, const char *what, void *bytes, size_t len) {
  uint8_t *at = bytes;

  for (size_t i = 0; i < len * 8; i++) {
    at[i / 8] ^= (uint8_t)(1u << i % 8);
    if (!CHECK_EQ(kvs_client_check(s->host.client),
                  KVS_STATUS_HEAP_CORRUPTED)) {
      CHECK_STR("", what);
    }
    at[i / 8] ^= (uint8_t)(1u << i % 8);
  }
  CHECK_EQ(kvs_client_check(s->host.client), KVS_OK);
}

#define TURN(field) turn(&s, #field, &(field), sizeof(field))

static void every_kind_of_field_is_found(void) {
  subject s;

  set_up(&s);
  kvs_stream *stream = s.stream;
  kvs_view *view = &stream->view;
  kvs_fragment *fragment = kvs_view_fragment(view, view->tail);
  kvs_unit *unit = kvs_view_unit(view, view->tail);
  kvs_header *own = &stream->headers[1];
  kvs_header *more = kvs_header_at(stream, stream->more_headers);

  /* Frames and fragments. */
  TURN(unit->check);
  TURN(unit->len);
  TURN(unit->pts);
  TURN(unit->duration);
  TURN(fragment->frames);
  TURN(fragment->bytes);
  TURN(fragment->header);
  /* Sums. */
  TURN(view->frames);
  TURN(view->bytes);
  TURN(view->duration);
  TURN(view->fragments);
  TURN(view->passed);
  TURN(view->chain.pages);
  TURN(view->chain.last);
  TURN(view->chain.owner);
  /* Session headers. */
  TURN(own->refs);
  TURN(own->tracks);
  TURN(own->cpd);
  TURN(own->version);
  TURN(own->digest);
  TURN(own->details[0].pixel_width);
  TURN(own->details[1].sampling_frequency);
  TURN(own->len);
  TURN(own->at);
  TURN(own->slab);
  TURN(more->refs);
  TURN(more->tracks);
  TURN(more->next);
  TURN(more->prev);
  TURN(more->chain.pages);
  TURN(more->chain.owner);
  TURN(stream->header);
  TURN(stream->full);
  TURN(stream->more_headers);
  TURN(stream->session.header);
  /* Tracks, states, what waits. */
  TURN(stream->tracks[0].index);
  TURN(stream->tracks[1].index);
  TURN(stream->cut_track);
  TURN(stream->machine.state);
  TURN(stream->events[1].chain.pages);
  TURN(stream->events[1].chain.owner);
  TURN(s.host.client->host.stream_count);
  scene_finish(&s.host);
}

/* A page that is taken, and nothing that holds it. */
static void a_page_of_nobody_is_found(void) {
  subject s;
  kvs_pos page = 0;

  set_up(&s);
  CHECK_EQ(kvs_heap_take_page(&s.host.client->host.heap, 1, &page), KVS_OK);
  CHECK_EQ(kvs_client_check(s.host.client), KVS_STATUS_HEAP_CORRUPTED);
  kvs_heap_give_page(&s.host.client->host.heap, page);
  scene_finish(&s.host);
}

int main(void) {
  RUN(every_kind_of_field_is_found);
  RUN(a_page_of_nobody_is_found);
  return check_report();
}
