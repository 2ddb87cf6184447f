/* What single acks read as, and every way in which one can be wrong. */
#include "core/ack.h"

#include <stdio.h>

#include "check.h"

static kvs_ack_parser parser;
static kvs_ack ack;
static size_t used;
static bool complete;

static kvs_status feed(const char *text) {
  memset(&ack, 0x5A, sizeof ack);
  return kvs_ack_parse(&parser, (const uint8_t *)text, strlen(text), &used,
                       &complete, &ack);
}

static kvs_status parse(const char *text) {
  kvs_ack_parser_init(&parser);
  return feed(text);
}

/* |text| is refused with |status|, and an ack behind it is read. */
static void refused(const char *text, kvs_status status) {
  size_t at = 0;
  size_t len = strlen(text);
  uint32_t errors = 0;

  kvs_ack_parser_init(&parser);
  while (at < len) {
    kvs_status got = kvs_ack_parse(&parser, (const uint8_t *)text + at,
                                   len - at, &used, &complete, &ack);
    CHECK(!complete);
    CHECK(used > 0 && used <= len - at);
    if (got != KVS_OK) {
      errors++;
      if (!CHECK_EQ(got, status)) {
        fprintf(stderr, "    %s\n", text);
      }
    }
    at += used;
  }
  if (!CHECK_EQ(errors, 1)) {
    fprintf(stderr, "    %s\n", text);
  }
  CHECK_EQ(feed("{\"EventType\":\"IDLE\"}"), KVS_OK);
  if (!CHECK(complete && ack.type == KVS_ACK_IDLE)) {
    fprintf(stderr, "    after %s\n", text);
  }
}

static bool number_is(const char *text) {
  return ack.number_len == strlen(text) &&
         memcmp(ack.number, text, ack.number_len) == 0;
}

/* ---- acks -------------------------------------------------------------- */

static void each_type(void) {
  static const char *const names[] = {"BUFFERING", "RECEIVED", "PERSISTED",
                                      "IDLE"};
  static const kvs_ack_type types[] = {KVS_ACK_BUFFERING, KVS_ACK_RECEIVED,
                                       KVS_ACK_PERSISTED, KVS_ACK_IDLE};

  for (size_t i = 0; i < 4; i++) {
    char text[200];
    snprintf(text, sizeof text,
             "{\"EventType\":\"%s\",\"FragmentTimecode\":1795408173486,"
             "\"FragmentNumber\":\"91343852333181432392682062622\"}",
             names[i]);
    CHECK_EQ(parse(text), KVS_OK);
    CHECK(complete);
    CHECK_EQ(used, strlen(text));
    CHECK_EQ(ack.type, types[i]);
    CHECK(ack.has_timecode);
    CHECK_EQ(ack.timecode, UINT64_C(1795408173486));
    CHECK_EQ(ack.error_id, 0);
    CHECK(number_is("91343852333181432392682062622"));
  }
}

static void an_error(void) {
  CHECK_EQ(parse("{\"EventType\":\"ERROR\",\"FragmentTimecode\":7,"
                 "\"FragmentNumber\":\"12\",\"ErrorId\":5000,"
                 "\"ErrorCode\":\"INTERNAL_ERROR\"}"),
           KVS_OK);
  CHECK(complete);
  CHECK_EQ(ack.type, KVS_ACK_ERROR);
  CHECK_EQ(ack.error_id, 5000);
  CHECK_EQ(ack.timecode, 7);
  CHECK(number_is("12"));
}

static void idle_has_nothing_else(void) {
  CHECK_EQ(parse("{\"EventType\":\"IDLE\"}"), KVS_OK);
  CHECK(complete && ack.type == KVS_ACK_IDLE);
  CHECK(!ack.has_timecode);
  CHECK_EQ(ack.number_len, 0);
}

static void numbers_or_strings(void) {
  CHECK_EQ(parse("{\"EventType\":\"ERROR\",\"FragmentTimecode\":\"12\","
                 "\"FragmentNumber\":34,\"ErrorId\":\"4004\"}"),
           KVS_OK);
  CHECK(complete && ack.has_timecode);
  CHECK_EQ(ack.timecode, 12);
  CHECK(number_is("34"));
  CHECK_EQ(ack.error_id, 4004);
  CHECK_EQ(parse("{\"FragmentTimecode\":18446744073709551615,"
                 "\"EventType\":\"RECEIVED\"}"),
           KVS_OK);
  CHECK_EQ(ack.timecode, UINT64_MAX);
  CHECK_EQ(parse("{\"FragmentTimecode\":0,\"EventType\":\"RECEIVED\"}"),
           KVS_OK);
  CHECK(ack.has_timecode && ack.timecode == 0);
}

static void null_and_empty_are_as_no_key(void) {
  CHECK_EQ(parse("{\"EventType\":\"IDLE\",\"FragmentTimecode\":null,"
                 "\"FragmentNumber\":null,\"ErrorId\":null}"),
           KVS_OK);
  CHECK(complete && !ack.has_timecode && ack.number_len == 0);
  CHECK_EQ(parse("{\"EventType\":\"IDLE\",\"FragmentTimecode\":\"\","
                 "\"FragmentNumber\":\"\",\"ErrorId\":\"\"}"),
           KVS_OK);
  CHECK(complete && !ack.has_timecode && ack.number_len == 0);
  refused("{\"EventType\":null}", KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  refused("{\"EventType\":\"\"}", KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  refused("{\"EventType\":\"ERROR\",\"ErrorId\":null}",
          KVS_STATUS_MISSING_ERR_ACK_ID);
}

static void other_keys_are_passed_over(void) {
  static const char *const values[] = {
      "1",
      "-1.5e+10",
      "true",
      "false",
      "null",
      "\"text\"",
      "\"\"",
      "{}",
      "[]",
      "{\"EventType\":\"ERROR\",\"x\":[1,{\"y\":\"}]\\\"\"}]}",
      "[[[[[[[[1]]]]]]]]",
      "\"\\u0041\\\\\"",
      "\"{[,:]}\""};
  char text[400];

  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    snprintf(text, sizeof text,
             "{\"a\":%s,\"EventType\":\"PERSISTED\",\"b\" : %s ,"
             "\"FragmentTimecode\":5,\"ErrorId\":9,\"b\":%s}",
             values[i], values[i], values[i]);
    if (!CHECK_EQ(parse(text), KVS_OK) || !CHECK(complete)) {
      fprintf(stderr, "    %s\n", text);
    }
    CHECK_EQ(ack.type, KVS_ACK_PERSISTED);
    CHECK_EQ(ack.timecode, 5);
    CHECK_EQ(ack.error_id, 0);
  }
}

static void white_space_anywhere(void) {
  CHECK_EQ(parse(" \r\n\t{ \"EventType\"\t:\r\n\"ERROR\" , \"ErrorId\" : "
                 "4001\n, \"FragmentTimecode\" : \"8\" }\r\n"),
           KVS_OK);
  CHECK(complete && ack.type == KVS_ACK_ERROR);
  CHECK_EQ(ack.error_id, 4001);
  CHECK_EQ(feed("\r\n \t"), KVS_OK);
  CHECK(!complete);
  CHECK_EQ(used, 4);
}

static void escapes(void) {
  CHECK_EQ(parse("{\"EventType\":\"IDLE\",\"FragmentNumber\":\"\\\"\\\\\\/\"}"),
           KVS_OK);
  CHECK(number_is("\"\\/"));
  /* A key that would have to be decoded is none of ours. */
  CHECK_EQ(parse("{\"\\u0045rrorId\":1,\"EventType\":\"IDLE\"}"), KVS_OK);
  CHECK(complete);
  CHECK_EQ(parse("{\"EventType\":\"IDLE\",\"FragmentNumber\":\"1\\n\"}"),
           KVS_OK);
  CHECK_EQ(ack.number_len, 0);
}

static void one_ack_a_call(void) {
  const char *text = "{\"EventType\":\"IDLE\"}{\"EventType\":\"RECEIVED\"}";

  CHECK_EQ(parse(text), KVS_OK);
  CHECK(complete);
  CHECK_EQ(used, 20);
  CHECK_EQ(feed(text + 20), KVS_OK);
  CHECK(complete && ack.type == KVS_ACK_RECEIVED);
  CHECK(!ack.has_timecode);
  CHECK_EQ(feed(""), KVS_OK);
  CHECK(!complete && used == 0);
}

/* ---- faults ------------------------------------------------------------ */

static void wrong_keys(void) {
  refused("x", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("<html>it's broken</html>", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{5}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{{\"a\":\"}\"}}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{,\"EventType\":\"IDLE\"}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{\"EventType\":\"IDLE\",}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{\"EventType\":\"IDLE\",,}", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{\"EventType\n", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{\"a\":1,\"Event\nType", KVS_STATUS_INVALID_ACK_KEY_START);
  refused("{\"EventType\":\"IDLE\",\"EventType\":\"IDLE\"}",
          KVS_STATUS_INVALID_ACK_DUPLICATE_KEY_NAME);
  refused("{\"ErrorId\":1,\"EventType\":\"IDLE\",\"ErrorId\":1}",
          KVS_STATUS_INVALID_ACK_DUPLICATE_KEY_NAME);
}

static void wrong_values(void) {
  static const kvs_status start = KVS_STATUS_INVALID_ACK_INVALID_VALUE_START;
  static const kvs_status end = KVS_STATUS_INVALID_ACK_INVALID_VALUE_END;

  refused("{\"EventType\"}", start);
  refused("{\"EventType\",\"a\":1}", start);
  refused("{\"EventType\":}", start);
  refused("{\"EventType\":,\"a\":1}", start);
  refused("{\"a\":@}", start);
  refused("{\"a\" \"b\"}", start);
  refused("{\"EventType\":5}", start);
  refused("{\"EventType\":true}", start);
  refused("{\"EventType\":{\"a\":1}}", start);
  refused("{\"FragmentTimecode\":[1]}", start);
  refused("{\"FragmentTimecode\":true}", start);
  refused("{\"FragmentTimecode\":+1}", start);
  refused("{\"FragmentTimecode\":.5}", start);
  refused("{\"FragmentNumber\":false,\"a\":\"}\"}", start);
  refused("{\"ErrorId\":{}}", start);
  refused("{\"EventType\":\"ID\nLE\"}", end);
  refused("{\"EventType\":\"IDLE\" \"a\":1}", end);
  refused("{\"EventType\":\"IDLE\"]}", end);
  refused("{\"a\":1;\"EventType\":\"IDLE\"}", end);
  refused("{\"a\":1 2}", end);
  refused("{\"FragmentTimecode\":1.5}", end);
  refused("{\"FragmentTimecode\":-1}", end);
  refused("{\"FragmentTimecode\":\"12a\"}", end);
  refused("{\"FragmentTimecode\":18446744073709551616}", end);
  refused("{\"FragmentTimecode\":99999999999999999999999}", end);
  refused("{\"ErrorId\":4294967296}", end);
  refused("{\"ErrorId\":\"four\"}", end);
}

static void wrong_acks(void) {
  refused("{\"EventType\":\"RECIEVED\"}", KVS_STATUS_INVALID_PARSED_ACK_TYPE);
  refused("{\"EventType\":\"IDLE \"}", KVS_STATUS_INVALID_PARSED_ACK_TYPE);
  refused("{\"EventType\":\"IDL\"}", KVS_STATUS_INVALID_PARSED_ACK_TYPE);
  refused("{\"EventType\":\"idle\"}", KVS_STATUS_INVALID_PARSED_ACK_TYPE);
  refused("{}", KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  refused("{\"FragmentTimecode\":1}", KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE);
  refused("{\"EventType\":\"ERROR\"}", KVS_STATUS_MISSING_ERR_ACK_ID);
}

/* Acks are lines. One whose braces do not match costs the line behind it, or
 * what may belong to it, and not every ack of the session. */
static void a_line_ends_what_never_closes(void) {
  static const struct {
    const char *text;
    uint32_t costs; /* lines of 22 bytes */
  } rows[] = {{"{\"EventType\":\"BUFFERING\",\r\n", 1},
              {"{{{\n", 0},
              {"{\"EventType\":{\"x\":\n", 0},
              {"{\"a\":[{]\r\n", KVS_MAX_ACK_LEN / 22 + 1}};
  const char idle[] = "{\"EventType\":\"IDLE\"}\r\n";

  for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    uint32_t read = 0;

    kvs_ack_parser_init(&parser);
    for (uint32_t line = 0; line <= 100; line++) {
      const char *text = line == 0 ? rows[i].text : idle;
      size_t at = 0;

      while (at < strlen(text)) {
        kvs_status status =
            kvs_ack_parse(&parser, (const uint8_t *)text + at,
                          strlen(text) - at, &used, &complete, &ack);
        at += used;
        read += status == KVS_OK && complete ? 1 : 0;
      }
    }
    if (!CHECK_EQ(read, 100 - rows[i].costs)) {
      fprintf(stderr, "    after %s\n", rows[i].text);
    }
  }
}

/* ---- error ids --------------------------------------------------------- */

typedef struct expected {
  uint32_t id;
  kvs_status status;
  kvs_ack_remedy remedy;
} expected;

static void error_ids(void) {
  static const expected rows[] = {{4000, 0x5200005c, KVS_REMEDY_RESEND},
                                  {4001, 0x5200005d, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4002, 0x5200005e, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4003, 0x5200005f, KVS_REMEDY_RESEND},
                                  {4004, 0x52000060, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4005, 0x52000061, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4006, 0x52000062, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4007, 0x52000063, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4008, 0x52000064, KVS_REMEDY_DESCRIBE},
                                  {4009, 0x52000075, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4010, 0x5200007c, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4011, 0x5200007d, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4012, 0x5200007e, KVS_REMEDY_SKIP_FRAGMENT},
                                  {4500, 0x52000065, KVS_REMEDY_DESCRIBE},
                                  {4501, 0x52000066, KVS_REMEDY_DESCRIBE},
                                  {4502, 0x52000067, KVS_REMEDY_DESCRIBE},
                                  {4503, 0x52000068, KVS_REMEDY_DESCRIBE},
                                  {4504, 0x52000069, KVS_REMEDY_DESCRIBE},
                                  {4505, 0x5200006a, KVS_REMEDY_DESCRIBE},
                                  {4506, 0x5200006b, KVS_REMEDY_DESCRIBE},
                                  {4507, 0x5200006c, KVS_REMEDY_DESCRIBE},
                                  {5000, 0x5200006d, KVS_REMEDY_RESEND},
                                  {5001, 0x5200006e, KVS_REMEDY_RESEND},
                                  {0, 0x5200006f, KVS_REMEDY_RESEND},
                                  {4013, 0x5200006f, KVS_REMEDY_RESEND},
                                  {4100, 0x5200006f, KVS_REMEDY_RESEND},
                                  {4508, 0x5200006f, KVS_REMEDY_RESEND},
                                  {UINT32_MAX, 0x5200006f, KVS_REMEDY_RESEND}};

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    CHECK_EQ(kvs_ack_error_status(rows[i].id), rows[i].status);
    CHECK_EQ(kvs_ack_error_remedy(rows[i].id), rows[i].remedy);
  }
}

int main(void) {
  RUN(each_type);
  RUN(an_error);
  RUN(idle_has_nothing_else);
  RUN(numbers_or_strings);
  RUN(null_and_empty_are_as_no_key);
  RUN(other_keys_are_passed_over);
  RUN(white_space_anywhere);
  RUN(escapes);
  RUN(one_ack_a_call);
  RUN(wrong_keys);
  RUN(wrong_values);
  RUN(wrong_acks);
  RUN(a_line_ends_what_never_closes);
  RUN(error_ids);
  return check_report();
}
