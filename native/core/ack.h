/* SPDX-License-Identifier: Apache-2.0
 * PutMedia acks: JSON objects, back to back or apart by white space, in any
 * split. All state is in the struct; nothing is kept of the bytes. */
#ifndef KVS_CORE_ACK_H
#define KVS_CORE_ACK_H

#include "core/bytes.h"

/* The longest key and value that are read; others are passed over. */
#define KVS_ACK_TEXT 128u

typedef struct kvs_ack_parser {
  uint8_t state;       /* what may come next, outside of a string */
  uint8_t field;       /* which key the value belongs to */
  uint8_t seen;        /* fields seen in this object, a bit each */
  bool quoted;         /* inside a string */
  bool escaped;        /* behind a backslash in it */
  bool unread;         /* the text cannot be compared: too long, or \u.... */
  uint32_t depth;      /* objects and arrays that are open */
  uint32_t object_len; /* bytes of this object so far */
  uint32_t text_len;
  char text[KVS_ACK_TEXT];
  kvs_ack ack; /* being filled */
} kvs_ack_parser;

void kvs_ack_parser_init(kvs_ack_parser *parser);

/* Reads up to the end of one ack. |used| [filled]: bytes read. |complete|
 * [filled]: |ack| [filled] holds one. Call again with the rest.
 * EventType is a string; FragmentTimecode and ErrorId are whole numbers and
 * FragmentNumber is any text, each as a number or a string; null and "" are
 * the same as no key. Other keys are passed over whatever they hold.
 * Any error: what was wrong with this object; the parser passes over the rest
 * of it, but not beyond its line, and goes on with the next one at the next
 * call. |used| is then up to the byte that told.
 * INVALID_ACK_KEY_START: no object or key where one must begin, or a key that
 *   is broken off.
 * INVALID_ACK_DUPLICATE_KEY_NAME: one of the four keys stands twice.
 * INVALID_ACK_INVALID_VALUE_START: no value behind a key, or not of its kind.
 * INVALID_ACK_INVALID_VALUE_END: a value that is broken off, followed by
 *   something else than a comma or the end, or not a whole number.
 * INVALID_PARSED_ACK_TYPE: an EventType that is not one of the five.
 * INVALID_FRAGMENT_ACK_TYPE: an object without EventType.
 * MISSING_ERR_ACK_ID: an ERROR without ErrorId.
 * INVALID_ACK_SEGMENT_LEN: an object of more than KVS_MAX_ACK_LEN bytes. */
KVS_MUST_CHECK kvs_status kvs_ack_parse(kvs_ack_parser *parser,
                                        const uint8_t *bytes, size_t len,
                                        size_t *used, bool *complete,
                                        kvs_ack *ack);

/* The status of an ErrorId (4000.., 4500.., 5000..), or
 * ACK_ERR_UNKNOWN_ACK_ERROR. */
kvs_status kvs_ack_error_status(uint32_t error_id);

/* What to do after an Error ack. */
typedef enum kvs_ack_remedy {
  KVS_REMEDY_RESEND = 0,        /* new session, the same fragment again */
  KVS_REMEDY_SKIP_FRAGMENT = 1, /* new session without that fragment */
  KVS_REMEDY_DESCRIBE = 2       /* from DescribeStream on, then as RESEND */
} kvs_ack_remedy;

kvs_ack_remedy kvs_ack_error_remedy(uint32_t error_id);

#endif
