/* Answers that lead round in a circle: each is a success or has its next step,
 * and all together lead nowhere. No call is made more than a few times a
 * second, and somebody is told. */
#include "scene.h"

/* What the service answers to its |n|th call of one kind, n from 0. */
typedef kvs_answer (*script_fn)(uint32_t call, uint32_t n);

static kvs_answer ok(void) {
  kvs_answer answer = {0};

  answer.result = KVS_RESULT_OK;
  answer.stream_status = KVS_STREAM_STATUS_ACTIVE;
  answer.retention = 3600 * SECOND;
  answer.expiration = KVS_NEVER;
  return answer;
}

static kvs_answer no(uint32_t result) {
  kvs_answer answer = ok();

  answer.result = result;
  return answer;
}

/* Made again and again, and never there. */
static kvs_answer made_and_gone(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_DESCRIBE_STREAM ? no(404) : ok();
}

static kvs_answer in_use_and_gone(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_DESCRIBE_STREAM ? no(404)
         : call == KVS_EVENT_CREATE_STREAM ? no(10003)
                                           : ok();
}

static kvs_answer no_endpoint(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_GET_STREAMING_ENDPOINT ? no(404) : ok();
}

/* There, being made, gone: whatever stands between. */
static kvs_answer flickers(uint32_t call, uint32_t n) {
  kvs_answer answer = ok();

  if (call == KVS_EVENT_GET_STREAMING_ENDPOINT) {
    return no(404);
  }
  if (call == KVS_EVENT_DESCRIBE_STREAM) {
    answer.result = n % 3 == 0 ? 404 : 200;
    answer.stream_status =
        n % 3 == 1 ? KVS_STREAM_STATUS_CREATING : KVS_STREAM_STATUS_ACTIVE;
  }
  return answer;
}

static kvs_answer sessions_of_a_stream_that_is_gone(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_PUT_STREAM ? no(404) : ok();
}

static kvs_answer limits(uint32_t call, uint32_t n) {
  return n % 2 == 0 && call != KVS_EVENT_CREATE_STREAM ? no(429) : ok();
}

static kvs_answer limited_sessions(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_PUT_STREAM ? no(429) : ok();
}

static kvs_answer faults(uint32_t call, uint32_t n) {
  return n % 2 == 0 && call != KVS_EVENT_PUT_STREAM ? no(500)
         : call == KVS_EVENT_PUT_STREAM             ? no(503)
                                                    : ok();
}

static kvs_answer forbidden_sessions(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_PUT_STREAM ? no(403) : ok();
}

/* Expired when it is to be used: the clocks differ. */
static kvs_answer short_tokens(uint32_t call, uint32_t n) {
  kvs_answer answer = call == KVS_EVENT_PUT_STREAM ? no(401) : ok();

  (void)n;
  if (call == KVS_EVENT_GET_STREAMING_TOKEN) {
    answer.expiration = 1;
  }
  return answer;
}

static kvs_answer untaggable(uint32_t call, uint32_t n) {
  (void)n;
  return call == KVS_EVENT_TAG_RESOURCE             ? no(400)
         : call == KVS_EVENT_GET_STREAMING_ENDPOINT ? no(404)
                                                    : ok();
}

/* So often may one call be made in a second: four rounds of three. */
#define MOST 12u
#define RECENT 16u

typedef struct counts {
  uint32_t n[KVS_EVENT_COUNT];
  uint64_t at[KVS_EVENT_COUNT][RECENT]; /* when the last few were made */
  uint32_t worst;                       /* most of one kind in a second */
} counts;

static void count(counts *c, uint32_t call, uint64_t mono) {
  uint32_t within = 1;

  for (uint32_t i = 1; i < RECENT && i <= c->n[call]; i++) {
    within += mono - c->at[call][(c->n[call] - i) % RECENT] < SECOND ? 1 : 0;
  }
  c->at[call][c->n[call] % RECENT] = mono;
  c->n[call]++;
  c->worst = within > c->worst ? within : c->worst;
}

/* Answers what waits; true if there was anything. */
static bool answer_some(fake_host *host, kvs_stream *stream, script_fn script,
                        counts *c) {
  bool any = false;

  fake_poll(host);
  while (host->handled < host->event_count) {
    kvs_event event = host->events[host->handled++];
    kvs_answer answer;

    if (event.type > KVS_EVENT_PUT_STREAM || event.stream == 0) {
      continue;
    }
    any = true;
    answer = script(event.type, c->n[event.type]);
    answer.call = event.u.fields[0];
    if (answer.expiration == 1) { /* just long enough to be taken */
      answer.expiration = host->now.wall + 30 * SECOND + MS;
    }
    count(c, event.type, host->now.mono);
    (void)kvs_stream_answer(stream, &answer, host->now);
    fake_poll(host);
  }
  return any;
}

static void no_circle_is_run_round(void) {
  static const struct {
    const char *name;
    script_fn script;
    kvs_status told; /* the fifth time */
  } rows[] = {
      {"made_and_gone", made_and_gone, KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED},
      {"in_use_and_gone", in_use_and_gone,
       KVS_STATUS_DESCRIBE_STREAM_CALL_FAILED},
      {"no_endpoint", no_endpoint,
       KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED},
      {"flickers", flickers, KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED},
      {"sessions_of_a_stream_that_is_gone", sessions_of_a_stream_that_is_gone,
       KVS_STATUS_PUT_STREAM_CALL_FAILED},
      {"limits", limits, 0},
      {"limited_sessions", limited_sessions, KVS_STATUS_PUT_STREAM_CALL_FAILED},
      {"faults", faults, KVS_STATUS_PUT_STREAM_CALL_FAILED},
      {"forbidden_sessions", forbidden_sessions,
       KVS_STATUS_PUT_STREAM_CALL_FAILED},
      {"short_tokens", short_tokens, KVS_STATUS_PUT_STREAM_CALL_FAILED},
      {"untaggable", untaggable, KVS_STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED},
  };

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream_info info;
    kvs_stream *stream = NULL;
    counts c = {0};
    uint64_t end;
    bool told = rows[i].told == 0;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.tag_count = 1;
    for (uint32_t call = 0; call <= KVS_EVENT_PUT_STREAM; call++) {
      host.results[call] = 0; /* answered below */
    }
    CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
    CHECK_EQ(fake_put(&host, stream, KEY, 0, 100), KVS_OK);
    end = host.now.mono + 120 * SECOND;
    host.handled = 0;
    while (host.now.mono < end) {
      if (!answer_some(&host, stream, rows[i].script, &c)) {
        uint64_t due = kvs_client_deadline(host.client);

        fake_advance(&host, due > host.now.mono && due < end
                                ? due - host.now.mono
                                : SECOND);
      }
    }
    for (uint32_t e = 0; e < host.event_count; e++) {
      const kvs_event *event = &host.events[e];

      told = told || (event->type == KVS_EVENT_STREAM_ERROR_REPORT &&
                      event->u.stream_error_report.status == rows[i].told &&
                      event->u.stream_error_report.attempts == 5);
    }
    if (!CHECK(c.worst <= MOST) || !CHECK(told)) {
      CHECK_STR("", rows[i].name);
    }
    for (uint32_t call = 0; call <= KVS_EVENT_PUT_STREAM; call++) {
      /* 120 s of waits up to 10 s, of which half is random. */
      if (!CHECK(c.n[call] <= 8 * MOST)) {
        CHECK_STR("", rows[i].name);
      }
    }
    scene_finish(&host);
  }
}

/* A stream that is there at the second look is not waited for. */
static void a_stream_that_was_made_is_looked_for_at_once(void) {
  fake_host host;
  kvs_stream_info info;
  kvs_stream *stream = NULL;

  fake_host_init(&host, ARENA, 2);
  fake_stream_info(&info, "camera");
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 404;
  host.results[KVS_EVENT_CREATE_STREAM] = 0;
  CHECK_EQ(kvs_stream_create(host.client, &info, host.now, &stream), KVS_OK);
  fake_answer_all(&host, stream);
  host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
  host.results[KVS_EVENT_CREATE_STREAM] = 200;
  host.handled = 0;
  fake_answer_all(&host, stream);
  CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_READY);
  CHECK_EQ(stream->rounds.attempts, 0);
  scene_finish(&host);
}

/* Deleted in the service and made again, by us or by somebody else: everything
 * that was done to the stream is done to the new one. */
static void a_stream_that_was_made_again_is_tagged_again(void) {
  static const struct {
    uint32_t lost; /* how the session told of it */
    uint32_t described;
  } rows[] = {{404, 404}, {404, 200}, {10400, 200}, {4507, 404}, {4507, 200}};

  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    fake_host host;
    kvs_stream_info info;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.tag_count = 1;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 2, 5);
    (void)fake_take(&host, stream);
    CHECK_EQ(fake_count(&host, KVS_EVENT_TAG_RESOURCE), 1);
    host.results[KVS_EVENT_DESCRIBE_STREAM] = rows[i].described;
    host.results[KVS_EVENT_CREATE_STREAM] = 0;
    host.retention = 7200 * SECOND;
    if (rows[i].lost == 4507) {
      (void)scene_error(&host, stream, 4507, 0);
    } else {
      CHECK_EQ(kvs_stream_session_ended(stream, host.session, rows[i].lost,
                                        host.now),
               KVS_OK);
    }
    fake_answer_all(&host, stream);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    if (rows[i].described == 404) {
      CHECK_EQ(scene_metrics(&host, stream).state, KVS_STREAM_STATE_CREATE);
      host.results[KVS_EVENT_DESCRIBE_STREAM] = 200;
      host.results[KVS_EVENT_CREATE_STREAM] = 200;
      kvs_answer made = ok();
      made.call = fake_last(&host, KVS_EVENT_CREATE_STREAM).u.fields[0];
      CHECK_EQ(kvs_stream_answer(stream, &made, host.now), KVS_OK);
      fake_answer_all(&host, stream);
      fake_advance(&host, BACK_OFF);
      fake_answer_all(&host, stream);
    }
    CHECK_EQ(fake_count(&host, KVS_EVENT_TAG_RESOURCE), 2);
    CHECK_EQ(fake_count(&host, KVS_EVENT_GET_STREAMING_ENDPOINT), 2);
    CHECK_EQ(stream->retention, 7200 * SECOND);
    (void)fake_take(&host, stream);
    fake_body body;
    CHECK(fake_read_body(&host, &body));
    CHECK_EQ(body.blocks, 10); /* nothing was persisted in the old one */
    CHECK_EQ(body.headers, 1);
    scene_finish(&host);
  }
}

/* Without acks the HTTP answer alone tells whether the media were wanted: one
 * that refuses them is told, and what is kept to be replayed is sent again. */
static void a_refusal_behind_the_body_is_no_success(void) {
  for (uint32_t keeps = 0; keeps < 2; keeps++) {
    fake_host host;
    kvs_stream_info info;
    fake_body body;

    fake_host_init(&host, ARENA, 2);
    fake_stream_info(&info, "camera");
    info.fragment_acks = false;
    info.replay_duration = keeps == 1 ? 10 * SECOND : 0;
    info.idle_duration = 5 * SECOND;
    kvs_stream *stream = scene_stream(&host, &info);
    scene_gops(&host, stream, 0, 2, 5);
    (void)fake_take(&host, stream);
    fake_advance(&host, 6 * SECOND); /* the body ends */
    CHECK_EQ(fake_take(&host, stream), KVS_STATUS_END_OF_STREAM);
    CHECK_EQ(kvs_stream_session_ended(stream, host.session, 403, host.now),
             KVS_OK);
    fake_poll(&host);
    CHECK_EQ(fake_last(&host, KVS_EVENT_SESSION_ENDED).u.session_ended.status,
             KVS_STATUS_PUT_STREAM_CALL_FAILED);
    CHECK_EQ(fake_last(&host, KVS_EVENT_SESSION_ENDED).u.session_ended.result,
             403);
    CHECK_EQ(fake_count(&host, KVS_EVENT_STREAM_ERROR_REPORT), 1);
    fake_answer_all(&host, stream);
    fake_advance(&host, BACK_OFF);
    fake_answer_all(&host, stream);
    CHECK_EQ(host.session != 0, keeps == 1);
    if (keeps == 1) {
      (void)fake_take(&host, stream);
      CHECK(fake_read_body(&host, &body));
      CHECK_EQ(body.blocks, 10);
    }
    scene_finish(&host);
  }
}

int main(void) {
  RUN(no_circle_is_run_round);
  RUN(a_stream_that_was_made_is_looked_for_at_once);
  RUN(a_stream_that_was_made_again_is_tagged_again);
  RUN(a_refusal_behind_the_body_is_no_success);
  return check_report();
}
