/* SPDX-License-Identifier: Apache-2.0
 * The keys and values of an ack, which ack.c cuts out of the bytes. Each
 * status is that of kvs_ack_parse. */
#ifndef KVS_CORE_ACK_FIELDS_H
#define KVS_CORE_ACK_FIELDS_H

#include "core/ack.h"

/* The text of a key or a value: empty, and what is added to it. */
void kvs_ack_begin_text(kvs_ack_parser *parser);
void kvs_ack_add_text(kvs_ack_parser *parser, uint8_t byte);
/* As kvs_ack_add_text for each of |bytes| [read]. */
void kvs_ack_add_texts(kvs_ack_parser *parser, const uint8_t *bytes,
                       size_t len);

/* The text is a whole key. */
KVS_MUST_CHECK kvs_status kvs_ack_take_key(kvs_ack_parser *parser);

/* Whether the value of the present key is read, so that it must be plain. */
bool kvs_ack_reads(const kvs_ack_parser *parser);

/* The text is a whole string. */
KVS_MUST_CHECK kvs_status kvs_ack_take_value(kvs_ack_parser *parser);

/* The text is a whole number, true, false or null. */
KVS_MUST_CHECK kvs_status kvs_ack_take_word(kvs_ack_parser *parser);

/* The object is whole: is it an ack? */
KVS_MUST_CHECK kvs_status kvs_ack_take_object(kvs_ack_parser *parser);

#endif
