/* The machine by its table, and the back-off. */
#include "core/machine.h"
#include "check.h"

enum { A = 1, B = 2, C = 4 };

static const kvs_state_row rows[] = {
    {A, C, KVS_NO_CALL, KVS_OK},
    {B, A | B, 7, KVS_STATUS_INVALID_ARG},
    {C, B, KVS_NO_CALL, KVS_OK},
};

static void states_are_entered_by_the_table_alone(void) {
  kvs_machine machine;

  kvs_machine_init(&machine, rows, 3, A);
  CHECK_EQ(kvs_machine_deadline(&machine), KVS_NEVER);
  CHECK_EQ(kvs_machine_enter(&machine, 8, 0, 0),
           KVS_STATUS_STATE_MACHINE_STATE_NOT_FOUND);
  CHECK_EQ(kvs_machine_enter(&machine, C, 0, 0),
           KVS_STATUS_INVALID_STREAM_STATE);
  CHECK_EQ(kvs_machine_enter(&machine, A, 0, 0),
           KVS_STATUS_INVALID_STREAM_STATE);
  CHECK_EQ(machine.state, A);
  CHECK_EQ(kvs_machine_enter(&machine, B, 100, 50), KVS_OK);
  CHECK_EQ(machine.retries, 0);
  CHECK_EQ(kvs_machine_enter(&machine, B, 100, 60), KVS_OK);
  CHECK_EQ(machine.retries, 1);
  CHECK_EQ(kvs_machine_row(&machine)->call, 7);
  machine.state = 8; /* never by its own doing */
  CHECK(kvs_machine_row(&machine) == NULL);
}

static void a_call_is_open_once(void) {
  kvs_machine machine;
  uint64_t call = 0;

  kvs_machine_init(&machine, rows, 3, A);
  CHECK(!kvs_machine_begin_call(&machine, 1000, &call));
  CHECK_EQ(kvs_machine_enter(&machine, B, 100, 50), KVS_OK);
  CHECK_EQ(kvs_machine_deadline(&machine), 150);
  CHECK(!kvs_machine_begin_call(&machine, 149, &call));
  CHECK(kvs_machine_begin_call(&machine, 150, &call));
  CHECK_EQ(call, 1);
  CHECK(!kvs_machine_begin_call(&machine, 151, &call));
  CHECK_EQ(kvs_machine_deadline(&machine),
           150 + KVS_CALL_TIMEOUT + KVS_CALL_SLACK);
  CHECK(!kvs_machine_timed_out(&machine,
                               149 + KVS_CALL_TIMEOUT + KVS_CALL_SLACK));
  CHECK(
      kvs_machine_timed_out(&machine, 150 + KVS_CALL_TIMEOUT + KVS_CALL_SLACK));
  CHECK(!kvs_machine_end_call(&machine, 2));
  CHECK(kvs_machine_end_call(&machine, 1));
  CHECK(!kvs_machine_end_call(&machine, 1));
  CHECK(!kvs_machine_timed_out(&machine, KVS_NEVER));
  /* A new state overtakes an open call. */
  CHECK_EQ(kvs_machine_enter(&machine, B, 200, 0), KVS_OK);
  CHECK(kvs_machine_begin_call(&machine, 200, &call));
  CHECK_EQ(kvs_machine_enter(&machine, C, 200, 0), KVS_OK);
  CHECK(!kvs_machine_end_call(&machine, call));
  CHECK_EQ(kvs_machine_deadline(&machine), KVS_NEVER);
}

static void delays_double_to_the_cap_and_never_vanish(void) {
  kvs_retry low = {0};
  kvs_retry high = {0};
  uint64_t delay = KVS_RETRY_FIRST;

  CHECK(!kvs_retry_reports(&low));
  for (uint32_t i = 1; i <= 40; i++) {
    CHECK_EQ(kvs_retry_failed(&low, 0), delay / 2);
    CHECK_EQ(kvs_retry_failed(&high, UINT32_MAX), delay - 1);
    CHECK_EQ(kvs_retry_reports(&low), i % KVS_RETRY_REPORT == 0);
    delay = kvs_min_u64(delay * 2, KVS_RETRY_CAP);
  }
  kvs_retry_succeeded(&low);
  CHECK_EQ(kvs_retry_failed(&low, 0), KVS_RETRY_FIRST / 2);
  low.attempts = UINT32_MAX; /* after some centuries */
  CHECK_EQ(kvs_retry_failed(&low, 0), KVS_RETRY_CAP / 2);
  CHECK_EQ(low.attempts, UINT32_MAX);
}

int main(void) {
  RUN(states_are_entered_by_the_table_alone);
  RUN(a_call_is_open_once);
  RUN(delays_double_to_the_cap_and_never_vanish);
  return check_report();
}
