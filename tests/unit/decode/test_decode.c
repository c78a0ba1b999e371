#include "decode.h"
#include "journey/v1/command.pb-c.h"
#include "journey/v1/event.pb-c.h"
#include "journey/v1/journey.pb-c.h"
#include "test.h"
#include "topics.h"

struct fixture {
    struct arena *arena;
    struct buf out;
    const struct json_node *root;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->arena = arena_create((size_t)8 << 20);
    assert_non_null(f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_destroy(&f->arena);
    buf_deinit(&f->out);
    free(f);
    return 0;
}

static void decode(struct fixture *f, const ProtobufCMessage *message)
{
    struct json_writer w = json_writer_make(&f->out);
    json_begin_object(&w);
    decode_members(message, &w, f->arena);
    json_end_object(&w);
    assert_null(memchr(f->out.data, '\n', f->out.size));
    assert_int_equal(json_parse(&f->root, buf_slice(&f->out), f->arena, NULL), 0);
}

static void assert_raw(struct fixture *f, const char *path, const char *raw)
{
    const struct json_node *node = json_path(f->root, path);
    assert_case(path, node && slice_equal_str(node->raw, raw));
}

static void test_every_topic_can_be_decoded(void **state)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++)
        assert_case(topic_name(topic), decode_type(topic_info(topic)->message_type) != NULL);
    assert_null(decode_type("Nothing"));
}

static void test_touchpoint(void **state)
{
    struct fixture *f = *state;
    uint8_t id[16] = {0x12, 0x34}, device[16] = {0xab};
    char message_id[] = "m\"1", properties[] = "{\"a\":[1,\n 2],\r\n\"big\":1e20}", wrong[] = "{";
    Journey__V1__Touchpoint t;
    journey__v1__touchpoint__init(&t);
    t.tenant_id = (ProtobufCBinaryData){16, id};
    t.device = (ProtobufCBinaryData){16, device};
    t.user = (ProtobufCBinaryData){16, device}; /* a hash, as `journeyctl hash` shows it */
    t.touchpoint_sequence = 7;
    t.message_id = message_id;
    t.timestamp_us = INT64_C(1700000000123000);
    t.properties = properties;
    t.context = wrong;
    t.scroll_depth = 0.25;
    t.late = true;
    decode(f, &t.base);
    assert_raw(f, "tenant_id", "\"12340000-0000-0000-0000-000000000000\"");
    assert_raw(f, "device", "\"ab000000000000000000000000000000\"");
    assert_raw(f, "user", "\"ab000000000000000000000000000000\"");
    assert_raw(f, "touchpoint_sequence", "7");
    assert_raw(f, "message_id", "\"m\\\"1\"");
    assert_raw(f, "timestamp_us", "1700000000123000");
    assert_raw(f, "timestamp", "\"2023-11-14T22:13:20.123Z\"");
    assert_raw(f, "received", "null");
    assert_raw(f, "properties.big", "1e20");
    assert_raw(f, "context", "\"{\""); /* what is not JSON is shown as the text it is */
    assert_raw(f, "interaction_data", "{}");
    assert_raw(f, "scroll_depth", "0.25");
    assert_raw(f, "late", "true");
    assert_null(json_get(f->root, "consent"));
    assert_true(slice_equal(decode_tenant(&t.base), slice_make(id, 16)));
}

static void test_batch_and_enum(void **state)
{
    struct fixture *f = *state;
    Journey__V1__Event events[2], *list[] = {&events[0], &events[1]};
    Journey__V1__EventBatch batch;
    journey__v1__event_batch__init(&batch);
    for (unsigned i = 0; i < 2; i++)
        journey__v1__event__init(&events[i]);
    events[1].type = JOURNEY__V1__EVENT_TYPE__EVENT_TYPE_PAGE;
    batch.n_events = 2;
    batch.events = list;
    decode(f, &batch.base);
    const struct json_node *first = json_get(f->root, "events")->child;
    assert_true(slice_equal_str(json_get(first, "type")->raw, "\"EVENT_TYPE_UNSPECIFIED\""));
    assert_true(slice_equal_str(json_get(first->next, "type")->raw, "\"EVENT_TYPE_PAGE\""));
    assert_null(first->next->next);
}

static void test_only_the_member_of_a_oneof_that_is_set(void **state)
{
    struct fixture *f = *state;
    Journey__V1__Command command;
    Journey__V1__CountUp up;
    journey__v1__command__init(&command);
    journey__v1__count_up__init(&up);
    up.by = 3;
    command.body_case = JOURNEY__V1__COMMAND__BODY_COUNT_UP;
    command.count_up = &up;
    decode(f, &command.base);
    assert_raw(f, "count_up.by", "3");
    assert_null(json_get(f->root, "start"));
    assert_null(json_get(f->root, "end"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_topic_can_be_decoded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_touchpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch_and_enum, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_the_member_of_a_oneof_that_is_set, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
