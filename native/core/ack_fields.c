/* SPDX-License-Identifier: Apache-2.0
 * What the texts of an ack mean. Stored of the bytes is the text of one key or
 * value, of bounded length, and what the four keys said. */
#include "core/ack_fields.h"

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

/* ---- texts ------------------------------------------------------------ */

void kvs_ack_begin_text(kvs_ack_parser *parser) {
  parser->text_len = 0;
  parser->unread = false;
}

void kvs_ack_add_text(kvs_ack_parser *parser, uint8_t byte) {
  if (parser->text_len == KVS_ACK_TEXT) {
    parser->unread = true;
    return;
  }
  parser->text[parser->text_len] = (char)byte;
  parser->text_len++;
}

void kvs_ack_add_texts(kvs_ack_parser *parser, const uint8_t *bytes,
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

/* The text as a whole number; false: it is not one, or too large. */
static bool text_number(const kvs_ack_parser *parser, uint64_t *number) {
  const uint32_t safe = 19; /* so many digits always fit */
  uint64_t value = 0;

  for (uint32_t i = 0; i < parser->text_len; i++) {
    uint32_t digit = (uint32_t)(uint8_t)parser->text[i] - '0';
    if (digit > 9 || (i >= safe && value > (UINT64_MAX - digit) / 10)) {
      return false;
    }
    value = value * 10 + digit;
  }
  *number = value;
  return !parser->unread;
}

/* ---- keys and values -------------------------------------------------- */

kvs_status kvs_ack_take_key(kvs_ack_parser *parser) {
  static const known names[FIELD_COUNT] = {{9, "EventType"},
                                           {14, "FragmentNumber"},
                                           {16, "FragmentTimecode"},
                                           {7, "ErrorId"}};

  parser->field = FIELD_OTHER;
  for (uint32_t i = 0; i < FIELD_COUNT; i++) {
    if (text_is(parser, &names[i])) {
      parser->field = (uint8_t)i;
      break;
    }
  }
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
  if (!text_number(parser, &parser->ack.timecode)) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;
  }
  parser->ack.has_timecode = true;
  return KVS_OK;
}

static kvs_status take_error_id(kvs_ack_parser *parser) {
  uint64_t id = 0;

  if (!text_number(parser, &id) || id > UINT32_MAX) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;
  }
  parser->ack.error_id = (uint32_t)id;
  return KVS_OK;
}

bool kvs_ack_reads(const kvs_ack_parser *parser) {
  return parser->field != FIELD_OTHER;
}

kvs_status kvs_ack_take_value(kvs_ack_parser *parser) {
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

kvs_status kvs_ack_take_word(kvs_ack_parser *parser) {
  bool is_number = parser->text[0] == '-' ||
                   (parser->text[0] >= '0' && parser->text[0] <= '9');

  if (text_is(parser, &(const known){4, "null"})) {
    parser->text_len = 0;
  } else if (parser->field == FIELD_TYPE ||
             (parser->field != FIELD_OTHER && !is_number)) {
    return KVS_STATUS_INVALID_ACK_INVALID_VALUE_START;
  }
  return kvs_ack_take_value(parser);
}

static bool has(const kvs_ack_parser *parser, uint32_t field) {
  return (parser->seen & (1u << field)) != 0;
}

kvs_status kvs_ack_take_object(kvs_ack_parser *parser) {
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
