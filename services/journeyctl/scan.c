/*
 * Reading: positions [next, end) per partition; a partition is done when next reaches end. Ends are read once, before
 * the first record, so a topic that goes on growing still ends.
 */
#include "scan.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#define RANGE_TIMEOUT_MS 10000
#define POLL_MS          100
/* Compacted topics may end with records that are gone: silence is their end. Elsewhere silence is a broker's failure. */
#define SILENCE_COMPACTED_MS 2000
#define SILENCE_MS           30000

static volatile sig_atomic_t interrupted;
static void on_signal(int number)
{
    interrupted = 1;
}

struct span {
    int64_t next, end;
    bool open;
};

struct reading {
    const struct scan *scan;
    struct bus *bus;
    struct span *spans;
    int32_t n, open;
    bool stopped;
};

int scan_topic_find(const char *name, int *topic)
{
    *topic = topic_find(name);
    if (*topic >= 0)
        return CTL_DONE;
    return ctl_fail(CTL_USAGE, "there is no topic '%s'\n  all of them: journeyctl topics list",
                    name);
}

static int spans_open(struct reading *r, struct arena *arena)
{
    struct err err;
    r->spans = arena_alloc(arena, (size_t)r->n * sizeof(*r->spans));
    if (!r->spans)
        return ctl_fail(CTL_FAILED, "no memory");
    for (int32_t p = 0; p < r->n; p++) {
        int64_t begin, end;
        if (bus_range(r->bus, r->scan->topic, p, &begin, &end, RANGE_TIMEOUT_MS, &err) < 0)
            return ctl_fail_err(topic_name(r->scan->topic), &err);
        r->spans[p] = (struct span){r->scan->only_new ? end : begin, end, false};
    }
    for (int32_t p = 0; p < r->n; p++) {
        struct span *span = &r->spans[p];
        if (r->scan->until_end && span->next >= span->end)
            continue;
        if (bus_start(r->bus, r->scan->topic, p, span->next, BUS_LANE_EVENTS, &err) < 0)
            return ctl_fail_err(topic_name(r->scan->topic), &err);
        span->open = true;
        r->open++;
    }
    return CTL_DONE;
}

static void span_close(struct reading *r, int32_t partition)
{
    if (!r->spans[partition].open)
        return;
    r->spans[partition].open = false;
    r->open--;
    bus_stop(r->bus, r->scan->topic, partition);
}

static void take_record(struct reading *r, const struct bus_record *record)
{
    struct span *span = &r->spans[record->partition];
    bool wanted = !r->scan->until_end || record->offset < span->end;
    span->next = record->offset + 1;
    if (wanted && !r->scan->record(r->scan->user, record))
        r->stopped = true;
    if (r->scan->until_end && span->next >= span->end)
        span_close(r, record->partition);
}

/* All that has come so far; whether anything had. */
static bool take_records(struct reading *r)
{
    struct bus_event event;
    bool any = false;
    while (!r->stopped && !interrupted && r->open > 0 &&
           bus_poll_lane(r->bus, BUS_LANE_EVENTS, &event) > 0) {
        any = true;
        if (event.type == BUS_RECORD)
            take_record(r, &event.record);
        bus_event_release(r->bus, &event);
    }
    return any;
}

static int take_control(struct reading *r)
{
    struct bus_event event;
    int status = CTL_DONE;
    while (bus_poll_control(r->bus, &event) > 0) {
        if (event.type == BUS_OFFSET_GONE && !r->scan->until_end)
            status =
                ctl_fail(CTL_FAILED, "%s, partition %d: offset %lld is no longer kept; start again",
                         topic_name(event.topic), event.partition, (long long)event.offset);
        else if (event.type == BUS_OFFSET_GONE)
            span_close(r, event.partition); /* retention took what was there at the start */
        bus_event_release(r->bus, &event);
    }
    return status;
}

static void wait_for_more(struct reading *r)
{
    struct pollfd fd = {.fd = bus_fd(r->bus), .events = POLLIN};
    if (poll(&fd, fd.fd >= 0, POLL_MS) > 0)
        bus_drain_fd(r->bus);
}

static int read_on(struct reading *r)
{
    bool compacted = topic_info(r->scan->topic)->kind == TOPIC_KIND_COMPACTED;
    int64_t limit_us = (compacted ? SILENCE_COMPACTED_MS : SILENCE_MS) * INT64_C(1000);
    int64_t heard_us = clock_system()->now_us(clock_system());
    while (r->open > 0 && !r->stopped && !interrupted) {
        int status = take_control(r);
        if (status != CTL_DONE)
            return status;
        if (take_records(r)) {
            heard_us = clock_system()->now_us(clock_system());
            continue;
        }
        if (r->scan->idle)
            r->scan->idle(r->scan->user);
        wait_for_more(r);
        if (!r->scan->until_end || clock_system()->now_us(clock_system()) - heard_us < limit_us)
            continue;
        if (compacted)
            break;
        return ctl_fail(CTL_UNAVAILABLE,
                        "%s fell silent before its end: what was shown is not all of it",
                        topic_name(r->scan->topic));
    }
    return CTL_DONE;
}

int scan_run(struct ctl *ctl, const struct scan *scan)
{
    int status = ctl_bus(ctl, -1);
    if (status != CTL_DONE)
        return status;
    const struct sigaction action = {.sa_handler = on_signal};
    interrupted = 0;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    struct reading reading = {.scan = scan, .bus = ctl->bus, .n = bus_partitions(ctl->bus)};
    status = spans_open(&reading, ctl->arena);
    if (status == CTL_DONE)
        status = read_on(&reading);
    for (int32_t p = 0; reading.spans && p < reading.n; p++)
        span_close(&reading, p);
    return status;
}

/* ---- one record ---- */

struct one {
    int32_t partition;
    int64_t offset;
    bool found;
    bool (*record)(void *user, const struct bus_record *record);
    void *user;
};

static int one_read(struct ctl *ctl, int topic, struct one *one)
{
    struct bus_event event;
    int64_t start_us = clock_system()->now_us(clock_system());
    struct reading reading = {.bus = ctl->bus};
    while (clock_system()->now_us(clock_system()) - start_us < RANGE_TIMEOUT_MS * INT64_C(1000)) {
        while (bus_poll_control(ctl->bus, &event) > 0)
            bus_event_release(ctl->bus, &event);
        if (bus_poll_lane(ctl->bus, BUS_LANE_EVENTS, &event) == 0) {
            wait_for_more(&reading);
            continue;
        }
        one->found = event.type == BUS_RECORD && event.record.offset == one->offset;
        if (one->found)
            one->record(one->user, &event.record);
        bus_event_release(ctl->bus, &event);
        return CTL_DONE;
    }
    return ctl_fail(CTL_UNAVAILABLE, "%s: the record did not come in time", topic_name(topic));
}

int scan_one(struct ctl *ctl, int topic, int32_t partition, int64_t offset,
             bool (*record)(void *user, const struct bus_record *record), void *user)
{
    struct err err;
    int64_t begin, end;
    struct one one = {partition, offset, false, record, user};
    int status = ctl_bus(ctl, -1);
    if (status != CTL_DONE)
        return status;
    if (partition < 0 || partition >= bus_partitions(ctl->bus))
        return ctl_fail(CTL_FAILED, "%s has partitions 0 to %d", topic_name(topic),
                        bus_partitions(ctl->bus) - 1);
    if (bus_range(ctl->bus, topic, partition, &begin, &end, RANGE_TIMEOUT_MS, &err) < 0)
        return ctl_fail_err(topic_name(topic), &err);
    if (offset >= begin && offset < end) {
        if (bus_start(ctl->bus, topic, partition, offset, BUS_LANE_EVENTS, &err) < 0)
            return ctl_fail_err(topic_name(topic), &err);
        status = one_read(ctl, topic, &one);
        bus_stop(ctl->bus, topic, partition);
    }
    if (status == CTL_DONE && !one.found)
        status = ctl_fail(CTL_FAILED, "%s has no record at partition %d, offset %lld",
                          topic_name(topic), partition, (long long)offset);
    return status;
}
