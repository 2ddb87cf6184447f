/* Both codecs, each legal combination of the adaptation flags, each way in
 * which codec private data can come, each form that Annex-B can have: what
 * then stands in the header and in the blocks. */
#include <string.h>

#include "nal_vectors.h"
#include "scene.h"

typedef enum way { AT_CREATE, AT_START, IN_MID_STREAM, IN_KEY_FRAME } way;
enum { WAYS = 4, FORMS = 5, ROOM = NAL_VECTOR_ROOM + 64 };

#define ANNEXB KVS_NAL_ADAPTATION_ANNEXB_NALS
#define AVCC KVS_NAL_ADAPTATION_AVCC_NALS
#define CPD KVS_NAL_ADAPTATION_ANNEXB_CPD_NALS
static const uint32_t all_flags[] = {0,   ANNEXB,       AVCC,
                                     CPD, ANNEXB | CPD, AVCC | CPD};

typedef struct bytes {
  uint8_t at[ROOM];
  size_t len;
} bytes;

static void add(bytes *b, const void *from, size_t len) {
  memcpy(b->at + b->len, from, len);
  b->len += len;
}

typedef struct codec {
  kvs_nal_codec kind;
  const char *id;
  const char *sets;
  /* Two slices of a key picture, of H.264 and H.265. */
  const char *first;
  const char *second;
} codec;

static const codec codecs[] = {
    {KVS_NAL_H264, "V_MPEG4/ISO/AVC", "high", "\x65\x88\x84\x21",
     "\x65\x11\x84\x3F"},
    {KVS_NAL_H265, "V_MPEGH/ISO/HEVC", "main", "\x26\x01\xAF\x09",
     "\x26\x01\x2F\x19"},
};

/* The picture in Annex-B: its codes, and zeros that say nothing. */
static void add_annexb(const codec *c, uint32_t form, bytes *out) {
  static const struct {
    const char *code;
    size_t code_len;
    const char *between; /* the slices: zeros, or an empty unit */
    size_t between_len;
    size_t trailing;
  } forms[FORMS] = {{"\0\0\0\1", 4, "", 0, 0},
                    {"\0\0\1", 3, "", 0, 0},
                    {"\0\0\1", 3, "\0\0", 2, 3},
                    {"\0\0\0\1", 4, "\0\0\1", 3, 1},
                    {"\0\0\0\1", 4, "\0\0\0\0\0", 5, 0}};

  add(out, forms[form].code, forms[form].code_len);
  add(out, c->first, 4);
  add(out, forms[form].between, forms[form].between_len);
  add(out, forms[form].code, forms[form].code_len);
  add(out, c->second, 4);
  add(out, "\0\0\0", forms[form].trailing);
}

/* The picture with |code|, or lengths, before each slice. */
static void add_coded(const codec *c, const char *code, bytes *out) {
  add(out, code, 4);
  add(out, c->first, 4);
  add(out, code, 4);
  add(out, c->second, 4);
}

typedef struct scenery {
  const codec *c;
  uint32_t flags;
  way comes;
  uint32_t form;
  bytes annexb; /* the parameter sets */
  bytes record;
  bytes given; /* as the application has them */
  bytes frame;
  bytes wire;
} scenery;

static void prepare(scenery *s) {
  const nal_vector *vector = nal_vector_named(s->c->kind, s->c->sets);

  s->annexb.len = nal_unhex(vector->annexb, s->annexb.at, ROOM);
  s->record.len = nal_unhex(vector->record, s->record.at, ROOM);
  s->given = (s->flags & CPD) != 0 ? s->annexb : s->record;
  s->frame.len = 0;
  s->wire.len = 0;
  if ((s->flags & AVCC) != 0) {
    add_coded(s->c, "\0\0\0\4", &s->frame);
    add_coded(s->c, "\0\0\0\1", &s->wire);
    return;
  }
  if (s->comes == IN_KEY_FRAME) {
    add(&s->frame, s->annexb.at, s->annexb.len);
  }
  add_annexb(s->c, s->form, &s->frame);
  if ((s->flags & ANNEXB) != 0) {
    add_coded(s->c, "\0\0\0\4", &s->wire);
  } else {
    s->wire = s->frame;
  }
}

static kvs_stream *open_stream(fake_host *host, const scenery *s) {
  kvs_stream_info info;
  kvs_stream *stream;

  fake_host_init(host, ARENA, 1);
  fake_stream_info(&info, "camera");
  info.nal_adaptation_flags = s->flags;
  info.tracks[0].codec_id = s->c->id;
  if (s->comes == AT_CREATE) {
    info.tracks[0].codec_private = s->given.at;
    info.tracks[0].codec_private_len = (uint32_t)s->given.len;
  }
  stream = scene_stream(host, &info);
  if (s->comes == IN_MID_STREAM) { /* after a fragment without any */
    CHECK_EQ(
        scene_put(host, stream, 1, KEY, 0,
                  (s->flags & ANNEXB) != 0 ? "\0\0\1\x61\x62" : "\0\0\0\1\x61",
                  5),
        KVS_OK);
    CHECK_EQ(fake_take(host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
    CHECK_EQ(scene_finds(host, s->record.at, s->record.len), 0);
  }
  if (s->comes == AT_START || s->comes == IN_MID_STREAM) {
    CHECK_EQ(kvs_stream_format_changed(stream, 1, s->given.at,
                                       (uint32_t)s->given.len, host->now),
             KVS_OK);
  }
  return stream;
}

static void play(scenery *s) {
  fake_host host;
  fake_body body;
  kvs_stream *stream;

  prepare(s);
  stream = open_stream(&host, s);
  CHECK_EQ(scene_put(&host, stream, 1, KEY, 2000, s->frame.at, s->frame.len),
           KVS_OK);
  if (s->comes == IN_MID_STREAM) {
    (void)fake_take(&host, stream);
    CHECK_EQ(fake_ack(&host, stream, "PERSISTED", 0), KVS_OK);
    scene_end(&host, stream);
  }
  CHECK_EQ(fake_take(&host, stream), KVS_STATUS_NO_MORE_DATA_AVAILABLE);
  CHECK(fake_read_body(&host, &body));
  CHECK_EQ(body.blocks, 1);
  CHECK_EQ(scene_finds(&host, s->record.at, s->record.len), 1);
  /* The block ends the body, and with the frame as it is to be. */
  CHECK_EQ(
      memcmp(host.body + host.body_len - s->wire.len, s->wire.at, s->wire.len),
      0);
  scene_finish(&host);
}

static void everything_in_every_combination(void) {
  static scenery s;

  for (size_t i = 0; i < 2 * sizeof(all_flags) / sizeof(all_flags[0]); i++) {
    for (uint32_t comes = 0; comes < WAYS; comes++) {
      for (uint32_t form = 0; form < FORMS; form++) {
        s.c = &codecs[i % 2];
        s.flags = all_flags[i / 2];
        s.comes = (way)comes;
        s.form = form;
        if (s.comes != IN_KEY_FRAME || (s.flags & ANNEXB) != 0) {
          play(&s);
        }
      }
    }
  }
}

int main(void) {
  RUN(everything_in_every_combination);
  return check_report();
}
