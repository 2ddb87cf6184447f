#include "core/bytes.h"

#include "check.h"

static void numbers_at_any_alignment(void) {
  uint8_t room[16];

  for (size_t at = 0; at < 8; at++) {
    memset(room, 0xEE, sizeof room);
    kvs_put_be16(room + at, 0x0102);
    CHECK_BYTES(room + at, "\x01\x02\xEE", 3);
    CHECK_EQ(kvs_get_be16(room + at), 0x0102);
    kvs_put_be32(room + at, 0xF1020304);
    CHECK_BYTES(room + at, "\xF1\x02\x03\x04\xEE", 5);
    CHECK_EQ(kvs_get_be32(room + at), 0xF1020304);
    memset(room, 0xEE, sizeof room);
    kvs_put_be64(room + at, UINT64_C(0xF102030405060708));
    CHECK_BYTES(room + at, "\xF1\x02\x03\x04\x05\x06\x07\x08", 8);
    CHECK_EQ(kvs_get_be64(room + at), UINT64_C(0xF102030405060708));
    CHECK(at == 0 || room[at - 1] == 0xEE);
    CHECK(room[at + 8] == 0xEE || at + 8 >= sizeof room);
  }
}

static void extreme_numbers(void) {
  uint8_t room[8];

  kvs_put_be16(room, UINT16_MAX);
  CHECK_EQ(kvs_get_be16(room), UINT16_MAX);
  kvs_put_be32(room, UINT32_MAX);
  CHECK_EQ(kvs_get_be32(room), UINT32_MAX);
  kvs_put_be64(room, UINT64_MAX);
  CHECK_EQ(kvs_get_be64(room), UINT64_MAX);
  kvs_put_be64(room, 0);
  CHECK_EQ(kvs_get_be64(room), 0);
}

static void bytes_of_text(void) {
  kvs_bytes bytes = kvs_bytes_of("abc");

  CHECK_EQ(bytes.len, 3);
  CHECK_BYTES(bytes.ptr, "abc", 3);
  CHECK_EQ(kvs_bytes_of("").len, 0);
  CHECK_EQ(kvs_bytes_of(NULL).len, 0);
}

static void counting_sink_counts(void) {
  kvs_sink sink = kvs_counting_sink();

  CHECK_EQ(sink.written, 0);
  kvs_sink_write(&sink, (const uint8_t *)"abc", 3);
  kvs_sink_write(&sink, NULL, 0);
  kvs_sink_write(&sink, (const uint8_t *)"de", 2);
  CHECK_EQ(sink.written, 5);
}

static void buffer_sink_writes_in_order(void) {
  uint8_t room[6] = {0, 0, 0, 0, 0, 0xEE};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, 5);

  kvs_sink_write(&buffer.sink, (const uint8_t *)"abc", 3);
  kvs_sink_write(&buffer.sink, (const uint8_t *)"de", 2);
  CHECK_EQ(buffer.sink.written, 5);
  CHECK_BYTES(room, "abcde\xEE", 6);
}

static void buffer_sink_counts_what_does_not_fit(void) {
  uint8_t room[6] = {1, 1, 1, 1, 1, 0xEE};
  kvs_buffer_sink buffer = kvs_make_buffer_sink(room, 5);

  kvs_sink_write(&buffer.sink, (const uint8_t *)"abc", 3);
  kvs_sink_write(&buffer.sink, (const uint8_t *)"xyz", 3);
  CHECK_EQ(buffer.sink.written, 6);
  CHECK_BYTES(room, "abc\x01\x01\xEE", 6);
  kvs_sink_write(&buffer.sink, (const uint8_t *)"q", 1);
  CHECK_EQ(buffer.sink.written, 7);
  CHECK_BYTES(room, "abc\x01\x01\xEE", 6);
}

/* Each single bit of the words changes the sum, and so does their order. */
static void checksum_sees_each_bit(void) {
  const uint64_t words[3] = {UINT64_C(0x0123456789ABCDEF), 0, UINT64_MAX};
  uint32_t sum = kvs_check32(words[0], words[1], words[2]);

  CHECK_EQ(kvs_check32(words[0], words[1], words[2]), sum);
  for (uint32_t bit = 0; bit < 64; bit++) {
    uint64_t flip = UINT64_C(1) << bit;

    CHECK(kvs_check32(words[0] ^ flip, words[1], words[2]) != sum);
    CHECK(kvs_check32(words[0], words[1] ^ flip, words[2]) != sum);
    CHECK(kvs_check32(words[0], words[1], words[2] ^ flip) != sum);
  }
  CHECK(kvs_check32(words[1], words[0], words[2]) != sum);
  CHECK(kvs_check32(words[0], words[2], words[1]) != sum);
}

static void bounded_arithmetic(void) {
  CHECK_EQ(kvs_min_u64(1, 2), 1);
  CHECK_EQ(kvs_min_u64(2, 1), 1);
  CHECK_EQ(kvs_max_u64(1, 2), 2);
  CHECK_EQ(kvs_max_u64(2, 1), 2);
  CHECK_EQ(kvs_sub_u64(5, 3), 2);
  CHECK_EQ(kvs_sub_u64(3, 5), 0);
  CHECK_EQ(kvs_add_u64(UINT64_MAX - 1, 1), UINT64_MAX);
  CHECK_EQ(kvs_add_u64(UINT64_MAX - 1, 2), KVS_NEVER);
  CHECK_EQ(kvs_add_u64(7, 8), 15);
}

int main(void) {
  RUN(numbers_at_any_alignment);
  RUN(extreme_numbers);
  RUN(bytes_of_text);
  RUN(counting_sink_counts);
  RUN(buffer_sink_writes_in_order);
  RUN(buffer_sink_counts_what_does_not_fit);
  RUN(checksum_sees_each_bit);
  RUN(bounded_arithmetic);
  return check_report();
}
