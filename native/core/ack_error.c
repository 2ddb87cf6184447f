/* SPDX-License-Identifier: Apache-2.0
 * The ids of Error acks: their status, and what happens next. */
#include "core/ack.h"

typedef struct error_row {
  uint32_t id;
  kvs_status status;
  kvs_ack_remedy remedy;
} error_row;

/* The rule: media are given up only where the same bytes would be refused
 * again; whatever may pass by itself, or when the owner of the stream mends
 * something, is sent again. */
static const error_row ERRORS[] = {
    /* The service could not read the body: a matter of this connection. */
    {4000, KVS_STATUS_ACK_ERR_STREAM_READ_ERROR, KVS_REMEDY_RESEND},
    /* A fragment's size and duration are what was put: they do not change. */
    {4001, KVS_STATUS_ACK_ERR_FRAGMENT_SIZE_REACHED, KVS_REMEDY_SKIP_FRAGMENT},
    {4002, KVS_STATUS_ACK_ERR_FRAGMENT_DURATION_REACHED,
     KVS_REMEDY_SKIP_FRAGMENT},
    /* A new session begins its own 45 minutes. */
    {4003, KVS_STATUS_ACK_ERR_CONNECTION_DURATION_REACHED, KVS_REMEDY_RESEND},
    /* Time codes are part of the fragment: older than what is stored, for
     * ever. */
    {4004, KVS_STATUS_ACK_ERR_FRAGMENT_TIMECODE_NOT_MONOTONIC,
     KVS_REMEDY_SKIP_FRAGMENT},
    /* The tracks stand in the header that goes with the fragment. */
    {4005, KVS_STATUS_ACK_ERR_MULTI_TRACK_MKV, KVS_REMEDY_SKIP_FRAGMENT},
    /* The same bytes are made from it each time. */
    {4006, KVS_STATUS_ACK_ERR_INVALID_MKV_DATA, KVS_REMEDY_SKIP_FRAGMENT},
    /* Every session repeats the producer time of the fragment. */
    {4007, KVS_STATUS_ACK_ERR_INVALID_PRODUCER_TIMESTAMP,
     KVS_REMEDY_SKIP_FRAGMENT},
    /* Deleted or not active yet: DescribeStream tells which, and the stream is
     * made anew where that is allowed. */
    {4008, KVS_STATUS_ACK_ERR_STREAM_NOT_ACTIVE, KVS_REMEDY_DESCRIBE},
    /* The tags are stored with the fragment. */
    {4009, KVS_STATUS_ACK_ERR_FRAGMENT_METADATA_LIMIT_REACHED,
     KVS_REMEDY_SKIP_FRAGMENT},
    /* Blocks and header disagree on the tracks; both go with the fragment. */
    {4010, KVS_STATUS_ACK_ERR_TRACK_NUMBER_MISMATCH, KVS_REMEDY_SKIP_FRAGMENT},
    {4011, KVS_STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK,
     KVS_REMEDY_SKIP_FRAGMENT},
    {4012, KVS_STATUS_ACK_ERR_MORE_THAN_ALLOWED_TRACKS_FOUND,
     KVS_REMEDY_SKIP_FRAGMENT},
    /* The key is the stream owner's to mend; the media are good. */
    {4500, KVS_STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED, KVS_REMEDY_DESCRIBE},
    {4501, KVS_STATUS_ACK_ERR_KMS_KEY_DISABLED, KVS_REMEDY_DESCRIBE},
    {4502, KVS_STATUS_ACK_ERR_KMS_KEY_VALIDATION_ERROR, KVS_REMEDY_DESCRIBE},
    {4503, KVS_STATUS_ACK_ERR_KMS_KEY_UNAVAILABLE, KVS_REMEDY_DESCRIBE},
    {4504, KVS_STATUS_ACK_ERR_KMS_KEY_INVALID_USAGE, KVS_REMEDY_DESCRIBE},
    {4505, KVS_STATUS_ACK_ERR_KMS_KEY_INVALID_STATE, KVS_REMEDY_DESCRIBE},
    {4506, KVS_STATUS_ACK_ERR_KMS_KEY_NOT_FOUND, KVS_REMEDY_DESCRIBE},
    /* As 4008: the next DescribeStream finds nothing and says so. */
    {4507, KVS_STATUS_ACK_ERR_STREAM_DELETED, KVS_REMEDY_DESCRIBE},
    /* The service's own trouble, which passes. */
    {5000, KVS_STATUS_ACK_ERR_ACK_INTERNAL_ERROR, KVS_REMEDY_RESEND},
    {5001, KVS_STATUS_ACK_ERR_FRAGMENT_ARCHIVAL_ERROR, KVS_REMEDY_RESEND},
};

static const error_row *find_error(uint32_t error_id) {
  for (uint32_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
    if (ERRORS[i].id == error_id) {
      return &ERRORS[i];
    }
  }
  return NULL;
}

kvs_status kvs_ack_error_status(uint32_t error_id) {
  const error_row *row = find_error(error_id);

  return row == NULL ? KVS_STATUS_ACK_ERR_UNKNOWN_ACK_ERROR : row->status;
}

kvs_ack_remedy kvs_ack_error_remedy(uint32_t error_id) {
  const error_row *row = find_error(error_id);

  return row == NULL ? KVS_REMEDY_RESEND : row->remedy;
}
