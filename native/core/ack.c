/* SPDX-License-Identifier: Apache-2.0
 * A machine that is fed one byte at a time. Strings and nesting are followed
 * in every state, so that a faulty object can be passed over to its end. Where
 * its end cannot be known (a raw control character stands in a string of it, or
 * it outlives its line), all up to the next opening brace is passed over. What
 * is stored of the bytes is the text of one key or value, of bounded length;
 * everything else is counters that cannot overflow. */
#include "core/ack.h"

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

enum { /* kvs_ack_parser.field */
       FIELD_TYPE = 0,
       FIELD_NUMBER,
       FIELD_TIMECODE,
       FIELD_ERROR_ID,
       FIELD_COUNT,
       FIELD_OTHER = FIELD_COUNT
};

_Static_assert(KVS_MAX_FRAGMENT_NUMBER_LEN >= KVS_ACK_TEXT,
               "any text fits as a fragment number");

void kvs_ack_parser_init(kvs_ack_parser *parser) {
  memset(parser, 0, sizeof *parser);
  parser->state = BETWEEN;
}

/* ---- texts ------------------------------------------------------------ */

static void begin_text(kvs_ack_parser *parser) {
  parser->text_len = 0;
  parser->unread = false;
}

static void add_text(kvs_ack_parser *parser, uint8_t byte) {
  if (parser->text_len == KVS_ACK_TEXT) {
    parser->unread = true;
    return;
  }
  parser->text[parser->text_len] = (char)byte;
  parser->text_len++;
}

/* As add_text for each of the |len| bytes. */
static void add_texts(kvs_ack_parser *parser, const uint8_t *bytes,
                      size_t len) {
  size_t room = KVS_ACK_TEXT - parser->text_len;

  if (len > room) {
    parser->unread = true;
    len = room;
  }
  memcpy(parser->text + parser->text_len, bytes, len);
  parser->text_len += (uint32_t)len;
}

typedef struct known {
  uint32_t len; /* most texts are told apart by that */
  char text[20];
} known;

static bool text_is(const kvs_ack_parser *parser, const known *other) {
  return parser->text_len == other->len && !parser->unread &&
         memcmp(parser->text, other->text, other->len) == 0;
}

/* The text as a whole number of at most |limit|; false: it is not one. */
static bool text_number(const kvs_ack_parser *parser, uint64_t limit,
                        uint64_t *number) {
  uint64_t value = 0;

  for (uint32_t i = 0; i < parser->text_len; i++) {
    uint32_t digit = (uint32_t)(uint8_t)parser->text[i] - '0';
    if (digit > 9 || value > (limit - digit) / 10) {
      return false;
    }
    value = value * 10 + digit;
  }
  *number = value;
  return !parser->unread;
}

/* ---- keys and values -------------------------------------------------- */

static kvs_status take_key(kvs_ack_parser *parser) {
  static const known names[FIELD_COUNT] = {{9, "EventType"},
                                           {14, "FragmentNumber"},
                                           {16, "FragmentTimecode"},
                                           {7, "ErrorId"}};

  parser->field = FIELD_OTHER;
  for (uint32_t i = 0; i < FIELD_COUNT; i++) {
    if (text_is(parser, &names[i])) {
      parser->field = (uint8_t)i;
    }
  }
  parser->state = COLON;
  if (parser->field == FIELD_OTHER) {
    return KVS_OK;
  }
  uint8_t bit = (uint8_t)(1u << parser->field);
  bool again = (parser->seen & bit) != 0;
  parser->seen |= bit;
  return again ? KVS_STATUS_INVALID_ACK_DUPLICATE_KEY_NAME : KVS_OK;
}

static kvs_status take_type(kvs_ack_parser *parser) {
  static const known names[] = {{9, "BUFFERING"},
                                {8, "RECEIVED"},
                                {9, "PERSISTED"},
                                {5, "ERROR"},
                                {4, "IDLE"}};

  for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (text_is(parser, &names[i])) {
      parser->ack.type = (kvs_ack_type)(KVS_ACK_BUFFERING + i);
      return KVS_OK;
    }
  }
  return KVS_STATUS_INVALID_PARSED_ACK_TYPE;
}

static kvs_status take_timecode(kvs_ack_parser *parser) {
  if (!text_number(parser, UINT64_MAX, &parser->ack.timecode)) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;
  }
  parser->ack.has_timecode = true;
  return KVS_OK;
}

static kvs_status take_error_id(kvs_ack_parser *parser) {
  uint64_t id = 0;

  if (!text_number(parser, UINT32_MAX, &id)) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;
  }
  parser->ack.error_id = (uint32_t)id;
  return KVS_OK;
}

/* The text is the whole value of |field|. */
static kvs_status take_value(kvs_ack_parser *parser) {
  parser->state = AFTER;
  if (parser->field == FIELD_OTHER) {
    return KVS_OK;
  }
  if (parser->text_len == 0) {
    parser->seen &= (uint8_t) ~(1u << parser->field);
    return KVS_OK;
  }
  switch (parser->field) {
    case FIELD_TYPE:
      return take_type(parser);
    case FIELD_TIMECODE:
      return take_timecode(parser);
    case FIELD_ERROR_ID:
      return take_error_id(parser);
    default:
      parser->ack.number_len = parser->unread ? 0 : parser->text_len;
      memcpy(parser->ack.number, parser->text, parser->ack.number_len);
      return KVS_OK;
  }
}

/* The text is a whole number, true, false or null. */
static kvs_status take_word(kvs_ack_parser *parser) {
  bool is_number = parser->text[0] == '-' ||
                   (parser->text[0] >= '0' && parser->text[0] <= '9');

  if (text_is(parser, &(const known){4, "null"})) {
    parser->text_len = 0;
  } else if (parser->field == FIELD_TYPE ||
             (parser->field != FIELD_OTHER && !is_number)) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_START;
  }
  return take_value(parser);
}

static bool has(const kvs_ack_parser *parser, uint32_t field) {
  return (parser->seen & (1u << field)) != 0;
}

/* The object is whole: is it an ack? */
static kvs_status take_object(kvs_ack_parser *parser) {
  parser->state = BETWEEN;
  parser->depth = 0;
  if (!has(parser, FIELD_TYPE)) {
    return KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE;
  }
  if (parser->ack.type != KVS_ACK_ERROR) {
    parser->ack.error_id = 0;
  } else if (!has(parser, FIELD_ERROR_ID)) {
    return KVS_STATUS_MISSING_ERR_ACK_ID;
  }
  return KVS_OK;
}

/* ---- bytes ------------------------------------------------------------ */

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

/* What may come where a value, or the end of one, is expected. */
static kvs_status feed_value(kvs_ack_parser *parser, uint8_t byte) {
  begin_text(parser);
  if (byte == '"') {
    parser->quoted = true;
    return KVS_OK;
  }
  if ((byte == '{' || byte == '[') && parser->field == FIELD_OTHER) {
    parser->state = NESTED;
    follow(parser, byte);
    return KVS_OK;
  }
  if (!is_word(byte)) {
    return refuse(parser, byte, KVS_STATUS_INVALID_ACK_INVALID_VALUE_START);
  }
  parser->state = WORD;
  add_text(parser, byte);
  return KVS_OK;
}

static kvs_status feed_after(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == ',') {
    parser->state = NEXT_KEY;
    return KVS_OK;
  }
  if (byte == '}') {
    return take_object(parser);
  }
  return is_space(byte)
             ? KVS_OK
             : refuse(parser, byte, KVS_STATUS_INVALID_ACK_INVALID_VALUE_END);
}

static kvs_status feed_word(kvs_ack_parser *parser, uint8_t byte) {
  if (is_word(byte)) {
    add_text(parser, byte);
    return KVS_OK;
  }
  kvs_status status = take_word(parser);
  return status == KVS_OK ? feed_after(parser, byte)
                          : refuse(parser, byte, status);
}

static kvs_status feed_key(kvs_ack_parser *parser, uint8_t byte) {
  if (byte == '"') {
    begin_text(parser);
    parser->quoted = true;
    return KVS_OK;
  }
  if (byte == '}' && parser->state == FIRST_KEY) {
    return take_object(parser);
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
    status = take_key(parser);
  } else if (parser->state == VALUE) {
    status = take_value(parser);
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
    add_text(parser, byte);
    return KVS_OK;
  }
  if (byte == '"') {
    return end_string(parser);
  }
  if (byte == '\\') {
    parser->escaped = true;
  } else {
    add_text(parser, byte);
  }
  return KVS_OK;
}

static kvs_status feed(kvs_ack_parser *parser, uint8_t byte) {
  kvs_status status = KVS_OK;

  if (parser->state == BETWEEN || parser->state == GARBAGE) {
    return feed_between(parser, byte);
  }
  if (parser->state != FAULTY) {
    parser->object_len++;
    if (parser->object_len > KVS_MAX_ACK_LEN) {
      parser->state = FAULTY;
      status = KVS_STATUS_INVALID_ACK_SEGMENT_LEN;
    }
  }
  kvs_status fed =
      parser->quoted ? feed_quoted(parser, byte) : feed_plain(parser, byte);
  return status == KVS_OK ? fed : status;
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
    uint64_t word;

    memcpy(&word, bytes + n, sizeof(word));
    if ((below(word, 0x20) | below(word ^ ones * '"', 1) |
         below(word ^ ones * '\\', 1)) != 0) {
      break;
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

  if (parser->state == FAULTY || (!in_string && parser->state != WORD)) {
    return 0;
  }
  n = KVS_MAX_ACK_LEN - parser->object_len;
  n = len < n ? len : n;
  n = in_string ? plain_run(bytes, n) : word_run(bytes, n);
  add_texts(parser, bytes, n);
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
    at += skim(parser, bytes + at, len - at);
    if (at == len) {
      break;
    }
    bool outside = parser->state == BETWEEN || parser->state == GARBAGE ||
                   parser->state == FAULTY;
    status = feed(parser, bytes[at]);
    at++;
    *complete = !outside && status == KVS_OK && parser->state == BETWEEN;
  }
  if (*complete) {
    *ack = parser->ack;
  }
  *used = at;
  return status;
}
