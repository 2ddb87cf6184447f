/* SPDX-License-Identifier: Apache-2.0
 * What every module of the core may use: propagation, asserts, poisoning. */
#ifndef KVS_CORE_BASE_H
#define KVS_CORE_BASE_H

#include <kvs/kvs.h>

/* Propagates a failure. Nothing is held where it stands. */
#define KVS_TRY(call)                \
  do {                               \
    kvs_status try_status_ = (call); \
    if (try_status_ != KVS_OK) {     \
      return try_status_;            \
    }                                \
  } while (0)

/* States what is known; checked in Debug builds only, never has an effect. A
 * failed assert traps, since the core may print nothing. */
#if defined(KVS_DEBUG)
#define KVS_ASSERT(what) \
  do {                   \
    if (!(what)) {       \
      __builtin_trap();  \
    }                    \
  } while (0)
#else
#define KVS_ASSERT(what) ((void)0)
#endif

/* Tells AddressSanitizer which bytes inside the arena are nobody's. */
#if defined(__SANITIZE_ADDRESS__)
#define KVS_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KVS_HAS_ASAN 1
#endif
#endif
#if defined(KVS_HAS_ASAN)
void __asan_poison_memory_region(void const volatile *addr, size_t size);
void __asan_unpoison_memory_region(void const volatile *addr, size_t size);
#define KVS_POISON(ptr, len) __asan_poison_memory_region((ptr), (len))
#define KVS_UNPOISON(ptr, len) __asan_unpoison_memory_region((ptr), (len))
#else
#define KVS_POISON(ptr, len) ((void)(ptr), (void)(len))
#define KVS_UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

/* Tells the compiler which way nearly every call goes. Otherwise it guesses
 * that each test of a sequence fails every other time, and makes what comes
 * behind many of them small instead of fast (a division where a product would
 * do). */
#if defined(__GNUC__)
#define KVS_USUALLY(what) (__builtin_expect((what), 1) != 0)
#else
#define KVS_USUALLY(what) (what)
#endif

static inline uint64_t kvs_min_u64(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static inline uint64_t kvs_max_u64(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* The number of zero bits below the lowest one; |mask| is not 0. */
static inline uint32_t kvs_lowest_bit(uint64_t mask) {
#if defined(__GNUC__)
  return (uint32_t)__builtin_ctzll(mask);
#else
  uint32_t count = 0;

  while ((mask >> count & 1) == 0) {
    count++;
  }
  return count;
#endif
}

/* a - b, or 0 when b is the larger. */
static inline uint64_t kvs_sub_u64(uint64_t a, uint64_t b) {
  return a > b ? a - b : 0;
}

/* a + b, or KVS_NEVER when that does not fit. */
static inline uint64_t kvs_add_u64(uint64_t a, uint64_t b) {
  return b <= UINT64_MAX - a ? a + b : UINT64_MAX;
}

#endif
