#include "broker.h"
#include "commands.h"
#include "envelope.h"

#include <event2/event.h>
#include <stdio.h>

#define POLL_BUDGET  512 /* reports and replies in one turn, so that HTTP gets its turns too */
#define IDLE_POLL_US (SECOND_US / 2)
#define RANGE_TIMEOUT_MS                                                                           \
    1000 /* blocks everybody: only at the start, and when a topic was emptied */
#define REPLIES_AGAIN_US (3 * SECOND_US)
#define LOG_EVERY_US     (10 * SECOND_US)

const int broker_send_topics[] = {TOPIC_EVENTS, TOPIC_COMMANDS_INGEST, TOPIC_COMMANDS_JOURNEY_STATE,
                                  TOPIC_EVENTS | TOPIC_DLQ};
const unsigned n_broker_send_topics = ARRAY_SIZE(broker_send_topics);

/* Brokers that are away say so again and again. */
static void log_broker(struct gateway *gateway, const struct err *err)
{
    char text[300];
    int64_t now_us = gateway_now(gateway);
    if (now_us - gateway->broker_error_us < LOG_EVERY_US)
        return;
    gateway->broker_error_us = now_us;
    log_event(LOG_WARN, "broker_error", NULL, "\"code\":\"%s\",\"message\":\"%s\"",
              status_name(err->code), log_escape(text, sizeof(text), err->message));
}

/* Replies are read from the end that the partition has before the first command is sent. */
static void start_replies(struct gateway *gateway)
{
    struct bus *bus = gateway->world.bus;
    struct slice name = slice_make(gateway->incarnation, 16);
    int32_t partition = topic_partition(name, bus_partitions(bus));
    int64_t begin = 0, end = 0;
    struct err err = {0};
    gateway->replies_again_us = gateway_now(gateway) + REPLIES_AGAIN_US;
    int r = bus_range(bus, TOPIC_REPLIES, partition, &begin, &end, RANGE_TIMEOUT_MS, &err);
    if (r >= 0)
        r = bus_start(bus, TOPIC_REPLIES, partition, end, BUS_LANE_COMMANDS, &err);
    if (r < 0) {
        log_broker(gateway, &err);
        return;
    }
    gateway->replies_started = true;
    log_event(LOG_INFO, "replies_started", NULL, "\"partition\":%d,\"offset\":%lld", partition,
              (long long)end);
}

static void on_reply(struct gateway *gateway, const struct bus_record *record)
{
    const struct bus_header *header = bus_record_header(record, "correlation-id");
    uint64_t handle = header ? envelope_correlated(gateway, header->value) : 0;
    struct exchange *exchange = handle ? slots_get(gateway->exchanges, handle) : NULL;
    if (!handle)
        metric_inc(gateway->stats.strangers, 1);
    else if (!exchange)
        metric_inc(gateway->stats.late_replies, 1);
    else if (exchange->gather.answer)
        command_reply(exchange, record->value);
}

static void on_control(struct gateway *gateway, const struct bus_event *event)
{
    switch (event->type) {
    case BUS_DELIVERED:
        gw_pressure_confirmed(&gateway->pressure, gateway_now(gateway));
        exchange_report(gateway, event->cookie, true);
        break;
    case BUS_PRODUCER_FAILED:
        log_broker(gateway, &event->err);
        if (event->cookie) {
            exchange_report(gateway, event->cookie, false);
        } else {
            bus_producer_reset(gateway->world.bus);
            exchange_fail_undelivered(gateway);
        }
        break;
    case BUS_OFFSET_GONE: /* the topic was emptied or made anew: from its present end on */
        gateway->replies_started = false;
        bus_stop(gateway->world.bus, event->topic, event->partition);
        start_replies(gateway);
        break;
    case BUS_ERROR:
        log_broker(gateway, &event->err);
        break;
    case BUS_RECORD:
    case BUS_ASSIGNMENT:
        break;
    }
}

bool broker_poll(struct gateway *gateway)
{
    struct bus *bus = gateway->world.bus;
    struct bus_event event;
    unsigned n = 0;
    while (n < POLL_BUDGET && bus_poll_control(bus, &event)) {
        on_control(gateway, &event);
        bus_event_release(bus, &event);
        n++;
    }
    while (n < POLL_BUDGET && bus_poll_lane(bus, BUS_LANE_COMMANDS, &event)) {
        if (event.type == BUS_RECORD)
            on_reply(gateway, &event.record);
        bus_event_release(bus, &event);
        n++;
    }
    return n >= POLL_BUDGET;
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
    struct gateway *gateway = user;
    bus_drain_fd(gateway->world.bus);
    if (broker_poll(gateway))
        event_active(gateway->bus_event, EV_READ, 0);
}

static void on_idle(evutil_socket_t fd, short what, void *user)
{
    struct gateway *gateway = user;
    if (!gateway->replies_started && gateway_now(gateway) >= gateway->replies_again_us)
        start_replies(gateway);
    if (gateway->bus_event && broker_poll(gateway))
        event_active(gateway->bus_event, EV_READ, 0);
}

int broker_create(struct gateway *gateway, struct err *err)
{
    struct event_base *base = gateway->world.base;
    struct bus *bus = gateway->world.bus;
    const struct timeval idle = {0, IDLE_POLL_US};
    int fd = bus_fd(bus);
    start_replies(gateway);
    if (fd >= 0) {
        gateway->bus_event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, gateway);
        if (!gateway->bus_event || event_add(gateway->bus_event, NULL) < 0)
            return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "cannot watch the bus");
        event_active(gateway->bus_event, EV_READ, 0);
    }
    gateway->bus_timer = event_new(base, -1, EV_PERSIST, on_idle, gateway);
    if (!gateway->bus_timer || event_add(gateway->bus_timer, &idle) < 0)
        return err_set(err, ERR_INTERNAL, ERR_CLASS_FATAL, "cannot set a timer");
    return 0;
}

void broker_destroy(struct gateway *gateway)
{
    if (gateway->bus_event)
        event_free(gateway->bus_event);
    if (gateway->bus_timer)
        event_free(gateway->bus_timer);
    gateway->bus_event = gateway->bus_timer = NULL;
}
