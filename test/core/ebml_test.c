#include "core/ebml.h"

#include "check.h"

/* Writes with the statement and compares with the bytes. */
#define WRITES(statement, text)                                       \
  do {                                                                \
    uint8_t room[64];                                                 \
    kvs_buffer_sink buffer = kvs_make_buffer_sink(room, sizeof room); \
    kvs_sink *sink = &buffer.sink;                                    \
    statement;                                                        \
    CHECK_EQ(buffer.sink.written, sizeof(text) - 1);                  \
    CHECK_BYTES(room, text, sizeof(text) - 1);                        \
  } while (0)

static void id_lengths(void) {
  CHECK_EQ(kvs_ebml_id_len(0xA3), 1);
  CHECK_EQ(kvs_ebml_id_len(0x4286), 2);
  CHECK_EQ(kvs_ebml_id_len(0x2AD7B1), 3);
  CHECK_EQ(kvs_ebml_id_len(0x1A45DFA3), 4);
}

/* All ones mean "unknown", so that the largest size of a width is one less. */
static void size_lengths(void) {
  CHECK_EQ(kvs_ebml_size_len(0), 1);
  for (uint32_t width = 1; width < 8; width++) {
    uint64_t ones = (UINT64_C(1) << (7 * width)) - 1;
    CHECK_EQ(kvs_ebml_size_len(ones - 1), width);
    CHECK_EQ(kvs_ebml_size_len(ones), width + 1);
  }
  CHECK_EQ(kvs_ebml_size_len((UINT64_C(1) << 56) - 2), 8);
}

/* What put_size wrote, read back by the rule of the format. */
static uint64_t read_size(const uint8_t *at, uint32_t *width) {
  uint32_t len = 1;

  while ((at[0] & (0x80u >> (len - 1))) == 0) {
    len++;
  }
  uint64_t value = at[0] & (0xFFu >> len);
  for (uint32_t i = 1; i < len; i++) {
    value = (value << 8) | at[i];
  }
  *width = len;
  return value;
}

static void sizes_in_every_width(void) {
  uint64_t seed = 1;

  for (uint32_t i = 0; i < 20000; i++) {
    uint32_t shift = 8 + (uint32_t)(check_random(&seed) % 56);
    uint64_t size =
        kvs_min_u64(check_random(&seed) >> shift, (UINT64_C(1) << 56) - 2);
    for (uint32_t width = kvs_ebml_size_len(size); width <= 8; width++) {
      uint8_t room[9] = {0, 0, 0, 0, 0, 0, 0, 0, 0};
      uint32_t got = 0;
      room[width] = 0xEE;
      kvs_ebml_put_size(room, size, width);
      if (!CHECK_EQ(read_size(room, &got), size) || !CHECK_EQ(got, width) ||
          !CHECK_EQ(room[width], 0xEE)) {
        return;
      }
    }
  }
}

static void headers(void) {
  WRITES(kvs_ebml_header(sink, 0xA3, 5, 0), "\xA3\x85");
  WRITES(kvs_ebml_header(sink, 0x4286, 0, 0), "\x42\x86\x80");
  WRITES(kvs_ebml_header(sink, 0xA3, 127, 0), "\xA3\x40\x7F");
  WRITES(kvs_ebml_header(sink, 0xAE, 5, 4), "\xAE\x10\x00\x00\x05");
  WRITES(kvs_ebml_header(sink, 0x1A45DFA3, 5, 8),
         "\x1A\x45\xDF\xA3\x01\x00\x00\x00\x00\x00\x00\x05");
  WRITES(kvs_ebml_unknown(sink, 0x18538067), "\x18\x53\x80\x67\xFF");
  WRITES(kvs_ebml_unknown(sink, 0xA3), "\xA3\xFF");
}

static void unsigned_numbers(void) {
  WRITES(kvs_ebml_uint(sink, 0xD7, 0, 0), "\xD7\x81\x00");
  WRITES(kvs_ebml_uint(sink, 0xD7, 255, 0), "\xD7\x81\xFF");
  WRITES(kvs_ebml_uint(sink, 0xD7, 256, 0), "\xD7\x82\x01\x00");
  WRITES(kvs_ebml_uint(sink, 0xD7, 1, 4), "\xD7\x84\x00\x00\x00\x01");
  WRITES(kvs_ebml_uint(sink, 0x73C5, UINT64_MAX, 0),
         "\x73\xC5\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  WRITES(kvs_ebml_uint(sink, 0x2AD7B1, 1000000, 8),
         "\x2A\xD7\xB1\x88\x00\x00\x00\x00\x00\x0F\x42\x40");
}

static void other_elements(void) {
  WRITES(kvs_ebml_float(sink, 0xB5, 48000.0),
         "\xB5\x88\x40\xE7\x70\x00\x00\x00\x00\x00");
  WRITES(kvs_ebml_float(sink, 0xB5, -1.5),
         "\xB5\x88\xBF\xF8\x00\x00\x00\x00\x00\x00");
  WRITES(kvs_ebml_bytes(sink, 0x63A2, (const uint8_t *)"\x01\x02", 2),
         "\x63\xA2\x82\x01\x02");
  WRITES(kvs_ebml_bytes(sink, 0x63A2, NULL, 0), "\x63\xA2\x80");
  WRITES(kvs_ebml_string(sink, 0x86, "V_VP8"), "\x86\x85V_VP8");
  WRITES(kvs_ebml_string(sink, 0x86, ""), "\x86\x80");
  WRITES(kvs_ebml_string(sink, 0x86, NULL), "\x86\x80");
}

static void element_lengths(void) {
  static const uint64_t lens[] = {0, 1, 126, 127, 16382, 16383, 70000};

  for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
    static const uint8_t zeros[70000];
    kvs_sink sink = kvs_counting_sink();
    kvs_ebml_bytes(&sink, 0x63A2, zeros, (size_t)lens[i]);
    CHECK_EQ(kvs_ebml_element_len(0x63A2, lens[i]), sink.written);
  }
  CHECK_EQ(kvs_ebml_element_len(0xA3, UINT32_MAX), UINT64_C(0xFFFFFFFF) + 6);
}

int main(void) {
  RUN(id_lengths);
  RUN(size_lengths);
  RUN(sizes_in_every_width);
  RUN(headers);
  RUN(unsigned_numbers);
  RUN(other_elements);
  RUN(element_lengths);
  return check_report();
}
