/* CloudEvents over HTTP, in all three of their modes, through a whole gateway. */
#include "world.h"

#define ONE        "POST /api/v1/events\r\nX-Api-Key: " WRITE_KEY "\r\n"
#define MANY       "POST /api/v1/events/batch\r\nX-Api-Key: " WRITE_KEY "\r\n"
#define STRUCTURED "Content-Type: application/cloudevents+json; charset=utf-8"
#define BATCHED    "Content-Type: application/cloudevents-batch+json"
#define BINARY                                                                                     \
    "ce-specversion: 1.0\r\nCE-ID: e1\r\nce-source: /shop\r\nce-type: com.acme.sold\r\n"           \
    "ce-anonymousid: a1\r\n"
#define HEAD                                                                                       \
    "\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/shop\",\"type\":\"com.acme.sold\","       \
    "\"anonymousid\":\"a1\""
#define TAKEN "{\"success\":true,\"message_ids\":[\"/shop e1\"]}"

/* What stands in the log: name and properties of the first event, or a part of the refusal. */
static void test_modes(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *answer, *event, *properties;
    } cases[] = {
        {"structured", ONE STRUCTURED, "{" HEAD ",\"data\":{ \"p\":1e20}}", 200, TAKEN,
         "com.acme.sold", "{ \"p\":1e20}"},
        {"structured, to the batch's path", MANY STRUCTURED, "{" HEAD "}", 200, TAKEN,
         "com.acme.sold", ""},
        {"a list", ONE BATCHED, "[{" HEAD ",\"data\":{\"p\":1}}]", 200, TAKEN, "com.acme.sold",
         "{\"p\":1}"},
        {"a list without its end", ONE BATCHED, "[{" HEAD ",\"data\":{\"p\":1}}", 200, TAKEN,
         "com.acme.sold", "{\"p\":1}"},
        {"data that is no object", ONE STRUCTURED, "{" HEAD ",\"data\":[1,2]}", 200, TAKEN,
         "com.acme.sold", "{\"data\":[1,2]}"},
        {"data in base64 that is one", ONE STRUCTURED,
         "{" HEAD ",\"data_base64\":\"eyJhIjoxfQ==\"}", 200, TAKEN, "com.acme.sold", "{\"a\":1}"},
        {"data in base64", ONE STRUCTURED, "{" HEAD ",\"data_base64\":\"AAEC\"}", 200, TAKEN,
         "com.acme.sold", "{\"data_base64\":\"AAEC\"}"},
        {"binary", ONE BINARY "Content-Type: application/json", "{\"p\":1.50}", 200, TAKEN,
         "com.acme.sold", "{\"p\":1.50}"},
        {"binary without data", ONE BINARY "X: y", "", 200, TAKEN, "com.acme.sold", ""},
        {"binary text", ONE BINARY "Content-Type: text/plain", "12", 200, TAKEN, "com.acme.sold",
         "{\"data\":\"12\"}"},
        {"binary bytes", ONE BINARY "Content-Type: image/png", "\xff\xfe\x01\x02", 200, TAKEN,
         "com.acme.sold", "{\"data_base64\":\"//4BAg==\"}"},
        {"percent-encoded and quoted",
         ONE "ce-specversion: 1.0\r\nce-id: e%201\r\nce-source: \"/sh\\\"op\"\r\nce-type: "
             "caf%C3%A9%\r\nce-userid: u",
         "", 200, "\"message_ids\":[\"/sh\\\"op e 1\"]", "caf\xc3\xa9%", ""},
        {"subject where nobody else is named",
         ONE "ce-specversion: 1.0\r\nce-id: e1\r\nce-source: /shop\r\nce-type: t\r\nce-subject: s",
         "", 200, TAKEN, "t", ""},
        {"nobody", ONE STRUCTURED,
         "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\"}", 400,
         "\"field\":\"anonymousid\"", NULL, NULL},
        {"another version", ONE STRUCTURED,
         "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"userid\":\"u\"}",
         400, "\"field\":\"specversion\",\"code\":\"not_allowed\"", NULL, NULL},
        {"no id", ONE STRUCTURED,
         "{\"specversion\":\"1.0\",\"source\":\"s\",\"type\":\"t\",\"userid\":\"u\"}", 400,
         "\"field\":\"id\",\"code\":\"required\"", NULL, NULL},
        {"no source", ONE STRUCTURED,
         "{\"specversion\":\"1.0\",\"id\":\"s\",\"type\":\"t\",\"userid\":\"u\"}", 400,
         "\"field\":\"source\",\"code\":\"required\"", NULL, NULL},
        {"no type", ONE STRUCTURED,
         "{\"specversion\":\"1.0\",\"id\":\"s\",\"source\":\"s\",\"userid\":\"u\"}", 400,
         "\"field\":\"type\",\"code\":\"required\"", NULL, NULL},
        {"bad time", ONE STRUCTURED, "{" HEAD ",\"time\":\"now\"}", 400,
         "\"field\":\"time\",\"code\":\"invalid_time\"", NULL, NULL},
        {"bad base64", ONE STRUCTURED, "{" HEAD ",\"data_base64\":\"*\"}", 400,
         "\"field\":\"data_base64\",\"code\":\"invalid_base64\"", NULL, NULL},
        {"binary, said to be JSON", ONE BINARY "Content-Type: application/json", "{\"p\":", 400,
         "\"field\":\"data\",\"code\":\"invalid_json\"", NULL, NULL},
        {"a list that is none", ONE BATCHED, "{}", 400, "\"code\":\"wrong_type\"", NULL, NULL},
        {"another format", ONE "Content-Type: application/cloudevents+avro", "x", 400,
         "\"field\":\"content-type\",\"code\":\"not_allowed\"", NULL, NULL},
        {"no CloudEvent", ONE "Content-Type: application/json",
         "{\"messageId\":\"/shop e1\",\"anonymousId\":\"a\",\"event\":\"x\"}", 200, TAKEN, "x", ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world *world = *state;
        struct world_answer answer;
        world_ask(world, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].answer))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
        if (!cases[i].event)
            continue;
        const struct bus_record *record = world_take(world, TOPIC_EVENTS);
        Journey__V1__EventBatch *batch =
            journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
        if (strcmp(batch->events[0]->name, cases[i].event) != 0 ||
            strcmp(batch->events[0]->properties, cases[i].properties) != 0)
            fail_msg("case \"%s\": %s %s", cases[i].name, batch->events[0]->name,
                     batch->events[0]->properties);
        journey__v1__event_batch__free_unpacked(batch, NULL);
    }
}

/* An id that would be too long is a hash of itself, and the same each time. */
static void test_long_id(void **state)
{
    struct world *world = *state;
    struct world_answer first, second;
    char *body =
        arena_printf(world->arena,
                     "{\"specversion\":\"1.0\",\"id\":\"%0200d\",\"source\":\"s\",\"type\":"
                     "\"t\",\"userid\":\"u\"}",
                     1);
    world_ask(world, ONE STRUCTURED, body, &first);
    world_ask(world, ONE STRUCTURED, body, &second);
    assert_int_equal(first.status, 200);
    assert_string_equal(first.body, second.body);
    assert_int_equal(strlen(first.body), strlen("{\"success\":true,\"message_ids\":[\"\"]}") + 64);
}

/* One bad event of a list is put aside. */
static void test_one_bad(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world, MANY BATCHED, "[{" HEAD "},{\"id\":1},{" HEAD "}]", &answer);
    assert_int_equal(answer.status, 200);
    const struct bus_record *record = world_take(world, TOPIC_EVENTS);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
    assert_int_equal(batch->n_events, 2);
    assert_string_equal(batch->client, "cloudevents");
    assert_non_null(world_take(world, topic_dlq(TOPIC_EVENTS)));
    journey__v1__event_batch__free_unpacked(batch, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {TEST(test_modes), TEST(test_long_id), TEST(test_one_bad)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
