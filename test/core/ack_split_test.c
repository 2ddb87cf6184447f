/* Sequences of acks in every split, and input that means harm: the same acks,
 * the same faults, and no byte outside of the parser is touched. */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "core/ack.h"

enum { MAX_RESULTS = 256, LONG = 100000 };

/* What a sequence reads as: each ack and each fault, in order. */
typedef struct results {
  uint32_t count;
  kvs_status status[MAX_RESULTS];
  kvs_ack acks[MAX_RESULTS];
} results;

#define NUMBER "91343852333181432392682062622145371402361"

static const char *const GOLDENS[] = {
    "{\"EventType\":\"BUFFERING\",\"FragmentTimecode\":1795408173486,"
    "\"FragmentNumber\":\"" NUMBER
    "\"}\r\n"
    "{\"EventType\":\"RECEIVED\",\"FragmentTimecode\":1795408173486,"
    "\"FragmentNumber\":\"" NUMBER
    "\"}\r\n"
    "{\"EventType\":\"PERSISTED\",\"FragmentTimecode\":1795408173486,"
    "\"FragmentNumber\":\"" NUMBER "\"}\r\n",

    "{\"EventType\":\"IDLE\"}{\"EventType\":\"IDLE\"}"
    "{\"EventType\":\"ERROR\",\"FragmentTimecode\":2000,\"FragmentNumber\":"
    "\"1\",\"ErrorId\":4004,\"ErrorCode\":\"FRAGMENT_TIMECODE_LESSER\"}",

    " { \"FragmentNumber\" : 17 , \"EventType\" : \"RECEIVED\" ,\n"
    "   \"More\" : { \"a\" : [ 1, \"]}\\\"\", null ] }, \"FragmentTimecode\" "
    ":\n"
    "   \"0\" }\n{\"EventType\":\"PERSISTED\"}",

    "junk{\"EventType\":\"WHAT\",\"a\":\"}\"}{\"EventType\":\"IDLE\"}"
    "{\"EventType\":\"ERROR\"}{\"a\":tru}}{\"EventType\":\"IDLE\",,\"b\":[}]}"
    "{\"broken\n{\"EventType\":\"IDLE\"}{\"EventType\":\"RECEIVED\","
    "\"FragmentTimecode\":12x,\"c\":{}}\r\n{\"EventType\":\"BUFFERING\"}"};

enum { GOLDEN_COUNT = sizeof GOLDENS / sizeof GOLDENS[0] };

/* Feeds a copy of exactly |len| bytes, so that ASan sees a byte too many. */
static void feed(kvs_ack_parser *parser, const char *text, size_t len,
                 results *out) {
  uint8_t *copy = (uint8_t *)malloc(len == 0 ? 1 : len);
  size_t at = 0;

  memcpy(copy, text, len);
  while (at < len) {
    size_t used = 0;
    bool complete = false;
    kvs_ack ack;
    memset(&ack, 0, sizeof ack);
    kvs_status status =
        kvs_ack_parse(parser, copy + at, len - at, &used, &complete, &ack);
    if (!CHECK(used > 0 && used <= len - at) ||
        !CHECK(out->count < MAX_RESULTS)) {
      break;
    }
    CHECK(status == KVS_OK || !complete);
    CHECK(complete || status != KVS_OK || at + used == len);
    if (complete || status != KVS_OK) {
      out->status[out->count] = status;
      out->acks[out->count] = ack;
      out->count++;
    }
    at += used;
  }
  free(copy);
}

static bool same_ack(const kvs_ack *a, const kvs_ack *b) {
  return a->type == b->type && a->has_timecode == b->has_timecode &&
         a->timecode == b->timecode && a->error_id == b->error_id &&
         a->number_len == b->number_len &&
         memcmp(a->number, b->number, a->number_len) == 0;
}

static bool same(const results *a, const results *b) {
  bool ok = a->count == b->count;

  for (uint32_t i = 0; ok && i < a->count; i++) {
    ok = a->status[i] == b->status[i] && same_ack(&a->acks[i], &b->acks[i]);
  }
  return ok;
}

static results whole(const char *text) {
  kvs_ack_parser parser;
  results out;

  memset(&out, 0, sizeof out);
  kvs_ack_parser_init(&parser);
  feed(&parser, text, strlen(text), &out);
  return out;
}

/* ---- splits ------------------------------------------------------------ */

static void goldens_read_as_they_should(void) {
  static const kvs_status faults[] = {KVS_STATUS_INVALID_ACK_KEY_START,
                                      KVS_STATUS_INVALID_PARSED_ACK_TYPE,
                                      KVS_OK,
                                      KVS_STATUS_MISSING_ERR_ACK_ID,
                                      KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE,
                                      KVS_STATUS_INVALID_ACK_KEY_START,
                                      KVS_STATUS_INVALID_ACK_KEY_START,
                                      KVS_STATUS_INVALID_ACK_KEY_START,
                                      KVS_OK,
                                      KVS_STATUS_INVALID_ACK_INVALID_VALUE_END,
                                      KVS_OK};
  results first = whole(GOLDENS[0]);
  results second = whole(GOLDENS[1]);
  results third = whole(GOLDENS[2]);
  results fourth = whole(GOLDENS[3]);

  CHECK_EQ(first.count, 3);
  CHECK_EQ(first.acks[2].type, KVS_ACK_PERSISTED);
  CHECK_EQ(first.acks[2].number_len, strlen(NUMBER));
  CHECK_EQ(second.count, 3);
  CHECK_EQ(second.acks[2].error_id, 4004);
  CHECK_EQ(third.count, 2);
  CHECK(third.acks[0].has_timecode && !third.acks[1].has_timecode);
  CHECK_EQ(fourth.count, sizeof faults / sizeof faults[0]);
  for (uint32_t i = 0; i < fourth.count; i++) {
    if (!CHECK_EQ(fourth.status[i], faults[i])) {
      fprintf(stderr, "    result %u\n", i);
    }
  }
}

static void every_two_way_split(void) {
  for (size_t g = 0; g < GOLDEN_COUNT; g++) {
    results want = whole(GOLDENS[g]);
    size_t len = strlen(GOLDENS[g]);
    for (size_t cut = 0; cut <= len; cut++) {
      kvs_ack_parser parser;
      results got;
      memset(&got, 0, sizeof got);
      kvs_ack_parser_init(&parser);
      feed(&parser, GOLDENS[g], cut, &got);
      feed(&parser, GOLDENS[g] + cut, len - cut, &got);
      if (!CHECK(same(&got, &want))) {
        fprintf(stderr, "    golden %zu, cut at %zu\n", g, cut);
      }
    }
  }
}

static void pieces_of_one_length(void) {
  for (size_t g = 0; g < GOLDEN_COUNT; g++) {
    results want = whole(GOLDENS[g]);
    size_t len = strlen(GOLDENS[g]);
    for (size_t piece = 1; piece < 40; piece++) {
      kvs_ack_parser parser;
      results got;
      memset(&got, 0, sizeof got);
      kvs_ack_parser_init(&parser);
      for (size_t at = 0; at < len; at += piece) {
        feed(&parser, GOLDENS[g] + at, piece < len - at ? piece : len - at,
             &got);
      }
      if (!CHECK(same(&got, &want))) {
        fprintf(stderr, "    golden %zu, pieces of %zu\n", g, piece);
      }
    }
  }
}

/* ---- harm -------------------------------------------------------------- */

/* The parser between two guards, so that a write outside of it is seen. */
static struct {
  uint8_t before[64];
  kvs_ack_parser parser;
  uint8_t after[64];
} guarded;

static void begin(void) {
  memset(&guarded, 0xEE, sizeof guarded);
  kvs_ack_parser_init(&guarded.parser);
}

static void guards_hold(void) {
  for (size_t i = 0; i < 64; i++) {
    CHECK(guarded.before[i] == 0xEE && guarded.after[i] == 0xEE);
  }
}

/* Feeds |text|, then |unit| |times|, in pieces of 100 bytes. */
static results flood(const char *text, const char *unit, uint32_t times) {
  static char bytes[LONG + 1000];
  size_t len = strlen(text);
  size_t unit_len = strlen(unit);
  results out;

  memset(&out, 0, sizeof out);
  memcpy(bytes, text, len);
  for (uint32_t i = 0; i < times && len + unit_len <= sizeof bytes; i++) {
    memcpy(bytes + len, unit, unit_len);
    len += unit_len;
  }
  for (size_t at = 0; at < len; at += 100) {
    feed(&guarded.parser, bytes + at, len - at < 100 ? len - at : 100, &out);
  }
  return out;
}

/* One fault is reported, whatever follows, until the object ends. */
static void floods_are_bounded(void) {
  static const char *const begins[] = {"{\"",
                                       "{\"EventType\":\"",
                                       "{\"FragmentNumber\":\"",
                                       "{\"a\":",
                                       "{\"a\":{\"b\":",
                                       "{\"a\":\"b\",",
                                       "{",
                                       "{\"FragmentTimecode\":",
                                       "{\"EventType\":\"IDLE\"",
                                       "{\"a\":[[\"\\",
                                       "{\"a\":\""};
  static const char *const units[] = {"A", "1", "\\", " ", "\\u0041",
                                      "{", "[", "\"", ":", ","};

  for (size_t b = 0; b < sizeof begins / sizeof begins[0]; b++) {
    for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
      begin();
      results got = flood(begins[b], units[u], 5000);
      if (!CHECK_EQ(got.count, 1) || !CHECK(got.status[0] != KVS_OK)) {
        fprintf(stderr, "    %s then %s\n", begins[b], units[u]);
      }
      guards_hold();
      /* A raw line end breaks any string; then the next object is read. */
      results next = flood("\"\n\"\n{\"EventType\":\"IDLE\"}", "", 0);
      CHECK(next.count > 0 && next.status[next.count - 1] == KVS_OK);
      guards_hold();
    }
  }
}

static void key_of_2000_bytes_over_many_calls(void) {
  begin();
  results got = flood("{\"", "A", 2000);
  CHECK_EQ(got.count, 1);
  CHECK_EQ(got.status[0], KVS_STATUS_INVALID_ACK_SEGMENT_LEN);
  got = flood("\":1}{\"EventType\":\"IDLE\"}", "", 0);
  CHECK_EQ(got.count, 1);
  CHECK_EQ(got.status[0], KVS_OK);
  guards_hold();
}

/* Nesting of more levels than 8, 16 bits count, closed again to the last. */
static void depth_bombs(void) {
  static const uint32_t depths[] = {100, 300, 70000};

  for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
    begin();
    results open = flood("{\"a\":", "[", depths[i]);
    CHECK_EQ(open.count, depths[i] > 1000 ? 1 : 0);
    results shut = flood("", "]", depths[i]);
    CHECK_EQ(shut.count, 0);
    results end =
        flood(",\"EventType\":\"IDLE\"}{\"EventType\":\"IDLE\"}", "", 0);
    CHECK_EQ(end.count, depths[i] > 1000 ? 1 : 2);
    CHECK_EQ(end.status[0], KVS_OK);
    guards_hold();
  }
}

/* 1,024 bytes are read, 1,025 are not. */
static void length_of_an_object(void) {
  static const char begins[] = "{\"EventType\":\"IDLE\",\"a\":\"";

  for (uint32_t len = KVS_MAX_ACK_LEN - 2; len <= KVS_MAX_ACK_LEN + 2; len++) {
    char text[2000];
    uint32_t fill = len - (uint32_t)strlen(begins) - 2;
    snprintf(text, sizeof text, "%s%*s\"}", begins, (int)fill, "");
    CHECK_EQ(strlen(text), len);
    results got = whole(text);
    CHECK_EQ(got.count, 1);
    CHECK_EQ(got.status[0], len <= KVS_MAX_ACK_LEN
                                ? KVS_OK
                                : KVS_STATUS_INVALID_ACK_SEGMENT_LEN);
  }
}

/* Texts of 128 bytes are read, longer ones are passed over. */
static void length_of_a_text(void) {
  for (uint32_t len = KVS_ACK_TEXT - 1; len <= KVS_ACK_TEXT + 1; len++) {
    char text[500];
    char digits[KVS_ACK_TEXT + 2];
    memset(digits, '7', len);
    digits[len] = '\0';
    snprintf(text, sizeof text,
             "{\"EventType\":\"IDLE\",\"FragmentNumber\":\"%s\",\"%s\":%s}",
             digits, digits, digits);
    results got = whole(text);
    CHECK_EQ(got.count, 1);
    CHECK_EQ(got.status[0], KVS_OK);
    CHECK_EQ(got.acks[0].number_len, len <= KVS_ACK_TEXT ? len : 0);
    snprintf(text, sizeof text, "{\"EventType\":\"IDLE%s\"}", digits);
    CHECK_EQ(whole(text).status[0], KVS_STATUS_INVALID_PARSED_ACK_TYPE);
    snprintf(text, sizeof text, "{\"FragmentTimecode\":\"%*s\"}", (int)len, "");
    memset(text + 21, '0', len);
    results zeros = whole(text);
    CHECK_EQ(zeros.status[0], len <= KVS_ACK_TEXT
                                  ? KVS_STATUS_INVALID_FRAGMENT_ACK_TYPE
                                  : KVS_STATUS_INVALID_ACK_INVALID_VALUE_END);
  }
}

/* After any bytes at all, "newline, quote, newline" and an ack get through:
 * at the latest the second ack is read. */
static void any_bytes_then_acks(void) {
  uint64_t seed = 4;

  for (uint32_t round = 0; round < 3000; round++) {
    static const char letters[] = "{}[]\"\\:,aEI0-. \nx";
    char text[300];
    size_t len = (size_t)(check_random(&seed) % 200);
    for (size_t i = 0; i < len; i++) {
      text[i] = letters[check_random(&seed) % (sizeof letters - 1)];
    }
    begin();
    results got;
    memset(&got, 0, sizeof got);
    feed(&guarded.parser, text, len, &got);
    static const char rescue[] = "\"\n\"\n{\"EventType\":\"IDLE\"}";
    results last;
    memset(&last, 0, sizeof last);
    feed(&guarded.parser, rescue, sizeof rescue - 1, &last);
    guards_hold();
    if (!CHECK(last.count > 0) || !CHECK_EQ(last.status[last.count - 1], 0)) {
      fprintf(stderr, "    %.*s\n", (int)len, text);
      return;
    }
  }
}

int main(void) {
  RUN(goldens_read_as_they_should);
  RUN(every_two_way_split);
  RUN(pieces_of_one_length);
  RUN(floods_are_bounded);
  RUN(key_of_2000_bytes_over_many_calls);
  RUN(depth_bombs);
  RUN(length_of_an_object);
  RUN(length_of_a_text);
  RUN(any_bytes_then_acks);
  return check_report();
}
