/* SPDX-License-Identifier: Apache-2.0
 * What the store costs and how much of it is usable. */
#ifndef KVS_BENCH_STORE_H
#define KVS_BENCH_STORE_H

/* A block taken and the oldest given back, at half of 64 MiB live. */
void bench_pair(void);

/* Of a 64 MiB arena, everything in it included, the share that is payload
 * whenever a frame is refused. */
void bench_usable(void);

/* Bytes of book-keeping a frame, bytes of a stream that holds nothing. */
void bench_sizes(void);

#endif
