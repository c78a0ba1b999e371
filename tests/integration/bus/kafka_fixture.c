#include "kafka_fixture.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT_MS 20000

static rd_kafka_t *admin_create(const struct kafka_fixture *fixture)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", fixture->brokers, NULL, 0);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, NULL, 0);
}

static void topic_full_name(char out[300], const struct kafka_fixture *fixture, int topic)
{
    (void)snprintf(out, 300, "%s%s", fixture->prefix, topic_name(topic));
}

bool kafka_fixture_init(struct kafka_fixture *fixture, int32_t partitions)
{
    fixture->brokers = getenv("KAFKA_BROKERS");
    if (!fixture->brokers) {
        (void)fprintf(stderr, "KAFKA_BROKERS is not set\n");
        return false;
    }
    uint8_t random[8];
    char hex[17];
    entropy_system()->fill(entropy_system(), random, sizeof(random));
    hex_format(hex, random, sizeof(random));
    (void)snprintf(fixture->prefix, sizeof(fixture->prefix), "test-%s.", hex);
    struct err err;
    if (bus_kafka_create_topics(fixture->brokers, fixture->prefix, partitions, 1, NULL, &err) < 0) {
        (void)fprintf(stderr, "topics: %s\n", err.message);
        return false;
    }
    return true;
}

void kafka_fixture_deinit(struct kafka_fixture *fixture)
{
    rd_kafka_t *rk = admin_create(fixture);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *topics[2 * TOPIC_COUNT];
    for (int i = 0; i < 2 * TOPIC_COUNT; i++) {
        char name[300];
        topic_full_name(name, fixture, i < TOPIC_COUNT ? i : topic_dlq(i - TOPIC_COUNT));
        topics[i] = rd_kafka_DeleteTopic_new(name);
    }
    rd_kafka_DeleteTopics(rk, topics, ARRAY_SIZE(topics), NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_DeleteTopic_destroy_array(topics, ARRAY_SIZE(topics));
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

void kafka_fixture_truncate(struct kafka_fixture *fixture, int topic, int32_t partition,
                            int64_t begin)
{
    char name[300];
    topic_full_name(name, fixture, topic);
    rd_kafka_t *rk = admin_create(fixture);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, name, partition)->offset = begin;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, TIMEOUT_MS);
    if (!event || rd_kafka_event_error(event))
        (void)fprintf(stderr, "the log was not truncated\n");
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

struct bus *kafka_fixture_bus(struct kafka_fixture *fixture, struct bus_kafka_options options)
{
    struct bus *bus;
    struct err err;
    options.brokers = options.brokers ? options.brokers : fixture->brokers;
    options.prefix = fixture->prefix;
    if (bus_kafka_create(&bus, &options, &err) < 0) {
        (void)fprintf(stderr, "bus: %s\n", err.message);
        abort();
    }
    return bus;
}
