#include "wait.h"

#include "test.h"

#include <poll.h>
#include <time.h>

#define PATIENCE_MS 10000

int64_t wait_now_ms(void)
{
    struct timespec ts;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
    return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

bool wait_bus(struct bus *bus, int64_t deadline_ms)
{
    int64_t left = deadline_ms - wait_now_ms();
    if (left <= 0)
        return false;
    if (bus_fd(bus) < 0)
        return true;
    struct pollfd fd = {.fd = bus_fd(bus), .events = POLLIN};
    /* the owner's 1 s timer: errors held back, and a member that must be seen to live */
    (void)poll(&fd, 1, (int)min_i64(left, 1000));
    bus_drain_fd(bus);
    return true;
}

void wait_record(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    int64_t deadline = wait_now_ms() + PATIENCE_MS;
    while (!bus_poll_lane(bus, lane, event))
        if (!wait_bus(bus, deadline))
            fail_msg("no record in lane %d", (int)lane);
    assert_int_equal(event->type, BUS_RECORD);
}

void wait_control(struct bus *bus, enum bus_event_type type, struct bus_event *event)
{
    int64_t deadline = wait_now_ms() + PATIENCE_MS;
    for (;;) {
        if (!bus_poll_control(bus, event)) {
            if (!wait_bus(bus, deadline))
                fail_msg("no control event %d", (int)type);
        } else if (event->type == type) {
            return;
        } else {
            bus_event_release(bus, event);
        }
        /* what a lane notices (an offset that is gone) becomes a control event */
        struct bus_event record;
        for (int lane = 0; lane < BUS_LANE_COUNT; lane++)
            if (bus_poll_lane(bus, (enum bus_lane)lane, &record))
                bus_event_release(bus, &record);
    }
}

void wait_silence(struct bus *bus, enum bus_lane lane, int ms)
{
    int64_t deadline = wait_now_ms() + ms;
    struct bus_event event;
    do {
        if (bus_poll_lane(bus, lane, &event))
            fail_msg("%s %d offset %lld came", topic_name(event.topic), event.partition,
                     (long long)event.offset);
        if (bus_fd(bus) < 0)
            return;
    } while (wait_bus(bus, deadline));
}

void wait_delivered(struct bus *bus, size_t count)
{
    struct bus_event event;
    while (count-- > 0) {
        int64_t deadline = wait_now_ms() + PATIENCE_MS;
        while (!bus_poll_control(bus, &event))
            if (!wait_bus(bus, deadline))
                fail_msg("%zu reports have not come", count + 1);
        if (event.type != BUS_DELIVERED)
            fail_msg("event %d instead of a delivery: %s", (int)event.type, event.err.message);
    }
}
