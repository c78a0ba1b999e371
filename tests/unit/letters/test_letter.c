/* A letter as its record says it, its name, and how it goes back. */
#include "letters.h"

#include "journey/v1/event.pb-c.h"

#include "test.h"

#define TENANT "aa010000-0000-0000-0000-000000000000"

static struct bus_record record_of(int topic, const char *key, struct slice value,
                                   const struct bus_header *headers, unsigned n)
{
    struct bus_record record = {.topic = topic_dlq(topic),
                                .partition = 3,
                                .offset = 17,
                                .time_us = 1767312000123000,
                                .key = slice_str(key),
                                .value = value,
                                .n_headers = n};
    memcpy(record.headers, headers, n * sizeof(*headers));
    return record;
}

static struct slice packed_batch(struct arena *arena, uint8_t first)
{
    uint8_t tenant[16] = {first};
    Journey__V1__EventBatch batch;
    Journey__V1__Event event, *events = &event;
    journey__v1__event_batch__init(&batch);
    journey__v1__event__init(&event);
    event.message_id = arena_str(arena, slice_str("m-1"));
    event.name = arena_str(arena, slice_str("Seen"));
    batch.tenant_id = (ProtobufCBinaryData){16, tenant};
    batch.n_events = 1;
    batch.events = &events;
    uint8_t *bytes = arena_alloc(arena, journey__v1__event_batch__get_packed_size(&batch) + 1);
    return slice_make(bytes, journey__v1__event_batch__pack(&batch, bytes));
}

static const struct bus_header refused[] = {
    {"traceparent", {(const uint8_t *)"t", 1}},
    {"ce_id", {(const uint8_t *)"i", 1}},
    {"dlq-id", {(const uint8_t *)"ingest.1/3/t/3/9", 16}},
    {"dlq-source", {(const uint8_t *)"journey.events.v1/3/5", 21}},
    {"dlq-code", {(const uint8_t *)"name_missing", 12}},
    {"dlq-reason", {(const uint8_t *)"why", 3}},
    {"dlq-service", {(const uint8_t *)"ingest", 6}},
};
static const struct bus_header raw[] = {
    {"content-type", {(const uint8_t *)"application/json", 16}},
    {"dlq-code", {(const uint8_t *)"missing", 7}},
    {"dlq-field", {(const uint8_t *)"event", 5}},
    {"dlq-reason", {(const uint8_t *)"event: is needed", 16}},
    {"dlq-service", {(const uint8_t *)"gateway", 7}},
    {"message-id", {(const uint8_t *)"m-2", 3}},
};

static void test_refused(void **state)
{
    struct arena *arena = *state;
    struct letter letter;
    struct bus_record record =
        record_of(TOPIC_EVENTS, TENANT "/d1", packed_batch(arena, 0xbb), refused, 7);
    letter_of_record(&letter, &record, arena);
    assert_int_equal(letter.tenant.bytes[0], 0xbb); /* the message's word counts before the key's */
    assert_true(slice_equal_str(letter.code, "name_missing"));
    assert_true(slice_equal_str(letter.message_id, "m-1"));
    assert_true(slice_equal_str(letter.subject, "d1"));
    assert_true(slice_equal_str(letter.said, "ingest.1/3/t/3/9"));
    assert_false(letter_is_raw(&letter));
    assert_int_equal(letter.state, LETTER_OPEN);
}

static void test_raw(void **state)
{
    struct arena *arena = *state;
    struct letter letter;
    struct bus_record record =
        record_of(TOPIC_EVENTS, TENANT "/d1", slice_str("{\"a\":1}"), raw, 6);
    letter_of_record(&letter, &record, arena);
    assert_int_equal(letter.tenant.bytes[0], 0xaa);
    assert_true(slice_equal_str(letter.field, "event"));
    assert_true(slice_equal_str(letter.message_id, "m-2"));
    assert_true(letter_is_raw(&letter));
    record.key = slice_str("short");
    letter_of_record(&letter, &record, arena);
    assert_int_equal(letter.tenant.bytes[0], 0);
}

static void test_ids(void **state)
{
    static const struct {
        const char *name, *id;
        bool good;
    } cases[] = {
        {"as given", "journey.events.v1.dlq.3.17.1767312000123", true},
        {"a topic with a dash", "journey.commands.journey-state.v1.dlq.0.0.1", true},
        {"no dead letters' topic", "journey.events.v1.3.17.1767312000123", false},
        {"no topic", "3.17.1767312000123", false},
        {"empty", "", false},
        {"negative", "journey.events.v1.dlq.3.-17.1", false},
        {"no number", "journey.events.v1.dlq.3.x.1", false},
        {"more behind it", "journey.events.v1.dlq.3.17.1x", false},
        {"partition too large", "journey.events.v1.dlq.99999999999.17.1", false},
        {"time too large", "journey.events.v1.dlq.3.17.99999999999999999999", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct letter letter;
        char again[LETTER_ID_SIZE];
        bool good = letter_id_parse(&letter, slice_str(cases[i].id)) == 0;
        assert_case(cases[i].name, good == cases[i].good);
        if (!good)
            continue;
        letter_id(again, &letter);
        assert_case(cases[i].name, strcmp(again, cases[i].id) == 0);
    }
}

static void test_sent_back(void **state)
{
    struct arena *arena = *state;
    struct bus_header headers[BUS_MAX_HEADERS];
    struct bus_message message;
    struct bus_record record = record_of(TOPIC_EVENTS, TENANT "/d1", slice_str("v"), refused, 7);
    letter_send_back(&message, headers, &record, 5, arena);
    assert_int_equal(message.topic, TOPIC_EVENTS);
    assert_int_equal(message.partition, 3);
    assert_int_equal(message.n_headers, 2);
    assert_string_equal(headers[0].name, "traceparent");
    assert_string_equal(headers[1].name, "ce_id");
    assert_true(slice_equal_str(headers[1].value, "replay:journey.events.v1.dlq:3:17:5"));
}

static const char *content(struct arena *arena, const struct bus_record *record)
{
    _cleanup_(buf_deinit) struct buf out = {0};
    struct json_writer w = json_writer_make(&out);
    json_begin_object(&w);
    letter_write_content(&w, record, slice_make(NULL, 0), arena);
    json_end_object(&w);
    return arena_str(arena, buf_slice(&out));
}

static void test_content(void **state)
{
    struct arena *arena = *state;
    static const struct bus_header sealed[] = {
        {"sealed", {(const uint8_t *)"day/2026-01-02", 14}},
        {"dlq-service", {(const uint8_t *)"gateway", 7}},
    };
    struct bus_record record =
        record_of(TOPIC_EVENTS, TENANT "/d1", packed_batch(arena, 1), refused, 7);
    assert_non_null(strstr(content(arena, &record), "\"name\":\"Seen\""));
    record = record_of(TOPIC_EVENTS, TENANT "/d1", slice_str("{\"a\":1e20}"), raw, 6);
    assert_non_null(strstr(content(arena, &record), "\"content\":{\"a\":1e20}"));
    record.value = slice_str("{\"a\":\xff");
    assert_non_null(strstr(content(arena, &record), "\"content\":\"{\\\"a\\\":\xef\xbf\xbd\""));
    record = record_of(TOPIC_EVENTS, TENANT "/d1", slice_str("\x01secret"), sealed, 2);
    const char *text = content(arena, &record);
    assert_non_null(strstr(text, "\"sealed\":\"day/2026-01-02\",\"content\":null"));
    assert_null(strstr(text, "secret"));
}

static int setup(void **state)
{
    *state = arena_create((size_t)1 << 20);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_refused), TEST(test_raw), TEST(test_ids),
                                       TEST(test_sent_back), TEST(test_content)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
