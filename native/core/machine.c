/* SPDX-License-Identifier: Apache-2.0
 * Invariant: at most one of |due| and |call_until| is set; |calling| tells
 * which. Call numbers only grow, so that a late answer is never mistaken for
 * the answer to a newer call. */
#include "core/machine.h"

void kvs_machine_init(kvs_machine *machine, const kvs_state_row *rows,
                      uint32_t row_count, uint32_t state) {
  kvs_machine fresh = {0};

  fresh.rows = rows;
  fresh.row_count = row_count;
  fresh.state = state;
  fresh.due = KVS_NEVER;
  fresh.call_until = KVS_NEVER;
  *machine = fresh;
}

static const kvs_state_row *find_row(const kvs_machine *machine,
                                     uint32_t state) {
  for (uint32_t i = 0; i < machine->row_count; i++) {
    if (machine->rows[i].state == state) {
      return &machine->rows[i];
    }
  }
  return NULL;
}

const kvs_state_row *kvs_machine_row(const kvs_machine *machine) {
  return find_row(machine, machine->state);
}

kvs_status kvs_machine_enter(kvs_machine *machine, uint32_t state,
                             uint64_t mono, uint64_t delay) {
  const kvs_state_row *row = find_row(machine, state);

  if (row == NULL) {
    return KVS_STATUS_STATE_MACHINE_STATE_NOT_FOUND;
  }
  if ((row->accepts & machine->state) == 0) {
    return KVS_STATUS_INVALID_STREAM_STATE;
  }
  if (state == machine->state) {
    machine->retries++;
  }
  machine->state = state;
  machine->calling = false;
  machine->call_until = KVS_NEVER;
  machine->due =
      row->call == KVS_NO_CALL ? KVS_NEVER : kvs_add_u64(mono, delay);
  return KVS_OK;
}

bool kvs_machine_begin_call(kvs_machine *machine, uint64_t mono,
                            uint64_t *call) {
  if (machine->calling || machine->due > mono) {
    return false;
  }
  machine->calling = true;
  machine->due = KVS_NEVER;
  machine->call_until = kvs_add_u64(mono, KVS_CALL_TIMEOUT + KVS_CALL_SLACK);
  machine->calls++;
  *call = machine->calls;
  return true;
}

uint64_t kvs_machine_waited(const kvs_machine *machine, uint64_t mono) {
  return kvs_sub_u64(kvs_add_u64(mono, KVS_CALL_TIMEOUT + KVS_CALL_SLACK),
                     machine->call_until);
}

bool kvs_machine_end_call(kvs_machine *machine, uint64_t call) {
  if (!machine->calling || machine->calls != call) {
    return false;
  }
  machine->calling = false;
  machine->call_until = KVS_NEVER;
  return true;
}

bool kvs_machine_timed_out(const kvs_machine *machine, uint64_t mono) {
  return machine->calling && machine->call_until <= mono;
}

uint64_t kvs_machine_deadline(const kvs_machine *machine) {
  return kvs_min_u64(machine->due, machine->call_until);
}
