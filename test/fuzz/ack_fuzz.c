/* Any bytes as a PutMedia answer: whole, and in pieces whose lengths come from
 * the input, they read as the same acks and faults. */
#include <stdlib.h>
#include <string.h>

#include "core/ack.h"

enum { MAX_RESULTS = 512 };

typedef struct results {
  uint32_t count;
  kvs_status status[MAX_RESULTS];
  kvs_ack acks[MAX_RESULTS];
} results;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool ok) {
  if (!ok) {
    abort();
  }
}

static void inspect(const kvs_ack_parser *parser) {
  require(parser->text_len <= KVS_ACK_TEXT);
  require(parser->object_len <= KVS_MAX_ACK_LEN + 1);
  require(parser->ack.number_len <= KVS_MAX_FRAGMENT_NUMBER_LEN);
}

static void inspect_ack(const kvs_ack *ack) {
  require(ack->type >= KVS_ACK_BUFFERING && ack->type <= KVS_ACK_IDLE);
  require(ack->type == KVS_ACK_ERROR || ack->error_id == 0);
  require(ack->has_timecode || ack->timecode == 0);
}

static void keep(results *out, kvs_status status, const kvs_ack *ack) {
  if (out->count < MAX_RESULTS) {
    out->status[out->count] = status;
    out->acks[out->count] = *ack;
    out->count++;
  }
}

static void feed(kvs_ack_parser *parser, const uint8_t *bytes, size_t len,
                 results *out) {
  while (len > 0) {
    size_t used = 0;
    bool complete = false;
    kvs_ack ack;
    memset(&ack, 0, sizeof ack);
    kvs_status status =
        kvs_ack_parse(parser, bytes, len, &used, &complete, &ack);
    require(used > 0 && used <= len);
    require(status == KVS_OK || !complete);
    require(complete || status != KVS_OK || used == len);
    inspect(parser);
    if (complete) {
      inspect_ack(&ack);
    }
    if (complete || status != KVS_OK) {
      keep(out, status, &ack);
    }
    bytes += used;
    len -= used;
  }
}

static void compare(const results *a, const results *b) {
  require(a->count == b->count);
  for (uint32_t i = 0; i < a->count; i++) {
    const kvs_ack *x = &a->acks[i];
    const kvs_ack *y = &b->acks[i];
    require(a->status[i] == b->status[i] && x->type == y->type);
    require(x->timecode == y->timecode && x->error_id == y->error_id);
    require(x->number_len == y->number_len);
    require(memcmp(x->number, y->number, x->number_len) == 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static results whole;
  static results pieces;
  kvs_ack_parser parser;
  size_t at = 0;

  whole.count = 0;
  pieces.count = 0;
  kvs_ack_parser_init(&parser);
  feed(&parser, data, len, &whole);
  kvs_ack_parser_init(&parser);
  while (at < len) {
    size_t piece = 1 + data[at] % 23u;
    piece = piece < len - at ? piece : len - at;
    feed(&parser, data + at, piece, &pieces);
    at += piece;
  }
  compare(&whole, &pieces);
  return 0;
}
