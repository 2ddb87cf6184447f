/* SPDX-License-Identifier: Apache-2.0
 * Generated from package.json by tools/generate.mjs. */
#ifndef KVS_VERSION_H
#define KVS_VERSION_H

/* Version of the package that this header came with. */
#define KVS_VERSION "0.1.0"

#endif
