/*
 * Creating the topics of the table, and comparing those that exist with what they should be. An existing topic is never
 * changed: the operator decides.
 */
#include "kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ADMIN_TIMEOUT_MS    30000
#define DLQ_RETENTION_HOURS (14 * 24)
#define MAX_SETTINGS        8

struct topic_settings {
    struct kafka_setting items[MAX_SETTINGS];
    size_t count;
    char texts[MAX_SETTINGS][24];
};

static void add(struct topic_settings *settings, const char *name, const char *value)
{
    assert(settings->count < MAX_SETTINGS);
    settings->items[settings->count++] = (struct kafka_setting){name, value};
}

static void add_ms(struct topic_settings *settings, const char *name, int64_t ms)
{
    char *text = settings->texts[settings->count];
    (void)snprintf(text, sizeof(settings->texts[0]), "%lld", (long long)ms);
    add(settings, name, text);
}

/*
 * Only closed segments expire or are compacted, so a segment is closed after a quarter of the retention, a day at most.
 * A deleted key must not outlive a day in the log either, hence the limit to compaction's lag.
 */
static void topic_settings_init(struct topic_settings *settings, int topic, int replication)
{
    const int64_t hour_ms = HOUR_US / 1000;
    const struct topic_info *info = topic_info(topic);
    bool compacted = info->kind == TOPIC_KIND_COMPACTED && !(topic & TOPIC_DLQ);
    int64_t keep_ms = hour_ms * (topic & TOPIC_DLQ ? DLQ_RETENTION_HOURS : info->retention_hours);
    settings->count = 0;
    add(settings, "cleanup.policy", compacted ? "compact" : "delete");
    add_ms(settings, compacted ? "delete.retention.ms" : "retention.ms", keep_ms);
    add_ms(settings, "segment.ms", min_i64(keep_ms / 4, 24 * hour_ms));
    add(settings, "segment.bytes", "134217728");
    add(settings, "max.message.bytes", "1048576");
    if (compacted)
        add_ms(settings, "max.compaction.lag.ms", 24 * hour_ms);
    if (replication >= 3)
        add(settings, "min.insync.replicas", "2"); /* what makes acks=all mean two */
}

struct admin {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    const char *prefix;
    int32_t partitions;
    int replication;
    struct buf *report;
    int differences;
};

PRINTF(2, 3)
static void report(struct admin *admin, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (admin->report)
        buf_printf(admin->report, "%s\n", line);
}

/* 0 while one of its partitions has no leader. */
static int with_leader(const struct rd_kafka_metadata_topic *topic)
{
    for (int i = 0; i < topic->partition_cnt; i++)
        if (topic->partitions[i].leader < 0)
            return 0;
    return topic->partition_cnt;
}

/* Partitions of each slot's topic, 0 where there is none. */
static int list_topics(struct admin *admin, int partitions[TOPIC_SLOTS], struct err *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(admin->rk, 1, NULL, &metadata, ADMIN_TIMEOUT_MS);
    if (code)
        return bus_kafka_err_set(err, code, "listing topics", NULL);
    for (int slot = 0; slot < TOPIC_SLOTS; slot++) {
        char name[KAFKA_NAME_SIZE];
        bus_kafka_name(name, admin->prefix, topic_name(topic_of_slot(slot)));
        partitions[slot] = 0;
        for (int i = 0; i < metadata->topic_cnt; i++)
            if (strcmp(metadata->topics[i].topic, name) == 0)
                partitions[slot] = with_leader(&metadata->topics[i]);
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

/* The result of the request that was just made; NULL and err when it did not come. */
static rd_kafka_event_t *wait_result(struct admin *admin, const char *what, struct err *err)
{
    rd_kafka_event_t *event;
    while ((event = rd_kafka_queue_poll(admin->queue, ADMIN_TIMEOUT_MS))) {
        rd_kafka_event_type_t type = rd_kafka_event_type(event);
        bool result = type == RD_KAFKA_EVENT_CREATETOPICS_RESULT ||
                      type == RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT;
        if (result && !rd_kafka_event_error(event))
            return event;
        if (result)
            bus_kafka_err_set(err, rd_kafka_event_error(event), what,
                              rd_kafka_event_error_string(event));
        rd_kafka_event_destroy(event);
        if (result)
            return NULL;
    }
    bus_kafka_err_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, what, NULL);
    return NULL;
}

static int check_created(struct admin *admin, rd_kafka_event_t *event, struct err *err)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
        const char *name = rd_kafka_topic_result_name(results[i]);
        if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) /* another one was quicker */
            continue;
        if (code)
            return bus_kafka_err_set(err, code, name,
                                     rd_kafka_topic_result_error_string(results[i]));
        report(admin, "%s: created", name);
    }
    return 0;
}

static rd_kafka_NewTopic_t *new_topic(struct admin *admin, int topic, struct err *err)
{
    char name[KAFKA_NAME_SIZE], text[200];
    rd_kafka_NewTopic_t *created = rd_kafka_NewTopic_new(
        bus_kafka_name(name, admin->prefix, topic_name(topic)), admin->partitions,
        admin->replication > 0 ? admin->replication : -1, text, sizeof(text));
    if (!created) {
        err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "%s: %s", name, text);
        return NULL;
    }
    struct topic_settings settings;
    topic_settings_init(&settings, topic, admin->replication);
    for (size_t i = 0; i < settings.count; i++)
        (void)rd_kafka_NewTopic_set_config(created, settings.items[i].name,
                                           settings.items[i].value);
    return created;
}

/* A broker answers the creation before all of them know the topic; who subscribes to one that is not known yet waits
 * long for it. */
static int wait_known(struct admin *admin, struct err *err)
{
    int64_t deadline = bus_kafka_now_us() + ADMIN_TIMEOUT_MS * INT64_C(1000);
    for (;;) {
        int partitions[TOPIC_SLOTS], known = 0;
        int r = list_topics(admin, partitions, err);
        if (r < 0)
            return r;
        for (int slot = 0; slot < TOPIC_SLOTS; slot++)
            known += partitions[slot] > 0;
        if (known == TOPIC_SLOTS)
            return 0;
        if (bus_kafka_now_us() > deadline)
            return bus_kafka_err_set(err, RD_KAFKA_RESP_ERR__TIMED_OUT, "waiting for the topics",
                                     NULL);
        (void)usleep(50000);
    }
}

static int create_missing(struct admin *admin, const int partitions[TOPIC_SLOTS], struct err *err)
{
    rd_kafka_NewTopic_t *topics[TOPIC_SLOTS];
    size_t count = 0;
    int r = 0;
    for (int slot = 0; slot < TOPIC_SLOTS && r == 0; slot++) {
        if (partitions[slot] > 0)
            continue;
        topics[count] = new_topic(admin, topic_of_slot(slot), err);
        if (topics[count])
            count++;
        else
            r = ERR_INVALID;
    }
    if (r == 0 && count > 0) {
        rd_kafka_CreateTopics(admin->rk, topics, count, NULL, admin->queue);
        rd_kafka_event_t *event = wait_result(admin, "creating topics", err);
        r = event ? check_created(admin, event, err) : ERR_UNAVAILABLE;
        if (event)
            rd_kafka_event_destroy(event);
        if (r == 0)
            r = wait_known(admin, err);
    }
    rd_kafka_NewTopic_destroy_array(topics, count);
    return r;
}

static void difference(struct admin *admin, const char *name, const char *setting, const char *is,
                       const char *should)
{
    admin->differences++;
    report(admin, "%s: %s is %s, not %s", name, setting, is ? is : "unset", should);
}

static void compare_settings(struct admin *admin, const rd_kafka_ConfigResource_t *resource)
{
    const char *name = rd_kafka_ConfigResource_name(resource);
    int topic = topic_find(name + strlen(admin->prefix));
    size_t count;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    struct topic_settings settings;
    topic_settings_init(&settings, topic, admin->replication);
    for (size_t s = 0; s < settings.count; s++) {
        const char *is = NULL;
        for (size_t i = 0; i < count; i++)
            if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), settings.items[s].name) == 0)
                is = rd_kafka_ConfigEntry_value(entries[i]);
        if (!is || strcmp(is, settings.items[s].value) != 0)
            difference(admin, name, settings.items[s].name, is, settings.items[s].value);
    }
}

static int check_described(struct admin *admin, rd_kafka_event_t *event, struct err *err)
{
    size_t count;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);
        if (code)
            return bus_kafka_err_set(err, code, rd_kafka_ConfigResource_name(resources[i]),
                                     rd_kafka_ConfigResource_error_string(resources[i]));
        compare_settings(admin, resources[i]);
    }
    return 0;
}

static int compare_existing(struct admin *admin, const int partitions[TOPIC_SLOTS], struct err *err)
{
    rd_kafka_ConfigResource_t *resources[TOPIC_SLOTS];
    size_t count = 0;
    for (int slot = 0; slot < TOPIC_SLOTS; slot++) {
        char name[KAFKA_NAME_SIZE], is[16], should[16];
        if (partitions[slot] == 0)
            continue;
        bus_kafka_name(name, admin->prefix, topic_name(topic_of_slot(slot)));
        resources[count++] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
        (void)snprintf(is, sizeof(is), "%d", partitions[slot]);
        (void)snprintf(should, sizeof(should), "%d", admin->partitions);
        if (partitions[slot] != admin->partitions)
            difference(admin, name, "partitions", is, should);
    }
    int r = 0;
    if (count > 0) {
        rd_kafka_DescribeConfigs(admin->rk, resources, count, NULL, admin->queue);
        rd_kafka_event_t *event = wait_result(admin, "describing topics", err);
        r = event ? check_described(admin, event, err) : ERR_UNAVAILABLE;
        if (event)
            rd_kafka_event_destroy(event);
    }
    rd_kafka_ConfigResource_destroy_array(resources, count);
    return r;
}

int bus_kafka_create_topics(const char *brokers, const char *prefix, int32_t partitions,
                            int replication, struct buf *out, struct err *err)
{
    rd_kafka_conf_t *conf = bus_kafka_conf_create(brokers, "journey-topics", NULL, 0, err);
    if (!conf)
        return ERR_INVALID;
    struct admin admin = {.prefix = prefix ? prefix : "",
                          .partitions = partitions,
                          .replication = replication,
                          .report = out};
    admin.rk = bus_kafka_client_create(RD_KAFKA_PRODUCER, conf, err);
    if (!admin.rk)
        return ERR_INVALID;
    admin.queue = rd_kafka_queue_new(admin.rk);
    int existing[TOPIC_SLOTS] = {0};
    int r = list_topics(&admin, existing, err);
    if (r == 0)
        r = create_missing(&admin, existing, err);
    if (r == 0)
        r = compare_existing(&admin, existing, err);
    rd_kafka_queue_destroy(admin.queue);
    rd_kafka_destroy(admin.rk);
    return r < 0 ? r : admin.differences;
}
