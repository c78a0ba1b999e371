/* Session routes through a whole gateway, with a test in the services' place: commands said, answers made. */
#include "domain/identity.h"
#include "world.h"

#define SECRET(line) line "\r\nAuthorization: Bearer " SECRET_KEY
#define START_BODY                                                                                 \
    "{\"session_id\":\"s "                                                                         \
    "1/ä\",\"persona\":{\"type\":\"TechEarlyAdopter\"},\"device_context\":{\"type\":\"mobile\","  \
    "\"screen_size\":\"375x812\",\"fingerprint\":\"f\"},\"entry_point\":{\"source\":\"TikTok\"},"  \
    "\"returning_visitor_indicators\":{\"visit_count\":0,\"known_customer\":true},\"user_id\":"    \
    "\"u1\",\"anonymous_id\":\"a1\"}"
#define STAGE_BODY                                                                                 \
    "{\"new_stage\":\"consideration\",\"trigger_event\":\"t\",\"engagement_metrics\":{\"scroll_"   \
    "depth\":0.8}}"

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world_init(world, 4);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    world_deinit(*state);
    free(*state);
    return 0;
}

static bool has_header(const struct bus_record *record, const char *name, const char *value)
{
    const struct bus_header *header = bus_record_header(record, name);
    return header && (!value || slice_equal_str(header->value, value));
}

static bool is_hash(ProtobufCBinaryData data, const char *space, const char *text)
{
    uint8_t hash[16];
    gw_hash_identifier(hash, world_hash_key, space, slice_str(text));
    return data.len == 16 && memcmp(data.data, hash, 16) == 0;
}

static void test_start(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world,
                        "POST /api/journey/sessions/start\r\nX-Api-Key: " WRITE_KEY
                        "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                        slice_str(START_BODY));
    Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_INGEST, &record);
    const Journey__V1__StartSession *start = c->start;
    assert_int_equal(c->body_case, JOURNEY__V1__COMMAND__BODY_START);
    assert_string_equal(c->subject, "s 1/ä");
    assert_int_equal(c->id.len, 16);
    assert_int_equal(c->body_hash.len, 16);
    assert_int_equal(c->deadline_us - c->received_us, WORLD_DEADLINE_MS * INT64_C(1000));
    assert_int_equal(start->timestamp_us, c->received_us);
    assert_true(start->start->persona_confidence == 0.5);
    assert_string_equal(start->start->device_context,
                        "{\"type\":\"mobile\",\"screen_size\":\"375x812\"}");
    assert_int_equal(strlen(start->start->device_fingerprint), 32);
    assert_string_equal(start->start->entry_source, "tiktok");
    assert_true(start->start->returning);
    assert_true(is_hash(start->user, "user", "u1") && is_hash(start->device, "device", "a1"));
    assert_true(is_hash(start->start->anonymous_device, "device", "a1"));
    struct slice key =
        topic_key(world_tenant, gw_hex(start->device.data, 16, world->arena), world->arena);
    assert_true(slice_equal(record->key, key));
    assert_true(has_header(record, "traceparent",
                           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    assert_true(has_header(record, "reply-topic", "journey.replies.v1"));
    assert_true(has_header(record, "ce_source", "/journey/gateway/test"));
    assert_true(has_header(record, "content-type", "application/protobuf"));
    world_reply(world, record,
                (const char *[]){"journey_state", "{\"current_stage\":\"awareness\"}", NULL});
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(
        answer.body,
        "{\"session_id\":\"s 1/ä\",\"journey_state\":{\"current_stage\":\"awareness\"},"
        "\"personalized_content\":null}");
    journey__v1__command__free_unpacked(c, NULL);
}

static void test_start_without_anonymous_id(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, "POST /api/journey/sessions/start\r\nX-Api-Key: " WRITE_KEY,
                        slice_str("{\"session_id\":\"s1\",\"persona\":{\"type\":\"a\"},\"device_"
                                  "context\":{\"type\":\"desktop\"},"
                                  "\"entry_point\":{\"source\":\"google\"}}"));
    Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_INGEST, &record);
    assert_true(is_hash(c->start->device, "session", "s1"));
    assert_int_equal(c->start->start->anonymous_device.len, 0);
    assert_int_equal(c->start->user.len, 0);
    assert_false(c->start->start->returning);
    world_refuse(world, record, "ingest", 403, "consent_required", "Consent is needed");
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 403);
    assert_non_null(strstr(answer.body, "\"code\":\"consent_required\""));
    journey__v1__command__free_unpacked(c, NULL);
}

static void test_literal_answers(void **state)
{
    static const struct {
        const char *head, *body;
        int body_case;
        const char *parts[7];
        int status;
        const char *answer;
    } cases[] = {
        {SECRET("GET /api/journey/sessions/s1"),
         "",
         JOURNEY__V1__COMMAND__BODY_GET,
         {"session", "{\"session_id\":\"s1\"}"},
         200,
         "{\"session_id\":\"s1\"}"},
        {SECRET("PUT /api/journey/sessions/s1/stage"),
         STAGE_BODY,
         JOURNEY__V1__COMMAND__BODY_STAGE,
         {"journey_state", "{\"a\":1}"},
         200,
         "{\"updated_journey_state\":{\"a\":1},\"personalized_recommendations\":[],\"scarcity_"
         "triggers\":[]}"},
        {SECRET("GET /api/journey/sessions/s1/touchpoints?limit=2&cursor=7"),
         "",
         JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS,
         {"page", "{\"data\":[],\"next_cursor\":null}"},
         200,
         "{\"data\":[],\"next_cursor\":null}"},
        {"POST /api/journey/sessions/s1/touchpoints\r\nX-Api-Key: " WRITE_KEY,
         "{\"touchpoint_type\":\"page_view\"}",
         JOURNEY__V1__COMMAND__BODY_TOUCHPOINT,
         {"touchpoint", "{\"id\":1}", "journey_state", "{}"},
         201,
         "{\"touchpoint\":{\"id\":1},\"updated_journey_state\":{},\"personalized_content\":null,"
         "\"scarcity_triggers\":[]}"},
        {"POST /api/journey/sessions/s1/conversions\r\nX-Api-Key: " WRITE_KEY,
         "{\"event_type\":\"purchase\",\"event_value\":\"9.5\",\"event_currency\":\"usd\"}",
         JOURNEY__V1__COMMAND__BODY_CONVERSION,
         {"conversion", "{\"id\":2}", "journey_state", "{}"},
         201,
         "{\"conversion\":{\"id\":2},\"updated_journey_state\":{}}"},
        {"POST /api/journey/sessions/s1/end\r\nX-Api-Key: " WRITE_KEY,
         "",
         JOURNEY__V1__COMMAND__BODY_END,
         {"journey_state", "{}", "end_timestamp", "\"t\"", "total_session_time", "5", NULL},
         200,
         "{\"session_id\":\"s1\",\"journey_state\":{},\"end_timestamp\":\"t\",\"total_session_"
         "time\":5}"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        const struct bus_record *record;
        int fd = world_send(world, cases[i].head, slice_str(cases[i].body));
        Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record);
        assert_case(cases[i].head, (int)c->body_case == cases[i].body_case);
        assert_case(cases[i].head, slice_equal(record->key, topic_key(world_tenant, slice_str("s1"),
                                                                      world->arena)));
        assert_case(cases[i].head, c->read_only == (strncmp(cases[i].head, "GET", 3) == 0));
        if (c->body_case == JOURNEY__V1__COMMAND__BODY_LIST_TOUCHPOINTS)
            assert_case("page", c->list_touchpoints->limit == 2 && c->list_touchpoints->after == 7);
        if (c->body_case == JOURNEY__V1__COMMAND__BODY_CONVERSION)
            assert_case("money", strcmp(c->conversion->event_value, "9.50") == 0 &&
                                     strcmp(c->conversion->event_currency, "USD") == 0);
        if (c->body_case == JOURNEY__V1__COMMAND__BODY_STAGE)
            assert_case("metrics", c->stage->engagement->scroll_depth == 0.8 &&
                                       c->stage->engagement->time_on_page == -1);
        world_reply(world, record, cases[i].parts);
        world_receive(world, fd, &answer);
        if (answer.status != cases[i].status || strcmp(answer.body, cases[i].answer) != 0)
            fail_msg("case \"%s\": %d %s", cases[i].head, answer.status, answer.body);
        journey__v1__command__free_unpacked(c, NULL);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *part;
    } cases[] = {
        {"empty", SECRET("POST /api/journey/sessions/start"), "", 400,
         "{\"field\":\"session_id\",\"code\":\"required\""},
        {"no JSON", SECRET("POST /api/journey/sessions/start"), "{", 400,
         "\"code\":\"invalid_json\""},
        {"limit 0", SECRET("GET /api/journey/sessions/s1/touchpoints?limit=0"), "", 400,
         "\"field\":\"limit\""},
        {"limit 501", SECRET("GET /api/journey/sessions/s1/touchpoints?limit=501"), "", 400,
         "\"field\":\"limit\""},
        {"cursor", SECRET("GET /api/journey/sessions/s1/touchpoints?cursor=x"), "", 400,
         "\"field\":\"cursor\""},
        {"id with NUL", SECRET("GET /api/journey/sessions/a%00b"), "", 404,
         "Journey session not found"},
        {"stage", SECRET("PUT /api/journey/sessions/s1/stage"),
         "{\"new_stage\":\"x\",\"trigger_event\":\"y\"}", 400,
         "\"field\":\"new_stage\",\"code\":\"not_allowed\""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
    }
}

static void test_problem(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, SECRET("GET /api/journey/sessions/caf%C3%A9"), slice_str(""));
    Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record);
    assert_string_equal(c->subject, "café");
    world_refuse(world, record, "journey-state", 404, "not_found", "Journey session not found");
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 404);
    assert_string_equal(world_header(&answer, "Content-Type"), "application/problem+json");
    assert_string_equal(
        answer.body,
        "{\"type\":\"urn:journey:problem:not_found\",\"title\":\"Not found\",\"status\":404,"
        "\"detail\":\"Journey session not found\",\"code\":\"not_found\",\"errors\":[]}");
    journey__v1__command__free_unpacked(c, NULL);
}

static void test_late(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    world_ask(world, SECRET("PUT /api/journey/sessions/caf%C3%A9/stage"), STAGE_BODY, &answer);
    assert_int_equal(answer.status, 202);
    assert_string_equal(
        answer.body, "{\"status\":\"accepted\",\"location\":\"/api/journey/sessions/caf%C3%A9\"}");
    world_ask(world, SECRET("GET /api/journey/sessions/s1"), "", &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(world_header(&answer, "Retry-After"));
    journey__v1__command__free_unpacked(world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record),
                                        NULL);
    world_reply(world, record, (const char *[]){"journey_state", "{}", NULL});
    world_turns(world, 5);
    assert_true(world_metric(world, "gateway_late_replies_total") == 1);
    assert_true(world_metric(world, "gateway_late_parts_total") == 2);
}

static void test_incomplete_reply(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, SECRET("PUT /api/journey/sessions/s1/stage"), slice_str(STAGE_BODY));
    journey__v1__command__free_unpacked(world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record),
                                        NULL);
    world_reply(world, record, (const char *[]){"unheard_of", "{}", NULL});
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 500);
}

/* The topic was emptied behind its reader: it reads on from the end. */
static void test_replies_gone(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, SECRET("GET /api/journey/sessions/s1"), slice_str(""));
    journey__v1__command__free_unpacked(world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record),
                                        NULL);
    int32_t partition = (int32_t)strtol(world->gateway->reply_partition, NULL, 10);
    world_reply(world, record, (const char *[]){"session", "1", NULL});
    world_reply(world, record, (const char *[]){"session", "2", NULL});
    bus_mem_truncate(world->cluster, TOPIC_REPLIES, partition, 2);
    world_turns(world, 5);
    world_reply(world, record, (const char *[]){"session", "3", NULL});
    world_receive(world, fd, &answer);
    assert_string_equal(answer.body, "3");
}

static void test_not_taken(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    bus_mem_fail_next(world->cluster, world->bus);
    world_ask(world, SECRET("PUT /api/journey/sessions/s1/stage"), STAGE_BODY, &answer);
    assert_int_equal(answer.status, 503);
    bus_mem_hold(world->bus,
                 true); /* not confirmed by the deadline: nobody knows, so it is not accepted */
    world_ask(world, SECRET("PUT /api/journey/sessions/s1/stage"), STAGE_BODY, &answer);
    assert_int_equal(answer.status, 503);
}

static void test_strangers(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, SECRET("GET /api/journey/sessions/s1"), slice_str(""));
    journey__v1__command__free_unpacked(world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record),
                                        NULL);
    struct bus_record stranger = *record;
    for (unsigned i = 0; i < stranger.n_headers; i++) {
        if (strcmp(stranger.headers[i].name, "correlation-id") == 0) {
            char *id = arena_str(world->arena, stranger.headers[i].value);
            id[0] = id[0] == '0' ? '1' : '0';
            stranger.headers[i].value = slice_str(id);
        }
    }
    world_reply(world, &stranger, (const char *[]){"session", "\"stranger\"", NULL});
    world_reply(world, record, (const char *[]){"session", "\"mine\"", NULL});
    world_reply(world, record, (const char *[]){"session", "\"twice\"", NULL});
    world_receive(world, fd, &answer);
    assert_string_equal(answer.body, "\"mine\"");
    world_turns(world, 5);
    assert_true(world_metric(world, "gateway_stranger_replies_total") == 1);
    assert_true(world_metric(world, "gateway_late_replies_total") == 1);
}

static Journey__V1__Command *said(struct world *world, const char *head, const char *body)
{
    struct world_answer answer;
    const struct bus_record *record;
    int fd = world_send(world, head, slice_str(body));
    Journey__V1__Command *c = world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record);
    world_reply(world, record, (const char *[]){"journey_state", "{}", NULL});
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 200);
    return c;
}

/* The same key says the same command, whichever gateway hears it. */
static void test_idempotency(void **state)
{
#define KEYED(path, key)                                                                           \
    SECRET("PUT /api/journey/sessions/" path "/stage") "\r\nIdempotency-Key: " key
    struct world *world = *state, second;
    world_init(&second, 4);
    Journey__V1__Command *a = said(world, KEYED("s1", "k"), STAGE_BODY);
    Journey__V1__Command *same = said(&second, KEYED("s1", "k"), STAGE_BODY);
    Journey__V1__Command *body = said(world, KEYED("s1", "k"), " " STAGE_BODY);
    Journey__V1__Command *session = said(world, KEYED("s2", "k"), STAGE_BODY);
    Journey__V1__Command *none =
        said(world, SECRET("PUT /api/journey/sessions/s1/stage"), STAGE_BODY);
    assert_memory_equal(a->id.data, same->id.data, 16);
    assert_memory_equal(a->body_hash.data, same->body_hash.data, 16);
    assert_string_equal(a->message_id, same->message_id);
    assert_memory_equal(a->id.data, body->id.data, 16);
    assert_memory_not_equal(a->body_hash.data, body->body_hash.data, 16);
    assert_memory_not_equal(a->id.data, session->id.data, 16);
    assert_memory_not_equal(a->id.data, none->id.data, 16);
    Journey__V1__Command *all[] = {a, same, body, session, none};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        journey__v1__command__free_unpacked(all[i], NULL);
    world_deinit(&second);
}

static void test_open_limit(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    int held[4];
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        held[i] = world_send(world, SECRET("GET /api/journey/sessions/s1"), slice_str(""));
    world_turns(world, 5);
    world_ask(world, SECRET("GET /api/journey/sessions/s1"), "", &answer);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.body, "Too many requests are open"));
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        world_receive(world, held[i], &answer);
    assert_true(world_metric(world, "gateway_refused_total{reason=\"open_requests\"}") == 1);
    assert_true(world_metric(world, "gateway_open_requests") == 0);
}

static void test_drain(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    const struct bus_record *record;
    const char *why = NULL;
    int fd = world_send(world, SECRET("GET /api/journey/sessions/s1"), slice_str(""));
    journey__v1__command__free_unpacked(world_command(world, TOPIC_COMMANDS_JOURNEY_STATE, &record),
                                        NULL);
    assert_true(gateway_ready(world->gateway, &why));
    gateway_drain(world->gateway);
    assert_false(gateway_ready(world->gateway, &why));
    world_turn(world);
    assert_false(gateway_drained(world->gateway));
    world_reply(world, record, (const char *[]){"session", "1", NULL});
    world_receive(world, fd, &answer);
    assert_int_equal(answer.status, 200);
    world_turns(world, 5);
    assert_true(gateway_drained(world->gateway));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_start),
        TEST(test_start_without_anonymous_id),
        TEST(test_literal_answers),
        TEST(test_refusals),
        TEST(test_problem),
        TEST(test_late),
        TEST(test_not_taken),
        TEST(test_replies_gone),
        TEST(test_incomplete_reply),
        TEST(test_strangers),
        TEST(test_idempotency),
        TEST(test_open_limit),
        TEST(test_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
