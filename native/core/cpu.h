/* SPDX-License-Identifier: Apache-2.0
 * What this processor can do. */
#ifndef KVS_CORE_CPU_H
#define KVS_CORE_CPU_H

#include "core/base.h"

#if defined(__x86_64__) || defined(_M_X64)
#define KVS_CPU_X86_64 1
#else
#define KVS_CPU_X86_64 0
#endif

/* Whether AVX2 may be used: the processor has it and the system keeps its
 * registers. False on every other architecture. */
bool kvs_cpu_has_avx2(void);

#endif
