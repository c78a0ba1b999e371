/* Events of the past: any form, their own times, a topic of their own; bad ones are told and not put aside. */
#include "world.h"

#define POST(query) "POST /api/v1/imports" query "\r\nX-Api-Key: " SECRET_KEY
#define GOOD                                                                                       \
    "{\"messageId\":\"m1\",\"anonymousId\":\"a\",\"event\":\"x\",\"timestamp\":\"2019-01-01T00:"   \
    "00:"                                                                                          \
    "00Z\",\"sentAt\":\"2019-01-01T00:00:09Z\"}"

static void test_answers(void **state)
{
    static const struct {
        const char *name, *head, *body;
        int status;
        const char *part;
    } cases[] = {
        {"one", POST(""), "{\"batch\":[" GOOD "]}", 200, "{\"accepted\":1,\"rejected\":[]}"},
        {"none", POST(""), "{\"batch\":[]}", 200, "{\"accepted\":0,\"rejected\":[]}"},
        {"a bad one", POST("?form=segment"), "{\"batch\":[" GOOD ",{\"event\":5},7]}", 200,
         "{\"accepted\":1,\"rejected\":[{\"index\":1,\"field\":\"event\",\"code\":\"wrong_type\","},
        {"snowplow", POST("?form=snowplow"),
         "{\"batch\":[{\"e\":\"page_view\",\"eid\":\"m\",\"duid\":\"d\"}]}", 200, "\"accepted\":1"},
        {"cloudevents", POST("?form=cloudevents"), "{\"batch\":[{\"id\":\"m\"}]}", 200,
         "\"field\":\"specversion\""},
        {"unknown form", POST("?form=nope"), "{\"batch\":[]}", 400, "\"field\":\"form\""},
        {"no list", POST(""), "{}", 400, "\"field\":\"batch\""},
        {"write key", "POST /api/v1/imports\r\nX-Api-Key: " WRITE_KEY, "{\"batch\":[]}", 403,
         "forbidden"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world_answer answer;
        world_ask(*state, cases[i].head, cases[i].body, &answer);
        if (answer.status != cases[i].status || !strstr(answer.body, cases[i].part))
            fail_msg("case \"%s\": %d %s", cases[i].name, answer.status, answer.body);
    }
}

static void test_record(void **state)
{
    struct world *world = *state;
    struct world_answer answer;
    world_ask(world, POST(""), "{\"batch\":[" GOOD ",{\"bad\":1}]}", &answer);
    assert_int_equal(answer.status, 200);
    const struct bus_record *record = world_take(world, TOPIC_IMPORTS);
    assert_non_null(record);
    Journey__V1__EventBatch *batch =
        journey__v1__event_batch__unpack(NULL, record->value.size, record->value.data);
    assert_int_equal(batch->n_events, 1);
    assert_true(batch->events[0]->timestamp_us == INT64_C(1546300800000000));
    assert_true(batch->events[0]->sent_at_us == 0); /* else ingest would move it to now */
    assert_true(batch->received_us > batch->events[0]->timestamp_us);
    journey__v1__event_batch__free_unpacked(batch, NULL);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        assert_int_equal(bus_mem_end(world->cluster, TOPIC_EVENTS, p), 0);
        assert_int_equal(bus_mem_end(world->cluster, topic_dlq(TOPIC_IMPORTS), p), 0);
    }
    assert_true(world_metric(world, "gateway_events_total") == 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {TEST(test_answers), TEST(test_record)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
