/* SPDX-License-Identifier: Apache-2.0
 * Names of the statuses, from the one table. */
#include "core/base.h"

const char *kvs_status_name(kvs_status status) {
  switch (status) {
    case KVS_OK:
      return "STATUS_SUCCESS";
#define KVS_STATUS(name, code, library, in_guide) \
  case code:                                      \
    return "STATUS_" #name;
#include <kvs/status.def>
#undef KVS_STATUS
    default:
      return "STATUS_UNKNOWN";
  }
}
