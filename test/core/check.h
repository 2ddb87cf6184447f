#ifndef KVS_TEST_CHECK_H
#define KVS_TEST_CHECK_H

/* A test program is a list of cases and a short main:
 *   static void empty(void) { CHECK_EQ(kvs_heap_used(&heap), 0); }
 *   int main(void) { RUN(empty); return check_report(); }
 * A failed check prints where and what, and the case goes on. Each check is
 * also its result, so that a loop can stop at the first fault:
 *   if (!CHECK(ok)) { break; } */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool check_that(bool ok, const char *file, int line, const char *what);
bool check_equal(uint64_t got, uint64_t want, const char *file, int line,
                 const char *what);
bool check_same(const void *got, const void *want, size_t len, const char *file,
                int line, const char *what);
bool check_text(const char *got, const char *want, const char *file, int line,
                const char *what);
void check_begin(const char *name);

/* Prints "N passed, N failed"; the exit code of main. No check is a failure. */
int check_report(void);

/* Repeatable random numbers (xorshift64*); a seed of 0 is taken as 1. */
uint64_t check_random(uint64_t *seed);

#define CHECK(condition) check_that((condition), __FILE__, __LINE__, #condition)
#define CHECK_EQ(got, want)                                          \
  check_equal((uint64_t)(got), (uint64_t)(want), __FILE__, __LINE__, \
              #got " == " #want)
#define CHECK_BYTES(got, want, len)                    \
  check_same((got), (want), (len), __FILE__, __LINE__, \
             #got " holds the bytes of " #want)
#define CHECK_STR(got, want) \
  check_text((got), (want), __FILE__, __LINE__, #got " reads " #want)
#define RUN(name)       \
  do {                  \
    check_begin(#name); \
    name();             \
  } while (0)

#endif
