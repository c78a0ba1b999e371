/*
 * The reader: librdkafka's simple consumer. Each partition is started into the queue of its lane.
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

/* What may wait in each lane's queue; a fetch may go past it once. */
#define LANE_KBYTES  "4096"
#define LANE_RECORDS "10000"
/* Half of it, see wake_fetcher. */
#define LANE_WAKE_BYTES   (2048 * 1024)
#define LANE_WAKE_RECORDS 5000

static const struct kafka_setting READER[] = {
    {"auto.offset.reset", "error"},
    {"auto.commit.enable", "false"},
    {"enable.partition.eof", "false"},
    {"check.crcs", "true"},
    {"queued.max.messages.kbytes", LANE_KBYTES},
    {"queued.min.messages", LANE_RECORDS},
    /* Below the largest record: a broker answers with at least one batch however large. */
    {"message.max.bytes", "262144"},
    {"fetch.message.max.bytes", "262144"},
    {"fetch.max.bytes", "524288"},
    /* How long a newly started partition, or one whose lane was full, may wait behind a fetch of the others. */
    {"fetch.wait.max.ms", "100"},
    {"fetch.error.backoff.ms", "100"},
};

static int reader_create(struct kafka_bus *bus, struct err *err)
{
    struct kafka_reader *reader = &bus->reader;
    if (reader->rk)
        return 0;
    rd_kafka_conf_t *conf =
        kafka_conf_create(bus->brokers, bus->client_id, READER, ARRAY_SIZE(READER), err);
    if (!conf)
        return ERR_INVALID;
    rd_kafka_conf_set_opaque(conf, bus);
    rd_kafka_conf_set_error_cb(conf, kafka_error_cb);
    reader->rk = kafka_client_create(RD_KAFKA_CONSUMER, conf, err);
    if (!reader->rk)
        return ERR_INVALID;
    reader->queue = rd_kafka_queue_get_main(reader->rk);
    kafka_watch(bus, reader->queue);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++) {
        reader->lanes[lane].queue = rd_kafka_queue_new(reader->rk);
        kafka_watch(bus, reader->lanes[lane].queue);
    }
    return 0;
}

static struct kafka_reader_topic *topic_create(struct kafka_bus *bus, int topic)
{
    struct kafka_reader_topic *t =
        calloc(1, sizeof(*t) + (size_t)bus->partitions * sizeof(t->slots[0]));
    if (!t)
        return NULL;
    char name[KAFKA_NAME_SIZE];
    rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(bus->reader.rk);
    rd_kafka_topic_conf_set_opaque(conf, t);
    t->topic = topic;
    t->rkt =
        rd_kafka_topic_new(bus->reader.rk, kafka_name(name, bus->prefix, topic_name(topic)), conf);
    if (t->rkt)
        return t;
    rd_kafka_topic_conf_destroy(conf);
    free(t);
    return NULL;
}

/* The client, the topic's handle and its slots: made when first asked for. */
static int topic_get(struct kafka_reader_topic **topic, struct kafka_bus *bus, int id,
                     int32_t partition, struct err *err)
{
    int r = bus_partition_check(id, partition, bus->partitions, err);
    if (r == 0)
        r = reader_create(bus, err);
    if (r < 0)
        return r;
    struct kafka_reader_topic **slot = &bus->reader.topics[topic_slot(id)];
    if (!*slot)
        *slot = topic_create(bus, id);
    if (!*slot)
        return kafka_err_set(err, rd_kafka_last_error(), topic_name(id), NULL);
    *topic = *slot;
    return 0;
}

static int consume_start(struct kafka_bus *bus, struct kafka_reader_topic *topic, int32_t partition,
                         struct err *err)
{
    const struct kafka_slot *slot = &topic->slots[partition];
    _Static_assert(BUS_OFFSET_BEGIN == RD_KAFKA_OFFSET_BEGINNING, "passed on as it is");
    if (rd_kafka_consume_start_queue(topic->rkt, partition, slot->next,
                                     bus->reader.lanes[slot->lane].queue) == -1)
        return kafka_err_set(err, rd_kafka_last_error(), topic_name(topic->topic), "start");
    return 0;
}

int kafka_reader_start(struct bus *bus, int topic, int32_t partition, int64_t offset,
                       enum bus_lane lane, struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader_topic *t;
    int r = topic_get(&t, b, topic, partition, err);
    if (r < 0)
        return r;
    if (offset < 0 && offset != BUS_OFFSET_BEGIN)
        return err_set(err, ERR_INVALID, ERR_CLASS_PERMANENT, "offset %lld", (long long)offset);
    struct kafka_slot *slot = &t->slots[partition];
    if (slot->state == SLOT_READING)
        return err_set(err, ERR_CONFLICT, ERR_CLASS_PERMANENT, "%s %d is being read",
                       topic_name(topic), partition);
    kafka_reader_stop(bus, topic, partition);
    slot->lane = lane;
    slot->next = offset;
    r = consume_start(b, t, partition, err);
    if (r == 0)
        slot->state = SLOT_READING;
    return r;
}

void kafka_reader_stop(struct bus *bus, int topic, int32_t partition)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader_topic *t = topic_valid(topic) ? b->reader.topics[topic_slot(topic)] : NULL;
    if (!t || partition < 0 || partition >= b->partitions)
        return;
    struct kafka_slot *slot = &t->slots[partition];
    if (slot->state == SLOT_READING)
        rd_kafka_consume_stop(t->rkt, partition);
    else if (slot->state == SLOT_GONE)
        b->reader.n_gone--;
    slot->state = SLOT_IDLE;
}

int kafka_reader_range(struct bus *bus, int topic, int32_t partition, int64_t *begin, int64_t *end,
                       int timeout_ms, struct err *err)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader_topic *t;
    int r = topic_get(&t, b, topic, partition, err);
    if (r < 0)
        return r;
    int64_t low, high;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        b->reader.rk, rd_kafka_topic_name(t->rkt), partition, &low, &high, timeout_ms);
    if (code)
        return kafka_err_set(err, code, topic_name(topic), "range");
    *begin = low;
    *end = high;
    return 0;
}

/*
 * The log does not have the offset that a fetch asked for. librdkafka hands the fetcher's complaint to another thread
 * without the partition's version: one about an earlier start can arrive after the present one, and has then halted it.
 * So only a complaint about the very offset that comes next is believed; after any other (also one behind the gaps of
 * a compacted log) the partition is started again where it stands, which ends in records or in a complaint that fits.
 */
static void on_offset_gone(struct kafka_bus *bus, struct kafka_reader_topic *topic,
                           int32_t partition, int64_t offset)
{
    struct kafka_slot *slot = &topic->slots[partition];
    struct err err;
    rd_kafka_consume_stop(topic->rkt, partition);
    if (offset != slot->next && consume_start(bus, topic, partition, &err) == 0)
        return;
    slot->state = SLOT_GONE;
    bus->reader.n_gone++;
    kafka_wake(bus);
}

static void on_error(struct kafka_bus *bus, const rd_kafka_message_t *message)
{
    struct kafka_reader_topic *topic = message->rkt ? rd_kafka_topic_opaque(message->rkt) : NULL;
    if (message->err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        kafka_note_error(bus, message->err, topic ? topic_name(topic->topic) : "reader",
                         rd_kafka_message_errstr(message));
    else if (topic && topic->slots[message->partition].state == SLOT_READING)
        on_offset_gone(bus, topic, message->partition, message->offset);
}

/*
 * In 2.0.2 a fetcher whose partitions all have full queues sleeps until something else wakes it, up to a second: taking
 * records does not. A query of the lane's partitions with no time to wait for its answer does, for 20 µs; made
 * for each half queue taken, the queue is refilled before it is empty.
 */
static void wake_fetcher(struct kafka_bus *bus, enum bus_lane lane)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(bus->partitions);
    for (int i = 0; i < TOPIC_SLOTS; i++) {
        struct kafka_reader_topic *topic = bus->reader.topics[i];
        for (int32_t p = 0; topic && p < bus->partitions; p++)
            if (topic->slots[p].state == SLOT_READING && topic->slots[p].lane == lane)
                rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(topic->rkt), p)
                    ->offset = RD_KAFKA_OFFSET_END;
    }
    (void)rd_kafka_offsets_for_times(bus->reader.rk, list, 0); /* always a time-out */
    rd_kafka_topic_partition_list_destroy(list);
}

static void count_taken(struct kafka_bus *bus, enum bus_lane lane, size_t bytes)
{
    struct kafka_lane *l = &bus->reader.lanes[lane];
    l->bytes += bytes; /* values alone: what librdkafka counts */
    if (++l->records < LANE_WAKE_RECORDS && l->bytes < LANE_WAKE_BYTES)
        return;
    l->bytes = l->records = 0;
    wake_fetcher(bus, lane);
}

static void fill_record(struct bus_event *event, rd_kafka_message_t *message, int topic)
{
    struct bus_record *record = &event->record;
    event->type = BUS_RECORD;
    event->topic = record->topic = topic;
    event->partition = record->partition = message->partition;
    event->offset = record->offset = message->offset;
    rd_kafka_timestamp_type_t type;
    record->time_us = rd_kafka_message_timestamp(message, &type) * 1000;
    record->key = slice_make(message->key, message->key_len);
    record->value = slice_make(message->payload, message->len);
    record->handle = message;
    record->n_headers = 0;
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers))
        return;
    unsigned n = 0;
    struct bus_header *h = record->headers;
    const void *value;
    for (; n < BUS_MAX_HEADERS; n++, h++) {
        if (rd_kafka_header_get_all(headers, n, &h->name, &value, &h->value.size))
            break;
        h->value.data = value;
    }
    record->n_headers = n;
}

int kafka_reader_poll_lane(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    struct kafka_bus *b = kafka_bus(bus);
    rd_kafka_message_t *message;
    while (b->reader.rk && (message = rd_kafka_consume_queue(b->reader.lanes[lane].queue, 0))) {
        struct kafka_reader_topic *topic = NULL;
        if (message->err)
            on_error(b, message);
        else
            topic = rd_kafka_topic_opaque(message->rkt);
        struct kafka_slot *slot = topic ? &topic->slots[message->partition] : NULL;
        if (!slot || slot->state != SLOT_READING || slot->lane != lane ||
            message->offset < slot->next) {
            rd_kafka_message_destroy(message);
            continue;
        }
        slot->next = message->offset + 1;
        count_taken(b, lane, message->len);
        fill_record(event, message, topic->topic);
        return 1;
    }
    return 0;
}

bool kafka_reader_poll_gone(struct kafka_bus *bus, struct bus_event *event)
{
    if (bus->reader.n_gone == 0)
        return false;
    for (int i = 0; i < TOPIC_SLOTS; i++) {
        struct kafka_reader_topic *topic = bus->reader.topics[i];
        for (int32_t p = 0; topic && p < bus->partitions; p++) {
            if (topic->slots[p].state != SLOT_GONE)
                continue;
            topic->slots[p].state = SLOT_IDLE;
            bus->reader.n_gone--;
            event->type = BUS_OFFSET_GONE;
            event->topic = topic->topic;
            event->partition = p;
            event->offset = topic->slots[p].next;
            return true;
        }
    }
    return false;
}

void kafka_reader_serve(struct kafka_bus *bus)
{
    if (bus->reader.rk)
        rd_kafka_poll(bus->reader.rk, 0);
}

void kafka_reader_destroy(struct kafka_bus *bus)
{
    struct kafka_reader *reader = &bus->reader;
    if (!reader->rk)
        return;
    for (int i = 0; i < TOPIC_SLOTS; i++)
        for (int32_t p = 0; reader->topics[i] && p < bus->partitions; p++)
            kafka_reader_stop(&bus->bus, topic_of_slot(i), p);
    for (int lane = 0; lane < BUS_LANE_COUNT; lane++)
        if (reader->lanes[lane].queue) {
            rd_kafka_queue_io_event_enable(reader->lanes[lane].queue, -1, NULL, 0);
            rd_kafka_queue_destroy(reader->lanes[lane].queue);
        }
    rd_kafka_queue_io_event_enable(reader->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(reader->queue);
    for (int i = 0; i < TOPIC_SLOTS; i++)
        if (reader->topics[i]) {
            rd_kafka_topic_destroy(reader->topics[i]->rkt);
            free(reader->topics[i]);
        }
    rd_kafka_destroy(reader->rk);
    *reader = (struct kafka_reader){0};
}
