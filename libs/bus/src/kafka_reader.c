/*
 * The readers: librdkafka's simple consumers, one a lane. Each partition is started into the queue of its lane.
 *
 *   start ──► READING ──record──► READING (next = offset + 1)
 *                │  offset gone
 *                ▼
 *              GONE ──BUS_OFFSET_GONE polled, stop or start──► IDLE / READING
 *
 * After stop no old record comes: consume_stop raises the partition's version inside librdkafka, and what is queued
 * under an older one is dropped when taken; here, what does not belong to a reading slot or lies before its next offset is
 * dropped too.
 */
#include "kafka.h"

#include <stdlib.h>
#include <unistd.h>

#define RANGE_PAUSE_US 50000

static const struct kafka_setting READER[] = {
    {"auto.offset.reset", "error"},
    {"auto.commit.enable", "false"},
    {"enable.partition.eof", "false"},
    {"check.crcs", "true"},
    {"queued.max.messages.kbytes", KAFKA_LANE_KBYTES},
    {"queued.min.messages", KAFKA_LANE_RECORDS},
    /* Below the largest record: a broker answers with at least one batch however large. */
    {"message.max.bytes", "262144"},
    {"fetch.message.max.bytes", "262144"},
    {"fetch.max.bytes", "524288"},
    /* How long a newly started partition, or one whose lane was full, may wait behind a fetch of the others. */
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
};

static int reader_create(struct kafka_bus *bus, enum bus_lane lane, struct err *err)
{
    struct kafka_reader *reader = &bus->readers[lane];
    if (reader->rk)
        return 0;
    rd_kafka_conf_t *conf =
        bus_kafka_conf_create(bus->brokers, bus->client_id, READER, ARRAY_SIZE(READER), err);
    if (!conf)
        return ERR_INVALID;
    rd_kafka_conf_set_opaque(conf, bus);
    rd_kafka_conf_set_error_cb(conf, bus_kafka_error_cb);
    reader->rk = bus_kafka_client_create(RD_KAFKA_CONSUMER, conf, err);
    if (!reader->rk)
        return ERR_INVALID;
    reader->errors = rd_kafka_queue_get_main(reader->rk);
    reader->records = rd_kafka_queue_new(reader->rk);
    bus_kafka_watch(bus, reader->errors);
    bus_kafka_watch(bus, reader->records);
    return 0;
}

static rd_kafka_topic_t *handle_create(struct kafka_bus *bus, struct kafka_reader_topic *topic,
                                       enum bus_lane lane)
{
    char name[KAFKA_NAME_SIZE];
    rd_kafka_t *rk = bus->readers[lane].rk;
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(rk);
    rd_kafka_topic_conf_set_opaque(conf, topic);
    rd_kafka_topic_t *handle =
        rd_kafka_topic_new(rk, bus_kafka_name(name, bus->prefix, topic_name(topic->topic)), conf);
    if (!handle)
        rd_kafka_topic_conf_destroy(conf);
    return handle;
}

/* The topic with its slots, and its handle of that lane's client: made when first asked for. */
static int topic_get(struct kafka_reader_topic **out, struct kafka_bus *bus, int id,
                     enum bus_lane lane, struct err *err)
{
    int r = reader_create(bus, lane, err);
    if (r < 0)
        return r;
    struct kafka_reader_topic **topic = &bus->topics[topic_slot(id)];
    if (!*topic)
        *topic = calloc(1, sizeof(**topic) + (size_t)bus->partitions * sizeof((*topic)->slots[0]));
    if (!*topic)
        return err_set(err, ERR_NO_MEMORY, ERR_CLASS_FATAL, "out of memory");
    (*topic)->topic = id;
    if (!(*topic)->handles[lane])
        (*topic)->handles[lane] = handle_create(bus, *topic, lane);
    if (!(*topic)->handles[lane])
        return bus_kafka_err_set(err, rd_kafka_last_error(), topic_name(id), NULL);
    *out = *topic;
    return 0;
}

int bus_kafka_reader_consume(struct kafka_bus *bus, struct kafka_reader_topic *topic,
                             int32_t partition, struct err *err)
{
    const struct kafka_slot *slot = &topic->slots[partition];
    _Static_assert(BUS_OFFSET_BEGIN == RD_KAFKA_OFFSET_BEGINNING, "passed on as it is");
    if (rd_kafka_consume_start_queue(topic->handles[slot->lane], partition, slot->next,
                                     bus->readers[slot->lane].records) == -1)
        return bus_kafka_err_set(err, rd_kafka_last_error(), topic_name(topic->topic), "start");
    return 0;
}

int bus_kafka_reader_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                           enum bus_lane lane, struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader_topic *t = NULL;
    int r = bus_partition_check(topic, partition, b->partitions, err);
    if (r == 0)
        r = topic_get(&t, b, topic, lane, err);
    if (!t)
        return r;
    if (offset < 0 && offset != BUS_OFFSET_BEGIN)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "offset %lld", (long long)offset);
    struct kafka_slot *slot = &t->slots[partition];
    if (slot->state == SLOT_READING)
        return err_set(err, ERR_CONFLICT, ERR_CLASS_PERMANENT, "%s %d is being read",
                       topic_name(topic), partition);
    bus_kafka_reader_stop(bus, topic, partition);
    slot->lane = lane;
    slot->next = offset;
    r = bus_kafka_reader_consume(b, t, partition, err);
    if (r == 0)
        slot->state = SLOT_READING;
    return r;
}

void bus_kafka_reader_stop(struct bus *bus, int topic, int32_t partition)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader_topic *t = topic_valid(topic) ? b->topics[topic_slot(topic)] : NULL;
    if (!t || partition < 0 || partition >= b->partitions)
        return;
    struct kafka_slot *slot = &t->slots[partition];
    if (slot->state == SLOT_READING)
        rd_kafka_consume_stop(t->handles[slot->lane], partition);
    else if (slot->state == SLOT_GONE)
        b->n_gone--;
    slot->state = SLOT_IDLE;
}

/* Whichever client there is: the question is the broker's to answer. */
static int any_reader(struct kafka_bus *bus, rd_kafka_t **rk, struct err *err)
{
    int lane = 0;
    while (lane < BUS_LANE_COUNT && !bus->readers[lane].rk)
        lane++;
    lane = lane < BUS_LANE_COUNT ? lane : BUS_LANE_MIRRORS;
    int r = reader_create(bus, (enum bus_lane)lane, err);
    *rk = bus->readers[lane].rk;
    return r;
}

/* One end of all spans. rd_kafka_query_watermark_offsets would do for one partition, but does not keep to its time-out when a
 * broker hangs (2.0.2). */
static rd_kafka_resp_err_t query(struct kafka_bus *bus, rd_kafka_t *rk, struct bus_span *spans,
                                 unsigned n, bool end, int timeout_ms)
{
    char name[KAFKA_NAME_SIZE];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (unsigned i = 0; i < n; i++)
        rd_kafka_topic_partition_list_add(
            list, bus_kafka_name(name, bus->prefix, topic_name(spans[i].topic)), spans[i].partition)
            ->offset = end ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(rk, list, timeout_ms);
    for (unsigned i = 0; !code && i < n; i++)
        code = list->elems[i].err;
    for (unsigned i = 0; !code && i < n; i++)
        *(end ? &spans[i].end : &spans[i].next) = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

int bus_kafka_reader_ranges(struct bus *bus, struct bus_span *spans, unsigned n, int timeout_ms,
                            struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    rd_kafka_t *rk = NULL;
    int r = 0;
    for (unsigned i = 0; r == 0 && i < n; i++)
        r = bus_partition_check(spans[i].topic, spans[i].partition, b->partitions, err);
    if (r == 0)
        r = any_reader(b, &rk, err);
    if (r < 0 || n == 0)
        return r;
    int64_t deadline = bus_kafka_now_us() + timeout_ms * INT64_C(1000);
    for (int i = 0; i < 2;) {
        int left = (int)((deadline - bus_kafka_now_us()) / 1000);
        rd_kafka_resp_err_t code = query(b, rk, spans, n, i == 1, left > 0 ? left : 1);
        if (!code)
            i++;
        else if (left <= RANGE_PAUSE_US / 1000)
            return bus_kafka_err_set(err, code, topic_name(spans[0].topic), "range");
        else /* a topic just created or a leader just elected refuses for some moments */
            (void)usleep(RANGE_PAUSE_US);
    }
    return 0;
}

void bus_kafka_reader_serve(struct kafka_bus *bus)
{
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++)
        if (bus->readers[lane].rk)
            rd_kafka_poll(bus->readers[lane].rk, 0);
}

static void queue_destroy(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
    rd_kafka_queue_destroy(queue);
}

void bus_kafka_reader_destroy(struct kafka_bus *bus)
{
    for (int i = 0; i < TOPIC_SLOTS; i++)
        for (int32_t p = 0; bus->topics[i] && p < bus->partitions; p++)
            bus_kafka_reader_stop(&bus->bus, topic_of_slot(i), p);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++) {
        struct kafka_reader *reader = &bus->readers[lane];
        if (!reader->rk)
            continue;
        queue_destroy(reader->records);
        queue_destroy(reader->errors);
        for (int i = 0; i < TOPIC_SLOTS; i++)
            if (bus->topics[i] && bus->topics[i]->handles[lane])
                rd_kafka_topic_destroy(bus->topics[i]->handles[lane]);
        rd_kafka_destroy(reader->rk);
        *reader = (struct kafka_reader){0};
    }
    for (int i = 0; i < TOPIC_SLOTS; i++) {
        free(bus->topics[i]);
        bus->topics[i] = NULL;
    }
}
