/* Reading parts of the log to their ends, for tools and for threads that have a bus of their own. */
#include "bus.h"

#include <poll.h>

#define POLL_MS 50

struct scanning {
    struct bus *bus;
    struct bus_span *spans;
    unsigned n, open, last; /* last: where the record before lay */
    bool (*record)(void *user, const struct bus_record *record);
    void *user;
    bool stopped;
};

static struct bus_span *find(struct scanning *s, int topic, int32_t partition)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct bus_span *span = &s->spans[(s->last + i) % s->n];
        if (span->topic == topic && span->partition == partition) {
            s->last = (s->last + i) % s->n;
            return span;
        }
    }
    return NULL;
}

static void close_span(struct scanning *s, struct bus_span *span)
{
    if (!span || !span->open)
        return;
    span->open = false;
    s->open--;
    bus_stop(s->bus, span->topic, span->partition);
}

static void take(struct scanning *s, const struct bus_record *record)
{
    struct bus_span *span = find(s, record->topic, record->partition);
    if (!span || !span->open)
        return;
    if (record->offset < span->end) {
        span->next = record->offset + 1;
        s->stopped = !s->record(s->user, record);
    } else {
        span->next = span->end;
    }
    if (span->next >= span->end)
        close_span(s, span);
}

static void turn(struct scanning *s, struct clock *clock, int64_t until_us)
{
    struct bus_event event;
    bool any = false;
    while (bus_poll_control(s->bus, &event) > 0) {
        struct bus_span *gone =
            event.type == BUS_OFFSET_GONE ? find(s, event.topic, event.partition) : NULL;
        if (gone) /* retention took what was there when its range was asked for */
            gone->next = gone->end;
        close_span(s, gone);
        bus_event_release(s->bus, &event);
    }
    while (!s->stopped && s->open > 0 && bus_poll_lane(s->bus, BUS_LANE_EVENTS, &event) > 0) {
        any = true;
        if (event.type == BUS_RECORD)
            take(s, &event.record);
        bus_event_release(s->bus, &event);
        if (clock->now_us(clock) >= until_us)
            return;
    }
    struct pollfd fd = {.fd = bus_fd(s->bus), .events = POLLIN};
    if (!any && !s->stopped && s->open > 0 && poll(&fd, fd.fd >= 0, POLL_MS) > 0)
        bus_drain_fd(s->bus);
}

int bus_scan(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
             bool (*record)(void *user, const struct bus_record *record), void *user,
             struct err *err)
{
    struct clock *clock = clock_system();
    int64_t until_us = clock->now_us(clock) + timeout_ms * INT64_C(1000);
    struct scanning s = {.bus = bus, .spans = spans, .n = n, .record = record, .user = user};
    int r = 0;
    for (unsigned i = 0; r >= 0 && i < n; i++) {
        spans[i].open = false;
        if (spans[i].next >= spans[i].end)
            continue;
        r = bus_start(bus, spans[i].topic, spans[i].partition, spans[i].next, BUS_LANE_EVENTS, err);
        spans[i].open = r >= 0;
        s.open += spans[i].open;
    }
    while (r >= 0 && s.open > 0 && !s.stopped && clock->now_us(clock) < until_us)
        turn(&s, clock, until_us);
    bool all = s.open == 0;
    for (unsigned i = 0; i < n; i++)
        close_span(&s, &spans[i]);
    return r < 0 ? r : all;
}
