/* SPDX-License-Identifier: Apache-2.0
 * Capped, jittered exponential back-off. */
#ifndef KVS_CORE_RETRY_H
#define KVS_CORE_RETRY_H

#include "core/base.h"

#define KVS_RETRY_FIRST (100 * KVS_TICKS_PER_MS)
#define KVS_RETRY_CAP (10 * KVS_TICKS_PER_SECOND)
/* Tries after which a failure that goes on is told to the application, and
 * again after each further as many. */
#define KVS_RETRY_REPORT 5u

typedef struct kvs_retry {
  uint32_t attempts; /* failures in a row */
} kvs_retry;

/* Counts one more failure and returns how long to wait before the next try,
 * ticks: half to the whole of 100 ms * 2^n, at most 10 s, by |random|. */
uint64_t kvs_retry_failed(kvs_retry *retry, uint32_t random);

/* Whether the failure just counted is one to report. */
bool kvs_retry_reports(const kvs_retry *retry);

void kvs_retry_succeeded(kvs_retry *retry);

#endif
