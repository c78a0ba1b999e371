/*
 * The Kafka bus: what its three clients share (settings, errors, the eventfd) and the table of operations.
 */
#include "kafka.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const struct kafka_setting COMMON[] = {
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    /* A broker that vanished without a word is noticed after this; the default is a minute. */
    {"socket.timeout.ms", "10000"},
    /* A restarted broker is found again within a second, not ten. */
    {"reconnect.backoff.max.ms", "1000"},
    {"log.connection.close", "false"},
};

const char *bus_kafka_name(char out[KAFKA_NAME_SIZE], const char *prefix, const char *name)
{
    (void)stpncpy(stpncpy(out, prefix, KAFKA_NAME_SIZE / 2), name, KAFKA_NAME_SIZE / 2 - 1);
    out[KAFKA_NAME_SIZE - 1] = '\0';
    return out;
}

/* ---- errors ---- */

int bus_kafka_err_set(struct err *err, rd_kafka_resp_err_t code, const char *what,
                      const char *detail)
{
    enum status status = ERR_UNAVAILABLE;
    enum err_class class = ERR_CLASS_TRANSIENT;
    switch (code) {
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        status = ERR_FULL;
        break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        status = ERR_TOO_LARGE;
        class = ERR_CLASS_PERMANENT;
        break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        status = ERR_NOT_FOUND;
        class = ERR_CLASS_PERMANENT;
        break;
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        status = ERR_INVALID;
        class = ERR_CLASS_PERMANENT;
        break;
    case RD_KAFKA_RESP_ERR__FATAL:
        status = ERR_INTERNAL;
        class = ERR_CLASS_FATAL;
        break;
    default:
        break;
    }
    return err_set(err, status, class, "%s: %s%s%s", what, rd_kafka_err2name(code),
                   detail && *detail ? ": " : "", detail ? detail : "");
}

int64_t bus_kafka_now_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND_US + ts.tv_nsec / 1000;
}

void bus_kafka_note_error(struct kafka_bus *bus, rd_kafka_resp_err_t code, const char *what,
                          const char *detail)
{
    bus_kafka_err_set(&bus->error, code, what, detail);
    bus->error_due = true;
}

void bus_kafka_error_cb(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    bus_kafka_note_error(opaque, (rd_kafka_resp_err_t)code, rd_kafka_name(rk), reason);
}

static bool poll_error(struct kafka_bus *bus, struct bus_event *event)
{
    if (!bus->error_due)
        return false;
    int64_t now = bus_kafka_now_us();
    if (now - bus->error_us < SECOND_US)
        return false;
    bus->error_due = false;
    bus->error_us = now;
    event->type = BUS_ERROR;
    event->err = bus->error;
    return true;
}

/* ---- clients ---- */

static void log_nowhere(const rd_kafka_t *rk, int level, const char *facility, const char *text) {}

static bool conf_set(rd_kafka_conf_t *conf, const struct kafka_setting *setting, struct err *err)
{
    char text[200];
    if (rd_kafka_conf_set(conf, setting->name, setting->value, text, sizeof(text)) ==
        RD_KAFKA_CONF_OK)
        return true;
    err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", text);
    return false;
}

rd_kafka_conf_t *bus_kafka_conf_create(const char *brokers, const char *client_id,
                                       const struct kafka_setting *settings, size_t n_settings,
                                       struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = conf_set(conf, &(struct kafka_setting){"bootstrap.servers", brokers}, err) &&
              conf_set(conf, &(struct kafka_setting){"client.id", client_id}, err);
    for (size_t i = 0; ok && i < ARRAY_SIZE(COMMON); i++)
        ok = conf_set(conf, &COMMON[i], err);
    for (size_t i = 0; ok && i < n_settings; i++)
        ok = conf_set(conf, &settings[i], err);
    if (!ok) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_log_cb(conf, log_nowhere);
    return conf;
}

rd_kafka_t *bus_kafka_client_create(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct err *err)
{
    char text[200];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (rk)
        return rk;
    rd_kafka_conf_destroy(conf);
    err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s", text);
    return NULL;
}

void bus_kafka_watch(struct kafka_bus *bus, rd_kafka_queue_t *queue)
{
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, bus->fd, &one, sizeof(one));
}

void bus_kafka_wake(struct kafka_bus *bus)
{
    uint64_t one = 1;
    ssize_t n = write(bus->fd, &one, sizeof(one));
    assert(n == sizeof(one) || errno == EAGAIN); /* EAGAIN: readable already */
    (void)n;
}

/* ---- operations ---- */

static int kafka_poll_control(struct bus *bus, struct bus_event *event)
{
    struct kafka_bus *b = kafka_bus(bus);
    if (bus_kafka_producer_poll(b, event)) /* first: reports are many, the rest is rare */
        return 1;
    bus_kafka_member_serve(b);
    bus_kafka_reader_serve(b);
    return bus_kafka_member_poll(b, event) || bus_kafka_lane_poll_gone(b, event) ||
           poll_error(b, event);
}

static void kafka_release(struct bus *bus, struct bus_event *event)
{
    if (event->type == BUS_RECORD && event->record.handle) {
        rd_kafka_message_destroy(event->record.handle);
        event->record.handle = NULL;
    } else if (event->type == BUS_ASSIGNMENT) {
        free(event->partitions);
        event->partitions = NULL;
    }
}

static int kafka_fd(struct bus *bus)
{
    return kafka_bus(bus)->fd;
}

static void kafka_drain_fd(struct bus *bus)
{
    uint64_t count;
    ssize_t n = read(kafka_bus(bus)->fd, &count, sizeof(count));
    (void)n; /* nothing to read is fine: the fd does not block */
}

static int32_t kafka_partitions(struct bus *bus)
{
    return kafka_bus(bus)->partitions;
}

static void kafka_destroy(struct bus *bus)
{
    struct kafka_bus *b = kafka_bus(bus);
    bus_kafka_member_leave(bus); /* first: others can take over while the rest goes */
    free(b->member.partitions);
    bus_kafka_reader_destroy(b);
    bus_kafka_producer_destroy(b);
    if (b->fd >= 0)
        close(b->fd);
    free(b->brokers);
    free(b->client_id);
    free(b->prefix);
    free(b);
}

static const struct bus_ops KAFKA_OPS = {
    .join = bus_kafka_member_join,
    .leave = bus_kafka_member_leave,
    .start = bus_kafka_reader_start,
    .stop = bus_kafka_reader_stop,
    .ranges = bus_kafka_reader_ranges,
    .send = bus_kafka_producer_send,
    .producer_reset = bus_kafka_producer_reset,
    .unreported = bus_kafka_producer_unreported,
    .unreported_bytes = bus_kafka_producer_unreported_bytes,
    .poll_control = kafka_poll_control,
    .poll_lane = bus_kafka_lane_poll,
    .release = kafka_release,
    .fd = kafka_fd,
    .drain_fd = kafka_drain_fd,
    .partitions = kafka_partitions,
    .destroy = kafka_destroy,
};

int bus_kafka_create(struct bus **bus, const struct bus_kafka_options *options, struct err *err)
{
    assert(options->partitions > 0);
    struct kafka_bus *b = calloc(1, sizeof(*b));
    if (!b)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "out of memory");
    b->bus.ops = &KAFKA_OPS;
    b->brokers = strdup(options->brokers);
    b->client_id = strdup(options->client_id ? options->client_id : "journey");
    b->prefix = strdup(options->prefix ? options->prefix : "");
    b->partitions = options->partitions;
    b->delivery_timeout_ms = options->delivery_timeout_ms;
    b->linger_ms = options->linger_ms;
    b->send_queue_messages = options->send_queue_messages ? options->send_queue_messages : 100000;
    b->send_queue_bytes = options->send_queue_bytes ? options->send_queue_bytes : 32u << 20;
    for (unsigned i = 0; i < options->n_send_topics; i++)
        b->send_topics[topic_slot(options->send_topics[i])] = true;
    b->error_us = -SECOND_US;
    b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    int r = 0;
    if (b->fd < 0 || !b->brokers || !b->client_id || !b->prefix)
        r = err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "eventfd or memory");
    if (r == 0 && options->n_send_topics > 0)
        r = bus_kafka_producer_create(b, err);
    if (r < 0) {
        kafka_destroy(&b->bus);
        return r;
    }
    *bus = &b->bus;
    return 0;
}
