/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KVS_CORE_CLIENT_H
#define KVS_CORE_CLIENT_H

#include "core/stream.h"

struct kvs_client {
  kvs_host host; /* what the streams share */
  kvs_machine machine;
  uint64_t created_at;  /* mono */
  uint64_t token_until; /* mono: get a new token from here on */
  uint64_t storage_size;
};

#endif
