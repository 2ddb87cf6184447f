/* SPDX-License-Identifier: Apache-2.0
 * The delay doubles from 100 ms to 10 s. Half of it is random, so that devices
 * that lost the same service do not come back in step, and half is not, so
 * that a dead service is never hammered. */
#include "core/retry.h"

uint64_t kvs_retry_failed(kvs_retry *retry, uint32_t random) {
  uint32_t doublings = retry->attempts < 16 ? retry->attempts : 16;
  uint64_t delay = kvs_min_u64(KVS_RETRY_FIRST << doublings, KVS_RETRY_CAP);
  uint64_t half = delay / 2;

  if (retry->attempts < UINT32_MAX) {
    retry->attempts++;
  }
  return half + (half * random >> 32);
}

bool kvs_retry_reports(const kvs_retry *retry) {
  return retry->attempts != 0 && retry->attempts % KVS_RETRY_REPORT == 0;
}

void kvs_retry_succeeded(kvs_retry *retry) {
  retry->attempts = 0;
}
