/* SPDX-License-Identifier: Apache-2.0
 * A machine that is fed one byte at a time. Strings and nesting are followed
 * in every state, so that a faulty object can be passed over to its end. Where
 * its end cannot be known (a raw control character stands in a string of it, or
 * it outlives its line), all up to the next opening brace is passed over. What
 * the keys and values say is no matter of this file (ack_fields.c); all that it
 * keeps is counters that cannot overflow. */
#include "core/ack_fields.h"

enum {              /* kvs_ack_parser.state */
       BETWEEN = 0, /* white space or an object */
       GARBAGE,     /* reported; up to the next object */
       FAULTY,      /* reported; up to the end of the object */
       FIRST_KEY,   /* a key or the end */
       NEXT_KEY,    /* a key */
       COLON,       /* ":" */
       VALUE,       /* a value */
       WORD,        /* in a number, true, false or null */
       NESTED,      /* in a nested object or array */
       AFTER        /* "," or the end */
};

void kvs_ack_parser_init(kvs_ack_parser *parser) {
  memset(parser, 0, sizeof *parser);
  parser->state = BETWEEN;
}

static bool is_space(uint8_t byte) {
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_word(uint8_t byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         byte == 'E' || byte == '+' || byte == '-' || byte == '.';
}

/* Follows nesting outside of strings. Which bracket closes which is not
 * followed, but that only a brace ends an ack. */
static void follow(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == '"') {
    parser->quoted = true;
  } else if (byte == '{' || byte == '[') {
    parser->depth += parser->depth < UINT32_MAX;
  } else if (byte == '}' || (byte == ']' && parser->depth > 1)) {
    parser->depth--;
  }
}

/* |byte| is not what must come here: the object is passed over from it on. */
static kvs_status refuse(kvs_ack_parser *parser, uint8_t byte,
                         kvs_status status) {
  if (parser->state == FAULTY && byte == '\n') {
    parser->state = GARBAGE; /* its braces may never match */
  } else {
    follow(parser, byte);
    parser->state = parser->depth == 0 ? BETWEEN : FAULTY;
  }
  return status;
}

static kvs_status feed_between(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == '{') {
    kvs_ack_parser_init(parser);
    parser->state = FIRST_KEY;
    parser->depth = 1;
    parser->object_len = 1;
    return KVS_OK;
  }
  if (is_space(byte) || parser->state == GARBAGE) {
    return KVS_OK;
  }
  parser->state = GARBAGE;
  return KVS_STATUS_INVALID_ACK_KEY_START;
}

static kvs_status end_object(kvs_ack_parser *parser) {
  parser->state = BETWEEN;
  parser->depth = 0;
  return kvs_ack_take_object(parser);
}

/* What may come where a value, or the end of one, is expected. */
static kvs_status feed_value(kvs_ack_parser *parser, uint8_t byte) {
  kvs_ack_begin_text(parser);
  if (byte == '"') {
    parser->quoted = true;
    return KVS_OK;
  }
  if ((byte == '{' || byte == '[') && !kvs_ack_reads(parser)) {
    parser->state = NESTED;
    follow(parser, byte);
    return KVS_OK;
  }
  if (!is_word(byte)) {
    return refuse(parser, byte, KVS_STATUS_INVALID_ACK_INVALID_VALUE_START);
  }
  parser->state = WORD;
  kvs_ack_add_text(parser, byte);
  return KVS_OK;
}

static kvs_status feed_after(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == ',') {
    parser->state = NEXT_KEY;
    return KVS_OK;
  }
  if (byte == '}') {
    return end_object(parser);
  }
  return is_space(byte)
             ? KVS_OK
             : refuse(parser, byte, KVS_STATUS_INVALID_ACK_INVALID_VALUE_END);
}

static kvs_status feed_word(kvs_ack_parser *parser, uint8_t byte) {
  if (is_word(byte)) {
    kvs_ack_add_text(parser, byte);
    return KVS_OK;
  }
  kvs_status status = kvs_ack_take_word(parser);
  parser->state = AFTER;
  return status == KVS_OK ? feed_after(parser, byte)
                          : refuse(parser, byte, status);
}

static kvs_status feed_key(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == '"') {
    kvs_ack_begin_text(parser);
    parser->quoted = true;
    return KVS_OK;
  }
  if (byte == '}' && parser->state == FIRST_KEY) {
    return end_object(parser);
  }
  return is_space(byte)
             ? KVS_OK
             : refuse(parser, byte, KVS_STATUS_INVALID_ACK_KEY_START);
}

static kvs_status feed_colon(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == ':') {
    parser->state = VALUE;
    return KVS_OK;
  }
  return is_space(byte)
             ? KVS_OK
             : refuse(parser, byte, KVS_STATUS_INVALID_ACK_INVALID_VALUE_START);
}

/* A byte of an object, outside of strings. */
static kvs_status feed_plain(kvs_ack_parser *parser, uint8_t byte) {
  switch (parser->state) {
    case FIRST_KEY:
    case NEXT_KEY:
      return feed_key(parser, byte);
    case COLON:
      return feed_colon(parser, byte);
    case VALUE:
      return is_space(byte) ? KVS_OK : feed_value(parser, byte);
    case WORD:
      return feed_word(parser, byte);
    case AFTER:
      return feed_after(parser, byte);
    case NESTED:
      follow(parser, byte);
      parser->state = parser->depth == 1 && !parser->quoted ? AFTER : NESTED;
      return KVS_OK;
    default:
      return refuse(parser, byte, KVS_OK);
  }
}

/* The string is whole. */
static kvs_status end_string(kvs_ack_parser *parser) {
  kvs_status status = KVS_OK;

  parser->quoted = false;
  if (parser->state == FIRST_KEY || parser->state == NEXT_KEY) {
    parser->state = COLON;
    status = kvs_ack_take_key(parser);
  } else if (parser->state == VALUE) {
    parser->state = AFTER;
    status = kvs_ack_take_value(parser);
  }
  if (status != KVS_OK) {
    parser->state = FAULTY;
  }
  return status;
}

/* A string that is broken off: nobody knows where the object ends. */
static kvs_status break_off(kvs_ack_parser *parser) {
  uint8_t state = parser->state;

  parser->state = GARBAGE;
  parser->quoted = false;
  if (state == FAULTY) {
    return KVS_OK;
  }
  return state == FIRST_KEY || state == NEXT_KEY
             ? KVS_STATUS_INVALID_ACK_KEY_START
             : KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;
}

/* A byte of a string. */
static kvs_status feed_quoted(kvs_ack_parser *parser, uint8_t byte) {
  if (byte < 0x20) {
    return break_off(parser);
  }
  if (parser->escaped) {
    parser->escaped = false;
    parser->unread |= byte != '"' && byte != '\\' && byte != '/';
    kvs_ack_add_text(parser, byte);
    return KVS_OK;
  }
  if (byte == '"') {
    return end_string(parser);
  }
  if (byte == '\\') {
    parser->escaped = true;
  } else {
    kvs_ack_add_text(parser, byte);
  }
  return KVS_OK;
}

static kvs_status feed_object(kvs_ack_parser *parser, uint8_t byte) {
  return parser->quoted ? feed_quoted(parser, byte) : feed_plain(parser, byte);
}

/* Whether nothing that comes now can be part of an ack. */
static bool is_outside(const kvs_ack_parser *parser) {
  return parser->state <= FAULTY;
}

static kvs_status feed_outside(kvs_ack_parser *parser, uint8_t byte) {
  return parser->state == FAULTY ? feed_object(parser, byte)
                                 : feed_between(parser, byte);
}

static kvs_status feed_inside(kvs_ack_parser *parser, uint8_t byte) {
  if (parser->object_len == KVS_MAX_ACK_LEN) {
    parser->state = FAULTY;
    (void)feed_object(parser, byte);
    return KVS_STATUS_INVALID_ACK_SEGMENT_LEN;
  }
  parser->object_len++;
  return feed_object(parser, byte);
}

/* Of each of the 8 bytes of a word: whether it is below |limit| (at most 0x80).
 * Only the lowest mark is sure to be right; none is left out. */
static uint64_t below(uint64_t word, uint64_t limit) {
  const uint64_t ones = UINT64_C(0x0101010101010101);

  return (word - ones * limit) & ~word & (ones << 7);
}

/* A byte of a string that stands for itself. */
static bool is_plain(uint8_t byte) {
  return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* How many of |bytes| are plain, up to the first that is not. */
static size_t plain_run(const uint8_t *bytes, size_t len) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  size_t n = 0;

  while (len - n >= sizeof(uint64_t)) {
    uint64_t word = kvs_get_le64(bytes + n);
    uint64_t marks = below(word, 0x20) | below(word ^ ones * '"', 1) |
                     below(word ^ ones * '\\', 1);

    if (marks != 0) {
      return n + kvs_lowest_bit(marks) / 8;
    }
    n += sizeof(word);
  }
  while (n < len && is_plain(bytes[n])) {
    n++;
  }
  return n;
}

/* How many of |bytes| go on with a number or a word. */
static size_t word_run(const uint8_t *bytes, size_t len) {
  size_t n = 0;

  while (n < len && is_word(bytes[n])) {
    n++;
  }
  return n;
}

/* Passes over what only adds to the text: the inside of strings and words.
 * Returns how many of |bytes| that were. */
static size_t skim(kvs_ack_parser *parser, const uint8_t *bytes, size_t len) {
  bool in_string = parser->quoted && !parser->escaped;
  size_t n;

  if (!in_string && parser->state != WORD) {
    return 0;
  }
  n = KVS_MAX_ACK_LEN - parser->object_len;
  n = len < n ? len : n;
  n = in_string ? plain_run(bytes, n) : word_run(bytes, n);
  kvs_ack_add_texts(parser, bytes, n);
  parser->object_len += (uint32_t)n;
  return n;
}

kvs_status kvs_ack_parse(kvs_ack_parser *parser, const uint8_t *bytes,
                         size_t len, size_t *used, bool *complete,
                         kvs_ack *ack) {
  kvs_status status = KVS_OK;
  size_t at = 0;

  *complete = false;
  while (at < len && status == KVS_OK && !*complete) {
    if (is_outside(parser)) {
      status = feed_outside(parser, bytes[at]);
      at++;
      continue;
    }
    at += skim(parser, bytes + at, len - at);
    if (at == len) {
      break;
    }
    status = feed_inside(parser, bytes[at]);
    at++;
    *complete = parser->state == BETWEEN && status == KVS_OK;
  }
  if (*complete) {
    *ack = parser->ack;
  }
  *used = at;
  return status;
}
