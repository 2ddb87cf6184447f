#include "nal_frames.h"

#include <string.h>

const uint8_t plain_key[9] = {0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21, 0x3F};
const uint8_t plain_frame[9] = {0, 0, 0, 1, 0x41, 0x9A, 0x24, 0x6C, 0x43};

sets sets_of(kvs_nal_codec codec, const char *name) {
  const nal_vector *vector = nal_vector_named(codec, name);
  sets s;

  s.annexb_len = nal_unhex(vector->annexb, s.annexb, sizeof(s.annexb));
  s.record_len = nal_unhex(vector->record, s.record, sizeof(s.record));
  s.width = vector->width;
  s.height = vector->height;
  return s;
}

size_t key_frame(const sets *s, uint8_t *out) {
  memcpy(out, s->annexb, s->annexb_len);
  memcpy(out + s->annexb_len, plain_key, sizeof(plain_key));
  return s->annexb_len + sizeof(plain_key);
}
