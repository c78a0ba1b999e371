/* The suite over the twin. */
#include "conformance.h"

struct mem_suite {
    struct conformance suite;
    struct bus_mem_cluster *cluster;
};

static struct bus *create(struct conformance *suite, size_t queue)
{
    struct bus *bus = bus_mem_create(((struct mem_suite *)suite)->cluster);
    if (queue > 0)
        bus_mem_set_send_queue(bus, queue);
    return bus;
}

static void truncate_log(struct conformance *suite, int topic, int32_t partition, int64_t begin)
{
    bus_mem_truncate(((struct mem_suite *)suite)->cluster, topic, partition, begin);
}

int main(void)
{
    struct mem_suite mem = {{.create = create, .truncate = truncate_log},
                            bus_mem_cluster_create(CONFORMANCE_PARTITIONS)};
    int failed = conformance_run("bus: the twin", &mem.suite);
    if (failed == 0) /* a failed case leaves its buses behind */
        bus_mem_cluster_destroy(&mem.cluster);
    return failed;
}
