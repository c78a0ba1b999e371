#include "conformance.h"

#include "test.h"
#include "wait.h"

#include <stdio.h>

struct place {
    int topic;
    int32_t partition;
};

static struct place fresh(struct conformance *suite)
{
    int n = suite->used++;
    assert_true(n < TOPIC_COUNT * CONFORMANCE_PARTITIONS);
    return (struct place){n / CONFORMANCE_PARTITIONS, n % CONFORMANCE_PARTITIONS};
}

static void must(int r, const struct err *err)
{
    if (r < 0)
        fail_msg("%s: %s", status_name(err->code), err->message);
}

static void send_text(struct bus *bus, struct place place, const char *text, uint64_t cookie)
{
    struct err err;
    must(bus_send(bus,
                  &(struct bus_message){.topic = place.topic,
                                        .partition = place.partition,
                                        .key = SLICE_LITERAL("k"),
                                        .value = slice_str(text),
                                        .cookie = cookie},
                  &err),
         &err);
}

/* Values "0", "1", ... with cookies 1, 2, ..., delivered. */
static void fill(struct bus *bus, struct place place, int from, int to)
{
    for (int i = from; i < to; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        send_text(bus, place, text, (uint64_t)i + 1);
    }
    wait_delivered(bus, (size_t)(to - from));
}

static void start(struct bus *bus, struct place place, int64_t offset, enum bus_lane lane)
{
    struct err err;
    must(bus_start(bus, place.topic, place.partition, offset, lane, &err), &err);
}

/* The next record of the lane is this offset of this place, with the value that fill gave it. */
static void expect(struct bus *bus, struct place place, enum bus_lane lane, int64_t offset)
{
    struct bus_event event;
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)offset);
    wait_record(bus, lane, &event);
    assert_int_equal(event.record.offset, offset);
    assert_int_equal(event.record.topic, place.topic);
    assert_int_equal(event.record.partition, place.partition);
    assert_true(slice_equal_str(event.record.value, text));
    bus_event_release(bus, &event);
}

static void test_order(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state), other = fresh(*state);
    fill(bus, place, 0, 500);
    fill(bus, other, 0, 3);
    start(bus, place, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS);
    for (int i = 0; i < 500; i++)
        expect(bus, place, BUS_LANE_EVENTS, i);
    fill(bus, place, 500, 600); /* while it is being read */
    for (int i = 500; i < 600; i++)
        expect(bus, place, BUS_LANE_EVENTS, i);
    wait_silence(bus, BUS_LANE_EVENTS, 100);
    bus_destroy(&bus);
}

#define BINARY SLICE_LITERAL("\0\1\xff\n")
#define EMPTY  SLICE_LITERAL("")
#define NONE   ((struct slice){NULL, 0})

static const struct {
    const char *name;
    struct slice key, value;
    struct bus_header headers[3];
    unsigned n_headers;
} BYTES[] = {
    {"plain", SLICE_LITERAL("key"), SLICE_LITERAL("value"), {{0}}, 0},
    {"binary", BINARY, BINARY, {{"h", BINARY}}, 1},
    {"no key", NONE, SLICE_LITERAL("v"), {{0}}, 0},
    {"empty key", EMPTY, SLICE_LITERAL("v"), {{0}}, 0},
    {"tombstone", SLICE_LITERAL("k"), NONE, {{0}}, 0},
    {"tombstone with headers", SLICE_LITERAL("k"), NONE, {{"why", SLICE_LITERAL("gone")}}, 1},
    {"empty value", SLICE_LITERAL("k"), EMPTY, {{0}}, 0},
    {"no value in a header", SLICE_LITERAL("k"), EMPTY, {{"a", NONE}, {"b", EMPTY}}, 2},
    {"the same name twice", EMPTY, EMPTY, {{"a", BINARY}, {"b", EMPTY}, {"a", EMPTY}}, 3},
};

static bool same(struct slice a, struct slice b)
{
    return slice_equal(a, b) && (a.data == NULL) == (b.data == NULL);
}

static void test_bytes(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state);
    struct bus_event event;
    struct err err;
    for (size_t i = 0; i < ARRAY_SIZE(BYTES); i++)
        must(bus_send(bus,
                      &(struct bus_message){place.topic, place.partition, BYTES[i].key,
                                            BYTES[i].value, BYTES[i].headers, BYTES[i].n_headers,
                                            i + 1},
                      &err),
             &err);
    wait_delivered(bus, ARRAY_SIZE(BYTES));
    start(bus, place, 0, BUS_LANE_COMMANDS);
    for (size_t i = 0; i < ARRAY_SIZE(BYTES); i++) {
        wait_record(bus, BUS_LANE_COMMANDS, &event);
        const struct bus_record *record = &event.record;
        assert_case(BYTES[i].name, same(record->key, BYTES[i].key));
        assert_case(BYTES[i].name, same(record->value, BYTES[i].value));
        assert_case(BYTES[i].name, record->n_headers == BYTES[i].n_headers);
        for (unsigned h = 0; h < record->n_headers; h++) {
            assert_case(BYTES[i].name,
                        strcmp(record->headers[h].name, BYTES[i].headers[h].name) == 0);
            assert_case(BYTES[i].name, same(record->headers[h].value, BYTES[i].headers[h].value));
        }
        assert_case(BYTES[i].name, bus_record_header(record, "absent") == NULL);
        if (record->n_headers > 0)
            assert_case(BYTES[i].name,
                        bus_record_header(record, BYTES[i].headers[0].name) == &record->headers[0]);
        bus_event_release(bus, &event);
    }
    bus_destroy(&bus);
}

static void test_lanes(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place a = fresh(*state), b = fresh(*state);
    start(bus, a, 0, BUS_LANE_COMMANDS);
    start(bus, b, 0, BUS_LANE_IMPORTS);
    fill(bus, b, 0, 5);
    fill(bus, a, 0, 5);
    wait_silence(bus, BUS_LANE_EVENTS, 50);
    for (int i = 0; i < 5; i++)
        expect(bus, a, BUS_LANE_COMMANDS, i);
    for (int i = 0; i < 5; i++)
        expect(bus, b, BUS_LANE_IMPORTS, i);
    wait_silence(bus, BUS_LANE_COMMANDS, 50);
    bus_destroy(&bus);
}

static void test_start_at(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state);
    struct err err;
    fill(bus, place, 0, 20);
    start(bus, place, 15, BUS_LANE_EVENTS);
    for (int i = 15; i < 20; i++)
        expect(bus, place, BUS_LANE_EVENTS, i);
    bus_stop(bus, place.topic, place.partition);
    start(bus, place, 20, BUS_LANE_EVENTS); /* the end is an offset too */
    wait_silence(bus, BUS_LANE_EVENTS, 200);
    fill(bus, place, 20, 21);
    expect(bus, place, BUS_LANE_EVENTS, 20);
    assert_int_equal(bus_start(bus, place.topic, place.partition, 0, BUS_LANE_EVENTS, &err),
                     ERR_CONFLICT);
    assert_int_equal(bus_start(bus, place.topic, CONFORMANCE_PARTITIONS, 0, BUS_LANE_EVENTS, &err),
                     ERR_INVALID);
    bus_destroy(&bus);
}

static void test_stop(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state), other = fresh(*state);
    fill(bus, place, 0, 200);
    bus_stop(bus, place.topic, place.partition); /* unknown: nothing */
    start(bus, place, 0, BUS_LANE_EVENTS);
    start(bus, other, 0, BUS_LANE_EVENTS);
    for (int i = 0; i < 10; i++)
        expect(bus, place, BUS_LANE_EVENTS, i);
    bus_stop(bus, place.topic, place.partition); /* with 190 waiting */
    fill(bus, place, 200, 210);
    wait_silence(bus, BUS_LANE_EVENTS, 300);
    fill(bus, other, 0, 2); /* the lane goes on */
    expect(bus, other, BUS_LANE_EVENTS, 0);
    expect(bus, other, BUS_LANE_EVENTS, 1);
    start(bus, place, 10, BUS_LANE_MIRRORS); /* another lane */
    for (int i = 10; i < 210; i++)
        expect(bus, place, BUS_LANE_MIRRORS, i);
    bus_destroy(&bus);
}

/* Forwards and backwards with the old start's records still waiting, some not even looked at. */
static void test_stop_start_again(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state);
    struct random random = {1};
    fill(bus, place, 0, 300);
    for (int round = 0; round < 100; round++) {
        int64_t from = (int64_t)(random_next(&random) % 300);
        int64_t to = min_i64(300, from + (int64_t)(random_next(&random) % 10));
        start(bus, place, from, BUS_LANE_EVENTS);
        for (int64_t i = from; i < to; i++)
            expect(bus, place, BUS_LANE_EVENTS, i);
        bus_stop(bus, place.topic, place.partition);
    }
    wait_silence(bus, BUS_LANE_EVENTS, 300);
    bus_destroy(&bus);
}

static void expect_gone(struct bus *bus, struct place place, int64_t offset)
{
    struct bus_event event;
    wait_control(bus, BUS_OFFSET_GONE, &event);
    assert_int_equal(event.topic, place.topic);
    assert_int_equal(event.partition, place.partition);
    assert_int_equal(event.offset, offset);
}

static void test_offset_gone(void **state)
{
    struct conformance *suite = *state;
    struct bus *bus = suite->create(suite, 0);
    struct place place = fresh(suite);
    fill(bus, place, 0, 50);
    start(bus, place, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS);
    expect(bus, place, BUS_LANE_EVENTS, 0);
    bus_stop(bus, place.topic, place.partition);
    suite->truncate(suite, place.topic, place.partition, 30);
    start(bus, place, 10, BUS_LANE_EVENTS);
    expect_gone(bus, place, 10);
    wait_silence(bus, BUS_LANE_EVENTS, 100);
    start(bus, place, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS); /* reading had stopped: no conflict */
    expect(bus, place, BUS_LANE_EVENTS, 30);
    bus_stop(bus, place.topic, place.partition);
    suite->truncate(suite, place.topic, place.partition, 40);
    start(bus, place, BUS_OFFSET_BEGIN, BUS_LANE_EVENTS); /* not a remembered beginning */
    expect(bus, place, BUS_LANE_EVENTS, 40);
    bus_stop(bus, place.topic, place.partition);
    start(bus, place, 51, BUS_LANE_EVENTS); /* beyond the end */
    expect_gone(bus, place, 51);
    bus_destroy(&bus);
}

/* Complaints about an earlier start neither end nor halt a later one. */
static void test_offset_gone_then_started_again(void **state)
{
    struct conformance *suite = *state;
    struct bus *bus = suite->create(suite, 0);
    struct place place = fresh(suite);
    struct bus_event event;
    fill(bus, place, 0, 20);
    suite->truncate(suite, place.topic, place.partition, 10);
    for (int round = 0; round < 30; round++) {
        start(bus, place, 5, BUS_LANE_EVENTS);
        if (round % 3 == 1)
            (void)wait_bus(bus, wait_now_ms() + round % 7);
        if (round % 3 == 2)
            assert_false(bus_poll_lane(bus, BUS_LANE_EVENTS, &event));
        bus_stop(bus, place.topic, place.partition);
        start(bus, place, 10, BUS_LANE_EVENTS);
        expect(bus, place, BUS_LANE_EVENTS, 10);
        bus_stop(bus, place.topic, place.partition);
        while (bus_poll_control(bus, &event))
            assert_int_not_equal(event.type, BUS_OFFSET_GONE);
    }
    bus_destroy(&bus);
}

static void test_range(void **state)
{
    struct conformance *suite = *state;
    struct bus *bus = suite->create(suite, 0);
    struct place place = fresh(suite);
    int64_t begin = -1, end = -1;
    struct err err;
    must(bus_range(bus, place.topic, place.partition, &begin, &end, 5000, &err), &err);
    assert_int_equal(begin, 0);
    assert_int_equal(end, 0);
    fill(bus, place, 0, 20);
    suite->truncate(suite, place.topic, place.partition, 5);
    must(bus_range(bus, place.topic, place.partition, &begin, &end, 5000, &err), &err);
    assert_int_equal(begin, 5);
    assert_int_equal(end, 20);
    assert_int_equal(bus_range(bus, place.topic, -1, &begin, &end, 5000, &err), ERR_INVALID);
    struct bus_span spans[] = {{.topic = place.topic, .partition = place.partition},
                               {.topic = TOPIC_STATES, .partition = 0}};
    must(bus_ranges(bus, spans, ARRAY_SIZE(spans), 5000, &err), &err);
    assert_int_equal(spans[0].next, 5);
    assert_int_equal(spans[0].end, 20);
    assert_true(spans[1].next >= 0 && spans[1].end >= spans[1].next);
    assert_int_equal(bus_partitions(bus), CONFORMANCE_PARTITIONS);
    bus_destroy(&bus);
}

static void test_reports(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place places[] = {fresh(*state), fresh(*state), fresh(*state)};
    bool seen[301] = {false};
    for (uint64_t cookie = 1; cookie <= 300; cookie++)
        send_text(bus, places[cookie % 3], "x", cookie);
    assert_int_equal(bus_unreported(bus), 300);
    assert_true(bus_unreported_bytes(bus) > 300);
    for (int i = 0; i < 300; i++) {
        struct bus_event event;
        wait_control(bus, BUS_DELIVERED, &event);
        assert_true(event.cookie >= 1 && event.cookie <= 300 && !seen[event.cookie]);
        seen[event.cookie] = true;
        assert_int_equal(bus_unreported(bus), 299 - i);
    }
    assert_int_equal(bus_unreported_bytes(bus), 0);
    bus_destroy(&bus);
}

static void test_full(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 10);
    struct place place = fresh(*state);
    struct bus_message message = {.topic = place.topic, .partition = place.partition};
    struct err err;
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 10; i++)
            send_text(bus, place, "x", i + 1);
        assert_int_equal(bus_send(bus, &message, &err), ERR_FULL);
        assert_int_equal(err.class, ERR_CLASS_TRANSIENT);
        wait_delivered(bus, 10);
    }
    int64_t begin, end;
    must(bus_range(bus, place.topic, place.partition, &begin, &end, 5000, &err), &err);
    assert_int_equal(end, 30); /* what was refused is not there */
    bus_destroy(&bus);
}

static void test_refused(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state);
    struct err err;
    uint8_t *large = calloc(1, BUS_MAX_RECORD_BYTES + 1);
    struct bus_header headers[BUS_MAX_HEADERS + 1];
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        headers[i] = (struct bus_header){"h", EMPTY};
    struct bus_message message = {.topic = place.topic,
                                  .partition = place.partition,
                                  .value = {large, BUS_MAX_RECORD_BYTES + 1}};
    assert_int_equal(bus_send(bus, &message, &err), ERR_TOO_LARGE);
    assert_int_equal(err.class, ERR_CLASS_PERMANENT);
    message.headers = headers;
    message.n_headers = 1;
    message.value.size = BUS_MAX_RECORD_BYTES; /* with the header's name one too many */
    assert_int_equal(bus_send(bus, &message, &err), ERR_TOO_LARGE);
    message.value.size--;
    must(bus_send(bus, &message, &err), &err); /* the largest */
    wait_delivered(bus, 1);
    message.value.size = 0;
    message.n_headers = ARRAY_SIZE(headers);
    assert_int_equal(bus_send(bus, &message, &err), ERR_INVALID);
    message.n_headers--;
    must(bus_send(bus, &message, &err), &err);
    message.partition = CONFORMANCE_PARTITIONS;
    assert_int_equal(bus_send(bus, &message, &err), ERR_INVALID);
    message.topic = TOPIC_COUNT;
    assert_int_equal(bus_send(bus, &message, &err), ERR_INVALID);
    assert_int_equal(bus_unreported(bus), 1);

    struct bus_event event;
    start(bus, place, 0, BUS_LANE_IMPORTS);
    wait_record(bus, BUS_LANE_IMPORTS, &event);
    assert_int_equal(event.record.value.size, BUS_MAX_RECORD_BYTES - 1);
    bus_event_release(bus, &event);
    wait_record(bus, BUS_LANE_IMPORTS, &event);
    assert_int_equal(event.record.n_headers, BUS_MAX_HEADERS);
    bus_event_release(bus, &event);
    free(large);
    bus_destroy(&bus);
}

/* ---- membership ---- */

struct member {
    struct bus *bus;
    unsigned owned; /* bits */
    bool told;
};

static void serve(struct member *member)
{
    struct bus_event event;
    while (bus_poll_control(member->bus, &event)) {
        if (event.type == BUS_ASSIGNMENT) {
            member->told = true;
            member->owned = 0;
            for (unsigned i = 0; i < event.n_partitions; i++)
                member->owned |= 1u << event.partitions[i];
        }
        bus_event_release(member->bus, &event);
    }
}

/* Until the members own everything and nothing twice, each its fair share. */
static void wait_shared(struct member *members, int count, int within_ms)
{
    int64_t deadline = wait_now_ms() + within_ms;
    for (;;) {
        unsigned all = 0, sum = 0;
        bool fair = true;
        for (int i = 0; i < count; i++) {
            int share = __builtin_popcount(members[i].owned);
            fair = fair && share >= CONFORMANCE_PARTITIONS / count &&
                   share <= (CONFORMANCE_PARTITIONS + count - 1) / count;
            all |= members[i].owned;
            sum += (unsigned)share;
        }
        if (fair && all == (1u << CONFORMANCE_PARTITIONS) - 1 && sum == CONFORMANCE_PARTITIONS)
            return;
        for (int i = 0; i < count; i++) {
            if (!wait_bus(members[i].bus, min_i64(deadline, wait_now_ms() + 20)) &&
                wait_now_ms() >= deadline)
                fail_msg("%d members do not share all partitions", count);
            serve(&members[i]);
        }
    }
}

static void join(struct conformance *suite, struct member *member)
{
    struct err err;
    *member = (struct member){.bus = suite->create(suite, 0)};
    must(bus_join(member->bus, "group", TOPIC_EVENTS, &err), &err);
    assert_int_equal(bus_join(member->bus, "group", TOPIC_EVENTS, &err), ERR_CONFLICT);
}

static void test_members(void **state)
{
    struct member members[3];
    for (int n = 0; n < 3; n++) {
        join(*state, &members[n]);
        wait_shared(members, n + 1, 10000);
    }
    bus_leave(members[1].bus);
    struct member rest[] = {members[0], members[2]};
    wait_shared(rest, 2, 3000);
    members[1].told = false;
    serve(&members[1]);
    if (members[1].told)
        assert_int_equal(members[1].owned, 0);
    bus_leave(members[1].bus); /* no member: nothing */
    bus_destroy(&rest[1].bus); /* leaves */
    wait_shared(rest, 1, 3000);
    struct err err;
    must(bus_join(members[1].bus, "group", TOPIC_EVENTS, &err), &err); /* once more */
    members[1].owned = 0;
    struct member again[] = {rest[0], members[1]};
    wait_shared(again, 2, 10000);
    bus_destroy(&again[0].bus);
    bus_destroy(&again[1].bus);
}

static void test_groups_are_apart(void **state)
{
    struct member members[2];
    struct err err;
    for (int i = 0; i < 2; i++) {
        members[i] = (struct member){.bus = ((struct conformance *)*state)->create(*state, 0)};
        must(bus_join(members[i].bus, i == 0 ? "one" : "two", TOPIC_EVENTS, &err), &err);
    }
    wait_shared(&members[0], 1, 10000);
    wait_shared(&members[1], 1, 10000);
    bus_destroy(&members[0].bus);
    bus_destroy(&members[1].bus);
}

/* ---- the rest ---- */

static void test_producer_reset(void **state)
{
    struct bus *bus = ((struct conformance *)*state)->create(*state, 0);
    struct place place = fresh(*state);
    bus_producer_reset(bus); /* before anything was sent */
    for (uint64_t cookie = 1; cookie <= 100; cookie++)
        send_text(bus, place, "old", cookie);
    bus_producer_reset(bus);
    assert_int_equal(bus_unreported(bus), 0);
    for (uint64_t cookie = 1001; cookie <= 1100; cookie++)
        send_text(bus, place, "new", cookie);
    for (uint64_t cookie = 1001; cookie <= 1100; cookie++) {
        struct bus_event event;
        wait_control(bus, BUS_DELIVERED, &event);
        assert_int_equal(event.cookie, cookie); /* one partition: in order, and none of the old */
    }
    struct bus_event event;
    start(bus, place, 0, BUS_LANE_EVENTS);
    for (int found = 0; found < 100;) {
        wait_record(bus, BUS_LANE_EVENTS, &event);
        found += slice_equal_str(event.record.value, "new");
        bus_event_release(bus, &event);
    }
    bus_destroy(&bus);
}

static void test_two_readers(void **state)
{
    struct conformance *suite = *state;
    struct bus *one = suite->create(suite, 0), *two = suite->create(suite, 0);
    struct place place = fresh(suite);
    fill(one, place, 0, 30);
    start(one, place, 0, BUS_LANE_EVENTS);
    start(two, place, 10, BUS_LANE_COMMANDS);
    for (int i = 0; i < 20; i++) {
        expect(one, place, BUS_LANE_EVENTS, i);
        expect(two, place, BUS_LANE_COMMANDS, i + 10);
    }
    bus_destroy(&two);
    for (int i = 20; i < 30; i++)
        expect(one, place, BUS_LANE_EVENTS, i);
    bus_destroy(&one);
}

/* A record lives until it is released, whatever happens to its partition. */
static void test_record_outlives_stop(void **state)
{
    struct conformance *suite = *state;
    struct bus *bus = suite->create(suite, 0);
    struct place place = fresh(suite);
    struct bus_event event;
    fill(bus, place, 0, 10);
    start(bus, place, 4, BUS_LANE_EVENTS);
    wait_record(bus, BUS_LANE_EVENTS, &event);
    bus_stop(bus, place.topic, place.partition);
    suite->truncate(suite, place.topic, place.partition, 10);
    assert_true(slice_equal_str(event.record.value, "4"));
    bus_event_release(bus, &event);
    bus_destroy(&bus);
}

int conformance_run(const char *name, struct conformance *suite)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_order, suite),
        cmocka_unit_test_prestate(test_bytes, suite),
        cmocka_unit_test_prestate(test_lanes, suite),
        cmocka_unit_test_prestate(test_start_at, suite),
        cmocka_unit_test_prestate(test_stop, suite),
        cmocka_unit_test_prestate(test_stop_start_again, suite),
        cmocka_unit_test_prestate(test_offset_gone, suite),
        cmocka_unit_test_prestate(test_offset_gone_then_started_again, suite),
        cmocka_unit_test_prestate(test_range, suite),
        cmocka_unit_test_prestate(test_reports, suite),
        cmocka_unit_test_prestate(test_full, suite),
        cmocka_unit_test_prestate(test_refused, suite),
        cmocka_unit_test_prestate(test_members, suite),
        cmocka_unit_test_prestate(test_groups_are_apart, suite),
        cmocka_unit_test_prestate(test_producer_reset, suite),
        cmocka_unit_test_prestate(test_two_readers, suite),
        cmocka_unit_test_prestate(test_record_outlives_stop, suite),
    };
    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}
