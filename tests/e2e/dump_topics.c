/*
 * Everything that Kafka holds, as the bytes that a reader gets: of each record key, value and headers, one after the
 * other. For looking for what must not be there.
 *
 *   dump_topics BROKERS
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what)
{
    (void)fprintf(stderr, "dump_topics: %s\n", what);
    exit(1);
}

static rd_kafka_t *connect_to(const char *brokers)
{
    static const char *const settings[][2] = {{"group.id", "dump"},
                                              {"enable.auto.commit", "false"},
                                              {"enable.partition.eof", "true"},
                                              {"auto.offset.reset", "earliest"}};
    char error[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, error, sizeof(error)))
        fail(error);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], error, sizeof(error)))
            fail(error);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    if (!kafka)
        fail(error);
    (void)rd_kafka_poll_set_consumer(kafka);
    return kafka;
}

/* Every partition of every topic; returns how many. */
static int assign_all(rd_kafka_t *kafka)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(64);
    if (rd_kafka_metadata(kafka, 1, NULL, &metadata, 10000))
        fail("no metadata");
    for (int t = 0; t < metadata->topic_cnt; t++)
        for (int p = 0; p < metadata->topics[t].partition_cnt; p++)
            rd_kafka_topic_partition_list_add(all, metadata->topics[t].topic, p)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
    int n = all->cnt;
    if (rd_kafka_assign(kafka, all))
        fail("the partitions cannot be read");
    rd_kafka_topic_partition_list_destroy(all);
    rd_kafka_metadata_destroy(metadata);
    return n;
}

static void put(const void *data, size_t size)
{
    (void)fwrite(data, 1, data ? size : 0, stdout);
    (void)putchar('\n');
}

static void dump(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    put(message->key, message->key_len);
    put(message->payload, message->len);
    if (rd_kafka_message_headers(message, &headers))
        return;
    for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
        put(name, strlen(name));
        put(value, size);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("the brokers are needed");
    rd_kafka_t *kafka = connect_to(argv[1]);
    int open = assign_all(kafka);
    while (open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, 30000);
        if (!message)
            fail("Kafka does not answer");
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            open--;
        else if (message->err)
            fail(rd_kafka_message_errstr(message));
        else
            dump(message);
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    return 0;
}
