/* SPDX-License-Identifier: Apache-2.0
 * Every start-code finder that this machine has against one that looks at each
 * byte. All searched bytes lie in blocks of exactly their length, so that
 * AddressSanitizer sees a load outside them. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/nal.h"

enum { MAX_FINDERS = 8, MAX_LEN = 1100 };

typedef struct finders {
  kvs_nal_find each[MAX_FINDERS];
  size_t count;
} finders;

static finders all_finders(void) {
  finders all = {{kvs_nal_portable()}, 1};

  for (uint32_t i = 0; kvs_nal_simd(i) != NULL; i++) {
    all.each[all.count++] = kvs_nal_simd(i);
  }
  return all;
}

static size_t naive(const uint8_t *bytes, size_t from, size_t len) {
  for (size_t i = from; i + 2 < len; i++) {
    if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
      return i;
    }
  }
  return len;
}

/* True when all finders give |want| for a copy of its own of |bytes|. */
static bool agree(const uint8_t *bytes, size_t from, size_t len, size_t want) {
  finders all = all_finders();
  uint8_t *copy = (uint8_t *)malloc(len == 0 ? 1 : len);
  bool same = copy != NULL;

  if (same && len != 0) {
    memcpy(copy, bytes, len);
  }
  for (size_t i = 0; i < all.count && same; i++) {
    same = CHECK_EQ(all.each[i](copy, from, len), want);
  }
  free(copy);
  return same;
}

static void each_place_in_each_length(void) {
  static const uint8_t fillers[] = {0xFF, 0x01, 0x02, 0x80};
  uint8_t bytes[MAX_LEN];

  for (size_t len = 3; len < MAX_LEN; len += len < 80 ? 1 : 67) {
    for (size_t at = 0; at + 3 <= len; at++) {
      memset(bytes, fillers[(len + at) % 4], len);
      memcpy(&bytes[at], "\0\0\1", 3);
      if (!agree(bytes, 0, len, at)) {
        return;
      }
    }
  }
}

static void from_skips_what_is_before(void) {
  uint8_t bytes[MAX_LEN];

  memset(bytes, 0x55, sizeof bytes);
  for (size_t at = 0; at < 140; at++) {
    memcpy(&bytes[at], "\0\0\1", 3);
    memcpy(&bytes[at + 100], "\0\0\1", 3);
    CHECK(agree(bytes, at, 250, at));
    CHECK(agree(bytes, at + 1, 250, at + 100));
    CHECK(agree(bytes, at + 2, 250, at + 100));
    CHECK(agree(bytes, at + 100, 250, at + 100));
    CHECK(agree(bytes, at + 101, 250, 250));
    memset(&bytes[at], 0x55, 3);
    memset(&bytes[at + 100], 0x55, 3);
  }
}

static void nothing_there(void) {
  uint8_t bytes[MAX_LEN] = {0};

  CHECK(agree(bytes, 0, 0, 0));
  CHECK(agree(bytes, 5, 0, 0));
  for (size_t len = 1; len < MAX_LEN; len += len < 300 ? 1 : 23) {
    memset(bytes, 0, len);
    CHECK(agree(bytes, 0, len, len));
    memset(bytes, 1, len);
    CHECK(agree(bytes, 0, len, len));
    CHECK(agree(bytes, len, len, len));
    CHECK(agree(bytes, len + 1, len, len));
    memset(bytes, 7, len);
    bytes[len - 1] = 0; /* half a code at the end */
    CHECK(agree(bytes, 0, len, len));
    if (len > 1) {
      bytes[len - 2] = 0;
      CHECK(agree(bytes, 0, len, len));
    }
  }
}

static void near_misses(void) {
  uint8_t bytes[MAX_LEN];

  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] = (uint8_t)("\0\1\0\2\0\0\2\0\0\3"[i % 10]);
  }
  for (size_t len = 0; len < MAX_LEN; len += len < 300 ? 1 : 23) {
    CHECK(agree(bytes, 0, len, len));
  }
}

static void many_zeros_before_the_one(void) {
  uint8_t bytes[MAX_LEN];

  for (size_t zeros = 2; zeros < 200; zeros++) {
    memset(bytes, 9, sizeof bytes);
    memset(bytes, 0, zeros);
    bytes[zeros] = 1;
    CHECK(agree(bytes, 0, 260, zeros - 2));
  }
}

static void the_end_of_the_bytes_is_the_end(void) {
  uint8_t bytes[MAX_LEN];

  memset(bytes, 3, sizeof bytes);
  memcpy(&bytes[200], "\0\0\1", 3);
  CHECK(agree(bytes, 0, 203, 200));
  CHECK(agree(bytes, 0, 202, 202));
  CHECK(agree(bytes, 0, 201, 201));
}

static void random_bytes(void) {
  uint64_t seed = 20180601;
  uint8_t bytes[MAX_LEN];

  for (int round = 0; round < 40000; round++) {
    size_t len = check_random(&seed) % (round % 8 == 0 ? MAX_LEN : 300);
    size_t from = check_random(&seed) % (len + 2);
    uint64_t letters = 2 + check_random(&seed) % 6;
    for (size_t i = 0; i < len; i++) {
      bytes[i] = (uint8_t)(check_random(&seed) % letters);
    }
    if (!agree(bytes, from, len, from < len ? naive(bytes, from, len) : len)) {
      return;
    }
  }
}

static void the_chosen_one_is_one_of_them(void) {
  finders all = all_finders();

  CHECK(kvs_nal_select() == all.each[all.count - 1]);
  CHECK(kvs_nal_select() == kvs_nal_select());
#if defined(__x86_64__) || defined(__aarch64__)
  CHECK(all.count >= 2);
#endif
}

int main(void) {
  RUN(each_place_in_each_length);
  RUN(from_skips_what_is_before);
  RUN(nothing_there);
  RUN(near_misses);
  RUN(many_zeros_before_the_one);
  RUN(the_end_of_the_bytes_is_the_end);
  RUN(random_bytes);
  RUN(the_chosen_one_is_one_of_them);
  return check_report();
}
