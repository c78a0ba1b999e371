/* The suite over Kafka. */
#include "conformance.h"
#include "kafka_fixture.h"

struct kafka_suite {
    struct conformance suite;
    struct kafka_fixture fixture;
};

static struct bus *create(struct conformance *suite, size_t queue)
{
    return kafka_fixture_bus(&((struct kafka_suite *)suite)->fixture,
                             (struct bus_kafka_options){.client_id = "conformance",
                                                        .partitions = CONFORMANCE_PARTITIONS,
                                                        .send_queue_messages = queue});
}

static void truncate_log(struct conformance *suite, int topic, int32_t partition, int64_t begin)
{
    kafka_fixture_truncate(&((struct kafka_suite *)suite)->fixture, topic, partition, begin);
}

int main(void)
{
    struct kafka_suite kafka = {.suite = {.create = create, .truncate = truncate_log}};
    if (!kafka_fixture_init(&kafka.fixture, CONFORMANCE_PARTITIONS))
        return 1;
    int failed = conformance_run("bus: Kafka", &kafka.suite);
    kafka_fixture_deinit(&kafka.fixture);
    return failed;
}
