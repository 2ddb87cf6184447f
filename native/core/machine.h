/* SPDX-License-Identifier: Apache-2.0
 * A state machine driven by a table, whose states make service calls: one at
 * a time, each with a number, a due time and a time-out. It decides nothing;
 * its owner chooses the next state and the table says whether it may. */
#ifndef KVS_CORE_MACHINE_H
#define KVS_CORE_MACHINE_H

#include "core/retry.h"

/* What the host may take for a call, and how much longer the core waits. */
#define KVS_CALL_TIMEOUT (10 * KVS_TICKS_PER_SECOND)
#define KVS_CALL_SLACK (5 * KVS_TICKS_PER_SECOND)

/* A state that makes no call. */
#define KVS_NO_CALL UINT32_MAX

typedef struct kvs_state_row {
  uint32_t state;    /* one bit */
  uint32_t accepts;  /* states it may be entered from; itself: a retry */
  uint32_t call;     /* KVS_EVENT_* of its service call, or KVS_NO_CALL */
  kvs_status failed; /* what is reported when its call goes on failing */
} kvs_state_row;

typedef struct kvs_machine {
  const kvs_state_row *rows; /* [lent] static */
  uint32_t row_count;
  uint32_t state;
  kvs_retry retry;     /* of the present call */
  uint64_t retries;    /* calls made again, ever */
  uint64_t calls;      /* number of the last call made */
  bool calling;        /* a call is open */
  uint64_t due;        /* mono: when the call is to be made; KVS_NEVER */
  uint64_t call_until; /* mono: when the open call counts as timed out */
} kvs_machine;

void kvs_machine_init(kvs_machine *machine, const kvs_state_row *rows,
                      uint32_t row_count, uint32_t state);

/* Enters |state| from the present one; its call is due |delay| after |mono|.
 * Any open call is overtaken. INVALID_STREAM_STATE: the table forbids it. */
KVS_MUST_CHECK kvs_status kvs_machine_enter(kvs_machine *machine,
                                            uint32_t state, uint64_t mono,
                                            uint64_t delay);

/* The row of the present state. */
const kvs_state_row *kvs_machine_row(const kvs_machine *machine);

/* Whether the present state's call is to be made now; if so it is open from
 * now on and |call| [filled] is its number. */
bool kvs_machine_begin_call(kvs_machine *machine, uint64_t mono,
                            uint64_t *call);

/* How long the open call has waited for its answer. */
uint64_t kvs_machine_waited(const kvs_machine *machine, uint64_t mono);

/* Closes the open call. False: it is not |call|. */
bool kvs_machine_end_call(kvs_machine *machine, uint64_t call);

/* Whether the open call has timed out. */
bool kvs_machine_timed_out(const kvs_machine *machine, uint64_t mono);

/* When it next wants attention, or KVS_NEVER. */
uint64_t kvs_machine_deadline(const kvs_machine *machine);

#endif
