/* What only Kafka can do: topics that exist, brokers that do not answer, backlogs larger than the queues. */
#include "kafka_fixture.h"

#include "test.h"
#include "wait.h"

#include <poll.h>

static struct kafka_fixture fixture;

static void test_create_topics_again(void **state)
{
    struct buf report = {0};
    struct err err;
    int r = bus_kafka_create_topics(fixture.brokers, fixture.prefix, 4, 1, &report, &err);
    assert_int_equal(r, 0);
    assert_int_equal(report.size, 0);
    r = bus_kafka_create_topics(fixture.brokers, fixture.prefix, 8, 1, &report, &err);
    assert_int_equal(r, 2 * TOPIC_COUNT); /* every topic's partitions differ */
    assert_non_null(strstr((char *)report.data, "journey.events.v1: partitions is 4, not 8\n"));
    assert_null(strstr((char *)report.data, "retention"));
    buf_deinit(&report);
}

static void test_no_broker(void **state)
{
    struct err err;
    int64_t before = wait_now_ms();
    struct bus *bus = kafka_fixture_bus(&fixture, (struct bus_kafka_options){
                                                      .brokers = "127.0.0.1:1",
                                                      .partitions = 4,
                                                      .delivery_timeout_ms = 300,
                                                      .send_topics = (const int[]){TOPIC_EVENTS},
                                                      .n_send_topics = 1,
                                                  });
    struct bus_message message = {.topic = TOPIC_EVENTS, .cookie = 7};
    assert_int_equal(bus_join(bus, "group", TOPIC_EVENTS, &err), 0);
    assert_int_equal(bus_start(bus, TOPIC_EVENTS, 0, 0, BUS_LANE_EVENTS, &err), 0);
    assert_int_equal(bus_send(bus, &message, &err), 0);
    struct bus_event event;
    wait_control(bus, BUS_PRODUCER_FAILED, &event);
    assert_int_equal(event.cookie, 7);
    assert_int_equal(event.err.class, ERR_CLASS_TRANSIENT);
    assert_int_equal(event.err.code, ERR_UNAVAILABLE);
    int64_t begin, end;
    assert_int_equal(bus_range(bus, TOPIC_EVENTS, 0, &begin, &end, 100, &err), ERR_UNAVAILABLE);
    bus_producer_reset(bus);
    bus_leave(bus);
    bus_destroy(&bus);
    assert_true(wait_now_ms() - before < 8000);
}

static void test_errors_once_a_second(void **state)
{
    struct bus *bus = kafka_fixture_bus(
        &fixture, (struct bus_kafka_options){.brokers = "127.0.0.1:1", .partitions = 4});
    struct err err;
    assert_int_equal(bus_start(bus, TOPIC_EVENTS, 0, 0, BUS_LANE_EVENTS, &err), 0);
    assert_int_equal(bus_join(bus, "group", TOPIC_EVENTS, &err), 0);
    int64_t end = wait_now_ms() + 3500;
    int errors = 0;
    do {
        struct bus_event event;
        while (bus_poll_control(bus, &event)) {
            errors += event.type == BUS_ERROR;
            bus_event_release(bus, &event);
        }
    } while (wait_bus(bus, end));
    assert_in_range(errors, 1, 4);
    bus_destroy(&bus);
}

enum {
    RECORD_SIZE = 500
};

/* Records that begin with their number, in turn to the topic's first partitions. */
static void fill(struct bus *bus, int topic, int partitions, int records)
{
    uint8_t value[RECORD_SIZE];
    struct random random = {1};
    struct err err;
    for (int i = 0; i < records; i++) {
        for (int at = 0; at < RECORD_SIZE; at++) /* what compresses well would fit into one fetch */
            value[at] = (uint8_t)random_next(&random);
        memcpy(value, &i, sizeof(i));
        struct bus_message message = {
            .topic = topic, .partition = i % partitions, .value = slice_make(value, RECORD_SIZE)};
        while (bus_send(bus, &message, &err) == ERR_FULL)
            wait_delivered(bus, 1000);
    }
    wait_delivered(bus, bus_unreported(bus));
}

/* A lane that was full is filled again while it is read. */
static void test_backlog(void **state)
{
    enum {
        RECORDS = 60000
    };
    struct bus *bus = kafka_fixture_bus(&fixture, (struct bus_kafka_options){.partitions = 4});
    struct bus_event event;
    struct err err;
    fill(bus, TOPIC_ACCEPTED, 4, RECORDS);
    for (int32_t p = 0; p < 4; p++)
        assert_int_equal(bus_start(bus, TOPIC_ACCEPTED, p, 0, BUS_LANE_EVENTS, &err), 0);
    int next[4] = {0, 1, 2, 3};
    int64_t reading_ms = 0, since = wait_now_ms();
    for (int got = 0; got < RECORDS; got++) {
        int i;
        if (got % 10000 == 0) { /* the reader is busy with something else, and the lane fills up */
            reading_ms += wait_now_ms() - since;
            (void)poll(NULL, 0, 300);
            since = wait_now_ms();
        }
        wait_record(bus, BUS_LANE_EVENTS, &event);
        memcpy(&i, event.record.value.data, sizeof(i));
        assert_int_equal(i, next[event.partition]);
        next[event.partition] += 4;
        bus_event_release(bus, &event);
    }
    reading_ms += wait_now_ms() - since;
    print_message("read %d in %d ms\n", RECORDS, (int)reading_ms);
    /* a fetcher that is not woken sleeps on for most of a second, five times */
    assert_true(reading_ms < 1500);
    bus_destroy(&bus);
}

/* Retention passes a reader whose lane is full: what it holds comes, then what is gone is told from there. */
static void test_offset_gone_under_a_reader(void **state)
{
    enum {
        RECORDS = 20000 /* twice what a lane holds */
    };
    struct bus *bus = kafka_fixture_bus(&fixture, (struct bus_kafka_options){.partitions = 4});
    struct bus_event event;
    struct err err;
    int64_t next = 0;
    bool gone = false;
    fill(bus, TOPIC_EVENTS, 1, RECORDS);
    assert_int_equal(bus_start(bus, TOPIC_EVENTS, 0, 0, BUS_LANE_EVENTS, &err), 0);
    wait_record(bus, BUS_LANE_EVENTS, &event);
    assert_int_equal(event.offset, next++);
    bus_event_release(bus, &event);
    kafka_fixture_truncate(&fixture, TOPIC_EVENTS, 0, RECORDS);
    for (int64_t end = wait_now_ms() + 10000; !gone;) {
        while (bus_poll_lane(bus, BUS_LANE_EVENTS, &event)) {
            assert_int_equal(event.offset, next++);
            bus_event_release(bus, &event);
        }
        while (bus_poll_control(bus, &event)) {
            gone = gone || event.type == BUS_OFFSET_GONE;
            if (event.type == BUS_OFFSET_GONE)
                assert_int_equal(event.offset, next);
            bus_event_release(bus, &event);
        }
        assert_true(gone || wait_bus(bus, end));
    }
    assert_in_range(next, 1, RECORDS - 1);
    bus_destroy(&bus);
}

static void test_refused_options(void **state)
{
    struct bus *bus = NULL;
    struct err err;
    assert_int_equal(
        bus_kafka_create(&bus,
                         &(struct bus_kafka_options){.brokers = fixture.brokers,
                                                     .partitions = 4,
                                                     .linger_ms = -5,
                                                     .send_topics = (const int[]){TOPIC_EVENTS},
                                                     .n_send_topics = 1},
                         &err),
        ERR_INVALID);
    assert_null(bus);
}

int main(void)
{
    if (!kafka_fixture_init(&fixture, 4))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_topics_again),        cmocka_unit_test(test_no_broker),
        cmocka_unit_test(test_errors_once_a_second),       cmocka_unit_test(test_backlog),
        cmocka_unit_test(test_offset_gone_under_a_reader), cmocka_unit_test(test_refused_options),
    };
    int failed = cmocka_run_group_tests_name("bus: Kafka's own", tests, NULL, NULL);
    kafka_fixture_deinit(&fixture);
    return failed;
}
