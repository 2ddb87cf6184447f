#include <string.h>

#include "check.h"
#include "core/base.h"

typedef struct row {
  const char *name;
  kvs_status code;
  const char *library;
} row;

static const row ROWS[] = {
#define KVS_STATUS(name, code, library, in_guide) \
  {"STATUS_" #name, code, #library},
#include <kvs/status.def>
#undef KVS_STATUS
};

enum { COUNT = sizeof ROWS / sizeof ROWS[0] };

static void every_status_has_its_name(void) {
  for (size_t i = 0; i < COUNT; i++) {
    CHECK_STR(kvs_status_name(ROWS[i].code), ROWS[i].name);
  }
}

static void success_and_unknown(void) {
  CHECK_STR(kvs_status_name(KVS_OK), "STATUS_SUCCESS");
  CHECK_STR(kvs_status_name(KVS_STATUS_SUCCESS), "STATUS_SUCCESS");
  CHECK_STR(kvs_status_name(0x51000000), "STATUS_UNKNOWN");
  CHECK_STR(kvs_status_name(UINT32_MAX), "STATUS_UNKNOWN");
}

static void names_and_codes_stand_once(void) {
  for (size_t i = 0; i < COUNT; i++) {
    for (size_t j = i + 1; j < COUNT; j++) {
      CHECK(ROWS[i].code != ROWS[j].code);
      CHECK(strcmp(ROWS[i].name, ROWS[j].name) != 0);
    }
  }
}

/* A few that users look for, against the guide's own numbers. */
static void known_numbers(void) {
  CHECK_EQ(KVS_STATUS_STORE_OUT_OF_MEMORY, 0x5200002e);
  CHECK_EQ(KVS_STATUS_ACK_ERR_STREAM_DELETED, 0x5200006c);
  CHECK_EQ(KVS_STATUS_INVALID_ACK_SEGMENT_LEN, 0x52000071);
  CHECK_EQ(KVS_STATUS_HEAP_CORRUPTED, 0x01000003);
  CHECK_EQ(KVS_STATUS_MKV_LARGE_FRAME_TIMECODE, 0x3200000c);
}

int main(void) {
  RUN(every_status_has_its_name);
  RUN(success_and_unknown);
  RUN(names_and_codes_stand_once);
  RUN(known_numbers);
  return check_report();
}
