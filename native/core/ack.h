/* SPDX-License-Identifier: Apache-2.0
 * PutMedia acks: JSON objects, back to back or apart by white space, in any
 * split. All state is in the struct; nothing is kept of the bytes. */
#ifndef KVS_CORE_ACK_H
#define KVS_CORE_ACK_H

#include "core/bytes.h"

/* The longest key and value that are read; others are passed over. */
#define KVS_ACK_TEXT 128u

typedef struct kvs_ack_parser {
  uint8_t state;
  uint8_t depth;   /* of nested objects and arrays that are passed over */
  uint8_t field;   /* which key the value belongs to */
  uint8_t seen;    /* keys seen in this object, a bit each */
  bool escaped;
  bool too_long;
  uint32_t object_len; /* bytes of this object so far */
  uint32_t text_len;
  char text[KVS_ACK_TEXT];
  kvs_ack ack; /* being filled */
} kvs_ack_parser;

void kvs_ack_parser_init(kvs_ack_parser *parser);

/* Reads up to the end of one ack. |used| [filled]: bytes read. |complete|
 * [filled]: |ack| [filled] holds one. Call again with the rest.
 * Any error: what was wrong with this object; the parser passes over the rest
 * of it and goes on with the next one at the next call.
 * INVALID_ACK_KEY_START, INVALID_ACK_DUPLICATE_KEY_NAME,
 * INVALID_ACK_INVALID_VALUE_START, INVALID_ACK_INVALID_VALUE_END,
 * INVALID_PARSED_ACK_TYPE, INVALID_FRAGMENT_ACK_TYPE, MISSING_ERR_ACK_ID,
 * INVALID_ACK_SEGMENT_LEN (an object of more than KVS_MAX_ACK_LEN bytes). */
KVS_MUST_CHECK kvs_status kvs_ack_parse(kvs_ack_parser *parser,
                                        const uint8_t *bytes, size_t len,
                                        size_t *used, bool *complete,
                                        kvs_ack *ack);

/* The status of an ErrorId (4000.., 4500.., 5000..), or
 * ACK_ERR_UNKNOWN_ACK_ERROR. */
kvs_status kvs_ack_error_status(uint32_t error_id);

/* What to do after an Error ack. */
typedef enum kvs_ack_remedy {
  KVS_REMEDY_RESEND = 0,       /* new session, the same fragment again */
  KVS_REMEDY_SKIP_FRAGMENT = 1, /* new session without that fragment */
  KVS_REMEDY_NEW_TOKEN = 2,    /* new token, then as RESEND */
  KVS_REMEDY_DESCRIBE = 3      /* from DescribeStream on, then as RESEND */
} kvs_ack_remedy;

kvs_ack_remedy kvs_ack_error_remedy(uint32_t error_id);

#endif
