/* What only the twin can do: crashes, failures, late deliveries, time. */
#include "bus.h"

#include "test.h"

static void send(struct bus *bus, int32_t partition, const char *value, uint64_t cookie)
{
    struct err err;
    assert_int_equal(bus_send(bus,
                              &(struct bus_message){.topic = TOPIC_EVENTS,
                                                    .partition = partition,
                                                    .value = slice_str(value),
                                                    .cookie = cookie},
                              &err),
                     0);
}

static enum bus_event_type control(struct bus *bus, uint64_t cookie)
{
    struct bus_event event;
    assert_true(bus_poll_control(bus, &event));
    assert_int_equal(event.cookie, cookie);
    return event.type;
}

static void test_fail_next(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(2);
    struct bus *bus = bus_mem_create(cluster);
    struct bus_event event;
    send(bus, 0, "a", 1);
    bus_mem_fail_next(cluster, bus);
    send(bus, 0, "b", 2);
    send(bus, 0, "c", 3); /* the hole that a failed delivery leaves */
    assert_int_equal(control(bus, 1), BUS_DELIVERED);
    assert_true(bus_poll_control(bus, &event));
    assert_int_equal(event.type, BUS_PRODUCER_FAILED);
    assert_int_equal(event.cookie, 2);
    assert_int_equal(event.err.class, ERR_CLASS_TRANSIENT);
    assert_int_equal(control(bus, 3), BUS_DELIVERED);
    assert_int_equal(bus_mem_end(cluster, TOPIC_EVENTS, 0), 2);
    assert_true(slice_equal_str(bus_mem_record(cluster, TOPIC_EVENTS, 0, 1)->value, "c"));
    assert_null(bus_mem_record(cluster, TOPIC_EVENTS, 0, 2));
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

static void test_hold(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(1);
    struct bus *bus = bus_mem_create(cluster);
    struct bus_event event;
    send(bus, 0, "a", 1);
    bus_mem_hold(bus, true);
    for (uint64_t i = 2; i <= 6; i++)
        send(bus, 0, "x", i);
    assert_int_equal(control(bus, 1), BUS_DELIVERED);
    assert_false(bus_poll_control(bus, &event));
    assert_int_equal(bus_unreported(bus), 5);
    assert_int_equal(bus_mem_deliver(bus, 2), 2);
    assert_int_equal(bus_mem_end(cluster, TOPIC_EVENTS, 0), 3);
    assert_int_equal(control(bus, 2), BUS_DELIVERED);
    bus_producer_reset(bus); /* 3's report and 4 to 6 altogether are lost */
    assert_int_equal(bus_unreported(bus), 0);
    assert_int_equal(bus_mem_deliver(bus, 9), 0);
    send(bus, 0, "y", 7);
    bus_mem_hold(bus, false);
    assert_int_equal(control(bus, 7), BUS_DELIVERED);
    assert_int_equal(bus_mem_end(cluster, TOPIC_EVENTS, 0), 4);
    bus_mem_hold(bus, true);
    send(bus, 0, "z", 8);
    bus_destroy(&bus); /* a crash */
    assert_int_equal(bus_mem_end(cluster, TOPIC_EVENTS, 0), 4);
    bus_mem_cluster_destroy(&cluster);
}

/* The old owner works on until it polls; Kafka's range assignor decides who gets what. */
static void test_range_assignment(void **state)
{
    static const struct {
        const char *name;
        int32_t partitions;
        int members;
        int32_t first[4]; /* of each member and one past the last */
    } cases[] = {
        {"one", 4, 1, {0, 4}},
        {"two", 4, 2, {0, 2, 4}},
        {"three of four", 4, 3, {0, 2, 3, 4}},
        {"three of five", 5, 3, {0, 2, 4, 5}},
        {"more members than partitions", 2, 3, {0, 1, 2, 2}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bus_mem_cluster *cluster = bus_mem_cluster_create(cases[i].partitions);
        struct bus *members[3];
        struct bus_event event;
        struct err err;
        for (int m = 0; m < cases[i].members; m++) {
            members[m] = bus_mem_create(cluster);
            assert_int_equal(bus_join(members[m], "g", TOPIC_EVENTS, &err), 0);
        }
        for (int m = 0; m < cases[i].members; m++) {
            assert_case(cases[i].name, bus_poll_control(members[m], &event));
            int32_t first = cases[i].first[m], count = cases[i].first[m + 1] - first;
            assert_case(cases[i].name, event.type == BUS_ASSIGNMENT);
            assert_case(cases[i].name, (int32_t)event.n_partitions == count);
            for (int32_t p = 0; p < count; p++)
                assert_case(cases[i].name, event.partitions[p] == first + p);
            bus_event_release(members[m], &event);
            /* once, however many joined meanwhile */
            assert_case(cases[i].name, !bus_poll_control(members[m], &event));
        }
        for (int m = 0; m < cases[i].members; m++)
            bus_destroy(&members[m]);
        bus_mem_cluster_destroy(&cluster);
    }
}

/* A partition whose records are all gone while a reader stands before them. */
static void test_truncate_under_a_reader(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(1);
    struct bus *bus = bus_mem_create(cluster);
    struct bus_event event;
    struct err err;
    for (uint64_t i = 1; i <= 10; i++)
        send(bus, 0, "x", i);
    while (bus_poll_control(bus, &event))
        bus_event_release(bus, &event);
    assert_int_equal(bus_start(bus, TOPIC_EVENTS, 0, 0, BUS_LANE_EVENTS, &err), 0);
    assert_true(bus_poll_lane(bus, BUS_LANE_EVENTS, &event));
    bus_event_release(bus, &event);
    bus_mem_truncate(cluster, TOPIC_EVENTS, 0, 1); /* just before it: nothing is missing */
    assert_true(bus_poll_lane(bus, BUS_LANE_EVENTS, &event));
    bus_event_release(bus, &event);
    bus_mem_truncate(cluster, TOPIC_EVENTS, 0, 100);
    assert_int_equal(bus_mem_end(cluster, TOPIC_EVENTS, 0), 10);
    assert_false(bus_poll_lane(bus, BUS_LANE_EVENTS, &event));
    assert_true(bus_poll_control(bus, &event));
    assert_int_equal(event.type, BUS_OFFSET_GONE);
    assert_int_equal(event.offset, 2);
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

static int64_t noon(struct clock *clock)
{
    return 12 * HOUR_US;
}

static void test_clock(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(1);
    struct bus *bus = bus_mem_create(cluster);
    struct clock clock = {noon};
    send(bus, 0, "x", 1);
    bus_mem_set_clock(cluster, &clock);
    send(bus, 0, "y", 2);
    assert_int_equal(bus_mem_record(cluster, TOPIC_EVENTS, 0, 0)->time_us, 0);
    assert_int_equal(bus_mem_record(cluster, TOPIC_EVENTS, 0, 1)->time_us, 12 * HOUR_US);
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_next),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_range_assignment),
        cmocka_unit_test(test_truncate_under_a_reader),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests_name("bus: the twin's own", tests, NULL, NULL);
}
