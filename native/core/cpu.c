/* SPDX-License-Identifier: Apache-2.0
 * Asks the processor itself: the compiler's own helper would pull a global
 * table and its constructor into every program that links the core. */
#include "core/cpu.h"

#if KVS_CPU_X86_64

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>

static void cpuid(uint32_t leaf, uint32_t out[4]) {
  int regs[4];

  __cpuidex(regs, (int)leaf, 0);
  for (size_t i = 0; i < 4; i++) {
    out[i] = (uint32_t)regs[i];
  }
}

static uint64_t enabled_state(void) {
  return _xgetbv(0);
}
#else
#include <cpuid.h>

static void cpuid(uint32_t leaf, uint32_t out[4]) {
  __cpuid_count(leaf, 0, out[0], out[1], out[2], out[3]);
}

static uint64_t enabled_state(void) {
  uint32_t low = 0;
  uint32_t high = 0;

  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}
#endif

enum {
  LEAF1_ECX_OSXSAVE = 1 << 27, /* xgetbv may be used */
  LEAF7_EBX_AVX2 = 1 << 5,
  STATE_XMM_YMM = 0x6 /* the system saves both */
};

bool kvs_cpu_has_avx2(void) {
  uint32_t regs[4] = {0, 0, 0, 0}; /* eax, ebx, ecx, edx */

  cpuid(0, regs);
  if (regs[0] < 7) {
    return false;
  }
  cpuid(1, regs);
  if ((regs[2] & (uint32_t)LEAF1_ECX_OSXSAVE) == 0 ||
      (enabled_state() & STATE_XMM_YMM) != STATE_XMM_YMM) {
    return false;
  }
  cpuid(7, regs);
  return (regs[1] & (uint32_t)LEAF7_EBX_AVX2) != 0;
}

#else

bool kvs_cpu_has_avx2(void) {
  return false;
}

#endif
