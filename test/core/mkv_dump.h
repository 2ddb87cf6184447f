#ifndef KVS_TEST_MKV_DUMP_H
#define KVS_TEST_MKV_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes one line an element as text: offset, depth by two spaces, name,
 * value. It reads EBML on its own, by the table of elements, and knows nothing
 * of how ours is written. False: the bytes are not whole elements of the
 * table, each inside a parent that may hold it. |out| is cut at |cap|. */
bool mkv_dump(const uint8_t *bytes, size_t len, char *out, size_t cap);

#endif
