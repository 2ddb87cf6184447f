#include "mkv_dump.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MASTER, UINT, INT, FLOAT, STRING, UTF8, DATE, BINARY };
enum { MAX_DEPTH = 16 };
#define UNKNOWN UINT64_MAX

typedef struct element {
  const char *name;
  uint32_t id;
  int type;
  const char *parent;
} element;

static const element ELEMENTS[] = {
#define KVS_MKV_ELEMENT(name, id, type, parent) {#name, id, type, #parent},
#include <kvs/mkv_elements.def>
#undef KVS_MKV_ELEMENT
};

typedef struct open_master {
  const element *what;
  size_t end; /* SIZE_MAX: of unknown size */
} open_master;

typedef struct dump {
  const uint8_t *bytes;
  size_t len;
  size_t at;
  char *out;
  size_t cap;
  size_t written;
  open_master open[MAX_DEPTH];
  int depth;
} dump;

static void print(dump *d, const char *format, ...) {
  va_list args;

  va_start(args, format);
  if (d->written < d->cap) {
    int n = vsnprintf(d->out + d->written, d->cap - d->written, format, args);
    d->written += (size_t)n;
  }
  va_end(args);
}

/* A number of 1..|most| bytes; its marker bit is kept for an id. */
static bool read_number(dump *d, uint32_t most, bool keep, uint64_t *value) {
  uint32_t len = 1;
  uint64_t ones = 0x7F;

  if (d->at >= d->len || d->bytes[d->at] == 0) {
    return false;
  }
  while ((d->bytes[d->at] & (0x80u >> (len - 1))) == 0) {
    len++;
  }
  if (len > most || len > d->len - d->at) {
    return false;
  }
  *value = keep ? d->bytes[d->at] : d->bytes[d->at] & (0xFFu >> len);
  for (uint32_t i = 1; i < len; i++) {
    *value = (*value << 8) | d->bytes[d->at + i];
    ones = (ones << 7) | 0x7F;
  }
  if (!keep && *value == ones) {
    *value = UNKNOWN;
  }
  d->at += len;
  return true;
}

static const element *find(uint64_t id) {
  for (size_t i = 0; i < sizeof ELEMENTS / sizeof ELEMENTS[0]; i++) {
    if (ELEMENTS[i].id == id) {
      return &ELEMENTS[i];
    }
  }
  return NULL;
}

/* Closes masters that are full, and those of unknown size that cannot hold
 * |what|; false when the innermost one left cannot hold it either. */
static bool close_masters(dump *d, const element *what) {
  while (d->depth > 0) {
    const open_master *inner = &d->open[d->depth - 1];
    bool holds = strcmp(what->parent, inner->what->name) == 0 ||
                 strcmp(what->parent, "GLOBAL") == 0;
    if (inner->end == SIZE_MAX ? holds : d->at < inner->end) {
      return holds;
    }
    d->depth--;
  }
  return strcmp(what->parent, "ROOT") == 0;
}

static void print_bytes(dump *d, const uint8_t *bytes, size_t len) {
  for (size_t i = 0; i < len; i++) {
    print(d, "%02x", (unsigned)bytes[i]);
  }
}

static void print_block(dump *d, const uint8_t *bytes, size_t len) {
  if (len < 4) {
    print(d, "too short");
    return;
  }
  int16_t timecode = (int16_t)(uint16_t)((bytes[1] << 8) | bytes[2]);
  print(d, "track %d time %d flags %02x payload %zu ", bytes[0] & 0x7F,
        timecode, (unsigned)bytes[3], len - 4);
  print_bytes(d, bytes + 4, len - 4);
}

static void print_value(dump *d, const element *what, const uint8_t *bytes,
                        size_t len) {
  uint64_t number = 0;
  double real = 0;

  for (size_t i = 0; i < len; i++) {
    number = (number << 8) | bytes[i];
  }
  if (strcmp(what->name, "SIMPLE_BLOCK") == 0) {
    print_block(d, bytes, len);
  } else if (what->type == UINT || what->type == INT || what->type == DATE) {
    print(d, "%" PRIu64 " (%zu)", number, len);
  } else if (what->type == FLOAT && len == 8) {
    memcpy(&real, &number, 8);
    print(d, "%.3f", real);
  } else if (what->type == STRING || what->type == UTF8) {
    print(d, "\"%.*s\"", (int)len, (const char *)bytes);
  } else {
    print_bytes(d, bytes, len);
  }
}

static bool dump_element(dump *d) {
  size_t begin = d->at;
  uint64_t id = 0;
  uint64_t size = 0;

  if (!read_number(d, 4, true, &id)) {
    return false;
  }
  const element *what = find(id);
  size_t behind_id = d->at;
  d->at = begin;
  if (what == NULL || !close_masters(d, what)) {
    return false;
  }
  d->at = behind_id;
  if (!read_number(d, 8, false, &size)) {
    return false;
  }
  print(d, "%5zu %*s%s ", begin, 2 * d->depth, "", what->name);
  if (what->type == MASTER) {
    if (d->depth == MAX_DEPTH || (size != UNKNOWN && size > d->len - d->at)) {
      return false;
    }
    size_t end = size == UNKNOWN ? SIZE_MAX : d->at + (size_t)size;
    d->open[d->depth].what = what;
    d->open[d->depth].end = end;
    d->depth++;
    size == UNKNOWN ? print(d, "unknown\n") : print(d, "%" PRIu64 "\n", size);
    return true;
  }
  if (size > d->len - d->at) {
    return false;
  }
  print_value(d, what, d->bytes + d->at, (size_t)size);
  print(d, "\n");
  d->at += (size_t)size;
  return true;
}

bool mkv_dump(const uint8_t *bytes, size_t len, char *out, size_t cap) {
  dump d;

  memset(&d, 0, sizeof d);
  d.bytes = bytes;
  d.len = len;
  d.out = out;
  d.cap = cap;
  if (cap > 0) {
    out[0] = '\0';
  }
  while (d.at < d.len) {
    if (!dump_element(&d)) {
      return false;
    }
  }
  while (d.depth > 0 && (d.open[d.depth - 1].end == SIZE_MAX ||
                         d.open[d.depth - 1].end == len)) {
    d.depth--;
  }
  return d.depth == 0;
}
