/*
 * Polling a lane: what librdkafka's queue holds becomes records, or a complaint that a partition's offset is gone.
 */
#include "kafka.h"

/* Half of what a lane may hold. */
#define LANE_WAKE_BYTES   ((size_t)2048 * 1024)
#define LANE_WAKE_RECORDS 4000

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
    rd_kafka_consume_stop(topic->handles[slot->lane], partition);
    if (offset != slot->next && bus_kafka_reader_consume(bus, topic, partition, &err) == 0)
        return;
    slot->state = SLOT_GONE;
    bus->n_gone++;
    bus_kafka_wake(bus);
}

static void on_error(struct kafka_bus *bus, const rd_kafka_message_t *message)
{
    struct kafka_reader_topic *topic = message->rkt ? rd_kafka_topic_opaque(message->rkt) : NULL;
    if (message->err != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        bus_kafka_note_error(bus, message->err, topic ? topic_name(topic->topic) : "reader",
                             rd_kafka_message_errstr(message));
    else if (topic && topic->slots[message->partition].state == SLOT_READING)
        on_offset_gone(bus, topic, message->partition, message->offset);
}

/*
 * In 2.0.2 a fetcher whose partitions all have full queues sleeps until something else wakes it, up to a second: taking
 * records does not. A query of the lane's partitions with no time to wait for its answer does; made
 * for each half queue taken, the queue is refilled before it is empty.
 */
static void wake_fetcher(struct kafka_bus *bus, enum bus_lane lane)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(bus->partitions);
    for (int i = 0; i < TOPIC_SLOTS; i++) {
        struct kafka_reader_topic *topic = bus->topics[i];
        for (int32_t p = 0; topic && p < bus->partitions; p++)
            if (topic->slots[p].state == SLOT_READING && topic->slots[p].lane == lane)
                rd_kafka_topic_partition_list_add(list, rd_kafka_topic_name(topic->handles[lane]),
                                                  p)
                    ->offset = RD_KAFKA_OFFSET_END;
    }
    (void)rd_kafka_offsets_for_times(bus->readers[lane].rk, list, 0); /* always a time-out */
    rd_kafka_topic_partition_list_destroy(list);
}

static void count_taken(struct kafka_bus *bus, enum bus_lane lane, size_t bytes)
{
    struct kafka_reader *reader = &bus->readers[lane];
    reader->bytes += bytes; /* values alone: what librdkafka counts */
    if (++reader->n_records < LANE_WAKE_RECORDS && reader->bytes < LANE_WAKE_BYTES)
        return;
    reader->bytes = reader->n_records = 0;
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

int bus_kafka_lane_poll(struct bus *bus, enum bus_lane lane, struct bus_event *event)
{
    struct kafka_bus *b = kafka_bus(bus);
    struct kafka_reader *reader = &b->readers[lane];
    rd_kafka_message_t *message;
    while (reader->rk && (message = rd_kafka_consume_queue(reader->records, 0))) {
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

bool bus_kafka_lane_poll_gone(struct kafka_bus *bus, struct bus_event *event)
{
    if (bus->n_gone == 0)
        return false;
    for (int i = 0; i < TOPIC_SLOTS; i++) {
        struct kafka_reader_topic *topic = bus->topics[i];
        for (int32_t p = 0; topic && p < bus->partitions; p++) {
            if (topic->slots[p].state != SLOT_GONE)
                continue;
            topic->slots[p].state = SLOT_IDLE;
            bus->n_gone--;
            event->type = BUS_OFFSET_GONE;
            event->topic = topic->topic;
            event->partition = p;
            event->offset = topic->slots[p].next;
            return true;
        }
    }
    return false;
}
