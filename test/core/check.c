#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static unsigned passed;
static unsigned failed;
static const char *running = "main";

bool check_that(bool ok, const char *file, int line, const char *what) {
  if (ok) {
    passed++;
  } else {
    failed++;
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, running, what);
  }
  return ok;
}

bool check_equal(uint64_t got, uint64_t want, const char *file, int line,
                 const char *what) {
  if (!check_that(got == want, file, line, what)) {
    fprintf(stderr, "    got  %" PRIu64 " (0x%" PRIx64 ")\n", got, got);
    fprintf(stderr, "    want %" PRIu64 " (0x%" PRIx64 ")\n", want, want);
  }
  return got == want;
}

bool check_same(const void *got, const void *want, size_t len, const char *file,
                int line, const char *what) {
  const uint8_t *a = (const uint8_t *)got;
  const uint8_t *b = (const uint8_t *)want;
  size_t at = 0;

  while (at < len && a[at] == b[at]) {
    at++;
  }
  if (!check_that(at == len, file, line, what)) {
    fprintf(stderr, "    byte %zu of %zu: got 0x%02x, want 0x%02x\n", at, len,
            (unsigned)a[at], (unsigned)b[at]);
  }
  return at == len;
}

bool check_text(const char *got, const char *want, const char *file, int line,
                const char *what) {
  bool same = got != NULL && strcmp(got, want) == 0;

  if (!check_that(same, file, line, what)) {
    fprintf(stderr, "    got  \"%s\"\n    want \"%s\"\n",
            got == NULL ? "(null)" : got, want);
  }
  return same;
}

void check_begin(const char *name) {
  running = name;
}

int check_report(void) {
  printf("%u passed, %u failed\n", passed, failed);
  return failed == 0 && passed != 0 ? 0 : 1;
}

uint64_t check_random(uint64_t *seed) {
  uint64_t x = *seed == 0 ? 1 : *seed;

  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *seed = x;
  return x * UINT64_C(2685821657736338717);
}
