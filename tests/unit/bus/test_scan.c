/* bus_scan on the twin: spans to their ends, and no further. */
#include "bus.h"

#include "test.h"

struct seen {
    unsigned n, stop_after;
    int64_t last;
};

static bool take(void *user, const struct bus_record *record)
{
    struct seen *seen = user;
    seen->last = record->offset;
    return ++seen->n != seen->stop_after;
}

static struct bus *filled(struct bus_mem_cluster *cluster, int32_t partition, unsigned n)
{
    struct bus *bus = bus_mem_create(cluster);
    struct bus_event event;
    for (unsigned i = 0; i < n; i++) {
        const struct bus_message message = {.topic = TOPIC_EVENTS,
                                            .partition = partition,
                                            .value = SLICE_LITERAL("v"),
                                            .cookie = i + 1};
        assert_int_equal(bus_send(bus, &message, NULL), 0);
    }
    while (bus_poll_control(bus, &event))
        bus_event_release(bus, &event);
    return bus;
}

static void test_ends(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(4);
    struct bus *bus = filled(cluster, 1, 10);
    struct err err;
    struct seen seen = {.n = 0};
    struct bus_span spans[] = {{TOPIC_EVENTS, 1, 3, 7, false},
                               {TOPIC_EVENTS, 2, 0, 0, false},
                               {TOPIC_EVENTS, 3, 5, 5, false}};
    (void)state;
    assert_int_equal(bus_scan(bus, spans, 3, 1000, take, &seen, &err), 1);
    assert_int_equal(seen.n, 4);
    assert_int_equal(seen.last, 6);
    assert_int_equal(spans[0].next, 7);
    /* the same again: nothing was left behind in the lane */
    spans[0].next = 9;
    spans[0].end = 10;
    assert_int_equal(bus_scan(bus, spans, 1, 1000, take, &seen, &err), 1);
    assert_int_equal(seen.last, 9);
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

static void test_stopped(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(4);
    struct bus *bus = filled(cluster, 0, 10);
    struct err err;
    struct seen seen = {.stop_after = 2};
    struct bus_span span = {TOPIC_EVENTS, 0, 0, 10, false};
    (void)state;
    assert_int_equal(bus_scan(bus, &span, 1, 1000, take, &seen, &err), 0);
    assert_int_equal(span.next, 2);
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

static void test_gone(void **state)
{
    struct bus_mem_cluster *cluster = bus_mem_cluster_create(4);
    struct bus *bus = filled(cluster, 0, 10);
    struct err err;
    struct seen seen = {.n = 0};
    struct bus_span span = {TOPIC_EVENTS, 0, 0, 10, false};
    (void)state;
    bus_mem_truncate(cluster, TOPIC_EVENTS, 0,
                     5); /* between the question for its range and the scan */
    assert_int_equal(bus_scan(bus, &span, 1, 1000, take, &seen, &err), 1);
    assert_int_equal(seen.n, 0);
    bus_destroy(&bus);
    bus_mem_cluster_destroy(&cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ends), cmocka_unit_test(test_stopped),
                                       cmocka_unit_test(test_gone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
