/*
 * Dead letters and "did my event arrive?" on the real Kafka and Postgres: a gateway with its worker's thread, letters as the
 * gateway and a service leave them, of two tenants.
 */
#include "rig.h"

#include "journey/v1/event.pb-c.h"

#include "test.h"

#define GOOD "{\"type\":\"track\",\"event\":\"Good\",\"messageId\":\"good\",\"anonymousId\":\"a\"}"

static const char *text(struct rig *rig, const struct json_node *node, const char *member)
{
    return arena_str(rig->arena, json_string(json_get(node, member), rig->arena));
}

static const struct json_node *nth(const struct json_node *answer, unsigned n)
{
    const struct json_node *at = json_get(answer, "data")->child;
    for (; at && n; n--)
        at = at->next;
    return at;
}

static unsigned count(const struct json_node *answer)
{
    return json_get(answer, "data")->count;
}

/* A letter as a process would leave it; `said`: its number, NULL: the gateway's. */
static void leave(struct rig *rig, int topic, struct slice value, const char *code,
                  const char *service, const char *said)
{
    const struct bus_header headers[] = {
        {"content-type", SLICE_LITERAL("application/json")},
        {"dlq-code", slice_str(code)},
        {"dlq-reason", SLICE_LITERAL("event: it was not understood")},
        {"dlq-field", SLICE_LITERAL("event")},
        {"dlq-service", slice_str(service)},
        {"message-id", SLICE_LITERAL("good")},
        {"dlq-id", slice_str(said)},
    };
    const struct bus_message message = {.topic = topic_dlq(topic),
                                        .partition = 1,
                                        .key = topic_key(rig->tenant, slice_str("d"), rig->arena),
                                        .value = value,
                                        .headers = headers,
                                        .n_headers = said ? 7 : 6,
                                        .cookie = 1};
    struct bus_event event;
    struct err err;
    if (bus_send(rig->peer, &message, &err) < 0)
        fail_msg("%s", err.message);
    bool delivered = false;
    while (!delivered) {
        rig_turn(rig);
        while (bus_poll_control(rig->peer, &event)) {
            delivered = delivered || event.type == BUS_DELIVERED;
            bus_event_release(rig->peer, &event);
        }
    }
}

static struct slice batch_of(struct rig *rig, const char *id)
{
    Journey__V1__EventBatch batch;
    Journey__V1__Event event, *events = &event;
    journey__v1__event_batch__init(&batch);
    journey__v1__event__init(&event);
    event.message_id = arena_str(rig->arena, slice_str(id));
    batch.tenant_id = (ProtobufCBinaryData){16, rig->tenant};
    batch.n_events = 1;
    batch.events = &events;
    uint8_t *bytes = arena_alloc(rig->arena, journey__v1__event_batch__get_packed_size(&batch) + 1);
    return slice_make(bytes, journey__v1__event_batch__pack(&batch, bytes));
}

/* The records of the events topic, from its beginning: at least n, then as many as are there. */
static unsigned events(struct rig *rig, unsigned n, const char *id)
{
    int64_t until = clock_system()->now_us(clock_system()) + RIG_PATIENCE_S * SECOND_US;
    unsigned found = 0;
    struct bus_event event;
    for (int32_t p = 0; p < RIG_PARTITIONS; p++)
        assert_int_equal(
            bus_start(rig->peer, TOPIC_EVENTS, p, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS, NULL), 0);
    while (n > 0 && clock_system()->now_us(clock_system()) < until) {
        rig_turn(rig);
        while (bus_poll_control(rig->peer, &event))
            bus_event_release(rig->peer, &event);
        while (bus_poll_lane(rig->peer, BUS_LANE_EVENTS, &event)) {
            Journey__V1__EventBatch *batch = journey__v1__event_batch__unpack(
                NULL, event.record.value.size, event.record.value.data);
            assert_non_null(batch);
            found += strcmp(batch->events[0]->message_id, id) == 0;
            journey__v1__event_batch__free_unpacked(batch, NULL);
            bus_event_release(rig->peer, &event);
            n -= n > 0;
        }
    }
    for (int32_t p = 0; p < RIG_PARTITIONS; p++)
        bus_stop(rig->peer, TOPIC_EVENTS, p);
    return found;
}

#define LETTERS "/api/v1/dead-letters"

static void test_life_of_a_letter(void **state)
{
    struct rig *rig = *state;
    rig_wait_ready(rig);
    assert_int_equal(count(rig_ask(rig, 0, HTTP_GET, LETTERS, "", 200)), 0);
    rig_ask(rig, 0, HTTP_POST, "/v1/batch",
            "{\"batch\":[{\"type\":\"track\",\"messageId\":\"bad\",\"anonymousId\":\"a\"}," GOOD
            "]}",
            200);
    const struct json_node *list = rig_ask(rig, 0, HTTP_GET, LETTERS, "", 200);
    assert_int_equal(count(list), 1);
    const struct json_node *letter = nth(list, 0);
    assert_string_equal(text(rig, letter, "state"), "open");
    assert_string_equal(text(rig, letter, "field"), "event");
    assert_string_equal(text(rig, letter, "message_id"), "bad");
    assert_string_equal(text(rig, letter, "topic"), "journey.events.v1");
    const char *one = arena_printf(rig->arena, LETTERS "/%s", text(rig, letter, "id"));
    const struct json_node *seen = rig_ask(rig, 0, HTTP_GET, one, "", 200);
    assert_string_equal(text(rig, json_get(seen, "content"), "messageId"), "bad");
    assert_non_null(json_get(seen, "headers"));
    /* what came in lately says so, too */
    const struct json_node *recent =
        rig_ask(rig, 0, HTTP_GET, "/api/v1/events/recent?message_id=bad", "", 200);
    assert_string_equal(text(rig, nth(recent, 0), "status"), "refused");
    assert_string_equal(text(rig, nth(recent, 0), "field"), "event");
    assert_int_equal(
        count(rig_ask(rig, 0, HTTP_GET, "/api/v1/events/recent?anonymous_id=a", "", 200)), 1);
    /* nobody else's business */
    assert_int_equal(count(rig_ask(rig, 1, HTTP_GET, LETTERS, "", 200)), 0);
    assert_int_equal(count(rig_ask(rig, 1, HTTP_GET, "/api/v1/events/recent", "", 200)), 0);
    rig_ask(rig, 1, HTTP_GET, one, "", 404);
    const char *drop = arena_printf(rig->arena, "%s/drop", one);
    const char *replay = arena_printf(rig->arena, "%s/replay", one);
    rig_ask(rig, 1, HTTP_POST, drop, "", 404);
    rig_ask(rig, 1, HTTP_POST, replay, "", 404);
    /* it is still no event, so it stays */
    const struct json_node *still = rig_ask(rig, 0, HTTP_POST, replay, "", 409);
    assert_string_equal(text(rig, json_get(still, "errors")->child, "field"), "event");
    assert_string_equal(text(rig, rig_ask(rig, 0, HTTP_GET, one, "", 200), "state"), "open");
    rig_ask(rig, 0, HTTP_POST, drop, "", 200);
    rig_ask(rig, 0, HTTP_POST, drop, "", 409);
    rig_ask(rig, 0, HTTP_POST, replay, "", 409);
    assert_string_equal(text(rig, rig_ask(rig, 0, HTTP_GET, one, "", 200), "state"), "dropped");
    assert_int_equal(count(rig_ask(rig, 0, HTTP_GET, LETTERS "?state=open", "", 200)), 0);
    assert_int_equal(count(rig_ask(rig, 0, HTTP_GET, LETTERS "?state=dropped", "", 200)), 1);
    assert_string_equal(
        rig_sql(rig,
                "select string_agg(action || ' ' || actor, ',') from "
                "accounts.audit_logs where tenant_id = $1 and target <> ''",
                rig->tenants[0], NULL),
        arena_printf(rig->arena, "dead_letter.dropped %s",
                     text(rig, rig_ask(rig, 0, HTTP_GET, one, "", 200), "acted_by")));
}

static void test_replay(void **state)
{
    struct rig *rig = *state;
    rig_wait_ready(rig);
    /* as an older release would have left them: one that it could not map, one that a service refused, twice said */
    leave(rig, TOPIC_EVENTS, slice_str(GOOD), "misread", "gateway", NULL);
    leave(rig, TOPIC_EVENTS, batch_of(rig, "refused"), "refused", "ingest", "ingest.1/1/t/1/1");
    leave(rig, TOPIC_EVENTS, batch_of(rig, "refused"), "refused", "ingest", "ingest.1/1/t/1/1");
    leave(rig, TOPIC_EVENTS, slice_make(NULL, 0), "too_large", "ingest", "ingest.1/1/t/1/2");
    const struct json_node *list = rig_ask(rig, 0, HTTP_GET, LETTERS, "", 200);
    assert_int_equal(count(list), 3);
    assert_int_equal(json_get(list, "counts")->count, 3);
    const struct json_node *done =
        rig_ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"refused\"}", 200);
    int64_t n = -1;
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 1);
    done = rig_ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"misread\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 1);
    done = rig_ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"too_large\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 0);
    assert_string_equal(text(rig, json_get(done, "failed")->child, "code"), "not_whole");
    assert_int_equal(events(rig, 2, "refused"), 1);
    assert_int_equal(events(rig, 2, "good"), 1);
    /* what fails stays open and does not stand in the way of what is behind it */
    assert_true(json_is(json_get(done, "next_cursor"), JSON_NULL));
    const char *last = text(rig, json_get(done, "failed")->child, "id");
    done = rig_ask(rig, 0, HTTP_POST, LETTERS "/replay",
                   arena_printf(rig->arena, "{\"reason\":\"too_large\",\"cursor\":\"%s\"}", last),
                   200);
    assert_int_equal(json_get(done, "failed")->count, 0);
    /* a second time finds nothing open */
    done = rig_ask(rig, 0, HTTP_POST, LETTERS "/replay", "{\"reason\":\"refused\"}", 200);
    assert_true(json_int(json_get(done, "replayed"), &n) == 0 && n == 0);
    assert_int_equal(count(rig_ask(rig, 0, HTTP_GET, LETTERS "?state=replayed", "", 200)), 2);
    done = rig_ask(rig, 0, HTTP_POST, LETTERS "/drop", "{\"reason\":\"too_large\"}", 200);
    assert_true(json_int(json_get(done, "dropped"), &n) == 0 && n == 1);
    assert_string_equal(rig_sql(rig,
                                "select string_agg(action, ',' order by action) from "
                                "accounts.audit_logs where tenant_id = $1 and target <> ''",
                                rig->tenants[0], NULL),
                        "dead_letter.dropped,dead_letter.replayed,dead_letter.replayed,"
                        "dead_letter.replaying,dead_letter.replaying");
}

static void test_pages(void **state)
{
    struct rig *rig = *state;
    const char *path = LETTERS "?limit=3&reason=misread";
    bool seen[8] = {false};
    unsigned pages = 0;
    rig_wait_ready(rig);
    for (unsigned i = 0; i < 8; i++) {
        const char *value = arena_printf(rig->arena, "{\"n\":%u}", i);
        leave(rig, TOPIC_EVENTS, slice_str(value), "misread", "gateway", NULL);
    }
    for (unsigned total = 0; path; pages++) {
        const struct json_node *list = rig_ask(rig, 0, HTTP_GET, path, "", 200);
        for (unsigned i = 0; i < count(list); i++, total++) {
            int64_t offset = -1;
            assert_int_equal(json_int(json_get(nth(list, i), "offset"), &offset), 0);
            assert_true(offset >= 0 && offset < 8 && !seen[offset]);
            assert_int_equal(offset, 7 - total); /* newest first */
            seen[offset] = true;
        }
        const char *next = text(rig, list, "next_cursor");
        path = *next ? arena_printf(rig->arena, LETTERS "?limit=3&reason=misread&cursor=%s", next)
                     : NULL;
    }
    assert_int_equal(pages, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {TEST(test_life_of_a_letter), TEST(test_replay),
                                       TEST(test_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
