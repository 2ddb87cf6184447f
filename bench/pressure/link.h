/* SPDX-License-Identifier: Apache-2.0
 * A slow link between real processes: it forwards connections to a port of
 * this machine and lets |rate| bytes a second pass on the way there, all
 * connections together. */
#ifndef KVS_BENCH_LINK_H
#define KVS_BENCH_LINK_H

#include <stdint.h>

/* Prints its port, then ten times a second how many bytes it passed and how
 * many connections it has taken, until standard input ends. The exit code. */
int link_run(uint16_t port, double rate);

#endif
